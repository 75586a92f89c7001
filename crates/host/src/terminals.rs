//! The terminals of a session: the agent's, and those beside it.

use crate::confine::cgroup;
use crate::files::{Files, SavedScreen, is_terminal_id};
use crate::mask::Mask;
use crate::recording::{self, Recording};
use crate::run::is_agent;
use crate::spawner::Spawner;
use domain::host::{AGENT, TerminalSpec, TerminalStatus};
use domain::secret::{Carried, Value};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use terminal::tap::{Tap, tap};
use terminal::{Handle, Signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// Terminals of one session, the agent's included.
const MOST: usize = 16;
/// Lines of history that a saved screen keeps.
const SAVED_HISTORY: u32 = 1000;
/// How often a screen that changes is saved, for the day the machine loses its power.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// When a program that does not end is asked to a second time.
const ONCE_MORE: Duration = Duration::from_secs(1);
/// How long the last lines of a recording may take to be written.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Every terminal of the session; cheap to clone.
#[derive(Clone)]
pub(crate) struct Terminals(Arc<Inner>);

struct Inner {
    spawner: Spawner,
    files: Files,
    scrollback: u32,
    cgroup: Option<PathBuf>,
    map: Mutex<Map>,
    changed: watch::Sender<u64>,
    /// The secrets that programs of the session were given since the host began, those of before a rotation too.
    secrets: Mutex<Vec<Value>>,
    /// What masks them in what is kept and listed.
    mask: watch::Sender<Arc<Mask>>,
    /// Those that write recordings, by terminal.
    recorders: Mutex<BTreeMap<String, JoinHandle<()>>>,
}

#[derive(Default)]
struct Map {
    open: BTreeMap<String, Terminal>,
    /// Ids that are being opened.
    reserved: BTreeSet<String>,
}

#[derive(Clone)]
struct Terminal {
    label: String,
    handle: Handle,
    recorded: Arc<AtomicBool>,
}

/// Why something about a terminal was refused, as an answer says it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl Terminals {
    pub(crate) fn new(spawner: Spawner, files: Files, scrollback: u32, cgroup: Option<&Path>) -> Self {
        Self(Arc::new(Inner {
            spawner,
            files,
            scrollback,
            cgroup: cgroup.map(Path::to_owned),
            map: Mutex::default(),
            changed: watch::Sender::new(0),
            secrets: Mutex::default(),
            mask: watch::Sender::new(Arc::default()),
            recorders: Mutex::default(),
        }))
    }

    /// Starts the agent, or starts it anew after it has ended; does nothing while it runs.
    pub(crate) async fn start_agent(&self, spec: TerminalSpec) -> Result<(), Refusal> {
        if self.find(AGENT).is_ok_and(|agent| agent.status().exit.is_none()) {
            return Ok(());
        }
        self.open(AGENT.to_owned(), spec).await
    }

    /// Opens a terminal beside the agent.
    pub(crate) async fn open_beside(&self, id: String, spec: TerminalSpec) -> Result<(), Refusal> {
        if !is_terminal_id(&id) || is_agent(&id) {
            return Err(Refusal::new(
                "invalid",
                "A terminal's id is 1 to 32 letters, digits and dashes.",
            ));
        }
        self.open(id, spec).await
    }

    async fn open(&self, id: String, spec: TerminalSpec) -> Result<(), Refusal> {
        let epoch = self.reserve(&id)?;
        self.hold(&spec.secrets);
        let recorded = Arc::new(AtomicBool::new(spec.record));
        let opened = self.spawn(&id, &spec, epoch, &recorded).await;
        let before = {
            let mut map = self.map();
            map.reserved.remove(&id);
            let terminal = Terminal {
                label: spec.label,
                handle: opened?,
                recorded,
            };
            let handle = terminal.handle.clone();
            tokio::spawn(self.clone().follow(id.clone(), handle));
            map.open.insert(id, terminal)
        };
        if let Some(before) = before {
            // Whoever looked at the old one is told to come back, see `attach`.
            before.handle.close().await;
        }
        self.touch();
        Ok(())
    }

    /// Masks these from now on, with those from before: what they have printed is still on the screen.
    fn hold(&self, secrets: &Carried) {
        let mut held = self.0.secrets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let before = held.len();
        for value in secrets.values() {
            if !held.contains(value) {
                held.push(value.clone());
            }
        }
        if held.len() > before {
            self.0.mask.send_replace(Arc::new(Mask::of(held.iter())));
        }
    }

    fn mask(&self) -> Arc<Mask> {
        self.0.mask.borrow().clone()
    }

    /// Keeps the id for who opens it; the epoch it gets.
    fn reserve(&self, id: &str) -> Result<u64, Refusal> {
        let mut map = self.map();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64);
        let epoch = match map.open.get(id).map(|terminal| terminal.handle.status()) {
            Some(before) if before.exit.is_none() => {
                return Err(Refusal::new("invalid", "There is a terminal of this id already."));
            }
            Some(before) => now.max(before.epoch + 1),
            None => now,
        };
        if map.open.len() + map.reserved.len() >= MOST && !map.open.contains_key(id) {
            return Err(Refusal::new(
                "too-many",
                format!("A session has at most {MOST} terminals: close one first."),
            ));
        }
        if !map.reserved.insert(id.to_owned()) {
            return Err(Refusal::new("invalid", "This terminal is being opened already."));
        }
        Ok(epoch)
    }

    async fn spawn(
        &self,
        id: &str,
        spec: &TerminalSpec,
        epoch: u64,
        recorded: &Arc<AtomicBool>,
    ) -> Result<Handle, Refusal> {
        let internal = |error: anyhow::Error| Refusal::new("internal", error.to_string());
        // What a driver's page has told one terminal holds for those that come after it.
        let agent = self.find(AGENT).map(|agent| agent.status().colors);
        if spec.argv.is_empty() {
            return Err(Refusal::new("invalid", "There is no program to run."));
        }
        let tap = match spec.record {
            true => Some(self.record(id, spec, recorded).await?),
            false => None,
        };
        let options = terminal::Options {
            epoch,
            scrollback: self.0.scrollback,
            colors: agent.unwrap_or_default(),
            tap,
        };
        let opened = self
            .0
            .spawner
            .open(self.confined(spec), options)
            .await
            .map_err(internal)?;
        opened.map_err(|error| match error {
            terminal::OpenError::NoFolder(folder) => Refusal::new(
                "invalid",
                format!("The folder {} does not exist any more.", folder.display()),
            ),
            other => Refusal::new("internal", other.to_string()),
        })
    }

    /// Begins to record what is told to the tap.
    async fn record(&self, id: &str, spec: &TerminalSpec, recorded: &Arc<AtomicBool>) -> Result<Tap, Refusal> {
        // Of the program that was here before: a file has one writer.
        let before = self.recorders().remove(id);
        if let Some(before) = before {
            let _ = tokio::time::timeout(LAST_LINES, before).await;
        }
        let unwritable = |error: std::io::Error| {
            tracing::error!(%error, terminal = id, "a recording cannot be written");
            let detail = format!("This terminal is to be recorded, and the recording cannot be written: {error}.");
            Refusal::new("internal", detail)
        };
        let path = self.0.files.recording(id).ok_or_else(not_found)?;
        let (title, size, mask) = (spec.label.clone(), spec.size, self.mask());
        let opening = tokio::task::spawn_blocking(move || Recording::open(path, &title, size, mask));
        let opened = opening.await.map_err(std::io::Error::other).and_then(|opened| opened);
        let recording = opened.map_err(unwritable)?;
        let (tap, tapping) = tap();
        let masks = self.0.mask.subscribe();
        let writer = tokio::spawn(recording::keep(recording, tapping, masks, recorded.clone()));
        self.recorders().insert(id.to_owned(), writer);
        Ok(tap)
    }

    fn recorders(&self) -> MutexGuard<'_, BTreeMap<String, JoinHandle<()>>> {
        self.0.recorders.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The same program behind the step that confines it.
    fn confined(&self, spec: &TerminalSpec) -> TerminalSpec {
        let step = [
            // This very binary, even when an upgrade has put another in its place.
            "/proc/self/exe".to_owned(),
            "confine".to_owned(),
            "--spec".to_owned(),
            self.0.files.confinement().to_string_lossy().into_owned(),
            "--".to_owned(),
        ];
        let mut spec = spec.clone();
        let secrets = std::mem::take(&mut spec.secrets);
        for (name, value) in &secrets.env {
            spec.env.insert(name.clone(), value.expose().to_owned());
        }
        spec.argv = step.into_iter().chain(spec.argv).collect();
        if let Some(cgroup) = &self.0.cgroup {
            spec.env
                .insert(cgroup::VARIABLE.to_owned(), cgroup.to_string_lossy().into_owned());
        }
        spec
    }

    /// Saves the terminal's screen now and then and at its end, and wakes whoever watches.
    async fn follow(self, id: String, handle: Handle) {
        let mut changes = handle.changes();
        let (pid, mut saved, mut exited) = (handle.status().pid, 0, false);
        let mut now_and_then = tokio::time::interval_at(Instant::now() + SAVE_EVERY, SAVE_EVERY);
        now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    false
                }
                _ = now_and_then.tick() => true,
            };
            let status = handle.status();
            let ended = status.exit.is_some() && !exited;
            if ended {
                exited = true;
                self.0.spawner.forget(pid).await;
            }
            if ended || (due && saved != status.seq) {
                saved = status.seq;
                self.save(&id, &handle).await;
            }
            if !due {
                self.touch();
            }
        }
        self.0.spawner.forget(pid).await;
        self.touch();
    }

    async fn save(&self, id: &str, handle: &Handle) {
        let Ok(last) = handle.last_screen(SAVED_HISTORY).await else {
            return;
        };
        let mask = self.mask();
        let (size, exit) = (last.size, handle.status().exit);
        let (files, name) = (self.0.files.clone(), id.to_owned());
        let saved = tokio::task::spawn_blocking(move || {
            let ansi = mask.apply(last.ansi.to_vec());
            files.save_screen(&name, &SavedScreen { size, exit, ansi })
        })
        .await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, terminal = id, "the screen was not saved");
        }
    }

    /// Saves every screen.
    pub(crate) async fn save_all(&self) {
        join_all(self.all().iter().map(|(id, terminal)| self.save(id, &terminal.handle))).await;
    }

    /// Ends every program: TERM now, KILL after `grace`.
    pub(crate) async fn stop_all(&self, grace: Duration) {
        join_all(self.all().iter().map(|(_, terminal)| stop(&terminal.handle, grace))).await;
        let writers: Vec<_> = std::mem::take(&mut *self.recorders()).into_values().collect();
        let _ = tokio::time::timeout(LAST_LINES, join_all(writers)).await;
    }

    /// Ends a terminal's program and forgets the terminal.
    pub(crate) async fn close(&self, id: &str) -> Result<(), Refusal> {
        if is_agent(id) {
            return Err(Refusal::new(
                "invalid",
                "The agent's terminal cannot be closed; suspend the session.",
            ));
        }
        let closed = self.map().open.remove(id);
        let terminal = closed.ok_or_else(not_found)?;
        terminal.handle.close().await;
        if let Err(error) = self.0.files.forget_screen(id) {
            tracing::warn!(%error, terminal = id, "the screen of a closed terminal stays");
        }
        self.touch();
        Ok(())
    }

    /// The terminal of this id.
    pub(crate) fn find(&self, id: &str) -> Result<Handle, Refusal> {
        let map = self.map();
        map.open
            .get(id)
            .map(|terminal| terminal.handle.clone())
            .ok_or_else(not_found)
    }

    /// Every terminal as it is now, the agent's first.
    pub(crate) fn statuses(&self) -> Vec<TerminalStatus> {
        let (mut all, mask) = (self.all(), self.mask());
        all.sort_by_key(|(id, _)| !is_agent(id));
        all.into_iter()
            .map(|(id, terminal)| {
                let status = terminal.handle.status();
                TerminalStatus {
                    id,
                    label: terminal.label,
                    size: status.size,
                    title: mask.text(&status.title),
                    exit: status.exit,
                    viewers: status.viewers,
                    active_at: status.active_at,
                    seq: status.seq,
                    epoch: status.epoch,
                    recorded: terminal.recorded.load(Ordering::Relaxed) && status.exit.is_none(),
                }
            })
            .collect()
    }

    /// Counts up whenever something that watchers are told has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Wakes whoever watches.
    pub(crate) fn touch(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    /// Waits for ended children that no terminal waits for.
    pub(crate) async fn reap(&self, ended: Vec<u32>) {
        if !ended.is_empty() {
            self.0.spawner.reap(ended).await;
        }
    }

    fn all(&self) -> Vec<(String, Terminal)> {
        let map = self.map();
        map.open
            .iter()
            .map(|(id, terminal)| (id.clone(), terminal.clone()))
            .collect()
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.map.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Ends a program. A shell that is just starting misses the first word, so it is said once more.
async fn stop(handle: &Handle, grace: Duration) {
    let again = async {
        tokio::time::sleep(ONCE_MORE).await;
        let _ = handle.signal(Signal::HangUp).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = handle.stop(grace) => {}
        () = again => {}
    }
}

fn not_found() -> Refusal {
    Refusal::new("not-found", "There is no such terminal (any more).")
}
