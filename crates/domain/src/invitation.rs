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
