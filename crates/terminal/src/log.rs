//! The newest output, by its absolute position.

use std::collections::VecDeque;

/// Bytes of output that are kept for those who come back.
pub(crate) const MOST_LOG: usize = 1024 * 1024;

/// The newest [`MOST_LOG`] bytes of a program's output.
#[derive(Debug, Default)]
pub(crate) struct Log {
    bytes: VecDeque<u8>,
    end: u64,
}

impl Log {
    /// The position of the next byte.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The position of the oldest byte that is kept.
    pub(crate) fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.end += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(MOST_LOG)..];
        let over = (self.bytes.len() + kept.len()).saturating_sub(MOST_LOG);
        self.bytes.drain(..over);
        self.bytes.extend(kept);
    }

    /// Adds the bytes of `from..to` to `out`; both positions must be kept.
    pub(crate) fn copy(&self, from: u64, to: u64, out: &mut Vec<u8>) {
        let start = self.start();
        let (from, to) = ((from - start) as usize, (to - start) as usize);
        let (first, second) = self.bytes.as_slices();
        if from < first.len() {
            out.extend_from_slice(&first[from..to.min(first.len())]);
        }
        if to > first.len() {
            out.extend_from_slice(&second[from.saturating_sub(first.len())..to - first.len()]);
        }
    }

    /// The largest position up to `to` that does not divide a character, not before `from`.
    ///
    /// Emulators in browsers have lost characters that came in two messages; nobody can see half of one anyway.
    pub(crate) fn whole(&self, from: u64, to: u64) -> u64 {
        let start = self.start();
        for back in 1..=3 {
            let Some(at) = to.checked_sub(back).filter(|at| *at >= from) else {
                return to;
            };
            let Some(byte) = self.bytes.get((at - start) as usize) else {
                return to;
            };
            let need = match byte {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                0x80..=0xbf => continue,
                _ => return to,
            };
            return if need > back { at } else { to };
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_is_what_was_written(chunks in proptest::collection::vec(0usize..200_000, 0..12)) {
            let mut log = Log::default();
            let mut all = Vec::new();
            for (round, len) in chunks.into_iter().enumerate() {
                let chunk: Vec<u8> = (0..len).map(|i| (i * 7 + round) as u8).collect();
                log.push(&chunk);
                all.extend_from_slice(&chunk);
                prop_assert_eq!(log.end(), all.len() as u64);
                let mut out = Vec::new();
                log.copy(log.start(), log.end(), &mut out);
                prop_assert_eq!(&out, &all[log.start() as usize..]);
                let middle = log.start() + (log.end() - log.start()) / 3;
                out.clear();
                log.copy(middle, log.end(), &mut out);
                prop_assert_eq!(&out, &all[middle as usize..]);
            }
        }

        #[test]
        fn a_frame_never_ends_inside_a_character(text in "[a-zä€😀]{0,40}", cut in 0usize..200) {
            let mut log = Log::default();
            log.push(text.as_bytes());
            let cut = cut.min(text.len());
            let whole = log.whole(0, cut as u64) as usize;
            prop_assert!(text.is_char_boundary(whole));
            prop_assert!(cut - whole < 4);
        }
    }
}
