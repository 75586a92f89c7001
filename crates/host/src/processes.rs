//! The processes below one process, as `/proc` shows them: what they used, and an end for all of them.
//!
//! A host is the reaper of everything below it, so that what a program leaves behind stays in its tree. Processor time
//! of the dead is in their parents' accounts, and at last in the host's own: walking from the root to the leaves, the
//! parent's account before its children, may miss a process that dies in between but never counts one twice.

use rustix::process::{Pid, Signal, WaitOptions};
use std::collections::{HashMap, HashSet};
use std::fs;

/// What a tree of processes is and has used, its root left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Microseconds of processor time of all that live and all that were waited for.
    pub cpu_micros: u64,
    /// Bytes of memory, shared ones divided among those that share them.
    pub memory_bytes: u64,
    /// Every process that lives, parents first, with its own bytes of memory.
    pub alive: Vec<(u32, u64)>,
    /// Children of the root that have ended and that nobody has waited for.
    pub ended: Vec<u32>,
}

/// More are not looked at: a bomb of processes must not become a bomb of looking.
const MOST: usize = 20_000;
/// Beyond this many the exact division of shared memory costs too much.
const EXACT: usize = 200;

impl Tree {
    /// Everything below the process `root`.
    pub fn below(root: u32) -> Self {
        let mut tree = Self::default();
        let Some(own) = Stat::of(root) else { return tree };
        tree.cpu_micros = own.waited_micros;
        let mut parents = Parents::default();
        let mut seen = HashSet::from([root]);
        let mut next = vec![root];
        while let Some(parent) = next.pop() {
            for child in parents.children(parent) {
                if seen.len() >= MOST || !seen.insert(child) {
                    continue;
                }
                let Some(stat) = Stat::of(child) else { continue };
                tree.cpu_micros += stat.own_micros + stat.waited_micros;
                if !stat.ended {
                    tree.alive.push((child, memory(child, tree.alive.len() < EXACT)));
                } else if parent == root {
                    tree.ended.push(child);
                }
                next.push(child);
            }
        }
        tree.memory_bytes = tree.alive.iter().map(|(_, bytes)| bytes).sum();
        tree
    }
}

/// Sends a signal; a process that is gone already is as good.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Waits for a child that has ended, without ever blocking.
pub fn reap(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// Our processes whose environment holds `NAME=value`: what a host that was killed has left behind.
pub fn marked(variable: &str) -> Vec<u32> {
    let own = std::process::id();
    all()
        .filter(|&pid| pid != own)
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
                environ
                    .split(|&byte| byte == 0)
                    .any(|entry| entry == variable.as_bytes())
            })
        })
        .take(MOST)
        .collect()
}

/// One line of `/proc/<pid>/stat`.
struct Stat {
    parent: u32,
    ended: bool,
    own_micros: u64,
    waited_micros: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::from_line(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn from_line(line: &str) -> Option<Self> {
        // The name is in brackets and may hold anything, brackets and spaces too.
        let fields: Vec<&str> = line.get(line.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let micros = |ticks: u64| ticks.saturating_mul(1_000_000) / rustix::param::clock_ticks_per_second().max(1);
        Some(Self {
            ended: matches!(*fields.first()?, "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            own_micros: micros(ticks(11)? + ticks(12)?),
            waited_micros: micros(ticks(13)? + ticks(14)?),
        })
    }
}

/// Who is whose child: from the kernel's own lists where it keeps them, else from a look at every process.
#[derive(Default)]
struct Parents(Option<HashMap<u32, Vec<u32>>>);

impl Parents {
    fn children(&mut self, parent: u32) -> Vec<u32> {
        if self.0.is_none() {
            match listed_children(parent) {
                Some(children) => return children,
                None => self.0 = Some(everyone()),
            }
        }
        self.0
            .as_ref()
            .and_then(|everyone| everyone.get(&parent))
            .cloned()
            .unwrap_or_default()
    }
}

fn listed_children(parent: u32) -> Option<Vec<u32>> {
    let mut children = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Some(children);
    };
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(list) => children.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok())),
            // The thread may have ended; a kernel without these lists has none for our own thread either.
            Err(_) if fs::metadata("/proc/thread-self/children").is_ok() => {}
            Err(_) => return None,
        }
    }
    Some(children)
}

fn everyone() -> HashMap<u32, Vec<u32>> {
    let mut everyone: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all() {
        if let Some(stat) = Stat::of(pid) {
            everyone.entry(stat.parent).or_default().push(pid);
        }
    }
    everyone
}

fn all() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn memory(pid: u32, exact: bool) -> u64 {
    let kib = |file: &str, name: &str| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let exact = if exact { kib("smaps_rollup", "Pss:") } else { None };
    exact
        .or_else(|| kib("status", "VmRSS:"))
        .unwrap_or(0)
        .saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn a_name_with_brackets_and_spaces_confuses_nobody() {
        let line = "7 (a) Z 9 (b)) S 3 7 7 0 -1 4194560 1 2 3 4 100 50 20 10 20 0 1 0 5 6 7";
        let stat = Stat::from_line(line).expect("reads");
        assert_eq!((stat.parent, stat.ended), (3, false));
        assert_eq!((stat.own_micros, stat.waited_micros), (1_500_000, 300_000));
        assert!(Stat::from_line("7 (x").is_none() && Stat::from_line("").is_none());
    }

    #[test]
    fn children_and_grandchildren_are_found_and_marked_ones_too() {
        let mark = format!("SANDBOX_TEST_MARK={}", std::process::id());
        let mut child = Command::new("sh")
            .args(["-c", "sleep 1000 & echo; wait"])
            .env("SANDBOX_TEST_MARK", std::process::id().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = [0; 1];
        std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut line).expect("says that it runs");
        let tree = Tree::below(child.id());
        assert_eq!(tree.alive.len(), 1, "{tree:?}");
        assert!(tree.memory_bytes > 0);
        // While a process becomes another program it shows no environment for a moment.
        let began = Instant::now();
        loop {
            let found = marked(&mark);
            if found.contains(&child.id()) && found.contains(&tree.alive[0].0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{found:?}");
            std::thread::yield_now();
        }
        signal(tree.alive[0].0, Signal::KILL);
        child.wait().expect("ends");
    }
}
