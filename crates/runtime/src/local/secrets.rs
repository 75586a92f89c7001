//! What a session is given that is secret: variables for its programs, files in its HOME, and Git's way to both.
//!
//! A session's programs own their HOME and may have put links anywhere in it: files are placed folder by folder, from a
//! handle to HOME on, and no link is followed.

use super::layout::Folder;
use anyhow::Result;
use domain::secret::{Carried, Kind, Value};
use engine::ports::Delivered;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The files that were placed, by their names, so that those no longer given can be removed.
const PLACED: &str = "secret-files.json";
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What a program carries of it.
pub(crate) fn carried(given: &[Delivered]) -> Carried {
    let of = |kind: Kind| {
        let given = given.iter().filter(move |given| given.kind == kind);
        given.map(|given| (given.name.clone(), given.value.clone())).collect()
    };
    Carried {
        env: of(Kind::Env),
        files: of(Kind::File),
    }
}

/// Whether this file is among them.
pub(crate) fn has_file(given: &[Delivered], name: &str) -> bool {
    given.iter().any(|given| given.kind == Kind::File && given.name == name)
}

/// The token that Git is given, and who it says it is with it; hosts that look at the token alone take any name.
const TOKEN: &str = "GIT_TOKEN";
const USERNAME: &str = "GIT_USERNAME";

/// Answers Git's question for a sign-in with the token of the environment it runs in: its words name the token and do not
/// hold it, and `printf` is the shell's own, so it is on no command line. A name that the address says stays.
const HELPER: &str = "!f() { test \"$1\" = get || return 0; test -n \"$GIT_TOKEN\" || return 0; \
    u=\"${GIT_USERNAME:-x-access-token}\"; while IFS= read -r l && test -n \"$l\"; do case \"$l\" in \
    username=?*) u=\"${l#username=}\";; esac; done; printf 'username=%s\\npassword=%s\\n' \"$u\" \"$GIT_TOKEN\"; }; f";

/// What makes Git in a session use the credentials and keys that it was given. A token is for the host of `repo` alone,
/// the address of the session's repository: no other host that a submodule or a program names is told it.
pub(crate) fn git_environment(home: &Path, given: &[Delivered], repo: Option<&str>) -> Vec<(String, String)> {
    environment(home, given, repo, Vec::new())
}

/// The same for a Git of our own that clones `url`: nobody else's helper is asked, and the token is in its environment, as
/// it is in that of a session's programs, where no other session may look.
pub(crate) fn clone_environment(home: &Path, given: &[Delivered], url: &str) -> Vec<(String, String)> {
    // An empty one ends what was set before.
    let mut environment = environment(home, given, Some(url), vec![("credential.helper".to_owned(), "")]);
    let token = given
        .iter()
        .filter(|given| given.kind == Kind::Env && [TOKEN, USERNAME].contains(&given.name.as_str()));
    environment.extend(token.map(|given| (given.name.clone(), given.value.expose().to_owned())));
    environment
}

fn environment(
    home: &Path,
    given: &[Delivered],
    repo: Option<&str>,
    mut settings: Vec<(String, &str)>,
) -> Vec<(String, String)> {
    let mut environment = Vec::new();
    if has_file(given, ".git-credentials") {
        settings.push(("credential.helper".to_owned(), "store"));
    }
    if let Some(host) = repo.and_then(token_host)
        && given.iter().any(|given| given.kind == Kind::Env && given.name == TOKEN)
    {
        settings.push((format!("credential.{host}.helper"), HELPER));
    }
    if !settings.is_empty() {
        environment.push(("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string()));
    }
    for (number, (key, value)) in settings.into_iter().enumerate() {
        environment.push((format!("GIT_CONFIG_KEY_{number}"), key));
        environment.push((format!("GIT_CONFIG_VALUE_{number}"), value.to_owned()));
    }
    if given
        .iter()
        .any(|given| given.kind == Kind::File && given.name.starts_with(".ssh/"))
    {
        environment.push(("GIT_SSH_COMMAND".to_owned(), ssh(home, given)));
    }
    environment
}

/// The scheme, host and port that a token is sent to; plain HTTP only where nobody is on the way.
fn token_host(repo: &str) -> Option<String> {
    let (scheme, rest) = repo.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let is_here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|here| {
        authority
            .strip_prefix(here)
            .is_some_and(|port| port.is_empty() || port.starts_with(':'))
    });
    let is_safe = scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && is_here);
    (is_safe && !authority.is_empty()).then(|| format!("{}://{authority}", scheme.to_lowercase()))
}

/// How Git calls ssh, which looks into the home of its user and not into HOME.
pub(crate) fn ssh(home: &Path, given: &[Delivered]) -> String {
    let in_home = |name: &str| home.join(name).to_string_lossy().into_owned();
    let mut words = vec![
        "ssh".to_owned(),
        "-oStrictHostKeyChecking=accept-new".to_owned(),
        format!("-oUserKnownHostsFile=\"{}\"", in_home(".ssh/known_hosts")),
    ];
    if has_file(given, ".ssh/config") {
        words.extend(["-F".to_owned(), in_home(".ssh/config")]);
    }
    let keys = given.iter().filter(|given| {
        given.kind == Kind::File && given.name.starts_with(".ssh/id_") && !given.name.ends_with(".pub")
    });
    for key in keys {
        words.extend(["-oIdentitiesOnly=yes".to_owned(), "-i".to_owned(), in_home(&key.name)]);
    }
    // Git hands this to a shell.
    let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Puts the files into the session's HOME, and removes those that it was given before and is not any more; the error is a
/// sentence for the person who waits.
pub(crate) async fn place(folder: &Folder, given: &[Delivered]) -> Result<(), String> {
    let (home, placed) = (folder.home(), folder.host().join(PLACED));
    let files: Vec<(String, Value)> = given
        .iter()
        .filter(|given| given.kind == Kind::File)
        .map(|given| (given.name.clone(), given.value.clone()))
        .collect();
    let work = tokio::task::spawn_blocking(move || replace(&home, &placed, &files));
    work.await
        .map_err(|_| "The secret files could not be placed.".to_owned())?
}

fn replace(home: &Path, placed: &Path, files: &[(String, Value)]) -> Result<(), String> {
    let unwritable = |error: std::io::Error| super::making::sentence(&error.into());
    let before: BTreeSet<String> = match std::fs::read(placed) {
        Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
        read => serde_json::from_slice(&read.map_err(unwritable)?).unwrap_or_default(),
    };
    let now: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
    if before.is_empty() && now.is_empty() {
        return Ok(());
    }
    let note = |names: &BTreeSet<String>| {
        let json = serde_json::to_vec(names).map_err(std::io::Error::from);
        json.and_then(|json| host::files::write_atomically(placed, &json))
            .map_err(unwritable)
    };
    // First noted, then placed: what a crash leaves behind is removed the next time.
    note(&before.union(&now).cloned().collect())?;
    let open = || openat(CWD, home, FOLDER, Mode::empty());
    let home = open().map_err(|error| unwritable(error.into()))?;
    for name in before.difference(&now) {
        remove(&home, name).map_err(|error| trouble(name, error))?;
    }
    for (name, value) in files {
        write(&home, name, value).map_err(|error| trouble(name, error))?;
    }
    note(&now)
}

fn trouble(name: &str, error: Errno) -> String {
    let why = match error {
        Errno::LOOP | Errno::NOTDIR => {
            "a part of its path there is a link or a file. Remove that, then try again".to_owned()
        }
        Errno::ISDIR => "there is a folder of this name. Remove that, then try again".to_owned(),
        Errno::NOSPC | Errno::DQUOT => "the disk of this machine is full".to_owned(),
        other => other.to_string(),
    };
    format!("The secret file {name} cannot be put into the session's HOME: {why}.")
}

/// Enters the folders of a path below HOME; the last one's handle and the file's own name.
fn enter<'a>(home: &OwnedFd, name: &'a str, make: bool) -> Result<(OwnedFd, &'a str), Errno> {
    let (folders, name) = name.rsplit_once('/').unwrap_or(("", name));
    let mut at = home.try_clone().map_err(|_| Errno::MFILE)?;
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        if make {
            match mkdirat(&at, part, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        at = openat(&at, part, FOLDER, Mode::empty())?;
    }
    Ok((at, name))
}

fn write(home: &OwnedFd, name: &str, value: &Value) -> Result<(), Errno> {
    let (folder, name) = enter(home, name, true)?;
    let beside = PathBuf::from(format!(".{name}.being-written"));
    // One that a crash has left.
    let _ = unlinkat(&folder, &beside, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&folder, &beside, flags, Mode::RUSR | Mode::WUSR)?;
    let written = fchmod(&file, Mode::RUSR | Mode::WUSR).and_then(|()| {
        let mut file = File::from(file);
        let written = file.write_all(value.expose().as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    });
    let placed = written.and_then(|()| renameat(&folder, &beside, &folder, name));
    if placed.is_err() {
        let _ = unlinkat(&folder, &beside, AtFlags::empty());
    }
    placed
}

fn remove(home: &OwnedFd, name: &str) -> Result<(), Errno> {
    // A way that is not there, or is a link by now, leads to nothing of ours.
    let removed = enter(home, name, false).and_then(|(folder, name)| unlinkat(&folder, name, AtFlags::empty()));
    match removed {
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ISDIR) => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn file(name: &str, text: &str) -> (String, Value) {
        (name.to_owned(), Value::new(text))
    }

    #[test]
    fn files_are_placed_for_their_user_alone_and_go_when_they_are_not_given_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, placed) = (folder.path().join("home"), folder.path().join("placed.json"));
        std::fs::create_dir(&home).expect("made");
        let files = [file(".netrc", "one"), file(".ssh/id_ed25519", "two")];
        replace(&home, &placed, &files).expect("placed");
        for (name, text) in [(".netrc", "one"), (".ssh/id_ed25519", "two")] {
            let path = home.join(name);
            assert_eq!(std::fs::read_to_string(&path).expect("there"), text);
            assert_eq!(
                std::fs::metadata(&path).expect("there").permissions().mode() & 0o777,
                0o600
            );
        }
        let mode = std::fs::metadata(home.join(".ssh"))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        // What the session has made itself stays.
        std::fs::write(home.join(".ssh/known_hosts"), "h").expect("written");
        replace(&home, &placed, &[file(".netrc", "new")]).expect("placed");
        assert_eq!(std::fs::read_to_string(home.join(".netrc")).expect("there"), "new");
        assert!(!home.join(".ssh/id_ed25519").exists() && home.join(".ssh/known_hosts").exists());
        replace(&home, &placed, &[]).expect("removed");
        assert!(!home.join(".netrc").exists());
        assert!(!std::fs::read_to_string(&placed).expect("there").contains("netrc"));
    }

    #[test]
    fn no_link_leads_out_of_the_home() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, placed) = (folder.path().join("home"), folder.path().join("placed.json"));
        let outside = folder.path().join("outside");
        for path in [&home, &outside] {
            std::fs::create_dir(path).expect("made");
        }
        std::fs::write(outside.join("victim"), "kept").expect("written");
        symlink(&outside, home.join(".ssh")).expect("linked");
        symlink(outside.join("victim"), home.join(".netrc")).expect("linked");
        let refused = replace(&home, &placed, &[file(".ssh/id", "canary")]).expect_err("a link");
        assert!(
            refused.contains(".ssh/id") && refused.contains("link") && !refused.contains("canary"),
            "{refused}"
        );
        assert_eq!(std::fs::read_dir(&outside).expect("reads").count(), 1);
        // A link in the file's own place is replaced, not followed.
        replace(&home, &placed, &[file(".netrc", "mine")]).expect("placed");
        assert_eq!(std::fs::read_to_string(outside.join("victim")).expect("there"), "kept");
        assert!(
            !std::fs::symlink_metadata(home.join(".netrc"))
                .expect("there")
                .is_symlink()
        );
        // Neither when it is removed.
        std::fs::remove_file(home.join(".netrc")).expect("gone");
        symlink(outside.join("victim"), home.join(".netrc")).expect("linked");
        replace(&home, &placed, &[]).expect("removed");
        assert!(outside.join("victim").exists());
        std::fs::create_dir(home.join("folder")).expect("made");
        let refused = replace(&home, &placed, &[file("folder", "x")]).expect_err("a folder");
        assert!(refused.contains("folder of this name"), "{refused}");
    }

    #[test]
    fn git_is_shown_the_way() {
        let home = Path::new("/data/it's here/home");
        let given = |name: &str| Delivered {
            kind: Kind::File,
            name: name.to_owned(),
            value: Value::new("canary"),
        };
        assert!(
            git_environment(home, &[given(".netrc")], Some("https://h/x")).is_empty(),
            "curl finds it by itself"
        );
        let environment = git_environment(
            home,
            &[
                given(".git-credentials"),
                given(".ssh/id_rsa"),
                given(".ssh/id_rsa.pub"),
            ],
            None,
        );
        assert_eq!(environment.len(), 4);
        let ssh = &environment[3].1;
        assert!(
            ssh.contains(r"'-i' '/data/it'\''s here/home/.ssh/id_rsa'") && !ssh.contains(".pub"),
            "{ssh}"
        );
        assert!(!format!("{environment:?}").contains("canary"));
    }

    #[test]
    fn a_token_is_for_the_repositorys_own_host_alone_and_never_in_the_clear() {
        for (repo, host) in [
            ("https://git.example.org/a/b.git", Some("https://git.example.org")),
            (
                "HTTPS://ada@git.example.org:8443/a",
                Some("https://git.example.org:8443"),
            ),
            ("http://127.0.0.1:4711/a", Some("http://127.0.0.1:4711")),
            ("http://localhost/a", Some("http://localhost")),
            ("http://git.example.org/a", None),
            ("http://localhost.example.org/a", None),
            ("http://127.0.0.1@evil.example/a", None),
            ("git@h:a/b", None),
            ("ssh://git@h/a", None),
        ] {
            assert_eq!(token_host(repo).as_deref(), host, "{repo}");
        }
        let token = Delivered {
            kind: Kind::Env,
            name: TOKEN.to_owned(),
            value: Value::new("canary"),
        };
        let home = Path::new("/home");
        let environment = git_environment(home, std::slice::from_ref(&token), Some("https://h/a"));
        assert!(environment.contains(&("GIT_CONFIG_KEY_0".to_owned(), "credential.https://h.helper".to_owned())));
        assert!(!format!("{environment:?}").contains("canary"));
        assert!(git_environment(home, &[token], Some("http://h/a")).is_empty());
    }
}
