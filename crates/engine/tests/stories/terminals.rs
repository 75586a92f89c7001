use crate::house::House;
use bytes::Bytes;
use domain::{
    Role,
    session::{Phase, Sharing, Status},
    token::Mint,
    wire::{Exit, Frame, FromTerminal, Size},
};
use engine::{
    AttachAsk, Attachment, Error,
    ports::{Message, Observation},
};
use futures::{SinkExt as _, StreamExt as _};

async fn said(attachment: &mut Attachment) -> FromTerminal {
    match attachment.from_terminal.next().await.expect("it says something") {
        Message::Text(text) => serde_json::from_str(&text).expect("JSON"),
        Message::Binary(_) => panic!("bytes where words were expected"),
    }
}

async fn typed(attachment: &mut Attachment, bytes: &[u8]) {
    let frame = Frame::Input { at: 0, bytes }.encode();
    attachment
        .to_terminal
        .send(Message::Binary(frame.into()))
        .await
        .expect("it listens");
}

#[tokio::test]
async fn what_is_typed_comes_back() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    let mut attachment = house.engine.attach(&ada, &id, AttachAsk::default()).await.unwrap();
    assert!(matches!(
        said(&mut attachment).await,
        FromTerminal::Attached { may_type: true, .. }
    ));
    typed(&mut attachment, b"hello").await;
    let Some(Message::Binary(frame)) = attachment.from_terminal.next().await else {
        panic!("no echo")
    };
    assert_eq!(
        Frame::decode(&frame),
        Ok(Frame::Output {
            seq: 0,
            bytes: b"hello"
        })
    );
}

#[tokio::test]
async fn a_sleeping_session_shows_its_last_screen_and_wakes_only_at_a_keystroke() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let bob = house.person("local", "bob", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house.engine.share(&ada, &id, Sharing::Watch).await.unwrap();
    house.engine.suspend(&ada, &id).await.unwrap();

    let mut watching = house.engine.attach(&bob, &id, AttachAsk::default()).await.unwrap();
    assert!(matches!(
        said(&mut watching).await,
        FromTerminal::Attached {
            may_type: false,
            snapshot: true,
            ..
        }
    ));
    let Some(Message::Binary(frame)) = watching.from_terminal.next().await else {
        panic!("no screen")
    };
    let screen = Frame::Snapshot {
        seq: 0,
        size: Size { cols: 100, rows: 30 },
        ansi: b"the last screen",
    };
    assert_eq!(Frame::decode(&frame), Ok(screen));
    assert_eq!(said(&mut watching).await, FromTerminal::Asleep);
    typed(&mut watching, b"x").await;
    watching
        .to_terminal
        .send(Message::Text(r#"{"type":"ping","t":7}"#.into()))
        .await
        .unwrap();
    assert_eq!(said(&mut watching).await, FromTerminal::Pong { t: 7 });
    assert_eq!(
        house.engine.show(&ada, &id).await.unwrap().session.phase,
        Phase::Suspended,
        "who only watches wakes nothing"
    );

    let mut driving = house.engine.attach(&ada, &id, AttachAsk::default()).await.unwrap();
    typed(&mut driving, b"x").await;
    for attachment in [&mut driving, &mut watching] {
        let reconnect = loop {
            match attachment.from_terminal.next().await {
                Some(Message::Text(text)) if text.contains("reconnect") => break true,
                Some(_) => {}
                None => break false,
            }
        };
        assert!(reconnect, "everybody is told to come back");
    }
    house.until(&ada, &id, |view| view.status == Status::Running).await;
}

#[tokio::test]
async fn plain_clients_see_the_last_screen_as_bytes() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house.engine.suspend(&ada, &id).await.unwrap();
    let ask = AttachAsk {
        plain: true,
        ..AttachAsk::default()
    };
    let mut attachment = house.engine.attach(&ada, &id, ask).await.unwrap();
    let screen = attachment.from_terminal.next().await;
    assert_eq!(screen, Some(Message::Binary(Bytes::from_static(b"the last screen"))));
}

#[tokio::test]
async fn narrowing_what_is_shared_ends_what_it_allowed() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let bob = house.person("local", "bob", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house.engine.share(&ada, &id, Sharing::Drive).await.unwrap();
    let own = house.engine.attach(&ada, &id, AttachAsk::default()).await.unwrap();
    let guest = house.engine.attach(&bob, &id, AttachAsk::default()).await.unwrap();
    house.engine.share(&ada, &id, Sharing::Watch).await.unwrap();
    assert!(guest.revoked.is_cancelled() && !own.revoked.is_cancelled());
    let guest = house
        .engine
        .attach(&bob, &id, AttachAsk::default())
        .await
        .expect("watching is still allowed");
    house.engine.share(&ada, &id, Sharing::Private).await.unwrap();
    assert!(guest.revoked.is_cancelled());
    assert!(matches!(
        house.engine.attach(&bob, &id, AttachAsk::default()).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn a_revoked_token_loses_its_terminals_at_once() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    let minted = house
        .engine
        .mint_token(
            &ada,
            Mint {
                name: "ci".into(),
                ..Mint::default()
            },
        )
        .await
        .unwrap();
    let bot = house
        .engine
        .caller_of_token(&minted.secret)
        .await
        .unwrap()
        .expect("it holds");
    let attachment = house.engine.attach(&bot, &id, AttachAsk::default()).await.unwrap();
    house.engine.revoke_token(&ada, &minted.token.id).await.unwrap();
    assert!(attachment.revoked.is_cancelled());
    assert_eq!(house.engine.caller_of_token(&minted.secret).await.unwrap(), None);
}

#[tokio::test]
async fn shells_open_beside_the_agent_up_to_a_bound_and_the_agent_stays() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    let first = house
        .engine
        .open_terminal(&ada, &id, None, Size::default())
        .await
        .unwrap();
    assert_eq!(first.id, "shell-1");
    for _ in 0..14 {
        house
            .engine
            .open_terminal(&ada, &id, Some("more"), Size::default())
            .await
            .unwrap();
    }
    assert!(matches!(
        house.engine.open_terminal(&ada, &id, None, Size::default()).await,
        Err(Error::Conflict(_))
    ));
    house.engine.close_terminal(&ada, &id, "shell-1").await.unwrap();
    assert_eq!(
        house
            .engine
            .open_terminal(&ada, &id, None, Size::default())
            .await
            .unwrap()
            .id,
        "shell-1"
    );
    assert!(matches!(
        house.engine.close_terminal(&ada, &id, "agent").await,
        Err(Error::Conflict(_))
    ));
    let nowhere = AttachAsk {
        terminal: "shell-99".into(),
        ..AttachAsk::default()
    };
    assert!(matches!(
        house.engine.attach(&ada, &id, nowhere).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn an_agent_that_ends_leaves_a_stopped_session_that_can_be_started_again() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    assert!(matches!(
        house.engine.signal(&ada, &id, "agent", "USR1").await,
        Err(Error::Invalid(_))
    ));
    house.engine.signal(&ada, &id, "agent", "sighup").await.unwrap();
    let stopped = house.until(&ada, &id, |view| view.status == Status::Stopped).await;
    assert_eq!(
        stopped.session.phase,
        Phase::Ready,
        "its host still shows the last screen"
    );
    assert!(stopped.session.exit.is_some());
    // The server restarts, and the host tells it what it knew.
    let told = Observation::AgentExited {
        session: id.clone(),
        exit: stopped.session.exit.unwrap(),
    };
    house.runtime.see(told).await;
    house.engine.resume(&ada, &id).await.unwrap();
    let again = house.until(&ada, &id, |view| view.status == Status::Running).await;
    assert_eq!(again.session.exit, None);
    let entries = house.engine.activity(&ada, &id).await.unwrap();
    let ends = entries.iter().filter(|entry| entry.action == "session.agent-exited");
    assert_eq!(ends.count(), 1, "what is told twice is written once");
}

#[tokio::test]
async fn who_resumes_at_once_need_not_wait_until_the_exit_is_known() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house.runtime.end_quietly(&id, Exit::Code(0));
    house.engine.resume(&ada, &id).await.unwrap();
    house.until(&ada, &id, |view| view.status == Status::Running).await;
    assert_eq!(house.runtime.last_resumed(), Some(true));
}
