//! Records what a program writes to a terminal: `record OUT COLS ROWS SECONDS KEYS COMMAND…`
//!
//! `KEYS` is a list like `500:ihello\x1b;200::q\r`: after so many milliseconds, so many keys (with Rust's escapes, and `\u{3b}`
//! for a semicolon). The terminal answers the program's queries as it always does. `OUT` gets the raw bytes.

use anyhow::{Context, bail};
use bytes::Bytes;
use domain::host::{Attach, TerminalSpec};
use domain::wire::Size;
use std::time::Duration;
use terminal::{ClientMessage, Message, Options, open};
use tokio::time::{Instant, sleep_until, timeout_at};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, cols, rows, seconds, keys, argv @ ..] = arguments.as_slice() else {
        bail!("usage: record OUT COLS ROWS SECONDS KEYS COMMAND...");
    };
    let spec = TerminalSpec {
        label: String::from("recording"),
        argv: argv.to_vec(),
        cwd: std::env::current_dir()?,
        env: std::env::vars()
            .chain([(String::from("TERM"), String::from("xterm-256color"))])
            .collect(),
        secrets: Default::default(),
        record: false,
        size: Size {
            cols: cols.parse()?,
            rows: rows.parse()?,
        },
    };
    let handle = open(
        &spec,
        Options {
            epoch: 1,
            scrollback: 1000,
            colors: Default::default(),
            tap: None,
        },
    )?;
    let mut attachment = handle
        .attach(Attach {
            terminal: String::from("agent"),
            client: String::from("recorder"),
            person: String::from("recorder"),
            name: String::from("recorder"),
            may_type: true,
            since: None,
            epoch: None,
            history: 0,
            plain: true,
        })
        .await?;
    // The first message is a snapshot of nothing.
    attachment.messages.recv().await.context("no snapshot")?;
    let outbox = attachment.outbox.clone();
    let keys = parse(keys)?;
    let typist = tokio::spawn(async move {
        let mut at = Instant::now();
        for (pause, text) in keys {
            at += pause;
            sleep_until(at).await;
            if outbox.send(ClientMessage::Binary(Bytes::from(text))).await.is_err() {
                break;
            }
        }
    });
    let until = Instant::now() + Duration::from_secs_f64(seconds.parse()?);
    let mut recorded = Vec::new();
    let mut ended = Box::pin(handle.ended());
    loop {
        tokio::select! {
            biased;
            message = attachment.messages.recv() => match message {
                Some(Message::Binary(bytes)) => recorded.extend_from_slice(&bytes),
                Some(Message::Text(_)) => {}
                None => break,
            },
            _ = &mut ended => break,
            () = sleep_until(until) => break,
        }
    }
    // The last output of a program that has ended is on its way.
    let rest = Instant::now() + Duration::from_millis(300);
    while let Ok(Some(message)) = timeout_at(rest, attachment.messages.recv()).await {
        if let Message::Binary(bytes) = message {
            recorded.extend_from_slice(&bytes);
        }
    }
    typist.abort();
    std::fs::write(out, &recorded)?;
    eprintln!("{out}: {} bytes", recorded.len());
    handle.close().await;
    Ok(())
}

fn parse(keys: &str) -> anyhow::Result<Vec<(Duration, Vec<u8>)>> {
    let mut steps = Vec::new();
    for step in keys.split(';').filter(|step| !step.is_empty()) {
        let (pause, text) = step.split_once(':').context("a step is MILLISECONDS:KEYS")?;
        let mut bytes = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            let character = match character {
                '\\' => match rest.next() {
                    Some('r') => '\r',
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('e') => '\x1b',
                    Some('x') => {
                        let digits: String = rest.by_ref().take(2).collect();
                        char::from(u8::from_str_radix(&digits, 16)?)
                    }
                    Some('u') => {
                        let digits: String = rest.by_ref().skip(1).take_while(|digit| *digit != '}').collect();
                        char::from_u32(u32::from_str_radix(&digits, 16)?).context("no such character")?
                    }
                    Some(other) => other,
                    None => bail!("a step ends in a backslash"),
                },
                other => other,
            };
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        steps.push((Duration::from_millis(pause.parse()?), bytes));
    }
    Ok(steps)
}
