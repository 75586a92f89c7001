//! Letters on their way: one for an invitation, for as long as it is worth sending.

use crate::{
    db::{Db, Row, Tx, values},
    invitations,
};
use anyhow::Result;
use domain::{Timestamp, id::InvitationId, invitation::Invitation, invitation::Letter};
use engine::ports::{DueLetter, NewLetter, Sealed};

pub(crate) async fn insert_letter(tx: &mut Tx, invitation: &Invitation, letter: &NewLetter) -> Result<()> {
    tx.execute(
        "INSERT INTO letters (id, org, sealed_by, sealed, state, next_at, expires_at) \
         VALUES ($1, $2, $3, $4, 'waiting', $5, $6)",
        values![
            &invitation.id,
            &invitation.org,
            &letter.sealed.key,
            &letter.sealed.text,
            invitation.created_at,
            letter.expires_at,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn take_letter(db: &Db, now: Timestamp, lease: Timestamp) -> Result<Option<DueLetter>> {
    // Most of the time there is none: asked without keeping anybody from writing.
    let any = "SELECT id FROM letters WHERE state = 'waiting' LIMIT 1";
    if db.row(any, values![]).await?.is_none() {
        return Ok(None);
    }
    let mut tx = db.begin().await?;
    // Nobody is waited for any more: the link was used, withdrawn or replaced, or nobody could send it in time.
    let over = "UPDATE letters SET state = 'failed', sealed = NULL, sealed_by = NULL, \
                why = COALESCE(why, 'It was not sent in time.') WHERE state = 'waiting' AND (expires_at <= $1 OR NOT EXISTS \
                (SELECT 1 FROM invitations i WHERE i.id = letters.id AND i.done_at IS NULL AND i.expires_at > $1))";
    tx.execute(over, values![now]).await?;
    // Of two servers the second finds it taken: it is looked at again behind the first one's lock.
    let taken = "UPDATE letters SET next_at = $2, tries = tries + 1 WHERE id = (SELECT id FROM letters \
                 WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT 1) \
                 AND state = 'waiting' AND next_at <= $1 RETURNING id, sealed_by, sealed, tries, expires_at";
    let Some(row) = tx.row(taken, values![now, lease]).await? else {
        tx.commit().await?;
        return Ok(None);
    };
    let id: String = row.get("id")?;
    let of = "SELECT i.id, i.org, i.email, i.role, i.invited_by, i.limits, i.created_at, i.expires_at, i.seat_ends_at, \
              NULL AS letter, NULL AS why, o.display_name FROM invitations i JOIN orgs o ON o.id = i.org WHERE i.id = $1";
    let of = tx.row(of, values![id]).await?;
    tx.commit().await?;
    let Some(of) = of else { return Ok(None) };
    Ok(Some(DueLetter {
        invitation: invitations::read(&of)?,
        org_name: of.get("display_name")?,
        sealed: Sealed {
            key: row.get("sealed_by")?,
            text: row.get("sealed")?,
        },
        tries: row.count("tries")?,
        expires_at: row.at("expires_at")?,
    }))
}

pub(crate) async fn settle_letter(db: &Db, id: &InvitationId, letter: &Letter, again: Option<Timestamp>) -> Result<()> {
    let why = match letter {
        Letter::Sent => None,
        Letter::Waiting { why } => why.as_deref(),
        Letter::Failed { why } => Some(why.as_str()),
    };
    let why = why.map(|why| why.chars().take(500).collect::<String>());
    match again {
        Some(again) => {
            let sql = "UPDATE letters SET why = $2, next_at = $3 WHERE id = $1 AND state = 'waiting'";
            db.execute(sql, values![id, &why, again]).await?;
        }
        None => {
            let sql = "UPDATE letters SET state = $3, why = $2, sealed = NULL, sealed_by = NULL \
                       WHERE id = $1 AND state = 'waiting'";
            db.execute(sql, values![id, &why, letter.as_str()]).await?;
        }
    }
    Ok(())
}

/// What is said of a letter beside its invitation.
pub(crate) fn read(row: &Row) -> Result<Option<Letter>> {
    let state = row.get::<Option<String>>("letter")?;
    let why = row.get::<Option<String>>("why")?;
    Ok(state.and_then(|state| Letter::from_parts(&state, why)))
}

/// Forgets the letters of invitations that are no more.
pub(crate) async fn prune(db: &Db) -> Result<()> {
    let sql = "DELETE FROM letters WHERE NOT EXISTS (SELECT 1 FROM invitations i WHERE i.id = letters.id)";
    db.execute(sql, values![]).await?;
    Ok(())
}
