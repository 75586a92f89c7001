//! Identifiers: strings that cannot be confused with one another.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a string as an id, without a check: ids from outside are only ever looked up.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A session's id, `<slug of the name>-<5 base32 characters>`; also the name of its Kubernetes object.
    SessionId
);
id!(
    /// A person's id (`sub` of a token); never an e-mail address, which may change hands.
    PersonId
);
id!(
    /// An Organization's slug; see [`crate::org`] for its rules.
    OrgId
);
id!(
    /// A browser login's id: what a person sees and revokes; never the cookie itself.
    LoginId
);
id!(
    /// A personal access token's id (`jti`): what a person sees and revokes; never the token itself.
    TokenId
);
id!(
    /// The id of a device that asks to be signed in, for the audit; never one of its codes.
    DeviceId
);

id!(
    /// An invitation's id: what an admin sees and revokes; never the link itself.
    InvitationId
);
id!(
    /// The id of somebody's wish for a larger quota.
    RequestId
);
id!(
    /// A secret that sessions are given.
    SecretId
);

/// The letters of random suffixes: base32 without the ones that are mistaken for others.
const BASE32: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

impl SessionId {
    /// The id of a session called `name`: its slug, cut to 57 characters so that the whole is a DNS label (63), and
    /// five characters made of `entropy`.
    pub fn named(name: &str, entropy: u32) -> Self {
        let suffix: String = (0..5)
            .map(|place| char::from(BASE32[(entropy >> (5 * place)) as usize & 31]))
            .collect();
        Self(format!("{}-{suffix}", slug(name, 57)))
    }
}

/// Lower-case letters, digits and single dashes, beginning with a letter, at most `longest` characters: a DNS label.
/// What holds nothing usable becomes `session`.
pub fn slug(name: &str, longest: usize) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_lowercase() || (letter.is_ascii_digit() && !slug.is_empty()) {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= longest {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "session".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_dns_labels_whatever_the_name() {
        for (name, expected) in [
            ("Fix the login page", "fix-the-login-page"),
            ("  --Ünïcode 2.0--  ", "n-code-2-0"),
            ("2024 plan", "plan"),
            ("🦀", "session"),
            ("", "session"),
        ] {
            assert_eq!(slug(name, 57), expected, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn every_id_is_a_dns_label(name in ".{0,300}", entropy: u32) {
            let id = SessionId::named(&name, entropy);
            let id = id.as_str();
            prop_assert!(id.len() <= 63 && id.len() >= 7, "{}", id);
            prop_assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(id.as_bytes()[0].is_ascii_lowercase() && !id.ends_with('-') && !id.contains("--"));
        }
    }
}
