//! How much one person, or one address, may take of the server. Everything here is bounded itself.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Counts things that are held, by whoever holds them.
#[derive(Clone, Debug)]
pub(crate) struct Shares<K: Eq + Hash + Clone>(Arc<SharesInner<K>>);

#[derive(Debug)]
struct SharesInner<K> {
    most: u32,
    held: Mutex<HashMap<K, u32>>,
}

/// One thing that is held; gives it back when dropped.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash + Clone> {
    key: K,
    of: Shares<K>,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// `most` for each holder.
    pub(crate) fn new(most: u32) -> Self {
        Self(Arc::new(SharesInner {
            most,
            held: Mutex::default(),
        }))
    }

    /// Takes one, unless the holder has the most already.
    pub(crate) fn take(&self, key: &K) -> Option<Share<K>> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key.clone()).or_default();
        if *count >= self.0.most {
            return None;
        }
        *count += 1;
        Some(Share {
            key: key.clone(),
            of: self.clone(),
        })
    }
}

impl<K: Eq + Hash + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.of.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            // Whoever holds nothing is forgotten: the table never outgrows what is held.
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

/// A rate for each of many: a bucket that fills evenly.
#[derive(Debug)]
pub(crate) struct Rate {
    per_minute: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// So many buckets at most; beyond it the full ones are forgotten, and then everybody waits.
const BUCKETS: usize = 10_000;

impl Rate {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute: f64::from(per_minute),
            buckets: Mutex::default(),
        }
    }

    /// Takes one, or says how long to wait for it.
    pub(crate) fn take(&self, key: &str, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.per_minute);
            if buckets.len() >= BUCKETS {
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket {
            left: self.per_minute,
            at: now,
        });
        bucket.left = self.filled(*bucket, now);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - bucket.left) * 60.0 / self.per_minute))
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(bucket.at).as_secs_f64() / 60.0;
        (bucket.left + minutes * self.per_minute).min(self.per_minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_holds_more_than_their_share_and_what_is_dropped_is_free_again() {
        let shares = Shares::new(2);
        let first = shares.take(&"ada").expect("one");
        let _second = shares.take(&"ada").expect("two");
        assert!(shares.take(&"ada").is_none());
        assert!(shares.take(&"bob").is_some(), "another's share is not touched");
        drop(first);
        assert!(shares.take(&"ada").is_some());
        assert_eq!(
            shares.0.held.lock().expect("whole").len(),
            1,
            "whoever holds nothing is forgotten"
        );
    }

    #[test]
    fn a_rate_lets_a_burst_through_and_then_one_at_a_time() {
        let (rate, start) = (Rate::new(60), Instant::now());
        assert_eq!((0..100).filter(|_| rate.take("ada", start).is_ok()).count(), 60);
        let wait = rate.take("ada", start).expect_err("empty");
        assert!(wait <= Duration::from_secs(1) && !wait.is_zero());
        assert!(rate.take("bob", start).is_ok());
        assert!(rate.take("ada", start + Duration::from_secs(1)).is_ok());
        assert!(rate.take("ada", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn a_flood_of_addresses_does_not_fill_the_memory() {
        let (rate, start) = (Rate::new(1), Instant::now());
        for n in 0..BUCKETS + 50 {
            let _ = rate.take(&n.to_string(), start);
        }
        assert_eq!(rate.buckets.lock().expect("whole").len(), BUCKETS);
        assert!(rate.take("late", start + Duration::from_secs(61)).is_ok());
    }
}
