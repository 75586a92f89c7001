//! The machine's clock.

use domain::Timestamp;
use engine::ports::Clock;
use time::OffsetDateTime;

/// The machine's wall clock, in UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis((OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_in_this_century() {
        let now = SystemClock.now().rfc3339();
        assert!(now.starts_with("20") && now.ends_with('Z'), "{now}");
    }
}
