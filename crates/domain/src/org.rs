//! Organizations: who shares rules, quota and a bill.

use crate::{OrgId, Problem, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest display name, in characters (platform contract).
pub const DISPLAY_NAME_MAX: usize = 128;
/// The most seats that can be bought; more is "as many as wanted".
pub const SEATS_MAX: u64 = 1_000_000;

/// An Organization; its slug is its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    pub id: OrgId,
    /// 1 to 128 characters.
    pub display_name: String,
    pub kind: Kind,
    pub tier: Tier,
    pub billing: Billing,
    pub state: State,
    /// The seats that were bought; `None`: as many as wanted.
    pub seats: Option<u64>,
    /// The plan of its members; `None`: the installation's.
    pub plan: Option<String>,
    pub created_at: Timestamp,
}

impl Org {
    /// An Organization with nothing chosen yet.
    pub fn new(id: OrgId, display_name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id,
            display_name: display_name.into(),
            kind: Kind::Customer,
            tier: Tier::Sme,
            billing: Billing::Showback,
            state: State::Active,
            seats: None,
            plan: None,
            created_at,
        }
    }
}

/// A small set of words that are stored and written as they are.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $word:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $text)] $word),*
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$word),*];

            /// As it is stored and written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text),*
                }
            }

            /// Reads [`Self::as_str`].
            pub fn from_name(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// Whose it is (platform contract, as are the words of [`Tier`] and [`Billing`]).
    Kind {
        Customer = "customer",
        /// Of whoever runs the installation.
        Internal = "internal",
    }
}

words! {
    /// How large a customer is.
    Tier { Sme = "sme", Corporate = "corporate" }
}

words! {
    /// What becomes of its usage.
    Billing {
        /// An invoice.
        Real = "real",
        /// A booking between departments.
        Chargeback = "chargeback",
        /// A figure to look at.
        Showback = "showback",
    }
}

words! {
    /// Whether it can be worked in.
    State {
        Active = "active",
        /// Its sessions sleep and take no input; people may look, nothing is lost.
        Suspended = "suspended",
        /// Closed: nobody signs in, nothing is deleted.
        Archived = "archived",
    }
}

/// An Organization as those see it who run the installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub org: Org,
    /// Members whose seat gives access.
    pub seats_used: u64,
    /// Invitations that wait.
    pub invited: u64,
    /// Sessions that are pending or running.
    pub live: u64,
    pub sessions: u64,
    pub storage_bytes: u64,
    /// Wishes for more that wait for an answer.
    pub requests: u64,
}

/// Which Organizations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListOrgs {
    /// Words to find in slug and name; at most 200 characters count.
    #[serde(default)]
    pub search: String,
    /// `None`: all but archived ones.
    #[serde(default)]
    pub state: Option<State>,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// As of [`crate::page::limit`].
    #[serde(default)]
    pub limit: u32,
}

/// What is asked for when an Organization is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub slug: String,
    pub display_name: String,
    pub kind: Kind,
    pub tier: Tier,
    pub billing: Billing,
    #[serde(default)]
    pub seats: Option<u64>,
    #[serde(default)]
    pub plan: Option<String>,
    /// The address of the first owner, who is invited.
    pub owner: String,
}

/// What can be changed of an Organization; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    #[serde(default)]
    pub display_name: Option<String>,
    /// What follows is changed only by those who run the installation.
    #[serde(default)]
    pub kind: Option<Kind>,
    #[serde(default)]
    pub tier: Option<Tier>,
    #[serde(default)]
    pub billing: Option<Billing>,
    #[serde(default)]
    pub seats: Option<Option<u64>>,
    #[serde(default)]
    pub plan: Option<Option<String>>,
}

impl Change {
    /// Whether it changes what only those change who run the installation.
    pub const fn is_of_the_fleet(&self) -> bool {
        self.kind.is_some()
            || self.tier.is_some()
            || self.billing.is_some()
            || self.seats.is_some()
            || self.plan.is_some()
    }

    /// The Organization after it; what is out of bounds is refused, with the field named.
    pub fn applied(&self, org: &Org) -> Result<Org, Problem> {
        let mut org = org.clone();
        if let Some(name) = &self.display_name {
            org.display_name = display_name(name)?;
        }
        if let Some(seats) = self.seats {
            check_seats(seats)?;
            org.seats = seats;
        }
        if let Some(plan) = &self.plan {
            check_plan(plan.as_deref())?;
            org.plan.clone_from(plan);
        }
        org.kind = self.kind.unwrap_or(org.kind);
        org.tier = self.tier.unwrap_or(org.tier);
        org.billing = self.billing.unwrap_or(org.billing);
        Ok(org)
    }
}

/// A display name: trimmed, without control characters, 1 to [`DISPLAY_NAME_MAX`] characters.
pub fn display_name(text: &str) -> Result<String, Problem> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() || name.chars().count() > DISPLAY_NAME_MAX {
        let detail = format!("An Organization's name has 1 to {DISPLAY_NAME_MAX} characters.");
        return Err(Problem::new("invalid-name", detail).at("display_name"));
    }
    Ok(name)
}

/// Refuses a number of seats that nobody can sit in.
pub fn check_seats(seats: Option<u64>) -> Result<(), Problem> {
    match seats {
        Some(seats) if !(1..=SEATS_MAX).contains(&seats) => {
            let detail = format!("An Organization has 1 to {SEATS_MAX} seats, or as many as wanted.");
            Err(Problem::new("invalid-seats", detail).at("seats"))
        }
        _ => Ok(()),
    }
}

/// Refuses a plan that does not exist.
pub fn check_plan(plan: Option<&str>) -> Result<(), Problem> {
    match crate::quota::Quota::of_plan(plan) {
        Some(_) => Ok(()),
        None => {
            let detail = "Plans are sandbox-free, sandbox-pro and sandbox-ent.";
            Err(Problem::new("invalid-plan", detail).at("plan"))
        }
    }
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
        )
        .at("slug"));
    }
    if RESERVED.contains(&text) {
        return Err(Problem::new(
            "invalid-org",
            format!("The name {text} is reserved for the platform. Choose another."),
        )
        .at("slug"));
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
