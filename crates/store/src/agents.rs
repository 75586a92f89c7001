//! Which agents are switched off, and where.

use crate::{
    db::{Db, values},
    ledger,
};
use anyhow::Result;
use domain::OrgId;
use engine::ports::Record;

/// The Organization that stands for the whole installation; no slug is empty.
const FLEET: &str = "";

pub(crate) async fn switched_off(db: &Db, org: &OrgId) -> Result<Vec<(Option<OrgId>, String)>> {
    let rows = db
        .rows(
            "SELECT org, agent FROM switched_off WHERE org IN ($1, $2) ORDER BY org, agent LIMIT 2000",
            values![org, FLEET],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let org: String = row.get("org")?;
            Ok(((org != FLEET).then(|| OrgId::new(org)), row.get("agent")?))
        })
        .collect()
}

pub(crate) async fn record_switch(
    db: &Db,
    org: Option<&OrgId>,
    agent: &str,
    enabled: bool,
    record: &Record,
) -> Result<()> {
    let org = org.map_or(FLEET, OrgId::as_str);
    let mut tx = db.begin().await?;
    let sql = if enabled {
        "DELETE FROM switched_off WHERE org = $1 AND agent = $2"
    } else {
        "INSERT INTO switched_off (org, agent) VALUES ($1, $2) ON CONFLICT (org, agent) DO NOTHING"
    };
    tx.execute(sql, values![org, agent]).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await
}
