//! What a person used.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use super::{
    extract::{Me, Query},
    openapi::Problem,
    problem::{Answer, Refused},
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::usage::{Bar, Share, Usage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UsageQuery {
    /// Days, 1 to 90; 7 without a word.
    #[serde(default = "week")]
    days: i64,
}

const fn week() -> i64 {
    7
}

/// What was used in a stretch of time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageAnswer {
    /// RFC 3339.
    from: String,
    until: String,
    /// The width of one bar.
    bucket_seconds: i64,
    bars: Vec<UsageBar>,
    /// The sessions that used most.
    sessions: Vec<UsageShare>,
}

/// The sum of one dimension in one bucket.
#[derive(Serialize, ToSchema)]
struct UsageBar {
    at: String,
    /// `compute_cpu`, `compute_memory` or `storage`.
    dimension: &'static str,
    quantity: u64,
    /// `cpu_microseconds` or `byte_seconds`.
    unit: &'static str,
}

/// The sum of one dimension for one session.
#[derive(Serialize, ToSchema)]
struct UsageShare {
    session: String,
    /// Its name, where it still exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    agent: String,
    dimension: &'static str,
    quantity: u64,
    unit: &'static str,
}

/// Shows what the caller's sessions used.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "usage", operation_id = "usage", params(UsageQuery),
    responses(
        (status = 200, body = UsageAnswer), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem),
    ),
    extensions(("x-permit" = json!("see-usage"))),
)]
async fn show(
    State(doors): State<Doors>,
    Me(caller): Me,
    Query(UsageQuery { days }): Query<UsageQuery>,
) -> Answer<Body<UsageAnswer>> {
    if !(1..=90).contains(&days) {
        return Err(Refused::invalid("invalid-query", "days is a number from 1 to 90.").at("days"));
    }
    let Usage { range, bars, shares } = doors.engine().usage(&caller, days).await?;
    Ok(Body(UsageAnswer {
        from: range.from.rfc3339(),
        until: range.until.rfc3339(),
        bucket_seconds: range.bucket_seconds,
        bars: bars.into_iter().map(UsageBar::from).collect(),
        sessions: shares.into_iter().map(UsageShare::from).collect(),
    }))
}

impl From<Bar> for UsageBar {
    fn from(
        Bar {
            at,
            dimension,
            quantity,
        }: Bar,
    ) -> Self {
        Self {
            at: at.rfc3339(),
            dimension: dimension.as_str(),
            quantity,
            unit: dimension.unit(),
        }
    }
}

impl From<Share> for UsageShare {
    fn from(
        Share {
            session,
            name,
            agent,
            dimension,
            quantity,
        }: Share,
    ) -> Self {
        let session = session.as_str().to_owned();
        Self {
            session,
            name,
            agent,
            dimension: dimension.as_str(),
            quantity,
            unit: dimension.unit(),
        }
    }
}
