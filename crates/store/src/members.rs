//! Seats: listed with what their holders run and keep, changed, ended.

use crate::{
    cursor::{By, Cursor},
    db::{Db, Row, Tx, Value, values},
    filter::Filter,
    ledger,
    orgs::{self, lock_org, seats_used},
    people::{HOLDS, lock_member, owner_words, seated},
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    member::{Leaving, ListMembers, Seat, Sort, Status},
    org::Org,
    page::{Page, limit},
};
use engine::ports::{Member, Record, Scope, SeatPatch, Seated};

const SEAT: &str = "person, org, email, name, role, status, created_at, ends_at, seen_at, \
    (SELECT COUNT(*) FROM sessions s WHERE s.org = members.org AND s.owner = members.person AND s.live = 1) AS live, \
    (SELECT COUNT(*) FROM sessions s WHERE s.org = members.org AND s.owner = members.person) AS every, \
    CAST(COALESCE((SELECT SUM(s.storage_bytes) FROM sessions s \
        WHERE s.org = members.org AND s.owner = members.person), 0) AS BIGINT) AS bytes \
    FROM members";

pub(crate) async fn list_members(db: &Db, org: &OrgId, ask: &ListMembers, now: Timestamp) -> Result<Page<Seat>> {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    if let Some(role) = ask.role {
        filter.and("role = ?", values![role.as_str()]);
    }
    match ask.status {
        Some(Status::Active) => filter.and(HOLDS, values![now]),
        Some(status) => filter.and("status = ?", values![status.as_str()]),
        None => filter.and("status <> 'left'", values![]),
    }
    filter.search(&["words"], &ask.search);
    let (sql, values) = filter.clone().select("COUNT(*) AS total FROM members", "", values![]);
    let total = db
        .row(sql, values)
        .await?
        .context("a count without a row")?
        .count("total")?;
    if let Some(cursor) = &ask.cursor {
        let (condition, by) = match ask.sort {
            Sort::Name => ("(name_key, person) > (?, ?)", By::Text),
            Sort::Joined => ("(created_at, person) < (?, ?)", By::Time),
        };
        let cursor = Cursor::from_text(cursor, ask.sort.as_str(), by)?;
        filter.and(condition, cursor.values());
    }
    let size = limit(ask.limit);
    let end = match ask.sort {
        Sort::Name => "ORDER BY name_key, person LIMIT ?",
        Sort::Joined => "ORDER BY created_at DESC, person DESC LIMIT ?",
    };
    let (sql, values) = filter.select(SEAT, end, values![size + 1]);
    let mut items: Vec<_> = db.rows(sql, values).await?.iter().map(read).collect::<Result<_>>()?;
    let more = items.len() > size as usize;
    items.truncate(size as usize);
    let next = items.last().filter(|_| more).map(|last: &Seat| {
        let (order, id) = (ask.sort.as_str(), last.person.as_str());
        match ask.sort {
            Sort::Name => Cursor::after(order, last.name.to_lowercase(), id),
            Sort::Joined => Cursor::at(order, last.joined_at, id),
        }
        .into_text()
    });
    Ok(Page { items, next, total })
}

pub(crate) async fn busiest_seats(db: &Db, org: &OrgId, limit: u32) -> Result<Vec<Seat>> {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    let busiest = "person IN (SELECT owner FROM sessions WHERE org = ? AND live = 1 GROUP BY owner \
                   ORDER BY COUNT(*) DESC, owner LIMIT ?)";
    filter.and(busiest, values![org, limit]);
    let (sql, values) = filter.select(SEAT, "ORDER BY live DESC, name_key, person", values![]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

pub(crate) async fn find_seat(db: &Db, org: &OrgId, person: &PersonId) -> Result<Option<Seat>> {
    let (sql, values) = one(org, person);
    db.row(sql, values).await?.as_ref().map(read).transpose()
}

pub(crate) async fn find_seat_by_email(db: &Db, org: &OrgId, email: &str) -> Result<Option<Seat>> {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    filter.and("email_key = ?", values![email.to_lowercase()]);
    let (sql, values) = filter.select(SEAT, "", values![]);
    db.row(sql, values).await?.as_ref().map(read).transpose()
}

pub(crate) async fn change_seat(
    db: &Db,
    was: &Seat,
    patch: &SeatPatch,
    now: Timestamp,
    record: &Record,
) -> Result<Seated<Seat>> {
    let (org, person) = (&was.org, &was.person);
    let mut tx = db.begin().await?;
    let bought = lock_org(&mut tx, org).await?.and_then(|org| org.seats);
    let (sql, values) = one(org, person);
    let Some(row) = tx.row(sql, values).await? else {
        return Ok(Seated::Gone);
    };
    let before = read(&row)?;
    if before.status == Status::Left {
        return Ok(Seated::Gone);
    }
    // Whoever asked was allowed to change what they saw, and what they saw is what the audit says.
    let looks = |seat: &Seat| (seat.role, seat.status, seat.ends_at, seat.name.clone());
    if looks(&before) != looks(was) {
        return Ok(Seated::Changed);
    }
    // Taken apart whole: a new field that is not applied does not compile.
    let SeatPatch {
        role,
        status,
        ends_at,
        name,
    } = patch.clone();
    let after = Seat {
        role: role.unwrap_or(before.role),
        status: status.unwrap_or(before.status),
        ends_at: ends_at.unwrap_or(before.ends_at),
        name: name.unwrap_or_else(|| before.name.clone()),
        ..before.clone()
    };
    if owns(&before) && !owns(&after) && !another_owns(&mut tx, org, person).await? {
        return Ok(Seated::LastOwner);
    }
    let counts = |seat: &Seat| seat.ends_at.is_none_or(|end| end > now);
    if let Some(seats) = bought
        && !counts(&before)
        && counts(&after)
        && seats_used(&mut tx, org, now).await? >= seats
    {
        return Ok(Seated::Full { seats });
    }
    tx.execute(
        "UPDATE members SET role = $1, status = $2, ends_at = $3, name = $4, name_key = $5, words = $6 \
         WHERE org = $7 AND person = $8",
        values![
            after.role.as_str(),
            after.status.as_str(),
            after.ends_at,
            &after.name,
            after.name.to_lowercase(),
            owner_words(&after.name, &after.email),
            org,
            person,
        ],
    )
    .await?;
    if after.name != before.name {
        name_sessions(&mut tx, org, person, &after.name, &after.email).await?;
    }
    if !after.holds(now) {
        end_logins(&mut tx, org, person).await?;
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Seated::Done(after))
}

pub(crate) async fn record_leaving(
    db: &Db,
    was: &Seat,
    leaving: &Leaving,
    now: Timestamp,
    record: &Record,
) -> Result<Seated<Vec<SessionId>>> {
    let (org, person) = (&was.org, &was.person);
    let mut tx = db.begin().await?;
    lock_org(&mut tx, org).await?;
    let (sql, values) = one(org, person);
    let before = match tx.row(sql, values).await? {
        Some(row) => read(&row)?,
        None => return Ok(Seated::Gone),
    };
    if before.status == Status::Left {
        return Ok(Seated::Gone);
    }
    if before.role != was.role {
        return Ok(Seated::Changed);
    }
    if owns(&before) && !another_owns(&mut tx, org, person).await? {
        return Ok(Seated::LastOwner);
    }
    // From here on nobody opens or wakes a session of theirs.
    lock_member(&mut tx, org, person).await?;
    let handed_over = match leaving {
        Leaving::Archive => Vec::new(),
        Leaving::HandOver { to } => match seated(&mut tx, org, to, now).await? {
            Some(heir) if to != person => hand_over(&mut tx, person, &heir).await?,
            _ => return Ok(Seated::Gone),
        },
    };
    end_logins(&mut tx, org, person).await?;
    for sql in [
        "UPDATE tokens SET revoked_at = $3 WHERE org = $1 AND person = $2 AND revoked_at IS NULL",
        "UPDATE quota_requests SET state = 'withdrawn', answered_at = $3 \
         WHERE org = $1 AND person = $2 AND state = 'waiting'",
        // Should they come back, what was granted to them does not.
        "UPDATE quota_requests SET ends_at = $3 \
         WHERE org = $1 AND person = $2 AND state = 'granted' AND (ends_at IS NULL OR ends_at > $3)",
        // The address is free for another seat; the row stays, for the names of what they did and own.
        "UPDATE members SET status = 'left', ends_at = $3, email_key = person WHERE org = $1 AND person = $2",
    ] {
        tx.execute(sql, values![org, person, now]).await?;
    }
    crate::secrets::forget_secrets_of(&mut tx, org, person).await?;
    for sql in [
        "DELETE FROM member_groups WHERE org = $1 AND person = $2",
        "DELETE FROM provided_seats WHERE org = $1 AND person = $2",
        "DELETE FROM unproven WHERE org = $1 AND person = $2",
        "DELETE FROM quotas WHERE org = $1 AND kind = 'person' AND subject = $2",
        // The directory's name for them is free; by what it said, they are known should they come back.
        "UPDATE directory_users SET user_name_key = person, role = NULL, version = 0 WHERE org = $1 AND person = $2",
    ] {
        tx.execute(sql, values![org, person]).await?;
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Seated::Done(handed_over))
}

pub(crate) async fn seats_ended(
    db: &Db,
    after: Timestamp,
    until: Timestamp,
    from: Option<&(OrgId, PersonId)>,
) -> Result<Vec<(OrgId, PersonId)>> {
    let sql = "SELECT org, person FROM members WHERE ends_at > $1 AND ends_at <= $2 AND status <> 'left' \
               AND (org, person) > ($3, $4) ORDER BY org, person LIMIT 1000";
    let (org, person) = from.map_or(("", ""), |(org, person)| (org.as_str(), person.as_str()));
    let rows = db.rows(sql, values![after, until, org, person]).await?;
    rows.iter()
        .map(|row| {
            Ok((
                OrgId::new(row.get::<String>("org")?),
                PersonId::new(row.get::<String>("person")?),
            ))
        })
        .collect()
}

/// Gives members of an earlier schema what they are sorted and found by.
pub(crate) async fn fill_words(tx: &mut Tx) -> Result<()> {
    let sql = "SELECT org, person, name, email FROM members WHERE words = ''";
    for row in tx.rows(sql, values![]).await? {
        let (name, email): (String, String) = (row.get("name")?, row.get("email")?);
        let (org, person): (String, String) = (row.get("org")?, row.get("person")?);
        tx.execute(
            "UPDATE members SET name_key = $1, words = $2 WHERE org = $3 AND person = $4",
            values![name.to_lowercase(), owner_words(&name, &email), org, person],
        )
        .await?;
    }
    Ok(())
}

pub(crate) async fn memberships(db: &Db, person: &PersonId, now: Timestamp) -> Result<Vec<(Org, Role)>> {
    let sql = "SELECT o.id, o.display_name, o.kind, o.tier, o.billing, o.state, o.seats, o.plan, o.created_at, m.role \
               FROM members m JOIN orgs o ON o.id = m.org \
               WHERE m.person = $1 AND m.status = 'active' AND (m.ends_at IS NULL OR m.ends_at > $2) \
               AND o.state <> 'archived' ORDER BY LOWER(o.display_name), o.id LIMIT 200";
    let rows = db.rows(sql, values![person, now]).await?;
    rows.iter()
        .map(|row| Ok((orgs::read(row)?, row.word("role", Role::from_name)?)))
        .collect()
}

/// Whether this seat keeps its Organization from being without an owner: one that ends by itself does not.
pub(crate) fn owns(seat: &Seat) -> bool {
    Role::OWNING.contains(&seat.role) && seat.status == Status::Active && seat.ends_at.is_none()
}

/// Whether somebody else's does. The Organization is locked.
pub(crate) async fn another_owns(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<bool> {
    let sql = "SELECT person FROM members WHERE org = $1 AND person <> $2 AND role IN ('owner', 'super-admin') \
               AND status = 'active' AND ends_at IS NULL LIMIT 1";
    Ok(tx.row(sql, values![org, person]).await?.is_some())
}

async fn hand_over(tx: &mut Tx, from: &PersonId, heir: &Member) -> Result<Vec<SessionId>> {
    let sql = "UPDATE sessions SET owner = $1, owner_name = $2, owner_email = $3, owner_words = $4, idempotency = NULL, \
               version = version + 1 WHERE org = $5 AND owner = $6 RETURNING id";
    let values = values![
        &heir.person,
        &heir.name,
        &heir.email,
        owner_words(&heir.name, &heir.email),
        &heir.org,
        from,
    ];
    let rows = tx.rows(sql, values).await?;
    rows.iter()
        .map(|row| Ok(SessionId::new(row.get::<String>("id")?)))
        .collect()
}

/// Signs every browser of theirs out, and lets no link sign another in.
pub(crate) async fn end_logins(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<()> {
    for sql in [
        "DELETE FROM logins WHERE org = $1 AND person = $2",
        "DELETE FROM sign_in_links WHERE org = $1 AND person = $2",
    ] {
        tx.execute(sql, values![org, person]).await?;
    }
    Ok(())
}

/// Sessions show and find their owner as they were last known.
///
/// The member is held before their sessions, as by whoever wakes one. A changed address is written after this, not before:
/// it is a key, so PostgreSQL then keeps out even those who only look whether the member is there, as whoever changes a
/// session does while holding it, and the two would wait for each other.
pub(crate) async fn name_sessions(tx: &mut Tx, org: &OrgId, person: &PersonId, name: &str, email: &str) -> Result<()> {
    // Nobody yet, and there is nothing to hold or to name.
    let sql = "UPDATE members SET role = role WHERE org = $1 AND person = $2";
    if tx.execute(sql, values![org, person]).await? == 0 {
        return Ok(());
    }
    tx.execute(
        "UPDATE sessions SET owner_name = $1, owner_email = $2, owner_words = $3 \
         WHERE org = $4 AND owner = $5 AND (owner_name <> $1 OR owner_email <> $2)",
        values![name, email, owner_words(name, email), org, person],
    )
    .await?;
    Ok(())
}

pub(crate) fn one(org: &OrgId, person: &PersonId) -> (sqlx::SqlStr, Vec<Value>) {
    let mut filter = Filter::of_scope(&Scope::Org(org.clone()));
    filter.and("person = ?", values![person]);
    filter.select(SEAT, "", values![])
}

pub(crate) fn read(row: &Row) -> Result<Seat> {
    Ok(Seat {
        person: PersonId::new(row.get::<String>("person")?),
        org: OrgId::new(row.get::<String>("org")?),
        email: row.get("email")?,
        name: row.get("name")?,
        role: row.word("role", Role::from_name)?,
        status: row.word("status", Status::from_name)?,
        joined_at: row.at("created_at")?,
        ends_at: row.at_if_any("ends_at")?,
        seen_at: row.at_if_any("seen_at")?,
        live: row.count("live")?,
        sessions: row.count("every")?,
        storage_bytes: row.count("bytes")?,
    })
}
