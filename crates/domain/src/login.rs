//! Logins: the browsers a person is signed in with.

use crate::{Timestamp, id::LoginId};
use serde::{Deserialize, Serialize};

/// How long a login lasts without being used, in seconds: 14 days.
pub const IDLE_SECONDS: i64 = 14 * 24 * 3600;
/// How long a login lasts at most, in seconds: 90 days.
pub const LIFETIME_SECONDS: i64 = 90 * 24 * 3600;
/// How long a sign-in link can be used, in seconds: 15 minutes.
pub const LINK_SECONDS: i64 = 15 * 60;

/// A browser that is signed in, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub id: LoginId,
    /// What the browser said it is, at most 300 characters.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The capabilities that its identity provider holds it to; `None`: it may do all that its person may.
    #[serde(default)]
    pub narrowed: Option<Vec<String>>,
}
