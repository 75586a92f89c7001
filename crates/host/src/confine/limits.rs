//! Limits that a process carries itself and hands down: rlimits, and who goes first when memory runs out.

use anyhow::{Context, Result};
use domain::host::Confinement;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes what `confinement` says from this process and all that it starts.
pub fn apply(confinement: &Confinement) -> Result<()> {
    // A core would hold secrets and fill the disk.
    without_cores()?;
    if let Some(bytes) = confinement.file_bytes {
        lower(Resource::Fsize, bytes).context("cannot limit files")?;
    }
    if let Some(processes) = confinement.processes.filter(|_| !rustix::process::geteuid().is_root()) {
        // The kernel counts all threads of the user, those of other sessions and the desktop too.
        lower(Resource::Nproc, processes.saturating_add(of_this_user())).context("cannot limit processes")?;
    }
    // Before the server and its hosts, should the machine run out of memory. Lowering it again takes a privilege.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    Ok(())
}

/// Leaves no core behind, neither of this process nor of what it starts.
pub fn without_cores() -> Result<()> {
    lower(Resource::Core, 0).context("cannot turn cores off")
}

/// What keeps the number of processes where no cgroup does.
pub(super) fn processes_word() -> String {
    if rustix::process::geteuid().is_root() {
        "watched: counted every few seconds; over the limit the youngest are ended (rlimits do not bind root)"
            .to_owned()
    } else {
        "rlimit".to_owned()
    }
}

fn lower(resource: Resource, to: u64) -> Result<()> {
    let now = getrlimit(resource);
    let to = now.maximum.map_or(to, |maximum| maximum.min(to));
    setrlimit(
        resource,
        Rlimit {
            current: Some(to),
            maximum: Some(to),
        },
    )?;
    Ok(())
}

fn of_this_user() -> u64 {
    let own = rustix::process::getuid().as_raw().to_string();
    let threads = |pid: &str| -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let uid = field("Uid:")?.split_ascii_whitespace().next()?;
        (uid == own).then(|| field("Threads:")?.parse().ok()).flatten()
    };
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| threads(entry.file_name().to_str()?))
        .sum()
}
