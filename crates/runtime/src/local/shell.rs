//! Shells: what a person gets beside the agent, and what the agent `shell` is.

use super::layout::Folder;
use super::{Here, environment, secrets};
use domain::SessionId;
use domain::host::TerminalSpec;
use domain::wire::Size;
use engine::ports::Delivered;
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
pub(crate) fn beside(
    here: &Here,
    folder: &Folder,
    session: &SessionId,
    label: &str,
    size: Size,
    given: &[Delivered],
) -> TerminalSpec {
    let mut env = environment::of_session(here, session, folder, &[]);
    env.extend(secrets::git_environment(&folder.home(), given));
    TerminalSpec {
        label: label.to_owned(),
        argv: argv(),
        cwd: folder.workspace(),
        env,
        secrets: secrets::carried(given),
        size: Size::clamped(size.cols, size.rows),
    }
}
