//! Masks what a session holds of secrets in what is kept or listed of its terminals. The live terminal is not altered.
//!
//! A screen is text between controls, and a value on it may be cut by the end of a line or a change of colour. So the text
//! is searched without controls and blanks, for each value, its base64 (wherever in a longer text it begins) and its
//! URL-encoded form. [`Mask`] is what is searched for; [`Mask::apply`] masks a screen and [`Masker`] a stream.
//!
//! What is found: a value in one piece, or cut by blanks, line ends, colours and other escape sequences, in the order of
//! its letters. What is not: one that a program draws out of order, writes over letter by letter, or changes (reversed, in
//! hexadecimal, encrypted). A mask guards against a value that is shown by chance, not against a program that hides it.

mod stream;

pub use stream::Masker;

use aho_corasick::{
    Anchored,
    automaton::{Automaton, StateID},
    nfa::contiguous::NFA,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use domain::secret::Value;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A shorter value, in bytes without blanks, is not masked: words and numbers would be masked that are none, and who
/// sees where `yes` is masked knows the value.
const SHORTEST: usize = 6;
/// The shortest encoded form: a piece of one is less telling than a value.
const SHORTEST_ENCODED: usize = 8;
/// A line of a longer value is masked by itself from this length on: the rest may have left the screen.
const SHORTEST_LINE: usize = 16;
/// A longer value is looked for in pieces of so many bytes, so that what is held back stays short. Divisible by three, as
/// base64 goes.
const PIECE: usize = 1023;
/// Encoded forms are looked for of values up to so many bytes.
const MOST_ENCODED: usize = 4096;
/// All that is searched for, in bytes: the values of a session fit twice, as they are and line by line. Encoded forms take
/// what is left.
const MOST: usize = 2 * domain::secret::DELIVERY_MAX;
const STAR: u8 = b'*';
/// What stands for a value in a stream, however long it is.
pub const MASKED: &str = "********";

/// What is masked; made once for a set of values.
#[derive(Debug, Default)]
pub struct Mask(Option<NFA>);

impl Mask {
    /// Masks these values.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let (mut plain, mut encoded) = (Vec::new(), Vec::new());
        for value in values {
            let value = value.expose();
            for text in [value, value.trim()] {
                // Cut as the text that is searched is cut.
                let seen = Zeroizing::new(text_of(text.as_bytes()));
                plain.extend(pieces(&seen));
                if text.len() <= MOST_ENCODED {
                    for piece in pieces(text.as_bytes()) {
                        encoded.extend([true, false].map(|upper| url_encoded(&piece, upper)));
                        encoded.extend((0..3).flat_map(|shift| base64(&piece, shift)));
                    }
                }
            }
            let lines = value.lines().filter(|line| line.len() >= SHORTEST_LINE);
            for line in lines {
                plain.extend(pieces(&text_of(line.as_bytes())));
                if value.len() <= MOST_ENCODED {
                    encoded.extend((0..3).flat_map(|shift| base64(line.as_bytes(), shift)));
                }
            }
        }
        plain.retain(|text| text.len() >= SHORTEST);
        encoded.retain(|text| (SHORTEST_ENCODED..=3 * PIECE).contains(&text.len()));
        for texts in [&mut plain, &mut encoded] {
            texts.sort_unstable_by(|one, other| one.as_slice().cmp(other.as_slice()));
            texts.dedup();
        }
        let mut room = MOST;
        let wanted: Vec<_> = plain
            .iter()
            .chain(&encoded)
            .map(|text| text.as_slice())
            .take_while(|text| {
                let fits = room.checked_sub(text.len());
                room = fits.unwrap_or_default();
                fits.is_some()
            })
            .collect();
        Self(
            (!wanted.is_empty())
                .then(|| {
                    NFA::new(&wanted)
                        .map_err(|error| tracing::error!(%error, "nothing is masked"))
                        .ok()
                })
                .flatten(),
        )
    }

    /// The same screen, with stars in place of what is secret: one for each letter, so that all else stays where it was.
    pub(crate) fn apply(&self, mut ansi: Vec<u8>) -> Vec<u8> {
        let Some(wanted) = &self.0 else { return ansi };
        let (mut reader, mut state) = (Reader::Text, root(wanted));
        let (mut places, mut hidden) = (Vec::with_capacity(ansi.len()), vec![false; ansi.len()]);
        for (place, &byte) in ansi.iter().enumerate() {
            if !reader.is_text(byte) {
                continue;
            }
            places.push(place);
            state = wanted.next_state(Anchored::No, state, byte);
            if let Some(length) = longest(wanted, state) {
                for &place in &places[places.len() - length..] {
                    hidden[place] = true;
                }
            }
        }
        let mut place = 0;
        ansi.retain_mut(|byte| {
            let hide = hidden[place];
            place += 1;
            // One star for a letter, however many bytes it has: what stands behind it stays where it was.
            let goes_on = *byte & 0b1100_0000 == 0b1000_0000;
            if hide && !goes_on {
                *byte = STAR;
            }
            !(hide && goes_on)
        });
        ansi
    }

    /// One text by itself (a title, a sentence), with [`MASKED`] in place of each value. One whose end is the beginning of
    /// a value is masked there too: it may have been cut.
    pub fn text(self: &Arc<Self>, text: &str) -> String {
        if self.0.is_none() {
            return text.to_owned();
        }
        let mut masker = Masker::new(self.clone());
        let mut masked = Vec::with_capacity(text.len());
        masker.push(text.as_bytes(), &mut masked);
        masker.finish(&mut masked);
        String::from_utf8_lossy(&masked).into_owned()
    }
}

/// Tells text from controls. The words of a control string (a title) count as text.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Text,
    Escape,
    Sequence,
}

impl Reader {
    /// Whether this byte, the next one, is text that is seen.
    fn is_text(&mut self, byte: u8) -> bool {
        let (now, is_text) = match (*self, byte) {
            (_, 0x1b) => (Self::Escape, false),
            (Self::Escape, b'[') => (Self::Sequence, false),
            // `ESC ( B` and its like: one more byte to come.
            (Self::Escape, 0x20..=0x2f) => (Self::Escape, false),
            (Self::Escape, _) => (Self::Text, false),
            (Self::Sequence, 0x40..=0x7e) => (Self::Text, false),
            (Self::Sequence, _) => (Self::Sequence, false),
            (Self::Text, byte) => (Self::Text, !is_blank(byte)),
        };
        *self = now;
        is_text
    }
}

fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

/// Only what is text of it.
fn text_of(bytes: &[u8]) -> Vec<u8> {
    let mut reader = Reader::Text;
    bytes.iter().copied().filter(|byte| reader.is_text(*byte)).collect()
}

/// The whole, or its pieces where it is long: a short rest goes with the piece before it.
fn pieces(bytes: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut pieces: Vec<_> = bytes
        .chunks(PIECE)
        .map(|piece| Zeroizing::new(piece.to_vec()))
        .collect();
    if pieces.len() > 1
        && let Some(rest) = pieces.pop_if(|rest| rest.len() < SHORTEST_LINE)
        && let Some(last) = pieces.last_mut()
    {
        last.extend_from_slice(&rest);
    }
    pieces
}

fn root(wanted: &NFA) -> StateID {
    // An automaton that searches anywhere always has this state.
    wanted.start_state(Anchored::No).unwrap_or_default()
}

/// The length of the longest text that ends in this state, where one does.
fn longest(wanted: &NFA, state: StateID) -> Option<usize> {
    if !wanted.is_match(state) {
        return None;
    }
    (0..wanted.match_len(state))
        .map(|index| wanted.pattern_len(wanted.match_pattern(state, index)))
        .max()
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
    fn a_text_by_itself_is_masked() {
        let mask = Arc::new(Mask::of(&[Value::new("sk_live_4711-canary")]));
        assert_eq!(mask.text("key: sk_live_4711-canary"), format!("key: {MASKED}"));
        assert_eq!(mask.text("key: sk_live_4711-c"), format!("key: {MASKED}"));
        assert_eq!(mask.text("vim: main.rs"), "vim: main.rs");
        assert_eq!(Arc::new(Mask::default()).text("vim"), "vim");
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
        assert_eq!(masked(&["five5"], "five5"), "five5");
        assert_eq!(masked(&[], "anything"), "anything");
    }
}
