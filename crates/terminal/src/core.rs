//! Every decision of a terminal, without IO: bytes and messages come in with the time, and what is to be written comes out.
//!
//! The task in [`crate::terminal`] feeds it and carries out what it says. It never waits.

mod attach;
mod hear;
mod pump;

#[cfg(test)]
mod chaos;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;

use crate::input::Input;
use crate::lease::Lease;
use crate::log::Log;
use crate::pending::Pending;
use crate::screen::Screen;
use crate::terminal::{LastScreen, Options, Status};
use crate::view::{BEHIND, STALLED, View};
use bytes::Bytes;
use domain::wire::{Exit, FromTerminal, Size, Viewer};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

/// A new size is waited for so long: an on-screen keyboard slides in through many of them.
const RESIZE: Duration = Duration::from_millis(80);
/// Output that nobody asked to see is drawn when the program has been quiet for so long.
const IDLE: Duration = Duration::from_millis(50);
/// Output that comes so soon after a keystroke is its echo, and does not wait.
const ECHO: Duration = Duration::from_millis(30);
/// The most bytes of a snapshot's history when a viewer attaches: the first page, not the book.
const FIRST_PAGE: usize = 64 * 1024;

/// A terminal without its program.
#[derive(Debug)]
pub(crate) struct Core {
    epoch: u64,
    pid: u32,
    screen: Screen,
    pending: Pending,
    log: Log,
    pub(crate) input: Input,
    lease: Lease,
    views: BTreeMap<u64, View>,
    /// How many there are, while they are being served.
    views_count: usize,
    next_id: u64,
    title: String,
    exit: Option<Exit>,
    /// Output before this was drawn at another size.
    resized_at: u64,
    /// The size that the driver wants, and since when nothing else.
    wanted: Option<(Size, Instant)>,
    /// The size to tell the PTY.
    pub(crate) resize: Option<Size>,
    output_at: Instant,
    typed_at: Option<Instant>,
    active_at: SystemTime,
    /// The last output frame that was made, for the next viewer at the same place.
    frame: Option<(u64, u64, Bytes)>,
    /// Something that [`Status`] shows has changed.
    changed: bool,
}

impl Core {
    pub(crate) fn new(size: Size, pid: u32, options: &Options, now: Instant) -> Self {
        let mut screen = Screen::new(size, options.scrollback);
        screen.set_colors(options.colors);
        Self {
            epoch: options.epoch,
            pid,
            screen,
            pending: Pending::default(),
            log: Log::default(),
            input: Input::default(),
            lease: Lease::default(),
            views: BTreeMap::new(),
            views_count: 0,
            next_id: 1,
            title: String::new(),
            exit: None,
            resized_at: 0,
            wanted: None,
            resize: None,
            output_at: now,
            typed_at: None,
            active_at: SystemTime::now(),
            frame: None,
            changed: false,
        }
    }

    /// The program has written something.
    pub(crate) fn output(&mut self, bytes: &[u8], now: Instant) {
        self.log.push(bytes);
        self.pending.push(&mut self.screen, bytes);
        self.output_at = now;
        self.active_at = SystemTime::now();
        // Viewers first: what follows is only for who comes later.
        self.pump(now);
        self.drawn();
    }

    /// What follows from drawing: answers to queries, a new title.
    fn drawn(&mut self) {
        let replies = self.screen.take_replies();
        if self.exit.is_none() && !self.input.write(&replies) {
            tracing::warn!("a program asks its terminal and does not read the answers");
        }
        if self.screen.title() != self.title {
            self.title = String::from(self.screen.title());
            self.changed = true;
            for view in self.views.values_mut() {
                view.say(FromTerminal::Title {
                    title: self.title.clone(),
                });
            }
        }
    }

    /// Draws what waits.
    fn draw(&mut self) {
        if !self.pending.is_empty() {
            self.pending.flush(&mut self.screen);
            self.drawn();
        }
    }

    /// The program took `n` bytes of input.
    pub(crate) fn wrote(&mut self, n: usize) {
        for (client, at) in self.input.wrote(n) {
            self.acknowledge(&client, at);
        }
    }

    fn acknowledge(&mut self, client: &str, at: u64) {
        for view in self.views.values_mut().filter(|view| view.attach.client == client) {
            view.say(FromTerminal::InputAck { at });
        }
    }

    /// The program has ended, and everything that it wrote was given to [`Core::output`].
    pub(crate) fn exited(&mut self, exit: Exit, now: Instant) {
        self.exit = Some(exit);
        self.changed = true;
        self.input.clear();
        self.draw();
        self.pump(now);
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.exit.is_some()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Instant) {
        if let Some((size, since)) = self.wanted
            && now >= since + RESIZE
        {
            self.wanted = None;
            self.set_size(size, now);
        }
        if now >= self.output_at + IDLE {
            self.draw();
        }
        self.pump(now);
        let lost: Vec<u64> = self
            .views
            .iter()
            .filter(|(_, view)| view.lost)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.detach(id);
        }
    }

    /// When [`Core::tick`] is due next, if nothing else happens.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let resize = self.wanted.map(|(_, since)| since + RESIZE);
        let idle = (!self.pending.is_empty()).then(|| self.output_at + IDLE);
        let views = self.views.iter().filter_map(|(id, view)| self.view_due(*id, view, now));
        views.chain(resize).chain(idle).min()
    }

    /// Whether the program's output must wait, because the driver cannot follow and may still recover.
    pub(crate) fn is_paused(&self, now: Instant) -> bool {
        let Some(view) = self.lease.driver().and_then(|driver| self.views.get(&driver)) else {
            return false;
        };
        !view.behind && self.log.end() - view.sent > BEHIND / 2 && now < view.alive + STALLED
    }

    /// Somebody wants a size; it is taken when nobody has wanted another for [`RESIZE`].
    pub(crate) fn want_size(&mut self, size: Size, now: Instant) {
        let size = Size::clamped(size.cols, size.rows);
        self.wanted = (size != self.screen.size()).then_some((size, now));
    }

    fn set_size(&mut self, size: Size, now: Instant) {
        if size == self.screen.size() {
            return;
        }
        self.draw();
        // What was written before belongs to the old size: who cannot take it now gets a fresh screen later.
        self.flush(now);
        self.screen.resize(size);
        self.resized_at = self.log.end();
        self.resize = Some(size);
        self.changed = true;
        for view in self.views.values_mut() {
            if view.sent < self.resized_at {
                view.behind = true;
            }
            view.say(FromTerminal::Resized { size });
        }
    }

    /// The screen for later, with up to `history` lines.
    pub(crate) fn last_screen(&mut self, history: u32) -> LastScreen {
        self.draw();
        LastScreen {
            seq: self.log.end() - self.screen.incomplete() as u64,
            size: self.screen.size(),
            ansi: self
                .screen
                .snapshot(history as usize, crate::screen::MOST_HISTORY_BYTES)
                .into(),
        }
    }

    pub(crate) fn viewers_count(&self) -> usize {
        self.views.len()
    }

    fn viewers(&self) -> Vec<Viewer> {
        let viewer = |(id, view): (&u64, &View)| Viewer {
            attachment: *id,
            person: view.attach.person.clone(),
            name: view.attach.name.clone(),
            driver: view.attach.may_type && self.lease.is_held_by(&view.attach.person),
            may_type: view.attach.may_type,
        };
        self.views.iter().map(viewer).collect()
    }

    /// Tells everybody who watches and who drives.
    fn tell_viewers(&mut self) {
        self.changed = true;
        let viewers = self.viewers();
        for view in self.views.values_mut() {
            view.say(FromTerminal::Viewers {
                viewers: viewers.clone(),
            });
        }
    }

    /// Writes what is visible from outside into `status`; true when others should look.
    pub(crate) fn report(&mut self, status: &mut Status) -> bool {
        let changed = std::mem::take(&mut self.changed);
        if changed {
            *status = self.status();
        } else {
            status.seq = self.log.end();
            status.active_at = millis(self.active_at);
        }
        changed
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            pid: self.pid,
            size: self.screen.size(),
            title: self.title.clone(),
            exit: self.exit,
            viewers: self.viewers(),
            active_at: millis(self.active_at),
            seq: self.log.end(),
            epoch: self.epoch,
            colors: self.screen.colors(),
        }
    }
}

/// Milliseconds since the Unix epoch.
fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
