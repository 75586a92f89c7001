//! By whom a person is known: the identities with which they sign in. Linking one needs a browser, and has a page.

use super::{
    extract::{Me, Path},
    openapi::Problem,
    problem::Answer,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::way::{Way, Ways};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(unlink))
}

/// An identity at a provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WayItem {
    id: String,
    /// What the provider is called.
    provider: String,
    /// The address that the provider last said.
    address: Option<String>,
    /// RFC 3339, as are the other times.
    since: String,
    /// When the provider last proved them; absent: never, or it has disowned them since.
    proven_at: Option<String>,
    /// Whether the login that asks came by it.
    current: bool,
    /// Why it cannot be unlinked; absent: it can.
    stays: Option<String>,
}

impl From<Way> for WayItem {
    fn from(way: Way) -> Self {
        let Way {
            id,
            label,
            address,
            since,
            proven_at,
            current,
            stays,
        } = way;
        Self {
            id,
            provider: label,
            address,
            since: since.rfc3339(),
            proven_at: proven_at.map(|at| at.rfc3339()),
            current,
            stays,
        }
    }
}

/// The caller's ways to sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WayList {
    /// Whether the login that asks came by a one-time link or an invitation.
    by_link: bool,
    ways: Vec<WayItem>,
}

/// Lists the identities with which the caller signs in.
#[utoipa::path(
    get, path = "/api/v1/me/ways", tag = "tokens", operation_id = "list_ways",
    responses((status = 200, body = WayList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("manage-logins"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<WayList>> {
    let Ways { by_link, ways, .. } = doors.engine().ways(&caller).await?;
    Ok(Body(WayList {
        by_link,
        ways: ways.into_iter().map(WayItem::from).collect(),
    }))
}

/// Unlinks an identity: logins that came by it end. The last way stays, and so does the one behind a seat that nothing
/// else stands behind. Needs a browser's login that may do all that its person may.
#[utoipa::path(
    delete, path = "/api/v1/me/ways/{id}", tag = "tokens", operation_id = "unlink_way",
    params(("id" = String, Path, description = "The identity's id in the list.")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-logins"))),
)]
async fn unlink(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<StatusCode> {
    doors.engine().unlink(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
