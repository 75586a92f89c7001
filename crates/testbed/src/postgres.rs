//! A PostgreSQL server of Debian's packages, for as long as a test runs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

const USER: &str = "sandbox";

/// A running server; dropped, it stops.
pub struct Server {
    process: Child,
    dir: TempDir,
}

impl Server {
    /// Starts one that listens on a socket in its own directory, and on no port; or says why there is none.
    pub fn start() -> Result<Self, String> {
        let bin = find_programs().ok_or("initdb and postgres are not installed (Debian: postgresql)")?;
        let dir = TempDir::with_prefix("pg-").map_err(|error| format!("no temporary directory: {error}"))?;
        let user = unprivileged()?;
        if let Some((uid, gid)) = user {
            chown(dir.path(), Some(uid), Some(gid)).map_err(|error| format!("chown: {error}"))?;
        }
        let data = dir.path().join("data");
        let made = as_user(user, &bin.join("initdb"), dir.path())
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "--no-sync"])
            .output()
            .map_err(|error| format!("initdb does not start: {error}"))?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
        }
        let mut process = as_user(user, &bin.join("postgres"), dir.path())
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(dir.path())
            .args(["-h", "", "-F", "-c", "max_connections=100", "-c", "max_wal_size=64MB"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("postgres does not start: {error}"))?;
        let mut log = BufReader::new(process.stderr.take().ok_or("no log")?);
        let server = Self { process, dir };
        let mut said = String::new();
        while !said.contains("ready to accept connections") {
            let before = said.len();
            log.read_line(&mut said).map_err(|error| error.to_string())?;
            if said.len() == before {
                return Err(format!("postgres ended: {said}"));
            }
        }
        // A pipe that nobody reads would one day hold up the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(server)
    }

    /// The folder of its socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A new, empty database; names are letters, digits and `_`.
    #[must_use]
    pub fn database(&self, name: &str) -> Database {
        Database::made(self.folder(), name, None)
    }
}

/// A database of a running server; dropped, it is taken away, whoever is still connected: of many none need keep its eight
/// megabytes until the last.
pub struct Database {
    folder: PathBuf,
    name: String,
    url: String,
}

impl Database {
    /// Makes it on the server whose socket is in this folder, empty or as a copy.
    pub(crate) fn made(folder: &Path, name: &str, template: Option<&str>) -> Self {
        let mut command = client("createdb", folder);
        if let Some(template) = template {
            command.args(["--template", template]);
        }
        let output = command.arg(name).output().expect("createdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            url: format!("postgres://{USER}@localhost/{name}?host={}", folder.display()),
        }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All that it holds, as the statements that would make it again.
    #[must_use]
    pub fn dumped(&self) -> Vec<u8> {
        let output = client("pg_dump", &self.folder).arg(&self.name).output();
        let output = output.expect("pg_dump runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Takes a table for itself: whoever asks for it waits until what is returned is dropped.
    #[must_use]
    pub fn hold(&self, table: &str) -> Held {
        let mut process = client("psql", &self.folder)
            .args(["-X", "-q", "-A", "-t", "-d", &self.name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql runs");
        let asks = process.stdin.take().expect("a pipe");
        let says = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut held = Held { process, asks, says };
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'held';");
        assert_eq!(held.ask(&lock), "held");
        held
    }
}

/// A table that nobody else can read; dropped, everybody can again.
pub struct Held {
    process: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Held {
    /// Whether somebody waits for it.
    pub fn is_waited_for(&mut self) -> bool {
        let waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND database = \
                       (SELECT oid FROM pg_database WHERE datname = current_database());";
        self.ask(waiting) == "t"
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.asks, "{question}").expect("psql listens");
        let mut answer = String::new();
        self.says.read_line(&mut answer).expect("psql answers");
        answer.trim().to_owned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // With its client goes the transaction.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that is gone has no database to take away.
        let _ = client("dropdb", &self.folder)
            .args(["--force", &self.name])
            .stderr(Stdio::null())
            .status();
    }
}

/// One of the server's own programs, towards the server whose socket is in this folder.
fn client(program: &str, folder: &Path) -> Command {
    let found = find_programs().map_or_else(|| program.into(), |bin| bin.join(program));
    let mut command = Command::new(found);
    command.arg("-h").arg(folder).args(["-U", USER]);
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        // QUIT is an immediate stop: there is nothing to keep.
        let quit = Command::new("kill")
            .args(["-QUIT", &self.process.id().to_string()])
            .status();
        if !quit.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// The folder with the server's programs: on the PATH, or where Debian puts them. What is on the PATH may lead elsewhere, to where
/// all of them are.
fn find_programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    folders.extend(debian.into_iter().rev());
    folders.push("/usr/local/bin".into());
    folders
        .into_iter()
        .filter_map(|folder| folder.join("initdb").canonicalize().ok()?.parent().map(Path::to_owned))
        .find(|folder| {
            ["postgres", "createdb", "dropdb"]
                .iter()
                .all(|name| folder.join(name).exists())
        })
}

/// PostgreSQL refuses to run as root: then it runs as `postgres`, or else as `nobody`.
fn unprivileged() -> Result<Option<(u32, u32)>, String> {
    let number = |args: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if number(&["-u"]) != Some(0) {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .iter()
        .find_map(|user| Some((number(&["-u", user])?, number(&["-g", user])?)))
        .map(Some)
        .ok_or_else(|| "root may not run it, and there is neither a user postgres nor nobody".to_owned())
}

/// The program as that user, told to stop should this process die without a word.
fn as_user(user: Option<(u32, u32)>, program: &Path, dir: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((uid, gid)) = user {
        command.args([
            "--reuid",
            &uid.to_string(),
            "--regid",
            &gid.to_string(),
            "--clear-groups",
        ]);
    }
    command.arg(program).current_dir(dir).env("LC_ALL", "C");
    command
}
