//! The terminal's own sixteen colours, one set for each ground.
//!
//! Text in any of them is at least 4.5:1 against the ground, except in the ground's own colour (black on dark, the two
//! whites on light), which programs use to *paint* the ground; used as text, xterm.js lifts it to the same ratio.

use domain::wire::Colors;

/// Which of the console's two grounds the terminal stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    #[default]
    Dark,
    Light,
}

/// The colours of one ground, as `#rrggbb`.
#[derive(Debug)]
pub struct Theme {
    pub background: &'static str,
    pub foreground: &'static str,
    pub cursor: &'static str,
    pub selection: &'static str,
    /// Where a search found something, and where it stands.
    pub found: &'static str,
    pub found_here: &'static str,
    /// Black, red, green, yellow, blue, magenta, cyan, white, and the same bright.
    pub ansi: [&'static str; 16],
}

/// The least contrast of text on its background, WCAG's for normal text.
pub const CONTRAST: f64 = 4.5;

/// xterm.js' names for [`Theme::ansi`].
pub const ANSI_NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "brightBlack",
    "brightRed",
    "brightGreen",
    "brightYellow",
    "brightBlue",
    "brightMagenta",
    "brightCyan",
    "brightWhite",
];

impl Ground {
    /// The colours that belong on it.
    #[must_use]
    pub const fn theme(self) -> &'static Theme {
        match self {
            Self::Dark => &DARK,
            Self::Light => &LIGHT,
        }
    }
}

impl Theme {
    /// What the host is told, so that a program which asks hears what the person sees.
    #[must_use]
    pub fn colors(&self) -> Colors {
        Colors {
            foreground: parts(self.foreground),
            background: parts(self.background),
            cursor: parts(self.cursor),
        }
    }
}

/// Red, green and blue of `#rrggbb`.
fn parts(color: &str) -> [u8; 3] {
    let number = u32::from_str_radix(color.trim_start_matches('#'), 16).unwrap_or_default();
    let [_, red, green, blue] = number.to_be_bytes();
    [red, green, blue]
}

const DARK: Theme = Theme {
    background: "#0d0f13",
    foreground: "#dde2ea",
    cursor: "#9fb4ff",
    selection: "#2f3f66",
    found: "#4a3f12",
    found_here: "#8a6d10",
    ansi: [
        "#1b1f27", "#f4736d", "#58c27d", "#d9a53d", "#6ea8f6", "#c792f0", "#4fc3cf", "#c5ccd6", "#8a93a0", "#ff958e",
        "#80dca0", "#f0c465", "#94c2ff", "#dcb3ff", "#80dde6", "#f5f7fa",
    ],
};

const LIGHT: Theme = Theme {
    background: "#fcfcfd",
    foreground: "#232833",
    cursor: "#3b50c8",
    selection: "#c9d5fb",
    found: "#fbe9a8",
    found_here: "#f3c63c",
    ansi: [
        "#1f2430", "#b3261e", "#1a7040", "#855a00", "#1f5fbf", "#8433b5", "#0b6b7c", "#e3e6eb", "#5c6470", "#c0332a",
        "#17763f", "#8a5d00", "#2a68cc", "#9140c2", "#0a7183", "#f4f5f7",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).expect("two hex digits")) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_in_every_colour_can_be_read_on_its_ground() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.01);
        for (ground, own) in [(Ground::Dark, &[0][..]), (Ground::Light, &[7, 15][..])] {
            let theme = ground.theme();
            let colors = theme
                .ansi
                .iter()
                .enumerate()
                .filter(|(index, _)| !own.contains(index))
                .map(|(_, color)| *color);
            for color in colors.chain([theme.foreground, theme.cursor]) {
                let ratio = contrast(color, theme.background);
                assert!(ratio >= CONTRAST, "{color} on {} is {ratio:.2}:1", theme.background);
            }
        }
    }

    #[test]
    fn what_a_host_believes_without_a_word_is_the_dark_ground() {
        assert_eq!(DARK.colors(), Colors::default());
        assert!(LIGHT.colors().is_light() && !DARK.colors().is_light());
        assert_eq!(LIGHT.colors().background, [0xfc, 0xfc, 0xfd]);
    }

    #[test]
    fn what_is_selected_or_found_can_still_be_read() {
        for ground in [Ground::Dark, Ground::Light] {
            let theme = ground.theme();
            for behind in [theme.selection, theme.found, theme.found_here] {
                assert!(
                    contrast(theme.foreground, behind) >= 3.0,
                    "{} on {behind}",
                    theme.foreground
                );
            }
        }
    }
}
