//! A runtime in a folder of its own, and people who type.

use bytes::Bytes;
use domain::agent::{Agent, Catalogue, Source};
use domain::host::Attach;
use domain::session::Session;
use domain::wire::{Frame, FromClient, FromTerminal, Size};
use domain::{OrgId, PersonId, SessionId};
use engine::ports::{Conversation, Delivered, Message, Observation, Runtime, Shell, Wanted};
use futures::{SinkExt as _, StreamExt as _};
use runtime::{Local, Options};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Generous: a loaded machine is slow, and only a failure waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A shell that is not recorded.
pub(crate) fn shell(terminal: &str, secrets: &[Delivered]) -> Shell {
    Shell {
        terminal: terminal.to_owned(),
        label: "Shell".to_owned(),
        size: Size::default(),
        secrets: secrets.to_vec(),
        record: false,
    }
}

/// A server's runtime with its data, which ends what it has started when it is dropped.
pub(crate) struct Stage {
    pub(crate) local: Local,
    pub(crate) observations: mpsc::Receiver<Observation>,
    folder: TempDir,
    data: PathBuf,
}

impl Stage {
    pub(crate) fn set() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        // Not below /tmp, which sessions may write.
        let base = std::env::var("SANDBOX_TEST_FOLDER").unwrap_or(env!("CARGO_TARGET_TMPDIR").to_owned());
        let folder = TempDir::new_in(base).expect("a folder");
        let data = folder.path().join("data");
        let (local, observations) = start(&data, options);
        Self {
            local,
            observations,
            folder,
            data,
        }
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A folder that is no session's.
    pub(crate) fn outside(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn session(&self, id: &SessionId) -> PathBuf {
        self.data.join("sessions").join(id.as_str())
    }

    /// The programs that run for a session, its host not counted.
    pub(crate) fn programs(&self, id: &SessionId) -> Vec<u32> {
        let folder = self.session(id).canonicalize().unwrap_or_else(|_| self.session(id));
        host::processes::marked(&format!("SANDBOX_FOLDER={}", folder.display()))
    }

    /// What a kill -9 of the server leaves: everything of it is gone but the data and the hosts.
    pub(crate) fn restart(&mut self) {
        let (local, observations) = start(&self.data, Options::default());
        (self.local, self.observations) = (local, observations);
    }

    /// Begins anew with an empty data folder elsewhere.
    pub(crate) fn moves_to(&mut self, data: PathBuf) {
        self.data = data;
        self.restart();
    }

    /// Waits for the first observation that `matches`.
    pub(crate) async fn see<T>(&mut self, mut matches: impl FnMut(&Observation) -> Option<T>) -> T {
        let seen = async {
            loop {
                let observation = self.observations.recv().await.expect("the runtime lives");
                if let Some(found) = matches(&observation) {
                    return found;
                }
                // What was lost before and is opened again is told first.
                assert!(
                    !matches!(observation, Observation::Failed { .. }),
                    "unexpected: {observation:?}"
                );
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("it is seen in time")
    }

    /// Opens a session and waits until it runs.
    pub(crate) async fn open(&mut self, wanted: &Wanted) -> SessionId {
        self.local.ensure(wanted).await.expect("begins");
        self.see(|observation| matches!(observation, Observation::Started { .. }).then_some(()))
            .await;
        wanted.session.id.clone()
    }

    /// Opens a shell beside the agent.
    pub(crate) async fn shell(
        &self,
        session: &SessionId,
        terminal: &str,
        size: Size,
        secrets: &[Delivered],
    ) -> anyhow::Result<()> {
        let session = Session::example(session.clone(), OrgId::new("acme"), PersonId::new("ada"));
        let shell = Shell {
            size,
            ..shell(terminal, secrets)
        };
        self.local.open_terminal(&session, &shell).await
    }

    /// The same, for a session that is known as a whole.
    pub(crate) async fn shell_of(
        &self,
        session: &Session,
        terminal: &str,
        secrets: &[Delivered],
    ) -> anyhow::Result<()> {
        self.local.open_terminal(session, &shell(terminal, secrets)).await
    }

    /// Every file of the data that holds `text`, but those in a session's HOME.
    pub(crate) fn files_with(&self, text: &str) -> Vec<String> {
        let (mut found, mut next) = (Vec::new(), vec![self.data.clone()]);
        while let Some(folder) = next.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    if !path.ends_with("home") {
                        next.push(path);
                    }
                } else if let Ok(bytes) = std::fs::read(&path)
                    && bytes.windows(text.len()).any(|window| window == text.as_bytes())
                {
                    found.push(path.display().to_string());
                }
            }
        }
        found
    }

    /// Opens a session that cannot be made, and waits for the reason.
    pub(crate) async fn open_in_vain(&mut self, wanted: &Wanted) -> String {
        self.local.ensure(wanted).await.expect("begins");
        self.see(|observation| match observation {
            Observation::Failed { reason, .. } => Some(reason.clone()),
            Observation::Started { .. } => panic!("it started"),
            _ => None,
        })
        .await
    }

    pub(crate) async fn attach(&self, session: &SessionId, terminal: &str) -> Person {
        let attach = attach(terminal);
        let conversation = self
            .local
            .attach(session, &attach)
            .await
            .expect("asks")
            .expect("is there");
        let mut person = Person {
            conversation,
            typed: 0,
            shown: String::new(),
        };
        // Who comes back goes on where its input was.
        person.typed = person
            .hears(|message| match message {
                FromTerminal::Attached { input, .. } => Some(*input),
                _ => None,
            })
            .await;
        person
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Hosts outlive a server by design, so a test must end its own, also when it fails.
        let folders = std::fs::read_dir(self.data.join("sessions"))
            .into_iter()
            .flatten()
            .flatten();
        for folder in folders {
            let files = host::files::Files::in_folder(folder.path().join("host"));
            if let Some(host) = files.last_identity() {
                host::processes::signal(host.pid, rustix::process::Signal::KILL);
            }
            let mark = format!("SANDBOX_FOLDER={}", folder.path().display());
            for pid in host::processes::marked(&mark) {
                host::processes::signal(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

fn start(data: &Path, options: Options) -> (Local, mpsc::Receiver<Observation>) {
    let options = Options {
        host_binary: options
            .host_binary
            .or(Some(env!("CARGO_BIN_EXE_sandbox-host-for-tests").into())),
        ..options
    };
    let local = Local::start(data, options).expect("starts");
    let observations = local.watch();
    (local, observations)
}

/// Somebody at a terminal, who has read everything that was shown.
pub(crate) struct Person {
    conversation: Conversation,
    typed: u64,
    shown: String,
}

impl Person {
    /// Types; the line is not ended by itself.
    pub(crate) async fn types(&mut self, text: &str) {
        let frame = Frame::Input {
            at: self.typed,
            bytes: text.as_bytes(),
        };
        let message = Message::Binary(Bytes::from(frame.encode()));
        self.conversation.to_terminal.send(message).await.expect("connected");
        self.typed += text.len() as u64;
    }

    pub(crate) async fn says(&mut self, message: Message) {
        self.conversation.to_terminal.send(message).await.expect("connected");
    }

    /// Reads until `text` is shown.
    pub(crate) async fn reads(&mut self, text: &str) -> &str {
        let reading = async {
            while !self.shown.contains(text) {
                assert!(
                    self.next().await.is_some(),
                    "the conversation ended before {text:?}:\n{}",
                    self.shown
                );
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            panic!("{text:?} is not shown but\n{}", self.shown);
        }
        &self.shown
    }

    /// Reads until one of these is shown; everything that is.
    pub(crate) async fn reads_any(&mut self, texts: &[&str]) -> String {
        let reading = async {
            while !texts.iter().any(|text| self.shown.contains(text)) {
                assert!(self.next().await.is_some(), "the conversation ended:\n{}", self.shown);
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            panic!("{texts:?} is not shown but\n{}", self.shown);
        }
        self.shown.clone()
    }

    /// Reads until a number and a dot are shown behind `label`.
    pub(crate) async fn reads_number(&mut self, label: &str) -> u64 {
        let reading = async {
            loop {
                let number = self.shown.split(label).skip(1).find_map(|rest| {
                    let (number, _) = rest.split_once('.')?;
                    number.parse().ok()
                });
                if let Some(number) = number {
                    return number;
                }
                assert!(self.next().await.is_some(), "the conversation ended:\n{}", self.shown);
            }
        };
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(number) => number,
            Err(_) => panic!("no number is shown but\n{}", self.shown),
        }
    }

    /// Reads until a full-screen program has drawn more than a line or two.
    pub(crate) async fn shows_something(&mut self) {
        let reading = async {
            while self.shown.chars().filter(|letter| letter.is_alphanumeric()).count() < 200 {
                assert!(self.next().await.is_some(), "the conversation ended:\n{}", self.shown);
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            panic!("only this is shown:\n{}", self.shown);
        }
    }

    /// Reads until a text message `matches`.
    pub(crate) async fn hears<T>(&mut self, matches: impl Fn(&FromTerminal) -> Option<T>) -> T {
        let hearing = async {
            loop {
                match self.next().await {
                    Some(Some(message)) => {
                        if let Some(found) = matches(&message) {
                            return found;
                        }
                    }
                    Some(None) => {}
                    None => panic!("the conversation ended"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, hearing)
            .await
            .expect("it is said in time")
    }

    /// One message on: `None` at the end, a text message inside.
    async fn next(&mut self) -> Option<Option<FromTerminal>> {
        match self.conversation.from_terminal.next().await? {
            Message::Text(json) => Some(Some(serde_json::from_str(&json).expect("one of ours"))),
            Message::Binary(bytes) => {
                let (seq, bytes) = match Frame::decode(&bytes).expect("a frame") {
                    Frame::Output { seq, bytes } => (seq + bytes.len() as u64, bytes),
                    Frame::Snapshot { seq, ansi, .. } => {
                        self.shown.clear();
                        (seq, ansi)
                    }
                    Frame::Input { .. } => panic!("input comes from people"),
                };
                self.shown.push_str(&String::from_utf8_lossy(bytes));
                let ack = serde_json::to_string(&FromClient::Ack { seq }).expect("serialises");
                // Gone is gone: the next look says so.
                let _ = self.conversation.to_terminal.send(Message::Text(ack)).await;
                Some(None)
            }
        }
    }

    /// What is shown so far.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

pub(crate) fn attach(terminal: &str) -> Attach {
    Attach {
        terminal: terminal.to_owned(),
        client: "a-browser".to_owned(),
        person: "p1".to_owned(),
        name: "Ada".to_owned(),
        may_type: true,
        since: None,
        epoch: None,
        history: 500,
        plain: false,
    }
}

/// A session with an agent that is a plain shell without anybody's settings.
pub(crate) fn wanted(id: &str) -> Wanted {
    wanted_with(id, &["--norc", "--noprofile"])
}

/// A session whose agent is bash with these arguments.
pub(crate) fn wanted_with(id: &str, args: &[&str]) -> Wanted {
    let mut agent = Catalogue::shipped().find("shell").expect("always there").clone();
    agent.source = Source::ByHand {
        how: "It is part of the system.".to_owned(),
    };
    agent.binary = "bash".to_owned();
    agent.args = args.iter().map(|&arg| arg.to_owned()).collect();
    wanted_agent(id, agent)
}

pub(crate) fn wanted_agent(id: &str, agent: Agent) -> Wanted {
    Wanted {
        session: Session::example(SessionId::new(id), OrgId::new("local"), PersonId::new("p1")),
        agent,
        resume: false,
        cpu_millis: None,
        memory_bytes: None,
        storage_bytes: None,
        size: Size { cols: 80, rows: 24 },
        secrets: Vec::new(),
        record: false,
    }
}
