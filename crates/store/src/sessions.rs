//! Sessions: opened, changed, woken and forgotten, each in one transaction.

mod list;
mod row;

pub(crate) use list::list_sessions;

use crate::{
    db::{Db, Tx, values},
    filter::{Filter, numbered, places},
    ledger,
    people::{lock_member, seated},
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    org::State,
    session::{Phase, Session},
};
use engine::ports::{Bounds, Counts, Opened, Patch, Record, Scope};
use row::{COLUMNS, insert, read, update};

/// The most sessions in one answer of [`sessions_in`].
const MOST: u32 = 1000;

pub(crate) async fn record_opened(
    db: &Db,
    session: &Session,
    bounds: Bounds,
    idempotency: Option<&str>,
    record: &Record,
) -> Result<Opened> {
    let mut tx = db.begin().await?;
    // From here on nobody else opens or wakes a session of this owner: what is counted stays true.
    lock_member(&mut tx, &session.org, &session.owner).await?;
    if let Some(key) = idempotency {
        let mut filter = Filter::of_scope(&Scope::Org(session.org.clone()));
        filter.and("owner = ? AND idempotency = ?", values![&session.owner, key]);
        let (sql, values) = filter.select(COLUMNS, "", values![]);
        if let Some(row) = tx.row(sql, values).await? {
            return Ok(Opened::Again(read(&row)?));
        }
    }
    if let Some(refused) = over(&mut tx, session, bounds, session.created_at).await? {
        return Ok(refused);
    }
    if let Some(refused) = over_all(&mut tx, session, bounds).await? {
        return Ok(refused);
    }
    if !insert(&mut tx, session, idempotency).await? {
        return Ok(Opened::Taken);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Opened::Recorded(session.clone()))
}

pub(crate) async fn record_resumed(
    db: &Db,
    org: &OrgId,
    id: &SessionId,
    bounds: Bounds,
    now: Timestamp,
    record: &Record,
) -> Result<Opened> {
    let mut tx = db.begin().await?;
    // Read before the lock that must be taken first, and looked at again behind it.
    let owner = tx
        .row(
            "SELECT owner FROM sessions WHERE org = $1 AND id = $2",
            values![org, id],
        )
        .await?;
    let Some(owner) = owner else {
        return Ok(Opened::Refused(None));
    };
    let owner = PersonId::new(owner.get::<String>("owner")?);
    lock_member(&mut tx, org, &owner).await?;
    let Some(mut session) = locked(&mut tx, org, id).await? else {
        return Ok(Opened::Refused(None));
    };
    // It runs, or was handed over meanwhile.
    if session.is_live() || session.owner != owner {
        session.version -= 1;
        return Ok(Opened::Refused(Some(session)));
    }
    if let Some(refused) = over(&mut tx, &session, bounds, now).await? {
        return Ok(refused);
    }
    session.phase = Phase::Pending;
    session.reason = None;
    session.exit = None;
    session.by_hand = false;
    session.active_at = now;
    session.woken_at = now;
    update(&mut tx, &session).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Opened::Recorded(session))
}

pub(crate) async fn record_session(
    db: &Db,
    org: &OrgId,
    id: &SessionId,
    patch: &Patch,
    record: &Record,
) -> Result<Option<Session>> {
    let mut tx = db.begin().await?;
    // The owner before the session, like whoever wakes one: a row that is written twice in one transaction makes PostgreSQL
    // look whether its owner is there, and where their address changes this moment, wait for all who hold them.
    let sql = "UPDATE members SET role = role \
               WHERE (org, person) IN (SELECT org, owner FROM sessions WHERE org = $1 AND id = $2)";
    tx.execute(sql, values![org, id]).await?;
    let Some(mut session) = locked(&mut tx, org, id).await? else {
        return Ok(None);
    };
    if !patch.only_in.is_empty() && !patch.only_in.contains(&session.phase) {
        return Ok(None);
    }
    apply(patch, &mut session);
    update(&mut tx, &session).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Some(session))
}

pub(crate) async fn record_deleted(db: &Db, org: &OrgId, id: &SessionId, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "DELETE FROM sessions WHERE org = $1 AND id = $2";
    if tx.execute(sql, values![org, id]).await? == 0 {
        return Ok(false);
    }
    crate::secrets::forget_held(&mut tx, id).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn find_session(db: &Db, scope: &Scope, id: &SessionId) -> Result<Option<Session>> {
    let mut filter = Filter::of_scope(scope);
    filter.and("id = ?", values![id]);
    let (sql, values) = filter.select(COLUMNS, "", values![]);
    db.row(sql, values).await?.as_ref().map(read).transpose()
}

pub(crate) async fn sessions_in(
    db: &Db,
    phases: &[Phase],
    after: Option<&SessionId>,
    limit: u32,
) -> Result<Vec<Session>> {
    if phases.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::of_scope(&Scope::Fleet);
    let words = phases.iter().map(|phase| phase.as_str().into()).collect();
    filter.and(format!("phase IN ({})", places(phases.len())), words);
    if let Some(after) = after {
        filter.and("id > ?", values![after]);
    }
    let (sql, values) = filter.select(COLUMNS, "ORDER BY id LIMIT ?", values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

pub(crate) async fn live_sessions_of(
    db: &Db,
    org: &OrgId,
    owner: Option<&PersonId>,
    limit: u32,
) -> Result<Vec<Session>> {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    with_a_host(&mut filter);
    if let Some(owner) = owner {
        filter.and("owner = ?", values![owner]);
    }
    let (sql, values) = filter.select(COLUMNS, "ORDER BY id LIMIT ?", values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

pub(crate) async fn stray_sessions(db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Session>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    with_a_host(&mut filter);
    filter.and(
        "(org IN (SELECT id FROM orgs WHERE state <> 'active') OR EXISTS (SELECT 1 FROM members m \
         WHERE m.org = sessions.org AND m.person = sessions.owner AND (m.status <> 'active' OR m.ends_at <= ?)))",
        values![now],
    );
    let (sql, values) = filter.select(COLUMNS, "ORDER BY id LIMIT ?", values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

/// Those that have a host, or are about to. Not `live = 1`: a session whose agent has ended counts no more, and its
/// shells run on.
fn with_a_host(filter: &mut Filter) {
    let phases = [Phase::Pending, Phase::Provisioning, Phase::Ready];
    let words = phases.iter().map(|phase| phase.as_str().into()).collect();
    filter.and(format!("phase IN ({})", places(phases.len())), words);
}

pub(crate) async fn count_sessions(db: &Db, org: &OrgId, person: &PersonId) -> Result<Counts> {
    let row = db
        .row(
            "SELECT COUNT(*) AS every, CAST(COALESCE(SUM(live), 0) AS BIGINT) AS live, \
                 CAST(COALESCE(SUM(storage_bytes), 0) AS BIGINT) AS bytes \
             FROM sessions WHERE org = $1 AND owner = $2",
            values![org, person],
        )
        .await?
        .context("a count without a row")?;
    Ok(Counts {
        live: row.count("live")?,
        all: row.count("every")?,
        storage_bytes: row.count("bytes")?,
    })
}

pub(crate) async fn count_phases(db: &Db) -> Result<Vec<(Phase, u64)>> {
    let sql = "SELECT phase, COUNT(*) AS many FROM sessions GROUP BY phase ORDER BY phase";
    let rows = db.rows(sql, values![]).await?;
    rows.iter()
        .map(|row| Ok((row.word("phase", Phase::from_name)?, row.count("many")?)))
        .collect()
}

/// The refusal to run one more of the owner's sessions, where it is refused. The owner is locked, and whoever closes an
/// Organization waits for them.
async fn over(tx: &mut Tx, session: &Session, bounds: Bounds, now: Timestamp) -> Result<Option<Opened>> {
    let state = tx
        .row("SELECT state FROM orgs WHERE id = $1", values![&session.org])
        .await?
        .context("a session without an Organization")?
        .word("state", State::from_name)?;
    if state != State::Active {
        return Ok(Some(Opened::Closed(state)));
    }
    if seated(tx, &session.org, &session.owner, now).await?.is_none() {
        return Ok(Some(Opened::NoSeat));
    }
    let Some(limit) = bounds.live else { return Ok(None) };
    let live = held(tx, session, "AND live = 1").await?;
    Ok((live >= limit).then_some(Opened::OverQuota { live }))
}

/// The refusal to keep one more.
async fn over_all(tx: &mut Tx, session: &Session, bounds: Bounds) -> Result<Option<Opened>> {
    let Some(limit) = bounds.all else { return Ok(None) };
    let all = held(tx, session, "").await?;
    Ok((all >= limit).then_some(Opened::OverAll { all }))
}

async fn held(tx: &mut Tx, session: &Session, which: &'static str) -> Result<u64> {
    let sql = numbered(&format!(
        "SELECT COUNT(*) AS held FROM sessions WHERE org = ? AND owner = ? {which}"
    ));
    tx.row(sql, values![&session.org, &session.owner])
        .await?
        .context("a count without a row")?
        .count("held")
}

/// The session as it is, with the version that it will have; nobody else changes it until the transaction ends.
async fn locked(tx: &mut Tx, org: &OrgId, id: &SessionId) -> Result<Option<Session>> {
    let sql = numbered(&format!(
        "UPDATE sessions SET version = version + 1 WHERE org = ? AND id = ? RETURNING {}",
        COLUMNS.trim_end_matches(" FROM sessions")
    ));
    tx.row(sql, values![org, id]).await?.as_ref().map(read).transpose()
}

fn apply(patch: &Patch, session: &mut Session) {
    // Taken apart whole: a new field that is not applied does not compile.
    let Patch {
        name,
        sharing,
        phase,
        by_hand,
        recorded,
        reason,
        exit,
        active_at,
        storage_bytes,
        only_in: _,
    } = patch.clone();
    session.name = name.unwrap_or(std::mem::take(&mut session.name));
    session.sharing = sharing.unwrap_or(session.sharing);
    session.phase = phase.unwrap_or(session.phase);
    session.by_hand = by_hand.unwrap_or(session.by_hand);
    session.recorded = recorded.unwrap_or(session.recorded);
    session.reason = reason.unwrap_or(session.reason.take());
    session.exit = exit.unwrap_or(session.exit);
    session.active_at = active_at.unwrap_or(session.active_at);
    session.storage_bytes = storage_bytes.unwrap_or(session.storage_bytes);
}
