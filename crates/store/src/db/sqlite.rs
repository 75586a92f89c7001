//! SQLite, embedded: one file in the data directory.

use super::{Db, trouble::told};
use anyhow::{Context as _, Result};
use sqlx::{
    Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::OpenOptions,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    str::FromStr as _,
    time::{Duration, Instant},
};

/// Readers beside the one writer: each is a thread, and SQLite's readers hold each other up on few processors.
const READERS: u32 = 4;

/// How soon a file that is busy is opened again.
const AGAIN: Duration = Duration::from_millis(20);

/// A database and whether it is a file; one in memory is gone with its only connection.
pub(super) struct Place {
    options: SqliteConnectOptions,
    is_file: bool,
}

/// Reads `sqlite://path` or `sqlite::memory:`.
pub(super) fn from_url(url: &str) -> Result<Place> {
    anyhow::ensure!(
        url.starts_with("sqlite:"),
        "The database's address must begin with sqlite:// or postgres://."
    );
    let options = SqliteConnectOptions::from_str(url).context("The database's address cannot be read")?;
    let is_file = !url.contains(":memory:") && !url.contains("mode=memory");
    if is_file {
        make_private(options.get_filename())?;
    }
    Ok(Place { options, is_file })
}

/// The database in this file.
pub(super) fn from_file(path: &Path) -> Result<Place> {
    make_private(path)?;
    let options = SqliteConnectOptions::new().filename(path);
    Ok(Place { options, is_file: true })
}

/// Makes the file, for its owner alone, before SQLite would make it for everybody; its `-wal` and `-shm` follow it.
fn make_private(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .with_context(|| format!("The folder {} cannot be made", parent.display()))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("The database {} cannot be made", path.display()))
        }
        _ => Ok(()),
    }
}

/// Opens the writer, then the readers.
pub(super) async fn open(place: Place, wait: Duration) -> Result<Db> {
    let path = place.options.get_filename().to_owned();
    let options = place
        .options
        .foreign_keys(true)
        .busy_timeout(wait)
        // With NORMAL, what was acknowledged survives a killed process but not a power cut. FULL syncs the log at
        // each commit: that costs a millisecond or so, and there are few writes a second.
        .synchronous(SqliteSynchronous::Full);
    let queue = wait + Duration::from_secs(10);
    let single = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(queue)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection, _| {
            Box::pin(async move {
                // The ping comes after a rollback that is still under way. SQLite undoes a transaction by itself
                // when the disk is full, and the driver then believes for ever that it is inside one.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        });
    let ahead = options.clone().journal_mode(SqliteJournalMode::Wal);
    let began = Instant::now();
    let writer = loop {
        match single.clone().connect_with(ahead.clone()).await {
            // Where several make a new file write-ahead together, SQLite says that it is busy at once, whatever it is told to
            // wait.
            Err(error) if is_busy(&error) && began.elapsed() < wait => tokio::time::sleep(AGAIN).await,
            opened => break opened.map_err(told),
        }
    }
    .with_context(|| format!("The database {} cannot be opened", path.display()))?;
    // Every connection to a database in memory would see its own.
    let readers = if place.is_file {
        SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(queue)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on"))
    } else {
        writer.clone()
    };
    Ok(Db::Sqlite { writer, readers })
}

/// Whether somebody else holds the file for a moment: the low byte of SQLite's code is its kind, 5 for busy.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::values;
    use engine::ports::Refusal;

    #[tokio::test]
    async fn a_full_disk_is_told_and_writing_goes_on_when_there_is_room() {
        let dir = tempfile::tempdir().expect("a directory");
        let place = from_file(&dir.path().join("x.db")).expect("a file");
        let db = open(place, Duration::from_secs(1)).await.expect("opens");
        let Db::Sqlite { writer, .. } = &db else {
            panic!("SQLite")
        };
        db.execute("CREATE TABLE t (x TEXT)", values![]).await.expect("a table");
        sqlx::query("PRAGMA max_page_count = 20")
            .execute(writer)
            .await
            .expect("a small disk");
        let text = "x".repeat(200_000);
        let full = db.execute("INSERT INTO t VALUES ($1)", values![&text]).await;
        let error = full.expect_err("there is no room");
        assert!(
            matches!(error.downcast_ref(), Some(Refusal::Unavailable(why)) if why.contains("full")),
            "{error:?}"
        );
        sqlx::query("PRAGMA max_page_count = 4000")
            .execute(writer)
            .await
            .expect("room");
        db.execute("INSERT INTO t VALUES ($1)", values![&text])
            .await
            .expect("it writes again");
    }

    #[tokio::test]
    async fn a_database_in_memory_is_one_for_readers_and_writers() {
        let place = from_url("sqlite::memory:").expect("an address");
        let db = open(place, Duration::from_secs(1)).await.expect("opens");
        db.execute("CREATE TABLE t (x TEXT)", values![]).await.expect("a table");
        db.execute("INSERT INTO t VALUES ($1)", values!["a"])
            .await
            .expect("a row");
        let row = db
            .row("SELECT x FROM t", values![])
            .await
            .expect("an answer")
            .expect("the row");
        assert_eq!(row.get::<String>("x").expect("text"), "a");
    }

    #[test]
    fn the_file_and_its_folder_are_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("data/sandbox.db");
        from_file(&path).expect("made");
        let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    }

    #[test]
    fn an_address_of_another_kind_is_refused_with_a_sentence() {
        let Err(refused) = from_url("mysql://localhost/x") else {
            panic!("accepted")
        };
        assert!(refused.to_string().contains("sqlite:// or postgres://"), "{refused}");
    }
}
