//! Who the caller is.

use super::{
    extract::{Json, Me},
    openapi::Problem,
    problem::Answer,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{OrgId, caller::Proof};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(organizations))
        .routes(routes!(switch))
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
            Proof::Login { .. } => "login",
            Proof::Token { .. } => "token",
        },
        email: caller.email,
        name: caller.name,
    })
}

/// The Organizations that one is in.
#[derive(Serialize, ToSchema)]
struct OrganizationsAnswer {
    organizations: Vec<MyOrganization>,
}

/// One of them.
#[derive(Serialize, ToSchema)]
struct MyOrganization {
    /// Its slug.
    id: String,
    display_name: String,
    /// One's role there.
    role: &'static str,
    /// `active` or `suspended`.
    state: &'static str,
    /// Whether it is the one that this login or token asks in the name of.
    current: bool,
}

/// Lists the Organizations that one is in.
#[utoipa::path(
    get, path = "/api/v1/me/organizations", tag = "tokens", operation_id = "my_organizations",
    responses((status = 200, body = OrganizationsAnswer), (status = 401, body = Problem)),
    extensions(("x-permit" = json!("signed-in"))),
)]
async fn organizations(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<OrganizationsAnswer>> {
    let all = doors.engine().memberships(&caller).await?;
    let organizations = all
        .into_iter()
        .map(|(org, role)| MyOrganization {
            current: org.id == caller.org,
            id: org.id.as_str().to_owned(),
            display_name: org.display_name,
            role: role.as_str(),
            state: org.state.as_str(),
        })
        .collect();
    Ok(Body(OrganizationsAnswer { organizations }))
}

/// Which Organization to ask in the name of.
#[derive(Deserialize, ToSchema)]
struct SwitchAsk {
    /// Its slug.
    org: String,
}

/// Lets this browser ask in the name of another of one's Organizations. A token belongs to one.
#[utoipa::path(
    put, path = "/api/v1/me/organization", tag = "tokens", operation_id = "switch_organization",
    request_body = SwitchAsk,
    responses(
        (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("signed-in"))),
)]
async fn switch(State(doors): State<Doors>, Me(caller): Me, Json(ask): Json<SwitchAsk>) -> Answer<StatusCode> {
    doors.engine().switch(&caller, &OrgId::new(ask.org)).await?;
    Ok(StatusCode::NO_CONTENT)
}
