//! What the About page says of this machine.

use super::{Here, environment, making};
use domain::host::Confinement;
use host::confine::{self, cgroup::Cgroup};
use std::time::Duration;
use tokio::process::Command;

/// Facts in the order they are shown.
pub(crate) async fn describe(here: &Here) -> Vec<(String, String)> {
    // A group with all limits, made and removed at once, tells what a session would get.
    let asked = tokio::task::spawn_blocking(|| {
        let limits = Confinement {
            cpu_millis: Some(1000),
            memory_bytes: Some(1 << 30),
            processes: Some(100),
            ..Confinement::default()
        };
        let group = Cgroup::make(&format!("probe-{}", std::process::id()), &limits);
        let enforcement = confine::enforcement(&limits, group.as_ref());
        if let Some(group) = group {
            group.remove();
        }
        enforcement
    });
    let enforcement = asked.await.unwrap_or_default();
    let kernel = rustix::system::uname();
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
    let (git, npm, python) = tokio::join!(version("git"), version("npm"), version("python3"));
    let facts = [
        (
            "name",
            "local: one sandbox-host process a session, on this machine".to_owned(),
        ),
        ("CPU limit", enforcement.cpu),
        ("memory limit", enforcement.memory),
        ("process limit", enforcement.processes),
        ("files", enforcement.files),
        (
            "kernel",
            format!(
                "{} {}",
                kernel.sysname().to_string_lossy(),
                kernel.release().to_string_lossy()
            ),
        ),
        (
            "free disk",
            making::free(&here.layout).map_or("unknown".to_owned(), gib),
        ),
        ("memory", memory().map_or("unknown".to_owned(), gib)),
        ("git", git),
        ("npm", npm),
        ("python", python),
        (
            "host program",
            if here.host_binary.exists() {
                here.host_binary.display().to_string()
            } else {
                format!("missing: {}", here.host_binary.display())
            },
        ),
    ];
    facts.map(|(name, fact)| (name.to_owned(), fact)).into()
}

async fn version(name: &str) -> String {
    let Some(program) = environment::find_program(name) else {
        return "not installed".to_owned();
    };
    let asked = Command::new(program).arg("--version").kill_on_drop(true).output();
    match tokio::time::timeout(Duration::from_secs(5), asked).await {
        Ok(Ok(output)) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            text.lines().next().unwrap_or_default().trim().to_owned()
        }
        _ => "does not answer".to_owned(),
    }
}

fn memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
