//! What a session's program may touch and take.
//!
//! `sandbox-host confine --spec <file> -- <program> …` takes its own rights away and becomes the program. It is a step
//! of its own because only a process that has nothing else to do may do that: between fork and exec in a process with
//! threads, none of this is allowed.

pub mod cgroup;
pub mod folders;
pub mod limits;
pub mod privileges;

use anyhow::{Context, Result, bail};
use domain::host::{Confinement, Enforcement};
use rustix::fs::Mode;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The status of a program that could not be started, as shells have it.
pub const NOT_STARTED: i32 = 127;

/// Becomes the program of `argv`, confined; returns only when that fails.
pub fn exec(spec: &Path, argv: &[OsString]) -> Result<()> {
    let Some((program, arguments)) = argv.split_first() else {
        bail!("there is no program to start");
    };
    let confinement: Confinement = serde_json::from_slice(&std::fs::read(spec).context("cannot read the limits")?)
        .context("the limits cannot be understood")?;
    // What our caller needs tight, programs expect as usual.
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    cgroup::join_from_environment()?;
    limits::apply(&confinement)?;
    folders::apply(&confinement)?;
    privileges::apply()?;
    let error = Command::new(program)
        .args(arguments)
        .env_remove(cgroup::VARIABLE)
        .exec();
    let program = Path::new(program)
        .file_name()
        .unwrap_or(program)
        .to_string_lossy()
        .into_owned();
    bail!("cannot start {program}: {error}");
}

/// What of `confinement` is enforced on this machine, and by what; `cgroup` is the session's own, where there is one.
pub fn enforcement(confinement: &Confinement, cgroup: Option<&cgroup::Cgroup>) -> Enforcement {
    let held = |controller: &str| cgroup.is_some_and(|cgroup| cgroup.holds(controller));
    let word = |wanted: bool, controller: &str, otherwise: String| match wanted {
        false => "none: the plan sets no limit".to_owned(),
        true if held(controller) => "cgroup".to_owned(),
        true => otherwise,
    };
    Enforcement {
        cpu: word(
            confinement.cpu_millis.is_some(),
            "cpu",
            "none: no cgroup with a cpu controller is writable, and rlimits know no rate".to_owned(),
        ),
        memory: word(
            confinement.memory_bytes.is_some(),
            "memory",
            "watched: measured every few seconds; over the limit the largest process is ended".to_owned(),
        ),
        processes: word(confinement.processes.is_some(), "pids", limits::processes_word()),
        files: folders::word(),
    }
}
