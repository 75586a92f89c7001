//! What the engine asks of the store about members and their seats.

use super::{Record, Scope};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    id::LoginId,
    member::{Leaving, ListMembers, Seat, Status},
    org::Org,
    page::Page,
};

/// A person in an Organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub person: PersonId,
    pub email: String,
    pub name: String,
    pub org: OrgId,
    pub role: Role,
}

/// What came of the wish to change or end a seat.
#[derive(Clone, Debug, PartialEq)]
pub enum Seated<T> {
    Done(T),
    /// It would leave the Organization without an owner.
    LastOwner,
    /// The seat is not any more what whoever asked had looked at.
    Changed,
    /// A seat that had ended would be given back, and all that were bought are taken or promised.
    Full {
        seats: u64,
    },
    /// There is no such member (or heir).
    Gone,
}

/// Changes of a seat; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeatPatch {
    pub role: Option<Role>,
    /// [`Status::Active`] or [`Status::Disabled`]; leaving is [`Members::record_leaving`].
    pub status: Option<Status>,
    pub ends_at: Option<Option<Timestamp>>,
    pub name: Option<String>,
}

/// What is remembered of members and their seats.
#[async_trait]
pub trait Members: Send + Sync {
    /// The Organizations in which a seat of this address holds, by id, at most 20.
    async fn orgs_of_email(&self, email: &str, now: Timestamp) -> Result<Vec<OrgId>>;
    /// The member of this address whose seat holds, in the Organization where they were first a member.
    async fn find_member_by_email(&self, scope: &Scope, email: &str, now: Timestamp) -> Result<Option<Member>>;
    /// Adds a member to an Organization that exists, or changes their role and name and gives them their seat back.
    async fn record_member(&self, member: &Member, now: Timestamp, record: Record) -> Result<()>;
    /// The members of these roles whose seat holds, by name, at most 20: whom to ask.
    async fn members_with(&self, scope: &Scope, roles: &[Role], now: Timestamp) -> Result<Vec<Member>>;
    /// Seats with what their holders run and keep.
    async fn list_members(&self, org: &OrgId, ask: &ListMembers, now: Timestamp) -> Result<Page<Seat>>;
    /// The seat of this address, whether or not it holds.
    async fn find_seat_by_email(&self, org: &OrgId, email: &str) -> Result<Option<Seat>>;
    /// One seat.
    async fn find_seat(&self, org: &OrgId, person: &PersonId) -> Result<Option<Seat>>;
    /// Changes a seat that is still as it `was` (role, status, end and name); the last owner stays one.
    async fn change_seat(&self, was: &Seat, patch: &SeatPatch, now: Timestamp, record: Record) -> Result<Seated<Seat>>;
    /// Ends a seat that still has the role it `was` seen with: logins, tokens and limits go at once, sessions as `leaving`
    /// says; the last owner stays. The sessions that went to an heir.
    async fn record_leaving(
        &self,
        was: &Seat,
        leaving: &Leaving,
        now: Timestamp,
        record: Record,
    ) -> Result<Seated<Vec<SessionId>>>;
    /// The seats that ended by themselves after `after` and until `until`, in the order of their ids, those that come after
    /// `from`, at most 1,000.
    async fn seats_ended(
        &self,
        after: Timestamp,
        until: Timestamp,
        from: Option<&(OrgId, PersonId)>,
    ) -> Result<Vec<(OrgId, PersonId)>>;
    /// The Organizations in which the person's seat holds, by name, at most 200.
    async fn memberships(&self, person: &PersonId, now: Timestamp) -> Result<Vec<(Org, Role)>>;
    /// Lets a login ask in the name of another Organization of the same person; whether the seat there holds.
    async fn switch_login(
        &self,
        login: &LoginId,
        person: &PersonId,
        org: &OrgId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;
}
