//! Repositories from a real Git server on the loopback.

use super::stage::{Stage, wanted};
use domain::SessionId;
use engine::ports::{Observation, Runtime, Wanted};
use runtime::Options;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// `git daemon` with one repository, `project.git`, that has the branches `main` and `other`.
struct GitServer {
    daemon: Child,
    port: u16,
    folder: TempDir,
}

impl GitServer {
    async fn start() -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let work = folder.path().join("work");
        std::fs::create_dir(&work).expect("made");
        git(&work, &["init", "-q", "-b", "main"]);
        for number in 0..200 {
            std::fs::write(work.join(format!("file-{number}")), format!("{number}\n").repeat(50)).expect("written");
        }
        git(&work, &["add", "."]);
        git(&work, &["commit", "-q", "-m", "first"]);
        git(&work, &["checkout", "-q", "-b", "other"]);
        std::fs::write(work.join("only-here"), "x").expect("written");
        git(&work, &["add", "."]);
        git(&work, &["commit", "-q", "-m", "other"]);
        git(&work, &["checkout", "-q", "main"]);
        git(folder.path(), &["clone", "-q", "--bare", "work", "project.git"]);
        // The daemon takes no port 0: a port that was just free, and another try when somebody was quicker.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = port.expect("a free port").port();
            let mut daemon = Command::new("git")
                .args(["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"])
                .arg(format!("--port={port}"))
                .arg(format!("--base-path={}", folder.path().display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            while daemon.try_wait().expect("asks").is_none() {
                if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { daemon, port, folder };
                }
                tokio::task::yield_now().await;
            }
        }
        panic!("git daemon does not start");
    }

    fn url(&self, name: &str) -> String {
        format!("git://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        // The daemon is a wrapper's child: its whole family has the folder's name on its command line.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let mark = format!("--base-path={}", self.folder.path().display());
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line.split(|&byte| byte == 0).any(|word| word == mark.as_bytes())
                && let Some(pid) = entry.file_name().to_str().and_then(|pid| pid.parse().ok())
            {
                host::processes::signal(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(status.expect("git is there").success(), "git {arguments:?}");
}

fn wanted_clone(id: &str, repo: &str, branch: Option<&str>) -> Wanted {
    let mut wanted = wanted(id);
    wanted.session.repo = Some(repo.to_owned());
    wanted.session.branch = branch.map(str::to_owned);
    wanted
}

#[tokio::test]
async fn a_repository_is_cloned_with_progress_and_never_again() {
    let server = GitServer::start().await;
    let mut stage = Stage::set();
    let wanted = wanted_clone("clone-aaaaa", &server.url("project.git"), Some("other"));
    let session = wanted.session.id.clone();
    stage.local.ensure(&wanted).await.expect("begins");
    let mut told = Vec::new();
    stage
        .see(|observation| match observation {
            Observation::Progress { sentence, .. } => {
                told.push(sentence.clone());
                None
            }
            Observation::Started { .. } => Some(()),
            _ => None,
        })
        .await;
    assert!(told.iter().any(|sentence| sentence.starts_with("Cloning")), "{told:?}");
    let workspace = stage.session(&session).join("workspace");
    assert!(workspace.join("only-here").exists());
    assert_eq!(
        std::fs::read_dir(workspace.join(".git/hooks")).map_or(0, Iterator::count),
        0
    );

    let mut person = stage.attach(&session, "agent").await;
    person
        .types(
            "git -c color.ui=false status --short --branch; echo changed >> file-1; echo new > file-new; echo do''ne\r",
        )
        .await;
    person.reads("## other...origin/other").await;
    person.reads("done").await;
    let held = stage.local.holdings(&session).await.expect("looks");
    assert_eq!((held.uncommitted, held.unpushed), (Some(2), Some(0)));
    assert!(held.files > 200 && held.bytes > 0 && held.processes > 0, "{held:?}");

    stage.local.suspend(&session).await.expect("suspends");
    drop(server);
    stage.open(&wanted).await;
    let text = std::fs::read_to_string(workspace.join("file-1")).expect("reads");
    assert!(text.ends_with("changed\n"));
}

#[tokio::test]
async fn a_clone_that_fails_says_why_leaves_nothing_and_can_be_tried_again() {
    let server = GitServer::start().await;
    let mut stage = Stage::set();
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let closed = nobody.expect("a port").port();
    for (id, repo, branch, part) in [
        (
            "fail-aaaaa",
            server.url("nothing.git"),
            None,
            "no repository at this address",
        ),
        ("fail-bbbbb", server.url("project.git"), Some("nope"), "no branch nope"),
        (
            "fail-ccccc",
            format!("git://127.0.0.1:{closed}/x"),
            None,
            "does not answer",
        ),
        ("fail-ddddd", "team/project".to_owned(), None, "whole address"),
        (
            "fail-eeeee",
            format!("file://{}", stage.outside().display()),
            None,
            "not allowed",
        ),
    ] {
        let reason = stage.open_in_vain(&wanted_clone(id, &repo, branch)).await;
        assert!(reason.contains(part), "{repo}: {reason}");
        let folder = stage.session(&SessionId::new(id));
        let left = std::fs::read_dir(&folder).map_or(0, |entries| {
            entries
                .flatten()
                .filter(|entry| {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    name == "workspace" || name.starts_with("clone-")
                })
                .count()
        });
        assert_eq!(left, 0, "{repo}");
    }
    let id = SessionId::new("fail-aaaaa");
    let whole = server.folder.path().join("project.git");
    std::fs::rename(whole, server.folder.path().join("nothing.git")).expect("moved");
    stage
        .open(&wanted_clone(id.as_str(), &server.url("nothing.git"), None))
        .await;
    assert!(stage.session(&id).join("workspace/file-1").exists());
}

#[tokio::test]
async fn short_names_are_resolved_against_the_installations_git_host() {
    let server = GitServer::start().await;
    std::fs::create_dir(server.folder.path().join("team")).expect("made");
    let (from, to) = (
        server.folder.path().join("project.git"),
        server.folder.path().join("team/web"),
    );
    std::fs::rename(from, to).expect("moved");
    let mut stage = Stage::with(Options {
        git_base_url: Some(server.url("")),
        ..Options::default()
    });
    let session = stage.open(&wanted_clone("short-aaaaa", "team/web", None)).await;
    assert!(stage.session(&session).join("workspace/file-1").exists());
}

#[tokio::test]
async fn a_session_can_be_suspended_and_destroyed_while_it_is_cloned() {
    // A server that takes the call and never says anything.
    let silent = TcpListener::bind("127.0.0.1:0").expect("listens");
    let port = silent.local_addr().expect("has one").port();
    let stage = Stage::set();
    let wanted = wanted_clone("stuck-aaaaa", &format!("git://127.0.0.1:{port}/x"), None);
    let session = wanted.session.id.clone();
    stage.local.ensure(&wanted).await.expect("begins");
    let (_call, _) = tokio::task::spawn_blocking(move || silent.accept())
        .await
        .expect("runs")
        .expect("is called");
    assert!(!stage.programs(&session).is_empty(), "Git runs");
    stage.local.suspend(&session).await.expect("suspends");
    assert!(stage.programs(&session).is_empty(), "Git was ended");
    stage.local.drop_session(&session).await.expect("destroys");
    assert!(!stage.session(&session).exists());
}
