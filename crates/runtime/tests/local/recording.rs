//! Recordings: what is in them, what is not, and what they live through.

use super::stage::{PATIENCE, Stage, shell, wanted};
use domain::SessionId;
use domain::secret::{Kind, Value};
use domain::wire::Size;
use engine::ports::{Delivered, Observation, Runtime, Shell};
use futures::TryStreamExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

const CANARY: &str = "canary-4711-and-more";

fn key(value: &str) -> Delivered {
    Delivered {
        kind: Kind::Env,
        name: "KEY".to_owned(),
        value: Value::new(value),
    }
}

/// One line: when, what kind, and what.
type Line = (f64, String, String);

/// The lines of a recording after its head, which is checked.
async fn lines(stage: &Stage, session: &SessionId, terminal: &str) -> Vec<Line> {
    let found = stage.local.recording(session, terminal).await.expect("an answer");
    let Some(recording) = found else { return Vec::new() };
    let pieces: Vec<_> = recording.read.try_collect().await.expect("reads");
    let text = String::from_utf8(pieces.concat()).expect("text");
    assert_eq!(text.len() as u64, recording.bytes, "as long as was promised");
    let mut lines = text.lines();
    let head: serde_json::Value = serde_json::from_str(lines.next().expect("a head")).expect("JSON");
    assert_eq!(head["version"], 2);
    let lines: Vec<Line> = lines.map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert!(lines.is_sorted_by(|one, other| one.0 <= other.0));
    lines
}

fn shown(lines: &[Line]) -> String {
    let output = lines.iter().filter(|(_, kind, _)| kind == "o");
    output.map(|(_, _, text)| text.as_str()).collect()
}

/// Waits until a recording shows `words`; all that it shows.
async fn recorded(stage: &Stage, session: &SessionId, terminal: &str, words: &str) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = shown(&lines(stage, session, terminal).await);
        if shown.contains(words) {
            return shown;
        }
        assert!(Instant::now() < until, "{words} is not in {shown:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_recording_holds_what_came_out_masked_and_nothing_that_was_typed() {
    let mut stage = Stage::set();
    let mut wanted = wanted("recorded-aaaaa");
    (wanted.record, wanted.secrets) = (true, vec![key(CANARY)]);
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("stty -echo; echo rea''dy; read -r word; stty echo; echo \"<$KEY>\"; printf %s \"$KEY\" | base64; echo fir''st\r")
        .await;
    person.reads("ready\r\n").await;
    person.types("typed-and-not-shown\r").await;
    let live = person.reads("first\r\n").await;
    assert!(
        live.contains(&format!("<{CANARY}>")),
        "the live screen is as it is: {live}"
    );
    let there = recorded(&stage, &session, "agent", "first\r\n").await;
    assert!(there.contains("<********>"), "{there}");
    for text in [CANARY, "Y2FuYXJ5LTQ3MTE", "typed-and-not-shown"] {
        assert_eq!(stage.files_with(text), [""; 0], "{text}");
    }
    let size = Size { cols: 91, rows: 21 };
    stage.local.resize(&session, "agent", size).await.expect("resized");
    tokio::time::sleep(Duration::from_millis(200)).await;
    person.types("stty size; echo sec''ond\r").await;
    recorded(&stage, &session, "agent", "second\r\n").await;
    let all = lines(&stage, &session, "agent").await;
    assert!(all.iter().any(|(_, kind, text)| kind == "r" && text == "91x21"));
    assert!(all.iter().all(|(_, kind, _)| kind != "i"));
    let path = stage.session(&session).join("host/agent.cast");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // What runs in the session can neither read nor write it.
    let status = stage.local.status(&session).await.expect("an answer");
    if status.expect("it runs").enforcement.files.starts_with("landlock") {
        let path = path.display();
        person
            .types(&format!(
                "cat {path} >/dev/null 2>&1 || echo clo''sed; (echo x >> {path}) 2>/dev/null || echo loc''ked\r"
            ))
            .await;
        let shown = person.reads("locked\r\n").await;
        assert!(shown.contains("closed\r\n"), "{shown}");
    }
    // A title with a value in it is listed without.
    person
        .types("printf '\\033]2;key %s\\007' \"$KEY\"; echo tit''led; sleep 1000\r")
        .await;
    person.reads("titled\r\n").await;
    let status = stage.local.status(&session).await.expect("an answer");
    let agent = &status.expect("it runs").terminals[0];
    assert_eq!((agent.title.as_str(), agent.recorded), ("key ********", true));
    // Nobody wished for a recording of this one.
    let opened = stage.shell_of(&wanted.session, "plain", &[]).await;
    opened.expect("opens");
    let mut plain = stage.attach(&session, "plain").await;
    plain.types("echo plai''nly\r").await;
    plain.reads("plainly\r\n").await;
    assert!(lines(&stage, &session, "plain").await.is_empty());
    // For as long as the session is there, whether it runs or not; and not longer.
    stage.local.suspend(&session).await.expect("suspends");
    recorded(&stage, &session, "agent", "titled\r\n").await;
    stage.local.drop_session(&session).await.expect("gone");
    for terminal in ["agent", "../agent"] {
        let found = stage.local.recording(&session, terminal).await;
        assert!(found.expect("an answer").is_none(), "{terminal}");
    }
}

#[tokio::test]
async fn a_value_from_before_a_rotation_is_masked_in_what_comes_after_it() {
    let mut stage = Stage::set();
    let mut wanted = wanted("rotated-aaaaa");
    (wanted.record, wanted.secrets) = (true, vec![key(CANARY)]);
    let session = stage.open(&wanted).await;
    let newer = Shell {
        record: true,
        ..shell("newer", &[key("canary-0815-of-today")])
    };
    let opened = stage.local.open_terminal(&wanted.session, &newer).await;
    opened.expect("opens");
    for terminal in ["agent", "newer"] {
        let mut person = stage.attach(&session, terminal).await;
        person
            .types("echo '<canary-4711''-and-more>' '<canary-0815''-of-today>'; echo en''d\r")
            .await;
        let there = recorded(&stage, &session, terminal, "end\r\n").await;
        assert!(there.contains("<********> <********>\r\n"), "{terminal}: {there}");
    }
}

#[tokio::test]
async fn a_recording_outlives_its_server_and_its_host_and_goes_on_with_the_next() {
    let mut stage = Stage::set();
    let mut wanted = wanted("killed-aaaaa");
    wanted.record = true;
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo be''fore\r").await;
    recorded(&stage, &session, "agent", "before\r\n").await;
    stage.restart();
    let expected = std::slice::from_ref(&session);
    stage.local.take_up(expected).await.expect("taken up");
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo mid''dle\r").await;
    recorded(&stage, &session, "agent", "middle\r\n").await;
    let status = stage.local.status(&session).await.expect("an answer").expect("it runs");
    let host = rustix::process::Pid::from_raw(status.pid as i32).expect("a host");
    rustix::process::kill_process(host, rustix::process::Signal::KILL).expect("killed");
    stage
        .see(|observation| matches!(observation, Observation::Lost { .. }).then_some(()))
        .await;
    recorded(&stage, &session, "agent", "middle\r\n").await;
    stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo aft''er\r").await;
    let there = recorded(&stage, &session, "agent", "after\r\n").await;
    let place = |word: &str| there.find(word).unwrap_or_else(|| panic!("{word} is not in {there}"));
    let places = ["before", "middle", "\x1bc", "after"].map(place);
    assert!(places.is_sorted(), "{there:?}");
}

#[tokio::test]
async fn a_session_that_is_to_be_recorded_and_cannot_be_does_not_start() {
    let mut stage = Stage::set();
    let mut wanted = wanted("unwritable-aaaaa");
    wanted.record = true;
    let session = &wanted.session.id;
    // A folder in its place, as a damaged disk may leave it.
    std::fs::create_dir_all(stage.session(session).join("host/agent.cast")).expect("made");
    let reason = stage.open_in_vain(&wanted).await;
    assert!(reason.contains("recording cannot be written"), "{reason}");
}
