//! Policy: what holds in an Organization, tried before it is saved.

use super::{
    extract::{Json, Me, Path},
    openapi::Problem,
    problem::Answer,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId, Timestamp,
    policy::{DryRun, Policy, Version},
};
use engine::Policies;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(show, save))
        .routes(routes!(try_out))
        .routes(routes!(show_fleet, save_fleet))
        .routes(routes!(try_out_fleet))
}

/// A saved version of a policy. A rule that is absent restricts nothing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VersionItem {
    /// Counts from 1; 0 before anybody saved one.
    version: i64,
    /// `agents`, `repositories`, `sharing`, `seeing` (`own`, `groups`, `org`), `admins_watch`, `recording` (of terminals that
    /// start from now on),
    /// `lifetime_seconds`, `idle_seconds`, `idle_action` (`warn`, `suspend`, `stop`), `token_hours`, `egress`.
    #[schema(value_type = Object)]
    policy: Policy,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_by: Option<String>,
}

impl From<Version> for VersionItem {
    fn from(version: Version) -> Self {
        let Version {
            version,
            policy,
            saved_at,
            saved_by,
        } = version;
        Self {
            version,
            policy,
            saved_at: saved_at.map(Timestamp::rfc3339),
            saved_by,
        }
    }
}

/// Both documents that hold in an Organization: of each rule the stricter.
#[derive(Serialize, ToSchema)]
struct PolicyAnswer {
    /// The installation's, which no Organization loosens.
    floor: VersionItem,
    own: VersionItem,
}

/// Shows what holds in an Organization.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/policy", tag = "organizations", operation_id = "show_policy",
    params(("org" = String, Path, description = "The Organization's slug.")),
    responses(
        (status = 200, body = PolicyAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-policy"))),
)]
async fn show(State(doors): State<Doors>, Me(caller): Me, Path(org): Path<String>) -> Answer<Body<PolicyAnswer>> {
    let Policies { floor, own } = doors.engine().policy(&caller, &OrgId::new(org)).await?;
    Ok(Body(PolicyAnswer {
        floor: floor.into(),
        own: own.into(),
    }))
}

/// A policy, and the version that it is based on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SaveRequest {
    #[serde(default)]
    #[schema(value_type = Object)]
    policy: Policy,
    /// The version that was read: a newer one is not overwritten.
    #[serde(default)]
    based_on: i64,
}

/// Saves a new version. Sessions that are shared farther than it allows are narrowed at once.
#[utoipa::path(
    put, path = "/api/v1/orgs/{org}/policy", tag = "organizations", operation_id = "save_policy",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = SaveRequest,
    responses(
        (status = 200, body = VersionItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`policy-changed`"),
    ),
    extensions(("x-permit" = json!("manage-policy"))),
)]
async fn save(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(SaveRequest { policy, based_on }): Json<SaveRequest>,
) -> Answer<Body<VersionItem>> {
    let org = OrgId::new(org);
    Ok(Body(
        doors
            .engine()
            .save_policy(&caller, Some(&org), policy, based_on)
            .await?
            .into(),
    ))
}

/// What a policy would have refused in the last week.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DryRunAnswer {
    /// Sessions that were opened in the last week, at most 1,000.
    looked_at: u64,
    refused_in_all: u64,
    /// The newest 50 of them: `at`, `actor`, `name`, `why`.
    #[schema(value_type = Vec<Object>)]
    refused: Vec<domain::policy::Refused>,
    /// Sessions that are shared farther now than it allows: saving narrows them.
    narrowed: u64,
    /// Sessions that nobody shares and that colleagues would see from now on.
    shown: u64,
    /// Sessions that have rested for so long now that the idle rule would act on them at once.
    resting: u64,
}

impl From<DryRun> for DryRunAnswer {
    fn from(run: DryRun) -> Self {
        let DryRun {
            looked_at,
            refused,
            refused_in_all,
            narrowed,
            shown,
            resting,
        } = run;
        Self {
            looked_at,
            refused_in_all,
            refused,
            narrowed,
            shown,
            resting,
        }
    }
}

/// Tries a policy on the last week; nothing is saved.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/policy/dry-run", tag = "organizations", operation_id = "try_policy",
    params(("org" = String, Path, description = "The Organization's slug.")), request_body = SaveRequest,
    responses(
        (status = 200, body = DryRunAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-policy"))),
)]
async fn try_out(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(SaveRequest { policy, .. }): Json<SaveRequest>,
) -> Answer<Body<DryRunAnswer>> {
    let org = OrgId::new(org);
    Ok(Body(
        doors.engine().try_policy(&caller, Some(&org), policy).await?.into(),
    ))
}

/// Shows the installation's policy, which no Organization loosens.
#[utoipa::path(
    get, path = "/api/v1/fleet/policy", tag = "organizations", operation_id = "show_fleet_policy",
    responses((status = 200, body = VersionItem), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn show_fleet(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<VersionItem>> {
    Ok(Body(doors.engine().fleet_policy(&caller).await?.into()))
}

/// Saves a new version of the installation's policy.
#[utoipa::path(
    put, path = "/api/v1/fleet/policy", tag = "organizations", operation_id = "save_fleet_policy",
    request_body = SaveRequest,
    responses(
        (status = 200, body = VersionItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem, description = "`policy-changed`"),
    ),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn save_fleet(
    State(doors): State<Doors>,
    Me(caller): Me,
    Json(SaveRequest { policy, based_on }): Json<SaveRequest>,
) -> Answer<Body<VersionItem>> {
    Ok(Body(
        doors
            .engine()
            .save_policy(&caller, None, policy, based_on)
            .await?
            .into(),
    ))
}

/// Tries a policy of the installation on the last week of every Organization; nothing is saved.
#[utoipa::path(
    post, path = "/api/v1/fleet/policy/dry-run", tag = "organizations", operation_id = "try_fleet_policy",
    request_body = SaveRequest,
    responses(
        (status = 200, body = DryRunAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-fleet"))),
)]
async fn try_out_fleet(
    State(doors): State<Doors>,
    Me(caller): Me,
    Json(SaveRequest { policy, .. }): Json<SaveRequest>,
) -> Answer<Body<DryRunAnswer>> {
    Ok(Body(doors.engine().try_policy(&caller, None, policy).await?.into()))
}
