//! Moves messages between a socket and a conversation, in both directions at once. Nothing is buffered here beyond one
//! message each way: a reader that does not read is not written to, and a terminal that does not take is not read for.

use axum::{
    Error,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
};
use bytes::Bytes;
use domain::wire::{Frame, FromClient, FromTerminal, MAX_CLIENT_MESSAGE};
use engine::{Attachment, Drive, ports};
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use metrics::{Counter, Histogram, counter, histogram};
use std::sync::{Mutex, PoisonError};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the other side is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A socket from which nothing came for this long is half open; with the ping's period it is found within 30 s.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// How long a last message may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// Messages that are written before they are flushed together, where that many wait anyway.
const BATCH: usize = 32;
/// `Service Restart` (RFC 6455 registry): the client comes back at once.
const RESTART: u16 = 1012;

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum End {
    /// The client closed, or is gone.
    Client,
    /// Nothing came from it for too long.
    Silent,
    /// It sent what no client sends.
    Broken { code: u16, reason: &'static str },
    /// The terminal ended the conversation: its host is gone, or starts anew.
    Terminal,
    /// What the caller may do has changed.
    Revoked,
    /// The server stops.
    Stopping,
}

/// What both directions know of each other, and what they count; looked up once, not for each keystroke.
struct Shared {
    /// When the client was last heard.
    heard: Mutex<Instant>,
    /// When a keystroke went in whose echo has not come out.
    typed: Mutex<Option<Instant>>,
    bytes_in: Counter,
    bytes_out: Counter,
    echo: Histogram,
    sending: Histogram,
}

impl Shared {
    fn new() -> Self {
        Self {
            heard: Mutex::new(Instant::now()),
            typed: Mutex::default(),
            bytes_in: counter!("sandbox_terminal_bytes_total", "direction" => "in"),
            bytes_out: counter!("sandbox_terminal_bytes_total", "direction" => "out"),
            echo: histogram!("sandbox_echo_seconds"),
            sending: histogram!("sandbox_send_seconds"),
        }
    }

    /// Something came from the client.
    fn hear(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The client typed something.
    fn take_in(&self, bytes: Bytes) -> ports::Message {
        self.bytes_in.increment(bytes.len() as u64);
        self.typed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(Instant::now);
        ports::Message::Binary(bytes)
    }

    /// Something is shown to the client: the echo of what was typed last, as far as anybody can tell here.
    fn let_out(&self, bytes: &Bytes) {
        self.bytes_out.increment(bytes.len() as u64);
        if let Some(at) = self.typed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.echo.record(at.elapsed().as_secs_f64());
        }
    }
}

/// Runs a conversation to its end, and says goodbye.
pub(super) async fn run(socket: WebSocket, attachment: Attachment, plain: bool, stop: CancellationToken) -> End {
    let (mut sink, mut stream) = socket.split();
    let shared = Shared::new();
    // Held to the end: dropping it detaches, and takes it off the list of what can be revoked.
    let mut attachment = attachment;
    let revoked = attachment.revoked.clone();
    let end = tokio::select! {
        end = inward(&mut stream, &mut attachment.to_terminal, plain, &shared) => end,
        end = outward(&mut sink, &mut attachment.from_terminal, &mut attachment.drive, plain, &shared) => end,
        () = silence(&shared) => End::Silent,
        () = revoked.cancelled() => End::Revoked,
        () = stop.cancelled() => End::Stopping,
    };
    drop(attachment);
    // The other side may be gone, or not read: a goodbye is worth little time.
    let _ = tokio::time::timeout(GOODBYE, goodbye(&mut sink, &mut stream, &end, plain)).await;
    end
}

/// From the client to the terminal.
async fn inward(stream: &mut SplitStream<WebSocket>, to: &mut ports::ToTerminal, plain: bool, shared: &Shared) -> End {
    while let Some(message) = stream.next().await {
        let message = match message {
            Ok(message) => message,
            Err(error) => return broken(&error),
        };
        shared.hear();
        let message = match message {
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return End::Client,
            Message::Text(text) if plain => shared.take_in(Bytes::from(text)),
            Message::Binary(bytes) if plain => shared.take_in(bytes),
            Message::Text(text) => match serde_json::from_str::<FromClient>(&text) {
                Ok(_) => ports::Message::Text(text.as_str().to_owned()),
                Err(_) => {
                    return End::Broken {
                        code: close_code::INVALID,
                        reason: "no message is like this",
                    };
                }
            },
            Message::Binary(bytes) => match Frame::decode(&bytes) {
                Ok(Frame::Input { .. }) => shared.take_in(bytes),
                Ok(_) => {
                    return End::Broken {
                        code: close_code::PROTOCOL,
                        reason: "only the terminal sends such a frame",
                    };
                }
                Err(_) => {
                    return End::Broken {
                        code: close_code::INVALID,
                        reason: "no frame is like this",
                    };
                }
            },
        };
        if to.send(message).await.is_err() {
            return End::Terminal;
        }
    }
    End::Client
}

/// From the terminal to the client. What waits is written together and flushed once; nothing ever waits for more.
async fn outward(
    sink: &mut SplitSink<WebSocket, Message>,
    from: &mut ports::FromTerminal,
    drive: &mut Drive,
    plain: bool,
    shared: &Shared,
) -> End {
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let mut next = tokio::select! {
            message = from.next() => message,
            _ = ping.tick() => {
                if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                    return End::Client;
                }
                continue;
            }
        };
        let started = Instant::now();
        let mut written = 0;
        loop {
            let Some(message) = next else { return End::Terminal };
            drive.hear(&message);
            let message = match message {
                ports::Message::Binary(bytes) => {
                    shared.let_out(&bytes);
                    Some(Message::Binary(bytes))
                }
                // The plain form has no text of its own.
                ports::Message::Text(_) if plain => None,
                ports::Message::Text(text) => Some(Message::Text(text.into())),
            };
            if let Some(message) = message
                && sink.feed(message).await.is_err()
            {
                return End::Client;
            }
            written += 1;
            if written == BATCH {
                break;
            }
            match from.next().now_or_never() {
                Some(more) => next = more,
                None => break,
            }
        }
        if sink.flush().await.is_err() {
            return End::Client;
        }
        shared.sending.record(started.elapsed().as_secs_f64());
    }
}

/// Returns when nothing was heard for too long, even while a write hangs.
async fn silence(shared: &Shared) {
    loop {
        let heard = *shared.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = SILENCE_MAX.checked_sub(heard.elapsed()).filter(|left| !left.is_zero()) else {
            return;
        };
        tokio::time::sleep(left).await;
    }
}

/// What a failed read means: a message beyond the bound, a broken one, or a connection that is gone.
fn broken(error: &Error) -> End {
    use tokio_tungstenite::tungstenite::Error as Ws;
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Ws>());
    match cause {
        Some(Ws::Capacity(_)) => End::Broken {
            code: close_code::SIZE,
            reason: "a message has at most 64 KiB",
        },
        Some(Ws::Utf8(_)) => End::Broken {
            code: close_code::INVALID,
            reason: "a text message is UTF-8",
        },
        Some(Ws::Protocol(tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            End::Client
        }
        Some(Ws::Protocol(_)) => End::Broken {
            code: close_code::PROTOCOL,
            reason: "this is not the WebSocket protocol",
        },
        _ => End::Client,
    }
}

async fn goodbye(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    end: &End,
    plain: bool,
) {
    let (code, reason, again) = match end {
        End::Client => (close_code::NORMAL, "", None),
        End::Silent => (close_code::AWAY, "nothing was heard", None),
        End::Broken { code, reason } => (*code, *reason, None),
        End::Terminal if plain => (close_code::NORMAL, "the terminal ended the conversation", None),
        End::Terminal => (
            RESTART,
            "the terminal ended the conversation",
            Some("The terminal starts anew."),
        ),
        End::Revoked => (
            RESTART,
            "what you may do has changed",
            Some("What you may do here has changed."),
        ),
        End::Stopping => (RESTART, "the server restarts", Some("The server restarts.")),
    };
    if let (Some(reason), false) = (again, plain) {
        let message = FromTerminal::Reconnect {
            reason: reason.to_owned(),
        };
        if let Ok(text) = serde_json::to_string(&message) {
            let _ = sink.feed(Message::Text(text.into())).await;
        }
    }
    let close = CloseFrame {
        code,
        reason: Utf8Bytes::from_static(reason),
    };
    if sink.send(Message::Close(Some(close))).await.is_err() {
        return;
    }
    // What is still on its way is read and dropped: a socket that is closed over unread bytes is reset, and the client
    // would not learn why.
    let mut left = 16 * MAX_CLIENT_MESSAGE;
    while let Some(Ok(message)) = stream.next().await {
        left = left.saturating_sub(message.into_data().len().max(64));
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_socket_from_which_nothing_comes_is_found_within_thirty_seconds() {
        let (shared, start) = (Shared::new(), Instant::now());
        silence(&shared).await;
        assert!(start.elapsed() >= SILENCE_MAX && start.elapsed() + PING_EVERY <= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_answers_its_pings_is_kept() {
        let (shared, start) = (Shared::new(), Instant::now());
        let answers = async {
            for _ in 0..20 {
                tokio::time::sleep(PING_EVERY).await;
                shared.hear();
            }
        };
        tokio::select! {
            () = silence(&shared) => panic!("given up after {:?}", start.elapsed()),
            () = answers => {}
        }
    }
}
