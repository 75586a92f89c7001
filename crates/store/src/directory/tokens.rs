//! The tokens by which directories are known.

use crate::{
    db::{Db, Row, values},
    filter::{numbered, places},
    ledger,
    orgs::lock_org,
};
use anyhow::{Context as _, Result};
use domain::{OrgId, PersonId, Role, Timestamp, directory::DirectoryToken, id::TokenId};
use engine::ports::{Hash, HeldToken, Record};
use std::collections::BTreeMap;

pub(super) async fn record(
    db: &Db,
    org: &OrgId,
    HeldToken { token, maker }: &HeldToken,
    hash: &Hash,
    most: u64,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    lock_org(&mut tx, org).await?;
    let sql = "SELECT COUNT(*) AS held FROM directory_tokens WHERE org = $1 AND revoked_at IS NULL AND expires_at > $2";
    let row = tx.row(sql, values![org, token.created_at]).await?;
    if row.context("a count without a row")?.count("held")? >= most {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO directory_tokens (id, hash, org, name, rank, made_by, created_at, expires_at, maker) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            &token.id,
            &hash.0,
            org,
            &token.name,
            token.rank.as_str(),
            &token.made_by,
            token.created_at,
            token.expires_at,
            maker.as_ref(),
        ],
    )
    .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn find(db: &Db, secret: &Hash, now: Timestamp) -> Result<Option<(HeldToken, OrgId)>> {
    let sql = "SELECT t.id, t.org, t.name, t.rank, t.made_by, t.created_at, t.expires_at, t.used_at, t.revoked_at, \
               t.maker, t.rests_since \
               FROM directory_tokens t JOIN orgs o ON o.id = t.org \
               WHERE t.hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND o.state <> 'archived'";
    let row = db.row(sql, values![&secret.0, now]).await?;
    row.map(|row| Ok((read(&row)?, OrgId::new(row.get::<String>("org")?))))
        .transpose()
}

pub(super) async fn list(db: &Db, org: &OrgId) -> Result<Vec<HeldToken>> {
    let sql = "SELECT id, name, rank, made_by, created_at, expires_at, used_at, revoked_at, maker, rests_since \
               FROM directory_tokens WHERE org = $1 ORDER BY created_at DESC, id DESC LIMIT 200";
    db.rows(sql, values![org]).await?.iter().map(read).collect()
}

pub(super) async fn revoke(db: &Db, org: &OrgId, token: &TokenId, now: Timestamp, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE directory_tokens SET revoked_at = $1 \
               WHERE org = $2 AND id = $3 AND revoked_at IS NULL AND expires_at > $1";
    if tx.execute(sql, values![now, org, token]).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

/// Of each the higher of what they are in the Organization and of what runs the installation.
pub(super) async fn roles_over(
    db: &Db,
    org: &OrgId,
    people: &[PersonId],
    now: Timestamp,
) -> Result<BTreeMap<PersonId, Role>> {
    let mut roles = BTreeMap::new();
    if people.is_empty() {
        return Ok(roles);
    }
    let sql = format!(
        "SELECT DISTINCT m.person, m.role FROM members m JOIN orgs o ON o.id = m.org \
         WHERE m.status = 'active' AND (m.ends_at IS NULL OR m.ends_at > ?) AND o.state <> 'archived' \
         AND (m.org = ? OR m.role = 'super-admin') AND m.person IN ({})",
        places(people.len())
    );
    let mut all = values![now, org];
    for person in people {
        all.extend(values![person]);
    }
    for row in db.rows(numbered(&sql), all).await? {
        let role = row.word("role", Role::from_name)?;
        let of = roles.entry(PersonId::new(row.get::<String>("person")?)).or_insert(role);
        *of = role.max(*of);
    }
    Ok(roles)
}

pub(super) async fn rest(db: &Db, held: &HeldToken, since: Option<Timestamp>, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    let was = if since.is_some() { "NULL" } else { "NOT NULL" };
    // Whoever has taken it over meanwhile is not who was asked about.
    let sql = format!(
        "UPDATE directory_tokens SET rests_since = ? WHERE id = ? AND COALESCE(maker, '') = ? AND rests_since IS {was}"
    );
    let maker = held.maker.as_ref().map_or("", PersonId::as_str);
    if tx
        .execute(numbered(&sql), values![since, &held.token.id, maker])
        .await?
        == 0
    {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn hand(
    db: &Db,
    org: &OrgId,
    was: &HeldToken,
    HeldToken { token, maker }: &HeldToken,
    now: Timestamp,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE directory_tokens SET maker = $1, made_by = $2, rank = $3, rests_since = NULL \
               WHERE id = $4 AND org = $5 AND COALESCE(maker, '') = $6 AND revoked_at IS NULL AND expires_at > $7";
    let before = was.maker.as_ref().map_or("", PersonId::as_str);
    let values = values![
        maker.as_ref(),
        &token.made_by,
        token.rank.as_str(),
        &token.id,
        org,
        before,
        now,
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

fn read(row: &Row) -> Result<HeldToken> {
    let maker = row.get::<Option<String>>("maker")?.map(PersonId::new);
    let token = DirectoryToken {
        id: TokenId::new(row.get::<String>("id")?),
        name: row.get("name")?,
        rank: row.word("rank", Role::from_name)?,
        made_by: row.get("made_by")?,
        held: maker.is_some(),
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
        used_at: row.at_if_any("used_at")?,
        revoked_at: row.at_if_any("revoked_at")?,
        rests_since: row.at_if_any("rests_since")?,
    };
    Ok(HeldToken { token, maker })
}
