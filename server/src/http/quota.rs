//! What a person may run, and what they run.

use super::{extract::Me, openapi::Problem, problem::Answer};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::quota::{Dimension, Quota, Source, Standing};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The caller's limits beside their use; a limit that is absent is none.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuotaAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    limits: Limits,
    used: Used,
    /// Where each limit comes from: `{"from": "plan" | "org" | "group" | "person" | "grant"}`, by the limit's name.
    #[schema(value_type = Object)]
    sources: BTreeMap<Dimension, Source>,
    /// Who can raise a limit.
    raised_by: Vec<String>,
}

/// What may be used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Thousandths of a processor, for each session.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_millis: Option<u64>,
    /// For each session.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// For all sessions together.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrent_sessions: Option<u64>,
    /// Sessions that exist, asleep or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<u64>,
    /// How long a session may run at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime_seconds: Option<u64>,
    /// How long a session may rest, unused and unwatched.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_seconds: Option<u64>,
}

/// What is used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Used {
    /// Sessions that are pending or running.
    concurrent_sessions: u64,
    /// All sessions that exist.
    sessions: u64,
    storage_bytes: u64,
    /// Memory of the running sessions now.
    memory_bytes: u64,
}

impl From<Standing> for QuotaAnswer {
    fn from(standing: Standing) -> Self {
        let Standing {
            quota,
            sources,
            live_sessions,
            sessions,
            storage_bytes,
            memory_bytes,
            raised_by,
        } = standing;
        let Quota {
            plan,
            cpu_millis,
            memory_bytes: memory_limit,
            storage_bytes: storage_limit,
            concurrent_sessions,
            sessions: sessions_limit,
            lifetime_seconds,
            idle_seconds,
        } = quota;
        Self {
            plan,
            limits: Limits {
                cpu_millis,
                memory_bytes: memory_limit,
                storage_bytes: storage_limit,
                concurrent_sessions,
                sessions: sessions_limit,
                lifetime_seconds,
                idle_seconds,
            },
            used: Used {
                concurrent_sessions: live_sessions,
                sessions,
                storage_bytes,
                memory_bytes,
            },
            sources,
            raised_by,
        }
    }
}

/// Shows the caller's quota and what is used of it.
#[utoipa::path(
    get, path = "/api/v1/quota", tag = "usage", operation_id = "quota",
    responses((status = 200, body = QuotaAnswer), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("see-quota"))),
)]
async fn show(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<QuotaAnswer>> {
    Ok(Body(doors.engine().standing(&caller).await?.into()))
}
