//! Metered facts: each is recorded once, and counted in its hour in the same transaction.

mod sums;

pub(crate) use sums::{usage_bars, usage_shares};

use crate::db::{Db, Tx, values};
use anyhow::{Context as _, Result};
use domain::{OrgId, SessionId, host::Dimension, usage::Attributed};
use std::collections::BTreeMap;

/// An hour, in milliseconds.
const HOUR: i64 = 3_600_000;

pub(crate) async fn record_usage(db: &Db, facts: &[Attributed]) -> Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    // In one order everywhere, so that two who record the same facts wait for each other, but never in a circle.
    let mut sorted: Vec<&Attributed> = facts.iter().collect();
    sorted.sort_by_key(|one| (&one.session, one.fact.number));
    let mut hours: BTreeMap<(&SessionId, Dimension, i64), (&Attributed, u64)> = BTreeMap::new();
    let mut tx = db.begin().await?;
    for one in sorted {
        if insert(&mut tx, one).await? {
            let hour = one.fact.from.div_euclid(HOUR) * HOUR;
            let (_, quantity) = hours
                .entry((&one.session, one.fact.dimension, hour))
                .or_insert((one, 0));
            *quantity = quantity.saturating_add(one.fact.quantity);
        }
    }
    for ((session, dimension, hour), (one, quantity)) in hours {
        tx.execute(
            "INSERT INTO usage_hours (session, dimension, began_at, org, person, agent, quantity) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (session, dimension, began_at) DO UPDATE SET quantity = CASE \
                 WHEN usage_hours.quantity > 9223372036854775807 - excluded.quantity THEN 9223372036854775807 \
                 ELSE usage_hours.quantity + excluded.quantity END",
            values![
                session,
                dimension.as_str(),
                hour,
                &one.org,
                &one.person,
                &one.agent,
                quantity
            ],
        )
        .await?;
    }
    tx.commit().await
}

pub(crate) async fn last_usage(db: &Db, org: &OrgId, session: &SessionId) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(number), 0) AS last FROM usage_facts WHERE session = $1 AND org = $2";
    let row = db.row(sql, values![session, org]).await?;
    row.context("a maximum without a row")?.count("last")
}

/// Adds the fact; `false` where it is known.
async fn insert(tx: &mut Tx, one: &Attributed) -> Result<bool> {
    let Attributed {
        org,
        person,
        session,
        agent,
        fact,
    } = one;
    let added = tx
        .execute(
            "INSERT INTO usage_facts \
                 (session, number, org, person, agent, dimension, quantity, began_at, ended_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (session, number) DO NOTHING",
            values![
                session,
                fact.number,
                org,
                person,
                agent,
                fact.dimension.as_str(),
                fact.quantity,
                fact.from,
                fact.until,
            ],
        )
        .await?;
    Ok(added > 0)
}
