//! A webhook: batches of JSON lines, signed.

use super::json;
use anyhow::{Context as _, ensure};
use domain::audit::Line;
use identity::hmac_sha256;
use std::time::{Duration, SystemTime};

/// `t=<seconds since the Unix epoch>,v1=<HMAC-SHA-256, in hexadecimal, of "<those seconds>.<the body>">`.
const SIGNATURE: &str = "x-sandbox-signature";
/// The position of the last entry of the batch: who has it already passes the batch over.
const POSITION: &str = "x-sandbox-position";

pub(super) struct Webhook {
    http: reqwest::Client,
    url: String,
    key: Vec<u8>,
}

impl Webhook {
    pub(super) fn new(url: &str, key: Vec<u8>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            // Elsewhere nobody has agreed to get it.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sandbox/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("The client for --audit-forward cannot be made.")?;
        Ok(Self {
            http,
            url: url.to_owned(),
            key,
        })
    }

    /// Sends a batch; any answer of 200 to 299 says that it was taken.
    pub(super) async fn send(&self, lines: &[Line]) -> anyhow::Result<()> {
        let mut body = String::new();
        for line in lines {
            body.push_str(&json(line)?);
            body.push('\n');
        }
        let seconds = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let signature = hmac_sha256(&self.key, format!("{seconds}.{body}").as_bytes());
        let answer = self
            .http
            .post(&self.url)
            .header("content-type", "application/x-ndjson")
            .header(SIGNATURE, format!("t={seconds},v1={signature}"))
            .header(POSITION, lines.last().map_or(0, |line| line.position))
            .body(body)
            .send()
            .await
            .map_err(reqwest::Error::without_url)
            .context("the webhook cannot be reached")?;
        let status = answer.status();
        ensure!(status.is_success(), "the webhook answered {status}");
        Ok(())
    }
}
