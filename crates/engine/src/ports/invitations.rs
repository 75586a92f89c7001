//! What the engine asks of the store about invitations.

use super::{Hash, Member, NewLetter, NewLogin, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{OrgId, PersonId, Timestamp, id::InvitationId, invitation::Invitation, org::Org};

/// What came of an invitation.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Recorded,
    /// As many seats are taken or promised as were bought.
    Full {
        seats: u64,
    },
    /// The address has a seat already.
    Member,
    /// As many invitations wait as may.
    TooMany,
}

/// Who accepts an invitation.
#[derive(Clone, Debug)]
pub struct Acceptance {
    pub person: PersonId,
    pub name: String,
    /// The address of one who has an account already; others get the one that was invited.
    pub email: Option<String>,
    /// A browser to sign in.
    pub login: Option<NewLogin>,
}

/// What came of accepting an invitation.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    Seated(Member),
    /// Used, withdrawn, over, or never there; or its Organization is not open.
    Gone,
    /// The address has a seat already.
    Member,
}

/// What is remembered of invitations.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Remembers an invitation, and its letter, unless it would promise more seats than were bought, or more than `most`
    /// wait.
    async fn record_invitation(
        &self,
        invitation: &Invitation,
        hash: &Hash,
        letter: Option<&NewLetter>,
        most: u64,
        now: Timestamp,
        record: Record,
    ) -> Result<Asked>;
    /// The invitation of a link, while it can be accepted, with its Organization.
    async fn find_invitation(&self, link: &Hash, now: Timestamp) -> Result<Option<(Invitation, Org)>>;
    /// Uses an invitation up and gives its seat, with a login where one is wanted. The entries and events of `record` are
    /// given the Organization, the new member and the invitation, which are known only here.
    async fn accept_invitation(
        &self,
        link: &Hash,
        acceptance: &Acceptance,
        now: Timestamp,
        record: Record,
    ) -> Result<Accepted>;
    /// The invitations that wait, newest first, at most 500.
    async fn list_invitations(&self, org: &OrgId, now: Timestamp) -> Result<Vec<Invitation>>;
    /// Withdraws an invitation that waits; whether there was one.
    async fn withdraw_invitation(&self, org: &OrgId, id: &InvitationId, now: Timestamp, record: Record)
    -> Result<bool>;
}
