//! A real program on a real PTY, and a viewer that speaks the wire.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use bytes::Bytes;
use domain::host::{Attach, TerminalSpec};
use domain::wire::{Frame, FromClient, FromTerminal, Size};
use std::collections::BTreeMap;
use terminal::{Attachment, ClientMessage, Handle, Message, Options, open};

/// What a viewer has seen so far.
pub(crate) struct Viewer {
    pub(crate) attachment: Attachment,
    pub(crate) texts: Vec<FromTerminal>,
    /// The bytes after the last snapshot, and where they end.
    pub(crate) output: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) snapshots: usize,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) acks: bool,
    pub(crate) typed: u64,
}

pub(crate) fn shell(script: &str) -> Handle {
    open(
        &spec(&["/bin/sh", "-c", script]),
        Options {
            epoch: 7,
            scrollback: 1000,
            colors: Default::default(),
            tap: None,
        },
    )
    .expect("a shell starts")
}

pub(crate) fn spec(argv: &[&str]) -> TerminalSpec {
    TerminalSpec {
        label: String::from("test"),
        argv: argv.iter().map(|argument| String::from(*argument)).collect(),
        cwd: std::env::temp_dir(),
        env: BTreeMap::from([
            (String::from("PATH"), String::from("/usr/bin:/bin")),
            (String::from("TERM"), String::from("xterm-256color")),
            (String::from("PS1"), String::from("$ ")),
        ]),
        secrets: Default::default(),
        record: false,
        size: Size { cols: 80, rows: 24 },
    }
}

pub(crate) fn person(name: &str) -> Attach {
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

pub(crate) async fn view(handle: &Handle, attach: Attach) -> Viewer {
    let attachment = handle.attach(attach).await.expect("the terminal is there");
    Viewer {
        attachment,
        texts: Vec::new(),
        output: Vec::new(),
        seq: 0,
        snapshots: 0,
        snapshot: Vec::new(),
        acks: true,
        typed: 0,
    }
}

impl Viewer {
    /// Takes one message; false when the terminal has let go.
    pub(crate) async fn step(&mut self) -> bool {
        let Some(message) = self.attachment.messages.recv().await else {
            return false;
        };
        match message {
            Message::Text(text) => {
                if let FromTerminal::Attached { input, seq, .. } = text {
                    self.typed = input;
                    self.seq = seq;
                }
                self.texts.push(text);
            }
            Message::Binary(bytes) => {
                match Frame::decode(&bytes).expect("a frame") {
                    Frame::Output { seq, bytes } => {
                        assert_eq!(seq, self.seq, "output has a gap or an overlap");
                        self.output.extend_from_slice(bytes);
                        self.seq += bytes.len() as u64;
                    }
                    Frame::Snapshot { seq, ansi, .. } => {
                        self.snapshots += 1;
                        self.snapshot = ansi.to_vec();
                        self.output.clear();
                        self.seq = seq;
                    }
                    Frame::Input { .. } => panic!("a terminal sends no input"),
                }
                if self.acks {
                    self.say(FromClient::Ack { seq: self.seq }).await;
                }
            }
        }
        true
    }

    pub(crate) async fn say(&self, text: FromClient) {
        let _ = self.attachment.outbox.send(ClientMessage::Text(text)).await;
    }

    pub(crate) async fn type_text(&mut self, text: &str) {
        let frame = Frame::Input {
            at: self.typed,
            bytes: text.as_bytes(),
        }
        .encode();
        self.typed += text.len() as u64;
        let _ = self
            .attachment
            .outbox
            .send(ClientMessage::Binary(Bytes::from(frame)))
            .await;
    }

    /// Steps until what was shown (snapshot and output) contains `text`.
    pub(crate) async fn until_shown(&mut self, text: &str) {
        while !self.shows(text) {
            assert!(
                self.step().await,
                "the terminal ended before it showed {text:?}: {:?}",
                self.all()
            );
        }
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.all().contains(text)
    }

    pub(crate) fn all(&self) -> String {
        format!(
            "{}{}",
            String::from_utf8_lossy(&self.snapshot),
            String::from_utf8_lossy(&self.output)
        )
    }

    /// Steps until a text message fits.
    pub(crate) async fn until(&mut self, mut fits: impl FnMut(&FromTerminal) -> bool) -> FromTerminal {
        let mut seen = 0;
        loop {
            if let Some(found) = self.texts[seen..].iter().find(|text| fits(text)) {
                return found.clone();
            }
            seen = self.texts.len();
            assert!(
                self.step().await,
                "the terminal ended before it said what was waited for: {:?}",
                self.texts
            );
        }
    }

    /// Takes what is still there; true when the terminal has let go.
    pub(crate) async fn until_let_go(&mut self) -> bool {
        while self.step().await {}
        true
    }
}
