//! The schema: forward only, one text for both databases.

use crate::{
    db::{Db, Tx},
    members, orgs,
};
use anyhow::{Context as _, Result, bail};
use sqlx::{
    AssertSqlSafe, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// Every step there ever was, in order. A step that was released is never changed: add the next.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../migrations/0001_first.sql")),
    (2, "organizations", include_str!("../migrations/0002_organizations.sql")),
    (3, "audit", include_str!("../migrations/0003_audit.sql")),
    (4, "secrets", include_str!("../migrations/0004_secrets.sql")),
    (5, "devices", include_str!("../migrations/0005_devices.sql")),
    (6, "identity", include_str!("../migrations/0006_identity.sql")),
    (7, "directory", include_str!("../migrations/0007_directory.sql")),
    (8, "passes", include_str!("../migrations/0008_passes.sql")),
    (9, "rules", include_str!("../migrations/0009_rules.sql")),
    (10, "ways", include_str!("../migrations/0010_ways.sql")),
    (11, "recordings", include_str!("../migrations/0011_recordings.sql")),
    (12, "directories", include_str!("../migrations/0012_directories.sql")),
];

/// One server at a time changes the schema. A change may take longer than any question may, and whoever starts
/// meanwhile waits for it.
const ALONE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10min'; \
    SELECT pg_advisory_xact_lock(7163425002)";

/// Takes the schema to this binary's version, whoever else starts at the same time; that version. A schema that is
/// newer than the binary is refused: an older binary would read it wrongly.
pub(crate) async fn run(db: &Db) -> Result<i64> {
    let mut migrator = Migrator::with_migrations(steps(db));
    // One transaction holds all steps and keeps others out, on both databases; sqlx's own lock is PostgreSQL's alone,
    // and stays with the connection when a step fails.
    migrator.set_locking(false);
    let mut tx = db.begin().await?;
    let ran = match &mut tx {
        Tx::Sqlite(tx) => migrator.run_direct(None, &mut **tx, false).await,
        Tx::Postgres(inner) => {
            sqlx::raw_sql(ALONE).execute(&mut **inner).await?;
            migrator.run_direct(None, &mut **inner, false).await
        }
    };
    let newest = STEPS[STEPS.len() - 1].0;
    match ran {
        Ok(()) => {
            // Only here are letters beyond ASCII made lower case alike for both databases, as they are for new rows.
            orgs::fill_words(&mut tx).await?;
            members::fill_words(&mut tx).await?;
            tx.commit().await.map(|()| newest)
        }
        Err(MigrateError::VersionMissing(found)) => bail!(
            "The database was made by a newer version of sandbox (its schema is {found}, this binary knows {newest}). \
             Start that version, or restore a backup from before it."
        ),
        Err(MigrateError::VersionMismatch(step)) => bail!(
            "Step {step} of the database's schema is not the one that this binary knows: the database was made by a \
             version of sandbox that was never released. Start that version, or begin with an empty database."
        ),
        Err(error) => Err(error).context("The database's schema could not be brought up to date"),
    }
}

fn steps(db: &Db) -> Vec<Migration> {
    STEPS
        .iter()
        .map(|&(version, name, sql)| {
            let sql = match db {
                // SQLite compares bytes unless told otherwise, and knows no collation of this name.
                Db::Sqlite { .. } => AssertSqlSafe(sql.replace(" COLLATE \"C\"", "")).into_sql_str(),
                Db::Postgres(_) => sql.into_sql_str(),
            };
            Migration::new(version, name.into(), MigrationType::Simple, sql, false)
        })
        .collect()
}
