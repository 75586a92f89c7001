//! One of a terminal's two screens: rows, cursor, margins, tab stops, and the cursor that was saved.

use super::cell::{Pen, Row};

/// A cursor that was saved (DECSC).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Saved {
    pub(crate) x: usize,
    /// Relative to the screen; below 0 once it scrolled out.
    pub(crate) y: i64,
    pub(crate) fg: u32,
    pub(crate) bg: u32,
    pub(crate) charset: Option<u8>,
}

/// The normal or the alternate screen.
#[derive(Clone, Debug)]
pub(crate) struct Buffer {
    pub(crate) rows: Vec<Row>,
    /// The column where the next character goes; the width while a wrap is pending.
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// The first and last row of the scroll region.
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) tabs: Vec<bool>,
    pub(crate) saved: Saved,
}

impl Buffer {
    pub(crate) fn new(cols: usize, rows: usize) -> Self {
        Self {
            rows: (0..rows).map(|_| Row::blank(cols, Pen::default())).collect(),
            x: 0,
            y: 0,
            top: 0,
            bottom: rows - 1,
            tabs: every_eighth(cols),
            saved: Saved::default(),
        }
    }

    /// Blank rows, no margins, the usual tab stops, the cursor at home; what was saved stays.
    pub(crate) fn reset(&mut self, pen: Pen) {
        for row in &mut self.rows {
            row.clear(pen);
        }
        self.x = 0;
        self.y = 0;
        self.top = 0;
        self.bottom = self.rows.len() - 1;
        self.tabs = every_eighth(self.tabs.len());
    }

    pub(crate) fn cols(&self) -> usize {
        self.tabs.len()
    }

    pub(crate) fn row(&mut self) -> &mut Row {
        &mut self.rows[self.y]
    }

    pub(crate) fn next_tab(&self) -> usize {
        let cols = self.cols();
        let stop = self.tabs.iter().skip(self.x + 1).position(|stop| *stop);
        stop.map_or(cols - 1, |after| self.x + 1 + after)
    }

    pub(crate) fn previous_tab(&self) -> usize {
        self.tabs[..self.x.min(self.cols())]
            .iter()
            .rposition(|stop| *stop)
            .unwrap_or(0)
    }

    /// The region's rows from `from` move up by `n`; blank ones come in at the bottom.
    pub(crate) fn move_up(&mut self, from: usize, n: usize, pen: Pen) {
        let region = &mut self.rows[from..=self.bottom];
        let n = n.min(region.len());
        region.rotate_left(n);
        let stay = region.len() - n;
        region[stay..].iter_mut().for_each(|row| row.clear(pen));
    }

    /// The region's rows from `from` move down by `n`; blank ones come in at `from`.
    pub(crate) fn move_down(&mut self, from: usize, n: usize, pen: Pen) {
        let region = &mut self.rows[from..=self.bottom];
        let n = n.min(region.len());
        region.rotate_right(n);
        region[..n].iter_mut().for_each(|row| row.clear(pen));
    }
}

fn every_eighth(cols: usize) -> Vec<bool> {
    (0..cols).map(|col| col % 8 == 0).collect()
}
