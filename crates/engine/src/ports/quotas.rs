//! What the engine asks of the store about limits and requests for more.

use super::Record;
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Timestamp,
    id::RequestId,
    page::Page,
    quota::{self, Layer, Limited, Limits, ListLimits, Subject},
};
use std::collections::BTreeMap;

/// What each layer says for several people of an Organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayersOf {
    /// The Organization's plan, where it has one of its own.
    pub plan: Option<String>,
    /// What holds for everybody.
    pub shared: Vec<Layer>,
    /// What holds for each of them besides.
    pub own: BTreeMap<PersonId, Vec<Layer>>,
}

/// What is remembered of limits, and of wishes for more.
#[async_trait]
pub trait Quotas: Send + Sync {
    /// The plan of a person's Organization, where it has one of its own, and what each layer says for the person.
    async fn quota_layers(
        &self,
        org: &OrgId,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<(Option<String>, Vec<Layer>)>;
    /// The same for several people of one Organization, in one question; whoever is not named in the answer has no layers.
    async fn quota_layers_of(&self, org: &OrgId, people: &[PersonId], now: Timestamp) -> Result<LayersOf>;
    /// A page of the limits that an Organization has set for groups and for people, with whose they are.
    async fn list_limits(&self, org: &OrgId, ask: &ListLimits) -> Result<Page<Limited>>;
    /// The limits of one subject, where it has any.
    async fn find_limits(&self, org: &OrgId, subject: &Subject) -> Result<Option<Limits>>;
    /// What is set for an Organization in its plan's place; nothing where the plan holds.
    async fn find_ceiling(&self, org: &OrgId) -> Result<Limits>;
    /// Sets the limits of a subject, whole; none takes them away. Those of the whole Organization, set by somebody
    /// `above` it, are its ceiling too.
    async fn record_limits(
        &self,
        org: &OrgId,
        subject: &Subject,
        limits: &Limits,
        above: bool,
        record: Record,
    ) -> Result<()>;
    /// Remembers a wish for more, unless `most` of the person wait already; whether it did.
    async fn record_request(&self, request: &quota::Request, most: u64, record: Record) -> Result<bool>;
    /// One wish.
    async fn find_request(&self, org: &OrgId, id: &RequestId) -> Result<Option<quota::Request>>;
    /// Wishes, newest first, of one person or of all, in this state or any, at most `limit`.
    async fn list_requests(
        &self,
        org: &OrgId,
        person: Option<&PersonId>,
        state: Option<quota::State>,
        limit: u32,
    ) -> Result<Vec<quota::Request>>;
    /// Writes what became of a wish that waits; whether it still did.
    async fn answer_request(&self, request: &quota::Request, record: Record) -> Result<bool>;
}
