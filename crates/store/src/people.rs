//! Organizations and their members.

use crate::{
    db::{Db, Row, Tx, values},
    filter::{Filter, places},
    ledger,
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

pub(crate) async fn find_member_by_email(db: &Db, scope: &Scope, email: &str) -> Result<Option<Member>> {
    let mut filter = Filter::of_scope(scope);
    filter.and("email_key = ?", values![email.to_lowercase()]);
    let (sql, values) = filter.select(MEMBER, "ORDER BY created_at, org LIMIT 1", values![]);
    db.row(sql, values).await?.as_ref().map(read_member).transpose()
}

pub(crate) async fn record_member(db: &Db, member: &Member, now: Timestamp, record: &Record) -> Result<()> {
    let mut tx = db.begin().await?;
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
    if tx
        .row("SELECT id FROM orgs WHERE id = $1", values![&member.org])
        .await?
        .is_none()
    {
        bail!(Refusal::NotFound(format!("There is no Organization {}.", member.org)));
    }
    upsert_member(&mut tx, member, now).await?;
    // Sessions show and find their owner as they were last known.
    tx.execute(
        "UPDATE sessions SET owner_name = $1, owner_email = $2, owner_words = $3 \
         WHERE org = $4 AND owner = $5 AND (owner_name <> $1 OR owner_email <> $2)",
        values![
            &member.name,
            &member.email,
            owner_words(&member.name, &member.email),
            &member.org,
            &member.person
        ],
    )
    .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await
}

pub(crate) async fn members_with(db: &Db, scope: &Scope, roles: &[Role]) -> Result<Vec<Member>> {
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::of_scope(scope);
    let words = roles.iter().map(|role| role.as_str().into()).collect();
    filter.and(format!("role IN ({})", places(roles.len())), words);
    let (sql, values) = filter.select(MEMBER, "ORDER BY name, person, org LIMIT 20", values![]);
    db.rows(sql, values).await?.iter().map(read_member).collect()
}

pub(crate) async fn find_org(db: &Db, org: &OrgId) -> Result<Option<Org>> {
    let row = db
        .row(
            "SELECT id, display_name, created_at FROM orgs WHERE id = $1",
            values![org],
        )
        .await?;
    row.map(|row| {
        Ok(Org {
            id: OrgId::new(row.get::<String>("id")?),
            display_name: row.get("display_name")?,
            created_at: row.at("created_at")?,
        })
    })
    .transpose()
}

pub(crate) async fn record_org(db: &Db, org: &Org, record: &Record) -> Result<()> {
    let mut tx = db.begin().await?;
    if insert_org(&mut tx, org).await? {
        ledger::write(&mut tx, record).await?;
    }
    tx.commit().await
}

/// The member, where there is one.
pub(crate) async fn member_of(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<Option<Member>> {
    let sql = "SELECT person, email, name, org, role FROM members WHERE org = $1 AND person = $2";
    tx.row(sql, values![org, person])
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

async fn insert_org(tx: &mut Tx, org: &Org) -> Result<bool> {
    let sql = "INSERT INTO orgs (id, display_name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    let added = tx
        .execute(sql, values![&org.id, &org.display_name, org.created_at])
        .await?;
    Ok(added > 0)
}

async fn upsert_member(tx: &mut Tx, member: &Member, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO members (org, person, email, email_key, name, role, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (org, person) DO UPDATE SET email = excluded.email, email_key = excluded.email_key, \
         name = excluded.name, role = excluded.role",
        values![
            &member.org,
            &member.person,
            &member.email,
            member.email.to_lowercase(),
            &member.name,
            member.role.as_str(),
            now,
        ],
    )
    .await?;
    Ok(())
}
