//! Handing the audit on to a receiver outside, at least once and in order: a batch is sent, and only when the receiver
//! has it is the position remembered. Whatever dies in between, the batch is sent again.

mod syslog;
mod webhook;

use crate::config;
use anyhow::{Context as _, bail};
use domain::audit::Line;
use engine::Engine;
use std::time::Duration;
use syslog::Syslog;
use tokio_util::sync::CancellationToken;
use webhook::Webhook;

/// Entries that are sent together.
const BATCH: u32 = 200;
/// How often it is looked for new entries.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after a failure: doubled after each, up to the last.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_LAST: Duration = Duration::from_secs(300);
/// How long a receiver may take for one batch.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands on what is written, and what was written before, until it is told to stop.
pub(crate) struct Forward {
    /// Under which the position is remembered.
    name: String,
    receiver: Receiver,
}

enum Receiver {
    Webhook(Webhook),
    Syslog(Syslog),
}

impl Forward {
    /// The receiver that is configured, if there is one; what is wrong with it is told before anything starts.
    pub(crate) fn new(options: &config::Forward) -> anyhow::Result<Option<Self>> {
        let Some(url) = &options.audit_forward else {
            return Ok(None);
        };
        let uri: http::Uri = url.parse().context("The address of --audit-forward cannot be read.")?;
        let authority = uri
            .authority()
            .with_context(|| "The address of --audit-forward has no host.".to_owned())?;
        if authority.as_str().contains('@') {
            bail!("The address of --audit-forward has no place for a password: it would be in the list of processes.");
        }
        let key = options.key()?;
        let receiver = match (uri.scheme_str(), key) {
            (Some("http" | "https"), Some(key)) => Receiver::Webhook(Webhook::new(url, key)?),
            (Some("http" | "https"), None) => bail!(
                "A webhook is sent with a signature. Put a key of at least 16 bytes into a file, and say where with \
                 --audit-forward-key."
            ),
            (Some("syslog+udp"), None) => Receiver::Syslog(Syslog::udp(authority)),
            (Some("syslog+tcp"), None) => Receiver::Syslog(Syslog::tcp(authority)),
            (Some("syslog+udp" | "syslog+tcp"), Some(_)) => {
                bail!("Syslog has no signatures: leave --audit-forward-key out.")
            }
            _ => bail!(
                "--audit-forward is an address such as https://siem.example.org/audit, syslog+tcp://logs:601 or \
                 syslog+udp://logs:514."
            ),
        };
        Ok(Some(Self {
            name: url.clone(),
            receiver,
        }))
    }

    /// Runs until `stop`.
    pub(crate) async fn run(self, engine: Engine, stop: CancellationToken) {
        let mut wait = WAIT_FIRST;
        loop {
            // Whatever is under way at a stop is sent again by the next server.
            let step = tokio::select! {
                () = stop.cancelled() => return,
                step = self.step(&engine) => step,
            };
            let pause = match step {
                // As much as fits: there may be more.
                Ok(sent) if sent == BATCH as usize => {
                    wait = WAIT_FIRST;
                    continue;
                }
                Ok(_) => {
                    wait = WAIT_FIRST;
                    LOOK
                }
                Err(error) => {
                    let seconds = wait.as_secs();
                    tracing::warn!(
                        error = format!("{error:#}"),
                        seconds,
                        "the audit could not be handed on; it is tried again"
                    );
                    let pause = wait;
                    wait = (wait * 2).min(WAIT_LAST);
                    pause
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends the next batch; how many entries that were.
    async fn step(&self, engine: &Engine) -> anyhow::Result<usize> {
        let lines = engine.audit_to_forward(&self.name, BATCH).await?;
        let Some(last) = lines.last().map(|line| line.position) else {
            return Ok(0);
        };
        let sent = async {
            match &self.receiver {
                Receiver::Webhook(webhook) => webhook.send(&lines).await,
                Receiver::Syslog(syslog) => syslog.send(&lines).await,
            }
        };
        tokio::time::timeout(PATIENCE, sent)
            .await
            .context("the receiver did not take it in time")??;
        engine.audit_forwarded(&self.name, last).await?;
        Ok(lines.len())
    }
}

/// An entry as one line of JSON, as an export has it.
fn json(line: &Line) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&crate::http::audit::AuditItem::from(
        line.clone(),
    ))?)
}
