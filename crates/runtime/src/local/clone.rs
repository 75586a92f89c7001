//! Cloning a repository into a workspace that is not there yet.

use super::environment;
use super::layout::{Folder, make_private};
use super::step::{self, Ended, Step};
use super::{Here, making, removal, secrets};
use domain::host::Confinement;
use domain::session::Session;
use engine::ports::Wanted;
use host::disk::{self, Bounds};
use host::mask::Mask;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The longest that cloning may take.
const TIME: Duration = Duration::from_secs(30 * 60);
/// Git's last words that are kept to explain a failure.
const WORDS: usize = 20;
/// How often the size of what has come is looked at.
const LOOK: Duration = Duration::from_secs(5);
const BOUNDS: Bounds = Bounds {
    entries: 200_000,
    time: Duration::from_secs(2),
    rest: Duration::ZERO,
};

/// Clones into the workspace, telling how far it is; the error is a sentence for the person who waits.
pub(crate) async fn clone(
    here: &Here,
    folder: &Folder,
    wanted: &Wanted,
    repo: &str,
    progress: &mpsc::Sender<String>,
) -> Result<(), String> {
    let url = address(repo, here.options.git_base_url.as_deref())?;
    let git = environment::find_program("git")
        .ok_or("Git is not installed on this machine, so nothing can be cloned. Install git, then try again.")?;
    // Beside the workspace, so that a workspace that is there is always whole.
    let room = folder.path().join(format!("clone-{}", std::process::id()));
    let part = room.join("workspace");
    // A Git that outlived its server would go on writing.
    removal::end_marked(folder.path())
        .await
        .map_err(|error| making::sentence(&error))?;
    making::remove_clones(folder)
        .and_then(|()| make_private(&room))
        .map_err(|error| making::sentence(&error))?;
    let argv = argv(&git, &url, wanted.session.branch.as_deref(), &part);
    let home = folder.home();
    let mut env = environment::with_network(&folder.home(), &[]);
    env.extend(secrets::clone_environment(&home, &wanted.secrets, &url));
    let ssh = format!(
        "{} -oBatchMode=yes -oConnectTimeout=20",
        secrets::ssh(&home, &wanted.secrets)
    );
    for (name, value) in [
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ASKPASS", "/bin/false"),
        ("SSH_ASKPASS", "/bin/false"),
        ("GIT_SSH_COMMAND", ssh.as_str()),
        ("LANG", "C"),
        (environment::MARK, &folder.path().to_string_lossy()),
    ] {
        env.insert(name.to_owned(), value.to_owned());
    }
    let confinement = Confinement {
        write: vec![room.clone(), folder.home()],
        read: environment::needs(&git),
        hidden: vec![here.layout.data().to_owned()],
        file_bytes: wanted.storage_bytes,
        ..Confinement::default()
    };
    let step = Step {
        argv: &argv,
        env,
        cwd: &room,
        confinement,
        scratch: folder.host().join("clone.json"),
        time: TIME,
    };
    let mut said = Said::default();
    let _ = progress.try_send("Cloning the repository.".to_owned());
    let cloning = step::run(here, step, |line| {
        if let Some(sentence) = said.take(line) {
            let _ = progress.try_send(sentence);
        }
    });
    let ended = tokio::select! {
        ended = cloning => ended,
        () = outgrown(&part, wanted.storage_bytes) => {
            let _ = making::remove_clones(folder);
            let limit = wanted.storage_bytes.unwrap_or_default() >> 20;
            return Err(format!("The repository is larger than the storage of your plan ({limit} MiB)."));
        }
    };
    let result = match ended {
        Ok(ended) if ended.is_success() => {
            std::fs::rename(&part, folder.workspace()).map_err(|error| making::sentence(&error.into()))
        }
        Ok(Ended::OutOfTime) => Err("Cloning took longer than 30 minutes and was given up.".to_owned()),
        Ok(Ended::With(_)) => Err(explain(&said.last, wanted.session.branch.as_deref())),
        Err(error) => Err(making::sentence(&error)),
    };
    // Git repeats what the other side says, and the address with what is in it.
    let mask = Arc::new(Mask::of(wanted.secrets.iter().map(|given| &given.value)));
    let result = result.map_err(|sentence| mask.text(&without_credentials(&sentence)));
    let _ = making::remove_clones(folder);
    result
}

/// The whole address of a session's repository, where it has one.
pub(crate) fn address_of(here: &Here, session: &Session) -> Option<String> {
    let repo = session.repo.as_deref()?;
    address(repo, here.options.git_base_url.as_deref()).ok()
}

/// The address that Git is given: short forms are resolved against `base`.
fn address(repo: &str, base: Option<&str>) -> Result<String, String> {
    if repo.contains("://") || repo.contains(':') {
        return Ok(repo.to_owned());
    }
    match base {
        Some(base) => Ok(format!("{}/{repo}", base.trim_end_matches('/'))),
        None => Err(format!(
            "Nobody has said on which Git host {repo} is: give the whole address, such as https://git.example.org/{repo}."
        )),
    }
}

fn argv(git: &Path, url: &str, branch: Option<&str>, into: &Path) -> Vec<String> {
    let mut argv: Vec<String> = vec![git.to_string_lossy().into_owned()];
    for setting in [
        "protocol.ext.allow=never",
        "protocol.file.allow=never",
        "core.hooksPath=/dev/null",
    ] {
        argv.extend(["-c".to_owned(), setting.to_owned()]);
    }
    argv.extend(["clone", "--progress", "--template="].map(str::to_owned));
    if let Some(branch) = branch {
        argv.push(format!("--branch={branch}"));
    }
    argv.extend(["--".to_owned(), url.to_owned(), into.to_string_lossy().into_owned()]);
    argv
}

/// Ends when the folder has become larger than it may.
async fn outgrown(part: &Path, limit: Option<u64>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(LOOK).await;
        let part: PathBuf = part.to_owned();
        let held = tokio::task::spawn_blocking(move || disk::measure(&part, BOUNDS)).await;
        if held.is_ok_and(|held| held.bytes > limit) {
            return;
        }
    }
}

/// What Git has said.
#[derive(Default)]
struct Said {
    last: VecDeque<String>,
    told: String,
}

impl Said {
    /// Takes a line; the sentence that it makes, where that is a new one.
    fn take(&mut self, line: &str) -> Option<String> {
        let Some(sentence) = progress(line) else {
            if self.last.len() == WORDS {
                self.last.pop_front();
            }
            self.last.push_back(line.to_owned());
            return None;
        };
        (sentence != self.told).then(|| {
            self.told = sentence.clone();
            sentence
        })
    }
}

/// `Receiving objects:  42% (420/1000), 1.20 MiB | 1.00 MiB/s` as a sentence; `None` for other lines.
fn progress(line: &str) -> Option<String> {
    let (doing, rest) = line.strip_prefix("remote: ").unwrap_or(line).split_once(':')?;
    let doing = match doing {
        "Counting objects" | "Enumerating objects" | "Compressing objects" => "the other side prepares",
        "Receiving objects" => "receiving objects",
        "Resolving deltas" => "resolving deltas",
        "Updating files" | "Checking out files" => "writing files",
        _ => return None,
    };
    let percent: u8 = rest.trim_start().split('%').next()?.trim().parse().ok()?;
    Some(format!("Cloning: {doing}, {percent} %."))
}

/// Why Git failed, as a sentence that says what to do, with Git's own last words.
fn explain(last: &VecDeque<String>, branch: Option<&str>) -> String {
    let all = last.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let has = |words: &[&str]| words.iter().any(|words| all.contains(words));
    let why = if has(&["No space left on device", "Disk quota exceeded"]) {
        "the disk of this machine is full".to_owned()
    } else if has(&[
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Authentication failed",
        "HTTP Basic: Access denied",
        "error: 401",
        "error: 403",
    ]) {
        "the repository asks for a sign-in (or does not exist): use an address that needs none, or bind GIT_TOKEN, a .netrc or .git-credentials to this session".to_owned()
    } else if has(&["Permission denied (publickey", "Host key verification failed"]) {
        "the Git host did not accept an SSH key of this session: bind one to it as the file .ssh/id_ed25519, or use an https address".to_owned()
    } else if has(&[
        "Could not resolve host",
        "Name or service not known",
        "unable to look up",
        "Temporary failure in name resolution",
    ]) {
        "there is no Git host of this name, or this machine cannot reach it".to_owned()
    } else if has(&["Remote branch"]) {
        format!("the repository has no branch {}", branch.unwrap_or("of this name"))
    } else if has(&[
        "not found",
        "does not exist",
        "access denied or repository not exported",
        "does not appear to be a git repository",
        "error: 404",
    ]) {
        "there is no repository at this address".to_owned()
    } else if has(&[
        "Connection refused",
        "Connection timed out",
        "unable to connect",
        "Failed to connect",
        "Could not connect",
    ]) {
        "the Git host does not answer".to_owned()
    } else if has(&["transport 'file' not allowed", "transport 'ext' not allowed"]) {
        "addresses of this kind are not allowed".to_owned()
    } else {
        "Git gave up".to_owned()
    };
    let words = last
        .iter()
        .rev()
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:"))
        .or(last.back())
        .map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: "))
        .unwrap_or("nothing");
    let words: String = words.chars().filter(|letter| !letter.is_control()).take(200).collect();
    format!("Cloning failed: {why}. (Git: {words})")
}

/// The same words without what an address in them carries before its host.
fn without_credentials(words: &str) -> String {
    let mut parts = words.split("://");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = |letter: char| letter.is_whitespace() || "/'\"<>()?#".contains(letter);
        let authority = part.find(ends).map_or(part, |end| &part[..end]);
        let host = authority.rfind('@').map_or(0, |at| at + 1);
        kept.push_str("://");
        kept.push_str(&part[host..]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read_from_what_git_draws() {
        for (line, sentence) in [
            (
                "Receiving objects:  42% (420/1000), 1.20 MiB | 1.00 MiB/s",
                Some("Cloning: receiving objects, 42 %."),
            ),
            (
                "remote: Compressing objects: 100% (7/7), done.",
                Some("Cloning: the other side prepares, 100 %."),
            ),
            ("Resolving deltas: 5% (1/20)", Some("Cloning: resolving deltas, 5 %.")),
            ("fatal: repository 'x' not found", None),
            ("Receiving objects: ", None),
        ] {
            assert_eq!(progress(line).as_deref(), sentence, "{line}");
        }
    }

    #[test]
    fn a_sentence_is_told_once_and_other_lines_are_kept_for_the_end() {
        let mut said = Said::default();
        assert!(said.take("Receiving objects:  1% (1/100)").is_some());
        assert!(said.take("Receiving objects:  1% (1/100)").is_none());
        for number in 0..100 {
            assert!(said.take(&format!("line {number}")).is_none());
        }
        assert_eq!(said.last.len(), WORDS);
    }

    #[test]
    fn failures_say_what_to_do() {
        for (line, part) in [
            (
                "fatal: could not read Username for 'https://h': terminal prompts disabled",
                "sign-in",
            ),
            (
                "fatal: repository 'https://h/x/' not found",
                "no repository at this address",
            ),
            (
                "fatal: unable to access 'https://h/': Could not resolve host: h",
                "no Git host of this name",
            ),
            (
                "fatal: Remote branch nope not found in upstream origin",
                "no branch nope",
            ),
            ("fatal: write error: No space left on device", "full"),
            ("git@h: Permission denied (publickey).", "SSH key"),
            ("something \u{1b}[31mnew", "Git gave up"),
        ] {
            let sentence = explain(&VecDeque::from([line.to_owned()]), Some("nope"));
            assert!(sentence.contains(part), "{sentence}");
            assert!(!sentence.contains('\u{1b}'));
        }
    }

    #[test]
    fn an_address_in_a_sentence_keeps_nothing_before_its_host() {
        for (words, expected) in [
            (
                "Git: unable to access 'https://ada:pa@ss@h/x/': no",
                "Git: unable to access 'https://h/x/': no",
            ),
            ("https://token@h and ssh://git@h:22/x", "https://h and ssh://h:22/x"),
            ("https://h/a@b", "https://h/a@b"),
            ("no address: git@h:x", "no address: git@h:x"),
        ] {
            assert_eq!(without_credentials(words), expected);
        }
    }

    #[test]
    fn short_forms_need_a_host_to_be_resolved_against() {
        assert_eq!(address("a/b", Some("https://h/")).as_deref(), Ok("https://h/a/b"));
        assert!(address("a/b", None).expect_err("unknown").contains("whole address"));
        assert_eq!(address("git@h:a/b", None).as_deref(), Ok("git@h:a/b"));
    }
}
