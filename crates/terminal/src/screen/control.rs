//! Control characters and sequences: which of them does what.

use super::params::Params;
use super::parser::Perform;
use super::sgr;
use super::{Charsets, Model};

/// The number of a control sequence, as [`Perform::csi`] gets it.
const fn ident(sequence: &[u8]) -> u32 {
    let mut ident = 0;
    let mut at = 0;
    while at < sequence.len() {
        ident = (ident << 8) | sequence[at] as u32;
        at += 1;
    }
    ident
}

impl Perform for Model {
    fn print_ascii(&mut self, text: &[u8]) {
        self.print_run(text);
    }

    fn print(&mut self, character: char) {
        self.print_char(character);
    }

    fn execute(&mut self, control: u32) {
        match control {
            0x08 => self.backspace(),
            0x09 => self.tab(1),
            0x0a..=0x0c => self.line_feed(),
            0x0d => self.buffer().x = 0,
            0x0e => self.shift(1),
            0x0f => self.shift(0),
            0x84 => self.index(),
            0x85 => self.next_line(),
            0x88 => self.set_tab(),
            _ => {}
        }
        self.join = 0;
    }

    fn csi(&mut self, sequence: u32, params: &Params) {
        self.sequence(sequence, params);
        self.join = 0;
    }

    fn esc(&mut self, sequence: u32) {
        match sequence.to_be_bytes() {
            [0, 0, 0, b'7'] => self.save_cursor(),
            [0, 0, 0, b'8'] => self.restore_cursor(),
            [0, 0, 0, b'D'] => self.index(),
            [0, 0, 0, b'E'] => self.next_line(),
            [0, 0, 0, b'H'] => self.set_tab(),
            [0, 0, 0, b'M'] => self.reverse_index(),
            [0, 0, 0, b'='] => self.modes.app_keypad = true,
            [0, 0, 0, b'>'] => self.modes.app_keypad = false,
            [0, 0, 0, b'c'] => self.full_reset(),
            [0, 0, 0, b'n' | b'}'] => self.shift(2),
            [0, 0, 0, b'o' | b'|'] => self.shift(3),
            [0, 0, 0, b'~'] => self.shift(1),
            [0, 0, b'%', b'@' | b'G'] => {
                self.shift(0);
                self.designate(0, None);
            }
            [0, 0, b'#', b'8'] => self.alignment(),
            [0, 0, g @ (b'(' | b')' | b'*' | b'+' | b'-' | b'.'), set] if known_set(set) => {
                let level = match g {
                    b'(' => 0,
                    b')' | b'-' => 1,
                    b'*' | b'.' => 2,
                    _ => 3,
                };
                self.designate(level, (set != b'B').then_some(set));
            }
            _ => {}
        }
        self.join = 0;
    }

    fn osc(&mut self, data: &[u8], bell: bool) {
        self.command(data, bell);
        self.join = 0;
    }

    fn dcs(&mut self, sequence: u32, data: &[u8]) {
        self.device_string(sequence, data);
        self.join = 0;
    }

    fn nothing(&mut self) {
        self.join = 0;
    }
}

impl Model {
    fn sequence(&mut self, sequence: u32, params: &Params) {
        const SCROLL_LEFT: u32 = ident(b" @");
        const SCROLL_RIGHT: u32 = ident(b" A");
        const SELECTIVE_ERASE_DISPLAY: u32 = ident(b"?J");
        const SELECTIVE_ERASE_LINE: u32 = ident(b"?K");
        const SOFT_RESET: u32 = ident(b"!p");
        const CURSOR_STYLE: u32 = ident(b" q");
        const INSERT_COLUMNS: u32 = ident(b"'}");
        const DELETE_COLUMNS: u32 = ident(b"'~");
        const PROTECT: u32 = ident(b"\"q");
        const SET: u32 = ident(b"?h");
        const RESET: u32 = ident(b"?l");
        let n = params.count(0);
        let pen = self.pen.erased();
        if let Ok(byte) = u8::try_from(sequence) {
            return self.simple_sequence(byte, n, params);
        }
        match sequence {
            SCROLL_LEFT => self.each_row(|row, _, pen| row.delete(0, n, pen)),
            SCROLL_RIGHT => self.each_row(|row, _, pen| row.insert(0, n, pen)),
            INSERT_COLUMNS => self.each_row(|row, x, pen| row.insert(x, n, pen)),
            DELETE_COLUMNS => self.each_row(|row, x, pen| row.delete(x, n, pen)),
            SELECTIVE_ERASE_DISPLAY => self.erase_in_display(params.get(0), true),
            SELECTIVE_ERASE_LINE => self.erase_in_line(params.get(0), true),
            SET => (0..params.len()).for_each(|index| self.set_private(params.get(index))),
            RESET => (0..params.len()).for_each(|index| self.reset_private(params.get(index))),
            SOFT_RESET => self.soft_reset(),
            CURSOR_STYLE => {
                if let Some(style) = u8::try_from(params.get(0)).ok().filter(|style| *style <= 6) {
                    self.modes.cursor_style = style;
                }
            }
            PROTECT => match params.get(0) {
                1 => self.pen.bg |= super::cell::PROTECTED,
                0 | 2 => self.pen.bg &= !super::cell::PROTECTED,
                _ => {}
            },
            _ => self.query(sequence, params),
        }
        debug_assert_eq!(pen.extra, 0, "an erased cell has no rare attributes");
    }

    /// Sequences without prefix and intermediates.
    fn simple_sequence(&mut self, byte: u8, n: usize, params: &Params) {
        let pen = self.pen.erased();
        let cols = self.cols();
        match byte {
            b'm' => sgr::apply(&mut self.pen, &mut self.extras, params),
            b'H' | b'f' => self.go(params.count(1) - 1, n - 1),
            b'A' => self.up(n),
            b'B' => self.down(n),
            b'C' | b'a' => self.step_by(n as i64, 0),
            b'D' => self.step_by(-(n as i64), 0),
            b'e' => self.step_by(0, n as i64),
            b'E' => {
                self.down(n);
                self.buffer().x = 0;
            }
            b'F' => {
                self.up(n);
                self.buffer().x = 0;
            }
            b'G' | b'`' => {
                let y = self.active().y;
                self.go(n - 1, y);
            }
            b'd' => {
                let x = self.active().x;
                self.go(x, n - 1);
            }
            b'J' => self.erase_in_display(params.get(0), false),
            b'K' => self.erase_in_line(params.get(0), false),
            b'L' => self.insert_lines(n),
            b'M' => self.delete_lines(n),
            b'@' | b'P' | b'X' => {
                self.restrict();
                let buffer = self.buffer();
                let x = buffer.x;
                match byte {
                    b'@' => buffer.row().insert(x, n, pen),
                    b'P' => buffer.row().delete(x, n, pen),
                    _ => buffer.row().erase(x, (x + n).min(cols), pen, false),
                }
            }
            b'S' => {
                let buffer = self.buffer();
                let top = buffer.top;
                buffer.move_up(top, n, pen);
            }
            b'T' => {
                let buffer = self.buffer();
                let top = buffer.top;
                buffer.move_down(top, n, super::Pen::default());
            }
            b'I' => self.tab(n),
            b'Z' => {
                let buffer = self.buffer();
                for _ in 0..n.min(cols) {
                    if buffer.x < cols {
                        buffer.x = buffer.previous_tab();
                    }
                }
            }
            b'g' => match params.get(0) {
                0 => {
                    let buffer = self.buffer();
                    if let Some(stop) = buffer.tabs.get_mut(buffer.x) {
                        *stop = false;
                    }
                }
                3 => self.buffer().tabs.fill(false),
                _ => {}
            },
            b'b' => self.repeat(n),
            b'h' | b'l' => {
                for index in 0..params.len() {
                    match params.get(index) {
                        4 => self.modes.insert = byte == b'h',
                        20 => self.modes.newline = byte == b'h',
                        _ => {}
                    }
                }
            }
            b'r' => self.set_region(params),
            b's' => self.save_cursor(),
            b'u' => self.restore_cursor(),
            _ => self.query(u32::from(byte), params),
        }
    }

    fn set_region(&mut self, params: &Params) {
        let rows = self.rows();
        let top = params.count(0);
        let bottom = match params.get(1) {
            _ if params.len() < 2 => rows,
            bottom => usize::try_from(bottom)
                .ok()
                .filter(|bottom| (1..=rows).contains(bottom))
                .unwrap_or(rows),
        };
        if bottom > top {
            let buffer = self.buffer();
            buffer.top = top - 1;
            buffer.bottom = bottom - 1;
            self.go(0, 0);
        }
    }

    fn tab(&mut self, n: usize) {
        let cols = self.cols();
        let buffer = self.buffer();
        if buffer.x < cols {
            for _ in 0..n.min(cols) {
                buffer.x = buffer.next_tab();
            }
        }
    }

    fn set_tab(&mut self) {
        let buffer = self.buffer();
        if let Some(stop) = buffer.tabs.get_mut(buffer.x) {
            *stop = true;
        }
    }

    fn next_line(&mut self) {
        self.buffer().x = 0;
        self.index();
    }

    fn shift(&mut self, level: u8) {
        let Charsets { g, .. } = self.charsets;
        self.charsets.level = level;
        self.charsets.current = g[usize::from(level)];
    }

    pub(super) fn designate(&mut self, level: u8, set: Option<u8>) {
        self.charsets.g[usize::from(level)] = set;
        if self.charsets.level == level {
            self.charsets.current = set;
        }
    }
}

/// The sets that xterm.js knows by one byte.
fn known_set(set: u8) -> bool {
    b"0AB4C5RQKYE6ZH7=".contains(&set)
}
