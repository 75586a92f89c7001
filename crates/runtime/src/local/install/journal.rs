//! What an installation has said, and why the last one failed.

use super::super::Here;
use super::super::layout::make_private;
use anyhow::Result;
use domain::agent::Agent;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The log and the failure of one agent.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    folder: PathBuf,
}

/// A log that grows beyond this begins anew: its end is what explains a failure.
const MOST: u64 = 1 << 20;
/// What is shown of it.
const SHOWN: u64 = 64 << 10;

impl Journal {
    pub(super) fn of(here: &Here, agent: &Agent) -> Self {
        Self {
            folder: here.layout.agents().join(&agent.slug),
        }
    }

    /// Begins a new log and forgets the last failure.
    pub(super) fn begin(&self) -> Result<()> {
        make_private(&self.folder)?;
        File::create(self.log())?;
        self.forget_failure();
        Ok(())
    }

    /// Adds a line. A log that cannot be written (a full disk) is no reason to stop.
    pub(super) fn write(&self, line: &str) {
        let Ok(mut log) = OpenOptions::new().append(true).create(true).open(self.log()) else {
            return;
        };
        if log.metadata().is_ok_and(|meta| meta.len() > MOST) {
            let _ = log.set_len(0);
            let _ = log.write_all(b"(The beginning was cut off.)\n");
        }
        let _ = log.write_all(format!("{line}\n").as_bytes());
    }

    /// The end of the log.
    pub(super) fn read(&self) -> Option<String> {
        let mut log = File::open(self.log()).ok()?;
        let length = log.metadata().ok()?.len();
        log.seek(SeekFrom::Start(length.saturating_sub(SHOWN))).ok()?;
        let mut bytes = Vec::new();
        log.take(SHOWN).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) fn fail(&self, reason: &str) {
        let _ = host::files::write_atomically(&self.failed(), reason.as_bytes());
    }

    pub(super) fn failure(&self) -> Option<String> {
        std::fs::read_to_string(self.failed()).ok()
    }

    pub(super) fn forget_failure(&self) {
        let _ = std::fs::remove_file(self.failed());
    }

    fn log(&self) -> PathBuf {
        self.folder.join("install.log")
    }

    fn failed(&self) -> PathBuf {
        self.folder.join("failed")
    }
}
