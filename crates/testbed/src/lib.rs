//! What tests of several rooms stand on: a PostgreSQL server for as long as a test runs, and a second life on it for a whole
//! suite that is otherwise lived on SQLite.
//!
//! A suite is run twice without a word about databases in its tests. Each test is its own on SQLite; one more,
//! [`live_again`], starts a server and runs the same program once more, in which [`database`] gives every test an empty
//! database there. What cannot run here prints `SKIPPED: what: why`.

pub mod postgres;

use postgres::{Database, Server};
use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Where the second life finds its server: the folder of its socket.
const SERVER: &str = "SANDBOX_TESTBED_POSTGRES";
/// The database of which every other is a copy.
const TEMPLATE: &str = "laid_out";

/// A new database, with the schema already in it, where this is a life on PostgreSQL; `None`: on SQLite.
#[must_use]
pub fn database() -> Option<Database> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let folder = std::env::var_os(SERVER)?;
    let name = format!("life_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    Some(Database::made(folder.as_ref(), &name, Some(TEMPLATE)))
}

/// Runs every other test of this program on PostgreSQL. `test` is the name of the test that calls it, as the program lists
/// it; `lay_out` brings the schema into the database of this address.
///
/// # Panics
/// When one of them fails, with what it said; or when none ran, which would prove nothing.
pub fn live_again(test: &str, lay_out: impl FnOnce(&str)) {
    let suite = std::env::current_exe().expect("this program");
    let server = match Server::start() {
        Ok(server) => server,
        Err(why) => {
            let suite = suite.file_stem().unwrap_or_default().to_string_lossy();
            eprintln!("SKIPPED: {suite} on PostgreSQL: {why}");
            return;
        }
    };
    let template = Database::made(server.folder(), TEMPLATE, None);
    lay_out(template.url());
    let output = Command::new(suite)
        .args(["--exact", "--skip", test])
        .env(SERVER, server.folder())
        .stdin(Stdio::null())
        .output()
        .expect("it runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    let passed = passed(&said);
    assert!(
        output.status.success() && passed > 0,
        "what holds on SQLite does not on PostgreSQL:\n{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    eprintln!("{passed} tests hold on PostgreSQL too");
}

/// How many tests passed, by the last line that the test program says.
fn passed(said: &str) -> usize {
    let summary = said.lines().rev().find(|line| line.starts_with("test result:"));
    let number = summary.and_then(|line| line.split(". ").nth(1)?.split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_life_in_which_nothing_ran_is_none() {
        let ok = "running 3 tests\n\ntest result: ok. 132 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out\n";
        assert_eq!(super::passed(ok), 132);
        assert_eq!(super::passed(&ok.replace("132", "0")), 0);
        assert_eq!(super::passed("error: no such test"), 0);
    }
}
