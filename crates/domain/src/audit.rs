//! The audit: who did what to which thing, as what, from where; and what proves that nobody changed it since.

mod ask;
mod chain;

pub use ask::{ASK_TEXT_MAX, Ask, Trail, moment};
pub use chain::{Breach, Line, Link, State, Verdict};

use crate::{OrgId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry; written in the same transaction as what it tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub org: OrgId,
    /// Who; `None` where the system itself acted, or nobody knows.
    pub person: Option<PersonId>,
    /// Who, as a person reads it.
    pub actor: String,
    /// `login`, `token:<id>` or `system`.
    pub via: String,
    /// As what: the role that the person had at that moment.
    #[serde(default)]
    pub role: Option<String>,
    /// From where: the address that the request came from.
    #[serde(default)]
    pub address: Option<String>,
    /// A verb in the past tense: `session.opened`, `token.revoked`, `signed-in`.
    pub action: String,
    /// The thing's id.
    pub target: String,
    /// What changed (`before` and `after`, where it is a change); never a secret, a token or terminal bytes.
    pub detail: Value,
    /// The request, where it was one.
    pub request: Option<String>,
}
