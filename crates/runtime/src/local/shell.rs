//! Shells: what a person gets beside the agent, and what the agent `shell` is.

use super::layout::Folder;
use super::{Here, clone, environment, secrets};
use domain::host::TerminalSpec;
use domain::session::Session;
use domain::wire::Size;
use engine::ports::Shell;
use std::path::{Path, PathBuf};

/// The best shell of this machine.
pub(crate) fn program() -> PathBuf {
    ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"]
        .into_iter()
        .map(Path::new)
        .find(|shell| environment::is_executable(shell))
        .unwrap_or(Path::new("/bin/sh"))
        .to_owned()
}

/// A login shell.
pub(crate) fn argv() -> Vec<String> {
    vec![program().to_string_lossy().into_owned(), "-l".to_owned()]
}

/// A shell beside the agent.
pub(crate) fn beside(here: &Here, folder: &Folder, session: &Session, wanted: &Shell) -> TerminalSpec {
    let mut env = environment::of_session(here, &session.id, folder, &[]);
    let repo = clone::address_of(here, session);
    env.extend(secrets::git_environment(
        &folder.home(),
        &wanted.secrets,
        repo.as_deref(),
    ));
    TerminalSpec {
        label: wanted.label.clone(),
        argv: argv(),
        cwd: folder.workspace(),
        env,
        secrets: secrets::carried(&wanted.secrets),
        size: Size::clamped(wanted.size.cols, wanted.size.rows),
        record: wanted.record,
    }
}
