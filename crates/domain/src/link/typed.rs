use crate::wire::MAX_CHUNK;
use std::collections::VecDeque;

/// What was typed and is not known to have arrived.
#[derive(Debug, Default)]
pub(super) struct Typed {
    held: VecDeque<u8>,
    /// The position of the first held byte.
    base: u64,
    /// The position of the first byte that was not sent on this connection.
    sent: u64,
}

/// The most that is held; beyond it the person is told.
pub(super) const HELD: usize = 256 * 1024;
/// The most that is under way and not acknowledged: a big paste goes in pieces, and the host holds little of it.
const WINDOW: u64 = 64 * 1024;

impl Typed {
    /// Takes all of it, or nothing.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.held.len() + bytes.len() <= HELD;
        if fits {
            self.held.extend(bytes);
        }
        fits
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The next piece to send and its position.
    pub(super) fn next_frame(&mut self) -> Option<(u64, Vec<u8>)> {
        let end = self.base + self.held.len() as u64;
        let until = end.min(self.base + WINDOW).min(self.sent + MAX_CHUNK as u64);
        if until <= self.sent {
            return None;
        }
        let range = (self.sent - self.base) as usize..(until - self.base) as usize;
        let frame = (self.sent, self.held.range(range).copied().collect());
        self.sent = until;
        Some(frame)
    }

    /// Everything before `at` has been written to the program (or refused for good).
    pub(super) fn acknowledged(&mut self, at: u64) {
        let Some(written) = at.checked_sub(self.base) else {
            // The host lost count of what it had; the numbers go on from where it is.
            (self.base, self.sent) = (at, at);
            return;
        };
        let written = written.min(self.held.len() as u64);
        self.held.drain(..written as usize);
        self.base = at;
        self.sent = self.sent.max(at);
    }

    /// A new connection to the same program, of which `at` bytes have been written. False when bytes had to be dropped
    /// because nobody can know whether they arrived.
    pub(super) fn resume(&mut self, at: u64) -> bool {
        if at >= self.base && at - self.base <= self.held.len() as u64 {
            self.sent = at;
            self.acknowledged(at);
            return true;
        }
        self.start_over(at)
    }

    /// Another program reads now: what was meant for the one before is not for it. False when there was something.
    pub(super) fn start_over(&mut self, at: u64) -> bool {
        let kept = self.held.is_empty();
        self.held.clear();
        (self.base, self.sent) = (at, at);
        kept
    }

    /// The host could not take what is under way: it is sent again.
    pub(super) fn rewind(&mut self) {
        self.sent = self.base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_big_paste_goes_in_pieces_and_waits_for_the_host() {
        let mut typed = Typed::default();
        assert!(typed.push(&vec![b'x'; 100_000]));
        let sent: Vec<_> = std::iter::from_fn(|| typed.next_frame())
            .map(|(at, bytes)| (at, bytes.len()))
            .collect();
        assert_eq!(sent, [(0, MAX_CHUNK), (MAX_CHUNK as u64, MAX_CHUNK)]);
        typed.acknowledged(40_000);
        assert_eq!(
            typed.next_frame().map(|(at, bytes)| (at, bytes.len())),
            Some((65_536, 32_768))
        );
    }

    #[test]
    fn what_does_not_fit_is_not_taken_in_part() {
        let mut typed = Typed::default();
        assert!(typed.push(&vec![b'x'; HELD]));
        assert!(!typed.push(b"y"));
        while typed.next_frame().is_some() {}
        typed.acknowledged(1);
        assert!(typed.push(b"y"));
    }

    #[test]
    fn only_what_was_not_written_is_sent_again() {
        let mut typed = Typed::default();
        typed.push(b"hello");
        assert_eq!(typed.next_frame(), Some((0, b"hello".to_vec())));
        assert!(typed.resume(2));
        assert_eq!(typed.next_frame(), Some((2, b"llo".to_vec())));
        assert!(!typed.resume(99), "a position that was never typed drops what is held");
        typed.push(b"x");
        assert_eq!(typed.next_frame(), Some((99, b"x".to_vec())));
    }

    #[test]
    fn what_the_host_had_no_room_for_is_sent_again() {
        let mut typed = Typed::default();
        typed.push(b"hello");
        typed.next_frame();
        typed.rewind();
        typed.acknowledged(3);
        assert_eq!(typed.next_frame(), Some((3, b"lo".to_vec())));
    }

    #[test]
    fn when_the_host_lost_count_numbers_go_on_from_where_it_is() {
        let mut typed = Typed::default();
        typed.push(b"hello");
        typed.next_frame();
        typed.acknowledged(5);
        typed.push(b"x");
        typed.acknowledged(2);
        assert_eq!(typed.next_frame(), Some((2, b"x".to_vec())));
    }
}
