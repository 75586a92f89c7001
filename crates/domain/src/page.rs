//! Lists in pages: by cursor, sorted and filtered where the rows are.

use serde::{Deserialize, Serialize};

/// The most rows in one page.
pub const LIMIT_MAX: u32 = 200;
/// The rows in a page when nothing is said.
pub const LIMIT_DEFAULT: u32 = 50;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end. Opaque to whoever holds it.
    pub next: Option<String>,
    /// How many rows match in all.
    pub total: u64,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
            total: self.total,
        }
    }
}

/// Which sessions to list, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSessions {
    /// Words to find in name, repository, owner or id; at most 200 characters count.
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub status: Option<crate::session::Status>,
    #[serde(default)]
    pub agent: Option<String>,
    /// Only the caller's own.
    #[serde(default)]
    pub mine: bool,
    #[serde(default)]
    pub sort: Sort,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1 to [`LIMIT_MAX`]; 0 is [`LIMIT_DEFAULT`].
    #[serde(default)]
    pub limit: u32,
}

/// The order of a list of sessions; ties by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Most recently active first.
    #[default]
    Active,
    /// Newest first.
    Created,
    /// By name, A first, without regard to case.
    Name,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Active, Self::Created, Self::Name];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Created => "created",
            Self::Name => "name",
        }
    }

    /// Reads [`Sort::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// The number of rows to fetch for a limit that was asked for.
pub fn limit(asked: u32) -> u32 {
    if asked == 0 {
        LIMIT_DEFAULT
    } else {
        asked.min(LIMIT_MAX)
    }
}
