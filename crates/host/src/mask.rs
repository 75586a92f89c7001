//! Masks what a session holds of secrets in what is kept of its screens. The live terminal is not altered.
//!
//! A screen is text between controls, and a value on it may be cut by the end of a line or a change of colour. So the text
//! is searched without controls and blanks, for each value, its base64 (wherever in a longer text it begins) and its
//! URL-encoded form.

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use domain::secret::Value;
use zeroize::Zeroizing;

/// A shorter value would mask what is none.
const SHORTEST: usize = 8;
/// A line of a longer value is masked by itself from this length on: the rest may have left the screen.
const SHORTEST_LINE: usize = 16;
const MASKED: u8 = b'*';

/// What is masked.
pub(crate) struct Mask(Option<AhoCorasick>);

impl Mask {
    /// Masks these values.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut wanted: Vec<Zeroizing<Vec<u8>>> = Vec::new();
        for value in values {
            let value = value.expose();
            let lines = value.lines().filter(|line| line.len() >= SHORTEST_LINE);
            for text in [value, value.trim()].into_iter().chain(lines) {
                let bytes = text.as_bytes();
                wanted.push(Zeroizing::new(bytes.to_vec()));
                wanted.extend([true, false].map(|upper| url_encoded(bytes, upper)));
                wanted.extend((0..3).flat_map(|shift| base64(bytes, shift)));
            }
        }
        for text in &mut wanted {
            text.retain(|byte| !is_blank(*byte));
        }
        wanted.retain(|text| text.len() >= SHORTEST);
        wanted.sort_unstable_by(|one, other| one.as_slice().cmp(other.as_slice()));
        wanted.dedup();
        // So many and so long that no automaton holds them are not to be had: a session's secrets are bounded.
        Self(
            (!wanted.is_empty())
                .then(|| AhoCorasick::new(wanted.iter().map(|text| text.as_slice())).ok())
                .flatten(),
        )
    }

    /// The same screen, with stars in place of what is secret.
    pub(crate) fn apply(&self, mut ansi: Vec<u8>) -> Vec<u8> {
        let Some(wanted) = &self.0 else { return ansi };
        let places = text(&ansi);
        let shown: Zeroizing<Vec<u8>> = Zeroizing::new(places.iter().map(|&place| ansi[place]).collect());
        let mut hidden = vec![false; ansi.len()];
        for found in wanted.find_overlapping_iter(shown.as_slice()) {
            for &place in &places[found.range()] {
                hidden[place] = true;
            }
        }
        let mut place = 0;
        ansi.retain_mut(|byte| {
            let hide = hidden[place];
            place += 1;
            // One star for a letter, however many bytes it has: what stands behind it stays where it was.
            let goes_on = *byte & 0b1100_0000 == 0b1000_0000;
            if hide && !goes_on {
                *byte = MASKED;
            }
            !(hide && goes_on)
        });
        ansi
    }
}

fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

/// Where text stands among controls. The words of a control string (a title) count as text.
fn text(ansi: &[u8]) -> Vec<usize> {
    enum At {
        Text,
        Escape,
        Sequence,
    }
    let (mut places, mut at) = (Vec::with_capacity(ansi.len()), At::Text);
    for (place, &byte) in ansi.iter().enumerate() {
        at = match (at, byte) {
            (_, 0x1b) => At::Escape,
            (At::Escape, b'[') => At::Sequence,
            // `ESC ( B` and its like: one more byte to come.
            (At::Escape, 0x20..=0x2f) => At::Escape,
            (At::Escape, _) => At::Text,
            (At::Sequence, 0x40..=0x7e) => At::Text,
            (At::Sequence, _) => At::Sequence,
            (At::Text, byte) => {
                if !is_blank(byte) {
                    places.push(place);
                }
                At::Text
            }
        };
    }
    places
}

/// Base64 in both alphabets, as it reads where the value begins `shift` bytes into a group of three: without the letters
/// that its neighbours take part in.
fn base64(bytes: &[u8], shift: usize) -> Vec<Zeroizing<Vec<u8>>> {
    let mut shifted = Zeroizing::new(vec![0; shift]);
    shifted.extend_from_slice(bytes);
    let (first, last) = ([0, 2, 3][shift], usize::from(!shifted.len().is_multiple_of(3)));
    [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)]
        .map(|text| {
            let text = Zeroizing::new(text.into_bytes());
            Zeroizing::new(text.get(first..text.len() - last).unwrap_or_default().to_vec())
        })
        .into()
}

fn url_encoded(bytes: &[u8], upper: bool) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 3));
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte);
        } else if upper {
            text.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            text.extend_from_slice(format!("%{byte:02x}").as_bytes());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(values: &[&str], screen: &str) -> String {
        let values: Vec<_> = values.iter().map(|&value| Value::new(value)).collect();
        let masked = Mask::of(&values).apply(screen.as_bytes().to_vec());
        String::from_utf8(masked).expect("text")
    }

    #[test]
    fn a_value_is_masked_wherever_lines_and_colours_cut_it() {
        let value = "sk_live_4711-canary";
        for (screen, expected) in [
            ("KEY=sk_live_4711-canary.", "KEY=*******************."),
            ("sk_live_\r\n4711-canary", "********\r\n***********"),
            (
                "sk_live_  \x1b[A\x1b[31m4711\x1b[0m-canary",
                "********  \x1b[A\x1b[31m****\x1b[0m*******",
            ),
            ("\x1b(Bsk_live_4711-canary", "\x1b(B*******************"),
            ("\x1b]2;sk_live_4711-canary\x1b\\", "\x1b]2;*******************\x1b\\"),
            ("sk_live_4711-canar", "sk_live_4711-canar"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(masked(&[value], screen), expected, "{screen:?}");
        }
    }

    #[test]
    fn encoded_forms_are_masked_too() {
        let value = "p&ss wörd/canary";
        let (standard, url) = (&STANDARD_NO_PAD, &URL_SAFE_NO_PAD);
        for before in ["", "a", "ab", "abc"] {
            for text in [
                standard.encode(format!("{before}{value}:x")),
                url.encode(format!("{before}{value}:x")),
            ] {
                let shown = masked(&[value], &text);
                assert!(shown.matches('*').count() >= 20, "{before:?}: {shown}");
            }
        }
        assert_eq!(
            masked(&[value], "q=p%26ss%20w%C3%B6rd%2Fcanary&").matches('*').count(),
            27
        );
        assert_eq!(
            masked(&[value], "q=p%26ss%20w%c3%b6rd%2fcanary&").matches('*').count(),
            27
        );
        assert_eq!(
            masked(&[value], "<p&ss wörd/canary>"),
            "<**** ***********>",
            "a star for a letter"
        );
    }

    #[test]
    fn lines_of_a_file_are_masked_by_themselves_and_short_values_not_at_all() {
        let key = "-----BEGIN KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\nshort\n-----END KEY-----\n";
        let shown = masked(&[key], "\r\nMC4CAQAwBQYDK2VwBCIEIJ\r\nshort\r\n");
        assert_eq!(shown, format!("\r\n{}\r\nshort\r\n", "*".repeat(22)));
        assert_eq!(masked(&["seven-7"], "seven-7"), "seven-7");
        assert_eq!(masked(&[], "anything"), "anything");
    }
}
