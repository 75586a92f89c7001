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
