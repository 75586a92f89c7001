//! What the engine asks of the store about access tokens.

use super::{Hash, Member, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Timestamp,
    id::TokenId,
    page::Page,
    pass::{self, ListPasses, Pass},
    token::Token,
};

/// What is remembered of access tokens, and of all that lets members in.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Remembers a token, unless the person holds `most` already; whether it did.
    async fn record_token(
        &self,
        member: &Member,
        token: &Token,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<bool>;
    /// The token of this secret, unless it is expired or revoked.
    async fn find_token(&self, secret: &Hash, now: Timestamp) -> Result<Option<(Token, Member)>>;
    /// Notes that a token was used.
    async fn touch_token(&self, token: &TokenId, used_at: Timestamp) -> Result<()>;
    /// A person's tokens, newest first, at most 200; revoked and expired ones too.
    async fn list_tokens(&self, org: &OrgId, person: &PersonId) -> Result<Vec<Token>>;
    /// Revokes a token; whether there was one that held.
    async fn revoke_token(
        &self,
        org: &OrgId,
        person: &PersonId,
        token: &TokenId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;

    /// A page of what lets the members of an Organization in, newest first; what holds no more where it is asked for.
    async fn list_passes(&self, org: &OrgId, ask: &ListPasses, now: Timestamp) -> Result<Page<Pass>>;
    /// One of them, also one that holds no more.
    async fn find_pass(&self, org: &OrgId, kind: pass::Kind, id: &str) -> Result<Option<Pass>>;
}
