//! The messages of a host's socket, as bytes: `[u32 length][u8 kind][payload]`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use domain::host::{BINARY, MAX_MESSAGE, TEXT};
use std::io;
use tokio_util::codec::{Decoder, Encoder};

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
