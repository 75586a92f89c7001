//! How one viewer is fed: by credit, at its pace, and with a fresh screen when it cannot follow.

use crate::attachment::{Message, Taken};
use bytes::Bytes;
use domain::host::Attach;
use domain::wire::{CREDIT, Colors, FromTerminal, Size};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Output comes to one viewer at most this often, except after a keystroke and in full frames.
pub(crate) const FRAME: Duration = Duration::from_millis(16);
/// A viewer that has this much waiting beyond its credit gets a fresh screen instead.
pub(crate) const BEHIND: u64 = 256 * 1024;
/// Fresh screens come to one viewer at most this often.
pub(crate) const REFRESH: Duration = Duration::from_millis(100);
/// A driver that acknowledges nothing for so long holds nobody up any more.
pub(crate) const STALLED: Duration = Duration::from_secs(5);
/// What a watcher is sent in a second beside a driver; more than that are pictures anyway.
const WATCHER_RATE: u64 = 4 * 1024 * 1024;
/// What a watcher may be sent at once.
const WATCHER_BURST: u64 = 1024 * 1024;
/// Text messages that may wait for one viewer.
const MOST_TEXTS: usize = 64;

/// One attachment, seen from the terminal.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) attach: Attach,
    pub(crate) sender: mpsc::Sender<Message>,
    pub(crate) taken: Arc<Taken>,
    texts: VecDeque<FromTerminal>,
    /// Output up to here was sent.
    pub(crate) sent: u64,
    /// Output up to here was acknowledged.
    acked: u64,
    /// The size in bytes of a snapshot at position `.0` that was not acknowledged.
    snapshot: Option<(u64, u64)>,
    /// Bytes that were ever sent (a plain viewer acknowledges by taking them).
    pushed: u64,
    /// It could not follow: it gets a fresh screen when it has caught up with what was sent.
    pub(crate) behind: bool,
    /// The earliest time of the next small frame.
    pub(crate) next: Instant,
    /// The last sign that it reads, or the time when it had nothing to read.
    pub(crate) alive: Instant,
    /// What it had not taken when last looked at (plain viewers only).
    untaken: u64,
    /// What it was sent as a watcher, less what time has forgiven.
    spent: u64,
    spent_at: Instant,
    /// The size of its window.
    pub(crate) size: Option<Size>,
    /// The colours of its page.
    pub(crate) colors: Option<Colors>,
    pub(crate) told_exit: bool,
    /// It has not even taken its text messages: it is let go.
    pub(crate) lost: bool,
}

impl View {
    pub(crate) fn new(attach: Attach, sender: mpsc::Sender<Message>, taken: Arc<Taken>, now: Instant) -> Self {
        Self {
            attach,
            sender,
            taken,
            texts: VecDeque::new(),
            sent: 0,
            acked: 0,
            snapshot: None,
            pushed: 0,
            behind: false,
            next: now,
            alive: now,
            untaken: 0,
            spent: 0,
            spent_at: now,
            size: None,
            colors: None,
            told_exit: false,
            lost: false,
        }
    }

    /// Says something, in order with what else is said (a plain viewer hears no text).
    pub(crate) fn say(&mut self, text: FromTerminal) {
        if self.attach.plain {
            return;
        }
        if self.texts.len() >= MOST_TEXTS {
            self.lost = true;
            return;
        }
        self.texts.push_back(text);
        self.push_texts();
    }

    /// Hands over text messages as far as there is room; true when none is left.
    pub(crate) fn push_texts(&mut self) -> bool {
        while let Some(text) = self.texts.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(Message::Text(text))) = self.sender.try_send(Message::Text(text))
            {
                self.texts.push_front(text);
                return false;
            }
        }
        true
    }

    /// Whether another message can be handed over.
    pub(crate) fn has_room(&self) -> bool {
        self.texts.is_empty() && self.sender.capacity() > 0
    }

    /// Bytes that were sent and not acknowledged.
    pub(crate) fn in_flight(&self) -> u64 {
        if self.attach.plain {
            return self.pushed - self.taken.bytes.load(Ordering::Relaxed).min(self.pushed);
        }
        self.sent.saturating_sub(self.acked) + self.snapshot.map_or(0, |(_, len)| len)
    }

    /// Looks for signs of life, and forgives what was sent a while ago.
    pub(crate) fn look(&mut self, now: Instant, end: u64) {
        let untaken = if self.attach.plain { self.in_flight() } else { 0 };
        if (self.sent == end && !self.behind) || untaken < self.untaken {
            self.alive = now;
        }
        self.untaken = untaken;
        let millis = now.saturating_duration_since(self.spent_at).as_millis() as u64;
        if millis >= 10 {
            self.spent = self.spent.saturating_sub(millis * WATCHER_RATE / 1000);
            self.spent_at = now;
        }
    }

    /// Counts what a watcher was sent.
    pub(crate) fn spend(&mut self, bytes: u64) {
        self.spent += bytes;
    }

    /// Whether a watcher has had its share.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent > WATCHER_BURST
    }

    /// Bytes that may be sent now.
    pub(crate) fn credit(&self) -> u64 {
        CREDIT.saturating_sub(self.in_flight())
    }

    /// The viewer's emulator has parsed everything before `seq`.
    pub(crate) fn ack(&mut self, seq: u64, now: Instant) {
        if seq > self.sent || seq < self.acked {
            return;
        }
        self.acked = seq;
        self.alive = now;
        if self.snapshot.is_some_and(|(at, _)| seq >= at) {
            self.snapshot = None;
        }
    }

    /// Sends a snapshot at `seq`; the frame must have room.
    pub(crate) fn refresh(&mut self, seq: u64, frame: Bytes) {
        self.snapshot = Some((seq, frame.len() as u64));
        self.sent = seq;
        self.acked = seq;
        self.behind = false;
        self.push(frame);
    }

    /// Begins at `seq` without a snapshot.
    pub(crate) fn resume(&mut self, seq: u64) {
        self.sent = seq;
        self.acked = seq;
    }

    /// Sends output that ends at `seq`; the frame must have room.
    pub(crate) fn output(&mut self, seq: u64, frame: Bytes) {
        self.sent = seq;
        self.push(frame);
    }

    fn push(&mut self, frame: Bytes) {
        self.pushed += frame.len() as u64;
        if self.sender.try_send(Message::Binary(frame)).is_err() {
            self.lost = true;
        }
    }
}
