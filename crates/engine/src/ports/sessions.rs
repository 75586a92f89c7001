//! What the engine asks of the store about sessions.

use super::{Record, Scope, Visible};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    org::State,
    page::{ListSessions, Page},
    session::{Phase, Session, Sharing},
    wire::Exit,
};

/// What came of the wish to open or wake a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// It is recorded and counts from now on.
    Recorded(Session),
    /// The person has reached the limit; so many sessions are live.
    OverQuota { live: u64 },
    /// The person has reached the limit of all sessions; so many exist.
    OverAll { all: u64 },
    /// The Organization is not one to work in now.
    Closed(State),
    /// The owner's seat does not hold any more.
    NoSeat,
    /// The same idempotency key opened this one before.
    Again(Session),
    /// The id is taken.
    Taken,
    /// It is not in a state from which it can be woken (or is gone): this is what it is now.
    Refused(Option<Session>),
}

/// How many sessions a person may have; `None`: as many as they like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Pending or running at once.
    pub live: Option<u64>,
    /// In all.
    pub all: Option<u64>,
}

/// Changes of a session's row; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub name: Option<String>,
    pub sharing: Option<Sharing>,
    pub phase: Option<Phase>,
    pub by_hand: Option<bool>,
    pub recorded: Option<bool>,
    pub reason: Option<Option<String>>,
    pub exit: Option<Option<Exit>>,
    pub active_at: Option<Timestamp>,
    pub storage_bytes: Option<u64>,
    /// Only if the session is in one of these phases now; empty: in any.
    pub only_in: Vec<Phase>,
}

/// See [`Sessions::count_sessions`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub live: u64,
    pub all: u64,
    pub storage_bytes: u64,
}

/// What is remembered of sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Records a new session if its owner has fewer than `bounds` says and the Organization is open: counted and written
    /// in one transaction.
    async fn record_opened(
        &self,
        session: &Session,
        bounds: Bounds,
        idempotency: Option<&str>,
        record: Record,
    ) -> Result<Opened>;
    /// Moves a suspended or failed session, or a ready one whose agent has ended, to `Pending` under the same rule.
    async fn record_resumed(
        &self,
        org: &OrgId,
        id: &SessionId,
        bounds: Bounds,
        now: Timestamp,
        record: Record,
    ) -> Result<Opened>;
    /// Changes a session; the session as it is afterwards, `None` where there is none or `only_in` does not hold.
    async fn record_session(
        &self,
        org: &OrgId,
        id: &SessionId,
        patch: &Patch,
        record: Record,
    ) -> Result<Option<Session>>;
    /// Forgets a session (its usage and audit stay); whether there was one.
    async fn record_deleted(&self, org: &OrgId, id: &SessionId, record: Record) -> Result<bool>;
    /// One session.
    async fn find_session(&self, scope: &Scope, id: &SessionId) -> Result<Option<Session>>;
    /// A page of what the caller may see; `mine` of `ask` narrows to `caller`.
    async fn list_sessions(&self, visible: &Visible, caller: &PersonId, ask: &ListSessions) -> Result<Page<Session>>;
    /// Sessions in these phases, of the whole installation, by id after `after`, at most `limit`: for taking up work at a start.
    async fn sessions_in(&self, phases: &[Phase], after: Option<&SessionId>, limit: u32) -> Result<Vec<Session>>;
    /// Live sessions, all sessions and bytes on disk of one person.
    async fn count_sessions(&self, org: &OrgId, person: &PersonId) -> Result<Counts>;
    /// How many sessions are in each phase, in the whole installation.
    async fn count_phases(&self) -> Result<Vec<(Phase, u64)>>;
}
