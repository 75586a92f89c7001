//! The conversation with a terminal whose session sleeps: its last screen, and a keystroke that wakes it.

use crate::{
    Engine,
    live::Pulse,
    ports::{Conversation, LastScreen, Message, Scope},
};
use bytes::Bytes;
use domain::{
    Caller,
    event::Touched,
    host::Attach,
    session::{Phase, Session},
    wire::{Frame, FromClient, FromTerminal, Size},
};
use tokio::sync::{broadcast, mpsc};

/// Begins the conversation; it ends when the session runs (the client comes back at once), is gone, or nobody listens.
pub(crate) fn converse(
    engine: Engine,
    caller: Caller,
    session: Session,
    attach: Attach,
    last: Option<LastScreen>,
) -> Conversation {
    let (to_terminal, from_client) = mpsc::channel(8);
    let (to_client, from_terminal) = mpsc::channel(8);
    // Subscribed before the first look, so that no change falls between.
    let pulses = engine.0.pulse.subscribe();
    let sleeper = Sleeper {
        engine,
        caller,
        session,
        attach,
        to_client,
    };
    tokio::spawn(sleeper.converse(from_client, pulses, last));
    Conversation::over(to_terminal, from_terminal)
}

struct Sleeper {
    engine: Engine,
    caller: Caller,
    session: Session,
    attach: Attach,
    to_client: mpsc::Sender<Message>,
}

impl Sleeper {
    async fn converse(
        mut self,
        mut from_client: mpsc::Receiver<Message>,
        mut pulses: broadcast::Receiver<Pulse>,
        last: Option<LastScreen>,
    ) {
        if self.greet(last).await.is_none() {
            return;
        }
        loop {
            let goes_on = tokio::select! {
                message = from_client.recv() => match message {
                    Some(message) => self.hear(message).await,
                    None => None,
                },
                pulse = pulses.recv() => match pulse {
                    Ok(Pulse::Touched { what: Touched::Session(id), .. }) if id != self.session.id => Some(()),
                    Ok(Pulse::Touched { what: Touched::Agent(_), .. }) => Some(()),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.look().await,
                    Err(broadcast::error::RecvError::Closed) => None,
                },
            };
            if goes_on.is_none() {
                return;
            }
        }
    }

    async fn greet(&self, last: Option<LastScreen>) -> Option<()> {
        let last = last.unwrap_or(LastScreen {
            size: Size::default(),
            ansi: Bytes::new(),
            exit: None,
        });
        if self.attach.plain {
            return self.send(Message::Binary(last.ansi)).await;
        }
        self.say(&FromTerminal::Attached {
            attachment: 0,
            epoch: 0,
            input: 0,
            size: last.size,
            driver: false,
            may_type: self.attach.may_type,
            seq: 0,
            snapshot: true,
        })
        .await?;
        let frame = Frame::Snapshot {
            seq: 0,
            size: last.size,
            ansi: &last.ansi,
        };
        self.send(Message::Binary(frame.encode().into())).await?;
        if let Some(exit) = last.exit {
            self.say(&FromTerminal::Exited { exit }).await?;
        }
        self.say(&FromTerminal::Asleep).await
    }

    /// What the client says; `None` ends the conversation.
    async fn hear(&mut self, message: Message) -> Option<()> {
        let typed = match &message {
            Message::Binary(_) if self.attach.plain => true,
            Message::Binary(frame) => {
                matches!(Frame::decode(frame), Ok(Frame::Input { bytes, .. }) if !bytes.is_empty())
            }
            Message::Text(text) => {
                if let Ok(FromClient::Ping { t }) = serde_json::from_str(text) {
                    self.say(&FromTerminal::Pong { t }).await?;
                }
                false
            }
        };
        // A failed session is tried again by a decision, not by a stray key: its page says what went wrong. So is one that a
        // rule has stopped.
        let stays = self.session.phase != Phase::Suspended || self.session.by_hand;
        if !typed || !self.attach.may_type || stays {
            return Some(());
        }
        match self.engine.resume(&self.caller, &self.session.id).await {
            Ok(view) => {
                self.session = view.session;
                self.look().await
            }
            Err(error) => {
                let problem = error.problem();
                self.say(&FromTerminal::Refused {
                    code: problem.code,
                    detail: problem.detail,
                })
                .await
            }
        }
    }

    /// Looks whether the session runs by now.
    async fn look(&mut self) -> Option<()> {
        let scope = Scope::Org(self.session.org.clone());
        let session = self
            .engine
            .0
            .store
            .find_session(&scope, &self.session.id)
            .await
            .ok()??;
        self.session = session;
        if self.session.phase == Phase::Ready {
            // The client comes back and finds the living terminal.
            self.say(&FromTerminal::Reconnect {
                reason: "resumed".to_owned(),
            })
            .await?;
            return None;
        }
        Some(())
    }

    async fn say(&self, message: &FromTerminal) -> Option<()> {
        if self.attach.plain {
            return Some(());
        }
        self.send(Message::Text(serde_json::to_string(message).ok()?)).await
    }

    async fn send(&self, message: Message) -> Option<()> {
        self.to_client.send(message).await.ok()
    }
}
