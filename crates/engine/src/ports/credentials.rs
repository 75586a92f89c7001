//! What the engine asks of the clock and of chance.

use domain::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Secrets that are shown once and remembered only as hashes, and other randomness.
pub trait Credentials: Send + Sync {
    /// A new secret of 32 random bytes that begins with `prefix`, and its hash.
    fn mint(&self, prefix: &str) -> Fresh;
    /// The hash under which a secret is remembered.
    fn hash(&self, secret: &str) -> Hash;
    /// Random bits for the suffix of a session's id.
    fn entropy(&self) -> u32;
    /// A new id that sorts by time: a UUID, version 7.
    fn new_id(&self, now: Timestamp) -> String;
}

/// A secret at the moment it is made.
pub struct Fresh {
    /// What its holder is given.
    pub text: String,
    /// What is remembered.
    pub hash: Hash,
}

impl core::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Fresh(****)")
    }
}

/// A SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash(pub String);
