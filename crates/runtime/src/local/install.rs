//! Agents on this machine: what is there, and installing what is not.
//!
//! Each agent is in `agents/<slug>/<version>`. The file `installed` in there is written last and makes it count; without
//! it a folder is work that was interrupted, and installing again goes on with it (what was downloaded is in the cache).

mod journal;
mod npm;
mod pypi;
mod work;

use super::{Here, environment, removal, shell};
use anyhow::Result;
use domain::agent::{Agent, Installation, Source};
use engine::ports::{Observation, Refusal};
use journal::Journal;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use work::Work;

/// An agent's program and what it needs beside the system's own folders.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) binary: PathBuf,
    /// Folders to look for programs in, first.
    pub(crate) path: Vec<PathBuf>,
    /// Folders to read and execute from.
    pub(crate) read: Vec<PathBuf>,
}

/// What is kept of an installation that came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Installed {
    version: Option<String>,
    bytes: u64,
    /// The interpreter's own folders.
    read: Vec<PathBuf>,
    /// Where the interpreter was found.
    path: Vec<PathBuf>,
}

/// Installs and removes agents.
#[derive(Clone)]
pub(crate) struct Installs(Arc<Inner>);

struct Inner {
    here: Arc<Here>,
    tell: mpsc::Sender<Observation>,
    running: Mutex<HashMap<String, Running>>,
    /// Two at once: more only make all of them slow.
    room: Semaphore,
}

struct Running {
    step: String,
    percent: Option<u8>,
    task: Option<JoinHandle<()>>,
}

/// The agent's program on this machine; the error is a sentence that says what to do.
pub(crate) fn program(here: &Here, agent: &Agent) -> Result<Program, String> {
    match &agent.source {
        Source::BuiltIn if agent.binary == "sh" => Ok(Program {
            binary: shell::program(),
            ..Program::default()
        }),
        Source::BuiltIn | Source::ByHand { .. } => {
            let how = match &agent.source {
                Source::ByHand { how } => how.clone(),
                _ => format!("Put {} on the server's PATH.", agent.binary),
            };
            let binary = environment::find_program(&agent.binary)
                .ok_or_else(|| format!("{} is not on this machine. {how}", agent.label))?;
            Ok(Program {
                read: environment::needs(&binary),
                path: binary.parent().map(Path::to_owned).into_iter().collect(),
                binary,
            })
        }
        Source::Npm { version, .. } | Source::Pypi { version, .. } => {
            let folder = folder(here, agent, version);
            let binary = binary(&folder, agent);
            let installed = installed(&folder).filter(|_| environment::is_executable(&binary));
            let installed = installed.ok_or_else(|| {
                format!(
                    "{} {version} is not installed on this machine: an admin installs it on the Agents page.",
                    agent.label
                )
            })?;
            let mut path: Vec<PathBuf> = binary.parent().map(Path::to_owned).into_iter().collect();
            path.extend(installed.path);
            Ok(Program {
                binary,
                path,
                read: [vec![folder], installed.read].concat(),
            })
        }
    }
}

impl Installs {
    pub(crate) fn new(here: Arc<Here>, tell: mpsc::Sender<Observation>) -> Self {
        Self(Arc::new(Inner {
            here,
            tell,
            running: Mutex::default(),
            room: Semaphore::new(2),
        }))
    }

    /// What is there of an agent; a few looks at the disk.
    pub(crate) fn state(&self, agent: &Agent) -> Installation {
        let (Source::Npm { version, .. } | Source::Pypi { version, .. }) = &agent.source else {
            return match program(&self.0.here, agent) {
                Ok(_) => Installation::Installed {
                    version: None,
                    bytes: 0,
                },
                Err(reason) => Installation::Unavailable { reason },
            };
        };
        if let Some(running) = self.0.running().get(&agent.slug) {
            return Installation::Installing {
                step: running.step.clone(),
                percent: running.percent,
            };
        }
        let folder = folder(&self.0.here, agent, version);
        if let Some(installed) = installed(&folder) {
            return Installation::Installed {
                version: installed.version,
                bytes: installed.bytes,
            };
        }
        if let Some(reason) = missing_tool(agent) {
            return Installation::Unavailable { reason };
        }
        match Journal::of(&self.0.here, agent).failure() {
            Some(reason) => Installation::Failed { reason },
            None if folder.exists() && !removed(&folder).exists() => Installation::Failed {
                reason: "The installation was interrupted: install again to go on with it.".to_owned(),
            },
            None => Installation::NotInstalled,
        }
    }

    /// Begins to install, or goes on; one that is there or under way is left alone.
    pub(crate) fn begin(&self, agent: &Agent) -> Result<()> {
        if let Installation::Unavailable { reason } = self.state(agent) {
            return Err(Refusal::Unavailable(reason).into());
        }
        if matches!(self.state(agent), Installation::Installed { .. }) {
            return Ok(());
        }
        let mut running = self.0.running();
        if running.contains_key(&agent.slug) {
            return Ok(());
        }
        let begun = Running {
            step: "Waiting for another installation.".to_owned(),
            percent: None,
            task: None,
        };
        running.insert(agent.slug.clone(), begun);
        let task = tokio::spawn(self.clone().install(agent.clone()));
        if let Some(begun) = running.get_mut(&agent.slug) {
            begun.task = Some(task);
        }
        Ok(())
    }

    async fn install(self, agent: Agent) {
        let Ok(_room) = self.0.room.acquire().await else { return };
        let journal = Journal::of(&self.0.here, &agent);
        let result = match journal.begin() {
            Ok(()) => self.work(&agent, &journal).await,
            Err(error) => Err(super::making::sentence(&error)),
        };
        if let Err(reason) = &result {
            journal.write(reason);
            journal.fail(reason);
        }
        self.0.running().remove(&agent.slug);
        self.told(&agent.slug).await;
    }

    async fn work(&self, agent: &Agent, journal: &Journal) -> Result<(), String> {
        let (Source::Npm { package, version } | Source::Pypi { package, version }) = &agent.source else {
            return Err("There is nothing to install.".to_owned());
        };
        let work = Work {
            here: &self.0.here,
            folder: folder(&self.0.here, agent, version),
            agent,
            package,
            version,
            journal,
            progress: &|step, percent| self.progress(&agent.slug, step, percent),
        };
        work.prepare().await?;
        let (path, read) = match &agent.source {
            Source::Npm { .. } => npm::install(&work).await?,
            _ => pypi::install(&work).await?,
        };
        let binary = binary(&work.folder, agent);
        let found = work.verify(&binary, &path, &read).await?;
        let bytes = work.size().await;
        let installed = Installed {
            version: found.or_else(|| Some(version.clone())),
            bytes,
            read,
            path,
        };
        serde_json::to_vec(&installed)
            .map_err(std::io::Error::from)
            .and_then(|json| host::files::write_atomically(&marker(&work.folder), &json))
            .map_err(|error| super::making::sentence(&error.into()))
    }

    /// Removes an agent's package: at once for whoever opens a session, from the disk when no session runs it.
    pub(crate) async fn remove(&self, agent: &Agent) -> Result<()> {
        let (Source::Npm { version, .. } | Source::Pypi { version, .. }) = &agent.source else {
            anyhow::bail!(Refusal::Invalid(format!(
                "{} was not installed by Sandbox, so Sandbox does not remove it.",
                agent.label
            )));
        };
        let task = self
            .0
            .running()
            .get_mut(&agent.slug)
            .and_then(|running| running.task.take());
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
            self.0.running().remove(&agent.slug);
        }
        let folder = folder(&self.0.here, agent, version);
        if folder.exists() {
            host::files::write_atomically(&removed(&folder), b"")?;
            match std::fs::remove_file(marker(&folder)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Journal::of(&self.0.here, agent).forget_failure();
        self.clean_up();
        self.told(&agent.slug).await;
        Ok(())
    }

    /// Deletes packages that were removed and that no session runs any more, in the background.
    pub(crate) fn clean_up(&self) {
        let here = self.0.here.clone();
        tokio::task::spawn_blocking(move || {
            let used = used(&here);
            let versions = folders(&here.layout.agents())
                .into_iter()
                .flat_map(|agent| folders(&agent));
            for folder in versions.filter(|folder| removed(folder).exists() && !marker(folder).exists()) {
                if used.iter().any(|used| used == &folder) {
                    continue;
                }
                if let Err(error) = removal::remove(&folder) {
                    tracing::warn!(error = format!("{error:#}"), "a removed agent stays on the disk");
                }
            }
        });
    }

    /// The end of the last installation's log.
    pub(crate) async fn log(&self, agent: &Agent) -> Result<Option<String>> {
        let journal = Journal::of(&self.0.here, agent);
        Ok(tokio::task::spawn_blocking(move || journal.read()).await?)
    }

    fn progress(&self, slug: &str, step: String, percent: Option<u8>) {
        let changed = match self.0.running().get_mut(slug) {
            Some(running) if running.step != step || running.percent != percent => {
                (running.step, running.percent) = (step, percent);
                true
            }
            _ => false,
        };
        if changed {
            // Somebody who misses this word gets the next.
            let _ = self.0.tell.try_send(Observation::Agent { slug: slug.to_owned() });
        }
    }

    async fn told(&self, slug: &str) {
        let _ = self.0.tell.send(Observation::Agent { slug: slug.to_owned() }).await;
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn folder(here: &Here, agent: &Agent, version: &str) -> PathBuf {
    // A version comes from the catalogue file; it names a folder whatever it holds.
    let version: String = version
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || ".-+".contains(letter) {
                letter
            } else {
                '_'
            }
        })
        .collect();
    here.layout.agents().join(&agent.slug).join(format!("v{version}"))
}

fn binary(folder: &Path, agent: &Agent) -> PathBuf {
    match &agent.source {
        Source::Npm { .. } => folder.join("node_modules/.bin").join(&agent.binary),
        _ => folder.join("bin").join(&agent.binary),
    }
}

fn marker(folder: &Path) -> PathBuf {
    folder.join("installed")
}

fn removed(folder: &Path) -> PathBuf {
    folder.join("removed")
}

fn installed(folder: &Path) -> Option<Installed> {
    serde_json::from_slice(&std::fs::read(marker(folder)).ok()?).ok()
}

fn missing_tool(agent: &Agent) -> Option<String> {
    let (tool, from) = match &agent.source {
        Source::Npm { .. } if environment::find_program("node").is_none() => ("Node.js", "https://nodejs.org"),
        Source::Npm { .. } if environment::find_program("npm").is_none() => ("npm", "https://nodejs.org"),
        Source::Pypi { .. } if pypi::candidates().is_empty() => {
            ("Python 3", "your system's packages (python3, python3-venv)")
        }
        _ => return None,
    };
    Some(format!(
        "{} needs {tool}, which is not on this machine: install it from {from}, then restart the server.",
        agent.label
    ))
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The packages that living sessions run.
fn used(here: &Here) -> Vec<PathBuf> {
    let mut used = Vec::new();
    for session in folders(&here.layout.sessions()) {
        let Some(id) = session.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let Ok(folder) = here.layout.session(&domain::SessionId::new(id)) else {
            continue;
        };
        if !folder.is_locked() {
            continue;
        }
        let spec = std::fs::read(folder.files().spec()).ok();
        let spec: Option<domain::host::HostSpec> = spec.and_then(|json| serde_json::from_slice(&json).ok());
        used.extend(spec.into_iter().flat_map(|spec| spec.confinement.read));
    }
    used
}
