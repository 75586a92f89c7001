//! What the engine asks of the store about policies.

use super::{Record, Scope};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    policy::{Policy, Rules, Version},
    session::Sharing,
};

/// Something that was opened, as the audit tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    pub at: Timestamp,
    /// Who opened it.
    pub actor: String,
    /// `name`, `agent` and `repo`.
    pub detail: serde_json::Value,
}

/// What is remembered of policies, and what they are tried and decided with.
#[async_trait]
pub trait Policies: Send + Sync {
    /// The newest version of an Organization's policy, or of the installation's (`None`).
    async fn find_policy(&self, org: Option<&OrgId>) -> Result<Version>;
    /// Both documents that hold in an Organization.
    async fn rules(&self, org: &OrgId) -> Result<Rules>;
    /// Saves the version after `based_on` and narrows the sessions that are shared farther than it allows; those, or `None`
    /// where a newer version is there.
    async fn record_policy(
        &self,
        org: Option<&OrgId>,
        policy: &Policy,
        based_on: i64,
        now: Timestamp,
        by: &str,
        record: Record,
    ) -> Result<Option<Vec<SessionId>>>;
    /// What was opened since, newest first, at most `limit`; also what is gone since.
    async fn openings(&self, scope: &Scope, since: Timestamp, limit: u32) -> Result<Vec<Opening>>;
    /// How many sessions are shared farther than that, and how many are not shared at all.
    async fn count_shared(&self, scope: &Scope, beyond: Sharing) -> Result<(u64, u64)>;
    /// Whether two members of an Organization are in one group.
    async fn are_near(&self, org: &OrgId, one: &PersonId, other: &PersonId) -> Result<bool>;
}
