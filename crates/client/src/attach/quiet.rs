//! Takes out of a terminal's output what a person's own terminal must not act on.
//!
//! The session's host answers for the terminal, once. A terminal that also heard the questions would answer again, into
//! whatever the program reads by then. What prints, resizes windows, defines keys or is kept by the host alone goes the
//! same way; the clipboard is for whoever drives.

use super::tty;

/// The filter; it keeps an unfinished sequence back until it knows what it is.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    state: State,
    held: Vec<u8>,
    recoloured: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// The first half of a C1 control in UTF-8 may have come.
    Lead,
    Escape,
    Csi,
    /// A control sequence that is too long to be one.
    LongCsi,
    /// The number of an operating system command.
    Number,
    /// One that is looked at as a whole.
    Whole,
    /// One that goes through as it comes.
    Through,
    /// A string that nobody wants.
    Dropped,
    /// An escape within a string: its end, or another sequence's beginning.
    InString(Kind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Whole,
    Through,
    Dropped,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// Longer than any control sequence that means something.
const LONGEST_CSI: usize = 1024;
/// Longer than any colour; as long as what is put into a clipboard.
const LONGEST_WHOLE: usize = 256 * 1024;

impl Quiet {
    /// Whether nothing is half shown: whoever writes something else now disturbs nothing.
    pub(super) fn at_rest(&self) -> bool {
        !matches!(self.state, State::Through | State::InString(Kind::Through))
    }

    /// Whether colours of the terminal itself were changed.
    pub(super) const fn recoloured(&self) -> bool {
        self.recoloured
    }

    /// Takes output; adds what is to be shown to `out`. `clipboard`: whether the program may set the clipboard now.
    pub(super) fn feed(&mut self, bytes: &[u8], clipboard: bool, out: &mut Vec<u8>) {
        for &byte in bytes {
            self.take(byte, clipboard, out);
        }
    }

    fn take(&mut self, byte: u8, clipboard: bool, out: &mut Vec<u8>) {
        match self.state {
            State::Ground => match byte {
                ESC => self.begin(),
                0xc2 => self.state = State::Lead,
                // Asks for an answer-back.
                0x05 => {}
                byte => out.push(byte),
            },
            State::Lead => {
                self.state = State::Ground;
                if (0x80..=0x9f).contains(&byte) {
                    // The same as an escape and the letter below.
                    self.begin();
                    self.escape(byte - 0x40, out);
                } else {
                    out.push(0xc2);
                    self.take(byte, clipboard, out);
                }
            }
            State::Escape => self.escape(byte, out),
            State::Csi | State::LongCsi => self.csi(byte, out),
            State::Number => self.number(byte, out),
            State::Whole => match byte {
                BEL => self.end_whole(&[BEL], clipboard, out),
                ESC => self.state = State::InString(Kind::Whole),
                0x18 | 0x1a => self.state = State::Ground,
                byte if self.held.len() < LONGEST_WHOLE => self.held.push(byte),
                _ => self.state = State::Dropped,
            },
            State::Through => match byte {
                ESC => self.state = State::InString(Kind::Through),
                byte => {
                    out.push(byte);
                    if matches!(byte, BEL | 0x18 | 0x1a) {
                        self.state = State::Ground;
                    }
                }
            },
            State::Dropped => match byte {
                ESC => self.state = State::InString(Kind::Dropped),
                BEL | 0x18 | 0x1a => self.state = State::Ground,
                _ => {}
            },
            State::InString(kind) => {
                if byte == b'\\' {
                    self.state = State::Ground;
                    match kind {
                        Kind::Whole => self.end_whole(b"\x1b\\", clipboard, out),
                        Kind::Through => out.extend_from_slice(b"\x1b\\"),
                        Kind::Number | Kind::Dropped => {}
                    }
                } else {
                    if kind == Kind::Through {
                        // The string was cut off; it ends here for the reader too.
                        out.extend_from_slice(b"\x1b\\");
                    }
                    self.begin();
                    self.take(byte, clipboard, out);
                }
            }
        }
    }

    fn begin(&mut self) {
        self.state = State::Escape;
        self.held.clear();
        self.held.push(ESC);
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'[' => {
                self.held.push(byte);
                self.state = State::Csi;
            }
            b']' => {
                self.held.push(byte);
                self.state = State::Number;
            }
            // Device control strings, and what no terminal shows.
            b'P' | b'_' | b'^' | b'X' => self.state = State::Dropped,
            // Asks who it is.
            b'Z' if self.held.len() == 1 => self.state = State::Ground,
            ESC => self.begin(),
            0x18 | 0x1a => self.state = State::Ground,
            0x20..=0x2f if self.held.len() < 8 => self.held.push(byte),
            // A reset of everything would take the history of the person's terminal with it: all but that.
            b'c' if self.held.len() == 1 => {
                out.extend_from_slice(tty::RESET.as_bytes());
                out.extend_from_slice(tty::CLEAR.as_bytes());
                self.state = State::Ground;
            }
            0x30..=0x7e => {
                out.append(&mut self.held);
                out.push(byte);
                self.state = State::Ground;
            }
            // A control within a sequence acts at once.
            0x00..=0x1f => out.push(byte),
            _ => self.state = State::Ground,
        }
    }

    fn csi(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            0x20..=0x3f if self.held.len() >= LONGEST_CSI => self.state = State::LongCsi,
            0x20..=0x3f => self.held.push(byte),
            0x40..=0x7e => {
                if self.state == State::Csi && is_shown(self.held.get(2..).unwrap_or_default(), byte) {
                    out.append(&mut self.held);
                    out.push(byte);
                }
                self.state = State::Ground;
            }
            ESC => self.begin(),
            0x18 | 0x1a => self.state = State::Ground,
            0x00..=0x1f => out.push(byte),
            _ => self.state = State::Ground,
        }
    }

    fn number(&mut self, byte: u8, out: &mut Vec<u8>) {
        let number = || {
            let digits = self.held.get(2..).unwrap_or_default();
            core::str::from_utf8(digits).ok()?.parse::<u16>().ok()
        };
        match byte {
            b'0'..=b'9' if self.held.len() < 8 => self.held.push(byte),
            b';' => {
                let number = number();
                self.held.push(byte);
                match number {
                    // Titles, the folder, links, progress, marks of a prompt, colours as they were.
                    Some(0..=2 | 7..=9 | 104 | 105 | 110..=119 | 133 | 633 | 777) => {
                        out.append(&mut self.held);
                        self.state = State::Through;
                    }
                    // Colours, and the clipboard: set, or asked for.
                    Some(4 | 5 | 10..=19 | 52) => self.state = State::Whole,
                    _ => self.state = State::Dropped,
                }
            }
            BEL => {
                if matches!(number(), Some(104 | 105 | 110..=119)) {
                    out.append(&mut self.held);
                    out.push(BEL);
                }
                self.state = State::Ground;
            }
            ESC if matches!(number(), Some(104 | 105 | 110..=119)) => {
                out.append(&mut self.held);
                self.state = State::InString(Kind::Through);
            }
            ESC => self.state = State::InString(Kind::Number),
            0x18 | 0x1a => self.state = State::Ground,
            _ => self.state = State::Dropped,
        }
    }

    fn end_whole(&mut self, end: &[u8], clipboard: bool, out: &mut Vec<u8>) {
        self.state = State::Ground;
        let is_clipboard = self.held.starts_with(b"\x1b]52;");
        let may = if is_clipboard {
            clipboard && !self.held.ends_with(b";?")
        } else {
            !self.held.contains(&b'?')
        };
        if may {
            self.recoloured |= !is_clipboard;
            out.append(&mut self.held);
            out.extend_from_slice(end);
        }
    }
}

/// Whether a control sequence, of these parameters and this last byte, only shows something.
fn is_shown(parameters: &[u8], last: u8) -> bool {
    let prefix = parameters.first().copied().filter(|byte| matches!(byte, b'<'..=b'?'));
    let between: Vec<u8> = parameters
        .iter()
        .copied()
        .filter(|byte| matches!(byte, 0x20..=0x2f))
        .collect();
    match (prefix, between.as_slice(), last) {
        // Who are you, how are you, where is the cursor; windows; printing.
        (_, [], b'c' | b'x' | b't' | b'i') => false,
        (None | Some(b'?'), [], b'n') => false,
        // Keyboard and graphics: what can you, what is set.
        (Some(b'?'), [], b'u' | b'm' | b'S') => false,
        (Some(b'>'), [], b'q') => false,
        (_, [], _) => true,
        (_, b" ", b'q' | b'@' | b'A') | (_, b"!", b'p') | (_, b"\"", b'q') => true,
        (None, b"$", b'r' | b't' | b'v' | b'x' | b'z' | b'{') => true,
        (None, b"#", b'p' | b'q' | b'P' | b'Q' | b'{' | b'}') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let (mut quiet, mut out) = (Quiet::default(), Vec::new());
        quiet.feed(text.as_bytes(), false, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_asks_is_taken_out_and_nothing_else() {
        for question in [
            "\x05",
            "\x1b[c",
            "\x1b[0c",
            "\x1b[>c",
            "\x1b[=c",
            "\x1b[5n",
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[?996n",
            "\x1b[4$p",
            "\x1b[?2026$p",
            "\x1b[>q",
            "\x1b[>0q",
            "\x1b[18t",
            "\x1b[14t",
            "\x1b[8;10;10t",
            "\x1b[?u",
            "\x1b[?4m",
            "\x1b[?1;1;0S",
            "\x1b[x",
            "\x1b[1;1;1;1;1;1*y",
            "\x1b[1$w",
            "\x1b['|",
            "\x1b[#|",
            "\x1b[5i",
            "\x1bZ",
            "\x1b]10;?\x07",
            "\x1b]11;?\x1b\\",
            "\x1b]4;1;?\x07",
            "\x1b]52;c;?\x07",
            "\x1b]52;c;aGk=\x07",
            "\x1b]1337;ReportCellSize\x07",
            "\x1bP$qm\x1b\\",
            "\x1bP+q544e\x1b\\",
            "\x1b_Gi=1,a=q;AAAA\x1b\\",
            "\x1b^x\x1b\\",
            "\u{9b}c",
            "\u{90}$qm\u{9c}\x1b\\",
            "\u{9d}11;?\x07",
            "\x1bP0;1|17/726d\x1b\\",
            "\x1b]l\x1b\\",
        ] {
            assert_eq!(shown(&format!("a{question}b")), "ab", "{question:?}");
        }
        for sight in [
            "\x1b[31m",
            "\x1b[38;2;1;2;3m",
            "\x1b[2J",
            "\x1b[?1049h",
            "\x1b[?2004h",
            "\x1b[10;20H",
            "\x1b[2 q",
            "\x1b[!p",
            "\x1b7",
            "\x1b(0",
            "\x1b[>1u",
            "\x1b[<u",
            "\x1b[=1;1u",
            "\x1b[>4;2m",
            "\x1b[1\"q",
            "\x1b[1;1;2;2$z",
            "\x1b]0;title\x07",
            "\x1b]8;;https://x\x1b\\",
            "\x1b]11;#000000\x07",
            "\x1b]104\x07",
            "\x1b]112\x1b\\",
            "\x1b]9;4;1;50\x07",
            "é",
            "\u{a0}",
            "日本",
            "\x1b[s",
            "\x1b[>4n",
            "\x1b#8",
        ] {
            assert_eq!(shown(&format!("a{sight}b")), format!("a{sight}b"), "{sight:?}");
        }
    }

    #[test]
    fn a_reset_takes_nobodys_history() {
        let reset = shown("a\x1bcb");
        assert!(reset.starts_with('a') && reset.ends_with("\x1b[H\x1b[2Jb") && !reset.contains("\x1bc"));
    }

    #[test]
    fn only_whoever_drives_has_their_clipboard_set() {
        let set = "\x1b]52;c;aGVsbG8=\x07";
        let (mut quiet, mut out) = (Quiet::default(), Vec::new());
        quiet.feed(set.as_bytes(), true, &mut out);
        assert_eq!(out, set.as_bytes());
        quiet.feed(b"\x1b]52;c;?\x07", true, &mut out);
        assert_eq!(out, set.as_bytes(), "and nobody's is read");
        assert!(!quiet.recoloured());
        quiet.feed(b"\x1b]11;#123456\x07", true, &mut out);
        assert!(quiet.recoloured());
    }

    #[test]
    fn a_string_that_is_cut_off_swallows_nothing_that_follows() {
        assert_eq!(shown("\x1b]52;c;abc\x1b[31mred"), "\x1b[31mred");
        assert_eq!(shown("\x1b]0;ti\x1b[31mred"), "\x1b]0;ti\x1b\\\x1b[31mred");
        assert_eq!(shown("\x1bPabc\x18x"), "x");
        assert_eq!(shown("\x1b[1\x1b[2mx"), "\x1b[2mx");
        assert_eq!(shown("\x1b[1\r2mx"), "\r\x1b[12mx");
    }

    #[test]
    fn nothing_grows_without_bound() {
        let (mut quiet, mut out) = (Quiet::default(), Vec::new());
        quiet.feed(b"\x1b[", false, &mut out);
        quiet.feed(&vec![b'1'; 100_000], false, &mut out);
        assert!(quiet.held.len() <= LONGEST_CSI);
        quiet.feed(b"mx\x1b]52;c;", false, &mut out);
        quiet.feed(&vec![b'A'; 1_000_000], false, &mut out);
        assert!(quiet.held.len() <= LONGEST_WHOLE);
        quiet.feed(b"\x07y", false, &mut out);
        assert_eq!(out, b"xy");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_output_is_cut(bytes in proptest::collection::vec(prop_oneof![
            Just(0x1bu8), Just(b'['), Just(b']'), Just(b'\\'), Just(b';'), Just(b'?'), Just(b'1'), Just(b'0'), Just(b'c'), Just(b'm'), Just(7u8), Just(0xc2u8), Just(0x9bu8), any::<u8>()
        ], 0..120), cut in 0usize..120) {
            let cut = cut.min(bytes.len());
            let (mut whole, mut parts) = (Vec::new(), Vec::new());
            Quiet::default().feed(&bytes, false, &mut whole);
            let mut quiet = Quiet::default();
            quiet.feed(&bytes[..cut], false, &mut parts);
            quiet.feed(&bytes[cut..], false, &mut parts);
            prop_assert_eq!(whole, parts);
        }

        #[test]
        fn plain_text_is_shown_as_it_is(text in "[ -~\r\n\t\u{a0}-\u{2fff}]{0,200}") {
            prop_assert_eq!(shown(&text), text);
        }
    }
}
