//! What the runtime sees, and what it means: facts come up here.

use crate::{
    Engine, Result,
    ports::{Observation, Patch, Record, Scope},
};
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    event::Kind,
    host::{AGENT, HostStatus},
    session::{Live, Phase, Session},
    usage::Attributed,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A session that runs, as last told.
pub(crate) struct Running {
    session: Session,
    live: Live,
    /// What of it is in the store.
    active_at: Timestamp,
    storage_bytes: u64,
}

/// Activity and storage are written at most this often for each session, in seconds.
const WRITE_EVERY: i64 = 60;
/// Events, used links and ended logins are kept this long: 7 days.
const KEEP_SECONDS: i64 = 7 * 24 * 3600;

impl Engine {
    /// Takes up what an earlier server left running, then follows the runtime until `stop`.
    pub async fn start(&self, stop: CancellationToken, tasks: &TaskTracker) -> anyhow::Result<()> {
        let mut observations = self.0.runtime.watch();
        let engine = self.clone();
        let stopped = stop.clone();
        tasks.spawn(async move {
            loop {
                let observation = tokio::select! {
                    () = stopped.cancelled() => return,
                    observation = observations.recv() => observation,
                };
                let Some(observation) = observation else { return };
                if let Err(error) = engine.observe(observation).await {
                    tracing::error!(error = format!("{error:#}"), "an observation of the runtime was lost");
                }
            }
        });
        self.take_up().await?;
        tasks.spawn(self.clone().write_notes(stop.clone()));
        if self.0.post.site().is_some() {
            tasks.spawn(self.clone().deliver_letters(stop.clone()));
        }
        let engine = self.clone();
        let stopped = stop.clone();
        tasks.spawn(async move {
            // What became due while no server ran is due now.
            let mut since = engine.0.clock.now().plus_seconds(-KEEP_SECONDS);
            let mut minutely = tokio::time::interval(Duration::from_secs(60));
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    _ = minutely.tick() => {}
                }
                match engine.keep_time(since).await {
                    Ok(until) => since = until,
                    Err(error) => tracing::warn!(error = format!("{error:#}"), "what became due waits for a minute"),
                }
            }
        });
        let engine = self.clone();
        tasks.spawn(async move {
            let mut hourly = tokio::time::interval(Duration::from_secs(3600));
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = hourly.tick() => {}
                }
                let before = engine.0.clock.now().plus_seconds(-KEEP_SECONDS);
                if let Err(error) = engine.0.store.prune(before).await {
                    tracing::warn!(error = format!("{error:#}"), "old events were not forgotten");
                }
                if let Err(error) = engine.keep_audit_bounded().await {
                    tracing::warn!(error = format!("{error:#}"), "old audit entries were not removed");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    counted = engine.count_sleepers() => if let Err(error) = counted {
                        tracing::warn!(error = format!("{error:#}"), "the storage of sleeping sessions was not counted");
                    },
                }
            }
        });
        Ok(())
    }

    /// Sessions that should run: their hosts are found again, and what was begun is begun anew.
    async fn take_up(&self) -> anyhow::Result<()> {
        let mut expected = Vec::new();
        let mut after = None;
        loop {
            let phases = [Phase::Pending, Phase::Provisioning, Phase::Ready];
            let page = self.0.store.sessions_in(&phases, after.as_ref(), 500).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for session in page {
                if session.phase == Phase::Ready {
                    expected.push(session.id);
                } else {
                    self.ensure(&session, session.active_at > session.created_at)
                        .await
                        .map_err(anyhow::Error::new)?;
                }
            }
        }
        self.0.runtime.take_up(&expected).await
    }

    /// Collects what sessions that do not run have used meanwhile: they stay on the disk.
    async fn count_sleepers(&self) -> anyhow::Result<()> {
        let mut after = None;
        loop {
            let phases = [Phase::Suspended, Phase::Failed];
            let page = self.0.store.sessions_in(&phases, after.as_ref(), 500).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for session in page {
                self.collect_usage(&session).await;
            }
        }
    }

    async fn observe(&self, observation: Observation) -> Result<()> {
        match observation {
            Observation::Progress { session, sentence } => self.progress(&session, sentence).await,
            Observation::Started { session } => {
                let patch = Patch {
                    phase: Some(Phase::Ready),
                    reason: Some(None),
                    exit: Some(None),
                    active_at: Some(self.0.clock.now()),
                    only_in: vec![Phase::Pending, Phase::Provisioning],
                    ..Patch::default()
                };
                self.moved(&session, patch, "session.started").await
            }
            Observation::Failed { session, reason } => {
                let only_in = vec![Phase::Pending, Phase::Provisioning];
                self.moved(&session, failed(reason, only_in), "session.failed").await
            }
            Observation::AgentExited { session, exit } => {
                let patch = Patch {
                    exit: Some(Some(exit)),
                    only_in: vec![Phase::Ready],
                    ..Patch::default()
                };
                self.moved(&session, patch, "session.agent-exited").await
            }
            Observation::Lost { session, reason } => {
                self.forget_running(&session);
                if let Some(found) = self.find(&session).await? {
                    self.collect_usage(&found).await;
                }
                let only_in = vec![Phase::Pending, Phase::Provisioning, Phase::Ready];
                self.moved(&session, failed(reason, only_in), "session.lost").await
            }
            Observation::Live { session, status } => self.living(&session, status).await,
            Observation::Metered { session } => {
                if let Some(found) = self.find(&session).await? {
                    self.collect_usage(&found).await;
                }
                Ok(())
            }
            Observation::Agent { slug } => {
                self.touch_agent(&slug);
                Ok(())
            }
        }
    }

    /// Notes that a session could not be made to run.
    pub(crate) async fn fail(&self, session: &Session, reason: String) -> Result<()> {
        let only_in = vec![Phase::Pending, Phase::Provisioning];
        self.moved(&session.id, failed(reason, only_in), "session.failed").await
    }

    /// Asks the runtime whether the agent of a session that seems to run has ended, and writes it down: whoever saw the
    /// exit on the screen may ask to resume before it was observed here. Whether it has.
    pub(crate) async fn notice_exit(&self, session: &mut Session) -> Result<bool> {
        if session.phase != Phase::Ready {
            return Ok(false);
        }
        let status = self.0.runtime.status(&session.id).await?;
        let agent = status.and_then(|status| status.terminals.into_iter().find(|terminal| terminal.id == AGENT));
        let Some(exit) = agent.and_then(|agent| agent.exit) else {
            return Ok(false);
        };
        let patch = Patch {
            exit: Some(Some(exit)),
            only_in: vec![Phase::Ready],
            ..Patch::default()
        };
        self.moved(&session.id, patch, "session.agent-exited").await?;
        session.exit = Some(exit);
        Ok(true)
    }

    /// Changes a session because of something that was seen; does nothing where it is gone or elsewhere already.
    async fn moved(&self, id: &SessionId, patch: Patch, action: &str) -> Result<()> {
        let Some(session) = self.find(id).await? else {
            return Ok(());
        };
        if !patch.only_in.is_empty() && !patch.only_in.contains(&session.phase) {
            return Ok(());
        }
        let after = Session {
            phase: patch.phase.unwrap_or(session.phase),
            reason: patch.reason.clone().unwrap_or_else(|| session.reason.clone()),
            exit: patch.exit.unwrap_or(session.exit),
            ..session.clone()
        };
        // A host that is found again after a restart tells what was known before.
        if (after.phase, &after.reason, after.exit) == (session.phase, &session.reason, session.exit) {
            return Ok(());
        }
        let detail = moving(&session, &after);
        let record = Record {
            audit: vec![self.system_entry(&session.org, action, id.as_str(), detail)],
            events: vec![self.session_event(Kind::SessionMoved, &after)],
        };
        if let Some(changed) = self.0.store.record_session(&session.org, id, &patch, record).await? {
            self.refresh_running(changed);
            self.announce();
        }
        Ok(())
    }

    /// Progress is written (whoever opens the page later sees it) but makes no audit and no event.
    async fn progress(&self, id: &SessionId, sentence: String) -> Result<()> {
        let Some(session) = self.find(id).await? else {
            return Ok(());
        };
        let patch = Patch {
            phase: Some(Phase::Provisioning),
            reason: Some(Some(sentence)),
            only_in: vec![Phase::Pending, Phase::Provisioning],
            ..Patch::default()
        };
        if let Some(changed) = self
            .0
            .store
            .record_session(&session.org, id, &patch, Record::default())
            .await?
        {
            self.touch_session(&changed);
        }
        Ok(())
    }

    async fn living(&self, id: &SessionId, status: HostStatus) -> Result<()> {
        let known = self.known(id);
        let session = match known {
            Some(session) => session,
            None => match self.find(id).await? {
                Some(session) => session,
                // A host that no session wants: its session was deleted while the server was away.
                None => return Ok(self.0.runtime.drop_session(id).await?),
            },
        };
        if session.phase == Phase::Suspended {
            // The server died between remembering and doing.
            return Ok(self.0.runtime.suspend(id).await?);
        }
        let active_at = status
            .terminals
            .iter()
            .map(|terminal| terminal.active_at)
            .max()
            .unwrap_or_default();
        let (active_at, storage_bytes) = (Timestamp::from_millis(active_at), status.storage_bytes);
        let live = Live {
            terminals: status.terminals,
            cpu_micros: status.cpu_micros,
            memory_bytes: status.memory_bytes,
            processes: status.processes,
        };
        let patch = self.remember_running(session.clone(), live, active_at, storage_bytes);
        if let Some(patch) = patch {
            self.0
                .store
                .record_session(&session.org, id, &patch, Record::default())
                .await?;
        }
        self.touch_session(&session);
        Ok(())
    }

    /// Fetches what the runtime has metered and not yet handed over. A failure is logged: the facts stay where they are.
    pub(crate) async fn collect_usage(&self, session: &Session) {
        let collect = async {
            let last = self.0.store.last_usage(&session.org, &session.id).await?;
            let facts = self.0.runtime.usage(&session.id, last).await?;
            let attributed: Vec<_> = facts
                .into_iter()
                .map(|fact| Attributed {
                    org: session.org.clone(),
                    person: session.owner.clone(),
                    session: session.id.clone(),
                    agent: session.agent.clone(),
                    fact,
                })
                .collect();
            self.0.store.record_usage(&attributed).await
        };
        if let Err(error) = collect.await {
            tracing::warn!(session = %session.id, error = format!("{error:#}"), "usage was not collected yet");
        }
    }

    /// A session of any Organization: what the runtime sees has no caller.
    pub(crate) async fn find(&self, id: &SessionId) -> Result<Option<Session>> {
        Ok(self.0.store.find_session(&Scope::Fleet, id).await?)
    }

    /// What runs in a session now.
    pub(crate) fn running(&self, id: &SessionId) -> Option<Live> {
        let running = self.0.running.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        running.get(id).map(|running| running.live.clone())
    }

    /// Every session that runs, when something last happened in it, and whether somebody looks at it.
    pub(crate) fn running_sessions(&self) -> Vec<(Session, Timestamp, bool)> {
        let running = self.0.running.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        running
            .values()
            .map(|running| {
                let terminals = &running.live.terminals;
                let active = terminals.iter().map(|terminal| terminal.active_at).max();
                let watched = terminals.iter().any(|terminal| !terminal.viewers.is_empty());
                let active = Timestamp::from_millis(active.unwrap_or_default());
                (running.session.clone(), active, watched)
            })
            .collect()
    }

    /// Memory of a person's running sessions, in bytes.
    pub(crate) fn memory_of(&self, org: &OrgId, person: &PersonId) -> u64 {
        let running = self.0.running.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mine = running
            .values()
            .filter(|running| running.session.org == *org && running.session.owner == *person);
        mine.map(|running| running.live.memory_bytes).sum()
    }

    /// Forgets what runs in a session that does not run any more.
    pub(crate) fn forget_running(&self, id: &SessionId) {
        self.0
            .running
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .remove(id);
    }

    fn known(&self, id: &SessionId) -> Option<Session> {
        let running = self.0.running.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        running.get(id).map(|running| running.session.clone())
    }

    /// Keeps the session's row beside what runs in step with the store.
    pub(crate) fn refresh_running(&self, session: Session) {
        let mut running = self.0.running.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(running) = running.get_mut(&session.id) {
            running.session = session;
        }
    }

    /// Remembers what runs; what of it is worth writing to the store now.
    fn remember_running(
        &self,
        session: Session,
        live: Live,
        active_at: Timestamp,
        storage_bytes: u64,
    ) -> Option<Patch> {
        let mut map = self.0.running.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let id = session.id.clone();
        let (written_at, written_bytes) = map
            .get(&id)
            .map_or((session.active_at, session.storage_bytes), |known| {
                (known.active_at, known.storage_bytes)
            });
        let stale = active_at.seconds_since(written_at) >= WRITE_EVERY || storage_bytes != written_bytes;
        let (kept_at, kept_bytes) = if stale {
            (active_at.max(written_at), storage_bytes)
        } else {
            (written_at, written_bytes)
        };
        map.insert(
            id,
            Running {
                session,
                live,
                active_at: kept_at,
                storage_bytes: kept_bytes,
            },
        );
        stale.then(|| Patch {
            active_at: Some(kept_at),
            storage_bytes: Some(kept_bytes),
            ..Patch::default()
        })
    }
}

/// What moved, for the audit.
pub(crate) fn moving(before: &Session, after: &Session) -> Value {
    let said =
        |session: &Session| json!({ "phase": session.phase.as_str(), "reason": session.reason, "exit": session.exit });
    json!({ "before": said(before), "after": said(after) })
}

fn failed(reason: String, only_in: Vec<Phase>) -> Patch {
    Patch {
        phase: Some(Phase::Failed),
        reason: Some(Some(reason)),
        only_in,
        ..Patch::default()
    }
}
