//! Usage: a fold over metered facts, never a second truth.

use crate::{
    OrgId, PersonId, SessionId, Timestamp,
    host::{Dimension, UsageFact},
};
use serde::{Deserialize, Serialize};

/// A fact with everything that attribution needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attributed {
    pub org: OrgId,
    pub person: PersonId,
    pub session: SessionId,
    pub agent: String,
    pub fact: UsageFact,
}

impl Attributed {
    /// The idempotent id (`request_id` of the platform): recording a fact twice counts it once.
    pub fn id(&self) -> String {
        format!("usage:{}:{}", self.session, self.fact.number)
    }
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 3] = [Self::ComputeCpu, Self::ComputeMemory, Self::Storage];

    /// The published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComputeCpu => "compute_cpu",
            Self::ComputeMemory => "compute_memory",
            Self::Storage => "storage",
        }
    }

    /// Reads [`Dimension::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == text)
    }

    /// The unit of a quantity.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::ComputeCpu => "cpu_microseconds",
            Self::ComputeMemory | Self::Storage => "byte_seconds",
        }
    }
}

/// Which usage to sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub from: Timestamp,
    pub until: Timestamp,
    /// The width of one bar, in seconds: at least 60, and at most 400 bars in all.
    pub bucket_seconds: i64,
}

impl Range {
    /// The last `days` days (1 to 90) up to `now`: by the hour up to two days, else by the day.
    pub fn last_days(now: Timestamp, days: i64) -> Self {
        let days = days.clamp(1, 90);
        let bucket_seconds = if days <= 2 { 3600 } else { 86_400 };
        Self {
            from: now.plus_seconds(-days * 86_400),
            until: now,
            bucket_seconds,
        }
    }
}

/// The sum of one dimension in one stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Where the stretch begins; a multiple of the bucket's width.
    pub at: Timestamp,
    pub dimension: Dimension,
    pub quantity: u64,
}

/// The sum of one dimension for one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub session: SessionId,
    /// Its name, where it still exists.
    pub name: Option<String>,
    pub agent: String,
    pub dimension: Dimension,
    pub quantity: u64,
}

/// What a person used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub range: Range,
    pub bars: Vec<Bar>,
    /// The sessions that used most, at most 20 for each dimension.
    pub shares: Vec<Share>,
}
