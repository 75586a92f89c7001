//! The groups that a directory keeps. Who is in them is where all groups are, in `member_groups`.

use super::{BATCH, condition};
use crate::{
    db::{Db, Row, Tx, Value, values},
    filter::{numbered, places},
    ledger,
    orgs::lock_org,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Timestamp,
    scim::{Condition, Of, Window, group::Group},
};
use engine::ports::{Provisioned, Record};
use std::collections::{BTreeSet, HashMap};

const GROUP: &str = "g.id, g.org, g.name, g.external_id, g.created_at, g.changed_at, g.version, (SELECT COUNT(*) \
    FROM member_groups x WHERE x.org = g.org AND x.name = g.name AND x.by_directory = 1) AS size FROM directory_groups g";

pub(super) async fn list(
    db: &Db,
    org: &OrgId,
    condition: &Condition,
    window: Window,
    members: Option<u64>,
) -> Result<(Vec<Group>, u64)> {
    let (filter, more) = condition::sql(Of::Groups, condition, Timestamp::default());
    let mut values = values![org];
    values.extend(more);
    let sql = format!("SELECT COUNT(*) AS total FROM directory_groups g WHERE g.org = ? AND {filter}");
    let row = db.row(numbered(&sql), values.clone()).await?;
    let total = row.context("a count without a row")?.count("total")?;
    if window.count == 0 {
        return Ok((Vec::new(), total));
    }
    let sql = format!("SELECT {GROUP} WHERE g.org = ? AND {filter} ORDER BY g.created_at, g.id LIMIT ? OFFSET ?");
    values.extend(values![window.count, window.start - 1]);
    let rows = db.rows(numbered(&sql), values).await?;
    let mut groups = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    if let Some(most) = members {
        let mut sum = 0;
        let fit = groups.iter().take_while(|group| {
            sum += group.size;
            sum <= most
        });
        let fit = fit.count().max(1);
        groups.truncate(fit);
        with_members(db, org, &mut groups).await?;
    }
    Ok((groups, total))
}

pub(super) async fn find(db: &Db, org: &OrgId, id: &str) -> Result<Option<Group>> {
    let sql = format!("SELECT {GROUP} WHERE g.org = ? AND g.id = ?");
    let row = db.row(numbered(&sql), values![org, id]).await?;
    let mut groups: Vec<Group> = row.iter().map(read).collect::<Result<_>>()?;
    with_members(db, org, &mut groups).await?;
    Ok(groups.pop())
}

pub(super) async fn record(
    db: &Db,
    was: Option<&Group>,
    group: &Group,
    most: u64,
    record: &Record,
) -> Result<Provisioned> {
    let org = &group.org;
    let mut tx = db.begin().await?;
    if lock_org(&mut tx, org).await?.is_none() {
        return Ok(Provisioned::Gone);
    }
    let sql = "SELECT name, version FROM directory_groups WHERE org = $1 AND id = $2";
    let there = tx.row(sql, values![org, &group.id]).await?;
    match (was, &there) {
        (None, None) => {
            let sql = "SELECT COUNT(*) AS kept FROM directory_groups WHERE org = $1";
            let row = tx.row(sql, values![org]).await?;
            if row.context("a count without a row")?.count("kept")? >= most {
                return Ok(Provisioned::TooMany);
            }
        }
        (Some(was), Some(there)) if there.count("version")? == was.version => {}
        (Some(_), None) => return Ok(Provisioned::Gone),
        _ => return Ok(Provisioned::Changed),
    }
    let key = group.name.to_lowercase();
    let sql = "SELECT id FROM directory_groups WHERE org = $1 AND name_key = $2 AND id <> $3";
    if tx.row(sql, values![org, &key, &group.id]).await?.is_some() {
        return Ok(Provisioned::Taken("displayName"));
    }
    tx.execute(
        "INSERT INTO directory_groups (id, org, name, name_key, external_id, created_at, changed_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
         name_key = excluded.name_key, external_id = excluded.external_id, changed_at = excluded.changed_at, \
         version = excluded.version",
        values![
            &group.id,
            org,
            &group.name,
            key,
            &group.external_id,
            group.created_at,
            group.changed_at,
            was.map_or(0, |was| was.version) + 1,
        ],
    )
    .await?;
    let sql = "DELETE FROM member_groups WHERE org = $1 AND name = $2 AND by_directory = 0";
    tx.execute(sql, values![org, &group.name]).await?;
    if let Some(was) = was.filter(|was| was.name != group.name) {
        let sql = "UPDATE member_groups SET name = $1 WHERE org = $2 AND name = $3 AND by_directory = 1";
        tx.execute(sql, values![&group.name, org, &was.name]).await?;
    }
    if let Some(wanted) = &group.members {
        let wanted: BTreeSet<_> = wanted.iter().map(|(person, _)| person.clone()).collect();
        if let Some(nobody) = set_members(&mut tx, group, &wanted).await? {
            return Ok(Provisioned::NoSuch(nobody));
        }
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Provisioned::Done)
}

pub(super) async fn forget(db: &Db, org: &OrgId, id: &str, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    lock_org(&mut tx, org).await?;
    let sql = "DELETE FROM directory_groups WHERE org = $1 AND id = $2 RETURNING name";
    let Some(row) = tx.row(sql, values![org, id]).await? else {
        return Ok(false);
    };
    let sql = "DELETE FROM member_groups WHERE org = $1 AND name = $2 AND by_directory = 1";
    tx.execute(sql, values![org, row.get::<String>("name")?]).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

/// Makes these the members; the first who has no seat, where there is one.
async fn set_members(tx: &mut Tx, group: &Group, wanted: &BTreeSet<PersonId>) -> Result<Option<PersonId>> {
    let sql = "SELECT person FROM member_groups WHERE org = $1 AND name = $2 AND by_directory = 1";
    let mut held = BTreeSet::new();
    for row in tx.rows(sql, values![&group.org, &group.name]).await? {
        held.insert(PersonId::new(row.get::<String>("person")?));
    }
    let gone: Vec<&PersonId> = held.difference(wanted).collect();
    for batch in gone.chunks(BATCH) {
        let sql = format!(
            "DELETE FROM member_groups WHERE org = ? AND name = ? AND person IN ({})",
            places(batch.len())
        );
        let mut values = values![&group.org, &group.name];
        values.extend(batch.iter().map(|person| Value::from(*person)));
        tx.execute(numbered(&sql), values).await?;
    }
    let new: Vec<&PersonId> = wanted.difference(&held).collect();
    for batch in new.chunks(BATCH) {
        let sql = format!(
            "INSERT INTO member_groups (org, person, name, by_directory) SELECT org, person, CAST(? AS TEXT), 1 \
             FROM members WHERE org = ? AND status <> 'left' AND person IN ({}) RETURNING person",
            places(batch.len())
        );
        let mut values = values![&group.name, &group.org];
        values.extend(batch.iter().map(|person| Value::from(*person)));
        let rows = tx.rows(numbered(&sql), values).await?;
        let there = rows
            .iter()
            .map(|row| row.get("person"))
            .collect::<Result<BTreeSet<String>>>()?;
        if let Some(nobody) = batch.iter().find(|person| !there.contains(person.as_str())) {
            return Ok(Some((*nobody).clone()));
        }
    }
    Ok(None)
}

async fn with_members(db: &Db, org: &OrgId, groups: &mut [Group]) -> Result<()> {
    let mut members: HashMap<String, Vec<(PersonId, String)>> = HashMap::new();
    for batch in groups.chunks(BATCH) {
        let sql = format!(
            "SELECT x.name AS group_name, x.person, m.name FROM member_groups x JOIN members m ON m.org = x.org \
             AND m.person = x.person WHERE x.org = ? AND x.by_directory = 1 AND x.name IN ({}) ORDER BY x.name, x.person",
            places(batch.len())
        );
        let mut values = values![org];
        values.extend(batch.iter().map(|group| Value::from(&group.name)));
        for row in db.rows(numbered(&sql), values).await? {
            let member = (PersonId::new(row.get::<String>("person")?), row.get("name")?);
            members.entry(row.get("group_name")?).or_default().push(member);
        }
    }
    for group in groups {
        group.members = Some(members.remove(&group.name).unwrap_or_default());
    }
    Ok(())
}

fn read(row: &Row) -> Result<Group> {
    Ok(Group {
        id: row.get("id")?,
        org: OrgId::new(row.get::<String>("org")?),
        name: row.get("name")?,
        external_id: row.get("external_id")?,
        created_at: row.at("created_at")?,
        changed_at: row.at("changed_at")?,
        version: row.count("version")?,
        size: row.count("size")?,
        members: None,
    })
}
