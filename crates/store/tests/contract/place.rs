//! Where a story is lived: a database that nobody else uses.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::{path::PathBuf, sync::Arc};
use store::{Options, Sql};
use tempfile::TempDir;

pub(crate) struct Place {
    options: Options,
    dir: Arc<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::of(Options::default())
    }

    pub(crate) fn of(options: Options) -> Self {
        // The shortest wait for a lock: only one story waits in vain.
        let options = Options {
            database_wait: 1,
            database_connections: 6,
            ..options
        };
        let dir = Arc::new(TempDir::new().expect("a temporary directory"));
        Self { options, dir }
    }

    /// The same place for those who come in crowds: whoever stands in a queue is not told that the database is busy, so
    /// that only a circle is an error.
    pub(crate) fn patient(mut self) -> Self {
        self.options.database_wait = 60;
        self
    }

    /// The same place, for somebody else who opens it.
    pub(crate) fn another(&self) -> Self {
        Self {
            options: self.options.clone(),
            dir: self.dir.clone(),
        }
    }

    pub(crate) async fn try_open(&self) -> anyhow::Result<Arc<Sql>> {
        store::open(&self.options, &self.dir.path().join("data"))
            .await
            .map(Arc::new)
    }

    pub(crate) async fn open(&self) -> Arc<Sql> {
        self.try_open().await.expect("the store opens")
    }

    pub(crate) async fn migrate(&self) -> anyhow::Result<String> {
        store::migrate(&self.options, &self.dir.path().join("data")).await
    }

    /// The file of SQLite; `None` on PostgreSQL.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.options
            .database_url
            .is_none()
            .then(|| self.dir.path().join("data/sandbox.db"))
    }

    /// A place with a copy of what SQLite has on disk at this moment, as after a crash.
    pub(crate) fn as_after_a_crash(&self) -> Option<Self> {
        let file = self.file()?;
        let copy = Self::sqlite();
        let to = copy.file().expect("SQLite");
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        for end in ["", "-wal"] {
            std::fs::copy(format!("{}{end}", file.display()), format!("{}{end}", to.display())).expect("copied");
        }
        Some(copy)
    }

    /// Another program at the same database.
    pub(crate) async fn stranger(&self) -> Stranger {
        match (&self.options.database_url, self.file()) {
            (None, Some(file)) => {
                let url = format!("sqlite://{}", file.display());
                Stranger::Sqlite(SqliteConnection::connect(&url).await.expect("connects"))
            }
            (Some(url), _) => Stranger::Postgres(PgConnection::connect(url).await.expect("connects")),
            (None, None) => unreachable!("without an address there is a file"),
        }
    }
}

pub(crate) enum Stranger {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Stranger {
    pub(crate) async fn does(&mut self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute(AssertSqlSafe(sql)).await.map(|_| ()),
            Self::Postgres(connection) => connection.execute(AssertSqlSafe(sql)).await.map(|_| ()),
        }
        .expect(sql);
    }

    /// How many rows a table has.
    pub(crate) async fn counts(&mut self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
        }
        .expect(table)
    }

    /// Begins to write and goes on holding what every writer needs.
    pub(crate) async fn locks(&mut self) {
        match self {
            Self::Sqlite(_) => self.does("BEGIN IMMEDIATE").await,
            Self::Postgres(_) => {
                self.does("BEGIN; SELECT * FROM ledgers FOR UPDATE; SELECT * FROM members FOR UPDATE")
                    .await
            }
        }
    }
}
