//! A client of one terminal, in both forms.

use crate::world::{PATIENCE, Person};
use domain::wire::{self, Frame, FromClient, FromTerminal};
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::Response, protocol::CloseFrame},
};

/// A WebSocket to a terminal, and what came through it.
pub(crate) struct Socket {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
    /// Bytes of output, in order; what a snapshot showed is not among them.
    pub(crate) output: Vec<u8>,
    /// Everything that was shown, snapshots too.
    pub(crate) shown: String,
    /// The position after the last byte of output.
    pub(crate) seq: u64,
    pub(crate) epoch: u64,
    typed: u64,
    pub(crate) said: Vec<FromTerminal>,
}

/// Why an upgrade was refused.
pub(crate) type Refused = Response<Option<Vec<u8>>>;

impl Socket {
    /// Attaches in the framed form.
    pub(crate) async fn framed(person: &Person, session: &str, query: &str) -> Result<Self, Box<Refused>> {
        Self::open(person, session, query, &[wire::SUBPROTOCOL], &[]).await
    }

    /// Attaches in the plain form.
    pub(crate) async fn plain(person: &Person, session: &str) -> Result<Self, Box<Refused>> {
        Self::open(person, session, "", &[], &[]).await
    }

    pub(crate) async fn open(
        person: &Person,
        session: &str,
        query: &str,
        protocols: &[&str],
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<Refused>> {
        let origin = person.origin.replacen("http", "ws", 1);
        let address = format!("{origin}/api/v1/sandbox/sessions/{session}/attach{query}");
        let mut request = address.into_client_request().expect("an address");
        let mut put = |name: &'static str, value: &str| {
            request.headers_mut().insert(name, value.parse().expect("a header"));
        };
        if let Some((name, value)) = person.header() {
            put(name, &value);
        }
        if !protocols.is_empty() {
            put("sec-websocket-protocol", &protocols.join(", "));
        }
        for (name, value) in headers {
            put(name, value);
        }
        match tokio::time::timeout(PATIENCE, connect_async(request))
            .await
            .expect("an answer")
        {
            Ok((ws, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|protocol| protocol.to_str().expect("text").to_owned());
                let (output, shown, said) = Default::default();
                Ok(Self {
                    ws,
                    protocol,
                    output,
                    shown,
                    seq: 0,
                    epoch: 0,
                    typed: 0,
                    said,
                })
            }
            Err(Error::Http(response)) => Err(response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Types, in the framed form.
    pub(crate) async fn type_in(&mut self, text: &str) {
        let frame = Frame::Input {
            at: self.typed,
            bytes: text.as_bytes(),
        }
        .encode();
        self.typed += text.len() as u64;
        self.send(Message::Binary(frame.into())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.ws.send(message).await.expect("it is sent");
    }

    /// Sends what may be refused halfway.
    pub(crate) async fn try_send(&mut self, message: Message) {
        let _ = self.ws.send(message).await;
    }

    /// Takes the next message; `None` when the socket is closed.
    async fn next(&mut self, plain: bool) -> Result<(), Option<CloseFrame>> {
        let message = tokio::time::timeout(PATIENCE, self.ws.next()).await.expect("a message");
        match message {
            Some(Ok(Message::Binary(bytes))) if plain => {
                self.shown.push_str(&String::from_utf8_lossy(&bytes));
                self.output.extend_from_slice(&bytes);
            }
            Some(Ok(Message::Binary(bytes))) => match Frame::decode(&bytes).expect("a frame") {
                Frame::Output { seq, bytes } => {
                    assert_eq!(seq, self.seq, "no gap, no overlap");
                    self.seq += bytes.len() as u64;
                    self.shown.push_str(&String::from_utf8_lossy(bytes));
                    self.output.extend_from_slice(bytes);
                    let ack = serde_json::to_string(&FromClient::Ack { seq: self.seq }).expect("JSON");
                    // The server may be on its way out; what it sent was taken all the same.
                    let _ = self.ws.send(Message::Text(ack.into())).await;
                }
                Frame::Snapshot { seq, ansi, .. } => {
                    self.seq = seq;
                    self.shown = String::from_utf8_lossy(ansi).into_owned();
                }
                Frame::Input { .. } => panic!("a terminal types nothing"),
            },
            Some(Ok(Message::Text(text))) => {
                let said: FromTerminal = serde_json::from_str(&text).expect("a message");
                if let FromTerminal::Attached { epoch, seq, .. } = &said {
                    (self.epoch, self.seq) = (*epoch, *seq);
                }
                self.said.push(said);
            }
            Some(Ok(Message::Close(frame))) => return Err(frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(None),
        }
        Ok(())
    }

    /// Reads until this is shown.
    pub(crate) async fn until_shown(&mut self, text: &str) {
        let plain = self.protocol.as_deref() != Some(wire::SUBPROTOCOL);
        while !self.shown.contains(text) {
            if let Err(frame) = self.next(plain).await {
                panic!("closed ({frame:?}) before {text:?} was shown: {:?}", self.shown);
            }
        }
    }

    /// Reads until something like this is said.
    pub(crate) async fn until_said(&mut self, like: impl Fn(&FromTerminal) -> bool) {
        while !self.said.iter().any(&like) {
            self.next(false).await.expect("still open");
        }
    }

    /// Reads until the end, and how it ended: `None` without a goodbye.
    pub(crate) async fn until_closed(&mut self) -> Option<u16> {
        let plain = self.protocol.as_deref() != Some(wire::SUBPROTOCOL);
        loop {
            if let Err(frame) = self.next(plain).await {
                return frame.map(|frame| frame.code.into());
            }
        }
    }
}
