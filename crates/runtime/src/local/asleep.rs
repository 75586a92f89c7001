//! What a session without a host goes on using: its bytes on the disk.
//!
//! A host that ends says in its ledger how many they are, and from then on they are counted by time alone. A host that was
//! killed says nothing: then the folders are measured once, in the background, and counted from that moment on.

use super::layout::Folder;
use anyhow::{Context, Result};
use domain::host::UsageFact;
use host::disk::{self, WALK};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// Counts the storage of sessions without a host.
pub(super) struct Sleepers {
    /// One folder is measured at a time, so that many sessions that were lost at once do not fill the disk's queue.
    walks: Arc<Semaphore>,
}

impl Default for Sleepers {
    fn default() -> Self {
        Self {
            walks: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Sleepers {
    /// The facts after `after`, with what the session has used in its sleep until now.
    pub(super) async fn usage(&self, folder: Folder, after: u64) -> Result<Vec<UsageFact>> {
        let asked = folder.clone();
        let taken = tokio::task::spawn_blocking(move || {
            let Some(mut ledger) = asked.ledger()? else {
                return anyhow::Ok(None);
            };
            ledger.count_sleep(now()).context("cannot write the usage facts")?;
            let facts = ledger.take(after).context("cannot read the usage facts")?;
            Ok(Some((facts, ledger.is_asleep())))
        });
        let Some((facts, is_counted)) = taken.await?? else {
            return Ok(Vec::new());
        };
        if !is_counted {
            tokio::spawn(measure(folder, self.walks.clone()));
        }
        Ok(facts)
    }
}

/// Measures a session and notes what it holds, unless that is known by then or a host has come.
async fn measure(folder: Folder, walks: Arc<Semaphore>) {
    let Ok(_place) = walks.acquire().await else { return };
    let asked = folder.clone();
    let is_counted = move || {
        asked
            .ledger()
            .map(|ledger| ledger.is_none_or(|ledger| ledger.is_asleep()))
    };
    if !matches!(tokio::task::spawn_blocking(is_counted).await, Ok(Ok(false))) {
        return;
    }
    let since = now();
    let Some(held) = disk::measure_gently(vec![folder.workspace(), folder.home()], WALK).await else {
        return;
    };
    let noted = tokio::task::spawn_blocking(move || match folder.ledger()? {
        Some(mut ledger) if !ledger.is_asleep() => Ok(ledger.sleep(held.bytes, since)?),
        _ => anyhow::Ok(()),
    });
    // Another look is taken when usage is asked for the next time.
    if let Ok(Err(error)) = noted.await {
        tracing::debug!(
            error = format!("{error:#}"),
            "what a sleeping session holds was not noted"
        );
    }
}

/// Milliseconds since the Unix epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
