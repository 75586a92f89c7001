//! An Organization's directory: the tokens by which it is known, and what it does to seats and groups (SCIM 2.0).
//!
//! A directory is no person: its verbs take a [`Directory`], and reach the one Organization that its token belongs to. Of a
//! seat that it keeps, it says who it is, whether it is active, and, where it does, the role; an identity provider proves
//! who signs in, and gives a role only where the directory says none. A group that it keeps is its alone.

mod groups;
mod users;

pub use groups::{GroupChange, GroupCheck};
pub use users::{UserChange, UserCheck};

use crate::{Engine, Error, Result, ports::Record};
use domain::{
    Caller, OrgId, PersonId, Problem,
    audit::Entry,
    directory::{self, Directory, DirectoryToken, MintedDirectory, TOKENS_MAX},
    event::Kind,
    id::TokenId,
    permit::Verb,
};
use serde_json::{Value, json};

/// A change is tried so often where somebody else is at the same thing.
const TRIES: usize = 5;

impl Engine {
    /// What time it is here.
    pub fn now(&self) -> domain::Timestamp {
        self.0.clock.now()
    }

    /// The tokens of an Organization's directory, newest first; revoked and expired ones too.
    pub async fn directory_tokens(&self, caller: &Caller, org: &OrgId) -> Result<Vec<DirectoryToken>> {
        self.govern(caller, Verb::ManageDirectory, org)?;
        Ok(self.0.store.list_directory_tokens(org).await?)
    }

    /// Makes a token for the Organization's directory; its secret is shown this once. The directory acts with the rank of
    /// whoever makes it, at most as an owner.
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
            created_at: now,
            expires_at: now.plus_seconds(days * 24 * 3600),
            used_at: None,
            revoked_at: None,
        };
        let detail = json!({ "name": token.name, "rank": token.rank.as_str(), "expires_at": token.expires_at });
        let record = self.token_record(caller, org, "directory.token-minted", &token.id, detail);
        let (store, hash) = (&self.0.store, &secret.hash);
        if !store
            .record_directory_token(org, &token, hash, TOKENS_MAX, record)
            .await?
        {
            let detail = format!("The directory has {TOKENS_MAX} tokens, as many as it may. Revoke one first.");
            return Err(Error::Conflict(Problem::new("too-many-tokens", detail)));
        }
        self.announce();
        Ok(MintedDirectory {
            secret: secret.text,
            token,
        })
    }

    /// Revokes a token of the directory at once; one that is gone already is no error.
    pub async fn revoke_directory_token(&self, caller: &Caller, org: &OrgId, token: &TokenId) -> Result<()> {
        self.govern(caller, Verb::ManageDirectory, org)?;
        let tokens = self.0.store.list_directory_tokens(org).await?;
        let name = tokens.into_iter().find(|one| one.id == *token).map(|one| one.name);
        let record = self.token_record(caller, org, "directory.token-revoked", token, json!({ "name": name }));
        let now = self.0.clock.now();
        if self.0.store.revoke_directory_token(org, token, now, record).await? {
            self.announce();
        }
        Ok(())
    }

    /// The directory that a secret stands for, while it holds. It opens nothing else, and nothing else opens what it does.
    pub async fn directory_of_token(&self, secret: &str) -> Result<Option<Directory>> {
        let now = self.0.clock.now();
        let hash = self.0.credentials.hash(secret);
        let Some((token, org)) = self.0.store.find_directory_token(&hash, now).await? else {
            return Ok(None);
        };
        // To the minute is enough for "last used", and spares a write for every request.
        if token.used_at.is_none_or(|used| now.seconds_since(used) >= 60) {
            self.0.store.touch_directory_token(&token.id, now).await?;
        }
        Ok(Some(Directory {
            token: token.id,
            name: token.name,
            org,
            rank: token.rank,
            request: None,
            address: None,
        }))
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
