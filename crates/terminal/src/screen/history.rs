//! Rows that have left the screen, as compact text: a hundred bytes instead of two kilobytes of cells.

use std::collections::VecDeque;

/// A row that scrolled out of the screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// The ANSI text that shows it, from the default pen.
    pub(crate) ansi: Box<[u8]>,
    /// It continues the line above.
    pub(crate) wrapped: bool,
    /// The cells up to the last one with content.
    pub(crate) len: u16,
    /// The screen's width when it scrolled out.
    pub(crate) cols: u16,
    /// The cells of the character it begins with; 0 when it begins with blanks.
    pub(crate) head: u8,
    /// The backgrounds of its first and last cell.
    pub(crate) head_bg: u32,
    pub(crate) tail_bg: u32,
}

/// What one line costs beside its text.
const OVERHEAD: usize = 48;

/// The rows above the screen, bounded in lines and bytes.
#[derive(Debug)]
pub(crate) struct History {
    lines: VecDeque<Line>,
    bytes: usize,
    most_lines: usize,
    most_bytes: usize,
}

impl History {
    pub(crate) fn new(most_lines: usize, most_bytes: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            bytes: 0,
            most_lines,
            most_bytes,
        }
    }

    pub(crate) fn push(&mut self, line: Line) {
        self.bytes += line.ansi.len() + OVERHEAD;
        self.lines.push_back(line);
        while self.lines.len() > self.most_lines || self.bytes > self.most_bytes {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.ansi.len() + OVERHEAD;
        }
    }

    /// Takes the youngest line back.
    pub(crate) fn pop(&mut self) -> Option<Line> {
        let line = self.lines.pop_back()?;
        self.bytes -= line.ansi.len() + OVERHEAD;
        Some(line)
    }

    pub(crate) fn clear(&mut self) {
        self.lines = VecDeque::new();
        self.bytes = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn most_lines(&self) -> usize {
        self.most_lines
    }

    /// The youngest `lines` that together take at most `bytes`, oldest first.
    pub(crate) fn tail(&self, lines: usize, bytes: usize) -> impl Iterator<Item = &Line> {
        let mut left = bytes;
        let fits = self.lines.iter().rev().take(lines).take_while(|line| {
            let size = line.ansi.len() + 2;
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        });
        let count = fits.count();
        self.lines.range(self.lines.len() - count..)
    }
}
