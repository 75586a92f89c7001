//! Answers that are kept for a while, so that a client which lost one may ask again under the same `Idempotency-Key`.
//! Opening a session is remembered by the store; this is for what a store does not remember, and it ends with the process.

use super::problem::Refused;
use http::StatusCode;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// How many answers are kept at most; beyond, the oldest are forgotten.
const MOST: usize = 2000;

/// The answers kept; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<HashMap<String, (Instant, Kept)>>>);

enum Kept {
    /// The first one who asked waits for it.
    UnderWay,
    /// As JSON; it may hold a token's secret, so it is kept only in memory, and not for long.
    Done(Value),
}

/// What is known of a key.
pub(crate) enum Before {
    /// Nothing: do it, and say what came of it.
    Never(Pending),
    /// This was the answer.
    Answered(Value),
}

/// Something that is done for the first time. Dropped without an answer (refused, or given up), the next one who asks
/// may do it.
pub(crate) struct Pending {
    answers: Answers,
    key: Option<String>,
}

impl Answers {
    /// Looks a key up and, where it is new, notes that it is under way. Without a key everything is new.
    pub(crate) fn begin(&self, key: Option<String>) -> Result<Before, Refused> {
        let never = |key| {
            Ok(Before::Never(Pending {
                answers: self.clone(),
                key,
            }))
        };
        let Some(key) = key else {
            return never(None);
        };
        let now = Instant::now();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(&key) {
            Some((at, Kept::Done(answer))) if now.duration_since(*at) < KEPT => {
                return Ok(Before::Answered(answer.clone()));
            }
            Some((at, Kept::UnderWay)) if now.duration_since(*at) < KEPT => {
                let detail = "The first request with this Idempotency-Key is still under way. Try again in a moment.";
                return Err(Refused::new(StatusCode::CONFLICT, "idempotency-key-in-use", detail));
            }
            _ => {}
        }
        if kept.len() >= MOST {
            kept.retain(|_, (at, _)| now.duration_since(*at) < KEPT);
        }
        if kept.len() >= MOST
            && let Some(oldest) = kept.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(key.clone(), (now, Kept::UnderWay));
        never(Some(key))
    }
}

impl Pending {
    /// Keeps what was answered.
    pub(crate) fn done(mut self, answer: &Value) {
        if let Some(key) = self.key.take() {
            let mut kept = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.insert(key, (Instant::now(), Kept::Done(answer.clone())));
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.answers
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn begin(answers: &Answers, key: &str) -> Result<Before, Refused> {
        answers.begin(Some(key.to_owned()))
    }

    #[test]
    fn the_second_one_gets_the_first_ones_answer_and_nobody_does_it_twice() {
        let answers = Answers::default();
        let Ok(Before::Never(first)) = begin(&answers, "k") else {
            panic!("new")
        };
        assert!(begin(&answers, "k").is_err(), "still under way");
        first.done(&json!(1));
        assert!(matches!(begin(&answers, "k"), Ok(Before::Answered(answer)) if answer == json!(1)));
    }

    #[test]
    fn what_did_not_come_about_may_be_tried_again() {
        let answers = Answers::default();
        drop(begin(&answers, "k"));
        assert!(matches!(begin(&answers, "k"), Ok(Before::Never(_))));
        assert!(matches!(answers.begin(None), Ok(Before::Never(_))));
    }

    #[test]
    fn only_so_many_are_kept() {
        let answers = Answers::default();
        for n in 0..MOST + 10 {
            let Ok(Before::Never(new)) = begin(&answers, &n.to_string()) else {
                panic!("new")
            };
            new.done(&json!(n));
        }
        assert_eq!(answers.0.lock().expect("whole").len(), MOST);
    }
}
