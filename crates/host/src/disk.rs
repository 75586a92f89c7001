//! How much a folder holds: a bounded walk that follows no link and leaves its file system alone.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What a walk has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Bytes that the disk really gives, in blocks.
    pub bytes: u64,
    /// Files and links, without folders.
    pub files: u64,
    /// Whether a bound was reached before the end.
    pub cut_short: bool,
}

/// The bounds of a walk.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub entries: u64,
    pub time: Duration,
    /// How long to rest after each thousand entries, so that measuring is not felt.
    pub rest: Duration,
}

/// A walk over a session's folders never takes longer, and never sees more.
pub const WALK: Bounds = Bounds {
    entries: 2_000_000,
    time: Duration::from_secs(30),
    rest: Duration::from_millis(5),
};

/// Measures `folders` together, giving way to everything else; nothing where no thread is to be had.
pub async fn measure_gently(folders: Vec<PathBuf>, bounds: Bounds) -> Option<Held> {
    let (reply, answer) = oneshot::channel();
    let walk = move || {
        // Of this thread alone.
        let _ = rustix::process::nice(10);
        let mut all = Held::default();
        for folder in folders {
            let held = measure(&folder, bounds);
            all.bytes += held.bytes;
            all.files += held.files;
            all.cut_short |= held.cut_short;
        }
        let _ = reply.send(all);
    };
    std::thread::Builder::new()
        .name("measure".to_owned())
        .spawn(walk)
        .ok()?;
    answer.await.ok()
}

/// Measures `folder`; what cannot be read counts nothing. Blocks: call it where that is allowed.
pub fn measure(folder: &Path, bounds: Bounds) -> Held {
    let mut held = Held::default();
    let Ok(top) = fs::symlink_metadata(folder) else {
        return held;
    };
    if !top.is_dir() {
        return held;
    }
    let began = Instant::now();
    let (mut entries, mut linked, mut next) = (0_u64, HashSet::new(), vec![folder.to_owned()]);
    held.bytes = top.blocks() * 512;
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            entries += 1;
            if entries > bounds.entries || began.elapsed() > bounds.time {
                held.cut_short = true;
                return held;
            }
            if entries.is_multiple_of(1000) {
                std::thread::sleep(bounds.rest);
            }
            // Of the entry itself, never of what a link names.
            let Ok(meta) = entry.metadata() else { continue };
            // Another file system mounted below is not this session's.
            if meta.dev() != top.dev() {
                continue;
            }
            if meta.is_dir() {
                next.push(entry.path());
            } else {
                held.files += 1;
                // A file with several names is counted once.
                if meta.nlink() > 1 && !linked.insert(meta.ino()) {
                    continue;
                }
            }
            held.bytes += meta.blocks() * 512;
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Bounds = Bounds {
        entries: 1000,
        time: Duration::from_secs(60),
        rest: Duration::ZERO,
    };

    #[test]
    fn links_are_not_followed_and_files_with_two_names_count_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        fs::create_dir_all(inside.join("deep")).expect("made");
        fs::create_dir(&outside).expect("made");
        fs::write(outside.join("big"), vec![1; 1 << 20]).expect("written");
        std::os::unix::fs::symlink(&outside, inside.join("away")).expect("linked");
        std::os::unix::fs::symlink(&inside, inside.join("deep/round")).expect("linked");
        fs::write(inside.join("deep/file"), vec![1; 1 << 16]).expect("written");
        fs::hard_link(inside.join("deep/file"), inside.join("again")).expect("linked");
        let held = measure(&inside, WIDE);
        assert_eq!(held.files, 4);
        assert!((1 << 16..1 << 18).contains(&held.bytes), "{held:?}");
        assert!(!held.cut_short);
    }

    #[test]
    fn a_walk_ends_at_its_bound_and_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..20 {
            fs::write(folder.path().join(number.to_string()), "x").expect("written");
        }
        let held = measure(folder.path(), Bounds { entries: 10, ..WIDE });
        assert!(held.cut_short && held.files <= 10);
        assert_eq!(measure(Path::new("/nowhere/at/all"), WIDE), Held::default());
    }
}
