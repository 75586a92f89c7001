//! What viewers say.

use super::Core;
use crate::attachment::ClientMessage;
use crate::input::Taken;
use bytes::Bytes;
use domain::wire::{Frame, FromClient, FromTerminal, MAX_CHUNK, Size};
use std::time::{Instant, SystemTime};

impl Core {
    /// A viewer says something.
    pub(crate) fn hear(&mut self, id: u64, message: ClientMessage, now: Instant) {
        let Some(view) = self.views.get_mut(&id) else { return };
        match message {
            ClientMessage::Binary(bytes) if view.attach.plain => self.type_plain(id, &bytes, now),
            ClientMessage::Binary(bytes) => match Frame::decode(&bytes) {
                Ok(Frame::Input { at, bytes }) => self.type_at(id, at, bytes, now),
                Ok(_) => self.refuse(id, "invalid", "only input frames go to a terminal"),
                Err(error) => self.refuse(id, "invalid", &error.to_string()),
            },
            ClientMessage::Text(text) => self.hear_text(id, text, now),
        }
    }

    fn hear_text(&mut self, id: u64, text: FromClient, now: Instant) {
        let Some(view) = self.views.get_mut(&id) else { return };
        match text {
            FromClient::Ack { seq } => {
                view.ack(seq, now);
                self.pump(now);
            }
            FromClient::Resize { cols, rows } => {
                view.size = Some(Size::clamped(cols, rows));
                let may_type = view.attach.may_type;
                let person = view.attach.person.clone();
                let only = self.views.values().filter(|view| view.attach.may_type).count() == 1;
                if may_type && only && self.lease.driver().is_none() && self.exit.is_none() {
                    self.lease.give(id, &person, now);
                    self.tell_viewers();
                }
                self.look_of_driver(id, now);
            }
            FromClient::Colors { colors } => {
                view.colors = Some(colors);
                self.colors_of_driver(id);
            }
            FromClient::TakeControl if view.attach.may_type => {
                let person = view.attach.person.clone();
                if self.lease.give(id, &person, now) {
                    self.tell_viewers();
                }
                self.look_of_driver(id, now);
            }
            FromClient::TakeControl => self.refuse(id, "read-only", "you may watch this terminal, not type into it"),
            FromClient::ReleaseControl => {
                if view.attach.may_type && self.lease.is_held_by(&view.attach.person) {
                    self.lease.release();
                    self.tell_viewers();
                }
            }
            FromClient::Snapshot { history } => self.snapshot_for(id, history, now),
            FromClient::Ping { t } => view.say(FromTerminal::Pong { t }),
        }
    }

    /// The driver's window counts, nobody else's: its size, and the colours of its page.
    fn look_of_driver(&mut self, id: u64, now: Instant) {
        if self.lease.driver() != Some(id) {
            return;
        }
        if let Some(size) = self.views.get(&id).and_then(|view| view.size) {
            self.want_size(size, now);
        }
        self.colors_of_driver(id);
    }

    /// The program is told the colours that the driver sees. Without a driver, those of the last one.
    pub(super) fn colors_of_driver(&mut self, id: u64) {
        let told = self.views.get(&id).and_then(|view| view.colors);
        let Some(colors) = told.filter(|colors| self.lease.driver() == Some(id) && *colors != self.screen.colors())
        else {
            return;
        };
        // What was asked before is answered as it was then.
        self.draw();
        self.screen.set_colors(colors);
        self.changed = true;
        self.drawn();
    }

    /// Whether a viewer's keys count now; if not, it is told why.
    fn may_type(&mut self, id: u64, now: Instant) -> bool {
        let Some(view) = self.views.get(&id) else { return false };
        if !view.attach.may_type {
            self.refuse(id, "read-only", "you may watch this terminal, not type into it");
            return false;
        }
        if self.exit.is_some() {
            self.refuse(id, "exited", "the program has ended");
            return false;
        }
        let person = view.attach.person.clone();
        match self.lease.typed(id, &person, now) {
            None => {
                self.refuse(
                    id,
                    "not-driver",
                    "somebody else drives this terminal: take control first",
                );
                false
            }
            Some(changed) => {
                if changed {
                    self.tell_viewers();
                    self.look_of_driver(id, now);
                }
                self.typed_at = Some(now);
                self.active_at = SystemTime::now();
                true
            }
        }
    }

    fn type_at(&mut self, id: u64, at: u64, bytes: &[u8], now: Instant) {
        let Some(client) = self.views.get(&id).map(|view| view.attach.client.clone()) else {
            return;
        };
        if !self.may_type(id, now) {
            let written = self.input.refuse(&client, at, bytes.len());
            self.acknowledge(&client, written);
            return;
        }
        match self.input.take(&client, at, bytes) {
            Taken::Queued => {}
            Taken::Known => {
                let written = self.input.written(&client);
                self.acknowledge(&client, written);
            }
            Taken::Full => self.refuse(
                id,
                "input-full",
                "the program does not read: send again what was not acknowledged",
            ),
            Taken::Gap => {
                self.refuse(
                    id,
                    "input-gap",
                    "input is missing before this: send again what was not acknowledged",
                );
                let written = self.input.written(&client);
                self.acknowledge(&client, written);
            }
        }
    }

    fn type_plain(&mut self, id: u64, bytes: &[u8], now: Instant) {
        if self.may_type(id, now) {
            for part in bytes.chunks(MAX_CHUNK) {
                if !self.input.write(part) {
                    tracing::warn!("input of a plain viewer is dropped: the program does not read");
                    break;
                }
            }
        }
    }

    /// Types for nobody in particular; false when there is no room or nobody to read it.
    pub(crate) fn type_for_api(&mut self, bytes: &Bytes, now: Instant) -> bool {
        let taken = self.exit.is_none() && self.input.write(bytes);
        if taken {
            self.typed_at = Some(now);
            self.active_at = SystemTime::now();
        }
        taken
    }

    fn refuse(&mut self, id: u64, code: &str, detail: &str) {
        if let Some(view) = self.views.get_mut(&id) {
            view.say(FromTerminal::Refused {
                code: String::from(code),
                detail: String::from(detail),
            });
        }
    }
}
