//! Ways to sign in: by whom somebody is known, as they see it themselves.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// So many identities one person may have.
pub const WAYS_MAX: u64 = 20;
/// How long something that was proven waits to be linked, in seconds: 10 minutes.
pub const PROPOSAL_SECONDS: i64 = 10 * 60;

/// An identity at a provider by which somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Names it among those of its person; tells nobody the subject.
    pub id: String,
    /// What the provider is called here; its issuer where it is configured no more.
    pub label: String,
    /// The address that the provider last said, to tell two of them apart.
    pub address: Option<String>,
    pub since: Timestamp,
    /// When the provider last proved them; `None`: never, or it has disowned them since.
    pub proven_at: Option<Timestamp>,
    /// Whether the login that asks came by it.
    pub current: bool,
    /// Why it cannot be unlinked, in a sentence.
    pub stays: Option<String>,
}

/// All ways of one person, as one of their logins sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// Whether the login that asks came by a one-time link or an invitation, without any provider.
    pub by_link: bool,
    pub ways: Vec<Way>,
    /// The providers of which another identity can be linked: name in addresses, and label.
    pub offered: Vec<(String, String)>,
    /// Why nothing can be linked with this login, in a sentence.
    pub refused: Option<String>,
}

/// What a provider has proven, before it is linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What the login that asked for it confirms it with, once.
    pub secret: String,
    /// What the provider is called.
    pub label: String,
    /// The address that the provider says, or its own name for them.
    pub shown: String,
}
