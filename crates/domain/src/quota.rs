//! Plans and quotas: what may run. An absent limit is no limit; 0 is never "unlimited".
//!
//! A person's quota is made in layers: the plan, then what their Organization says for everybody, then what it says for
//! their groups, then for themselves; each layer replaces only the limits that it names. What was granted on request
//! comes last and only ever raises. [`effective`] says for each limit where it comes from.
//!
//! What an Organization gives its members is bounded by its ceiling: its plan's quota, or what whoever runs the
//! installation has set for it in the plan's place ([`ceiling`]).

use crate::{OrgId, PersonId, Problem, Timestamp, id::RequestId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeMap;

const GIB: u64 = 1 << 30;
const DAY: u64 = 24 * 3600;

/// What one person may run at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The plan's name, where it is one.
    pub plan: Option<String>,
    /// Thousandths of a processor, for each session.
    pub cpu_millis: Option<u64>,
    /// For each session.
    pub memory_bytes: Option<u64>,
    /// For all sessions of the person together.
    pub storage_bytes: Option<u64>,
    pub concurrent_sessions: Option<u64>,
    /// Sessions that exist, asleep or not.
    #[serde(default)]
    pub sessions: Option<u64>,
    /// How long a session may run at a time before it is suspended.
    #[serde(default)]
    pub lifetime_seconds: Option<u64>,
    /// How long a session may rest, unused and unwatched, before it is suspended.
    #[serde(default)]
    pub idle_seconds: Option<u64>,
}

impl Quota {
    /// The quota of a published plan; without a plan 4 CPU, 8 GiB, 50 GiB, 3 sessions. `None` for an unknown plan.
    pub fn of_plan(plan: Option<&str>) -> Option<Self> {
        let (cpu, memory, storage, concurrent) = match plan {
            None => (4000, 8, 50, Some(3)),
            Some("sandbox-free") => (500, 1, 5, Some(1)),
            Some("sandbox-pro") => (2000, 4, 50, Some(3)),
            Some("sandbox-ent") => (8000, 16, 500, None),
            Some(_) => return None,
        };
        Some(Self {
            plan: plan.map(str::to_owned),
            cpu_millis: Some(cpu),
            memory_bytes: Some(memory * GIB),
            storage_bytes: Some(storage * GIB),
            concurrent_sessions: concurrent,
            sessions: None,
            lifetime_seconds: None,
            idle_seconds: None,
        })
    }

    /// The limit of a dimension.
    pub const fn of(&self, dimension: Dimension) -> Limit {
        let limit = match dimension {
            Dimension::ConcurrentSessions => self.concurrent_sessions,
            Dimension::Sessions => self.sessions,
            Dimension::Cpu => self.cpu_millis,
            Dimension::Memory => self.memory_bytes,
            Dimension::Storage => self.storage_bytes,
            Dimension::Lifetime => self.lifetime_seconds,
            Dimension::Idle => self.idle_seconds,
        };
        match limit {
            None => Limit::Unlimited,
            Some(most) => Limit::At(most),
        }
    }

    fn set(&mut self, dimension: Dimension, limit: Limit) {
        let place = match dimension {
            Dimension::ConcurrentSessions => &mut self.concurrent_sessions,
            Dimension::Sessions => &mut self.sessions,
            Dimension::Cpu => &mut self.cpu_millis,
            Dimension::Memory => &mut self.memory_bytes,
            Dimension::Storage => &mut self.storage_bytes,
            Dimension::Lifetime => &mut self.lifetime_seconds,
            Dimension::Idle => &mut self.idle_seconds,
        };
        *place = limit.most();
    }
}

/// Something that is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Sessions that run at once.
    ConcurrentSessions,
    /// Sessions that exist.
    Sessions,
    /// Thousandths of a processor, for each session.
    Cpu,
    /// Bytes of memory, for each session.
    Memory,
    /// Bytes on disk, of all sessions of a person.
    Storage,
    /// Seconds that a session may run at a time.
    Lifetime,
    /// Seconds that a session may rest, unused and unwatched.
    Idle,
}

impl Dimension {
    /// Every dimension, most asked for first.
    pub const ALL: [Self; 7] = [
        Self::ConcurrentSessions,
        Self::Sessions,
        Self::Cpu,
        Self::Memory,
        Self::Storage,
        Self::Lifetime,
        Self::Idle,
    ];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConcurrentSessions => "concurrent_sessions",
            Self::Sessions => "sessions",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Storage => "storage",
            Self::Lifetime => "lifetime",
            Self::Idle => "idle",
        }
    }

    /// Reads [`Dimension::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == text)
    }

    /// The least and the most that a limit may say: below, nothing could run; beyond, "unlimited" is meant.
    pub const fn bounds(self) -> (u64, u64) {
        match self {
            // The published schema of a sandbox allows 1 to 10; more than 1,000 on one machine is a slip of the hand.
            Self::ConcurrentSessions => (1, 1000),
            Self::Sessions => (1, 100_000),
            Self::Cpu => (50, 1_024_000),
            Self::Memory => (64 << 20, 64 << 40),
            Self::Storage => (64 << 20, 1 << 50),
            Self::Lifetime => (600, 366 * DAY),
            Self::Idle => (300, 366 * DAY),
        }
    }
}

/// Which limits to list: groups first, then people by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLimits {
    /// Words to find in a group's name, or in a person's name and address; at most 200 characters count.
    #[serde(default)]
    pub search: String,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// As of [`crate::page::limit`].
    #[serde(default)]
    pub limit: u32,
}

/// What is set for a group or for a person, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limited {
    pub subject: Subject,
    /// A person's name and address; `None` for a group.
    pub name: Option<String>,
    pub email: Option<String>,
    pub limits: Limits,
}

/// How far something may go. On the wire a number, or the word `unlimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    At(u64),
    Unlimited,
}

impl Limit {
    /// The number; `None` where there is none.
    pub const fn most(self) -> Option<u64> {
        match self {
            Self::At(most) => Some(most),
            Self::Unlimited => None,
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(most) => serializer.serialize_u64(*most),
            Self::Unlimited => serializer.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Word(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(most) => Ok(Self::At(most)),
            Either::Word(word) if word == "unlimited" => Ok(Self::Unlimited),
            Either::Word(word) => word
                .parse()
                .map(Self::At)
                .map_err(|_| D::Error::custom("a limit is a number or the word unlimited")),
        }
    }
}

/// The limits that one layer names; what is absent is left to the layer before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(pub BTreeMap<Dimension, Limit>);

impl Limits {
    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses limits out of their bounds, with the dimension named.
    pub fn check(&self) -> Result<(), Problem> {
        self.0
            .iter()
            .try_for_each(|(dimension, limit)| within(*dimension, *limit))
    }
}

/// Refuses a limit out of its dimension's bounds.
pub fn within(dimension: Dimension, limit: Limit) -> Result<(), Problem> {
    let (least, most) = dimension.bounds();
    match limit {
        Limit::At(at) if !(least..=most).contains(&at) => {
            let name = dimension.as_str();
            let detail = format!("The limit {name} is {least} to {most}, or unlimited; 0 is never unlimited.");
            Err(Problem::new("invalid-limit", detail).at(name))
        }
        _ => Ok(()),
    }
}

/// Where a limit comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// The plan, or the default without one.
    Plan,
    /// What whoever runs the installation has set for the Organization in the plan's place.
    Ceiling,
    /// What the Organization says for everybody.
    Org,
    Group {
        name: String,
    },
    Person,
    /// Granted on request.
    Grant {
        until: Option<Timestamp>,
    },
}

impl Source {
    /// Later layers replace what earlier ones say.
    const fn rank(&self) -> u8 {
        match self {
            Self::Plan => 0,
            Self::Ceiling => 1,
            Self::Org => 2,
            Self::Group { .. } => 3,
            Self::Person => 4,
            Self::Grant { .. } => 5,
        }
    }
}

/// What one layer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    pub source: Source,
    pub limits: Limits,
}

/// A quota, and where each of its limits comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effective {
    pub quota: Quota,
    pub sources: BTreeMap<Dimension, Source>,
}

/// The quota that `layers` make of the plan's, in whatever order they come. Of several groups the most generous counts;
/// a grant never lowers.
pub fn effective(plan: Quota, mut layers: Vec<Layer>) -> Effective {
    layers.sort_by_key(|layer| layer.source.rank());
    let mut sources: BTreeMap<_, _> = Dimension::ALL.map(|dimension| (dimension, Source::Plan)).into();
    let mut quota = plan;
    for Layer { source, limits } in layers {
        for (dimension, limit) in limits.0 {
            let replaced = sources.get(&dimension).map_or(0, Source::rank);
            let only_raises = source.rank() == replaced || matches!(source, Source::Grant { .. });
            if only_raises && limit <= quota.of(dimension) {
                continue;
            }
            quota.set(dimension, limit);
            sources.insert(dimension, source.clone());
        }
    }
    Effective { quota, sources }
}

/// The most that those who govern an Organization may give anybody in it: the plan's quota, or what `set` says in its
/// place.
pub fn ceiling(plan: Quota, set: Limits) -> Quota {
    let layer = Layer {
        source: Source::Ceiling,
        limits: set,
    };
    effective(plan, vec![layer]).quota
}

/// Refuses limits beyond a ceiling, naming it.
pub fn under(ceiling: &Quota, limits: &Limits) -> Result<(), Problem> {
    for (dimension, limit) in &limits.0 {
        let most = ceiling.of(*dimension);
        if *limit > most {
            let name = dimension.as_str();
            let detail = format!(
                "This Organization may give at most {}. Whoever runs this installation can raise that.",
                in_words(*dimension, most)
            );
            return Err(Problem::new("over-ceiling", detail).at(name));
        }
    }
    Ok(())
}

/// A limit as a person reads it.
pub fn in_words(dimension: Dimension, limit: Limit) -> String {
    let Some(most) = limit.most() else {
        return "unlimited".to_owned();
    };
    match dimension {
        Dimension::ConcurrentSessions => format!("{most} sessions at once"),
        Dimension::Sessions => format!("{most} sessions"),
        Dimension::Cpu => format!("{} processors", most as f64 / 1000.0),
        Dimension::Memory | Dimension::Storage => format!("{:.1} GiB", most as f64 / f64::from(1 << 30)),
        Dimension::Lifetime => format!("{} minutes at a time", most / 60),
        Dimension::Idle => format!("{} minutes of rest", most / 60),
    }
}

/// A person's quota beside what is used of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub quota: Quota,
    /// Where each limit comes from.
    pub sources: BTreeMap<Dimension, Source>,
    /// Sessions that are pending or running now.
    pub live_sessions: u64,
    /// All sessions that exist.
    pub sessions: u64,
    pub storage_bytes: u64,
    /// Memory of the running sessions now.
    pub memory_bytes: u64,
    /// Who can raise it: names or addresses of admins.
    pub raised_by: Vec<String>,
}

/// Whose limits are set, or whose secret it is, in an Organization.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// Everybody's.
    Org,
    /// Those of the members of a group.
    Group(String),
    Person(PersonId),
}

impl Subject {
    /// The two columns in which it is stored.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Org => ("org", ""),
            Self::Group(name) => ("group", name),
            Self::Person(person) => ("person", person.as_str()),
        }
    }

    /// Reads [`Subject::parts`].
    pub fn from_parts(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "org" => Some(Self::Org),
            "group" => Some(Self::Group(subject.to_owned())),
            "person" => Some(Self::Person(PersonId::new(subject))),
            _ => None,
        }
    }
}

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub dimension: Dimension,
    pub wanted: Limit,
    /// For how many days; absent: for good.
    #[serde(default)]
    pub days: Option<i64>,
    /// At most 500 characters.
    pub why: String,
}

impl Ask {
    /// The same wish, within bounds.
    pub fn checked(mut self) -> Result<Self, Problem> {
        within(self.dimension, self.wanted).map_err(|problem| problem.at("wanted"))?;
        check_days(self.days)?;
        self.why = self
            .why
            .trim()
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect();
        if self.why.is_empty() || self.why.chars().count() > 500 {
            let detail = "Say why, in 1 to 500 characters: it is all that the admin sees of your need.";
            return Err(Problem::new("invalid-why", detail).at("why"));
        }
        Ok(self)
    }
}

/// Refuses a grant that ends before it begins, or later than anybody plans.
pub fn check_days(days: Option<i64>) -> Result<(), Problem> {
    match days {
        Some(days) if !(1..=3650).contains(&days) => {
            Err(Problem::new("invalid-days", "A larger quota lasts 1 to 3650 days, or for good.").at("days"))
        }
        _ => Ok(()),
    }
}

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    Granted,
    Declined,
    /// Taken back by whoever asked.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Granted, Self::Declined, Self::Withdrawn];

    /// As it is stored and written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Granted => "granted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads [`State::as_str`].
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A wish for more, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub org: OrgId,
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub dimension: Dimension,
    /// As it was asked for; as it was granted, once it was.
    pub wanted: Limit,
    pub days: Option<i64>,
    pub why: String,
    pub state: State,
    pub asked_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    /// The address of whoever answered.
    pub answered_by: Option<String>,
    pub answer: Option<String>,
    /// When a grant ends.
    pub ends_at: Option<Timestamp>,
}

/// What an admin says to a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Granted just as it was asked for: as much, and for as long.
    AsAsked,
    /// Granted, perhaps for a time; `limit` says how much, where it is not what was asked for.
    Grant { limit: Option<Limit>, days: Option<i64> },
    /// Declined, with a word.
    Decline { word: String },
}

impl Answer {
    /// One answer to many requests: each just as it was asked for, or none and why not.
    pub fn to_all(granted: bool, word: String) -> Self {
        if granted { Self::AsAsked } else { Self::Decline { word } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(pairs: &[(Dimension, Limit)]) -> Limits {
        Limits(pairs.iter().copied().collect())
    }

    fn layer(source: Source, limit: Limit) -> Layer {
        Layer {
            source,
            limits: limits(&[(Dimension::ConcurrentSessions, limit)]),
        }
    }

    #[test]
    fn plans_are_as_published_and_unlimited_is_absent() {
        assert_eq!(Quota::of_plan(None).and_then(|q| q.concurrent_sessions), Some(3));
        assert_eq!(
            Quota::of_plan(Some("sandbox-ent")).map(|q| q.concurrent_sessions),
            Some(None)
        );
        assert_eq!(
            Quota::of_plan(Some("sandbox-free")).and_then(|q| q.memory_bytes),
            Some(1 << 30)
        );
        assert_eq!(Quota::of_plan(Some("gold")), None);
    }

    #[test]
    fn the_nearer_layer_replaces_the_farther_and_a_grant_only_raises() {
        let plan = || Quota::of_plan(None).expect("the default");
        let group = |name: &str| Source::Group { name: name.to_owned() };
        let grant = Source::Grant { until: None };
        let cases = [
            (vec![], Some(3), Source::Plan),
            (vec![layer(Source::Org, Limit::At(2))], Some(2), Source::Org),
            (
                vec![
                    layer(group("a"), Limit::At(5)),
                    layer(Source::Org, Limit::At(2)),
                    layer(group("b"), Limit::At(4)),
                ],
                Some(5),
                group("a"),
            ),
            (
                vec![layer(Source::Person, Limit::At(1)), layer(group("a"), Limit::Unlimited)],
                Some(1),
                Source::Person,
            ),
            (
                vec![layer(grant.clone(), Limit::At(2)), layer(Source::Org, Limit::At(6))],
                Some(6),
                Source::Org,
            ),
            (
                vec![layer(grant.clone(), Limit::At(8)), layer(Source::Person, Limit::At(1))],
                Some(8),
                grant,
            ),
        ];
        for (layers, expected, from) in cases {
            let shown = format!("{layers:?}");
            let effective = effective(plan(), layers);
            assert_eq!(effective.quota.concurrent_sessions, expected, "{shown}");
            assert_eq!(effective.sources[&Dimension::ConcurrentSessions], from, "{shown}");
            assert_eq!(effective.sources[&Dimension::Storage], Source::Plan);
        }
    }

    #[test]
    fn limits_are_numbers_or_a_word_and_zero_is_never_unlimited() {
        let read: Limits = serde_json::from_str(r#"{"sessions":7,"idle":"unlimited","cpu":"2000"}"#).expect("limits");
        assert_eq!(
            read,
            limits(&[
                (Dimension::Sessions, Limit::At(7)),
                (Dimension::Idle, Limit::Unlimited),
                (Dimension::Cpu, Limit::At(2000))
            ])
        );
        let again: Limits = serde_json::from_str(&serde_json::to_string(&read).expect("JSON")).expect("limits");
        assert_eq!(again, read);
        assert!(read.check().is_ok());
        for dimension in Dimension::ALL {
            let problem = limits(&[(dimension, Limit::At(0))]).check().expect_err("zero");
            assert_eq!(problem.field.as_deref(), Some(dimension.as_str()));
        }
    }

    #[test]
    fn a_ceiling_takes_the_plans_place_and_nothing_is_given_beyond_it() {
        let limits = |at| Limits([(Dimension::ConcurrentSessions, at)].into());
        let plan = || Quota::of_plan(None).expect("the default");
        for (set, most) in [
            (Limits::default(), Limit::At(3)),
            (limits(Limit::At(2)), Limit::At(2)),
            (limits(Limit::At(10)), Limit::At(10)),
            (limits(Limit::Unlimited), Limit::Unlimited),
        ] {
            let ceiling = ceiling(plan(), set.clone());
            assert_eq!(ceiling.of(Dimension::ConcurrentSessions), most);
            for wanted in [1, 2, 3, 10, 1000].map(Limit::At).into_iter().chain([Limit::Unlimited]) {
                let answer = under(&ceiling, &limits(wanted));
                assert_eq!(answer.is_ok(), wanted <= most, "{wanted:?} under {most:?}");
            }
            // It is what holds where nobody says anything else.
            let layers = vec![Layer {
                source: Source::Ceiling,
                limits: set,
            }];
            assert_eq!(effective(plan(), layers).quota.of(Dimension::ConcurrentSessions), most);
        }
        let refused = under(&plan(), &limits(Limit::At(4))).expect_err("over");
        assert_eq!(refused.field.as_deref(), Some("concurrent_sessions"));
        assert!(
            refused.detail.contains("at most 3 sessions at once"),
            "{}",
            refused.detail
        );
    }
}
