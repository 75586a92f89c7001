//! One cell and the pen that fills it, with the same bits that xterm.js uses, so that "equal" means the same on both sides.

/// The number of bits that a cell's character takes; its width follows.
const WIDTH_SHIFT: u32 = 22;
/// The low bits index a text of several characters instead of being one.
const COMBINED: u32 = 1 << 21;
const CODE: u32 = COMBINED - 1;

/// Colour: mode in bits 24-25, then a palette index or 24 bits of RGB.
pub(crate) const COLOR: u32 = 0x3ff_ffff;
pub(crate) const COLOR_MODE: u32 = 0x300_0000;
pub(crate) const P16: u32 = 0x100_0000;
pub(crate) const P256: u32 = 0x200_0000;
pub(crate) const RGB: u32 = 0x300_0000;

/// Flags beside the foreground.
pub(crate) const INVERSE: u32 = 0x400_0000;
pub(crate) const BOLD: u32 = 0x800_0000;
pub(crate) const UNDERLINE: u32 = 0x1000_0000;
pub(crate) const BLINK: u32 = 0x2000_0000;
pub(crate) const INVISIBLE: u32 = 0x4000_0000;
pub(crate) const STRIKE: u32 = 0x8000_0000;

/// Flags beside the background.
pub(crate) const ITALIC: u32 = 0x400_0000;
pub(crate) const DIM: u32 = 0x800_0000;
/// The pen's [`super::extra::Extra`] counts.
pub(crate) const EXTENDED: u32 = 0x1000_0000;
pub(crate) const PROTECTED: u32 = 0x2000_0000;
pub(crate) const OVERLINE: u32 = 0x4000_0000;

/// How text is drawn: colours and flags, and the index of what is rare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pen {
    pub(crate) fg: u32,
    pub(crate) bg: u32,
    /// Index of the [`super::extra::Extra`]; 0 is none. Counts only under [`EXTENDED`].
    pub(crate) extra: u32,
}

impl Pen {
    /// What erased cells look like: this background and nothing else.
    pub(crate) fn erased(self) -> Self {
        Self {
            fg: 0,
            bg: self.bg & COLOR,
            extra: 0,
        }
    }

    /// What a cell keeps of the pen.
    pub(crate) fn inked(self) -> Self {
        Self {
            extra: if self.bg & EXTENDED == 0 { 0 } else { self.extra },
            ..self
        }
    }
}

/// One cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    content: u32,
    pub(crate) pen: Pen,
}

impl Cell {
    /// A cell that nothing was written to.
    pub(crate) fn blank(pen: Pen) -> Self {
        Self {
            content: 1 << WIDTH_SHIFT,
            pen,
        }
    }

    pub(crate) fn ascii(byte: u8, pen: Pen) -> Self {
        Self {
            content: u32::from(byte) | (1 << WIDTH_SHIFT),
            pen,
        }
    }

    pub(crate) fn new(character: char, width: u8, pen: Pen) -> Self {
        Self {
            content: character as u32 | (u32::from(width) << WIDTH_SHIFT),
            pen,
        }
    }

    /// The second half of a wide character.
    pub(crate) fn spacer(pen: Pen) -> Self {
        Self { content: 0, pen }
    }

    /// 0 (the second half of a wide character), 1 or 2.
    pub(crate) fn width(self) -> u8 {
        (self.content >> WIDTH_SHIFT) as u8
    }

    pub(crate) fn set_width(&mut self, width: u8) {
        self.content = (self.content & ((1 << WIDTH_SHIFT) - 1)) | (u32::from(width) << WIDTH_SHIFT);
    }

    pub(crate) fn has_content(self) -> bool {
        self.content & (COMBINED | CODE) != 0
    }

    /// The one character of the cell; `None` for blank cells and texts.
    pub(crate) fn character(self) -> Option<char> {
        if self.content & COMBINED != 0 || self.content & CODE == 0 {
            return None;
        }
        char::from_u32(self.content & CODE)
    }

    /// The index of the cell's text of several characters.
    pub(crate) fn text(self) -> Option<u32> {
        (self.content & COMBINED != 0).then_some(self.content & CODE)
    }

    /// Makes the cell show the text at `index`.
    pub(crate) fn set_text(&mut self, index: u32) {
        self.content = (self.content & !(COMBINED | CODE)) | COMBINED | (index & CODE);
    }

    pub(crate) fn set_character(&mut self, character: char) {
        self.content = character as u32 | (1 << WIDTH_SHIFT);
    }
}

/// One row; `wrapped` says that it continues the row above.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    pub(crate) wrapped: bool,
}

impl Row {
    pub(crate) fn blank(cols: usize, pen: Pen) -> Self {
        Self {
            cells: vec![Cell::blank(pen); cols],
            wrapped: false,
        }
    }

    pub(crate) fn clear(&mut self, pen: Pen) {
        self.cells.fill(Cell::blank(pen));
        self.wrapped = false;
    }

    /// The cells up to the last one with content.
    pub(crate) fn trimmed_len(&self) -> usize {
        let last = self.cells.iter().rposition(|cell| cell.has_content());
        last.map_or(0, |at| at + usize::from(self.cells[at].width()))
    }

    /// The cells up to where the cursor stood after writing the last one with content.
    pub(crate) fn written_len(&self) -> usize {
        let last = self.cells.iter().rposition(|cell| cell.has_content());
        last.map_or(0, |at| at + usize::from(self.cells[at].width().max(1)))
    }

    /// Inserts `n` blank cells at `at`; what leaves at the right is lost.
    pub(crate) fn insert(&mut self, at: usize, n: usize, pen: Pen) {
        let cols = self.cells.len();
        let at = at % cols;
        let blank = Cell::blank(pen);
        if at > 0 && self.cells[at - 1].width() == 2 {
            self.cells[at - 1] = blank;
        }
        if n < cols - at {
            self.cells.copy_within(at..cols - n, at + n);
            self.cells[at..at + n].fill(blank);
        } else {
            self.cells[at..].fill(blank);
        }
        if self.cells[cols - 1].width() == 2 {
            self.cells[cols - 1] = blank;
        }
    }

    /// Deletes `n` cells at `at`; blanks come in at the right.
    pub(crate) fn delete(&mut self, at: usize, n: usize, pen: Pen) {
        let cols = self.cells.len();
        let at = at % cols;
        let blank = Cell::blank(pen);
        if n < cols - at {
            self.cells.copy_within(at + n.., at);
            self.cells[cols - n..].fill(blank);
        } else {
            self.cells[at..].fill(blank);
        }
        if at > 0 && self.cells[at - 1].width() == 2 {
            self.cells[at - 1] = blank;
        }
        if self.cells[at].width() == 0 && !self.cells[at].has_content() {
            self.cells[at] = blank;
        }
    }

    /// Blanks `from..to`, and halves of wide characters that this leaves; protected cells stay if `protect`.
    pub(crate) fn erase(&mut self, from: usize, to: usize, pen: Pen, protect: bool) {
        let cols = self.cells.len();
        let blank = Cell::blank(pen);
        let kept = |cell: Cell| protect && cell.pen.bg & PROTECTED != 0;
        if from > 0 && from <= cols && self.cells[from - 1].width() == 2 && !kept(self.cells[from - 1]) {
            self.cells[from - 1] = blank;
        }
        if to > 0 && to < cols && self.cells[to - 1].width() == 2 && !kept(self.cells[to]) {
            self.cells[to] = blank;
        }
        let to = to.min(cols);
        for cell in self.cells.get_mut(from..to).unwrap_or_default() {
            if !kept(*cell) {
                *cell = blank;
            }
        }
    }
}
