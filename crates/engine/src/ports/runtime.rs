//! What the engine asks of where sessions run, and what that sees.

use super::Delivered;
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    SessionId,
    agent::{Agent, Installation},
    host::{Attach, HostStatus, UsageFact},
    session::{Holdings, Session},
    wire::{Exit, Size},
};
use futures::{Sink, Stream, sink, stream};
use std::pin::Pin;
use tokio::sync::mpsc;

/// What a runtime needs to know to make a session run.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub session: Session,
    pub agent: Agent,
    /// Continue where the agent was, with its own flag. Only where it was started in this workspace before: an agent
    /// that has nothing to continue may refuse to start.
    pub resume: bool,
    /// Limits of the plan.
    pub cpu_millis: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub storage_bytes: Option<u64>,
    pub size: Size,
    /// What it receives that is secret.
    pub secrets: Vec<Delivered>,
    /// What comes out of its agent's terminal is recorded, masked; a session that cannot be recorded does not start.
    pub record: bool,
}

/// A shell to open beside the agent.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The id of its terminal.
    pub terminal: String,
    /// The name on its tab.
    pub label: String,
    pub size: Size,
    /// What it has in its environment that is secret.
    pub secrets: Vec<Delivered>,
    /// What comes out of it is recorded, masked; where it cannot be, it is not opened.
    pub record: bool,
}

/// What came out of a terminal, as an asciicast (version 2), up to the moment it was asked for.
pub struct Recording {
    /// Its length.
    pub bytes: u64,
    /// Its bytes in pieces; dropping it ends the reading.
    pub read: Pin<Box<dyn Stream<Item = Result<bytes::Bytes>> + Send>>,
}

/// One message of a conversation with a terminal, in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// JSON: [`domain::wire::FromTerminal`] or [`domain::wire::FromClient`]. Never sent in the plain form.
    Text(String),
    /// A [`domain::wire::Frame`]; in the plain form raw bytes.
    Binary(bytes::Bytes),
}

/// A conversation with one terminal; dropping it ends it. Little waits in it: whoever does not read is not written to.
pub struct Conversation {
    pub to_terminal: ToTerminal,
    pub from_terminal: FromTerminal,
}

/// Where messages to a terminal go; an error says that there is none any more.
pub type ToTerminal = Pin<Box<dyn Sink<Message, Error = anyhow::Error> + Send>>;

/// Where its messages come from; the end of it is the end of the conversation.
pub type FromTerminal = Pin<Box<dyn Stream<Item = Message> + Send>>;

impl Conversation {
    /// One that is carried by two channels.
    pub fn over(to_terminal: mpsc::Sender<Message>, from_terminal: mpsc::Receiver<Message>) -> Self {
        let to_terminal = sink::unfold(to_terminal, async |to_terminal: mpsc::Sender<Message>, message| {
            to_terminal.send(message).await?;
            anyhow::Ok(to_terminal)
        });
        let from_terminal = stream::unfold(from_terminal, async |mut from_terminal: mpsc::Receiver<Message>| {
            let message = from_terminal.recv().await?;
            Some((message, from_terminal))
        });
        Self {
            to_terminal: Box::pin(to_terminal),
            from_terminal: Box::pin(from_terminal),
        }
    }
}

/// A terminal's last screen, kept while its session sleeps.
#[derive(Clone, Debug, PartialEq)]
pub struct LastScreen {
    pub size: Size,
    pub ansi: bytes::Bytes,
    pub exit: Option<Exit>,
}

/// What a runtime has seen; the engine decides what it means.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// Making the session goes on: a sentence for the person who waits.
    Progress { session: SessionId, sentence: String },
    /// Its host runs and the agent was started.
    Started { session: SessionId },
    /// It could not be made; the reason says what to do.
    Failed { session: SessionId, reason: String },
    /// Its agent has ended; the host still shows the last screen.
    AgentExited { session: SessionId, exit: Exit },
    /// Its host is gone without having been asked (killed, out of memory, the machine restarted).
    Lost { session: SessionId, reason: String },
    /// Terminals, viewers, titles or measurements changed.
    Live { session: SessionId, status: HostStatus },
    /// There are usage facts to fetch.
    Metered { session: SessionId },
    /// An agent's installation changed.
    Agent { slug: String },
}

/// Where sessions run. Refusals that a person should read are a [`Refusal`] inside the error.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// What the About page says of it: `name`, then facts in order (limits enforced by what, kernel, free disk).
    async fn describe(&self) -> Result<Vec<(String, String)>>;
    /// What happens, from now on; called once, at the start. Bounded; the runtime waits for the engine.
    fn watch(&self) -> mpsc::Receiver<Observation>;

    /// Begins to make the session run and returns at once; asked again for one that runs or begins, does nothing.
    /// What comes of it is told by [`Runtime::watch`].
    async fn ensure(&self, wanted: &Wanted) -> Result<()>;
    /// Finds the hosts again that an earlier server left running: those that live are watched from now on, those of
    /// `expected` that do not are `Lost`.
    async fn take_up(&self, expected: &[SessionId]) -> Result<()>;
    /// Ends what runs, keeps workspace and last screens. Idempotent; returns when nothing runs any more.
    async fn suspend(&self, session: &SessionId) -> Result<()>;
    /// Destroys what runs and what is kept. Idempotent.
    async fn drop_session(&self, session: &SessionId) -> Result<()>;
    /// What [`Runtime::drop_session`] would destroy.
    async fn holdings(&self, session: &SessionId) -> Result<Holdings>;

    /// A conversation with a terminal; `None` where the session has no host now, or no such terminal.
    async fn attach(&self, session: &SessionId, attach: &Attach) -> Result<Option<Conversation>>;
    /// The last screen of a terminal whose session has no host.
    async fn last_screen(&self, session: &SessionId, terminal: &str) -> Result<Option<LastScreen>>;
    /// The recording of a terminal, whether it runs or not; `None` where there never was one.
    async fn recording(&self, session: &SessionId, terminal: &str) -> Result<Option<Recording>>;
    /// Opens a shell beside the agent.
    async fn open_terminal(&self, session: &Session, shell: &Shell) -> Result<()>;
    /// Ends a terminal's program and forgets the terminal.
    async fn close_terminal(&self, session: &SessionId, terminal: &str) -> Result<()>;
    /// Gives a terminal a size.
    async fn resize(&self, session: &SessionId, terminal: &str, size: Size) -> Result<()>;
    /// Sends `INT`, `QUIT`, `TERM`, `HUP` or `KILL` to a terminal's foreground processes.
    async fn signal(&self, session: &SessionId, terminal: &str, signal: &str) -> Result<()>;
    /// The session as it is now; `None` without a host.
    async fn status(&self, session: &SessionId) -> Result<Option<HostStatus>>;
    /// Usage facts after a number; the runtime forgets those up to it. Also of sessions whose host is gone.
    async fn usage(&self, session: &SessionId, after: u64) -> Result<Vec<UsageFact>>;

    /// What is on the machine of these agents.
    async fn installations(&self, agents: &[Agent]) -> Result<Vec<Installation>>;
    /// Begins to install an agent, or goes on with an installation that was cut off; returns at once.
    async fn install(&self, agent: &Agent) -> Result<()>;
    /// Removes an agent's package; sessions that run it go on until they end.
    async fn uninstall(&self, agent: &Agent) -> Result<()>;
    /// The end of the last installation's log, at most 64 KiB; `None` where there was none.
    async fn install_log(&self, agent: &Agent) -> Result<Option<String>>;
}
