//! Recordings of terminals: `/api/v1/sandbox/sessions/{id}/recording`.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use super::{
    extract::{Me, Path, Query},
    openapi::Problem,
    problem::Answer,
    spend,
};
use crate::doors::Doors;
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::SessionId;
use engine::ports::Recording;
use http::header;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What an asciicast is called on the way.
const ASCIICAST: &str = "application/x-asciicast";

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(recording))
}

/// Which recording.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RecordingQuery {
    /// A terminal's id; without one the agent's.
    #[serde(default)]
    terminal: String,
}

/// Downloads what was recorded of a terminal: an asciicast (version 2) for `asciinema play`, with secret values masked and
/// nothing of what was typed but its echo. Each reading is in the audit.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions/{id}/recording", tag = "sessions", operation_id = "session_recording",
    params(("id" = String, Path, description = "The session's id."), RecordingQuery),
    responses(
        (status = 200, description = "The recording, as a stream.", content((String = "application/x-asciicast"))),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`not-recorded`"), (status = 429, body = Problem),
        (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("read-recording"))),
)]
async fn recording(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Query(RecordingQuery { terminal }): Query<RecordingQuery>,
) -> Answer<Response> {
    spend(&doors, &caller.person)?;
    let id = SessionId::new(id);
    let Recording { bytes, read } = doors.engine().recording(&caller, &id, &terminal).await?;
    let which = if terminal.is_empty() { "agent" } else { &terminal };
    // An id and a terminal's name that were found are letters, digits and dashes.
    let name = format!("attachment; filename=\"{id}-{which}.cast\"");
    Ok((
        [
            (header::CONTENT_TYPE, ASCIICAST.to_owned()),
            (header::CONTENT_LENGTH, bytes.to_string()),
            (header::CONTENT_DISPOSITION, name),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        Body::from_stream(read),
    )
        .into_response())
}
