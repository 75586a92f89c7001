//! Invitations of an Organization. The link is in the one answer that makes it, and nowhere else.

use super::{
    extract::{Json, Me, Path},
    openapi::Problem,
    orgs::word,
    problem::Answer,
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId, Role, Timestamp,
    id::InvitationId,
    invitation::{Invitation, Invite, Invited, Letter},
    quota::Limits,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(withdraw))
}

/// An invitation that waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InvitationItem {
    id: String,
    email: String,
    role: &'static str,
    invited_by: String,
    /// RFC 3339, as are the other times.
    created_at: String,
    /// Until when it can be accepted.
    expires_at: String,
    /// When the seat that it gives ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    seat_ends_at: Option<String>,
    /// The quota that the new member begins with, by the limit's name: a number, or `unlimited`.
    #[schema(value_type = Object)]
    limits: Limits,
    /// What became of the letter with the link: `state` is `waiting`, `sent` or `failed`, and `why` says why it was not
    /// sent yet, or was not. Absent where this installation sends none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    letter: Option<Letter>,
}

impl From<Invitation> for InvitationItem {
    fn from(invitation: Invitation) -> Self {
        let Invitation {
            id,
            org: _,
            email,
            role,
            by,
            created_at,
            expires_at,
            seat_ends_at,
            limits,
            letter,
        } = invitation;
        Self {
            id: id.as_str().to_owned(),
            email,
            role: role.as_str(),
            invited_by: by,
            created_at: created_at.rfc3339(),
            expires_at: expires_at.rfc3339(),
            seat_ends_at: seat_ends_at.map(Timestamp::rfc3339),
            limits,
            letter,
        }
    }
}

/// The invitations that wait.
#[derive(Serialize, ToSchema)]
struct InvitationList {
    invitations: Vec<InvitationItem>,
}

/// A new invitation: the only time its link is shown.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitedAnswer {
    /// The path of the link, below the address of this installation.
    link: String,
    invitation: InvitationItem,
}

impl InvitedAnswer {
    /// The answer of this installation: with its whole address, where that is known.
    pub(super) fn of(doors: &Doors, Invited { secret, invitation }: Invited) -> Self {
        Self {
            link: doors.origins().link(&format!("/join/{secret}")),
            invitation: invitation.into(),
        }
    }
}

/// Lists the invitations that wait, newest first.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/invitations", tag = "organizations", operation_id = "list_invitations",
    params(("org" = String, Path, description = "The Organization's slug.")),
    responses(
        (status = 200, body = InvitationList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-members"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me, Path(org): Path<String>) -> Answer<Body<InvitationList>> {
    let invitations = doors.engine().invitations(&caller, &OrgId::new(org)).await?;
    Ok(Body(InvitationList {
        invitations: invitations.into_iter().map(InvitationItem::from).collect(),
    }))
}

/// Whom to invite, as what.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InviteRequest {
    #[serde(default)]
    #[schema(required)]
    email: String,
    /// `viewer`, `developer` (without a word), `org-admin` or `owner`.
    role: Option<String>,
    /// Days until the link ends: 7 without a word, 30 at most.
    days: Option<i64>,
    /// Days until the seat ends by itself.
    seat_days: Option<i64>,
    /// The quota that the new member begins with, by the limit's name (`concurrent_sessions`, `sessions`, `cpu`, `memory`,
    /// `storage`, `lifetime`, `idle`): a number, or `unlimited`.
    #[serde(default)]
    #[schema(value_type = Object)]
    limits: Limits,
}

/// Invites somebody. The same address invited again gets a new link, and the older one ends.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/invitations", tag = "organizations", operation_id = "invite",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = InviteRequest,
    responses(
        (status = 201, body = InvitedAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`no-seat-left`, `already-a-member`"),
        (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn invite(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(request): Json<InviteRequest>,
) -> Answer<(StatusCode, Body<InvitedAnswer>)> {
    spend(&doors, &caller.person)?;
    let InviteRequest {
        email,
        role,
        days,
        seat_days,
        limits,
    } = request;
    let invite = Invite {
        email,
        role: word("role", role.as_deref().unwrap_or("developer"), Role::from_name)?,
        days,
        seat_days,
        limits,
    };
    let invited = doors.engine().invite(&caller, &OrgId::new(org), invite).await?;
    Ok((StatusCode::CREATED, Body(InvitedAnswer::of(&doors, invited))))
}

/// Withdraws an invitation; its link ends at once.
#[utoipa::path(
    delete, path = "/api/v1/orgs/{org}/invitations/{invitation}", tag = "organizations",
    operation_id = "withdraw_invitation",
    params(("org" = String, Path, description = "The Organization's slug."), ("invitation" = String, Path, description = "Its id.")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)),
    extensions(("x-permit" = json!("manage-members"))),
)]
async fn withdraw(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, invitation)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let (org, invitation) = (OrgId::new(org), InvitationId::new(invitation));
    doors.engine().withdraw_invitation(&caller, &org, &invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}
