//! A session's terminals: one for its agent, and shells beside it.

use super::{
    extract::{IdempotencyKey, Json, MaybeJson, Me, Path},
    idempotency::Before,
    openapi::Problem,
    problem::{Answer, Refused},
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    SessionId,
    host::{AGENT, TerminalStatus},
    wire::{Exit, Size},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(close))
        .routes(routes!(resize))
        .routes(routes!(signal))
}

/// A terminal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Terminal {
    id: String,
    label: String,
    cols: u16,
    rows: u16,
    /// The window title that its program has set.
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<TerminalExit>,
    viewers: Vec<Viewer>,
    /// The last output or input, RFC 3339.
    active_at: String,
    /// Whether what comes out of it is being recorded.
    recorded: bool,
}

/// How a terminal's program ended: one of the two is there.
#[derive(Serialize, ToSchema)]
struct TerminalExit {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
}

/// Who looks at a terminal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Viewer {
    name: String,
    /// Whether their keys and size count.
    driver: bool,
    may_type: bool,
}

impl From<TerminalStatus> for Terminal {
    fn from(status: TerminalStatus) -> Self {
        let TerminalStatus {
            id,
            label,
            size,
            title,
            exit,
            viewers,
            active_at,
            seq: _,
            epoch: _,
            recorded,
        } = status;
        let viewers = viewers.into_iter();
        Self {
            id,
            label,
            cols: size.cols,
            rows: size.rows,
            title,
            exit: exit.map(|exit| match exit {
                Exit::Code(code) => TerminalExit {
                    code: Some(code),
                    signal: None,
                },
                Exit::Signal(signal) => TerminalExit {
                    code: None,
                    signal: Some(signal),
                },
            }),
            viewers: viewers
                .map(|viewer| Viewer {
                    name: viewer.name,
                    driver: viewer.driver,
                    may_type: viewer.may_type,
                })
                .collect(),
            active_at: domain::Timestamp::from_millis(active_at).rfc3339(),
            recorded,
        }
    }
}

/// A session's terminals.
#[derive(Serialize, ToSchema)]
struct TerminalList {
    terminals: Vec<Terminal>,
}

/// Lists a session's terminals; none while it does not run.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions/{id}/terminals", tag = "terminals", operation_id = "list_terminals",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = TerminalList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("watch-terminal"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<TerminalList>> {
    let terminals = doors.engine().terminals(&caller, &SessionId::new(id)).await?;
    Ok(Body(TerminalList {
        terminals: terminals.into_iter().map(Terminal::from).collect(),
    }))
}

/// What is asked for when a shell is opened; everything may be left out.
#[derive(Default, Deserialize, ToSchema)]
struct OpenTerminalRequest {
    /// The name on its tab.
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    rows: Option<u16>,
    #[serde(default)]
    cols: Option<u16>,
}

/// Opens a shell beside the agent.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions/{id}/terminals", tag = "terminals", operation_id = "open_terminal",
    params(
        ("id" = String, Path, description = "The session's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key opens one shell, once."),
    ),
    request_body(content = Option<OpenTerminalRequest>),
    responses(
        (status = 201, body = Terminal), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("drive-terminal"))),
)]
async fn open(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    MaybeJson(request): MaybeJson<OpenTerminalRequest>,
) -> Answer<(StatusCode, Body<serde_json::Value>)> {
    spend(&doors, &caller.person)?;
    let OpenTerminalRequest { label, rows, cols } = request;
    let usual = Size::default();
    let size = Size::clamped(cols.unwrap_or(usual.cols), rows.unwrap_or(usual.rows));
    let key = key.map(|key| super::again(&caller, &format!("terminals of {id}"), &key));
    let pending = match doors.again().begin(key)? {
        Before::Answered(answer) => return Ok((StatusCode::CREATED, Body(answer))),
        Before::Never(pending) => pending,
    };
    let opened = doors
        .engine()
        .open_terminal(&caller, &SessionId::new(id), label.as_deref(), size)
        .await?;
    let answer = serde_json::to_value(Terminal::from(opened)).unwrap_or_default();
    pending.done(&answer);
    Ok((StatusCode::CREATED, Body(answer)))
}

/// Closes a shell: its program ends. Closing what is gone succeeds too.
#[utoipa::path(
    delete, path = "/api/v1/sandbox/sessions/{id}/terminals/{terminal}", tag = "terminals",
    operation_id = "close_terminal",
    params(
        ("id" = String, Path, description = "The session's id."),
        ("terminal" = String, Path, description = "The terminal's id; the agent's cannot be closed."),
    ),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("drive-terminal"))),
)]
async fn close(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((id, terminal)): Path<(String, String)>,
) -> Answer<StatusCode> {
    doors
        .engine()
        .close_terminal(&caller, &SessionId::new(id), &terminal)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A size in cells; beyond what a terminal can have it is brought within.
#[derive(Deserialize, ToSchema)]
struct ResizeRequest {
    rows: i64,
    cols: i64,
    /// The terminal's id; without it the agent's.
    #[serde(default)]
    terminal: Option<String>,
}

/// Gives a terminal a size.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions/{id}/resize", tag = "terminals", operation_id = "resize_terminal",
    params(("id" = String, Path, description = "The session's id.")), request_body = ResizeRequest,
    responses(
        (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("drive-terminal"))),
)]
async fn resize(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Json(ResizeRequest { rows, cols, terminal }): Json<ResizeRequest>,
) -> Answer<StatusCode> {
    let cells = |field: &str, cells: i64| {
        let refuse = || Refused::invalid("invalid-size", "rows and cols are at least 1.").at(field);
        (cells > 0)
            .then(|| u16::try_from(cells).unwrap_or(u16::MAX))
            .ok_or_else(refuse)
    };
    let size = Size::clamped(cells("cols", cols)?, cells("rows", rows)?);
    let terminal = terminal.filter(|terminal| !terminal.is_empty());
    doors
        .engine()
        .resize(&caller, &SessionId::new(id), terminal.as_deref().unwrap_or(AGENT), size)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A signal for what runs in the foreground.
#[derive(Deserialize, ToSchema)]
struct SignalRequest {
    /// `INT`, `QUIT`, `TERM` or `HUP`, in any case.
    signal: String,
    /// The terminal's id; without it the agent's.
    #[serde(default)]
    terminal: Option<String>,
}

/// Sends a signal to what runs in the foreground of a terminal.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions/{id}/signal", tag = "terminals", operation_id = "signal_terminal",
    params(("id" = String, Path, description = "The session's id.")), request_body = SignalRequest,
    responses(
        (status = 204), (status = 400, body = Problem, description = "`unsupported-signal`"),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
    extensions(("x-permit" = json!("drive-terminal"))),
)]
async fn signal(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Json(SignalRequest { signal, terminal }): Json<SignalRequest>,
) -> Answer<StatusCode> {
    let terminal = terminal.filter(|terminal| !terminal.is_empty());
    doors
        .engine()
        .signal(
            &caller,
            &SessionId::new(id),
            terminal.as_deref().unwrap_or(AGENT),
            &signal,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
