//! Who the caller is.

use super::{extract::Me, openapi::Problem};
use crate::doors::Doors;
use axum::Json as Body;
use domain::caller::Proof;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The one who asks.
#[derive(Serialize, ToSchema)]
struct MeAnswer {
    id: String,
    email: String,
    name: String,
    /// The Organization's slug.
    org: String,
    /// `developer`, `org-admin` or `super-admin`.
    role: &'static str,
    /// `login` or `token`.
    via: &'static str,
    /// What may be done, by role and by what the token used may.
    capabilities: Vec<String>,
}

/// Says who the caller is.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "tokens", operation_id = "me",
    responses((status = 200, body = MeAnswer), (status = 401, body = Problem)),
    extensions(("x-permit" = json!("signed-in"))),
)]
async fn show(Me(caller): Me) -> Body<MeAnswer> {
    Body(MeAnswer {
        capabilities: caller.capabilities(),
        id: caller.person.as_str().to_owned(),
        org: caller.org.as_str().to_owned(),
        role: caller.role.as_str(),
        via: match caller.proof {
            Proof::Login(_) => "login",
            Proof::Token { .. } => "token",
        },
        email: caller.email,
        name: caller.name,
    })
}
