//! What the engine asks of the store about agents.

use super::Record;
use anyhow::Result;
use async_trait::async_trait;
use domain::OrgId;

/// What is remembered of agents that are switched off.
#[async_trait]
pub trait Switches: Send + Sync {
    /// The agents switched off: for the whole installation (`None`), and for this Organization.
    async fn switched_off(&self, org: &OrgId) -> Result<Vec<(Option<OrgId>, String)>>;
    /// Switches an agent on or off, for one Organization or for all (`None`).
    async fn record_switch(&self, org: Option<&OrgId>, agent: &str, enabled: bool, record: Record) -> Result<()>;
}
