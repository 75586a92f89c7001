//! What recording costs: the same flood through a terminal with a viewer, without a recording and with one that masks
//! ten secrets. `cargo run --release -p host --example recording [command]`

use domain::host::{Attach, TerminalSpec};
use domain::secret::Value;
use domain::wire::{Frame, FromClient, FromTerminal, Size};
use host::mask::{Mask, Masker};
use host::recording::{Recording, keep};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use terminal::tap::tap;
use terminal::{ClientMessage, Message, Options, open};
use tokio::sync::watch;

/// What is printed: numbered lines, about 40 MB.
const FLOOD: &str = "seq -f 'line %.0f of what a program prints' 1 1000000";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1).unwrap_or(String::from(FLOOD));
    let values: Vec<_> = (0..10)
        .map(|number| Value::new(format!("sk_live_{number}_{}", "Ab3".repeat(12))))
        .collect();
    let begun = Instant::now();
    let mask = Arc::new(Mask::of(&values));
    eprintln!("a mask of ten secrets: {:?}", begun.elapsed());
    let text = "\x1b[32mline 4711\x1b[0m of what a program prints\r\n".repeat(200_000);
    let (begun, mut out) = (Instant::now(), Vec::new());
    let mut masker = Masker::new(mask.clone());
    for chunk in text.as_bytes().chunks(4096) {
        out.clear();
        masker.push(chunk, &mut out);
    }
    let rate = text.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
    eprintln!("masking alone: {rate:.0} MB/s");
    for recorded in [false, true, false, true] {
        let folder = std::env::temp_dir().join(format!("recording-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let (begun, before) = (Instant::now(), cpu()?);
        let record = recorded.then(|| (folder.join("agent.cast"), mask.clone()));
        let bytes = flood(&command, record).await?;
        let (took, busy) = (begun.elapsed().as_secs_f64(), cpu()? - before);
        let megabytes = bytes as f64 / 1e6;
        eprintln!(
            "{}: {megabytes:.1} MB in {took:.2} s, {:.1} MB for each second of processor",
            if recorded { "recorded" } else { "not recorded" },
            megabytes / busy
        );
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

async fn flood(command: &str, record: Option<(PathBuf, Arc<Mask>)>) -> anyhow::Result<u64> {
    let size = Size { cols: 120, rows: 40 };
    let (mut spout, mut writer) = (None, None);
    if let Some((path, mask)) = record {
        let recording = Recording::open(path, "flood", size, mask.clone())?;
        let (tap, tapping) = tap();
        let masks = watch::Sender::new(mask);
        let recorded = Arc::new(AtomicBool::new(true));
        let keeping = tokio::spawn(keep(recording, tapping, masks.subscribe(), recorded));
        (spout, writer) = (Some(tap), Some((keeping, masks)));
    }
    let spec = TerminalSpec {
        label: String::from("flood"),
        argv: ["/bin/sh", "-c", command].map(String::from).to_vec(),
        cwd: std::env::temp_dir(),
        env: BTreeMap::from([(String::from("PATH"), String::from("/usr/bin:/bin"))]),
        secrets: Default::default(),
        size,
        record: spout.is_some(),
    };
    let options = Options {
        epoch: 1,
        scrollback: 10_000,
        colors: Default::default(),
        tap: spout,
    };
    let handle = open(&spec, options)?;
    let viewer = || String::from("viewer");
    let mut attachment = handle
        .attach(Attach {
            terminal: String::from("agent"),
            client: viewer(),
            person: viewer(),
            name: viewer(),
            may_type: true,
            since: None,
            epoch: None,
            history: 0,
            plain: false,
        })
        .await?;
    let mut bytes = 0;
    while let Some(message) = attachment.messages.recv().await {
        match message {
            Message::Text(FromTerminal::Exited { .. }) => break,
            Message::Text(_) => {}
            Message::Binary(frame) => {
                if let Ok(Frame::Output { seq, bytes: output }) = Frame::decode(&frame) {
                    bytes += output.len() as u64;
                    let ack = FromClient::Ack {
                        seq: seq + output.len() as u64,
                    };
                    attachment.outbox.send(ClientMessage::Text(ack)).await?;
                }
            }
        }
    }
    handle.close().await;
    if let Some((writer, _masks)) = writer {
        writer.await?;
    }
    Ok(bytes)
}

/// Processor seconds of this process.
fn cpu() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
