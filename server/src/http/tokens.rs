//! Personal access tokens. The secret is in the one answer that makes it, and nowhere else.

use super::{
    extract::{IdempotencyKey, Json, Me, Path},
    idempotency::Before,
    openapi::Problem,
    problem::{Answer, Refused},
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    Caller,
    id::TokenId,
    token::{Mint, Minted, Token},
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
        .routes(routes!(mint_published))
        .routes(routes!(mint_at_the_root))
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TokenItem {
    id: String,
    name: String,
    capabilities: Vec<String>,
    /// RFC 3339, as are the other times.
    created_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl From<Token> for TokenItem {
    fn from(token: Token) -> Self {
        let Token {
            id,
            name,
            capabilities,
            created_at,
            expires_at,
            used_at,
            revoked_at,
        } = token;
        Self {
            id: id.as_str().to_owned(),
            name,
            capabilities,
            created_at: created_at.rfc3339(),
            expires_at: expires_at.rfc3339(),
            used_at: used_at.map(domain::Timestamp::rfc3339),
            revoked_at: revoked_at.map(domain::Timestamp::rfc3339),
        }
    }
}

/// The caller's tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenList {
    tokens: Vec<TokenItem>,
}

impl From<Vec<Token>> for TokenList {
    fn from(tokens: Vec<Token>) -> Self {
        Self {
            tokens: tokens.into_iter().map(TokenItem::from).collect(),
        }
    }
}

/// Lists the caller's tokens, newest first; revoked and expired ones too.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens", operation_id = "list_tokens",
    responses((status = 200, body = TokenList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("manage-tokens"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<TokenList>> {
    Ok(Body(doors.engine().tokens(&caller).await?.into()))
}

/// What is asked for when a token is made (published).
#[derive(Deserialize, ToSchema)]
struct MintRequest {
    #[serde(default)]
    #[schema(required)]
    name: String,
    /// Hours until it ends: 7 days without a word, 90 days at most.
    #[serde(default)]
    ttl_hours: Option<i64>,
    /// What it may do; nothing said is all that the caller may. Nobody gives more than they hold.
    #[serde(default)]
    capabilities: Option<Vec<String>>,
}

/// A new token: the only time its secret is shown.
#[derive(Serialize, ToSchema)]
struct MintedAnswer {
    /// The secret.
    token: String,
    /// Its id, for revoking it.
    jti: String,
    /// RFC 3339.
    expires_at: String,
    /// `pat`.
    typ: &'static str,
    name: String,
    capabilities: Vec<String>,
}

impl From<Minted> for MintedAnswer {
    fn from(Minted { secret, token }: Minted) -> Self {
        Self {
            token: secret,
            jti: token.id.as_str().to_owned(),
            expires_at: token.expires_at.rfc3339(),
            typ: "pat",
            name: token.name,
            capabilities: token.capabilities,
        }
    }
}

/// Makes a token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", operation_id = "mint_token", request_body = MintRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key makes one token; its answer can be had again for ten minutes.")),
    responses(
        (status = 201, body = MintedAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-tokens"))),
)]
async fn mint(
    State(doors): State<Doors>,
    Me(caller): Me,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<MintRequest>,
) -> Answer<(StatusCode, Body<Value>)> {
    Ok((StatusCode::CREATED, Body(minted(&doors, &caller, key, request).await?)))
}

/// Makes a token, as published. A token is always for this installation: an `audience` is passed over.
#[utoipa::path(
    post, path = "/api/v1/auth/pat", tag = "tokens", operation_id = "mint_pat", request_body = MintRequest,
    responses(
        (status = 200, body = MintedAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-tokens"))),
)]
async fn mint_published(
    State(doors): State<Doors>,
    Me(caller): Me,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<MintRequest>,
) -> Answer<Body<Value>> {
    Ok(Body(minted(&doors, &caller, key, request).await?))
}

/// Makes a token, at the address that existing clients know.
#[utoipa::path(
    post, path = "/auth/pat", tag = "tokens", operation_id = "mint_pat_at_the_root", request_body = MintRequest,
    responses(
        (status = 200, body = MintedAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-tokens"))),
)]
async fn mint_at_the_root(
    doors: State<Doors>,
    me: Me,
    key: IdempotencyKey,
    request: Json<MintRequest>,
) -> Answer<Body<Value>> {
    mint_published(doors, me, key, request).await
}

async fn minted(doors: &Doors, caller: &Caller, key: Option<String>, request: MintRequest) -> Result<Value, Refused> {
    spend(doors, &caller.person)?;
    let MintRequest {
        name,
        ttl_hours,
        capabilities,
    } = request;
    // An empty list is a list: who asks for nothing does not get everything.
    if capabilities.as_ref().is_some_and(Vec::is_empty) {
        let detail = "Name at least one capability, or leave the field out for all that you hold.";
        return Err(Refused::invalid("invalid-capability", detail).at("capabilities"));
    }
    let key = key.map(|key| super::again(caller, "tokens", &key));
    let pending = match doors.again().begin(key)? {
        Before::Answered(answer) => return Ok(answer),
        Before::Never(pending) => pending,
    };
    let mint = Mint {
        name,
        ttl_hours,
        capabilities: capabilities.unwrap_or_default(),
    };
    let minted = doors.engine().mint_token(caller, mint).await?;
    let answer = serde_json::to_value(MintedAnswer::from(minted)).unwrap_or_default();
    pending.done(&answer);
    Ok(answer)
}

/// Revokes a token at once.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens", operation_id = "revoke_token",
    params(("id" = String, Path, description = "The token's id (`jti`).")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-tokens"))),
)]
async fn revoke(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<StatusCode> {
    doors.engine().revoke_token(&caller, &TokenId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
