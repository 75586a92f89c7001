//! Signing a device in that has no browser (RFC 8628): it shows a short code, and a person who is signed in elsewhere
//! reads what asks, and answers.

use crate::{Problem, Timestamp, id::DeviceId, permit, token::Minted};
use serde::{Deserialize, Serialize};

/// How long a code can be answered and fetched, in seconds: 10 minutes.
pub const CODE_SECONDS: i64 = 10 * 60;
/// Seconds between two questions of a device; one that asks sooner waits so much longer from then on.
pub const INTERVAL_SECONDS: i64 = 5;
/// How many devices may wait for an answer at once, in the whole installation.
pub const WAITING_MAX: u64 = 1000;
/// The same, of those that asked from one address.
pub const WAITING_MAX_OF_ADDRESS: u64 = 50;
/// How long the token of a device lasts: 30 days, in hours.
pub const TOKEN_TTL_HOURS: i64 = 30 * 24;

/// A device that asks to be signed in, as the person sees it who is to answer; never its codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub id: DeviceId,
    /// What it calls itself, 1 to [`NAME_MAX`] characters.
    pub name: String,
    /// The address it asks from.
    pub address: String,
    /// What it asks to be allowed; empty: all that the person may.
    pub capabilities: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The longest name of a device, so that the name of its token fits a token's.
pub const NAME_MAX: usize = 60;
/// The most capabilities that a device may ask for.
const CAPABILITIES_MAX: usize = 100;

/// What a device says when it asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub name: String,
    /// Capabilities, separated by blanks; empty: all that the person may.
    pub scope: String,
}

impl Ask {
    /// The name and the capabilities, within their bounds. Nothing is known yet of who will answer: whether they hold
    /// these is asked then.
    pub fn checked(&self) -> Result<(String, Vec<String>), Problem> {
        let name: String = self
            .name
            .trim()
            .chars()
            .filter(|letter| !letter.is_control())
            .take(NAME_MAX)
            .collect();
        let name = if name.is_empty() { "a device".to_owned() } else { name };
        let capabilities: Vec<String> = self.scope.split_ascii_whitespace().map(str::to_owned).collect();
        let known = |wanted: &String| {
            permit::Verb::ALL
                .into_iter()
                .any(|verb| permit::has_capability(core::slice::from_ref(wanted), verb.capability()))
        };
        if capabilities.len() > CAPABILITIES_MAX || !capabilities.iter().all(known) {
            let detail = "The scope is capabilities separated by blanks, such as `sandbox.session.*`.";
            return Err(Problem::new("invalid_scope", detail).at("scope"));
        }
        Ok((name, capabilities))
    }
}

impl Device {
    /// The name of the token that it is given.
    pub fn token_name(&self) -> String {
        format!("{} (sandbox command line)", self.name)
    }
}

/// The letters of a person's code: no vowels, so that no word comes about, and none that is mistaken for another
/// (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many letters a person's code has: 20^8 codes, of which at most [`WAITING_MAX`] are in use.
const LENGTH: usize = 8;

/// What a person types: eight letters, however they were written.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

impl core::fmt::Debug for UserCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("UserCode(****)")
    }
}

impl UserCode {
    /// The code that these random bits make.
    pub fn from_entropy(mut entropy: u64) -> Self {
        Self(core::array::from_fn(|_| {
            let letter = LETTERS[(entropy % LETTERS.len() as u64) as usize];
            entropy /= LETTERS.len() as u64;
            letter
        }))
    }

    /// Reads a code: upper or lower case, with or without the dash.
    pub fn read(text: &str) -> Option<Self> {
        let mut letters = text
            .bytes()
            .filter(|byte| !matches!(byte, b'-' | b' '))
            .map(|byte| byte.to_ascii_uppercase());
        let mut code = [0; LENGTH];
        for place in &mut code {
            *place = letters.next().filter(|letter| LETTERS.contains(letter))?;
        }
        letters.next().is_none().then_some(Self(code))
    }

    /// `BCDF-GHJK`.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        let text = |letters: &[u8]| letters.iter().copied().map(char::from).collect::<String>();
        format!("{}-{}", text(first), text(second))
    }
}

/// What a device is told when it asks to be signed in: the one time that its codes are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    /// What the device fetches its token with.
    pub device_code: String,
    /// What the person types.
    pub user_code: UserCode,
    pub expires_in: i64,
    pub interval: i64,
}

/// What a device is told when it comes for its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Nobody has answered yet.
    Pending,
    /// It asks too often: from now on it waits this many seconds in between.
    SlowDown { interval: i64 },
    /// The person said no.
    Denied,
    /// Nobody answered in time.
    Expired,
    /// There is no such code, or its token was fetched already.
    Unknown,
    /// Its token, this once.
    Approved(Minted),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_was_typed() {
        let code = UserCode::read("BCDF-GHJK").expect("a code");
        assert_eq!(code.shown(), "BCDF-GHJK");
        for same in ["bcdfghjk", " bcdf ghjk ", "BcDf--GhJk"] {
            assert_eq!(UserCode::read(same), Some(code.clone()), "{same}");
        }
        for none in ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ1", "BCDF_GHJK"] {
            assert_eq!(UserCode::read(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn every_code_that_is_made_can_be_read(entropy: u64) {
            let code = UserCode::from_entropy(entropy);
            prop_assert_eq!(UserCode::read(&code.shown()), Some(code));
        }
    }

    #[test]
    fn a_device_is_named_and_asks_for_no_more_than_exists() {
        let ask = |name: &str, scope: &str| {
            Ask {
                name: name.to_owned(),
                scope: scope.to_owned(),
            }
            .checked()
        };
        assert_eq!(ask(" lap\u{7}top ", ""), Ok(("laptop".to_owned(), Vec::new())));
        assert_eq!(ask("", "").expect("named").0, "a device");
        assert_eq!(ask(&"x".repeat(500), "").expect("cut").0.len(), NAME_MAX);
        assert_eq!(
            ask("ci", "sandbox.session.* sandbox.usage.see").expect("known").1.len(),
            2
        );
        for wrong in ["everything", "sandbox.none", ".*"] {
            assert_eq!(ask("ci", wrong).expect_err("refused").code, "invalid_scope", "{wrong}");
        }
    }
}
