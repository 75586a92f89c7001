//! Syslog (RFC 5424), over UDP (RFC 5426) or TCP (RFC 6587, octet counting).
//!
//! Over TCP each batch is a connection of its own: the receiver has read all of it when it closes its side too, after
//! ours, and only then is the batch taken for received. That is as much as TCP can tell: what a receiver loses after it
//! was read is lost, and over UDP, which has no answers, what the network loses too. A webhook answers for what it has.

use super::json;
use anyhow::{Context as _, ensure};
use domain::audit::Line;
use http::uri::Authority;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
};

/// Facility 13 (log audit), severity 6 (informational) and 4 (warning).
const INFORMATIONAL: u8 = 13 * 8 + 6;
const WARNING: u8 = 13 * 8 + 4;
/// The largest message over UDP that is sure to fit into a datagram.
const DATAGRAM: usize = 60_000;

pub(super) struct Syslog {
    over: Over,
    host: String,
    port: u16,
    /// This machine, as it calls itself.
    here: String,
}

enum Over {
    Udp,
    Tcp,
}

impl Syslog {
    pub(super) fn udp(authority: &Authority) -> Self {
        Self::new(Over::Udp, authority, 514)
    }

    pub(super) fn tcp(authority: &Authority) -> Self {
        Self::new(Over::Tcp, authority, 601)
    }

    fn new(over: Over, authority: &Authority, port: u16) -> Self {
        let named = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            over,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(port),
            here: word(named.trim(), 255),
        }
    }

    pub(super) async fn send(&self, lines: &[Line]) -> anyhow::Result<()> {
        let to = (self.host.as_str(), self.port);
        match self.over {
            Over::Udp => {
                let address = tokio::net::lookup_host(to)
                    .await?
                    .next()
                    .context("the receiver has no address")?;
                let from = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(from).await?;
                socket.connect(address).await?;
                for line in lines {
                    let mut message = self.message(line)?;
                    message.truncate(message.floor_char_boundary(DATAGRAM));
                    socket.send(message.as_bytes()).await?;
                }
                Ok(())
            }
            Over::Tcp => {
                let mut stream = TcpStream::connect(to).await.context("the receiver cannot be reached")?;
                let mut batch = String::new();
                for line in lines {
                    let message = self.message(line)?;
                    batch.push_str(&format!("{} {message}", message.len()));
                }
                stream.write_all(batch.as_bytes()).await?;
                let mut rest = [0; 64];
                // Who closes before we do has not read to the end.
                let early = stream.try_read(&mut rest);
                ensure!(!matches!(early, Ok(0)), "the receiver broke off");
                stream.shutdown().await?;
                let read = stream.read(&mut rest).await.context("the receiver broke off")?;
                ensure!(read == 0, "the receiver answers, which syslog does not");
                // A close that came before what was sent reads like one that came after it; that it was refused is kept
                // in the socket.
                match stream.take_error()? {
                    Some(error) => Err(error).context("the receiver broke off"),
                    None => Ok(()),
                }
            }
        }
    }

    fn message(&self, line: &Line) -> anyhow::Result<String> {
        let entry = &line.entry;
        let refused = entry.action.ends_with("refused");
        let priority = if refused { WARNING } else { INFORMATIONAL };
        Ok(format!(
            "<{priority}>1 {} {} sandbox - {} - \u{feff}{}",
            entry.at.rfc3339(),
            self.here,
            word(&entry.action, 32),
            json(line)?,
        ))
    }
}

/// Text as a field of the header: visible ASCII, and a minus sign where there is none.
fn word(text: &str, most: usize) -> String {
    let word: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}
