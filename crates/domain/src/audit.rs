//! The audit: who did what to which thing, as what, from where; and what proves that nobody changed it since.

mod ask;
mod chain;

pub use ask::{ASK_TEXT_MAX, Ask, Trail, moment};
pub use chain::{Breach, Line, Link, State, Verdict};

use crate::{Caller, OrgId, PersonId, Timestamp, caller::INSTALLATION};
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
    /// `login`, `token:<id>` or `system`; with `installation:` before it where somebody acts in an Organization that is
    /// not theirs.
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

/// How [`Entry::via`] begins where it was done from above.
pub const FROM_ABOVE: &str = "installation:";

impl Entry {
    /// The same as an entry of `org`, whoever did it: from above, where that is not the Organization of `caller`.
    pub fn of(self, org: &OrgId, caller: &Caller) -> Self {
        let from_above = *org != caller.org && !self.is_from_above();
        Self {
            org: org.clone(),
            via: if from_above {
                format!("{FROM_ABOVE}{}", self.via)
            } else {
                self.via
            },
            ..self
        }
    }

    /// Whether somebody did it who runs the installation, in an Organization that is not theirs.
    pub fn is_from_above(&self) -> bool {
        self.via.starts_with(FROM_ABOVE)
    }

    /// As the Organization reads it: who acted from above, with what and from where, is another Organization's to know.
    pub fn veiled(self) -> Self {
        if !self.is_from_above() {
            return self;
        }
        Self {
            person: None,
            actor: INSTALLATION.to_owned(),
            via: FROM_ABOVE.trim_end_matches(':').to_owned(),
            address: None,
            ..self
        }
    }
}
