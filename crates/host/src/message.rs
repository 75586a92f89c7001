//! The messages of a host's socket, as bytes: `[u32 length][u8 kind][payload]`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use domain::host::{BINARY, MAX_MESSAGE, TEXT};
use futures::StreamExt;
use futures::stream::{self, Chain, Iter};
use std::io;
use std::vec::IntoIter;
use tokio::io::AsyncRead;
use tokio_util::codec::{Decoder, Encoder, FramedRead};

/// One message; text is JSON that nobody has read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(Bytes),
    Binary(Bytes),
}

/// Cuts a stream into [`Message`]s and refuses what is longer than [`MAX_MESSAGE`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Codec;

const HEADER: usize = 5;

/// What an idle connection keeps for what comes next.
pub const ROOM: usize = 4 * 1024;

impl Message {
    /// A text message that says `value`.
    pub fn json(value: &impl serde::Serialize) -> Self {
        // Our messages have string keys and no fallible fields, so there is always something to say.
        Self::Text(serde_json::to_vec(value).unwrap_or_default().into())
    }

    fn payload(&self) -> (u8, &Bytes) {
        match self {
            Self::Text(payload) => (TEXT, payload),
            Self::Binary(payload) => (BINARY, payload),
        }
    }
}

/// What is left of a connection to be read, see [`read_on`].
pub type Rest<R> = Chain<Iter<IntoIter<io::Result<Message>>>, FramedRead<R, Codec>>;

/// Reads on from `io` where somebody has stopped with `read` in hand. Whole messages in it come at once: a reader that is
/// given a buffer would look at it only when more has come.
pub fn read_on<R: AsyncRead>(io: R, mut read: BytesMut) -> Rest<R> {
    let mut known = Vec::new();
    while let Some(message) = Codec.decode(&mut read).transpose() {
        let is_last = message.is_err();
        known.push(message);
        if is_last {
            break;
        }
    }
    let mut rest = FramedRead::with_capacity(io, Codec, ROOM);
    rest.read_buffer_mut().extend_from_slice(&read);
    stream::iter(known).chain(rest)
}

impl Decoder for Codec {
    type Item = Message;
    type Error = io::Error;

    fn decode(&mut self, wire: &mut BytesMut) -> io::Result<Option<Message>> {
        let Some(&[a, b, c, d, kind]) = wire.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > MAX_MESSAGE || kind > BINARY {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a message of kind {kind} with {length} bytes is none of ours"),
            ));
        }
        if wire.len() < HEADER + length {
            // Room for what is announced, but never more than a step ahead of what has come.
            wire.reserve((HEADER + length - wire.len()).min(64 * 1024));
            return Ok(None);
        }
        wire.advance(HEADER);
        let payload = wire.split_to(length).freeze();
        if length > ROOM && wire.is_empty() {
            // What is left of a large buffer would hold all of it for as long as nothing more comes.
            *wire = BytesMut::with_capacity(ROOM);
        }
        Ok(Some(match kind {
            TEXT => Message::Text(payload),
            _ => Message::Binary(payload),
        }))
    }
}

impl Encoder<Message> for Codec {
    type Error = io::Error;

    fn encode(&mut self, message: Message, wire: &mut BytesMut) -> io::Result<()> {
        let (kind, payload) = message.payload();
        if payload.len() > MAX_MESSAGE {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is too long"));
        }
        wire.reserve(HEADER + payload.len());
        wire.put_u32(payload.len() as u32);
        wire.put_u8(kind);
        wire.extend_from_slice(payload);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::host::Ask;
    use tokio::io::AsyncWriteExt;

    fn wire(messages: &[Message]) -> BytesMut {
        let mut wire = BytesMut::new();
        for message in messages {
            Codec.encode(message.clone(), &mut wire).expect("short enough");
        }
        wire
    }

    #[test]
    fn messages_come_out_as_they_went_in_however_the_stream_is_cut() {
        let messages = [
            Message::json(&Ask::Status),
            Message::Binary(Bytes::new()),
            Message::Binary(Bytes::from(vec![7; 100_000])),
            Message::Text(Bytes::from_static(b"{}")),
        ];
        let whole = wire(&messages);
        for step in [1, 3, 4097, whole.len()] {
            let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
            for piece in whole.chunks(step) {
                buffer.extend_from_slice(piece);
                while let Some(message) = Codec.decode(&mut buffer).expect("ours") {
                    seen.push(message);
                }
            }
            assert_eq!(seen, messages, "in steps of {step}");
            assert!(buffer.is_empty());
        }
    }

    #[tokio::test]
    async fn what_was_read_already_comes_without_waiting_for_more() {
        let messages = [
            Message::json(&Ask::Status),
            Message::Binary(Bytes::from(vec![7; 10_000])),
        ];
        let whole = wire(&messages);
        for cut in [0, 3, whole.len() - 1, whole.len()] {
            let (mut ours, theirs) = tokio::io::duplex(whole.len());
            let mut rest = read_on(theirs, BytesMut::from(&whole[..cut]));
            ours.write_all(&whole[cut..]).await.expect("there is room");
            // The other side stays open: nothing says that this is all.
            for message in &messages {
                assert_eq!(rest.next().await.expect("one").expect("ours"), *message, "cut at {cut}");
            }
            drop(ours);
            assert!(rest.next().await.is_none());
        }
    }

    #[test]
    fn a_message_that_is_too_long_or_of_no_kind_is_refused_before_it_is_read() {
        let mut long = BytesMut::from(&[0xff, 0xff, 0xff, 0xff, TEXT][..]);
        assert!(Codec.decode(&mut long).is_err());
        let mut strange = BytesMut::from(&[0, 0, 0, 1, 9][..]);
        assert!(Codec.decode(&mut strange).is_err());
        let too_long = Message::Binary(vec![0; MAX_MESSAGE + 1].into());
        assert!(Codec.encode(too_long, &mut BytesMut::new()).is_err());
    }
}
