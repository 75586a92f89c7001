//! Which folders a program may read and write, held by Landlock where the kernel has it.
//!
//! Everything is closed but what is listed, so the server's data, other sessions, and people's homes need no naming.
//! Device files are opened one by one: a folder of them would hold the disks.

use anyhow::{Context, Result};
use domain::host::Confinement;
use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
    path_beneath_rules,
};
use std::path::{Path, PathBuf};

/// The rights that are taken away where the kernel knows them; older kernels take what they can.
const RIGHTS: ABI = ABI::V6;

/// What every program may read and execute.
const SYSTEM: [&str; 20] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/proc",
    "/sys",
    "/nix",
    "/snap",
    "/gnu/store",
    "/run/current-system",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/var/lib/ca-certificates",
    "/home/linuxbrew/.linuxbrew",
];

/// Devices that every program may use.
const DEVICES: [&str; 10] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
];

/// Closes everything but what `confinement` and the system's own list open.
pub fn apply(confinement: &Confinement) -> Result<()> {
    let read = AccessFs::from_read(RIGHTS);
    let whole = AccessFs::from_all(RIGHTS);
    // Nothing that a session makes there is a device.
    let write = whole & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    let hidden = &confinement.hidden;
    // What is named below a hidden folder is open on purpose; what holds one is open around it.
    let around = |path: &PathBuf| match hidden.iter().any(|hidden| path.starts_with(hidden)) {
        true => vec![path.clone()],
        false => without(path, hidden),
    };
    let all = |paths: &[PathBuf]| -> Vec<PathBuf> { paths.iter().flat_map(around).collect() };
    let rules = Ruleset::default()
        .handle_access(whole)
        .and_then(Ruleset::create)
        .and_then(|rules| open(rules, &all(&SYSTEM.map(PathBuf::from)), read))
        .and_then(|rules| open(rules, &all(&confinement.read), read))
        .and_then(|rules| open(rules, &all(&confinement.write), write))
        .and_then(|rules| open(rules, &DEVICES.map(PathBuf::from), write))
        .and_then(|rules| open(rules, &["/dev".into()], AccessFs::ReadDir.into()))
        .context("cannot describe the folders to the kernel")?;
    rules.restrict_self().context("cannot close the folders")?;
    Ok(())
}

fn open(
    rules: RulesetCreated,
    paths: &[PathBuf],
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    rules.add_rules(path_beneath_rules(paths, access))
}

/// `landlock` with its ABI version, or `none` with the reason.
pub fn word() -> String {
    // Only a thread that restricts itself is told the kernel's version; this one ends at once.
    let status = std::thread::spawn(|| {
        Ruleset::default()
            .scope(Scope::from_all(ABI::V6))
            .and_then(|rules| rules.handle_access(AccessFs::from_all(ABI::V1)))
            .and_then(Ruleset::create)
            .and_then(RulesetCreated::restrict_self)
            .map(|status| status.landlock)
    })
    .join();
    match status {
        Ok(Ok(LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        })) => format!("landlock {}", kernel_abi.unwrap_or(effective_abi as i32)),
        Ok(Ok(LandlockStatus::NotEnabled)) => "none: Landlock is not enabled in this kernel".to_owned(),
        Ok(Ok(LandlockStatus::NotImplemented)) => "none: this kernel has no Landlock (it needs Linux 5.13)".to_owned(),
        Ok(Err(error)) => format!("none: {error}"),
        Err(_) => "none: the kernel could not be asked".to_owned(),
    }
}

/// `root` without what is hidden below it: itself where nothing is, else its entries that do not lead there.
pub fn without(root: &Path, hidden: &[PathBuf]) -> Vec<PathBuf> {
    let real = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    if hidden.iter().any(|hidden| real.starts_with(hidden)) {
        return Vec::new();
    }
    if !hidden.iter().any(|hidden| hidden.starts_with(&real)) {
        return vec![root.to_owned()];
    }
    std::fs::read_dir(&real)
        .into_iter()
        .flatten()
        .flatten()
        // A link is judged by where it leads: it is open only when that is.
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()))
        .flat_map(|entry| without(&entry.path(), hidden))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_cut_out_of_what_holds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().canonicalize().expect("is there");
        for path in ["opt/a", "opt/app/data/deep", "opt/app/bin"] {
            std::fs::create_dir_all(top.join(path)).expect("made");
        }
        let hidden = [top.join("opt/app/data")];
        let mut open = without(&top.join("opt"), &hidden);
        open.sort();
        assert_eq!(open, [top.join("opt/a"), top.join("opt/app/bin")]);
        assert!(without(&top.join("opt/app/data/deep"), &hidden).is_empty());
        assert_eq!(without(&top.join("opt/a"), &hidden), [top.join("opt/a")]);
    }
}
