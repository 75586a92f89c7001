//! Personal access tokens: a person's name on a program, for REST and terminals.

use crate::{Problem, Timestamp, id::TokenId, permit};
use serde::{Deserialize, Serialize};

/// How long a token lasts when nothing is said: 7 days, in hours (platform contract).
pub const TTL_HOURS_DEFAULT: i64 = 7 * 24;
/// How long a token lasts at most: 90 days, in hours (platform contract); more is shortened to it.
pub const TTL_HOURS_MAX: i64 = 90 * 24;
/// How many tokens a person may hold at once.
pub const TOKENS_MAX: u64 = 50;

/// A token as its owner sees it: never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub capabilities: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// What is asked for when a token is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mint {
    pub name: String,
    /// 0, negative or absent: the default; beyond the longest: the longest.
    #[serde(default)]
    pub ttl_hours: Option<i64>,
    /// Empty: all that the person holds.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// The one time a token's secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minted {
    pub secret: String,
    pub token: Token,
}

impl Mint {
    /// The lifetime in seconds, within the published bounds.
    pub fn ttl_seconds(&self) -> i64 {
        match self.ttl_hours {
            Some(hours) if hours > 0 => hours.min(TTL_HOURS_MAX) * 3600,
            _ => TTL_HOURS_DEFAULT * 3600,
        }
    }

    /// Trims and checks the request against the capabilities `held`; nobody mints more than they hold.
    pub fn checked(mut self, held: &[String]) -> Result<Self, Problem> {
        self.name = self.name.trim().to_owned();
        if self.name.is_empty() || self.name.chars().count() > 100 || self.name.chars().any(char::is_control) {
            return Err(Problem::new("invalid-name", "A token's name has 1 to 100 characters.").at("name"));
        }
        self.capabilities = self
            .capabilities
            .iter()
            .map(|c| c.trim().to_owned())
            .filter(|c| !c.is_empty())
            .collect();
        self.capabilities.sort();
        self.capabilities.dedup();
        // A wildcard stands for those of its capabilities that are held now.
        let (mut granted, mut refused) = (Vec::new(), None);
        for wanted in &self.capabilities {
            let matching: Vec<_> = held
                .iter()
                .filter(|held| permit::has_capability(core::slice::from_ref(wanted), held))
                .cloned()
                .collect();
            if matching.is_empty() {
                refused = Some(wanted.clone());
            }
            granted.extend(matching);
        }
        if let Some(refused) = refused {
            let detail = format!(
                "You do not hold the capability {}.",
                refused.chars().take(80).collect::<String>()
            );
            return Err(Problem::new("invalid-capability", detail).at("capabilities"));
        }
        if self.capabilities.is_empty() {
            granted = held.to_vec();
        }
        granted.sort();
        granted.dedup();
        self.capabilities = granted;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mint(capabilities: &[&str]) -> Mint {
        Mint {
            name: " ci ".into(),
            ttl_hours: None,
            capabilities: capabilities.iter().map(|&c| c.into()).collect(),
        }
    }

    #[test]
    fn nobody_mints_more_than_they_hold() {
        let held = ["sandbox.session.see".to_owned(), "sandbox.session.open".to_owned()];
        let all = mint(&["sandbox.session.*"]).checked(&held).expect("held");
        assert_eq!(all.capabilities, ["sandbox.session.open", "sandbox.session.see"]);
        assert_eq!(all.name, "ci");
        assert!(mint(&["sandbox.agent.install"]).checked(&held).is_err());
        assert!(mint(&[".*"]).checked(&held).is_err());
        assert_eq!(mint(&[]).checked(&held).expect("all").capabilities.len(), 2);
    }

    #[test]
    fn lifetimes_stay_within_the_published_bounds() {
        for (hours, seconds) in [
            (None, 604_800),
            (Some(0), 604_800),
            (Some(-5), 604_800),
            (Some(1), 3600),
            (Some(i64::MAX), 7_776_000),
        ] {
            assert_eq!(
                Mint {
                    ttl_hours: hours,
                    ..Mint::default()
                }
                .ttl_seconds(),
                seconds
            );
        }
    }
}
