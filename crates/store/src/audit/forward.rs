//! How far the audit was forwarded to somebody outside, and what comes next.

use super::{COLUMNS, MOST, read};
use crate::{
    db::{Db, values},
    filter::Filter,
};
use anyhow::Result;
use domain::audit::Line;
use engine::ports::Scope;

/// The entries of every Organization after a position, oldest first, at most `limit`. Positions become visible in their
/// own order: whoever goes on from one misses nothing.
pub(crate) async fn audit_after(db: &Db, position: i64, limit: u32) -> Result<Vec<Line>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("position > ?", values![position]);
    let (sql, values) = filter.select(
        &format!("{COLUMNS} FROM audit"),
        "ORDER BY position LIMIT ?",
        values![limit.min(MOST)],
    );
    db.rows(sql, values).await?.iter().map(read).collect()
}

/// The last position that a receiver has; `None` where it has none yet.
pub(crate) async fn forwarded(db: &Db, receiver: &str) -> Result<Option<i64>> {
    let row = db
        .row("SELECT position FROM audit_forwards WHERE name = $1", values![receiver])
        .await?;
    row.map(|row| row.get("position")).transpose()
}

/// Remembers that a receiver has everything up to here; of two servers that hand on at once, the further one counts.
pub(crate) async fn record_forwarded(db: &Db, receiver: &str, position: i64) -> Result<()> {
    db.execute(
        "INSERT INTO audit_forwards (name, position) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE excluded.position > audit_forwards.position",
        values![receiver, position],
    )
    .await?;
    Ok(())
}

/// Every receiver, and how many entries it has not got: they have their positions without gaps.
pub(crate) async fn receivers(db: &Db) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT f.name, COALESCE((SELECT MAX(position) FROM audit), 0) - f.position AS behind \
               FROM audit_forwards f ORDER BY f.name LIMIT 50";
    let rows = db.rows(sql, values![]).await?;
    rows.iter()
        .map(|row| Ok((row.get("name")?, row.get::<i64>("behind")?.max(0))))
        .collect()
}
