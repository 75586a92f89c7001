//! One task keeps one session: it makes it run, watches its host, ends it, destroys it; one thing at a time.
//!
//! It never waits for the engine while the engine may wait for it: what it has to tell is kept (in a bounded form) until
//! there is room, and commands are heard meanwhile.

mod outgoing;

use super::Here;
use super::layout::Folder;
use super::making::{self, Made};
use super::removal;
use anyhow::Result;
use domain::SessionId;
use domain::host::{AGENT, Answer, Ask, HostEvent, HostStatus, TerminalSpec};
use domain::wire::Exit;
use engine::ports::{Observation, Wanted};
use futures::future::BoxFuture;
use host::client::Watch;
use host::files;
use outgoing::Outgoing;
use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// What a session's keeper is told to do.
pub(crate) enum Command {
    Ensure(Box<Wanted>),
    /// Find the session's host again; one that is `expected` and gone is lost.
    TakeUp {
        expected: bool,
    },
    Suspend(oneshot::Sender<Result<()>>),
    Drop(oneshot::Sender<Result<()>>),
}

/// The tasks that keep sessions.
pub(crate) struct Keepers {
    here: Arc<Here>,
    tell: mpsc::Sender<Observation>,
    mailboxes: Mutex<HashMap<SessionId, mpsc::Sender<Command>>>,
}

impl Keepers {
    pub(crate) fn new(here: Arc<Here>, tell: mpsc::Sender<Observation>) -> Self {
        Self {
            here,
            tell,
            mailboxes: Mutex::default(),
        }
    }

    /// Gives a command to the session's keeper, who is hired where there is none.
    pub(crate) async fn tell(&self, session: &SessionId, command: Command) -> Result<()> {
        let folder = self.here.layout.session(session)?;
        let mailbox = {
            let mut mailboxes = self.mailboxes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            // Those of destroyed sessions have gone.
            mailboxes.retain(|_, mailbox| !mailbox.is_closed());
            let hire = || Keeper::hire(self.here.clone(), session.clone(), folder, self.tell.clone());
            mailboxes.entry(session.clone()).or_insert_with(hire).clone()
        };
        match mailbox.send(command).await {
            Ok(()) => Ok(()),
            // It went between the look and the word, after destroying the session: there is nothing left to keep.
            Err(mpsc::error::SendError(command)) => match command {
                Command::Drop(reply) | Command::Suspend(reply) => {
                    let _ = reply.send(Ok(()));
                    Ok(())
                }
                Command::Ensure(_) | Command::TakeUp { .. } => anyhow::bail!("the session is just being deleted"),
            },
        }
    }
}

/// What is happening with the session.
enum Now {
    /// Nothing runs, as far as is known.
    Idle,
    Making {
        made: BoxFuture<'static, Result<Made, String>>,
        progress: mpsc::Receiver<String>,
    },
    Running {
        watch: Box<Watch>,
        ended: Option<oneshot::Receiver<ExitStatus>>,
    },
}

struct Keeper {
    here: Arc<Here>,
    session: SessionId,
    folder: Folder,
    outgoing: Outgoing,
    now: Now,
    /// The agent's end that was told, with the epoch it belongs to.
    exit_told: Option<(u64, Exit)>,
    /// An agent that was told to continue, when, and how to start it should it have nothing to continue.
    continuing: Option<(Instant, TerminalSpec)>,
}

/// What happened next.
enum Next {
    Command(Option<Command>),
    Progress(String),
    Made(Result<Made, String>),
    Event(Result<HostEvent>),
    Told,
}

/// Commands under way to one keeper.
const MAILBOX: usize = 8;
/// What programs are given to end, when a session is suspended and when it is destroyed.
const GRACE: Duration = Duration::from_secs(5);
/// An agent that ends so soon after it was told to continue could not.
const AT_ONCE: Duration = Duration::from_secs(15);
const SHORT_GRACE: Duration = Duration::from_millis(500);

impl Keeper {
    fn hire(
        here: Arc<Here>,
        session: SessionId,
        folder: Folder,
        tell: mpsc::Sender<Observation>,
    ) -> mpsc::Sender<Command> {
        let (mailbox, commands) = mpsc::channel(MAILBOX);
        let keeper = Self {
            outgoing: Outgoing::new(tell),
            here,
            session,
            folder,
            now: Now::Idle,
            exit_told: None,
            continuing: None,
        };
        tokio::spawn(keeper.keep(commands));
        mailbox
    }

    /// What is rare is boxed: this future is held for as long as there is a session, at its largest.
    async fn keep(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            let next = tokio::select! {
                command = commands.recv() => Next::Command(command),
                next = self.now.next() => next,
                () = self.outgoing.tell() => Next::Told,
            };
            match next {
                Next::Command(None) => return,
                Next::Command(Some(Command::Drop(reply))) => {
                    let dropped = Box::pin(self.destroy()).await;
                    let gone = dropped.is_ok();
                    if gone {
                        // Whoever comes now gets a keeper that knows nothing of this session.
                        commands.close();
                    }
                    let _ = reply.send(dropped);
                    if gone {
                        return;
                    }
                }
                Next::Command(Some(command)) => Box::pin(self.obey(command)).await,
                Next::Progress(sentence) => self.say(|session| Observation::Progress { session, sentence }),
                Next::Made(Ok(Made { watch, ended, anew })) => {
                    self.continuing = anew.map(|spec| (Instant::now(), spec));
                    let watch = Box::new(watch);
                    self.now = Now::Running { watch, ended };
                    self.exit_told = None;
                    self.say(|session| Observation::Started { session });
                }
                Next::Made(Err(reason)) => {
                    self.now = Now::Idle;
                    self.say(|session| Observation::Failed { session, reason });
                }
                Next::Event(Ok(event)) => Box::pin(self.see(event)).await,
                Next::Event(Err(_)) => Box::pin(self.look_again()).await,
                Next::Told => {}
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            // It begins already; what comes of it will be told.
            Command::Ensure(_) if matches!(self.now, Now::Making { .. }) => {}
            Command::Ensure(wanted) => self.begin(wanted),
            Command::TakeUp { expected } => {
                if !matches!(self.now, Now::Idle) {
                    return;
                }
                match self.folder.client().watch().await {
                    Ok(Some(watch)) => {
                        let watch = Box::new(watch);
                        self.now = Now::Running { watch, ended: None };
                    }
                    _ if expected => self.lose(None).await,
                    _ => {
                        // Nobody's any more; a host that is just ending takes its socket along.
                        if !self.folder.is_locked() {
                            let _ = std::fs::remove_file(self.folder.socket());
                        }
                    }
                }
            }
            Command::Suspend(reply) => {
                let ended = self.end(GRACE).await;
                let _ = reply.send(ended);
            }
            Command::Drop(_) => unreachable!("a keeper hears this before it obeys"),
        }
    }

    fn begin(&mut self, wanted: Box<Wanted>) {
        let (tell, progress) = mpsc::channel(4);
        let here = self.here.clone();
        let made = Box::pin(async move { making::make(&here, &wanted, tell).await });
        self.now = Now::Making { made, progress };
    }

    async fn see(&mut self, event: HostEvent) {
        match event {
            HostEvent::Changed(status) => {
                let exit = agent_exit(&status);
                if let Some((_, exit)) = exit
                    && self.starts_anew(exit).await
                {
                    return;
                }
                self.say(|session| Observation::Live { session, status });
                if exit.is_some() && exit != self.exit_told {
                    self.exit_told = exit;
                    if let Some((_, exit)) = exit {
                        self.say(|session| Observation::AgentExited { session, exit });
                    }
                }
            }
            // The state that came before it says so too.
            HostEvent::Exited { .. } => {}
            HostEvent::Metered => self.say(|session| Observation::Metered { session }),
        }
    }

    /// Starts an agent anew that was told to continue and ended at once, because there was nothing; whether it did.
    async fn starts_anew(&mut self, exit: Exit) -> bool {
        let Some((began, spec)) = self.continuing.take() else {
            return false;
        };
        if exit == Exit::Code(0) || began.elapsed() > AT_ONCE {
            return false;
        }
        let started = self.folder.client().ask(Ask::StartAgent { spec }).await;
        matches!(started, Ok(Some(Answer::Done)))
    }

    /// The watch has ended: because we were slow, or because the host is gone.
    async fn look_again(&mut self) {
        let Now::Running { ended, .. } = std::mem::replace(&mut self.now, Now::Idle) else {
            return;
        };
        // A host that is ending by itself (the machine goes down) holds its lock until it is done.
        for _ in 0..100 {
            if let Ok(Some(watch)) = self.folder.client().watch().await {
                let watch = Box::new(watch);
                self.now = Now::Running { watch, ended };
                return;
            }
            if !self.folder.is_locked() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.lose(ended).await;
    }

    /// The host is gone and was not asked to go.
    async fn lose(&mut self, ended: Option<oneshot::Receiver<ExitStatus>>) {
        let status = match ended {
            Some(ended) => tokio::time::timeout(Duration::from_secs(1), ended)
                .await
                .ok()
                .and_then(Result::ok),
            None => None,
        };
        let reason = self.how_it_was_lost(status);
        if let Err(error) = removal::end_leftovers(&self.folder).await {
            tracing::warn!(session = %self.session, error = format!("{error:#}"), "leftovers may run on");
        }
        self.now = Now::Idle;
        self.say(|session| Observation::Lost { session, reason });
    }

    fn how_it_was_lost(&self, status: Option<ExitStatus>) -> String {
        let files = self.folder.files();
        let last_exit = files.load_screen(AGENT).ok().flatten().and_then(|screen| screen.exit);
        let how = match (files.last_identity(), status.and_then(|status| status.signal())) {
            (Some(host), _) if host.boot != files::boot() => "The machine was restarted".to_owned(),
            (_, Some(9)) => "Its host was killed, perhaps because memory ran out".to_owned(),
            (_, Some(signal)) => format!("Its host was ended by signal {signal}"),
            (None, None) => "It had not started yet".to_owned(),
            (Some(_), None) => "Its host ended while nobody looked".to_owned(),
        };
        match last_exit {
            Some(Exit::Code(code)) => {
                format!("{how}; the agent had ended before with status {code}. Resume goes on in its workspace.")
            }
            Some(Exit::Signal(signal)) => {
                format!("{how}; the agent had been ended before by signal {signal}. Resume goes on in its workspace.")
            }
            None => format!("{how}. Resume goes on in its workspace."),
        }
    }

    /// Ends what runs or is being made.
    async fn end(&mut self, grace: Duration) -> Result<()> {
        // Dropping what is being made kills its programs.
        self.now = Now::Idle;
        self.outgoing.forget_live();
        removal::end(&self.session, &self.folder, grace).await
    }

    async fn destroy(&mut self) -> Result<()> {
        self.end(SHORT_GRACE).await?;
        removal::destroy(&self.here.layout, &self.folder).await
    }

    fn say(&mut self, what: impl FnOnce(SessionId) -> Observation) {
        self.outgoing.push(what(self.session.clone()));
    }
}

impl Now {
    /// What comes next; may be dropped and asked again at any time.
    async fn next(&mut self) -> Next {
        match self {
            Self::Idle => std::future::pending().await,
            Self::Making { made, progress } => tokio::select! {
                biased;
                Some(sentence) = progress.recv() => Next::Progress(sentence),
                made = made => Next::Made(made),
            },
            Self::Running { watch, .. } => Next::Event(watch.next().await),
        }
    }
}

fn agent_exit(status: &HostStatus) -> Option<(u64, Exit)> {
    let agent = status.terminals.iter().find(|terminal| terminal.id == AGENT)?;
    agent.exit.map(|exit| (agent.epoch, exit))
}
