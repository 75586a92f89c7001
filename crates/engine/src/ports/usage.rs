//! What the engine asks of the store about usage.

use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, SessionId,
    usage::{Attributed, Bar, Range, Share},
};

/// What is remembered of usage.
#[async_trait]
pub trait Usages: Send + Sync {
    /// Records facts; those recorded before are passed over.
    async fn record_usage(&self, facts: &[Attributed]) -> Result<()>;
    /// The number of the last recorded fact of a session, 0 where there is none.
    async fn last_usage(&self, org: &OrgId, session: &SessionId) -> Result<u64>;
    /// Sums by bucket and dimension, oldest first.
    async fn usage_bars(&self, org: &OrgId, person: Option<&PersonId>, range: &Range) -> Result<Vec<Bar>>;
    /// Sums by session and dimension, most first, at most `most` a dimension.
    async fn usage_shares(
        &self,
        org: &OrgId,
        person: Option<&PersonId>,
        range: &Range,
        most: u32,
    ) -> Result<Vec<Share>>;
}
