//! The environment of a session's programs, built from nothing.

use super::Here;
use super::layout::Folder;
use domain::SessionId;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What lets a program reach the network here: proxies and certificates. Installing and cloning need them; sessions get
/// only what is named for them.
const NETWORK: [&str; 17] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAPATH",
    "GIT_PROXY_SSL_CAINFO",
];

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of a session's programs; `first` are folders to look for programs in before the system's own.
pub(crate) fn of_session(
    here: &Here,
    session: &SessionId,
    folder: &Folder,
    first: &[PathBuf],
) -> BTreeMap<String, String> {
    let user = user();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let home = folder.home();
    let mut path: Vec<String> = vec![text(&home.join(".local/bin"))];
    path.extend(first.iter().map(|folder| text(folder)));
    path.push(PATH.to_owned());
    let mut environment: BTreeMap<String, String> = [
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("HOME", text(&home)),
        ("PATH", path.join(":")),
        ("USER", user.clone()),
        ("LOGNAME", user),
        ("SHELL", text(&super::shell::program())),
        ("TMPDIR", text(&folder.tmp())),
        // A prompt that names the workspace, not the way to it: on a phone that would be the whole line.
        ("PROMPT_DIRTRIM", "1".to_owned()),
        // A workspace that is no checkout must not become part of one that the server's data happens to lie in.
        ("GIT_CEILING_DIRECTORIES", text(folder.path())),
        ("SANDBOX_SESSION_ID", session.as_str().to_owned()),
        (MARK, text(folder.path())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for name in &here.options.session_env {
        if let Ok(value) = std::env::var(name) {
            environment.insert(name.clone(), value);
        }
    }
    environment
}

/// Names a folder of ours to the programs that work in it, and so those programs to us when whoever started them is
/// gone. (An id would not do: another server on this machine may use it too.)
pub(crate) const MARK: &str = "SANDBOX_FOLDER";

/// The environment of a program that works for us with the network: a clone, an installation.
pub(crate) fn with_network(home: &Path, first: &[PathBuf]) -> BTreeMap<String, String> {
    let path: Vec<String> = first
        .iter()
        .map(|folder| folder.to_string_lossy().into_owned())
        .collect();
    let path = [path, vec![PATH.to_owned()]].concat().join(":");
    let mut environment: BTreeMap<String, String> = [
        ("HOME", home.to_string_lossy().into_owned()),
        ("PATH", path),
        ("LANG", "C.UTF-8".to_owned()),
        ("USER", user()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for name in NETWORK {
        if let Ok(value) = std::env::var(name) {
            environment.insert(name.to_owned(), value);
        }
    }
    environment
}

/// Finds a program on the server's own PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| is_executable(program))
}

/// Whether this is a file that we may execute.
pub(crate) fn is_executable(program: &Path) -> bool {
    program.is_file() && rustix::fs::access(program, rustix::fs::Access::EXEC_OK).is_ok()
}

/// What a program needs to be readable: where it is found, where it really is, and, for an interpreter whose `bin` has
/// `lib` beside it, the folder of both.
pub(crate) fn needs(program: &Path) -> Vec<PathBuf> {
    let mut needs: Vec<PathBuf> = program.parent().map(Path::to_owned).into_iter().collect();
    if let Ok(real) = program.canonicalize()
        && let Some(folder) = real.parent()
    {
        needs.push(folder.to_owned());
        needs.extend(folder.parent().filter(|prefix| is_narrow(prefix)).map(Path::to_owned));
    }
    needs
}

/// Whether a folder may be opened as a whole: not the root, not a home, and nothing hidden right in one, where
/// programs lie beside secrets.
fn is_narrow(prefix: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let in_home = home
        .as_deref()
        .is_some_and(|home| prefix == home || prefix.parent() == Some(home));
    prefix.components().count() >= 3 && !in_home
}

/// The name of the user that all of this runs as.
pub(crate) fn user() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    users
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.nth(1)?))
        })
        .find(|(_, id)| *id == uid)
        .map_or_else(|| "sandbox".to_owned(), |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_and_what_is_hidden_right_in_them_are_not_opened_for_a_program() {
        let home = PathBuf::from(std::env::var_os("HOME").expect("everybody has one"));
        for (prefix, narrow) in [
            (home.clone(), false),
            (home.join(".local"), false),
            (home.join(".cargo"), false),
            (home.join(".nvm/versions/node/v22"), true),
            ("/".into(), false),
            ("/usr".into(), false),
            ("/opt/node".into(), true),
        ] {
            assert_eq!(is_narrow(&prefix), narrow, "{}", prefix.display());
        }
    }
}
