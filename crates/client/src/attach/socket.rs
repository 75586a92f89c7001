//! The WebSocket under a link: events in, messages out, nothing decided.

use crate::{
    api::Api,
    line::{Line, Missed, NoLine},
};
use domain::wire::SUBPROTOCOL;
use futures::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_tungstenite::tungstenite::{
    Message,
    client::IntoClientRequest as _,
    http::{HeaderValue, header},
};

/// What a socket tells.
pub(super) enum Told {
    Opened,
    Text(String),
    Binary(Vec<u8>),
    /// It has closed, with the WebSocket's code.
    Closed(u16),
    /// The server answered, and refused it with this status of HTTP.
    Refused(u16),
    /// The server was not reached.
    Missed(NoLine),
}

/// An open (or opening) socket; dropping it ends and silences it.
pub(super) struct Socket {
    out: mpsc::UnboundedSender<Message>,
    told: mpsc::Receiver<Told>,
    task: JoinHandle<()>,
}

/// No close frame came.
pub(super) const ABNORMAL: u16 = 1006;

impl Socket {
    /// Begins to connect to `path` of the server.
    pub(super) fn open(api: &Api, path: &str) -> Self {
        let url = format!("ws{}{path}", api.server.strip_prefix("http").unwrap_or_default());
        let (line, token) = (Arc::clone(&api.line), api.token.clone());
        // What goes out is bounded by the link: so much typed, and an acknowledgement now and then.
        let (out, messages) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::channel(64);
        let task = tokio::spawn(async move {
            let end = converse(&line, &url, token, messages, &tell).await;
            let _ = tell.send(end).await;
        });
        Self { out, told, task }
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            None => core::future::pending().await,
        }
    }

    pub(super) fn text(&self, text: String) {
        let _ = self.out.send(Message::text(text));
    }

    pub(super) fn binary(&self, bytes: Vec<u8>) {
        let _ = self.out.send(Message::binary(bytes));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lives as long as the socket does; how it ended.
async fn converse(
    line: &Line,
    url: &str,
    token: Option<String>,
    mut messages: mpsc::UnboundedReceiver<Message>,
    tell: &mpsc::Sender<Told>,
) -> Told {
    let Ok(mut request) = url.into_client_request() else {
        return Told::Closed(ABNORMAL);
    };
    let headers = request.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Some(bearer) = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok()) {
        headers.insert(header::AUTHORIZATION, bearer);
    }
    let socket = match line.open(request).await {
        Ok(socket) => socket,
        Err(Missed::Answered(status)) => return Told::Refused(status),
        Err(Missed::Line(no)) => return Told::Missed(no),
    };
    if tell.send(Told::Opened).await.is_err() {
        return Told::Closed(ABNORMAL);
    }
    let (mut sink, mut stream) = socket.split();
    let outward = async {
        while let Some(message) = messages.recv().await {
            if sink.send(message).await.is_err() {
                break;
            }
        }
        // Whatever is wrong, reading says so.
        core::future::pending::<()>().await;
    };
    let inward = async {
        while let Some(Ok(message)) = stream.next().await {
            let told = match message {
                Message::Text(text) => Told::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Told::Binary(bytes.to_vec()),
                Message::Close(Some(close)) => return u16::from(close.code),
                _ => continue,
            };
            if tell.send(told).await.is_err() {
                break;
            }
        }
        ABNORMAL
    };
    tokio::select! {
        code = inward => Told::Closed(code),
        () = outward => Told::Closed(ABNORMAL),
    }
}
