//! The audit: who did what to which thing, as what, from where.

use crate::{OrgId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry; written in the same transaction as what it tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub org: OrgId,
    /// Who; `None` where the system itself acted.
    pub person: Option<PersonId>,
    /// Who, as a person reads it.
    pub actor: String,
    /// `login`, `token:<id>` or `system`.
    pub via: String,
    /// A verb in the past tense: `session.opened`, `token.revoked`, `signed-in`.
    pub action: String,
    /// The thing's id.
    pub target: String,
    /// What changed; never a secret, a token or terminal bytes.
    pub detail: Value,
    /// The request, where it was one.
    pub request: Option<String>,
}
