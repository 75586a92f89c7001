//! What time alone brings about: seats that end, sessions that ran or rested for too long.

use crate::Engine;
use domain::{OrgId, PersonId, Timestamp, member::Status, org::State, quota::Quota, session::Session};
use std::collections::HashMap;

/// A rule by which a session is put to sleep, and what its owner is told.
pub(crate) type Rule = (&'static str, &'static str);

pub(crate) const CLOSED: Rule = ("organization-closed", "The Organization is suspended.");
pub(crate) const HELD_SECRETS: Rule = (
    "member-left",
    "It held secrets of somebody who has left. Resume it to go on with your own.",
);
pub(crate) const LEFT: Rule = ("member-left", "Its owner has left the Organization.");
const ENDED: Rule = ("seat-ended", "The seat of its owner has ended.");

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
        let mut quotas: HashMap<(OrgId, PersonId), Quota> = HashMap::new();
        for (session, active_at, watched) in self.running_sessions() {
            let owner = (session.org.clone(), session.owner.clone());
            let quota = match quotas.get(&owner) {
                Some(quota) => quota,
                None => {
                    let mut quota = self.effective(&owner.0, &owner.1).await?.quota;
                    // A policy may be stricter than the quota, never looser.
                    let (lifetime, idle) = self.rules(&owner.0).await?.times();
                    let stricter = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
                    quota.lifetime_seconds = stricter(quota.lifetime_seconds, lifetime);
                    quota.idle_seconds = stricter(quota.idle_seconds, idle);
                    quotas.entry(owner).or_insert(quota)
                }
            };
            if let Some(due) = overdue(&session, active_at, watched, quota, now) {
                self.put_down(&session, due).await;
            }
        }
        self.prove_attached().await;
        Ok(now)
    }

    /// By which rule a session is not to run that the store found to be nobody's.
    async fn why_stray(&self, session: &Session) -> anyhow::Result<Rule> {
        let org = self.0.store.find_org(&session.org).await?;
        if org.is_none_or(|org| org.state != State::Active) {
            return Ok(CLOSED);
        }
        let seat = self.0.store.find_seat(&session.org, &session.owner).await?;
        let left = seat.is_none_or(|seat| seat.status == Status::Left);
        Ok(if left { LEFT } else { ENDED })
    }

    /// Suspends a session by a rule; one that cannot be now holds up no other, and is tried again in a minute.
    async fn put_down(&self, session: &Session, due: (&str, impl Into<String> + Send)) {
        if let Err(error) = self.suspend_by_rule(session, due).await {
            tracing::warn!(session = %session.id, error = format!("{error:#}"), "a session was not suspended");
        }
    }
}

/// The rule by which a running session is to be suspended now, and what its owner is told. Output counts as activity: an
/// agent that works is not at rest, whoever looks.
fn overdue(
    session: &Session,
    active_at: Timestamp,
    watched: bool,
    quota: &Quota,
    now: Timestamp,
) -> Option<(&'static str, String)> {
    let over = |limit: Option<u64>, since: Timestamp| limit.filter(|&limit| now.seconds_since(since) as u64 >= limit);
    if let Some(limit) = over(quota.lifetime_seconds, session.woken_at) {
        let reason = format!(
            "Suspended after {}, the longest that a session may run at a time.",
            spoken(limit)
        );
        return Some(("lifetime", reason));
    }
    let idle = over(quota.idle_seconds, active_at.max(session.woken_at)).filter(|_| !watched)?;
    Some((
        "idle",
        format!("Suspended after {} without anything happening in it.", spoken(idle)),
    ))
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
        let quota = |lifetime, idle| Quota {
            lifetime_seconds: lifetime,
            idle_seconds: idle,
            ..Quota::of_plan(None).expect("the default")
        };
        let rule = |active, watched, quota: &Quota, now| {
            overdue(&session, at(active), watched, quota, at(now)).map(|due| due.0)
        };
        assert_eq!(rule(0, false, &quota(None, None), 1_000_000), None);
        assert_eq!(rule(0, false, &quota(None, Some(600)), 599), None);
        assert_eq!(rule(0, false, &quota(None, Some(600)), 600), Some("idle"));
        assert_eq!(
            rule(500, false, &quota(None, Some(600)), 600),
            None,
            "output is activity"
        );
        assert_eq!(rule(0, true, &quota(None, Some(600)), 600), None, "somebody looks");
        assert_eq!(rule(599, true, &quota(Some(600), None), 600), Some("lifetime"));
        assert_eq!(spoken(600), "10 minutes");
        assert_eq!(spoken(7200), "2 hours");
        assert_eq!(spoken(86_400 * 3), "3 days");
    }
}
