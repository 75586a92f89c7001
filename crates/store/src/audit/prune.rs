//! Entries whose time is over: the oldest go, and the chain begins after a remembered anchor.

use super::append;
use crate::{
    db::{Db, values},
    ledger::{self, Ledger},
};
use anyhow::{Context as _, Result};
use domain::{OrgId, Timestamp, audit::Entry};
use serde_json::json;

/// Entries that are removed in one transaction.
const BATCH: i64 = 5000;

/// The Organizations whose oldest entry is older than this, at most `limit`.
pub(crate) async fn audit_due(db: &Db, before: Timestamp, limit: u32) -> Result<Vec<OrgId>> {
    let rows = db
        .rows(
            "SELECT c.org FROM audit_chains AS c JOIN audit AS a ON a.org = c.org AND a.number = c.anchor_number + 1 \
             WHERE a.at < $1 ORDER BY c.org LIMIT $2",
            values![before, limit],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
        .collect()
}

/// Removes entries of an Organization from the oldest on, up to the first that is younger than this, and writes `entry`
/// with what was removed; how many went. At most [`BATCH`] at a time: asked again until none goes.
pub(crate) async fn prune_audit(db: &Db, org: &OrgId, before: Timestamp, entry: &Entry) -> Result<u64> {
    let mut tx = db.begin().await?;
    ledger::take(&mut tx, Ledger::Audit, 0).await?;
    let chain = tx
        .row(
            "SELECT number, anchor_number FROM audit_chains WHERE org = $1",
            values![org],
        )
        .await?;
    let Some(chain) = chain else { return Ok(0) };
    let (last, anchor): (i64, i64) = (chain.get("number")?, chain.get("anchor_number")?);
    let until = last.min(anchor + BATCH);
    // The first that stays ends what goes: a clock that went backwards removes nothing that is young.
    let younger = tx
        .row(
            "SELECT MIN(number) AS number FROM audit WHERE org = $1 AND number > $2 AND number <= $3 AND at >= $4",
            values![org, anchor, until, before],
        )
        .await?
        .context("a minimum without a row")?;
    let through = younger.get::<Option<i64>>("number")?.map_or(until, |number| number - 1);
    if through <= anchor {
        return Ok(0);
    }
    let edge = tx
        .row(
            "SELECT hash FROM audit WHERE org = $1 AND number = $2",
            values![org, through],
        )
        .await?;
    let removed = tx
        .execute(
            "DELETE FROM audit WHERE org = $1 AND number > $2 AND number <= $3",
            values![org, anchor, through],
        )
        .await?;
    let whole = i64::try_from(removed)? == through - anchor;
    let Some(edge) = edge.filter(|_| whole) else {
        // A hole is evidence. Nothing of it goes: the transaction ends here.
        tracing::warn!(%org, "old audit entries stay: some are missing. Look with `sandbox audit verify`");
        return Ok(0);
    };
    tx.execute(
        "UPDATE audit_chains SET anchor_number = $1, anchor_hash = $2 WHERE org = $3",
        values![through, edge.get::<String>("hash")?, org],
    )
    .await?;
    let entry = Entry {
        detail: json!({ "entries": removed, "through": through, "older_than": before }),
        ..entry.clone()
    };
    append(&mut tx, &[entry]).await?;
    tx.commit().await?;
    Ok(removed)
}
