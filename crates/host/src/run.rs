//! A host's life: detach, lock, listen, start the agent, serve until told to stop.

use crate::confine::{self, cgroup::Cgroup};
use crate::detach;
use crate::files::{Files, write_atomically};
use crate::meter::{Meter, Period};
use crate::serve;
use crate::spawner::Spawner;
use crate::terminals::Terminals;
use anyhow::{Context, Result};
use domain::host::{AGENT, HostSpec, HostStatus, MAX_MESSAGE, TerminalSpec};
use domain::secret::Carried;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How a host works, beside what its session's spec says.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// How often usage is written down, in milliseconds.
    #[arg(long, default_value_t = 60_000)]
    pub meter_ms: u64,
}

/// Connections at the same time: far more than people who look at one session.
const CONNECTIONS: usize = 512;
/// What programs are given to end when the machine goes down.
const LAST_GRACE: Duration = Duration::from_secs(3);

/// Everything that a connection may ask.
pub(crate) struct Host {
    pub(crate) spec: HostSpec,
    pub(crate) key: Vec<u8>,
    pub(crate) terminals: Terminals,
    pub(crate) meter: Meter,
    pub(crate) stop: CancellationToken,
    enforcement: domain::host::Enforcement,
    cgroup: Option<Cgroup>,
}

/// Runs the session that the file `spec` describes, until it is told to stop.
pub fn run(spec: &Path, secrets_on_stdin: bool, options: Options) -> Result<()> {
    let json = std::fs::read(spec).with_context(|| format!("cannot read {}", spec.display()))?;
    let mut spec: HostSpec = serde_json::from_slice(&json).context("the spec cannot be understood")?;
    if secrets_on_stdin {
        spec.agent.secrets = secrets()?;
    }
    // A core would hold them. Only wished for: hosts run where this may not be set.
    let _ = confine::limits::without_cores();
    let files = Files::in_folder(&spec.dir);
    detach::detach(&files)?;
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let _lock = detach::lock(&files)?;
    files.note_failure(None)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .context("cannot start")?;
    let socket = spec.socket.clone();
    let ended = runtime.block_on(async {
        match Host::begin(spec, &files, options).await {
            Ok((host, listener)) => {
                host.serve(listener).await;
                Ok(())
            }
            Err(error) => {
                files.note_failure(Some(&format!("{error:#}")))?;
                Err(error)
            }
        }
    });
    let _ = std::fs::remove_file(socket);
    // Threads that still measure or write have nothing more to say.
    runtime.shutdown_background();
    ended
}

/// What is secret, from standard input; errors say nothing of it.
fn secrets() -> Result<Carried> {
    let mut json = Zeroizing::new(Vec::new());
    let read = std::io::stdin().lock().take(MAX_MESSAGE as u64).read_to_end(&mut json);
    read.context("the secrets did not arrive")?;
    serde_json::from_slice(&json).map_err(|_| anyhow::anyhow!("the secrets cannot be understood"))
}

impl Host {
    async fn begin(mut spec: HostSpec, files: &Files, options: Options) -> Result<(Arc<Self>, UnixListener)> {
        let listener = crate::socket::listen(&spec.socket)
            .with_context(|| format!("cannot listen at {}", spec.socket.display()))?;
        let key = files.new_key().context("cannot write the key")?;
        confine::cgroup::leave_parents_group();
        let cgroup = Cgroup::make(&spec.session, &spec.confinement);
        let group = cgroup.as_ref().map(Cgroup::path);
        files.note_identity(group).context("cannot write the host's identity")?;
        write_atomically(&files.confinement(), &serde_json::to_vec(&spec.confinement)?)
            .context("cannot write the limits")?;
        let terminals = Terminals::new(Spawner::start()?, files.clone(), spec.scrollback, group);
        let meter = Meter::start(
            files,
            &spec,
            Period::new(Duration::from_millis(options.meter_ms)),
            cgroup.as_ref(),
        )?;
        terminals
            .start_agent(TerminalSpec {
                secrets: std::mem::take(&mut spec.agent.secrets),
                ..spec.agent.clone()
            })
            .await
            .map_err(|refusal| anyhow::anyhow!(refusal.detail))?;
        let enforcement = confine::enforcement(&spec.confinement, cgroup.as_ref());
        tracing::info!(session = spec.session, ?enforcement, "the session runs");
        let host = Self {
            spec,
            key,
            terminals,
            meter,
            stop: CancellationToken::new(),
            enforcement,
            cgroup,
        };
        Ok((Arc::new(host), listener))
    }

    async fn serve(self: Arc<Self>, listener: UnixListener) {
        let meter = tokio::spawn(Self::measure(self.clone()));
        let ask_to_end = tokio::spawn(Self::end_on_signal(self.clone()));
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = room.clone().acquire_owned().await else {
                break;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let host = self.clone();
                    tokio::spawn(async move {
                        serve::connection(host, stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: the next try is not better at once.
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        meter.abort();
        ask_to_end.abort();
    }

    /// Saves screens, ends everything that runs, writes the last facts and what goes on to be used.
    pub(crate) async fn end(&self, grace: Duration) {
        self.terminals.save_all().await;
        // Before they end: what the dead have used is only in the account of who waits for them.
        self.meter.sample(&self.terminals).await;
        self.terminals.stop_all(grace).await;
        self.meter.end_everything(&self.terminals).await;
        self.terminals.save_all().await;
        self.meter.sample(&self.terminals).await;
        self.meter.write().await;
        self.meter.sleep().await;
        if let Some(cgroup) = &self.cgroup {
            cgroup.remove();
        }
        tracing::info!("the session stops");
    }

    /// The session as it is now.
    pub(crate) fn status(&self) -> HostStatus {
        let measured = self.meter.measured();
        HostStatus {
            session: self.spec.session.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            terminals: self.terminals.statuses(),
            enforcement: self.enforcement.clone(),
            storage_bytes: measured.storage_bytes,
            cpu_micros: measured.cpu_micros,
            memory_bytes: measured.memory_bytes,
            processes: measured.processes,
        }
    }

    async fn measure(self: Arc<Self>) {
        loop {
            self.meter.step(&self.terminals).await;
            if !self.spec.dir.exists() {
                // Somebody has deleted the session by hand: nobody will ever find or end this host.
                tracing::warn!("the session's folder is gone");
                self.end(LAST_GRACE).await;
                self.stop.cancel();
                return;
            }
        }
    }

    async fn end_on_signal(self: Arc<Self>) {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        self.end(LAST_GRACE).await;
        self.stop.cancel();
    }
}

/// The agent's terminal is the one that nobody can close.
pub(crate) fn is_agent(terminal: &str) -> bool {
    terminal == AGENT
}
