//! Members of an Organization: their seats, their tokens, how a seat ends.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use super::{
    extract::{Json, MaybeJson, Me, Path, Query},
    openapi::Problem,
    orgs::maybe_word,
    passes::OutcomeList,
    problem::{Answer, Refused},
    quota::QuotaAnswer,
    spend,
    tokens::TokenList,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId, PersonId, Role, Timestamp,
    id::TokenId,
    member::{Held, Leaving, ListMembers, Seat, Sort, Status},
};
use engine::SeatChange;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, change, remove))
        .routes(routes!(quota))
        .routes(routes!(tokens))
        .routes(routes!(revoke))
        .routes(routes!(many))
}

/// A seat, and what its holder runs and keeps.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SeatItem {
    /// The person's id.
    id: String,
    email: String,
    name: String,
    /// `viewer`, `developer`, `org-admin`, `owner` or `super-admin`.
    role: &'static str,
    /// `active`, `disabled` or `left`.
    status: &'static str,
    /// RFC 3339, as are the other times.
    joined_at: String,
    /// When the seat ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<String>,
    /// Sessions that are pending or running.
    running: u64,
    sessions: u64,
    storage_bytes: u64,
    /// Only in lists of members: the most that may be running. Absent also where there is no limit, as the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    most_running: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most_storage_bytes: Option<u64>,
}

impl From<Held> for SeatItem {
    fn from(held: Held) -> Self {
        Self {
            most_running: held.most_live,
            most_storage_bytes: held.most_bytes,
            ..held.seat.into()
        }
    }
}

impl From<Seat> for SeatItem {
    fn from(seat: Seat) -> Self {
        let Seat {
            person,
            org: _,
            email,
            name,
            role,
            status,
            joined_at,
            ends_at,
            seen_at,
            live,
            sessions,
            storage_bytes,
        } = seat;
        Self {
            id: person.as_str().to_owned(),
            email,
            name,
            role: role.as_str(),
            status: status.as_str(),
            joined_at: joined_at.rfc3339(),
            ends_at: ends_at.map(Timestamp::rfc3339),
            seen_at: seen_at.map(Timestamp::rfc3339),
            running: live,
            sessions,
            storage_bytes,
            most_running: None,
            most_storage_bytes: None,
        }
    }
}

/// A page of members.
#[derive(Serialize, ToSchema)]
struct MemberList {
    members: Vec<SeatItem>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    total: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words to find in name and address.
    #[serde(default)]
    search: String,
    role: Option<String>,
    /// `active`, `disabled` or `left`; without it all who have a seat.
    status: Option<String>,
    /// `name` (without a word) or `joined`, newest first.
    sort: Option<String>,
    /// From the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 without a word.
    #[serde(default)]
    limit: u32,
}

/// Lists members with what they run and keep.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/members", tag = "organizations", operation_id = "list_members",
    params(("org" = String, Path, description = "The Organization's slug."), ListQuery),
    responses(
        (status = 200, body = MemberList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-members"))),
)]
async fn list(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<Body<MemberList>> {
    let ListQuery {
        search,
        role,
        status,
        sort,
        cursor,
        limit,
    } = query;
    let ask = ListMembers {
        search,
        role: maybe_word("role", role.as_deref(), Role::from_name)?,
        status: maybe_word("status", status.as_deref(), Status::from_name)?,
        sort: maybe_word("sort", sort.as_deref(), Sort::from_name)?.unwrap_or_default(),
        cursor,
        limit,
    };
    let page = doors.engine().members_held(&caller, &OrgId::new(org), &ask).await?;
    Ok(Body(MemberList {
        members: page.items.into_iter().map(SeatItem::from).collect(),
        next: page.next,
        total: page.total,
    }))
}

/// Shows a member.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/members/{person}", tag = "organizations", operation_id = "show_member",
    params(("org" = String, Path, description = "The Organization's slug."), ("person" = String, Path, description = "The member's id.")),
    responses(
        (status = 200, body = SeatItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-members"))),
)]
async fn show(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, person)): Path<(String, String)>,
) -> Answer<Body<SeatItem>> {
    let (org, person) = (OrgId::new(org), PersonId::new(person));
    Ok(Body(doors.engine().seat(&caller, &org, &person).await?.into()))
}

/// What is to change of a seat; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeRequest {
    role: Option<String>,
    /// `active` or `disabled`: who is disabled keeps everything and may not sign in.
    status: Option<String>,
    /// Days from now until the seat ends by itself; 0: it does not.
    seat_days: Option<i64>,
    name: Option<String>,
}

/// Changes a seat.
#[utoipa::path(
    patch, path = "/api/v1/orgs/{org}/members/{person}", tag = "organizations", operation_id = "change_member",
    params(("org" = String, Path, description = "The Organization's slug."), ("person" = String, Path, description = "The member's id.")),
    request_body = ChangeRequest,
    responses(
        (status = 200, body = SeatItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`last-owner`"),
    ),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn change(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, person)): Path<(String, String)>,
    Json(request): Json<ChangeRequest>,
) -> Answer<Body<SeatItem>> {
    let ChangeRequest {
        role,
        status,
        seat_days,
        name,
    } = request;
    let change = SeatChange {
        role: maybe_word("role", role.as_deref(), Role::from_name)?,
        status: maybe_word("status", status.as_deref(), Status::from_name)?,
        seat_days,
        name,
    };
    let (org, person) = (OrgId::new(org), PersonId::new(person));
    Ok(Body(
        doors.engine().change_seat(&caller, &org, &person, change).await?.into(),
    ))
}

/// What becomes of the leaver's sessions.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RemoveRequest {
    /// The member who takes them over; without one they are kept asleep under the leaver's name.
    hand_over_to: Option<String>,
}

/// Removes a member: browsers and tokens are out at once, sessions are kept or handed over.
#[utoipa::path(
    delete, path = "/api/v1/orgs/{org}/members/{person}", tag = "organizations", operation_id = "remove_member",
    params(("org" = String, Path, description = "The Organization's slug."), ("person" = String, Path, description = "The member's id.")),
    request_body = RemoveRequest,
    responses(
        (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "`last-owner`"),
    ),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn remove(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, person)): Path<(String, String)>,
    MaybeJson(RemoveRequest { hand_over_to }): MaybeJson<RemoveRequest>,
) -> Answer<StatusCode> {
    let leaving = match hand_over_to {
        Some(to) => Leaving::HandOver { to: PersonId::new(to) },
        None => Leaving::Archive,
    };
    let (org, person) = (OrgId::new(org), PersonId::new(person));
    doors.engine().remove_member(&caller, &org, &person, &leaving).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a member's quota, where each limit comes from, and what is used of it.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/members/{person}/quota", tag = "organizations", operation_id = "member_quota",
    params(("org" = String, Path, description = "The Organization's slug."), ("person" = String, Path, description = "The member's id.")),
    responses(
        (status = 200, body = QuotaAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-quotas"))),
)]
async fn quota(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, person)): Path<(String, String)>,
) -> Answer<Body<QuotaAnswer>> {
    let (org, person) = (OrgId::new(org), PersonId::new(person));
    Ok(Body(
        doors.engine().member_standing(&caller, &org, &person).await?.into(),
    ))
}

/// Lists a member's tokens, newest first; never their secrets.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/members/{person}/tokens", tag = "organizations", operation_id = "member_tokens",
    params(("org" = String, Path, description = "The Organization's slug."), ("person" = String, Path, description = "The member's id.")),
    responses(
        (status = 200, body = TokenList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-members"))),
)]
async fn tokens(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, person)): Path<(String, String)>,
) -> Answer<Body<TokenList>> {
    let (org, person) = (OrgId::new(org), PersonId::new(person));
    Ok(Body(doors.engine().member_tokens(&caller, &org, &person).await?.into()))
}

/// Revokes a member's token at once.
#[utoipa::path(
    delete, path = "/api/v1/orgs/{org}/members/{person}/tokens/{token}", tag = "organizations",
    operation_id = "revoke_member_token",
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("person" = String, Path, description = "The member's id."),
        ("token" = String, Path, description = "The token's id."),
    ),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn revoke(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, person, token)): Path<(String, String, String)>,
) -> Answer<StatusCode> {
    let (org, person, token) = (OrgId::new(org), PersonId::new(person), TokenId::new(token));
    doors
        .engine()
        .revoke_member_token(&caller, &org, &person, &token)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What to do to many members.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ManyRequest {
    /// 1 to 200 ids.
    #[serde(default)]
    #[schema(required)]
    members: Vec<String>,
    /// `change` (without a word) or `remove`.
    action: Option<String>,
    /// For `change`: the role of all of them.
    role: Option<String>,
    /// For `change`: `active` or `disabled`.
    status: Option<String>,
    /// For `change`: days from now until the seats end by themselves; 0: they do not.
    seat_days: Option<i64>,
    /// For `remove`: the member who takes all sessions over; without one they are kept asleep under the leavers' names.
    hand_over_to: Option<String>,
}

/// Changes or removes many members. Each by itself: what is refused for one is done for the others, and the answer says of
/// each what became of it.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/members/many", tag = "organizations", operation_id = "change_members",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = ManyRequest,
    responses(
        (status = 200, body = OutcomeList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn many(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(request): Json<ManyRequest>,
) -> Answer<Body<OutcomeList>> {
    spend(&doors, &caller.person)?;
    let ManyRequest {
        members,
        action,
        role,
        status,
        seat_days,
        hand_over_to,
    } = request;
    let people = members.into_iter().map(PersonId::new).collect();
    let org = OrgId::new(org);
    let outcomes = match action.as_deref() {
        None | Some("change") => {
            let change = SeatChange {
                role: maybe_word("role", role.as_deref(), Role::from_name)?,
                status: maybe_word("status", status.as_deref(), Status::from_name)?,
                seat_days,
                name: None,
            };
            doors.engine().change_seats(&caller, &org, people, &change).await?
        }
        Some("remove") => {
            let leaving = match hand_over_to {
                Some(to) => Leaving::HandOver { to: PersonId::new(to) },
                None => Leaving::Archive,
            };
            doors.engine().remove_members(&caller, &org, people, &leaving).await?
        }
        Some(_) => return Err(Refused::invalid("invalid-value", "The action is change or remove.").at("action")),
    };
    Ok(Body(outcomes.into()))
}
