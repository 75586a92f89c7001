//! Who asks.

use crate::{
    OrgId, PersonId,
    id::{LoginId, TokenId},
};
use serde::{Deserialize, Serialize};

/// The one who asks for something: every verb of the engine takes a `Caller`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub person: PersonId,
    pub email: String,
    /// The name to show.
    pub name: String,
    /// The Organization in whose name the caller asks.
    pub org: OrgId,
    pub role: Role,
    pub proof: Proof,
    /// The id of the request in whose course this is asked, for the audit.
    #[serde(default)]
    pub request: Option<String>,
    /// The address that it comes from, as far as the door knows it, for the audit.
    #[serde(default)]
    pub address: Option<String>,
}

/// What an Organization calls whoever acts in it from above: people of another Organization are named in none but theirs.
pub const INSTALLATION: &str = "the installation";

impl Caller {
    /// What the people of `org` call this caller.
    pub fn named_in(&self, org: &OrgId) -> &str {
        if *org == self.org { &self.email } else { INSTALLATION }
    }
}

/// What a person is in an Organization, or above all of them: the role of their seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees and watches what is shared with them; opens nothing.
    Viewer,
    /// Opens sessions and sees their own, and those shared with them.
    Developer,
    /// Also sees and stops every session of the Organization, and governs its members, quotas and policy.
    OrgAdmin,
    /// Also makes and unmakes owners. At least one stays in every Organization.
    Owner,
    /// Also runs the installation. Reads nobody's terminal.
    SuperAdmin,
}

impl Role {
    /// Every role, weakest first.
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Developer,
        Self::OrgAdmin,
        Self::Owner,
        Self::SuperAdmin,
    ];
    /// The roles that govern an Organization: whom to ask for more.
    pub const GOVERNING: [Self; 3] = [Self::OrgAdmin, Self::Owner, Self::SuperAdmin];
    /// The roles of which an Organization always keeps at least one.
    pub const OWNING: [Self; 2] = [Self::Owner, Self::SuperAdmin];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::OrgAdmin => "org-admin",
            Self::Owner => "owner",
            Self::SuperAdmin => "super-admin",
        }
    }

    /// Whether somebody of this role may give `role` to another, or take it away: nobody lifts anybody above themselves,
    /// and only owners make owners.
    pub fn may_grant(self, role: Self) -> bool {
        match role {
            Self::SuperAdmin => self == Self::SuperAdmin,
            Self::Owner => self >= Self::Owner,
            Self::OrgAdmin | Self::Developer | Self::Viewer => self >= Self::OrgAdmin,
        }
    }

    /// Reads [`Role::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// How the caller proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A browser's cookie.
    Login {
        id: LoginId,
        /// The login may do no more than these capabilities say, because its identity provider says so; `None`: all
        /// that the role may. An empty list is nothing at all.
        #[serde(default)]
        narrowed: Option<Vec<String>>,
    },
    /// A personal access token, which may do no more than its capabilities say.
    Token { id: TokenId, capabilities: Vec<String> },
}

impl Proof {
    /// A login that may do all that the role may.
    pub fn login(id: LoginId) -> Self {
        Self::Login { id, narrowed: None }
    }

    /// What the caller is held to, whatever their role may; `None`: to nothing.
    pub fn held_to(&self) -> Option<&[String]> {
        match self {
            Self::Login { narrowed, .. } => narrowed.as_deref(),
            Self::Token { capabilities, .. } => Some(capabilities),
        }
    }
}
