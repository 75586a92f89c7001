//! The model of a terminal: what a program's output has drawn, so that it can be drawn again for whoever comes later.
//!
//! It is a port of xterm.js's buffer rules (MIT, the xterm.js authors), not of another emulator's: a snapshot is only
//! right if the browser, fed with it and the bytes that follow, shows what it would have shown had it seen everything.
//! `end2end/xterm/differential.mjs` holds us to that. Rows that scroll out become compact text at once, every table and
//! string is bounded, and no input panics.
//!
//! Start at [`Screen::feed`] (in), [`Screen::snapshot`] (out) and [`Screen::take_replies`] (what goes back to the program).

mod buffer;
mod cell;
mod control;
mod edit;
mod extra;
mod history;
mod ink;
mod modes;
mod osc;
mod params;
mod parser;
mod print;
mod private_mode;
mod reply;
mod resize;
mod sgr;
mod snapshot;
mod width;

use buffer::Buffer;
use cell::Pen;
use domain::wire::{Colors, Size};
use extra::Extras;
use history::History;
use modes::Modes;
use parser::Parser;
use std::collections::BTreeMap;

/// The most bytes of history that are kept, whatever the number of lines.
pub const MOST_HISTORY_BYTES: usize = 4 * 1024 * 1024;
/// The most characters of a window title that are kept.
pub const MOST_TITLE: usize = 256;
/// The most bytes of answers to queries that wait to be taken.
const MOST_REPLIES: usize = 16 * 1024;

/// A terminal's screen, modes and history.
#[derive(Debug)]
pub struct Screen {
    parser: Parser,
    model: Model,
}

/// Everything but the parser: a control sequence changes this.
#[derive(Debug)]
struct Model {
    size: Size,
    normal: Buffer,
    alt: Buffer,
    in_alt: bool,
    history: History,
    extras: Extras,
    pen: Pen,
    modes: Modes,
    charsets: Charsets,
    /// The cells of the character that a combining mark would join or REP repeat; 0 after anything but printing.
    join: u8,
    title: String,
    titles: Vec<String>,
    /// Colours that the program changed: 0-255, then foreground, background, cursor.
    colors: BTreeMap<u16, [u8; 3]>,
    /// Colours that a program is told when it asks for the terminal's own.
    own: Colors,
    /// Kitty keyboard flags, a stack for each screen.
    keyboard: [Vec<u8>; 2],
    links: u64,
    replies: Vec<u8>,
    /// Where lines of history are written before they are kept.
    scratch: Vec<u8>,
}

/// Character sets: `None` is ASCII, otherwise the designating byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Charsets {
    g: [Option<u8>; 4],
    level: u8,
    /// The one in use: usually that of the level, but a restored cursor brings its own.
    current: Option<u8>,
}

impl Screen {
    /// A clear screen that keeps up to `lines` of history.
    pub fn new(size: Size, lines: u32) -> Self {
        let size = Size::clamped(size.cols, size.rows);
        let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
        Self {
            parser: Parser::default(),
            model: Model {
                size,
                normal: Buffer::new(cols, rows),
                alt: Buffer::new(cols, rows),
                in_alt: false,
                history: History::new(lines as usize, MOST_HISTORY_BYTES),
                extras: Extras::new(),
                pen: Pen::default(),
                modes: Modes::default(),
                charsets: Charsets::default(),
                join: 0,
                title: String::new(),
                titles: Vec::new(),
                colors: BTreeMap::new(),
                own: Colors::default(),
                keyboard: [Vec::new(), Vec::new()],
                links: 0,
                replies: Vec::new(),
                scratch: Vec::new(),
            },
        }
    }

    /// Takes output of the program, cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(bytes, &mut self.model);
        self.model.sweep();
    }

    /// Bytes at the end of what was fed that are the beginning of a character (0 to 3). A snapshot does not contain them:
    /// what follows it must begin with them.
    pub fn incomplete(&self) -> usize {
        self.parser.incomplete()
    }

    /// What the terminal answers to queries in what was fed; each is handed out once.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.model.replies)
    }

    /// Says which colours to tell a program that asks. A program that wants to hear of it is told when dark becomes light
    /// or light dark.
    pub fn set_colors(&mut self, own: Colors) {
        let before = std::mem::replace(&mut self.model.own, own);
        if before.is_light() != own.is_light() && self.model.modes.color_scheme {
            self.model.report_scheme();
        }
    }

    /// The colours that a program is told.
    pub fn colors(&self) -> Colors {
        self.model.own
    }

    pub fn size(&self) -> Size {
        self.model.size
    }

    /// The window title, at most [`MOST_TITLE`] characters.
    pub fn title(&self) -> &str {
        &self.model.title
    }

    /// Lines of history that are kept now.
    pub fn history_len(&self) -> usize {
        self.model.history.len()
    }

    /// Gives the screen another size, as xterm.js would: the normal screen's long lines are wrapped anew.
    pub fn resize(&mut self, size: Size) {
        self.model.resize(Size::clamped(size.cols, size.rows));
    }

    /// Whether text without escapes can be left out when it would scroll out anyway: see [`crate::pending`].
    pub(crate) fn is_plain(&self) -> bool {
        let model = &self.model;
        self.parser.is_ground()
            && !model.in_alt
            && model.modes.wrap
            && !model.modes.insert
            && !model.modes.origin
            && !model.modes.newline
            && model.charsets.current.is_none()
            && model.pen.bg & cell::PROTECTED == 0
            && (model.normal.top, model.normal.bottom) == (0, model.normal.rows.len() - 1)
    }

    /// The lines after which nothing older is left of a full-width scroll.
    pub(crate) fn memory(&self) -> usize {
        self.model.history.most_lines() + self.model.normal.rows.len()
    }

    /// Goes on as if plain text had been fed that has scrolled out of everything and ended with a new line.
    pub(crate) fn skip_to_new_line(&mut self, pen: PlainPen) {
        let model = &mut self.model;
        model.normal.x = 0;
        model.join = 0;
        model.pen = pen.0;
        // What was saved on the screen scrolled out with it.
        model.normal.saved.y = model.normal.saved.y.min(0);
    }

    /// Whether following pens has filled the table of rare attributes, which only drawing sweeps.
    pub(crate) fn is_crowded(&self) -> bool {
        self.model.extras.extras.is_full()
    }

    /// The pen now, for [`Screen::track`].
    pub(crate) fn pen(&self) -> PlainPen {
        PlainPen(self.model.pen)
    }

    /// What the pen will be after an SGR sequence (its bytes between `CSI` and `m`).
    pub(crate) fn track(&mut self, pen: &mut PlainPen, sgr: &[u8]) {
        let mut params = params::Params::default();
        for byte in sgr {
            params.push(*byte);
        }
        sgr::apply(&mut pen.0, &mut self.model.extras, &params);
    }
}

/// A pen whose changes were followed without drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PlainPen(Pen);

impl Model {
    fn buffer(&mut self) -> &mut Buffer {
        if self.in_alt { &mut self.alt } else { &mut self.normal }
    }

    fn active(&self) -> &Buffer {
        if self.in_alt { &self.alt } else { &self.normal }
    }

    fn cols(&self) -> usize {
        usize::from(self.size.cols)
    }

    fn rows(&self) -> usize {
        usize::from(self.size.rows)
    }

    fn reply(&mut self, answer: std::fmt::Arguments<'_>) {
        if self.replies.len() < MOST_REPLIES {
            // Writing to a vector cannot fail.
            let _ = std::io::Write::write_fmt(&mut self.replies, answer);
        }
    }

    /// Forgets rare attributes and texts that no cell shows any more.
    fn sweep(&mut self) {
        let cells = || self.normal.rows.iter().chain(&self.alt.rows).flat_map(|row| &row.cells);
        if self.extras.extras.is_full() {
            self.extras
                .extras
                .sweep(cells().map(|cell| cell.pen.extra).chain([self.pen.extra]));
        }
        if self.extras.texts.is_full() {
            self.extras.texts.sweep(cells().filter_map(|cell| cell.text()));
        }
    }
}
