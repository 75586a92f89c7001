//! Ways to sign in: a person sees by whom they are known, links another identity, and unlinks one.
//!
//! Linking goes there and back like a sign-in, bound to the login that began it; what comes back is shown, and linked only
//! when that login says so: whoever is signed in at the provider in that browser might be somebody else.

use super::{Beginning, who::taken};
use crate::{
    Engine, Error, Result,
    ports::{Identity, KnownIdentity, ProposedLink, Proven, Provider, Record},
};
use domain::{
    Caller, OrgId, Problem, Timestamp,
    caller::Proof,
    claims, member,
    permit::Verb,
    way::{PROPOSAL_SECONDS, Proposal, Way, Ways},
};
use serde_json::{Value, json};

/// A change is tried so often where somebody else is at the same thing.
const TRIES: usize = 5;

impl Engine {
    /// By whom the caller is known. A login whose provider speaks for one Organization sees, and reaches, only identities
    /// of that Organization's providers.
    pub async fn ways(&self, caller: &Caller) -> Result<Ways> {
        self.permit(caller, Verb::ManageLogins)?;
        let now = self.0.clock.now();
        let all = self.0.store.identities_of(&caller.person).await?;
        let bound = self.bound_to(caller).await?;
        let current = match &caller.proof {
            Proof::Login { id, .. } => self.0.store.find_held(id).await?,
            Proof::Token { .. } => None,
        };
        let mut ways = Vec::new();
        for known in all.iter().filter(|known| self.is_seen(&known.identity, bound.as_ref())) {
            let identity = &known.identity;
            let provider = self.provider_of(&identity.issuer);
            ways.push(Way {
                id: self.way_id(identity),
                label: provider.map_or_else(|| identity.issuer.clone(), |provider| provider.label),
                address: identity.address.clone(),
                since: known.since,
                proven_at: known.proven_at,
                current: current
                    .as_ref()
                    .is_some_and(|held| held.issuer == identity.issuer && held.subject == identity.subject),
                stays: self.why_it_stays(caller, &all, identity, now).await?,
            });
        }
        let mut offered = Vec::new();
        for provider in self.0.providers.list() {
            if self.may_link(caller, &provider, now).await.is_ok() {
                offered.push((provider.id, provider.label));
            }
        }
        Ok(Ways {
            by_link: current.is_none() && matches!(caller.proof, Proof::Login { .. }),
            ways,
            offered,
            refused: self
                .may_change_ways(caller)
                .await
                .err()
                .map(|error| error.problem().detail),
        })
    }

    /// Begins to link another identity to the caller. `redirect` is where the provider answers to.
    pub async fn begin_link(&self, caller: &Caller, provider: &str, redirect: &str) -> Result<Beginning> {
        let found = self.provider(provider)?;
        self.may_link(caller, &found, self.0.clock.now()).await?;
        let Proof::Login { id, .. } = &caller.proof else {
            return Err(Error::Unauthenticated);
        };
        self.begin_flow(provider, "/settings", Some(id.clone()), redirect).await
    }

    /// Keeps what a provider has proven until the caller's login says that it is to be linked.
    pub(super) async fn propose(
        &self,
        caller: &Caller,
        provider: &str,
        proven: &Proven,
        now: Timestamp,
    ) -> Result<Proposal> {
        let provider = self.provider(provider)?;
        self.may_link(caller, &provider, now).await?;
        let identity = identity(&provider, proven);
        let owner = self.0.store.find_identity(&identity.issuer, &identity.subject).await?;
        match owner {
            Some(owner) if owner != caller.person => {
                self.note_not_linked(caller, &provider).await?;
                return Err(taken());
            }
            Some(_) => {
                let detail = "This identity is yours already: you can sign in with it.";
                return Err(Error::Conflict(Problem::new("already-linked", detail)));
            }
            None => {}
        }
        let Proof::Login { id, .. } = &caller.proof else {
            return Err(Error::Unauthenticated);
        };
        let secret = self.0.credentials.mint("");
        let shown = identity.address.clone().unwrap_or_else(|| identity.subject.clone());
        let proposed = ProposedLink {
            hash: secret.hash,
            login: id.clone(),
            provider: provider.id,
            identity,
            expires_at: now.plus_seconds(PROPOSAL_SECONDS),
        };
        self.0.store.propose_link(&proposed, now).await?;
        Ok(Proposal {
            secret: secret.text,
            label: provider.label,
            shown,
        })
    }

    /// Links what was proposed to this very login, once.
    pub async fn confirm_link(&self, caller: &Caller, secret: &str) -> Result<()> {
        let now = self.0.clock.now();
        let Proof::Login { id, .. } = &caller.proof else {
            self.may_change_ways(caller).await?;
            return Err(Error::Unauthenticated);
        };
        let hash = self.0.credentials.hash(secret);
        let Some(proposed) = self.0.store.take_proposed(&hash, id, now).await? else {
            let detail = "Nothing waits to be linked: it was linked already, its ten minutes are over, or you have signed in \
                          anew. Begin again in the settings.";
            return Err(Error::Invalid(Problem::new("nothing-to-link", detail)));
        };
        let provider = self.provider(&proposed.provider)?;
        self.may_link(caller, &provider, now).await?;
        let (action, org) = ("identity.linked", provider.org.as_ref());
        let record = self
            .way_record(caller, action, &provider.id, org, &proposed.identity)
            .await?;
        match self.link(&proposed.identity, &caller.person, true, record).await {
            Err(error @ Error::Conflict(_)) => {
                self.note_not_linked(caller, &provider).await?;
                Err(error)
            }
            other => other,
        }
    }

    /// Unlinks one of the caller's identities: the logins that came by it end. One that is gone already is no error.
    pub async fn unlink(&self, caller: &Caller, id: &str) -> Result<()> {
        self.may_change_ways(caller).await?;
        let bound = self.bound_to(caller).await?;
        for _ in 0..TRIES {
            let all = self.0.store.identities_of(&caller.person).await?;
            let seen = all
                .iter()
                .find(|known| self.way_id(&known.identity) == id && self.is_seen(&known.identity, bound.as_ref()));
            let Some(KnownIdentity { identity, .. }) = seen else {
                return Ok(());
            };
            if let Some(why) = self.why_it_stays(caller, &all, identity, self.0.clock.now()).await? {
                return Err(Error::Conflict(Problem::new("last-way", why)));
            }
            let provider = self.provider_of(&identity.issuer);
            let (name, org) = provider.map_or((None, None), |provider| (Some(provider.id), provider.org));
            let name = name.unwrap_or_else(|| identity.issuer.clone());
            let record = self
                .way_record(caller, "identity.unlinked", &name, org.as_ref(), identity)
                .await?;
            if let Some(ended) = self.0.store.unlink(&caller.person, &all, identity, record).await? {
                for login in ended {
                    self.end_attachments_of_login(&login);
                }
                return Ok(());
            }
        }
        let detail = "Your ways to sign in change at the moment. Look at them, then try again.";
        Err(Error::Unavailable(Problem::new("busy", detail)))
    }

    /// Why an identity cannot be unlinked, in a sentence.
    async fn why_it_stays(
        &self,
        caller: &Caller,
        all: &[KnownIdentity],
        identity: &Identity,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let others = all
            .iter()
            .any(|known| known.identity != *identity && self.provider_of(&known.identity.issuer).is_some());
        if !others && !self.0.store.is_in_by_link(&caller.person, now).await? {
            return Ok(Some("It is your only way to sign in.".to_owned()));
        }
        let seats = self.0.store.seats_only_by(identity, &caller.person).await?;
        Ok(seats
            .first()
            .map(|org| format!("Your seat in {org} comes from it, and nothing else of yours stands behind that seat.")))
    }

    /// Whether a login that is bound to this Organization knows of the identity.
    fn is_seen(&self, identity: &Identity, bound: Option<&OrgId>) -> bool {
        bound.is_none_or(|bound| {
            let provider = self.provider_of(&identity.issuer);
            provider.is_some_and(|provider| provider.org.as_ref() == Some(bound))
        })
    }

    fn provider_of(&self, issuer: &str) -> Option<Provider> {
        self.0
            .providers
            .list()
            .into_iter()
            .find(|provider| provider.issuer == issuer)
    }

    /// What an identity is called among those of its person: nobody guesses a subject from it who does not know it.
    fn way_id(&self, identity: &Identity) -> String {
        let hash = self
            .0
            .credentials
            .hash(&format!("way {}\n{}", identity.issuer, identity.subject));
        hash.0.chars().take(32).collect()
    }

    /// Written where the provider speaks for, else where the caller asks: which providers of other Organizations know
    /// them is not for this one to read.
    async fn way_record(
        &self,
        caller: &Caller,
        action: &str,
        provider: &str,
        org: Option<&OrgId>,
        identity: &Identity,
    ) -> Result<Record> {
        let detail = json!({ "provider": provider, "subject": identity.subject, "address": identity.address });
        let there = self.seated(caller, org.unwrap_or(&caller.org)).await?;
        Ok(self.audited(&there, action, caller.person.as_str(), detail))
    }

    /// Somebody wanted to link what is somebody else's.
    async fn note_not_linked(&self, caller: &Caller, provider: &Provider) -> Result<()> {
        let detail = json!({ "provider": provider.id, "why": "identity-taken" });
        let entry = self.entry(caller, "identity.not-linked", caller.person.as_str(), detail);
        Ok(self.0.store.record_audit(&entry).await?)
    }
}

fn identity(provider: &Provider, proven: &Proven) -> Identity {
    let said = |claims: &Value| {
        let address = claims::values(claims, &provider.rules.email).into_iter().next()?;
        member::email(address).ok()
    };
    Identity {
        issuer: provider.issuer.clone(),
        subject: proven.subject.clone(),
        address: said(&proven.claims),
    }
}
