//! Policy: what an Organization allows its members, and the floor below that nobody may loosen.
//!
//! A document says only what it restricts; an empty one allows everything. The installation has one too, and what holds
//! in an Organization is the stricter of both, rule by rule: see [`Rules::of`].
//!
//! Three rules widen where they are said, because what holds without them is the narrowest: [`Policy::seeing`],
//! [`Policy::admins_watch`] and [`Policy::recording`]. The installation's document only ever caps them.

use crate::{Problem, Role, Timestamp, permit::Sight, session::Sharing};
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
    /// What becomes of a session that has rested for too long; without a word it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_action: Option<IdleAction>,
    /// How far members see one another's sessions beside those that are shared with them: what they are, never their
    /// screens. Without a word each sees their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeing: Option<Seeing>,
    /// Whether those who govern may look at the screens of their Organization's sessions, never type into them. Without a
    /// word, only where they are invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admins_watch: Option<bool>,
    /// Whether terminals are recorded: those that start while it is said. Without a word, nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<bool>,
    /// How long a personal access token may last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_hours: Option<i64>,
    /// The hosts that agents may reach, as patterns; held only by runtimes that can (one machine's cannot).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<Vec<String>>,
}

/// How far members see one another's sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seeing {
    /// Each their own, and what is shared with them.
    #[default]
    Own,
    /// Also those of whoever is in one of their groups.
    Groups,
    /// Those of everybody in the Organization.
    Org,
}

impl Seeing {
    /// Every one, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Own, Self::Groups, Self::Org];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Groups => "groups",
            Self::Org => "org",
        }
    }

    /// Reads [`Seeing::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|seeing| seeing.as_str() == text)
    }
}

/// What becomes of a session that has rested for too long; what ends more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleAction {
    /// Its owner is told; nothing ends.
    Warn,
    /// It is put to sleep; the next keystroke wakes it.
    Suspend,
    /// It is put to sleep, and only somebody who resumes it wakes it.
    Stop,
}

impl IdleAction {
    /// Every one, the mildest first.
    pub const ALL: [Self; 3] = [Self::Warn, Self::Suspend, Self::Stop];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Suspend => "suspend",
            Self::Stop => "stop",
        }
    }

    /// Reads [`IdleAction::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
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

    /// How far members see one another's sessions: as far as the Organization says, and no farther than the floor.
    pub fn seeing(&self) -> Seeing {
        let most = self.floor.seeing.unwrap_or(Seeing::Org);
        self.own.seeing.unwrap_or_default().min(most)
    }

    /// Whether those who govern may look at screens: the Organization says so, and the floor does not forbid it.
    pub fn admins_watch(&self) -> bool {
        self.own.admins_watch == Some(true) && self.floor.admins_watch != Some(false)
    }

    /// Whether terminals are recorded: the Organization says so, and the floor does not forbid it.
    pub fn records(&self) -> bool {
        self.own.recording == Some(true) && self.floor.recording != Some(false)
    }

    /// What somebody of this role may see of a colleague's session that is not shared with them; `near`: they are in one
    /// group.
    pub fn sight(&self, role: Role, near: bool) -> Sight {
        Sight {
            listed: match self.seeing() {
                Seeing::Own => false,
                Seeing::Groups => near,
                Seeing::Org => true,
            },
            screen: self.admins_watch() && Role::GOVERNING.contains(&role),
        }
    }

    /// How long a session may run at a time.
    pub fn lifetime(&self) -> Option<u64> {
        let both = self.both().into_iter();
        both.filter_map(|(_, policy)| policy.lifetime_seconds).min()
    }

    /// After how many seconds of rest what happens, for a quota that suspends after `quota`. Each rule acts as it says, or
    /// harder where the other document asks for that: nobody's warning takes the place of another's end.
    pub fn idle(&self, quota: Option<u64>) -> Vec<(u64, IdleAction)> {
        let said = |policy: &Policy| policy.idle_action.unwrap_or(IdleAction::Warn);
        let least = said(&self.floor).max(said(&self.own));
        let of = |policy: &Policy| Some((policy.idle_seconds?, policy.idle_action.unwrap_or(IdleAction::Suspend)));
        [
            of(&self.floor),
            of(&self.own),
            quota.map(|limit| (limit, IdleAction::Suspend)),
        ]
        .into_iter()
        .flatten()
        .map(|(seconds, action)| (seconds, action.max(least)))
        .collect()
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
    /// Sessions that nobody shares and that colleagues would see from now on.
    #[serde(default)]
    pub shown: u64,
    /// Sessions that have rested for so long now that its idle rule would act on them at once.
    #[serde(default)]
    pub resting: u64,
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
        assert_eq!(rules.lifetime(), Some(3600));
        assert_eq!(rules.idle(None), [(600, IdleAction::Suspend)]);
        assert_eq!(Rules::default().lifetime(), None);
        assert!(Rules::default().idle(None).is_empty());
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

    /// Every document that says something, or nothing, of who sees what and of rest.
    fn documents() -> Vec<Policy> {
        let mut all = Vec::new();
        for seeing in [None, Some(Seeing::Own), Some(Seeing::Groups), Some(Seeing::Org)] {
            for admins_watch in [None, Some(false), Some(true)] {
                for idle_action in [
                    None,
                    Some(IdleAction::Warn),
                    Some(IdleAction::Suspend),
                    Some(IdleAction::Stop),
                ] {
                    for idle_seconds in [None, Some(600), Some(1200)] {
                        for recording in [None, Some(false), Some(true)] {
                            all.push(Policy {
                                seeing,
                                admins_watch,
                                idle_action,
                                idle_seconds,
                                recording,
                                ..Policy::default()
                            });
                        }
                    }
                }
            }
        }
        all
    }

    /// What happens to a session that has rested for so long: the hardest of what is due.
    fn due(rules: &Rules, rested: u64) -> Option<IdleAction> {
        let due = rules.idle(Some(1800)).into_iter();
        due.filter(|(after, _)| rested >= *after)
            .map(|(_, action)| action)
            .max()
    }

    #[test]
    fn a_floor_of_whatever_kind_never_loosens_what_an_organization_says() {
        for own in documents() {
            let alone = Rules::of(Policy::default(), own.clone());
            for floor in documents() {
                let both = Rules::of(floor.clone(), own.clone());
                assert!(both.seeing() <= alone.seeing(), "{floor:?} {own:?}");
                assert!(
                    both.seeing() <= floor.seeing.unwrap_or(Seeing::Org),
                    "{floor:?} {own:?}"
                );
                assert!(both.admins_watch() <= alone.admins_watch(), "{floor:?} {own:?}");
                assert!(both.records() <= alone.records(), "{floor:?} {own:?}");
                for role in Role::ALL {
                    for near in [false, true] {
                        let (both, alone) = (both.sight(role, near), alone.sight(role, near));
                        assert!(both.listed <= alone.listed && both.screen <= alone.screen);
                    }
                }
                for rested in [300, 600, 1200, 1800] {
                    assert!(due(&both, rested) >= due(&alone, rested), "{rested} {floor:?} {own:?}");
                }
            }
        }
    }

    #[test]
    fn an_organization_of_whatever_kind_never_loosens_the_floor() {
        for floor in documents() {
            let alone = Rules::of(floor.clone(), Policy::default());
            assert!(
                !alone.records(),
                "nobody is recorded whose own Organization has not said so"
            );
            for own in documents() {
                let both = Rules::of(floor.clone(), own.clone());
                assert!(floor.admins_watch != Some(false) || !both.admins_watch());
                assert!(floor.recording != Some(false) || !both.records());
                for rested in [300, 600, 1200, 1800] {
                    assert!(due(&both, rested) >= due(&alone, rested), "{rested} {floor:?} {own:?}");
                }
            }
        }
    }

    #[test]
    fn a_stricter_word_in_either_document_never_loosens() {
        for floor in documents() {
            for own in documents() {
                let rules = |floor: &Policy, own: &Policy| Rules::of(floor.clone(), own.clone());
                let before = rules(&floor, &own);
                for seeing in Seeing::ALL {
                    if own.seeing.is_some_and(|now| seeing < now) {
                        let narrower = Policy {
                            seeing: Some(seeing),
                            ..own.clone()
                        };
                        assert!(rules(&floor, &narrower).seeing() <= before.seeing());
                    }
                    if floor.seeing.is_none_or(|now| seeing < now) {
                        let narrower = Policy {
                            seeing: Some(seeing),
                            ..floor.clone()
                        };
                        assert!(rules(&narrower, &own).seeing() <= before.seeing());
                    }
                }
                let harder = Policy {
                    idle_action: Some(IdleAction::Stop),
                    ..own.clone()
                };
                for rested in [600, 1200, 1800] {
                    assert!(due(&rules(&floor, &harder), rested) >= due(&before, rested));
                }
            }
        }
    }

    #[test]
    fn a_document_from_before_these_rules_means_what_it_meant() {
        let old: Policy = serde_json::from_str(r#"{"idle_seconds": 600, "sharing": "watch"}"#).expect("reads");
        let rules = Rules::of(Policy::default(), old.clone());
        assert_eq!(rules.seeing(), Seeing::Own);
        assert!(!rules.admins_watch());
        assert_eq!(rules.idle(None), [(600, IdleAction::Suspend)]);
        assert_eq!(
            serde_json::to_string(&old).expect("writes"),
            r#"{"sharing":"watch","idle_seconds":600}"#
        );
        let warned = Policy {
            idle_action: Some(IdleAction::Warn),
            ..old
        };
        assert_eq!(
            Rules::of(Policy::default(), warned.clone()).idle(None),
            [(600, IdleAction::Warn)]
        );
        // The plan's own limit ends a rest whatever an Organization would rather do.
        assert_eq!(
            Rules::of(Policy::default(), warned).idle(Some(900)),
            [(600, IdleAction::Warn), (900, IdleAction::Suspend)]
        );
    }
}
