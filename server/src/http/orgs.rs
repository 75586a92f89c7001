//! Organizations: the caller's own, and all of them for those who run the installation.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use super::{
    extract::{Json, Me, Path, Query},
    invitations::InvitedAnswer,
    openapi::Problem,
    problem::{Answer, Refused},
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId,
    org::{Billing, Change, Found, Kind, ListOrgs, Org, Overview, State as OrgState, Tier},
};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list, found))
        .routes(routes!(show, change))
        .routes(routes!(set_state))
}

/// An Organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrgItem {
    /// Its slug.
    id: String,
    display_name: String,
    /// `customer` or `internal`.
    kind: &'static str,
    /// `sme` or `corporate`.
    tier: &'static str,
    /// `real`, `chargeback` or `showback`.
    billing_mode: &'static str,
    /// `active`, `suspended` (its sessions sleep) or `archived` (nobody signs in).
    state: &'static str,
    /// The seats that were bought; absent: as many as wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<u64>,
    /// Its plan; absent: the installation's.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// RFC 3339.
    created_at: String,
}

impl From<Org> for OrgItem {
    fn from(org: Org) -> Self {
        let Org {
            id,
            display_name,
            kind,
            tier,
            billing,
            state,
            seats,
            plan,
            created_at,
        } = org;
        Self {
            id: id.as_str().to_owned(),
            display_name,
            kind: kind.as_str(),
            tier: tier.as_str(),
            billing_mode: billing.as_str(),
            state: state.as_str(),
            seats,
            plan,
            created_at: created_at.rfc3339(),
        }
    }
}

/// An Organization with its figures.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OverviewItem {
    #[serde(flatten)]
    org: OrgItem,
    /// Seats that are taken.
    seats_used: u64,
    /// Seats that are promised by invitations.
    invited: u64,
    /// Sessions that are pending or running.
    running: u64,
    sessions: u64,
    storage_bytes: u64,
    /// Requests for more that wait.
    requests: u64,
}

impl From<Overview> for OverviewItem {
    fn from(overview: Overview) -> Self {
        let Overview {
            org,
            seats_used,
            invited,
            live,
            sessions,
            storage_bytes,
            requests,
        } = overview;
        Self {
            org: org.into(),
            seats_used,
            invited,
            running: live,
            sessions,
            storage_bytes,
            requests,
        }
    }
}

/// A page of Organizations.
#[derive(Serialize, ToSchema)]
struct OrgList {
    organizations: Vec<OverviewItem>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    total: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words to find in slug and name.
    #[serde(default)]
    search: String,
    /// `active`, `suspended` or `archived`; without it all but archived ones.
    state: Option<String>,
    /// From the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 without a word.
    #[serde(default)]
    limit: u32,
}

/// Lists every Organization of the installation.
#[utoipa::path(
    get, path = "/api/v1/orgs", tag = "organizations", operation_id = "list_organizations", params(ListQuery),
    responses(
        (status = 200, body = OrgList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn list(
    State(doors): State<Doors>,
    Me(caller): Me,
    Query(ListQuery {
        search,
        state,
        cursor,
        limit,
    }): Query<ListQuery>,
) -> Answer<Body<OrgList>> {
    let ask = ListOrgs {
        search,
        state: maybe_word("state", state.as_deref(), OrgState::from_name)?,
        cursor,
        limit,
    };
    let page = doors.engine().orgs(&caller, &ask).await?;
    Ok(Body(OrgList {
        organizations: page.items.into_iter().map(OverviewItem::from).collect(),
        next: page.next,
        total: page.total,
    }))
}

/// What is asked for when an Organization is made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundRequest {
    /// `^[a-z][a-z0-9-]{2,31}$`, and not a reserved name.
    #[serde(default)]
    #[schema(required)]
    slug: String,
    #[serde(default)]
    #[schema(required)]
    display_name: String,
    /// The address of the first owner, who is invited.
    #[serde(default)]
    #[schema(required)]
    owner: String,
    /// `customer` (without a word) or `internal`.
    kind: Option<String>,
    /// `sme` (without a word) or `corporate`.
    tier: Option<String>,
    /// `real`, `chargeback` or `showback` (without a word).
    billing_mode: Option<String>,
    seats: Option<u64>,
    plan: Option<String>,
}

/// A new Organization, and the invitation of its owner.
#[derive(Serialize, ToSchema)]
struct FoundAnswer {
    organization: OverviewItem,
    invitation: InvitedAnswer,
}

/// Makes an Organization and invites its first owner.
#[utoipa::path(
    post, path = "/api/v1/orgs", tag = "organizations", operation_id = "found_organization",
    request_body = FoundRequest,
    responses(
        (status = 201, body = FoundAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem, description = "`organization-exists`"),
    ),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn found(
    State(doors): State<Doors>,
    Me(caller): Me,
    Json(request): Json<FoundRequest>,
) -> Answer<(StatusCode, Body<FoundAnswer>)> {
    let FoundRequest {
        slug,
        display_name,
        owner,
        kind,
        tier,
        billing_mode,
        seats,
        plan,
    } = request;
    let found = Found {
        slug,
        display_name,
        owner,
        kind: word("kind", kind.as_deref().unwrap_or("customer"), Kind::from_name)?,
        tier: word("tier", tier.as_deref().unwrap_or("sme"), Tier::from_name)?,
        billing: word(
            "billingMode",
            billing_mode.as_deref().unwrap_or("showback"),
            Billing::from_name,
        )?,
        seats,
        plan,
    };
    let (overview, invited) = doors.engine().found_org(&caller, found).await?;
    Ok((
        StatusCode::CREATED,
        Body(FoundAnswer {
            organization: overview.into(),
            invitation: InvitedAnswer::of(&doors, invited),
        }),
    ))
}

/// Shows an Organization.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}", tag = "organizations", operation_id = "show_organization",
    params(("org" = String, Path, description = "Its slug.")),
    responses(
        (status = 200, body = OverviewItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-org"))),
)]
async fn show(State(doors): State<Doors>, Me(caller): Me, Path(org): Path<String>) -> Answer<Body<OverviewItem>> {
    Ok(Body(doors.engine().org(&caller, &OrgId::new(org)).await?.into()))
}

/// What is to change; absent fields stay, `null` takes a limit or a plan away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeRequest {
    display_name: Option<String>,
    /// This and what follows is for those who run the installation.
    kind: Option<String>,
    tier: Option<String>,
    billing_mode: Option<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    seats: Option<Option<u64>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    plan: Option<Option<String>>,
}

/// Tells `null` from a field that is not there.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes an Organization.
#[utoipa::path(
    patch, path = "/api/v1/orgs/{org}", tag = "organizations", operation_id = "change_organization",
    params(("org" = String, Path, description = "Its slug.")), request_body = ChangeRequest,
    responses(
        (status = 200, body = OverviewItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-org"))),
)]
async fn change(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(request): Json<ChangeRequest>,
) -> Answer<Body<OverviewItem>> {
    let ChangeRequest {
        display_name,
        kind,
        tier,
        billing_mode,
        seats,
        plan,
    } = request;
    let change = Change {
        display_name,
        kind: maybe_word("kind", kind.as_deref(), Kind::from_name)?,
        tier: maybe_word("tier", tier.as_deref(), Tier::from_name)?,
        billing: maybe_word("billingMode", billing_mode.as_deref(), Billing::from_name)?,
        seats,
        plan,
    };
    Ok(Body(
        doors
            .engine()
            .change_org(&caller, &OrgId::new(org), &change)
            .await?
            .into(),
    ))
}

/// What an Organization is to be.
#[derive(Deserialize, ToSchema)]
struct StateRequest {
    /// `active`, `suspended` or `archived`.
    #[serde(default)]
    #[schema(required)]
    state: String,
}

/// Suspends, archives or opens an Organization again. Closing puts its sessions to sleep; nothing is deleted.
#[utoipa::path(
    put, path = "/api/v1/orgs/{org}/state", tag = "organizations", operation_id = "set_organization_state",
    params(("org" = String, Path, description = "Its slug.")), request_body = StateRequest,
    responses(
        (status = 200, body = OverviewItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn set_state(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(StateRequest { state }): Json<StateRequest>,
) -> Answer<Body<OverviewItem>> {
    let state = word("state", &state, OrgState::from_name)?;
    Ok(Body(
        doors
            .engine()
            .set_org_state(&caller, &OrgId::new(org), state)
            .await?
            .into(),
    ))
}

/// Reads a word of a small set; anything else is refused, with the field named.
pub(super) fn word<T>(field: &str, text: &str, read: fn(&str) -> Option<T>) -> Result<T, Refused> {
    read(text).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Refused::invalid("invalid-value", format!("{shown:?} is no {field}. See /docs/api.")).at(field)
    })
}

/// The same for a word that may be left out.
pub(super) fn maybe_word<T>(
    field: &str,
    text: Option<&str>,
    read: fn(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    text.map(|text| word(field, text, read)).transpose()
}
