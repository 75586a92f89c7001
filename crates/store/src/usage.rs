//! Metered facts and their sums.

use crate::{
    db::{Db, Row, Value, values},
    filter::Filter,
};
use anyhow::{Context as _, Result, bail};
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    host::Dimension,
    usage::{Attributed, Bar, Range, Share},
};
use engine::ports::{Refusal, Scope};

/// The most bars of one dimension, and one more for a stretch that is cut at both ends.
const MOST_BARS: i64 = 401;
/// The most shares of one dimension.
const MOST_SHARES: u32 = 200;
/// A sum in two whole numbers: a year of byte-seconds of a large Organization is more than one can hold.
const SUM: &str =
    "CAST(SUM(quantity / 1000000) AS BIGINT) AS millions, CAST(SUM(quantity % 1000000) AS BIGINT) AS rest";

pub(crate) async fn record_usage(db: &Db, facts: &[Attributed]) -> Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for Attributed {
        org,
        person,
        session,
        agent,
        fact,
    } in facts
    {
        tx.execute(
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
    }
    tx.commit().await
}

pub(crate) async fn last_usage(db: &Db, org: &OrgId, session: &SessionId) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(number), 0) AS last FROM usage_facts WHERE session = $1 AND org = $2";
    let row = db.row(sql, values![session, org]).await?;
    row.context("a maximum without a row")?.count("last")
}

pub(crate) async fn usage_bars(db: &Db, org: &OrgId, person: Option<&PersonId>, range: &Range) -> Result<Vec<Bar>> {
    let width = range.bucket_seconds.saturating_mul(1000);
    let bars = range.until.millis().saturating_sub(range.from.millis()) / width.max(1);
    if range.bucket_seconds < 60 || bars >= MOST_BARS {
        bail!(Refusal::Invalid(
            "Ask for at most 400 bars of at least a minute.".to_owned()
        ));
    }
    let mut values = values![width];
    let (sql, rest) = within(org, person, range).select(
        &format!("(began_at / ?) AS bucket, dimension, {SUM} FROM usage_facts"),
        "GROUP BY bucket, dimension ORDER BY bucket, dimension",
        values![],
    );
    values.extend(rest);
    let rows = db.rows(sql, values).await?;
    rows.iter()
        .map(|row| {
            Ok(Bar {
                at: Timestamp::from_millis(row.get::<i64>("bucket")?.saturating_mul(width)),
                dimension: row.word("dimension", Dimension::from_name)?,
                quantity: sum(row)?,
            })
        })
        .collect()
}

pub(crate) async fn usage_shares(
    db: &Db,
    org: &OrgId,
    person: Option<&PersonId>,
    range: &Range,
    most: u32,
) -> Result<Vec<Share>> {
    let mut shares = Vec::new();
    for dimension in Dimension::ALL {
        let mut filter = within(org, person, range);
        filter.and("dimension = ?", values![dimension.as_str()]);
        let (sql, values) = filter.select(
            &format!(
                "session, MAX(agent) AS agent, {SUM}, \
                 (SELECT s.name FROM sessions s WHERE s.id = usage_facts.session AND s.org = usage_facts.org) AS name \
                 FROM usage_facts"
            ),
            "GROUP BY org, session ORDER BY SUM(CAST(quantity AS DOUBLE PRECISION)) DESC, session LIMIT ?",
            values![most.min(MOST_SHARES)],
        );
        for row in db.rows(sql, values).await? {
            shares.push(Share {
                session: SessionId::new(row.get::<String>("session")?),
                name: row.get("name")?,
                agent: row.get("agent")?,
                dimension,
                quantity: sum(&row)?,
            });
        }
    }
    Ok(shares)
}

/// The facts that began in the range.
fn within(org: &OrgId, person: Option<&PersonId>, range: &Range) -> Filter {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    if let Some(person) = person {
        filter.and("person = ?", vec![Value::from(person)]);
    }
    filter.and("began_at >= ? AND began_at < ?", values![range.from, range.until]);
    filter
}

fn sum(row: &Row) -> Result<u64> {
    Ok(row
        .count("millions")?
        .saturating_mul(1_000_000)
        .saturating_add(row.count("rest")?))
}
