//! What a database says when it cannot, and what people are told of it.

use anyhow::Error;
use engine::ports::Refusal;

/// The driver's error, under a refusal that can be shown wherever waiting or an operator helps.
pub(super) fn told(error: sqlx::Error) -> Error {
    match sentence(&error) {
        Some(sentence) => Error::new(error).context(Refusal::Unavailable(sentence.to_owned())),
        None => Error::new(error),
    }
}

fn sentence(error: &sqlx::Error) -> Option<&'static str> {
    const BUSY: &str = "The database is busy: something else holds it locked. Try again in a moment.";
    const AWAY: &str = "The database does not answer. Try again in a moment.";
    const FULL: &str = "The disk of the database is full. Nothing is remembered until there is room.";
    match error {
        sqlx::Error::PoolTimedOut => Some(BUSY),
        sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Tls(_) => Some(AWAY),
        sqlx::Error::Database(error) => match error.code()?.as_ref() {
            // SQLite: the low byte of an extended result code is its kind. PostgreSQL's codes have five characters.
            code if code.len() < 5 => match code.parse::<u32>().ok()? & 0xff {
                5 | 6 => Some(BUSY),
                13 => Some(FULL),
                10 | 14 => Some(AWAY),
                _ => None,
            },
            "55P03" | "57014" | "40001" | "40P01" | "53300" => Some(BUSY),
            "53100" => Some(FULL),
            "57P01" | "57P02" | "57P03" => Some(AWAY),
            _ => None,
        },
        _ => None,
    }
}
