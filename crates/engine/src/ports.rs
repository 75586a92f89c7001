//! All that the engine asks of the world.
//!
//! Absent is `None` or an empty list; a breakdown is an `anyhow::Error` with context. Every query of the store says
//! whose things it asks for ([`Scope`]): forgetting it does not compile. A method of the store that changes something
//! is one transaction: state, audit and outgoing events together, or nothing.

mod directory;
mod identity;
mod post;

pub use directory::{Directories, Provision, Provisioned};
pub use identity::{
    Answer, Begun, Flow, Held, Identities, Identity, KnownIdentity, Linked, NoProviders, ProposedLink, Proven, Provide,
    Provided, Provider, Providers, Refreshed, SignedOut, no_such_provider,
};

pub use post::{DueLetter, Letters, Mail, NewLetter, NoPost, Post, Unsent};

use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    agent::{Agent, Installation},
    audit::{self, Ask, Entry, Line, Trail, Verdict},
    device::Device,
    event::Event,
    host::{Attach, HostStatus, UsageFact},
    id::{InvitationId, LoginId, RequestId, SecretId, TokenId},
    invitation::Invitation,
    login::Login,
    member::{Leaving, ListMembers, Seat, Status},
    org::{ListOrgs, Org, Overview, State},
    page::{ListSessions, Page},
    pass::{self, ListPasses, Pass},
    policy::{Policy, Rules, Seeing, Version},
    quota::{self, Layer, Limited, Limits, ListLimits, Subject},
    secret::{self, Bindings, Holder, Secret, Value},
    session::{Holdings, Phase, Session, Sharing},
    token::Token,
    usage::{Attributed, Bar, Range, Share},
    wire::{Exit, Size},
};
use futures::{Sink, Stream, sink, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
};
use tokio::sync::mpsc;

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

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Secrets that are shown once and remembered only as hashes, and other randomness.
pub trait Credentials: Send + Sync {
    /// A new secret of 32 random bytes that begins with `prefix`, and its hash.
    fn mint(&self, prefix: &str) -> Fresh;
    /// The hash under which a secret is remembered.
    fn hash(&self, secret: &str) -> Hash;
    /// Random bits for the suffix of a session's id.
    fn entropy(&self) -> u32;
    /// A new id that sorts by time: a UUID, version 7.
    fn new_id(&self, now: Timestamp) -> String;
}

/// A secret at the moment it is made.
pub struct Fresh {
    /// What its holder is given.
    pub text: String,
    /// What is remembered.
    pub hash: Hash,
}

impl core::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Fresh(****)")
    }
}

/// A SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash(pub String);

/// The keys under which secrets are kept. The first seals, every one opens.
pub trait Keyring: Send + Sync {
    /// Seals a value so that it opens at its own place only.
    fn seal(&self, place: &Place<'_>, value: &Value) -> Result<Sealed>;
    /// Opens what was sealed at this place.
    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> core::result::Result<Value, Unreadable>;
    /// The ids of the keys, the one that seals first.
    fn keys(&self) -> Result<Vec<String>>;
}

/// What a sealed value belongs to: moved to another row, version or column it does not open.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub org: &'a OrgId,
    pub secret: &'a SecretId,
    pub version: u64,
    pub column: &'static str,
}

impl<'a> Place<'a> {
    /// Where the value of a secret is.
    pub fn of(secret: &'a Secret) -> Self {
        Self {
            org: &secret.org,
            secret: &secret.id,
            version: secret.version,
            column: "value",
        }
    }
}

/// A value as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the key that opens it.
    pub key: String,
    /// Nonce and ciphertext, in base64url.
    pub text: String,
}

/// Why a sealed value does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// None of the keys that are there is the one it was sealed with.
    #[error("it was sealed with the key {0}, which is not among the server's keys")]
    NoKey(String),
    /// The key is there, and this is not what it sealed here.
    #[error("it was changed, cut or moved since it was sealed with the key {0}")]
    Tampered(String),
    /// The keys themselves cannot be read.
    #[error("{0}")]
    NoKeys(String),
}

/// A secret with its value, on its way to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub kind: secret::Kind,
    pub name: String,
    pub value: Value,
}

/// What came of the wish to make a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Recorded,
    /// The owner has one of this kind and name.
    Taken,
    /// The owner has as many as one may.
    Full,
}

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

/// A person in an Organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub person: PersonId,
    pub email: String,
    pub name: String,
    pub org: OrgId,
    pub role: Role,
}

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

/// Something that was opened, as the audit tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    pub at: Timestamp,
    /// Who opened it.
    pub actor: String,
    /// `name`, `agent` and `repo`.
    pub detail: serde_json::Value,
}

/// How many sessions a person may have; `None`: as many as they like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Pending or running at once.
    pub live: Option<u64>,
    /// In all.
    pub all: Option<u64>,
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
    /// [`Status::Active`] or [`Status::Disabled`]; leaving is [`Store::record_leaving`].
    pub status: Option<Status>,
    pub ends_at: Option<Option<Timestamp>>,
    pub name: Option<String>,
}

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

/// A login to remember.
#[derive(Clone, Debug)]
pub struct NewLogin {
    pub login: Login,
    pub hash: Hash,
}

/// The hashes of a device's two codes.
#[derive(Clone, Debug)]
pub struct DeviceHashes {
    /// Of what the device fetches its token with.
    pub device: Hash,
    /// Of what the person types.
    pub user: Hash,
}

/// What became of a device that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// There is none with this code, or its token was fetched already.
    Unknown,
    Expired,
    /// It asked before its time, and has to leave so many seconds from now on.
    TooSoon {
        interval: i64,
    },
    Waiting,
    Denied,
    Approved(Box<Approval>),
}

/// A device that may have its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub device: Device,
    /// Who approved it, as they are now.
    pub member: Member,
    /// The capabilities that they granted.
    pub granted: Vec<String>,
}

/// What came of the wish to give a device its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It holds the token.
    Held,
    /// The code was used meanwhile, or has expired.
    Gone,
    /// The person holds as many tokens as one may.
    TooMany,
}

/// What is remembered.
#[async_trait]
pub trait Store: Identities + Letters + Directories {
    /// Whether it answers, and how it is called: `SQLite` or `PostgreSQL`, with its version.
    async fn describe(&self) -> Result<String>;

    // Organizations

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

    // Members

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

    // Invitations

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

    // Quotas

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

    // Policy

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

    // Secrets

    /// Remembers a new secret, unless its owner has one of this name, or `most` of them.
    async fn record_secret(&self, secret: &Secret, sealed: &Sealed, most: u64, record: Record) -> Result<Kept>;
    /// Gives a secret its next value: `secret` as it is afterwards. Whether it still was at the version before.
    async fn rotate_secret(&self, secret: &Secret, sealed: &Sealed, record: Record) -> Result<bool>;
    /// Binds a secret anew, whole; whether there is one.
    async fn bind_secret(
        &self,
        org: &OrgId,
        id: &SecretId,
        bindings: &Bindings,
        changed: (Timestamp, &str),
        record: Record,
    ) -> Result<bool>;
    /// Forgets a secret, its value and who holds it; whether there was one.
    async fn delete_secret(&self, org: &OrgId, id: &SecretId, record: Record) -> Result<bool>;
    /// One secret.
    async fn find_secret(&self, org: &OrgId, id: &SecretId) -> Result<Option<Secret>>;
    /// The secrets of a person, or (`None`) those of the Organization and its groups; by name, at most 2,000.
    async fn list_secrets(&self, org: &OrgId, person: Option<&PersonId>) -> Result<Vec<Secret>>;
    /// All that could reach the sessions of a person, and the groups they are in.
    async fn secrets_for(&self, org: &OrgId, person: &PersonId) -> Result<(BTreeSet<String>, Vec<(Secret, Sealed)>)>;
    /// Notes what a session was given: in place of what it had, or (`beside`) where it had nothing of a secret yet.
    async fn record_held(
        &self,
        session: &Session,
        held: &[(SecretId, u64)],
        beside: bool,
        now: Timestamp,
        record: Record,
    ) -> Result<()>;
    /// Which live sessions hold the secrets of a person, or (`None`) those of the Organization and its groups; by
    /// session, at most 1,000.
    async fn secret_holders(&self, org: &OrgId, person: Option<&PersonId>) -> Result<Vec<Holder>>;
    /// The live sessions of a person that hold any secret.
    async fn holding_secrets(&self, org: &OrgId, owner: &PersonId) -> Result<BTreeSet<SessionId>>;
    /// Secrets of the whole installation, by id after `after`, at most `limit`, that are sealed with another key than
    /// `not_by`: for checking and resealing.
    async fn sealed_secrets(
        &self,
        not_by: Option<&str>,
        after: Option<&SecretId>,
        limit: u32,
    ) -> Result<Vec<(Secret, Sealed)>>;
    /// Puts what was sealed anew in the place of what it was; those changed meanwhile are passed over. How many it was: where
    /// it was any, the entry is written with it, and says how many were resealed from which key to which.
    async fn reseal(&self, resealed: &[(SecretId, Sealed, Sealed)], entry: Entry) -> Result<u64>;
    /// The keys with which secrets are sealed, and how many with each.
    async fn sealing_keys(&self) -> Result<Vec<(String, u64)>>;

    // Logins

    /// Remembers a one-time sign-in link.
    async fn record_sign_in_link(
        &self,
        hash: &Hash,
        member: &Member,
        expires_at: Timestamp,
        record: Record,
    ) -> Result<()>;
    /// Uses up a link that is neither used nor expired and remembers the login that it gives.
    async fn redeem_sign_in_link(&self, link: &Hash, login: &NewLogin, now: Timestamp) -> Result<Option<Member>>;
    /// The login of a cookie, unless it is expired or ended.
    async fn find_login(&self, cookie: &Hash, now: Timestamp) -> Result<Option<(Login, Member)>>;
    /// Notes that a login was used and moves its expiry.
    async fn touch_login(&self, login: &LoginId, seen_at: Timestamp, expires_at: Timestamp) -> Result<()>;
    /// A person's logins that still hold, latest seen first, at most 100.
    async fn list_logins(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Vec<Login>>;
    /// Ends a login; whether there was one.
    async fn end_login(&self, org: &OrgId, person: &PersonId, login: &LoginId, record: Record) -> Result<bool>;

    // Tokens

    /// Remembers a token, unless the person holds `most` already; whether it did.
    async fn record_token(
        &self,
        member: &Member,
        token: &Token,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<bool>;
    /// The token of this secret, unless it is expired or revoked.
    async fn find_token(&self, secret: &Hash, now: Timestamp) -> Result<Option<(Token, Member)>>;
    /// Notes that a token was used.
    async fn touch_token(&self, token: &TokenId, used_at: Timestamp) -> Result<()>;
    /// A person's tokens, newest first, at most 200; revoked and expired ones too.
    async fn list_tokens(&self, org: &OrgId, person: &PersonId) -> Result<Vec<Token>>;
    /// Revokes a token; whether there was one that held.
    async fn revoke_token(
        &self,
        org: &OrgId,
        person: &PersonId,
        token: &TokenId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;

    // Passes

    /// A page of what lets the members of an Organization in, newest first; what holds no more where it is asked for.
    async fn list_passes(&self, org: &OrgId, ask: &ListPasses, now: Timestamp) -> Result<Page<Pass>>;
    /// One of them, also one that holds no more.
    async fn find_pass(&self, org: &OrgId, kind: pass::Kind, id: &str) -> Result<Option<Pass>>;

    // Devices

    /// Remembers a device that asks to be signed in, unless too many wait already (`domain::device`); whether it did.
    async fn record_device(&self, device: &Device, hashes: &DeviceHashes) -> Result<bool>;
    /// The device that a person's code belongs to, unless it was answered or its time is over.
    async fn find_device(&self, user_code: &Hash, now: Timestamp) -> Result<Option<Device>>;
    /// Answers a device that waits: with capabilities, or no. Whether this was the first answer.
    async fn answer_device(
        &self,
        user_code: &Hash,
        member: &Member,
        granted: Option<&[String]>,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;
    /// Notes that a device asks what became of it, and says so.
    async fn poll_device(&self, device_code: &Hash, now: Timestamp) -> Result<DeviceState>;
    /// Uses an approved device's code up and remembers the token that it is given, in one transaction.
    async fn redeem_device(
        &self,
        device_code: &Hash,
        member: &Member,
        token: &Token,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<Redeemed>;

    // Sessions

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

    // Agents

    /// The agents switched off: for the whole installation (`None`), and for this Organization.
    async fn switched_off(&self, org: &OrgId) -> Result<Vec<(Option<OrgId>, String)>>;
    /// Switches an agent on or off, for one Organization or for all (`None`).
    async fn record_switch(&self, org: Option<&OrgId>, agent: &str, enabled: bool, record: Record) -> Result<()>;

    // Usage

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

    // Events and audit

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
    /// Forgets events, used links, ended logins and devices' codes older than this: what keeps the store bounded.
    async fn prune(&self, before: Timestamp) -> Result<()>;
}

/// See [`Store::count_sessions`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub live: u64,
    pub all: u64,
    pub storage_bytes: u64,
}

/// What a runtime needs to know to make a session run.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub session: Session,
    pub agent: Agent,
    /// Continue where the agent was, with its own flag. Only where it was started in this workspace before: an agent
    /// that has nothing to continue may refuse to start.
    pub resume: bool,
    /// Limits of the plan.
    pub cpu_millis: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub storage_bytes: Option<u64>,
    pub size: Size,
    /// What it receives that is secret.
    pub secrets: Vec<Delivered>,
    /// What comes out of its agent's terminal is recorded, masked; a session that cannot be recorded does not start.
    pub record: bool,
}

/// A shell to open beside the agent.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The id of its terminal.
    pub terminal: String,
    /// The name on its tab.
    pub label: String,
    pub size: Size,
    /// What it has in its environment that is secret.
    pub secrets: Vec<Delivered>,
    /// What comes out of it is recorded, masked; where it cannot be, it is not opened.
    pub record: bool,
}

/// What came out of a terminal, as an asciicast (version 2), up to the moment it was asked for.
pub struct Recording {
    /// Its length.
    pub bytes: u64,
    /// Its bytes in pieces; dropping it ends the reading.
    pub read: Pin<Box<dyn Stream<Item = Result<bytes::Bytes>> + Send>>,
}

/// One message of a conversation with a terminal, in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// JSON: [`domain::wire::FromTerminal`] or [`domain::wire::FromClient`]. Never sent in the plain form.
    Text(String),
    /// A [`domain::wire::Frame`]; in the plain form raw bytes.
    Binary(bytes::Bytes),
}

/// A conversation with one terminal; dropping it ends it. Little waits in it: whoever does not read is not written to.
pub struct Conversation {
    pub to_terminal: ToTerminal,
    pub from_terminal: FromTerminal,
}

/// Where messages to a terminal go; an error says that there is none any more.
pub type ToTerminal = Pin<Box<dyn Sink<Message, Error = anyhow::Error> + Send>>;
/// Where its messages come from; the end of it is the end of the conversation.
pub type FromTerminal = Pin<Box<dyn Stream<Item = Message> + Send>>;

impl Conversation {
    /// One that is carried by two channels.
    pub fn over(to_terminal: mpsc::Sender<Message>, from_terminal: mpsc::Receiver<Message>) -> Self {
        let to_terminal = sink::unfold(to_terminal, async |to_terminal: mpsc::Sender<Message>, message| {
            to_terminal.send(message).await?;
            anyhow::Ok(to_terminal)
        });
        let from_terminal = stream::unfold(from_terminal, async |mut from_terminal: mpsc::Receiver<Message>| {
            let message = from_terminal.recv().await?;
            Some((message, from_terminal))
        });
        Self {
            to_terminal: Box::pin(to_terminal),
            from_terminal: Box::pin(from_terminal),
        }
    }
}

/// A terminal's last screen, kept while its session sleeps.
#[derive(Clone, Debug, PartialEq)]
pub struct LastScreen {
    pub size: Size,
    pub ansi: bytes::Bytes,
    pub exit: Option<Exit>,
}

/// What a runtime has seen; the engine decides what it means.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// Making the session goes on: a sentence for the person who waits.
    Progress { session: SessionId, sentence: String },
    /// Its host runs and the agent was started.
    Started { session: SessionId },
    /// It could not be made; the reason says what to do.
    Failed { session: SessionId, reason: String },
    /// Its agent has ended; the host still shows the last screen.
    AgentExited { session: SessionId, exit: Exit },
    /// Its host is gone without having been asked (killed, out of memory, the machine restarted).
    Lost { session: SessionId, reason: String },
    /// Terminals, viewers, titles or measurements changed.
    Live { session: SessionId, status: HostStatus },
    /// There are usage facts to fetch.
    Metered { session: SessionId },
    /// An agent's installation changed.
    Agent { slug: String },
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

/// Where sessions run. Refusals that a person should read are a [`Refusal`] inside the error.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// What the About page says of it: `name`, then facts in order (limits enforced by what, kernel, free disk).
    async fn describe(&self) -> Result<Vec<(String, String)>>;
    /// What happens, from now on; called once, at the start. Bounded; the runtime waits for the engine.
    fn watch(&self) -> mpsc::Receiver<Observation>;

    /// Begins to make the session run and returns at once; asked again for one that runs or begins, does nothing.
    /// What comes of it is told by [`Runtime::watch`].
    async fn ensure(&self, wanted: &Wanted) -> Result<()>;
    /// Finds the hosts again that an earlier server left running: those that live are watched from now on, those of
    /// `expected` that do not are `Lost`.
    async fn take_up(&self, expected: &[SessionId]) -> Result<()>;
    /// Ends what runs, keeps workspace and last screens. Idempotent; returns when nothing runs any more.
    async fn suspend(&self, session: &SessionId) -> Result<()>;
    /// Destroys what runs and what is kept. Idempotent.
    async fn drop_session(&self, session: &SessionId) -> Result<()>;
    /// What [`Runtime::drop_session`] would destroy.
    async fn holdings(&self, session: &SessionId) -> Result<Holdings>;

    /// A conversation with a terminal; `None` where the session has no host now, or no such terminal.
    async fn attach(&self, session: &SessionId, attach: &Attach) -> Result<Option<Conversation>>;
    /// The last screen of a terminal whose session has no host.
    async fn last_screen(&self, session: &SessionId, terminal: &str) -> Result<Option<LastScreen>>;
    /// The recording of a terminal, whether it runs or not; `None` where there never was one.
    async fn recording(&self, session: &SessionId, terminal: &str) -> Result<Option<Recording>>;
    /// Opens a shell beside the agent.
    async fn open_terminal(&self, session: &Session, shell: &Shell) -> Result<()>;
    /// Ends a terminal's program and forgets the terminal.
    async fn close_terminal(&self, session: &SessionId, terminal: &str) -> Result<()>;
    /// Gives a terminal a size.
    async fn resize(&self, session: &SessionId, terminal: &str, size: Size) -> Result<()>;
    /// Sends `INT`, `QUIT`, `TERM`, `HUP` or `KILL` to a terminal's foreground processes.
    async fn signal(&self, session: &SessionId, terminal: &str, signal: &str) -> Result<()>;
    /// The session as it is now; `None` without a host.
    async fn status(&self, session: &SessionId) -> Result<Option<HostStatus>>;
    /// Usage facts after a number; the runtime forgets those up to it. Also of sessions whose host is gone.
    async fn usage(&self, session: &SessionId, after: u64) -> Result<Vec<UsageFact>>;

    /// What is on the machine of these agents.
    async fn installations(&self, agents: &[Agent]) -> Result<Vec<Installation>>;
    /// Begins to install an agent, or goes on with an installation that was cut off; returns at once.
    async fn install(&self, agent: &Agent) -> Result<()>;
    /// Removes an agent's package; sessions that run it go on until they end.
    async fn uninstall(&self, agent: &Agent) -> Result<()>;
    /// The end of the last installation's log, at most 64 KiB; `None` where there was none.
    async fn install_log(&self, agent: &Agent) -> Result<Option<String>>;
}
