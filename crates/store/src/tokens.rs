//! Personal access tokens.

use crate::{
    db::{Db, Row, Tx, values},
    ledger,
    people::{lock_member, read_member},
};
use anyhow::{Context as _, Result};
use domain::{OrgId, PersonId, Timestamp, id::TokenId, token::Token};
use engine::ports::{Hash, Member, Record};

pub(crate) async fn record_token(
    db: &Db,
    member: &Member,
    token: &Token,
    hash: &Hash,
    most: u64,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    if !hold(&mut tx, member, token, hash, most).await? {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

/// Remembers a token within a transaction, unless the person holds `most` already; whether it did.
pub(crate) async fn hold(tx: &mut Tx, member: &Member, token: &Token, hash: &Hash, most: u64) -> Result<bool> {
    lock_member(tx, &member.org, &member.person).await?;
    let held = tx
        .row(
            "SELECT COUNT(*) AS held FROM tokens \
             WHERE org = $1 AND person = $2 AND revoked_at IS NULL AND expires_at > $3",
            values![&member.org, &member.person, token.created_at],
        )
        .await?
        .context("a count without a row")?
        .count("held")?;
    if held >= most {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO tokens (id, hash, org, person, name, capabilities, created_at, expires_at, used_at, revoked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            &token.id,
            &hash.0,
            &member.org,
            &member.person,
            &token.name,
            serde_json::to_string(&token.capabilities)?,
            token.created_at,
            token.expires_at,
            token.used_at,
            token.revoked_at,
        ],
    )
    .await?;
    Ok(true)
}

pub(crate) async fn find_token(db: &Db, secret: &Hash, now: Timestamp) -> Result<Option<(Token, Member)>> {
    let row = db
        .row(
            "SELECT t.id, t.name AS token_name, t.capabilities, t.created_at, t.expires_at, t.used_at, t.revoked_at, \
                 m.person, m.email, m.name, m.org, m.role \
             FROM tokens t JOIN members m ON m.org = t.org AND m.person = t.person JOIN orgs o ON o.id = t.org \
             WHERE t.hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND m.status = 'active' \
             AND (m.ends_at IS NULL OR m.ends_at > $2) AND o.state <> 'archived' \
             AND NOT EXISTS (SELECT 1 FROM unproven u WHERE u.org = t.org AND u.person = t.person)",
            values![&secret.0, now],
        )
        .await?;
    row.map(|row| Ok((read(&row)?, read_member(&row)?))).transpose()
}

pub(crate) async fn touch_token(db: &Db, token: &TokenId, used_at: Timestamp) -> Result<()> {
    db.execute("UPDATE tokens SET used_at = $1 WHERE id = $2", values![used_at, token])
        .await?;
    Ok(())
}

pub(crate) async fn list_tokens(db: &Db, org: &OrgId, person: &PersonId) -> Result<Vec<Token>> {
    let rows = db
        .rows(
            "SELECT id, name AS token_name, capabilities, created_at, expires_at, used_at, revoked_at FROM tokens \
             WHERE org = $1 AND person = $2 ORDER BY created_at DESC, id DESC LIMIT 200",
            values![org, person],
        )
        .await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn revoke_token(
    db: &Db,
    org: &OrgId,
    person: &PersonId,
    token: &TokenId,
    now: Timestamp,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let revoked = tx
        .execute(
            "UPDATE tokens SET revoked_at = $1 \
             WHERE org = $2 AND person = $3 AND id = $4 AND revoked_at IS NULL AND expires_at > $1",
            values![now, org, person, token],
        )
        .await?;
    if revoked == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

fn read(row: &Row) -> Result<Token> {
    Ok(Token {
        id: TokenId::new(row.get::<String>("id")?),
        name: row.get("token_name")?,
        capabilities: row.json("capabilities")?,
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
        used_at: row.at_if_any("used_at")?,
        revoked_at: row.at_if_any("revoked_at")?,
    })
}
