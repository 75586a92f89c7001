//! One connection: the key, one ask, and what follows from it.

use crate::attach;
use crate::message::{Codec, Message};
use crate::run::Host;
use crate::terminals::Refusal;
use domain::host::{Answer, Ask, HostEvent};
use futures::{SinkExt, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_util::codec::Framed;

/// How long somebody may take to say what they want, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two states that a watcher is sent: at most twice a second.
const BREATH: Duration = Duration::from_millis(500);
/// The longest grace of a stop.
const MOST_GRACE: Duration = Duration::from_secs(60);

/// Serves a connection to its end.
pub(crate) async fn connection(host: Arc<Host>, stream: UnixStream) {
    let mut connection = Framed::new(stream, Codec);
    let ask = match tokio::time::timeout(PATIENCE, ask(&host, &mut connection)).await {
        Ok(Ok(ask)) => ask,
        Ok(Err(refusal)) => return say(&mut connection, &answer(Err(refusal))).await,
        Err(_) => return,
    };
    match ask {
        Ask::Watch => watch(&host, &mut connection).await,
        Ask::Attach(attach) => match host.terminals.find(&attach.terminal) {
            Ok(handle) => attach::pump(&host.terminals, handle, attach, connection).await,
            Err(refusal) => say(&mut connection, &answer(Err(refusal))).await,
        },
        Ask::Stop { grace_ms } => {
            host.end(Duration::from_millis(grace_ms).min(MOST_GRACE)).await;
            say(&mut connection, &Answer::Done).await;
            host.stop.cancel();
        }
        ask => {
            let answer = answer(do_(&host, ask).await);
            say(&mut connection, &answer).await;
        }
    }
}

async fn ask(host: &Host, connection: &mut Framed<UnixStream, Codec>) -> Result<Ask, Refusal> {
    let invalid = |detail: &str| Refusal::new("invalid", detail);
    match connection.next().await {
        Some(Ok(Message::Binary(key))) if key == host.key => {}
        _ => return Err(invalid("A connection begins with the host's key.")),
    }
    match connection.next().await {
        Some(Ok(Message::Text(json))) => {
            serde_json::from_slice(&json).map_err(|error| invalid(&format!("This is no ask: {error}.")))
        }
        _ => Err(invalid("After the key comes an ask.")),
    }
}

async fn do_(host: &Host, ask: Ask) -> Result<Answer, Refusal> {
    let gone = |_| Refusal::new("not-found", "The terminal was closed.");
    match ask {
        Ask::OpenTerminal { terminal, spec } => host.terminals.open_beside(terminal, spec).await?,
        Ask::StartAgent { spec } => host.terminals.start_agent(spec).await?,
        Ask::CloseTerminal { terminal } => host.terminals.close(&terminal).await?,
        Ask::Resize { terminal, size } => {
            let size = domain::wire::Size::clamped(size.cols, size.rows);
            host.terminals.find(&terminal)?.resize(size).await.map_err(gone)?;
        }
        Ask::Signal { terminal, signal } => {
            let handle = host.terminals.find(&terminal)?;
            let Ok(signal) = signal.parse::<terminal::Signal>() else {
                let detail = "A terminal takes the signals INT, QUIT, TERM, HUP and KILL.";
                return Err(Refusal::new("invalid", detail));
            };
            if handle.status().exit.is_some() {
                return Err(Refusal::new("exited", "The program has ended."));
            }
            handle.signal(signal).await.map_err(gone)?;
        }
        Ask::Status => {
            host.meter.refresh(&host.terminals).await;
            return Ok(Answer::Status(host.status()));
        }
        Ask::Usage { after } => {
            let facts = host.meter.take(after).await;
            let facts = facts.map_err(|error| Refusal::new("internal", format!("{error:#}")))?;
            return Ok(Answer::Usage { facts });
        }
        Ask::Attach(_) | Ask::Watch | Ask::Stop { .. } => {
            return Err(Refusal::new("internal", "This ask is served elsewhere."));
        }
    }
    Ok(Answer::Done)
}

/// Sends states and what follows from comparing them. Nothing is queued: who reads slowly is told less often.
async fn watch(host: &Host, connection: &mut Framed<UnixStream, Codec>) {
    let (mut changes, mut facts) = (host.terminals.changes(), host.meter.facts());
    let mut exits = BTreeMap::new();
    let mut metered = host.meter.has_facts();
    loop {
        changes.borrow_and_update();
        let status = host.status();
        let mut events = vec![HostEvent::Changed(status.clone())];
        for terminal in status.terminals {
            let known = exits.insert(terminal.id.clone(), (terminal.epoch, terminal.exit));
            // An end that lies before the first state is in that state.
            if let (Some(known), Some(exit)) = (known, terminal.exit)
                && known != (terminal.epoch, terminal.exit)
            {
                let terminal = terminal.id;
                events.push(HostEvent::Exited { terminal, exit });
            }
        }
        if metered {
            events.push(HostEvent::Metered);
        }
        for event in &events {
            match tokio::time::timeout(PATIENCE, connection.send(Message::json(event))).await {
                Ok(Ok(())) => {}
                _ => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(BREATH) => {}
            () = host.stop.cancelled() => return,
        }
        metered = false;
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            written = facts.changed() => {
                if written.is_err() {
                    return;
                }
                facts.borrow_and_update();
                metered = true;
            }
            // A watcher says nothing: this is its end.
            _ = connection.next() => return,
            () = host.stop.cancelled() => return,
        }
    }
}

fn answer(result: Result<Answer, Refusal>) -> Answer {
    result.unwrap_or_else(|refusal| Answer::Refused {
        code: refusal.code.to_owned(),
        detail: refusal.detail,
    })
}

async fn say(connection: &mut Framed<UnixStream, Codec>, answer: &Answer) {
    let _ = tokio::time::timeout(PATIENCE, connection.send(Message::json(answer))).await;
}
