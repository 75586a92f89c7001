//! A program that works for us and ends: Git, npm, pip. Confined like a session's, bounded in time and words.

use super::Here;
use anyhow::{Context, Result};
use domain::host::Confinement;
use rustix::process::{Pid, Signal};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// What to run, and within what.
pub(crate) struct Step<'a> {
    pub(crate) argv: &'a [String],
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: &'a Path,
    pub(crate) confinement: Confinement,
    /// Where the confinement is written for the program's first step; a folder of our own.
    pub(crate) scratch: PathBuf,
    pub(crate) time: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Ended {
    With(ExitStatus),
    /// It took too long and was killed.
    OutOfTime,
}

impl Ended {
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::With(status) if status.success())
    }
}

/// A longer line is cut: nobody reads on.
const LINE: usize = 2000;

/// Runs it to its end, handing each line of what it says (both streams) to `line`. Dropping the future kills it and
/// everything that it has started.
pub(crate) async fn run(here: &Here, step: Step<'_>, mut line: impl FnMut(&str)) -> Result<Ended> {
    let json = serde_json::to_vec(&step.confinement)?;
    host::files::write_atomically(&step.scratch, &json)
        .with_context(|| format!("cannot write {}", step.scratch.display()))?;
    let mut child = Command::new(&here.host_binary)
        .arg("confine")
        .arg("--spec")
        .arg(&step.scratch)
        .arg("--")
        .args(step.argv)
        .env_clear()
        .envs(&step.env)
        .current_dir(step.cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", here.host_binary.display()))?;
    let group = Group::of(&child);
    let (say, mut said) = mpsc::channel(16);
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(lines(stdout, say.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(lines(stderr, say));
    }
    let work = async {
        let mut status = None;
        loop {
            tokio::select! {
                words = said.recv() => match words {
                    Some(words) => line(&words),
                    None => break,
                },
                ended = child.wait(), if status.is_none() => status = Some(ended),
            }
            // What it has left running may hold the streams for ever: a little longer, then that is all.
            if status.is_some() {
                while let Ok(Some(words)) = tokio::time::timeout(Duration::from_millis(300), said.recv()).await {
                    line(&words);
                }
                break;
            }
        }
        match status {
            Some(ended) => ended,
            None => child.wait().await,
        }
    };
    let ended = tokio::time::timeout(step.time, work).await;
    drop(group);
    let _ = std::fs::remove_file(&step.scratch);
    match ended {
        Ok(status) => Ok(Ended::With(status?)),
        Err(_) => Ok(Ended::OutOfTime),
    }
}

/// Cuts a stream into lines, at `\r` as well: that is how progress is drawn.
async fn lines(mut stream: impl AsyncRead + Unpin, say: mpsc::Sender<String>) {
    let (mut bytes, mut line) = (vec![0; 4096], Vec::new());
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        for &byte in &bytes[..count] {
            match byte {
                b'\n' | b'\r' if line.is_empty() => {}
                b'\n' | b'\r' => {
                    let words = String::from_utf8_lossy(&line).into_owned();
                    line.clear();
                    if say.send(words).await.is_err() {
                        return;
                    }
                }
                byte if line.len() < LINE => line.push(byte),
                _ => {}
            }
        }
    }
    if !line.is_empty() {
        let _ = say.send(String::from_utf8_lossy(&line).into_owned()).await;
    }
}

/// Kills a whole process group when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}
