//! The browsers that a person is signed in with.

use super::{
    extract::{Me, Path},
    openapi::Problem,
    problem::Answer,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{id::LoginId, login::Login};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(end))
}

/// A browser that is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoginItem {
    id: String,
    /// What the browser said it is.
    user_agent: String,
    /// The address it came from.
    address: String,
    /// RFC 3339, as are the other times.
    created_at: String,
    seen_at: String,
    expires_at: String,
    /// Whether it is the one that asks.
    current: bool,
    /// The capabilities that its identity provider holds it to; absent: it may do all that its person may.
    narrowed: Option<Vec<String>>,
}

impl From<Login> for LoginItem {
    fn from(login: Login) -> Self {
        let Login {
            id,
            user_agent,
            address,
            created_at,
            seen_at,
            expires_at,
            current,
            narrowed,
        } = login;
        Self {
            id: id.as_str().to_owned(),
            user_agent,
            address,
            created_at: created_at.rfc3339(),
            seen_at: seen_at.rfc3339(),
            expires_at: expires_at.rfc3339(),
            current,
            narrowed,
        }
    }
}

/// The caller's browsers.
#[derive(Serialize, ToSchema)]
struct LoginList {
    logins: Vec<LoginItem>,
}

/// Lists the browsers that the caller is signed in with.
#[utoipa::path(
    get, path = "/api/v1/logins", tag = "tokens", operation_id = "list_logins",
    responses((status = 200, body = LoginList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("manage-logins"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<LoginList>> {
    let logins = doors.engine().logins(&caller).await?;
    Ok(Body(LoginList {
        logins: logins.into_iter().map(LoginItem::from).collect(),
    }))
}

/// Signs a browser out.
#[utoipa::path(
    delete, path = "/api/v1/logins/{id}", tag = "tokens", operation_id = "end_login",
    params(("id" = String, Path, description = "The login's id.")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-logins"))),
)]
async fn end(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<StatusCode> {
    doors.engine().end_login(&caller, &LoginId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
