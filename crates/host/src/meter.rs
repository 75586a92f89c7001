//! What the session uses, looked at every few seconds and written down every minute.
//!
//! Durations come from the monotonic clock, which neither jumps nor runs while the machine sleeps; the wall clock only
//! says when. A single step counts a bounded time, so that nothing makes a fact negative or huge.

use crate::confine::cgroup::Cgroup;
use crate::disk::{self, Bounds, WALK};
use crate::files::Files;
use crate::ledger::Ledger;
use crate::processes::{self, Tree};
use crate::terminals::Terminals;
use anyhow::{Context, Result};
use domain::host::{Dimension, HostSpec, UsageFact};
use rustix::process::Signal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// How often what is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    write: Duration,
    sample: Duration,
    storage: Duration,
}

impl Period {
    /// Everything follows from how often facts are written.
    pub(crate) fn new(write: Duration) -> Self {
        let write = write.max(Duration::from_millis(50));
        Self {
            write,
            sample: (write / 10).clamp(Duration::from_millis(50), Duration::from_secs(5)),
            storage: write * 5,
        }
    }
}

/// The last measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) cpu_micros: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) processes: u64,
    pub(crate) storage_bytes: u64,
}

/// Measures one session and keeps its facts.
pub(crate) struct Meter {
    period: Period,
    folders: Vec<PathBuf>,
    /// Limits that nothing else holds.
    memory_limit: Option<u64>,
    process_limit: Option<u64>,
    state: Mutex<State>,
    ledger: Arc<Mutex<Ledger>>,
    written: watch::Sender<u64>,
}

struct State {
    measured: Measured,
    sums: Sums,
    sampled: Instant,
    stored: Option<Instant>,
    /// What watchers were told last.
    told: (Measured, i64),
}

/// What has come together since the last fact.
#[derive(Debug)]
struct Sums {
    since: Instant,
    cpu_micros: u128,
    memory_byte_millis: u128,
    storage_byte_millis: u128,
}

/// The most time that one step counts.
const STEP: Duration = Duration::from_secs(60);
/// A look that is not older is as good as a new one.
const FRESH: Duration = Duration::from_secs(1);
/// When so many facts wait for a server (a day of them), they are written by the hour.
const MANY: usize = 3 * 1440;
/// The last walk, for which somebody waits.
const LAST_WALK: Bounds = Bounds {
    time: Duration::from_secs(1),
    rest: Duration::ZERO,
    ..WALK
};
/// How long the programs may refuse to be killed.
const KILLING: Duration = Duration::from_secs(5);

impl Meter {
    pub(crate) fn start(files: &Files, spec: &HostSpec, period: Period, cgroup: Option<&Cgroup>) -> Result<Self> {
        let mut ledger = Ledger::open(&files.usage()).context("cannot open the usage facts")?;
        ledger.wake(wall_millis()).context("cannot write the usage facts")?;
        let now = Instant::now();
        let held = |controller| cgroup.is_some_and(|cgroup: &Cgroup| cgroup.holds(controller));
        let root = rustix::process::geteuid().is_root();
        Ok(Self {
            period,
            folders: spec.measured.clone(),
            memory_limit: spec.confinement.memory_bytes.filter(|_| !held("memory")),
            process_limit: spec.confinement.processes.filter(|_| root && !held("pids")),
            state: Mutex::new(State {
                measured: Measured::default(),
                sums: Sums::since(now),
                sampled: now,
                stored: None,
                told: Default::default(),
            }),
            written: watch::Sender::new(0),
            ledger: Arc::new(Mutex::new(ledger)),
        })
    }

    /// The last measurements.
    pub(crate) fn measured(&self) -> Measured {
        self.state().measured
    }

    /// Changes whenever facts were written.
    pub(crate) fn facts(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// Whether facts wait to be taken.
    pub(crate) fn has_facts(&self) -> bool {
        lock(&self.ledger).waiting() > 0
    }

    /// Forgets facts up to `after` and hands out what follows.
    pub(crate) async fn take(&self, after: u64) -> Result<Vec<UsageFact>> {
        let ledger = self.ledger.clone();
        tokio::task::spawn_blocking(move || lock(&ledger).take(after))
            .await?
            .context("cannot write the usage facts")
    }

    /// Waits for the next time to look, looks, and writes where that is due.
    pub(crate) async fn step(&self, terminals: &Terminals) {
        let stored = self.state().stored;
        if stored.is_none_or(|at| at.elapsed() >= self.period.storage) {
            self.measure_storage().await;
        }
        tokio::time::sleep(self.period.sample).await;
        self.sample(terminals).await;
        let many = lock(&self.ledger).waiting() > MANY;
        let due = self.period.write * if many { 60 } else { 1 };
        if self.state().sums.since.elapsed() >= due {
            self.write().await;
        }
    }

    /// Looks at the processes now, unless somebody just did.
    pub(crate) async fn refresh(&self, terminals: &Terminals) {
        let looked = self.state().sampled;
        if looked.elapsed() >= FRESH || self.measured().processes == 0 {
            self.sample(terminals).await;
        }
    }

    /// Looks at the processes now.
    pub(crate) async fn sample(&self, terminals: &Terminals) {
        let root = std::process::id();
        let Ok(tree) = tokio::task::spawn_blocking(move || Tree::below(root)).await else {
            return;
        };
        self.hold(&tree);
        terminals.reap(tree.ended.clone()).await;
        let active = terminals.statuses().iter().map(|terminal| terminal.active_at).max();
        let changed = self.count(&tree, active.unwrap_or_default());
        if changed {
            terminals.touch();
        }
    }

    /// Adds what has come since the last look; whether watchers should know.
    fn count(&self, tree: &Tree, active_at: i64) -> bool {
        let mut state = self.state();
        let step = state.sampled.elapsed().min(STEP).as_millis();
        state.sampled = Instant::now();
        // A look that misses somebody who is dying sees less than was counted: then nothing is added.
        let cpu = tree.cpu_micros.saturating_sub(state.measured.cpu_micros);
        let (memory, storage) = (tree.memory_bytes, state.measured.storage_bytes);
        state.sums.cpu_micros += u128::from(cpu);
        state.sums.memory_byte_millis += u128::from(memory) * step;
        state.sums.storage_byte_millis += u128::from(storage) * step;
        state.measured.cpu_micros += cpu;
        state.measured.memory_bytes = memory;
        state.measured.processes = tree.alive.len() as u64;
        let (told, told_at) = state.told;
        let now = state.measured;
        let differs = told_at != active_at
            || told.processes != now.processes
            || told.storage_bytes != now.storage_bytes
            || told.memory_bytes.abs_diff(now.memory_bytes) > told.memory_bytes / 20
            || now.cpu_micros - told.cpu_micros > 100_000;
        if differs {
            state.told = (now, active_at);
        }
        differs
    }

    /// Ends what is over a limit that the kernel does not hold for us.
    fn hold(&self, tree: &Tree) {
        if self.memory_limit.is_some_and(|limit| tree.memory_bytes > limit)
            && let Some(&(pid, bytes)) = tree.alive.iter().max_by_key(|(_, bytes)| *bytes)
        {
            tracing::warn!(
                pid,
                bytes,
                "the session is over its memory: its largest process is ended"
            );
            processes::signal(pid, Signal::KILL);
        }
        if let Some(limit) = self.process_limit
            && let Some(over) = tree.alive.get(usize::try_from(limit).unwrap_or(usize::MAX)..)
        {
            for &(pid, _) in over {
                processes::signal(pid, Signal::KILL);
            }
        }
    }

    /// Writes what has come together as facts. What cannot be written (a full disk) is kept for the next time.
    pub(crate) async fn write(&self) {
        let (facts, since) = {
            let sums = &mut self.state().sums;
            let facts = sums.facts(wall_millis());
            (facts.clone(), sums.take(&facts))
        };
        if facts.is_empty() {
            return;
        }
        let (ledger, copy) = (self.ledger.clone(), facts.clone());
        let appended = tokio::task::spawn_blocking(move || lock(&ledger).append(copy)).await;
        if matches!(appended, Ok(Ok(()))) {
            self.written.send_modify(|count| *count += 1);
        } else {
            tracing::warn!(?appended, "usage was not written yet");
            self.state().sums.give_back(&facts, since);
        }
    }

    async fn measure_storage(&self) {
        let Some(held) = disk::measure_gently(self.folders.clone(), WALK).await else {
            return;
        };
        let mut state = self.state();
        state.stored = Some(Instant::now());
        state.measured.storage_bytes = held.bytes;
    }

    /// Notes what stays on the disk when the host goes, so that it is counted on without one.
    pub(crate) async fn sleep(&self) {
        let held = disk::measure_gently(self.folders.clone(), LAST_WALK).await;
        let known = {
            let mut state = self.state();
            state.stored = Some(Instant::now());
            // From now on the ledger counts, and not twice.
            std::mem::take(&mut state.measured.storage_bytes)
        };
        let bytes = held.map_or(known, |held| {
            if held.cut_short {
                held.bytes.max(known)
            } else {
                held.bytes
            }
        });
        let ledger = self.ledger.clone();
        let noted = tokio::task::spawn_blocking(move || lock(&ledger).sleep(bytes, wall_millis())).await;
        if !matches!(noted, Ok(Ok(()))) {
            tracing::warn!(?noted, "the storage of the sleeping session is not counted on");
        }
    }

    /// Kills everything that is still below this process, and what that leaves behind, until nothing is.
    pub(crate) async fn end_everything(&self, terminals: &Terminals) {
        let (began, root) = (Instant::now(), std::process::id());
        while began.elapsed() < KILLING {
            self.sample(terminals).await;
            let Ok(tree) = tokio::task::spawn_blocking(move || Tree::below(root)).await else {
                return;
            };
            if tree.alive.is_empty() {
                return terminals.reap(tree.ended).await;
            }
            for (pid, _) in tree.alive {
                processes::signal(pid, Signal::KILL);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tracing::warn!("some processes cannot be killed");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Sums {
    fn since(since: Instant) -> Self {
        Self {
            since,
            cpu_micros: 0,
            memory_byte_millis: 0,
            storage_byte_millis: 0,
        }
    }

    /// Facts that end now; their numbers are given when they are written.
    fn facts(&self, until: i64) -> Vec<UsageFact> {
        let length = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let whole = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        [
            (Dimension::ComputeCpu, whole(self.cpu_micros)),
            (Dimension::ComputeMemory, whole(self.memory_byte_millis / 1000)),
            (Dimension::Storage, whole(self.storage_byte_millis / 1000)),
        ]
        .into_iter()
        .filter(|(_, quantity)| *quantity > 0)
        .map(|(dimension, quantity)| UsageFact {
            number: 0,
            dimension,
            quantity,
            from: until.saturating_sub(length),
            until,
        })
        .collect()
    }

    /// Takes what became facts away and begins the next stretch of time; when the last one began.
    fn take(&mut self, facts: &[UsageFact]) -> Instant {
        for fact in facts {
            let (sum, quantity) = self.sum(fact);
            *sum -= quantity;
        }
        std::mem::replace(&mut self.since, Instant::now())
    }

    fn give_back(&mut self, facts: &[UsageFact], since: Instant) {
        for fact in facts {
            let (sum, quantity) = self.sum(fact);
            *sum += quantity;
        }
        self.since = self.since.min(since);
    }

    fn sum(&mut self, fact: &UsageFact) -> (&mut u128, u128) {
        match fact.dimension {
            Dimension::ComputeCpu => (&mut self.cpu_micros, u128::from(fact.quantity)),
            Dimension::ComputeMemory => (&mut self.memory_byte_millis, u128::from(fact.quantity) * 1000),
            Dimension::Storage => (&mut self.storage_byte_millis, u128::from(fact.quantity) * 1000),
        }
    }
}

fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_take_what_they_say_and_leave_the_rest_for_the_next() {
        let mut sums = Sums::since(Instant::now());
        (sums.cpu_micros, sums.memory_byte_millis) = (70, 12_345);
        let facts = sums.facts(1_000_000);
        assert_eq!(facts.iter().map(|fact| fact.quantity).collect::<Vec<_>>(), [70, 12]);
        sums.cpu_micros += 5;
        let since = sums.take(&facts);
        assert_eq!((sums.cpu_micros, sums.memory_byte_millis), (5, 345));
        sums.give_back(&facts, since);
        assert_eq!(
            (sums.cpu_micros, sums.memory_byte_millis, sums.since),
            (75, 12_345, since)
        );
    }

    #[test]
    fn a_wall_clock_that_jumps_makes_no_stretch_negative_or_long() {
        let mut sums = Sums::since(Instant::now());
        sums.cpu_micros = 1;
        for until in [0, i64::MIN + 1, i64::MAX, 1_700_000_000_000] {
            let fact = sums.facts(until).remove(0);
            assert!(
                fact.from <= fact.until && fact.until.saturating_sub(fact.from) < 60_000,
                "{fact:?}"
            );
        }
    }
}
