//! A snapshot: the ANSI text that makes this screen on another terminal, so exactly that the bytes after it do there what
//! they would have done had it seen everything.
//!
//! The order matters: rows first (they need wrapping on and no margins), then what each of the two screens keeps, then
//! modes, then the cursor, then the pen, then half a sequence where output was cut inside one.

use super::buffer::{Buffer, Saved};
use super::cell::{EXTENDED, Pen};
use super::history::Line;
use super::ink::Ink;
use super::modes::{Modes, MouseEncoding};
use super::osc::SPECIAL;
use super::{Model, Screen};

impl Screen {
    /// The screen as ANSI, with the youngest `lines` of history that fit into `bytes`.
    ///
    /// What was fed and is the beginning of a character ([`Screen::incomplete`]) is not in it.
    pub fn snapshot(&self, lines: usize, bytes: usize) -> Vec<u8> {
        let mut out = self.model.snapshot(lines, bytes);
        out.extend_from_slice(self.parser.partial());
        out
    }
}

impl Model {
    fn snapshot(&self, lines: usize, bytes: usize) -> Vec<u8> {
        let mut ink = Ink::new(Vec::with_capacity(16 * 1024), &self.extras);
        // A terminal that was used before keeps these two through a reset.
        ink.print("\x1bc\x1b[20l\x1b[?12l");
        self.titles(&mut ink);
        self.colors(&mut ink);
        self.rows_of(&mut ink, self.history.tail(lines, bytes), &self.normal);
        keep(&mut ink, &self.normal);
        if self.in_alt {
            ink.print("\x1b[?47h\x1b[H");
            self.rows_of(&mut ink, std::iter::empty(), &self.alt);
            keep(&mut ink, &self.alt);
        }
        self.charsets(&mut ink);
        self.modes(&mut ink);
        self.cursor(&mut ink);
        ink.out
    }

    fn titles(&self, ink: &mut Ink<'_>) {
        for title in &self.titles {
            ink.print("\x1b]2;");
            ink.print(title);
            ink.print("\x1b\\\x1b[22;2t");
        }
        if !self.title.is_empty() || !self.titles.is_empty() {
            ink.print("\x1b]2;");
            ink.print(&self.title);
            ink.print("\x1b\\");
        }
    }

    fn colors(&self, ink: &mut Ink<'_>) {
        for (index, [r, g, b]) in &self.colors {
            match index.checked_sub(SPECIAL) {
                None => ink.print(&format!("\x1b]4;{index};rgb:{r:02x}/{g:02x}/{b:02x}\x1b\\")),
                Some(special) => ink.print(&format!("\x1b]{};rgb:{r:02x}/{g:02x}/{b:02x}\x1b\\", 10 + special)),
            }
        }
    }

    /// Writes lines of history and then every row of a screen, from the top left of a clear one.
    fn rows_of<'a>(&self, ink: &mut Ink<'_>, history: impl Iterator<Item = &'a Line>, buffer: &Buffer) {
        let mut scratch = Vec::new();
        let mut before: Option<Shape> = None;
        for line in history {
            self.join_line(ink, before.as_ref(), line);
            ink.out.extend_from_slice(&line.ansi);
            before = Some(Shape::of(line));
        }
        for row in &buffer.rows {
            let line = Self::line(row, &self.extras, &mut scratch);
            self.join_line(ink, before.as_ref(), &line);
            ink.out.extend_from_slice(&line.ansi);
            before = Some(Shape::of(&line));
        }
    }

    /// Goes to the beginning of the next row, in the way that `line` came to be there: wrapped or not.
    fn join_line(&self, ink: &mut Ink<'_>, before: Option<&Shape>, line: &Line) {
        let Some(before) = before else { return };
        let here = before.cols == self.size.cols && line.cols == self.size.cols;
        if !line.wrapped {
            ink.print("\r\n");
        } else if before.flows_into(line) {
            // The reader wraps by itself.
        } else if before.len == before.cols && here {
            // The line begins with blanks: wrap with something that is taken away again.
            ink.print(" \r\x1b[X");
        } else if here && self.size.rows > 1 {
            // Blanks at the end and the beginning: fill both, wrap, and take both away again.
            ink.csi(format_args!("{}G", self.size.cols));
            ink.print("  \x1b[A");
            ink.csi(format_args!("{}G", self.size.cols));
            ink.switch(Pen {
                bg: before.tail_bg,
                ..Pen::default()
            });
            ink.print("\x1b[X");
            ink.switch(Pen::default());
            ink.print("\x1b[B\r\x1b[X");
        } else {
            ink.print("\r\n");
        }
    }

    fn charsets(&self, ink: &mut Ink<'_>) {
        for (set, g) in self.charsets.g.iter().zip(["\x1b(", "\x1b)", "\x1b*", "\x1b+"]) {
            if let Some(set) = set {
                ink.print(g);
                ink.out.push(*set);
            }
        }
        ink.print(["", "\x0e", "\x1bn", "\x1bo"][usize::from(self.charsets.level)]);
    }

    fn modes(&self, ink: &mut Ink<'_>) {
        // Named one by one: a mode that is added must be thought of here.
        let Modes {
            insert,
            newline,
            app_cursor,
            app_keypad,
            origin,
            wrap,
            reverse_wrap,
            focus,
            bracketed_paste,
            synchronized,
            hidden_cursor,
            blink,
            cursor_style,
            mouse,
            mouse_encoding,
            modify_other_keys,
            color_scheme,
        } = self.modes;
        let mut set = |mode: u16, on: bool| {
            if on {
                ink.csi(format_args!("?{mode}h"));
            }
        };
        set(1, app_cursor);
        set(66, app_keypad);
        set(6, origin);
        set(45, reverse_wrap);
        set(1004, focus);
        set(2004, bracketed_paste);
        set(12, blink);
        set(2031, color_scheme);
        set(1006, mouse_encoding == MouseEncoding::Sgr);
        set(1016, mouse_encoding == MouseEncoding::SgrPixels);
        if let Some(mode) = mouse.mode() {
            set(mode, true);
        }
        set(2026, synchronized);
        if !wrap {
            ink.print("\x1b[?7l");
        }
        if hidden_cursor {
            ink.print("\x1b[?25l");
        }
        if insert {
            ink.print("\x1b[4h");
        }
        if newline {
            ink.print("\x1b[20h");
        }
        if cursor_style != 0 {
            ink.csi(format_args!("{cursor_style} q"));
        }
        if modify_other_keys != 0 {
            ink.csi(format_args!(">4;{modify_other_keys}m"));
        }
        for flags in &self.keyboard[usize::from(self.in_alt)] {
            ink.csi(format_args!(">{flags}u"));
        }
    }

    /// Puts the cursor where it is, with the pen, with a wrap that is pending, with a character that a mark may join.
    fn cursor(&self, ink: &mut Ink<'_>) {
        let buffer = self.active();
        let cols = self.cols();
        let pen = self.pen.inked();
        let y = 1 + if self.modes.origin {
            buffer.y.saturating_sub(buffer.top)
        } else {
            buffer.y
        };
        let row = &buffer.rows[buffer.y].cells;
        let pending = buffer.x >= cols;
        // Printing the last character again is what brings back both.
        let joins = self.join > 0;
        let width = match self.join {
            0 if row[cols - 1].width() == 0 && !row[cols - 1].has_content() => 2,
            0 => 1,
            join => join,
        };
        let last = buffer.x.min(cols).checked_sub(usize::from(width)).filter(|at| {
            let cell = row[*at];
            cell.has_content() && (cell.width() == width || cell.width() == 0) && (!joins || cell.pen == pen)
        });
        match last {
            Some(at) if joins || pending => {
                ink.csi(format_args!("{y};{}H", at + 1));
                if self.modes.insert {
                    ink.csi(format_args!("{width}P"));
                }
                ink.switch(row[at].pen);
                // With line drawing on, the letter that draws it must be sent: take the set away meanwhile.
                match self.charsets.current {
                    Some(set) if !joins => {
                        ink.print("\x0f\x1b(B");
                        ink.text(row[at]);
                        ink.print(if self.charsets.g[0].is_some() { "\x1b(" } else { "" });
                        ink.out.extend(self.charsets.g[0]);
                        ink.print(["", "\x0e", "\x1bn", "\x1bo"][usize::from(self.charsets.level)]);
                        debug_assert_ne!(set, b'B', "ASCII is no set");
                    }
                    _ => ink.text(row[at]),
                }
            }
            _ if pending && row.iter().all(|cell| !cell.has_content()) => {
                // The row was erased while the wrap was pending.
                ink.csi(format_args!("{y};{cols}H"));
                ink.switch(row[cols - 1].pen.erased());
                ink.print(" \x1b[1K");
            }
            _ => ink.csi(format_args!("{y};{}H", buffer.x.min(cols - 1) + 1)),
        }
        ink.switch(pen);
        if !joins {
            // Does nothing, but no mark joins what was printed again.
            ink.print("\x1b\\");
        }
    }
}

/// What must be known of a line to go on after it.
struct Shape {
    len: u16,
    cols: u16,
    tail_bg: u32,
}

impl Shape {
    fn of(line: &Line) -> Self {
        Self {
            len: line.len,
            cols: line.cols,
            tail_bg: line.tail_bg,
        }
    }

    /// Whether `next`, written without a line feed, wraps to the next row by itself.
    fn flows_into(&self, next: &Line) -> bool {
        let early = next.head == 2 && self.len + 1 == self.cols && self.tail_bg == next.head_bg;
        next.head > 0 && (self.len == self.cols || early)
    }
}

/// What one of the two screens keeps beside its rows: the saved cursor, tab stops, margins.
fn keep(ink: &mut Ink<'_>, buffer: &Buffer) {
    let cols = buffer.cols();
    // What has scrolled out is restored to the first row.
    let saved = Saved {
        y: buffer.saved.y.max(0),
        ..buffer.saved
    };
    if saved != Saved::default() {
        ink.csi(format_args!("{};{}H", saved.y + 1, saved.x.min(cols - 1) + 1));
        ink.switch(Pen {
            fg: saved.fg,
            bg: saved.bg & !EXTENDED,
            extra: 0,
        });
        if let Some(set) = saved.charset {
            ink.print("\x1b(");
            ink.out.push(set);
        }
        ink.print("\x1b7");
        if saved.charset.is_some() {
            ink.print("\x1b(B");
        }
        ink.switch(Pen::default());
    }
    if buffer
        .tabs
        .iter()
        .enumerate()
        .any(|(col, stop)| *stop != (col % 8 == 0))
    {
        ink.print("\x1b[3g");
        for (col, _) in buffer.tabs.iter().enumerate().filter(|(_, stop)| **stop) {
            ink.csi(format_args!("{}G\x1bH", col + 1));
        }
    }
    if (buffer.top, buffer.bottom) != (0, buffer.rows.len() - 1) {
        ink.csi(format_args!("{};{}r", buffer.top + 1, buffer.bottom + 1));
    }
}
