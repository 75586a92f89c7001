//! What can be said about the store when the server starts.

use std::{fmt, time::Duration};

/// Where things are remembered.
#[derive(Clone, clap::Args)]
// Rooms are flattened into one command line, where every group has a name of its own.
#[group(id = "store")]
pub struct Options {
    /// The database: `sqlite:///path/to/file` or `postgres://user:password@host/database`. Without it, the file
    /// `sandbox.db` in the data directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// The most connections to PostgreSQL that are open at once.
    #[arg(long, env = "SANDBOX_DATABASE_CONNECTIONS", default_value_t = 10, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=500))]
    pub database_connections: u32,
    /// How long to wait for a database that something else holds locked, in seconds.
    #[arg(long, env = "SANDBOX_DATABASE_WAIT", default_value_t = 5, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=300))]
    pub database_wait: u32,
}

impl Options {
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.database_wait.into())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            database_url: None,
            database_connections: 10,
            database_wait: 5,
        }
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("database_url", &self.database_url.as_ref().map(|_| "****"))
            .field("database_connections", &self.database_connections)
            .field("database_wait", &self.database_wait)
            .finish()
    }
}
