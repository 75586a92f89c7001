//! Viewers come and go.

use super::{Core, FIRST_PAGE};
use crate::attachment::{Message, Taken};
use crate::view::View;
use bytes::Bytes;
use domain::host::Attach;
use domain::wire::{Frame, FromTerminal};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

impl Core {
    /// Attaches a viewer; its first messages are sent before this returns.
    pub(crate) fn attach(
        &mut self,
        attach: Attach,
        sender: mpsc::Sender<Message>,
        taken: Arc<Taken>,
        now: Instant,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let alone = !self.views.values().any(|view| view.attach.may_type);
        if attach.may_type
            && self.exit.is_none()
            && self.lease.driver().is_none()
            && (alone || self.lease.was_held_by(&attach.person))
        {
            self.lease.give(id, &attach.person, now);
        }
        let since = attach.since.filter(|since| {
            !attach.plain
                && attach.epoch == Some(self.epoch)
                && (self.log.start().max(self.resized_at)..=self.log.end()).contains(since)
        });
        let mut view = View::new(attach, sender, taken, now);
        if since.is_none() {
            self.draw();
        }
        let seq = since.unwrap_or(self.log.end() - self.screen.incomplete() as u64);
        view.say(FromTerminal::Attached {
            attachment: id,
            epoch: self.epoch,
            input: self.input.written(&view.attach.client),
            size: self.screen.size(),
            driver: view.attach.may_type && self.lease.is_held_by(&view.attach.person),
            may_type: view.attach.may_type,
            seq,
            snapshot: since.is_none(),
        });
        match since {
            Some(seq) => view.resume(seq),
            None => {
                let (seq, frame) = self.snapshot_frame(&view, view.attach.history, FIRST_PAGE);
                view.refresh(seq, frame);
            }
        }
        if !self.title.is_empty() {
            view.say(FromTerminal::Title {
                title: self.title.clone(),
            });
        }
        self.views.insert(id, view);
        self.tell_viewers();
        self.pump(now);
        id
    }

    /// A frame that shows the screen as it is, and where output goes on; everything that waits must have been drawn.
    pub(super) fn snapshot_frame(&self, view: &View, history: u32, bytes: usize) -> (u64, Bytes) {
        let seq = self.log.end() - self.screen.incomplete() as u64;
        let ansi = self.screen.snapshot(history as usize, bytes);
        if view.attach.plain {
            return (seq, ansi.into());
        }
        (
            seq,
            Frame::Snapshot {
                seq,
                size: self.screen.size(),
                ansi: &ansi,
            }
            .encode()
            .into(),
        )
    }

    /// A viewer has gone.
    pub(crate) fn detach(&mut self, id: u64) {
        let Some(gone) = self.views.remove(&id) else { return };
        let sibling = self
            .views
            .iter()
            .find(|(_, view)| view.attach.may_type && view.attach.person == gone.attach.person)
            .map(|(id, _)| *id);
        if self.lease.gone(id, sibling) {
            // A size that only this window wanted is not wanted any more.
            self.wanted = None;
            if let Some(sibling) = sibling {
                self.colors_of_driver(sibling);
            }
        }
        self.tell_viewers();
    }

    /// Lets everybody go.
    pub(crate) fn detach_all(&mut self) {
        self.views.clear();
        self.changed = true;
    }
}
