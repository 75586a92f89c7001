//! Another size: the rows that xterm.js would show after the same resize.
//!
//! The alternate screen is cut or padded. The normal one is wrapped anew: rows that continue each other are joined and
//! divided again, all but the line with the cursor, which its program will redraw. History is text, which wraps by itself;
//! only as many of its lines as may come back to the screen are made rows again.

use super::buffer::Buffer;
use super::cell::{Cell, Pen, Row};
use super::history::Line;
use super::parser::Parser;
use super::{Model, Screen};
use domain::wire::Size;

/// The rows of the normal screen with some of those above it; `base` is where the screen begins.
struct Reflow {
    lines: Vec<Row>,
    base: usize,
    x: usize,
    y: usize,
    saved_y: i64,
    /// Lines of history that stay text, above all of these.
    above: usize,
}

impl Model {
    pub(super) fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        let (old_cols, cols, rows) = (self.cols(), usize::from(size.cols), usize::from(size.rows));
        let mut reflow = self.take_rows(rows);
        if cols > old_cols {
            reflow.set_cols(cols);
        }
        reflow.set_rows(rows, cols);
        reflow.x = reflow.x.min(cols - 1);
        if cols > old_cols {
            reflow.wider(old_cols, cols, rows);
        } else if cols < old_cols {
            reflow.narrower(old_cols, cols, rows);
            reflow.set_cols(cols);
        }
        self.put_rows(reflow, rows, cols);
        cut(&mut self.alt, cols, rows);
        self.size = size;
        self.join = 0;
    }

    fn take_rows(&mut self, rows: usize) -> Reflow {
        let cols = self.cols();
        let want = (rows + self.normal.rows.len()).min(self.history.len());
        let mut lines = Vec::with_capacity(want + self.normal.rows.len());
        let mut line = Vec::new();
        // Youngest first; a line is complete when its first row comes.
        while lines.len() < want || !line.is_empty() {
            let Some(text) = self.history.pop() else { break };
            line.push(self.row_of(&text));
            if !text.wrapped || line.len() > want + 64 {
                lines.append(&mut at_width(&mut line, cols));
            }
        }
        lines.append(&mut at_width(&mut line, cols));
        lines.reverse();
        let base = lines.len();
        lines.append(&mut self.normal.rows);
        // The cursor of the normal screen counts even while the other one is shown.
        Reflow {
            lines,
            base,
            x: self.normal.x,
            y: self.normal.y,
            saved_y: self.normal.saved.y,
            above: self.history.len(),
        }
    }

    fn put_rows(&mut self, reflow: Reflow, rows: usize, cols: usize) {
        let Reflow {
            mut lines,
            base,
            x,
            y,
            saved_y,
            ..
        } = reflow;
        lines.resize(lines.len().max(base + rows), Row::blank(cols, Pen::default()));
        let mut screen = lines.split_off(base);
        screen.truncate(rows);
        for row in &lines {
            let line = Self::line(row, &self.extras, &mut self.scratch);
            self.history.push(line);
        }
        let tabs = self.normal.tabs.clone();
        let normal = &mut self.normal;
        normal.rows = screen;
        normal.x = x;
        normal.y = y.min(rows - 1);
        normal.top = 0;
        normal.bottom = rows - 1;
        normal.saved.x = normal.saved.x.min(cols - 1);
        normal.saved.y = saved_y;
        normal.tabs = more_tabs(tabs, cols);
    }

    /// A line of history as a row again.
    fn row_of(&mut self, line: &Line) -> Row {
        let mut scratch = Screen::new(
            Size {
                cols: line.cols,
                rows: 1,
            },
            0,
        );
        std::mem::swap(&mut scratch.model.extras, &mut self.extras);
        // A line that fills its row leaves a wrap pending, which nothing follows.
        Parser::default().advance(&line.ansi, &mut scratch.model);
        std::mem::swap(&mut scratch.model.extras, &mut self.extras);
        let mut row = scratch.model.normal.rows.swap_remove(0);
        row.wrapped = line.wrapped;
        row
    }
}

impl Reflow {
    fn set_cols(&mut self, cols: usize) {
        self.lines.iter_mut().for_each(|row| trim(row, cols));
    }

    fn set_rows(&mut self, rows: usize, cols: usize) {
        let old = self.lines.len() - self.base;
        let mut add = 0;
        for _ in old..rows {
            if self.base > 0 && self.lines.len() <= self.base + self.y + add + 1 {
                self.base -= 1;
                add += 1;
            } else {
                self.lines.push(Row::blank(cols, Pen::default()));
            }
        }
        for _ in rows..old {
            if self.lines.len() > self.base + self.y + 1 {
                self.lines.pop();
            } else {
                self.base += 1;
            }
        }
        self.y = self.y.min(rows - 1) + add;
    }

    /// The rows of the line that begins at `first`.
    fn line_at(&self, first: usize) -> std::ops::Range<usize> {
        let more = self.lines[first + 1..].iter().take_while(|row| row.wrapped).count();
        first..first + 1 + more
    }

    /// The cells of a line, without the blanks that only wrapping made.
    fn cells_of(&self, line: std::ops::Range<usize>, old_cols: usize) -> Vec<Cell> {
        let mut cells = Vec::new();
        for at in line.clone() {
            let row = &self.lines[at].cells;
            let len = if at + 1 == line.end {
                self.lines[at].trimmed_len()
            } else {
                let last = row[old_cols - 1];
                let early = !last.has_content() && last.width() == 1 && self.lines[at + 1].cells[0].width() == 2;
                if early { old_cols - 1 } else { old_cols }
            };
            cells.extend_from_slice(&row[..len.min(row.len())]);
        }
        cells
    }

    fn divide(cells: &[Cell], cols: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut rest = cells;
        while !rest.is_empty() {
            let mut n = cols.min(rest.len());
            if n < rest.len() && rest[n - 1].width() == 2 {
                n -= 1;
            }
            let (now, later) = rest.split_at(n.max(1));
            let mut row = Row::blank(cols, Pen::default());
            row.cells[..now.len()].copy_from_slice(now);
            row.wrapped = !rows.is_empty();
            rows.push(row);
            rest = later;
        }
        rows
    }

    fn wider(&mut self, old_cols: usize, cols: usize, rows: usize) {
        let cursor = self.base + self.y;
        let mut first = 0;
        let mut removed = 0;
        while first < self.lines.len() {
            let line = self.line_at(first);
            let next = line.end;
            if line.len() == 1 || line.contains(&(cursor - removed.min(cursor))) {
                first = next;
                continue;
            }
            let mut new = Self::divide(&self.cells_of(line.clone(), old_cols), cols);
            if new.is_empty() {
                new.push(Row::blank(cols, Pen::default()));
            }
            new[0].wrapped = self.lines[first].wrapped;
            let less = line.len().saturating_sub(new.len());
            first += new.len();
            self.lines.splice(line, new);
            removed += less;
        }
        for _ in 0..removed {
            if self.above + self.base == 0 {
                self.y = self.y.saturating_sub(1);
                if self.lines.len() < rows {
                    self.lines.push(Row::blank(cols, Pen::default()));
                }
            } else {
                self.base = self.base.saturating_sub(1);
            }
        }
        self.saved_y = (self.saved_y - removed as i64).max(0);
    }

    /// From the youngest line to the oldest, as xterm.js does: the cursor moves while that goes on.
    fn narrower(&mut self, old_cols: usize, cols: usize, rows: usize) {
        let mut end = self.lines.len();
        // What a line needs more comes after its rows, once all are known: only rows that were there can be dropped below.
        let mut inserts: Vec<(usize, Vec<Row>)> = Vec::new();
        let mut inserted = 0;
        while end > 0 {
            end = end.min(self.lines.len());
            let Some(mut first) = end.checked_sub(1) else { break };
            let fits = !self.lines[first].wrapped && self.lines[first].trimmed_len() <= cols;
            while self.lines[first].wrapped && first > 0 {
                first -= 1;
            }
            let line = first..end;
            end = first;
            if fits || line.contains(&(self.base + self.y)) {
                continue;
            }
            let mut new = Self::divide(&self.cells_of(line.clone(), old_cols), cols);
            // Blank rows at the end of a line stay.
            while new.len() < line.len() {
                let mut blank = Row::blank(cols, Pen::default());
                blank.wrapped = !new.is_empty();
                new.push(blank);
            }
            new[0].wrapped = self.lines[first].wrapped;
            let rest = new.split_off(line.len());
            let more = rest.len();
            inserts.push((line.end, rest));
            inserted += more;
            self.lines.splice(line, new);
            for _ in 0..more {
                if self.above + self.base > 0 {
                    if self.base + rows < self.lines.len() + inserted {
                        self.base += 1;
                    }
                } else if self.y < rows - 1 {
                    self.y += 1;
                    self.lines.pop();
                } else {
                    self.base += 1;
                }
            }
            let last = (self.base + rows - 1) as i64 - self.base as i64;
            self.saved_y = (self.saved_y + more as i64).min(last);
        }
        for (at, rows) in inserts {
            let at = at.min(self.lines.len());
            self.lines.splice(at..at, rows);
        }
    }
}

/// The rows of one line, youngest first, as rows of `cols`: some may have scrolled out when the screen had another width.
fn at_width(rows: &mut Vec<Row>, cols: usize) -> Vec<Row> {
    if rows.iter().all(|row| row.cells.len() == cols) {
        return std::mem::take(rows);
    }
    let wrapped = rows.last().is_some_and(|row| row.wrapped);
    let cells: Vec<Cell> = rows
        .drain(..)
        .rev()
        .flat_map(|row| row.cells[..row.trimmed_len().min(row.cells.len())].to_vec())
        .collect();
    let mut divided = Reflow::divide(&cells, cols);
    if divided.is_empty() {
        divided.push(Row::blank(cols, Pen::default()));
    }
    divided[0].wrapped = wrapped;
    divided.reverse();
    divided
}

/// Gives the alternate screen another size: nothing is wrapped anew.
fn cut(buffer: &mut Buffer, cols: usize, rows: usize) {
    buffer.rows.iter_mut().for_each(|row| trim(row, cols));
    while buffer.rows.len() > rows {
        if buffer.rows.len() > buffer.y + 1 {
            buffer.rows.pop();
        } else {
            buffer.rows.remove(0);
            buffer.y = buffer.y.saturating_sub(1);
        }
    }
    buffer.rows.resize(rows, Row::blank(cols, Pen::default()));
    buffer.x = buffer.x.min(cols - 1);
    buffer.y = buffer.y.min(rows - 1);
    buffer.top = 0;
    buffer.bottom = rows - 1;
    buffer.saved.x = buffer.saved.x.min(cols - 1);
    buffer.tabs = more_tabs(std::mem::take(&mut buffer.tabs), cols);
}

/// Makes a row `cols` wide; a wide character of which only half would be left goes.
fn trim(row: &mut Row, cols: usize) {
    row.cells.resize(cols, Cell::blank(Pen::default()));
    if row.cells[cols - 1].width() == 2 {
        row.cells[cols - 1] = Cell::blank(row.cells[cols - 1].pen.erased());
    }
}

/// Tab stops for another width: those that there are stay, new columns get the usual ones.
fn more_tabs(mut tabs: Vec<bool>, cols: usize) -> Vec<bool> {
    let old = tabs.len();
    tabs.resize(cols, false);
    for (col, stop) in tabs.iter_mut().enumerate().skip(old) {
        *stop = col % 8 == 0;
    }
    tabs
}
