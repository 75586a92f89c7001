//! The thread that starts every program of a session.
//!
//! A Landlock scope belongs to a thread and what it starts. This one scopes signals and abstract sockets, so that all
//! programs of a session reach one another (a shell may end what the agent has started) and nobody else: no other
//! session, no server, and not this process.
//!
//! It also waits for what programs leave behind, because only here nothing is started at the same time that somebody
//! else waits for.

use crate::processes;
use anyhow::{Context, Result};
use domain::host::TerminalSpec;
use landlock::{ABI, Access, Ruleset, RulesetAttr, Scope};
use std::collections::HashSet;
use terminal::{Handle, OpenError};
use tokio::sync::{mpsc, oneshot};

enum Request {
    Open(
        TerminalSpec,
        terminal::Options,
        oneshot::Sender<Result<Handle, OpenError>>,
    ),
    Reap(Vec<u32>),
    Forget(u32),
}

/// Asks the thread that starts programs.
#[derive(Clone)]
pub(crate) struct Spawner(mpsc::Sender<Request>);

impl Spawner {
    /// Starts the thread; terminals belong to the runtime this is called in.
    pub(crate) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Handle::current();
        let (asks, mut requests) = mpsc::channel(8);
        std::thread::Builder::new()
            .name("spawner".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || {
                if let Err(error) = scope() {
                    tracing::warn!(%error, "signals of programs are not scoped");
                }
                let _runtime = runtime.enter();
                let mut ours = HashSet::new();
                while let Some(request) = requests.blocking_recv() {
                    match request {
                        Request::Open(spec, options, reply) => {
                            let opened = terminal::open(&spec, options);
                            if let Ok(handle) = &opened {
                                ours.insert(handle.status().pid);
                            }
                            let _ = reply.send(opened);
                        }
                        Request::Reap(ended) => {
                            for pid in ended.into_iter().filter(|pid| !ours.contains(pid)) {
                                processes::reap(pid);
                            }
                        }
                        Request::Forget(pid) => {
                            ours.remove(&pid);
                        }
                    }
                }
            })
            .context("cannot start a thread")?;
        Ok(Self(asks))
    }

    /// Opens a terminal.
    pub(crate) async fn open(
        &self,
        spec: TerminalSpec,
        options: terminal::Options,
    ) -> Result<Result<Handle, OpenError>> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Request::Open(spec, options, reply)).await?;
        Ok(answer.await?)
    }

    /// Waits for those of these ended children that no terminal waits for.
    pub(crate) async fn reap(&self, ended: Vec<u32>) {
        let _ = self.0.send(Request::Reap(ended)).await;
    }

    /// Says that a terminal's program has been waited for, and that its number may come back as anybody's.
    pub(crate) async fn forget(&self, pid: u32) {
        let _ = self.0.send(Request::Forget(pid)).await;
    }
}

fn scope() -> Result<(), landlock::RulesetError> {
    Ruleset::default()
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .restrict_self()?;
    Ok(())
}
