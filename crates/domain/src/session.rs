//! Sessions: what a person opens and returns to; one agent in one workspace.

use crate::{OrgId, PersonId, Problem, SessionId, Timestamp, host::TerminalStatus, permit::Verb, wire::Exit};
use serde::{Deserialize, Serialize};

/// A session as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub org: OrgId,
    pub owner: PersonId,
    /// The owner's name and address, as they were last known.
    pub owner_name: String,
    pub owner_email: String,
    /// The display name, 1 to 120 characters.
    pub name: String,
    /// The agent's slug in the catalogue.
    pub agent: String,
    /// What was cloned into the workspace; `None` for an empty one.
    pub repo: Option<String>,
    pub branch: Option<String>,
    pub phase: Phase,
    /// Why it failed, or what it is doing now ("Cloning: 42 %"), as a sentence.
    pub reason: Option<String>,
    /// How the agent ended, where it has.
    pub exit: Option<Exit>,
    pub sharing: Sharing,
    pub created_at: Timestamp,
    /// The last output or input, to about a minute.
    pub active_at: Timestamp,
    /// When it was last opened or woken: from here on its lifetime counts.
    pub woken_at: Timestamp,
    /// Whether it was put to sleep so that only somebody who resumes it wakes it, and no stray key.
    #[serde(default)]
    pub by_hand: bool,
    /// Whether any of its terminals was ever recorded.
    #[serde(default)]
    pub recorded: bool,
    /// Bytes on disk when last measured.
    pub storage_bytes: u64,
    /// Counts the changes of this row; a change based on an older one is refused.
    pub version: i64,
}

/// Where a session is in its life (`status.phase` of the platform, and `Suspended`, ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Recorded; nobody has begun.
    Pending,
    /// The workspace is being made.
    Provisioning,
    /// Its host runs.
    Ready,
    /// It could not be made or was lost; the reason says why.
    Failed,
    /// Nothing runs; the workspace and the last screen are kept.
    Suspended,
}

/// What a person is told of a session's life: the published five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Running,
    Stopped,
    Failed,
    Unknown,
}

/// What other members of the Organization may do with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    #[default]
    Private,
    /// See it and watch its terminals.
    Watch,
    /// Also take control.
    Drive,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Provisioning,
        Self::Ready,
        Self::Failed,
        Self::Suspended,
    ];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Provisioning => "Provisioning",
            Self::Ready => "Ready",
            Self::Failed => "Failed",
            Self::Suspended => "Suspended",
        }
    }

    /// Reads [`Phase::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// Whether a session may go from here to `next`. `Ready` to `Ready` is an agent that ended or was started anew
    /// under its living host.
    pub const fn may_become(self, next: Self) -> bool {
        use Phase::{Failed, Pending, Provisioning, Ready, Suspended};
        matches!(
            (self, next),
            (Pending | Provisioning, Provisioning | Ready | Failed | Suspended)
                | (Ready, Ready | Failed | Suspended | Provisioning)
                | (Failed | Suspended, Pending)
        )
    }
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Stopped, Self::Failed, Self::Unknown];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`Status::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl Sharing {
    /// Every degree, narrowest first.
    pub const ALL: [Self; 3] = [Self::Private, Self::Watch, Self::Drive];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Watch => "watch",
            Self::Drive => "drive",
        }
    }

    /// Reads [`Sharing::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sharing| sharing.as_str() == text)
    }
}

impl Session {
    /// What it says of itself while it runs, where it says something: that it rests longer than its Organization likes.
    pub fn word(&self) -> Option<&str> {
        let runs = self.phase == Phase::Ready && self.exit.is_none();
        self.reason.as_deref().filter(|_| runs)
    }

    /// The published status: a session whose agent has ended is stopped though its host still shows the last screen.
    pub const fn status(&self) -> Status {
        match self.phase {
            Phase::Pending | Phase::Provisioning => Status::Pending,
            Phase::Ready if self.exit.is_none() => Status::Running,
            Phase::Ready | Phase::Suspended => Status::Stopped,
            Phase::Failed => Status::Failed,
        }
    }

    /// Whether it counts against the limit of concurrent sessions.
    pub const fn is_live(&self) -> bool {
        matches!(self.status(), Status::Pending | Status::Running)
    }

    /// A plain session to start tests and examples from.
    pub fn example(id: SessionId, org: OrgId, owner: PersonId) -> Self {
        Self {
            name: id.as_str().to_owned(),
            owner_name: owner.as_str().to_owned(),
            owner_email: format!("{owner}@example.org"),
            id,
            org,
            owner,
            agent: "shell".to_owned(),
            repo: None,
            branch: None,
            phase: Phase::Pending,
            reason: None,
            exit: None,
            sharing: Sharing::Private,
            created_at: Timestamp::default(),
            active_at: Timestamp::default(),
            woken_at: Timestamp::default(),
            by_hand: false,
            recorded: false,
            storage_bytes: 0,
            version: 1,
        }
    }
}

/// What is known of a running session only while it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub terminals: Vec<TerminalStatus>,
    pub cpu_micros: u64,
    pub memory_bytes: u64,
    pub processes: u64,
}

/// A session as one caller sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub session: Session,
    pub status: Status,
    pub live: Option<Live>,
    /// Where it is or was recorded: everybody who sees the session is told.
    #[serde(default)]
    pub recording: Option<Recorded>,
    /// What this caller may do with it, so that no page offers what would be refused.
    pub may: Vec<Verb>,
}

/// What is told of a session's recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What comes out of a terminal of it is being recorded now.
    pub now: bool,
    /// Beside its owner, those who govern its Organization may read it.
    pub admins: bool,
}

impl View {
    /// Whether the caller may do `verb` with it.
    pub fn may(&self, verb: Verb) -> bool {
        self.may.contains(&verb)
    }
}

/// What is asked for when a session is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The agent's slug.
    pub agent: String,
    /// The display name; without one it is called after its repository or agent.
    #[serde(default)]
    pub name: Option<String>,
    /// `https://`, `ssh://`, `git://` or `user@host:path`, or `org/name` on a configured host.
    #[serde(default)]
    pub repo: Option<String>,
    #[serde(default)]
    pub branch: Option<String>,
}

/// The longest display name, in characters.
pub const NAME_MAX: usize = 120;
/// The longest repository address, in bytes.
pub const REPO_MAX: usize = 500;

impl Open {
    /// Trims and checks what was asked; the refusal names the field.
    pub fn checked(self) -> Result<Self, Problem> {
        let blank = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let open = Self {
            agent: self.agent.trim().to_owned(),
            name: blank(self.name),
            repo: blank(self.repo),
            branch: blank(self.branch),
        };
        if open.agent.is_empty() {
            return Err(Problem::new("invalid-agent", "Choose an agent.").at("agent"));
        }
        if let Some(name) = &open.name {
            checked_name(name)?;
        }
        if let Some(repo) = &open.repo {
            checked_repo(repo)?;
        }
        if let Some(branch) = &open.branch {
            checked_branch(branch)?;
            if open.repo.is_none() {
                return Err(Problem::new("invalid-branch", "A branch needs a repository.").at("branch"));
            }
        }
        Ok(open)
    }

    /// The display name: the one given, else the repository's, else the agent's.
    pub fn display_name(&self) -> String {
        let from_repo = || {
            let repo = self.repo.as_deref()?.trim_end_matches('/');
            let last = repo.rsplit(['/', ':']).next()?;
            let last = last.strip_suffix(".git").unwrap_or(last);
            (!last.is_empty()).then(|| last.chars().take(NAME_MAX).collect())
        };
        self.name
            .clone()
            .or_else(from_repo)
            .unwrap_or_else(|| self.agent.clone())
    }
}

/// Checks a display name: 1 to [`NAME_MAX`] characters, none of them control characters.
pub fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > NAME_MAX {
        return Err(Problem::new("invalid-name", format!("A name has 1 to {NAME_MAX} characters.")).at("name"));
    }
    // Bidirectional overrides would let a name pretend to be another in a list.
    let hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if name.chars().any(hidden) {
        return Err(Problem::new("invalid-name", "A name has no control characters.").at("name"));
    }
    Ok(name.to_owned())
}

fn checked_repo(repo: &str) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::new("invalid-repo", detail).at("repo"));
    if repo.len() > REPO_MAX {
        return refuse("A repository address has at most 500 characters.");
    }
    if repo.chars().any(|c| c.is_whitespace() || c.is_control()) || repo.starts_with('-') {
        return refuse("A repository address has no spaces and does not begin with a dash.");
    }
    if let Some((scheme, rest)) = repo.split_once("://") {
        if !matches!(scheme, "https" | "http" | "ssh" | "git") {
            return refuse("Give the repository as https://, http://, ssh:// or git://.");
        }
        let authority = rest.split('/').next().unwrap_or_default();
        // A password in an address would end up in lists, logs and the workspace's own configuration.
        if authority.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return refuse(
                "Leave the password out of the address: it would be shown to everybody who sees the session.",
            );
        }
        if authority.trim_start_matches('-') != authority || authority.is_empty() || rest.len() == authority.len() {
            return refuse("Give the whole address of the repository, such as https://example.org/team/project.git.");
        }
        return Ok(());
    }
    let scp = repo.split_once(':').is_some_and(|(host, path)| {
        !path.is_empty()
            && host
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
    });
    // The platform's own short form, `org/name`, resolved against the configured Git host.
    let short = repo.split_once('/').is_some_and(|(org, name)| {
        let word = |text: &str| {
            !text.is_empty()
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        word(org) && word(name)
    });
    if scp || short {
        return Ok(());
    }
    refuse("Give the repository as https://host/path, user@host:path, or org/name.")
}

/// The rules of `git check-ref-format` that matter for an argument.
fn checked_branch(branch: &str) -> Result<(), Problem> {
    let bad = branch.len() > 200
        || branch.starts_with(['-', '/', '.'])
        || branch.ends_with(['/', '.'])
        || branch.ends_with(".lock")
        || branch.contains("..")
        || branch.contains("//")
        || branch.contains("@{")
        || branch
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c));
    if bad {
        return Err(Problem::new("invalid-branch", "That is not a name Git allows for a branch.").at("branch"));
    }
    Ok(())
}

/// What deleting a session would destroy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Bytes of workspace and HOME.
    pub bytes: u64,
    /// Files in the workspace.
    pub files: u64,
    /// Files changed and not committed, where the workspace is a Git checkout.
    pub uncommitted: Option<u64>,
    /// Commits that are on no remote.
    pub unpushed: Option<u64>,
    /// Programs that still run.
    pub processes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_project_to_the_published_words() {
        let mut session = Session::example(SessionId::new("s"), OrgId::new("o"), PersonId::new("p"));
        for (phase, exit, status) in [
            (Phase::Pending, None, Status::Pending),
            (Phase::Provisioning, None, Status::Pending),
            (Phase::Ready, None, Status::Running),
            (Phase::Ready, Some(Exit::Code(0)), Status::Stopped),
            (Phase::Suspended, None, Status::Stopped),
            (Phase::Failed, None, Status::Failed),
        ] {
            (session.phase, session.exit) = (phase, exit);
            assert_eq!(session.status(), status);
        }
    }

    #[test]
    fn nothing_wakes_without_being_asked_and_nothing_skips_the_line() {
        assert!(!Phase::Suspended.may_become(Phase::Ready));
        assert!(!Phase::Failed.may_become(Phase::Ready));
        assert!(Phase::Suspended.may_become(Phase::Pending));
        assert!(Phase::Ready.may_become(Phase::Suspended));
    }

    #[test]
    fn repositories_that_git_could_misread_are_refused() {
        let open = |repo: &str| {
            Open {
                agent: "shell".into(),
                repo: Some(repo.into()),
                ..Open::default()
            }
            .checked()
        };
        for good in [
            "https://example.org/a/b.git",
            "git@example.org:a/b.git",
            "acme/web",
            "ssh://git@h/x",
        ] {
            assert!(open(good).is_ok(), "{good}");
        }
        for bad in [
            "--upload-pack=touch /tmp/x",
            "ext::sh -c x",
            "file:///etc/passwd",
            "https://u:secret@h/x",
            "/etc/passwd",
            "../x",
            "https://",
            "https://host",
            "ssh://-oProxyCommand=x/y",
            "a b",
            "x",
            "https://h/\u{7}",
        ] {
            let problem = open(bad).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("repo"));
        }
    }

    #[test]
    fn a_session_is_called_after_what_it_is_for() {
        let open = |name: Option<&str>, repo: Option<&str>| Open {
            agent: "opencode".into(),
            name: name.map(Into::into),
            repo: repo.map(Into::into),
            branch: None,
        };
        assert_eq!(open(Some("Fix"), Some("a/b")).display_name(), "Fix");
        assert_eq!(open(None, Some("https://h/team/web.git/")).display_name(), "web");
        assert_eq!(open(None, Some("git@h:web.git")).display_name(), "web");
        assert_eq!(open(None, None).display_name(), "opencode");
    }

    #[test]
    fn names_and_branches_are_bounded() {
        assert!(checked_name(&"x".repeat(120)).is_ok());
        assert!(checked_name(&"x".repeat(121)).is_err());
        assert!(checked_name("a\u{202e}b").is_err());
        assert!(checked_name(" \n ").is_err());
        for bad in ["-x", "a..b", "a b", "x.lock", "/x", "a@{b"] {
            let open = Open {
                agent: "s".into(),
                repo: Some("a/b".into()),
                branch: Some(bad.into()),
                name: None,
            };
            assert!(open.checked().is_err(), "{bad}");
        }
    }
}
