//! Where this machine is signed in: one file that nobody else can read.

use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::{
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The servers that this machine is signed in at; the last is the one that is meant when nothing is said.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Credentials {
    servers: Vec<Entry>,
}

/// One server, and the token for it.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) server: String,
    pub(crate) token: String,
    /// The token's id, for revoking it.
    pub(crate) token_id: String,
    /// RFC 3339.
    pub(crate) expires_at: String,
}

impl core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Entry({}, ****)", self.server)
    }
}

impl Credentials {
    /// What is known; nothing where there is no file.
    pub(crate) fn load() -> Result<Self, Trouble> {
        Self::load_from(&path()?)
    }

    fn load_from(path: &Path) -> Result<Self, Trouble> {
        let wrong = |what: String| Trouble::refused(format!("{} {what}", path.display()));
        let metadata = match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            metadata => metadata.map_err(|error| wrong(format!("cannot be read: {error}.")))?,
        };
        if metadata.permissions().mode() & 0o077 != 0 {
            let what = "holds tokens, and others can read it. Run: chmod 600 on it; if somebody may have read it, also \
                        sandbox logout.";
            return Err(wrong(what.to_owned()));
        }
        let text = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}.")))?;
        serde_json::from_slice(&text)
            .map_err(|error| wrong(format!("is broken ({error}). Remove it, and sign in again.")))
    }

    /// The entry of a server, or the one that was signed in at last.
    pub(crate) fn of(&self, server: Option<&str>) -> Option<&Entry> {
        let mut entries = self.servers.iter().rev();
        match server {
            Some(server) => entries.find(|entry| entry.server == server),
            None => entries.next(),
        }
    }

    /// Remembers an entry, in place of an older one of the same server; it is the last from now on.
    pub(crate) fn keep(&mut self, entry: Entry) -> Result<(), Trouble> {
        self.servers.retain(|other| other.server != entry.server);
        self.servers.push(entry);
        self.save_to(&path()?)
    }

    /// Forgets a server.
    pub(crate) fn forget(&mut self, server: &str) -> Result<(), Trouble> {
        self.servers.retain(|entry| entry.server != server);
        self.save_to(&path()?)
    }

    /// Whole or not at all: a file that was cut off in the middle would sign the machine out everywhere.
    fn save_to(&self, path: &Path) -> Result<(), Trouble> {
        let wrong = |error: std::io::Error| Trouble::refused(format!("{} cannot be written: {error}.", path.display()));
        if let Some(folder) = path.parent() {
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(wrong)?;
        }
        let part = path.with_extension(format!("{}.part", std::process::id()));
        let write = || {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            std::fs::rename(&part, path)
        };
        write().map_err(|error| {
            let _ = std::fs::remove_file(&part);
            wrong(error)
        })
    }
}

/// `sandbox/credentials.json` in the user's configuration folder.
fn path() -> Result<PathBuf, Trouble> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder("XDG_CONFIG_HOME")
        .or_else(|| Some(folder("HOME")?.join(".config")))
        .map(|folder| folder.join("sandbox/credentials.json"))
        .ok_or_else(|| {
            Trouble::refused("There is no HOME to keep the sign-in in. Set SANDBOX_SERVER and SANDBOX_TOKEN.")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(server: &str, token: &str) -> Entry {
        Entry {
            server: server.to_owned(),
            token: token.to_owned(),
            token_id: "t".to_owned(),
            expires_at: "2026-12-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn what_is_kept_is_found_again_by_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/sandbox/credentials.json");
        let mut known = Credentials::load_from(&path).expect("nothing yet");
        assert!(known.of(None).is_none());
        known.servers = vec![entry("https://a", "one"), entry("https://b", "two")];
        known.save_to(&path).expect("saved");
        known.save_to(&path).expect("saved over");
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let found = Credentials::load_from(&path).expect("found");
        assert_eq!(found.of(None).expect("the last").token, "two");
        assert_eq!(found.of(Some("https://a")).expect("the other").token, "one");
        assert!(found.of(Some("https://c")).is_none());
        let files = std::fs::read_dir(path.parent().expect("a folder"))
            .expect("read")
            .count();
        assert_eq!(files, 1, "nothing half written stays");

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("changed");
        let refused = Credentials::load_from(&path).err().expect("refused");
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_token_is_never_written_by_chance() {
        assert!(!format!("{:?}", entry("https://a", "sbp_secret")).contains("sbp_secret"));
    }
}
