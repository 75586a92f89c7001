//! Moving, erasing, inserting and deleting.

use super::Model;
use super::cell::{Cell, Pen};
use super::extra::Extras;

impl Model {
    /// Keeps the cursor on the screen (or in the region in origin mode), and no further right than `most`.
    pub(super) fn restrict_to(&mut self, most: usize) {
        let origin = self.modes.origin;
        let last = self.rows() - 1;
        let buffer = self.buffer();
        buffer.x = buffer.x.min(most);
        buffer.y = if origin {
            buffer.y.clamp(buffer.top, buffer.bottom)
        } else {
            buffer.y.min(last)
        };
    }

    pub(super) fn restrict(&mut self) {
        let last = self.cols() - 1;
        self.restrict_to(last);
    }

    pub(super) fn go(&mut self, x: usize, y: usize) {
        let origin = self.modes.origin;
        let buffer = self.buffer();
        buffer.x = x;
        buffer.y = if origin { buffer.top + y } else { y };
        self.restrict();
    }

    /// Moves relative to where the cursor is; in origin mode the row counts from the region's top, as in xterm.js.
    pub(super) fn step_by(&mut self, dx: i64, dy: i64) {
        self.restrict();
        let buffer = self.active();
        let x = (buffer.x as i64 + dx).max(0) as usize;
        let y = (buffer.y as i64 + dy).max(0) as usize;
        self.go(x, y);
    }

    pub(super) fn up(&mut self, n: usize) {
        let buffer = self.active();
        let n = if buffer.y >= buffer.top {
            n.min(buffer.y - buffer.top)
        } else {
            n
        };
        self.step_by(0, -(n as i64));
    }

    pub(super) fn down(&mut self, n: usize) {
        let buffer = self.active();
        let n = if buffer.y <= buffer.bottom {
            n.min(buffer.bottom - buffer.y)
        } else {
            n
        };
        self.step_by(0, n as i64);
    }

    pub(super) fn line_feed(&mut self) {
        let rows = self.rows();
        let cols = self.cols();
        let newline = self.modes.newline;
        let buffer = self.buffer();
        if newline {
            buffer.x = 0;
        }
        buffer.y += 1;
        if buffer.y == buffer.bottom + 1 {
            buffer.y -= 1;
            self.scroll(false);
        } else if buffer.y >= rows {
            buffer.y = rows - 1;
        } else {
            buffer.row().wrapped = false;
        }
        let buffer = self.buffer();
        if buffer.x >= cols {
            buffer.x -= 1;
        }
    }

    pub(super) fn index(&mut self) {
        self.restrict();
        let rows = self.rows();
        let buffer = self.buffer();
        buffer.y += 1;
        if buffer.y == buffer.bottom + 1 {
            buffer.y -= 1;
            self.scroll(false);
        } else {
            buffer.y = buffer.y.min(rows - 1);
        }
        self.restrict();
    }

    pub(super) fn reverse_index(&mut self) {
        self.restrict();
        let pen = self.pen.erased();
        let buffer = self.buffer();
        if buffer.y == buffer.top {
            let y = buffer.y;
            buffer.move_down(y, 1, pen);
        } else {
            buffer.y = buffer.y.saturating_sub(1);
            self.restrict();
        }
    }

    pub(super) fn backspace(&mut self) {
        let cols = self.cols();
        if !self.modes.reverse_wrap {
            self.restrict();
            let buffer = self.buffer();
            buffer.x = buffer.x.saturating_sub(1);
            return;
        }
        self.restrict_to(cols);
        let buffer = self.buffer();
        if buffer.x > 0 {
            buffer.x -= 1;
        } else if buffer.y > buffer.top && buffer.y <= buffer.bottom && buffer.row().wrapped {
            buffer.row().wrapped = false;
            buffer.y -= 1;
            buffer.x = cols - 1;
            let cell = buffer.row().cells[cols - 1];
            if cell.width() != 0 && !cell.has_content() {
                buffer.x -= 1;
            }
        }
        self.restrict();
    }

    pub(super) fn erase_in_display(&mut self, what: i32, protect: bool) {
        let cols = self.cols();
        let rows = self.rows();
        self.restrict_to(cols);
        let pen = self.pen.erased();
        if what == 3 {
            if !self.in_alt {
                self.history.clear();
            }
            return;
        }
        let buffer = self.buffer();
        let (x, y) = (buffer.x, buffer.y);
        let whole = match what {
            0 => {
                buffer.rows[y].erase(x, cols, pen, protect);
                if x == 0 {
                    buffer.rows[y].wrapped = false;
                }
                y + 1..rows
            }
            1 => {
                buffer.rows[y].erase(0, x + 1, pen, protect);
                buffer.rows[y].wrapped = false;
                if x + 1 >= cols
                    && let Some(next) = buffer.rows.get_mut(y + 1)
                {
                    next.wrapped = false;
                }
                0..y
            }
            2 => 0..rows,
            _ => return,
        };
        for row in &mut buffer.rows[whole] {
            row.erase(0, cols, pen, protect);
            row.wrapped = false;
        }
    }

    pub(super) fn erase_in_line(&mut self, what: i32, protect: bool) {
        let cols = self.cols();
        self.restrict_to(cols);
        let pen = self.pen.erased();
        let buffer = self.buffer();
        let x = buffer.x;
        let row = buffer.row();
        let (from, to, unwrap) = match what {
            0 => (x, cols, x == 0),
            1 => (0, x + 1, false),
            2 => (0, cols, true),
            _ => return,
        };
        row.erase(from, to, pen, protect);
        row.wrapped &= !unwrap;
    }

    pub(super) fn insert_lines(&mut self, n: usize) {
        self.restrict();
        let pen = self.pen.erased();
        let buffer = self.buffer();
        if (buffer.top..=buffer.bottom).contains(&buffer.y) {
            let y = buffer.y;
            buffer.move_down(y, n, pen);
            buffer.x = 0;
        }
    }

    pub(super) fn delete_lines(&mut self, n: usize) {
        self.restrict();
        let pen = self.pen.erased();
        let buffer = self.buffer();
        if (buffer.top..=buffer.bottom).contains(&buffer.y) {
            let y = buffer.y;
            buffer.move_up(y, n, pen);
            buffer.x = 0;
        }
    }

    /// Edits every row of the region (columns and sideways scrolling); all of them then stand alone.
    pub(super) fn each_row(&mut self, edit: impl Fn(&mut super::cell::Row, usize, Pen)) {
        let pen = self.pen.erased();
        let buffer = self.buffer();
        let x = buffer.x;
        if (buffer.top..=buffer.bottom).contains(&buffer.y) {
            for row in &mut buffer.rows[buffer.top..=buffer.bottom] {
                edit(row, x, pen);
                row.wrapped = false;
            }
        }
    }

    /// Fills the screen with E (DECALN).
    pub(super) fn alignment(&mut self) {
        let pen = Pen {
            extra: 0,
            ..self.pen.inked()
        };
        self.go(0, 0);
        let buffer = self.buffer();
        let first = buffer.y;
        for row in &mut buffer.rows[first..] {
            row.cells.fill(Cell::ascii(b'E', pen));
            row.wrapped = false;
        }
        self.go(0, 0);
    }

    pub(super) fn save_cursor(&mut self) {
        let (fg, bg, charset) = (self.pen.fg, self.pen.bg, self.charsets.current);
        let buffer = self.buffer();
        buffer.saved = super::buffer::Saved {
            x: buffer.x,
            y: buffer.y as i64,
            fg,
            bg,
            charset,
        };
    }

    pub(super) fn restore_cursor(&mut self) {
        let buffer = self.buffer();
        let saved = buffer.saved;
        buffer.x = saved.x;
        buffer.y = saved.y.max(0) as usize;
        self.pen.fg = saved.fg;
        self.pen.bg = saved.bg;
        self.charsets.current = saved.charset;
        self.restrict();
    }

    pub(super) fn enter_alt(&mut self) {
        if !self.in_alt {
            let pen = self.pen.erased();
            let (x, y) = (self.normal.x, self.normal.y);
            self.alt.reset(pen);
            self.alt.x = x;
            self.alt.y = y;
            self.in_alt = true;
        }
    }

    pub(super) fn leave_alt(&mut self) {
        if self.in_alt {
            self.normal.x = self.alt.x;
            self.normal.y = self.alt.y;
            self.in_alt = false;
        }
    }

    /// DECSTR.
    pub(super) fn soft_reset(&mut self) {
        self.modes.soft_reset();
        self.pen = Pen::default();
        self.charsets = super::Charsets::default();
        let last = self.rows() - 1;
        let buffer = self.buffer();
        buffer.top = 0;
        buffer.bottom = last;
        buffer.saved = super::buffer::Saved::default();
    }

    /// RIS.
    pub(super) fn full_reset(&mut self) {
        let (cols, rows) = (self.cols(), self.rows());
        self.modes.full_reset();
        self.pen = Pen::default();
        self.charsets = super::Charsets::default();
        self.normal = super::Buffer::new(cols, rows);
        self.alt = super::Buffer::new(cols, rows);
        self.in_alt = false;
        self.history.clear();
        self.extras = Extras::new();
        self.keyboard = [Vec::new(), Vec::new()];
    }
}
