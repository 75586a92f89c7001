//! Limits that an Organization sets, and the wishes of its members for more.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use super::{
    extract::{Json, Me, Path, Query},
    openapi::Problem,
    orgs::{maybe_word, word},
    passes::OutcomeList,
    problem::{Answer, Refused},
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId, Timestamp,
    id::RequestId,
    quota::{self, Ask, Dimension, Limit, Limited, Limits, ListLimits, Subject},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(mine, ask))
        .routes(routes!(withdraw))
        .routes(routes!(limits, set_limits))
        .routes(routes!(list))
        .routes(routes!(answer))
        .routes(routes!(answer_many))
}

/// A wish for more, and what came of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestItem {
    id: String,
    /// The member's id, name and address.
    person: String,
    name: String,
    email: String,
    /// `concurrent_sessions`, `sessions`, `cpu`, `memory`, `storage`, `lifetime` or `idle`.
    dimension: &'static str,
    /// A number, or `unlimited`: as asked for, then as granted.
    #[schema(value_type = Object)]
    wanted: Limit,
    /// For how many days; absent: for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    why: String,
    /// `waiting`, `granted`, `declined` or `withdrawn`.
    state: &'static str,
    /// RFC 3339, as are the other times.
    asked_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// When a grant ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

impl From<quota::Request> for RequestItem {
    fn from(request: quota::Request) -> Self {
        let quota::Request {
            id,
            org: _,
            person,
            name,
            email,
            dimension,
            wanted,
            days,
            why,
            state,
            asked_at,
            answered_at,
            answered_by,
            answer,
            ends_at,
        } = request;
        Self {
            id: id.as_str().to_owned(),
            person: person.as_str().to_owned(),
            name,
            email,
            dimension: dimension.as_str(),
            wanted,
            days,
            why,
            state: state.as_str(),
            asked_at: asked_at.rfc3339(),
            answered_at: answered_at.map(Timestamp::rfc3339),
            answered_by,
            answer,
            ends_at: ends_at.map(Timestamp::rfc3339),
        }
    }
}

/// Wishes, newest first.
#[derive(Serialize, ToSchema)]
struct RequestList {
    requests: Vec<RequestItem>,
}

impl From<Vec<quota::Request>> for RequestList {
    fn from(requests: Vec<quota::Request>) -> Self {
        Self {
            requests: requests.into_iter().map(RequestItem::from).collect(),
        }
    }
}

/// Lists the caller's own requests for more.
#[utoipa::path(
    get, path = "/api/v1/quota/requests", tag = "usage", operation_id = "my_quota_requests",
    responses((status = 200, body = RequestList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("see-quota"))),
)]
async fn mine(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<RequestList>> {
    Ok(Body(doors.engine().my_requests(&caller).await?.into()))
}

/// How much more, for how long, and why.
#[derive(Deserialize, ToSchema)]
struct AskRequest {
    /// `concurrent_sessions`, `sessions`, `cpu`, `memory`, `storage`, `lifetime` or `idle`.
    #[serde(default)]
    #[schema(required)]
    dimension: String,
    /// A number, or `unlimited`.
    #[schema(value_type = Object)]
    wanted: Option<Limit>,
    /// For how many days; absent: for good.
    days: Option<i64>,
    #[serde(default)]
    #[schema(required)]
    why: String,
}

/// Asks for more.
#[utoipa::path(
    post, path = "/api/v1/quota/requests", tag = "usage", operation_id = "ask_for_more", request_body = AskRequest,
    responses(
        (status = 201, body = RequestItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("ask-quota"))),
)]
async fn ask(
    State(doors): State<Doors>,
    Me(caller): Me,
    Json(request): Json<AskRequest>,
) -> Answer<(StatusCode, Body<RequestItem>)> {
    let AskRequest {
        dimension,
        wanted,
        days,
        why,
    } = request;
    let ask = Ask {
        dimension: word("dimension", &dimension, Dimension::from_name)?,
        wanted: wanted.ok_or_else(|| missing("wanted"))?,
        days,
        why,
    };
    let request = doors.engine().ask_for_more(&caller, ask).await?;
    Ok((StatusCode::CREATED, Body(request.into())))
}

/// Takes one of the caller's own requests back.
#[utoipa::path(
    delete, path = "/api/v1/quota/requests/{id}", tag = "usage", operation_id = "withdraw_quota_request",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It was answered already."),
    ),
    extensions(("x-permit" = json!("ask-quota"))),
)]
async fn withdraw(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<StatusCode> {
    doors.engine().withdraw_request(&caller, &RequestId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an Organization, a group or a person is limited to.
#[derive(Serialize, ToSchema)]
struct LimitsItem {
    /// `org`, `group` or `person`.
    kind: &'static str,
    /// The group's name, or the person's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    /// The person's name and address.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// By the limit's name: a number, or `unlimited`.
    #[schema(value_type = Object)]
    limits: Limits,
}

impl From<Limited> for LimitsItem {
    fn from(limited: Limited) -> Self {
        let (kind, subject) = limited.subject.parts();
        Self {
            kind,
            subject: subject.to_owned(),
            name: limited.name,
            email: limited.email,
            limits: limited.limits,
        }
    }
}

/// A page of the limits that an Organization has set.
#[derive(Serialize, ToSchema)]
struct LimitsList {
    limits: Vec<LimitsItem>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many groups and people match in all.
    total: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LimitsQuery {
    /// Words to find in a group's name, or in a person's name and address.
    #[serde(default)]
    search: String,
    /// From the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 without a word.
    #[serde(default)]
    limit: u32,
}

/// Lists the limits that an Organization has set beside its plan: for everybody (on the first page), for groups, for people.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/quotas", tag = "organizations", operation_id = "list_limits",
    params(("org" = String, Path, description = "The Organization's slug."), LimitsQuery),
    responses(
        (status = 200, body = LimitsList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-quotas"))),
)]
async fn limits(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Query(query): Query<LimitsQuery>,
) -> Answer<Body<LimitsList>> {
    let org = OrgId::new(org);
    let ask = ListLimits {
        search: query.search,
        cursor: query.cursor,
        limit: query.limit,
    };
    let (_, everybody) = doors.engine().limits(&caller, &org).await?;
    let page = doors.engine().limits_of_others(&caller, &org, &ask).await?;
    let first = ask.cursor.is_none() && ask.search.trim().is_empty() && !everybody.is_empty();
    let everybody = first.then_some(LimitsItem {
        kind: "org",
        subject: String::new(),
        name: None,
        email: None,
        limits: everybody,
    });
    Ok(Body(LimitsList {
        limits: everybody
            .into_iter()
            .chain(page.items.into_iter().map(LimitsItem::from))
            .collect(),
        next: page.next,
        total: page.total,
    }))
}

/// Whose limits, and which.
#[derive(Deserialize, ToSchema)]
struct LimitsRequest {
    /// `org`, `group` or `person`.
    #[serde(default)]
    #[schema(required)]
    kind: String,
    /// The group's name, or the person's id.
    #[serde(default)]
    subject: String,
    /// By the limit's name: a number, or `unlimited`. What is absent is left to the layer before; none takes all away.
    #[serde(default)]
    #[schema(value_type = Object)]
    limits: Limits,
}

/// Sets the limits of an Organization, a group or a person, whole. One below what is used now ends nothing.
#[utoipa::path(
    put, path = "/api/v1/orgs/{org}/quotas", tag = "organizations", operation_id = "set_limits",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = LimitsRequest,
    responses(
        (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-quotas"))),
)]
async fn set_limits(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(LimitsRequest { kind, subject, limits }): Json<LimitsRequest>,
) -> Answer<StatusCode> {
    let subject = Subject::from_parts(&kind, &subject)
        .ok_or_else(|| Refused::invalid("invalid-value", "A limit is of an org, a group or a person.").at("kind"))?;
    doors
        .engine()
        .set_limits(&caller, &OrgId::new(org), &subject, &limits)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RequestsQuery {
    /// `waiting`, `granted`, `declined` or `withdrawn`; without it all.
    state: Option<String>,
}

/// Lists an Organization's requests for more, newest first, at most 500.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/quota-requests", tag = "organizations", operation_id = "list_quota_requests",
    params(("org" = String, Path, description = "The Organization's slug."), RequestsQuery),
    responses(
        (status = 200, body = RequestList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-quotas"))),
)]
async fn list(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Query(RequestsQuery { state }): Query<RequestsQuery>,
) -> Answer<Body<RequestList>> {
    let state = maybe_word("state", state.as_deref(), quota::State::from_name)?;
    Ok(Body(
        doors.engine().requests(&caller, &OrgId::new(org), state).await?.into(),
    ))
}

/// Granted or declined.
#[derive(Deserialize, ToSchema)]
struct AnswerRequest {
    #[serde(default)]
    #[schema(required)]
    granted: bool,
    /// How much, where it is granted; without a word what was asked for.
    #[schema(value_type = Object)]
    limit: Option<Limit>,
    /// For how many days, where it is granted; absent: for good.
    days: Option<i64>,
    /// Why not, where it is declined.
    #[serde(default)]
    word: String,
}

/// Grants or declines a request for more.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/quota-requests/{request}/answer", tag = "organizations",
    operation_id = "answer_quota_request",
    params(("org" = String, Path, description = "The Organization's slug."), ("request" = String, Path, description = "Its id.")),
    request_body = AnswerRequest,
    responses(
        (status = 200, body = RequestItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It was answered already."),
    ),
    extensions(("x-permit" = json!("manage-quotas"))),
)]
async fn answer(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, id)): Path<(String, String)>,
    Json(request): Json<AnswerRequest>,
) -> Answer<Body<RequestItem>> {
    let AnswerRequest {
        granted,
        limit,
        days,
        word,
    } = request;
    let answer = if granted {
        quota::Answer::Grant { limit, days }
    } else {
        quota::Answer::Decline { word }
    };
    let (org, id) = (OrgId::new(org), RequestId::new(id));
    Ok(Body(
        doors.engine().answer_request(&caller, &org, &id, answer).await?.into(),
    ))
}

/// The same answer to many requests.
#[derive(Deserialize, ToSchema)]
struct AnswersRequest {
    /// 1 to 200 ids.
    #[serde(default)]
    #[schema(required)]
    requests: Vec<String>,
    /// Each just as it was asked for, or none.
    #[serde(default)]
    #[schema(required)]
    granted: bool,
    /// Why not, where they are declined.
    #[serde(default)]
    word: String,
}

/// Grants many requests just as they were asked for, or declines them with one word. Each by itself: what is refused for
/// one is done for the others, and the answer says of each what became of it.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/quota-requests/many", tag = "organizations", operation_id = "answer_quota_requests",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = AnswersRequest,
    responses(
        (status = 200, body = OutcomeList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-quotas"))),
)]
async fn answer_many(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(AnswersRequest {
        requests,
        granted,
        word,
    }): Json<AnswersRequest>,
) -> Answer<Body<OutcomeList>> {
    spend(&doors, &caller.person)?;
    let ids = requests.into_iter().map(RequestId::new).collect();
    let answer = quota::Answer::to_all(granted, word);
    let outcomes = doors
        .engine()
        .answer_requests(&caller, &OrgId::new(org), ids, &answer)
        .await?;
    Ok(Body(outcomes.into()))
}

fn missing(field: &str) -> Refused {
    Refused::invalid("missing-field", format!("Say {field}.")).at(field)
}
