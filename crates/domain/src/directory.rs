//! A company's directory: the program that fills an Organization's seats, and the tokens by which it is known.

use crate::{OrgId, Problem, Role, Timestamp, id::TokenId};
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
    /// As whom it acts: as whoever made the token, at most as an owner. Seats above it are not its to change.
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
    /// The address of whoever made it.
    pub made_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl DirectoryToken {
    /// Whether it opens anything at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
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
}
