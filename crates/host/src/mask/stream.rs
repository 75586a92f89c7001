//! A stream of output, masked as it passes: what may be the beginning of a value waits for what follows.

use super::{MASKED, Mask, Reader, SHORTEST, longest, root};
use aho_corasick::{
    Anchored,
    automaton::{Automaton, StateID},
};
use std::sync::Arc;

/// What a stream holds back at most while it waits for the rest of what may be a value, controls included.
const MOST_HELD: usize = 64 * 1024;

/// Masks a stream of a terminal's output, cut anywhere: what comes out is the same however it was cut, but for what
/// [`Masker::idle`] lets go early. A stream without a value comes out as it went in.
#[derive(Debug)]
pub struct Masker {
    mask: Arc<Mask>,
    reader: Reader,
    state: Option<StateID>,
    /// What waits for the rest of what may be a value; at most [`MOST_HELD`] after each call.
    held: Vec<u8>,
    /// Where the text among it is, and what becomes of it.
    text: Vec<(usize, Fate)>,
    /// What was let go while nothing came of what may be the beginning of a value: less than [`SHORTEST`] bytes.
    told: Vec<u8>,
    /// The byte before what is held was masked.
    after_masked: bool,
}

/// What becomes of a byte of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Shown,
    /// The mask is put here.
    Begins,
    Hidden,
}

impl Masker {
    /// One that has seen nothing yet.
    pub fn new(mask: Arc<Mask>) -> Self {
        Self {
            state: mask.0.as_ref().map(root),
            mask,
            reader: Reader::Text,
            held: Vec::new(),
            text: Vec::new(),
            told: Vec::new(),
            after_masked: false,
        }
    }

    /// Looks for other values from now on: what is held back is looked at anew.
    pub fn change(&mut self, mask: Arc<Mask>) {
        self.state = mask.0.as_ref().map(root);
        self.mask = mask;
        self.told.clear();
        for count in 1..=self.text.len() {
            let byte = self.held[self.text[count - 1].0];
            self.follow(byte, count);
        }
    }

    /// Takes what comes next; adds to `out` what can be told of it.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(root) = self.mask.0.as_ref().map(root) else {
            self.release(self.held.len(), out);
            // So that values that come later are found behind a sequence that has begun.
            for &byte in bytes {
                self.reader.is_text(byte);
            }
            self.after_masked &= bytes.is_empty();
            out.extend_from_slice(bytes);
            return;
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.state == Some(root) && self.held.is_empty() {
                rest = self.pass(rest, root, out);
            }
            for (count, &byte) in rest.iter().enumerate() {
                self.held.push(byte);
                if self.reader.is_text(byte) {
                    self.text.push((self.held.len() - 1, Fate::Shown));
                    self.follow(byte, self.text.len());
                }
                if self.state == Some(root) || count + 1 == rest.len() {
                    rest = &rest[count + 1..];
                    break;
                }
            }
            let open = self.open();
            let cut = self.start_of(open.min(self.text.len()));
            // Of what was told before, as much as is still part of it.
            let told = open.saturating_sub(self.text.len());
            self.told.drain(..self.told.len() - told);
            self.release(cut, out);
        }
        if self.held.len() > MOST_HELD {
            // Nobody prints a value with so much between its letters but to get it past here.
            self.finish(out);
        }
    }

    /// Nothing has come for a while: lets go of what is held, unless it is the better part of a value. Of a value that
    /// goes on after that, its first five letters at most were told.
    pub fn idle(&mut self, out: &mut Vec<u8>) {
        let open = self.open();
        if open < SHORTEST {
            let here = &self.text[self.text.len() - open.min(self.text.len())..];
            self.told.extend(here.iter().map(|(place, _)| self.held[*place]));
            self.release(self.held.len(), out);
        }
    }

    /// The stream has ended: the beginning of a value is masked too, where it is as long as what is masked at all.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let open = self.open();
        if open >= SHORTEST {
            self.hide(self.text.len().saturating_sub(open), self.text.len());
        }
        self.release(self.held.len(), out);
        self.state = self.mask.0.as_ref().map(root);
        self.told.clear();
        self.after_masked = false;
    }

    /// Lets pass what no value can begin in, where nothing is held; what is left. Most of what is printed goes this way.
    fn pass<'a>(&mut self, bytes: &'a [u8], root: StateID, out: &mut Vec<u8>) -> &'a [u8] {
        let Some(wanted) = &self.mask.0 else { return bytes };
        let (mut reader, mut state, mut safe) = (self.reader, root, 0);
        for (place, &byte) in bytes.iter().enumerate() {
            if reader.is_text(byte) {
                state = wanted.next_state(Anchored::No, state, byte);
            }
            if state == root {
                (safe, self.reader) = (place + 1, reader);
            } else if wanted.is_match(state) {
                break;
            }
        }
        out.extend_from_slice(&bytes[..safe]);
        self.after_masked &= safe == 0;
        &bytes[safe..]
    }

    /// Goes on to the next state by a byte of text, the `count`th of what is held.
    fn follow(&mut self, byte: u8, count: usize) {
        let mask = self.mask.clone();
        let (Some(wanted), Some(state)) = (&mask.0, self.state) else {
            return;
        };
        let state = wanted.next_state(Anchored::No, state, byte);
        self.state = Some(state);
        if let Some(length) = longest(wanted, state) {
            // Of what was let go while nothing came, the beginning is not here any more.
            self.hide(count.saturating_sub(length), count);
        }
    }

    /// Hides the text from one count to another.
    fn hide(&mut self, from: usize, until: usize) {
        if from == until {
            return;
        }
        let follows = match from.checked_sub(1).map(|before| self.text[before]) {
            Some((place, fate)) => fate != Fate::Shown && place + 1 == self.text[from].0,
            None => self.after_masked && self.text.first().is_some_and(|(place, _)| *place == 0),
        };
        for (count, (_, fate)) in self.text[from..until].iter_mut().enumerate() {
            *fate = match *fate {
                Fate::Shown | Fate::Begins if count == 0 && !follows => Fate::Begins,
                _ => Fate::Hidden,
            };
        }
    }

    /// How much of the last text may be the beginning of a value: the automaton is in the state that this much by itself
    /// leads to, and no less does. What was told of it counts.
    fn open(&self) -> usize {
        let (Some(wanted), Some(state)) = (&self.mask.0, self.state) else {
            return 0;
        };
        let most = self.told.len() + self.text.len();
        let leads = |length: usize| {
            let told = &self.told[most.saturating_sub(length).min(self.told.len())..];
            let here = &self.text[self.text.len() - length.min(self.text.len())..];
            let seen = told
                .iter()
                .copied()
                .chain(here.iter().map(|(place, _)| self.held[*place]));
            seen.fold(root(wanted), |state, byte| wanted.next_state(Anchored::No, state, byte)) == state
        };
        // Most often little is open: the bounds are widened from there.
        let (mut above, mut enough) = (0, 0);
        while !leads(enough) {
            if enough == most {
                return most;
            }
            above = enough + 1;
            enough = (enough * 2).clamp(1, most);
        }
        while above < enough {
            let middle = above + (enough - above) / 2;
            if leads(middle) {
                enough = middle;
            } else {
                above = middle + 1;
            }
        }
        enough
    }

    /// Where the last `length` bytes of text begin in what is held.
    fn start_of(&self, length: usize) -> usize {
        match length {
            0 => self.held.len(),
            _ => self.text[self.text.len() - length].0,
        }
    }

    /// Lets go of the first `cut` bytes that are held.
    fn release(&mut self, cut: usize, out: &mut Vec<u8>) {
        let mut fates = self.text.iter().take_while(|(place, _)| *place < cut).peekable();
        let mut count = 0;
        for (place, &byte) in self.held[..cut].iter().enumerate() {
            let fate = match fates.peek() {
                Some((at, fate)) if *at == place => {
                    count += 1;
                    fates.next();
                    *fate
                }
                _ => Fate::Shown,
            };
            match fate {
                Fate::Shown => out.push(byte),
                Fate::Begins => out.extend_from_slice(MASKED.as_bytes()),
                Fate::Hidden => {}
            }
            self.after_masked = fate != Fate::Shown;
        }
        self.held.drain(..cut);
        self.text.drain(..count);
        for (place, _) in &mut self.text {
            *place -= cut;
        }
        if self.held.capacity() > MOST_HELD {
            self.held.shrink_to(MOST_HELD);
            self.text.shrink_to(MOST_HELD);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::text_of, *};
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    use domain::secret::Value;

    fn streamed(values: &[&str], chunks: &[&[u8]]) -> String {
        let values: Vec<_> = values.iter().map(|&value| Value::new(value)).collect();
        let mut masker = Masker::new(Arc::new(Mask::of(&values)));
        let mut out = Vec::new();
        for chunk in chunks {
            masker.push(chunk, &mut out);
        }
        masker.finish(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn a_stream_is_masked_by_a_mask_of_one_length_wherever_it_is_cut() {
        let (short, long) = ("s3cret", "sk_live_4711-canary");
        for (text, expected) in [
            ("KEY=sk_live_4711-canary.", "KEY=********."),
            ("<s3cret> s3cret\n", "<********> ********\n"),
            ("s3crets3cret!", "********!"),
            ("sk_live_\r\n4711-canary$ ", "********\r\n$ "),
            ("sk_\x1b[31mlive_4711\x1b[0m-canary", "********\x1b[31m\x1b[0m"),
            ("\x1b]2;s3cret\x07 at", "\x1b]2;********\x07 at"),
            ("s3cre", "s3cre"),
            ("sk_live_4711-canar", "********"),
            ("sk_live_s3cret", "sk_live_********"),
            ("ssssk_l", "ssssk_l"),
        ] {
            for cut in 0..=text.len() {
                let (one, two) = text.as_bytes().split_at(cut);
                assert_eq!(streamed(&[short, long], &[one, two]), expected, "{text:?} cut at {cut}");
            }
            let letters: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(streamed(&[short, long], &letters), expected, "{text:?}");
        }
        assert_eq!(streamed(&["five5", ""], &[b"five5"]), "five5");
    }

    #[test]
    fn long_values_and_encoded_ones_are_masked_in_a_stream() {
        let long: String = (0..5000).map(|number| format!("{number:x}")).collect();
        let shown = streamed(&[&long], &[b"<", long.as_bytes(), b">"]);
        assert_eq!(shown, format!("<{MASKED}>"));
        let key = format!(
            "-----BEGIN-----\n{}\n{}\n-----END-----\n",
            "Ab1+".repeat(16),
            "Zy9/".repeat(16)
        );
        let shown = streamed(&[&key], &[format!("x {}y", key.replace('\n', "\r\n")).as_bytes()]);
        assert_eq!(shown, format!("x {MASKED}\r\n\r\n\r\n\r\ny"));
        let text = STANDARD_NO_PAD.encode("user:sk_live_4711-canary");
        let shown = streamed(&["sk_live_4711-canary"], &[text.as_bytes()]);
        assert!(shown.contains(MASKED) && shown.len() < 20, "{shown}");
    }

    #[test]
    fn what_waits_is_let_go_of_when_nothing_comes_but_never_more_than_five_letters_of_a_value() {
        let value = Value::new("sk_live_4711-canary");
        let mut masker = Masker::new(Arc::new(Mask::of([&value])));
        let (mut out, mut shown) = (Vec::new(), String::new());
        masker.push(b"The prompt ends with s", &mut out);
        assert!(out.ends_with(b"with "), "an s may begin it");
        masker.idle(&mut out);
        assert!(out.ends_with(b"with s"));
        out.clear();
        // One letter at a time, with all the time in the world.
        for letter in "\r\nsk_live_4711-canary.".bytes() {
            masker.push(&[letter], &mut out);
            masker.idle(&mut out);
        }
        shown.push_str(&String::from_utf8_lossy(&out));
        assert_eq!(shown, format!("\r\nsk_li{MASKED}."));
        masker.push(b"sk_live_47", &mut out);
        out.clear();
        masker.idle(&mut out);
        assert!(out.is_empty());
        masker.push(b"12", &mut out);
        assert_eq!(out, b"sk_live_4712");
    }

    #[test]
    fn values_that_come_later_are_masked_too_and_what_is_held_is_bounded() {
        let [one, two] = ["first-value", "other-value"].map(Value::new);
        let mut masker = Masker::new(Arc::new(Mask::of([&one])));
        let mut out = Vec::new();
        masker.push(b"other-value first-val", &mut out);
        masker.change(Arc::new(Mask::of([&one, &two])));
        masker.push(b"ue other-value", &mut out);
        masker.finish(&mut out);
        assert_eq!(out, format!("other-value {MASKED} {MASKED}").as_bytes());
        out.clear();
        masker.push(b"first-", &mut out);
        for _ in 0..100 {
            masker.push(&b"\x1b[1m".repeat(1000), &mut out);
            assert!(masker.held.len() <= MOST_HELD && masker.held.capacity() <= 4 * MOST_HELD);
        }
        assert!(out.starts_with(MASKED.as_bytes()), "the beginning of a value");
    }

    mod properties {
        use super::*;
        use proptest::{collection::vec, prelude::*};

        /// Few letters, so that beginnings of values are everywhere.
        fn value() -> impl Strategy<Value = String> {
            "[abc \n]{0,3}[abc]{6,12}[ab\n]{0,9}"
        }

        /// What a program prints: letters, blanks, colours, and now and then a value.
        fn text(values: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
            let plain = prop_oneof![
                "[abc]{1,8}",
                "[abcd \r\n]{1,8}",
                Just("\x1b[31m".to_owned()),
                Just("\x1b]2;".to_owned()),
                Just("\x1b(B".to_owned()),
                "\\PC{0,3}",
            ];
            let chosen = proptest::sample::select(values);
            vec(prop_oneof![3 => plain, 1 => chosen], 0..12).prop_map(|words| words.concat().into_bytes())
        }

        fn case() -> impl Strategy<Value = (Vec<String>, Vec<u8>, Vec<(usize, bool)>)> {
            vec(value(), 1..4).prop_flat_map(|values| {
                (
                    Just(values.clone()),
                    text(values),
                    vec((1..9_usize, any::<bool>()), 1..40),
                )
            })
        }

        fn holds(text: &[u8], value: &[u8]) -> bool {
            text.windows(value.len()).any(|window| window == value)
        }

        /// In pieces of these lengths, over and over; `rests`: with a rest after those that say so.
        fn run(mask: &Arc<Mask>, text: &[u8], cuts: &[(usize, bool)], rests: bool) -> Vec<u8> {
            let mut masker = Masker::new(mask.clone());
            let (mut out, mut rest) = (Vec::new(), text);
            for (length, is_idle) in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, then) = rest.split_at((*length).min(rest.len()));
                masker.push(now, &mut out);
                if rests && *is_idle {
                    masker.idle(&mut out);
                }
                rest = then;
            }
            masker.finish(&mut out);
            out
        }

        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

            #[test]
            fn no_value_comes_out_and_nothing_else_changes((values, text, cuts) in case()) {
                let kept: Vec<_> = values.iter().map(|value| Value::new(value.as_str())).collect();
                let mask = Arc::new(Mask::of(&kept));
                let whole = run(&mask, &text, &[(usize::MAX, false)], false);
                prop_assert_eq!(&run(&mask, &text, &cuts, false), &whole);
                let rested = run(&mask, &text, &cuts, true);
                let there = |text: &[u8]| values.iter().any(|value| holds(&text_of(text), &text_of(value.as_bytes())));
                for out in [&whole, &rested] {
                    prop_assert!(!there(out), "{:?}", String::from_utf8_lossy(out));
                }
                // What ends in the beginning of a value is masked there too.
                let begins = |value: &String| {
                    let value = text_of(value.as_bytes());
                    (SHORTEST..value.len()).any(|length| text_of(&text).ends_with(&value[..length]))
                };
                if !there(&text) && !values.iter().any(begins) {
                    prop_assert_eq!(&whole, &text);
                    prop_assert_eq!(&rested, &text);
                }
            }
        }
    }
}
