//! Walking along a chain: is everything there, as it was written, in its order?

use super::chain::{FIELDS, Fields};
use crate::db::{Db, values};
use anyhow::Result;
use domain::{
    OrgId,
    audit::{Breach, Verdict},
};

/// Entries that are looked at a time.
const BATCH: u32 = 1000;

/// What is known of a chain.
#[derive(Clone)]
struct Ends {
    number: i64,
    hash: String,
    anchor_number: i64,
    anchor_hash: String,
}

/// The Organizations with entries, or with a chain, after this one, in order; at most `limit`.
pub(crate) async fn audited_orgs(db: &Db, after: &str, limit: u32) -> Result<Vec<OrgId>> {
    let mut orgs = Vec::new();
    let mut last = after.to_owned();
    while orgs.len() < limit as usize {
        // From one to the next along the indexes: reading all entries for their few Organizations would take long.
        let row = db
            .row(
                "SELECT MIN(org) AS org FROM (SELECT MIN(org) AS org FROM audit WHERE org > $1 \
                 UNION ALL SELECT MIN(org) AS org FROM audit_chains WHERE org > $1) AS next",
                values![&last],
            )
            .await?;
        let Some(org) = row.map(|row| row.get::<Option<String>>("org")).transpose()?.flatten() else {
            break;
        };
        orgs.push(OrgId::new(&*org));
        last = org;
    }
    Ok(orgs)
}

/// Walks the whole chain of an Organization, from the oldest entry that is kept to the last one of this moment, and
/// stops at the first that is wrong.
pub(crate) async fn verify_audit(db: &Db, org: &OrgId) -> Result<Verdict> {
    let mut verdict = Verdict {
        org: org.clone(),
        entries: 0,
        removed: 0,
        breach: None,
    };
    let Some(end) = ends(db, org).await? else {
        let entry = db
            .row("SELECT position FROM audit WHERE org = $1 LIMIT 1", values![org])
            .await?;
        verdict.breach = entry.map(|_| Breach::Headless);
        return Ok(verdict);
    };
    let (mut number, mut hash) = (end.anchor_number, end.anchor_hash.clone());
    verdict.removed = number;
    let sql = format!(
        "SELECT {FIELDS}, number, previous, hash FROM audit WHERE org = $1 AND number > $2 AND number <= $3 \
         ORDER BY number LIMIT {BATCH}"
    );
    while number < end.number {
        let rows = db
            .rows(sqlx::AssertSqlSafe(sql.clone()), values![org, number, end.number])
            .await?;
        // Entries whose time was over may go while we walk.
        if rows.first().map(|row| row.get::<i64>("number")).transpose()? != Some(number + 1) {
            let now = ends(db, org).await?.unwrap_or_else(|| end.clone());
            if now.anchor_number > number {
                (number, hash) = (now.anchor_number, now.anchor_hash);
                verdict.removed = number;
                verdict.entries = 0;
                continue;
            }
        }
        if rows.is_empty() {
            verdict.breach = Some(Breach::Missing { number: number + 1 });
            return Ok(verdict);
        }
        for row in &rows {
            let fields = Fields::read(row)?;
            let (found, position): (i64, i64) = (row.get("number")?, fields.position);
            let (previous, kept): (Option<String>, Option<String>) = (row.get("previous")?, row.get("hash")?);
            let (previous, kept) = (previous.unwrap_or_default(), kept.unwrap_or_default());
            let breach = if found > number + 1 {
                Some(Breach::Missing { number: number + 1 })
            } else if found != number + 1 || previous != hash {
                Some(Breach::Reordered {
                    number: found,
                    position,
                })
            } else if fields.hash(found, &previous) != kept {
                Some(Breach::Changed {
                    number: found,
                    position,
                })
            } else {
                None
            };
            if breach.is_some() {
                verdict.breach = breach;
                return Ok(verdict);
            }
            (number, hash) = (found, kept);
            verdict.entries += 1;
        }
    }
    verdict.breach = if hash != end.hash {
        // The last entry holds together in itself, and is not the one that was written last.
        let last = db
            .row(
                "SELECT position FROM audit WHERE org = $1 AND number = $2",
                values![org, number],
            )
            .await?;
        Some(match last {
            Some(row) => Breach::Reordered {
                number,
                position: row.get("position")?,
            },
            None => Breach::Missing { number },
        })
    } else {
        foreign(db, org).await?
    };
    Ok(verdict)
}

/// An entry that is not chained, or lies outside of the chain.
async fn foreign(db: &Db, org: &OrgId) -> Result<Option<Breach>> {
    // In one question: between two, somebody may append.
    let row = db
        .row(
            "SELECT MIN(position) AS position FROM (\
             SELECT position FROM audit WHERE org = $1 AND number IS NULL UNION ALL \
             SELECT position FROM audit WHERE org = $1 AND number > (SELECT number FROM audit_chains WHERE org = $1) \
             UNION ALL SELECT position FROM audit WHERE org = $1 \
             AND number <= (SELECT anchor_number FROM audit_chains WHERE org = $1)) AS outside",
            values![org],
        )
        .await?;
    let position = row.map(|row| row.get::<Option<i64>>("position")).transpose()?.flatten();
    Ok(position.map(|position| Breach::Foreign { position }))
}

async fn ends(db: &Db, org: &OrgId) -> Result<Option<Ends>> {
    let row = db
        .row(
            "SELECT number, hash, anchor_number, anchor_hash FROM audit_chains WHERE org = $1",
            values![org],
        )
        .await?;
    row.map(|row| {
        Ok(Ends {
            number: row.get("number")?,
            hash: row.get("hash")?,
            anchor_number: row.get("anchor_number")?,
            anchor_hash: row.get("anchor_hash")?,
        })
    })
    .transpose()
}
