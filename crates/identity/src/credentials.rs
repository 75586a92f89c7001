//! Secrets that are shown once, and ids.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use engine::ports::{Credentials, Fresh, Hash};
use sha2::{Digest as _, Sha256};
use std::sync::Mutex;
use uuid::{ContextV7, Uuid};

/// Secrets and ids made on this machine.
#[derive(Debug)]
pub struct Local {
    /// Keeps ids of one millisecond, and those after a clock that jumped back, in the order in which they were made.
    order: Mutex<ContextV7>,
}

impl Local {
    /// Credentials from the operating system's randomness.
    pub fn new() -> Self {
        Self {
            order: Mutex::new(ContextV7::new()),
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl Credentials for Local {
    fn mint(&self, prefix: &str) -> Fresh {
        // A cryptographic generator, seeded and reseeded by the operating system.
        let random: [u8; 32] = rand::random();
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random));
        let hash = self.hash(&text);
        Fresh { text, hash }
    }

    /// A plain SHA-256: a secret of 256 random bits cannot be guessed, so a slow hash would only slow every request.
    fn hash(&self, secret: &str) -> Hash {
        Hash(
            Sha256::digest(secret)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    fn entropy(&self) -> u32 {
        rand::random()
    }

    fn new_id(&self, now: Timestamp) -> String {
        let millis = now.millis().max(0) as u64;
        let nanos = (millis % 1000) as u32 * 1_000_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.order, millis / 1000, nanos)).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_secret_says_what_it_is_and_holds_256_random_bits() {
        let local = Local::new();
        let secrets: HashSet<String> = (0..100).map(|_| local.mint("sbp_").text).collect();
        assert_eq!(secrets.len(), 100);
        for text in secrets {
            let random = text.strip_prefix("sbp_").expect("the prefix");
            assert_eq!(URL_SAFE_NO_PAD.decode(random).expect("base64url").len(), 32);
        }
    }

    #[test]
    fn the_hash_is_sha256_in_hexadecimal_and_the_same_each_time() {
        let local = Local::new();
        assert_eq!(
            local.hash("abc").0,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let secret = local.mint("sbc_");
        assert_eq!(secret.hash, local.hash(&secret.text));
    }

    #[test]
    fn ids_sort_by_when_they_were_made_even_in_one_millisecond_or_when_the_clock_jumps_back() {
        let local = Local::new();
        let now = Timestamp::from_millis(1_763_800_000_123);
        let mut ids: Vec<String> = (0..500).map(|_| local.new_id(now)).collect();
        ids.push(local.new_id(now.plus_seconds(-3600)));
        ids.push(local.new_id(now.plus_seconds(60)));
        assert!(ids.is_sorted() && ids.iter().collect::<HashSet<_>>().len() == ids.len());
        let id = Uuid::parse_str(&ids[0]).expect("a UUID");
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().map(|at| at.to_unix().0), Some(1_763_800_000));
    }
}
