//! PostgreSQL, by its address.

use super::{Db, trouble::told};
use anyhow::{Context as _, Result};
use sqlx::{
    AssertSqlSafe, Executor as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr as _, time::Duration};

/// Connects; `connections` is the most that are open at once.
pub(super) async fn open(url: &str, connections: u32, wait: Duration) -> Result<Db> {
    let options = PgConnectOptions::from_str(url)
        .context("The database's address cannot be read")?
        .application_name("sandbox");
    // Said after connecting rather than in the address: connection poolers refuse start-up options. The queries here
    // count on READ COMMITTED: each statement sees what was committed while it waited for a lock.
    let manners = format!(
        "SET lock_timeout = {wait}; SET statement_timeout = 60000; SET idle_in_transaction_session_timeout = 60000; \
         SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
        wait = wait.as_millis()
    );
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(wait + Duration::from_secs(10))
        .after_connect(move |connection, _| {
            let manners = manners.clone();
            Box::pin(async move { connection.execute(AssertSqlSafe(manners)).await.map(|_| ()) })
        })
        .connect_with(options)
        .await
        .map_err(told)
        .context("The PostgreSQL database cannot be reached")?;
    Ok(Db::Postgres(pool))
}
