//! Whether people are still who their providers said: asked again from time to time, and what follows where they are not.

use super::{ASKED_AT_ONCE, CLAIM_SECONDS, GRACE_SECONDS, Standing, held};
use crate::{
    Engine, Result,
    ports::{Held, Proven, Provider, Record, Refreshed, Refusal},
};
use domain::{Caller, OrgId, PersonId, Timestamp, audit::Entry, id::LoginId};
use futures::StreamExt as _;
use serde_json::json;

impl Engine {
    /// Asks the provider of a login again, where that is due. While the provider does not answer the login holds for a
    /// while. Where it says that it is over, and no other login of theirs is proven either, their tokens rest.
    pub(crate) async fn still_proven(&self, login: &LoginId) -> Result<Standing> {
        let now = self.0.clock.now();
        let (standing, refused) = self.ask_again(login, now).await?;
        if let Some(held) = refused {
            self.lost(&held, now).await?;
        }
        Ok(standing)
    }

    /// Asks for whoever uses a token, where a login of theirs is due: a program has no browser in which it would be. A
    /// token rests also where all logins of its holder have merely ended, and no provider has proven them for long.
    pub(crate) async fn prove_holder(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<()> {
        for login in self.0.store.due_logins(org, person, now).await? {
            self.still_proven(&login).await?;
        }
        if !self.is_unconfirmed(org, person, now).await? || self.0.store.is_in_by_link(person, now).await? {
            return Ok(());
        }
        let why = format!(
            "No identity provider that stands behind the seat has proven them for {} days. Their tokens rest until they \
             sign in with one again.",
            self.0.options.confirm_days
        );
        let entry = Entry {
            person: Some(person.clone()),
            ..self.system_entry(org, "token.rested", person.as_str(), json!({ "why": why }))
        };
        let record = Record {
            audit: vec![entry],
            events: Vec::new(),
        };
        if self.0.store.record_unproven(org, person, "", now, record).await? {
            self.end_attachments_of_member(org, person);
        }
        Ok(())
    }

    /// Whether a seat stands behind which there are providers, and none of them has proven the person lately enough. A
    /// seat answers to whoever gave it: what another provider proves does not stand in for it.
    pub(crate) async fn is_unconfirmed(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<bool> {
        let most = i64::from(self.0.options.confirm_days) * 24 * 3600;
        let confirmed = self.0.store.confirmed(org, person).await?;
        Ok(confirmed.is_some_and(|at| at.is_none_or(|at| now.seconds_since(at) > most)))
    }

    /// What became of a login; and what was kept of it, where its provider has just refused it.
    async fn ask_again(&self, login: &LoginId, now: Timestamp) -> Result<(Standing, Option<Held>)> {
        let Some(due) = self.0.store.refresh_due(login).await?.filter(|due| *due <= now) else {
            return Ok((Standing::Holds, None));
        };
        let patient = match now.seconds_since(due) < GRACE_SECONDS {
            true => Standing::Holds,
            false => Standing::Ended,
        };
        let until = now.plus_seconds(CLAIM_SECONDS);
        let Some(held) = self.0.store.claim_refresh(login, now, until).await? else {
            // Somebody else is at it, or was and got no answer.
            return Ok((patient, None));
        };
        match self
            .0
            .providers
            .refresh(&held.provider, &held.subject, &held.kept)
            .await
        {
            Ok(Refreshed::Proven(proven)) => Ok((self.refreshed(held, *proven, now).await?, None)),
            Ok(Refreshed::Ended) => {
                self.end_by_provider(login, "its identity provider has ended it")
                    .await?;
                Ok((Standing::Ended, Some(held)))
            }
            Err(error) => match error.downcast_ref::<Refusal>() {
                Some(Refusal::Unavailable(_)) => Ok((patient, None)),
                Some(refusal) => {
                    // What the provider says cannot be believed, or the provider is configured no more.
                    self.end_by_provider(login, &refusal.to_string()).await?;
                    Ok((Standing::Ended, None))
                }
                None => Err(error.into()),
            },
        }
    }

    /// The provider has refused a login: where it refuses every other of theirs too, it stands behind their seats no more.
    /// Where nobody else does, and they are not signed in without a provider, the tokens that they hold there rest. A
    /// session that merely ended there costs nobody more than signing in again; an account that was disabled there opens
    /// nothing here.
    async fn lost(&self, refused: &Held, now: Timestamp) -> Result<()> {
        let Held { issuer, subject, .. } = refused;
        let Some(person) = self.0.store.find_identity(issuer, subject).await? else {
            return Ok(());
        };
        self.0.store.hasten(issuer, subject, now).await?;
        loop {
            let others = self.0.store.logins_of(issuer, Some(subject), None, None).await?;
            if others.is_empty() {
                break;
            }
            for (_, _, other) in others {
                if self.ask_again(&other, now).await?.0 != Standing::Ended {
                    return Ok(());
                }
                // Also where the time to wait for its provider is over: it is not asked here again and again.
                self.end_by_provider(&other, "its identity provider has ended it")
                    .await?;
            }
        }
        self.0.store.disown(issuer, subject).await?;
        for org in self.0.store.seats_behind(issuer, &person).await? {
            if !self.is_unconfirmed(&org, &person, now).await? || self.0.store.is_in_by_link(&person, now).await? {
                continue;
            }
            let detail = json!({
                "provider": refused.provider, "subject": subject,
                "why": "The identity provider says no more that they are who they were. Their tokens rest until they sign in \
                        with it again.",
            });
            let entry = Entry {
                person: Some(person.clone()),
                via: format!("provider:{}", refused.provider),
                ..self.system_entry(&org, "token.rested", person.as_str(), detail)
            };
            let record = Record {
                audit: vec![entry],
                events: Vec::new(),
            };
            if self.0.store.record_unproven(&org, &person, issuer, now, record).await? {
                self.end_attachments_of_member(&org, &person);
            }
        }
        Ok(())
    }

    /// What is to be written where somebody's tokens rested, and they sign in with that provider again.
    pub(super) async fn proven_again(&self, provider: &Provider, caller: &Caller) -> Result<Vec<Entry>> {
        let orgs = self.0.store.unproven_in(&provider.issuer, &caller.person).await?;
        let entry = |org: OrgId| Entry {
            person: Some(caller.person.clone()),
            via: format!("provider:{}", provider.id),
            ..self.system_entry(
                &org,
                "token.works-again",
                caller.person.as_str(),
                json!({ "provider": provider.id }),
            )
        };
        Ok(orgs.into_iter().map(entry).collect())
    }

    async fn refreshed(&self, before: Held, proven: Proven, now: Timestamp) -> Result<Standing> {
        let provider = self.provider(&before.provider)?;
        let said_nothing = proven.claims.is_null();
        let fresh = Proven {
            claims: if said_nothing { before.claims } else { proven.claims },
            sid: proven.sid.or(before.sid),
            ..proven
        };
        let (login, was_narrowed) = (before.login, before.narrowed);
        if !said_nothing && !self.seat_again(&provider, &fresh, now).await? {
            self.end_by_provider(&login, "nothing is left of what its identity provider gave")
                .await?;
            return Ok(Standing::Ended);
        }
        let now_held = held(login.clone(), &provider, fresh, now);
        self.0.store.record_refreshed(&now_held).await?;
        if now_held.narrowed != was_narrowed {
            // Whoever is attached by it comes back with what it may do now.
            self.end_attachments_of_login(&login);
        }
        let person = self.0.store.find_identity(&now_held.issuer, &now_held.subject).await?;
        if let (Some(org), Some(person)) = (self.0.store.org_of_login(&login).await?, person)
            && self.is_unconfirmed(&org, &person, now).await?
        {
            let why = "the provider that gave the seat has not proven them for long";
            self.end_by_provider(&login, why).await?;
            return Ok(Standing::Ended);
        }
        Ok(Standing::Renewed)
    }

    /// Asks again for everybody who is attached: who only looks at a terminal makes no requests.
    pub(crate) async fn prove_attached(&self) {
        let logins = futures::stream::iter(self.attached_logins());
        let ask = async |login| {
            if let Err(error) = self.still_proven(&login).await {
                tracing::warn!(error = format!("{error:#}"), "a login could not be proven again");
            }
        };
        logins.for_each_concurrent(ASKED_AT_ONCE, ask).await;
    }
}
