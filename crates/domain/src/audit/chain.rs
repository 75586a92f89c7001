//! The chain of entries: each of an Organization's has a number and the hash of the one before it.

use super::Entry;
use crate::OrgId;
use core::fmt;
use serde::{Deserialize, Serialize};

/// An entry where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Among all entries of the installation.
    pub position: i64,
    pub link: Link,
    pub entry: Entry,
}

impl Line {
    /// As in [`Entry::veiled`]. Whoever holds such a copy follows the chain from hash to hash, and cannot compute this
    /// entry's own.
    pub fn veiled(self) -> Self {
        Self {
            entry: self.entry.veiled(),
            ..self
        }
    }
}

/// What ties an entry to the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Among the entries of its Organization, from 1 on, without gaps.
    pub number: i64,
    /// The hash of the entry before it; empty for the first.
    pub previous: String,
    /// The hash of this entry with its number and `previous`: a version, a colon, and a SHA-256 in hexadecimal.
    pub hash: String,
}

/// What a look at one entry and the one before it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is as it was written, and so is what it follows.
    Intact,
    /// It is the oldest that is kept; it is as it was written.
    First,
    /// It is not as it was written.
    Changed,
    /// It does not continue the entry before it, or that is gone.
    Detached,
}

/// What a walk along the whole chain of an Organization found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub org: OrgId,
    /// Entries that were looked at.
    pub entries: u64,
    /// Older entries that were removed when their time was over: the chain begins after this number.
    pub removed: i64,
    /// The first thing that is wrong.
    pub breach: Option<Breach>,
}

/// What is wrong with a chain, at its first place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "breach", rename_all = "kebab-case")]
pub enum Breach {
    /// The entry is not as it was written.
    Changed { number: i64, position: i64 },
    /// There is no entry of this number.
    Missing { number: i64 },
    /// The entry does not continue the one before it: one of the two was moved, replaced or written anew.
    Reordered { number: i64, position: i64 },
    /// There is an entry that the chain does not know of.
    Foreign { position: i64 },
    /// Entries of the Organization are there, and what is known of their chain is gone.
    Headless,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number, position } => {
                write!(
                    f,
                    "entry {number} (position {position}) was changed after it was written"
                )
            }
            Self::Missing { number } => write!(f, "entry {number} is missing"),
            Self::Reordered { number, position } => write!(
                f,
                "entry {number} (position {position}) does not continue the one before it: one of the two was moved or \
                 replaced"
            ),
            Self::Foreign { position } => {
                write!(f, "the entry at position {position} does not belong to the chain")
            }
            Self::Headless => f.write_str("the end of the chain is no longer known"),
        }
    }
}
