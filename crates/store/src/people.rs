//! People: who is a member where, as every verb asks it. Seats as those see them who govern are in `members.rs`.

use crate::{
    db::{Db, Row, Tx, values},
    filter::{Filter, places},
    ledger,
    members::name_sessions,
    orgs::{insert_org, lock_org},
};
use anyhow::{Result, bail};
use domain::{OrgId, PersonId, Role, Timestamp, org::Org};
use engine::ports::{Member, Record, Refusal, Scope};

pub(crate) async fn found(db: &Db, org: &Org, member: &Member, now: Timestamp, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    // Two servers that start on one empty database: the second waits here, and then sees what the first made.
    tx.execute("UPDATE ledgers SET last = last WHERE name = 'audit'", values![])
        .await?;
    if tx.row("SELECT person FROM members LIMIT 1", values![]).await?.is_some() {
        return Ok(false);
    }
    insert_org(&mut tx, org).await?;
    upsert_member(&mut tx, member, now).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn find_member_by_email(
    db: &Db,
    scope: &Scope,
    email: &str,
    now: Timestamp,
) -> Result<Option<Member>> {
    let mut filter = Filter::of_scope(scope);
    filter.and("email_key = ?", values![email.to_lowercase()]);
    filter.and(HOLDS, values![now]);
    filter.and("org NOT IN (SELECT id FROM orgs WHERE state = 'archived')", values![]);
    let (sql, values) = filter.select(MEMBER, "ORDER BY created_at, org LIMIT 1", values![]);
    db.row(sql, values).await?.as_ref().map(read_member).transpose()
}

pub(crate) async fn orgs_of_email(db: &Db, email: &str, now: Timestamp) -> Result<Vec<OrgId>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("email_key = ?", values![email.to_lowercase()]);
    filter.and(HOLDS, values![now]);
    filter.and("org NOT IN (SELECT id FROM orgs WHERE state = 'archived')", values![]);
    let (sql, values) = filter.select("org FROM members", "ORDER BY org LIMIT 20", values![]);
    let rows = db.rows(sql, values).await?;
    rows.iter()
        .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
        .collect()
}

pub(crate) async fn record_member(db: &Db, member: &Member, now: Timestamp, record: &Record) -> Result<()> {
    let mut tx = db.begin().await?;
    // A new name goes to many sessions: whoever changes many holds their Organization.
    let org = lock_org(&mut tx, &member.org).await?;
    let key = member.email.to_lowercase();
    let other = tx
        .row(
            "SELECT person FROM members WHERE org = $1 AND email_key = $2 AND person <> $3",
            values![&member.org, key, &member.person],
        )
        .await?;
    if other.is_some() {
        bail!(Refusal::Invalid(format!(
            "The address {} belongs to another member.",
            member.email
        )));
    }
    if org.is_none() {
        bail!(Refusal::NotFound(format!("There is no Organization {}.", member.org)));
    }
    name_sessions(&mut tx, &member.org, &member.person, &member.name, &member.email).await?;
    upsert_member(&mut tx, member, now).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await
}

pub(crate) async fn members_with(db: &Db, scope: &Scope, roles: &[Role], now: Timestamp) -> Result<Vec<Member>> {
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::of_scope(scope);
    let words = roles.iter().map(|role| role.as_str().into()).collect();
    filter.and(format!("role IN ({})", places(roles.len())), words);
    filter.and(HOLDS, values![now]);
    let (sql, values) = filter.select(MEMBER, "ORDER BY name, person, org LIMIT 20", values![]);
    db.rows(sql, values).await?.iter().map(read_member).collect()
}

/// The member, where their seat holds and their Organization is not closed for good.
pub(crate) async fn seated(tx: &mut Tx, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Option<Member>> {
    let sql = "SELECT person, email, name, org, role FROM members WHERE org = $1 AND person = $2 AND status = 'active' \
               AND (ends_at IS NULL OR ends_at > $3) AND org NOT IN (SELECT id FROM orgs WHERE state = 'archived')";
    tx.row(sql, values![org, person, now])
        .await?
        .as_ref()
        .map(read_member)
        .transpose()
}

/// Keeps everybody else from counting and adding what this member holds, until the transaction ends.
pub(crate) async fn lock_member(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<()> {
    let sql = "UPDATE members SET role = role WHERE org = $1 AND person = $2";
    if tx.execute(sql, values![org, person]).await? == 0 {
        bail!("{person} is not a member of the Organization {org}");
    }
    Ok(())
}

/// A seat that gives access, by the columns of `members`; its one value is the time.
pub(crate) const HOLDS: &str = "status = 'active' AND (ends_at IS NULL OR ends_at > ?)";

const MEMBER: &str = "person, email, name, org, role FROM members";

/// Reads a row with the columns `person`, `email`, `name`, `org` and `role`.
pub(crate) fn read_member(row: &Row) -> Result<Member> {
    Ok(Member {
        person: PersonId::new(row.get::<String>("person")?),
        email: row.get("email")?,
        name: row.get("name")?,
        org: OrgId::new(row.get::<String>("org")?),
        role: row.word("role", Role::from_name)?,
    })
}

/// What a search finds an owner by.
pub(crate) fn owner_words(name: &str, email: &str) -> String {
    format!("{name}\n{email}").to_lowercase()
}

/// Writes a seat that holds from now on, new or given back.
pub(crate) async fn upsert_member(tx: &mut Tx, member: &Member, now: Timestamp) -> Result<()> {
    // Where the address stays, no key is named: PostgreSQL would lock the row against those who only look whether it is
    // there, for nothing. Where it changes, sessions have been named before (see `name_sessions`).
    let sql = "UPDATE members SET email = $1, name = $2, role = $3, name_key = $4, words = $5, status = 'active', \
               ends_at = NULL WHERE org = $6 AND person = $7 AND email_key = $8";
    let stays = values![
        &member.email,
        &member.name,
        member.role.as_str(),
        member.name.to_lowercase(),
        owner_words(&member.name, &member.email),
        &member.org,
        &member.person,
        member.email.to_lowercase(),
    ];
    if tx.execute(sql, stays).await? > 0 {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO members (org, person, email, email_key, name, role, created_at, name_key, words) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (org, person) DO UPDATE SET email = excluded.email, email_key = excluded.email_key, \
         name = excluded.name, role = excluded.role, name_key = excluded.name_key, words = excluded.words, \
         status = 'active', ends_at = NULL",
        values![
            &member.org,
            &member.person,
            &member.email,
            member.email.to_lowercase(),
            &member.name,
            member.role.as_str(),
            now,
            member.name.to_lowercase(),
            owner_words(&member.name, &member.email),
        ],
    )
    .await?;
    Ok(())
}
