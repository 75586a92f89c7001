//! Coming back to a terminal, opening one, and the calls beside it.

use crate::{Engine, Error, Result, asleep, attachments::Attachment, ports::Shell, secrets::For};
use domain::{
    Caller, Problem, SessionId,
    host::{AGENT, Attach, TerminalStatus},
    permit::Verb,
    session::{Phase, Session},
    wire::Size,
};
use serde_json::json;

/// What a client asks for when it attaches.
#[derive(Clone, Debug, Default)]
pub struct AttachAsk {
    /// The terminal's id; empty: the agent's.
    pub terminal: String,
    /// A random name that the client keeps over reconnects, at most 64 bytes.
    pub client: String,
    /// The position up to which the client holds output of `epoch`.
    pub since: Option<u64>,
    pub epoch: Option<u64>,
    /// Lines of scrollback wanted with the first snapshot, at most 10,000.
    pub history: u32,
    /// Raw bytes both ways, for clients without the subprotocol.
    pub plain: bool,
}

/// Terminals of one session, the agent's included.
const TERMINALS_MAX: usize = 16;

impl Engine {
    /// A conversation with a terminal. That of a sleeping session shows its last screen and wakes it at a keystroke; to
    /// look at it never does.
    pub async fn attach(&self, caller: &Caller, id: &SessionId, ask: AttachAsk) -> Result<Attachment> {
        let session = self.session(caller, id, Verb::WatchTerminal).await?;
        let attach = self.checked(caller, &session, ask)?;
        let held = self.attached_to(caller, &session, attach).await?;
        // A right that was taken away before the attachment stood on the list was not taken from it: it is asked for once
        // more now that it does.
        let seats = self.0.store.memberships(&caller.person, self.0.clock.now()).await?;
        if held.revoked.is_cancelled()
            || !seats
                .iter()
                .any(|(org, role)| org.id == caller.org && *role == caller.role)
        {
            return Err(Error::Unauthenticated);
        }
        let session = self.session(caller, id, Verb::WatchTerminal).await?;
        self.recheck(&session);
        if !caller.may(Verb::WatchTerminal, &session) {
            self.note_watched(caller, &session);
        }
        Ok(held)
    }

    async fn attached_to(&self, caller: &Caller, session: &Session, attach: Attach) -> Result<Attachment> {
        let id = &session.id;
        match session.phase {
            Phase::Pending | Phase::Provisioning => {
                let detail = "The session is not ready yet. Try again in a moment.";
                Err(Error::Unavailable(Problem::new("session-not-ready", detail)))
            }
            Phase::Ready => match self.0.runtime.attach(id, &attach).await? {
                Some(conversation) => {
                    let held = self.hold(caller, session, &attach.terminal, conversation);
                    Ok(if attach.plain {
                        held.plain(attach.may_type)
                    } else {
                        held
                    })
                }
                None if attach.terminal == AGENT => Err(Error::Unavailable(Problem::new(
                    "session-not-ready",
                    "The session's host does not answer at the moment. Try again.",
                ))),
                None => Err(no_terminal()),
            },
            Phase::Suspended | Phase::Failed => {
                let last = self.0.runtime.last_screen(id, &attach.terminal).await?;
                if last.is_none() && attach.terminal != AGENT {
                    return Err(no_terminal());
                }
                let terminal = attach.terminal.clone();
                let conversation = asleep::converse(self.clone(), caller.clone(), session.clone(), attach, last);
                Ok(self.hold(caller, session, &terminal, conversation))
            }
        }
    }

    /// Notes that somebody looks at a screen because the policy lets them, not its owner.
    fn note_watched(&self, caller: &Caller, session: &Session) {
        let (action, detail) = ("terminal.watched", json!({ "by": "policy" }));
        let entry = self.entry_of(caller, &session.org, action, session.id.as_str(), detail);
        self.note(&caller.person, "watched", entry);
    }

    /// The terminals of a session that runs; none of one that does not.
    pub async fn terminals(&self, caller: &Caller, id: &SessionId) -> Result<Vec<TerminalStatus>> {
        let session = self.session(caller, id, Verb::WatchTerminal).await?;
        let status = match session.phase {
            Phase::Ready => self.0.runtime.status(id).await?,
            Phase::Pending | Phase::Provisioning | Phase::Failed | Phase::Suspended => None,
        };
        Ok(status.map(|status| status.terminals).unwrap_or_default())
    }

    /// Opens a shell beside the agent.
    pub async fn open_terminal(
        &self,
        caller: &Caller,
        id: &SessionId,
        label: Option<&str>,
        size: Size,
    ) -> Result<TerminalStatus> {
        let session = self.session(caller, id, Verb::DriveTerminal).await?;
        let open = self.terminals(caller, id).await?;
        if session.phase != Phase::Ready {
            return Err(Error::Conflict(Problem::new(
                "session-not-ready",
                "The session does not run. Resume it first.",
            )));
        }
        if open.len() >= TERMINALS_MAX {
            let detail = format!("A session has at most {TERMINALS_MAX} terminals. Close one first.");
            return Err(Error::Conflict(Problem::new("too-many-terminals", detail)));
        }
        // The lowest number that is free: the second shell is `shell-2` also after the first was closed and reopened.
        let terminal = (1..=TERMINALS_MAX)
            .map(|number| format!("shell-{number}"))
            .find(|name| open.iter().all(|terminal| terminal.id != *name))
            .ok_or_else(no_terminal)?;
        let label = match label.map(str::trim).filter(|label| !label.is_empty()) {
            Some(label) => label.chars().filter(|c| !c.is_control()).take(40).collect(),
            None => terminal.replace("shell-", "Shell "),
        };
        let secrets = self.deliver(&session, For::Beside).await?;
        let record = self.begin_recording(&session).await?;
        let shell = Shell {
            terminal: terminal.clone(),
            label,
            size,
            secrets,
            record,
        };
        self.0.runtime.open_terminal(&session, &shell).await?;
        let detail = json!({ "terminal": terminal });
        let entry = self.entry_of(caller, &session.org, "terminal.opened", id.as_str(), detail);
        self.0.store.record_audit(&entry).await?;
        self.touch_session(&session);
        let status = self.0.runtime.status(id).await?;
        let opened = status.and_then(|status| status.terminals.into_iter().find(|open| open.id == terminal));
        opened.ok_or_else(no_terminal)
    }

    /// Ends a shell and forgets its terminal; the agent's stays as long as the session.
    pub async fn close_terminal(&self, caller: &Caller, id: &SessionId, terminal: &str) -> Result<()> {
        let session = self.session(caller, id, Verb::DriveTerminal).await?;
        if terminal == AGENT {
            let detail = "The agent's terminal stays as long as the session: suspend or delete the session instead.";
            return Err(Error::Conflict(Problem::new("agent-terminal", detail)));
        }
        if session.phase == Phase::Ready {
            self.0.runtime.close_terminal(id, terminal).await?;
            let detail = json!({ "terminal": terminal });
            let entry = self.entry_of(caller, &session.org, "terminal.closed", id.as_str(), detail);
            self.0.store.record_audit(&entry).await?;
            self.touch_session(&session);
        }
        Ok(())
    }

    /// Gives a terminal a size, within bounds.
    pub async fn resize(&self, caller: &Caller, id: &SessionId, terminal: &str, size: Size) -> Result<()> {
        self.running_session(caller, id).await?;
        Ok(self
            .0
            .runtime
            .resize(id, terminal, Size::clamped(size.cols, size.rows))
            .await?)
    }

    /// Sends `INT`, `QUIT`, `TERM`, `HUP` (in any case) to a terminal's foreground processes.
    pub async fn signal(&self, caller: &Caller, id: &SessionId, terminal: &str, signal: &str) -> Result<()> {
        self.running_session(caller, id).await?;
        let signal = signal.trim().to_uppercase();
        let signal = signal.strip_prefix("SIG").unwrap_or(&signal);
        if !matches!(signal, "INT" | "QUIT" | "TERM" | "HUP") {
            let detail = "unsupported signal: send INT, QUIT, TERM or HUP.";
            return Err(Problem::new("unsupported-signal", detail).at("signal").into());
        }
        Ok(self.0.runtime.signal(id, terminal, signal).await?)
    }

    async fn running_session(&self, caller: &Caller, id: &SessionId) -> Result<Session> {
        let session = self.session(caller, id, Verb::DriveTerminal).await?;
        if session.phase != Phase::Ready {
            return Err(Error::Conflict(Problem::new(
                "session-not-ready",
                "The session does not run. Resume it first.",
            )));
        }
        Ok(session)
    }

    fn checked(&self, caller: &Caller, session: &Session, ask: AttachAsk) -> Result<Attach> {
        let word =
            |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !word(&ask.client) || !word(&ask.terminal) {
            let detail = "A client or terminal is named with at most 64 letters, digits, dashes, dots or underscores.";
            return Err(Problem::new("invalid-attach", detail).into());
        }
        let named = |text: String, default: &dyn Fn() -> String| if text.is_empty() { default() } else { text };
        Ok(Attach {
            terminal: named(ask.terminal, &|| AGENT.to_owned()),
            // Two people never share a client's input count, whatever name they choose.
            client: format!(
                "{}/{}",
                caller.person,
                named(ask.client, &|| self.0.credentials.new_id(self.0.clock.now()))
            ),
            person: caller.person.as_str().to_owned(),
            name: caller.name.clone(),
            may_type: caller.may(Verb::DriveTerminal, session),
            since: ask.since,
            epoch: ask.epoch,
            history: ask.history.min(10_000),
            plain: ask.plain,
        })
    }
}

fn no_terminal() -> Error {
    Error::NotFound(Problem::new(
        "terminal-not-found",
        "There is no such terminal in this session, or it was closed.",
    ))
}
