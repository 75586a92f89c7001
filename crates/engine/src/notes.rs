//! Audit entries that go with no change of state: refusals, and who takes a terminal into their hands. Many of a kind
//! are one, and nobody waits for them to be written.

use crate::Engine;
use domain::{Caller, OrgId, PersonId, Timestamp, audit::Entry, permit::Verb};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Notes that may wait to be written: beyond, they are dropped, and the log says so.
const WAITING: usize = 1024;
/// The same is noted at most once in so many seconds.
const EVERY: i64 = 60;
/// So many different things are told apart in that time: whoever tries more of them floods on purpose.
const MOST: usize = 4096;

/// What waits to be written, and what was noted lately.
pub(crate) struct Notes {
    tx: mpsc::Sender<Entry>,
    /// Taken by who writes.
    rx: Mutex<Option<mpsc::Receiver<Entry>>>,
    /// Never locked across an await.
    lately: Mutex<HashMap<String, Timestamp>>,
}

impl Default for Notes {
    fn default() -> Self {
        let (tx, rx) = mpsc::channel(WAITING);
        Self {
            tx,
            rx: Mutex::new(Some(rx)),
            lately: Mutex::default(),
        }
    }
}

impl Notes {
    /// Whether something is new: not noted within the last minute.
    fn is_new(&self, what: String, now: Timestamp) -> bool {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let old = |at: Timestamp| now.seconds_since(at) >= EVERY;
        if lately.get(&what).is_some_and(|at| !old(*at)) {
            return false;
        }
        if lately.len() >= MOST {
            lately.retain(|_, at| !old(*at));
        }
        let fits = lately.len() < MOST;
        if fits {
            lately.insert(what, now);
        }
        fits
    }
}

impl Engine {
    /// Notes that `caller` was refused something that would have changed a thing, or reached into one.
    pub(crate) fn note_refusal(&self, caller: &Caller, verb: Verb, org: &OrgId, target: &str) {
        if verb.only_looks() {
            return;
        }
        let what = serde_json::to_value(verb).unwrap_or_default();
        let verb = what.as_str().unwrap_or_default();
        let entry = self.entry_of(caller, org, "permit.refused", target, json!({ "verb": verb }));
        self.note(&caller.person, verb, entry);
    }

    /// Writes an entry soon, unless the same person did the same to the same thing within the last minute. `kind` tells
    /// apart what has one action.
    pub(crate) fn note(&self, person: &PersonId, kind: &str, entry: Entry) {
        if self.is_noted_lately(person.as_str(), kind, &entry) {
            return;
        }
        if self.0.notes.tx.try_send(entry).is_err() {
            tracing::warn!("an audit entry was lost: too many wait to be written");
        }
    }

    /// Whether the same of the same person or address was noted within the last minute; it is from now on.
    pub(crate) fn is_noted_lately(&self, who: &str, kind: &str, entry: &Entry) -> bool {
        let what = format!("{who}\n{kind}\n{}\n{}\n{}", entry.org, entry.action, entry.target);
        !self.0.notes.is_new(what, entry.at)
    }

    /// Writes notes until `stop`, and then those that wait.
    pub(crate) async fn write_notes(self, stop: CancellationToken) {
        let rx = self.0.notes.rx.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rx) = rx else { return };
        loop {
            let entry = tokio::select! {
                biased;
                entry = rx.recv() => entry,
                () = stop.cancelled() => {
                    rx.close();
                    rx.recv().await
                }
            };
            let Some(entry) = entry else { return };
            if let Err(error) = self.0.store.record_audit(&entry).await {
                tracing::error!(
                    error = format!("{error:#}"),
                    action = entry.action,
                    "an audit entry was lost"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_new_once_a_minute_and_a_flood_is_bounded() {
        let notes = Notes::default();
        let at = |second: i64| Timestamp::from_millis(0).plus_seconds(second);
        assert!(notes.is_new("a".to_owned(), at(0)));
        assert!(!notes.is_new("a".to_owned(), at(59)));
        assert!(notes.is_new("b".to_owned(), at(59)));
        assert!(notes.is_new("a".to_owned(), at(60)));
        let new = (0..3 * MOST)
            .filter(|number| notes.is_new(number.to_string(), at(70)))
            .count();
        assert!(new < MOST, "{new}");
        assert!(notes.is_new("later".to_owned(), at(200)));
    }
}
