//! What a provider says of a person, written down: who they are, the seats it gives and those that it gives no more.

use super::who::{Named, named};
use crate::{
    Engine, Error, Result,
    ports::{Member, Proven, Provide, Provided, Provider, Record, Seated},
    rules::Rule,
};
use domain::{
    OrgId, PersonId, Problem, Role, Timestamp,
    audit::Entry,
    claims::{self, Ask, Grant, Mapped},
    event::Kind,
    member::Leaving,
};
use serde_json::{Value, json};

impl Engine {
    /// Gives the seats of somebody who arrives; the one in which they begin. Where there is none it is said why.
    pub(super) async fn seat_arrival(&self, provider: &Provider, proven: &Proven, now: Timestamp) -> Result<Member> {
        let mapped = self.mapped(provider, &proven.claims).await?;
        let named = named(provider, &proven.claims)?;
        let known = self.0.store.find_identity(&provider.issuer, &proven.subject).await?;
        if known.is_none() && mapped.grants.is_empty() {
            return Err(nowhere(provider, &mapped));
        }
        let person = self.who_is(provider, proven, known, &named, &mapped, now).await?;
        let (seated, refused) = self.provide(provider, &person, &named, &mapped, now).await?;
        self.withdraw(provider, &person, &mapped, now).await?;
        if let Some(first) = seated.into_iter().next() {
            return Ok(first);
        }
        // No seat by the provider, but perhaps one by invitation.
        let mut own = self.0.store.memberships(&person, now).await?;
        own.retain(|(org, _)| provider.org.as_ref().is_none_or(|bound| *bound == org.id));
        // A seat answers to whoever gave it: this provider opens none that another gave and no more stands behind.
        let mut open = None;
        for (org, role) in own {
            if !self.is_unconfirmed(&org.id, &person, now).await? {
                open = Some((org, role));
                break;
            }
        }
        match open {
            Some((org, role)) if refused.is_none() => Ok(Member {
                person,
                email: named.email,
                name: named.name,
                org: org.id,
                role,
            }),
            _ => Err(refused.unwrap_or_else(|| nowhere(provider, &mapped))),
        }
    }

    /// Gives and takes by what a provider says now; whether the person still has a seat anywhere.
    pub(super) async fn seat_again(&self, provider: &Provider, proven: &Proven, now: Timestamp) -> Result<bool> {
        let Some(person) = self.0.store.find_identity(&provider.issuer, &proven.subject).await? else {
            return Ok(false);
        };
        let mapped = self.mapped(provider, &proven.claims).await?;
        if let Ok(named) = named(provider, &proven.claims) {
            self.provide(provider, &person, &named, &mapped, now).await?;
        }
        self.withdraw(provider, &person, &mapped, now).await?;
        Ok(!self.0.store.memberships(&person, now).await?.is_empty())
    }

    /// What claims give here.
    pub(super) async fn mapped(&self, provider: &Provider, claims: &Value) -> Result<Mapped> {
        let mut known = Vec::new();
        for org in claims::named(claims, &provider.rules) {
            if self.0.store.find_org(&org).await?.is_some() {
                known.push(org);
            }
        }
        Ok(self.map(provider, claims, &known))
    }

    pub(super) fn map(&self, provider: &Provider, claims: &Value, known: &[OrgId]) -> Mapped {
        let home = OrgId::new(&self.0.options.org);
        claims::map(Ask {
            claims,
            rules: &provider.rules,
            bound: provider.org.as_ref(),
            known,
            tenant: self.0.options.single_tenant.then_some(&home),
            home: &home,
        })
    }

    /// Gives every seat that can be given; those, and why the first that cannot was not.
    async fn provide(
        &self,
        provider: &Provider,
        person: &PersonId,
        named: &Named,
        mapped: &Mapped,
        now: Timestamp,
    ) -> Result<(Vec<Member>, Option<Error>)> {
        let (mut seated, mut refused) = (Vec::new(), None);
        for grant in &mapped.grants {
            let seat = Provide {
                org: grant.org.clone(),
                person: person.clone(),
                issuer: provider.issuer.clone(),
                email: named.email.clone(),
                name: named.name.clone(),
                role: grant.role,
                new_role: provider.rules.new_role,
                groups: grant.groups.clone(),
            };
            let is_new = self.0.store.find_seat(&grant.org, person).await?.is_none();
            let kept = self.0.store.kept_groups(&grant.org, &grant.groups).await?;
            let record = self.provided(provider, person, named, grant, &kept, is_new);
            match self.0.store.provide_seat(&seat, now, record).await? {
                Provided::Seated {
                    member,
                    before,
                    regrouped,
                } => {
                    if regrouped {
                        self.announce();
                        self.regroup(&member.org, [person.clone()]);
                    }
                    if before != Some(member.role) {
                        self.announce();
                        if before.is_some() {
                            // They come back with what they may do now.
                            self.end_attachments_of_member(&member.org, person);
                        }
                    }
                    seated.push(member);
                }
                not => refused = refused.or_else(|| Some(no_seat(&grant.org, &not))),
            }
        }
        Ok((seated, refused))
    }

    fn provided(
        &self,
        provider: &Provider,
        person: &PersonId,
        named: &Named,
        grant: &Grant,
        kept: &[String],
        is_new: bool,
    ) -> Record {
        let kind = if is_new {
            Kind::MemberJoined
        } else {
            Kind::MemberChanged
        };
        let mut detail = json!({ "email": named.email, "role": grant.role.map(Role::as_str),
            "groups": grant.groups, "provider": provider.id });
        if !kept.is_empty() {
            // Said by the provider, and decided by the directory: neither is done in silence.
            detail["left_to_the_directory"] = json!(kept);
        }
        self.by_provider(provider, kind, &grant.org, person, &named.email, detail)
    }

    /// Takes the seats away that the provider gave and gives no more.
    async fn withdraw(&self, provider: &Provider, person: &PersonId, mapped: &Mapped, now: Timestamp) -> Result<()> {
        for org in self.0.store.provided_seats(&provider.issuer, person).await? {
            if mapped.grants.iter().any(|grant| grant.org == org) {
                continue;
            }
            let why = "The identity provider says that they are in this Organization no more.";
            let detail = json!({ "provider": provider.id, "why": why });
            let record = self.by_provider(provider, Kind::MemberLeft, &org, person, "", detail);
            let Some(seat) = self.0.store.find_seat(&org, person).await? else {
                continue;
            };
            match self
                .0
                .store
                .record_leaving(&seat, &Leaving::Archive, now, record)
                .await?
            {
                // Changed or full: somebody else was at it; the next sign-in or refresh takes it up again.
                Seated::Changed | Seated::Full { .. } => {}
                Seated::Done(_) | Seated::Gone => {
                    self.end_attachments_of_member(&org, person);
                    self.announce();
                    self.sleep_sessions_of(&org, person, Rule::left).await?;
                }
                Seated::LastOwner => {
                    // The seat stays, so that the Organization keeps an owner; nobody is in by it any more.
                    tracing::warn!(
                        org = org.as_str(),
                        "the provider gives the last owner of an Organization no seat"
                    );
                    for (_, _, login) in self.logins_by(provider, person, &org).await? {
                        self.end_by_provider(&login, why).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn logins_by(
        &self,
        provider: &Provider,
        person: &PersonId,
        org: &OrgId,
    ) -> Result<Vec<(OrgId, PersonId, domain::id::LoginId)>> {
        let mut logins = self
            .0
            .store
            .logins_of(&provider.issuer, None, None, Some(person))
            .await?;
        logins.retain(|(of, _, _)| of == org);
        Ok(logins)
    }

    fn by_provider(
        &self,
        provider: &Provider,
        kind: Kind,
        org: &OrgId,
        person: &PersonId,
        actor: &str,
        detail: Value,
    ) -> Record {
        let action = kind.as_str().trim_start_matches("sandbox.");
        let entry = Entry {
            person: Some(person.clone()),
            actor: if actor.is_empty() { "system" } else { actor }.to_owned(),
            via: format!("provider:{}", provider.id),
            ..self.system_entry(org, action, person.as_str(), detail)
        };
        Record {
            audit: vec![entry],
            events: vec![self.org_event(kind, org, Some(person), person.as_str())],
        }
    }
}

/// Why there is no seat at all, as whoever arrives reads it.
fn nowhere(provider: &Provider, mapped: &Mapped) -> Error {
    let detail = if mapped.refused.is_empty() {
        let claims = provider
            .rules
            .org
            .iter()
            .map(|claim| format!("`{claim}`"))
            .collect::<Vec<_>>();
        format!(
            "{} knows you, but does not say which Organization you belong to: the claim {} is missing. Ask an admin of \
             your Organization, or whoever runs {}.",
            provider.label,
            claims.join(" or "),
            provider.label
        )
    } else {
        format!(
            "{} says that you belong to {}, which is no Organization here. Ask whoever runs this installation.",
            provider.label,
            mapped.refused.join(", ")
        )
    };
    Error::Forbidden(Problem::new("no-organization", detail))
}

fn no_seat(org: &OrgId, why: &Provided) -> Error {
    match why {
        Provided::Full { seats } => {
            let detail = format!(
                "All {seats} seats of {org} are taken or promised. Ask an admin of {org} to free one or to buy more."
            );
            Error::OverQuota(Problem::new("no-seat-left", detail))
        }
        Provided::Disabled => {
            let detail = format!("Your seat in {org} was disabled, or has ended. Ask an admin of {org}.");
            Error::Forbidden(Problem::new("seat-disabled", detail))
        }
        Provided::Closed(_) | Provided::Seated { .. } => {
            let detail = format!("The Organization {org} is closed. Ask whoever runs this installation.");
            Error::Forbidden(Problem::new("organization-closed", detail))
        }
    }
}
