//! The other side of a host's socket: asks, conversations and watches.

use crate::files::Files;
use crate::message::{Codec, Message, Rest, read_on};
use anyhow::{Context, Result, bail};
use domain::host::{Answer, Ask, Attach, HostEvent};
use futures::{SinkExt, StreamExt};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, FramedParts};

/// How long a host may take to answer; [`Ask::Stop`] gets its grace on top.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection after its ask: an attached viewer's conversation.
pub type Connection = Framed<UnixStream, Codec>;

/// Where a host is found.
#[derive(Clone, Debug)]
pub struct Client {
    files: Files,
    socket: PathBuf,
}

/// What happens on a host.
pub struct Watch(Rest<UnixStream>);

impl Client {
    /// The host that listens at `socket` and keeps its things in `folder`.
    pub fn new(folder: impl Into<PathBuf>, socket: impl Into<PathBuf>) -> Self {
        Self {
            files: Files::in_folder(folder),
            socket: socket.into(),
        }
    }

    /// Asks for one thing; `None` when there is no host.
    pub async fn ask(&self, ask: Ask) -> Result<Option<Answer>> {
        let grace = match &ask {
            Ask::Stop { grace_ms } => Duration::from_millis(*grace_ms),
            _ => Duration::ZERO,
        };
        let exchange = async {
            let Some(mut connection) = self.say(&ask).await? else {
                return Ok(None);
            };
            answer(&mut connection).await.map(Some)
        };
        tokio::time::timeout(PATIENCE + grace, exchange)
            .await
            .context("the session's host does not answer")?
    }

    /// Attaches to a terminal; the error or answer says why not, `None` that there is no host.
    pub async fn attach(&self, attach: Attach) -> Result<Option<Result<Connection, Answer>>> {
        let exchange = async {
            let Some(mut connection) = self.say(&Ask::Attach(attach)).await? else {
                return Ok(None);
            };
            Ok(Some(match answer(&mut connection).await? {
                Answer::Done => Ok(connection),
                refused => Err(refused),
            }))
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .context("the session's host does not answer")?
    }

    /// Watches; `None` when there is no host.
    pub async fn watch(&self) -> Result<Option<Watch>> {
        let Some(connection) = self.say(&Ask::Watch).await? else {
            return Ok(None);
        };
        // There is one for each session that runs, and it has said all that it ever says.
        let FramedParts { io, read_buf, .. } = connection.into_parts();
        Ok(Some(Watch(read_on(io, read_buf))))
    }

    /// Connects, shows the key, and asks; `None` when nobody listens.
    async fn say(&self, ask: &Ask) -> Result<Option<Connection>> {
        let Ok(stream) = crate::socket::connect(&self.socket).await else {
            return Ok(None);
        };
        let Ok(key) = tokio::fs::read(self.files.key()).await else {
            return Ok(None);
        };
        let mut connection = Framed::new(stream, Codec);
        connection.feed(Message::Binary(key.into())).await?;
        connection.send(Message::json(ask)).await?;
        Ok(Some(connection))
    }
}

impl Watch {
    /// The next thing that happens; an error when the host is gone.
    pub async fn next(&mut self) -> Result<HostEvent> {
        match self.0.next().await {
            Some(Ok(Message::Text(json))) => serde_json::from_slice(&json).context("an event"),
            Some(Ok(Message::Binary(_))) => bail!("the host sent bytes in place of an event"),
            Some(Err(error)) => Err(error.into()),
            None => bail!("the host is gone"),
        }
    }
}

async fn answer(connection: &mut Connection) -> Result<Answer> {
    match connection.next().await {
        Some(Ok(Message::Text(json))) => serde_json::from_slice(&json).context("an answer"),
        Some(Ok(Message::Binary(_))) => bail!("the host sent bytes in place of an answer"),
        Some(Err(error)) => Err(error.into()),
        None => bail!("the host closed the connection without an answer"),
    }
}
