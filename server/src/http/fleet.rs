//! The installation itself, for those who run it.

use super::{extract::Me, openapi::Problem, problem::Answer};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::health::Fact;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(health))
}

/// How the installation is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Whether every fact is well.
    well: bool,
    facts: Vec<FactItem>,
}

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
struct FactItem {
    name: String,
    said: String,
    well: bool,
}

impl From<Fact> for FactItem {
    fn from(Fact { name, said, well }: Fact) -> Self {
        Self { name, said, well }
    }
}

/// How the installation is: its database, hosts, outbox, receivers of the audit, identity providers and machine. For a
/// probe without a token there are `/healthz` and `/readyz`.
#[utoipa::path(
    get, path = "/api/v1/fleet/health", tag = "organizations", operation_id = "fleet_health",
    responses((status = 200, body = Health), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn health(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<Health>> {
    let facts = doors.engine().health(&caller).await?;
    Ok(Body(Health {
        well: facts.iter().all(|fact| fact.well),
        facts: facts.into_iter().map(FactItem::from).collect(),
    }))
}
