//! Opening, typing, coming back.

use super::stage::{Stage, attach, wanted};
use domain::wire::{Colors, FromClient, FromTerminal, Size};
use engine::ports::{Message, Observation, Refusal, Runtime};

#[tokio::test]
async fn what_is_typed_reaches_the_shell_and_its_answer_comes_back() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("talk-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo $((6*7))-is-it\r").await;
    person.reads("42-is-it").await;
    let status = stage.local.status(&session).await.expect("asks").expect("runs");
    assert_eq!(status.terminals.len(), 1);
    assert_eq!(status.terminals[0].viewers.len(), 1);
}

#[tokio::test]
async fn a_session_goes_on_when_its_server_is_killed_and_is_found_again_by_the_next() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("restart-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("kept=still-here; echo be''gun\r").await;
    person.reads("begun").await;
    let before = stage.local.status(&session).await.expect("asks").expect("runs").pid;
    // No signal to this process's group or terminal reaches it, and it holds nothing of ours open.
    let pid = rustix::process::Pid::from_raw(before as i32);
    assert_eq!(rustix::process::getsid(pid).ok(), pid, "a session of its own");
    let own = rustix::process::getpgrp();
    assert_ne!(rustix::process::getpgid(pid).ok(), Some(own));

    stage.restart();
    stage
        .local
        .take_up(std::slice::from_ref(&session))
        .await
        .expect("looks");
    let live = stage
        .see(|observation| match observation {
            Observation::Live { status, .. } => Some(status.clone()),
            _ => None,
        })
        .await;
    assert_eq!(live.pid, before);
    let mut person = stage.attach(&session, "agent").await;
    person.reads("begun").await;
    person.types("echo \"$kept\"\r").await;
    person.reads("still-here\r\n").await;
}

#[tokio::test]
async fn shells_beside_the_agent_open_close_and_are_bounded() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("shells-aaaaa")).await;
    let size = Size { cols: 90, rows: 20 };
    for number in 1..16 {
        let id = format!("s{number}");
        stage.shell(&session, &id, size, &[]).await.expect("opens");
    }
    let refused = stage.shell(&session, "s16", size, &[]).await.expect_err("too many");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
        "{refused:#}"
    );
    let mut person = stage.attach(&session, "s3").await;
    person.types("stty size; pwd\r").await;
    person.reads("20 90").await;
    person.reads("/workspace").await;
    stage.local.close_terminal(&session, "s3").await.expect("closes");
    assert!(
        stage
            .local
            .attach(&session, &attach("s3"))
            .await
            .expect("asks")
            .is_none()
    );
    for (terminal, why) in [("agent", "the agent's stays"), ("s3", "it is gone")] {
        assert!(stage.local.close_terminal(&session, terminal).await.is_err(), "{why}");
    }
    for id in ["../x", "", "agent"] {
        assert!(stage.shell(&session, id, size, &[]).await.is_err(), "{id:?}");
    }
}

#[tokio::test]
async fn a_program_that_asks_is_told_the_colours_of_the_page_and_so_are_those_opened_later() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("colors-aaaaa")).await;
    let colors = Colors {
        foreground: [0x23, 0x28, 0x33],
        background: [0xfc, 0xfc, 0xfd],
        cursor: [0x3b, 0x50, 0xc8],
    };
    // Asks for the ground, reads up to the backslash that ends the answer, and shows it without its escapes.
    let ask = "stty -echo; printf '\\033]11;?\\033\\\\'; IFS= read -r -d '\\' answer; echo \"<${answer#*;}>\" | tr -d '\\033'\r";
    let mut person = stage.attach(&session, "agent").await;
    let json = serde_json::to_string(&FromClient::Colors { colors }).expect("serialises");
    person.says(Message::Text(json)).await;
    person.types("exec bash --norc\r").await;
    person.types(ask).await;
    person.reads("<rgb:fcfc/fcfc/fdfd>").await;
    let opened = stage.shell(&session, "s1", Size::default(), &[]);
    opened.await.expect("opens");
    let mut beside = stage.attach(&session, "s1").await;
    beside.types("exec bash --norc\r").await;
    beside.types(ask).await;
    beside.reads("<rgb:fcfc/fcfc/fdfd>").await;
}

#[tokio::test]
async fn sizes_and_signals_reach_the_terminal_and_nonsense_is_refused() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("signal-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    stage
        .local
        .resize(&session, "agent", Size { cols: 101, rows: 33 })
        .await
        .expect("resizes");
    person
        .hears(|message| matches!(message, FromTerminal::Resized { size } if size.cols == 101).then_some(()))
        .await;
    person
        .types("stty size; bash -c \"trap 'echo int-se''en; exit' INT; echo rea''dy; while :; do sleep 1; done\"\r")
        .await;
    person.reads("33 101").await;
    person.reads("ready").await;
    stage.local.signal(&session, "agent", "INT").await.expect("signals");
    person.reads("int-seen").await;
    assert!(stage.local.signal(&session, "agent", "STOP").await.is_err());
    assert!(stage.local.signal(&session, "nobody", "INT").await.is_err());
}

#[tokio::test]
async fn garbage_from_a_viewer_is_refused_and_the_conversation_goes_on() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("garbage-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.says(Message::Text("{\"type\":\"nonsense\"}".to_owned())).await;
    let code = person.hears(|message| match message {
        FromTerminal::Refused { code, .. } => Some(code.clone()),
        _ => None,
    });
    assert_eq!(code.await, "invalid");
    person.says(Message::Binary(vec![9; 70_000].into())).await;
    person
        .hears(|message| matches!(message, FromTerminal::Refused { .. }).then_some(()))
        .await;
    person.types("echo al''ive\r").await;
    person.reads("alive").await;
}

#[tokio::test]
async fn a_flood_is_survived_and_interrupted() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("flood-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    // A second one never reads.
    let _silent = stage
        .local
        .attach(&session, &attach("agent"))
        .await
        .expect("asks")
        .expect("is there");
    person.types("yes flood\r").await;
    person.reads("flood\r\nflood\r\nflood").await;
    stage.local.signal(&session, "agent", "INT").await.expect("signals");
    person.types("\recho dr''ied\r").await;
    person.reads("dried").await;
}

#[tokio::test]
async fn who_has_no_key_is_not_served() {
    use futures::{SinkExt, StreamExt};
    use host::message::{Codec, Message};
    let mut stage = Stage::set();
    let session = stage.open(&wanted("key-aaaaa")).await;
    let socket = stage.data().join("run").join(format!("{session}.sock"));
    for key in [vec![0; 32], vec![]] {
        let stream = host::socket::connect(&socket).await.expect("connects");
        let mut connection = tokio_util::codec::Framed::new(stream, Codec);
        connection.send(Message::Binary(key.into())).await.expect("sent");
        let Some(Ok(Message::Text(answer))) = connection.next().await else {
            panic!("no answer")
        };
        assert!(String::from_utf8_lossy(&answer).contains("refused"));
        assert!(connection.next().await.is_none(), "and closed");
    }
}
