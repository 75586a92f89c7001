//! Audit entries: appended, never changed.

use crate::{
    db::{Db, Row, Tx, values},
    filter::Filter,
    ledger::{self, Ledger},
};
use anyhow::Result;
use domain::{OrgId, PersonId, audit::Entry};
use engine::ports::Scope;

/// The most entries in one answer.
const MOST: u32 = 1000;
const COLUMNS: &str = "position, at, org, person, actor, via, action, target, detail, request FROM audit";

pub(crate) async fn append(tx: &mut Tx, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let first = ledger::take(tx, Ledger::Audit, entries.len()).await?;
    for (position, entry) in (first..).zip(entries) {
        tx.execute(
            "INSERT INTO audit (position, at, org, person, actor, via, action, target, detail, request) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            values![
                position,
                entry.at,
                &entry.org,
                entry.person.as_ref(),
                &entry.actor,
                &entry.via,
                &entry.action,
                &entry.target,
                entry.detail.to_string(),
                &entry.request,
            ],
        )
        .await?;
    }
    Ok(())
}

pub(crate) async fn record_audit(db: &Db, entry: &Entry) -> Result<()> {
    let mut tx = db.begin().await?;
    append(&mut tx, std::slice::from_ref(entry)).await?;
    tx.commit().await
}

pub(crate) async fn list_audit(
    db: &Db,
    scope: &Scope,
    target: Option<&str>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, Entry)>> {
    let mut filter = Filter::of_scope(scope);
    if let Some(target) = target {
        filter.and("target = ?", values![target]);
    }
    if let Some(before) = before {
        filter.and("position < ?", values![before]);
    }
    let (sql, values) = filter.select(COLUMNS, "ORDER BY position DESC LIMIT ?", values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(i64, Entry)> {
    let entry = Entry {
        at: row.at("at")?,
        org: OrgId::new(row.get::<String>("org")?),
        person: row.get::<Option<String>>("person")?.map(PersonId::new),
        actor: row.get("actor")?,
        via: row.get("via")?,
        action: row.get("action")?,
        target: row.get("target")?,
        detail: row.json("detail")?,
        request: row.get("request")?,
    };
    Ok((row.get("position")?, entry))
}
