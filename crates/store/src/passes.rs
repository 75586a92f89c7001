//! Tokens and browsers side by side, of a whole Organization.

use crate::{
    cursor::{By, Cursor},
    db::{Db, Row, Value, values},
    filter::Filter,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Role, Timestamp,
    page::{Page, limit},
    pass::{Kind, ListPasses, Pass},
};
use engine::ports::Scope;

const TOKEN: &str = "p.id, p.name AS label, '' AS address, p.capabilities, p.created_at, p.used_at, p.expires_at, \
    p.revoked_at, m.person, m.name, m.email, m.role \
    FROM tokens p JOIN members m ON m.org = p.org AND m.person = p.person";
const BROWSER: &str = "p.id, p.user_agent AS label, p.address, '[]' AS capabilities, p.created_at, p.seen_at AS used_at, \
    p.expires_at, CAST(NULL AS BIGINT) AS revoked_at, m.person, m.name, m.email, m.role \
    FROM logins p JOIN members m ON m.org = p.org AND m.person = p.person";

pub(crate) async fn list_passes(db: &Db, org: &OrgId, ask: &ListPasses, now: Timestamp) -> Result<Page<Pass>> {
    let mut filter = of(org);
    if !ask.over || ask.kind == Kind::Browser {
        filter.and("p.expires_at > ?", values![now]);
    }
    let (what, count) = match ask.kind {
        Kind::Token => {
            if !ask.over {
                filter.and("p.revoked_at IS NULL", values![]);
            }
            (
                TOKEN,
                "COUNT(*) AS total FROM tokens p JOIN members m ON m.org = p.org AND m.person = p.person",
            )
        }
        Kind::Browser => (
            BROWSER,
            "COUNT(*) AS total FROM logins p JOIN members m ON m.org = p.org AND m.person = p.person",
        ),
    };
    filter.search(&["m.words"], &ask.search);
    let (sql, values) = filter.clone().select(count, "", values![]);
    let total = db
        .row(sql, values)
        .await?
        .context("a count without a row")?
        .count("total")?;
    // A cursor of the other kind leads nowhere.
    let order = ask.kind.as_str();
    if let Some(cursor) = &ask.cursor {
        let cursor = Cursor::from_text(cursor, order, By::Time)?;
        filter.and("(p.created_at, p.id) < (?, ?)", cursor.values());
    }
    let size = limit(ask.limit);
    let end = "ORDER BY p.created_at DESC, p.id DESC LIMIT ?";
    let (sql, values) = filter.select(what, end, values![size + 1]);
    let rows = db.rows(sql, values).await?;
    let mut items: Vec<_> = rows.iter().map(|row| read(row, ask.kind)).collect::<Result<_>>()?;
    let more = items.len() > size as usize;
    items.truncate(size as usize);
    let last = items.last().filter(|_| more);
    let next = last.map(|last: &Pass| Cursor::at(order, last.created_at, &last.id).into_text());
    Ok(Page { items, next, total })
}

pub(crate) async fn find_pass(db: &Db, org: &OrgId, kind: Kind, id: &str) -> Result<Option<Pass>> {
    let mut filter = of(org);
    filter.and("p.id = ?", vec![Value::from(id.to_owned())]);
    let what = match kind {
        Kind::Token => TOKEN,
        Kind::Browser => BROWSER,
    };
    let (sql, values) = filter.select(what, "", values![]);
    let row = db.row(sql, values).await?;
    row.map(|row| read(&row, kind)).transpose()
}

fn of(org: &OrgId) -> Filter {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("p.org = ?", values![org]);
    filter
}

fn read(row: &Row, kind: Kind) -> Result<Pass> {
    let rights: Vec<String> = row.json("capabilities")?;
    Ok(Pass {
        kind,
        id: row.get("id")?,
        label: row.get("label")?,
        address: row.get("address")?,
        rights: rights.len() as u64,
        person: PersonId::new(row.get::<String>("person")?),
        name: row.get("name")?,
        email: row.get("email")?,
        role: row.word("role", Role::from_name)?,
        created_at: row.at("created_at")?,
        used_at: row.at_if_any("used_at")?,
        expires_at: row.at("expires_at")?,
        revoked_at: row.at_if_any("revoked_at")?,
    })
}
