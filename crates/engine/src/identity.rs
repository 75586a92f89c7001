//! Signing in with an identity provider: there and back, asked again from time to time, and out from either side.

mod explain;
mod proof;
mod seats;
mod ways;
mod who;

use crate::{
    Engine, Error, From, Result, SignedIn, logins,
    ports::{Answer, Flow, Held, NewLogin, Proven, Provider, Record, Whom},
    tokens,
};
use domain::{Caller, OrgId, Problem, Timestamp, caller::Proof, claims, id::LoginId, session::Session, way::Proposal};
use serde_json::json;

/// How long a sign-in may take at the provider, in seconds.
pub const FLOW_SECONDS: i64 = 600;
/// So many sign-ins may be under way at once.
const FLOWS_MAX: u64 = 10_000;
/// Whoever asks a provider again has so long for it, in seconds; until then nobody else tries.
const CLAIM_SECONDS: i64 = 60;
/// For so long a login holds whose provider should be asked and does not answer, in seconds.
const GRACE_SECONDS: i64 = 900;
/// For so long a login holds whose provider cannot be asked again, in seconds.
const UNASKED_SECONDS: i64 = 8 * 3600;

/// So many logins are proven again at a time.
const ASKED_AT_ONCE: usize = 8;

/// A sign-in that begins.
pub struct Beginning {
    /// Where the browser goes.
    pub url: String,
    /// Tells this sign-in's cookie from those of others under way in the same browser.
    pub tag: String,
    /// The cookie's value, which the browser must still have when it comes back.
    pub browser: String,
}

/// Somebody who has come back from a provider.
pub enum Arrived {
    /// To sign in.
    SignedIn {
        signed_in: Box<SignedIn>,
        /// Where they wanted to go: a path of this site, as it was given.
        next: String,
    },
    /// To link what the provider has proven: their login has to say once more that it is meant.
    Proposed(Proposal),
}

/// Whether a login still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Holds,
    /// The provider was asked just now: what was read before may have changed.
    Renewed,
    Ended,
}

impl Engine {
    /// The providers that people may sign in with.
    pub fn providers(&self) -> Vec<Provider> {
        self.0.providers.list()
    }

    /// Begins a sign-in that leads to `next` afterwards. `redirect` is where the provider answers to.
    pub async fn begin_sign_in(&self, provider: &str, next: &str, redirect: &str) -> Result<Beginning> {
        self.begin_flow(provider, next, None, redirect).await
    }

    async fn begin_flow(
        &self,
        provider: &str,
        next: &str,
        links: Option<LoginId>,
        redirect: &str,
    ) -> Result<Beginning> {
        let now = self.0.clock.now();
        let state = self.0.credentials.mint("");
        let browser = self.0.credentials.mint("");
        let whom = if links.is_some() { Whom::Asked } else { Whom::SignedIn };
        let begun = self.0.providers.begin(provider, &state.text, redirect, whom).await?;
        let tag = tag(&state.hash.0);
        let flow = Flow {
            state: state.hash,
            browser: browser.hash,
            provider: provider.to_owned(),
            next: next.to_owned(),
            links,
            sealed: begun.sealed,
            expires_at: now.plus_seconds(FLOW_SECONDS),
        };
        if !self.0.store.record_flow(&flow, FLOWS_MAX, now).await? {
            let detail = "Too many people are signing in at the moment. Try again in a few minutes.";
            return Err(Error::Unavailable(Problem::new("too-many-sign-ins", detail)));
        }
        Ok(Beginning {
            url: begun.url,
            tag,
            browser: browser.text,
        })
    }

    /// Tells the cookie of the sign-in that an answer belongs to.
    pub fn sign_in_tag(&self, state: &str) -> String {
        tag(&self.0.credentials.hash(state).0)
    }

    /// Ends a sign-in with the provider's answer, in the browser that began it: its seats are given, and a login. One that
    /// was begun to link something ends in a proposal, for the very login that began it: `me` is who is signed in.
    pub async fn finish_sign_in(
        &self,
        provider: &str,
        state: &str,
        browser: Option<&str>,
        answer: &Answer,
        me: Option<&Caller>,
        from: &From,
    ) -> Result<Arrived> {
        let now = self.0.clock.now();
        // Used up before anything is looked at: no answer is heard twice.
        let flow = self.0.store.take_flow(&self.0.credentials.hash(state), now).await?;
        let ours = flow.filter(|flow| {
            flow.provider == provider
                && browser.is_some_and(|browser| self.0.credentials.hash(browser) == flow.browser)
                && flow.links.as_ref().is_none_or(|login| is_login(me, login))
        });
        let Some(flow) = ours else {
            let detail =
                "This sign-in was finished already, has expired, or was begun in another browser. Begin again.";
            return Err(Error::Invalid(Problem::new("unknown-sign-in", detail)));
        };
        let proven = self.0.providers.complete(provider, state, &flow.sealed, answer).await?;
        if let (Some(_), Some(me)) = (&flow.links, me) {
            return Ok(Arrived::Proposed(self.propose(me, provider, &proven, now).await?));
        }
        let signed_in = self.arrive(provider, proven, from, now).await?;
        Ok(Arrived::SignedIn {
            signed_in: Box::new(signed_in),
            next: flow.next,
        })
    }

    async fn arrive(&self, provider: &str, proven: Proven, from: &From, now: Timestamp) -> Result<SignedIn> {
        let provider = self.provider(provider)?;
        let member = match self.seat_arrival(&provider, &proven, now).await {
            Ok(member) => member,
            Err(error) => {
                self.note_refused(&provider, &proven, &error, from).await?;
                return Err(error);
            }
        };
        let secret = self.0.credentials.mint("sbc_");
        let id = LoginId::new(self.0.credentials.new_id(now));
        let login = logins::login(id.clone(), from, now);
        let (expires_at, user_agent) = (login.expires_at, login.user_agent.clone());
        let new = NewLogin {
            login,
            hash: secret.hash,
        };
        let detail = json!({ "browser": user_agent, "provider": provider.id, "issuer": provider.issuer,
            "subject": proven.subject });
        let held = held(id.clone(), &provider, proven, now);
        let (org, person) = (member.org.clone(), member.person.clone());
        let proof = Proof::Login {
            id: id.clone(),
            narrowed: held.narrowed.clone(),
        };
        let caller = from.bring(tokens::caller(member, proof));
        let mut record = self.audited(&caller, "signed-in", id.as_str(), detail);
        record.audit.extend(self.proven_again(&provider, &caller).await?);
        self.0
            .store
            .record_provider_login(&org, &person, &new, &held, record)
            .await?;
        Ok(SignedIn {
            cookie: secret.text,
            expires_at,
            caller,
        })
    }

    /// Writes down that somebody was let into nothing: where the provider speaks for, else in the installation's own.
    async fn note_refused(&self, provider: &Provider, proven: &Proven, error: &Error, from: &From) -> Result<()> {
        let home = || OrgId::new(&self.0.options.org);
        let detail = json!({ "provider": provider.id, "why": error.problem().code });
        let org = provider.org.clone().unwrap_or_else(home);
        let entry = from.mark(self.system_entry(&org, "sign-in.refused", &proven.subject, detail));
        Ok(self.0.store.record_audit(&entry).await?)
    }

    /// Hears a provider's word that somebody has signed out there, or is not to be in any more: their logins end at once.
    pub async fn signed_out_by_provider(&self, provider: &str, token: &str) -> Result<()> {
        let now = self.0.clock.now();
        let told = self.0.providers.signed_out(provider, token).await?;
        if !self
            .0
            .store
            .record_heard(&told.issuer, &told.jti, told.expires_at, now)
            .await?
        {
            let detail = "This logout token was used already.";
            return Err(Error::Invalid(Problem::new("replayed", detail)));
        }
        let (subject, sid) = (told.subject.as_deref(), told.sid.as_deref());
        loop {
            let logins = self.0.store.logins_of(&told.issuer, subject, sid, None).await?;
            if logins.is_empty() {
                return Ok(());
            }
            for (_, _, login) in logins {
                self.end_by_provider(&login, "signed out at its identity provider")
                    .await?;
            }
        }
    }

    async fn end_by_provider(&self, login: &LoginId, why: &str) -> Result<()> {
        let org = self.0.store.org_of_login(login).await?;
        let record = org.map_or_else(Record::default, |org| Record {
            audit: vec![self.system_entry(&org, "login.ended", login.as_str(), json!({ "why": why }))],
            events: Vec::new(),
        });
        self.0.store.end_provider_login(login, record).await?;
        self.end_attachments_of_login(login);
        Ok(())
    }

    /// Signs the caller's own browser out, and says where it signs out at its provider too, to come back to `back`.
    pub async fn leave(&self, caller: &Caller, back: &str) -> Result<Option<String>> {
        let held = match &caller.proof {
            Proof::Login { id, .. } => self.0.store.find_held(id).await?,
            Proof::Token { .. } => None,
        };
        let there = match held {
            Some(held) => self
                .0
                .providers
                .sign_out(&held.provider, &held.subject, &held.kept, back)
                .await
                .unwrap_or_else(|error| {
                    // Here they are out all the same.
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "nobody could be signed out at their provider"
                    );
                    None
                }),
            None => None,
        };
        self.sign_out(caller).await?;
        Ok(there)
    }

    /// The one Organization that the caller's provider speaks for: with such a login nobody is in any other.
    pub(crate) async fn bound_to(&self, caller: &Caller) -> Result<Option<OrgId>> {
        let Proof::Login { id, .. } = &caller.proof else {
            return Ok(None);
        };
        let Some(held) = self.0.store.find_held(id).await? else {
            return Ok(None);
        };
        Ok(self.provider(&held.provider)?.org)
    }

    /// Another Organization of the caller's, in which they may see this session; `None`: there is none, or none that
    /// they may know of.
    pub async fn session_elsewhere(&self, caller: &Caller, id: &domain::SessionId) -> Result<Option<domain::org::Org>> {
        let Some(session) = self.find(id).await?.filter(|session| session.org != caller.org) else {
            return Ok(None);
        };
        let orgs = self.memberships(caller).await?;
        Ok(orgs
            .into_iter()
            .find(|(org, role)| org.id == session.org && may_see(caller, &session, *role))
            .map(|(org, _)| org))
    }

    /// The configured provider of this name.
    fn provider(&self, id: &str) -> Result<Provider> {
        let found = self.0.providers.list().into_iter().find(|provider| provider.id == id);
        found.ok_or_else(|| anyhow::Error::from(crate::ports::no_such_provider()).into())
    }
}

/// Whether it is this login that asks.
fn is_login(me: Option<&Caller>, login: &LoginId) -> bool {
    matches!(me.map(|me| &me.proof), Some(Proof::Login { id, .. }) if id == login)
}

/// Whether the caller could see the session, were they in its Organization.
fn may_see(caller: &Caller, session: &Session, role: domain::Role) -> bool {
    let there = Caller {
        org: session.org.clone(),
        role,
        ..caller.clone()
    };
    there.may(domain::permit::Verb::SeeSession, session)
}

fn held(login: LoginId, provider: &Provider, proven: Proven, now: Timestamp) -> Held {
    let Proven {
        subject,
        sid,
        claims,
        kept,
        refresh_at,
    } = proven;
    Held {
        login,
        provider: provider.id.clone(),
        issuer: provider.issuer.clone(),
        subject,
        sid,
        narrowed: claims::narrowed(&claims, &provider.rules),
        claims,
        kept,
        refresh_at: refresh_at.unwrap_or_else(|| now.plus_seconds(UNASKED_SECONDS)),
        proven_at: now,
    }
}

/// Enough of a hash to tell a few sign-ins of one browser apart.
fn tag(hash: &str) -> String {
    hash.chars().take(16).collect()
}
