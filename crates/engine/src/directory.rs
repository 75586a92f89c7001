//! An Organization's directory: the tokens by which it is known, and what it does to seats and groups (SCIM 2.0).
//!
//! A directory is no person: its verbs take a [`Directory`], and reach the one Organization that its token belongs to. Of a
//! seat that it keeps, it says who it is, whether it is active, and, where it does, the role; an identity provider proves
//! who signs in, and gives a role only where the directory says none. A group that it keeps is its alone.

mod groups;
mod search;
mod users;

pub use groups::{GroupChange, GroupCheck};
pub use search::Found;
pub use users::{UserChange, UserCheck};

use crate::{
    Engine, Error, Result,
    ports::{HeldToken, Record},
};
use domain::{
    Caller, OrgId, PersonId, Problem, Role, Timestamp,
    audit::Entry,
    directory::{self, Directory, DirectoryToken, MintedDirectory, TOKENS_MAX},
    event::Kind,
    id::TokenId,
    permit::Verb,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

/// A change is tried so often where somebody else is at the same thing.
const TRIES: usize = 5;

impl Engine {
    /// What time it is here.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The tokens of an Organization's directory, newest first; revoked and expired ones too. Those that hold are told as
    /// they stand now: with the rank that they have today, and whether they rest, used since or not.
    pub async fn directory_tokens(&self, caller: &Caller, org: &OrgId) -> Result<Vec<DirectoryToken>> {
        self.govern(caller, Verb::ManageDirectory, org)?;
        let now = self.0.clock.now();
        let found = self.0.store.list_directory_tokens(org).await?;
        let makers = self.makers_today(org, &found, now).await?;
        let mut tokens = Vec::new();
        for mut held in found {
            if held.token.holds(now) {
                let rank = rank_today(&held, &makers);
                held.token.rests_since = match rank {
                    Some(_) => None,
                    None => held.token.rests_since.or(Some(now)),
                };
                held.token.rank = rank.unwrap_or(held.token.rank);
            }
            tokens.push(held.token);
        }
        Ok(tokens)
    }

    /// Makes a token for the Organization's directory; its secret is shown this once. The directory acts with the rank of
    /// whoever makes it, at most as an owner, and for as long as they govern.
    pub async fn mint_directory_token(
        &self,
        caller: &Caller,
        org: &OrgId,
        name: &str,
        days: Option<i64>,
    ) -> Result<MintedDirectory> {
        self.govern(caller, Verb::ManageDirectory, org)?;
        let (name, days) = directory::checked(name, days)?;
        if self.0.store.find_org(org).await?.is_none() {
            return Err(Error::no_org());
        }
        let now = self.0.clock.now();
        let secret = self.0.credentials.mint("sbd_");
        let token = DirectoryToken {
            id: TokenId::new(self.0.credentials.new_id(now)),
            name,
            rank: directory::rank(caller.role),
            made_by: caller.named_in(org).to_owned(),
            held: true,
            created_at: now,
            expires_at: now.plus_seconds(days * 24 * 3600),
            used_at: None,
            revoked_at: None,
            rests_since: None,
        };
        let detail = json!({ "name": token.name, "rank": token.rank.as_str(), "expires_at": token.expires_at });
        let record = self.token_record(caller, org, "directory.token-minted", &token.id, detail);
        let (store, hash) = (&self.0.store, &secret.hash);
        let maker = Some(caller.person.clone());
        let held = HeldToken { token, maker };
        if !store
            .record_directory_token(org, &held, hash, TOKENS_MAX, record)
            .await?
        {
            let detail = format!("The directory has {TOKENS_MAX} tokens, as many as it may. Revoke one first.");
            return Err(Error::Conflict(Problem::new("too-many-tokens", detail)));
        }
        self.announce();
        Ok(MintedDirectory {
            secret: secret.text,
            token: held.token,
        })
    }

    /// Revokes a token of the directory at once; one that is gone already is no error.
    pub async fn revoke_directory_token(&self, caller: &Caller, org: &OrgId, token: &TokenId) -> Result<()> {
        self.govern(caller, Verb::ManageDirectory, org)?;
        let tokens = self.0.store.list_directory_tokens(org).await?;
        let found = tokens.into_iter().find(|one| one.token.id == *token);
        let name = found.map(|found| found.token.name);
        let record = self.token_record(caller, org, "directory.token-revoked", token, json!({ "name": name }));
        let now = self.0.clock.now();
        if self.0.store.revoke_directory_token(org, token, now, record).await? {
            self.announce();
        }
        Ok(())
    }

    /// Makes a token go by the caller's word in place of its maker's, with the caller's rank: whoever made it governs no
    /// more, or is about to leave, or is not known. Its secret and its end stay; whoever knew the secret knows it still.
    pub async fn take_over_directory_token(
        &self,
        caller: &Caller,
        org: &OrgId,
        token: &TokenId,
    ) -> Result<DirectoryToken> {
        self.govern(caller, Verb::ManageDirectory, org)?;
        let now = self.0.clock.now();
        let tokens = self.0.store.list_directory_tokens(org).await?;
        let Some(was) = tokens.into_iter().find(|one| one.token.id == *token) else {
            let detail = "The directory of this Organization has no such token.";
            return Err(Error::NotFound(Problem::new("no-such-token", detail)));
        };
        if !was.token.holds(now) {
            let detail = "This token was revoked or has ended. Make a new one.";
            return Err(Error::Conflict(Problem::new("token-over", detail)));
        }
        let token = HeldToken {
            token: DirectoryToken {
                rank: directory::rank(caller.role),
                made_by: caller.named_in(org).to_owned(),
                held: true,
                rests_since: None,
                ..was.token.clone()
            },
            maker: Some(caller.person.clone()),
        };
        if token == was {
            return Ok(was.token);
        }
        let shown = |token: &DirectoryToken| json!({ "maker": token.made_by, "rank": token.rank.as_str() });
        let detail = json!({ "name": was.token.name, "before": shown(&was.token), "after": shown(&token.token) });
        let record = self.token_record(caller, org, "directory.token-taken-over", &was.token.id, detail);
        if !self
            .0
            .store
            .hand_directory_token(org, &was, &token, now, record)
            .await?
        {
            let detail = "Somebody else has revoked this token or taken it over meanwhile. Look at it again.";
            return Err(Error::Conflict(Problem::new("token-changed", detail)));
        }
        self.announce();
        Ok(token.token)
    }

    /// The directory that a secret stands for, while it holds. It opens nothing else, and nothing else opens what it does. It
    /// does no more than its maker may today; where they govern no more, it rests, which is the error.
    pub async fn directory_of_token(&self, secret: &str) -> Result<Option<Directory>> {
        let now = self.0.clock.now();
        let hash = self.0.credentials.hash(secret);
        let Some((held, org)) = self.0.store.find_directory_token(&hash, now).await? else {
            return Ok(None);
        };
        let makers = self.makers_today(&org, slice::from_ref(&held), now).await?;
        let rank = rank_today(&held, &makers);
        self.note_rest(&org, &held, rank.is_none().then_some(now)).await?;
        let token = held.token;
        let Some(rank) = rank else {
            let detail = format!(
                "This token rests: it works by the word of {}, who no longer governs this Organization. Any of its owners and \
                 admins can take it over in its settings, under Directory (SCIM); it goes on with the same secret then.",
                token.made_by
            );
            return Err(Error::Rests(Problem::new("token-rests", detail)));
        };
        // To the minute is enough for "last used", and spares a write for every request.
        if token.used_at.is_none_or(|used| now.seconds_since(used) >= 60) {
            self.0.store.touch_directory_token(&token.id, now).await?;
        }
        Ok(Some(Directory {
            token: token.id,
            name: token.name,
            org,
            rank,
            request: None,
            address: None,
        }))
    }

    /// Tells of the tokens that somebody made whether they rest now, because what they are has changed. Of what changes by
    /// time alone it is told when the directory asks next.
    pub(crate) async fn note_rest_of(&self, org: &OrgId, person: &PersonId) -> Result<()> {
        let now = self.0.clock.now();
        let mut tokens = self.0.store.list_directory_tokens(org).await?;
        tokens.retain(|held| held.maker.as_ref() == Some(person) && held.token.holds(now));
        let makers = self.makers_today(org, &tokens, now).await?;
        for held in &tokens {
            let rests = rank_today(held, &makers).is_none();
            self.note_rest(org, held, rests.then_some(now)).await?;
        }
        Ok(())
    }

    /// What whoever made these tokens is to the Organization now, asked for all of them at once.
    async fn makers_today(
        &self,
        org: &OrgId,
        tokens: &[HeldToken],
        now: Timestamp,
    ) -> Result<BTreeMap<PersonId, Role>> {
        let makers: BTreeSet<_> = tokens.iter().filter_map(|held| held.maker.clone()).collect();
        let makers: Vec<_> = makers.into_iter().collect();
        Ok(self.0.store.roles_over(org, &makers, now).await?)
    }

    /// Tells it once when a token begins to rest, and when it works again.
    async fn note_rest(&self, org: &OrgId, held: &HeldToken, since: Option<Timestamp>) -> Result<()> {
        let token = &held.token;
        if token.rests_since.is_some() == since.is_some() {
            return Ok(());
        }
        let action = match since {
            Some(_) => "directory.token-rested",
            None => "directory.token-works-again",
        };
        let detail = json!({ "name": token.name, "maker": token.made_by });
        let record = Record {
            audit: vec![self.system_entry(org, action, token.id.as_str(), detail)],
            events: vec![self.org_event(Kind::DirectoryChanged, org, None, token.id.as_str())],
        };
        if self.0.store.rest_directory_token(held, since, record).await? {
            self.announce();
        }
        Ok(())
    }

    fn token_record(&self, caller: &Caller, org: &OrgId, action: &str, token: &TokenId, detail: Value) -> Record {
        let mut record = self.org_record(caller, org, Kind::DirectoryChanged, None, token.as_str(), detail);
        for entry in &mut record.audit {
            entry.action = action.to_owned();
        }
        record
    }

    /// What is written beside something that a directory does.
    fn by_directory(
        &self,
        directory: &Directory,
        kind: Kind,
        action: &str,
        person: Option<&PersonId>,
        target: &str,
        detail: Value,
    ) -> Record {
        let entry = Entry {
            actor: format!("directory {}", directory.name),
            via: format!("directory:{}", directory.token),
            role: Some(directory.rank.as_str().to_owned()),
            address: directory.address.clone(),
            request: directory.request.clone(),
            ..self.system_entry(&directory.org, action, target, detail)
        };
        Record {
            audit: vec![entry],
            events: vec![self.org_event(kind, &directory.org, person, target)],
        }
    }
}

/// Another has it already.
fn taken(attribute: &str) -> Error {
    let detail = format!("Another one in this Organization has this {attribute} already.");
    Error::Conflict(Problem::new("uniqueness", detail).at(attribute))
}

/// It is not what whoever asked has seen.
fn not_as_seen() -> Error {
    let detail = "It was changed since you read it. Read it again, then retry.";
    Error::Conflict(Problem::new("precondition-failed", detail))
}

fn busy() -> Error {
    let detail = "Somebody else changes the same thing at the moment. Try again.";
    Error::Unavailable(Problem::new("busy", detail))
}

/// As whom a token acts now, by what its makers are; `None`: it rests.
fn rank_today(held: &HeldToken, makers: &BTreeMap<PersonId, Role>) -> Option<Role> {
    match &held.maker {
        None => Some(held.token.rank),
        Some(maker) => directory::rank_today(held.token.rank, makers.get(maker).copied()),
    }
}
