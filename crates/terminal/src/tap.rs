//! What comes out of a terminal, for somebody who keeps it: a recording. It never waits for whoever listens.

use bytes::Bytes;
use domain::wire::Size;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;
use tokio::sync::mpsc;

/// Output that may wait to be taken, in bytes: what a program writes while a disk is slow for a moment.
pub const MOST_WAITING: usize = 4 * 1024 * 1024;
/// Pieces that may wait to be taken.
const MOST_PIECES: usize = 4096;

/// Where a terminal tells what comes out of it. Dropped when its program has ended and everything was told.
#[derive(Clone, Debug)]
pub struct Tap {
    told: mpsc::Sender<(SystemTime, Tapped)>,
    waiting: Arc<AtomicUsize>,
    /// Bytes that there was no room for.
    lost: u64,
}

/// The other end of a [`Tap`].
#[derive(Debug)]
pub struct Tapping {
    told: mpsc::Receiver<(SystemTime, Tapped)>,
    waiting: Arc<AtomicUsize>,
}

/// What came out of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tapped {
    Output(Bytes),
    /// What follows is drawn at this size.
    Resized(Size),
    /// So many bytes of output are missing here: whoever listens was too slow.
    Lost(u64),
}

/// Both ends.
pub fn tap() -> (Tap, Tapping) {
    let (tell, told) = mpsc::channel(MOST_PIECES);
    let waiting = Arc::new(AtomicUsize::new(0));
    let tap = Tap {
        told: tell,
        waiting: Arc::clone(&waiting),
        lost: 0,
    };
    (tap, Tapping { told, waiting })
}

impl Tap {
    pub(crate) fn output(&mut self, bytes: &[u8]) {
        let room = self.waiting.load(Ordering::Relaxed) + bytes.len() <= MOST_WAITING;
        let told = room && self.tell_lost() && {
            self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
            let told = self.tell(Tapped::Output(Bytes::copy_from_slice(bytes)));
            if !told {
                self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            }
            told
        };
        if !told {
            self.lost += bytes.len() as u64;
        }
    }

    /// A size that finds no room is told by the next one.
    pub(crate) fn resized(&mut self, size: Size) {
        let _ = self.tell_lost() && self.tell(Tapped::Resized(size));
    }

    fn tell_lost(&mut self) -> bool {
        if self.lost > 0 && self.tell(Tapped::Lost(self.lost)) {
            self.lost = 0;
        }
        self.lost == 0
    }

    fn tell(&self, what: Tapped) -> bool {
        self.told.try_send((SystemTime::now(), what)).is_ok()
    }
}

impl Tapping {
    /// Waits for what comes next, and takes up to `most` pieces of it into `taken`; `false`: nothing will come any more.
    pub async fn take(&mut self, taken: &mut Vec<(SystemTime, Tapped)>, most: usize) -> bool {
        let count = self.told.recv_many(taken, most).await;
        let bytes = taken[taken.len() - count..].iter().map(|(_, what)| match what {
            Tapped::Output(bytes) => bytes.len(),
            Tapped::Resized(_) | Tapped::Lost(_) => 0,
        });
        self.waiting.fetch_sub(bytes.sum(), Ordering::Relaxed);
        count > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_too_slowly_is_told_how_much_is_missing_and_holds_up_nobody() {
        let (mut tap, mut tapping) = tap();
        let piece = vec![b'x'; 64 * 1024];
        let fit = MOST_WAITING / piece.len();
        for _ in 0..fit + 3 {
            tap.output(&piece);
        }
        let mut taken = Vec::new();
        while taken.len() < fit {
            assert!(tapping.take(&mut taken, 1000).await);
        }
        tap.output(b"after");
        tap.resized(Size { cols: 90, rows: 20 });
        drop(tap);
        while tapping.take(&mut taken, 1000).await {}
        let taken: Vec<_> = taken.into_iter().map(|(_, what)| what).collect();
        assert_eq!(
            taken[fit..],
            [
                Tapped::Lost(3 * 64 * 1024),
                Tapped::Output(Bytes::from_static(b"after")),
                Tapped::Resized(Size { cols: 90, rows: 20 }),
            ]
        );
    }
}
