//! What a session is given that is secret, and where it is not.

use super::stage::{Stage, wanted};
use domain::{
    secret::{Kind, Value},
    wire::Size,
};
use engine::ports::{Delivered, Runtime};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn env(name: &str, value: &str) -> Delivered {
    Delivered {
        kind: Kind::Env,
        name: name.to_owned(),
        value: Value::new(value),
    }
}

fn file(name: &str, value: &str) -> Delivered {
    Delivered {
        kind: Kind::File,
        ..env(name, value)
    }
}

/// Every file below `folder` that holds `text`, but those in a session's HOME.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = next.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !path.ends_with("home") {
                    next.push(path);
                }
            } else if let Ok(bytes) = std::fs::read(&path)
                && bytes.windows(text.len()).any(|window| window == text.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn programs_get_variables_and_files_and_nothing_of_them_is_on_the_disk_or_a_command_line() {
    let mut stage = Stage::set();
    let mut wanted = wanted("given-aaaaa");
    wanted.secrets = vec![
        env("STRIPE_KEY", "canary-4711"),
        file(".ssh/id_ed25519", "canary-0815\n"),
    ];
    let session = stage.open(&wanted).await;
    stage
        .local
        .open_terminal(&session, "shell", "Shell", Size::default(), &wanted.secrets)
        .await
        .expect("opens");
    for terminal in ["agent", "shell"] {
        let mut person = stage.attach(&session, terminal).await;
        person
            .types("printenv STRIPE_KEY | tr a-z A-Z; stat -c 'mode %a' ~/.ssh/id_ed25519 ~/.ssh; echo en''d\r")
            .await;
        let shown = person.reads("end\r\n").await;
        assert!(
            shown.contains("CANARY-4711") && shown.contains("mode 600\r\nmode 700"),
            "{shown}"
        );
    }
    assert_eq!(files_with(stage.data(), "canary-"), [""; 0], "on the disk");
    let spec = std::fs::read_to_string(stage.session(&session).join("host/spec.json")).expect("there");
    assert!(spec.contains("given-aaaaa") && !spec.contains("STRIPE_KEY"));
    for entry in std::fs::read_dir("/proc").expect("reads").flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains("canary-4711"), "{line}");
    }
    stage.local.suspend(&session).await.expect("suspends");
    // Not bound any more: at the next start there is nothing.
    wanted.secrets = Vec::new();
    stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("echo \"<$STRIPE_KEY>\"; ls -A ~/.ssh | wc -l; echo en''d\r")
        .await;
    let shown = person.reads("end\r\n").await;
    assert!(shown.contains("<>\r\n0\r\n"), "{shown}");
}

#[tokio::test]
async fn what_is_kept_of_a_screen_is_masked_and_the_live_one_is_not() {
    let mut stage = Stage::set();
    let mut wanted = wanted("masked-aaaaa");
    wanted.secrets = vec![env("STRIPE_KEY", "canary-4711-and-more")];
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("echo \"<$STRIPE_KEY>\"; printenv STRIPE_KEY | base64; echo en''d\r")
        .await;
    let shown = person.reads("end\r\n").await;
    assert!(shown.contains("<canary-4711-and-more>"), "{shown}");
    stage.local.suspend(&session).await.expect("suspends");
    let last = stage
        .local
        .last_screen(&session, "agent")
        .await
        .expect("reads")
        .expect("kept");
    let last = String::from_utf8_lossy(&last.ansi).into_owned();
    assert!(last.contains("<********************>"), "{last}");
    for text in ["canary-4711", "Y2FuYXJ5LTQ3MTE"] {
        assert!(!last.contains(text), "{last}");
        assert_eq!(files_with(stage.data(), text), [""; 0]);
    }
}

#[tokio::test]
async fn an_agent_that_starts_again_in_its_host_gets_what_is_given_then() {
    let mut stage = Stage::set();
    let mut wanted = wanted("again-aaaaa");
    wanted.secrets = vec![env("KEY", "older-value"), file("old", "x")];
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("exit\r").await;
    stage
        .see(|observation| matches!(observation, engine::ports::Observation::AgentExited { .. }).then_some(()))
        .await;
    wanted.secrets = vec![env("KEY", "newer-value"), file("new", "x")];
    stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo \"<$KEY>\" $(ls ~); echo en''d\r").await;
    let shown = person.reads("end\r\n").await;
    assert!(shown.contains("<newer-value> new\r\n"), "{shown}");
}

#[tokio::test]
async fn a_link_in_the_sessions_home_is_not_followed_and_told() {
    let mut stage = Stage::set();
    let mut wanted = wanted("linked-aaaaa");
    let session = stage.open(&wanted).await;
    stage.local.suspend(&session).await.expect("suspends");
    let outside = stage.outside().join("outside");
    std::fs::create_dir(&outside).expect("made");
    std::os::unix::fs::symlink(&outside, stage.session(&session).join("home/.ssh")).expect("linked");
    wanted.secrets = vec![file(".ssh/id_ed25519", "canary")];
    let reason = stage.open_in_vain(&wanted).await;
    assert!(
        reason.contains(".ssh/id_ed25519") && reason.contains("link"),
        "{reason}"
    );
    assert_eq!(std::fs::read_dir(&outside).expect("reads").count(), 0);
}

/// A Git host that shows its repository only to who signs in.
struct Private {
    server: Child,
    url: String,
    _folder: tempfile::TempDir,
}

const SERVER: &str = r#"
import base64, functools, http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        wanted = "Basic " + base64.b64encode(b"ada:open sesame").decode()
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        super().do_GET()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

impl Private {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let git = |arguments: &[&str]| {
            let done = Command::new("git")
                .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
                .args(arguments)
                .current_dir(folder.path())
                .output()
                .expect("git is there");
            assert!(done.status.success(), "git {arguments:?}");
        };
        git(&["init", "-q", "work"]);
        std::fs::write(folder.path().join("work/file"), "text").expect("written");
        git(&["-C", "work", "add", "."]);
        git(&["-C", "work", "commit", "-q", "-m", "one"]);
        git(&["clone", "-q", "--bare", "work", "project.git"]);
        git(&["-C", "project.git", "update-server-info"]);
        let server = Command::new("python3")
            .args(["-c", SERVER])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut server) = server else {
            eprintln!("SKIPPED: there is no python3 to serve a private repository");
            return None;
        };
        let mut port = String::new();
        BufReader::new(server.stdout.take()?)
            .read_line(&mut port)
            .expect("a port");
        Some(Self {
            server,
            url: format!("http://127.0.0.1:{}/project.git", port.trim()),
            _folder: folder,
        })
    }

    fn host(&self) -> &str {
        self.url
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap_or_default()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn a_private_repository_is_cloned_with_the_credentials_that_were_given() {
    let Some(server) = Private::start() else { return };
    let mut stage = Stage::set();
    let mut refused = wanted("without-aaaaa");
    refused.session.repo = Some(server.url.clone());
    let reason = stage.open_in_vain(&refused).await;
    assert!(reason.contains("sign-in") && reason.contains(".netrc"), "{reason}");
    for (id, secret) in [
        (
            "netrc-aaaaa",
            file(".netrc", "machine 127.0.0.1 login ada password \"open sesame\"\n"),
        ),
        (
            "store-aaaaa",
            file(
                ".git-credentials",
                &format!("http://ada:open%20sesame@{}\n", server.host()),
            ),
        ),
    ] {
        let mut wanted = wanted(id);
        wanted.session.repo = Some(server.url.clone());
        wanted.secrets = vec![secret];
        let session = stage.open(&wanted).await;
        assert!(stage.session(&session).join("workspace/file").exists(), "{id}");
        assert_eq!(files_with(stage.data(), "sesame"), [""; 0], "{id}");
        // In the session Git finds them too.
        let mut person = stage.attach(&session, "agent").await;
        person
            .types("git -c http.proxy= ls-remote -q && echo fou''nd || echo refu''sed\r")
            .await;
        let shown = person.reads_any(&["found", "refused"]).await;
        assert!(shown.contains("found"), "{id}: {shown}");
    }
}
