//! The tokens by which directories are known.

use crate::{
    db::{Db, Row, values},
    ledger,
    orgs::lock_org,
};
use anyhow::{Context as _, Result};
use domain::{OrgId, Role, Timestamp, directory::DirectoryToken, id::TokenId};
use engine::ports::{Hash, Record};

pub(super) async fn record(
    db: &Db,
    org: &OrgId,
    token: &DirectoryToken,
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
        "INSERT INTO directory_tokens (id, hash, org, name, rank, made_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            &token.id,
            &hash.0,
            org,
            &token.name,
            token.rank.as_str(),
            &token.made_by,
            token.created_at,
            token.expires_at,
        ],
    )
    .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn find(db: &Db, secret: &Hash, now: Timestamp) -> Result<Option<(DirectoryToken, OrgId)>> {
    let sql = "SELECT t.id, t.org, t.name, t.rank, t.made_by, t.created_at, t.expires_at, t.used_at, t.revoked_at \
               FROM directory_tokens t JOIN orgs o ON o.id = t.org \
               WHERE t.hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND o.state <> 'archived'";
    let row = db.row(sql, values![&secret.0, now]).await?;
    row.map(|row| Ok((read(&row)?, OrgId::new(row.get::<String>("org")?))))
        .transpose()
}

pub(super) async fn list(db: &Db, org: &OrgId) -> Result<Vec<DirectoryToken>> {
    let sql = "SELECT id, name, rank, made_by, created_at, expires_at, used_at, revoked_at FROM directory_tokens \
               WHERE org = $1 ORDER BY created_at DESC, id DESC LIMIT 200";
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

fn read(row: &Row) -> Result<DirectoryToken> {
    Ok(DirectoryToken {
        id: TokenId::new(row.get::<String>("id")?),
        name: row.get("name")?,
        rank: row.word("rank", Role::from_name)?,
        made_by: row.get("made_by")?,
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
        used_at: row.at_if_any("used_at")?,
        revoked_at: row.at_if_any("revoked_at")?,
    })
}
