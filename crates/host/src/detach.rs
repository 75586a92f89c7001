//! Becoming a process of its own: nothing that ends the server, and nothing that the server holds open, reaches here.

use crate::files::Files;
use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fs::{File, OpenOptions};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// The log is begun anew when it is longer.
const LOG_MAX: u64 = 1 << 20;
/// Whoever looks whether a session has a host holds its lock for a moment: that is no other host.
const TRIES: u32 = 20;
const BREATH: Duration = Duration::from_millis(25);

/// Leaves the parent's session, terminal, folder and open files behind.
///
/// Must come first in the process, before any other file is opened or thread started.
pub(crate) fn detach(files: &Files) -> Result<()> {
    close_inherited();
    // Fails only for the leader of a group, which somebody who starts us by hand from a shell has made us already.
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    // A folder of ours as the current one would keep it busy; and a relative path is nobody's.
    std::env::set_current_dir("/").context("cannot go to /")?;
    let null = OpenOptions::new().read(true).open("/dev/null").context("/dev/null")?;
    let path = files.log();
    let long = std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_MAX);
    let log = OpenOptions::new()
        .create(true)
        .append(!long)
        .write(true)
        .truncate(long)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    // What our programs leave behind becomes our child, so that it is metered and ended with the rest.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Takes the session's lock, which lasts as long as what is returned.
pub(crate) fn lock(files: &Files) -> Result<OwnedFd> {
    let lock = rustix::fs::open(
        files.lock(),
        OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC,
        Mode::RUSR | Mode::WUSR,
    )
    .with_context(|| format!("cannot open {}", files.lock().display()))?;
    for _ in 0..TRIES {
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Ok(lock);
        }
        std::thread::sleep(BREATH);
    }
    bail!("another host runs this session");
}

fn close_inherited() {
    let Ok(listed) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let open: Vec<RawFd> = listed
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&fd| fd > 2)
        .collect();
    for fd in open {
        // The one that listed them is closed by now.
        if std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok() {
            #[expect(unsafe_code, reason = "no safe call closes a file that some parent left open")]
            // SAFETY: nothing in this process owns a file beyond 2 yet: this runs first.
            drop(File::from(unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
}
