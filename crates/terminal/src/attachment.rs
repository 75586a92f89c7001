//! One viewer's conversation with a terminal, seen from outside: messages come, messages go.

use bytes::Bytes;
use domain::wire::{FromClient, FromTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc};

/// What a terminal says to one viewer.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A text message (never sent to a plain attachment).
    Text(FromTerminal),
    /// An encoded [`domain::wire::Frame`]; raw terminal bytes to a plain attachment.
    Binary(Bytes),
}

/// What a viewer says to its terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientMessage {
    /// A text message.
    Text(FromClient),
    /// An encoded [`domain::wire::Frame::Input`]; raw keystrokes from a plain attachment.
    Binary(Bytes),
}

/// One viewer on a terminal; dropping its [`Messages`] detaches.
#[derive(Debug)]
pub struct Attachment {
    /// Identifies the attachment in [`FromTerminal::Viewers`].
    pub id: u64,
    /// What the terminal says, in order.
    pub messages: Messages,
    /// What the viewer says.
    pub outbox: Outbox,
}

/// The receiving half of an [`Attachment`].
#[derive(Debug)]
pub struct Messages {
    pub(crate) receiver: mpsc::Receiver<Message>,
    pub(crate) taken: Arc<Taken>,
}

impl Drop for Messages {
    fn drop(&mut self) {
        // Closed first: the terminal looks as soon as it is woken.
        self.receiver.close();
        self.taken.wake.notify_one();
    }
}

/// How much of what was sent has been taken: it is a plain viewer's acknowledgement, and tells the terminal that a full
/// channel has room again.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) bytes: AtomicU64,
    pub(crate) wake: Arc<Notify>,
}

impl Messages {
    /// The next message; `None` when the terminal was closed or has detached this viewer.
    ///
    /// Take a message only when the one before has been handed on: what was taken counts as on its way.
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.receiver.recv().await?;
        self.count(&message);
        Some(message)
    }

    /// The next message when there is one already.
    pub fn try_recv(&mut self) -> Option<Message> {
        let message = self.receiver.try_recv().ok()?;
        self.count(&message);
        Some(message)
    }

    fn count(&self, message: &Message) {
        if let Message::Binary(bytes) = message {
            self.taken.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        self.taken.wake.notify_one();
    }
}

/// The sending half of an [`Attachment`]; waits when the terminal has much to do.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(crate) id: u64,
    pub(crate) sender: mpsc::Sender<(u64, ClientMessage)>,
}

impl Outbox {
    /// Hands a message to the terminal; an error says that the terminal was closed.
    pub async fn send(&self, message: ClientMessage) -> Result<(), crate::Gone> {
        self.sender.send((self.id, message)).await.map_err(|_| crate::Gone)
    }
}
