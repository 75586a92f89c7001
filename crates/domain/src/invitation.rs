//! Invitations: a link that gives a seat, once.

use crate::{OrgId, Problem, Role, Timestamp, id::InvitationId, member, quota::Limits};
use serde::{Deserialize, Serialize};

/// How long an invitation can be accepted when nothing is said, in days.
pub const DAYS_DEFAULT: i64 = 7;
/// And at most.
pub const DAYS_MAX: i64 = 30;

/// An invitation that is neither accepted nor withdrawn nor over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: InvitationId,
    pub org: OrgId,
    pub email: String,
    pub role: Role,
    /// The address of whoever invited.
    pub by: String,
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// When the seat that it gives ends by itself.
    pub seat_ends_at: Option<Timestamp>,
    /// The quota that the new member begins with, beyond what the Organization gives everybody.
    pub limits: Limits,
    /// What became of the letter that carries the link; `None`: none was written, whoever invites sends the link.
    #[serde(default)]
    pub letter: Option<Letter>,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Letter {
    /// It is on its way; with why it has not arrived yet, after a try that failed.
    Waiting { why: Option<String> },
    /// The mail server has taken it.
    Sent,
    /// It is given up, and why.
    Failed { why: String },
}

impl Letter {
    /// The word under which it is stored.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Sent => "sent",
            Self::Failed { .. } => "failed",
        }
    }

    /// Reads [`Letter::as_str`].
    pub fn from_parts(state: &str, why: Option<String>) -> Option<Self> {
        match state {
            "waiting" => Some(Self::Waiting { why }),
            "sent" => Some(Self::Sent),
            "failed" => Some(Self::Failed {
                why: why.unwrap_or_default(),
            }),
            _ => None,
        }
    }
}

/// What is asked for when somebody is invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub email: String,
    pub role: Role,
    /// Days until the link ends; absent: [`DAYS_DEFAULT`].
    #[serde(default)]
    pub days: Option<i64>,
    /// Days until the seat ends by itself; absent: it does not.
    #[serde(default)]
    pub seat_days: Option<i64>,
    #[serde(default)]
    pub limits: Limits,
}

impl Invite {
    /// The same wish with its address in order, and everything within its bounds.
    pub fn checked(mut self, now: Timestamp) -> Result<Self, Problem> {
        self.email = member::email(&self.email)?;
        member::term(self.seat_days, now)?;
        if !(1..=DAYS_MAX).contains(&self.days()) {
            let detail = format!("An invitation can be accepted for 1 to {DAYS_MAX} days.");
            return Err(Problem::new("invalid-days", detail).at("days"));
        }
        self.limits.check()?;
        Ok(self)
    }

    /// Days until the link ends.
    pub fn days(&self) -> i64 {
        self.days.unwrap_or(DAYS_DEFAULT)
    }
}

/// The one time an invitation's link is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The last part of the address `/join/<secret>`.
    pub secret: String,
    pub invitation: Invitation,
}
