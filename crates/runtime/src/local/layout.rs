//! Where things are in the data folder.

use anyhow::{Context, Result, bail};
use domain::SessionId;
use host::client::Client;
use host::files::Files;
use host::ledger::Ledger;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a ledger that somebody has is asked for, and how long to wait in between.
const TRIES: u32 = 20;
const BREATH: Duration = Duration::from_millis(10);

/// The data folder: `sessions/<id>`, `agents/<slug>/<version>`, `run/<id>.sock`, `cache` and `trash`.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    data: PathBuf,
}

/// The folder of one session.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    socket: PathBuf,
}

impl Layout {
    /// Makes what is missing; nobody else may look into it.
    pub(crate) fn make(data: PathBuf) -> Result<Self> {
        make_private(&data)?;
        // Landlock and mounts know real paths only.
        let data = data
            .canonicalize()
            .with_context(|| format!("cannot find {}", data.display()))?;
        let layout = Self { data };
        for folder in ["sessions", "agents", "run", "cache", "trash"] {
            make_private(&layout.data.join(folder))?;
        }
        Ok(layout)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn agents(&self) -> PathBuf {
        self.data.join("agents")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.data.join("cache")
    }

    pub(crate) fn trash(&self) -> PathBuf {
        self.data.join("trash")
    }

    pub(crate) fn sessions(&self) -> PathBuf {
        self.data.join("sessions")
    }

    /// The folder of a session; refused for an id that could name anything else.
    pub(crate) fn session(&self, session: &SessionId) -> Result<Folder> {
        super::no_session(session)?;
        Ok(Folder {
            path: self.sessions().join(session.as_str()),
            socket: self.data.join("run").join(format!("{session}.sock")),
        })
    }

    /// The sessions that have (or had) a host.
    pub(crate) fn sockets(&self) -> Result<Vec<SessionId>> {
        let run = self.data.join("run");
        let listed = std::fs::read_dir(&run).with_context(|| format!("cannot read {}", run.display()))?;
        Ok(listed
            .flatten()
            .filter_map(|entry| Some(SessionId::new(entry.file_name().to_str()?.strip_suffix(".sock")?)))
            .collect())
    }
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.path.join("workspace")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// The host's own things, closed to the session's programs.
    pub(crate) fn host(&self) -> PathBuf {
        self.path.join("host")
    }

    /// Is there once the workspace was made: from then on its absence means that somebody deleted it.
    pub(crate) fn made(&self) -> PathBuf {
        self.host().join("made")
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn files(&self) -> Files {
        Files::in_folder(self.host())
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.host(), &self.socket)
    }

    /// Whether a host lives: it holds the lock until its last moment.
    pub(crate) fn is_locked(&self) -> bool {
        let Ok(lock) = rustix::fs::open(self.files().lock(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
            return false;
        };
        rustix::fs::flock(lock, FlockOperation::NonBlockingLockShared).is_err()
    }

    /// The usage ledger of a session without a host; nothing where there never was one. Blocks for a moment.
    pub(crate) fn ledger(&self) -> Result<Option<Ledger>> {
        if !self.host().is_dir() {
            return Ok(None);
        }
        // Somebody else here has it for a moment, a host for its life.
        for _ in 0..TRIES {
            if self.is_locked() {
                break;
            }
            if let Some(ledger) = Ledger::try_open(&self.files().usage()).context("cannot read the usage facts")? {
                return Ok(Some(ledger));
            }
            std::thread::sleep(BREATH);
        }
        bail!("the session's host is just starting or ending; ask again");
    }
}

/// Makes a folder that only we may enter.
pub(crate) fn make_private(folder: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_out_of_the_sessions() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::make(folder.path().join("data")).expect("made");
        for id in ["", ".", "..", "a/b", "../a", "A", "a\0", "-a", &"x".repeat(64)] {
            assert!(layout.session(&SessionId::new(id)).is_err(), "{id:?}");
        }
        let session = layout.session(&SessionId::new("fix-it-abcde")).expect("fine");
        assert!(session.path().starts_with(layout.sessions()));
    }
}
