//! Organizations: who shares rules, quota and a bill.

use crate::{OrgId, Problem, Timestamp};
use serde::{Deserialize, Serialize};

/// An Organization; its slug is its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    pub id: OrgId,
    /// 1 to 128 characters.
    pub display_name: String,
    pub created_at: Timestamp,
}

/// Slugs that name parts of the platform (platform contract, Organization CRD).
const RESERVED: [&str; 20] = [
    "system",
    "flux",
    "crossplane",
    "catalyst",
    "gitea",
    "hetzner",
    "huawei",
    "oci",
    "aws",
    "gcp",
    "azure",
    "contabo",
    "rtz",
    "dmz",
    "mgt",
    "prod",
    "stg",
    "uat",
    "dev",
    "poc",
];

/// Reads a slug: `^[a-z][a-z0-9-]{2,31}$` and not a reserved name.
pub fn slug(text: &str) -> Result<OrgId, Problem> {
    let shaped = (3..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !shaped {
        return Err(Problem::new(
            "invalid-org",
            "An Organization's slug has 3 to 32 lower-case letters, digits or dashes, and begins with a letter.",
        ));
    }
    if RESERVED.contains(&text) {
        return Err(Problem::new(
            "invalid-org",
            format!("The name {text} is reserved for the platform. Choose another."),
        ));
    }
    Ok(OrgId::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_follow_the_published_pattern() {
        for good in ["acme", "a2c", "local", "x--y", &"a".repeat(32)] {
            assert!(slug(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "2ab",
            "Acme",
            "a_b_c",
            "prod",
            "catalyst",
            &"a".repeat(33),
            "äbc",
        ] {
            assert!(slug(bad).is_err(), "{bad}");
        }
    }
}
