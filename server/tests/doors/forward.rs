//! Handing the audit on: a real receiver that fails, hangs, and comes back, while the server is stopped and started.

use crate::world::{PATIENCE, World};
use axum::{Router, body::Bytes, extract::State, routing::post};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, UdpSocket},
    sync::Notify,
};

const KEY: &str = "a key of enough bytes";

/// What the receiver does with its next requests.
#[derive(Default)]
struct Hook {
    asked: AtomicUsize,
    /// What it took, in order.
    taken: Mutex<Vec<i64>>,
    /// Tells that something came.
    came: Notify,
}

/// Refuses the first batch, takes the second without ever answering, and takes the rest.
async fn take(State(hook): State<Arc<Hook>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let asked = hook.asked.fetch_add(1, Ordering::SeqCst);
    let said = headers["x-sandbox-signature"].to_str().expect("text");
    let (seconds, signature) = said.trim_start_matches("t=").split_once(",v1=").expect("both parts");
    let signed = [seconds.as_bytes(), b".", &body].concat();
    assert_eq!(signature, identity::hmac_sha256(KEY.as_bytes(), &signed));
    let text = std::str::from_utf8(&body).expect("text");
    let entries: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let positions = entries
        .iter()
        .map(|entry| entry["position"].as_i64().expect("a position"));
    let last = positions.clone().next_back().expect("an entry");
    assert_eq!(headers["x-sandbox-position"].to_str().expect("text"), last.to_string());
    if asked == 0 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    hook.taken.lock().expect("a lock").extend(positions);
    hook.came.notify_one();
    if asked == 1 {
        std::future::pending::<()>().await;
    }
    StatusCode::NO_CONTENT
}

/// The last entry of all, by the API.
async fn newest(world: &World) -> i64 {
    let (_, list) = world.admin().await.get("/audit?fleet=true&limit=1").await;
    list["entries"][0]["position"].as_i64().expect("a position")
}

#[tokio::test]
async fn a_webhook_gets_every_entry_in_order_whoever_fails_in_between() {
    let hook = Arc::new(Hook::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let url = format!("http://{}/audit", listener.local_addr().expect("an address"));
    let router = Router::new().route("/audit", post(take)).with_state(hook.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, format!("{KEY}\n")).expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("a mode");

    let key = key.to_str().expect("text");
    let mut world = World::with(&["--audit-forward", &url, "--audit-forward-key", key]).await;
    let last = newest(&world).await;
    // Refused, then taken without a word: the server is stopped before it knows.
    let came = tokio::time::timeout(PATIENCE, hook.came.notified());
    came.await.expect("a batch came");
    let before = hook.taken.lock().expect("a lock").clone();
    world.restart().await;
    let until = async |last: i64| {
        let come = || {
            let taken = hook.taken.lock().expect("a lock");
            taken.len() > before.len() && taken.last() >= Some(&last)
        };
        let all = async {
            while !come() {
                hook.came.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("everything came");
    };
    until(last).await;
    let taken = hook.taken.lock().expect("a lock").clone();
    assert_eq!(
        taken[before.len()..][..before.len()],
        before,
        "what nobody answered for came again"
    );
    // More than fits into one batch.
    for _ in 0..450 {
        world.engine().sign_in_link(None, None).await.expect("a link");
    }
    let last = newest(&world).await;
    until(last).await;
    let taken = hook.taken.lock().expect("a lock").clone();
    let rest = &taken[before.len()..];
    assert_eq!(
        rest,
        (1..=*rest.last().expect("some")).collect::<Vec<_>>(),
        "each, once, in order"
    );
    // Another start goes on from there; at most what was under way comes again.
    world.restart().await;
    let last = newest(&world).await;
    until(last).await;
    let all = hook.taken.lock().expect("a lock").clone();
    assert!(all[taken.len()] > last - 200, "not from the beginning");
    let each: BTreeSet<i64> = all.into_iter().collect();
    assert!(
        each.into_iter().take_while(|position| *position <= last).eq(1..=last),
        "none is missing"
    );
}

/// The messages of one connection (RFC 6587, octet counting).
fn counted(mut text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    while !text.is_empty() {
        let (count, rest) = text.split_once(' ').expect("a count");
        let (message, rest) = rest.split_at(count.parse().expect("a number"));
        messages.push(message.to_owned());
        text = rest;
    }
    messages
}

fn position(message: &str) -> i64 {
    let (head, json) = message.split_once('\u{feff}').expect("a byte order mark");
    assert!(head.starts_with("<110>1 20"), "{head}");
    assert_eq!(head.split(' ').count(), 8, "{head}");
    let entry: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(head.split(' ').nth(5), entry["action"].as_str());
    entry["position"].as_i64().expect("a position")
}

#[tokio::test]
async fn syslog_over_tcp_gets_a_batch_again_that_it_did_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let url = format!("syslog+tcp://{}", listener.local_addr().expect("an address"));
    let world = World::with(&["--audit-forward", &url]).await;
    let take = async |whole: bool| {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        if !whole {
            // Closed over unread bytes: the other side is told that it broke.
            stream.readable().await.expect("bytes");
            return Vec::new();
        }
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("text");
        counted(&text)
    };
    let all = async {
        assert!(take(false).await.is_empty());
        let first: Vec<i64> = take(true).await.iter().map(|message| position(message)).collect();
        assert_eq!(first, (1..=first.len() as i64).collect::<Vec<_>>());
        world.admin().await;
        let then: Vec<i64> = take(true).await.iter().map(|message| position(message)).collect();
        assert_eq!(then[0], first.len() as i64 + 1);
    };
    tokio::time::timeout(PATIENCE, all).await.expect("it comes");
}

#[tokio::test]
async fn syslog_over_udp_gets_a_datagram_for_each_entry() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("listens");
    let url = format!("syslog+udp://{}", socket.local_addr().expect("an address"));
    let world = World::with(&["--audit-forward", &url]).await;
    world.admin().await;
    let mut bytes = vec![0; 65_536];
    for expected in 1..=3 {
        let read = tokio::time::timeout(PATIENCE, socket.recv(&mut bytes))
            .await
            .expect("it comes");
        let message = std::str::from_utf8(&bytes[..read.expect("a datagram")]).expect("text");
        assert_eq!(position(message), expected);
    }
}
