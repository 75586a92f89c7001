//! A session as published, and what we add to it.

use domain::{
    Caller,
    permit::Verb,
    session::{Phase, Recorded, Session, Status, View},
    wire::Exit,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    id: String,
    /// The name to show.
    name: String,
    /// The agent's slug.
    agent: String,
    /// `pending`, `running`, `stopped`, `failed` or `unknown`.
    status: &'static str,
    /// `Pending`, `Provisioning`, `Ready`, `Failed` or `Suspended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    /// RFC 3339, in UTC.
    created_at: String,
    /// What was cloned; empty for an empty workspace.
    repo: String,
    /// How many sessions of it are live: 1 or 0.
    sessions: u64,
    /// Disk, as a quantity such as `8.2Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_used: Option<String>,
    /// What it cost in 30 days, such as `USD 42.10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    spend30d: Option<String>,
    previews: Vec<Preview>,
    conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// Why it failed, or what it is doing now, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How its agent ended, where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<Ended>,
    /// The last output or input, to about a minute.
    active_at: String,
    owner: Owner,
    /// The Organization's slug.
    org: String,
    /// `private`, `watch` or `drive`.
    sharing: &'static str,
    /// Whether it is the caller's own.
    mine: bool,
    /// Whether the caller may see its terminals.
    may_watch: bool,
    /// Whether the caller may type into them.
    may_drive: bool,
    /// Everything that the caller may do with it.
    #[schema(value_type = Vec<String>)]
    may: Vec<Verb>,
    /// Whether it is recorded; absent where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<Recording>,
    /// Terminals, and what runs in them; absent while nothing runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
}

/// A preview of a pull request.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Preview {
    pr_number: u64,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha: Option<String>,
}

/// A condition, as Kubernetes knows them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: &'static str,
    /// `True`, `False` or `Unknown`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_transition_time: Option<String>,
}

/// How an agent ended: one of the two is there.
#[derive(Serialize, ToSchema)]
struct Ended {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
}

/// Whose a session is.
#[derive(Serialize, ToSchema)]
struct Owner {
    id: String,
    name: String,
    email: String,
}

/// What is told of a session's recording.
#[derive(Serialize, ToSchema)]
struct Recording {
    /// Whether a terminal of it is being recorded now.
    now: bool,
    /// Who may read it: `owner` alone, or those who govern the Organization as well (`admins`).
    readers: Vec<&'static str>,
}

/// What is known of a session while it runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Live {
    terminals: usize,
    /// The names of those who are attached.
    viewers: Vec<String>,
    cpu_micros: u64,
    memory_bytes: u64,
    processes: u64,
}

impl Item {
    /// What this caller is told of a session.
    pub(super) fn from_view(caller: &Caller, view: View) -> Self {
        let (may_watch, may_drive) = (view.may(Verb::WatchTerminal), view.may(Verb::DriveTerminal));
        let View {
            session,
            status,
            live,
            recording,
            may,
        } = view;
        Self {
            status: status.as_str(),
            phase: Some(session.phase.as_str()),
            created_at: session.created_at.rfc3339(),
            sessions: u64::from(status == Status::Running),
            storage_used: (session.storage_bytes > 0).then(|| quantity(session.storage_bytes)),
            spend30d: None,
            previews: Vec::new(),
            conditions: vec![ready(&session)],
            exit: session.exit.map(Ended::from),
            active_at: session.active_at.rfc3339(),
            mine: session.owner == caller.person,
            owner: Owner {
                id: session.owner.as_str().to_owned(),
                name: session.owner_name,
                email: session.owner_email,
            },
            org: session.org.as_str().to_owned(),
            sharing: session.sharing.as_str(),
            may_watch,
            may_drive,
            may,
            recording: recording.map(Recording::from),
            live: live.map(Live::from),
            id: session.id.as_str().to_owned(),
            name: session.name,
            agent: session.agent,
            repo: session.repo.unwrap_or_default(),
            branch: session.branch,
            reason: session.reason,
        }
    }
}

fn ready(session: &Session) -> Condition {
    let (status, reason) = match (session.phase, session.exit) {
        (Phase::Ready, None) => ("True", "Running"),
        (Phase::Ready, Some(_)) => ("False", "AgentExited"),
        (Phase::Pending, _) => ("Unknown", "Pending"),
        (Phase::Provisioning, _) => ("Unknown", "Provisioning"),
        (Phase::Suspended, _) => ("False", "Suspended"),
        (Phase::Failed, _) => ("False", "Failed"),
    };
    Condition {
        kind: "Ready",
        status,
        reason: Some(reason),
        message: session.reason.clone(),
        last_transition_time: None,
    }
}

/// Bytes as a quantity: `812`, `3.4Mi`, `8.2Gi`.
fn quantity(bytes: u64) -> String {
    let units = ["Ki", "Mi", "Gi", "Ti"];
    let (mut value, mut unit) = (bytes as f64, "");
    for next in units {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit.is_empty() {
        bytes.to_string()
    } else {
        format!("{value:.1}{unit}")
    }
}

impl From<Exit> for Ended {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self {
                code: Some(code),
                signal: None,
            },
            Exit::Signal(signal) => Self {
                code: None,
                signal: Some(signal),
            },
        }
    }
}

impl From<Recorded> for Recording {
    fn from(Recorded { now, admins }: Recorded) -> Self {
        Self {
            now,
            readers: if admins { vec!["owner", "admins"] } else { vec!["owner"] },
        }
    }
}

impl From<domain::session::Live> for Live {
    fn from(live: domain::session::Live) -> Self {
        let domain::session::Live {
            terminals,
            cpu_micros,
            memory_bytes,
            processes,
        } = live;
        let mut viewers: Vec<String> = terminals
            .iter()
            .flat_map(|terminal| terminal.viewers.iter().map(|viewer| viewer.name.clone()))
            .collect();
        viewers.sort();
        viewers.dedup();
        Self {
            terminals: terminals.len(),
            viewers,
            cpu_micros,
            memory_bytes,
            processes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn disk_is_told_as_the_platform_writes_quantities() {
        for (bytes, text) in [
            (0, "0"),
            (812, "812"),
            (1024, "1.0Ki"),
            (3_565_158, "3.4Mi"),
            (8_804_682_957, "8.2Gi"),
        ] {
            assert_eq!(quantity(bytes), text);
        }
    }
}
