//! The outbox: events in the order in which they were committed.

use crate::{
    db::{Db, Row, Tx, values},
    filter::Filter,
    ledger::{self, Ledger},
};
use anyhow::{Context as _, Result};
use domain::{OrgId, Timestamp, event::Event};
use engine::ports::{Outgoing, Visible};

/// The most events in one answer.
const MOST: u32 = 1000;
const COLUMNS: &str = "position, id, kind, source, at, org, data, metadata FROM events";

pub(crate) async fn append(tx: &mut Tx, events: &[Outgoing]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let first = ledger::take(tx, Ledger::Events, events.len()).await?;
    for (position, Outgoing { event, owner, shared }) in (first..).zip(events) {
        tx.execute(
            "INSERT INTO events (position, id, kind, source, at, org, owner, shared, data, metadata) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            values![
                position,
                &event.id,
                &event.kind,
                &event.source,
                event.timestamp,
                &event.tenant_id,
                owner.as_ref(),
                *shared,
                event.data.to_string(),
                &event.metadata.as_ref().map(ToString::to_string),
            ],
        )
        .await?;
    }
    Ok(())
}

pub(crate) async fn events_after(db: &Db, visible: &Visible, after: i64, limit: u32) -> Result<Vec<(i64, Event)>> {
    let mut filter = Filter::of_visible(
        visible,
        "owner IS NULL OR shared = 1",
        // What else happens to a colleague (their seat, their wishes) is not their sessions.
        "kind LIKE 'sandbox.session.%'",
    );
    filter.and("position > ?", values![after]);
    let (sql, values) = filter.select(COLUMNS, "ORDER BY position LIMIT ?", values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

pub(crate) async fn event_bounds(db: &Db) -> Result<(i64, i64)> {
    let sql = "SELECT COALESCE(MAX(position), 0) AS newest, COALESCE(MIN(position), 0) AS oldest FROM events";
    let row = db.row(sql, values![]).await?.context("a sum without a row")?;
    Ok((row.get("newest")?, row.get("oldest")?))
}

/// Forgets events from the oldest on, up to the first that is younger. The last stays whatever its age: it tells a
/// reader who comes back whether something was missed. A slice at a time, so that nobody waits long to write.
pub(crate) async fn prune(db: &Db, before: Timestamp) -> Result<()> {
    const SLICE: i64 = 5000;
    let (newest, mut oldest) = event_bounds(db).await?;
    let younger = "SELECT position FROM events WHERE at >= $1 ORDER BY position LIMIT 1";
    let keep = match db.row(younger, values![before]).await? {
        Some(row) => row.get("position")?,
        None => newest,
    };
    while oldest < keep {
        oldest = keep.min(oldest + SLICE);
        db.execute("DELETE FROM events WHERE position < $1", values![oldest])
            .await?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<(i64, Event)> {
    let metadata = row.get::<Option<String>>("metadata")?;
    let event = Event {
        id: row.get("id")?,
        kind: row.get("kind")?,
        source: row.get("source")?,
        timestamp: row.at("at")?,
        tenant_id: OrgId::new(row.get::<String>("org")?),
        data: row.json("data")?,
        metadata: metadata.map(|text| serde_json::from_str(&text)).transpose()?,
    };
    Ok((row.get("position")?, event))
}
