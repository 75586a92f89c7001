//! Packages of the npm registry.
//!
//! First the lock file (which packages there will be), then the packages: so it is known how far the download is. No
//! package's script runs by itself, as newer versions of npm have it as well; only the agent's own post-install step is
//! run, because some put their real program in place with it.

use super::super::environment;
use super::work::Work;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Installs; where the interpreter was found, and its own folders.
pub(super) async fn install(work: &Work<'_>) -> Result<(Vec<PathBuf>, Vec<PathBuf>), String> {
    let (Some(node), Some(npm)) = (environment::find_program("node"), environment::find_program("npm")) else {
        return Err("Node.js with npm is not on this machine.".to_owned());
    };
    let path: Vec<PathBuf> = [&node, &npm]
        .into_iter()
        .filter_map(|tool| Some(tool.parent()?.to_owned()))
        .collect();
    let read: Vec<PathBuf> = [&node, &npm]
        .into_iter()
        .flat_map(|tool| environment::needs(tool))
        .collect();
    let what = format!("{} {}", work.package, work.version);
    let wanted = format!("{}@{}", work.package, work.version);
    let folder = work.folder.to_string_lossy().into_owned();
    let npm = npm.to_string_lossy().into_owned();
    let env = [
        (
            "npm_config_cache",
            work.here.layout.cache().join("npm").to_string_lossy().into_owned(),
        ),
        ("npm_config_update_notifier", "false".to_owned()),
        ("npm_config_progress", "false".to_owned()),
    ];
    let common = [
        "--prefix",
        &folder,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=http",
    ];

    work.tell("Asking the npm registry what belongs to it.", None);
    let lock = [
        &[npm.as_str(), "install", "--package-lock-only", "--save-exact"],
        &common[..],
        &[&wanted],
    ]
    .concat();
    let locked = work.step(&lock, &env, &path, &read, &work.folder, |_| {}).await;
    locked.map_err(|failed| failed.explain("The npm registry", &what))?;

    let packages = packages_in(&work.folder.join("package-lock.json"));
    let mut fetched = 0_usize;
    work.tell(format!("Downloading {packages} packages."), Some(0));
    let all = [&[npm.as_str(), "install"], &common[..]].concat();
    let downloaded = work.step(&all, &env, &path, &read, &work.folder, |line| {
        if line.contains("http fetch GET 200") || line.contains("http cache") {
            fetched += 1;
            let percent = (fetched * 100 / packages.max(1)).min(99) as u8;
            work.tell(
                format!("Downloading: {} of {packages} packages.", fetched.min(packages)),
                Some(percent),
            );
        }
    });
    downloaded
        .await
        .map_err(|failed| failed.explain("The npm registry", &what))?;

    let package = work.folder.join("node_modules").join(work.package);
    for script in own_scripts(&package) {
        work.tell("Running the package's own post-install step.", None);
        let mut path = path.clone();
        path.insert(0, work.folder.join("node_modules/.bin"));
        let ran = work
            .step(&["/bin/sh", "-c", &script], &env, &path, &read, &package, |_| {})
            .await;
        ran.map_err(|failed| failed.explain("The post-install step", &what))?;
    }
    Ok((path, read))
}

/// How many packages of a lock file are for this machine.
fn packages_in(lock: &Path) -> usize {
    let lock: Value = std::fs::read(lock)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    let Some(packages) = lock["packages"].as_object() else {
        return 0;
    };
    packages
        .iter()
        .filter(|(name, package)| !name.is_empty() && is_for_this_machine(package))
        .count()
}

fn is_for_this_machine(package: &Value) -> bool {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let allows = |field: &str, own: &str| {
        package[field].as_array().is_none_or(|names| {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            let refused = names.iter().any(|name| name.strip_prefix('!') == Some(own));
            let listed = names.iter().any(|name| !name.starts_with('!'));
            !refused && (!listed || names.contains(&own))
        })
    };
    allows("os", "linux")
        && allows("cpu", arch)
        && allows("libc", if cfg!(target_env = "musl") { "musl" } else { "glibc" })
}

/// The install scripts of the package itself, in their order.
fn own_scripts(package: &Path) -> Vec<String> {
    let manifest: Value = std::fs::read(package.join("package.json"))
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    ["preinstall", "install", "postinstall"]
        .into_iter()
        .filter_map(|name| manifest["scripts"][name].as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packages_for_other_machines_are_not_counted() {
        assert!(is_for_this_machine(&json!({})));
        assert!(is_for_this_machine(&json!({ "os": ["linux", "darwin"] })));
        assert!(!is_for_this_machine(&json!({ "os": ["win32"] })));
        assert!(!is_for_this_machine(&json!({ "os": ["!linux"] })));
        assert!(is_for_this_machine(&json!({ "os": ["!win32"] })));
        assert!(!is_for_this_machine(&json!({ "cpu": ["mips"] })));
    }
}
