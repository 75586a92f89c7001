//! Sums of usage over a range: whole hours from the hours, what is left at both ends from the facts.

use super::HOUR;
use crate::{
    db::{Db, Row, Value, values},
    filter::numbered,
};
use anyhow::{Result, bail};
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    host::Dimension,
    usage::{Bar, Range, Share},
};
use engine::ports::Refusal;

/// The most bars of one dimension, and one more for a stretch that is cut at both ends.
const MOST_BARS: i64 = 401;
/// The most shares of one dimension.
const MOST_SHARES: u32 = 200;
/// A sum in two whole numbers: a month of byte-seconds of a large Organization is more than one can hold.
const SUM: &str =
    "CAST(SUM(quantity / 1000000) AS BIGINT) AS millions, CAST(SUM(quantity % 1000000) AS BIGINT) AS rest";

pub(crate) async fn usage_bars(db: &Db, org: &OrgId, person: Option<&PersonId>, range: &Range) -> Result<Vec<Bar>> {
    let width = range.bucket_seconds.saturating_mul(1000);
    let bars = range.until.millis().saturating_sub(range.from.millis()) / width.max(1);
    if range.bucket_seconds < 60 || bars >= MOST_BARS {
        bail!(Refusal::Invalid(
            "Ask for at most 400 bars of at least a minute.".to_owned()
        ));
    }
    let Some(facts) = Facts::within(org, person, range, width % HOUR == 0) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT (began_at / ?) AS bucket, dimension, {SUM} FROM ({}) AS facts \
         GROUP BY bucket, dimension ORDER BY bucket, dimension",
        facts.sql
    );
    let values = [values![width], facts.values].concat();
    let rows = db.rows(numbered(&sql), values).await?;
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
    let Some(facts) = Facts::within(org, person, range, true) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT session, MAX(agent) AS agent, {SUM}, \
             (SELECT s.name FROM sessions s WHERE s.id = facts.session AND s.org = facts.org) AS name \
         FROM ({}) AS facts WHERE dimension = ? \
         GROUP BY org, session ORDER BY SUM(CAST(quantity AS DOUBLE PRECISION)) DESC, session LIMIT ?",
        facts.sql
    );
    let mut shares = Vec::new();
    for dimension in Dimension::ALL {
        let values = [facts.values.clone(), values![dimension.as_str(), most.min(MOST_SHARES)]].concat();
        for row in db.rows(numbered(&sql), values).await? {
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

/// A question for all that was used in a range, of which each part is found by an index.
struct Facts {
    sql: String,
    values: Vec<Value>,
}

impl Facts {
    /// What began in the range; `None` where nothing can. With `by_the_hour`, the facts of a whole hour are one row.
    fn within(org: &OrgId, person: Option<&PersonId>, range: &Range, by_the_hour: bool) -> Option<Self> {
        let (from, until) = (range.from.millis(), range.until.millis());
        let (first, last) = (
            (from.saturating_add(HOUR - 1)).div_euclid(HOUR) * HOUR,
            until.div_euclid(HOUR) * HOUR,
        );
        let (first, last) = if by_the_hour && first < last {
            (first, last)
        } else {
            (until, until)
        };
        let mut facts = Self {
            sql: String::new(),
            values: Vec::new(),
        };
        for (table, from, until) in [
            ("usage_facts", from, first),
            ("usage_hours", first, last),
            ("usage_facts", last, until),
        ] {
            if from < until {
                facts.add(table, org, person, from, until);
            }
        }
        (!facts.sql.is_empty()).then_some(facts)
    }

    fn add(&mut self, table: &'static str, org: &OrgId, person: Option<&PersonId>, from: i64, until: i64) {
        if !self.sql.is_empty() {
            self.sql.push_str(" UNION ALL ");
        }
        let whose = if person.is_some() {
            "org = ? AND person = ?"
        } else {
            "org = ?"
        };
        self.sql.push_str(&format!(
            "SELECT org, session, agent, dimension, quantity, began_at FROM {table} \
             WHERE {whose} AND began_at >= ? AND began_at < ?"
        ));
        self.values.extend(values![org]);
        self.values.extend(person.map(Value::from));
        self.values.extend(values![from, until]);
    }
}

fn sum(row: &Row) -> Result<u64> {
    Ok(row
        .count("millions")?
        .saturating_mul(1_000_000)
        .saturating_add(row.count("rest")?))
}
