//! A runtime whose terminals say back what they hear.

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    SessionId,
    agent::{Agent, Installation, Source},
    host::{AGENT, Attach, Enforcement, HostStatus, TerminalStatus, UsageFact},
    session::{Holdings, Session},
    wire::{Exit, Frame, FromTerminal, Size},
};
use engine::ports::{
    Conversation, Delivered, LastScreen, Message, Observation, Recording, Refusal, Runtime, Shell, Wanted,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};
use tokio::sync::mpsc;

/// Tells that somebody is there, and is told to let them on; and the two other ends.
type Gate = (tokio::sync::oneshot::Sender<()>, tokio::sync::oneshot::Receiver<()>);
type Gatekeeper = (tokio::sync::oneshot::Receiver<()>, tokio::sync::oneshot::Sender<()>);

/// Sessions "run" as soon as they are wanted, unless their repository is called `broken`.
pub(crate) struct Echo {
    observe: mpsc::Sender<Observation>,
    observed: Mutex<Option<mpsc::Receiver<Observation>>>,
    state: Mutex<State>,
    /// The secrets that each terminal was last given, as `session/terminal`.
    given: Mutex<BTreeMap<String, Vec<Delivered>>>,
    /// The terminals that were recorded last, by session.
    recorded: Mutex<BTreeMap<SessionId, BTreeSet<String>>>,
    /// Whoever attaches or suspends next says so and waits until it may go on.
    pub(crate) gate: Mutex<Option<Gate>>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<SessionId, Vec<String>>,
    asleep: BTreeSet<SessionId>,
    facts: BTreeMap<SessionId, Vec<UsageFact>>,
    resumed: Vec<bool>,
    taken_up: Vec<SessionId>,
    installed: BTreeSet<String>,
    /// Agents that have ended without anybody having been told.
    ended: BTreeMap<SessionId, Exit>,
}

impl Echo {
    /// Stops at the gate, where there is one.
    async fn pass(&self) {
        let gate = self.gate.lock().unwrap().take();
        if let Some((reached, go_on)) = gate {
            let _ = reached.send(());
            let _ = go_on.await;
        }
    }

    /// Sets a gate: resolves when somebody stands at it, and lets them on.
    pub(crate) fn set_gate(&self) -> Gatekeeper {
        let (reached, there) = tokio::sync::oneshot::channel();
        let (let_on, go_on) = tokio::sync::oneshot::channel();
        *self.gate.lock().unwrap() = Some((reached, go_on));
        (there, let_on)
    }

    pub(crate) fn new() -> Self {
        let (observe, observed) = mpsc::channel(64);
        Self {
            observe,
            observed: Mutex::new(Some(observed)),
            state: Mutex::default(),
            given: Mutex::default(),
            recorded: Mutex::default(),
            gate: Mutex::default(),
        }
    }

    fn record(&self, session: &SessionId, terminal: &str, record: bool) {
        let mut all = self.recorded.lock().unwrap();
        let recorded = all.entry(session.clone()).or_default();
        if record {
            recorded.insert(terminal.to_owned());
        } else {
            recorded.remove(terminal);
        }
    }

    pub(crate) async fn see(&self, observation: Observation) {
        self.observe.send(observation).await.expect("the engine observes");
    }

    /// The secrets that a terminal was last given, as `NAME=value`.
    pub(crate) fn given(&self, session: &SessionId, terminal: &str) -> Vec<String> {
        let given = self.given.lock().unwrap();
        let given = given.get(&format!("{session}/{terminal}")).cloned().unwrap_or_default();
        given
            .iter()
            .map(|given| format!("{}={}", given.name, given.value.expose()))
            .collect()
    }

    pub(crate) fn is_running(&self, id: &SessionId) -> bool {
        self.state.lock().unwrap().running.contains_key(id)
    }

    pub(crate) fn exists(&self, id: &SessionId) -> bool {
        let state = self.state.lock().unwrap();
        state.running.contains_key(id) || state.asleep.contains(id)
    }

    /// Whether the last wish for a session was to continue.
    pub(crate) fn last_resumed(&self) -> Option<bool> {
        self.state.lock().unwrap().resumed.last().copied()
    }

    pub(crate) fn taken_up(&self) -> Vec<SessionId> {
        self.state.lock().unwrap().taken_up.clone()
    }

    /// The agent ends, and the word of it has not arrived yet.
    pub(crate) fn end_quietly(&self, id: &SessionId, exit: Exit) {
        self.state.lock().unwrap().ended.insert(id.clone(), exit);
    }

    pub(crate) fn meter(&self, id: &SessionId, facts: Vec<UsageFact>) {
        self.state
            .lock()
            .unwrap()
            .facts
            .entry(id.clone())
            .or_default()
            .extend(facts);
    }

    pub(crate) fn host(&self, id: &SessionId, storage_bytes: u64) -> HostStatus {
        let (terminals, ended) = {
            let state = self.state.lock().unwrap();
            (
                state.running.get(id).cloned().unwrap_or_default(),
                state.ended.get(id).copied(),
            )
        };
        let recorded = self.recorded.lock().unwrap().get(id).cloned().unwrap_or_default();
        let terminal = |id: String| TerminalStatus {
            recorded: recorded.contains(&id),
            label: id.clone(),
            id,
            size: Size::default(),
            title: String::new(),
            exit: ended,
            viewers: Vec::new(),
            active_at: 0,
            seq: 0,
            epoch: 1,
        };
        HostStatus {
            session: id.as_str().to_owned(),
            pid: 1,
            version: "test".to_owned(),
            terminals: terminals.into_iter().map(terminal).collect(),
            enforcement: Enforcement::default(),
            storage_bytes,
            cpu_micros: 7,
            memory_bytes: 1 << 20,
            processes: 1,
        }
    }
}

#[async_trait]
impl Runtime for Echo {
    async fn describe(&self) -> Result<Vec<(String, String)>> {
        Ok(vec![("Runtime".to_owned(), "echo".to_owned())])
    }

    fn watch(&self) -> mpsc::Receiver<Observation> {
        self.observed.lock().unwrap().take().expect("watched once")
    }

    async fn ensure(&self, wanted: &Wanted) -> Result<()> {
        let session = wanted.session.id.clone();
        self.state.lock().unwrap().resumed.push(wanted.resume);
        self.record(&session, AGENT, wanted.record);
        self.given
            .lock()
            .unwrap()
            .insert(format!("{session}/{AGENT}"), wanted.secrets.clone());
        if wanted.session.repo.as_deref() == Some("team/broken") {
            let reason = "The repository team/broken was not found.".to_owned();
            self.see(Observation::Failed { session, reason }).await;
            return Ok(());
        }
        {
            let mut state = self.state.lock().unwrap();
            state.running.insert(session.clone(), vec![AGENT.to_owned()]);
            state.ended.remove(&session);
        }
        self.see(Observation::Started { session }).await;
        Ok(())
    }

    async fn take_up(&self, expected: &[SessionId]) -> Result<()> {
        self.state.lock().unwrap().taken_up = expected.to_vec();
        for session in expected {
            let reason = "The machine restarted.".to_owned();
            self.see(Observation::Lost {
                session: session.clone(),
                reason,
            })
            .await;
        }
        Ok(())
    }

    async fn suspend(&self, session: &SessionId) -> Result<()> {
        self.pass().await;
        let mut state = self.state.lock().unwrap();
        if state.running.remove(session).is_some() {
            state.asleep.insert(session.clone());
        }
        Ok(())
    }

    async fn drop_session(&self, session: &SessionId) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        state.running.remove(session);
        state.asleep.remove(session);
        Ok(())
    }

    async fn holdings(&self, _: &SessionId) -> Result<Holdings> {
        Ok(Holdings {
            bytes: 42,
            ..Holdings::default()
        })
    }

    async fn attach(&self, session: &SessionId, attach: &Attach) -> Result<Option<Conversation>> {
        self.pass().await;
        let known = self
            .state
            .lock()
            .unwrap()
            .running
            .get(session)
            .is_some_and(|t| t.contains(&attach.terminal));
        if !known {
            return Ok(None);
        }
        let (to_terminal, mut from_client) = mpsc::channel(8);
        let (to_client, from_terminal) = mpsc::channel(8);
        let attached = FromTerminal::Attached {
            attachment: 1,
            epoch: 1,
            input: 0,
            size: Size::default(),
            driver: attach.may_type,
            may_type: attach.may_type,
            seq: 0,
            snapshot: false,
        };
        tokio::spawn(async move {
            let hello = Message::Text(serde_json::to_string(&attached).unwrap());
            let mut seq = 0;
            if to_client.send(hello).await.is_err() {
                return;
            }
            while let Some(message) = from_client.recv().await {
                let Message::Binary(frame) = message else { continue };
                let Ok(Frame::Input { bytes, .. }) = Frame::decode(&frame) else {
                    continue;
                };
                let output = Frame::Output { seq, bytes }.encode();
                seq += bytes.len() as u64;
                if to_client.send(Message::Binary(output.into())).await.is_err() {
                    return;
                }
            }
        });
        Ok(Some(Conversation::over(to_terminal, from_terminal)))
    }

    async fn last_screen(&self, session: &SessionId, terminal: &str) -> Result<Option<LastScreen>> {
        let asleep = self.state.lock().unwrap().asleep.contains(session) && terminal == AGENT;
        let ansi = Bytes::from_static(b"the last screen");
        Ok(asleep.then_some(LastScreen {
            size: Size { cols: 100, rows: 30 },
            ansi,
            exit: None,
        }))
    }

    async fn recording(&self, session: &SessionId, terminal: &str) -> Result<Option<Recording>> {
        let recorded = self.recorded.lock().unwrap();
        let is_recorded = recorded
            .get(session)
            .is_some_and(|recorded| recorded.contains(terminal));
        Ok(is_recorded.then(|| {
            let text = Bytes::from_static(b"{\"version\": 2}\n");
            Recording {
                bytes: text.len() as u64,
                read: Box::pin(futures::stream::iter([Ok(text)])),
            }
        }))
    }

    async fn open_terminal(&self, session: &Session, shell: &Shell) -> Result<()> {
        let (session, terminal, secrets) = (&session.id, &shell.terminal, &shell.secrets);
        self.record(session, terminal, shell.record);
        self.given
            .lock()
            .unwrap()
            .insert(format!("{session}/{terminal}"), secrets.to_vec());
        let mut state = self.state.lock().unwrap();
        state
            .running
            .get_mut(session)
            .expect("it runs")
            .push(terminal.to_owned());
        Ok(())
    }

    async fn close_terminal(&self, session: &SessionId, terminal: &str) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        state
            .running
            .get_mut(session)
            .expect("it runs")
            .retain(|open| open != terminal);
        Ok(())
    }

    async fn resize(&self, _: &SessionId, _: &str, _: Size) -> Result<()> {
        Ok(())
    }

    async fn signal(&self, session: &SessionId, _: &str, signal: &str) -> Result<()> {
        if signal == "HUP" {
            let (session, exit) = (session.clone(), Exit::Signal(1));
            self.see(Observation::AgentExited { session, exit }).await;
        }
        Ok(())
    }

    async fn status(&self, session: &SessionId) -> Result<Option<HostStatus>> {
        Ok(self.is_running(session).then(|| self.host(session, 0)))
    }

    async fn usage(&self, session: &SessionId, after: u64) -> Result<Vec<UsageFact>> {
        let state = self.state.lock().unwrap();
        let facts = state.facts.get(session).cloned().unwrap_or_default();
        Ok(facts.into_iter().filter(|fact| fact.number > after).collect())
    }

    async fn installations(&self, agents: &[Agent]) -> Result<Vec<Installation>> {
        let state = self.state.lock().unwrap();
        let one = |agent: &Agent| match &agent.source {
            Source::BuiltIn => Installation::Installed {
                version: None,
                bytes: 0,
            },
            Source::ByHand { how } => Installation::Unavailable { reason: how.clone() },
            Source::Npm { version, .. } | Source::Pypi { version, .. } if state.installed.contains(&agent.slug) => {
                Installation::Installed {
                    version: Some(version.clone()),
                    bytes: 1,
                }
            }
            Source::Npm { .. } | Source::Pypi { .. } => Installation::NotInstalled,
        };
        Ok(agents.iter().map(one).collect())
    }

    async fn install(&self, agent: &Agent) -> Result<()> {
        self.state.lock().unwrap().installed.insert(agent.slug.clone());
        self.see(Observation::Agent {
            slug: agent.slug.clone(),
        })
        .await;
        Ok(())
    }

    async fn uninstall(&self, agent: &Agent) -> Result<()> {
        if !self.state.lock().unwrap().installed.remove(&agent.slug) {
            return Err(Refusal::NotFound(format!("{} is not installed.", agent.label)).into());
        }
        Ok(())
    }

    async fn install_log(&self, agent: &Agent) -> Result<Option<String>> {
        let installed = self.state.lock().unwrap().installed.contains(&agent.slug);
        Ok(installed.then(|| "done".to_owned()))
    }
}
