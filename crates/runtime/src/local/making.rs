//! Making a session run: folders, repository, agent, host. Done again after any interruption, it goes on where it was.

use super::install::Program;
use super::launch::{self, Launched};
use super::layout::{Folder, Layout, make_private};
use super::{Here, environment, secrets, shell};
use anyhow::Result;
use domain::agent::{Agent, Source};
use domain::host::{AGENT, Answer, Ask, Confinement, HostSpec, TerminalSpec};
use domain::wire::Size;
use engine::ports::Wanted;
use host::client::Watch;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use tokio::sync::{mpsc, oneshot};

/// A session that runs.
pub(crate) struct Made {
    pub(crate) watch: Watch,
    /// How its host ended, where this server has started it.
    pub(crate) ended: Option<oneshot::Receiver<ExitStatus>>,
    /// How to start the agent should it not know how to continue.
    pub(crate) anew: Option<TerminalSpec>,
}

/// Less free disk than this, and nothing is begun.
const LEAST_FREE: u64 = 32 << 20;

/// Makes a session run; the error is a sentence for the person who waits.
pub(crate) async fn make(here: &Here, wanted: &Wanted, progress: mpsc::Sender<String>) -> Result<Made, String> {
    let folder = here
        .layout
        .session(&wanted.session.id)
        .map_err(|error| sentence(&error))?;
    if let Some(watch) = start_in_living_host(here, &folder, wanted).await? {
        let anew = super::install::program(here, &wanted.agent).ok();
        let anew = anew.and_then(|program| anew_spec(here, &folder, wanted, &program));
        return Ok(Made {
            watch,
            ended: None,
            anew,
        });
    }
    let program = super::install::program(here, &wanted.agent)?;
    prepare(here, &folder, wanted, &progress).await?;
    let _ = progress.try_send(format!("Starting {}.", wanted.agent.label));
    let Launched { watch, ended } = launch::launch(here, &folder, spec(here, &folder, wanted, &program)).await?;
    Ok(Made {
        watch,
        ended: Some(ended),
        anew: anew_spec(here, &folder, wanted, &program),
    })
}

/// A host that an earlier server has left, or whose agent has ended, only needs its agent; `None` without a host.
async fn start_in_living_host(here: &Here, folder: &Folder, wanted: &Wanted) -> Result<Option<Watch>, String> {
    let client = folder.client();
    let Ok(Some(Answer::Status(status))) = client.ask(Ask::Status).await else {
        return Ok(None);
    };
    let agent = status.terminals.iter().find(|terminal| terminal.id == AGENT);
    if agent.is_none_or(|agent| agent.exit.is_some()) {
        let program = super::install::program(here, &wanted.agent)?;
        secrets::place(folder, &wanted.secrets).await?;
        let spec = agent_spec(here, folder, wanted, &program);
        match client.ask(Ask::StartAgent { spec }).await {
            Ok(Some(Answer::Done)) => {}
            Ok(Some(Answer::Refused { detail, .. })) => return Err(format!("The agent cannot start: {detail}")),
            Ok(_) => return Ok(None),
            Err(error) => return Err(sentence(&error)),
        }
    }
    client.watch().await.map_err(|error| sentence(&error))
}

/// Folders and repository; what is there already stays as it is.
async fn prepare(here: &Here, folder: &Folder, wanted: &Wanted, progress: &mpsc::Sender<String>) -> Result<(), String> {
    let made = folder.made().exists();
    if made && !folder.workspace().is_dir() {
        return Err(
            "The session's workspace was deleted from the disk: its files are gone. Delete the session and open a new \
             one."
                .to_owned(),
        );
    }
    if free(&here.layout).is_some_and(|free| free < LEAST_FREE) {
        return Err(sentence(&io::Error::from(ErrorKind::StorageFull).into()));
    }
    for path in [folder.path().to_owned(), folder.home(), folder.tmp(), folder.host()] {
        make_private(&path).map_err(|error| sentence(&error))?;
    }
    // Before a clone, which may need them.
    secrets::place(folder, &wanted.secrets).await?;
    if made {
        return Ok(());
    }
    match wanted.session.repo.as_deref() {
        // A clone that is whole (the server ended right after it) is not begun anew.
        Some(repo) if !folder.workspace().is_dir() => super::clone::clone(here, folder, wanted, repo, progress).await?,
        _ => make_private(&folder.workspace()).map_err(|error| sentence(&error))?,
    }
    host::files::write_atomically(&folder.made(), b"").map_err(|error| sentence(&error.into()))
}

/// Removes what clones have left that did not come to their end.
pub(crate) fn remove_clones(folder: &Folder) -> Result<()> {
    for entry in std::fs::read_dir(folder.path())?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("clone-") {
            super::removal::remove(&entry.path())?;
        }
    }
    Ok(())
}

fn spec(here: &Here, folder: &Folder, wanted: &Wanted, program: &Program) -> HostSpec {
    HostSpec {
        session: wanted.session.id.as_str().to_owned(),
        dir: folder.host(),
        socket: folder.socket().to_owned(),
        agent: agent_spec(here, folder, wanted, program),
        confinement: confinement(here, folder, wanted, program),
        measured: vec![folder.workspace(), folder.home()],
        scrollback: here.options.scrollback,
    }
}

fn agent_spec(here: &Here, folder: &Folder, wanted: &Wanted, program: &Program) -> TerminalSpec {
    let agent = &wanted.agent;
    let mut env = environment::of_session(here, &wanted.session.id, folder, &program.path);
    env.extend(agent.env.clone());
    let repo = super::clone::address_of(here, &wanted.session);
    env.extend(secrets::git_environment(
        &folder.home(),
        &wanted.secrets,
        repo.as_deref(),
    ));
    TerminalSpec {
        label: agent.label.clone(),
        argv: argv(agent, program, wanted.resume),
        cwd: folder.workspace(),
        env,
        secrets: secrets::carried(&wanted.secrets),
        size: Size::clamped(wanted.size.cols, wanted.size.rows),
        record: wanted.record,
    }
}

/// How to start the agent where it has nothing to continue and ends: as if it were the first time.
fn anew_spec(here: &Here, folder: &Folder, wanted: &Wanted, program: &Program) -> Option<TerminalSpec> {
    let anew = Wanted {
        resume: false,
        ..wanted.clone()
    };
    (wanted.resume && !wanted.agent.resume_args.is_empty()).then(|| agent_spec(here, folder, &anew, program))
}

fn argv(agent: &Agent, program: &Program, resume: bool) -> Vec<String> {
    if agent.source == Source::BuiltIn && agent.binary == "sh" {
        return shell::argv();
    }
    let continues = resume && !agent.resume_args.is_empty();
    let arguments = if continues { &agent.resume_args } else { &agent.args };
    let mut argv = vec![program.binary.to_string_lossy().into_owned()];
    argv.extend(arguments.iter().cloned());
    argv
}

fn confinement(here: &Here, folder: &Folder, wanted: &Wanted, program: &Program) -> Confinement {
    let mut write = vec![folder.workspace(), folder.home(), folder.tmp()];
    let shared = Path::new("/tmp");
    // Landlock opens whole folders: with the data below /tmp, /tmp stays closed and TMPDIR is all there is.
    if !here.layout.data().starts_with(shared) {
        write.push(shared.to_owned());
    }
    let mut read: Vec<PathBuf> = program.read.clone();
    // What the agents of other sessions run is no secret, and a shell may want it.
    read.extend(
        environment::find_program("node")
            .iter()
            .flat_map(|node| environment::needs(node)),
    );
    Confinement {
        write,
        read,
        hidden: vec![here.layout.data().to_owned()],
        cpu_millis: wanted.cpu_millis,
        memory_bytes: wanted.memory_bytes,
        processes: Some(here.options.session_processes),
        file_bytes: wanted.storage_bytes,
    }
}

/// Bytes that are free where the data is.
pub(crate) fn free(layout: &Layout) -> Option<u64> {
    let disk = rustix::fs::statvfs(layout.data()).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// An error as a sentence for the person who waits.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            "The disk of this machine is full: delete what is not needed, then try again.".to_owned()
        }
        Some(ErrorKind::ReadOnlyFilesystem) => "The server's data folder cannot be written.".to_owned(),
        _ => format!("{error:#}."),
    }
}
