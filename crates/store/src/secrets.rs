//! Secrets: their names and bindings, their sealed values, and which sessions hold which version.

use crate::{
    db::{Db, Row, Tx, Value, values},
    filter::Filter,
    ledger,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, SessionId, Timestamp,
    audit::Entry,
    id::SecretId,
    quota::Subject,
    secret::{Bindings, Holder, Kind, Secret},
    session::Session,
};
use engine::ports::{Kept, Record, Scope, Sealed};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The most secrets in one list, and the most holders.
const MOST: u32 = 2000;
const MOST_HOLDERS: u32 = 1000;
const SECRET: &str = "id, org, owner_kind, owner, kind, name, version, bindings, created_at, changed_at, changed_by";

pub(crate) async fn record_secret(
    db: &Db,
    secret: &Secret,
    sealed: &Sealed,
    most: u64,
    record: &Record,
) -> Result<Kept> {
    let mut tx = db.begin().await?;
    // Whoever adds to the same Organization waits: what is counted here stays true.
    let lock = "UPDATE orgs SET display_name = display_name WHERE id = $1";
    if tx.execute(lock, values![&secret.org]).await? == 0 {
        anyhow::bail!("there is no Organization {}", secret.org);
    }
    let (owner_kind, owner) = secret.owner.parts();
    let sql = "SELECT COUNT(*) AS held, COALESCE(SUM(CASE WHEN kind = $4 AND name = $5 THEN 1 ELSE 0 END), 0) AS same \
               FROM secrets WHERE org = $1 AND owner_kind = $2 AND owner = $3";
    let values = values![&secret.org, owner_kind, owner, secret.kind.as_str(), &secret.name];
    let row = tx.row(sql, values).await?.context("a count without a row")?;
    if row.count("same")? > 0 {
        return Ok(Kept::Taken);
    }
    if row.count("held")? >= most {
        return Ok(Kept::Full);
    }
    tx.execute(
        "INSERT INTO secrets (id, org, owner_kind, owner, kind, name, version, bindings, sealed, sealed_by, created_at, \
         changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        values![
            &secret.id,
            &secret.org,
            owner_kind,
            owner,
            secret.kind.as_str(),
            &secret.name,
            secret.version,
            serde_json::to_string(&secret.bindings)?,
            &sealed.text,
            &sealed.key,
            secret.created_at,
            secret.changed_at,
            &secret.changed_by,
        ],
    )
    .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Kept::Recorded)
}

pub(crate) async fn rotate_secret(db: &Db, secret: &Secret, sealed: &Sealed, record: &Record) -> Result<bool> {
    let sql = "UPDATE secrets SET version = $1, sealed = $2, sealed_by = $3, changed_at = $4, changed_by = $5 \
               WHERE org = $6 AND id = $7 AND version = $8";
    let values = values![
        secret.version,
        &sealed.text,
        &sealed.key,
        secret.changed_at,
        &secret.changed_by,
        &secret.org,
        &secret.id,
        secret.version.saturating_sub(1),
    ];
    change(db, sql, values, record).await
}

pub(crate) async fn bind_secret(
    db: &Db,
    org: &OrgId,
    id: &SecretId,
    bindings: &Bindings,
    (changed_at, changed_by): (Timestamp, &str),
    record: &Record,
) -> Result<bool> {
    let sql = "UPDATE secrets SET bindings = $1, changed_at = $2, changed_by = $3 WHERE org = $4 AND id = $5";
    let values = values![serde_json::to_string(bindings)?, changed_at, changed_by, org, id];
    change(db, sql, values, record).await
}

pub(crate) async fn delete_secret(db: &Db, org: &OrgId, id: &SecretId, record: &Record) -> Result<bool> {
    let sql = "DELETE FROM secrets WHERE org = $1 AND id = $2";
    change(db, sql, values![org, id], record).await
}

/// One change of one row, with its record; whether there was such a row.
async fn change(db: &Db, sql: &'static str, values: Vec<Value>, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

/// Forgets the secrets of somebody who leaves.
pub(crate) async fn forget_secrets_of(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<()> {
    let sql = "DELETE FROM secrets WHERE org = $1 AND owner_kind = 'person' AND owner = $2";
    tx.execute(sql, values![org, person]).await.map(drop)
}

/// Forgets what a session held that is forgotten itself.
pub(crate) async fn forget_held(tx: &mut Tx, session: &SessionId) -> Result<()> {
    let sql = "DELETE FROM secret_holders WHERE session = $1";
    tx.execute(sql, values![session]).await.map(drop)
}

pub(crate) async fn find_secret(db: &Db, org: &OrgId, id: &SecretId) -> Result<Option<Secret>> {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    filter.and("id = ?", values![id]);
    let (sql, values) = filter.select(&format!("{SECRET} FROM secrets"), "", values![]);
    db.row(sql, values).await?.as_ref().map(read).transpose()
}

pub(crate) async fn list_secrets(db: &Db, org: &OrgId, person: Option<&PersonId>) -> Result<Vec<Secret>> {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    match person {
        Some(person) => filter.and("owner_kind = 'person' AND owner = ?", values![person]),
        None => filter.and("owner_kind <> 'person'", values![]),
    }
    let end = "ORDER BY name, kind, owner_kind, owner LIMIT ?";
    let (sql, values) = filter.select(&format!("{SECRET} FROM secrets"), end, values![MOST]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

pub(crate) async fn secrets_for(
    db: &Db,
    org: &OrgId,
    person: &PersonId,
) -> Result<(BTreeSet<String>, Vec<(Secret, Sealed)>)> {
    let sql = "SELECT name FROM member_groups WHERE org = $1 AND person = $2 ORDER BY name";
    let groups = db.rows(sql, values![org, person]).await?;
    let groups: Result<_> = groups.iter().map(|row| row.get::<String>("name")).collect();
    let sql = "SELECT id, org, owner_kind, owner, kind, name, version, bindings, created_at, changed_at, changed_by, \
               sealed, sealed_by FROM secrets WHERE org = $1 AND (owner_kind = 'org' \
                   OR (owner_kind = 'person' AND owner = $2) OR (owner_kind = 'group' AND owner IN \
                       (SELECT name FROM member_groups WHERE org = $1 AND person = $2))) ORDER BY id";
    let rows = db.rows(sql, values![org, person]).await?;
    let secrets: Result<_> = rows.iter().map(read_sealed).collect();
    Ok((groups?, secrets?))
}

pub(crate) async fn record_held(
    db: &Db,
    session: &Session,
    held: &[(SecretId, u64)],
    beside: bool,
    now: Timestamp,
    record: &Record,
) -> Result<()> {
    let mut tx = db.begin().await?;
    if !beside {
        forget_held(&mut tx, &session.id).await?;
    }
    for (secret, version) in held {
        // A secret that was deleted meanwhile has no holders, and one of another Organization none here.
        tx.execute(
            "INSERT INTO secret_holders (session, secret, version, held_at) \
             SELECT $1, id, $2, $3 FROM secrets WHERE id = $4 AND org = $5 ON CONFLICT (session, secret) DO NOTHING",
            values![&session.id, *version, now, secret, &session.org],
        )
        .await?;
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await
}

pub(crate) async fn secret_holders(db: &Db, org: &OrgId, person: Option<&PersonId>) -> Result<Vec<Holder>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("s.org = ? AND n.org = s.org AND n.live = 1", values![org]);
    match person {
        Some(person) => filter.and("s.owner_kind = 'person' AND s.owner = ?", values![person]),
        None => filter.and("s.owner_kind <> 'person'", values![]),
    }
    let what = "h.secret, h.session, n.name AS session_name, n.owner AS session_owner, n.owner_name, h.version, h.held_at \
                FROM secret_holders h JOIN secrets s ON s.id = h.secret JOIN sessions n ON n.id = h.session";
    let (sql, values) = filter.select(what, "ORDER BY h.session, h.secret LIMIT ?", values![MOST_HOLDERS]);
    db.rows(sql, values)
        .await?
        .iter()
        .map(|row| {
            Ok(Holder {
                secret: SecretId::new(row.get::<String>("secret")?),
                session: SessionId::new(row.get::<String>("session")?),
                session_name: row.get("session_name")?,
                owner: PersonId::new(row.get::<String>("session_owner")?),
                owner_name: row.get("owner_name")?,
                version: row.count("version")?,
                held_at: row.at("held_at")?,
            })
        })
        .collect()
}

pub(crate) async fn holding_secrets(db: &Db, org: &OrgId, owner: &PersonId) -> Result<BTreeSet<SessionId>> {
    let sql = "SELECT DISTINCT h.session FROM secret_holders h JOIN sessions n ON n.id = h.session \
               WHERE n.org = $1 AND n.owner = $2 AND n.live = 1";
    let rows = db.rows(sql, values![org, owner]).await?;
    rows.iter()
        .map(|row| Ok(SessionId::new(row.get::<String>("session")?)))
        .collect()
}

pub(crate) async fn sealed_secrets(
    db: &Db,
    not_by: Option<&str>,
    after: Option<&SecretId>,
    limit: u32,
) -> Result<Vec<(Secret, Sealed)>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    if let Some(key) = not_by {
        filter.and("sealed_by <> ?", values![key]);
    }
    if let Some(after) = after {
        filter.and("id > ?", values![after]);
    }
    let what = format!("{SECRET}, sealed, sealed_by FROM secrets");
    let (sql, values) = filter.select(&what, "ORDER BY id LIMIT ?", values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read_sealed).collect()
}

pub(crate) async fn reseal(db: &Db, resealed: &[(SecretId, Sealed, Sealed)], mut entry: Entry) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut moved: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (id, before, after) in resealed {
        let sql = "UPDATE secrets SET sealed = $1, sealed_by = $2 WHERE id = $3 AND org = $4 AND sealed = $5";
        let values = values![&after.text, &after.key, id, &entry.org, &before.text];
        let changed = tx.execute(sql, values).await?;
        if changed > 0 {
            *moved.entry((&before.key, &after.key)).or_default() += changed;
        }
    }
    let changed = moved.values().sum();
    if changed > 0 {
        let moved = moved
            .into_iter()
            .map(|((from, to), secrets)| json!({ "from": from, "to": to, "secrets": secrets }));
        entry.detail["resealed"] = moved.collect();
        let record = Record {
            audit: vec![entry],
            events: Vec::new(),
        };
        ledger::write(&mut tx, &record).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

pub(crate) async fn sealing_keys(db: &Db) -> Result<Vec<(String, u64)>> {
    let sql = "SELECT sealed_by, COUNT(*) AS secrets FROM (SELECT sealed_by FROM secrets UNION ALL \
               SELECT sealed_by FROM letters WHERE sealed_by IS NOT NULL) AS sealed \
               GROUP BY sealed_by ORDER BY sealed_by LIMIT 1000";
    let rows = db.rows(sql, values![]).await?;
    rows.iter()
        .map(|row| Ok((row.get("sealed_by")?, row.count("secrets")?)))
        .collect()
}

fn read(row: &Row) -> Result<Secret> {
    let (owner_kind, owner) = (row.get::<String>("owner_kind")?, row.get::<String>("owner")?);
    Ok(Secret {
        id: SecretId::new(row.get::<String>("id")?),
        org: OrgId::new(row.get::<String>("org")?),
        owner: Subject::from_parts(&owner_kind, &owner).context("a secret of nobody known")?,
        kind: row.word("kind", Kind::from_name)?,
        name: row.get("name")?,
        version: row.count("version")?,
        bindings: row.json("bindings")?,
        created_at: row.at("created_at")?,
        changed_at: row.at("changed_at")?,
        changed_by: row.get("changed_by")?,
    })
}

fn read_sealed(row: &Row) -> Result<(Secret, Sealed)> {
    let sealed = Sealed {
        key: row.get("sealed_by")?,
        text: row.get("sealed")?,
    };
    Ok((read(row)?, sealed))
}
