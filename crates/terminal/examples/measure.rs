//! Measures the model and the terminal: `cargo run --release -p terminal --example measure`
//!
//! Prints megabytes for each second of processor time (drawing everything, and through a real PTY with one viewer), and the
//! private memory of an idle terminal with 10,000 lines of history.

#![allow(clippy::print_stdout, reason = "its figures are what it is for")]

use domain::host::{Attach, TerminalSpec};
use domain::wire::{Frame, FromClient, Size};
use std::collections::BTreeMap;
use std::time::Instant;
use terminal::screen::{MOST_HISTORY_BYTES, Screen};
use terminal::{ClientMessage, Message, Options, open};

const MB: f64 = 1_000_000.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let size = Size { cols: 120, rows: 40 };
    let ascii: String = (0..200_000)
        .map(|i| {
            format!(
                "{i:>8} the quick brown fox jumps over the lazy dog and goes on {}\r\n",
                i * 7
            )
        })
        .collect();
    let color: String = (0..150_000)
        .map(|i| {
            format!(
                "\x1b[3{}m{i:>8}\x1b[0m \x1b[1mquick\x1b[22m brown \x1b[38;2;{};90;10mfox\x1b[0m jumps\x1b[K\r\n",
                i % 8,
                i % 256
            )
        })
        .collect();
    let unicode: String = (0..120_000)
        .map(|i| format!("{i:>8} größe 你好世界 👍 übermäßig ─────│ naïve\r\n"))
        .collect();
    let tui: String = (0..60_000)
        .map(|i| {
            format!(
                "\x1b[{};{}H\x1b[4{}mcell {i}\x1b[0m\x1b[K\x1b[?25l",
                1 + i % 40,
                1 + i % 100,
                i % 8
            )
        })
        .collect();
    for (name, text) in [
        ("ascii", &ascii),
        ("colour", &color),
        ("unicode", &unicode),
        ("cursor addressing", &tui),
    ] {
        let mut screen = Screen::new(size, 10_000);
        let begun = cpu();
        for part in text.as_bytes().chunks(16 * 1024) {
            screen.feed(part);
        }
        println!(
            "model, {name}: {:.0} MB per CPU-second",
            text.len() as f64 / MB / (cpu() - begun)
        );
    }

    for (name, command) in [
        (
            "yes",
            "yes 'the quick brown fox jumps over the lazy dog' | head -c 200000000",
        ),
        ("seq", "seq 1 12000000"),
    ] {
        let before = cpu();
        let begun = Instant::now();
        let bytes = flood(command).await?;
        println!(
            "terminal and one viewer, {name}: {:.0} MB per CPU-second, {:.0} MB/s",
            bytes as f64 / MB / (cpu() - before),
            bytes as f64 / MB / begun.elapsed().as_secs_f64()
        );
    }

    let empty = private_kib()?;
    let mut screens = Vec::new();
    for _ in 0..10 {
        let mut screen = Screen::new(size, 10_000);
        for part in ascii.as_bytes()[..1_000_000].chunks(16 * 1024) {
            screen.feed(part);
        }
        screens.push(screen);
    }
    let lines = screens[0].history_len();
    println!(
        "a screen with {lines} lines of history: {} KiB",
        (private_kib()? - empty) / 10
    );
    let begun = Instant::now();
    let page = screens[0].snapshot(1000, 64 * 1024).len();
    println!("first page: {page} bytes in {:?}", begun.elapsed());
    let begun = Instant::now();
    let whole = screens[0].snapshot(10_000, MOST_HISTORY_BYTES).len();
    println!("whole history: {whole} bytes in {:?}", begun.elapsed());
    Ok(())
}

async fn flood(command: &str) -> anyhow::Result<u64> {
    let spec = TerminalSpec {
        label: String::from("flood"),
        argv: ["/bin/sh", "-c", command].map(String::from).to_vec(),
        cwd: std::env::temp_dir(),
        env: BTreeMap::from([(String::from("PATH"), String::from("/usr/bin:/bin"))]),
        secrets: Default::default(),
        record: false,
        size: Size { cols: 120, rows: 40 },
    };
    let handle = open(
        &spec,
        Options {
            epoch: 1,
            scrollback: 10_000,
            colors: Default::default(),
            tap: None,
        },
    )?;
    let mut attachment = handle
        .attach(Attach {
            terminal: String::from("agent"),
            client: String::from("viewer"),
            person: String::from("viewer"),
            name: String::from("viewer"),
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
            Message::Text(domain::wire::FromTerminal::Exited { .. }) => break,
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
    Ok(bytes)
}

/// Processor seconds of this process.
fn cpu() -> f64 {
    let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    usage.tv_sec as f64 + usage.tv_nsec as f64 / 1e9
}

fn private_kib() -> anyhow::Result<u64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let sum = rollup
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    Ok(sum.sum())
}
