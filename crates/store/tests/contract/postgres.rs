//! A PostgreSQL server of Debian's packages, for as long as a test runs.

use crate::place::Place;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use store::Options;
use tempfile::TempDir;

/// A running server; dropped, it stops.
pub(crate) struct Server {
    process: Child,
    dir: TempDir,
}

impl Server {
    /// Starts one that listens on a socket in its own directory, and on no port; or says why there is none.
    pub(crate) fn start() -> Result<Self, String> {
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
            .args(["-A", "trust", "-U", "sandbox", "-E", "UTF8", "--no-locale", "--no-sync"])
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
            .args(["-h", "", "-F", "-c", "max_connections=60", "-c", "max_wal_size=64MB"])
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

    /// A new, empty database.
    pub(crate) async fn place(&self, story: &str) -> Place {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("connects");
        let name = named(story);
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
            .await
            .expect("a database");
        Place::of(Options {
            database_url: Some(self.url(&name)),
            ..Options::default()
        })
    }

    /// Takes a database away again: of many stories none need keep its eight megabytes until the last.
    pub(crate) async fn clear(&self, story: &str) {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("connects");
        let name = named(story);
        connection
            .execute(AssertSqlSafe(format!("DROP DATABASE \"{name}\" WITH (FORCE)")))
            .await
            .expect("taken away");
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://sandbox@localhost/{database}?host={}",
            self.dir.path().display()
        )
    }
}

/// A story's name as that of a database.
fn named(story: &str) -> String {
    story.replace("::", "_").chars().take(60).collect()
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

/// The folder with both programs: on the PATH, or where Debian puts them.
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
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
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
