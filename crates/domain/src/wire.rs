//! The whole conversation between a browser (or any other client) and one terminal, subprotocol
//! [`SUBPROTOCOL`].
//!
//! Two kinds of WebSocket messages exist. *Binary* messages carry terminal bytes with their position
//! ([`Frame`]); *text* messages carry small JSON objects ([`FromTerminal`], [`FromClient`]). The same
//! messages travel, length-prefixed, between the server and a `sandbox-host` ([`crate::host`]).
//!
//! A conversation:
//!
//! ```text
//! client                                   terminal
//!   | ------ GET …/attach?since&epoch&client -> |
//!   | <- {"type":"attached", "input":120, …} -- |   what has been written of this client's input so far
//!   | <- snapshot frame, seq=5000 ------------- |   or nothing, where `since` is still held
//!   | <- output frame, seq=5000, "hello" ------ |
//!   | -- input frame, at=120, "ls\r" ---------> |
//!   | <- {"type":"input_ack","at":123} -------- |
//!   | -- {"type":"ack","seq":5005} -----------> |   xterm.js has parsed so far: gives new credit
//! ```

use serde::{Deserialize, Serialize};

/// The WebSocket subprotocol that selects this conversation; without it a socket speaks plain bytes.
pub const SUBPROTOCOL: &str = "sandbox.terminal.v1";

/// Bytes of output that may be under way to one attachment and not yet acknowledged: 256 KiB.
pub const CREDIT: u64 = 256 * 1024;

/// The most bytes one output or input frame carries: 32 KiB.
pub const MAX_CHUNK: usize = 32 * 1024;

/// The largest message a client may send, in bytes; a larger one closes the socket (1009).
pub const MAX_CLIENT_MESSAGE: usize = 64 * 1024;

/// Bounds of a terminal's size, in cells: small enough that no size can exhaust memory.
pub const COLS: core::ops::RangeInclusive<u16> = 2..=500;
/// See [`COLS`].
pub const ROWS: core::ops::RangeInclusive<u16> = 1..=300;

/// A terminal's size in cells, always within [`COLS`] and [`ROWS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub cols: u16,
    pub rows: u16,
}

impl Size {
    /// The size nearest to what was asked for that lies within [`COLS`] and [`ROWS`].
    pub fn clamped(cols: u16, rows: u16) -> Self {
        Self {
            cols: cols.clamp(*COLS.start(), *COLS.end()),
            rows: rows.clamp(*ROWS.start(), *ROWS.end()),
        }
    }
}

impl Default for Size {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

/// The colours that a client's page shows a terminal in where the program chooses none, each as red, green and blue.
/// A program that asks is told them. Nothing told is the console's dark ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colors {
    /// Of text.
    pub foreground: [u8; 3],
    pub background: [u8; 3],
    pub cursor: [u8; 3],
}

impl Colors {
    /// Whether text is dark on a light ground.
    pub fn is_light(&self) -> bool {
        let brightness = |color: [u8; 3]| color.iter().map(|part| u32::from(*part)).sum::<u32>();
        brightness(self.background) > brightness(self.foreground)
    }
}

impl Default for Colors {
    fn default() -> Self {
        Self {
            foreground: [0xdd, 0xe2, 0xea],
            background: [0x0d, 0x0f, 0x13],
            cursor: [0x9f, 0xb4, 0xff],
        }
    }
}

/// How a terminal's process ended: exactly one of the two is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned this status, 0 for success.
    Code(i32),
    /// This signal ended it (9 = KILL, 15 = TERM).
    Signal(i32),
}

/// One viewer of a terminal, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// Identifies the attachment while it lasts.
    pub attachment: u64,
    /// The person's id; two attachments of one person have the same.
    pub person: String,
    /// The name to show.
    pub name: String,
    /// Whether its keys and size count.
    pub driver: bool,
    /// Whether it may become the driver at all.
    pub may_type: bool,
}

/// Text messages from the terminal to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromTerminal {
    /// The first message of every attachment.
    Attached {
        /// Identifies this attachment among [`FromTerminal::Viewers`].
        attachment: u64,
        /// Changes when the terminal's program is started anew: positions of another epoch mean nothing.
        epoch: u64,
        /// The bytes of this client's input that have been written: resend from here.
        input: u64,
        size: Size,
        /// Whether this attachment is the driver now.
        driver: bool,
        /// Whether this attachment may type or take control.
        may_type: bool,
        /// Where the output that follows begins: the `since` asked for where it is still held, otherwise
        /// the position of the snapshot frame that follows.
        seq: u64,
        /// Whether a snapshot frame follows (the client starts from a clear screen).
        snapshot: bool,
    },
    /// Input up to this offset has been written to the program.
    InputAck { at: u64 },
    /// The terminal has a new size; the driver asked for it.
    Resized { size: Size },
    /// Who drives has changed, or who watches.
    Viewers { viewers: Vec<Viewer> },
    /// The window title the program has set, at most 256 characters.
    Title { title: String },
    /// The program has ended and all of its output has been sent.
    Exited { exit: Exit },
    /// The session sleeps: what is shown is the last screen; a keystroke wakes it.
    Asleep,
    /// The connection ends on purpose; come back at once (the server restarts, or the session was resumed).
    Reconnect { reason: String },
    /// The answer to [`FromClient::Ping`], with the same number.
    Pong { t: u64 },
    /// What the client asked was refused; the conversation goes on.
    Refused { code: String, detail: String },
}

/// Text messages from a client to the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromClient {
    /// Everything before `seq` has been parsed by the client's emulator.
    Ack { seq: u64 },
    /// The client's window has this size; it takes effect while the client drives.
    Resize { cols: u16, rows: u16 },
    /// The client's page shows the terminal in these colours; a program is told those of the driver's page.
    Colors { colors: Colors },
    /// Make this attachment the driver.
    TakeControl,
    /// Let whoever types next drive.
    ReleaseControl,
    /// Send a new snapshot with up to `history` lines of scrollback (bounded by what is kept).
    Snapshot { history: u32 },
    /// Answered with [`FromTerminal::Pong`].
    Ping { t: u64 },
}

/// A binary message: one tag byte, a big-endian `u64` position, then (for a snapshot) the size as two
/// big-endian `u16`, then bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// To the client: output bytes, the first of which is byte number `seq` of the terminal's output.
    Output { seq: u64, bytes: &'a [u8] },
    /// To the client: clear everything, take `size`, and write `ansi` (a screen with its modes, title and a
    /// first page of scrollback); output goes on at `seq`.
    Snapshot { seq: u64, size: Size, ansi: &'a [u8] },
    /// To the terminal: keystrokes, the first of which is byte number `at` of this client's input.
    Input { at: u64, bytes: &'a [u8] },
}

const OUTPUT: u8 = 1;
const SNAPSHOT: u8 = 2;
const INPUT: u8 = 3;

/// Why bytes are not a [`Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    #[error("a frame of {0} bytes is too short")]
    Short(usize),
    #[error("no frame has the tag {0}")]
    Tag(u8),
    #[error("a frame of {0} bytes is longer than a frame may be")]
    Long(usize),
}

impl<'a> Frame<'a> {
    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let (tag, position, bytes) = match *self {
            Frame::Output { seq, bytes } => (OUTPUT, seq, bytes),
            Frame::Snapshot { seq, ansi, .. } => (SNAPSHOT, seq, ansi),
            Frame::Input { at, bytes } => (INPUT, at, bytes),
        };
        let mut out = Vec::with_capacity(13 + bytes.len());
        out.push(tag);
        out.extend_from_slice(&position.to_be_bytes());
        if let Frame::Snapshot { size, .. } = self {
            out.extend_from_slice(&size.cols.to_be_bytes());
            out.extend_from_slice(&size.rows.to_be_bytes());
        }
        out.extend_from_slice(bytes);
        out
    }

    /// Reads a frame; never panics, whatever the bytes. Sizes out of bounds are clamped, and an input frame
    /// of more than [`MAX_CHUNK`] bytes is refused.
    pub fn decode(wire: &'a [u8]) -> Result<Self, BadFrame> {
        let Some((&tag, rest)) = wire.split_first() else {
            return Err(BadFrame::Short(0));
        };
        let Some((position, rest)) = rest.split_first_chunk::<8>() else {
            return Err(BadFrame::Short(wire.len()));
        };
        let position = u64::from_be_bytes(*position);
        match tag {
            OUTPUT => Ok(Frame::Output {
                seq: position,
                bytes: rest,
            }),
            SNAPSHOT => {
                let Some(([c0, c1, r0, r1], ansi)) = rest.split_first_chunk::<4>() else {
                    return Err(BadFrame::Short(wire.len()));
                };
                let size = Size::clamped(u16::from_be_bytes([*c0, *c1]), u16::from_be_bytes([*r0, *r1]));
                Ok(Frame::Snapshot {
                    seq: position,
                    size,
                    ansi,
                })
            }
            INPUT if rest.len() > MAX_CHUNK => Err(BadFrame::Long(rest.len())),
            INPUT => Ok(Frame::Input {
                at: position,
                bytes: rest,
            }),
            tag => Err(BadFrame::Tag(tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_frame_survives_the_wire(seq: u64, cols in 2u16..=500, rows in 1u16..=300, bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            for frame in [
                Frame::Output { seq, bytes: &bytes },
                Frame::Snapshot { seq, size: Size { cols, rows }, ansi: &bytes },
                Frame::Input { at: seq, bytes: &bytes },
            ] {
                let wire = frame.encode();
                prop_assert_eq!(Frame::decode(&wire), Ok(frame));
            }
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::decode(&bytes);
            let _ = serde_json::from_slice::<FromClient>(&bytes);
        }
    }

    #[test]
    fn an_input_frame_beyond_the_bound_is_refused() {
        let bytes = vec![b'x'; MAX_CHUNK + 1];
        let frame = Frame::Input { at: 0, bytes: &bytes };
        assert_eq!(Frame::decode(&frame.encode()), Err(BadFrame::Long(MAX_CHUNK + 1)));
    }

    #[test]
    fn a_colour_is_three_bytes_and_nothing_else() {
        let read = |background: &str| {
            let json = format!(
                r#"{{"type":"colors","colors":{{"foreground":[0,0,0],"background":{background},"cursor":[1,2,3]}}}}"#
            );
            serde_json::from_str::<FromClient>(&json)
        };
        assert!(matches!(read("[255,255,255]"), Ok(FromClient::Colors { colors }) if colors.is_light()));
        for wrong in ["[0,0]", "[0,0,0,0]", "[0,0,256]", "[0,0,-1]", "\"#000000\"", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn messages_are_tagged_json() {
        let json = serde_json::to_string(&FromClient::Resize { cols: 80, rows: 24 }).expect("serialises");
        assert_eq!(json, r#"{"type":"resize","cols":80,"rows":24}"#);
        let colors = Colors::default();
        let json = serde_json::to_string(&FromClient::Colors { colors }).expect("serialises");
        assert_eq!(
            json,
            r#"{"type":"colors","colors":{"foreground":[221,226,234],"background":[13,15,19],"cursor":[159,180,255]}}"#
        );
        let json = serde_json::to_string(&FromTerminal::Exited { exit: Exit::Code(0) }).expect("serialises");
        assert_eq!(json, r#"{"type":"exited","exit":{"code":0}}"#);
    }
}
