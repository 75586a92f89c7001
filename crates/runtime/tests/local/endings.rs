//! Ends of agents, hosts, sessions and disks.

use super::stage::{PATIENCE, Stage, attach, wanted, wanted_with};
use domain::SessionId;
use domain::agent::Source;
use domain::host::{Dimension, UsageFact};
use domain::wire::{Exit, FromTerminal};
use engine::ports::{Observation, Refusal, Runtime};
use runtime::Options;
use rustix::process::Signal;
use std::collections::BTreeSet;

fn exit(observation: &Observation) -> Option<Exit> {
    match observation {
        Observation::AgentExited { exit, .. } => Some(*exit),
        _ => None,
    }
}

fn lost(observation: &Observation) -> Option<String> {
    match observation {
        Observation::Lost { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn an_agent_that_exits_at_once_shows_its_last_screen_and_is_started_again_in_its_place() {
    let mut stage = Stage::set();
    let wanted = wanted_with("brief-aaaaa", &["-c", "echo good''bye; exit 3"]);
    let session = stage.open(&wanted).await;
    assert_eq!(stage.see(exit).await, Exit::Code(3));
    let mut person = stage.attach(&session, "agent").await;
    person.reads("goodbye").await;
    let host = stage.local.status(&session).await.expect("asks").expect("runs").pid;

    let again = wanted_with("brief-aaaaa", &["-c", "echo hel''lo; exec sleep 1000"]);
    stage.open(&again).await;
    let reason = person.hears(|message| match message {
        FromTerminal::Reconnect { reason } => Some(reason.clone()),
        _ => None,
    });
    assert!(!reason.await.is_empty());
    stage.attach(&session, "agent").await.reads("hello").await;
    let status = stage.local.status(&session).await.expect("asks").expect("runs");
    assert_eq!(
        (status.pid, status.terminals[0].exit),
        (host, None),
        "the same host, a new agent"
    );
}

#[tokio::test]
async fn an_agent_that_has_nothing_to_continue_is_started_as_for_the_first_time() {
    let mut stage = Stage::set();
    let mut wanted = wanted_with("resume-aaaaa", &["-c", "echo fresh-sta''rt; exec sleep 1000"]);
    wanted.agent.resume_args = vec!["-c".to_owned(), "echo nothing to continue; exit 1".to_owned()];
    wanted.resume = true;
    let session = stage.open(&wanted).await;
    stage
        .see(|observation| match observation {
            Observation::AgentExited { .. } => panic!("the first try is nobody's business"),
            Observation::Live { status, .. } => status.terminals.iter().all(|one| one.exit.is_none()).then_some(()),
            _ => None,
        })
        .await;
    // The first try's terminal may still be the one that is looked at: then it says to come back.
    let mut person = stage.attach(&session, "agent").await;
    if person
        .reads_any(&["nothing to continue", "fresh-start"])
        .await
        .contains("nothing")
    {
        person
            .hears(|message| matches!(message, FromTerminal::Reconnect { .. }).then_some(()))
            .await;
        stage.attach(&session, "agent").await.reads("fresh-start").await;
    }
}

#[tokio::test]
async fn two_who_open_a_session_at_once_get_one_host() {
    let mut stage = Stage::set();
    let wanted = wanted("twice-aaaaa");
    let (one, two) = tokio::join!(stage.local.ensure(&wanted), stage.local.ensure(&wanted));
    one.and(two).expect("begin");
    let session = stage.open(&wanted).await;
    let host = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    stage.open(&wanted).await;
    assert_eq!(
        stage.local.status(&session).await.expect("asks").expect("runs").pid,
        host
    );
    assert_eq!(stage.programs(&session).len(), 1, "one agent");
}

#[tokio::test]
async fn a_second_host_for_a_session_does_not_run() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("lock-aaaaa")).await;
    let before = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    let mut second = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox-host-for-tests"));
    let spec = stage.session(&session).join("host/spec.json");
    let ended = second.arg("run").arg("--spec").arg(spec).status().await.expect("runs");
    assert!(!ended.success());
    assert_eq!(
        stage.local.status(&session).await.expect("asks").expect("runs").pid,
        before
    );
}

#[tokio::test]
async fn a_program_that_does_not_exist_fails_the_session_with_a_sentence() {
    let mut stage = Stage::set();
    let mut wanted = wanted("missing-aaaaa");
    wanted.agent.binary = "no-such-agent".to_owned();
    wanted.agent.source = Source::ByHand {
        how: "Put it there by hand.".to_owned(),
    };
    let reason = stage.open_in_vain(&wanted).await;
    assert!(
        reason.contains("not on this machine") && reason.contains("by hand"),
        "{reason}"
    );
    let mut stage = Stage::with(Options {
        host_binary: Some("/nowhere/sandbox-host".into()),
        ..Options::default()
    });
    let reason = stage.open_in_vain(&super::stage::wanted("nohost-aaaaa")).await;
    assert!(reason.contains("is missing"), "{reason}");
}

#[tokio::test]
async fn a_workspace_that_was_deleted_fails_the_session_with_a_sentence() {
    let mut stage = Stage::set();
    let wanted = wanted("gone-aaaaa");
    let session = stage.open(&wanted).await;
    stage.local.suspend(&session).await.expect("suspends");
    std::fs::remove_dir_all(stage.session(&session).join("workspace")).expect("removed");
    let reason = stage.open_in_vain(&wanted).await;
    assert!(reason.contains("deleted"), "{reason}");
}

#[tokio::test]
async fn suspending_keeps_workspace_and_last_screen_and_ends_everything() {
    let mut stage = Stage::set();
    let wanted = wanted("sleep-aaaaa");
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    // It hears neither TERM nor HUP: it is killed after its grace.
    person
        .types("trap '' TERM HUP; echo kept > file; echo last-wo''rds\r")
        .await;
    person.reads("last-words").await;
    stage.local.suspend(&session).await.expect("suspends");
    assert!(stage.programs(&session).is_empty());
    assert!(stage.local.status(&session).await.expect("asks").is_none());
    assert!(
        stage
            .local
            .attach(&session, &attach("agent"))
            .await
            .expect("asks")
            .is_none()
    );
    let screen = stage
        .local
        .last_screen(&session, "agent")
        .await
        .expect("reads")
        .expect("kept");
    assert!(String::from_utf8_lossy(&screen.ansi).contains("last-words"));
    assert_eq!(screen.size.cols, 80);
    stage.local.suspend(&session).await.expect("again");
    let refused = stage.local.signal(&session, "agent", "INT").await.expect_err("asleep");
    assert!(matches!(refused.downcast_ref(), Some(Refusal::Unavailable(_))));

    stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("cat file\r").await;
    person.reads("kept\r\n").await;
}

#[tokio::test]
async fn a_host_that_is_killed_is_lost_with_its_programs_and_can_be_resumed() {
    let mut stage = Stage::set();
    let wanted = wanted("killed-aaaaa");
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("setsid sleep 1000 & echo star''ted\r").await;
    person.reads("started").await;
    let host = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    host::processes::signal(host, Signal::KILL);
    let reason = stage.see(lost).await;
    assert!(reason.contains("killed"), "{reason}");
    assert!(stage.programs(&session).is_empty(), "nothing is left behind");
    stage.open(&wanted).await;
    stage.attach(&session, "agent").await;
}

#[tokio::test]
async fn hosts_that_died_while_no_server_ran_are_lost_when_the_next_one_looks() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted_with("away-aaaaa", &["-c", "exit 4"])).await;
    stage.see(exit).await;
    let host = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    let saved = async {
        let ended = |screen: engine::ports::LastScreen| screen.exit.is_some();
        while !stage
            .local
            .last_screen(&session, "agent")
            .await
            .expect("reads")
            .is_some_and(ended)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), saved)
        .await
        .expect("the end is written down");
    host::processes::signal(host, Signal::KILL);
    stage.restart();
    stage.local.take_up(&[session]).await.expect("looks");
    let reason = stage.see(lost).await;
    assert!(reason.contains("status 4"), "{reason}");
}

#[tokio::test]
async fn destroying_leaves_nothing_and_touches_nothing_else() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("drop-aaaaa")).await;
    std::fs::write(stage.outside().join("kept"), "x").expect("written");
    let mut person = stage.attach(&session, "agent").await;
    let outside = stage.outside().display().to_string();
    person
        .types(&format!(
            "mkdir -p deep/er && ln -s {outside} deep/away && chmod 000 deep/er deep; echo do''ne\r"
        ))
        .await;
    person.reads("done").await;
    stage.local.drop_session(&session).await.expect("destroys");
    assert!(!stage.session(&session).exists());
    assert!(stage.outside().join("kept").exists());
    assert!(!stage.data().join("run").join(format!("{session}.sock")).exists());
    assert_eq!(std::fs::read_dir(stage.data().join("trash")).expect("reads").count(), 0);
    stage.local.drop_session(&session).await.expect("again");
    assert!(stage.local.holdings(&session).await.is_ok_and(|held| held.bytes == 0));
}

#[tokio::test]
async fn a_host_whose_folder_was_deleted_ends_by_itself() {
    let mut stage = Stage::with(Options {
        meter_ms: 500,
        ..Options::default()
    });
    let session = stage.open(&wanted("swept-aaaaa")).await;
    std::fs::remove_dir_all(stage.session(&session)).expect("removed");
    stage.see(lost).await;
    assert!(stage.local.status(&session).await.expect("asks").is_none());
}

#[tokio::test]
async fn usage_is_counted_and_survives_the_server_and_the_host() {
    let options = || Options {
        meter_ms: 200,
        ..Options::default()
    };
    let mut stage = Stage::with(options());
    let wanted = wanted("meter-aaaaa");
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("head -c 300000 /dev/zero > file; for i in {1..300000}; do :; done; echo wor''ked\r")
        .await;
    person.reads("worked").await;
    let mut facts = Vec::new();
    let all = BTreeSet::from(Dimension::ALL);
    while facts
        .iter()
        .map(|fact: &UsageFact| fact.dimension)
        .collect::<BTreeSet<_>>()
        != all
    {
        stage
            .see(|observation| matches!(observation, Observation::Metered { .. }).then_some(()))
            .await;
        facts = stage.local.usage(&session, 0).await.expect("reads");
    }
    assert!(
        facts.iter().map(|fact| fact.number).eq(1..=facts.len() as u64),
        "{facts:?}"
    );
    assert!(facts.iter().all(|fact| fact.quantity > 0 && fact.until >= fact.from));

    // The server is gone, the host counts on; then the host is killed.
    let known = facts.len() as u64;
    stage.restart();
    let more = loop {
        let more = stage.local.usage(&session, known).await.expect("reads");
        if more.len() >= 3 {
            break more;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(more[0].number, known + 1, "counted on, and what was taken is forgotten");
    let host = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    host::processes::signal(host, Signal::KILL);
    stage
        .local
        .take_up(std::slice::from_ref(&session))
        .await
        .expect("looks");
    stage.see(lost).await;
    let kept = stage.local.usage(&session, known).await.expect("reads without a host");
    assert!(kept.len() >= more.len() && kept[..more.len()] == more[..]);

    // The next host goes on with the next number, and writes its last facts when it is suspended.
    let last = kept.last().map_or(0, |fact| fact.number);
    let session = stage.open(&wanted).await;
    stage.attach(&session, "agent").await;
    stage.local.suspend(&session).await.expect("suspends");
    let after = stage.local.usage(&session, last).await.expect("reads");
    assert_eq!(after.first().map(|fact| fact.number), Some(last + 1));
}

/// Asks until a storage fact after `known` is there.
async fn stored(stage: &Stage, session: &SessionId, known: u64) -> Vec<UsageFact> {
    let asking = async {
        loop {
            let mut facts = stage.local.usage(session, known).await.expect("reads");
            facts.retain(|fact| fact.dimension == Dimension::Storage);
            if !facts.is_empty() {
                return facts;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it is counted")
}

fn assert_once(facts: &[UsageFact]) {
    for pair in facts.windows(2) {
        assert!(
            pair[0].until <= pair[1].from && pair[0].number < pair[1].number,
            "{pair:?}"
        );
    }
}

#[tokio::test]
async fn the_storage_of_a_suspended_session_is_counted_on_over_servers_and_each_moment_once() {
    let mut stage = Stage::set();
    let wanted = wanted("asleep-aaaaa");
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("head -c 3000000 /dev/zero > file; echo wri''tten\r").await;
    person.reads("written").await;
    stage.local.suspend(&session).await.expect("suspends");
    let awake = stage.local.usage(&session, 0).await.expect("reads");
    let known = awake.last().map_or(0, |fact| fact.number);
    let mut facts = stored(&stage, &session, known).await;
    let held = |fact: &UsageFact| fact.quantity * 1000 / fact.until.abs_diff(fact.from);
    assert!((3_000_000..4_000_000).contains(&held(&facts[0])), "{facts:?}");

    // A server that dies between asking and remembering is told the same again; the next one counts on.
    stage.restart();
    let again = stage.local.usage(&session, known).await.expect("reads");
    assert!(again.starts_with(&facts), "{again:?}");
    let last = again.last().map_or(0, |fact| fact.number);
    facts = again;
    facts.extend(stored(&stage, &session, last).await);
    assert_once(&facts);

    // Resumed and suspended again: the host takes over where the sleep ended.
    stage.open(&wanted).await;
    stage.local.suspend(&session).await.expect("suspends");
    let known = facts.last().map_or(0, |fact| fact.number);
    facts.extend(stored(&stage, &session, known).await);
    assert_once(&facts);
}

#[tokio::test]
async fn the_storage_of_a_session_whose_host_was_killed_is_measured_once_and_counted_on() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("slain-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("head -c 3000000 /dev/zero > file; echo wri''tten\r").await;
    person.reads("written").await;
    let host = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    host::processes::signal(host, Signal::KILL);
    stage.see(lost).await;
    let facts = stored(&stage, &session, 0).await;
    assert!(
        facts[0].quantity * 1000 / facts[0].until.abs_diff(facts[0].from) > 3_000_000,
        "{facts:?}"
    );
    let never = SessionId::new("never-aaaaa");
    assert!(stage.local.usage(&never, 0).await.expect("reads").is_empty());
    stage.local.drop_session(&session).await.expect("destroys");
    assert!(stage.local.usage(&session, 0).await.expect("reads").is_empty());
}

#[tokio::test]
async fn a_full_disk_fails_the_session_with_a_sentence_and_hurts_no_host() {
    let mut stage = Stage::set();
    let small = stage.outside().join("small");
    std::fs::create_dir(&small).expect("made");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=40m", "tmpfs"])
        .arg(&small)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a small file system can only be mounted by root");
        return;
    }
    let _mount = Mount(small.clone());
    stage.moves_to(small.join("data"));
    let session = stage.open(&wanted("full-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("cat /dev/zero > fill; echo fu''ll\r").await;
    person.reads("full").await;
    // The session that filled it goes on, and can be cleaned up.
    let reason = stage.open_in_vain(&wanted("late-aaaaa")).await;
    assert!(reason.contains("disk") && reason.contains("full"), "{reason}");
    person.types("rm fill; echo cl''ean\r").await;
    person.reads("clean").await;
    stage.open(&wanted("late-aaaaa")).await;
    for session in ["full-aaaaa", "late-aaaaa"] {
        let session = SessionId::new(session);
        stage.local.drop_session(&session).await.expect("destroys");
    }
}

/// Unmounts when dropped.
struct Mount(std::path::PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a failed test may still have something running in there.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
