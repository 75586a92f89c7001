//! What is written beside a change of state: audit entries and events, at positions that only grow.

use crate::{
    audit,
    db::{Tx, values},
    events,
};
use anyhow::{Context as _, Result};
use engine::ports::Record;

/// A list that only grows.
#[derive(Clone, Copy)]
pub(crate) enum Ledger {
    Audit,
    Events,
}

/// Writes the record. The last thing before a commit, always in this order: from here on every other writer of a
/// record waits, and none can wait in a circle.
pub(crate) async fn write(tx: &mut Tx, record: &Record) -> Result<()> {
    audit::append(tx, &record.audit).await?;
    events::append(tx, &record.events).await
}

/// Takes the next `count` positions of a ledger; the first of them.
///
/// A sequence would give numbers that become visible out of order when transactions overlap. This row stays locked
/// until the transaction ends, so what a reader finds after a position is all that there will ever be before the next.
pub(crate) async fn take(tx: &mut Tx, ledger: Ledger, count: usize) -> Result<i64> {
    let name = match ledger {
        Ledger::Audit => "audit",
        Ledger::Events => "events",
    };
    let count = i64::try_from(count).context("too many entries at once")?;
    let row = tx
        .row(
            "UPDATE ledgers SET last = last + $1 WHERE name = $2 RETURNING last",
            values![count, name],
        )
        .await?
        .with_context(|| format!("the ledger {name} is missing"))?;
    Ok(row.get::<i64>("last")? - count + 1)
}
