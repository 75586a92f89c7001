//! Seats as the directory reads and keeps them.

use super::{BATCH, condition};
use crate::{
    db::{Db, Row, Tx, Value, values},
    filter::{numbered, places},
    ledger,
    members::{self, another_owns, end_logins, name_sessions, owns},
    orgs::{lock_org, seats_used},
    people::{owner_words, upsert_member},
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Role, Timestamp,
    member::{Seat, Status},
    org::State,
    scim::{
        Condition, Of, Window,
        user::{Primary, User},
    },
};
use engine::ports::{Member, Provision, Provisioned, Record};
use std::collections::HashMap;

const USER: &str = "m.person, m.org, m.email, m.name, m.role, m.status, m.ends_at, m.created_at, d.user_name, \
    d.external_id, d.given_name, d.family_name, d.formatted, d.display_name, d.role AS given_role, d.email_primary, \
    d.role_primary, d.changed_at, d.version";
const FROM: &str = "FROM members m LEFT JOIN directory_users d ON d.org = m.org AND d.person = m.person AND d.version > 0 \
    WHERE m.org = ? AND m.status <> 'left'";

pub(super) async fn list(
    db: &Db,
    org: &OrgId,
    condition: &Condition,
    window: Window,
    now: Timestamp,
) -> Result<(Vec<User>, u64)> {
    let (filter, more) = condition::sql(Of::Users, condition, now);
    let mut values = values![org];
    values.extend(more);
    let sql = format!("SELECT COUNT(*) AS total {FROM} AND {filter}");
    let row = db.row(numbered(&sql), values.clone()).await?;
    let total = row.context("a count without a row")?.count("total")?;
    if window.count == 0 {
        return Ok((Vec::new(), total));
    }
    let sql = format!("SELECT {USER} {FROM} AND {filter} ORDER BY m.created_at, m.person LIMIT ? OFFSET ?");
    values.extend(values![window.count, window.start - 1]);
    let rows = db.rows(numbered(&sql), values).await?;
    let mut users = rows.iter().map(|row| read(row, now)).collect::<Result<Vec<_>>>()?;
    with_groups(db, org, &mut users).await?;
    Ok((users, total))
}

pub(super) async fn find(db: &Db, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Option<User>> {
    let sql = format!("SELECT {USER} {FROM} AND m.person = ?");
    let row = db.row(numbered(&sql), values![org, person]).await?;
    let mut users: Vec<User> = row.iter().map(|row| read(row, now)).collect::<Result<_>>()?;
    with_groups(db, org, &mut users).await?;
    Ok(users.pop())
}

pub(super) async fn find_known(
    db: &Db,
    org: &OrgId,
    email: &str,
    external_id: Option<&str>,
) -> Result<Option<PersonId>> {
    // Whoever has a seat goes before whoever had one.
    let sql = "SELECT m.person, 0 AS place, m.created_at FROM members m WHERE m.org = $1 AND m.email_key = $2 \
               AND m.status <> 'left' \
               UNION ALL SELECT m.person, 1, m.created_at FROM members m JOIN directory_users d ON d.org = m.org \
               AND d.person = m.person WHERE m.org = $1 AND m.status = 'left' AND m.email = $2 AND d.external_id = $3 \
               ORDER BY 2, 3 DESC LIMIT 1";
    let row = db.row(sql, values![org, email, external_id]).await?;
    row.map(|row| Ok(PersonId::new(row.get::<String>("person")?)))
        .transpose()
}

pub(super) async fn record(db: &Db, seat: &Provision, now: Timestamp, record: &Record) -> Result<Provisioned> {
    let mut tx = db.begin().await?;
    // From here on nobody else promises, takes or changes a seat: what is counted stays true.
    let org = match lock_org(&mut tx, &seat.org).await? {
        Some(org) if org.state != State::Archived => org,
        _ => return Ok(Provisioned::Gone),
    };
    let (sql, one) = members::one(&seat.org, &seat.person);
    let found = tx.row(sql, one).await?.as_ref().map(members::read).transpose()?;
    let before = found.filter(|before| before.status != Status::Left);
    let version = version(&mut tx, seat).await?;
    match (&seat.was, &before) {
        (None, None) => {}
        (Some(was), Some(before)) if is_still(was, before, version, now) => {}
        (Some(_), None) => return Ok(Provisioned::Gone),
        _ => return Ok(Provisioned::Changed),
    }
    if let Some(attribute) = taken(&mut tx, seat).await? {
        return Ok(Provisioned::Taken(attribute));
    }
    let after = after(seat, before.as_ref(), now);
    if let Some(before) = &before
        && owns(before)
        && !owns(&after)
        && !another_owns(&mut tx, &seat.org, &seat.person).await?
    {
        return Ok(Provisioned::LastOwner);
    }
    // Who was invited takes the seat that was promised to them.
    let sql = "UPDATE invitations SET done_at = $3 WHERE org = $1 AND email = $2 AND done_at IS NULL";
    tx.execute(sql, values![&seat.org, &seat.email, now]).await?;
    let counts = |seat: &Seat| seat.ends_at.is_none_or(|end| end > now);
    if let Some(seats) = org.seats
        && !before.as_ref().is_some_and(counts)
        && counts(&after)
        && seats_used(&mut tx, &seat.org, now).await? >= seats
    {
        return Ok(Provisioned::Full { seats });
    }
    write(&mut tx, seat, before.as_ref(), &after, now).await?;
    if !after.holds(now) {
        end_logins(&mut tx, &seat.org, &seat.person).await?;
    }
    keep(&mut tx, seat, version, now).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Provisioned::Done)
}

/// The seat as it will be.
fn after(seat: &Provision, before: Option<&Seat>, now: Timestamp) -> Seat {
    let holds = before.is_some_and(|before| before.holds(now));
    let (status, ends_at) = match before {
        Some(before) if holds == seat.active => (before.status, before.ends_at),
        // Somebody who is in again is in until somebody says otherwise.
        _ if seat.active => (Status::Active, None),
        Some(before) => (Status::Disabled, before.ends_at),
        None => (Status::Disabled, None),
    };
    Seat {
        person: seat.person.clone(),
        org: seat.org.clone(),
        email: seat.email.clone(),
        name: seat.name.clone(),
        role: seat.role,
        status,
        joined_at: before.map_or(now, |before| before.joined_at),
        ends_at,
        seen_at: None,
        live: 0,
        sessions: 0,
        storage_bytes: 0,
    }
}

fn is_still(was: &User, now_there: &Seat, version: u64, now: Timestamp) -> bool {
    was.version == version
        && was.role == now_there.role
        && was.active == now_there.holds(now)
        && was.email == now_there.email
        && was.name == now_there.name
}

async fn version(tx: &mut Tx, seat: &Provision) -> Result<u64> {
    let sql = "SELECT version FROM directory_users WHERE org = $1 AND person = $2";
    let row = tx.row(sql, values![&seat.org, &seat.person]).await?;
    row.map_or(Ok(0), |row| row.count("version"))
}

/// What somebody else has already.
async fn taken(tx: &mut Tx, seat: &Provision) -> Result<Option<&'static str>> {
    let name = seat.user_name.to_lowercase();
    let sql = "SELECT m.person FROM members m LEFT JOIN directory_users d ON d.org = m.org AND d.person = m.person \
               AND d.version > 0 WHERE m.org = $1 AND m.person <> $2 AND m.status <> 'left' \
               AND COALESCE(d.user_name_key, m.email_key) = $3 LIMIT 1";
    if tx.row(sql, values![&seat.org, &seat.person, name]).await?.is_some() {
        return Ok(Some("userName"));
    }
    let sql = "SELECT person FROM members WHERE org = $1 AND person <> $2 AND email_key = $3 LIMIT 1";
    if tx
        .row(sql, values![&seat.org, &seat.person, &seat.email])
        .await?
        .is_some()
    {
        return Ok(Some("emails"));
    }
    let sql = "SELECT d.person FROM directory_users d WHERE d.org = $1 AND d.person <> $2 AND d.external_id = $3 \
               AND d.version > 0 LIMIT 1";
    let Some(external_id) = &seat.external_id else {
        return Ok(None);
    };
    let row = tx.row(sql, values![&seat.org, &seat.person, external_id]).await?;
    Ok(row.map(|_| "externalId"))
}

async fn write(tx: &mut Tx, seat: &Provision, before: Option<&Seat>, after: &Seat, now: Timestamp) -> Result<()> {
    match before {
        None => {
            let member = Member {
                person: seat.person.clone(),
                email: seat.email.clone(),
                name: seat.name.clone(),
                org: seat.org.clone(),
                role: seat.role,
            };
            upsert_member(tx, &member, now).await?;
        }
        Some(before) if before.name != after.name || before.email != after.email => {
            name_sessions(tx, &seat.org, &seat.person, &after.name, &after.email).await?;
        }
        Some(_) => {}
    }
    tx.execute(
        "UPDATE members SET email = $1, email_key = $2, name = $3, name_key = $4, words = $5, role = $6, status = $7, \
         ends_at = $8 WHERE org = $9 AND person = $10",
        values![
            &after.email,
            after.email.to_lowercase(),
            &after.name,
            after.name.to_lowercase(),
            owner_words(&after.name, &after.email),
            after.role.as_str(),
            after.status.as_str(),
            after.ends_at,
            &seat.org,
            &seat.person,
        ],
    )
    .await?;
    Ok(())
}

/// What the directory says, beside the seat. What an identity provider gave is the directory's from now on.
async fn keep(tx: &mut Tx, seat: &Provision, version: u64, now: Timestamp) -> Result<()> {
    let key = |name: &Option<String>| name.as_deref().map(str::to_lowercase);
    tx.execute(
        "INSERT INTO directory_users (org, person, user_name, user_name_key, external_id, given_name, family_name, role, \
         changed_at, version, display_name, display_name_key, formatted, formatted_key, email_primary, role_primary) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (org, person) DO UPDATE SET \
         user_name = excluded.user_name, user_name_key = excluded.user_name_key, external_id = excluded.external_id, \
         given_name = excluded.given_name, family_name = excluded.family_name, role = excluded.role, \
         changed_at = excluded.changed_at, version = excluded.version, display_name = excluded.display_name, \
         display_name_key = excluded.display_name_key, formatted = excluded.formatted, \
         formatted_key = excluded.formatted_key, email_primary = excluded.email_primary, \
         role_primary = excluded.role_primary",
        values![
            &seat.org,
            &seat.person,
            &seat.user_name,
            seat.user_name.to_lowercase(),
            &seat.external_id,
            &seat.given_name,
            &seat.family_name,
            seat.given_role.map(Role::as_str),
            now,
            version + 1,
            &seat.display_name,
            &key(&seat.display_name),
            &seat.formatted,
            &key(&seat.formatted),
            seat.primary.email.map(i64::from),
            seat.primary.role.map(i64::from),
        ],
    )
    .await?;
    let sql = "DELETE FROM provided_seats WHERE org = $1 AND person = $2";
    tx.execute(sql, values![&seat.org, &seat.person]).await?;
    Ok(())
}

/// The directory's groups of everybody on a page, with one question for each batch.
async fn with_groups(db: &Db, org: &OrgId, users: &mut [User]) -> Result<()> {
    let mut groups: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for batch in users.chunks(BATCH) {
        let sql = format!(
            "SELECT x.person, g.id, g.name FROM member_groups x JOIN directory_groups g ON g.org = x.org \
             AND g.name = x.name WHERE x.org = ? AND x.by_directory = 1 AND x.person IN ({}) ORDER BY x.person, g.name",
            places(batch.len())
        );
        let mut values = values![org];
        values.extend(batch.iter().map(|user| Value::from(&user.person)));
        for row in db.rows(numbered(&sql), values).await? {
            let group = (row.get("id")?, row.get("name")?);
            groups.entry(row.get("person")?).or_default().push(group);
        }
    }
    for user in users {
        user.groups = groups.remove(user.person.as_str()).unwrap_or_default();
    }
    Ok(())
}

fn read(row: &Row, now: Timestamp) -> Result<User> {
    let email: String = row.get("email")?;
    let created_at = row.at("created_at")?;
    let status = row.word("status", Status::from_name)?;
    let given_role: Option<String> = row.get("given_role")?;
    let name: String = row.get("name")?;
    let version = row.get::<Option<i64>>("version")?.unwrap_or(0).max(0) as u64;
    let truth = |column| Ok::<_, anyhow::Error>(row.get::<Option<i64>>(column)?.map(|number| number != 0));
    let primary = Primary {
        email: truth("email_primary")?,
        role: truth("role_primary")?,
    };
    Ok(User {
        person: PersonId::new(row.get::<String>("person")?),
        org: OrgId::new(row.get::<String>("org")?),
        user_name: row.get::<Option<String>>("user_name")?.unwrap_or_else(|| email.clone()),
        external_id: row.get("external_id")?,
        given_name: row.get("given_name")?,
        family_name: row.get("family_name")?,
        formatted: row.get("formatted")?,
        display_name: if version == 0 {
            Some(name.clone())
        } else {
            row.get("display_name")?
        },
        name,
        email,
        role: row.word("role", Role::from_name)?,
        given_role: given_role.and_then(|role| Role::from_name(&role)),
        primary,
        active: status == Status::Active && row.at_if_any("ends_at")?.is_none_or(|end| end > now),
        created_at,
        changed_at: row.at_if_any("changed_at")?.unwrap_or(created_at),
        groups: Vec::new(),
        version,
    })
}
