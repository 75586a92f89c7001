//! What the engine asks of identity providers, and of the store about people who come from them.

use super::{Hash, Member, NewLogin, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{OrgId, PersonId, Role, Timestamp, claims::Rules, id::LoginId, org::State};
use serde_json::Value;

/// An identity provider that people may sign in with.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name in addresses.
    pub id: String,
    /// What its button says.
    pub label: String,
    /// The issuer's address: people are told apart by it and their subject, whatever the provider is called here.
    pub issuer: String,
    /// The one Organization that it speaks for; `None`: it speaks for the installation.
    pub org: Option<OrgId>,
    pub rules: Rules,
    /// Whether a verified e-mail address of its makes somebody the member who has that address already.
    pub trusts_email: bool,
    /// Why nobody can sign in with it at the moment.
    pub trouble: Option<String>,
}

/// Whom a provider is to send back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever is signed in there, without a question.
    SignedIn,
    /// Whoever says there, once more, who they are: it may be somebody else who is signed in there in that browser.
    Asked,
}

/// A sign-in that begins.
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What [`Providers::complete`] needs, encrypted.
    pub sealed: String,
}

/// What the provider sends a browser back with.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub code: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The issuer that answers, where the provider says it (RFC 9207).
    pub iss: Option<String>,
}

/// Somebody whom a provider has proven, just now.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    pub subject: String,
    /// The provider's own session, by which it may end the login.
    pub sid: Option<String>,
    /// Checked; without what is no business of anybody who reads them. `Null`: the provider said nothing new.
    pub claims: Value,
    /// Tokens, encrypted: for refreshing and for signing out at the provider.
    pub kept: String,
    /// When to ask the provider again; `None`: it cannot be asked.
    pub refresh_at: Option<Timestamp>,
}

/// What comes of asking a provider again.
#[derive(Clone, Debug, PartialEq)]
pub enum Refreshed {
    Proven(Box<Proven>),
    /// The provider says that it is over: signed out there, disabled, or gone.
    Ended,
}

/// A provider's word that somebody has signed out (OpenID Connect Back-Channel Logout 1.0), checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOut {
    pub issuer: String,
    /// At least one of these two is there.
    pub subject: Option<String>,
    pub sid: Option<String>,
    pub jti: String,
    /// Until when the same word could be said again.
    pub expires_at: Timestamp,
}

/// Identity providers. What a person should read is a [`super::Refusal`] inside the error.
#[async_trait]
pub trait Providers: Send + Sync {
    /// Those that are configured, in order. Those that did not answer are asked again in the background.
    fn list(&self) -> Vec<Provider>;
    /// Begins a sign-in: `state` comes back with the answer, to `redirect`, a path of ours with its origin.
    async fn begin(&self, provider: &str, state: &str, redirect: &str, whom: Whom) -> Result<Begun>;
    /// Turns an answer into somebody who is proven.
    async fn complete(&self, provider: &str, state: &str, sealed: &str, answer: &Answer) -> Result<Proven>;
    /// Asks whether somebody is still who they were.
    async fn refresh(&self, provider: &str, subject: &str, kept: &str) -> Result<Refreshed>;
    /// Where a browser signs out at the provider, to come back to `back`; `None`: it has no such place.
    async fn sign_out(&self, provider: &str, subject: &str, kept: &str, back: &str) -> Result<Option<String>>;
    /// Checks a provider's word that somebody has signed out.
    async fn signed_out(&self, provider: &str, token: &str) -> Result<SignedOut>;
}

/// A sign-in under way; its secrets are remembered as hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub state: Hash,
    /// The cookie of the browser that began it.
    pub browser: Hash,
    pub provider: String,
    /// Where to go afterwards: a path of this site.
    pub next: String,
    /// The login to whose person is linked what comes of it; `None`: whoever comes back is signed in.
    pub links: Option<LoginId>,
    pub sealed: String,
    pub expires_at: Timestamp,
}

/// Somebody as a provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    /// The address that the provider says; to tell identities apart, never to find anybody.
    pub address: Option<String>,
}

/// An identity that is somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIdentity {
    pub identity: Identity,
    pub since: Timestamp,
    /// When the provider last proved them; `None`: never, or it has disowned them since.
    pub proven_at: Option<Timestamp>,
}

/// What a provider has proven for a login that wants to link it, and that has to say so once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedLink {
    pub hash: Hash,
    pub login: LoginId,
    pub provider: String,
    pub identity: Identity,
    pub expires_at: Timestamp,
}

/// What came of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    Done,
    /// It is theirs already; nothing changed.
    Theirs,
    /// It is somebody else's.
    Taken,
    /// They have as many as one may.
    TooMany,
}

/// What is kept beside a login that a provider has proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub login: LoginId,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub sid: Option<String>,
    pub claims: Value,
    /// The capabilities that the provider holds the login to; `None`: it may do all that its role may.
    pub narrowed: Option<Vec<String>>,
    pub kept: String,
    /// When to ask the provider again.
    pub refresh_at: Timestamp,
    /// When the provider last proved them.
    pub proven_at: Timestamp,
}

/// A seat that a provider gives, or changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Provide {
    pub org: OrgId,
    pub person: PersonId,
    pub issuer: String,
    pub email: String,
    pub name: String,
    /// `None`: a seat that is there keeps its own, a new one gets `new_role`.
    pub role: Option<Role>,
    pub new_role: Role,
    /// The groups, whole.
    pub groups: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Provided {
    /// The seat as it is now, whether it is new, and the role that it had before; and whether its groups are others.
    Seated {
        member: Member,
        before: Option<Role>,
        regrouped: bool,
    },
    /// As many seats are taken or promised as were bought.
    Full { seats: u64 },
    /// The Organization is closed for good, or gone.
    Closed(Option<State>),
    /// Whoever governs the Organization has disabled the seat, or it had an end.
    Disabled,
}

/// What is remembered of people who come from providers. See [`super::Store`] for what all methods promise.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Remembers a sign-in under way, unless `most` are; whether it did.
    async fn record_flow(&self, flow: &Flow, most: u64, now: Timestamp) -> Result<bool>;
    /// Uses up a sign-in under way.
    async fn take_flow(&self, state: &Hash, now: Timestamp) -> Result<Option<Flow>>;

    /// Who this is, by the provider's issuer and its name for them.
    async fn find_identity(&self, issuer: &str, subject: &str) -> Result<Option<PersonId>>;
    /// Remembers who this is, unless it is known already, and the address that the provider says; who it is.
    async fn record_identity(&self, identity: &Identity, person: &PersonId, now: Timestamp) -> Result<PersonId>;
    /// The identities of a person, oldest first.
    async fn identities_of(&self, person: &PersonId) -> Result<Vec<KnownIdentity>>;
    /// Remembers what was proven for a login, in place of what waited for it.
    async fn propose_link(&self, proposed: &ProposedLink, now: Timestamp) -> Result<()>;
    /// Uses up what was proven for this login.
    async fn take_proposed(&self, hash: &Hash, login: &LoginId, now: Timestamp) -> Result<Option<ProposedLink>>;
    /// Makes an identity that is nobody's the person's, unless they have `most`; proven now, where `proven`.
    async fn link(
        &self,
        identity: &Identity,
        person: &PersonId,
        proven: bool,
        most: u64,
        now: Timestamp,
        record: Record,
    ) -> Result<Linked>;
    /// Makes an identity nobody's and ends the logins that came by it; those. `None`: their identities are not those that
    /// were `seen`.
    async fn unlink(
        &self,
        person: &PersonId,
        seen: &[KnownIdentity],
        identity: &Identity,
        record: Record,
    ) -> Result<Option<Vec<LoginId>>>;
    /// The Organizations in which the person's seat comes from this identity's issuer, is kept by no directory, and would
    /// have no identity of theirs behind it without this one.
    async fn seats_only_by(&self, identity: &Identity, person: &PersonId) -> Result<Vec<OrgId>>;
    /// When a provider that stands behind the person's seat last proved them: one that gave it, or any of theirs where a
    /// directory keeps it. `None`: no provider stands behind it; `Some(None)`: none has proven them, or all have disowned
    /// them since.
    async fn confirmed(&self, org: &OrgId, person: &PersonId) -> Result<Option<Option<Timestamp>>>;
    /// Remembers that a provider no more says that they are who they were, until it proves them again.
    async fn disown(&self, issuer: &str, subject: &str) -> Result<()>;

    /// Gives a seat or changes it, with its groups. A new one counts against those that were bought. The last owner
    /// stays one. Entries and events of the record are written only where something changed.
    async fn provide_seat(&self, seat: &Provide, now: Timestamp, record: Record) -> Result<Provided>;
    /// The Organizations in which this issuer has given the person a seat that is still there.
    async fn provided_seats(&self, issuer: &str, person: &PersonId) -> Result<Vec<OrgId>>;

    /// Remembers a login that a provider has proven, in this Organization; tokens that rested because of it work again.
    async fn record_provider_login(
        &self,
        org: &OrgId,
        person: &PersonId,
        login: &NewLogin,
        held: &Held,
        record: Record,
    ) -> Result<()>;
    /// What is kept beside a login.
    async fn find_held(&self, login: &LoginId) -> Result<Option<Held>>;
    /// When the provider of a login is to be asked again; `None`: no provider has proven it.
    async fn refresh_due(&self, login: &LoginId) -> Result<Option<Timestamp>>;
    /// Takes it on oneself to ask the provider again, where that is due and nobody else is at it until `until`.
    async fn claim_refresh(&self, login: &LoginId, now: Timestamp, until: Timestamp) -> Result<Option<Held>>;
    /// Writes what the provider said now.
    async fn record_refreshed(&self, held: &Held) -> Result<()>;
    /// Ends a login, whichever Organization it asks in the name of; whether there was one.
    async fn end_provider_login(&self, login: &LoginId, record: Record) -> Result<bool>;
    /// The logins that an issuer has proven, of a subject, of its own session, of a person, or of all that is said, at
    /// most 1,000.
    async fn logins_of(
        &self,
        issuer: &str,
        subject: Option<&str>,
        sid: Option<&str>,
        person: Option<&PersonId>,
    ) -> Result<Vec<(OrgId, PersonId, LoginId)>>;
    /// The Organization in whose name a login asks.
    async fn org_of_login(&self, login: &LoginId) -> Result<Option<OrgId>>;
    /// Logins of a person in an Organization whose provider is to be asked again by now, at most 20.
    async fn due_logins(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Vec<LoginId>>;
    /// Makes the provider of every login of a subject to be asked again now.
    async fn hasten(&self, issuer: &str, subject: &str, now: Timestamp) -> Result<()>;
    /// Whether a person is signed in without any provider.
    async fn is_in_by_link(&self, person: &PersonId, now: Timestamp) -> Result<bool>;
    /// The Organizations in which the person's seat came from this issuer, or is kept by a directory.
    async fn seats_behind(&self, issuer: &str, person: &PersonId) -> Result<Vec<OrgId>>;
    /// Lets the person's tokens in an Organization rest until they sign in with this issuer again, or with another that
    /// stands behind the seat; whether they did not already. An empty issuer is none in particular.
    async fn record_unproven(
        &self,
        org: &OrgId,
        person: &PersonId,
        issuer: &str,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;
    /// The Organizations in which the person's tokens rest, and work again when they sign in with this issuer.
    async fn unproven_in(&self, issuer: &str, person: &PersonId) -> Result<Vec<OrgId>>;
    /// Remembers that an issuer's word was heard; whether it was new.
    async fn record_heard(&self, issuer: &str, jti: &str, until: Timestamp, now: Timestamp) -> Result<bool>;
}

/// No provider at all: people sign in with one-time links.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProviders;

#[async_trait]
impl Providers for NoProviders {
    fn list(&self) -> Vec<Provider> {
        Vec::new()
    }

    async fn begin(&self, _: &str, _: &str, _: &str, _: Whom) -> Result<Begun> {
        anyhow::bail!(no_such_provider())
    }

    async fn complete(&self, _: &str, _: &str, _: &str, _: &Answer) -> Result<Proven> {
        anyhow::bail!(no_such_provider())
    }

    async fn refresh(&self, _: &str, _: &str, _: &str) -> Result<Refreshed> {
        anyhow::bail!(no_such_provider())
    }

    async fn sign_out(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Option<String>> {
        Ok(None)
    }

    async fn signed_out(&self, _: &str, _: &str) -> Result<SignedOut> {
        anyhow::bail!(no_such_provider())
    }
}

/// The refusal of a provider that is not configured.
pub fn no_such_provider() -> super::Refusal {
    super::Refusal::NotFound("There is no such identity provider here.".to_owned())
}
