//! All that the engine asks of the world.
//!
//! Absent is `None` or an empty list; a breakdown is an `anyhow::Error` with context. Every query of the store says
//! whose things it asks for ([`Scope`]): forgetting it does not compile. A method of the store that changes something
//! is one transaction: state, audit and outgoing events together, or nothing.

mod agents;
mod audit;
mod credentials;
mod devices;
mod directory;
mod identity;
mod invitations;
mod keyring;
mod logins;
mod members;
mod organizations;
mod policies;
mod post;
mod quotas;
mod runtime;
mod secrets;
mod sessions;
mod tokens;
mod usage;

pub use agents::Switches;
pub use audit::Trails;
pub use credentials::{Clock, Credentials, Fresh, Hash};
pub use devices::{Approval, DeviceHashes, DeviceState, Devices, Redeemed};
pub use directory::{Directories, HeldToken, Provision, Provisioned};
pub use identity::{
    Answer, Begun, Flow, Held, Identities, Identity, KnownIdentity, Linked, NoProviders, ProposedLink, Proven, Provide,
    Provided, Provider, Providers, Refreshed, SignedOut, Whom, no_such_provider,
};
pub use invitations::{Acceptance, Accepted, Asked, Invitations};
pub use keyring::{Keyring, Place, Sealed, Unreadable};
pub use logins::{Logins, NewLogin};
pub use members::{Member, Members, SeatPatch, Seated};
pub use organizations::Organizations;
pub use policies::{Opening, Policies};
pub use post::{DueLetter, Letters, Mail, NewLetter, NoPost, Post, Unsent};
pub use quotas::{LayersOf, Quotas};
pub use runtime::{
    Conversation, FromTerminal, LastScreen, Message, Observation, Recording, Runtime, Shell, ToTerminal, Wanted,
};
pub use secrets::{Delivered, Kept, Secrets};
pub use sessions::{Bounds, Counts, Opened, Patch, Sessions};
pub use tokens::Tokens;
pub use usage::Usages;

use anyhow::Result;
use async_trait::async_trait;
use domain::{OrgId, PersonId, Timestamp, audit::Entry, event::Event, policy::Seeing};

/// Whose things a query may find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of one Organization.
    Org(OrgId),
    /// Those of every Organization of the installation.
    Fleet,
}

/// What one caller may see in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    pub scope: Scope,
    /// Only what this person owns, or what its owner shares with the Organization; `None`: everything in the scope.
    pub only: Option<PersonId>,
    /// Beside that, sessions that the policy shows this person, and what happens to them; nothing else of their owners.
    pub peers: Seeing,
}

/// What is written beside a change of state, in the same transaction.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub audit: Vec<Entry>,
    pub events: Vec<Outgoing>,
}

/// An event on its way into the outbox, and who may read it live.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub event: Event,
    /// The owner of the thing; `None`: every member of the Organization may read it.
    pub owner: Option<PersonId>,
    /// Whether the other members of the Organization may read it too.
    pub shared: bool,
}

/// Why a runtime cannot do what is asked; shown to the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unavailable(String),
}

/// What is remembered.
#[async_trait]
pub trait Store:
    Identities
    + Letters
    + Directories
    + Organizations
    + Members
    + Invitations
    + Quotas
    + Policies
    + Secrets
    + Logins
    + Tokens
    + Devices
    + Sessions
    + Switches
    + Usages
    + Trails
{
    /// Whether it answers, and how it is called: `SQLite` or `PostgreSQL`, with its version.
    async fn describe(&self) -> Result<String>;
    /// Forgets events, used links, ended logins and devices' codes older than this: what keeps the store bounded.
    async fn prune(&self, before: Timestamp) -> Result<()>;
}
