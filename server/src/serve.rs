//! The life of a server: put together, opened, and stopped without losing anything.

use crate::{config, connections, doors::Doors, forward::Forward, metrics};
use anyhow::Context as _;
use engine::{
    Engine, Parts,
    ports::{Clock, NoPost, Post},
};
use identity::{Front, Local, Oidc, SystemClock, check_listen};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A server that runs. Dropping it leaves it running; [`Running::stop`] ends it.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub engine: Engine,
    /// Whether this start made the installation.
    pub is_new: bool,
    store: Arc<store::Sql>,
    stop: CancellationToken,
    tasks: TaskTracker,
    grace: Duration,
}

/// Opens the store, takes up what runs, and listens. Everything that can be wrong is found before the first request.
pub async fn start(
    data_dir: &Path,
    doors: config::Doors,
    installation: config::Installation,
    identity: &identity::oidc::Options,
    store: store::Options,
    runtime: runtime::Options,
    forward: config::Forward,
) -> anyhow::Result<Running> {
    check_listen(doors.listen, doors.front())?;
    let post: Arc<dyn Post> = match mail::Smtp::new(&forward.mail, doors.public_url.as_deref())? {
        Some(smtp) => Arc::new(smtp),
        None => Arc::new(NoPost),
    };
    let forward = Forward::new(&forward)?;
    let (engine, store) = engine(data_dir, installation, identity, &store, &runtime, post).await?;
    let is_new = engine.found().await?;
    for (key, secrets) in engine.missing_keys().await? {
        tracing::error!(
            key,
            secrets,
            "secrets are sealed with a key that this server has not got: `sandbox secrets check` names them"
        );
    }
    let listener = TcpListener::bind(doors.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on. Is another server running? Choose another with --listen.",
            doors.listen
        )
    })?;
    let address = listener.local_addr()?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    engine.start(stop.clone(), &tasks).await?;
    let table = Doors::new(engine.clone(), &doors, stop.clone(), tasks.clone())?;
    if let Some(forward) = forward {
        tasks.spawn(forward.run(engine.clone(), stop.clone()));
    }
    tasks.spawn(metrics::measure(table.figures().clone(), stop.clone()));
    tasks.spawn(connections::accept(
        listener,
        table.router(),
        doors.connections,
        stop.clone(),
        tasks.clone(),
    ));
    Ok(Running {
        address,
        engine,
        is_new,
        store,
        stop,
        tasks,
        grace: doors.stop_grace,
    })
}

/// The engine on this machine: its store, its runtime, its clock.
pub async fn engine(
    data_dir: &Path,
    installation: config::Installation,
    identity: &identity::oidc::Options,
    store: &store::Options,
    runtime: &runtime::Options,
    post: Arc<dyn Post>,
) -> anyhow::Result<(Engine, Arc<store::Sql>)> {
    let store = Arc::new(store::open(store, data_dir).await?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let parts = Parts {
        store: store.clone(),
        runtime: Arc::new(runtime::Local::start(data_dir, runtime.clone())?),
        credentials: Arc::new(Local::new()),
        keyring: Arc::new(installation.keys.keyring(data_dir)?),
        providers: Arc::new(Oidc::new(data_dir, identity, &clock)?),
        clock,
        post,
    };
    let options = engine::Options {
        git_base: runtime.git_base_url.clone(),
        ..installation.into_options()?
    };
    let engine = Engine::new(parts, options).map_err(|error| anyhow::anyhow!("{}", error.problem().detail))?;
    Ok((engine, store))
}

/// Where people reach the server of this data folder: noted at its start, so that a later link leads there.
const ORIGIN: &str = "origin";

/// Notes where people reach the server.
pub fn note_origin(data_dir: &Path, origin: &str) -> anyhow::Result<()> {
    std::fs::write(data_dir.join(ORIGIN), origin).context("The data folder cannot be written to.")
}

/// Where people reach the server that started last.
pub fn noted_origin(data_dir: &Path) -> Option<String> {
    std::fs::read_to_string(data_dir.join(ORIGIN))
        .ok()
        .map(|origin| origin.trim().to_owned())
}

impl Running {
    /// A fresh sign-in link for the first admin, or for this address.
    pub async fn sign_in_link(&self, email: Option<&str>, origin: &str) -> anyhow::Result<String> {
        let link = self
            .engine
            .sign_in_link(email, None)
            .await
            .map_err(|error| anyhow::anyhow!("{}", error.problem().detail))?;
        Ok(format!("{origin}/sign-in/{}", link.secret))
    }

    /// Accepts no more, lets requests finish, tells terminals to come back and event streams that it ends; what takes
    /// longer than the grace is cut off. Hosts, and the agents in them, run on.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.grace, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "stopping with work left");
        }
        self.store.close().await;
    }
}

impl config::Doors {
    /// What stands between the server and its people.
    pub fn front(&self) -> Front {
        match (self.behind_tls, self.insecure) {
            (true, _) => Front::Tls,
            (false, true) => Front::Insecure,
            (false, false) => Front::Nothing,
        }
    }
}
