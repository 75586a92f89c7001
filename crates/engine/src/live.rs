//! What changes, as it changes: the outbox, followed from any position, and touches that are not remembered.

use crate::{Engine, Result, ports::Visible};
use domain::{
    Caller, OrgId, PersonId, Role,
    event::{Live, Touched},
    org::Org,
    permit::Verb,
    policy::Seeing,
    session::{Session, Sharing},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio::{
    sync::{broadcast, mpsc},
    time::Instant,
};

/// Wakes live readers. Small and cloned often; what it is about is read from the store.
#[derive(Clone, Debug)]
pub(crate) enum Pulse {
    /// The outbox has grown.
    Outbox,
    /// Something changed that is not remembered; `None`: everybody may know.
    Touched { to: Option<Audience>, what: Touched },
    /// A seat is not any more what it was, or (`None`) no seat of the Organization is: who reads by it comes back with what
    /// they may know now, or not at all.
    Seat { org: OrgId, person: Option<PersonId> },
    /// These people are in other groups than they were: who reads by them comes back with what they may know now, and who is
    /// near is asked anew.
    Groups { org: OrgId, people: Arc<HashSet<PersonId>> },
    /// What members of an Organization, or of every one (`None`), see of one another is not any more what it was: who
    /// reads comes back with what they may know now.
    Rules { org: Option<OrgId> },
}

/// Who may know of a touch.
#[derive(Clone, Debug)]
pub(crate) struct Audience {
    org: OrgId,
    owner: PersonId,
    shared: bool,
}

/// Events read from the store at a time.
const BATCH: u32 = 200;
/// Messages that may wait for a reader: beyond, the reader is waited for, and what it misses it is told of as `Missed`.
const WAITING: usize = 64;
/// Touches of one thing are told at most this often.
const TOUCH_EVERY: core::time::Duration = core::time::Duration::from_millis(250);
/// Who is near is believed for so long, and of at most so many people at once.
const NEAR_FOR: core::time::Duration = core::time::Duration::from_secs(60);
const NEAR_MAX: usize = 10_000;

impl Engine {
    /// Everything that the caller may know of, from now on, or after a position. Dropping the receiver ends it; a
    /// reader that is too slow, or comes back too late, gets [`Live::Missed`] and asks for everything.
    pub async fn live(&self, caller: &Caller, after: Option<i64>) -> Result<mpsc::Receiver<Live>> {
        // Heard before it is asked for, so that no change of the rules falls between.
        let pulses = self.0.pulse.subscribe();
        let visible = self.visible(caller, Verb::SeeEvents).await?;
        let (oldest, newest) = {
            let (newest, oldest) = self.0.store.event_bounds().await?;
            (oldest, newest)
        };
        let (tx, rx) = mpsc::channel(WAITING);
        let (position, missed) = match after {
            // A position from the future belongs to a store that is no more.
            Some(after) if after > newest || after + 1 < oldest => (newest, true),
            Some(after) => (after, false),
            None => (newest, false),
        };
        let reader = Reader {
            engine: self.clone(),
            visible,
            caller: caller.clone(),
            position,
            tx,
            near: HashMap::new(),
            asked_at: Instant::now(),
        };
        tokio::spawn(reader.follow(pulses, missed));
        Ok(rx)
    }

    /// Tells live readers that something about a session changed that is not remembered.
    pub(crate) fn touch_session(&self, session: &Session) {
        let to = Audience {
            org: session.org.clone(),
            owner: session.owner.clone(),
            shared: session.sharing > Sharing::Private,
        };
        let _ = self.0.pulse.send(Pulse::Touched {
            to: Some(to),
            what: Touched::Session(session.id.clone()),
        });
    }
}

struct Reader {
    engine: Engine,
    visible: Visible,
    caller: Caller,
    position: i64,
    tx: mpsc::Sender<Live>,
    /// Who is in one group with the reader and who is not, as lately asked.
    near: HashMap<PersonId, bool>,
    asked_at: Instant,
}

impl Reader {
    async fn follow(mut self, mut pulses: broadcast::Receiver<Pulse>, missed: bool) {
        if missed && self.tx.send(Live::Missed).await.is_err() {
            return;
        }
        let mut touched = HashSet::new();
        let mut tick = tokio::time::interval(TOUCH_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        if self.drain().await.is_none() {
            return;
        }
        loop {
            let goes_on = tokio::select! {
                () = self.tx.closed() => None,
                pulse = pulses.recv() => match pulse {
                    Ok(Pulse::Outbox) => self.drain().await,
                    Ok(Pulse::Touched { to, what }) => {
                        let may = match to {
                            None => true,
                            Some(to) => self.may_know(&to).await,
                        };
                        if may {
                            touched.insert(what);
                        }
                        Some(())
                    }
                    Ok(Pulse::Seat { org, person }) => {
                        let here = org == self.caller.org;
                        // Who leaves leaves every group.
                        if let Some(other) = person.as_ref().filter(|_| here) {
                            self.near.remove(other);
                        }
                        let mine = here && person.is_none_or(|person| person == self.caller.person);
                        (!mine).then_some(())
                    }
                    Ok(Pulse::Groups { org, people }) => {
                        let by_groups = org == self.caller.org && self.visible.peers == Seeing::Groups;
                        if by_groups {
                            self.near.clear();
                        }
                        (!by_groups || !people.contains(&self.caller.person)).then_some(())
                    }
                    Ok(Pulse::Rules { org }) => {
                        org.is_some_and(|org| org != self.caller.org).then_some(())
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        touched.clear();
                        self.near.clear();
                        // Among what was missed may have been that the reader's seat has ended.
                        match self.tx.send(Live::Missed).await {
                            Ok(()) if self.still_seated().await => self.drain().await,
                            Ok(()) | Err(_) => None,
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => None,
                },
                _ = tick.tick(), if !touched.is_empty() => self.tell(&mut touched).await,
            };
            if goes_on.is_none() {
                return;
            }
        }
    }

    /// Sends every event after the position; `None` when nobody reads any more, or the store is broken.
    async fn drain(&mut self) -> Option<()> {
        loop {
            let events = match self
                .engine
                .0
                .store
                .events_after(&self.visible, self.position, BATCH)
                .await
            {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "a live reader could not read the outbox");
                    return None;
                }
            };
            let last = events.len() < BATCH as usize;
            for (position, event) in events {
                self.position = position;
                self.tx.send(Live::Event { position, event }).await.ok()?;
            }
            if last {
                return Some(());
            }
        }
    }

    /// Whether the reader has the seat by which they read.
    async fn still_seated(&self) -> bool {
        let now = self.engine.0.clock.now();
        let seats = self.engine.0.store.memberships(&self.caller.person, now).await;
        seats.is_ok_and(|seats| {
            let mine = |(org, role): &(Org, Role)| org.id == self.caller.org && *role == self.caller.role;
            seats.iter().any(mine)
        })
    }

    async fn tell(&self, touched: &mut HashSet<Touched>) -> Option<()> {
        for what in touched.drain() {
            self.tx.send(Live::Touched { what }).await.ok()?;
        }
        Some(())
    }

    async fn may_know(&mut self, to: &Audience) -> bool {
        let in_scope = match &self.visible.scope {
            crate::ports::Scope::Fleet => true,
            crate::ports::Scope::Org(org) => *org == to.org,
        };
        let by_table = self.visible.only.is_none() || to.shared || to.owner == self.caller.person;
        in_scope
            && (by_table
                || match self.visible.peers {
                    Seeing::Own => false,
                    Seeing::Groups => self.is_near(&to.owner).await,
                    Seeing::Org => true,
                })
    }

    /// Whether somebody is in one group with the reader; asked again after a minute.
    async fn is_near(&mut self, person: &PersonId) -> bool {
        if self.asked_at.elapsed() >= NEAR_FOR || self.near.len() >= NEAR_MAX {
            self.near.clear();
            self.asked_at = Instant::now();
        }
        if let Some(near) = self.near.get(person) {
            return *near;
        }
        let store = &self.engine.0.store;
        let near = store.are_near(&self.caller.org, &self.caller.person, person).await;
        let near = near.unwrap_or(false);
        self.near.insert(person.clone(), near);
        near
    }
}
