//! Secrets: values that sessions are given and nobody reads back.
//!
//! A [`Secret`] is what is told of one: its name, who receives it, its version, and never its value. The value travels
//! as a [`Value`], which prints as `****`, is wiped when dropped, and becomes JSON only as part of [`Carried`].

use crate::{OrgId, PersonId, Problem, SessionId, Timestamp, id::SecretId, quota::Subject};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// The largest value, in bytes.
pub const VALUE_MAX: usize = 64 * 1024;
/// All values that one session is given are together at most so many bytes: programs take no larger environment.
pub const DELIVERY_MAX: usize = 1024 * 1024;
/// One owner (an Organization, a group, a person) has at most so many secrets.
pub const SECRETS_MAX: u64 = 100;
/// The longest name, in bytes.
pub const NAME_MAX: usize = 128;
/// A secret is bound to at most so many of each: people, groups, agents, repositories.
pub const BOUND_MAX: usize = 100;
/// The longest pattern of a repository, in bytes.
const PATTERN_MAX: usize = 300;

/// What is told of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub id: SecretId,
    pub org: OrgId,
    pub owner: Subject,
    pub kind: Kind,
    /// The variable's name, or the file's path under HOME.
    pub name: String,
    /// Counts the values it has had, from 1.
    pub version: u64,
    pub bindings: Bindings,
    pub created_at: Timestamp,
    /// When its value or its bindings last changed, and the address of who did it.
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// How a session is given a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// As an environment variable of its programs.
    Env,
    /// As a file under HOME that only its user may read (mode 600).
    File,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Env, Self::File];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::File => "file",
        }
    }

    /// Reads [`Kind::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A value, on its way in or out. Wiped when dropped, printed as `****`; it has no JSON of its own on purpose.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Value(Zeroizing<String>);

impl Value {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("****")
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own words for a wrong type repeat what was sent.
        match serde_json::Value::deserialize(deserializer) {
            Ok(serde_json::Value::String(text)) => Ok(Self::new(text)),
            _ => Err(D::Error::custom("a secret's value is text")),
        }
    }
}

/// The secrets of one program, on their way to it: the only form in which values become JSON, for a pipe or the host's
/// socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Added to the environment at the last moment.
    #[serde(default, with = "carried")]
    pub env: BTreeMap<String, Value>,
    /// What else the session holds: masked, with the environment's, in what is kept of its screens. By file name.
    #[serde(default, with = "carried")]
    pub files: BTreeMap<String, Value>,
}

impl Carried {
    /// Whether there is nothing secret.
    pub fn is_empty(&self) -> bool {
        self.env.is_empty() && self.files.is_empty()
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.env.values().chain(self.files.values())
    }
}

mod carried {
    use super::{BTreeMap, Deserialize, Deserializer, Serializer, Value};

    pub(super) fn serialize<S: Serializer>(values: &BTreeMap<String, Value>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(values.iter().map(|(name, value)| (name, value.expose())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Value>, D::Error> {
        BTreeMap::deserialize(from)
    }
}

/// Who receives a secret. What names nobody and nothing is given to nobody. Otherwise each line that names something
/// must fit: who (everyone, or one of the people, or a member of one of the groups), with which agent, on which repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bindings {
    /// Every member of the Organization or group; of a personal secret: every session of its owner.
    #[serde(default)]
    pub everyone: bool,
    #[serde(default)]
    pub people: BTreeSet<PersonId>,
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Slugs.
    #[serde(default)]
    pub agents: BTreeSet<String>,
    /// Patterns of `host/path`: `*` stands for anything within one part, `**` as the last part for any rest.
    #[serde(default)]
    pub repositories: BTreeSet<String>,
}

impl Bindings {
    /// Every member's sessions (or every session of the owner).
    pub fn everyone() -> Self {
        Self {
            everyone: true,
            ..Self::default()
        }
    }

    /// Whether nobody receives it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same bindings, within bounds, for a secret of `owner`.
    pub fn checked(self, owner: &Subject) -> Result<Self, Problem> {
        let refuse = |field: &str, detail: String| Err(Problem::new("invalid-binding", detail).at(field));
        if matches!(owner, Subject::Person(_)) && !(self.people.is_empty() && self.groups.is_empty()) {
            let detail = "A personal secret is given to its owner's sessions only: bind it to all of them, or to agents \
                          or repositories.";
            return refuse("people", detail.to_owned());
        }
        for (field, count) in [
            ("people", self.people.len()),
            ("groups", self.groups.len()),
            ("agents", self.agents.len()),
            ("repositories", self.repositories.len()),
        ] {
            if count > BOUND_MAX {
                return refuse(field, format!("A secret is bound to at most {BOUND_MAX} {field}."));
            }
        }
        if self.groups.iter().any(|name| name.is_empty() || name.len() > 200) {
            return refuse("groups", "A group's name has 1 to 200 bytes.".to_owned());
        }
        if self.agents.iter().any(|slug| slug.is_empty() || slug.len() > 64) {
            return refuse(
                "agents",
                "An agent is named by its slug, such as claude-code.".to_owned(),
            );
        }
        let repositories: Result<_, Problem> = self.repositories.iter().map(|text| pattern(text)).collect();
        Ok(Self {
            repositories: repositories?,
            ..self
        })
    }

    fn reach(&self, to: &Recipient<'_>) -> bool {
        let names_who = self.everyone || !self.people.is_empty() || !self.groups.is_empty();
        let who = self.everyone
            || self.people.contains(to.person)
            || self.groups.iter().any(|group| to.groups.contains(group));
        let agent = self.agents.is_empty() || self.agents.contains(to.agent);
        let repository = self.repositories.is_empty()
            || to
                .repository
                .is_some_and(|location| self.repositories.iter().any(|pattern| fits(pattern, location)));
        !self.is_empty() && (!names_who || who) && agent && repository
    }
}

/// The session that secrets are resolved for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// Its owner, and the groups they are in.
    pub person: &'a PersonId,
    pub groups: &'a BTreeSet<String>,
    /// The slug of its agent.
    pub agent: &'a str,
    /// Where its repository is, as of [`location`].
    pub repository: Option<&'a str>,
}

impl Secret {
    /// Whether a session receives it, were it the only one of its name.
    pub fn reaches(&self, to: &Recipient<'_>) -> bool {
        let owned = match &self.owner {
            Subject::Org => true,
            Subject::Group(name) => to.groups.contains(name),
            Subject::Person(person) => person == to.person,
        };
        owned && self.bindings.reach(to)
    }

    /// The nearest owner's comes first: a person's own, then a group's (by its name), then the Organization's.
    fn rank(&self) -> (u8, &str) {
        match &self.owner {
            Subject::Person(_) => (0, ""),
            Subject::Group(name) => (1, name),
            Subject::Org => (2, ""),
        }
    }
}

/// The secrets that a session receives, by kind and name: of several with one name, the nearest owner's.
pub fn resolve<'a>(secrets: impl IntoIterator<Item = &'a Secret>, to: &Recipient<'_>) -> Vec<&'a Secret> {
    let mut nearest: BTreeMap<(Kind, &str), &Secret> = BTreeMap::new();
    for secret in secrets.into_iter().filter(|secret| secret.reaches(to)) {
        let place = nearest.entry((secret.kind, &secret.name)).or_insert(secret);
        if secret.rank() < place.rank() {
            *place = secret;
        }
    }
    nearest.into_values().collect()
}

/// A secret, at the wish to make one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct New {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub kind: Option<Kind>,
    #[serde(default)]
    pub value: Value,
    /// The group that it belongs to; without one the Organization's (or the person's own).
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default)]
    pub bindings: Bindings,
}

/// One who holds a secret: a session that runs, with the version it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub secret: SecretId,
    pub session: SessionId,
    pub session_name: String,
    pub owner: PersonId,
    pub owner_name: String,
    pub version: u64,
    pub held_at: Timestamp,
}

/// A secret with the running sessions that hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub secret: Secret,
    /// At most 1,000 in a list of secrets.
    pub holders: Vec<Holder>,
}

impl Held {
    /// The running sessions that still have an older value.
    pub fn outdated(&self) -> impl Iterator<Item = &Holder> {
        self.holders
            .iter()
            .filter(|holder| holder.version < self.secret.version)
    }
}

/// Variables that the platform sets itself, or that change which programs run.
const RESERVED: [&str; 20] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "COLORTERM",
    "LANG",
    "LANGUAGE",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "IFS",
    "ENV",
    "TMPDIR",
    "BASH_ENV",
    "PROMPT_COMMAND",
    "NODE_OPTIONS",
    "GIT_SSH_COMMAND",
    "GIT_CEILING_DIRECTORIES",
];
/// And whole families of them.
const RESERVED_FAMILIES: [&str; 6] = ["LD_", "DYLD_", "LC_", "SANDBOX_", "BASH_FUNC_", "GIT_CONFIG_"];

/// A name that a secret of this kind may have: `[A-Z_][A-Z0-9_]*` for a variable, a relative path of letters, digits and
/// `._@+-` for a file; at most [`NAME_MAX`] bytes. What would change how programs are started is refused.
pub fn name(kind: Kind, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let shown: String = text.chars().take(80).collect();
    let refuse = |detail: String| Err(Problem::new("invalid-name", detail).at("name"));
    if text.is_empty() || text.len() > NAME_MAX {
        return refuse(format!("A secret's name has 1 to {NAME_MAX} characters."));
    }
    match kind {
        Kind::Env => {
            let shaped = text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
                && !text.starts_with(|c: char| c.is_ascii_digit());
            if !shaped {
                return refuse(format!(
                    "{shown:?} is no name for a variable: use capital letters, digits and _, such as STRIPE_KEY."
                ));
            }
            if RESERVED.contains(&text) || RESERVED_FAMILIES.iter().any(|family| text.starts_with(family)) {
                return refuse(format!(
                    "{shown} is set by the platform, or changes which programs run. Choose another name."
                ));
            }
        }
        Kind::File => {
            let part = |part: &str| {
                !part.is_empty()
                    && part != "."
                    && part != ".."
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@+-".contains(&b))
            };
            if !text.split('/').all(part) {
                return refuse(format!(
                    "{shown:?} is no path under HOME: use letters, digits and ._@+-, such as .ssh/id_ed25519."
                ));
            }
        }
    }
    Ok(text.to_owned())
}

/// A value that a secret of this kind may have: 1 to [`VALUE_MAX`] bytes, without NUL in a variable. What is refused is
/// never repeated.
pub fn value(kind: Kind, value: Value) -> Result<Value, Problem> {
    let refuse = |detail: String| Err(Problem::new("invalid-value", detail).at("value"));
    let text = value.expose();
    if text.is_empty() {
        return refuse("Give the value.".to_owned());
    }
    if text.len() > VALUE_MAX {
        return refuse(format!("A value has at most {} KiB.", VALUE_MAX >> 10));
    }
    if kind == Kind::Env && text.contains('\0') {
        return refuse("The value of a variable holds no NUL.".to_owned());
    }
    Ok(value)
}

/// A pattern of `host/path`, with the host in lower case.
fn pattern(text: &str) -> Result<String, Problem> {
    let text = text.trim().trim_end_matches('/');
    let parts: Vec<&str> = text.split('/').collect();
    let last = parts.len() - 1;
    let shaped = text.len() <= PATTERN_MAX
        && last >= 1
        && !text.contains("://")
        && parts.iter().enumerate().all(|(place, part)| {
            !part.is_empty()
                && *part != "."
                && *part != ".."
                && (!part.contains("**") || (*part == "**" && place == last))
                && part
                    .chars()
                    .all(|c| !c.is_whitespace() && !c.is_control() && !r"\%?#@".contains(c))
        });
    if !shaped {
        let shown: String = text.chars().take(80).collect();
        let detail = format!(
            "{shown:?} is no pattern for repositories: write host/path, such as github.com/acme/* or git.example.org/**."
        );
        return Err(Problem::new("invalid-binding", detail).at("repositories"));
    }
    Ok(format!("{}/{}", parts[0].to_lowercase(), parts[1..].join("/")))
}

/// Whether `location` fits `pattern`.
fn fits(pattern: &str, location: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), location.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(pattern), Some(part)) if fits_part(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// `*` stands for any run of characters. Linear: a mismatch goes back to the last star only.
fn fits_part(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Where a repository is, as `host/path`: the host in lower case with its port where that is not the usual one, the path
/// without `.git`. Short forms (`org/name`) are at `base`. `None` for what could be read in two ways: no pattern fits that.
pub fn location(repo: &str, base: Option<&str>) -> Option<String> {
    if repo
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || r"\%?#".contains(c))
    {
        return None;
    }
    let (authority, path, usual) = match repo.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/')?;
            let usual = match scheme {
                "https" => ":443",
                "http" => ":80",
                "ssh" => ":22",
                "git" => ":9418",
                _ => return None,
            };
            (authority, path, usual)
        }
        None => match repo.split_once(':') {
            Some((authority, path)) => (authority, path.trim_start_matches('/'), ""),
            None => return location(&format!("{}/{repo}", base?.trim_end_matches('/')), None),
        },
    };
    let host = authority.rsplit('@').next()?.to_lowercase();
    let host = if usual.is_empty() {
        &host
    } else {
        host.strip_suffix(usual).unwrap_or(&host)
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let clear = !host.is_empty() && !host.contains('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    clear.then(|| format!("{host}/{path}"))
}

#[cfg(test)]
mod tests;
