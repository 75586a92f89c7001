//! The usage facts of a session, on disk until the server has them.
//!
//! One JSON object a line. Facts are numbered from 1 over all restarts of the host; the first line says up to which
//! number they have been forgotten. A line that was cut off by a crash is dropped: its fact was never told to anybody.
//!
//! While no host runs, the bytes of the session stay on the disk and are used all the same. A line says how many they
//! are and from when on they have not been counted; whoever reads the ledger then turns the time since into facts. Fact
//! and new time are written at once, so that no moment is counted twice or left out, whoever dies when.
//!
//! A ledger belongs to one process at a time: a host for its life, a server for a moment while there is no host.

use crate::files::write_atomically;
use domain::host::{Dimension, UsageFact};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The facts that nobody has taken yet.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    forgotten: u64,
    facts: Vec<UsageFact>,
    /// The last number that was given.
    last: u64,
    asleep: Option<Asleep>,
    /// Locked for as long as this is open. Never read.
    _lock: File,
}

/// What stays on the disk while no host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asleep {
    bytes: u64,
    /// Milliseconds since the Unix epoch; before this everything is counted.
    since: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Forgotten { forgotten: u64 },
    Asleep { asleep: Asleep },
    Fact(UsageFact),
}

/// The most facts of one answer, far below [`domain::host::MAX_MESSAGE`]; who takes them asks for the next.
pub const ANSWER: usize = 5000;

/// The longest stretch of one fact of a sleeping session: what is summed by the day must not lie in another one.
const STRETCH: i64 = 24 * 3600 * 1000;
/// What is counted at once at most: a machine that was off for longer, or whose clock jumped, has not used more.
const MOST_AT_ONCE: i64 = 31 * STRETCH;
/// A shorter time is not worth a fact.
const LEAST_AT_ONCE: i64 = 1000;

impl Ledger {
    /// Reads what is there; a file that is not there is an empty ledger. Waits for whoever has it open.
    pub fn open(path: &Path) -> io::Result<Self> {
        let lock = lock_file(path)?;
        rustix::io::retry_on_intr(|| rustix::fs::flock(&lock, FlockOperation::LockExclusive))?;
        Self::read(path, lock)
    }

    /// The same without waiting: nothing where somebody has it open.
    pub fn try_open(path: &Path) -> io::Result<Option<Self>> {
        let lock = lock_file(path)?;
        match rustix::io::retry_on_intr(|| rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Self::read(path, lock).map(Some),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read(path: &Path, lock: File) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let mut ledger = Self {
            path: path.to_owned(),
            forgotten: 0,
            facts: Vec::new(),
            last: 0,
            asleep: None,
            _lock: lock,
        };
        let mut whole = text.is_empty() || text.ends_with('\n');
        for line in text.lines() {
            match serde_json::from_str(line) {
                Ok(Line::Forgotten { forgotten }) => ledger.forgotten = forgotten,
                Ok(Line::Asleep { asleep }) => ledger.asleep = Some(asleep),
                Ok(Line::Fact(fact)) if fact.number > ledger.last => {
                    ledger.last = fact.number;
                    ledger.facts.push(fact);
                }
                _ => whole = false,
            }
        }
        ledger.last = ledger.last.max(ledger.forgotten);
        if !whole {
            ledger.rewrite()?;
        }
        Ok(ledger)
    }

    /// Numbers facts and writes them, in one go, so that they survive whatever happens next.
    pub fn append(&mut self, mut facts: Vec<UsageFact>) -> io::Result<()> {
        let mut lines = Vec::new();
        for (fact, number) in facts.iter_mut().zip(self.last + 1..) {
            fact.number = number;
            serde_json::to_writer(&mut lines, fact)?;
            lines.push(b'\n');
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(&lines).and_then(|()| file.sync_data()) {
            // Half a line (a full disk) would swallow the next one.
            let _ = file.set_len(before);
            return Err(error);
        }
        self.last += facts.len() as u64;
        self.facts.append(&mut facts);
        Ok(())
    }

    /// Forgets the facts up to `after`, and says what follows.
    pub fn take(&mut self, after: u64) -> io::Result<Vec<UsageFact>> {
        if after > self.last {
            // The server knows more: this ledger was lost once, and what it holds since has taken numbers.
            for (fact, number) in self.facts.iter_mut().zip(after + 1..) {
                fact.number = number;
            }
            self.last = after + self.facts.len() as u64;
        }
        if after > self.forgotten {
            self.forgotten = after;
            self.facts.retain(|fact| fact.number > after);
            self.rewrite()?;
        }
        let first = self.facts.partition_point(|fact| fact.number <= after);
        Ok(self.facts[first..].iter().take(ANSWER).cloned().collect())
    }

    /// Whether the bytes of a session without a host are being counted.
    pub fn is_asleep(&self) -> bool {
        self.asleep.is_some()
    }

    /// From `now` (milliseconds since the Unix epoch) on the session is so many bytes on a disk, until [`Ledger::wake`].
    pub fn sleep(&mut self, bytes: u64, now: i64) -> io::Result<()> {
        let since = self.asleep.replace(Asleep { bytes, since: now });
        self.rewrite().inspect_err(|_| self.asleep = since)
    }

    /// Turns the time that a session has slept until `now` into facts.
    pub fn count_sleep(&mut self, now: i64) -> io::Result<()> {
        let Some(before) = self.asleep else { return Ok(()) };
        let Asleep { bytes, since } = before;
        if (0..LEAST_AT_ONCE).contains(&now.saturating_sub(since)) {
            return Ok(());
        }
        let known = (self.facts.len(), self.last);
        let mut from = since.max(now.saturating_sub(MOST_AT_ONCE));
        while from < now {
            let until = now.min(from.saturating_add(STRETCH));
            let millis = u128::from(until.abs_diff(from));
            let quantity = u64::try_from(u128::from(bytes) * millis / 1000).unwrap_or(u64::MAX);
            if quantity > 0 {
                self.last += 1;
                self.facts.push(UsageFact {
                    number: self.last,
                    dimension: Dimension::Storage,
                    quantity,
                    from,
                    until,
                });
            }
            from = until;
        }
        self.asleep = Some(Asleep { bytes, since: now });
        self.rewrite().inspect_err(|_| {
            self.facts.truncate(known.0);
            (self.last, self.asleep) = (known.1, Some(before));
        })
    }

    /// Ends what [`Ledger::sleep`] began: from `now` on a host counts by itself.
    pub fn wake(&mut self, now: i64) -> io::Result<()> {
        if self.asleep.is_none() {
            return Ok(());
        }
        self.count_sleep(now)?;
        let before = self.asleep.take();
        self.rewrite().inspect_err(|_| self.asleep = before)
    }

    /// How many facts wait to be taken.
    pub fn waiting(&self) -> usize {
        self.facts.len()
    }

    fn rewrite(&self) -> io::Result<()> {
        let mut lines = serde_json::to_vec(&Line::Forgotten {
            forgotten: self.forgotten,
        })?;
        lines.push(b'\n');
        if let Some(asleep) = self.asleep {
            serde_json::to_writer(&mut lines, &Line::Asleep { asleep })?;
            lines.push(b'\n');
        }
        for fact in &self.facts {
            serde_json::to_writer(&mut lines, fact)?;
            lines.push(b'\n');
        }
        write_atomically(&self.path, &lines)?;
        // The new name itself must survive as well.
        self.path
            .parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

/// A file of its own: the ledger's is replaced, and a lock would go with it.
fn lock_file(path: &Path) -> io::Result<File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    OpenOptions::new().create(true).truncate(false).write(true).open(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(quantity: u64) -> UsageFact {
        UsageFact {
            number: 0,
            dimension: Dimension::ComputeCpu,
            quantity,
            from: 1,
            until: 2,
        }
    }

    fn numbers(facts: &[UsageFact]) -> Vec<u64> {
        facts.iter().map(|fact| fact.number).collect()
    }

    #[test]
    fn facts_are_numbered_over_restarts_even_when_all_were_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("usage");
        let mut ledger = Ledger::open(&path).expect("opens");
        ledger.append(vec![fact(5), fact(6)]).expect("written");
        drop(ledger);
        let mut ledger = Ledger::open(&path).expect("opens");
        assert_eq!(numbers(&ledger.take(0).expect("reads")), [1, 2]);
        assert_eq!(
            numbers(&ledger.take(0).expect("reads")),
            [1, 2],
            "until they are forgotten"
        );
        assert!(ledger.take(2).expect("forgets").is_empty());
        drop(ledger);
        let mut ledger = Ledger::open(&path).expect("opens");
        ledger.append(vec![fact(7)]).expect("written");
        assert_eq!(numbers(&ledger.take(2).expect("reads")), [3]);
    }

    #[test]
    fn a_line_that_was_cut_off_is_dropped_and_swallows_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("usage");
        Ledger::open(&path)
            .expect("opens")
            .append(vec![fact(1), fact(2)])
            .expect("written");
        let text = std::fs::read_to_string(&path).expect("reads");
        std::fs::write(&path, &text[..text.len() - 10]).expect("cut");
        let mut ledger = Ledger::open(&path).expect("opens");
        ledger.append(vec![fact(3)]).expect("written");
        drop(ledger);
        let facts = Ledger::open(&path).expect("opens").take(0).expect("reads");
        assert_eq!(facts.iter().map(|fact| fact.quantity).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(numbers(&facts), [1, 2]);
    }

    const DAY: i64 = 24 * 3600 * 1000;

    fn storage(facts: &[UsageFact]) -> u64 {
        assert!(facts.iter().all(|fact| fact.dimension == Dimension::Storage));
        facts.iter().map(|fact| fact.quantity).sum()
    }

    #[test]
    fn what_sleeps_is_counted_by_time_and_no_moment_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("usage");
        let mut ledger = Ledger::open(&path).expect("opens");
        ledger.append(vec![fact(5)]).expect("written");
        ledger.sleep(1000, 10_000).expect("written");
        ledger.count_sleep(20_000).expect("written");
        drop(ledger);
        // Whoever comes next knows what was counted, and until when.
        let mut ledger = Ledger::open(&path).expect("opens");
        let facts = ledger.take(1).expect("reads");
        assert_eq!((numbers(&facts), storage(&facts)), (vec![2], 10_000));
        assert_eq!((facts[0].from, facts[0].until), (10_000, 20_000));
        ledger.count_sleep(20_999).expect("too short");
        ledger.wake(25_000).expect("written");
        ledger.count_sleep(90_000).expect("a host counts by itself");
        drop(ledger);
        let mut ledger = Ledger::open(&path).expect("opens");
        assert!(!ledger.is_asleep());
        let facts = ledger.take(1).expect("reads");
        assert_eq!((numbers(&facts), storage(&facts)), (vec![2, 3], 15_000));
    }

    #[test]
    fn a_long_sleep_is_told_by_the_day_and_no_clock_makes_it_endless_or_negative() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::open(&folder.path().join("usage")).expect("opens");
        ledger.sleep(10, 0).expect("written");
        ledger.count_sleep(2 * DAY + 5000).expect("written");
        let facts = ledger.take(0).expect("reads");
        assert_eq!(facts.len(), 3);
        assert!(facts.windows(2).all(|pair| pair[0].until == pair[1].from));
        assert_eq!(storage(&facts), 10 * (2 * 86_400 + 5));
        // Back by a day: nothing is counted, and time goes on from there.
        ledger.count_sleep(DAY).expect("written");
        assert!(ledger.take(3).expect("reads").is_empty());
        ledger.count_sleep(DAY + 4000).expect("written");
        assert_eq!(storage(&ledger.take(3).expect("reads")), 40);
        ledger.count_sleep(i64::MAX).expect("written");
        assert_eq!(storage(&ledger.take(4).expect("reads")), 10 * 31 * 86_400);
    }

    #[test]
    fn a_ledger_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("usage");
        let ledger = Ledger::open(&path).expect("opens");
        assert!(Ledger::try_open(&path).expect("asks").is_none());
        drop(ledger);
        assert!(Ledger::try_open(&path).expect("asks").is_some());
    }

    #[test]
    fn a_server_that_knows_more_than_the_ledger_gets_all_of_it_under_new_numbers() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::open(&folder.path().join("usage")).expect("opens");
        ledger.append(vec![fact(1)]).expect("written");
        assert_eq!(numbers(&ledger.take(100).expect("reads")), [101]);
        ledger.append(vec![fact(2)]).expect("written");
        assert_eq!(numbers(&ledger.take(101).expect("reads")), [102]);
    }
}
