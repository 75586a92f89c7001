//! Ten thousand lost connections: nothing that was written or typed is lost, and nothing comes twice.
//!
//! Between a client and the terminal are two streams of bytes with length-prefixed messages, as between server and host.
//! Every connection dies after a random number of bytes in each direction, often inside a message; the client comes back with
//! `since` and `epoch` and sends again what was not acknowledged.

use super::rig::{Client, Rig, person};
use crate::attachment::{ClientMessage, Message};
use bytes::Bytes;
use domain::wire::{Frame, FromClient, FromTerminal};

const DROPS: usize = 10_000;

/// A small generator: the seed is printed by whoever fails.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// One direction of a connection: bytes with a length before each message.
#[derive(Default)]
struct Wire(Vec<u8>);

impl Wire {
    fn send(&mut self, kind: u8, payload: &[u8]) {
        self.0.extend_from_slice(&(payload.len() as u32 + 1).to_be_bytes());
        self.0.push(kind);
        self.0.extend_from_slice(payload);
    }

    /// What arrives of the first `arrived` bytes: whole messages only.
    fn receive(&mut self, arrived: usize) -> Vec<(u8, Vec<u8>)> {
        let mut messages = Vec::new();
        let mut at = 0;
        while let Some(head) = self.0.get(at..at + 4) {
            let len = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
            if at + 4 + len > arrived.min(self.0.len()) {
                break;
            }
            messages.push((self.0[at + 4], self.0[at + 5..at + 4 + len].to_vec()));
            at += 4 + len;
        }
        self.0.drain(..at);
        messages
    }
}

/// What the client keeps over reconnects.
#[derive(Default)]
struct Memory {
    seen: Vec<u8>,
    typed: Vec<u8>,
    acknowledged: u64,
}

struct Session {
    rig: Rig,
    memory: Memory,
    written: Vec<u8>,
    read: Vec<u8>,
    random: Random,
    resumed: usize,
}

impl Session {
    /// The program writes something and reads something.
    fn run_program(&mut self) {
        for _ in 0..self.random.below(4) {
            let len = self.random.below(300);
            let mut output: Vec<u8> = (0..len).map(|_| b' ' + self.random.below(95) as u8).collect();
            output.extend_from_slice(["é👍", "\r\n", "\x1b[1m", "—"][self.random.below(4)].as_bytes());
            self.written.extend_from_slice(&output);
            // Writes of a program are cut anywhere, in the middle of a character too.
            let cut = self.random.below(output.len());
            self.rig.output(&output[..cut]);
            self.rig.output(&output[cut..]);
        }
        if self.random.below(3) > 0 {
            let next = self.rig.core.input.next();
            let n = next.len().min(1 + self.random.below(40));
            self.read.extend_from_slice(&next[..n]);
            self.rig.core.wrote(n);
        }
    }

    /// Messages reach the client.
    fn hear(&mut self, messages: Vec<(u8, Vec<u8>)>, up: &mut Wire) {
        for (kind, payload) in messages {
            if kind == 0 {
                match serde_json::from_slice(&payload).expect("a message") {
                    FromTerminal::Attached {
                        input, seq, snapshot, ..
                    } => {
                        let held = (self.memory.seen.len(), self.written.len(), self.resumed);
                        assert!(
                            !snapshot,
                            "everything since the last byte is still held: {held:?} seq {seq}"
                        );
                        assert_eq!(seq, self.memory.seen.len() as u64);
                        self.resumed += 1;
                        // What was typed and is not known to be written is sent again, in one go.
                        assert!(input >= self.memory.acknowledged, "an acknowledgement was taken back");
                        self.memory.acknowledged = input;
                        let rest = &self.memory.typed[input as usize..];
                        up.send(1, &Frame::Input { at: input, bytes: rest }.encode());
                    }
                    FromTerminal::InputAck { at } => {
                        self.memory.acknowledged = self.memory.acknowledged.max(at);
                    }
                    FromTerminal::Refused { code, .. } => panic!("refused: {code}"),
                    _ => {}
                }
            } else {
                match Frame::decode(&payload).expect("a frame") {
                    Frame::Output { seq, bytes } => {
                        assert_eq!(seq, self.memory.seen.len() as u64, "a gap or an overlap");
                        self.memory.seen.extend_from_slice(bytes);
                        let ack = FromClient::Ack {
                            seq: self.memory.seen.len() as u64,
                        };
                        up.send(0, &serde_json::to_vec(&ack).expect("serialises"));
                    }
                    frame => panic!("{frame:?} where every byte is held"),
                }
            }
        }
    }

    fn deliver_up(&mut self, client: &Client, messages: Vec<(u8, Vec<u8>)>) {
        for (kind, payload) in messages {
            let message = if kind == 0 {
                ClientMessage::Text(serde_json::from_slice(&payload).expect("a message"))
            } else {
                ClientMessage::Binary(Bytes::from(payload))
            };
            let now = self.rig.now;
            self.rig.core.hear(client.id, message, now);
        }
    }

    /// One connection, which dies somewhere (or lives until all is through, if `last`).
    fn connect(&mut self, last: bool) {
        let mut attach = person("ada");
        attach.since = Some(self.memory.seen.len() as u64);
        attach.epoch = Some(7);
        let mut client = self.rig.attach(attach);
        let (mut down, mut up) = (Wire::default(), Wire::default());
        // Some connections live long enough for all that has gathered meanwhile, which comes in large frames.
        let longest = if self.random.below(3) == 0 { 200_000 } else { 3000 };
        let (mut down_left, mut up_left) = (self.random.below(longest), self.random.below(longest / 5));
        for _ in 0..if last { 10_000 } else { 1 + self.random.below(5) } {
            self.run_program();
            let millis = self.random.below(40) as u64;
            self.rig.pass(millis);
            while let Some(message) = client.messages.try_recv() {
                match message {
                    Message::Text(text) => down.send(0, &serde_json::to_vec(&text).expect("serialises")),
                    Message::Binary(bytes) => down.send(1, &bytes),
                }
            }
            let before = down.0.len();
            let arrived = down.receive(if last { usize::MAX } else { down_left });
            down_left = down_left.saturating_sub(before - down.0.len());
            self.hear(arrived, &mut up);
            if !last && self.random.below(2) == 0 {
                let len = 1 + self.random.below(20);
                let keys: Vec<u8> = (0..len).map(|_| b'a' + self.random.below(26) as u8).collect();
                let at = self.memory.typed.len() as u64;
                self.memory.typed.extend_from_slice(&keys);
                up.send(1, &Frame::Input { at, bytes: &keys }.encode());
            }
            let before = up.0.len();
            let arrived = up.receive(if last { usize::MAX } else { up_left });
            up_left = up_left.saturating_sub(before - up.0.len());
            self.deliver_up(&client, arrived);
            if last && self.memory.seen.len() == self.written.len() && self.read.len() == self.memory.typed.len() {
                break;
            }
        }
        let id = client.id;
        drop(client);
        // Half-open for a while, sometimes: the new connection comes before the old one is noticed.
        if self.random.below(3) > 0 {
            self.rig.core.detach(id);
        }
    }
}

#[test]
fn ten_thousand_lost_connections_lose_and_double_nothing() {
    let seed = 20_261_122;
    let mut session = Session {
        rig: Rig::new(),
        memory: Memory::default(),
        written: Vec::new(),
        read: Vec::new(),
        random: Random(seed),
        resumed: 0,
    };
    for _ in 0..DROPS {
        session.connect(false);
    }
    session.connect(true);
    assert!(
        session.written.len() > 1_000_000,
        "{} bytes were written",
        session.written.len()
    );
    assert!(
        session.memory.typed.len() > 50_000,
        "{} bytes were typed",
        session.memory.typed.len()
    );
    assert!(
        session.resumed > DROPS / 2,
        "{} connections got as far as an answer",
        session.resumed
    );
    assert!(session.memory.seen == session.written, "output differs (seed {seed})");
    assert!(session.read == session.memory.typed, "input differs (seed {seed})");
}
