//! The tokens of an Organization's directory. A secret is in the one answer that makes it, and nowhere else. What the
//! directory does with one is `scim.rs`.

use super::{
    extract::{IdempotencyKey, Json, Me, Path},
    idempotency::Before,
    openapi::Problem,
    problem::Answer,
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId, Timestamp,
    directory::{DirectoryToken, MintedDirectory},
    id::TokenId,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list, mint))
        .routes(routes!(revoke))
        .routes(routes!(take_over))
}

/// A token of the directory, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DirectoryTokenItem {
    id: String,
    name: String,
    /// As whom the directory acts: seats above it are not its to change.
    rank: &'static str,
    /// Whoever made it, or took it over last: their address, or "the installation" where they sit above the Organization.
    made_by: String,
    /// Whether it is held to that person, and rests when they no longer govern; not where it is not known who they are.
    held: bool,
    /// RFC 3339, as are the other times.
    created_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    /// Since when it opens nothing because its maker no longer governs; without it, it does not rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    rests_since: Option<String>,
}

impl From<DirectoryToken> for DirectoryTokenItem {
    fn from(token: DirectoryToken) -> Self {
        let DirectoryToken {
            id,
            name,
            rank,
            made_by,
            held,
            created_at,
            expires_at,
            used_at,
            revoked_at,
            rests_since,
        } = token;
        Self {
            id: id.as_str().to_owned(),
            name,
            rank: rank.as_str(),
            made_by,
            held,
            created_at: created_at.rfc3339(),
            expires_at: expires_at.rfc3339(),
            used_at: used_at.map(Timestamp::rfc3339),
            revoked_at: revoked_at.map(Timestamp::rfc3339),
            rests_since: rests_since.map(Timestamp::rfc3339),
        }
    }
}

/// The tokens of a directory.
#[derive(Serialize, ToSchema)]
struct DirectoryTokenList {
    tokens: Vec<DirectoryTokenItem>,
}

/// Lists the tokens of the Organization's directory, newest first; revoked and expired ones too.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/directory/tokens", tag = "directory", operation_id = "list_directory_tokens",
    params(("org" = String, Path, description = "The Organization's slug.")),
    responses(
        (status = 200, body = DirectoryTokenList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-directory"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me, Path(org): Path<String>) -> Answer<Body<DirectoryTokenList>> {
    let tokens = doors.engine().directory_tokens(&caller, &OrgId::new(org)).await?;
    Ok(Body(DirectoryTokenList {
        tokens: tokens.into_iter().map(DirectoryTokenItem::from).collect(),
    }))
}

/// What is asked for when a token of the directory is made.
#[derive(Deserialize, ToSchema)]
struct DirectoryMintRequest {
    #[serde(default)]
    #[schema(required)]
    name: String,
    /// Days until it ends: 365 without a word, 730 at most.
    #[serde(default)]
    days: Option<i64>,
}

/// A new token of the directory: the only time its secret is shown.
#[derive(Serialize, ToSchema)]
struct DirectoryMinted {
    /// The secret: what the directory sends as `Authorization: Bearer`.
    secret: String,
    token: DirectoryTokenItem,
}

/// Makes a token of the Organization's directory, for SCIM and for nothing else.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/directory/tokens", tag = "directory", operation_id = "mint_directory_token",
    request_body = DirectoryMintRequest,
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key makes one token; its answer can be had again for ten minutes."),
    ),
    responses(
        (status = 201, body = DirectoryMinted), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-directory"))),
)]
async fn mint(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<DirectoryMintRequest>,
) -> Answer<(StatusCode, Body<Value>)> {
    spend(&doors, &caller.person)?;
    let key = key.map(|key| super::again(&caller, &format!("directory/{org}"), &key));
    let pending = match doors.again().begin(key)? {
        Before::Answered(answer) => return Ok((StatusCode::CREATED, Body(answer))),
        Before::Never(pending) => pending,
    };
    let DirectoryMintRequest { name, days } = request;
    let (engine, org) = (doors.engine(), OrgId::new(org));
    let MintedDirectory { secret, token } = engine.mint_directory_token(&caller, &org, &name, days).await?;
    let answer = serde_json::to_value(DirectoryMinted {
        secret,
        token: token.into(),
    });
    let answer = answer.unwrap_or_default();
    pending.done(&answer);
    Ok((StatusCode::CREATED, Body(answer)))
}

/// Revokes a token of the directory at once.
#[utoipa::path(
    delete, path = "/api/v1/orgs/{org}/directory/tokens/{token}", tag = "directory",
    operation_id = "revoke_directory_token",
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("token" = String, Path, description = "The token's id."),
    ),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-directory"))),
)]
async fn revoke(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, token)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let (org, token) = (OrgId::new(org), TokenId::new(token));
    doors.engine().revoke_directory_token(&caller, &org, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes over a token of the directory: it goes by the caller's word and rank in place of its maker's, and works again where
/// it rested. The secret stays the same.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/directory/tokens/{token}/take-over", tag = "directory",
    operation_id = "take_over_directory_token",
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("token" = String, Path, description = "The token's id."),
    ),
    responses(
        (status = 200, body = DirectoryTokenItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-directory"))),
)]
async fn take_over(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, token)): Path<(String, String)>,
) -> Answer<Body<DirectoryTokenItem>> {
    let (org, token) = (OrgId::new(org), TokenId::new(token));
    let token = doors.engine().take_over_directory_token(&caller, &org, &token).await?;
    Ok(Body(token.into()))
}
