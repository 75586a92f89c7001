//! What the engine asks of the store about sign-in links and logins.

use super::{Hash, Member, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{OrgId, PersonId, Timestamp, id::LoginId, login::Login};

/// A login to remember.
#[derive(Clone, Debug)]
pub struct NewLogin {
    pub login: Login,
    pub hash: Hash,
}

/// What is remembered of sign-in links and logins.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Remembers a one-time sign-in link.
    async fn record_sign_in_link(
        &self,
        hash: &Hash,
        member: &Member,
        expires_at: Timestamp,
        record: Record,
    ) -> Result<()>;
    /// Uses up a link that is neither used nor expired and remembers the login that it gives.
    async fn redeem_sign_in_link(&self, link: &Hash, login: &NewLogin, now: Timestamp) -> Result<Option<Member>>;
    /// The login of a cookie, unless it is expired or ended.
    async fn find_login(&self, cookie: &Hash, now: Timestamp) -> Result<Option<(Login, Member)>>;
    /// Notes that a login was used and moves its expiry.
    async fn touch_login(&self, login: &LoginId, seen_at: Timestamp, expires_at: Timestamp) -> Result<()>;
    /// A person's logins that still hold, latest seen first, at most 100.
    async fn list_logins(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Vec<Login>>;
    /// Ends a login; whether there was one.
    async fn end_login(&self, org: &OrgId, person: &PersonId, login: &LoginId, record: Record) -> Result<bool>;
}
