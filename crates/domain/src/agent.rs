//! The catalogue of agents: one file, read by page, API and runtime alike.

use crate::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The catalogue that ships.
const SHIPPED: &str = include_str!("../agents.toml");

/// One agent that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Agent {
    pub slug: String,
    pub label: String,
    /// One sentence: what it is.
    pub summary: String,
    pub source: Source,
    /// The program's name, looked for in the installed package's own `bin` folder, or on the machine.
    pub binary: String,
    #[serde(default)]
    pub args: Vec<String>,
    /// Arguments that continue where the agent was, in place of `args`; empty: it starts anew.
    #[serde(default)]
    pub resume_args: Vec<String>,
    /// Variables that it does not work without.
    #[serde(default)]
    pub required_env: Vec<String>,
    /// Variables that are set for it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Files in which it reads MCP servers, relative to the workspace, or to HOME with `~/`.
    #[serde(default)]
    pub mcp: Vec<String>,
    /// The file in which it reads instructions.
    #[serde(default)]
    pub instructions: Option<String>,
    /// How it says that it waits for a person: `hooks`, `server`, `acp`, `screen` or nothing known.
    #[serde(default)]
    pub waiting: Option<String>,
    /// How a person signs in to what it needs, as sentences for the page.
    #[serde(default)]
    pub sign_in: Vec<String>,
    #[serde(default)]
    pub homepage: Option<String>,
}

/// Where an agent comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// It is always there.
    BuiltIn,
    /// A package of the npm registry, in exactly this version.
    Npm { package: String, version: String },
    /// A package of the Python Package Index, in exactly this version.
    Pypi { package: String, version: String },
    /// Somebody installs it on the machine by hand, as the sentence says.
    ByHand { how: String },
}

/// Every agent that this installation knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue(Vec<Agent>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    agent: Vec<Agent>,
}

impl Catalogue {
    /// The catalogue that ships.
    pub fn shipped() -> Self {
        Self::from_toml(SHIPPED).expect("the catalogue that ships is checked by a test")
    }

    /// Reads a catalogue file; the problem says which line or agent is wrong.
    pub fn from_toml(text: &str) -> Result<Self, Problem> {
        let file: File = toml::from_str(text).map_err(|error| Problem::new("invalid-catalogue", error.to_string()))?;
        for agent in &file.agent {
            if crate::id::slug(&agent.slug, 63) != agent.slug {
                return Err(Problem::new(
                    "invalid-catalogue",
                    format!("{:?} is not a slug.", agent.slug),
                ));
            }
            if agent.binary.is_empty() || agent.binary.contains('/') {
                let detail = format!("The binary of {} is a name without a path.", agent.slug);
                return Err(Problem::new("invalid-catalogue", detail));
            }
        }
        Ok(Self(file.agent))
    }

    /// This catalogue with whole rows replaced, and new ones added, by `other`.
    pub fn overlaid(mut self, other: Self) -> Self {
        for agent in other.0 {
            match self.0.iter_mut().find(|row| row.slug == agent.slug) {
                Some(row) => *row = agent,
                None => self.0.push(agent),
            }
        }
        self
    }

    /// The agent of this slug.
    pub fn find(&self, slug: &str) -> Option<&Agent> {
        self.0.iter().find(|agent| agent.slug == slug)
    }

    /// Every agent, in the order of the file.
    pub fn agents(&self) -> &[Agent] {
        &self.0
    }
}

/// What is on the machine of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Installation {
    /// It can be opened; `version` is what is really there, where it says so.
    Installed {
        version: Option<String>,
        bytes: u64,
    },
    NotInstalled,
    /// `step` is a sentence; `percent` where it is known.
    Installing {
        step: String,
        percent: Option<u8>,
    },
    /// The last attempt failed; the log says more.
    Failed {
        reason: String,
    },
    /// It cannot be installed here, and why: npm is missing, or it is installed by hand.
    Unavailable {
        reason: String,
    },
}

/// An agent as one caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub agent: Agent,
    pub installation: Installation,
    pub enabled_in_fleet: bool,
    pub enabled_in_org: bool,
}

impl View {
    /// Whether a session with it can be opened now.
    pub fn is_ready(&self) -> bool {
        self.enabled_in_fleet && self.enabled_in_org && matches!(self.installation, Installation::Installed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_holds_the_published_agents_and_a_shell() {
        let catalogue = Catalogue::shipped();
        for slug in [
            "shell",
            "claude-code",
            "opencode",
            "qwen-code",
            "aider",
            "cursor-agent",
            "little-coder",
        ] {
            assert!(catalogue.find(slug).is_some(), "{slug}");
        }
        assert_eq!(
            catalogue.find("shell").map(|agent| &agent.source),
            Some(&Source::BuiltIn)
        );
    }

    #[test]
    fn an_overlay_replaces_whole_rows_and_adds_new_ones() {
        let mine = Catalogue::from_toml(
            "[[agent]]\nslug = 'aider'\nlabel = 'Mine'\nsummary = 'x'\nbinary = 'mine'\nsource = { kind = 'built-in' }\n\
             [[agent]]\nslug = 'new'\nlabel = 'New'\nsummary = 'x'\nbinary = 'new'\nsource = { kind = 'built-in' }\n",
        )
        .expect("reads");
        let both = Catalogue::shipped().overlaid(mine);
        assert_eq!(both.find("aider").map(|agent| agent.args.len()), Some(0));
        assert!(both.find("new").is_some() && both.find("opencode").is_some());
    }

    #[test]
    fn a_wrong_catalogue_is_refused_with_a_reason() {
        assert!(Catalogue::from_toml("[[agent]]\nslug = 'x'").is_err());
        let text = "[[agent]]\nslug = 'x'\nlabel = 'x'\nsummary = 'x'\nbinary = '../x'\nsource = { kind = 'built-in' }";
        assert!(Catalogue::from_toml(text).expect_err("a path").detail.contains("path"));
    }
}
