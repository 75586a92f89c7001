use crate::{
    socket::Socket,
    world::{Data, PATIENCE, Person, Proof, World, host_binary},
};
use domain::wire::FromTerminal;
use reqwest::{Method, StatusCode};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

#[tokio::test]
async fn a_restart_under_a_live_terminal_loses_and_doubles_nothing() {
    let mut world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("restart").await;
    let mut socket = Socket::framed(&admin, &id, "?client=c").await.expect("attached");
    // Prompts aside, so that the output is exactly these lines.
    socket
        .type_in("n=0; while [ $n -lt 20000 ]; do echo line-$n; n=$((n+1)); done; echo the-$((1+1))nd\r")
        .await;
    socket.until_shown("line-100\r\n").await;
    let mut events = admin.events(None).await;
    world.restart().await;
    assert!(matches!(socket.until_closed().await, Some(1012)));
    assert!(
        socket
            .said
            .iter()
            .any(|said| matches!(said, FromTerminal::Reconnect { .. }))
    );
    while events.next().await.is_some() {}

    let query = format!("?client=c&since={}&epoch={}", socket.seq, socket.epoch);
    let mut again = Socket::framed(&admin, &id, &query).await.expect("attached again");
    again
        .until_said(|said| matches!(said, FromTerminal::Attached { .. }))
        .await;
    if again
        .said
        .iter()
        .any(|said| matches!(said, FromTerminal::Attached { snapshot: false, .. }))
    {
        // What was missing comes exactly: both parts together are the whole.
        again.until_shown("the-2nd").await;
        let whole = [socket.output, again.output].concat();
        let whole = String::from_utf8(whole).expect("text");
        // The shell moves the cursor before the first line.
        let lines = whole.split("\r\n").map(|line| line.rsplit('\r').next().unwrap_or(line));
        let lines: Vec<_> = lines.filter(|line| line.starts_with("line-")).collect();
        let expected: Vec<_> = (0..20000).map(|n| format!("line-{n}")).collect();
        assert!(lines.iter().eq(expected.iter()), "{} lines", lines.len());
    } else {
        // So much came meanwhile that the host sent the screen instead; it ends as it has to.
        again.until_shown("the-2nd").await;
        assert!(again.shown.contains("line-19999"));
    }
}

#[tokio::test]
async fn what_is_typed_during_a_restart_is_typed_once() {
    let mut world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("typing").await;
    let mut socket = Socket::framed(&admin, &id, "?client=t").await.expect("attached");
    socket.type_in("echo one-$((0+1))\r").await;
    socket.until_shown("one-1").await;
    world.restart().await;
    let mut again = Socket::framed(&admin, &id, "?client=t").await.expect("attached again");
    again
        .until_said(|said| matches!(said, FromTerminal::Attached { input: 18, .. }))
        .await;
    // A client that did not hear the acknowledgement sends it all again, and goes on.
    again.type_in("echo one-$((0+1))\recho two-$((1+1))\r").await;
    again.until_shown("two-2").await;
    assert_eq!(again.shown.matches("one-1").count(), 1, "{:?}", again.shown);
}

/// The program itself.
pub(crate) struct Program {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(data: &Data) -> Self {
        Self::with(data, &[], Stdio::null())
    }

    fn with(data: &Data, args: &[&str], stderr: Stdio) -> Self {
        Self::at(data, "127.0.0.1:0", args, stderr)
    }

    /// One that listens there.
    pub(crate) fn at(data: &Data, listen: &str, args: &[&str], stderr: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox"))
            .args(["serve", "--listen", listen, "--print-link", "--data-dir"])
            .arg(data.path())
            .envs(data.environment())
            .arg("--host-binary")
            .arg(host_binary())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// The rest of the first line that begins so.
    pub(crate) async fn said(&mut self, begin: &str) -> String {
        let read = async {
            loop {
                let line = self.lines.next_line().await.expect("text").expect("a line");
                if let Some(rest) = line.strip_prefix(begin) {
                    return rest.to_owned();
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a line")
    }

    /// Who opens the printed link.
    pub(crate) async fn admin(&mut self) -> Person {
        let origin = self.said("Listening on ").await;
        let link = self.said("Sign in: ").await;
        let path = link.strip_prefix(&origin).expect("a link to here").to_owned();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let nobody = Person {
            http,
            origin,
            proof: Proof::Nothing,
        };
        let used = nobody.ask(Method::POST, &path).send().await.expect("an answer");
        assert_eq!(used.status(), StatusCode::SEE_OTHER);
        let cookie = used.headers()["set-cookie"].to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        Person {
            proof: Proof::Cookie(cookie),
            ..nobody
        }
    }
}

#[tokio::test]
async fn a_server_that_was_killed_finds_its_hosts_again() {
    let data = Data::new();
    let mut first = Program::start(&data);
    let admin = first.admin().await;
    let id = admin.open_shell("survivor").await;
    let mut socket = Socket::framed(&admin, &id, "").await.expect("attached");
    socket.type_in("kept=42; echo set-$((1+1))\r").await;
    socket.until_shown("set-2").await;
    first.child.kill().await.expect("killed");

    let mut second = Program::start(&data);
    let admin = second.admin().await;
    let (_, item) = admin.get(&format!("/sandbox/sessions/{id}")).await;
    assert_eq!(item["status"], "running");
    let mut socket = Socket::framed(&admin, &id, "").await.expect("attached");
    socket.until_shown("set-2").await;
    socket.type_in("echo still-$kept\r").await;
    socket.until_shown("still-42").await;
}

#[tokio::test]
async fn the_program_stops_in_order_when_it_is_told_to() {
    let data = Data::new();
    let mut program = Program::start(&data);
    let admin = program.admin().await;
    let _events = admin.events(None).await;
    let pid = program.child.id().expect("it runs").to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await.expect("sent");
    let status = tokio::time::timeout(PATIENCE, program.child.wait())
        .await
        .expect("it ends")
        .expect("it ended");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn the_log_never_tells_what_is_secret_even_when_it_tells_everything() {
    let data = Data::new();
    let path = data.path().join("log");
    let log = std::fs::File::create(&path).expect("a file");
    let args = ["--log", "trace", "--log-format", "json"];
    let mut program = Program::with(&data, &args, Stdio::from(log));
    let admin = program.admin().await;
    let (_, minted) = admin.post("/tokens", serde_json::json!({ "name": "ci" })).await;
    let secret = minted["token"].as_str().expect("a secret").to_owned();
    let bot = admin.with_token(&secret);
    let id = bot.open_shell("quiet").await;
    let mut socket = Socket::framed(&bot, &id, "").await.expect("attached");
    socket.type_in("echo key-$((1+1))-strokes\r").await;
    socket.until_shown("key-2-strokes").await;
    program.child.kill().await.expect("killed");

    let log = std::fs::read_to_string(&path).expect("a log");
    assert!(
        log.contains("/api/v1/sandbox/sessions/{id}/attach"),
        "it does tell of requests"
    );
    let Proof::Cookie(cookie) = &admin.proof else {
        panic!("a browser")
    };
    let cookie = cookie.split_once('=').expect("a value").1;
    for hidden in [&*secret, cookie, "sbl_", "key-2-strokes", "key-$((1+1))"] {
        assert!(!log.contains(hidden), "{hidden}");
    }
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON");
    }
}

#[tokio::test]
async fn a_later_link_leads_to_where_the_server_is() {
    let data = Data::new();
    let mut program = Program::start(&data);
    let origin = program.said("Listening on ").await;
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["sign-in-link", "--data-dir"])
        .arg(data.path())
        .envs(data.environment())
        .output()
        .await
        .expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with(&format!("Sign in: {origin}/sign-in/sbl_")), "{said}");
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused_with_a_sentence() {
    let data = Data::new();
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["serve", "--listen", "0.0.0.0:0", "--data-dir"])
        .arg(data.path())
        .envs(data.environment())
        .output()
        .await
        .expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("0.0.0.0:0") && said.contains("127.0.0.1"),
        "{said}"
    );
}
