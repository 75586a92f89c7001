//! Output that the model has not looked at yet, because nobody may ever have to.
//!
//! A flood of plain text (a build, `cat`) scrolls through screen and history faster than anybody could ask for it. As long
//! as output is plain, it is only scanned: characters, line ends, tabs, SGR, erasing to the right. When far more lines wait
//! than screen and history hold, the oldest are dropped, and only the pen that they left is kept: the result is the same
//! as if they had been drawn, which a property test holds us to. Anything else (a query, a cursor movement, a title) makes
//! everything that waits be drawn at once, in order.

use crate::screen::{PlainPen, Screen};

/// The most bytes that wait to be drawn.
const MOST_PENDING: usize = 2 * 1024 * 1024;
/// The distance of the places where the oldest may be cut off.
const MARK_EVERY: usize = 32 * 1024;

/// Output before the model.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    /// Where the scan stands; what is before is plain.
    scan: Scan,
    marks: Vec<Mark>,
    lines: usize,
    /// Bytes that were never drawn.
    pub(crate) dropped: u64,
}

/// A place right after a new line, where drawing could begin.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: usize,
    lines: usize,
    pen: PlainPen,
}

#[derive(Debug, Default)]
struct Scan {
    /// Scanned up to here.
    at: usize,
    /// The pen there; `None` when nothing waits.
    pen: Option<PlainPen>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes output: draws it now, or lets it wait where it is plain.
    pub(crate) fn push(&mut self, screen: &mut Screen, bytes: &[u8]) {
        if self.bytes.is_empty() && !screen.is_plain() {
            screen.feed(bytes);
            return;
        }
        self.bytes.extend_from_slice(bytes);
        if !self.scan(screen) {
            self.flush(screen);
            return;
        }
        self.drop_old(screen);
        if self.bytes.len() > MOST_PENDING || screen.is_crowded() {
            self.flush(screen);
        }
    }

    /// Draws everything that waits.
    pub(crate) fn flush(&mut self, screen: &mut Screen) {
        if !self.bytes.is_empty() {
            screen.feed(&self.bytes);
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MARK_EVERY);
        self.marks.clear();
        self.lines = 0;
        self.scan = Scan::default();
    }

    /// Looks at what is new; false when it is not plain. An escape sequence that is not complete yet stays to be scanned.
    fn scan(&mut self, screen: &mut Screen) -> bool {
        let mut pen = self.scan.pen.unwrap_or_else(|| screen.pen());
        let mut at = self.scan.at;
        let bytes = &self.bytes;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\n' => {
                    self.lines += 1;
                    at += 1;
                    let from = self.marks.last().map_or(0, |mark| mark.at);
                    if at - from >= MARK_EVERY && at >= 2 && bytes[at - 2] == b'\r' {
                        self.marks.push(Mark {
                            at,
                            lines: self.lines,
                            pen,
                        });
                    }
                }
                0x20..=0x7e | b'\r' | b'\t' => at += 1,
                // Controls as two bytes of UTF-8 are not plain; the second byte may not be there yet.
                0xc2 => match bytes.get(at + 1) {
                    None => break,
                    Some(0x80..=0x9f) => return false,
                    Some(_) => at += 1,
                },
                0x80.. => at += 1,
                0x1b => match bytes.get(at + 1..) {
                    None | Some([]) => break,
                    Some([b'[', rest @ ..]) => {
                        let len = rest
                            .iter()
                            .position(|byte| !matches!(byte, b'0'..=b';'))
                            .unwrap_or(rest.len());
                        if len > 64 {
                            return false;
                        }
                        match rest.get(len) {
                            None => break,
                            Some(b'm') => screen.track(&mut pen, &rest[..len]),
                            Some(b'K') => {}
                            Some(_) => return false,
                        }
                        at += 3 + len;
                    }
                    Some(_) => return false,
                },
                _ => return false,
            }
        }
        self.scan = Scan { at, pen: Some(pen) };
        true
    }

    /// Drops what has scrolled out of screen and history already.
    fn drop_old(&mut self, screen: &mut Screen) {
        let memory = screen.memory();
        let Some(index) = self.marks.iter().rposition(|mark| self.lines - mark.lines > memory) else {
            return;
        };
        let mark = self.marks[index];
        screen.skip_to_new_line(mark.pen);
        self.bytes.drain(..mark.at);
        self.dropped += mark.at as u64;
        self.lines -= mark.lines;
        self.scan.at -= mark.at;
        self.marks.drain(..=index);
        for later in &mut self.marks {
            later.at -= mark.at;
            later.lines -= mark.lines;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::MOST_HISTORY_BYTES;
    use domain::wire::Size;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => "[ -~]{0,90}",
            4 => "(\\x1b\\[[0-9;:]{0,12}m[a-zä世👍\t]{0,20}){1,5}",
            2 => "[a-z]{1,20}\\x1b\\[K",
            2 => "\r[0-9]{1,3}%",
        ]
    }

    /// Mostly floods of plain lines, now and then something that is not plain.
    fn flood() -> impl Strategy<Value = Vec<u8>> {
        let lines = (
            vec(line(), 1..12),
            1usize..600,
            prop::sample::select(vec!["\r\n", "\r\n", "\r\n", "\n"]),
        )
            .prop_map(|(lines, times, end)| (lines.join(end) + end).repeat(times));
        let odd = prop::sample::select(vec![
            "\x1b[?1049h",
            "\x1b[?1049l",
            "\x1b[5;10r",
            "\x1b[r",
            "\x1b[2J",
            "\x1b[3J",
            "\x1b7",
            "\x1b8",
            "\x1b[?6h",
            "\x1b[?6l",
            "\x1b[4h",
            "\x1b[4l",
            "\x1b(0",
            "\x1b(B",
            "\x0e",
            "\x0f",
            "\u{9b}31m",
            "\x1b[H",
            "\x1b[10A",
            "\x1b[?7l",
            "\x1b[?7h",
            "\x1b[20h",
            "\x1b[20l",
            "\x1b[1\"q",
            "\x1b[0\"q",
            "\x1bc",
            "\x08",
            "\x1b[6n",
            "\x1b[",
            "\x1b",
            "\x1b]2;t\x07",
            "\x1b[3g",
        ])
        .prop_map(String::from);
        let part = prop_oneof![5 => lines, 2 => odd, 1 => line()];
        vec(part, 1..8).prop_map(|parts| parts.concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn waiting_and_dropping_shows_what_drawing_everything_shows(
            flood in flood(), cols in 2u16..100, rows in 1u16..30, history in 0u32..80, chunk in 1usize..60_000,
        ) {
            let size = Size { cols, rows };
            let mut eager = Screen::new(size, history);
            let mut lazy = Screen::new(size, history);
            let mut pending = Pending::default();
            for part in flood.chunks(chunk) {
                eager.feed(part);
                pending.push(&mut lazy, part);
                prop_assert_eq!(eager.title(), lazy.title());
            }
            pending.flush(&mut lazy);
            prop_assert_eq!(eager.incomplete(), lazy.incomplete());
            prop_assert_eq!(eager.take_replies(), lazy.take_replies());
            let shown = |screen: &Screen| String::from_utf8_lossy(&screen.snapshot(1000, MOST_HISTORY_BYTES)).into_owned();
            prop_assert_eq!(shown(&eager), shown(&lazy));
        }
    }

    #[test]
    fn a_flood_is_mostly_dropped() {
        let mut screen = Screen::new(Size::default(), 1000);
        let mut pending = Pending::default();
        for i in 0..100_000 {
            pending.push(
                &mut screen,
                format!("\x1b[3{}mline {i}\x1b[0m of a build\r\n", i % 8).as_bytes(),
            );
        }
        assert!(
            pending.dropped > 2_500_000,
            "{} bytes were never drawn",
            pending.dropped
        );
        pending.flush(&mut screen);
        let shown = String::from_utf8(screen.snapshot(10, 10_000)).expect("text");
        assert!(shown.contains("line 99999"), "{shown}");
    }
}
