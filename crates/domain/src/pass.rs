//! Passes: what lets a member in again without anybody asking who they are. An access token, or a signed-in browser.

use crate::{PersonId, Role, Timestamp};
use serde::{Deserialize, Serialize};

/// What sort of pass it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A personal access token; a device that was signed in holds one too.
    #[default]
    Token,
    /// A browser that is signed in.
    Browser,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Token, Self::Browser];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Browser => "browser",
        }
    }

    /// Reads [`Kind::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A pass as those see it who govern the Organization: never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub kind: Kind,
    /// The token's id, or the login's.
    pub id: String,
    /// What the token is called, or what the browser said it is.
    pub label: String,
    /// Where a browser signed in from; empty for a token.
    pub address: String,
    /// How many capabilities a token has; 0 for a browser, which may all that its person may.
    pub rights: u64,
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub created_at: Timestamp,
    /// To the minute.
    pub used_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl Pass {
    /// Whether it lets anybody in at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
}

/// Which passes of an Organization to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPasses {
    #[serde(default)]
    pub kind: Kind,
    /// Words to find in the holder's name and address; at most 200 characters count.
    #[serde(default)]
    pub search: String,
    /// Also tokens that were revoked or have expired; a browser that is signed out is forgotten.
    #[serde(default)]
    pub over: bool,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// As of [`crate::page::limit`].
    #[serde(default)]
    pub limit: u32,
}
