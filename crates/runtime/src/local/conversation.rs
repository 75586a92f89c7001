//! A host's socket as a conversation of the engine's: no task and no queue in between, so that a key on its way wakes nobody
//! but who writes it. Whoever does not read stops the other side through the socket itself.

use engine::ports::{Conversation, Message};
use futures::{SinkExt, StreamExt, future};
use host::client::Connection;
use host::message::{Codec, Message as HostMessage, read_on};
use tokio_util::codec::{FramedParts, FramedWrite};

/// A conversation that lasts until either side closes the socket, or it is dropped.
pub(crate) fn carry(connection: Connection) -> Conversation {
    let FramedParts { io, read_buf, .. } = connection.into_parts();
    let (read, write) = io.into_split();
    let from_terminal = read_on(read, read_buf)
        .map(|message| match message {
            Ok(HostMessage::Binary(bytes)) => Some(Message::Binary(bytes)),
            Ok(HostMessage::Text(text)) => String::from_utf8(text.into()).ok().map(Message::Text),
            Err(_) => None,
        })
        .take_while(|message| future::ready(message.is_some()))
        .filter_map(future::ready);
    let to_terminal = FramedWrite::new(write, Codec).with(|message| {
        future::ok::<_, std::io::Error>(match message {
            Message::Text(text) => HostMessage::Text(text.into()),
            Message::Binary(bytes) => HostMessage::Binary(bytes),
        })
    });
    Conversation {
        to_terminal: Box::pin(to_terminal.sink_err_into()),
        from_terminal: Box::pin(from_terminal),
    }
}
