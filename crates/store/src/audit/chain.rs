//! How an entry is tied to the one before it: what is hashed, and where the chain ends.
//!
//! The hash of version 1 is the SHA-256 of this text, in UTF-8. The first line is `sandbox-audit:1` and a line feed.
//! Then, in this order, one field after the other: `previous` (the hash of the entry before it, with its version; empty
//! for the first), `number`, `position`, `at` (milliseconds since the Unix epoch), `org`, `person`, `actor`, `via`,
//! `role`, `address`, `action`, `target`, `detail` (the JSON as it is stored), `request`. A field is its length in
//! bytes, a colon, the bytes and a line feed; one that is absent is a minus sign and a line feed. Numbers are decimal.
//! It is written as `1:` and the digest in hexadecimal.
//!
//! Lengths keep fields apart whatever is in them, and what is hashed is what is stored: both databases, and JSON
//! libraries to come, give the same.

use super::{actor_key, remember_words};
use crate::{
    db::{Db, Row, Tx, values},
    ledger::{self, Ledger},
};
use anyhow::{Context as _, Result};
use domain::audit::{Entry, Link};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// The version of the text above, as it stands before every hash.
const VERSION: &str = "1";
/// Entries that are chained in one transaction, where they were written before there was a chain.
const BATCH: u32 = 500;
/// What is hashed of a row, as it is stored.
pub(super) const FIELDS: &str = "position, at, org, person, actor, via, role, address, action, target, detail, request";

/// An entry as it is stored.
pub(super) struct Fields {
    pub(super) position: i64,
    pub(super) at: i64,
    pub(super) org: String,
    pub(super) person: Option<String>,
    pub(super) actor: String,
    pub(super) via: String,
    pub(super) role: Option<String>,
    pub(super) address: Option<String>,
    pub(super) action: String,
    pub(super) target: String,
    pub(super) detail: String,
    pub(super) request: Option<String>,
}

impl Fields {
    /// An entry as it will be stored: no database keeps a NUL in text (see `db/value.rs`).
    pub(super) fn of(position: i64, entry: &Entry) -> Self {
        let kept = |text: &str| text.replace('\0', "\u{fffd}");
        Self {
            position,
            at: entry.at.millis(),
            org: kept(entry.org.as_str()),
            person: entry.person.as_ref().map(|person| kept(person.as_str())),
            actor: kept(&entry.actor),
            via: kept(&entry.via),
            role: entry.role.as_deref().map(kept),
            address: entry.address.as_deref().map(kept),
            action: kept(&entry.action),
            target: kept(&entry.target),
            detail: kept(&entry.detail.to_string()),
            request: entry.request.as_deref().map(kept),
        }
    }

    /// A row with the columns [`FIELDS`].
    pub(super) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            position: row.get("position")?,
            at: row.get("at")?,
            org: row.get("org")?,
            person: row.get("person")?,
            actor: row.get("actor")?,
            via: row.get("via")?,
            role: row.get("role")?,
            address: row.get("address")?,
            action: row.get("action")?,
            target: row.get("target")?,
            detail: row.get("detail")?,
            request: row.get("request")?,
        })
    }

    /// The hash of this entry as number `number` after the one with the hash `previous`.
    pub(super) fn hash(&self, number: i64, previous: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(format!("sandbox-audit:{VERSION}\n"));
        let mut field = |text: Option<&str>| match text {
            Some(text) => digest.update(format!("{}:{text}\n", text.len())),
            None => digest.update("-\n"),
        };
        field(Some(previous));
        field(Some(&number.to_string()));
        field(Some(&self.position.to_string()));
        field(Some(&self.at.to_string()));
        field(Some(&self.org));
        field(self.person.as_deref());
        field(Some(&self.actor));
        field(Some(&self.via));
        field(self.role.as_deref());
        field(self.address.as_deref());
        field(Some(&self.action));
        field(Some(&self.target));
        field(Some(&self.detail));
        field(self.request.as_deref());
        let mut hash = format!("{VERSION}:");
        for byte in digest.finalize() {
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }
}

/// The last entry of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: i64,
    pub(super) hash: String,
}

impl Head {
    /// The end of the chain of `org`, held until the transaction ends; a chain that is not there begins. Only for who
    /// holds the ledger.
    pub(super) async fn take(tx: &mut Tx, org: &str) -> Result<Self> {
        let row = tx
            .row(
                "INSERT INTO audit_chains (org, number, hash, anchor_number, anchor_hash) VALUES ($1, 0, '', 0, '') \
                 ON CONFLICT (org) DO UPDATE SET number = audit_chains.number RETURNING number, hash",
                values![org],
            )
            .await?
            .with_context(|| format!("the audit chain of {org} is missing"))?;
        Ok(Self {
            number: row.get("number")?,
            hash: row.get("hash")?,
        })
    }

    /// What ties an entry to this end; it is the end from now on.
    pub(super) fn link(&mut self, fields: &Fields) -> Link {
        let number = self.number + 1;
        let hash = fields.hash(number, &self.hash);
        let previous = std::mem::replace(&mut self.hash, hash.clone());
        self.number = number;
        Link { number, previous, hash }
    }

    /// Remembers the end.
    pub(super) async fn record(&self, tx: &mut Tx, org: &str) -> Result<()> {
        tx.execute(
            "UPDATE audit_chains SET number = $1, hash = $2 WHERE org = $3",
            values![self.number, &self.hash, org],
        )
        .await?;
        Ok(())
    }
}

/// Chains the entries that were written before there was a chain: in their order, a batch at a time, so that neither
/// memory nor a lock is held for long. Nothing to do is one look at an empty index.
pub(crate) async fn chain_earlier(db: &Db) -> Result<()> {
    let sql = format!("SELECT {FIELDS} FROM audit WHERE number IS NULL ORDER BY position LIMIT {BATCH}");
    loop {
        if db
            .row("SELECT position FROM audit WHERE number IS NULL LIMIT 1", values![])
            .await?
            .is_none()
        {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        tx.wait_long().await?;
        // Of two servers that start together the second waits here, and finds less to do.
        ledger::take(&mut tx, Ledger::Audit, 0).await?;
        let mut heads: BTreeMap<String, Head> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for row in tx.rows(sqlx::AssertSqlSafe(sql.clone()), values![]).await? {
            let fields = Fields::read(&row)?;
            let mut head = match heads.remove(&fields.org) {
                Some(head) => head,
                None => Head::take(&mut tx, &fields.org).await?,
            };
            let link = head.link(&fields);
            let actor_key = actor_key(&fields);
            tx.execute(
                "UPDATE audit SET number = $1, previous = $2, hash = $3, actor_key = $4 WHERE position = $5",
                values![link.number, &link.previous, &link.hash, &actor_key, fields.position],
            )
            .await?;
            let words = (
                fields.org.clone(),
                actor_key.clone(),
                fields.person.clone(),
                fields.action.clone(),
            );
            if known.insert(words) {
                remember_words(&mut tx, &fields, &actor_key).await?;
            }
            heads.insert(fields.org, head);
        }
        for (org, head) in heads {
            head.record(&mut tx, &org).await?;
        }
        tx.commit().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{OrgId, PersonId, Timestamp};
    use serde_json::json;

    fn entry() -> Entry {
        Entry {
            at: Timestamp::from_millis(1_790_000_200_000),
            org: OrgId::new("acme"),
            person: Some(PersonId::new("ann")),
            actor: "Ann".to_owned(),
            via: "login".to_owned(),
            role: Some("developer".to_owned()),
            address: None,
            action: "session.renamed".to_owned(),
            target: "s-1".to_owned(),
            detail: json!({ "name": "ü" }),
            request: Some("r-1".to_owned()),
        }
    }

    /// Whoever holds a copy of the entries can check them without this program: the hash never changes its meaning. This
    /// one was made by a few lines of Python after the description above.
    #[test]
    fn the_hash_of_version_1_stays_what_it_is() {
        assert_eq!(
            Fields::of(7, &entry()).hash(3, "1:00"),
            "1:8c73bf9d02d5144ef47faf4f7f6951d9779081477968de62f82452382c16d71a"
        );
    }

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let of = |entry: &Entry| Fields::of(7, entry).hash(3, "1:00");
        let change = |change: fn(&mut Entry)| {
            let mut other = entry();
            change(&mut other);
            other
        };
        let others = [
            change(|e| e.at = e.at.plus_seconds(1)),
            change(|e| e.org = OrgId::new("other")),
            change(|e| e.person = None),
            change(|e| e.person = Some(PersonId::new(""))),
            change(|e| e.actor = "Bob".to_owned()),
            change(|e| (e.actor, e.via) = ("Annl".to_owned(), "ogin".to_owned())),
            change(|e| e.via = "system".to_owned()),
            change(|e| e.role = None),
            change(|e| (e.role, e.address) = (None, Some("developer".to_owned()))),
            change(|e| e.action = "session.shared".to_owned()),
            change(|e| e.target = "s-2".to_owned()),
            change(|e| e.detail = json!({ "name": "u" })),
            change(|e| e.request = None),
        ];
        let mut hashes: Vec<String> = others.iter().map(of).collect();
        hashes.push(of(&entry()));
        hashes.push(Fields::of(8, &entry()).hash(3, "1:00"));
        hashes.push(Fields::of(7, &entry()).hash(4, "1:00"));
        hashes.push(Fields::of(7, &entry()).hash(3, "1:01"));
        let count = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
