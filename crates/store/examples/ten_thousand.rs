//! What the list of sessions costs with 10,000 of them: `cargo run --release -p store --example ten_thousand`.
//!
//! Takes the database of `DATABASE_URL` (it should be empty), or a new SQLite file in a temporary directory.
#![expect(clippy::print_stdout, reason = "a program that prints what it measured")]

use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    org::Org,
    page::{ListSessions, Sort},
    session::{Session, Sharing, Status},
};
use engine::ports::{Bounds, Member, Record, Scope, Store, Visible};
use std::time::{Duration, Instant};

const SESSIONS: i64 = 10_000;
const OWNERS: i64 = 100;
const TIMES: usize = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = store::Options {
        database_url: std::env::var("DATABASE_URL").ok(),
        ..store::Options::default()
    };
    let store = store::open(&options, dir.path()).await?;
    println!("{}", store.describe().await?);
    let began = Instant::now();
    fill(&store).await?;
    let each = began.elapsed() / u32::try_from(SESSIONS)?;
    println!("opening a session, one after the other: {each:.2?} each");

    let org = OrgId::new("acme");
    let all = Visible {
        scope: Scope::Org(org.clone()),
        only: None,
        peers: domain::policy::Seeing::Own,
    };
    let person = Visible {
        scope: Scope::Org(org),
        only: Some(PersonId::new("person-7")),
        peers: domain::policy::Seeing::Own,
    };
    let fleet = Visible {
        scope: Scope::Fleet,
        only: None,
        peers: domain::policy::Seeing::Own,
    };
    let first = ListSessions::default();
    let deep = ListSessions {
        cursor: deep_cursor(&store, &all).await?,
        ..first.clone()
    };
    for (what, visible, ask) in [
        ("an admin's first page", &all, first.clone()),
        ("its hundredth page", &all, deep),
        (
            "by name",
            &all,
            ListSessions {
                sort: Sort::Name,
                ..first.clone()
            },
        ),
        (
            "those that failed",
            &all,
            ListSessions {
                status: Some(Status::Failed),
                ..first.clone()
            },
        ),
        (
            "a search that finds one",
            &all,
            ListSessions {
                search: "session-07777".to_owned(),
                ..first.clone()
            },
        ),
        (
            "a search that finds nothing",
            &all,
            ListSessions {
                search: "nothing here".to_owned(),
                ..first.clone()
            },
        ),
        ("a developer's first page", &person, first.clone()),
        (
            "their own",
            &person,
            ListSessions {
                mine: true,
                ..first.clone()
            },
        ),
        ("of the whole fleet", &fleet, first),
    ] {
        let (middle, slow) = measure(&store, visible, &ask).await?;
        println!("{what:<28} p50 {middle:>8.2?}   p99 {slow:>8.2?}");
    }
    store.close().await;
    Ok(())
}

async fn fill(store: &dyn Store) -> Result<()> {
    let org = OrgId::new("acme");
    let start = Timestamp::from_millis(1_790_000_000_000);
    let acme = Org::new(org.clone(), "Acme", start);
    store.record_org(&acme, Record::default()).await?;
    for owner in 0..OWNERS {
        let id = format!("person-{owner}");
        let email = format!("{id}@example.org");
        let member = Member {
            person: PersonId::new(&id),
            email,
            name: id,
            org: org.clone(),
            role: Role::Developer,
        };
        store.record_member(&member, start, Record::default()).await?;
    }
    for number in 0..SESSIONS {
        let id = SessionId::new(format!("session-{number:05}-abcde"));
        let owner = PersonId::new(format!("person-{}", number % OWNERS));
        let session = Session {
            name: format!("Fix the bug number {number}"),
            repo: Some(format!("https://git.example.org/team/project-{}.git", number % 50)),
            sharing: if number % 20 == 0 {
                Sharing::Watch
            } else {
                Sharing::Private
            },
            phase: domain::session::Phase::ALL[(number % 5) as usize],
            created_at: start.plus_seconds(number),
            active_at: start.plus_seconds(number * 7919 % SESSIONS),
            ..Session::example(id, org.clone(), owner)
        };
        store
            .record_opened(&session, Bounds::default(), None, Record::default())
            .await?;
    }
    Ok(())
}

async fn deep_cursor(store: &dyn Store, visible: &Visible) -> Result<Option<String>> {
    let mut cursor = None;
    for _ in 0..99 {
        let ask = ListSessions {
            cursor,
            ..ListSessions::default()
        };
        cursor = store
            .list_sessions(visible, &PersonId::new("person-7"), &ask)
            .await?
            .next;
    }
    Ok(cursor)
}

async fn measure(store: &dyn Store, visible: &Visible, ask: &ListSessions) -> Result<(Duration, Duration)> {
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        store.list_sessions(visible, &PersonId::new("person-7"), ask).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times.get(TIMES * share / 100).copied().context("nothing measured");
    Ok((at(50)?, at(99)?))
}
