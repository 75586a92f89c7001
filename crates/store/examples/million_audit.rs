//! What the audit costs with 1,000,000 entries: `cargo run --release -p store --example million_audit [ENTRIES]`.
//!
//! Takes the database of `DATABASE_URL` (it should be empty), or a new SQLite file in a temporary directory
//! (`SANDBOX_DATA_DIR`: in that one, which stays). Six of ten entries belong to one Organization of 5,000 people, the rest to 200 others.
#![expect(clippy::print_stdout, reason = "a program that prints what it measured")]

use anyhow::{Context as _, Result, ensure};
use domain::{
    OrgId, PersonId, Timestamp,
    audit::{Ask, Entry, Trail},
};
use engine::ports::{Record, Scope, Store as _, Switches as _, Trails as _};
use serde_json::json;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

const PEOPLE: i64 = 5000;
const ORGS: i64 = 200;
/// Entries that are written together.
const BATCH: i64 = 5000;
const TIMES: usize = 100;
const ACTIONS: [&str; 9] = [
    "session.opened",
    "session.moved",
    "session.started",
    "session.renamed",
    "session.deleted",
    "terminal.driven",
    "signed-in",
    "token.minted",
    "permit.refused",
];

#[tokio::main]
async fn main() -> Result<()> {
    let entries: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let dir = tempfile::tempdir()?;
    let kept = std::env::var_os("SANDBOX_DATA_DIR").map(PathBuf::from);
    let options = store::Options {
        database_url: std::env::var("DATABASE_URL").ok(),
        ..store::Options::default()
    };
    let store = store::open(&options, kept.as_deref().unwrap_or(dir.path())).await?;
    println!("{}, {entries} entries", store.describe().await?);
    let began = Instant::now();
    let mut written = 0;
    while written < entries {
        let audit = (written..entries.min(written + BATCH)).map(entry).collect();
        let events = Vec::new();
        store
            .record_switch(None, "shell", true, Record { audit, events })
            .await?;
        written += BATCH;
    }
    println!(
        "appending, {BATCH} in a transaction: {:.1?} each",
        began.elapsed() / u32::try_from(entries)?
    );
    let mut alone = Vec::with_capacity(TIMES);
    for number in 0..TIMES {
        let began = Instant::now();
        store.record_audit(&entry(entries + number as i64)).await?;
        alone.push(began.elapsed());
    }
    print_times("appending one by itself", alone)?;

    let acme = Scope::Org(OrgId::new("acme"));
    let middle = entry(entries / 2).at;
    let ask = Ask::default();
    let deep = Ask {
        cursor: Some(format!("{}.{}", middle.millis(), entries / 2)),
        ..ask.clone()
    };
    let of_actor = |actor: &str| Ask {
        actor: actor.to_owned(),
        ..ask.clone()
    };
    let of_action = |action: &str| Ask {
        action: action.to_owned(),
        ..ask.clone()
    };
    let in_time = |ask: Ask| Ask {
        from: Some(middle),
        until: Some(middle.plus_seconds(3600)),
        ..ask
    };
    for (what, scope, ask) in [
        ("the first page", &acme, ask.clone()),
        ("a page in the middle", &acme, deep.clone()),
        ("one person", &acme, of_actor("person-4240@")),
        ("a part of ten names", &acme, of_actor("person-424")),
        ("a part of all names", &acme, of_actor("person")),
        ("a name that nobody has", &acme, of_actor("nobody")),
        ("one action", &acme, of_action("token.minted")),
        ("a group of actions", &acme, of_action("session.")),
        ("an action that never was", &acme, of_action("org.archived")),
        ("one that was once", &acme, of_action("installation.founded")),
        (
            "a person's rare action",
            &acme,
            Ask {
                action: "installation.founded".to_owned(),
                ..of_actor("person-4240@")
            },
        ),
        (
            "one thing",
            &acme,
            Ask {
                target: "session-775".to_owned(),
                ..ask.clone()
            },
        ),
        (
            "one request",
            &acme,
            Ask {
                request: "r-222225".to_owned(),
                ..ask.clone()
            },
        ),
        ("an hour", &acme, in_time(ask.clone())),
        ("an hour of one action", &acme, in_time(of_action("token.minted"))),
        ("the fleet's first page", &Scope::Fleet, ask.clone()),
        ("the fleet's middle", &Scope::Fleet, deep),
        ("the fleet, one person", &Scope::Fleet, of_actor("person-4240@")),
        ("the fleet, one action", &Scope::Fleet, of_action("token.minted")),
        ("the fleet, one hour", &Scope::Fleet, in_time(ask)),
    ] {
        let mut times = Vec::with_capacity(TIMES);
        let mut found = Trail::default();
        for _ in 0..TIMES {
            let began = Instant::now();
            found = store.list_audit(scope, &ask).await?;
            times.push(began.elapsed());
        }
        print_times(&format!("{what} ({})", found.lines.len()), times)?;
    }
    let began = Instant::now();
    let verdict = store.verify_audit(&OrgId::new("acme")).await?;
    ensure!(verdict.breach.is_none(), "{verdict:?}");
    println!("verifying {} entries: {:.2?}", verdict.entries, began.elapsed());
    store.close().await;
    Ok(())
}

fn entry(number: i64) -> Entry {
    let ours = number % 10 < 6;
    let person = number * 7919 % PEOPLE;
    let org = if ours {
        "acme".to_owned()
    } else {
        format!("org-{:03}", number % ORGS)
    };
    let action = match number {
        75 => "installation.founded",
        _ => ACTIONS[(number * 31 % 97) as usize % ACTIONS.len()],
    };
    Entry {
        at: Timestamp::from_millis(1_760_000_000_000).plus_seconds(number * 30),
        org: OrgId::new(org),
        person: Some(PersonId::new(format!("p-{person}"))),
        actor: format!(
            "person-{person}@{}",
            if ours { "acme.example" } else { "other.example" }
        ),
        via: "login".to_owned(),
        role: Some("developer".to_owned()),
        address: Some("192.0.2.7".to_owned()),
        action: action.to_owned(),
        target: format!("session-{}", number % 20_000),
        detail: json!({ "before": { "name": "one" }, "after": { "name": format!("number {number}") } }),
        request: Some(format!("r-{number}")),
    }
}

fn print_times(what: &str, mut times: Vec<Duration>) -> Result<()> {
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .context("nothing measured")
    };
    println!("{what:<36} p50 {:>9.2?}   p99 {:>9.2?}", at(50)?, at(99)?);
    Ok(())
}
