//! The conversation of an attached viewer: messages go between its connection and its terminal, and whichever side
//! waits makes the other wait.

use crate::client::Connection;
use crate::message::{Codec, Message, Rest, read_on};
use crate::terminals::Terminals;
use bytes::BytesMut;
use domain::host::{Answer, Attach};
use domain::wire::{FromClient, FromTerminal, MAX_CLIENT_MESSAGE};
use futures::StreamExt;
use terminal::{ClientMessage, Handle, Messages, Outbox};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio_util::codec::{Encoder, FramedParts};

/// What is written at once, at most: few calls in a flood, and little that counts as sent and is not.
const BATCH: usize = 64 * 1024;
/// Messages that make no sense, until the conversation ends.
const PATIENCE: u32 = 100;

/// Carries the conversation to its end.
pub(crate) async fn pump(terminals: &Terminals, handle: Handle, attach: Attach, connection: Connection) {
    let (terminal, plain) = (attach.terminal.clone(), attach.plain);
    let epoch = handle.status().epoch;
    let (reader, mut writer) = halves(connection);
    let Ok(attachment) = handle.attach(attach).await else {
        return;
    };
    let mut wire = BytesMut::new();
    if encode(Message::json(&Answer::Done), &mut wire).is_none() || writer.write_all_buf(&mut wire).await.is_err() {
        return;
    }
    let (refusals, refused) = mpsc::channel(4);
    let replaced = || {
        let now = terminals.find(&terminal).ok()?;
        (!plain && now.status().epoch != epoch).then(|| FromTerminal::Reconnect {
            reason: "The program was started anew.".to_owned(),
        })
    };
    tokio::select! {
        () = read(reader, attachment.outbox, plain, refusals) => {}
        () = write(&mut writer, attachment.messages, refused, replaced) => {}
    }
}

fn halves(connection: Connection) -> (Rest<OwnedReadHalf>, OwnedWriteHalf) {
    let FramedParts { io, read_buf, .. } = connection.into_parts();
    let (read, write) = UnixStream::into_split(io);
    // The client may have said something right behind its ask.
    (read_on(read, read_buf), write)
}

async fn read(mut reader: Rest<OwnedReadHalf>, outbox: Outbox, plain: bool, refusals: mpsc::Sender<FromTerminal>) {
    let mut nonsense = 0;
    while let Some(Ok(message)) = reader.next().await {
        let understood = match message {
            Message::Binary(bytes) if bytes.len() <= MAX_CLIENT_MESSAGE => Ok(ClientMessage::Binary(bytes)),
            Message::Binary(_) => Err("The message is too long.".to_owned()),
            Message::Text(_) if plain => Err("The plain form has no messages.".to_owned()),
            Message::Text(json) => serde_json::from_slice::<FromClient>(&json)
                .map(ClientMessage::Text)
                .map_err(|error| format!("This is no message: {error}.")),
        };
        match understood {
            Ok(message) => {
                if outbox.send(message).await.is_err() {
                    // The terminal was closed: what there is to say about that, the other half says.
                    std::future::pending::<()>().await;
                }
            }
            Err(detail) => {
                nonsense += 1;
                if nonsense > PATIENCE {
                    return;
                }
                let code = "invalid".to_owned();
                if !plain && refusals.send(FromTerminal::Refused { code, detail }).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn write(
    writer: &mut OwnedWriteHalf,
    mut messages: Messages,
    mut refused: mpsc::Receiver<FromTerminal>,
    last_words: impl Fn() -> Option<FromTerminal>,
) {
    let mut wire = BytesMut::with_capacity(8 * 1024);
    loop {
        tokio::select! {
            message = messages.recv() => {
                let Some(message) = message else { break };
                if put(message, &mut wire).is_none() {
                    return;
                }
                while wire.len() < BATCH && let Some(message) = messages.try_recv() {
                    if put(message, &mut wire).is_none() {
                        return;
                    }
                }
            }
            Some(refusal) = refused.recv() => {
                if encode(Message::json(&refusal), &mut wire).is_none() {
                    return;
                }
            }
        }
        if writer.write_all_buf(&mut wire).await.is_err() {
            return;
        }
        // A snapshot needs much room once; an idle viewer needs none.
        if wire.capacity() > 2 * BATCH {
            wire = BytesMut::with_capacity(8 * 1024);
        }
    }
    if let Some(words) = last_words()
        && encode(Message::json(&words), &mut wire).is_some()
    {
        let _ = writer.write_all_buf(&mut wire).await;
    }
}

fn put(message: terminal::Message, wire: &mut BytesMut) -> Option<()> {
    encode(
        match message {
            terminal::Message::Text(text) => Message::json(&text),
            terminal::Message::Binary(bytes) => Message::Binary(bytes),
        },
        wire,
    )
}

fn encode(message: Message, wire: &mut BytesMut) -> Option<()> {
    Codec.encode(message, wire).ok()
}
