//! DEC private modes: what switching them does.

use super::Model;
use super::modes::{Mouse, MouseEncoding};

impl Model {
    pub(super) fn set_private(&mut self, mode: i32) {
        match mode {
            2 => (0..4).for_each(|level| self.designate(level, None)),
            9 => self.modes.mouse = Mouse::X10,
            1000 => self.modes.mouse = Mouse::Clicks,
            1002 => self.modes.mouse = Mouse::Drag,
            1003 => self.modes.mouse = Mouse::Any,
            1006 => self.modes.mouse_encoding = MouseEncoding::Sgr,
            1016 => self.modes.mouse_encoding = MouseEncoding::SgrPixels,
            1048 => self.save_cursor(),
            47 | 1047 => self.enter_alt(),
            1049 => {
                self.save_cursor();
                self.enter_alt();
            }
            _ => self.switch(mode, true),
        }
    }

    pub(super) fn reset_private(&mut self, mode: i32) {
        match mode {
            9 | 1000 | 1002 | 1003 => self.modes.mouse = Mouse::None,
            1006 | 1016 => self.modes.mouse_encoding = MouseEncoding::Default,
            1048 => self.restore_cursor(),
            47 | 1047 => self.leave_alt(),
            1049 => {
                self.leave_alt();
                self.restore_cursor();
            }
            _ => self.switch(mode, false),
        }
    }

    fn switch(&mut self, mode: i32, on: bool) {
        let modes = &mut self.modes;
        match mode {
            1 => modes.app_cursor = on,
            6 => {
                modes.origin = on;
                self.go(0, 0);
            }
            7 => modes.wrap = on,
            12 => modes.blink = on,
            25 => modes.hidden_cursor = !on,
            45 => modes.reverse_wrap = on,
            66 => modes.app_keypad = on,
            1004 => modes.focus = on,
            2004 => modes.bracketed_paste = on,
            2026 => modes.synchronized = on,
            2031 => modes.color_scheme = on,
            _ => {}
        }
    }
}
