//! Keys that are not for the program.

/// The key that leaves the session running and gives the terminal back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detach(Option<u8>);

impl Default for Detach {
    /// Ctrl-], as in telnet.
    fn default() -> Self {
        Self(Some(b']'))
    }
}

impl core::str::FromStr for Detach {
    type Err = String;

    /// Reads `ctrl-]`, `^]`, `ctrl-q`, or `none`.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        if lower == "none" {
            return Ok(Self(None));
        }
        let key = lower.strip_prefix("ctrl-").or_else(|| lower.strip_prefix('^'));
        match key.map(str::as_bytes) {
            // Ctrl with [ is Escape, with M Enter, with I Tab: a session without them is of no use.
            Some(&[key @ (b'a'..=b'z' | b']' | b'\\' | b'^' | b'_' | b'@')]) if !matches!(key, b'm' | b'i' | b'j') => {
                Ok(Self(Some(key)))
            }
            _ => Err("say a key with Ctrl, such as ctrl-] or ctrl-q, or none".to_owned()),
        }
    }
}

impl core::fmt::Display for Detach {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(key) => write!(f, "Ctrl-{}", char::from(key.to_ascii_uppercase())),
            None => f.write_str("no key"),
        }
    }
}

impl Detach {
    /// Where in what was typed the key is. A program that asked for it is told of keys in longer words.
    pub(super) fn find(self, typed: &[u8]) -> Option<usize> {
        let key = self.0?;
        let words = [
            vec![key & 0x1f],
            format!("\x1b[{key};5u").into_bytes(),
            format!("\x1b[{key};5:1u").into_bytes(),
            format!("\x1b[27;5;{key}~").into_bytes(),
        ];
        (0..typed.len()).find(|at| {
            words
                .iter()
                .any(|word| typed.get(*at..).is_some_and(|rest| rest.starts_with(word)))
        })
    }
}

/// Whether this is only what a terminal says by itself: that it was looked at, or pointed at. From somebody who does not
/// drive it would take the drive.
pub(super) fn is_report(mut typed: &[u8]) -> bool {
    if typed.is_empty() {
        return false;
    }
    while !typed.is_empty() {
        let Some(rest) = typed.strip_prefix(b"\x1b[") else {
            return false;
        };
        typed = match rest.split_first() {
            Some((b'I' | b'O', rest)) => rest,
            Some((b'M', rest)) if rest.len() >= 3 => &rest[3..],
            Some((b'<', rest)) => {
                let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';'));
                match end.map(|end| (rest[end], &rest[end + 1..])) {
                    Some((b'M' | b'm', rest)) => rest,
                    _ => return false,
                }
            }
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_however_the_terminal_writes_it() {
        let detach: Detach = "ctrl-]".parse().expect("a key");
        assert_eq!(detach, "^]".parse().expect("a key"));
        assert_eq!(detach.to_string(), "Ctrl-]");
        assert_eq!(detach.find(b"ls\r\x1d"), Some(3));
        assert_eq!(detach.find(b"ls\x1b[93;5u"), Some(2));
        assert_eq!(detach.find(b"\x1b[27;5;93~"), Some(0));
        assert_eq!(detach.find("ls ] \x1b[93u 日本".as_bytes()), None);
        assert_eq!("none".parse::<Detach>().expect("no key").find(b"\x1d"), None);
        assert_eq!("Ctrl-Q".parse::<Detach>().expect("a key").find(b"\x11"), Some(0));
        for wrong in ["", "q", "ctrl-", "ctrl-m", "ctrl-[", "alt-x", "ctrl-qq"] {
            assert!(wrong.parse::<Detach>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn reports_are_told_from_keys() {
        for report in [
            "\x1b[I",
            "\x1b[O",
            "\x1b[<0;10;20M",
            "\x1b[<0;10;20m\x1b[O",
            "\x1b[M !!",
        ] {
            assert!(is_report(report.as_bytes()), "{report:?}");
        }
        for keys in ["", "a", "\x1b[A", "\x1b[Ia", "\x1b", "\x1b[<0;10", "\x1bOA"] {
            assert!(!is_report(keys.as_bytes()), "{keys:?}");
        }
    }
}
