//! A server of one's own, and people who use it.

use clap::Parser as _;
use domain::Role;
use futures::StreamExt as _;
use reqwest::{Method, RequestBuilder, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use server::{
    Running,
    config::{Cli, Command, Serve},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use testbed::postgres::Database;

/// Longer than anything here takes; only reached when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server, its data, and what runs in it; all of it ends with the test.
pub(crate) struct World {
    running: Option<Running>,
    args: Vec<String>,
    pub(crate) data: Data,
}

/// What a server keeps: a folder and, where the suite is lived on PostgreSQL, a database there. Both go with the test, and
/// with them the hosts that run in the folder, which outlive their server on purpose.
pub(crate) struct Data {
    folder: TempDir,
    database: Option<Database>,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::Builder::new().prefix("sbx").tempdir().expect("a folder"),
            database: testbed::database(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the store is.
    pub(crate) fn store(&self) -> store::Options {
        store::Options {
            database_url: self.database.as_ref().map(|database| database.url().to_owned()),
            ..store::Options::default()
        }
    }

    /// The same for the program, as its environment.
    pub(crate) fn environment(&self) -> Option<(&'static str, &str)> {
        Some(("DATABASE_URL", self.database.as_ref()?.url()))
    }

    /// The database, where it is none of the folder's files.
    pub(crate) const fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// All that the database holds, where it is none of the folder's files.
    pub(crate) fn dumped(&self) -> Vec<u8> {
        self.database.as_ref().map(Database::dumped).unwrap_or_default()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        end_hosts(&self.path().join("sessions"));
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A server with these arguments.
    pub(crate) async fn with(args: &[&str]) -> Self {
        let data = Data::new();
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let running = start(&data, "127.0.0.1:0", &args).await;
        Self {
            running: Some(running),
            args,
            data,
        }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub(crate) fn engine(&self) -> &engine::Engine {
        &self.running().engine
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.running().address)
    }

    /// Stops the server in order, as SIGTERM does.
    pub(crate) async fn stop(&mut self) -> String {
        let running = self.running.take().expect("it runs");
        let address = running.address.to_string();
        tokio::time::timeout(PATIENCE, running.stop())
            .await
            .expect("a stop ends");
        address
    }

    /// Stops it and starts it again at the same address.
    pub(crate) async fn restart(&mut self) {
        let address = self.stop().await;
        self.running = Some(start(&self.data, &address, &self.args).await);
    }

    /// A browser that the first admin has signed in with.
    pub(crate) async fn admin(&self) -> Person {
        self.signed_in(None).await
    }

    /// A browser of a member with this role in this Organization.
    pub(crate) async fn member(&self, org: &str, email: &str, role: Role) -> Person {
        let name = email.split('@').next().unwrap_or_default();
        self.engine()
            .add_member(org, email, name, role)
            .await
            .expect("a member");
        self.signed_in(Some(email)).await
    }

    async fn signed_in(&self, email: Option<&str>) -> Person {
        let link = self.engine().sign_in_link(email, None).await.expect("a link");
        let person = self.nobody();
        let answer = person
            .ask(Method::POST, &format!("/sign-in/{}", link.secret))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        Person {
            proof: Proof::Cookie(cookie),
            ..person
        }
    }

    /// Somebody who is not signed in.
    pub(crate) fn nobody(&self) -> Person {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Person {
            http,
            origin: self.origin(),
            proof: Proof::Nothing,
        }
    }
}

/// Ends every host that runs in this folder.
fn end_hosts(sessions: &Path) {
    let folders = std::fs::read_dir(sessions).into_iter().flatten().flatten();
    for folder in folders {
        let said = std::fs::read(folder.path().join("host/host.json")).ok();
        let said = said.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
        if let Some(pid) = said.and_then(|json| json["pid"].as_u64()) {
            let _ = std::process::Command::new("kill")
                .args(["-TERM", &pid.to_string()])
                .output();
        }
    }
}

/// The host's program, which is built before these tests run.
pub(crate) fn host_binary() -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let built = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("a target folder")
        .join("sandbox-host");
    let binary = std::env::var_os("SANDBOX_HOST_BINARY").map_or(built, PathBuf::from);
    assert!(
        binary.exists(),
        "{} is missing: build it first with `cargo build -p host`",
        binary.display()
    );
    binary
}

async fn start(data: &Data, listen: &str, args: &[String]) -> Running {
    let host = host_binary();
    let fixed = [
        "sandbox",
        "serve",
        "--listen",
        listen,
        "--host-binary",
        host.to_str().expect("text"),
    ];
    let line = fixed.into_iter().map(str::to_owned).chain(args.iter().cloned());
    let Command::Serve(options) = Cli::try_parse_from(line).expect("good arguments").command else {
        unreachable!("it says serve");
    };
    let Serve {
        doors,
        installation,
        identity,
        runtime,
        forward,
        ..
    } = *options;
    server::start(
        data.path(),
        doors,
        installation,
        &identity,
        data.store(),
        runtime,
        forward,
    )
    .await
    .expect("it starts")
}

/// Somebody with a client.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) http: reqwest::Client,
    pub(crate) origin: String,
    pub(crate) proof: Proof,
}

/// How they prove who they are.
#[derive(Clone)]
pub(crate) enum Proof {
    Nothing,
    /// As `name=value`.
    Cookie(String),
    Token(String),
}

impl Person {
    /// A program that uses this person's token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            proof: Proof::Token(token.to_owned()),
            ..self.clone()
        }
    }

    /// The header that proves who they are.
    pub(crate) fn header(&self) -> Option<(&'static str, String)> {
        match &self.proof {
            Proof::Nothing => None,
            Proof::Cookie(cookie) => Some(("cookie", cookie.clone())),
            Proof::Token(token) => Some(("authorization", format!("Bearer {token}"))),
        }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.origin))
            .timeout(PATIENCE);
        match self.header() {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }

    /// What the API answers: the status, and the JSON (or `null`).
    pub(crate) async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = self.ask(method, &format!("/api/v1{path}"));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        answer(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.api(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.api(Method::POST, path, Some(body)).await
    }

    /// Follows what happens, from now on or after a position.
    pub(crate) async fn events(&self, after: Option<&str>) -> Events {
        let mut request = self.http.get(format!("{}/api/v1/events", self.origin));
        if let Some((name, value)) = self.header() {
            request = request.header(name, value);
        }
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        Events {
            chunks: answer.bytes_stream().boxed(),
            text: String::new(),
        }
    }

    /// Opens a session with a shell and waits until it runs.
    pub(crate) async fn open_shell(&self, name: &str) -> String {
        let mut events = self.events(None).await;
        let (status, item) = self
            .post("/sandbox/sessions", json!({ "agent": "shell", "name": name }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{item}");
        let id = item["id"].as_str().expect("an id").to_owned();
        self.until_status(&mut events, &id, "running").await;
        id
    }

    /// Waits until a session has this status: looks again whenever something has happened.
    pub(crate) async fn until_status(&self, events: &mut Events, id: &str, wanted: &str) {
        let look = async {
            loop {
                let (_, item) = self.get(&format!("/sandbox/sessions/{id}")).await;
                if item["status"] == wanted {
                    return;
                }
                assert!(item["status"] != "failed", "{item}");
                events.next().await.expect("an event");
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("it comes to be");
    }
}

/// The status and JSON of a request's answer.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let bytes = answer.bytes().await.expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// A live stream of events.
pub(crate) struct Events {
    chunks: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

/// One of them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Events {
    /// The next event; comments are passed over. `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let mut event = Event::default();
                for line in block.lines() {
                    match line.split_once(": ").unwrap_or((line, "")) {
                        ("id", id) => event.id = Some(id.to_owned()),
                        ("event", name) => event.name = name.to_owned(),
                        ("data", data) => event.data = serde_json::from_str(data).expect("JSON"),
                        _ => {}
                    }
                }
                self.text = rest.to_owned();
                if !event.name.is_empty() {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.chunks.next())
                .await
                .expect("an event")?;
            self.text.push_str(core::str::from_utf8(&chunk.ok()?).expect("text"));
        }
    }

    /// The next event of the outbox: touches are passed over.
    pub(crate) async fn next_kept(&mut self) -> Option<Event> {
        loop {
            let event = self.next().await?;
            if event.id.is_some() {
                return Some(event);
            }
        }
    }
}
