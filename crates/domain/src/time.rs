//! Points in time. The domain never asks what time it is: `now` is an argument.

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Milliseconds since the Unix epoch, in UTC; written as RFC 3339 (`2026-11-22T10:00:00Z`) in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This many seconds later (earlier, when negative).
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Whole seconds from `earlier` to here; 0 when the clock went backwards.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        let seconds = self.0.saturating_sub(earlier.0) / 1000;
        if seconds < 0 { 0 } else { seconds }
    }

    /// `2026-11-22T10:00:00.123Z`; years beyond 9999 read as the last instant of 9999.
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
    }

    /// Reads RFC 3339; `None` when it is not.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Self((at.unix_timestamp_nanos() / 1_000_000) as i64))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_rfc3339(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_as_they_were_written() {
        let at = Timestamp::from_millis(1_763_800_000_123);
        assert_eq!(Timestamp::from_rfc3339(&at.rfc3339()), Some(at));
        assert_eq!(at.rfc3339(), "2025-11-22T08:26:40.123Z");
    }

    #[test]
    fn a_clock_that_jumps_back_makes_no_negative_age() {
        assert_eq!(Timestamp::from_millis(0).seconds_since(Timestamp::from_millis(5000)), 0);
    }
}
