//! A terminal without a program and without time, for tests: both are in the test's hands.

use super::Core;
use crate::attachment::{ClientMessage, Message, Messages, Taken};
use crate::terminal::Options;
use bytes::Bytes;
use domain::host::Attach;
use domain::wire::{Colors, Frame, FromClient, FromTerminal, Size};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};

pub(super) struct Rig {
    pub(super) core: Core,
    pub(super) now: Instant,
}

/// One viewer's end.
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) messages: Messages,
}

/// What a viewer got, decoded.
#[derive(Debug, PartialEq)]
pub(super) enum Got {
    Text(FromTerminal),
    Output(u64, Vec<u8>),
    Snapshot(u64, Size, String),
    Raw(Vec<u8>),
}

pub(super) fn person(name: &str) -> Attach {
    Attach {
        terminal: String::from("agent"),
        client: format!("client of {name}"),
        person: String::from(name),
        name: String::from(name),
        may_type: true,
        since: None,
        epoch: None,
        history: 100,
        plain: false,
    }
}

impl Rig {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            core: Core::new(
                Size::default(),
                1,
                &Options {
                    epoch: 7,
                    scrollback: 500,
                    colors: Colors::default(),
                    tap: None,
                },
                now,
            ),
            now,
        }
    }

    pub(super) fn attach(&mut self, attach: Attach) -> Client {
        let (sender, receiver) = mpsc::channel(64);
        let taken = Arc::new(Taken {
            bytes: AtomicU64::new(0),
            wake: Arc::new(Notify::new()),
        });
        let id = self.core.attach(attach, sender, Arc::clone(&taken), self.now);
        Client {
            id,
            messages: Messages { receiver, taken },
        }
    }

    pub(super) fn output(&mut self, bytes: impl AsRef<[u8]>) {
        self.core.output(bytes.as_ref(), self.now);
    }

    /// Lets time pass, with everything that falls due on the way.
    pub(super) fn pass(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(due) = self.core.due(self.now).filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.core.tick(self.now);
            if self.core.due(self.now).is_some_and(|next| next <= self.now) {
                // Something that cannot be done now must not be due now: it would turn the task in circles.
                self.now += Duration::from_millis(1);
            }
        }
        self.now = until;
        self.core.tick(self.now);
    }

    pub(super) fn say(&mut self, client: &Client, text: FromClient) {
        self.core.hear(client.id, ClientMessage::Text(text), self.now);
    }

    pub(super) fn type_at(&mut self, client: &Client, at: u64, text: &str) {
        let frame = Frame::Input {
            at,
            bytes: text.as_bytes(),
        }
        .encode();
        self.core
            .hear(client.id, ClientMessage::Binary(Bytes::from(frame)), self.now);
    }

    /// The program reads everything that was typed.
    pub(super) fn read_input(&mut self) -> String {
        let mut read = Vec::new();
        while !self.core.input.is_empty() {
            let n = self.core.input.next().len();
            read.extend_from_slice(self.core.input.next());
            self.core.wrote(n);
        }
        String::from_utf8(read).expect("tests type text")
    }
}

impl Client {
    pub(super) fn got(&mut self) -> Vec<Got> {
        let mut got = Vec::new();
        while let Some(message) = self.messages.try_recv() {
            got.push(match message {
                Message::Text(text) => Got::Text(text),
                Message::Binary(bytes) => match Frame::decode(&bytes) {
                    Ok(Frame::Output { seq, bytes }) => Got::Output(seq, bytes.to_vec()),
                    Ok(Frame::Snapshot { seq, size, ansi }) => {
                        Got::Snapshot(seq, size, String::from_utf8_lossy(ansi).into_owned())
                    }
                    _ => Got::Raw(bytes.to_vec()),
                },
            });
        }
        got
    }

    pub(super) fn texts(&mut self) -> Vec<FromTerminal> {
        self.got()
            .into_iter()
            .filter_map(|got| if let Got::Text(text) = got { Some(text) } else { None })
            .collect()
    }

    /// Takes everything; the output in it, and where it ends.
    pub(super) fn output(&mut self) -> (Vec<u8>, Option<u64>) {
        let mut all = Vec::new();
        let mut end = None;
        for got in self.got() {
            match got {
                Got::Output(seq, bytes) => {
                    end = Some(seq + bytes.len() as u64);
                    all.extend_from_slice(&bytes);
                }
                Got::Snapshot(seq, ..) => {
                    all.clear();
                    end = Some(seq);
                }
                _ => {}
            }
        }
        (all, end)
    }
}
