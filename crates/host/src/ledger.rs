//! The usage facts of a session, on disk until the server has them.
//!
//! One JSON object a line. Facts are numbered from 1 over all restarts of the host; the first line says up to which
//! number they have been forgotten. A line that was cut off by a crash is dropped: its fact was never told to anybody.

use crate::files::write_atomically;
use domain::host::UsageFact;
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
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Forgotten { forgotten: u64 },
    Fact(UsageFact),
}

/// The most facts of one answer, far below [`domain::host::MAX_MESSAGE`]; who takes them asks for the next.
pub const ANSWER: usize = 5000;

impl Ledger {
    /// Reads what is there; a file that is not there is an empty ledger.
    pub fn open(path: &Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let mut ledger = Self {
            path: path.to_owned(),
            forgotten: 0,
            facts: Vec::new(),
            last: 0,
        };
        let mut whole = text.is_empty() || text.ends_with('\n');
        for line in text.lines() {
            match serde_json::from_str(line) {
                Ok(Line::Forgotten { forgotten }) => ledger.forgotten = forgotten,
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

    /// How many facts wait to be taken.
    pub fn waiting(&self) -> usize {
        self.facts.len()
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let mut lines = serde_json::to_vec(&Line::Forgotten {
            forgotten: self.forgotten,
        })?;
        lines.push(b'\n');
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::host::Dimension;

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
