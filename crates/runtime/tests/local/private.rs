//! Private repositories: Git's own server behind a sign-in, and what a session is given to get past it.

use super::stage::{PATIENCE, Stage, wanted};
use domain::secret::{Kind, Value};
use engine::ports::Delivered;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const TOKEN: &str = "canary-token-4711";

fn given(kind: Kind, name: &str, value: &str) -> Delivered {
    Delivered {
        kind,
        name: name.to_owned(),
        value: Value::new(value),
    }
}

/// A Git host that shows its repository only to who signs in: as `ada` with `open sesame`, or as anybody with the token.
struct Private {
    server: Child,
    url: String,
    folder: tempfile::TempDir,
}

/// `git http-backend` behind basic authentication. Who got in is written to `seen`, and every process whose command line
/// names the token at that moment to `leaked`.
const SERVER: &str = r#"
import base64, glob, http.server, os, subprocess, sys
folder, token = sys.argv[1], os.environ.pop("TOKEN")
backend = os.path.join(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-http-backend")
class Handler(http.server.BaseHTTPRequestHandler):
    def serve(self):
        kind, _, code = self.headers.get("Authorization", "").partition(" ")
        user, _, word = base64.b64decode(code).decode().partition(":") if kind == "Basic" else ("", "", "")
        if (user, word) != ("ada", "open sesame") and word != token:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with open(folder + "/seen", "a") as seen:
            print(user, file=seen)
        for line in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                words = open(line, "rb").read()
            except OSError:
                continue
            if token.encode() in words:
                open(folder + "/leaked", "ab").write(words + b"\n")
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = dict(os.environ, GIT_PROJECT_ROOT=folder, GIT_HTTP_EXPORT_ALL="1", REMOTE_USER=user,
            REQUEST_METHOD=self.command, PATH_INFO=path, QUERY_STRING=query,
            CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)),
            HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""))
        answer = subprocess.run([backend], input=body, env=environment, stdout=subprocess.PIPE).stdout
        head, _, rest = answer.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = [value for name, value in fields if name == "Status"]
        self.send_response(int(status[0].split()[0]) if status else 200)
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)
    do_GET = do_POST = serve
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

/// A bare repository with one commit, in `folder/project.git`.
fn project(folder: &Path) -> PathBuf {
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("git is there");
        assert!(done.status.success(), "git {arguments:?}");
    };
    git(&["init", "-q", "work"]);
    std::fs::write(folder.join("work/file"), "text").expect("written");
    git(&["-C", "work", "add", "."]);
    git(&["-C", "work", "commit", "-q", "-m", "one"]);
    git(&["clone", "-q", "--bare", "work", "project.git"]);
    git(&["-C", "project.git", "config", "http.receivepack", "true"]);
    folder.join("project.git")
}

impl Private {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        project(folder.path());
        let server = Command::new("python3")
            .args(["-c", SERVER])
            .arg(folder.path())
            .env("TOKEN", TOKEN)
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
            folder,
        })
    }

    fn host(&self) -> &str {
        self.url
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap_or_default()
    }

    /// What the server has written of this name.
    fn noted(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
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
    assert!(
        reason.contains("sign-in") && reason.contains(".netrc") && reason.contains("GIT_TOKEN"),
        "{reason}"
    );
    let stored = format!("http://ada:open%20sesame@{}\n", server.host());
    for (id, secret) in [
        (
            "netrc-aaaaa",
            given(
                Kind::File,
                ".netrc",
                "machine 127.0.0.1 login ada password \"open sesame\"\n",
            ),
        ),
        ("store-aaaaa", given(Kind::File, ".git-credentials", &stored)),
    ] {
        let mut wanted = wanted(id);
        wanted.session.repo = Some(server.url.clone());
        wanted.secrets = vec![secret];
        let session = stage.open(&wanted).await;
        assert!(stage.session(&session).join("workspace/file").exists(), "{id}");
        assert_eq!(stage.files_with("sesame"), [""; 0], "{id}");
        // In the session Git finds them too.
        let mut person = stage.attach(&session, "agent").await;
        person
            .types("git -c http.proxy= ls-remote -q && echo fou''nd || echo refu''sed\r")
            .await;
        let shown = person.reads_any(&["found", "refused"]).await;
        assert!(shown.contains("found"), "{id}: {shown}");
    }
}

#[tokio::test]
async fn a_token_opens_a_private_repository_for_clone_and_push_and_is_seen_by_nobody_else() {
    let Some(server) = Private::start() else { return };
    let mut stage = Stage::set();
    let mut wanted = wanted("token-aaaaa");
    wanted.session.repo = Some(server.url.clone());
    wanted.secrets = vec![given(Kind::Env, "GIT_TOKEN", TOKEN)];
    let session = stage.open(&wanted).await;
    assert!(stage.session(&session).join("workspace/file").exists());
    assert!(server.noted("seen").starts_with("x-access-token\n"));
    for (id, terminal) in [("agent", false), ("shell", true)] {
        if terminal {
            let shell = stage.shell_of(&wanted.session, id, &wanted.secrets).await;
            shell.expect("opens");
        }
        let mut person = stage.attach(&session, id).await;
        person
            .types(
                "git -c user.name=T -c user.email=t@example.org commit -q --allow-empty -m two && \
                 git -c http.proxy= push -q origin HEAD && echo push''ed || echo refu''sed\r",
            )
            .await;
        let shown = person.reads_any(&["pushed", "refused"]).await;
        assert!(shown.contains("pushed"), "{id}: {shown}");
    }
    assert_eq!(server.noted("leaked"), "", "on a command line");
    let config = std::fs::read_to_string(stage.session(&session).join("workspace/.git/config")).expect("there");
    assert!(config.contains(&server.url) && !config.contains("canary"));
    for place in ["home", "host", "workspace", "tmp"] {
        let found = Command::new("grep")
            .args(["-rl", TOKEN])
            .arg(stage.session(&session).join(place))
            .output()
            .expect("grep is there");
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "in a file of {place}");
    }
    // Another session looks at what every process was given.
    let spy = stage.open(&super::stage::wanted("spy-aaaaa")).await;
    let mut person = stage.attach(&spy, "agent").await;
    person
        .types("echo found $(cat /proc/[0-9]*/environ 2>/dev/null | grep -ac canary-token) time''s\r")
        .await;
    person.reads("found 0 times").await;
}

#[tokio::test]
async fn a_token_goes_to_the_repositorys_own_host_and_with_the_name_that_is_given_for_it() {
    let (Some(server), Some(other)) = (Private::start(), Private::start()) else {
        return;
    };
    let mut stage = Stage::set();
    let mut wanted = wanted("named-aaaaa");
    wanted.session.repo = Some(server.url.clone());
    wanted.secrets = vec![
        given(Kind::Env, "GIT_TOKEN", TOKEN),
        given(Kind::Env, "GIT_USERNAME", "deploy"),
    ];
    let session = stage.open(&wanted).await;
    assert!(server.noted("seen").starts_with("deploy\n"));
    let mut person = stage.attach(&session, "agent").await;
    let ask = format!(
        "GIT_TERMINAL_PROMPT=0 git -c http.proxy= ls-remote -q {} && echo fou''nd || echo refu''sed\r",
        other.url
    );
    person.types(&ask).await;
    let shown = person.reads_any(&["found", "refused"]).await;
    assert!(shown.contains("refused"), "{shown}");
    assert_eq!(other.noted("seen"), "");
}

#[tokio::test]
async fn what_is_said_of_a_clone_that_failed_holds_no_secret() {
    let Some(server) = Private::start() else { return };
    let mut stage = Stage::set();
    let mut wanted = wanted("masked-aaaaa");
    wanted.secrets = vec![
        given(Kind::Env, "GIT_TOKEN", TOKEN),
        given(Kind::Env, "PROJECT", "canary-project-0815"),
    ];
    wanted.session.repo = Some(format!(
        "http://canary-name-23@{}/canary-project-0815/x.git",
        server.host()
    ));
    let reason = stage.open_in_vain(&wanted).await;
    assert!(
        reason.contains("no repository at this address") && reason.contains(server.host()),
        "{reason}"
    );
    assert!(!reason.contains("canary") && reason.contains("********"), "{reason}");
}

/// An SSH server of this machine, for its own user alone.
struct Sshd {
    server: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Sshd {
    fn start() -> Option<Self> {
        let found = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"]
            .map(PathBuf::from)
            .into_iter()
            .chain(std::env::var_os("SANDBOX_TEST_SSHD").map(PathBuf::from))
            .find(|sshd| sshd.exists());
        let (Some(sshd), true) = (found, Path::new("/usr/bin/ssh").exists()) else {
            eprintln!("SKIPPED: there is no sshd (Debian's openssh-server), or no ssh, to clone from");
            return None;
        };
        // Not below /tmp, whose mode sshd does not trust.
        let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        project(folder.path());
        for key in ["host", "mine", "other"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.path().join(key))
                .status();
            assert!(made.expect("ssh-keygen is there").success());
        }
        let allowed = std::fs::read(folder.path().join("mine.pub")).expect("a key");
        std::fs::write(folder.path().join("allowed"), allowed).expect("written");
        // A port that was free a moment ago: sshd takes none by itself.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let server = Command::new(sshd)
            .args(["-D", "-e", "-f", "/dev/null", "-h", &at("host")])
            .args([
                format!("-oPort={port}"),
                "-oListenAddress=127.0.0.1".to_owned(),
                format!("-oAuthorizedKeysFile={}", at("allowed")),
                format!("-oPidFile={}", at("pid")),
                "-oStrictModes=no".to_owned(),
                "-oUsePAM=no".to_owned(),
                "-oPasswordAuthentication=no".to_owned(),
                "-oPermitRootLogin=yes".to_owned(),
            ])
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut sshd = Self { server, port, folder };
        let until = std::time::Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Ok(Some(status)) = sshd.server.try_wait() {
                eprintln!("SKIPPED: sshd does not start here ({status}): as root it wants its user and /run/sshd");
                return None;
            }
            assert!(std::time::Instant::now() < until, "sshd does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Some(sshd)
    }

    fn key(&self, name: &str) -> Delivered {
        let key = std::fs::read_to_string(self.folder.path().join(name)).expect("a key");
        given(Kind::File, ".ssh/id_ed25519", &key)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn a_repository_is_cloned_by_ssh_with_the_key_that_was_given() {
    let Some(sshd) = Sshd::start() else { return };
    let mut stage = Stage::set();
    let user = std::env::var("USER").unwrap_or("root".to_owned());
    let folder = sshd.folder.path().display();
    let repo = format!("ssh://{user}@127.0.0.1:{}{folder}/project.git", sshd.port);
    let mut refused = wanted("otherkey-aaaaa");
    refused.session.repo = Some(repo.clone());
    refused.secrets = vec![sshd.key("other")];
    let reason = stage.open_in_vain(&refused).await;
    assert!(reason.contains("SSH key"), "{reason}");
    let mut wanted = wanted("mykey-aaaaa");
    wanted.session.repo = Some(repo);
    wanted.secrets = vec![sshd.key("mine")];
    let session = stage.open(&wanted).await;
    assert!(stage.session(&session).join("workspace/file").exists());
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("git ls-remote -q && echo fou''nd || echo refu''sed\r")
        .await;
    let shown = person.reads_any(&["found", "refused"]).await;
    assert!(shown.contains("found"), "{shown}");
}
