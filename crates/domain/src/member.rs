//! Members: the people who have a seat in an Organization.

use crate::{OrgId, PersonId, Problem, Role, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// The longest name, in characters.
pub const NAME_MAX: usize = 100;
/// A seat for a time lasts at most so many days.
pub const TERM_DAYS_MAX: i64 = 3650;

/// Whether a seat gives access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// May sign in and work.
    Active,
    /// Keeps the seat and everything in it, and may not sign in.
    Disabled,
    /// Has left: kept only so that what they own and did still has a name.
    Left,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Left];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Left => "left",
        }
    }

    /// Reads [`Status::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A seat as those see it who govern the Organization, with what its holder runs and keeps now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub person: PersonId,
    pub org: OrgId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub status: Status,
    pub joined_at: Timestamp,
    /// When the seat ends by itself; `None`: when somebody ends it.
    pub ends_at: Option<Timestamp>,
    /// When they last used the console, to the minute; `None`: not in the last 90 days.
    pub seen_at: Option<Timestamp>,
    /// Sessions that are pending or running.
    pub live: u64,
    /// All sessions.
    pub sessions: u64,
    pub storage_bytes: u64,
}

impl Seat {
    /// Whether the seat gives access at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.status == Status::Active && self.ends_at.is_none_or(|end| end > now)
    }
}

/// A seat beside the most that its holder may have of what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub seat: Seat,
    /// Of [`Seat::live`]; `None`: no limit.
    pub most_live: Option<u64>,
    /// Of [`Seat::storage_bytes`]; `None`: no limit.
    pub most_bytes: Option<u64>,
}

/// Which members to list, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMembers {
    /// Words to find in name and address; at most 200 characters count.
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub role: Option<Role>,
    /// `None`: all who have a seat; those who left only where they are asked for.
    #[serde(default)]
    pub status: Option<Status>,
    #[serde(default)]
    pub sort: Sort,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// As of [`crate::page::limit`].
    #[serde(default)]
    pub limit: u32,
}

/// The order of a list of members; ties by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By name, A first, without regard to case.
    #[default]
    Name,
    /// Newest first.
    Joined,
}

impl Sort {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Joined => "joined",
        }
    }

    /// Reads [`Sort::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        [Self::Name, Self::Joined]
            .into_iter()
            .find(|sort| sort.as_str() == text)
    }
}

/// What becomes of the sessions of somebody who leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sessions")]
pub enum Leaving {
    /// They are suspended and kept under the leaver's name, for admins to look into or delete.
    Archive,
    /// They go to another member, with their workspaces, as they are.
    HandOver { to: PersonId },
}

/// An e-mail address in lower case; anything else is refused.
pub fn email(text: &str) -> Result<String, Problem> {
    let email = text.trim().to_lowercase();
    let shaped = email.len() <= EMAIL_MAX
        && email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if !shaped || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let shown: String = text.chars().take(80).collect();
        return Err(Problem::new("invalid-email", format!("{shown:?} is not an e-mail address.")).at("email"));
    }
    Ok(email)
}

/// A name that can be shown: trimmed, without control characters, 1 to [`NAME_MAX`] characters.
pub fn name(text: &str) -> Result<String, Problem> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(Problem::new("invalid-name", format!("A name has 1 to {NAME_MAX} characters.")).at("name"));
    }
    Ok(name)
}

/// When a seat of so many days ends; 1 to [`TERM_DAYS_MAX`], `None` for as long as nobody ends it.
pub fn term(days: Option<i64>, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    match days {
        None => Ok(None),
        Some(days) if (1..=TERM_DAYS_MAX).contains(&days) => Ok(Some(now.plus_seconds(days * 24 * 3600))),
        Some(_) => {
            let detail = format!("A seat for a time lasts 1 to {TERM_DAYS_MAX} days.");
            Err(Problem::new("invalid-term", detail).at("seat_days"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_case_and_have_two_halves() {
        assert_eq!(email(" Ada@Example.ORG ").as_deref(), Ok("ada@example.org"));
        for bad in [
            "",
            "ada",
            "@b",
            "a@",
            "a b@c",
            "a@b@c",
            &format!("{}@b", "a".repeat(260)),
        ] {
            assert_eq!(email(bad).expect_err(bad).field.as_deref(), Some("email"));
        }
    }

    #[test]
    fn names_can_be_shown() {
        assert_eq!(name(" Ada\u{7} L. ").as_deref(), Ok("Ada L."));
        assert!(name(" \n ").is_err());
        assert!(name(&"x".repeat(101)).is_err());
    }

    #[test]
    fn a_seat_for_a_time_has_an_end() {
        let now = Timestamp::from_millis(0);
        assert_eq!(term(None, now), Ok(None));
        assert_eq!(term(Some(14), now), Ok(Some(now.plus_seconds(14 * 86_400))));
        for bad in [0, -1, 3651, i64::MAX] {
            assert!(term(Some(bad), now).is_err(), "{bad}");
        }
    }
}
