//! On-screen keyboards do not press keys, they edit text: they compose, correct and replace what was typed before. The
//! difference between the text before and after is what a terminal has to be told.

/// The hidden text field, as far as the terminal has been told of it.
#[derive(Debug, Default)]
pub struct Shadow {
    told: String,
}

impl Shadow {
    /// The field now holds this, and the terminal is not to be told (it was cleared, or a key press was handled).
    pub fn set(&mut self, value: &str) {
        value.clone_into(&mut self.told);
    }

    /// The field was edited: backspaces over what went away, then what is new.
    pub fn edited(&mut self, value: &str) -> String {
        let same = self
            .told
            .chars()
            .zip(value.chars())
            .take_while(|(old, new)| old == new)
            .map(|(old, _)| old.len_utf8())
            .sum();
        let gone = self.told.get(same..).unwrap_or_default().chars().count();
        let fresh = value.get(same..).unwrap_or_default();
        let typed = "\x7f".repeat(gone) + &fresh.replace('\n', "\r");
        self.set(value);
        typed
    }
}

/// Whether a composition may be typed as it grows. Latin keyboards on phones compose every word, and their owner expects
/// each letter at once; where a composition is a spelling of something else (kana, pinyin), only the result is meant.
#[must_use]
pub fn types_live(composition: &str) -> bool {
    composition.chars().all(|character| character < '\u{250}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_a_composed_word_are_typed_once_each() {
        let mut shadow = Shadow::default();
        let typed: Vec<_> = ["g", "gi", "git", "git "]
            .iter()
            .map(|value| shadow.edited(value))
            .collect();
        assert_eq!(typed, ["g", "i", "t", " "]);
    }

    #[test]
    fn a_correction_takes_back_only_what_it_changes() {
        let mut shadow = Shadow::default();
        shadow.edited("teh");
        assert_eq!(shadow.edited("the "), "\x7f\x7fhe ");
        assert_eq!(shadow.edited("the"), "\x7f");
    }

    #[test]
    fn wide_and_combining_characters_are_counted_not_bytes() {
        let mut shadow = Shadow::default();
        shadow.edited("héé");
        assert_eq!(shadow.edited("h"), "\x7f\x7f");
        assert_eq!(shadow.edited("h日本"), "日本");
    }

    #[test]
    fn a_field_that_was_cleared_by_others_types_nothing() {
        let mut shadow = Shadow::default();
        shadow.edited("ls");
        shadow.set("");
        assert_eq!(shadow.edited("c"), "c");
        assert_eq!(shadow.edited("c\n"), "\r");
    }

    #[test]
    fn spellings_wait_for_their_result() {
        assert!(types_live("hello"));
        assert!(types_live("für"));
        assert!(!types_live("にほ"));
    }
}
