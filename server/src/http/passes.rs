//! What lets the members of an Organization in: their tokens, and the browsers that are signed in.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use super::{
    extract::{Json, Me, Path, Query},
    openapi::Problem,
    orgs::maybe_word,
    problem::Answer,
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId, Timestamp,
    many::Outcome,
    pass::{Kind, ListPasses, Pass},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(revoke))
}

/// A token or a browser of a member, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PassItem {
    id: String,
    /// `token` or `browser`.
    kind: &'static str,
    /// What the token is called, or what the browser said it is.
    label: String,
    /// Where the browser signed in from.
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    /// Whose it is: id, name and address.
    person: String,
    name: String,
    email: String,
    /// RFC 3339, as are the other times.
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl From<Pass> for PassItem {
    fn from(pass: Pass) -> Self {
        Self {
            id: pass.id,
            kind: pass.kind.as_str(),
            label: pass.label,
            address: pass.address,
            person: pass.person.as_str().to_owned(),
            name: pass.name,
            email: pass.email,
            created_at: pass.created_at.rfc3339(),
            used_at: pass.used_at.map(Timestamp::rfc3339),
            expires_at: pass.expires_at.rfc3339(),
            revoked_at: pass.revoked_at.map(Timestamp::rfc3339),
        }
    }
}

/// A page of them.
#[derive(Serialize, ToSchema)]
struct PassList {
    tokens: Vec<PassItem>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    total: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `token` (without a word) or `browser`.
    kind: Option<String>,
    /// Words to find in the holder's name and address.
    #[serde(default)]
    search: String,
    /// `true`: also tokens that were revoked or have expired.
    #[serde(default)]
    over: bool,
    /// From the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 without a word.
    #[serde(default)]
    limit: u32,
}

/// Lists the tokens of an Organization's members, or the browsers they are signed in with, newest first.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/tokens", tag = "organizations", operation_id = "list_org_tokens",
    params(("org" = String, Path, description = "The Organization's slug."), ListQuery),
    responses(
        (status = 200, body = PassList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-members"))),
)]
async fn list(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<Body<PassList>> {
    let ask = ListPasses {
        kind: kind(query.kind.as_deref())?,
        search: query.search,
        over: query.over,
        cursor: query.cursor,
        limit: query.limit,
    };
    let page = doors.engine().passes(&caller, &OrgId::new(org), &ask).await?;
    Ok(Body(PassList {
        tokens: page.items.into_iter().map(PassItem::from).collect(),
        next: page.next,
        total: page.total,
    }))
}

/// Which to take away.
#[derive(Deserialize, ToSchema)]
struct RevokeRequest {
    /// `token` (without a word) or `browser`.
    kind: Option<String>,
    /// 1 to 200 ids.
    ids: Vec<String>,
}

/// What became of one of many.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutcomeItem {
    id: String,
    name: String,
    done: bool,
    /// The code of the refusal, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The role and the status before, where they were changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_before: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_before: Option<&'static str>,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
pub(super) struct OutcomeList {
    outcomes: Vec<OutcomeItem>,
}

impl From<Vec<Outcome>> for OutcomeList {
    fn from(outcomes: Vec<Outcome>) -> Self {
        let item = |outcome: Outcome| {
            let (error, detail) = outcome.refused.map(|problem| (problem.code, problem.detail)).unzip();
            OutcomeItem {
                id: outcome.id,
                name: outcome.name,
                done: error.is_none(),
                error,
                detail,
                role_before: outcome.was.map(|was| was.role.as_str()),
                status_before: outcome.was.map(|was| was.status.as_str()),
            }
        };
        Self {
            outcomes: outcomes.into_iter().map(item).collect(),
        }
    }
}

/// Revokes tokens, or signs browsers out, at once. Each by itself: what is refused for one is done for the others.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/tokens/revoke", tag = "organizations", operation_id = "revoke_org_tokens",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = RevokeRequest,
    responses(
        (status = 200, body = OutcomeList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn revoke(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(request): Json<RevokeRequest>,
) -> Answer<Body<OutcomeList>> {
    spend(&doors, &caller.person)?;
    let kind = kind(request.kind.as_deref())?;
    let org = OrgId::new(org);
    let outcomes = doors.engine().revoke_passes(&caller, &org, kind, request.ids).await?;
    Ok(Body(outcomes.into()))
}

fn kind(text: Option<&str>) -> Result<Kind, super::problem::Refused> {
    Ok(maybe_word("kind", text, Kind::from_name)?.unwrap_or_default())
}
