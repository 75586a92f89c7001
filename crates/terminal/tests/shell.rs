//! A terminal with a real shell behind it.

mod support;

use domain::host::{Attach, TerminalSpec};
use domain::wire::{Exit, FromClient, FromTerminal, Size};
use std::time::Duration;
use support::{person, shell, spec, view};
use terminal::{OpenError, Options, Signal, open};

#[tokio::test]
async fn what_is_typed_is_echoed_and_the_exit_comes_after_the_last_output() {
    let handle = shell("read line; echo \"got $line\"; exit 3");
    let mut viewer = view(&handle, person("ada")).await;
    viewer.type_text("hello\r").await;
    viewer.until_shown("got hello").await;
    let exited = viewer.until(|text| matches!(text, FromTerminal::Exited { .. })).await;
    assert_eq!(exited, FromTerminal::Exited { exit: Exit::Code(3) });
    assert_eq!(handle.status().exit, Some(Exit::Code(3)));
    assert!(
        viewer.texts.contains(&FromTerminal::InputAck { at: 6 }),
        "{:?}",
        viewer.texts
    );

    let mut late = view(&handle, person("bob")).await;
    late.until_shown("got hello").await;
    late.until(|text| matches!(text, FromTerminal::Exited { .. })).await;
    handle.close().await;
}

#[tokio::test]
async fn a_backspace_takes_back_a_character_and_not_a_byte_of_it() {
    let handle = shell("echo ready; cat -A");
    let mut viewer = view(&handle, person("ada")).await;
    viewer.until_shown("ready").await;
    viewer.type_text("aé日\x7f\x7fb\r").await;
    viewer.until_shown("ab$").await;
    handle.close().await;
}

#[tokio::test]
async fn the_program_gets_its_own_environment_session_and_size_and_nothing_of_ours() {
    let handle = shell("env; stty size; ps -o pid=,sid=,pgid= -p $$; echo done");
    let mut viewer = view(&handle, person("ada")).await;
    viewer.until_shown("done").await;
    let shown = viewer.all();
    assert!(
        shown.contains("TERM=xterm-256color") && shown.contains("24 80"),
        "{shown}"
    );
    assert!(!shown.contains("CARGO"), "our environment leaks: {shown}");
    let pid = handle.status().pid.to_string();
    let line = shown
        .lines()
        .find(|line| line.split_whitespace().filter(|word| *word == pid).count() == 3);
    assert!(line.is_some(), "process {pid} leads its own session and group: {shown}");
    handle.close().await;
}

#[tokio::test]
async fn the_drivers_window_sizes_the_pty_once_and_the_program_hears_of_it() {
    let handle = shell("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
    let mut viewer = view(&handle, person("ada")).await;
    viewer.until_shown("ready").await;
    for rows in 30..40 {
        viewer.say(FromClient::Resize { cols: 101, rows }).await;
    }
    viewer.until_shown("39 101").await;
    assert_eq!(
        viewer.all().matches(" 101").count(),
        1,
        "one signal for ten sizes: {}",
        viewer.all()
    );
    assert_eq!(handle.status().size, Size { cols: 101, rows: 39 });
    handle.close().await;
}

#[tokio::test]
async fn a_signal_reaches_the_foreground_and_stopping_ends_what_ignores_it() {
    let handle = shell("trap '' TERM HUP; trap 'echo interrupted' INT; echo ready; while :; do sleep 0.05; done");
    let mut viewer = view(&handle, person("ada")).await;
    viewer.until_shown("ready").await;
    handle
        .signal("SIGINT".parse::<Signal>().expect("a signal"))
        .await
        .expect("the terminal is there");
    viewer.until_shown("interrupted").await;
    let exit = handle
        .stop(Duration::from_millis(100))
        .await
        .expect("the terminal is there");
    assert_eq!(exit, Exit::Signal(9));
    // The last screen stays.
    let last = handle.last_screen(10).await.expect("the terminal is there");
    assert!(String::from_utf8_lossy(&last.ansi).contains("interrupted"));
    handle.close().await;
    assert!(handle.last_screen(10).await.is_err());
    assert!(viewer.until_let_go().await);
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let options = || Options {
        epoch: 1,
        scrollback: 10,
        colors: Default::default(),
        tap: None,
    };
    let missing = open(&spec(&["/no/such/program"]), options()).expect_err("there is no such program");
    assert!(missing.to_string().contains("/no/such/program"), "{missing}");
    assert!(matches!(open(&spec(&[]), options()), Err(OpenError::NoProgram)));
    let nowhere = TerminalSpec {
        cwd: "/no/such/folder".into(),
        ..spec(&["/bin/true"])
    };
    assert!(matches!(open(&nowhere, options()), Err(OpenError::NoFolder(_))));
}

#[tokio::test]
async fn a_program_that_ends_at_once_leaves_all_of_its_output() {
    for _ in 0..20 {
        let handle = shell("seq 1 5000; echo the end");
        let mut viewer = view(&handle, person("ada")).await;
        viewer.until(|text| matches!(text, FromTerminal::Exited { .. })).await;
        assert!(viewer.shows("the end"));
        assert_eq!(viewer.seq, handle.status().seq);
        handle.close().await;
    }
}

#[tokio::test]
async fn what_outlives_the_program_does_not_keep_its_terminal_open() {
    let handle = shell("(trap '' HUP; sleep 100) & echo bye");
    assert_eq!(handle.ended().await, Ok(Exit::Code(0)));
    handle.close().await;
}

#[tokio::test]
async fn a_query_is_answered_with_and_without_a_viewer() {
    let handle = shell("stty raw -echo; printf '\\033[6n'; dd bs=1 count=6 2>/dev/null | od -c; echo over");
    handle.ended().await.expect("it was answered");
    let shown = handle.last_screen(10).await.expect("the terminal is there");
    let shown = String::from_utf8_lossy(&shown.ansi).into_owned();
    assert!(shown.contains("033   [   1   ;   1   R"), "{shown}");
    handle.close().await;
}

#[tokio::test]
async fn a_flood_reaches_one_who_reads_while_another_never_does() {
    let handle = shell("seq 1 300000; echo the end");
    let mut reader = view(&handle, person("ada")).await;
    let idle = view(
        &handle,
        Attach {
            may_type: false,
            ..person("bob")
        },
    )
    .await;
    reader.until(|text| matches!(text, FromTerminal::Exited { .. })).await;
    assert_eq!(reader.seq, handle.status().seq);
    assert!(reader.seq > 2_000_000);
    assert!(reader.output.ends_with(b"the end\r\n"));
    assert_eq!(reader.snapshots, 1, "the driver is waited for, not skipped");
    drop(idle);
    handle.close().await;
}

#[tokio::test]
async fn changes_are_told_to_whoever_watches_the_terminal() {
    let handle = shell("printf '\\033]0;hello\\007'; sleep 100");
    let mut changes = handle.changes();
    changes
        .wait_for(|status| status.title == "hello")
        .await
        .expect("the terminal is there");
    let viewer = view(&handle, person("ada")).await;
    changes
        .wait_for(|status| status.viewers.len() == 1)
        .await
        .expect("the terminal is there");
    drop(viewer);
    changes
        .wait_for(|status| status.viewers.is_empty())
        .await
        .expect("the terminal is there");
    handle.close().await;
}
