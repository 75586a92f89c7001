//! Sessions on this machine: a folder and a detached `sandbox-host` process for each.
//!
//! Whatever changes a session (making, suspending, destroying) goes through the one task that keeps it; whatever only
//! looks or talks goes straight to the host's socket, so nobody waits behind a clone.

mod asleep;
mod clone;
mod conversation;
mod describe;
mod environment;
mod holdings;
mod install;
mod keeper;
mod launch;
mod layout;
mod making;
mod removal;
mod secrets;
mod shell;
mod step;

use anyhow::{Context, Result, bail};
use asleep::Sleepers;
use async_trait::async_trait;
use domain::SessionId;
use domain::agent::{Agent, Installation};
use domain::host::{Answer, Ask, Attach, HostStatus, UsageFact};
use domain::session::{Holdings, Session};
use domain::wire::Size;
use engine::ports::{Conversation, LastScreen, Observation, Recording, Refusal, Runtime, Shell, Wanted};
use futures::{StreamExt, TryStreamExt};
use host::client::Client;
use install::Installs;
use keeper::Keepers;
use layout::Layout;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::io::ReaderStream;

/// How sessions run on this machine.
#[derive(Clone, Debug, clap::Args)]
// Rooms are flattened into one command line, where every group has a name of its own.
#[group(id = "runtime")]
pub struct Options {
    /// The program `sandbox-host`; without it, the one beside the server's own.
    #[arg(long, env = "SANDBOX_HOST_BINARY")]
    pub host_binary: Option<PathBuf>,
    /// What repositories given as `org/name` are resolved against, such as `https://git.example.org`.
    #[arg(long, env = "SANDBOX_GIT_BASE_URL")]
    pub git_base_url: Option<String>,
    /// Variables of the server's environment that sessions get (none unless named here), separated by commas.
    #[arg(long, env = "SANDBOX_SESSION_ENV", value_delimiter = ',')]
    pub session_env: Vec<String>,
    /// Processes that one session may run at once.
    #[arg(long, env = "SANDBOX_SESSION_PROCESSES", default_value_t = 1024)]
    pub session_processes: u64,
    /// Lines of history that a terminal keeps.
    #[arg(long, env = "SANDBOX_SCROLLBACK", default_value_t = 10_000)]
    pub scrollback: u32,
    /// How often usage is written down, in milliseconds.
    #[arg(long, env = "SANDBOX_METER_MS", default_value_t = 60_000, hide = true)]
    pub meter_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host_binary: None,
            git_base_url: None,
            session_env: Vec::new(),
            session_processes: 1024,
            scrollback: 10_000,
            meter_ms: 60_000,
        }
    }
}

/// The runtime of this machine.
pub struct Local {
    here: Arc<Here>,
    keepers: Keepers,
    installs: Installs,
    sleepers: Sleepers,
    observations: Mutex<Option<mpsc::Receiver<Observation>>>,
}

/// What everything here knows.
#[derive(Debug)]
pub(crate) struct Here {
    pub(crate) options: Options,
    pub(crate) layout: Layout,
    pub(crate) host_binary: PathBuf,
}

/// What is read of a recording at once, in bytes.
const READ: usize = 64 * 1024;
/// Observations that wait for the engine; who has more to say waits too.
const OBSERVATIONS: usize = 256;

impl Local {
    /// Makes the folders in `data` and is ready; nothing runs until it is asked for.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(data: impl Into<PathBuf>, options: Options) -> Result<Self> {
        let host_binary = match &options.host_binary {
            Some(binary) => binary.clone(),
            None => std::env::current_exe()
                .context("cannot tell where this program is")?
                .with_file_name("sandbox-host"),
        };
        let layout = Layout::make(data.into())?;
        removal::empty_trash(&layout);
        let here = Arc::new(Here {
            options,
            layout,
            host_binary,
        });
        let (tell, observations) = mpsc::channel(OBSERVATIONS);
        Ok(Self {
            keepers: Keepers::new(here.clone(), tell.clone()),
            installs: Installs::new(here.clone(), tell),
            sleepers: Sleepers::default(),
            observations: Mutex::new(Some(observations)),
            here,
        })
    }

    fn client(&self, session: &SessionId) -> Result<Client> {
        Ok(self.here.layout.session(session)?.client())
    }

    /// Asks a session's host for something that is only done or refused.
    async fn ask(&self, session: &SessionId, ask: Ask) -> Result<()> {
        match self.client(session)?.ask(ask).await? {
            Some(Answer::Done) => Ok(()),
            Some(answer) => Err(refused(answer)),
            None => Err(Refusal::Unavailable("The session does not run: resume it first.".to_owned()).into()),
        }
    }
}

#[async_trait]
impl Runtime for Local {
    async fn describe(&self) -> Result<Vec<(String, String)>> {
        Ok(describe::describe(&self.here).await)
    }

    fn watch(&self) -> mpsc::Receiver<Observation> {
        let mut observations = self
            .observations
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        // Who asks a second time is told nothing: the first one is told everything.
        observations.take().unwrap_or_else(|| mpsc::channel(1).1)
    }

    async fn ensure(&self, wanted: &Wanted) -> Result<()> {
        let session = &wanted.session.id;
        let wanted = Box::new(wanted.clone());
        self.keepers.tell(session, keeper::Command::Ensure(wanted)).await
    }

    async fn take_up(&self, expected: &[SessionId]) -> Result<()> {
        let mut found = self.here.layout.sockets()?;
        for session in expected {
            let expected = true;
            found.retain(|other| other != session);
            self.keepers.tell(session, keeper::Command::TakeUp { expected }).await?;
        }
        for session in &found {
            let expected = false;
            self.keepers.tell(session, keeper::Command::TakeUp { expected }).await?;
        }
        self.installs.clean_up();
        Ok(())
    }

    async fn suspend(&self, session: &SessionId) -> Result<()> {
        let (reply, done) = oneshot::channel();
        self.keepers.tell(session, keeper::Command::Suspend(reply)).await?;
        done.await?
    }

    async fn drop_session(&self, session: &SessionId) -> Result<()> {
        let (reply, done) = oneshot::channel();
        self.keepers.tell(session, keeper::Command::Drop(reply)).await?;
        done.await?
    }

    async fn holdings(&self, session: &SessionId) -> Result<Holdings> {
        holdings::holdings(&self.here, session).await
    }

    async fn attach(&self, session: &SessionId, attach: &Attach) -> Result<Option<Conversation>> {
        match self.client(session)?.attach(attach.clone()).await? {
            None => Ok(None),
            Some(Ok(connection)) => Ok(Some(conversation::carry(connection))),
            Some(Err(Answer::Refused { code, .. })) if code == "not-found" => Ok(None),
            Some(Err(answer)) => Err(refused(answer)),
        }
    }

    async fn last_screen(&self, session: &SessionId, terminal: &str) -> Result<Option<LastScreen>> {
        let files = self.here.layout.session(session)?.files();
        let terminal = terminal.to_owned();
        let saved = tokio::task::spawn_blocking(move || files.load_screen(&terminal)).await??;
        Ok(saved.map(|screen| LastScreen {
            size: screen.size,
            ansi: screen.ansi.into(),
            exit: screen.exit,
        }))
    }

    async fn recording(&self, session: &SessionId, terminal: &str) -> Result<Option<Recording>> {
        let files = self.here.layout.session(session)?.files();
        let Some(path) = files.recording(terminal) else {
            return Ok(None);
        };
        let found = tokio::task::spawn_blocking(move || host::recording::whole(&path)).await??;
        Ok(found.map(|(file, bytes)| Recording {
            bytes,
            // What is added from now on is not in what was promised.
            read: ReaderStream::with_capacity(tokio::fs::File::from_std(file).take(bytes), READ)
                .map_err(anyhow::Error::from)
                .boxed(),
        }))
    }

    async fn open_terminal(&self, session: &Session, wanted: &Shell) -> Result<()> {
        let folder = self.here.layout.session(&session.id)?;
        let spec = shell::beside(&self.here, &folder, session, wanted);
        let terminal = wanted.terminal.clone();
        self.ask(&session.id, Ask::OpenTerminal { terminal, spec }).await
    }

    async fn close_terminal(&self, session: &SessionId, terminal: &str) -> Result<()> {
        let terminal = terminal.to_owned();
        self.ask(session, Ask::CloseTerminal { terminal }).await
    }

    async fn resize(&self, session: &SessionId, terminal: &str, size: Size) -> Result<()> {
        let terminal = terminal.to_owned();
        self.ask(session, Ask::Resize { terminal, size }).await
    }

    async fn signal(&self, session: &SessionId, terminal: &str, signal: &str) -> Result<()> {
        let (terminal, signal) = (terminal.to_owned(), signal.to_owned());
        self.ask(session, Ask::Signal { terminal, signal }).await
    }

    async fn status(&self, session: &SessionId) -> Result<Option<HostStatus>> {
        match self.client(session)?.ask(Ask::Status).await? {
            None => Ok(None),
            Some(Answer::Status(status)) => Ok(Some(status)),
            Some(answer) => Err(refused(answer)),
        }
    }

    async fn usage(&self, session: &SessionId, after: u64) -> Result<Vec<UsageFact>> {
        match self.client(session)?.ask(Ask::Usage { after }).await? {
            Some(Answer::Usage { facts }) => Ok(facts),
            Some(answer) => Err(refused(answer)),
            None => {
                let folder = self.here.layout.session(session)?;
                self.sleepers.usage(folder, after).await
            }
        }
    }

    async fn installations(&self, agents: &[Agent]) -> Result<Vec<Installation>> {
        Ok(agents.iter().map(|agent| self.installs.state(agent)).collect())
    }

    async fn install(&self, agent: &Agent) -> Result<()> {
        self.installs.begin(agent)
    }

    async fn uninstall(&self, agent: &Agent) -> Result<()> {
        self.installs.remove(agent).await
    }

    async fn install_log(&self, agent: &Agent) -> Result<Option<String>> {
        self.installs.log(agent).await
    }
}

/// What a host refused, as the error that a person may read.
fn refused(answer: Answer) -> anyhow::Error {
    let Answer::Refused { code, detail } = answer else {
        return anyhow::anyhow!("the session's host answered something else");
    };
    match code.as_str() {
        "not-found" => Refusal::NotFound(detail).into(),
        "invalid" | "exited" | "too-many" => Refusal::Invalid(detail).into(),
        _ => anyhow::anyhow!("the session's host: {detail}"),
    }
}

/// The error of an id that names no folder.
fn no_session(session: &SessionId) -> Result<()> {
    let id = session.as_str();
    let label = (1..=63).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !id.starts_with('-');
    if !label {
        bail!(Refusal::NotFound("There is no such session.".to_owned()));
    }
    Ok(())
}
