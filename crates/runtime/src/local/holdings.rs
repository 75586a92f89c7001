//! What destroying a session would destroy.

use super::Here;
use super::environment;
use super::layout::Folder;
use super::step::{self, Step};
use anyhow::Result;
use domain::SessionId;
use domain::host::{Answer, Ask, Confinement};
use domain::session::Holdings;
use host::disk::{self, Bounds};
use std::time::Duration;

const BOUNDS: Bounds = Bounds {
    entries: 500_000,
    time: Duration::from_secs(5),
    rest: Duration::ZERO,
};
/// Git may take so long to look.
const GIT: Duration = Duration::from_secs(10);

/// Looks, within bounds: a huge workspace is told as at least as large as was seen.
pub(crate) async fn holdings(here: &Here, session: &SessionId) -> Result<Holdings> {
    let folder = here.layout.session(session)?;
    let (workspace, home) = (folder.workspace(), folder.home());
    let walk = tokio::task::spawn_blocking(move || (disk::measure(&workspace, BOUNDS), disk::measure(&home, BOUNDS)));
    let (held, at_home) = walk.await?;
    let is_checkout = folder.workspace().join(".git").exists();
    let (uncommitted, unpushed) = if is_checkout {
        let status = git(
            here,
            &folder,
            "status",
            &["status", "--porcelain", "--untracked-files=normal"],
        )
        .await;
        let commits = git(
            here,
            &folder,
            "commits",
            &["rev-list", "--branches", "HEAD", "--not", "--remotes"],
        )
        .await;
        (status, commits)
    } else {
        (None, None)
    };
    let processes = match folder.client().ask(Ask::Status).await {
        Ok(Some(Answer::Status(status))) => status.processes,
        _ => 0,
    };
    Ok(Holdings {
        bytes: held.bytes + at_home.bytes,
        files: held.files,
        uncommitted,
        unpushed,
        processes,
    })
}

/// Counts the lines that Git says; `None` when it fails or takes too long. A checkout's own settings name programs to
/// run, so that Git is confined like the session itself.
async fn git(here: &Here, folder: &Folder, name: &str, arguments: &[&str]) -> Option<u64> {
    let git = environment::find_program("git")?;
    let mut argv = vec![git.to_string_lossy().into_owned()];
    for setting in ["core.fsmonitor=false", "core.hooksPath=/dev/null", "safe.directory=*"] {
        argv.extend(["-c".to_owned(), setting.to_owned()]);
    }
    argv.extend(["--no-optional-locks".to_owned(), "--no-pager".to_owned()]);
    argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let workspace = folder.workspace();
    let step = Step {
        argv: &argv,
        env: environment::with_network(&folder.home(), &[]),
        cwd: &workspace,
        confinement: Confinement {
            read: [vec![workspace.clone(), folder.home()], environment::needs(&git)].concat(),
            hidden: vec![here.layout.data().to_owned()],
            ..Confinement::default()
        },
        scratch: folder
            .host()
            .join(format!("holdings-{name}-{}.json", uuid::Uuid::now_v7())),
        time: GIT,
    };
    let (mut lines, mut failed) = (0, false);
    let ended = step::run(here, step, |line| {
        failed |= line.starts_with("fatal:");
        lines += 1;
    });
    let ended = ended.await.ok()?;
    (ended.is_success() && !failed).then_some(lines)
}
