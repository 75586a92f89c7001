//! Audit entries: appended as a chain, never changed; the oldest go when their time is over.

pub(crate) mod chain;
mod forward;
mod list;
mod prune;
mod verify;

pub(crate) use forward::{audit_after, forwarded, receivers, record_forwarded};
pub(crate) use list::{find_audit, list_audit};
pub(crate) use prune::{audit_due, prune_audit};
pub(crate) use verify::{audited_orgs, verify_audit};

use crate::{
    db::{Db, Row, Tx, values},
    ledger::{self, Ledger},
};
use anyhow::Result;
use chain::{Fields, Head};
use domain::{
    OrgId, PersonId,
    audit::{Entry, FROM_ABOVE, Line, Link},
    caller::INSTALLATION,
};

/// The most entries in one answer.
const MOST: u32 = 1000;
/// Every column of a [`Line`]. An entry that is not chained (yet) has the number 0.
const COLUMNS: &str = "position, at, org, person, actor, via, role, address, action, target, detail, request, \
    COALESCE(number, 0) AS number, COALESCE(previous, '') AS previous, COALESCE(hash, '') AS hash";

/// Appends entries to the chains of their Organizations.
///
/// The row of the ledger is taken first, and by everybody who appends: it is held until the transaction ends, so the
/// heads of the chains are only ever touched by one at a time, in whatever order. No chain forks, and nobody waits in
/// a circle.
pub(crate) async fn append(tx: &mut Tx, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let first = ledger::take(tx, Ledger::Audit, entries.len()).await?;
    let mut head: Option<(OrgId, Head)> = None;
    for (position, entry) in (first..).zip(entries) {
        let mut at = match head.take() {
            Some((org, at)) if org == entry.org => at,
            other => {
                if let Some((org, at)) = other {
                    at.record(tx, org.as_str()).await?;
                }
                Head::take(tx, entry.org.as_str()).await?
            }
        };
        insert(tx, position, entry, &mut at).await?;
        head = Some((entry.org.clone(), at));
    }
    match head {
        Some((org, at)) => at.record(tx, org.as_str()).await,
        None => Ok(()),
    }
}

async fn insert(tx: &mut Tx, position: i64, entry: &Entry, head: &mut Head) -> Result<()> {
    let fields = Fields::of(position, entry);
    let link = head.link(&fields);
    let actor_key = actor_key(&fields);
    tx.execute(
        "INSERT INTO audit (position, at, org, person, actor, actor_key, via, role, address, action, target, detail, \
         request, number, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        values![
            position,
            fields.at,
            &fields.org,
            &fields.person,
            &fields.actor,
            &actor_key,
            &fields.via,
            &fields.role,
            &fields.address,
            &fields.action,
            &fields.target,
            &fields.detail,
            &fields.request,
            link.number,
            &link.previous,
            &link.hash,
        ],
    )
    .await?;
    remember_words(tx, &fields, &actor_key).await
}

/// By what an entry's actor is found in the Organization: not by the name of who acts from above.
fn actor_key(fields: &Fields) -> String {
    if fields.via.starts_with(FROM_ABOVE) {
        INSTALLATION.to_owned()
    } else {
        fields.actor.to_lowercase()
    }
}

/// Keeps the actor and the action findable; for the eyes of those above (`above`) also who it was.
async fn remember_words(tx: &mut Tx, fields: &Fields, actor_key: &str) -> Result<()> {
    let sql = "INSERT INTO audit_words (org, kind, word, person) VALUES ($1, 'actor', $2, $3), ($1, 'action', $4, '') \
               ON CONFLICT (org, kind, word, person) DO NOTHING";
    let person = fields.person.as_deref().unwrap_or_default();
    if actor_key != INSTALLATION {
        tx.execute(sql, values![&fields.org, actor_key, person, &fields.action])
            .await?;
        return Ok(());
    }
    tx.execute(sql, values![&fields.org, actor_key, "", &fields.action])
        .await?;
    tx.execute(
        "INSERT INTO audit_words (org, kind, word, person) VALUES ($1, 'above', $2, $3) \
         ON CONFLICT (org, kind, word, person) DO NOTHING",
        values![&fields.org, fields.actor.to_lowercase(), person],
    )
    .await?;
    Ok(())
}

pub(crate) async fn record_audit(db: &Db, entry: &Entry) -> Result<()> {
    let mut tx = db.begin().await?;
    append(&mut tx, std::slice::from_ref(entry)).await?;
    tx.commit().await
}

fn read(row: &Row) -> Result<Line> {
    let entry = Entry {
        at: row.at("at")?,
        org: OrgId::new(row.get::<String>("org")?),
        person: row.get::<Option<String>>("person")?.map(PersonId::new),
        actor: row.get("actor")?,
        via: row.get("via")?,
        role: row.get("role")?,
        address: row.get("address")?,
        action: row.get("action")?,
        target: row.get("target")?,
        detail: row.json("detail")?,
        request: row.get("request")?,
    };
    let link = Link {
        number: row.get("number")?,
        previous: row.get("previous")?,
        hash: row.get("hash")?,
    };
    Ok(Line {
        position: row.get("position")?,
        link,
        entry,
    })
}
