//! Writes cells as the ANSI text that makes them: what history is kept as, and what a snapshot is made of.

use super::cell::{
    BLINK, BOLD, COLOR, COLOR_MODE, Cell, DIM, EXTENDED, INVERSE, INVISIBLE, ITALIC, OVERLINE, P16, P256, PROTECTED,
    Pen, RGB, Row, STRIKE, UNDERLINE,
};
use super::extra::{Extra, Extras};
use std::io::Write as _;

/// Writes ANSI, knowing which pen the reader holds.
pub(crate) struct Ink<'a> {
    pub(crate) out: Vec<u8>,
    extras: &'a Extras,
    pen: Pen,
}

impl<'a> Ink<'a> {
    /// Begins with the default pen in the reader's hand.
    pub(crate) fn new(out: Vec<u8>, extras: &'a Extras) -> Self {
        Self {
            out,
            extras,
            pen: Pen::default(),
        }
    }

    pub(crate) fn print(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// `CSI`, then what is written.
    pub(crate) fn csi(&mut self, rest: std::fmt::Arguments<'_>) {
        self.out.extend_from_slice(b"\x1b[");
        // Writing to a vector cannot fail.
        let _ = self.out.write_fmt(rest);
    }

    /// Writes a row's cells from the left. `ambiguous`: the reader's blank cells may have a background that is not theirs.
    pub(crate) fn row(&mut self, row: &Row, ambiguous: bool) {
        let mut at = 0;
        let mut gap = 0;
        // A wrapped line ends in blank cells when a wide character did not fit: the reader's own wrap makes them anew.
        while at < row.cells.len() {
            let cell = row.cells[at];
            if cell.has_content() {
                if gap > 0 {
                    self.csi(format_args!("{gap}C"));
                    gap = 0;
                }
                self.cell(cell);
                at += usize::from(cell.width().max(1));
                continue;
            }
            let erased = cell.pen.erased();
            let run = row.cells[at..]
                .iter()
                .take_while(|next| !next.has_content() && next.pen.erased() == erased)
                .count();
            if erased != Pen::default() || ambiguous {
                if gap > 0 {
                    self.csi(format_args!("{gap}C"));
                    gap = 0;
                }
                self.switch(erased);
                if at + run == row.cells.len() && at > 0 {
                    self.print("\x1b[K");
                } else {
                    self.csi(format_args!("{run}X"));
                }
            }
            gap += run;
            at += run;
        }
    }

    /// Writes what one cell shows, with its pen.
    pub(crate) fn cell(&mut self, cell: Cell) {
        self.switch(cell.pen);
        self.text(cell);
    }

    /// Writes what one cell shows, with the pen at hand.
    pub(crate) fn text(&mut self, cell: Cell) {
        if cell.width() == 0 {
            // A mark with nothing before it: a string terminator, which does nothing, keeps it from joining.
            self.print("\x1b\\");
        }
        if let Some(index) = cell.text() {
            if let Some(text) = self.extras.texts.get(index) {
                self.out.extend_from_slice(text.as_bytes());
            }
        } else if let Some(character) = cell.character() {
            if character.is_ascii() {
                self.out.push(character as u8);
            } else {
                self.out
                    .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }

    /// Gives the reader this pen.
    pub(crate) fn switch(&mut self, pen: Pen) {
        if self.pen != pen {
            self.change(pen);
        }
    }

    #[cold]
    fn change(&mut self, to: Pen) {
        let from = std::mem::replace(&mut self.pen, to);
        let none = Extra::default();
        let old = self.extras.extras.get(from.extra).unwrap_or(&none);
        let new = self.extras.extras.get(to.extra).unwrap_or(&none);
        if old.link != new.link {
            self.print("\x1b]8;");
            if let Some(link) = &new.link {
                if let Ok(id) = &link.id {
                    self.print("id=");
                    self.print(id);
                }
                self.print(";");
                self.print(&link.uri);
            } else {
                self.print(";");
            }
            self.print("\x1b\\");
        }
        let style = |pen: Pen| (pen.fg, pen.bg & !(PROTECTED | EXTENDED));
        let underline = |extra: &Extra| (extra.underline, extra.underline_color);
        let mut protected = from.bg & PROTECTED != 0;
        if style(from) != style(to) || underline(old) != underline(new) {
            // SGR 0 also ends protection.
            protected &= !self.sgr(from, to, underline(old), underline(new));
        }
        if protected != (to.bg & PROTECTED != 0) {
            self.csi(format_args!("{}\"q", u8::from(!protected)));
        }
    }

    /// Writes one SGR that makes `to` of `from`; says whether it began from nothing.
    fn sgr(&mut self, from: Pen, to: Pen, old: (u8, u32), new: (u8, u32)) -> bool {
        let style = |pen: Pen| (pen.fg, pen.bg & !(PROTECTED | EXTENDED));
        // Only ever adding is shortest; anything to take away begins from nothing.
        let flags = |pen: Pen| (pen.fg & !COLOR, pen.bg & (ITALIC | DIM | OVERLINE));
        let (from_fg, from_bg) = flags(from);
        let (to_fg, to_bg) = flags(to);
        let lost = from_fg & !to_fg != 0 || from_bg & !to_bg != 0 || old != new || style(to) == (0, 0);
        self.out.extend_from_slice(b"\x1b[");
        let mut base = from;
        if lost {
            base = Pen::default();
            self.out.extend_from_slice(b"0;");
        }
        let (base_fg, base_bg) = flags(base);
        let add_fg = to_fg & !base_fg;
        let add_bg = to_bg & !base_bg;
        for (flag, code) in [
            (BOLD, "1;"),
            (BLINK, "5;"),
            (INVERSE, "7;"),
            (INVISIBLE, "8;"),
            (STRIKE, "9;"),
        ] {
            if add_fg & flag != 0 {
                self.print(code);
            }
        }
        for (flag, code) in [(DIM, "2;"), (ITALIC, "3;"), (OVERLINE, "53;")] {
            if add_bg & flag != 0 {
                self.print(code);
            }
        }
        if add_fg & UNDERLINE != 0 {
            if new.0 > 1 {
                let _ = write!(self.out, "4:{};", new.0);
            } else {
                self.print("4;");
            }
        }
        if lost && new.1 & COLOR_MODE != 0 {
            self.color(new.1, 58);
        }
        if (base.fg ^ to.fg) & COLOR != 0 {
            self.color(to.fg, 38);
        }
        if (base.bg ^ to.bg) & COLOR != 0 {
            self.color(to.bg, 48);
        }
        if self.out.last() == Some(&b';') {
            self.out.pop();
        }
        self.out.push(b'm');
        lost
    }

    /// SGR parameters of a colour; `kind` is 38, 48 or 58.
    fn color(&mut self, color: u32, kind: u32) {
        let value = color & 0xff_ffff;
        let _ = match color & COLOR_MODE {
            P16 if value < 8 => write!(self.out, "{};", kind - 8 + value),
            P16 => write!(self.out, "{};", kind + 52 + (value & 7)),
            P256 => write!(self.out, "{kind};5;{};", value & 0xff),
            RGB => write!(
                self.out,
                "{kind};2;{};{};{};",
                value >> 16,
                (value >> 8) & 0xff,
                value & 0xff
            ),
            _ => write!(self.out, "{};", kind + 1),
        };
    }
}
