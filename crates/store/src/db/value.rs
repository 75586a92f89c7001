//! What goes into a statement and what comes out of a row.

use anyhow::{Context as _, Result};
use domain::{OrgId, PersonId, SessionId, Timestamp, id};
use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

/// A value of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

/// The values of a statement, in the order of `$1`, `$2`, …
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(crate::db::Value::from($value)),*] };
}
pub(crate) use values;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        // PostgreSQL refuses NUL in text. Replaced, a search for it finds nothing rather than failing.
        Self::Text(Some(text.replace('\0', "\u{fffd}")))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::from(text.as_deref())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Value {
    /// Beyond what both databases can count (8 exbibytes) there is only "very much".
    fn from(number: u64) -> Self {
        Self::from(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::from(i64::from(truth))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::from(at.millis())
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Number(at.map(Timestamp::millis))
    }
}

macro_rules! from_id {
    ($($id:ty),*) => {$(
        impl From<&$id> for Value {
            fn from(id: &$id) -> Self {
                Self::from(id.as_str())
            }
        }
    )*};
}
from_id!(
    OrgId,
    PersonId,
    SessionId,
    id::InvitationId,
    id::LoginId,
    id::RequestId,
    id::SecretId,
    id::TokenId
);

impl From<Option<&PersonId>> for Value {
    fn from(id: Option<&PersonId>) -> Self {
        Self::from(id.map(PersonId::as_str))
    }
}

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What a column can be read as.
pub(crate) trait Column:
    Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres>
{
}
impl<T> Column for T where T: Type<Sqlite> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> {}

impl Row {
    /// A column, as `String`, `i64`, or an `Option` of these.
    pub(crate) fn get<T: Column>(&self, column: &str) -> Result<T>
    where
        for<'c> &'c str: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .with_context(|| format!("reading the column {column}"))
    }

    /// A column that is never negative.
    pub(crate) fn count(&self, column: &str) -> Result<u64> {
        Ok(self.get::<i64>(column)?.max(0) as u64)
    }

    /// A time.
    pub(crate) fn at(&self, column: &str) -> Result<Timestamp> {
        self.get(column).map(Timestamp::from_millis)
    }

    /// A time that may not be there.
    pub(crate) fn at_if_any(&self, column: &str) -> Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    /// A word of the domain, by the function that reads it.
    pub(crate) fn word<T>(&self, column: &str, read: fn(&str) -> Option<T>) -> Result<T> {
        let text: String = self.get(column)?;
        read(&text).with_context(|| format!("the {column} {text:?} in the database is none that is known"))
    }

    /// JSON where there is any.
    pub(crate) fn json_if_any<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        match self.get::<Option<String>>(column)? {
            Some(_) => self.json(column).map(Some),
            None => Ok(None),
        }
    }

    /// JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).with_context(|| format!("reading the JSON in the column {column}"))
    }
}
