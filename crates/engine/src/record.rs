//! What is written beside every change: the audit entry and the outgoing event.

use crate::{
    Engine,
    live::Pulse,
    ports::{Outgoing, Record},
};
use domain::{
    Caller, OrgId, PersonId,
    audit::Entry,
    caller::Proof,
    event::{Event, Kind},
    session::{Session, Sharing},
};
use serde_json::{Value, json};

impl Engine {
    /// An audit entry of something `caller` did.
    pub(crate) fn entry(&self, caller: &Caller, action: &str, target: &str, detail: Value) -> Entry {
        let via = match &caller.proof {
            Proof::Login { .. } => "login".to_owned(),
            Proof::Token { id, .. } => format!("token:{id}"),
        };
        Entry {
            at: self.0.clock.now(),
            org: caller.org.clone(),
            person: Some(caller.person.clone()),
            actor: caller.email.clone(),
            via,
            role: Some(caller.role.as_str().to_owned()),
            address: caller.address.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
            request: caller.request.clone(),
        }
    }

    /// An audit entry of something `caller` did to a thing of `org`: it belongs there, whoever acts.
    pub(crate) fn entry_of(&self, caller: &Caller, org: &OrgId, action: &str, target: &str, detail: Value) -> Entry {
        self.entry(caller, action, target, detail).of(org, caller)
    }

    /// An audit entry of something that nobody asked for: the system saw it happen.
    pub(crate) fn system_entry(&self, org: &OrgId, action: &str, target: &str, detail: Value) -> Entry {
        Entry {
            at: self.0.clock.now(),
            org: org.clone(),
            person: None,
            actor: "system".to_owned(),
            via: "system".to_owned(),
            role: None,
            address: None,
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
            request: None,
        }
    }

    /// An event in its envelope.
    pub(crate) fn event(&self, kind: Kind, org: &OrgId, data: Value) -> Event {
        let now = self.0.clock.now();
        Event {
            id: self.0.credentials.new_id(now),
            kind: kind.as_str().to_owned(),
            source: "sandbox".to_owned(),
            timestamp: now,
            tenant_id: org.clone(),
            data,
            metadata: None,
        }
    }

    /// An event about a session, readable by whoever may see the session.
    pub(crate) fn session_event(&self, kind: Kind, session: &Session) -> Outgoing {
        let data = json!({
            "session_id": session.id,
            "name": session.name,
            "agent": session.agent,
            "owner": session.owner,
            "phase": session.phase.as_str(),
            "status": session.status().as_str(),
            "reason": session.reason,
            "exit": session.exit,
        });
        Outgoing {
            event: self.event(kind, &session.org, data),
            owner: Some(session.owner.clone()),
            shared: session.sharing > Sharing::Private,
        }
    }

    /// An event about an Organization, readable by those who govern it, and by `person`.
    pub(crate) fn org_event(&self, kind: Kind, org: &OrgId, person: Option<&PersonId>, target: &str) -> Outgoing {
        // Nobody is called so: only those who reach the whole Organization read it.
        let nobody = || PersonId::new("");
        Outgoing {
            event: self.event(kind, org, json!({ "target": target, "person": person })),
            owner: Some(person.cloned().unwrap_or_else(nobody)),
            shared: false,
        }
    }

    /// Something `caller` did to a session.
    pub(crate) fn session_record(&self, caller: &Caller, kind: Kind, session: &Session, detail: Value) -> Record {
        let action = kind.as_str().trim_start_matches("sandbox.");
        Record {
            audit: vec![self.entry_of(caller, &session.org, action, session.id.as_str(), detail)],
            events: vec![self.session_event(kind, session)],
        }
    }

    /// Tells live readers that the outbox has grown.
    pub(crate) fn announce(&self) {
        // Nobody reads at the moment: nothing to do.
        let _ = self.0.pulse.send(Pulse::Outbox);
    }
}
