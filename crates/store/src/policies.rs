//! Policies, every version of them; the Organization '' is the installation.

use crate::{
    db::{Db, Row, Tx, values},
    filter::{Filter, numbered, places},
    ledger,
    orgs::lock_org,
};
use anyhow::Result;
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    policy::{Policy, Rules, Version},
    session::Sharing,
};
use engine::ports::{Opening, Record, Scope};

const NEWEST: &str = "SELECT org, version, document, saved_at, saved_by FROM policies \
    WHERE org = $1 ORDER BY version DESC LIMIT 1";

pub(crate) async fn find_policy(db: &Db, org: Option<&OrgId>) -> Result<Version> {
    let row = db.row(NEWEST, values![key(org)]).await?;
    row.as_ref().map_or_else(|| Ok(Version::none()), read)
}

pub(crate) async fn rules(db: &Db, org: &OrgId) -> Result<Rules> {
    let sql = "SELECT p.org, p.version, p.document, p.saved_at, p.saved_by FROM policies p WHERE p.org IN ('', $1) \
               AND p.version = (SELECT MAX(q.version) FROM policies q WHERE q.org = p.org)";
    let mut rules = Rules::default();
    for row in db.rows(sql, values![org]).await? {
        let Version { policy, .. } = read(&row)?;
        if row.get::<String>("org")?.is_empty() {
            rules.floor = policy;
        } else {
            rules.own = policy;
        }
    }
    Ok(rules)
}

/// A newer version than `based_on` is not overwritten. Sessions that are shared farther than `policy` allows are narrowed
/// in the same transaction.
pub(crate) async fn record_policy(
    db: &Db,
    org: Option<&OrgId>,
    policy: &Policy,
    based_on: i64,
    now: Timestamp,
    by: &str,
    record: &Record,
) -> Result<Option<Vec<SessionId>>> {
    let mut tx = db.begin().await?;
    let wider = policy.sharing.map_or_else(Vec::new, wider);
    let orgs = match org {
        Some(org) => vec![org.clone()],
        None => sharing_in(&mut tx, &wider).await?,
    };
    // Before any session, and one after the other: whoever else changes many sessions takes the two in this order.
    for org in &orgs {
        lock_org(&mut tx, org).await?;
    }
    // Of two who save at once the second meets the first one's row: the version is the key.
    let sql = "INSERT INTO policies (org, version, document, saved_at, saved_by) \
               SELECT $1, $2, $3, $4, $5 WHERE $6 = (SELECT COALESCE(MAX(version), 0) FROM policies WHERE org = $1) \
               ON CONFLICT (org, version) DO NOTHING";
    let values = values![
        key(org),
        based_on + 1,
        serde_json::to_string(policy)?,
        now,
        by,
        based_on,
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(None);
    }
    let mut narrowed = Vec::new();
    if let Some(most) = policy.sharing.filter(|_| !wider.is_empty()) {
        // Only where the Organization is locked: a session that is shared farther this very moment is seen to by whoever
        // shares it.
        for org in &orgs {
            let mut words = values![most.as_str(), org];
            words.extend(wider.iter().map(|sharing| sharing.as_str().into()));
            let sql = numbered(&format!(
                "UPDATE sessions SET sharing = ?, version = version + 1 WHERE org = ? AND sharing IN ({}) RETURNING id",
                places(wider.len())
            ));
            for row in tx.rows(sql, words).await? {
                narrowed.push(SessionId::new(row.get::<String>("id")?));
            }
        }
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Some(narrowed))
}

pub(crate) async fn openings(db: &Db, scope: &Scope, since: Timestamp, limit: u32) -> Result<Vec<Opening>> {
    let mut filter = Filter::of_scope(scope);
    filter.and("action = 'session.opened' AND at >= ?", values![since]);
    let what = "at, actor, detail FROM audit";
    let (sql, values) = filter.select(what, "ORDER BY position DESC LIMIT ?", values![limit.min(1000)]);
    db.rows(sql, values)
        .await?
        .iter()
        .map(|row| {
            Ok(Opening {
                at: row.at("at")?,
                actor: row.get("actor")?,
                detail: row.json("detail")?,
            })
        })
        .collect()
}

pub(crate) async fn count_shared(db: &Db, scope: &Scope, beyond: Sharing) -> Result<(u64, u64)> {
    let what = "sharing, COUNT(*) AS many FROM sessions";
    let (sql, values) = Filter::of_scope(scope).select(what, "GROUP BY sharing", values![]);
    let (mut wider, mut private) = (0, 0);
    for row in db.rows(sql, values).await? {
        let sharing = row.word("sharing", Sharing::from_name)?;
        let many = row.count("many")?;
        wider += if sharing > beyond { many } else { 0 };
        private += if sharing == Sharing::Private { many } else { 0 };
    }
    Ok((wider, private))
}

pub(crate) async fn are_near(db: &Db, org: &OrgId, one: &PersonId, other: &PersonId) -> Result<bool> {
    let sql = "SELECT a.name FROM member_groups a JOIN member_groups b ON b.org = a.org AND b.name = a.name \
               WHERE a.org = $1 AND a.person = $2 AND b.person = $3 LIMIT 1";
    Ok(db.row(sql, values![org, one, other]).await?.is_some())
}

fn wider(most: Sharing) -> Vec<Sharing> {
    Sharing::ALL.into_iter().filter(|sharing| *sharing > most).collect()
}

/// The Organizations with sessions that are shared so, in the order in which they are locked.
async fn sharing_in(tx: &mut Tx, sharing: &[Sharing]) -> Result<Vec<OrgId>> {
    if sharing.is_empty() {
        return Ok(Vec::new());
    }
    let sql = numbered(&format!(
        "SELECT DISTINCT org FROM sessions WHERE sharing IN ({}) ORDER BY org",
        places(sharing.len())
    ));
    let words = sharing.iter().map(|sharing| sharing.as_str().into()).collect();
    let rows = tx.rows(sql, words).await?;
    rows.iter()
        .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
        .collect()
}

fn key(org: Option<&OrgId>) -> &str {
    org.map_or("", OrgId::as_str)
}

fn read(row: &Row) -> Result<Version> {
    Ok(Version {
        version: row.get("version")?,
        policy: row.json("document")?,
        saved_at: row.at_if_any("saved_at")?,
        saved_by: row.get("saved_by")?,
    })
}
