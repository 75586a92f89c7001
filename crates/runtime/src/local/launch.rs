//! Starting a session's host, so that it runs on whatever becomes of this process.

use super::Here;
use super::layout::Folder;
use domain::host::{Answer, Ask, HostSpec};
use host::client::Watch;
use host::files::write_atomically;
use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// How long a host may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks for its socket.
const BREATH: Duration = Duration::from_millis(20);

/// A host that answers; `ended` says how its process ended, one day.
pub(crate) struct Launched {
    pub(crate) watch: Watch,
    pub(crate) ended: oneshot::Receiver<ExitStatus>,
}

/// Starts the host of `spec` and waits until it answers; the error is a sentence for the person who waits.
///
/// The spec goes into a file, which stays for whoever asks later what runs. What is secret in it goes through a pipe, and
/// is nowhere on the disk.
pub(crate) async fn launch(here: &Here, folder: &Folder, mut spec: HostSpec) -> Result<Launched, String> {
    let files = folder.files();
    let secrets = std::mem::take(&mut spec.agent.secrets);
    let secrets = serde_json::to_vec(&secrets).map(Zeroizing::new);
    let secrets = secrets.map_err(|error| super::making::sentence(&error.into()))?;
    let prepared = serde_json::to_vec(&spec)
        .map_err(std::io::Error::from)
        .and_then(|json| write_atomically(&files.spec(), &json))
        .and_then(|()| files.note_failure(None));
    prepared.map_err(|error| super::making::sentence(&error.into()))?;
    // A child of no group and no session of ours, and never killed for being dropped.
    let child = Command::new(&here.host_binary)
        .arg("run")
        .arg("--spec")
        .arg(files.spec())
        .arg("--secrets-on-stdin")
        .arg("--meter-ms")
        .arg(here.options.meter_ms.to_string())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!(
            "The program {} is missing: it belongs beside the server's own.",
            here.host_binary.display()
        ),
        _ => format!("The session's host cannot be started: {error}."),
    })?;
    if let Some(mut pipe) = child.stdin.take() {
        tokio::spawn(async move {
            // A host that ends before it has read says why itself.
            let _ = pipe.write_all(&secrets).await;
        });
    }
    let (tell, mut ended) = oneshot::channel();
    tokio::spawn(async move {
        if let Ok(status) = child.wait().await {
            let _ = tell.send(status);
        }
    });
    let answers = async {
        let mut gone = false;
        loop {
            // It only answers when its agent was started.
            let client = folder.client();
            if let Ok(Some(Answer::Status(_))) = client.ask(Ask::Status).await
                && let Ok(Some(watch)) = client.watch().await
            {
                return Ok(watch);
            }
            if let Some(failure) = files.failed() {
                return Err(format!("The session cannot start: {failure}."));
            }
            if gone {
                return Err(format!(
                    "The session's host ended at once. {}",
                    last_words(&files.log())
                ));
            }
            // One more look: it may have said why, or another host may run already.
            gone = !matches!(ended.try_recv(), Err(oneshot::error::TryRecvError::Empty)) && !folder.is_locked();
            tokio::time::sleep(BREATH).await;
        }
    };
    let watch = tokio::time::timeout(PATIENCE, answers)
        .await
        .map_err(|_| "The session's host did not answer within 20 seconds.".to_owned())??;
    Ok(Launched { watch, ended })
}

fn last_words(log: &std::path::Path) -> String {
    let log = std::fs::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    match log.lines().last() {
        Some(line) => format!("Its last words: {}", line.chars().take(300).collect::<String>()),
        None => "It said nothing.".to_owned(),
    }
}
