//! What the engine asks of the keys under which secrets are kept.

use anyhow::Result;
use domain::{
    OrgId,
    id::SecretId,
    secret::{Secret, Value},
};

/// The keys under which secrets are kept. The first seals, every one opens.
pub trait Keyring: Send + Sync {
    /// Seals a value so that it opens at its own place only.
    fn seal(&self, place: &Place<'_>, value: &Value) -> Result<Sealed>;
    /// Opens what was sealed at this place.
    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> core::result::Result<Value, Unreadable>;
    /// The ids of the keys, the one that seals first.
    fn keys(&self) -> Result<Vec<String>>;
}

/// What a sealed value belongs to: moved to another row, version or column it does not open.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub org: &'a OrgId,
    pub secret: &'a SecretId,
    pub version: u64,
    pub column: &'static str,
}

impl<'a> Place<'a> {
    /// Where the value of a secret is.
    pub fn of(secret: &'a Secret) -> Self {
        Self {
            org: &secret.org,
            secret: &secret.id,
            version: secret.version,
            column: "value",
        }
    }
}

/// A value as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the key that opens it.
    pub key: String,
    /// Nonce and ciphertext, in base64url.
    pub text: String,
}

/// Why a sealed value does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// None of the keys that are there is the one it was sealed with.
    #[error("it was sealed with the key {0}, which is not among the server's keys")]
    NoKey(String),
    /// The key is there, and this is not what it sealed here.
    #[error("it was changed, cut or moved since it was sealed with the key {0}")]
    Tampered(String),
    /// The keys themselves cannot be read.
    #[error("{0}")]
    NoKeys(String),
}
