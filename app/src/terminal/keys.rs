//! Keys as bytes: what the key bar sends, what its sticky Ctrl and Alt do to what is typed next, and which of the things
//! xterm.js reports a person meant as typing.

/// A key of the key bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Escape,
    Tab,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// Ctrl-C.
    Interrupt,
    /// A character that phones hide two taps deep.
    Char(char),
}

/// Modifiers that wait for the next key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sticky {
    pub ctrl: bool,
    pub alt: bool,
}

impl Key {
    /// What a terminal sends for the key.
    #[must_use]
    pub fn bytes(self, sticky: Sticky, application_cursor: bool) -> String {
        let cursor = |letter: char| match sticky.parameter() {
            Some(modifier) => format!("\x1b[1;{modifier}{letter}"),
            None if application_cursor => format!("\x1bO{letter}"),
            None => format!("\x1b[{letter}"),
        };
        let page = |number: u8| match sticky.parameter() {
            Some(modifier) => format!("\x1b[{number};{modifier}~"),
            None => format!("\x1b[{number}~"),
        };
        match self {
            Self::Escape => sticky.apply("\x1b"),
            Self::Tab => sticky.apply("\t"),
            Self::Up => cursor('A'),
            Self::Down => cursor('B'),
            Self::Right => cursor('C'),
            Self::Left => cursor('D'),
            Self::Home => cursor('H'),
            Self::End => cursor('F'),
            Self::PageUp => page(5),
            Self::PageDown => page(6),
            Self::Interrupt => "\x03".to_owned(),
            Self::Char(character) => sticky.apply(character.encode_utf8(&mut [0; 4])),
        }
    }
}

impl Sticky {
    /// What `typed` becomes: only a single character has a Ctrl form; longer text (a paste, a word from a keyboard's
    /// suggestions) is left alone.
    #[must_use]
    pub fn apply(self, typed: &str) -> String {
        let mut characters = typed.chars();
        let (Some(character), None) = (characters.next(), characters.next()) else {
            return typed.to_owned();
        };
        let character = if self.ctrl { control(character) } else { character };
        let escape = if self.alt { "\x1b" } else { "" };
        format!("{escape}{character}")
    }

    /// xterm's number for a modified cursor key.
    fn parameter(self) -> Option<u8> {
        let number = 1 + 2 * u8::from(self.alt) + 4 * u8::from(self.ctrl);
        (number > 1).then_some(number)
    }
}

/// What pressing Ctrl with a character sends; the character itself where there is no such thing.
fn control(character: char) -> char {
    match character {
        'a'..='z' | 'A'..='Z' | '[' | '\\' | ']' | '^' | '_' => char::from(character as u8 & 0x1f),
        '@' | ' ' | '2' => '\0',
        '/' | '-' | '7' => '\x1f',
        '6' => '\x1e',
        '\x7f' => '\x08',
        '?' | '8' => '\x7f',
        other => other,
    }
}

/// What xterm.js reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Somebody typed, pasted or chose a word.
    Keys,
    /// The mouse moved or was pressed, and the program asked to be told.
    Mouse,
    /// The terminal got or lost the focus, and the program asked to be told.
    Focus,
}

/// Sorts what xterm.js reports: only keys count as typing, so that nobody takes control by moving a mouse.
#[must_use]
pub fn said(data: &str) -> Said {
    match data {
        "\x1b[I" | "\x1b[O" => Said::Focus,
        _ if data.starts_with("\x1b[<") || data.starts_with("\x1b[M") => Said::Mouse,
        _ => Said::Keys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CTRL: Sticky = Sticky { ctrl: true, alt: false };
    const ALT: Sticky = Sticky { ctrl: false, alt: true };
    const NONE: Sticky = Sticky {
        ctrl: false,
        alt: false,
    };

    #[test]
    fn arrows_heed_the_mode_of_the_program_and_the_modifiers() {
        assert_eq!(Key::Up.bytes(NONE, false), "\x1b[A");
        assert_eq!(Key::Up.bytes(NONE, true), "\x1bOA");
        assert_eq!(Key::Left.bytes(CTRL, true), "\x1b[1;5D");
        assert_eq!(Key::PageDown.bytes(ALT, false), "\x1b[6;3~");
    }

    #[test]
    fn sticky_ctrl_changes_one_character_and_never_a_word() {
        assert_eq!(CTRL.apply("r"), "\x12");
        assert_eq!(CTRL.apply("["), "\x1b");
        assert_eq!(CTRL.apply(" "), "\0");
        assert_eq!(CTRL.apply("hello"), "hello");
        assert_eq!(CTRL.apply("é"), "é");
        assert_eq!(Sticky { ctrl: true, alt: true }.apply("b"), "\x1b\x02");
        assert_eq!(NONE.apply("x"), "x");
    }

    #[test]
    fn moving_the_mouse_is_not_typing() {
        assert_eq!(said("\x1b[<35;10;5M"), Said::Mouse);
        assert_eq!(said("\x1b[I"), Said::Focus);
        assert_eq!(said("\x1b[A"), Said::Keys);
        assert_eq!(said("\x1b"), Said::Keys);
    }
}
