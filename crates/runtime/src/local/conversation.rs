//! Carries messages between a host's socket and the engine's channels; whoever does not read stops both.

use engine::ports::{Conversation, Message};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use host::client::Connection;
use host::message::Message as HostMessage;
use tokio::sync::mpsc;

/// Messages under way in each direction.
const SHORT: usize = 4;

/// Carries a conversation until one end is dropped or closed.
pub(crate) fn carry(connection: Connection) -> Conversation {
    let (to_terminal, outgoing) = mpsc::channel(SHORT);
    let (incoming, from_terminal) = mpsc::channel(SHORT);
    let (write, read) = connection.split();
    tokio::spawn(async move {
        tokio::select! {
            () = send(outgoing, write) => {}
            () = receive(read, &incoming) => {}
            () = incoming.closed() => {}
        }
    });
    Conversation {
        to_terminal,
        from_terminal,
    }
}

async fn send(mut outgoing: mpsc::Receiver<Message>, mut write: SplitSink<Connection, HostMessage>) {
    while let Some(message) = outgoing.recv().await {
        let message = match message {
            Message::Text(text) => HostMessage::Text(text.into()),
            Message::Binary(bytes) => HostMessage::Binary(bytes),
        };
        if write.send(message).await.is_err() {
            return;
        }
    }
}

async fn receive(mut read: SplitStream<Connection>, incoming: &mpsc::Sender<Message>) {
    while let Some(Ok(message)) = read.next().await {
        let message = match message {
            HostMessage::Binary(bytes) => Message::Binary(bytes),
            HostMessage::Text(text) => match String::from_utf8(text.into()) {
                Ok(text) => Message::Text(text),
                Err(_) => return,
            },
        };
        if incoming.send(message).await.is_err() {
            return;
        }
    }
}
