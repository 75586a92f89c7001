//! Who drives: whose keys and size count.
//!
//! - One attachment drives. Attachments of the same person share the drive: whoever of them types has the size.
//! - Who attaches while nobody drives drives if it is the only one that may, or if the drive was this person's last.
//! - When the driver leaves, or releases, nobody drives and the size stays. The next attachment that may type and types
//!   drives; so does the only one that may, when its window changes.
//! - A drive without a keystroke for [`IDLE`] falls to whoever types. "Take control" moves it at once.

use std::time::{Duration, Instant};

/// A drive that was not used for so long is free for whoever types.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// The drive of one terminal.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    driver: Option<Driver>,
    /// Who drove last, for somebody whose connection was lost and who comes back.
    last: Option<String>,
}

#[derive(Debug)]
struct Driver {
    attachment: u64,
    person: String,
    used: Instant,
}

impl Lease {
    /// The attachment whose size counts.
    pub(crate) fn driver(&self) -> Option<u64> {
        self.driver.as_ref().map(|driver| driver.attachment)
    }

    /// Whether this person has the drive (on whichever attachment).
    pub(crate) fn is_held_by(&self, person: &str) -> bool {
        self.driver.as_ref().is_some_and(|driver| driver.person == person)
    }

    /// Whether this person would be given the drive back.
    pub(crate) fn was_held_by(&self, person: &str) -> bool {
        self.driver.is_none() && self.last.as_deref() == Some(person)
    }

    /// Gives the drive to an attachment (that may type); says whether that changed anything.
    pub(crate) fn give(&mut self, attachment: u64, person: &str, now: Instant) -> bool {
        let changed = self.driver() != Some(attachment);
        self.driver = Some(Driver {
            attachment,
            person: String::from(person),
            used: now,
        });
        self.last = Some(String::from(person));
        changed
    }

    /// An attachment (that may type) types: `Some(changed)` when it drives now, `None` when somebody else does.
    pub(crate) fn typed(&mut self, attachment: u64, person: &str, now: Instant) -> Option<bool> {
        match &self.driver {
            Some(driver) if driver.person != person && now.saturating_duration_since(driver.used) < IDLE => None,
            _ => Some(self.give(attachment, person, now)),
        }
    }

    /// The drive is free again.
    pub(crate) fn release(&mut self) {
        self.driver = None;
    }

    /// An attachment has gone; `sibling` is another one of the same person, which drives on. Says whether it drove.
    pub(crate) fn gone(&mut self, attachment: u64, sibling: Option<u64>) -> bool {
        let Some(driver) = self.driver.as_mut().filter(|driver| driver.attachment == attachment) else {
            return false;
        };
        match sibling {
            Some(sibling) => driver.attachment = sibling,
            None => self.driver = None,
        }
        true
    }
}
