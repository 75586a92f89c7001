//! Policy: what an Organization allows its members, and the floor below that nobody may loosen.
//!
//! A document says only what it restricts; an empty one allows everything. The installation has one too, and what holds
//! in an Organization is the stricter of both, rule by rule: see [`Rules::of`].

use crate::{Problem, Timestamp, session::Sharing};
use serde::{Deserialize, Serialize};

/// The most entries of a list.
pub const ENTRIES_MAX: usize = 100;
/// The longest entry of a list, in characters.
pub const ENTRY_MAX: usize = 300;

/// What is restricted; what is absent is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The agents that may be opened, by slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<String>>,
    /// The repositories that may be cloned, as patterns of [`matches`]; an empty workspace is always allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<Vec<String>>,
    /// How far a session may be shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// How long a session may run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_seconds: Option<u64>,
    /// How long a session may rest, unused and unwatched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
    /// How long a personal access token may last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_hours: Option<i64>,
    /// The hosts that agents may reach, as patterns; held only by runtimes that can (one machine's cannot).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<Vec<String>>,
}

impl Policy {
    /// The same document with its lists trimmed and in order; what is out of bounds is refused, with the field named.
    pub fn checked(mut self) -> Result<Self, Problem> {
        for (field, list) in [
            ("agents", &mut self.agents),
            ("repositories", &mut self.repositories),
            ("egress", &mut self.egress),
        ] {
            if let Some(entries) = list {
                *entries = tidy(field, entries)?;
            }
        }
        for (field, seconds, least) in [
            ("lifetime_seconds", self.lifetime_seconds, 600),
            ("idle_seconds", self.idle_seconds, 300),
        ] {
            if seconds.is_some_and(|seconds| !(least..=366 * 24 * 3600).contains(&seconds)) {
                let detail = format!("Between {} minutes and a year, or no rule.", least / 60);
                return Err(Problem::new("invalid-policy", detail).at(field));
            }
        }
        if self
            .token_hours
            .is_some_and(|hours| !(1..=crate::token::TTL_HOURS_MAX).contains(&hours))
        {
            let detail = format!(
                "A token lasts between 1 hour and {} days, or no rule.",
                crate::token::TTL_HOURS_MAX / 24
            );
            return Err(Problem::new("invalid-policy", detail).at("token_hours"));
        }
        Ok(self)
    }
}

fn tidy(field: &str, entries: &[String]) -> Result<Vec<String>, Problem> {
    let mut tidy: Vec<String> = entries
        .iter()
        .map(|entry| entry.trim().to_lowercase())
        .filter(|entry| !entry.is_empty())
        .collect();
    tidy.sort();
    tidy.dedup();
    let wrong = tidy
        .iter()
        .any(|entry| entry.chars().count() > ENTRY_MAX || entry.chars().any(|c| c.is_whitespace() || c.is_control()));
    if tidy.len() > ENTRIES_MAX || wrong {
        let detail =
            format!("At most {ENTRIES_MAX} entries of at most {ENTRY_MAX} characters, one a line, without spaces.");
        return Err(Problem::new("invalid-policy", detail).at(field));
    }
    Ok(tidy)
}

/// A saved version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counts from 1; 0 is the empty document that holds before anybody saved one.
    pub version: i64,
    pub policy: Policy,
    pub saved_at: Option<Timestamp>,
    /// The address of whoever saved it.
    pub saved_by: Option<String>,
}

impl Version {
    /// What holds before anybody saved anything.
    pub fn none() -> Self {
        Self {
            version: 0,
            policy: Policy::default(),
            saved_at: None,
            saved_by: None,
        }
    }
}

/// What holds in an Organization: the floor of the installation and the Organization's own document, both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub floor: Policy,
    pub own: Policy,
}

impl Rules {
    /// Both documents.
    pub const fn of(floor: Policy, own: Policy) -> Self {
        Self { floor, own }
    }

    fn both(&self) -> [(&'static str, &Policy); 2] {
        [("This installation", &self.floor), ("Your Organization", &self.own)]
    }

    /// Refuses to open an agent in a workspace that is not allowed; the sentence says whose rule it is.
    pub fn admit(&self, agent: &str, repo: Option<&str>) -> Result<(), Problem> {
        for (whose, policy) in self.both() {
            if policy
                .agents
                .as_ref()
                .is_some_and(|agents| !agents.iter().any(|known| known == agent))
            {
                let detail = format!("{whose} does not allow the agent {agent}.");
                return Err(Problem::new("policy-agent", detail).at("agent"));
            }
            if let (Some(patterns), Some(repo)) = (&policy.repositories, repo)
                && !patterns.iter().any(|pattern| matches(pattern, repo))
            {
                let allowed = if patterns.is_empty() {
                    "no repository".to_owned()
                } else {
                    format!(
                        "only {}",
                        patterns.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
                    )
                };
                let detail = format!("{whose} allows {allowed}.");
                return Err(Problem::new("policy-repository", detail).at("repo"));
            }
        }
        Ok(())
    }

    /// How far a session may be shared.
    pub fn sharing(&self) -> Sharing {
        self.both()
            .into_iter()
            .filter_map(|(_, policy)| policy.sharing)
            .min()
            .unwrap_or(Sharing::Drive)
    }

    /// Refuses to share a session farther than is allowed.
    pub fn admit_sharing(&self, sharing: Sharing) -> Result<(), Problem> {
        let most = self.sharing();
        if sharing <= most {
            return Ok(());
        }
        let detail = match most {
            Sharing::Private => "Sharing sessions is switched off here.",
            Sharing::Watch | Sharing::Drive => "Sessions may be shared for watching here, not for typing.",
        };
        Err(Problem::new("policy-sharing", detail).at("sharing"))
    }

    /// How long a session may run at a time, and how long it may rest.
    pub fn times(&self) -> (Option<u64>, Option<u64>) {
        let least = |of: fn(&Policy) -> Option<u64>| self.both().into_iter().filter_map(|(_, policy)| of(policy)).min();
        (
            least(|policy| policy.lifetime_seconds),
            least(|policy| policy.idle_seconds),
        )
    }

    /// How many hours a token may last.
    pub fn token_hours(&self) -> Option<i64> {
        self.both()
            .into_iter()
            .filter_map(|(_, policy)| policy.token_hours)
            .min()
    }
}

/// What a policy would have refused, had it held before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// Sessions that were opened in the last week, at most 1,000 looked at.
    pub looked_at: u64,
    /// Those that would have been refused, and why; the newest 50.
    pub refused: Vec<Refused>,
    pub refused_in_all: u64,
    /// Sessions that are shared farther now than it allows; saving it narrows them.
    pub narrowed: u64,
}

/// A session that would have been refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub at: Timestamp,
    /// Who opened it.
    pub actor: String,
    pub name: String,
    pub why: String,
}

/// Whether a repository's address fits a pattern: host and path, without scheme, user, port and `.git`, in lower case;
/// `*` stands for anything but a slash, a last `/**` for everything below. A pattern without a slash is a host.
pub fn matches(pattern: &str, repo: &str) -> bool {
    let address = place(repo);
    let pattern = pattern.to_lowercase();
    let pattern = if pattern.contains('/') {
        pattern
    } else {
        format!("{pattern}/**")
    };
    let (mut wanted, mut there) = (pattern.split('/'), address.split('/'));
    loop {
        match (wanted.next(), there.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some(wanted), Some(there)) if fits(wanted, there) => {}
            _ => return false,
        }
    }
}

/// `host/path` of `https://user@host:443/path.git`, `ssh://git@host/path` or `git@host:path`.
fn place(repo: &str) -> String {
    let repo = repo.trim().to_lowercase();
    let (bare, scheme) = match repo.split_once("://") {
        Some((_, rest)) => (rest, true),
        None => (repo.as_str(), false),
    };
    let bare = bare.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = if scheme {
        bare.split_once('/').unwrap_or((bare, ""))
    } else {
        bare.split_once(':')
            .or_else(|| bare.split_once('/'))
            .unwrap_or((bare, ""))
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    // `.` and empty parts are not what git would see, and `..` could leave what is allowed.
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(&path))
}

/// Whether one part fits one part of a pattern, with `*` for any run of characters.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_fit_patterns_by_host_and_path() {
        let cases = [
            ("github.com/acme/*", "https://github.com/acme/console.git", true),
            ("github.com/acme/*", "git@github.com:acme/console.git", true),
            ("github.com/acme/*", "ssh://git@GitHub.com:22/acme/console", true),
            ("github.com/acme/*", "https://github.com/acme/console/deep", false),
            ("github.com/acme/**", "https://github.com/acme/console/deep", true),
            ("github.com/acme/*", "https://github.com/evil/console", false),
            ("github.com/acme/*", "https://github.com/acme/../evil/console", false),
            ("github.com", "https://github.com/any/thing", true),
            ("github.com", "https://github.com.evil.test/any/thing", false),
            ("github.com", "https://github.com@evil.test/any/thing", false),
            ("*.acme.test", "https://git.acme.test/a/b", true),
            ("*.acme.test", "https://git.acme.test.evil/a/b", false),
            ("git.acme.test/team-*/infra", "https://git.acme.test/team-a/infra", true),
            (
                "git.acme.test/team-*/infra",
                "https://git.acme.test/team-a/b/infra",
                false,
            ),
        ];
        for (pattern, repo, expected) in cases {
            assert_eq!(matches(pattern, repo), expected, "{pattern} {repo}");
        }
    }

    #[test]
    fn the_stricter_of_both_holds_and_the_refusal_says_whose_it_is() {
        let agents = |names: &[&str]| Policy {
            agents: Some(names.iter().map(|&name| name.to_owned()).collect()),
            ..Policy::default()
        };
        let rules = Rules::of(agents(&["shell", "aider"]), agents(&["shell", "opencode"]));
        assert!(rules.admit("shell", None).is_ok());
        assert!(
            rules
                .admit("opencode", None)
                .expect_err("the floor")
                .detail
                .starts_with("This installation")
        );
        assert!(
            rules
                .admit("aider", None)
                .expect_err("its own")
                .detail
                .starts_with("Your Organization")
        );
        let times = |lifetime, idle| Policy {
            lifetime_seconds: lifetime,
            idle_seconds: idle,
            ..Policy::default()
        };
        let rules = Rules::of(times(Some(3600), None), times(Some(7200), Some(600)));
        assert_eq!(rules.times(), (Some(3600), Some(600)));
        assert_eq!(Rules::default().times(), (None, None));
        let share = |sharing| Policy {
            sharing: Some(sharing),
            ..Policy::default()
        };
        let rules = Rules::of(share(Sharing::Watch), share(Sharing::Drive));
        assert_eq!(rules.sharing(), Sharing::Watch);
        assert!(rules.admit_sharing(Sharing::Watch).is_ok());
        assert!(rules.admit_sharing(Sharing::Drive).is_err());
        assert!(Rules::default().admit_sharing(Sharing::Drive).is_ok());
    }

    #[test]
    fn a_document_is_tidied_and_bounded() {
        let policy = Policy {
            repositories: Some(vec![
                " GitHub.com/acme/* ".to_owned(),
                String::new(),
                "github.com/acme/*".to_owned(),
            ]),
            ..Policy::default()
        };
        let tidy = policy.checked().expect("fine");
        assert_eq!(tidy.repositories, Some(vec!["github.com/acme/*".to_owned()]));
        for (field, bad) in [
            (
                "agents",
                Policy {
                    agents: Some(vec!["a b".to_owned()]),
                    ..Policy::default()
                },
            ),
            (
                "egress",
                Policy {
                    egress: Some(vec!["x".repeat(301)]),
                    ..Policy::default()
                },
            ),
            (
                "idle_seconds",
                Policy {
                    idle_seconds: Some(1),
                    ..Policy::default()
                },
            ),
            (
                "lifetime_seconds",
                Policy {
                    lifetime_seconds: Some(0),
                    ..Policy::default()
                },
            ),
            (
                "token_hours",
                Policy {
                    token_hours: Some(0),
                    ..Policy::default()
                },
            ),
        ] {
            assert_eq!(bad.checked().expect_err(field).field.as_deref(), Some(field));
        }
    }
}
