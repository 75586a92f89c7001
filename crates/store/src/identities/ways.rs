//! The identities of one person: linked, unlinked, and what stands behind their seats.

use crate::{
    db::{Db, Row, values},
    ledger,
};
use anyhow::{Context as _, Result};
use domain::{OrgId, PersonId, Timestamp, id::LoginId};
use engine::ports::{Hash, Identity, KnownIdentity, Linked, ProposedLink, Record};

pub(super) const OF_PERSON: &str = "SELECT issuer, subject, address, created_at, proven_at FROM identities \
                                    WHERE person = $1 ORDER BY created_at, issuer, subject LIMIT 100";

pub(super) fn read(row: &Row) -> Result<KnownIdentity> {
    Ok(KnownIdentity {
        identity: Identity {
            issuer: row.get("issuer")?,
            subject: row.get("subject")?,
            address: row.get("address")?,
        },
        since: row.at("created_at")?,
        proven_at: row.at_if_any("proven_at")?,
    })
}

pub(super) async fn propose(db: &Db, proposed: &ProposedLink, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    // One for a login: it cannot fill the table.
    let sql = "DELETE FROM proposed_links WHERE login = $1 OR expires_at <= $2";
    tx.execute(sql, values![&proposed.login, now]).await?;
    tx.execute(
        "INSERT INTO proposed_links (hash, login, provider, issuer, subject, address, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        values![
            &proposed.hash.0,
            &proposed.login,
            &proposed.provider,
            &proposed.identity.issuer,
            &proposed.identity.subject,
            &proposed.identity.address,
            proposed.expires_at,
        ],
    )
    .await?;
    tx.commit().await
}

pub(super) async fn take_proposed(
    db: &Db,
    hash: &Hash,
    login: &LoginId,
    now: Timestamp,
) -> Result<Option<ProposedLink>> {
    let mut tx = db.begin().await?;
    // One statement finds and uses it up: of two who come at once, the second finds nothing.
    let sql = "DELETE FROM proposed_links WHERE hash = $1 AND login = $2 \
               RETURNING hash, login, provider, issuer, subject, address, expires_at";
    let row = tx.row(sql, values![&hash.0, login]).await?;
    tx.commit().await?;
    let proposed = row
        .map(|row| -> Result<ProposedLink> {
            Ok(ProposedLink {
                hash: Hash(row.get("hash")?),
                login: LoginId::new(row.get::<String>("login")?),
                provider: row.get("provider")?,
                identity: Identity {
                    issuer: row.get("issuer")?,
                    subject: row.get("subject")?,
                    address: row.get("address")?,
                },
                expires_at: row.at("expires_at")?,
            })
        })
        .transpose()?;
    Ok(proposed.filter(|proposed| proposed.expires_at > now))
}

pub(super) async fn link(
    db: &Db,
    identity: &Identity,
    person: &PersonId,
    proven: bool,
    most: u64,
    now: Timestamp,
    record: &Record,
) -> Result<Linked> {
    let mut tx = db.begin().await?;
    let sql = "SELECT COUNT(*) AS held FROM identities WHERE person = $1";
    let held = tx.row(sql, values![person]).await?.context("a count without a row")?;
    let full = held.count("held")? >= most;
    // Of two who link the same at once the second waits here, and finds it somebody's.
    let sql = "INSERT INTO identities (issuer, subject, person, created_at, address, proven_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, subject) DO NOTHING";
    let values = values![
        &identity.issuer,
        &identity.subject,
        person,
        now,
        &identity.address,
        proven.then_some(now),
    ];
    if tx.execute(sql, values).await? == 0 {
        let sql = "SELECT person FROM identities WHERE issuer = $1 AND subject = $2";
        let row = tx.row(sql, values![&identity.issuer, &identity.subject]).await?;
        let whose: Option<String> = row.map(|row| row.get("person")).transpose()?;
        return Ok(match whose.as_deref() == Some(person.as_str()) {
            true => Linked::Theirs,
            false => Linked::Taken,
        });
    }
    if full {
        return Ok(Linked::TooMany);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Linked::Done)
}

pub(super) async fn unlink(
    db: &Db,
    person: &PersonId,
    seen: &[KnownIdentity],
    identity: &Identity,
    record: &Record,
) -> Result<Option<Vec<LoginId>>> {
    let mut tx = db.begin().await?;
    // All of them before any login: of two who unlink a different one at once the second sees that one is gone.
    let sql = "UPDATE identities SET person = person WHERE person = $1";
    tx.execute(sql, values![person]).await?;
    let rows = tx.rows(OF_PERSON, values![person]).await?;
    let own = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let names = |all: &[KnownIdentity]| -> Vec<(String, String)> {
        let name = |one: &KnownIdentity| (one.identity.issuer.clone(), one.identity.subject.clone());
        all.iter().map(name).collect()
    };
    if names(&own) != names(seen) {
        return Ok(None);
    }
    let sql = "DELETE FROM logins WHERE person = $1 AND id IN (SELECT login FROM held_logins WHERE issuer = $2 \
               AND subject = $3) RETURNING id";
    let rows = tx
        .rows(sql, values![person, &identity.issuer, &identity.subject])
        .await?;
    let ended = rows.iter().map(|row| Ok(LoginId::new(row.get::<String>("id")?)));
    let ended = ended.collect::<Result<Vec<_>>>()?;
    let sql = "DELETE FROM identities WHERE issuer = $1 AND subject = $2 AND person = $3";
    tx.execute(sql, values![&identity.issuer, &identity.subject, person])
        .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Some(ended))
}

pub(super) async fn seats_only_by(db: &Db, identity: &Identity, person: &PersonId) -> Result<Vec<OrgId>> {
    let sql = "SELECT p.org FROM provided_seats p JOIN members m ON m.org = p.org AND m.person = p.person \
               WHERE p.person = $1 AND p.issuer = $2 AND m.status <> 'left' \
               AND NOT EXISTS (SELECT 1 FROM directory_users d WHERE d.org = p.org AND d.person = p.person \
                   AND d.version > 0) \
               AND NOT EXISTS (SELECT 1 FROM identities i JOIN provided_seats q ON q.issuer = i.issuer \
                   AND q.person = i.person WHERE i.person = p.person AND q.org = p.org \
                   AND NOT (i.issuer = $2 AND i.subject = $3)) ORDER BY p.org LIMIT 20";
    let rows = db
        .rows(sql, values![person, &identity.issuer, &identity.subject])
        .await?;
    rows.iter()
        .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
        .collect()
}

pub(super) async fn confirmed(db: &Db, org: &OrgId, person: &PersonId) -> Result<Option<Option<Timestamp>>> {
    // Where a directory keeps the seat, its word ends it: any provider of theirs proves that it is they who ask.
    let sql = "SELECT person FROM directory_users WHERE org = $1 AND person = $2 AND version > 0";
    if db.row(sql, values![org, person]).await?.is_some() {
        let sql = "SELECT COUNT(*) AS known, MAX(proven_at) AS at FROM identities WHERE person = $1";
        let row = db.row(sql, values![person]).await?.context("a count without a row")?;
        return match row.count("known")? {
            0 => Ok(None),
            _ => Ok(Some(row.at_if_any("at")?)),
        };
    }
    let sql = "SELECT COUNT(*) AS gave, MAX(i.proven_at) AS at FROM provided_seats p \
               LEFT JOIN identities i ON i.issuer = p.issuer AND i.person = p.person \
               WHERE p.org = $1 AND p.person = $2";
    let row = db
        .row(sql, values![org, person])
        .await?
        .context("a count without a row")?;
    match row.count("gave")? {
        0 => Ok(None),
        _ => Ok(Some(row.at_if_any("at")?)),
    }
}
