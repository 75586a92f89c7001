//! Invitations: promised, used up once, withdrawn.

use crate::{
    db::{Db, Row, Tx, values},
    ledger,
    letters::{self, insert_letter},
    logins::insert_login,
    orgs::{self, lock_org, seats_used},
    people::upsert_member,
    quotas::set_limits,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Role, Timestamp, id::InvitationId, invitation::Invitation, org::Org, org::State, quota::Subject,
};
use engine::ports::{Acceptance, Accepted, Asked, Hash, Member, NewLetter, Record};

pub(crate) async fn record_invitation(
    db: &Db,
    invitation: &Invitation,
    hash: &Hash,
    letter: Option<&NewLetter>,
    most: u64,
    now: Timestamp,
    record: &Record,
) -> Result<Asked> {
    let mut tx = db.begin().await?;
    // From here on nobody else promises or takes a seat: what is counted stays true.
    let org = lock_org(&mut tx, &invitation.org)
        .await?
        .context("an invitation to an Organization that does not exist")?;
    if has_seat(&mut tx, &invitation.org, &invitation.email, None).await? {
        return Ok(Asked::Member);
    }
    // The same address invited again: the newer invitation takes the older one's place.
    let sql = "UPDATE invitations SET done_at = $1 WHERE org = $2 AND email = $3 AND done_at IS NULL";
    tx.execute(sql, values![now, &invitation.org, &invitation.email])
        .await?;
    if let Some(seats) = org.seats
        && seats_used(&mut tx, &invitation.org, now).await? >= seats
    {
        return Ok(Asked::Full { seats });
    }
    let waiting = tx
        .row(
            "SELECT COUNT(*) AS waiting FROM invitations WHERE org = $1 AND done_at IS NULL AND expires_at > $2",
            values![&invitation.org, now],
        )
        .await?
        .context("a count without a row")?
        .count("waiting")?;
    if waiting >= most {
        return Ok(Asked::TooMany);
    }
    tx.execute(
        "INSERT INTO invitations (id, org, hash, email, role, invited_by, limits, created_at, expires_at, seat_ends_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            &invitation.id,
            &invitation.org,
            &hash.0,
            &invitation.email,
            invitation.role.as_str(),
            &invitation.by,
            serde_json::to_string(&invitation.limits)?,
            invitation.created_at,
            invitation.expires_at,
            invitation.seat_ends_at,
        ],
    )
    .await?;
    if let Some(letter) = letter {
        insert_letter(&mut tx, invitation, letter).await?;
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Asked::Recorded)
}

pub(crate) async fn find_invitation(db: &Db, link: &Hash, now: Timestamp) -> Result<Option<(Invitation, Org)>> {
    let sql = "SELECT id, org, email, role, invited_by, limits, created_at, expires_at, seat_ends_at, \
               NULL AS letter, NULL AS why FROM invitations WHERE hash = $1 AND done_at IS NULL AND expires_at > $2";
    let Some(row) = db.row(sql, values![&link.0, now]).await? else {
        return Ok(None);
    };
    let invitation = read(&row)?;
    let org = orgs::find_org(db, &invitation.org).await?;
    Ok(org
        .filter(|org| org.state == State::Active)
        .map(|org| (invitation, org)))
}

pub(crate) async fn accept_invitation(
    db: &Db,
    link: &Hash,
    acceptance: &Acceptance,
    now: Timestamp,
    record: &Record,
) -> Result<Accepted> {
    let Acceptance {
        person,
        name,
        email,
        login,
    } = acceptance;
    let mut tx = db.begin().await?;
    // The Organization before the invitation, like everybody who invites: the other way round two could wait for each
    // other.
    let of = "SELECT org FROM invitations WHERE hash = $1";
    let Some(row) = tx.row(of, values![&link.0]).await? else {
        return Ok(Accepted::Gone);
    };
    let open = lock_org(&mut tx, &OrgId::new(row.get::<String>("org")?))
        .await?
        .is_some_and(|org| org.state == State::Active);
    // One statement finds and uses it up: of two who come at once, the second waits and then finds it used.
    let sql = "UPDATE invitations SET done_at = $1 WHERE hash = $2 AND done_at IS NULL AND expires_at > $1 \
               RETURNING id, org, email, role, invited_by, limits, created_at, expires_at, seat_ends_at, \
               NULL AS letter, NULL AS why";
    let Some(row) = tx.row(sql, values![now, &link.0]).await? else {
        return Ok(Accepted::Gone);
    };
    let invitation = read(&row)?;
    let org = &invitation.org;
    if !open || invitation.seat_ends_at.is_some_and(|end| end <= now) {
        return Ok(Accepted::Gone);
    }
    let email = email.as_ref().unwrap_or(&invitation.email);
    // Also one that is disabled or has ended: it is given back by whoever took it, not by a link.
    if keeps_seat(&mut tx, org, person).await? || has_seat(&mut tx, org, email, Some(person)).await? {
        return Ok(Accepted::Member);
    }
    let member = Member {
        person: person.clone(),
        email: email.clone(),
        name: name.clone(),
        org: org.clone(),
        role: invitation.role,
    };
    upsert_member(&mut tx, &member, now).await?;
    tx.execute(
        "UPDATE members SET ends_at = $1 WHERE org = $2 AND person = $3",
        values![invitation.seat_ends_at, org, person],
    )
    .await?;
    set_limits(&mut tx, org, &Subject::Person(person.clone()), &invitation.limits).await?;
    if let Some(login) = login {
        insert_login(&mut tx, org, person, login).await?;
    }
    // Who joined where is known only here.
    let mut record = record.clone();
    for entry in &mut record.audit {
        entry.org = org.clone();
        entry.actor.clone_from(&member.email);
        entry.detail = serde_json::json!({
            "email": member.email, "role": member.role.as_str(), "invitation": invitation.id,
            "invited_by": invitation.by, "seat_ends_at": invitation.seat_ends_at,
        });
    }
    for outgoing in &mut record.events {
        outgoing.event.tenant_id = org.clone();
    }
    ledger::write(&mut tx, &record).await?;
    tx.commit().await?;
    Ok(Accepted::Seated(member))
}

pub(crate) async fn list_invitations(db: &Db, org: &OrgId, now: Timestamp) -> Result<Vec<Invitation>> {
    let sql = "SELECT i.id, i.org, i.email, i.role, i.invited_by, i.limits, i.created_at, i.expires_at, i.seat_ends_at, \
               l.state AS letter, l.why FROM invitations i LEFT JOIN letters l ON l.id = i.id \
               WHERE i.org = $1 AND i.done_at IS NULL AND i.expires_at > $2 \
               ORDER BY i.created_at DESC, i.id DESC LIMIT 500";
    db.rows(sql, values![org, now]).await?.iter().map(read).collect()
}

pub(crate) async fn withdraw_invitation(
    db: &Db,
    org: &OrgId,
    id: &InvitationId,
    now: Timestamp,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE invitations SET done_at = $1 WHERE org = $2 AND id = $3 AND done_at IS NULL AND expires_at > $1";
    if tx.execute(sql, values![now, org, id]).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

/// Forgets what was over before.
pub(crate) async fn prune(db: &Db, before: Timestamp) -> Result<()> {
    db.execute(
        "DELETE FROM invitations WHERE done_at < $1 OR expires_at < $1",
        values![before],
    )
    .await?;
    letters::prune(db).await
}

/// Whether the person has a seat, whether or not it holds.
async fn keeps_seat(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<bool> {
    let sql = "SELECT person FROM members WHERE org = $1 AND person = $2 AND status <> 'left'";
    Ok(tx.row(sql, values![org, person]).await?.is_some())
}

/// Whether the address has a seat already, other than one of `person`.
async fn has_seat(tx: &mut Tx, org: &OrgId, email: &str, person: Option<&PersonId>) -> Result<bool> {
    let sql = "SELECT person FROM members WHERE org = $1 AND email_key = $2 AND person <> $3";
    let values = values![org, email.to_lowercase(), person.map_or("", PersonId::as_str)];
    Ok(tx.row(sql, values).await?.is_some())
}

pub(crate) fn read(row: &Row) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId::new(row.get::<String>("id")?),
        org: OrgId::new(row.get::<String>("org")?),
        email: row.get("email")?,
        role: row.word("role", Role::from_name)?,
        by: row.get("invited_by")?,
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
        seat_ends_at: row.at_if_any("seat_ends_at")?,
        limits: row.json("limits")?,
        letter: letters::read(row)?,
    })
}
