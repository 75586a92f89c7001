//! What the engine asks of the store about secrets.

use super::{Record, Sealed};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    audit::Entry,
    id::SecretId,
    secret::{self, Bindings, Holder, Secret, Value},
    session::Session,
};
use std::collections::BTreeSet;

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

/// What is remembered of secrets, sealed, and of who holds them.
#[async_trait]
pub trait Secrets: Send + Sync {
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
}
