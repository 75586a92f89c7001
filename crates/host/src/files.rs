//! What a host keeps in its folder, for itself and for whoever comes when it is gone.

use domain::wire::{Exit, Size};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder of one session's host.
#[derive(Clone, Debug)]
pub struct Files(PathBuf);

/// A terminal's screen as it was last, with how its program ended where it has.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedScreen {
    pub size: Size,
    pub exit: Option<Exit>,
    pub ansi: Vec<u8>,
}

/// Which process a host is or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub pid: u32,
    pub version: String,
    /// Tells whether the machine was restarted since.
    pub boot: String,
    /// The control group of its programs, where it made one.
    pub cgroup: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct ScreenHead {
    size: Size,
    exit: Option<Exit>,
}

/// A screen that is longer is not read: our own are far below.
const SCREEN_MAX: u64 = 16 * 1024 * 1024;

impl Files {
    /// The files in `folder`.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Held locked by the host for as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// What the host has to say to whoever reads its log.
    pub fn log(&self) -> PathBuf {
        self.0.join("host.log")
    }

    /// The secret that every connection begins with.
    pub fn key(&self) -> PathBuf {
        self.0.join("key")
    }

    /// How the host was told to start.
    pub fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// What its programs may touch and take, as `sandbox-host confine` reads it.
    pub fn confinement(&self) -> PathBuf {
        self.0.join("confinement.json")
    }

    /// The facts of its usage.
    pub fn usage(&self) -> PathBuf {
        self.0.join("usage.jsonl")
    }

    fn failure(&self) -> PathBuf {
        self.0.join("failure")
    }

    fn identity(&self) -> PathBuf {
        self.0.join("host.json")
    }

    fn screen(&self, terminal: &str) -> Option<PathBuf> {
        is_terminal_id(terminal).then(|| self.0.join(format!("{terminal}.screen")))
    }

    /// The recording of a terminal, where there is one.
    pub fn recording(&self, terminal: &str) -> Option<PathBuf> {
        is_terminal_id(terminal).then(|| self.0.join(format!("{terminal}.cast")))
    }

    /// Makes a new key, so that one that leaked opens nothing for long.
    pub fn new_key(&self) -> io::Result<Vec<u8>> {
        let mut key = vec![0; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
        write_atomically(&self.key(), &key)?;
        Ok(key)
    }

    /// Says why the host could not begin, or that nothing is wrong (any more).
    pub fn note_failure(&self, sentence: Option<&str>) -> io::Result<()> {
        match sentence {
            Some(sentence) => write_atomically(&self.failure(), sentence.as_bytes()),
            None => gone_is_fine(std::fs::remove_file(self.failure())),
        }
    }

    /// Why the last host could not begin.
    pub fn failed(&self) -> Option<String> {
        std::fs::read_to_string(self.failure()).ok()
    }

    /// Says which process the host is.
    pub fn note_identity(&self, cgroup: Option<&Path>) -> io::Result<()> {
        let identity = Identity {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot: boot(),
            cgroup: cgroup.map(Path::to_owned),
        };
        write_atomically(&self.identity(), &serde_json::to_vec(&identity)?)
    }

    /// Which process the last host was.
    pub fn last_identity(&self) -> Option<Identity> {
        serde_json::from_slice(&std::fs::read(self.identity()).ok()?).ok()
    }

    /// Keeps a terminal's screen: a reader finds the old one or the new one, whole.
    pub fn save_screen(&self, terminal: &str, screen: &SavedScreen) -> io::Result<()> {
        let Some(path) = self.screen(terminal) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no terminal has this id"));
        };
        let head = ScreenHead {
            size: screen.size,
            exit: screen.exit,
        };
        let mut bytes = serde_json::to_vec(&head)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&screen.ansi);
        write_atomically(&path, &bytes)
    }

    /// A terminal's last screen, where one was kept.
    pub fn load_screen(&self, terminal: &str) -> io::Result<Option<SavedScreen>> {
        let Some(path) = self.screen(terminal) else {
            return Ok(None);
        };
        let file = match std::fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(SCREEN_MAX).read_to_end(&mut bytes)?;
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            return Ok(None);
        };
        let Ok(ScreenHead { size, exit }) = serde_json::from_slice(&bytes[..end]) else {
            return Ok(None);
        };
        let ansi = bytes.split_off(end + 1);
        let size = Size::clamped(size.cols, size.rows);
        Ok(Some(SavedScreen { size, exit, ansi }))
    }

    /// Forgets the screen of a terminal that was closed.
    pub fn forget_screen(&self, terminal: &str) -> io::Result<()> {
        self.screen(terminal)
            .map_or(Ok(()), |path| gone_is_fine(std::fs::remove_file(path)))
    }
}

/// Whether this may be a terminal's id: 1 to 32 letters, digits and dashes, so that it is a file's name anywhere.
pub fn is_terminal_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Identifies this run of the machine.
pub fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Replaces a file that only its owner may read: a reader finds the old content or the new one, whole, even after a crash.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Of its own for each write: two at once must not mix.
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", WRITES.fetch_add(1, Ordering::Relaxed)));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_found_again_and_forgotten_when_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::in_folder(folder.path());
        let screen = SavedScreen {
            size: Size { cols: 100, rows: 30 },
            exit: Some(Exit::Signal(9)),
            ansi: b"line\n\x1b[31mred".to_vec(),
        };
        assert_eq!(files.load_screen("agent").expect("reads"), None);
        files.save_screen("agent", &screen).expect("saved");
        assert_eq!(files.load_screen("agent").expect("reads"), Some(screen));
        files.forget_screen("agent").expect("forgotten");
        assert_eq!(files.load_screen("agent").expect("reads"), None);
    }

    #[test]
    fn two_who_write_a_file_at_once_leave_one_of_both_whole_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::thread::scope(|scope| {
            for letter in [b'a', b'b'] {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..50 {
                        write_atomically(path, &[letter; 5000]).expect("written");
                    }
                });
            }
        });
        let bytes = std::fs::read(&path).expect("there");
        assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 1);
    }

    #[test]
    fn a_terminal_cannot_name_a_file_elsewhere() {
        let files = Files::in_folder("/nowhere");
        for id in ["../x", "a/b", "", ".", &"x".repeat(33)] {
            assert!(!is_terminal_id(id), "{id}");
            assert_eq!(files.load_screen(id).expect("nothing is read"), None);
        }
    }
}
