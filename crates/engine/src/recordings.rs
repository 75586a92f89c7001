//! Recordings of terminals: whether a policy makes one, and who reads it.

use crate::{
    Engine, Error, Result,
    ports::{Patch, Record, Recording},
};
use domain::{Caller, Problem, SessionId, event::Kind, host::AGENT, permit::Verb, session::Session};
use serde_json::json;

impl Engine {
    /// The recording of a terminal (empty: the agent's), from its beginning, or as far back as it is kept, to now. Each
    /// reading is written down.
    pub async fn recording(&self, caller: &Caller, id: &SessionId, terminal: &str) -> Result<Recording> {
        let session = self.session(caller, id, Verb::ReadRecording).await?;
        let terminal = if terminal.is_empty() { AGENT } else { terminal };
        let found = self.0.runtime.recording(id, terminal).await?;
        let recording = found.ok_or_else(|| {
            let detail =
                "This terminal has not been recorded: the policy that held when it started did not ask for it.";
            Error::Conflict(Problem::new("not-recorded", detail))
        })?;
        let detail = json!({ "terminal": terminal, "bytes": recording.bytes });
        let entry = self.entry_of(caller, &session.org, "recording.read", id.as_str(), detail);
        self.0.store.record_audit(&entry).await?;
        Ok(recording)
    }

    /// Whether a terminal that starts now is recorded. The first time this is so is remembered, with an entry of its own:
    /// everybody who sees the session is told from then on.
    pub(crate) async fn begin_recording(&self, session: &Session) -> Result<bool> {
        if !self.rules(&session.org).await?.records() {
            return Ok(false);
        }
        // What was told of the session may be older than the row.
        let known = self.find(&session.id).await?;
        if known.is_none_or(|known| known.recorded) {
            return Ok(true);
        }
        let patch = Patch {
            recorded: Some(true),
            ..Patch::default()
        };
        let record = Record {
            audit: vec![self.system_entry(
                &session.org,
                "recording.began",
                session.id.as_str(),
                json!({ "by": "policy" }),
            )],
            events: vec![self.session_event(Kind::SessionMoved, session)],
        };
        let store = &self.0.store;
        if let Some(changed) = store.record_session(&session.org, &session.id, &patch, record).await? {
            self.refresh_running(changed);
            self.announce();
        }
        Ok(true)
    }
}
