//! The two databases behind one small set of verbs: the only place where a statement meets a driver.
//!
//! Every statement is written once, in the words that both databases read alike (`$1`, `RETURNING`, `ON CONFLICT`), and
//! takes and gives two types: text and whole numbers. sqlx's own `Any` driver would do the same, but guesses types
//! and hides the options of each database that matter here (who writes, how long to wait, what to fsync).

mod postgres;
mod sqlite;
mod trouble;
mod value;

pub(crate) use value::{Row, Value, values};

use crate::Options;
use anyhow::Result;
use sqlx::{
    Database, Encode, PgPool, Postgres, SqlSafeStr, SqlStr, Sqlite, SqlitePool, Transaction, Type, query::Query,
};
use std::path::Path;
use trouble::told;

/// An open database.
#[derive(Debug)]
pub(crate) enum Db {
    /// One connection writes, so that writers queue in this process, in order, rather than in SQLite, by chance;
    /// readers see the last commit and are never in anybody's way.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction that writes; dropped without [`Tx::commit`] it leaves nothing behind.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens the database that is asked for, or the embedded one in `data_dir`; its schema is not looked at yet.
    pub(crate) async fn open(options: &Options, data_dir: &Path) -> Result<Self> {
        let wait = options.wait();
        match options.database_url.as_deref() {
            Some(url) if url.starts_with("postgres:") || url.starts_with("postgresql:") => {
                postgres::open(url, options.database_connections, wait).await
            }
            Some(url) => sqlite::open(sqlite::from_url(url)?, wait).await,
            None => sqlite::open(sqlite::from_file(&data_dir.join("sandbox.db"))?, wait).await,
        }
    }

    /// How it is called, and the question for its `version`.
    pub(crate) fn version(&self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite { .. } => ("SQLite", "SELECT sqlite_version() AS version"),
            Self::Postgres(_) => ("PostgreSQL", "SELECT current_setting('server_version') AS version"),
        }
    }

    /// Begins to write.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        match self {
            // A transaction that begins by reading could not become one that writes while another process writes.
            Self::Sqlite { writer, .. } => writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite),
            Self::Postgres(pool) => pool.begin().await.map(Tx::Postgres),
        }
        .map_err(told)
    }

    /// The rows of a question.
    pub(crate) async fn rows(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into_sql_str();
        match self {
            Self::Sqlite { readers, .. } => {
                let rows = bound::<Sqlite>(sql, values).fetch_all(readers).await.map_err(told)?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(pool) => {
                let rows = bound::<Postgres>(sql, values).fetch_all(pool).await.map_err(told)?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The only row of a question.
    pub(crate) async fn row(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// Ends every connection; SQLite folds its log into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// A change that is a transaction by itself; how many rows it touched.
    pub(crate) async fn execute(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let touched = tx.execute(sql, values).await?;
        tx.commit().await?;
        Ok(touched)
    }
}

impl Tx {
    /// A change; how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        let sql = sql.into_sql_str();
        match self {
            Self::Sqlite(tx) => bound::<Sqlite>(sql, values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Self::Postgres(tx) => bound::<Postgres>(sql, values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        }
        .map_err(told)
    }

    /// The rows of a question, or of a change that returns what it touched.
    pub(crate) async fn rows(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into_sql_str();
        match self {
            Self::Sqlite(tx) => {
                let rows = bound::<Sqlite>(sql, values).fetch_all(&mut **tx).await.map_err(told)?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(tx) => {
                let rows = bound::<Postgres>(sql, values)
                    .fetch_all(&mut **tx)
                    .await
                    .map_err(told)?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The only row of a question, or of a change that returns what it touched.
    pub(crate) async fn row(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// Waits for locks as long as a change of the schema takes: for what happens before anybody is served.
    pub(crate) async fn wait_long(&mut self) -> Result<()> {
        match self {
            // A writer has no more to wait for.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self
                .execute("SET LOCAL lock_timeout = '10min'", values![])
                .await
                .map(|_| ()),
        }
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(told)
    }
}

/// A statement with its values, in order.
fn bound<DB: Database>(sql: SqlStr, values: Vec<Value>) -> Query<'static, DB, <DB as Database>::Arguments>
where
    Option<String>: Type<DB> + for<'q> Encode<'q, DB>,
    Option<i64>: Type<DB> + for<'q> Encode<'q, DB>,
{
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    })
}
