//! What a program has switched on, and how each of it is switched on again.

/// Which mouse events a program wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mouse {
    #[default]
    None,
    X10,
    Clicks,
    Drag,
    Any,
}

impl Mouse {
    /// The private mode that asks for it.
    pub(crate) fn mode(self) -> Option<u16> {
        match self {
            Self::None => None,
            Self::X10 => Some(9),
            Self::Clicks => Some(1000),
            Self::Drag => Some(1002),
            Self::Any => Some(1003),
        }
    }
}

/// How mouse events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MouseEncoding {
    #[default]
    Default,
    Sgr,
    SgrPixels,
}

/// Modes of the whole terminal (each of the two screens keeps its own margins, tabs and cursor).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modes {
    pub(crate) insert: bool,
    /// Line feed also returns (LNM).
    pub(crate) newline: bool,
    pub(crate) app_cursor: bool,
    pub(crate) app_keypad: bool,
    pub(crate) origin: bool,
    pub(crate) wrap: bool,
    pub(crate) reverse_wrap: bool,
    pub(crate) focus: bool,
    pub(crate) bracketed_paste: bool,
    pub(crate) synchronized: bool,
    pub(crate) hidden_cursor: bool,
    /// The cursor blinks (mode 12).
    pub(crate) blink: bool,
    /// DECSCUSR, 0 when nothing was asked for.
    pub(crate) cursor_style: u8,
    pub(crate) mouse: Mouse,
    pub(crate) mouse_encoding: MouseEncoding,
    /// XTMODKEYS 4.
    pub(crate) modify_other_keys: u8,
    /// Colour scheme reports (mode 2031).
    pub(crate) color_scheme: bool,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            insert: false,
            newline: false,
            app_cursor: false,
            app_keypad: false,
            origin: false,
            wrap: true,
            reverse_wrap: false,
            focus: false,
            bracketed_paste: false,
            synchronized: false,
            hidden_cursor: false,
            blink: false,
            cursor_style: 0,
            mouse: Mouse::None,
            mouse_encoding: MouseEncoding::Default,
            modify_other_keys: 0,
            color_scheme: false,
        }
    }
}

impl Modes {
    /// What DECSTR resets.
    pub(crate) fn soft_reset(&mut self) {
        let Self {
            newline,
            blink,
            mouse,
            mouse_encoding,
            modify_other_keys,
            color_scheme,
            ..
        } = *self;
        *self = Self {
            newline,
            blink,
            mouse,
            mouse_encoding,
            modify_other_keys,
            color_scheme,
            ..Self::default()
        };
    }

    /// What RIS resets: xterm.js keeps these two as options.
    pub(crate) fn full_reset(&mut self) {
        let Self { newline, blink, .. } = *self;
        *self = Self {
            newline,
            blink,
            ..Self::default()
        };
    }

    /// The state of a private mode as DECRQM reports it: 0 unknown, 1 set, 2 reset, 3 and 4 for ever so.
    pub(crate) fn report(&self, mode: i32, alt: bool) -> u8 {
        let state = |set: bool| if set { 1 } else { 2 };
        match mode {
            1 => state(self.app_cursor),
            6 => state(self.origin),
            7 => state(self.wrap),
            8 => 3,
            9 => state(self.mouse == Mouse::X10),
            12 => state(self.blink),
            25 => state(!self.hidden_cursor),
            45 => state(self.reverse_wrap),
            66 => state(self.app_keypad),
            47 | 1047 | 1049 => state(alt),
            1000 => state(self.mouse == Mouse::Clicks),
            1002 => state(self.mouse == Mouse::Drag),
            1003 => state(self.mouse == Mouse::Any),
            1004 => state(self.focus),
            67 | 1005 | 1015 => 4,
            1006 => state(self.mouse_encoding == MouseEncoding::Sgr),
            1016 => state(self.mouse_encoding == MouseEncoding::SgrPixels),
            1048 => 1,
            2004 => state(self.bracketed_paste),
            2026 => state(self.synchronized),
            2031 => state(self.color_scheme),
            _ => 0,
        }
    }
}
