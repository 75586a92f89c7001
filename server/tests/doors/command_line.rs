//! The program on a person's own machine, in a terminal of its own, against a server that is a process of its own.

mod line;

use crate::{
    stop::Program,
    world::{Data, PATIENCE, Person},
};
use bytes::Bytes;
use domain::{
    host::{Attach, TerminalSpec},
    wire::{Exit, Size},
};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tempfile::TempDir;
use terminal::{Attachment, Handle, Options};
use tokio::process::Command;

const SANDBOX: &str = env!("CARGO_BIN_EXE_sandbox");

/// Somebody's machine: a home, and the program.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a home"))
    }

    fn home(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// Runs the program where nobody sits at a terminal.
    async fn run(&self, args: &[&str]) -> Output {
        self.run_in(&[], args).await
    }

    /// The same, with these words in its environment.
    async fn run_in(&self, environment: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = Command::new(SANDBOX);
        let output = command
            .args(args)
            .env_clear()
            .env("HOME", self.home())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output();
        tokio::time::timeout(PATIENCE, output)
            .await
            .expect("it ends")
            .expect("it ran")
    }

    /// What it prints where it succeeds.
    async fn says(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// A terminal in which this runs.
    async fn sit_down(&self, script: &str, size: Size) -> Desk {
        self.sit_down_in(&[], script, size).await
    }

    /// The same, with these words in its environment.
    async fn sit_down_in(&self, environment: &[(&str, &str)], script: &str, size: Size) -> Desk {
        let usual = [
            ("HOME", self.home().to_str().expect("text")),
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm-256color"),
            ("SANDBOX", SANDBOX),
        ];
        let env = usual.iter().chain(environment);
        let spec = TerminalSpec {
            label: "desk".to_owned(),
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: self.home().to_owned(),
            env: env.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            secrets: Default::default(),
            record: false,
            size,
        };
        let options = Options {
            epoch: 1,
            scrollback: 10_000,
            colors: Default::default(),
            tap: None,
        };
        let handle = terminal::open(&spec, options).expect("a terminal");
        let attach = Attach {
            terminal: "desk".to_owned(),
            client: "test".to_owned(),
            person: "test".to_owned(),
            name: "test".to_owned(),
            may_type: false,
            since: None,
            epoch: None,
            history: 0,
            plain: true,
        };
        let looked = handle.attach(attach).await.expect("attached");
        Desk { handle, looked }
    }

    /// Signs the machine in, as a person at this browser would.
    async fn sign_in(&self, browser: &Person) {
        let script = format!(
            "\"$SANDBOX\" login --server {} --name desk; echo code-$?",
            browser.origin
        );
        let mut desk = self.sit_down(&script, WIDE).await;
        answer(&mut desk, browser, "approve").await;
        desk.until("code-0").await;
        assert!(
            desk.text()
                .await
                .contains(&format!("Signed in at {} as admin@localhost", browser.origin))
        );
        desk.handle.close().await;
    }
}

const WIDE: Size = Size { cols: 140, rows: 30 };

/// Answers the code that a terminal shows.
async fn answer(desk: &mut Desk, browser: &Person, answer: &str) {
    desk.until("and type the code ").await;
    let text = desk.text().await;
    let code = text
        .split("and type the code ")
        .nth(1)
        .expect("a code")
        .get(..9)
        .expect("a code")
        .to_owned();
    let request = browser
        .ask(Method::POST, "/device")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answered = request
        .body(format!("code={code}&answer={answer}"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answered.status(), StatusCode::OK);
}

/// A terminal on a person's machine, as its screen model sees it.
struct Desk {
    handle: Handle,
    looked: Attachment,
}

impl Desk {
    async fn type_in(&self, keys: &str) {
        assert!(self.handle.write(Bytes::from(keys.to_owned())).await.expect("it lives"));
    }

    /// The screen, as it would be drawn again.
    async fn screen(&self) -> String {
        let screen = self.handle.last_screen(0).await.expect("it lives");
        String::from_utf8(screen.ansi.to_vec()).expect("text")
    }

    /// The text of the screen.
    async fn text(&self) -> String {
        letters(&self.screen().await)
    }

    /// The text of everything that the terminal remembers.
    async fn history(&self) -> String {
        let screen = self.handle.last_screen(10_000).await.expect("it lives");
        letters(&String::from_utf8_lossy(&screen.ansi))
    }

    /// Waits for something new.
    async fn step(&mut self) {
        let message = tokio::time::timeout(PATIENCE, self.looked.messages.recv()).await;
        assert!(
            matches!(message, Ok(Some(_))),
            "nothing comes any more: {}",
            self.text().await
        );
    }

    /// Waits until the screen shows this.
    async fn until(&mut self, text: &str) {
        while !self.text().await.contains(text) {
            self.step().await;
        }
    }

    /// Waits until the window's title says this.
    async fn until_titled(&self, text: &str) {
        let mut changes = self.handle.changes();
        let titled = changes.wait_for(|status| status.title.contains(text));
        let titled = tokio::time::timeout(PATIENCE, titled).await.is_ok();
        let title = self.handle.status().title;
        assert!(titled, "{text} was waited for, it is {title:?}: {}", self.text().await);
    }

    /// The process that the shell of this terminal waits for.
    fn child(&self) -> u32 {
        let shell = self.handle.status().pid;
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).expect("a shell");
        children.trim().parse().expect("one child")
    }

    async fn signal_child(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.child().to_string()])
            .status()
            .await;
        assert!(sent.expect("kill").success());
    }

    /// Waits until the kernel says that the child stands still.
    async fn until_child_stopped(&self) {
        let look = async {
            loop {
                let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child())).expect("a child");
                if stat
                    .rsplit(')')
                    .next()
                    .is_some_and(|rest| rest.trim_start().starts_with('T'))
                {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("it stops");
    }
}

/// What is left when everything that is no letter is taken out.
fn letters(ansi: &str) -> String {
    let (mut text, mut rest) = (String::new(), ansi);
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        let end = match after.as_bytes().first() {
            Some(b'[') => after.find(|letter: char| letter.is_ascii_alphabetic() || "@`{}~".contains(letter)),
            // Ended by a bell, or by an escape and a backslash.
            Some(b']') => after
                .find(['\u{7}', '\u{1b}'])
                .map(|at| at + usize::from(after.as_bytes()[at] == 0x1b)),
            Some(b'(' | b')' | b'#') => Some(1),
            _ => Some(0),
        };
        rest = end.and_then(|end| after.get(end + 1..)).unwrap_or_default();
    }
    text.push_str(rest);
    text.replace("\r\n", "\n")
}

/// A server, and the browser of its first admin.
async fn served(data: &Data) -> (Program, Person) {
    let mut server = Program::at(data, "127.0.0.1:0", &[], Stdio::null());
    let browser = server.admin().await;
    (server, browser)
}

/// Leaves the terminal as it was found, and notes what was found.
const ATTACH: &str = "stty -g > before; \"$SANDBOX\" sessions attach work; echo code-$?; stty -g > after; echo over";

fn is_as_before(machine: &Machine) {
    let read = |name: &str| std::fs::read_to_string(machine.file(name)).expect("noted");
    assert_eq!(read("before"), read("after"));
}

#[tokio::test]
async fn a_laptops_terminal_is_one_more_device_and_nothing_is_lost_when_the_server_dies() {
    let (data, machine) = (Data::new(), Machine::new());
    let (mut server, browser) = served(&data).await;
    machine.sign_in(&browser).await;
    let opened = machine
        .says(&["sessions", "open", "--agent", "shell", "--name", "work", "--json"])
        .await;
    let opened: Value = serde_json::from_str(&opened).expect("JSON");
    let id = opened["id"].as_str().expect("an id").to_owned();

    let mut desk = machine.sit_down(ATTACH, Size { cols: 100, rows: 30 }).await;
    desk.until_titled("work").await;
    // What is typed before the window's size has arrived is not lost: the program waits for it.
    desk.type_in("until [ \"$(stty size)\" = '30 100' ]; do :; done; echo hello-$((40+2))\r")
        .await;
    desk.until("hello-42").await;

    // The window is made smaller, and so is the program's.
    desk.type_in("until [ \"$(stty size)\" = '25 90' ]; do :; done; echo re-$((1+1))-sized\r")
        .await;
    desk.handle.resize(Size { cols: 90, rows: 25 }).await.expect("it lives");
    desk.until("re-2-sized").await;

    // A program takes the whole screen and the mouse; who leaves has neither.
    desk.type_in(
        "printf '\\033[?1049h\\033[?2004h\\033[?1000h\\033[H\\033[31mwhole-%s-screen\\033[K' $((1+1)); read x\r",
    )
    .await;
    desk.until("whole-2-screen").await;
    let before = desk.screen().await;
    assert!(before.contains("\x1b[?47h") && before.contains("\x1b[?2004h") && before.contains("\x1b[?1000h"));
    desk.type_in("\x1d").await;
    desk.until("over").await;
    let after = desk.screen().await;
    let text = letters(&after);
    assert!(
        text.contains(&format!("work runs on. To come back: sandbox sessions attach {id}")),
        "{text}"
    );
    assert!(text.contains("code-0"), "{text}");
    for mode in ["\x1b[?47h", "\x1b[?2004h", "\x1b[?1000h"] {
        assert!(!after.contains(mode), "{mode}: {after:?}");
    }
    is_as_before(&machine);

    // Whoever comes back finds the very same screen.
    let mut desk = machine.sit_down(ATTACH, Size { cols: 90, rows: 25 }).await;
    desk.until("whole-2-screen").await;
    desk.until_titled("work").await;
    // (What a combining mark would join is no part of what is seen.)
    let seen = |screen: &str| screen.trim_end_matches("\u{1b}\\").to_owned();
    assert_eq!(seen(&desk.screen().await), seen(&before));
    desk.type_in("\rprintf '\\033[?1000l\\033[?2004l\\033[?1049l'; echo back-$((1+1))\r")
        .await;
    desk.until("back-2").await;

    // The server is killed while the program writes and the person types.
    let listen = browser.origin.strip_prefix("http://").expect("an address").to_owned();
    // (Without an echo, which would come in the middle of a line.)
    let lines = "stty -echo; n=0; while [ $n -lt 4000 ]; do echo line-$n; n=$((n+1)); done; echo the-$((1+1))nd\r";
    desk.type_in(lines).await;
    desk.until("line-").await;
    server.child.kill().await.expect("killed");
    desk.until_titled("connection lost").await;
    desk.type_in("echo typed-$((50+5))-while-away\r").await;
    let mut server = Program::at(&data, &listen, &[], Stdio::null());
    let browser = server.admin().await;
    desk.until("typed-55-while-away").await;
    desk.until_titled("work").await;
    let output = desk.history().await;
    let numbers: Vec<_> = output
        .lines()
        .filter_map(|line| line.rsplit('\r').next()?.strip_prefix("line-"))
        .collect();
    let expected: Vec<String> = (0..4000).map(|n| n.to_string()).collect();
    let first = numbers.iter().zip(&expected).find(|(came, wanted)| came != wanted);
    assert!(
        numbers.len() == expected.len() && first.is_none(),
        "every line comes once: {} {first:?}",
        numbers.len()
    );
    assert_eq!(
        output.matches("typed-55-while-away").count(),
        1,
        "and what was typed was typed once"
    );

    // To look at a session that sleeps does not wake it, a key does.
    desk.type_in("\x1d").await;
    desk.until("over").await;
    is_as_before(&machine);
    machine.says(&["sessions", "stop", "wor"]).await;
    let mut desk = machine.sit_down(ATTACH, Size { cols: 90, rows: 25 }).await;
    desk.until_titled("asleep").await;
    desk.until("typed-55-while-away").await;
    desk.type_in("x").await;
    desk.until_titled("leaves it running").await;
    desk.type_in("echo awake-$((1+1))\r").await;
    desk.until("awake-2").await;
    desk.type_in("\x1d").await;
    desk.until("over").await;
    is_as_before(&machine);

    let (_, list) = browser.get("/tokens").await;
    assert_eq!(list["tokens"][0]["name"], "desk (sandbox command line)");
    machine.says(&["sessions", "delete", "work", "--yes"]).await;
    assert_eq!(
        browser.get(&format!("/sandbox/sessions/{id}")).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn whatever_ends_it_the_terminal_is_given_back_as_it_was() {
    let (data, machine) = (Data::new(), Machine::new());
    let (_server, browser) = served(&data).await;
    machine.sign_in(&browser).await;
    let id = browser.open_shell("work").await;
    for (signal, code) in [("-TERM", 143), ("-HUP", 129), ("-INT", 130), ("-QUIT", 131)] {
        let mut desk = machine.sit_down(ATTACH, WIDE).await;
        desk.type_in("echo here-$((1+1))\r").await;
        desk.until("here-2").await;
        desk.signal_child(signal).await;
        desk.until("over").await;
        assert!(
            desk.text().await.contains(&format!("code-{code}")),
            "{}",
            desk.text().await
        );
        is_as_before(&machine);
    }
    // Stopped it is the shell's; continued it is the session's again, as it is by then.
    let mut desk = machine.sit_down(ATTACH, WIDE).await;
    desk.type_in("echo once-$((1+1))\r").await;
    desk.until("once-2").await;
    desk.signal_child("-TSTP").await;
    desk.until_child_stopped().await;
    desk.signal_child("-CONT").await;
    desk.type_in("echo again-$((1+1))\r").await;
    desk.until("again-2").await;
    // The program ends, and says how.
    desk.type_in("exit 7\r").await;
    desk.until("over").await;
    let text = desk.text().await;
    assert!(
        text.contains("has ended with status 7") && text.contains(&format!("sandbox sessions resume {id}")),
        "{text}"
    );
    is_as_before(&machine);
    // The sign-in is revoked while somebody is attached.
    machine.says(&["sessions", "resume", &id]).await;
    let mut desk = machine.sit_down(ATTACH, WIDE).await;
    desk.type_in("echo still-$((1+1))\r").await;
    desk.until("still-2").await;
    let (_, list) = browser.get("/tokens").await;
    let path = format!("/tokens/{}", list["tokens"][0]["id"].as_str().expect("an id"));
    browser.api(Method::DELETE, &path, None).await;
    desk.until("over").await;
    let text = desk.text().await;
    assert!(
        text.contains("sandbox login --server") && text.contains("code-3"),
        "{text}"
    );
    is_as_before(&machine);
}

#[tokio::test]
async fn what_is_printed_is_for_eyes_or_exactly_what_the_api_said() {
    let (data, machine) = (Data::new(), Machine::new());
    let (_server, browser) = served(&data).await;
    let output = machine.run(&["sessions", "list"]).await;
    assert_eq!(output.status.code(), Some(3), "nobody is signed in: {output:?}");
    machine.sign_in(&browser).await;
    let file = machine.file(".config/sandbox/credentials.json");
    assert_eq!(
        std::fs::metadata(&file).expect("kept").permissions().mode() & 0o777,
        0o600
    );

    let id = browser.open_shell("first").await;
    browser.open_shell("fifth").await;
    let agents = browser
        .ask(Method::GET, "/api/v1/agents")
        .send()
        .await
        .expect("an answer");
    let agents = agents.text().await.expect("text");
    assert_eq!(machine.says(&["agents", "--json"]).await, format!("{agents}\n"));
    let table = machine.says(&["agents"]).await;
    assert!(
        table.starts_with("AGENT") && table.contains("shell") && !table.contains('\x1b'),
        "{table}"
    );
    let table = machine
        .says(&["sessions", "list", "--search", "fi", "--status", "running"])
        .await;
    assert!(
        table.contains("first  running  shell") && table.contains("fifth  running  shell"),
        "{table}"
    );
    let list: Value = serde_json::from_str(&machine.says(&["sessions", "list", "--json"]).await).expect("JSON");
    assert_eq!(list["total"], 2);
    let usage = machine.says(&["usage", "--days", "1"]).await;
    assert!(usage.starts_with("SESSION") && usage.contains("all"), "{usage}");

    for (args, code, word) in [
        (&["sessions", "stop", "fi"][..], 4, &*id),
        (&["sessions", "stop", "nothing"], 4, "sandbox sessions list"),
        (&["sessions", "attach", "first"], 1, "--read-only"),
        (&["sessions", "delete", "first"], 1, "--yes"),
        (&["sessions", "open", "--agent", "none"], 1, "agent"),
        (&["sessions", "open"], 2, "--agent"),
        (
            &["agents", "--server", "http://127.0.0.1:9"],
            3,
            "sandbox login --server http://127.0.0.1:9",
        ),
        (&["login", "--server", "http://127.0.0.1:9"], 5, "cannot be reached"),
    ] {
        let output = machine.run(args).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(code) && said.contains(word),
            "{args:?}: {output:?}"
        );
        assert!(output.stdout.is_empty(), "{args:?}: {output:?}");
    }

    // Programs bring their own token, and leave no trace.
    let (_, minted) = browser.post("/tokens", serde_json::json!({ "name": "ci" })).await;
    let elsewhere = Machine::new();
    let mut command = Command::new(SANDBOX);
    command
        .args(["sessions", "list", "--json"])
        .env_clear()
        .env("HOME", elsewhere.home());
    command
        .env("SANDBOX_SERVER", &browser.origin)
        .env("SANDBOX_TOKEN", minted["token"].as_str().expect("a secret"));
    let output = command.output().await.expect("it ran");
    assert!(output.status.success(), "{output:?}");
    assert!(!elsewhere.file(".config").exists());

    let entry: Value = serde_json::from_slice(&std::fs::read(&file).expect("kept")).expect("JSON");
    let token = entry["servers"][0]["token"].as_str().expect("a token");
    machine.says(&["logout"]).await;
    assert_eq!(browser.with_token(token).get("/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(machine.run(&["agents"]).await.status.code(), Some(3));
}

#[tokio::test]
async fn whoever_only_looks_writes_what_is_shown_wherever_they_like() {
    use tokio::io::AsyncReadExt as _;
    let (data, machine) = (Data::new(), Machine::new());
    let (_server, browser) = served(&data).await;
    let (_, minted) = browser.post("/tokens", serde_json::json!({ "name": "log" })).await;
    let id = browser.open_shell("work").await;
    let mut command = Command::new(SANDBOX);
    command
        .args(["sessions", "attach", &id, "--read-only"])
        .env_clear()
        .env("HOME", machine.home());
    command
        .env("SANDBOX_SERVER", &browser.origin)
        .env("SANDBOX_TOKEN", minted["token"].as_str().expect("a secret"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut typist = crate::socket::Socket::framed(&browser, &id, "")
        .await
        .expect("attached");
    typist.type_in("printf 'shown-%s\\n' $((40+2)); exit\r").await;
    let mut written = Vec::new();
    let mut out = child.stdout.take().expect("a pipe");
    tokio::time::timeout(PATIENCE, out.read_to_end(&mut written))
        .await
        .expect("it ends")
        .expect("read");
    assert!(String::from_utf8_lossy(&written).contains("shown-42"));
    let status = child.wait().await.expect("it ended");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_machine_that_was_denied_is_not_signed_in() {
    let (data, machine) = (Data::new(), Machine::new());
    let (_server, browser) = served(&data).await;
    let script = format!("\"$SANDBOX\" login --server {}; echo code-$?", browser.origin);
    let mut desk = machine.sit_down(&script, WIDE).await;
    answer(&mut desk, &browser, "deny").await;
    desk.until("code-1").await;
    assert!(desk.text().await.contains("You said no to this machine"));
    assert!(!machine.file(".config").exists());
    assert_eq!(
        tokio::time::timeout(PATIENCE, desk.handle.ended())
            .await
            .expect("it ends"),
        Ok(Exit::Code(0))
    );
}
