use crate::{
    socket::Socket,
    world::{World, answer},
};
use domain::{
    Role,
    wire::{self, Frame, FromTerminal},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn what_is_typed_comes_back_and_is_there_for_who_comes_later() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("framed").await;
    let mut desk = Socket::framed(&admin, &id, "?client=desk").await.expect("attached");
    assert_eq!(desk.protocol.as_deref(), Some(wire::SUBPROTOCOL));
    desk.type_in("echo answer-$((40+2))\r").await;
    desk.until_shown("answer-42").await;
    desk.until_said(|said| matches!(said, FromTerminal::InputAck { .. }))
        .await;
    let mut phone = Socket::framed(&admin, &id, "?client=phone").await.expect("attached");
    phone.until_shown("answer-42").await;
    // Two viewers, one terminal: what one types, both see.
    desk.type_in("echo both-$((1+1))\r").await;
    phone.until_shown("both-2").await;
}

#[tokio::test]
async fn the_plain_form_shows_the_screen_and_then_raw_bytes_both_ways() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("plain").await;
    let mut socket = Socket::plain(&admin, &id).await.expect("attached");
    assert_eq!(socket.protocol, None);
    socket.send(Message::Text("echo text-$((40+2))\r".into())).await;
    socket.until_shown("text-42").await;
    socket.send(Message::Binary("echo bytes-$((40+2))\r".into())).await;
    socket.until_shown("bytes-42").await;
    // The first message of a later one is the screen as it is.
    let mut later = Socket::plain(&admin, &id).await.expect("attached");
    later.until_shown("bytes-42").await;
}

#[tokio::test]
async fn a_program_attaches_with_its_token_where_it_cannot_set_headers() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("token").await;
    let (_, minted) = admin.post("/tokens", json!({ "name": "ci" })).await;
    let bearer = format!("bearer.{}", minted["token"].as_str().expect("a secret"));
    for protocol in [wire::SUBPROTOCOL, "sandbox.terminal.plain"] {
        let socket = Socket::open(&world.nobody(), &id, "", &[protocol, &bearer], &[])
            .await
            .expect("attached");
        assert_eq!(socket.protocol.as_deref(), Some(protocol), "the token is never echoed");
    }
    let address = format!(
        "/api/v1/sandbox/sessions/{id}?access_token={}",
        minted["token"].as_str().expect("a secret")
    );
    assert_eq!(
        answer(world.nobody().ask(Method::GET, &address)).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn another_sites_page_cannot_attach() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("origin").await;
    let refused = Socket::open(&admin, &id, "", &[], &[("origin", "https://evil.test")])
        .await
        .err()
        .expect("refused");
    assert_eq!(refused.status(), StatusCode::FORBIDDEN.as_u16());
    let origin = world.origin();
    assert!(Socket::open(&admin, &id, "", &[], &[("origin", &origin)]).await.is_ok());
}

#[tokio::test]
async fn a_session_that_is_not_ones_own_looks_absent() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let bob = world.member("acme", "bob@acme.test", Role::Developer).await;
    let id = ada.open_shell("private").await;
    for session in [id.as_str(), "never-was"] {
        let refused = Socket::framed(&bob, session, "").await.err().expect("refused");
        assert_eq!(refused.status(), StatusCode::NOT_FOUND.as_u16());
    }
}

#[tokio::test]
async fn who_may_only_watch_is_refused_by_the_server_and_sent_away_when_sharing_ends() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let bob = world.member("acme", "bob@acme.test", Role::Developer).await;
    let id = ada.open_shell("shared").await;
    let path = format!("/sandbox/sessions/{id}");
    ada.api(Method::PATCH, &path, Some(json!({ "sharing": "watch" }))).await;
    let mut watcher = Socket::framed(&bob, &id, "").await.expect("attached");
    watcher
        .until_said(|said| matches!(said, FromTerminal::Attached { may_type: false, .. }))
        .await;
    watcher.type_in("echo never\r").await;
    watcher
        .until_said(|said| matches!(said, FromTerminal::Refused { .. }))
        .await;
    let mut owner = Socket::framed(&ada, &id, "").await.expect("attached");
    owner.type_in("echo mine-$((1+1))\r").await;
    watcher.until_shown("mine-2").await;
    assert!(!watcher.shown.contains("never"));
    ada.api(Method::PATCH, &path, Some(json!({ "sharing": "private" })))
        .await;
    assert_eq!(watcher.until_closed().await, Some(1012));
    assert!(
        watcher
            .said
            .iter()
            .any(|said| matches!(said, FromTerminal::Reconnect { .. }))
    );
    assert!(Socket::framed(&bob, &id, "").await.is_err());
}

#[tokio::test]
async fn garbage_ends_the_socket_that_sent_it_and_nothing_else() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("garbage").await;
    let mut bystander = Socket::framed(&admin, &id, "?client=by").await.expect("attached");
    let from_terminal = Frame::Output { seq: 0, bytes: b"x" }.encode();
    let too_long = [&[3_u8, 0, 0, 0, 0, 0, 0, 0, 0][..], &vec![b'x'; wire::MAX_CHUNK + 1]].concat();
    for (message, code) in [
        (Message::Text("{".into()), 1007),
        (Message::Text(r#"{"type":"launch"}"#.into()), 1007),
        (Message::Binary(vec![].into()), 1007),
        (Message::Binary(vec![9; 40].into()), 1007),
        (Message::Binary(too_long.into()), 1007),
        (Message::Binary(from_terminal.into()), 1002),
        (Message::Text("x".repeat(wire::MAX_CLIENT_MESSAGE + 1).into()), 1009),
    ] {
        let mut socket = Socket::framed(&admin, &id, "").await.expect("attached");
        socket.send(message).await;
        assert_eq!(socket.until_closed().await, Some(code));
    }
    let mut socket = Socket::framed(&admin, &id, "").await.expect("attached");
    socket.try_send(Message::Binary(vec![3; 10 * 1024 * 1024].into())).await;
    // So much is under way that the goodbye may be lost; the socket is not kept.
    assert!(matches!(socket.until_closed().await, Some(1009) | None));
    bystander.type_in("echo still-$((1+1))\r").await;
    bystander.until_shown("still-2").await;
}

#[tokio::test]
async fn two_hundred_sockets_of_one_person_leave_room_for_others() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let bob = world.member("acme", "bob@acme.test", Role::Developer).await;
    let (hers, his) = (ada.open_shell("hers").await, bob.open_shell("his").await);
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..200 {
        match Socket::framed(&ada, &hers, "").await {
            Ok(socket) => held.push(socket),
            Err(answer) => {
                assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS.as_u16());
                refused += 1;
            }
        }
    }
    assert_eq!((held.len(), refused), (64, 136));
    let mut other = Socket::framed(&bob, &his, "").await.expect("attached");
    other.type_in("echo room-$((1+1))\r").await;
    other.until_shown("room-2").await;
}

#[tokio::test]
async fn to_look_at_a_sleeping_session_does_not_wake_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("sleeper").await;
    let mut socket = Socket::framed(&admin, &id, "").await.expect("attached");
    socket.type_in("echo dream-$((1+1))\r").await;
    socket.until_shown("dream-2").await;
    admin.post(&format!("/sandbox/sessions/{id}/suspend"), json!({})).await;
    let mut look = Socket::framed(&admin, &id, "").await.expect("attached");
    look.until_said(|said| *said == FromTerminal::Asleep).await;
    look.until_shown("dream-2").await;
    assert_eq!(
        admin.get(&format!("/sandbox/sessions/{id}")).await.1["phase"],
        "Suspended"
    );
}
