//! Queries: what a program asks of its terminal is answered here, once, and by nobody else.
//!
//! A browser must stay silent: it would answer again on every replay, into whatever the program reads by then. The answers
//! are those of xterm.js, because xterm.js draws; what it leaves open and agents ask for is answered too.

use super::Model;
use super::osc::SPECIAL;
use super::params::Params;

/// The deepest stack of keyboard flags.
const MOST_KEYBOARD: usize = 16;

impl Model {
    /// Sequences that ask for something, or that only this model understands.
    pub(super) fn query(&mut self, sequence: u32, params: &Params) {
        let first = params.get(0);
        match &sequence.to_be_bytes() {
            [0, 0, 0, b'c'] if first == 0 => self.reply(format_args!("\x1b[?1;2c")),
            [0, 0, b'>', b'c'] if first == 0 => self.reply(format_args!("\x1b[>0;276;0c")),
            [0, 0, b'=', b'c'] if first == 0 => self.reply(format_args!("\x1bP!|00000000\x1b\\")),
            [0, 0, 0, b'n'] if first == 5 => self.reply(format_args!("\x1b[0n")),
            [0, 0, 0, b'n'] if first == 6 => {
                let (x, y) = (self.active().x + 1, self.active().y + 1);
                self.reply(format_args!("\x1b[{y};{x}R"));
            }
            [0, 0, b'?', b'n'] if first == 6 => {
                let (x, y) = (self.active().x + 1, self.active().y + 1);
                self.reply(format_args!("\x1b[?{y};{x}R"));
            }
            [0, 0, b'?', b'n'] if first == 996 => self.report_scheme(),
            [0, 0, b'$', b'p'] => {
                let state = match first {
                    2 => 4,
                    4 => 2 - u8::from(self.modes.insert),
                    12 => 3,
                    20 => 2 - u8::from(self.modes.newline),
                    _ => 0,
                };
                self.reply(format_args!("\x1b[{first};{state}$y"));
            }
            [0, b'?', b'$', b'p'] => {
                let state = self.modes.report(first, self.in_alt);
                self.reply(format_args!("\x1b[?{first};{state}$y"));
            }
            // It is xterm.js that will draw, and programs know its abilities by this name.
            [0, 0, b'>', b'q'] if first == 0 => self.reply(format_args!("\x1bP>|xterm.js(6.0.0)\x1b\\")),
            [0, 0, 0, b't'] => self.window(first, params.get(1)),
            [0, 0, b'>', b'm'] if first == 4 => {
                self.modes.modify_other_keys = u8::try_from(params.get(1)).unwrap_or(0).min(2);
            }
            [0, 0, b'?', b'm'] if first == 4 => {
                let level = self.modes.modify_other_keys;
                self.reply(format_args!("\x1b[>4;{level}m"));
            }
            // Flags are kept for who comes later, but whether there is such a keyboard is left unanswered, which means no:
            // xterm.js 6 encodes no such keys, and a program that was told yes would wait for keys that never come.
            [0, 0, b'?', b'u'] => {}
            [0, 0, prefix @ (b'>' | b'<' | b'='), b'u'] => self.set_keyboard(*prefix, params),
            _ => {}
        }
    }

    fn window(&mut self, what: i32, which: i32) {
        match what {
            18 => {
                let (rows, cols) = (self.size.rows, self.size.cols);
                self.reply(format_args!("\x1b[8;{rows};{cols}t"));
            }
            22 if matches!(which, 0 | 2) => self.push_title(),
            23 if matches!(which, 0 | 2) => self.pop_title(),
            _ => {}
        }
    }

    fn set_keyboard(&mut self, how: u8, params: &Params) {
        let stack = &mut self.keyboard[usize::from(self.in_alt)];
        let flags = (params.get(0) & 0x1f) as u8;
        match how {
            b'>' => {
                if stack.len() == MOST_KEYBOARD {
                    stack.remove(0);
                }
                stack.push(flags);
            }
            b'<' => stack.truncate(stack.len().saturating_sub(params.count(0))),
            _ => {
                let now = stack.pop().unwrap_or(0);
                stack.push(match params.get(1) {
                    2 => now | flags,
                    3 => now & !flags,
                    _ => flags,
                });
            }
        }
    }

    /// Whether the page is dark (1) or light (2).
    pub(super) fn report_scheme(&mut self) {
        let scheme = if self.own.is_light() { 2 } else { 1 };
        self.reply(format_args!("\x1b[?997;{scheme}n"));
    }

    pub(super) fn report_color(&mut self, index: u16, bell: bool) {
        let color = self.colors.get(&index).copied().unwrap_or_else(|| match index {
            256 => self.own.foreground,
            257 => self.own.background,
            258 => self.own.cursor,
            index => standard(index as u8),
        });
        let [r, g, b] = color;
        let end = if bell { "\x07" } else { "\x1b\\" };
        let value = format_args!("rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}").to_string();
        if index < SPECIAL {
            self.reply(format_args!("\x1b]4;{index};{value}{end}"));
        } else {
            self.reply(format_args!("\x1b]{};{value}{end}", 10 + index - SPECIAL));
        }
    }

    pub(super) fn device_string(&mut self, sequence: u32, data: &[u8]) {
        match &sequence.to_be_bytes() {
            // DECRQSS
            [0, 0, b'$', b'q'] => {
                let (top, bottom) = (self.active().top + 1, self.active().bottom + 1);
                let protected = u8::from(self.pen.bg & super::cell::PROTECTED != 0);
                let style = if self.modes.cursor_style == 0 {
                    2
                } else {
                    self.modes.cursor_style
                };
                match data {
                    b"\"q" => self.reply(format_args!("\x1bP1$r{protected}\"q\x1b\\")),
                    b"\"p" => self.reply(format_args!("\x1bP1$r61;1\"p\x1b\\")),
                    b"r" => self.reply(format_args!("\x1bP1$r{top};{bottom}r\x1b\\")),
                    b"m" => self.reply(format_args!("\x1bP1$r0m\x1b\\")),
                    b" q" => self.reply(format_args!("\x1bP1$r{style} q\x1b\\")),
                    _ => self.reply(format_args!("\x1bP0$r\x1b\\")),
                }
            }
            // XTGETTCAP: none is known; a program that waits must hear so.
            [0, 0, b'+', b'q'] => self.reply(format_args!("\x1bP0+r\x1b\\")),
            _ => {}
        }
    }
}

/// The usual 256 colours.
fn standard(index: u8) -> [u8; 3] {
    const BASE: [[u8; 3]; 16] = [
        [0x2e, 0x34, 0x36],
        [0xcc, 0x00, 0x00],
        [0x4e, 0x9a, 0x06],
        [0xc4, 0xa0, 0x00],
        [0x34, 0x65, 0xa4],
        [0x75, 0x50, 0x7b],
        [0x06, 0x98, 0x9a],
        [0xd3, 0xd7, 0xcf],
        [0x55, 0x57, 0x53],
        [0xef, 0x29, 0x29],
        [0x8a, 0xe2, 0x34],
        [0xfc, 0xe9, 0x4f],
        [0x72, 0x9f, 0xcf],
        [0xad, 0x7f, 0xa8],
        [0x34, 0xe2, 0xe2],
        [0xee, 0xee, 0xec],
    ];
    let step = |level: u8| if level == 0 { 0 } else { 55 + 40 * level };
    match index {
        0..=15 => BASE[usize::from(index)],
        16..=231 => {
            let index = index - 16;
            [step(index / 36), step(index / 6 % 6), step(index % 6)]
        }
        _ => [8 + 10 * (index - 232); 3],
    }
}
