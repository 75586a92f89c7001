//! What time alone brings about: seats that end, sessions that ran or rested for too long.

use crate::Engine;
use domain::{OrgId, PersonId, Timestamp, quota::Quota, session::Session};
use std::collections::HashMap;

impl Engine {
    /// Does what became due since `since`; until when it has. Called about once a minute.
    pub(crate) async fn keep_time(&self, since: Timestamp) -> anyhow::Result<Timestamp> {
        let now = self.0.clock.now();
        for (org, person) in self.0.store.seats_ended(since, now).await? {
            self.end_attachments_of_member(&org, &person);
            self.sleep_sessions_of(&org, &person, "seat-ended", "The seat of its owner has ended.")
                .await?;
        }
        let mut quotas: HashMap<(OrgId, PersonId), Quota> = HashMap::new();
        for (session, active_at, watched) in self.running_sessions() {
            let owner = (session.org.clone(), session.owner.clone());
            let quota = match quotas.get(&owner) {
                Some(quota) => quota,
                None => {
                    let quota = self.effective(&owner.0, &owner.1).await?.quota;
                    quotas.entry(owner).or_insert(quota)
                }
            };
            if let Some((rule, reason)) = overdue(&session, active_at, watched, quota, now) {
                self.suspend_by_rule(&session, rule, reason).await?;
            }
        }
        self.prove_attached().await;
        Ok(now)
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
