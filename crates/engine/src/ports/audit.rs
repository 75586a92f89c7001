//! What the engine asks of the store about events and the audit.

use super::{Scope, Visible};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, Timestamp,
    audit::{self, Ask, Entry, Line, Trail, Verdict},
    event::Event,
};

/// What is remembered of what happened: the outbox of events, and the audit.
#[async_trait]
pub trait Trails: Send + Sync {
    /// Events after a position that the caller may read, oldest first, at most `limit`, with their positions.
    async fn events_after(&self, visible: &Visible, after: i64, limit: u32) -> Result<Vec<(i64, Event)>>;
    /// The position of the last event, and of the oldest that is still kept (0, 0 where there is none).
    async fn event_bounds(&self) -> Result<(i64, i64)>;
    /// Writes an entry that goes with no change of state (a refusal, a driver's attach).
    async fn record_audit(&self, entry: &Entry) -> Result<()>;
    /// Audit entries, newest first (by time, then position), at most 1000; a wrong cursor is a [`Refusal`].
    async fn list_audit(&self, scope: &Scope, ask: &Ask) -> Result<Trail>;
    /// One audit entry, and whether it and its place in the chain are as they were.
    async fn find_audit(&self, scope: &Scope, position: i64) -> Result<Option<(Line, audit::State)>>;
    /// The Organizations that have an audit, after this one (`""`: from the first), by id, at most `limit`.
    async fn audited_orgs(&self, after: &str, limit: u32) -> Result<Vec<OrgId>>;
    /// Walks the chain of an Organization's audit to its end, or to the first entry that is wrong.
    async fn verify_audit(&self, org: &OrgId) -> Result<Verdict>;
    /// The Organizations whose oldest audit entry is older than this, at most `limit`.
    async fn audit_due(&self, before: Timestamp, limit: u32) -> Result<Vec<OrgId>>;
    /// Removes audit entries older than this from the oldest on, a bounded batch at a time, and writes `entry` with what
    /// was removed; how many went.
    async fn prune_audit(&self, org: &OrgId, before: Timestamp, entry: &Entry) -> Result<u64>;
    /// Audit entries of every Organization after a position, oldest first, at most 1000: for forwarding.
    async fn audit_after(&self, position: i64, limit: u32) -> Result<Vec<Line>>;
    /// The last position that a receiver of the audit has; `None` where it has nothing yet.
    async fn forwarded(&self, receiver: &str) -> Result<Option<i64>>;
    /// Remembers that a receiver of the audit has everything up to this position.
    async fn record_forwarded(&self, receiver: &str, position: i64) -> Result<()>;
    /// Every receiver that has ever taken entries, at most 50, and how many it has not got.
    async fn receivers(&self) -> Result<Vec<(String, i64)>>;
}
