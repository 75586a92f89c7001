//! What time alone brings about: seats that end, sessions that ran or rested for too long.

use crate::{
    Engine,
    observe::moving,
    ports::{Patch, Record},
};
use domain::{
    OrgId, PersonId, Timestamp,
    event::Kind,
    member::Status,
    org::State,
    policy::IdleAction,
    session::{Phase, Session},
};
use std::collections::HashMap;

/// A rule by which a session is put to sleep, and what its owner is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) reason: String,
    /// Only somebody who resumes it wakes it.
    pub(crate) by_hand: bool,
}

impl Rule {
    fn new(name: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            name,
            reason,
            by_hand: false,
        }
    }

    /// The Organization is not open.
    pub(crate) fn closed() -> Self {
        Self::new("organization-closed", "The Organization is suspended.")
    }

    /// It was handed over, and held what is not the heir's.
    pub(crate) fn held_secrets() -> Self {
        let reason = "It held secrets of somebody who has left. Resume it to go on with your own.";
        Self::new("member-left", reason)
    }

    pub(crate) fn left() -> Self {
        Self::new("member-left", "Its owner has left the Organization.")
    }

    /// The seat was disabled: whoever it is given back to wakes what they want themselves.
    pub(crate) fn disabled() -> Self {
        let reason = "Suspended because your seat was disabled. Now that it is yours again, resume it to go on.";
        Self {
            by_hand: true,
            ..Self::new("member-disabled", reason)
        }
    }

    fn ended() -> Self {
        Self::new("seat-ended", "The seat of its owner has ended.")
    }
}

/// How the sentence begins by which an owner is warned; nothing else that a session says of itself begins so.
const WARNING: &str = "Nothing has happened in it for ";

/// The most sessions that are put to sleep in a minute for what became of their Organization or their owner.
const STRAYS: u32 = 1000;

impl Engine {
    /// Does what became due since `since`; until when it has. Called about once a minute.
    pub(crate) async fn keep_time(&self, since: Timestamp) -> anyhow::Result<Timestamp> {
        let now = self.0.clock.now();
        let mut last = None;
        loop {
            let ended = self.0.store.seats_ended(since, now, last.as_ref()).await?;
            for (org, person) in &ended {
                self.end_attachments_of_member(org, person);
            }
            last = match ended.into_iter().next_back() {
                Some(ended) => Some(ended),
                None => break,
            };
        }
        for session in self.0.store.stray_sessions(now, STRAYS).await? {
            let rule = self.why_stray(&session).await?;
            self.put_down(&session, rule).await;
        }
        let mut limits: HashMap<(OrgId, PersonId), Times> = HashMap::new();
        for (session, active_at, watched) in self.running_sessions() {
            let owner = (session.org.clone(), session.owner.clone());
            let times = match limits.get(&owner) {
                Some(times) => times,
                None => {
                    let quota = self.effective(&owner.0, &owner.1).await?.quota;
                    let rules = self.rules(&owner.0).await?;
                    limits.entry(owner).or_insert(Times {
                        // A policy may be stricter than the quota, never looser.
                        lifetime: quota.lifetime_seconds.into_iter().chain(rules.lifetime()).min(),
                        idle: rules.idle(quota.idle_seconds),
                    })
                }
            };
            match overdue(&session, active_at, watched, times, now) {
                Due::Nothing => self.unwarn(&session).await?,
                Due::Warning(reason) => self.warn(&session, reason).await?,
                Due::Sleep(rule) => self.put_down(&session, rule).await,
            }
        }
        self.prove_attached().await;
        Ok(now)
    }

    /// By which rule a session is not to run that the store found to be nobody's.
    async fn why_stray(&self, session: &Session) -> anyhow::Result<Rule> {
        let org = self.0.store.find_org(&session.org).await?;
        if org.is_none_or(|org| org.state != State::Active) {
            return Ok(Rule::closed());
        }
        let seat = self.0.store.find_seat(&session.org, &session.owner).await?;
        Ok(match seat.map(|seat| seat.status) {
            None | Some(Status::Left) => Rule::left(),
            Some(Status::Disabled) => Rule::disabled(),
            Some(Status::Active) => Rule::ended(),
        })
    }

    /// Tells a session's owner that it rests, once for each rest.
    async fn warn(&self, session: &Session, reason: String) -> anyhow::Result<()> {
        if session.phase != Phase::Ready || session.reason.is_some() {
            return Ok(());
        }
        let warned = Session {
            reason: Some(reason.clone()),
            ..session.clone()
        };
        let entry = self.system_entry(
            &session.org,
            "session.idle-warned",
            session.id.as_str(),
            moving(session, &warned),
        );
        let record = Record {
            audit: vec![entry],
            events: vec![self.session_event(Kind::SessionMoved, &warned)],
        };
        self.say_of(session, Some(reason), record).await
    }

    /// Takes a warning back: something happens again.
    async fn unwarn(&self, session: &Session) -> anyhow::Result<()> {
        if !session
            .reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with(WARNING))
        {
            return Ok(());
        }
        self.say_of(session, None, Record::default()).await
    }

    async fn say_of(&self, session: &Session, reason: Option<String>, record: Record) -> anyhow::Result<()> {
        let patch = Patch {
            reason: Some(reason),
            only_in: vec![Phase::Ready],
            ..Patch::default()
        };
        let changed = self
            .0
            .store
            .record_session(&session.org, &session.id, &patch, record)
            .await?;
        if let Some(changed) = changed {
            self.touch_session(&changed);
            self.refresh_running(changed);
            self.announce();
        }
        Ok(())
    }

    /// Suspends a session by a rule; one that cannot be now holds up no other, and is tried again in a minute.
    async fn put_down(&self, session: &Session, due: Rule) {
        if let Err(error) = self.suspend_by_rule(session, due).await {
            tracing::warn!(session = %session.id, error = format!("{error:#}"), "a session was not suspended");
        }
    }
}

/// How long a member's sessions may run, and after how much rest what happens.
struct Times {
    lifetime: Option<u64>,
    idle: Vec<(u64, IdleAction)>,
}

/// What is to be done about a running session now.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    Warning(String),
    Sleep(Rule),
}

/// What is due for a running session, and what its owner is told. Output counts as activity: an agent that works is not
/// at rest, whoever looks.
fn overdue(session: &Session, active_at: Timestamp, watched: bool, times: &Times, now: Timestamp) -> Due {
    let over = |limit: u64, since: Timestamp| now.seconds_since(since) as u64 >= limit;
    if let Some(limit) = times.lifetime.filter(|limit| over(*limit, session.woken_at)) {
        let reason = format!(
            "Suspended after {}, the longest that a session may run at a time.",
            spoken(limit)
        );
        return Due::Sleep(Rule::new("lifetime", reason));
    }
    let since = active_at.max(session.woken_at);
    let due = times.idle.iter().filter(|(limit, _)| !watched && over(*limit, since));
    // The hardest of what is due, and of those the one that came first.
    let Some((limit, action)) = due.max_by_key(|(limit, action)| (*action, core::cmp::Reverse(*limit))) else {
        return Due::Nothing;
    };
    let rest = spoken(*limit);
    match action {
        IdleAction::Warn => Due::Warning(format!(
            "{WARNING}{rest}. Suspend it if you need it no more: it counts while it runs."
        )),
        IdleAction::Suspend => Due::Sleep(Rule::new(
            "idle",
            format!("Suspended after {rest} without anything happening in it."),
        )),
        IdleAction::Stop => {
            let reason = format!("Stopped after {rest} without anything happening in it. Resume it to go on.");
            Due::Sleep(Rule {
                by_hand: true,
                ..Rule::new("idle", reason)
            })
        }
    }
}

fn spoken(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SessionId;

    #[test]
    fn a_session_rests_only_where_nothing_happens_and_nobody_looks() {
        let at = |second: i64| Timestamp::from_millis(0).plus_seconds(second);
        let session = Session {
            woken_at: at(0),
            ..Session::example(SessionId::new("s"), OrgId::new("acme"), PersonId::new("ada"))
        };
        let times = |lifetime, idle: Option<u64>| Times {
            lifetime,
            idle: idle.map(|idle| (idle, IdleAction::Suspend)).into_iter().collect(),
        };
        let rule = |active, watched, times: &Times, now| match overdue(&session, at(active), watched, times, at(now)) {
            Due::Nothing => None,
            Due::Warning(_) => Some(("warned", false)),
            Due::Sleep(rule) => Some((rule.name, rule.by_hand)),
        };
        assert_eq!(rule(0, false, &times(None, None), 1_000_000), None);
        assert_eq!(rule(0, false, &times(None, Some(600)), 599), None);
        assert_eq!(rule(0, false, &times(None, Some(600)), 600), Some(("idle", false)));
        assert_eq!(
            rule(500, false, &times(None, Some(600)), 600),
            None,
            "output is activity"
        );
        assert_eq!(rule(0, true, &times(None, Some(600)), 600), None, "somebody looks");
        assert_eq!(rule(599, true, &times(Some(600), None), 600), Some(("lifetime", false)));
        let both = Times {
            lifetime: None,
            idle: vec![(600, IdleAction::Warn), (1200, IdleAction::Stop)],
        };
        assert_eq!(rule(0, false, &both, 600), Some(("warned", false)));
        assert_eq!(rule(0, false, &both, 1200), Some(("idle", true)));
        assert_eq!(spoken(600), "10 minutes");
        assert_eq!(spoken(7200), "2 hours");
        assert_eq!(spoken(86_400 * 3), "3 days");
    }
}
