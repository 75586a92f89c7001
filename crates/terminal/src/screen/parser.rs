//! Finds the control sequences in a program's output, exactly as xterm.js does.
//!
//! The states and transitions are those of <https://vt100.net/emu/dec_ansi_parser> with the choices that xterm.js makes
//! (MIT, the xterm.js authors): C1 controls, sub-parameters, what is an error and where it leaves the parser. Only then do
//! a snapshot taken here and the bytes after it mean the same to the browser. Every string is bounded.

use super::params::Params;

/// The most bytes of an OSC or DCS string that are kept; a longer one has no effect.
const MOST_STRING: usize = 8 * 1024;

/// What the parser finds.
pub(crate) trait Perform {
    /// Printable ASCII, at least one byte.
    fn print_ascii(&mut self, text: &[u8]);
    /// A printable character beyond ASCII.
    fn print(&mut self, character: char);
    fn execute(&mut self, control: u32);
    /// A control sequence; `ident` is prefix, intermediates and final byte, the last in the lowest eight bits.
    fn csi(&mut self, ident: u32, params: &Params);
    fn esc(&mut self, ident: u32);
    /// A whole operating system command and what ended it (`BEL` or a string terminator).
    fn osc(&mut self, data: &[u8], bell: bool);
    fn dcs(&mut self, ident: u32, data: &[u8]);
    /// A string ended that has no effect.
    fn nothing(&mut self);
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    EscapeIntermediate,
    CsiEntry,
    CsiParam,
    CsiIntermediate,
    CsiIgnore,
    /// SOS, PM and APC: skipped.
    Skip,
    Osc,
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    DcsIgnore,
    Dcs,
}

/// A parser that can stop between any two bytes.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    state: State,
    params: Params,
    collect: u32,
    /// The bytes since the ground state that put a fresh parser where this one is (without controls already executed).
    raw: Vec<u8>,
    /// Where the string begins in `raw`.
    string: usize,
    overflow: bool,
    utf8: Utf8,
}

impl Parser {
    /// Whether the parser is between two sequences and two characters.
    pub(crate) fn is_ground(&self) -> bool {
        self.state == State::Ground && self.utf8.len == 0
    }

    /// How many bytes at the end of what was fed are an incomplete character (0 to 3).
    pub(crate) fn incomplete(&self) -> usize {
        usize::from(self.utf8.len)
    }

    /// The bytes that put a fresh parser into the middle of the sequence where this one is.
    pub(crate) fn partial(&self) -> &[u8] {
        match self.state {
            State::Ground => &[],
            // What follows belongs to a string that is too long to matter: a command that nobody knows swallows it.
            State::Osc if self.overflow => b"\x1b]99999;",
            State::Dcs if self.overflow => &self.raw[..self.string],
            _ => &self.raw,
        }
    }

    pub(crate) fn advance(&mut self, bytes: &[u8], to: &mut impl Perform) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            if self.utf8.len == 0 && byte < 0x80 {
                if self.state == State::Ground && (0x20..0x7f).contains(&byte) {
                    let run = rest
                        .iter()
                        .position(|byte| !(0x20..0x7f).contains(byte))
                        .unwrap_or(rest.len());
                    to.print_ascii(&rest[..run]);
                    rest = &rest[run..];
                    continue;
                }
                self.step(u32::from(byte), to);
                rest = &rest[1..];
                continue;
            }
            match self.utf8.push(byte) {
                Decoded::More => rest = &rest[1..],
                Decoded::Char(code) => {
                    rest = &rest[1..];
                    self.step(code, to);
                }
                Decoded::Nothing => rest = &rest[1..],
                Decoded::Again => {}
            }
        }
    }

    fn step(&mut self, code: u32, to: &mut impl Perform) {
        use State::{
            CsiEntry, CsiIgnore, CsiIntermediate, CsiParam, Dcs, DcsEntry, DcsIgnore, DcsIntermediate, DcsParam,
            Escape, EscapeIntermediate, Ground, Osc, Skip,
        };
        // Rules that hold everywhere; strings end first.
        match (self.state, code) {
            (Osc, 0x07 | 0x18 | 0x1a | 0x1b | 0x9c) => {
                self.end_osc(code, to);
                self.after_string(code);
                return;
            }
            (Dcs, 0x18 | 0x1a | 0x1b | 0x9c) => {
                if self.overflow || matches!(code, 0x18 | 0x1a) {
                    to.nothing();
                } else {
                    to.dcs(self.collect, &self.raw[self.string..]);
                }
                self.after_string(code);
                return;
            }
            (_, 0x1b) => return self.enter(Escape, b"\x1b"),
            (_, 0x18 | 0x1a | 0x80..=0x8f | 0x91..=0x97 | 0x99 | 0x9a) => {
                self.state = Ground;
                return to.execute(code);
            }
            (_, 0x9c) => return self.state = Ground,
            (_, 0x9d) => return self.enter_string(Osc, b"\x1b]"),
            (_, 0x98 | 0x9e | 0x9f) => return self.enter(Skip, b"\x1b_"),
            (_, 0x9b) => return self.enter(CsiEntry, b"\x1b["),
            (_, 0x90) => return self.enter(DcsEntry, b"\x1bP"),
            _ => {}
        }
        let control = code < 0x20;
        match self.state {
            Ground if control => to.execute(code),
            Ground => {
                if code >= 0xa0
                    && let Some(character) = char::from_u32(code)
                {
                    to.print(character);
                }
            }
            Escape | EscapeIntermediate | CsiEntry | CsiParam | CsiIntermediate | CsiIgnore if control => {
                to.execute(code)
            }
            Escape | EscapeIntermediate | CsiEntry | CsiParam | CsiIntermediate if code == 0x7f => {}
            Escape => match code {
                0x20..=0x2f => self.collect(code, EscapeIntermediate),
                0x5b => self.enter(CsiEntry, b"\x1b["),
                0x5d => self.enter_string(Osc, b"\x1b]"),
                0x50 => self.enter(DcsEntry, b"\x1bP"),
                0x58 | 0x5e | 0x5f => self.enter(Skip, b"\x1b_"),
                0x30..=0x7e => self.dispatch_esc(code, to),
                _ => self.state = Ground,
            },
            EscapeIntermediate => match code {
                0x20..=0x2f => self.collect(code, EscapeIntermediate),
                0x30..=0x7e => self.dispatch_esc(code, to),
                _ => self.state = Ground,
            },
            CsiEntry | CsiParam => match code {
                0x40..=0x7e => self.dispatch_csi(code, to),
                0x30..=0x3b => self.param(code, CsiParam),
                0x3c..=0x3f if self.state == CsiEntry => self.collect(code, CsiParam),
                0x3c..=0x3f => self.keep(code, CsiIgnore),
                0x20..=0x2f => self.collect(code, CsiIntermediate),
                _ => self.state = Ground,
            },
            CsiIntermediate => match code {
                0x40..=0x7e => self.dispatch_csi(code, to),
                0x20..=0x2f => self.collect(code, CsiIntermediate),
                0x30..=0x3f => self.keep(code, CsiIgnore),
                _ => self.state = Ground,
            },
            CsiIgnore => {
                if (0x40..=0x7e).contains(&code) {
                    self.state = Ground;
                }
            }
            // A character beyond ASCII ends it: so says the table of xterm.js.
            Skip => {
                if code >= 0xa0 {
                    self.state = Ground;
                }
            }
            Osc => {
                if !control {
                    self.put(code);
                }
            }
            DcsEntry | DcsParam | DcsIntermediate if control || code == 0x7f => {}
            DcsEntry | DcsParam => match code {
                0x40..=0x7e => self.hook(code),
                0x30..=0x3b => self.param(code, DcsParam),
                0x3c..=0x3f if self.state == DcsEntry => self.collect(code, DcsParam),
                0x3c..=0x3f => self.keep(code, DcsIgnore),
                0x20..=0x2f => self.collect(code, DcsIntermediate),
                _ => self.state = Ground,
            },
            DcsIntermediate => match code {
                0x40..=0x7e => self.hook(code),
                0x20..=0x2f => self.collect(code, DcsIntermediate),
                0x30..=0x3f => self.keep(code, DcsIgnore),
                _ => self.state = Ground,
            },
            DcsIgnore => {}
            Dcs => {
                if code != 0x7f {
                    self.put(code);
                }
            }
        }
    }

    fn enter(&mut self, state: State, introducer: &[u8]) {
        self.state = state;
        self.params.clear();
        self.collect = 0;
        self.raw.clear();
        self.raw.extend_from_slice(introducer);
        self.overflow = false;
    }

    fn enter_string(&mut self, state: State, introducer: &[u8]) {
        self.enter(state, introducer);
        self.string = self.raw.len();
    }

    fn after_string(&mut self, code: u32) {
        self.state = State::Ground;
        if code == 0x1b {
            self.enter(State::Escape, b"\x1b");
        }
        self.raw.shrink_to(MOST_STRING / 8);
    }

    fn keep(&mut self, code: u32, next: State) {
        self.state = next;
        if self.raw.len() < MOST_STRING {
            self.raw.push(code as u8);
        }
    }

    fn collect(&mut self, code: u32, next: State) {
        self.collect = (self.collect << 8) | code;
        self.keep(code, next);
    }

    fn param(&mut self, code: u32, next: State) {
        self.params.push(code as u8);
        self.keep(code, next);
    }

    fn put(&mut self, code: u32) {
        if self.overflow {
            return;
        }
        if self.raw.len() + 4 > MOST_STRING {
            self.overflow = true;
        } else if let Some(character) = char::from_u32(code) {
            self.raw
                .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn hook(&mut self, code: u32) {
        self.collect = (self.collect << 8) | code;
        self.keep(code, State::Dcs);
        self.string = self.raw.len();
    }

    fn dispatch_csi(&mut self, code: u32, to: &mut impl Perform) {
        self.state = State::Ground;
        to.csi((self.collect << 8) | code, &self.params);
    }

    fn dispatch_esc(&mut self, code: u32, to: &mut impl Perform) {
        self.state = State::Ground;
        to.esc((self.collect << 8) | code);
    }

    fn end_osc(&mut self, code: u32, to: &mut impl Perform) {
        if self.overflow || matches!(code, 0x18 | 0x1a) {
            to.nothing();
        } else {
            to.osc(&self.raw[self.string..], code == 0x07);
        }
    }
}

/// Decodes UTF-8 as xterm.js does: what is malformed, and a byte order mark, is left out without a trace.
#[derive(Debug, Default)]
struct Utf8 {
    code: u32,
    len: u8,
    need: u8,
}

enum Decoded {
    More,
    Char(u32),
    Nothing,
    /// The byte does not continue the character before, which is dropped: look at the byte again.
    Again,
}

impl Utf8 {
    fn push(&mut self, byte: u8) -> Decoded {
        if self.len == 0 {
            let (code, need) = match byte {
                0xc0..=0xdf => (byte & 0x1f, 2),
                0xe0..=0xef => (byte & 0x0f, 3),
                0xf0..=0xf7 => (byte & 0x07, 4),
                _ => return Decoded::Nothing,
            };
            *self = Self {
                code: u32::from(code),
                len: 1,
                need,
            };
            return Decoded::More;
        }
        if byte & 0xc0 != 0x80 {
            self.len = 0;
            return Decoded::Again;
        }
        self.code = (self.code << 6) | u32::from(byte & 0x3f);
        self.len += 1;
        if self.len < self.need {
            return Decoded::More;
        }
        self.len = 0;
        let least = [0x80, 0x800, 0x1_0000][usize::from(self.need) - 2];
        let code = self.code;
        if code < least || char::from_u32(code).is_none() || code == 0xfeff {
            return Decoded::Nothing;
        }
        Decoded::Char(code)
    }
}
