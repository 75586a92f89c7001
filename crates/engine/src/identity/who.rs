//! Who somebody is whom a provider proves, and whom nothing makes into somebody else. All ways by which one person comes to
//! have two names meet here: a first sign-in, what a directory says, what people link themselves, and whoever runs the
//! machine. (An invitation makes a new person, or is accepted by one who is signed in: it makes nobody anybody.)

use crate::{
    Engine, Error, Result,
    ports::{Identity, Linked, Member, Proven, Provider, Record, Scope},
};
use domain::{
    Caller, OrgId, PersonId, Problem, Role, Timestamp,
    caller::Proof,
    claims::{self, Mapped},
    member,
    permit::Verb,
    way::WAYS_MAX,
};
use serde_json::{Value, json};

/// How somebody is called.
pub(super) struct Named {
    pub(super) email: String,
    pub(super) name: String,
}

impl Engine {
    /// Who has arrived: who they are `known` as, a member who is trusted to be they, or somebody new.
    pub(super) async fn who_is(
        &self,
        provider: &Provider,
        proven: &Proven,
        known: Option<PersonId>,
        named: &Named,
        mapped: &Mapped,
        now: Timestamp,
    ) -> Result<PersonId> {
        let person = match known {
            Some(person) => person,
            None => match self.trusted(provider, proven, named, mapped, now).await? {
                Some(person) => person,
                None => PersonId::new(self.0.credentials.new_id(now)),
            },
        };
        let identity = Identity {
            issuer: provider.issuer.clone(),
            subject: proven.subject.clone(),
            address: Some(named.email.clone()),
        };
        Ok(self.0.store.record_identity(&identity, &person, now).await?)
    }

    /// Somebody who is a member already: by the id that the Organization's directory gives them, where that is the subject
    /// of the Organization's own provider, or by their address, where the provider is trusted to know it. A provider that
    /// speaks for a single Organization, and an address that its directory says, make nobody into somebody who also
    /// sits in others, or runs the installation.
    async fn trusted(
        &self,
        provider: &Provider,
        proven: &Proven,
        named: &Named,
        mapped: &Mapped,
        now: Timestamp,
    ) -> Result<Option<PersonId>> {
        if let Some(bound) = &provider.org
            && mapped.grants.iter().any(|grant| grant.org == *bound)
            && let Some(person) = self.0.store.find_by_external_id(bound, &proven.subject).await?
            && self.is_within(bound, &person, now).await?
        {
            return Ok(Some(person));
        }
        if !provider.trusts_email || proven.claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Ok(None);
        }
        for grant in &mapped.grants {
            let scope = Scope::Org(grant.org.clone());
            let Some(found) = self.0.store.find_member_by_email(&scope, &named.email, now).await? else {
                continue;
            };
            let bound = match &provider.org {
                Some(bound) => Some(bound),
                None if self.0.store.keeps_seat(&grant.org, &found.person).await? => Some(&grant.org),
                None => None,
            };
            let is_theirs = match bound {
                Some(bound) => self.is_within(bound, &found.person, now).await?,
                None => true,
            };
            if is_theirs {
                return Ok(Some(found.person));
            }
        }
        Ok(None)
    }

    /// Whether somebody sits in this Organization alone, and does not run the installation.
    async fn is_within(&self, bound: &OrgId, person: &PersonId, now: Timestamp) -> Result<bool> {
        let own = self.0.store.memberships(person, now).await?;
        Ok(own.iter().all(|(org, role)| org.id == *bound && *role <= Role::Owner))
    }

    /// Whether the caller may make what this provider proves a way of theirs to sign in: nobody gains by it what their
    /// login has not got.
    pub(super) async fn may_link(&self, caller: &Caller, provider: &Provider, now: Timestamp) -> Result<()> {
        self.may_change_ways(caller).await?;
        let bound = self.bound_to(caller).await?;
        if bound.is_some() && provider.org != bound {
            let detail = "Your identity provider speaks for this Organization alone: with this login only identities of a \
                          provider of this Organization can be linked.";
            return Err(Error::forbidden(detail));
        }
        if let Some(org) = &provider.org {
            let own = self.0.store.memberships(&caller.person, now).await?;
            // Whoever runs that provider can sign in as anybody it knows.
            if !own.iter().any(|(own, role)| own.id == *org && *role <= Role::Owner) {
                let detail = format!(
                    "{} speaks for one Organization alone: it is a way to sign in for its members, and for nobody who runs \
                     the installation there.",
                    provider.label
                );
                return Err(Error::forbidden(&detail));
            }
        }
        Ok(())
    }

    /// Whether the caller may change by whom they are known: in a browser, and with a login that may do all that its
    /// person may, or they would get one that may more.
    pub(super) async fn may_change_ways(&self, caller: &Caller) -> Result<()> {
        self.permit(caller, Verb::ManageLogins)?;
        match &caller.proof {
            Proof::Login { narrowed: None, .. } => Ok(()),
            Proof::Login { narrowed: Some(_), .. } => Err(Error::forbidden(
                "Your identity provider lets this login do only some things. Ways to sign in are changed with one that may \
                 do all that you may.",
            )),
            Proof::Token { .. } => Err(Error::forbidden(
                "Ways to sign in are changed in a browser, not with a token.",
            )),
        }
    }

    /// Makes whom a provider proves under this subject the member. For whoever runs the machine: no caller is asked for.
    pub async fn link_identity(&self, member: &Member, issuer: &str, subject: &str) -> Result<()> {
        let identity = Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            address: None,
        };
        let detail = json!({ "issuer": issuer, "subject": subject, "email": member.email });
        let entry = self.system_entry(&member.org, "identity.linked", member.person.as_str(), detail);
        let record = Record {
            audit: vec![entry],
            events: Vec::new(),
        };
        self.link(&identity, &member.person, false, record).await
    }

    /// Makes an identity that is nobody's the person's. Whose it is where it is somebody's, nobody is told.
    pub(super) async fn link(
        &self,
        identity: &Identity,
        person: &PersonId,
        proven: bool,
        record: Record,
    ) -> Result<()> {
        let now = self.0.clock.now();
        let (store, most) = (&self.0.store, WAYS_MAX);
        match store.link(identity, person, proven, most, now, record).await? {
            Linked::Done | Linked::Theirs => Ok(()),
            Linked::Taken => Err(taken()),
            Linked::TooMany => {
                let detail = format!("One person has at most {WAYS_MAX} identities. Unlink one first.");
                Err(Error::Conflict(Problem::new("too-many-identities", detail)))
            }
        }
    }
}

/// The identity is somebody else's.
pub(super) fn taken() -> Error {
    let detail = "This identity belongs to somebody else here already. One identity is one person: sign out and sign in with \
                  it to be them, or ask whoever runs this installation.";
    Error::Conflict(Problem::new("identity-taken", detail))
}

/// How the provider calls them. Without an e-mail address nobody can be told from others by those who govern.
pub(super) fn named(provider: &Provider, claims: &Value) -> Result<Named> {
    let rules = &provider.rules;
    let email = claims::values(claims, &rules.email).into_iter().next();
    let Some(email) = email.and_then(|email| member::email(email).ok()) else {
        let detail = format!(
            "{} does not say your e-mail address (the claim `{}`). Ask whoever runs it to send it along.",
            provider.label, rules.email
        );
        return Err(Error::Forbidden(Problem::new("no-email", detail)));
    };
    let said = rules.name.iter().find_map(|claim| {
        let name = claims::values(claims, claim).into_iter().next()?;
        let name: String = name.chars().take(member::NAME_MAX).collect();
        member::name(&name).ok()
    });
    let before_at = || email.split('@').next().unwrap_or_default().to_owned();
    Ok(Named {
        name: said.unwrap_or_else(before_at),
        email,
    })
}
