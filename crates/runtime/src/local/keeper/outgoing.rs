//! What a keeper has to tell and the engine has not taken yet. Bounded: what a newer word makes old is replaced.

use engine::ports::Observation;
use std::collections::VecDeque;
use std::mem::discriminant;
use tokio::sync::mpsc;

pub(crate) struct Outgoing {
    tell: mpsc::Sender<Observation>,
    waiting: VecDeque<Observation>,
}

impl Outgoing {
    pub(crate) fn new(tell: mpsc::Sender<Observation>) -> Self {
        Self {
            tell,
            waiting: VecDeque::new(),
        }
    }

    /// Adds a word; one of the same kind that waits is replaced, so there is at most one of each.
    pub(crate) fn push(&mut self, observation: Observation) {
        let kind = discriminant(&observation);
        self.waiting.retain(|waiting| discriminant(waiting) != kind);
        self.waiting.push_back(observation);
    }

    /// Drops what would say that a session lives that was just ended.
    pub(crate) fn forget_live(&mut self) {
        self.waiting
            .retain(|waiting| matches!(waiting, Observation::Metered { .. }));
    }

    /// Tells one thing as soon as there is room; waits for ever while there is nothing to tell.
    pub(crate) async fn tell(&mut self) {
        if self.waiting.is_empty() {
            return std::future::pending().await;
        }
        match self.tell.reserve().await {
            Ok(room) => {
                if let Some(observation) = self.waiting.pop_front() {
                    room.send(observation);
                }
            }
            // Nobody listens any more.
            Err(_) => self.waiting.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SessionId;

    #[tokio::test]
    async fn a_newer_word_replaces_an_older_one_and_order_is_kept() {
        let (tell, mut told) = mpsc::channel(1);
        let mut outgoing = Outgoing::new(tell);
        let session = SessionId::new("s");
        let progress = |sentence: &str| Observation::Progress {
            session: session.clone(),
            sentence: sentence.to_owned(),
        };
        for number in 0..1000 {
            outgoing.push(progress(&number.to_string()));
        }
        outgoing.push(Observation::Started {
            session: session.clone(),
        });
        assert_eq!(outgoing.waiting.len(), 2);
        outgoing.tell().await;
        assert_eq!(told.recv().await, Some(progress("999")));
        outgoing.tell().await;
        assert_eq!(told.recv().await, Some(Observation::Started { session }));
    }
}
