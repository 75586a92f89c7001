//! Organizations, and their figures.

use crate::{
    cursor::{By, Cursor},
    db::{Db, Row, Tx, values},
    filter::Filter,
    ledger,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, Timestamp,
    org::{Billing, Kind, ListOrgs, Org, Overview, State, Tier},
    page::{Page, limit},
};
use engine::ports::{Record, Scope};

/// The order of the list, for its cursor.
const ORDER: &str = "slug";
const COLUMNS: &str = "id, display_name, kind, tier, billing, state, seats, plan, created_at";
/// The figures beside an Organization's columns; their two values are the time.
const FIGURES: &str = "id, display_name, kind, tier, billing, state, seats, plan, created_at, \
    (SELECT COUNT(*) FROM members m WHERE m.org = o.id AND m.status <> 'left' \
        AND (m.ends_at IS NULL OR m.ends_at > ?)) AS seats_used, \
    (SELECT COUNT(*) FROM invitations i WHERE i.org = o.id AND i.done_at IS NULL AND i.expires_at > ?) AS invited, \
    (SELECT COUNT(*) FROM sessions s WHERE s.org = o.id AND s.live = 1) AS live, \
    (SELECT COUNT(*) FROM sessions s WHERE s.org = o.id) AS every, \
    CAST(COALESCE((SELECT SUM(s.storage_bytes) FROM sessions s WHERE s.org = o.id), 0) AS BIGINT) AS bytes, \
    (SELECT COUNT(*) FROM quota_requests q WHERE q.org = o.id AND q.state = 'waiting') AS requests \
    FROM orgs o";

pub(crate) async fn find_org(db: &Db, org: &OrgId) -> Result<Option<Org>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("id = ?", values![org]);
    let (sql, values) = filter.select(&format!("{COLUMNS} FROM orgs"), "", values![]);
    db.row(sql, values).await?.as_ref().map(read).transpose()
}

pub(crate) async fn record_org(db: &Db, org: &Org, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    if !insert_org(&mut tx, org).await? {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn change_org(db: &Db, org: &Org, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE orgs SET display_name = $1, kind = $2, tier = $3, billing = $4, seats = $5, plan = $6, words = $7 \
               WHERE id = $8";
    let values = values![
        &org.display_name,
        org.kind.as_str(),
        org.tier.as_str(),
        org.billing.as_str(),
        org.seats.map(|seats| seats as i64),
        &org.plan,
        words(org),
        &org.id,
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn record_org_state(db: &Db, org: &OrgId, state: State, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE orgs SET state = $1 WHERE id = $2";
    if tx.execute(sql, values![state.as_str(), org]).await? == 0 {
        return Ok(false);
    }
    // Whoever opens or wakes a session holds its owner: they have finished before this goes on, or see the new state.
    tx.execute("UPDATE members SET role = role WHERE org = $1", values![org])
        .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn list_orgs(db: &Db, ask: &ListOrgs, now: Timestamp) -> Result<Page<Overview>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    match ask.state {
        Some(state) => filter.and("state = ?", values![state.as_str()]),
        None => filter.and("state <> 'archived'", values![]),
    }
    filter.search(&["words"], &ask.search);
    let (sql, values) = filter.clone().select("COUNT(*) AS total FROM orgs", "", values![]);
    let total = db
        .row(sql, values)
        .await?
        .context("a count without a row")?
        .count("total")?;
    if let Some(cursor) = &ask.cursor {
        let cursor = Cursor::from_text(cursor, ORDER, By::Text)?;
        filter.and("(id, id) > (?, ?)", cursor.values());
    }
    let size = limit(ask.limit);
    let (sql, values) = filter.select_with(FIGURES, values![now, now], "ORDER BY id LIMIT ?", values![size + 1]);
    let mut items: Vec<_> = db
        .rows(sql, values)
        .await?
        .iter()
        .map(read_overview)
        .collect::<Result<_>>()?;
    let more = items.len() > size as usize;
    items.truncate(size as usize);
    let next = items.last().filter(|_| more).map(|last| {
        let id = last.org.id.as_str();
        Cursor::after(ORDER, id.to_owned(), id).into_text()
    });
    Ok(Page { items, next, total })
}

pub(crate) async fn org_overview(db: &Db, org: &OrgId, now: Timestamp) -> Result<Option<Overview>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("id = ?", values![org]);
    let (sql, values) = filter.select_with(FIGURES, values![now, now], "", values![]);
    db.row(sql, values).await?.as_ref().map(read_overview).transpose()
}

/// Makes an Organization; whether its slug was free.
pub(crate) async fn insert_org(tx: &mut Tx, org: &Org) -> Result<bool> {
    let sql = "INSERT INTO orgs (id, display_name, kind, tier, billing, state, seats, plan, created_at, words) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
    let values = values![
        &org.id,
        &org.display_name,
        org.kind.as_str(),
        org.tier.as_str(),
        org.billing.as_str(),
        org.state.as_str(),
        org.seats.map(|seats| seats as i64),
        &org.plan,
        org.created_at,
        words(org),
    ];
    Ok(tx.execute(sql, values).await? > 0)
}

/// Keeps everybody else from giving, changing and ending seats until the transaction ends. The Organization, where
/// there is one.
pub(crate) async fn lock_org(tx: &mut Tx, org: &OrgId) -> Result<Option<Org>> {
    let sql = "UPDATE orgs SET state = state WHERE id = $1 \
               RETURNING id, display_name, kind, tier, billing, state, seats, plan, created_at";
    tx.row(sql, values![org]).await?.as_ref().map(read).transpose()
}

/// Seats that are taken or promised. The Organization is locked.
pub(crate) async fn seats_used(tx: &mut Tx, org: &OrgId, now: Timestamp) -> Result<u64> {
    let sql = "SELECT (SELECT COUNT(*) FROM members WHERE org = $1 AND status <> 'left' \
                   AND (ends_at IS NULL OR ends_at > $2)) + \
               (SELECT COUNT(*) FROM invitations WHERE org = $1 AND done_at IS NULL AND expires_at > $2) AS used";
    tx.row(sql, values![org, now])
        .await?
        .context("a count without a row")?
        .count("used")
}

/// Gives Organizations of an earlier schema what they are found by.
pub(crate) async fn fill_words(tx: &mut Tx) -> Result<()> {
    let sql = "SELECT id, display_name, kind, tier, billing, state, seats, plan, created_at FROM orgs WHERE words = ''";
    for row in tx.rows(sql, values![]).await? {
        let org = read(&row)?;
        let sql = "UPDATE orgs SET words = $1 WHERE id = $2";
        tx.execute(sql, values![words(&org), &org.id]).await?;
    }
    Ok(())
}

/// What a search finds an Organization by.
fn words(org: &Org) -> String {
    format!("{}\n{}", org.id, org.display_name).to_lowercase()
}

pub(crate) fn read(row: &Row) -> Result<Org> {
    Ok(Org {
        id: OrgId::new(row.get::<String>("id")?),
        display_name: row.get("display_name")?,
        kind: row.word("kind", Kind::from_name)?,
        tier: row.word("tier", Tier::from_name)?,
        billing: row.word("billing", Billing::from_name)?,
        state: row.word("state", State::from_name)?,
        seats: row.get::<Option<i64>>("seats")?.map(|seats| seats.max(0) as u64),
        plan: row.get("plan")?,
        created_at: row.at("created_at")?,
    })
}

fn read_overview(row: &Row) -> Result<Overview> {
    Ok(Overview {
        org: read(row)?,
        seats_used: row.count("seats_used")?,
        invited: row.count("invited")?,
        live: row.count("live")?,
        sessions: row.count("every")?,
        storage_bytes: row.count("bytes")?,
        requests: row.count("requests")?,
    })
}
