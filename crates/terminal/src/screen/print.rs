//! Printing: characters into cells, wrapping, scrolling, joining.

use super::Model;
use super::cell::{Cell, Pen};
use super::history::Line;
use super::ink::Ink;
use super::width::width;

impl Model {
    /// Prints ASCII at the cursor.
    pub(super) fn print_run(&mut self, text: &[u8]) {
        if self.charsets.current.is_some() || self.modes.insert {
            for byte in text {
                self.print_char(char::from(*byte));
            }
            return;
        }
        let cols = self.cols();
        let pen = self.pen.inked();
        let wrap = self.modes.wrap;
        self.unwiden_left(pen);
        let mut rest = text;
        while !rest.is_empty() {
            if self.active().x >= cols {
                if wrap {
                    self.wrap_line(pen);
                } else {
                    // The last cell is written again and again: only the last character stays.
                    rest = &rest[rest.len() - 1..];
                    self.buffer().x = cols - 1;
                }
            }
            let buffer = self.buffer();
            let x = buffer.x;
            let n = rest.len().min(cols - x);
            let (now, later) = rest.split_at(n);
            for (cell, byte) in buffer.row().cells[x..x + n].iter_mut().zip(now) {
                *cell = Cell::ascii(*byte, pen);
            }
            buffer.x = x + n;
            rest = later;
        }
        self.join = 1;
        self.unwiden_right(pen);
    }

    /// Prints any character at the cursor.
    pub(super) fn print_char(&mut self, character: char) {
        let character = match self.charsets.current {
            Some(set) if character.is_ascii() => translate(set, character),
            _ => character,
        };
        let cols = self.cols();
        let pen = self.pen.inked();
        self.unwiden_left(pen);
        let mut cells = width(character);
        let joins = cells == 0 && self.join != 0;
        if joins {
            cells = self.join;
        }
        self.join = cells;
        if joins && self.active().x > 0 {
            self.join_left(character, cells);
            self.unwiden_right(pen);
            return;
        }
        if self.active().x + usize::from(cells) > cols {
            if self.modes.wrap {
                self.wrap_line(pen);
            } else {
                self.buffer().x = cols - 1;
                if cells == 2 {
                    return;
                }
            }
        }
        let insert = self.modes.insert;
        let buffer = self.buffer();
        let x = buffer.x;
        let row = buffer.row();
        if insert {
            row.insert(x, usize::from(cells), pen);
            if row.cells[cols - 1].width() == 2 {
                row.cells[cols - 1] = Cell::blank(pen);
            }
        }
        if let Some(cell) = row.cells.get_mut(x) {
            *cell = Cell::new(character, cells, pen);
        }
        if cells == 2
            && let Some(cell) = row.cells.get_mut(x + 1)
        {
            *cell = Cell::spacer(pen);
        }
        buffer.x = x + usize::from(cells.max(1));
        self.unwiden_right(pen);
    }

    /// Prints the character before the cursor again, `n` times.
    pub(super) fn repeat(&mut self, n: usize) {
        let join = usize::from(self.join);
        let buffer = self.active();
        let Some(cell) = buffer
            .x
            .checked_sub(join)
            .and_then(|x| buffer.rows[buffer.y].cells.get(x))
            .copied()
        else {
            return;
        };
        if join == 0 {
            return;
        }
        let text = match cell.text() {
            Some(index) => self
                .extras
                .texts
                .get(index)
                .map(|text| text.to_string())
                .unwrap_or_default(),
            None => cell.character().map(String::from).unwrap_or_default(),
        };
        // More than a screen full only scrolls: one bound for a number that may be two thousand million.
        let most = (self.cols() * (self.rows() + self.history.most_lines())).min(1 << 20);
        for _ in 0..n.min(most) {
            for character in text.chars() {
                self.print_char(character);
            }
        }
    }

    /// Adds a combining mark to the character before the cursor.
    fn join_left(&mut self, character: char, cells: u8) {
        let (buffer, extras) = if self.in_alt {
            (&mut self.alt, &mut self.extras)
        } else {
            (&mut self.normal, &mut self.extras)
        };
        let x = buffer.x;
        let row = &mut buffer.rows[buffer.y];
        let offset = if row.cells.get(x - 1).is_some_and(|cell| cell.width() == 0) {
            2
        } else {
            1
        };
        let Some(cell) = x.checked_sub(offset).and_then(|at| row.cells.get_mut(at)) else {
            return;
        };
        if cell.has_content() {
            let index = extras.join(cell.text(), cell.character(), character);
            cell.set_text(index);
        } else {
            cell.set_character(character);
        }
        cell.set_width(cells);
    }

    fn wrap_line(&mut self, pen: Pen) {
        let cols = self.cols();
        let rows = self.rows();
        let buffer = self.buffer();
        let x = buffer.x;
        if let Some(rest) = buffer.row().cells.get_mut(x..cols) {
            rest.fill(Cell::blank(pen));
        }
        buffer.x = 0;
        buffer.y += 1;
        if buffer.y == buffer.bottom + 1 {
            buffer.y -= 1;
            self.scroll(true);
        } else {
            buffer.y = buffer.y.min(rows - 1);
            buffer.row().wrapped = true;
        }
    }

    /// Moves the region up by one row; the top row goes to history if it is the screen's.
    pub(super) fn scroll(&mut self, wrapped: bool) {
        let pen = self.pen.erased();
        if !self.in_alt && self.normal.top == 0 {
            self.remember();
            self.normal.saved.y -= 1;
        }
        let buffer = self.buffer();
        let top = buffer.top;
        buffer.move_up(top, 1, pen);
        buffer.rows[buffer.bottom].wrapped = wrapped;
    }

    /// Puts the top row into history.
    fn remember(&mut self) {
        if self.history.most_lines() == 0 {
            return;
        }
        let line = Self::line(&self.normal.rows[0], &self.extras, &mut self.scratch);
        self.history.push(line);
    }

    /// A row as a line of history.
    pub(super) fn line(row: &super::cell::Row, extras: &super::Extras, scratch: &mut Vec<u8>) -> Line {
        scratch.clear();
        let mut ink = Ink::new(std::mem::take(scratch), extras);
        let first = row.cells[0];
        let ambiguous = row.wrapped && first.pen.erased() != Pen::default();
        ink.row(row, ambiguous);
        ink.switch(Pen::default());
        let line = Line {
            ansi: ink.out.as_slice().into(),
            wrapped: row.wrapped,
            len: row.written_len() as u16,
            cols: row.cells.len() as u16,
            head: if first.has_content() { first.width() } else { 0 },
            head_bg: first.pen.erased().bg,
            tail_bg: row.cells[row.cells.len() - 1].pen.erased().bg,
        };
        *scratch = ink.out;
        line
    }

    /// Blanks a wide character whose second half is about to be written over.
    fn unwiden_left(&mut self, pen: Pen) {
        let buffer = self.buffer();
        if let Some(left) = buffer.x.checked_sub(1)
            && let Some(cell) = buffer.row().cells.get_mut(left)
            && cell.width() == 2
        {
            *cell = Cell::blank(pen);
        }
    }

    /// Blanks the second half of a wide character whose first half was written over.
    fn unwiden_right(&mut self, pen: Pen) {
        let buffer = self.buffer();
        let x = buffer.x;
        if let Some(cell) = buffer.row().cells.get_mut(x)
            && cell.width() == 0
            && !cell.has_content()
        {
            *cell = Cell::blank(pen);
        }
    }
}

/// Line drawing, and the British pound; other national sets show ASCII.
fn translate(set: u8, character: char) -> char {
    const DRAWING: &str = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";
    match (set, character) {
        (b'0', '`'..='~') => DRAWING.chars().nth(character as usize - 0x60).unwrap_or(character),
        (b'A', '#') => '£',
        _ => character,
    }
}
