//! What the engine asks of the store about Organizations.

use super::{Member, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Timestamp,
    member::Seat,
    org::{ListOrgs, Org, Overview, State},
    page::Page,
    session::Session,
};

/// What is remembered of Organizations.
#[async_trait]
pub trait Organizations: Send + Sync {
    /// Makes the first Organization and its first member, unless a member exists anywhere. Whether it did.
    async fn found(&self, org: &Org, member: &Member, now: Timestamp, record: Record) -> Result<bool>;
    /// The Organization.
    async fn find_org(&self, org: &OrgId) -> Result<Option<Org>>;
    /// Makes an Organization whose slug was never used; whether it was not.
    async fn record_org(&self, org: &Org, record: Record) -> Result<bool>;
    /// Writes what can be changed of an Organization, whole; whether there is one.
    async fn change_org(&self, org: &Org, record: Record) -> Result<bool>;
    /// Opens or closes an Organization. From the moment this returns no session of a closed one is opened or woken.
    async fn record_org_state(&self, org: &OrgId, state: State, record: Record) -> Result<bool>;
    /// Organizations with their figures, by slug.
    async fn list_orgs(&self, ask: &ListOrgs, now: Timestamp) -> Result<Page<Overview>>;
    /// The seats whose holders run most now, at most `limit`; whoever runs nothing is not among them.
    async fn busiest_seats(&self, org: &OrgId, limit: u32) -> Result<Vec<Seat>>;
    /// One Organization with its figures.
    async fn org_overview(&self, org: &OrgId, now: Timestamp) -> Result<Option<Overview>>;
    /// Sessions of an Organization, or of one member of it, that run or are about to, at most `limit`: also those whose
    /// agent has ended, while their shells go on.
    async fn live_sessions_of(&self, org: &OrgId, owner: Option<&PersonId>, limit: u32) -> Result<Vec<Session>>;

    /// Sessions that run or are about to in an Organization that is not open, or of an owner whose seat has ended: what a
    /// server that died has not put to sleep, or what time has ended. At most `limit`.
    async fn stray_sessions(&self, now: Timestamp, limit: u32) -> Result<Vec<Session>>;
}
