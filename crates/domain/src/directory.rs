//! A company's directory: the program that fills an Organization's seats, and the tokens by which it is known.

use crate::{
    OrgId, Problem, Role, Timestamp,
    id::TokenId,
    permit::{Reach, Verb, reach},
};
use serde::{Deserialize, Serialize};

/// How long a directory's token lasts when nothing is said, in days.
pub const DAYS_DEFAULT: i64 = 365;
/// How long it lasts at most, in days.
pub const DAYS_MAX: i64 = 730;
/// So many may hold at once in one Organization: the one in use, and those that replace it.
pub const TOKENS_MAX: u64 = 10;

/// A directory that asks: who it is, and for which Organization it speaks. It is no person, and has no verb but those of
/// its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    pub token: TokenId,
    /// What the token is called.
    pub name: String,
    pub org: OrgId,
    /// As whom it acts: as whoever made the token could then and can today, at most as an owner. Seats above it are not its
    /// to change.
    pub rank: Role,
    /// The request in whose course this is asked, for the audit.
    pub request: Option<String>,
    /// The address that it comes from, for the audit.
    pub address: Option<String>,
}

/// A directory's token as those see it who govern; never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryToken {
    pub id: TokenId,
    pub name: String,
    pub rank: Role,
    /// Whoever made it, or took it over last, as the Organization calls them.
    pub made_by: String,
    /// Whether it is held to them; not where it was made before this was remembered, and nobody knows who they are.
    pub held: bool,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Since when it opens nothing because its maker governs no more; `None`: it does not rest.
    pub rests_since: Option<Timestamp>,
}

impl DirectoryToken {
    /// Whether it opens anything at `now`, unless it rests.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// For what it waits at `now` that somebody who governs can give: their word.
    pub fn waits(&self, now: Timestamp) -> Option<Waits> {
        if !self.holds(now) {
            return None;
        }
        let rests = self.rests_since.map(|_| Waits::Rests);
        rests.or((!self.held).then_some(Waits::HeldToNobody))
    }
}

/// Why a token should be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It opens nothing: its maker governs no more.
    Rests,
    /// It works, and would whoever had made it left: it is not known who that is.
    HeldToNobody,
}

/// The one time a directory's secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintedDirectory {
    pub secret: String,
    pub token: DirectoryToken,
}

/// The name and the days of a token that is asked for, within bounds.
pub fn checked(name: &str, days: Option<i64>) -> Result<(String, i64), Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Problem::new("invalid-name", "A token's name has 1 to 100 characters.").at("name"));
    }
    match days.unwrap_or(DAYS_DEFAULT) {
        days @ 1..=DAYS_MAX => Ok((name.to_owned(), days)),
        _ => {
            let detail = format!("A directory's token lasts 1 to {DAYS_MAX} days.");
            Err(Problem::new("invalid-days", detail).at("days"))
        }
    }
}

/// As whom a directory acts whose token is made by somebody of this role.
pub fn rank(maker: Role) -> Role {
    maker.min(Role::Owner)
}

/// As whom a directory acts today whose token was made with `rank` by somebody who is `maker` to the Organization now: as the
/// lesser of the two. `None`: whoever made it governs no more, and the token rests.
pub fn rank_today(rank: Role, maker: Option<Role>) -> Option<Role> {
    maker
        .filter(|maker| reach(*maker, Verb::ManageDirectory) != Reach::Nothing)
        .map(|maker| rank.min(self::rank(maker)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_name_an_end_and_no_more_rank_than_its_maker() {
        assert_eq!(checked(" Entra ", None), Ok(("Entra".to_owned(), DAYS_DEFAULT)));
        for (name, days, field) in [("", None, "name"), ("x", Some(0), "days"), ("x", Some(731), "days")] {
            assert_eq!(checked(name, days).expect_err("refused").field.as_deref(), Some(field));
        }
        assert_eq!(rank(Role::OrgAdmin), Role::OrgAdmin);
        assert_eq!(
            rank(Role::SuperAdmin),
            Role::Owner,
            "nobody above the Organization is a directory's to change"
        );
    }

    #[test]
    fn a_token_waits_for_a_word_while_it_holds_and_goes_by_nobodys() {
        let at = Timestamp::from_millis;
        let token = DirectoryToken {
            id: TokenId::new("t"),
            name: "Entra".to_owned(),
            rank: Role::Owner,
            made_by: "ann@example.org".to_owned(),
            held: true,
            created_at: at(10),
            expires_at: at(1000),
            used_at: None,
            revoked_at: None,
            rests_since: None,
        };
        for (held, rests, revoked, waits) in [
            (true, false, false, None),
            (true, true, false, Some(Waits::Rests)),
            (false, false, false, Some(Waits::HeldToNobody)),
            (true, true, true, None),
        ] {
            let token = DirectoryToken {
                held,
                rests_since: rests.then(|| at(20)),
                revoked_at: revoked.then(|| at(30)),
                ..token.clone()
            };
            assert_eq!((token.waits(at(40)), token.waits(at(1000))), (waits, None), "{token:?}");
        }
    }

    #[test]
    fn a_directory_does_no_more_than_its_maker_could_and_can() {
        use Role::{Developer, OrgAdmin, Owner, SuperAdmin, Viewer};
        for (made, today, acts) in [
            (Owner, Some(Owner), Some(Owner)),
            (Owner, Some(OrgAdmin), Some(OrgAdmin)),
            (OrgAdmin, Some(Owner), Some(OrgAdmin)),
            (Owner, Some(SuperAdmin), Some(Owner)),
            (Owner, Some(Developer), None),
            (OrgAdmin, Some(Viewer), None),
            (OrgAdmin, None, None),
        ] {
            assert_eq!(rank_today(made, today), acts, "{made:?} {today:?}");
        }
    }
}
