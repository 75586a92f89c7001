//! Output to viewers: as much as each can take, and not more often than anybody can see.

use super::{Core, ECHO, FIRST_PAGE};
use crate::screen::MOST_HISTORY_BYTES;
use crate::view::{BEHIND, FRAME, REFRESH, STALLED, View};
use bytes::Bytes;
use domain::wire::{Frame, FromTerminal, MAX_CHUNK};
use std::time::Instant;

/// With less credit than this, output waits for more: no frames of a few bytes.
const LEAST: u64 = 4 * 1024;

impl Core {
    /// Sends every viewer what it can take now.
    pub(crate) fn pump(&mut self, now: Instant) {
        self.pump_all(now, false);
    }

    /// Sends every viewer what it has credit for, however little it is.
    pub(super) fn flush(&mut self, now: Instant) {
        self.pump_all(now, true);
    }

    fn pump_all(&mut self, now: Instant, all: bool) {
        let mut views = std::mem::take(&mut self.views);
        self.views_count = views.len();
        for (id, view) in &mut views {
            self.pump_view(*id, view, now, all);
        }
        self.views = views;
        // A fresh screen draws what waits.
        self.drawn();
    }

    fn pump_view(&mut self, id: u64, view: &mut View, now: Instant, all: bool) {
        if view.sender.is_closed() {
            view.lost = true;
        }
        if view.lost || !view.push_texts() {
            return;
        }
        let end = self.end();
        // Nobody waits for a watcher, so its share is bounded while somebody drives; alone, it may have everything.
        let driven = self.lease.driver().is_none_or(|driver| driver == id) || self.views_count == 1;
        view.look(now, end);
        while view.has_room() && !view.lost {
            if view.sent < self.log.start() {
                view.behind = true;
            }
            if view.behind {
                if view.in_flight() > 0 || now < view.next {
                    break;
                }
                self.draw_silently();
                let (seq, frame) = self.snapshot_frame(view, view.attach.history, FIRST_PAGE);
                view.refresh(seq, frame);
                view.next = now + REFRESH;
                view.alive = now;
                continue;
            }
            let left = end - view.sent;
            if left == 0 {
                break;
            }
            let credit = view.credit();
            if (credit < left && self.cannot_follow(id, view, left, now)) || (!driven && view.is_spent()) {
                view.behind = true;
                view.next = view.next.max(now + REFRESH);
                continue;
            }
            if credit < left.min(LEAST) || !(all || self.is_due(view, left, now)) {
                break;
            }
            let to = view.sent + left.min(credit).min(MAX_CHUNK as u64);
            let to = if to < self.log.end() || self.exit.is_none() {
                self.log.whole(view.sent, to)
            } else {
                to
            };
            if to == view.sent {
                break;
            }
            let frame = self.frame(view, to);
            let frame_len = frame.len() as u64;
            view.output(to, frame);
            if !driven {
                view.spend(frame_len);
            }
            view.next = now + FRAME;
        }
        if let Some(exit) = self.exit
            && !view.told_exit
            && !view.behind
            && view.sent == self.log.end()
        {
            view.told_exit = true;
            view.say(FromTerminal::Exited { exit });
        }
    }

    /// Where output ends that may be sent: half a character waits for its other half.
    fn end(&self) -> u64 {
        let end = self.log.end();
        if self.exit.is_some() {
            end
        } else {
            self.log.whole(self.log.start(), end)
        }
    }

    /// The first output after quiet goes at once, as does an echo and a full frame; a flood of small writes is joined.
    fn is_due(&self, view: &View, left: u64, now: Instant) -> bool {
        let echo = self.typed_at.is_some_and(|typed| now < typed + ECHO);
        left >= MAX_CHUNK as u64 || echo || now >= view.next || self.exit.is_some()
    }

    /// A watcher that has too much waiting cannot follow; the driver is waited for while it shows signs of life.
    fn cannot_follow(&self, id: u64, view: &View, left: u64, now: Instant) -> bool {
        if self.lease.driver() == Some(id) {
            now >= view.alive + STALLED
        } else {
            left > BEHIND
        }
    }

    fn draw_silently(&mut self) {
        // Called with the views taken out: what drawing has to tell them is told by whoever draws next.
        self.pending.flush(&mut self.screen);
    }

    /// Output from where the viewer is, in one frame; viewers at the same place share it.
    fn frame(&mut self, view: &View, to: u64) -> Bytes {
        if view.attach.plain {
            let mut bytes = Vec::with_capacity((to - view.sent) as usize);
            self.log.copy(view.sent, to, &mut bytes);
            return bytes.into();
        }
        if let Some((from, until, frame)) = &self.frame
            && (*from, *until) == (view.sent, to)
        {
            return frame.clone();
        }
        let mut frame = Frame::Output {
            seq: view.sent,
            bytes: &[],
        }
        .encode();
        frame.reserve_exact((to - view.sent) as usize);
        self.log.copy(view.sent, to, &mut frame);
        let frame = Bytes::from(frame);
        self.frame = Some((view.sent, to, frame.clone()));
        frame
    }

    /// When a viewer has something coming that nothing else would send.
    pub(super) fn view_due(&self, id: u64, view: &View, now: Instant) -> Option<Instant> {
        if view.lost {
            return Some(now);
        }
        let end = self.end();
        if view.behind {
            return (view.in_flight() == 0 && view.has_room()).then_some(view.next);
        }
        if view.sent == end || !view.has_room() {
            return None;
        }
        if view.credit() >= (end - view.sent).min(LEAST) {
            Some(view.next)
        } else {
            (self.lease.driver() == Some(id)).then_some(view.alive + STALLED)
        }
    }

    /// A viewer asks for a screen with more history.
    pub(super) fn snapshot_for(&mut self, id: u64, history: u32, now: Instant) {
        self.draw();
        let Some(view) = self.views.get(&id) else { return };
        if view.attach.plain || !view.has_room() {
            return;
        }
        let (seq, frame) = self.snapshot_frame(view, history, MOST_HISTORY_BYTES);
        if let Some(view) = self.views.get_mut(&id) {
            view.refresh(seq, frame);
        }
        self.pump(now);
    }
}
