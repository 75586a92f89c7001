//! What is remembered: people, logins, tokens, sessions, usage, events and the audit, in SQLite (embedded, the default)
//! or PostgreSQL.
//!
//! It deliberately does not know what anybody may do, what a phase may become or what a quota is: the engine decides
//! and says so in [`engine::ports::Store`], of which this is the one implementation. It keeps the promises that only a
//! database can keep: what belongs together is written together, what is counted stays true until it is used, and what
//! was acknowledged is there after a crash.
//!
//! Start at `port.rs`, the table of contents; each noun has its file, with its SQL. `db.rs` is the wall behind which
//! sqlx lives.

mod agents;
mod audit;
mod cursor;
mod db;
mod devices;
mod directory;
mod events;
mod filter;
mod identities;
mod invitations;
mod ledger;
mod letters;
mod logins;
mod members;
mod migrations;
mod options;
mod orgs;
mod passes;
mod people;
mod policies;
mod port;
mod quotas;
mod secrets;
mod sessions;
mod tokens;
mod usage;

pub use options::Options;

use anyhow::Result;
use db::Db;
use std::path::Path;

/// An open store, its schema up to date. Dropped, it closes its connections; what was acknowledged needs no closing.
#[derive(Debug)]
pub struct Sql {
    db: Db,
}

/// Opens the store: the database of `options`, or `sandbox.db` in `data_dir`, which is made where it is not there.
/// The schema is brought up to date first; one that is newer than this binary is refused with a sentence.
pub async fn open(options: &Options, data_dir: &Path) -> Result<Sql> {
    let db = Db::open(options, data_dir).await?;
    migrations::run(&db).await?;
    audit::chain::chain_earlier(&db).await?;
    Ok(Sql { db })
}

/// Brings the schema up to date and does nothing else; what it found and did, as a sentence.
pub async fn migrate(options: &Options, data_dir: &Path) -> Result<String> {
    let db = Db::open(options, data_dir).await?;
    let version = migrations::run(&db).await?;
    audit::chain::chain_earlier(&db).await?;
    let (name, _) = db.version();
    db.close().await;
    Ok(format!(
        "The schema of the {name} database is at version {version}, the newest that this binary knows."
    ))
}

impl Sql {
    /// Closes every connection, in order: for the end of the process.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
