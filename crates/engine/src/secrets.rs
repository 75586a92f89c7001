//! Secrets: made, rotated, bound, deleted; given to sessions when they start. A value goes in, and comes out only on its
//! way to a session.

use crate::{
    Engine, Error, Result,
    ports::{Delivered, Kept, Place, Record},
};
use domain::{
    Caller, OrgId, PersonId, Problem,
    event::Kind,
    id::SecretId,
    permit::Verb,
    quota::Subject,
    secret::{self, Bindings, DELIVERY_MAX, Held, New, Recipient, SECRETS_MAX, Secret, Value},
    session::Session,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Whose secrets are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// The caller's own.
    Own,
    /// Those of an Organization and its groups.
    Org(OrgId),
}

/// What a session's secrets are opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// Its first start.
    First,
    /// A later one: what it had before it has no more.
    Again,
    /// One more shell, while the agent keeps what it has.
    Beside,
}

/// Secrets sealed anew or looked at in one transaction.
const BATCH: u32 = 100;
/// So many that cannot be read are named; the rest is counted.
const NAMED: usize = 200;

/// What resealing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// The key that all of them are sealed with now.
    pub key: String,
    pub resealed: u64,
    /// Keys that nothing is sealed with any more.
    pub spare: Vec<String>,
    /// Those that could not be opened, as sentences.
    pub unreadable: Vec<String>,
}

/// What a look at every secret came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub whole: u64,
    pub broken: u64,
    /// The first of the broken ones, as sentences.
    pub unreadable: Vec<String>,
}

impl Engine {
    /// The secrets of a shelf, by name, with the running sessions that hold them.
    pub async fn secrets(&self, caller: &Caller, shelf: &Shelf) -> Result<Vec<Held>> {
        let (org, person) = self.shelf(caller, Verb::SeeSecrets, shelf)?;
        let secrets = self.0.store.list_secrets(&org, person.as_ref()).await?;
        let mut holders = self.0.store.secret_holders(&org, person.as_ref()).await?;
        let mut held = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let (its, rest) = holders.into_iter().partition(|holder| holder.secret == secret.id);
            holders = rest;
            held.push(Held { secret, holders: its });
        }
        Ok(held)
    }

    /// One secret of a shelf.
    pub async fn secret(&self, caller: &Caller, shelf: &Shelf, id: &SecretId) -> Result<Held> {
        let (org, person) = self.shelf(caller, Verb::SeeSecrets, shelf)?;
        let secret = self.on_shelf(&org, person.as_ref(), id).await?;
        self.held(secret).await
    }

    /// The secrets of the caller's Organization and groups that are bound to them, whatever the agent or repository.
    pub async fn secrets_received(&self, caller: &Caller) -> Result<Vec<Secret>> {
        self.permit(caller, Verb::SeeSecrets)?;
        let (groups, secrets) = self.0.store.secrets_for(&caller.org, &caller.person).await?;
        let secrets = secrets.into_iter().map(|(secret, _)| secret);
        let anywhere = |secret: &Secret| {
            let bindings = Bindings {
                agents: Default::default(),
                repositories: Default::default(),
                ..secret.bindings.clone()
            };
            let bindings = if bindings.is_empty() && !secret.bindings.is_empty() {
                Bindings::everyone()
            } else {
                bindings
            };
            let to = Recipient {
                person: &caller.person,
                groups: &groups,
                agent: "",
                repository: None,
            };
            Secret {
                bindings,
                ..secret.clone()
            }
            .reaches(&to)
        };
        let mut received: Vec<_> = secrets
            .filter(|secret| !matches!(secret.owner, Subject::Person(_)) && anywhere(secret))
            .collect();
        received.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(received)
    }

    /// Makes a secret. Its value is sealed at once and never shown again.
    pub async fn create_secret(&self, caller: &Caller, shelf: &Shelf, new: New) -> Result<Held> {
        let (org, person) = self.shelf(caller, Verb::ManageSecrets, shelf)?;
        let owner = match (person, new.group.filter(|group| !group.trim().is_empty())) {
            (Some(person), None) => Subject::Person(person),
            (None, None) => Subject::Org,
            (None, Some(group)) if group.len() <= 200 => Subject::Group(group.trim().to_owned()),
            (None, Some(_)) => {
                return Err(Problem::new("invalid-group", "A group's name has at most 200 bytes.")
                    .at("group")
                    .into());
            }
            (Some(_), Some(_)) => {
                return Err(Problem::new("invalid-group", "A personal secret belongs to no group.")
                    .at("group")
                    .into());
            }
        };
        let Some(kind) = new.kind else {
            return Err(Problem::new("invalid-kind", "Say what it is: env or file.")
                .at("kind")
                .into());
        };
        let value = secret::value(kind, new.value)?;
        let bindings = new.bindings.checked(&owner)?;
        self.check_people(&org, &Bindings::default(), &bindings).await?;
        let now = self.0.clock.now();
        let made = Secret {
            id: SecretId::new(self.0.credentials.new_id(now)),
            changed_by: caller.named_in(&org).to_owned(),
            org,
            owner,
            kind,
            name: secret::name(kind, &new.name)?,
            version: 1,
            bindings,
            created_at: now,
            changed_at: now,
        };
        if self.0.store.find_org(&made.org).await?.is_none() {
            return Err(Error::no_org());
        }
        let sealed = self.0.keyring.seal(&Place::of(&made), &value)?;
        let record = self.secret_record(caller, &made, "secret.created", json!({ "bindings": made.bindings }));
        match self.0.store.record_secret(&made, &sealed, SECRETS_MAX, record).await? {
            Kept::Recorded => {
                self.announce();
                Ok(Held {
                    secret: made,
                    holders: Vec::new(),
                })
            }
            Kept::Taken => {
                let detail = format!(
                    "There is a secret {} here already. Rotate it, or choose another name.",
                    made.name
                );
                Err(Error::Conflict(Problem::new("secret-exists", detail).at("name")))
            }
            Kept::Full => {
                let detail = format!("There are {SECRETS_MAX} secrets here, as many as may be. Delete one first.");
                Err(Error::Conflict(Problem::new("too-many-secrets", detail)))
            }
        }
    }

    /// Gives a secret its next value. Sessions that start from now on get it; those that run keep the one they have.
    pub async fn rotate_secret(&self, caller: &Caller, shelf: &Shelf, id: &SecretId, value: Value) -> Result<Held> {
        let (org, person) = self.shelf(caller, Verb::ManageSecrets, shelf)?;
        let before = self.on_shelf(&org, person.as_ref(), id).await?;
        let value = secret::value(before.kind, value)?;
        let after = Secret {
            version: before.version + 1,
            changed_at: self.0.clock.now(),
            changed_by: caller.named_in(&before.org).to_owned(),
            ..before
        };
        let sealed = self.0.keyring.seal(&Place::of(&after), &value)?;
        let record = self.secret_record(caller, &after, "secret.rotated", json!({}));
        if !self.0.store.rotate_secret(&after, &sealed, record).await? {
            let detail = "Somebody else changed this secret at the same time. Look at it again, then retry.";
            return Err(Error::Conflict(Problem::new("secret-changed", detail)));
        }
        self.announce();
        self.held(after).await
    }

    /// Binds a secret anew, whole. Sessions that run keep what they have.
    pub async fn bind_secret(&self, caller: &Caller, shelf: &Shelf, id: &SecretId, bindings: Bindings) -> Result<Held> {
        let (org, person) = self.shelf(caller, Verb::ManageSecrets, shelf)?;
        let before = self.on_shelf(&org, person.as_ref(), id).await?;
        let bindings = bindings.checked(&before.owner)?;
        if bindings == before.bindings {
            return self.held(before).await;
        }
        self.check_people(&org, &before.bindings, &bindings).await?;
        let action = if bindings.is_empty() {
            "secret.unbound"
        } else {
            "secret.bound"
        };
        let detail = json!({ "before": before.bindings, "after": bindings });
        let after = Secret {
            bindings,
            changed_at: self.0.clock.now(),
            changed_by: caller.named_in(&before.org).to_owned(),
            ..before
        };
        let record = self.secret_record(caller, &after, action, detail);
        let changed = (after.changed_at, after.changed_by.as_str());
        if !self
            .0
            .store
            .bind_secret(&org, id, &after.bindings, changed, record)
            .await?
        {
            return Err(no_secret());
        }
        self.announce();
        self.held(after).await
    }

    /// Forgets a secret; one that is gone already is no error. Sessions that run keep what they have.
    pub async fn delete_secret(&self, caller: &Caller, shelf: &Shelf, id: &SecretId) -> Result<()> {
        let (org, person) = self.shelf(caller, Verb::ManageSecrets, shelf)?;
        let secret = match self.on_shelf(&org, person.as_ref(), id).await {
            Err(Error::NotFound(_)) => return Ok(()),
            secret => secret?,
        };
        let record = self.secret_record(caller, &secret, "secret.deleted", json!({}));
        if self.0.store.delete_secret(&org, id, record).await? {
            self.announce();
        }
        Ok(())
    }

    /// Opens what a session receives, and notes that it holds it.
    pub(crate) async fn deliver(&self, session: &Session, what_for: For) -> Result<Vec<Delivered>> {
        let (groups, secrets) = self.0.store.secrets_for(&session.org, &session.owner).await?;
        let base = self.0.options.git_base.as_deref();
        let repository = session.repo.as_deref().and_then(|repo| secret::location(repo, base));
        let to = Recipient {
            person: &session.owner,
            groups: &groups,
            agent: &session.agent,
            repository: repository.as_deref(),
        };
        let given = secret::resolve(secrets.iter().map(|(secret, _)| secret), &to);
        let (mut delivered, mut held, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for secret in given {
            let Some((_, sealed)) = secrets.iter().find(|(other, _)| other.id == secret.id) else {
                continue;
            };
            let value = self.0.keyring.open(&Place::of(secret), sealed).map_err(|why| {
                tracing::error!(secret = %secret.id, org = %secret.org, %why, "a secret cannot be read");
                let detail = format!(
                    "The secret {} cannot be read: {why}. Tell whoever runs this server.",
                    secret.name
                );
                Error::Unavailable(Problem::new("secret-unreadable", detail))
            })?;
            held.push((secret.id.clone(), secret.version));
            told.push(json!({ "name": secret.name, "version": secret.version, "owner": secret.owner }));
            delivered.push(Delivered {
                kind: secret.kind,
                name: secret.name.clone(),
                value,
            });
        }
        let bytes: usize = delivered.iter().map(|given| given.value.expose().len()).sum();
        if bytes > DELIVERY_MAX {
            let detail = format!(
                "The secrets of this session are {} KiB together; a session takes at most {}. Bind fewer to it.",
                bytes >> 10,
                DELIVERY_MAX >> 10
            );
            return Err(Error::Conflict(Problem::new("too-many-secrets", detail)));
        }
        // A session that never had any has nothing to be noted.
        if !held.is_empty() || what_for == For::Again {
            let record = Record {
                audit: match told.is_empty() {
                    true => Vec::new(),
                    false => vec![self.system_entry(
                        &session.org,
                        "secret.delivered",
                        session.id.as_str(),
                        json!({ "secrets": told, "to": session.owner_email }),
                    )],
                },
                events: Vec::new(),
            };
            let (now, beside) = (self.0.clock.now(), what_for == For::Beside);
            self.0.store.record_held(session, &held, beside, now, record).await?;
        }
        Ok(delivered)
    }

    /// Seals everything with the first key, a batch at a time; what was done stays done. Asked by whoever runs the
    /// machine, while servers run.
    pub async fn rekey_secrets(&self) -> Result<Rekeyed> {
        let keys = self.0.keyring.keys()?;
        let key = keys.first().cloned().unwrap_or_default();
        let mut done = Rekeyed {
            key: key.clone(),
            ..Rekeyed::default()
        };
        let mut after = None;
        loop {
            let batch = self.0.store.sealed_secrets(Some(&key), after.as_ref(), BATCH).await?;
            let Some((last, _)) = batch.last() else { break };
            after = Some(last.id.clone());
            let mut by_org: BTreeMap<OrgId, Vec<_>> = BTreeMap::new();
            for (secret, sealed) in batch {
                match self.0.keyring.open(&Place::of(&secret), &sealed) {
                    Ok(value) => {
                        let anew = self.0.keyring.seal(&Place::of(&secret), &value)?;
                        by_org
                            .entry(secret.org.clone())
                            .or_default()
                            .push((secret.id, sealed, anew));
                    }
                    Err(why) => done.unreadable.push(unreadable(&secret, &why)),
                }
            }
            // Each Organization's by itself, with the entry that says so.
            for (org, resealed) in by_org {
                let entry = self.system_entry(&org, "secret.resealed", "", json!({ "by": "sandbox secrets rekey" }));
                done.resealed += self.0.store.reseal(&resealed, entry).await?;
            }
        }
        let used = self.0.store.sealing_keys().await?;
        done.spare = keys.into_iter().filter(|key| *key != done.key).collect();
        done.spare.retain(|key| used.iter().all(|(used, _)| used != key));
        Ok(done)
    }

    /// Opens every secret and forgets it again: what cannot be read is named.
    pub async fn check_secrets(&self) -> Result<Checked> {
        let (mut checked, mut after) = (Checked::default(), None);
        loop {
            let batch = self.0.store.sealed_secrets(None, after.as_ref(), BATCH).await?;
            let Some((last, _)) = batch.last() else { break };
            after = Some(last.id.clone());
            for (secret, sealed) in &batch {
                match self.0.keyring.open(&Place::of(secret), sealed) {
                    Ok(_) => checked.whole += 1,
                    Err(why) => {
                        checked.broken += 1;
                        if checked.unreadable.len() < NAMED {
                            checked.unreadable.push(unreadable(secret, &why));
                        }
                    }
                }
            }
        }
        Ok(checked)
    }

    /// The keys that secrets are sealed with and the server has not got, with how many secrets need each.
    pub async fn missing_keys(&self) -> Result<Vec<(String, u64)>> {
        let keys = self.0.keyring.keys()?;
        let mut used = self.0.store.sealing_keys().await?;
        used.retain(|(key, _)| !keys.contains(key));
        Ok(used)
    }

    /// The Organization, and the person where the shelf is theirs.
    fn shelf(&self, caller: &Caller, verb: Verb, shelf: &Shelf) -> Result<(OrgId, Option<PersonId>)> {
        match shelf {
            Shelf::Own => {
                self.permit(caller, verb)?;
                Ok((caller.org.clone(), Some(caller.person.clone())))
            }
            Shelf::Org(org) => {
                self.govern(caller, verb, org)?;
                Ok((org.clone(), None))
            }
        }
    }

    /// The secret, where it is on this shelf.
    async fn on_shelf(&self, org: &OrgId, person: Option<&PersonId>, id: &SecretId) -> Result<Secret> {
        let secret = self.0.store.find_secret(org, id).await?;
        let owned = |secret: &Secret| match &secret.owner {
            Subject::Person(owner) => Some(owner) == person,
            Subject::Org | Subject::Group(_) => person.is_none(),
        };
        secret.filter(owned).ok_or_else(no_secret)
    }

    async fn held(&self, secret: Secret) -> Result<Held> {
        let person = match &secret.owner {
            Subject::Person(person) => Some(person),
            Subject::Org | Subject::Group(_) => None,
        };
        let mut holders = self.0.store.secret_holders(&secret.org, person).await?;
        holders.retain(|holder| holder.secret == secret.id);
        Ok(Held { secret, holders })
    }

    /// Refuses to bind a secret to somebody who has no seat.
    async fn check_people(&self, org: &OrgId, before: &Bindings, after: &Bindings) -> Result<()> {
        for person in after.people.difference(&before.people) {
            if self.0.store.find_seat(org, person).await?.is_none() {
                let detail = "One of the people is no member of this Organization. Choose among its members.";
                return Err(Problem::new("invalid-binding", detail).at("people").into());
            }
        }
        Ok(())
    }

    /// What is written beside a change of a secret: its name and version, never its value.
    fn secret_record(&self, caller: &Caller, secret: &Secret, action: &str, detail: Json) -> Record {
        let mut all = json!({
            "name": secret.name, "kind": secret.kind, "version": secret.version, "owner": secret.owner,
        });
        if let (Some(all), Json::Object(detail)) = (all.as_object_mut(), detail) {
            all.extend(detail);
        }
        let person = match &secret.owner {
            Subject::Person(person) => Some(person),
            Subject::Org | Subject::Group(_) => None,
        };
        let mut record = self.org_record(
            caller,
            &secret.org,
            Kind::SecretChanged,
            person,
            secret.id.as_str(),
            all,
        );
        for entry in &mut record.audit {
            entry.action = action.to_owned();
        }
        record
    }
}

fn no_secret() -> Error {
    let detail = "There is no such secret, or it is not yours to see.";
    Error::NotFound(Problem::new("no-such-secret", detail))
}

fn unreadable(secret: &Secret, why: &crate::ports::Unreadable) -> String {
    let owner = match &secret.owner {
        Subject::Org => secret.org.to_string(),
        Subject::Group(group) => format!("the group {group} of {}", secret.org),
        Subject::Person(person) => format!("the person {person} in {}", secret.org),
    };
    format!(
        "The secret {} of {owner} ({}) cannot be read: {why}.",
        secret.name, secret.id
    )
}
