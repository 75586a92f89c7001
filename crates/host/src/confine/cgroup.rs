//! A session's own control group, where one with a controller can really be made.
//!
//! Without root that is so where systemd has delegated a part of the tree to the user. Nothing is switched on in other
//! people's groups: a controller counts only where the parent already hands it down.

use anyhow::{Context, Result};
use domain::host::Confinement;
use rustix::fs::Access;
use std::fs;
use std::path::{Path, PathBuf};

/// Tells a program that is being confined which group to join; removed before it starts.
pub const VARIABLE: &str = "SANDBOX_CGROUP";

const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// A session's control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    path: PathBuf,
    controllers: Vec<String>,
}

impl Cgroup {
    /// Makes (or finds again) the group of a session, with its limits; `None` where no controller can be had.
    pub fn make(session: &str, confinement: &Confinement) -> Option<Self> {
        let tree = Tree::of_this_process()?;
        let (parent, controllers) = tree.best_parent()?;
        Self::make_in(&parent, controllers, session, confinement)
    }

    fn make_in(parent: &Path, controllers: Vec<String>, session: &str, confinement: &Confinement) -> Option<Self> {
        let path = parent.join(format!("sandbox-{session}"));
        match fs::create_dir(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return None,
            _ => {}
        }
        let limits = [
            (
                "cpu",
                "cpu.max",
                confinement
                    .cpu_millis
                    .map(|millis| format!("{} 100000", millis.max(10) * 100)),
            ),
            (
                "memory",
                "memory.max",
                confinement.memory_bytes.map(|bytes| bytes.to_string()),
            ),
            (
                "pids",
                "pids.max",
                confinement.processes.map(|processes| processes.to_string()),
            ),
        ];
        let mut held = Vec::new();
        for (controller, file, limit) in limits {
            if !controllers.iter().any(|name| name == controller) {
                continue;
            }
            if fs::write(path.join(file), limit.as_deref().unwrap_or("max")).is_ok() {
                held.push(controller.to_owned());
            }
        }
        let cgroup = Self {
            path,
            controllers: held,
        };
        if cgroup.controllers.is_empty() {
            cgroup.remove();
            return None;
        }
        Some(cgroup)
    }

    /// Whether this controller holds its limit.
    pub fn holds(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the group away; one that still holds processes stays.
    pub fn remove(&self) {
        remove(&self.path);
    }
}

/// Takes a group away that a host has left behind; one that still holds processes stays.
pub fn remove(path: &Path) {
    let _ = fs::remove_dir(path);
}

/// Joins the group that [`VARIABLE`] names, if it names one.
pub(super) fn join_from_environment() -> Result<()> {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return Ok(());
    };
    fs::write(Path::new(&path).join("cgroup.procs"), std::process::id().to_string())
        .context("cannot join the session's control group")
}

/// Moves this process beside the group it was started in, so that ending the server's whole group (as systemd does)
/// does not end it; stays where that is not allowed.
pub fn leave_parents_group() {
    let Some(tree) = Tree::of_this_process() else { return };
    let Some(beside) = tree.own.parent().filter(|parent| parent.starts_with(&tree.root)) else {
        return;
    };
    let hosts = beside.join("sandbox-hosts");
    let _ = fs::create_dir(&hosts);
    let _ = fs::write(hosts.join("cgroup.procs"), std::process::id().to_string());
}

/// The tree of control groups (version 2) as this process sees it.
struct Tree {
    root: PathBuf,
    own: PathBuf,
}

impl Tree {
    fn of_this_process() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        Self::from_proc(&mounts, &groups)
    }

    fn from_proc(mounts: &str, groups: &str) -> Option<Self> {
        let root = mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (place, kind) = (fields.next()?, fields.next()?);
            (kind == "cgroup2").then(|| PathBuf::from(place))
        })?;
        let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let own = if own.is_empty() { root.clone() } else { root.join(own) };
        Some(Self { root, own })
    }

    /// The nearest group above (or of) this process that hands down controllers and lets us make a group and move
    /// processes into it, with the controllers it hands down.
    fn best_parent(&self) -> Option<(PathBuf, Vec<String>)> {
        self.own
            .ancestors()
            .take_while(|path| path.starts_with(&self.root))
            .filter(|path| {
                let may = |what: &str| rustix::fs::access(path.join(what), Access::WRITE_OK).is_ok();
                may("") && may("cgroup.procs")
            })
            .map(|path| {
                let handed = fs::read_to_string(path.join("cgroup.subtree_control")).unwrap_or_default();
                let handed = handed.split_whitespace().filter(|name| CONTROLLERS.contains(name));
                (path.to_owned(), handed.map(str::to_owned).collect::<Vec<_>>())
            })
            .find(|(_, controllers)| !controllers.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_read_from_what_the_kernel_says() {
        let mounts = "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";
        let tree = Tree::from_proc(mounts, "1:cpu:/x\n0::/user.slice/a.scope\n").expect("there");
        assert_eq!(tree.own, Path::new("/sys/fs/cgroup/user.slice/a.scope"));
        assert_eq!(
            Tree::from_proc(mounts, "0::/\n").expect("there").own,
            Path::new("/sys/fs/cgroup")
        );
        assert!(Tree::from_proc("cgroup /x cgroup rw 0 0", "0::/\n").is_none());
    }

    #[test]
    fn the_nearest_group_that_hands_controllers_down_is_taken_and_given_the_limits() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, slice) = (folder.path().to_owned(), folder.path().join("slice"));
        let own = slice.join("scope");
        fs::create_dir_all(&own).expect("made");
        for (group, handed) in [(&root, "cpu memory pids"), (&slice, "memory pids io"), (&own, "")] {
            fs::write(group.join("cgroup.procs"), "").expect("written");
            fs::write(group.join("cgroup.subtree_control"), handed).expect("written");
        }
        let (parent, controllers) = Tree { root, own }.best_parent().expect("one");
        assert_eq!((&parent, controllers.len()), (&slice, 2));
        let limits = Confinement {
            memory_bytes: Some(1 << 30),
            cpu_millis: Some(500),
            ..Confinement::default()
        };
        let cgroup = Cgroup::make_in(&parent, controllers, "s", &limits).expect("made");
        assert!(cgroup.holds("memory") && cgroup.holds("pids") && !cgroup.holds("cpu"));
        let read = |file: &str| fs::read_to_string(cgroup.path().join(file)).unwrap_or_default();
        assert_eq!(
            (read("memory.max"), read("pids.max")),
            ("1073741824".to_owned(), "max".to_owned())
        );
        assert!(!cgroup.path().join("cpu.max").exists());
    }
}
