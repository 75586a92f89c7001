//! What the engine asks of the post.

use anyhow::Result;
use async_trait::async_trait;
use domain::{Timestamp, id::InvitationId, invitation::Invitation};

/// A letter, ready to be sent. Whoever could read it could join: it is written at the last moment, and kept nowhere.
pub struct Mail {
    /// The same each time that the same letter is tried.
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why a letter was not taken, in words that a person may read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// It never will be: the address is refused, or the server wants other credentials.
    #[error("{0}")]
    Never(String),
    /// Later it may be.
    #[error("{0}")]
    Later(String),
}

/// What carries letters.
#[async_trait]
pub trait Post: Send + Sync {
    /// The address of this site for links in letters; `None`: nothing is posted here.
    fn site(&self) -> Option<&str>;
    /// Hands a letter over; once this returns it is the mail server's.
    async fn send(&self, mail: &Mail) -> core::result::Result<(), Unsent>;
}

/// Where letters are not sent.
pub struct NoPost;

#[async_trait]
impl Post for NoPost {
    fn site(&self) -> Option<&str> {
        None
    }

    async fn send(&self, _: &Mail) -> core::result::Result<(), Unsent> {
        Err(Unsent::Never("No mail server is configured.".to_owned()))
    }
}

/// A letter to write down beside its invitation: the link's secret, sealed, and until when it is tried.
#[derive(Clone, Debug)]
pub struct NewLetter {
    pub sealed: super::Sealed,
    pub expires_at: Timestamp,
}

/// A letter that is due; nobody else takes it for a while.
#[derive(Clone, Debug)]
pub struct DueLetter {
    pub invitation: Invitation,
    /// The name of the Organization that invites.
    pub org_name: String,
    pub sealed: super::Sealed,
    /// How often it was tried, this time included.
    pub tries: u64,
    pub expires_at: Timestamp,
}

/// What remembers letters.
#[async_trait]
pub trait Letters: Send + Sync {
    /// Takes the letter that is due longest, until `lease`, and counts the try; letters whose invitation or time is over
    /// are forgotten on the way.
    async fn take_letter(&self, now: Timestamp, lease: Timestamp) -> Result<Option<DueLetter>>;
    /// Writes what became of a letter that waits. What was sealed is forgotten unless it is tried again, at `again`.
    async fn settle_letter(
        &self,
        id: &InvitationId,
        letter: &domain::invitation::Letter,
        again: Option<Timestamp>,
    ) -> Result<()>;
}
