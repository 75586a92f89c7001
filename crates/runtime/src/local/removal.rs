//! Ending what runs and removing what is kept, whatever state it is in.

use super::environment::MARK;
use super::layout::{Folder, Layout};
use anyhow::{Context, Result, bail};
use domain::SessionId;
use domain::host::Ask;
use host::confine::cgroup;
use host::processes;
use rustix::process::Signal;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long something that was killed may still be there.
const KILLED: Duration = Duration::from_secs(10);
const BREATH: Duration = Duration::from_millis(20);

/// Ends a session's host and everything below it; returns when nothing runs any more.
pub(crate) async fn end(session: &SessionId, folder: &Folder, grace: Duration) -> Result<()> {
    let grace_ms = grace.as_millis() as u64;
    // A host that does not answer is killed below; one that is not there has nothing to say.
    let asked = folder.client().ask(Ask::Stop { grace_ms }).await;
    if let Err(error) = &asked {
        tracing::warn!(%session, error = format!("{error:#}"), "the host does not stop by itself");
    }
    let patience = if matches!(asked, Ok(Some(_))) {
        Duration::from_secs(5)
    } else {
        Duration::ZERO
    };
    if !unlocked(folder, patience).await {
        if let Some(host) = folder.files().last_identity() {
            processes::signal(host.pid, Signal::KILL);
        }
        if !unlocked(folder, KILLED).await {
            bail!("the session's host cannot be ended");
        }
    }
    end_leftovers(folder).await?;
    match fs::remove_file(folder.socket()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Ends what a host that was killed has left behind.
pub(crate) async fn end_leftovers(folder: &Folder) -> Result<()> {
    end_marked(folder.path()).await?;
    if let Some(group) = folder.files().last_identity().and_then(|host| host.cgroup) {
        cgroup::remove(&group);
    }
    Ok(())
}

/// Ends every program that was started for `folder`.
pub(crate) async fn end_marked(folder: &Path) -> Result<()> {
    let mark = format!("{MARK}={}", folder.display());
    let began = Instant::now();
    loop {
        let mark = mark.clone();
        let left = tokio::task::spawn_blocking(move || processes::marked(&mark)).await?;
        if left.is_empty() {
            return Ok(());
        }
        if began.elapsed() > KILLED {
            bail!("{} programs of {} cannot be ended", left.len(), folder.display());
        }
        for pid in left {
            processes::signal(pid, Signal::KILL);
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn unlocked(folder: &Folder, patience: Duration) -> bool {
    let began = Instant::now();
    while folder.is_locked() {
        if began.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(BREATH).await;
    }
    true
}

/// Removes a session's folder: out of sight at once, then for good.
pub(crate) async fn destroy(layout: &Layout, folder: &Folder) -> Result<()> {
    let away = layout.trash().join(Uuid::now_v7().to_string());
    match fs::rename(folder.path(), &away) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        moved => moved.context("cannot move the session's folder away")?,
    }
    tokio::task::spawn_blocking(move || remove(&away)).await?
}

/// Removes what an earlier server has not finished removing, in the background.
pub(crate) fn empty_trash(layout: &Layout) {
    let trash = layout.trash();
    tokio::task::spawn_blocking(move || {
        for entry in fs::read_dir(trash).into_iter().flatten().flatten() {
            if let Err(error) = remove(&entry.path()) {
                tracing::warn!(error = format!("{error:#}"), "the trash cannot be emptied");
            }
        }
    });
}

/// Removes a file or folder with all that is in it, whatever its permissions. Links are removed, never followed.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        meta => meta?,
    };
    if !meta.is_dir() {
        return Ok(fs::remove_file(path)?);
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_up(path.to_owned());
            fs::remove_dir_all(path).with_context(|| format!("cannot remove {}", path.display()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.with_context(|| format!("cannot remove {}", path.display())),
    }
}

/// Gives us every folder below back, so that it can be emptied.
fn open_up(top: PathBuf) {
    let mut next = vec![top];
    while let Some(folder) = next.pop() {
        // Only ever a real folder (links were sorted out), and nothing of the session runs that could swap it.
        let _ = fs::set_permissions(&folder, Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        next.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_folders_and_links_out_are_removed_and_nothing_outside_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        fs::create_dir_all(inside.join("closed/deep")).expect("made");
        fs::write(inside.join("closed/deep/file"), "x").expect("written");
        fs::create_dir(&outside).expect("made");
        fs::write(outside.join("kept"), "x").expect("written");
        std::os::unix::fs::symlink(&outside, inside.join("away")).expect("linked");
        for closed in ["closed/deep", "closed"] {
            fs::set_permissions(inside.join(closed), Permissions::from_mode(0o000)).expect("closed");
        }
        // Root needs no permission: what others need is done here in any case.
        open_up(inside.clone());
        remove(&inside).expect("removed");
        assert!(!inside.exists() && outside.join("kept").exists());
        remove(&inside).expect("again");
    }
}
