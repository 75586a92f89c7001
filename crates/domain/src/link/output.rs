/// Where we are in a terminal's output: what has come, what the emulator has parsed, what was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// The position of the next byte that is wanted; `None` before the first snapshot.
    next: Option<u64>,
    parsed: u64,
    acknowledged: u64,
    /// Counts snapshots: what was parsed of an earlier screen says nothing about this one.
    round: u32,
}

/// What to do with a piece of output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// Write these bytes; afterwards everything before `until` has been written.
    New { fresh: &'a [u8], until: u64 },
    /// Nothing in it is new.
    Seen,
    /// Something before it is missing.
    Gap,
}

/// Parsed bytes after which an acknowledgement goes out at once: an eighth of the credit, so that the host never waits.
const AT_ONCE: u64 = crate::wire::CREDIT / 8;

impl Output {
    pub(super) const fn shown(&self) -> bool {
        self.next.is_some()
    }

    pub(super) const fn next(&self) -> Option<u64> {
        self.next
    }

    pub(super) const fn round(&self) -> u32 {
        self.round
    }

    pub(super) fn goes_on_at(&self, seq: u64) -> bool {
        self.next == Some(seq)
    }

    pub(super) const fn restored(&mut self, seq: u64) -> u32 {
        self.next = Some(seq);
        (self.parsed, self.acknowledged) = (seq, seq);
        self.round = self.round.wrapping_add(1);
        self.round
    }

    pub(super) fn place<'a>(&mut self, seq: u64, bytes: &'a [u8]) -> Place<'a> {
        let Some(next) = self.next else {
            return Place::Gap;
        };
        let until = seq.saturating_add(bytes.len() as u64);
        if seq > next {
            return Place::Gap;
        }
        if until <= next {
            return Place::Seen;
        }
        self.next = Some(until);
        // `seq <= next < until`, so the overlap is shorter than the bytes.
        let overlap = usize::try_from(next - seq).unwrap_or(bytes.len());
        Place::New {
            fresh: bytes.get(overlap..).unwrap_or_default(),
            until,
        }
    }

    /// Notes progress of the emulator; true when an acknowledgement should not wait.
    pub(super) fn parsed(&mut self, round: u32, until: u64) -> bool {
        if round == self.round {
            self.parsed = self.parsed.max(until);
        }
        self.parsed - self.acknowledged >= AT_ONCE
    }

    pub(super) const fn owes(&self) -> bool {
        self.parsed > self.acknowledged
    }

    pub(super) fn acknowledge(&mut self) -> Option<u64> {
        self.owes().then(|| {
            self.acknowledged = self.parsed;
            self.parsed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_cut_and_gaps_are_seen() {
        let mut output = Output::default();
        assert_eq!(
            output.place(0, b"x"),
            Place::Gap,
            "nothing has a place before the first screen"
        );
        output.restored(10);
        assert_eq!(
            output.place(10, b"abc"),
            Place::New {
                fresh: b"abc",
                until: 13
            }
        );
        assert_eq!(output.place(11, b"bc"), Place::Seen);
        assert_eq!(
            output.place(12, b"cde"),
            Place::New {
                fresh: b"de",
                until: 15
            }
        );
        assert_eq!(output.place(16, b"g"), Place::Gap);
        assert_eq!(output.next(), Some(15));
    }

    #[test]
    fn what_an_earlier_screen_parsed_is_not_acknowledged_for_this_one() {
        let mut output = Output::default();
        let first = output.restored(1_000_000);
        let second = output.restored(5);
        assert!(!output.parsed(first, 1_000_000));
        assert_eq!(output.acknowledge(), None);
        assert!(!output.parsed(second, 9));
        assert_eq!(output.acknowledge(), Some(9));
        assert!(output.parsed(second, 9 + AT_ONCE));
    }
}
