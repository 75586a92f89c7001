//! REST, under `/api/v1`: one file a noun, each with its requests, its answers and its routes. Handlers parse, call one
//! verb of the engine, and present; the document is generated from them.

pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod devices;
pub(crate) mod directory;
pub(crate) mod extract;
mod fleet;
pub(crate) mod gate;
pub(crate) mod idempotency;
pub(crate) mod invitations;
pub(crate) mod logins;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod openapi;
pub(crate) mod orgs;
pub(crate) mod passes;
pub(crate) mod policy;
pub(crate) mod problem;
pub(crate) mod quota;
mod recordings;
pub(crate) mod requests;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod terminals;
pub(crate) mod tokens;
pub(crate) mod usage;
pub(crate) mod ways;

use crate::{doors::Doors, limits::Rate};
use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Caller, PersonId};
use http::StatusCode;
use problem::Refused;
use std::time::Instant;
use utoipa_axum::router::OpenApiRouter;

/// Every route of the API but the streams.
pub(crate) fn router() -> Router<Doors> {
    let (router, _) = routes().split_for_parts();
    // Published: an address that ends before the id says so.
    let no_id = || async { Refused::invalid("missing-id", "Say which session: /api/v1/sandbox/sessions/{id}.") };
    router
        .route("/api/v1/sandbox/sessions/", axum::routing::get(no_id).delete(no_id))
        .route("/api", axum::routing::any(problem::no_such_route))
        .route("/api/{*path}", axum::routing::any(problem::no_such_route))
}

pub(crate) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .merge(sessions::routes())
        .merge(recordings::routes())
        .merge(terminals::routes())
        .merge(agents::routes())
        .merge(quota::routes())
        .merge(secrets::routes())
        .merge(usage::routes())
        .merge(tokens::routes())
        .merge(devices::routes())
        .merge(logins::routes())
        .merge(me::routes())
        .merge(ways::routes())
        .merge(orgs::routes())
        .merge(policy::routes())
        .merge(fleet::routes())
        .merge(members::routes())
        .merge(passes::routes())
        .merge(invitations::routes())
        .merge(directory::routes())
        .merge(requests::routes())
        .merge(audit::routes())
}

/// Gives a request up after the configured time: what hangs is answered, not held.
pub(crate) async fn timeout(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(doors.request_timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "This took too long. It may still come about: look, then try again.";
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "sandbox-backend-unavailable", detail).into_response()
        }
    }
}

/// Refuses what is expensive when it is asked for too often.
pub(crate) fn spend(doors: &Doors, person: &PersonId) -> Result<(), Refused> {
    take(doors.expensive(), person)
}

/// Refuses a server function when functions are called too often: most are cheap, and nothing tells which.
pub(crate) fn call(doors: &Doors, person: &PersonId) -> Result<(), Refused> {
    take(doors.calls(), person)
}

fn take(rate: &Rate, person: &PersonId) -> Result<(), Refused> {
    rate.take(person.as_str(), Instant::now()).map_err(|wait| {
        let detail = format!("You ask for this too often. Try again in {} s.", wait.as_secs() + 1);
        Refused::too_many("too-many-requests", detail)
    })
}

/// The key under which an answer is kept for who asks again.
pub(crate) fn again(caller: &Caller, what: &str, key: &str) -> String {
    format!("{}\n{}\n{what}\n{key}", caller.org, caller.person)
}
