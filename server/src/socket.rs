//! The WebSocket that a terminal is shown through: who may have it, which of the two forms it speaks, and how it ends.
//! The bytes themselves are moved by [`pump`].

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

mod pump;

use crate::{
    doors::Doors,
    http::{
        extract::{Me, Path, Query},
        problem::{Answer, Refused},
    },
    metrics::Counted,
};
use axum::{
    Router,
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
    routing::get,
};
use domain::{SessionId, wire};
use engine::AttachAsk;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

/// Chooses the plain form by name: for clients that offer a token as a subprotocol, and so must be answered with one.
const PLAIN: &str = "sandbox.terminal.plain";

/// Bytes read from a socket at a time.
const READ_BUFFER: usize = 4 * 1024;
/// What is written to a socket together; what is longer goes by itself. The largest frame sets how much a socket keeps,
/// and no batch of them.
const WRITE_BUFFER: usize = 8 * 1024;

pub(crate) fn router() -> Router<Doors> {
    Router::new().route("/api/v1/sandbox/sessions/{id}/attach", get(attach))
}

/// What may be said in the address of an attach.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AttachQuery {
    /// The terminal's id; without it the agent's.
    #[serde(default)]
    terminal: String,
    /// A random name that the client keeps over reconnects, so that input is neither lost nor doubled.
    #[serde(default)]
    client: String,
    /// The position up to which the client holds output of `epoch`.
    since: Option<u64>,
    /// See `since`.
    epoch: Option<u64>,
    /// Lines of scrollback wanted with the first snapshot.
    #[serde(default = "history")]
    history: u32,
}

/// Without a word: enough to scroll back a few screens, and small enough to be there at once.
const fn history() -> u32 {
    200
}

/// Attaches to a terminal.
///
/// A WebSocket. With the subprotocol `sandbox.terminal.v1` it speaks framed, exactly-once messages; without it (or with
/// `sandbox.terminal.plain`) the first binary message is the screen as ANSI, then raw output, and all input is typed as
/// it comes. A client that cannot set headers offers its token as a further subprotocol, `bearer.<token>`.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions/{id}/attach", tag = "terminals", operation_id = "attach",
    params(("id" = String, Path, description = "The session's id."), AttachQuery),
    responses(
        (status = 101, description = "The conversation begins."),
        (status = 401, body = crate::http::openapi::Problem), (status = 404, body = crate::http::openapi::Problem),
        (status = 426, body = crate::http::openapi::Problem, description = "Not a WebSocket request."),
        (status = 429, body = crate::http::openapi::Problem, description = "`too-many-attachments`"),
    ),
    extensions(("x-permit" = json!("watch-terminal"))),
)]
pub(crate) async fn attach(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Query(query): Query<AttachQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let share = doors.attachments().take(&caller.person).ok_or_else(|| {
        let detail = "You have too many terminals open at once. Close some tabs, then try again.";
        Refused::too_many("too-many-attachments", detail)
    })?;
    // Whether it may be asked is answered before how: an id that is not the caller's own looks absent in every form.
    let plain = upgrade.as_ref().is_ok_and(|upgrade| {
        !upgrade
            .requested_protocols()
            .any(|protocol| protocol.as_bytes() == wire::SUBPROTOCOL.as_bytes())
    });
    let Ok(upgrade) = upgrade else {
        doors.engine().terminals(&caller, &SessionId::new(&*id)).await?;
        let detail = "This address is a WebSocket: ask for an upgrade.";
        return Err(Refused::new(StatusCode::UPGRADE_REQUIRED, "upgrade-required", detail));
    };
    let AttachQuery {
        terminal,
        client,
        since,
        epoch,
        history,
    } = query;
    let ask = AttachAsk {
        terminal,
        client,
        since,
        epoch,
        history,
        plain,
    };
    // Attached before the upgrade, so that a refusal is an answer that a client can read.
    let attachment = doors.engine().attach(&caller, &SessionId::new(id), ask).await?;
    let (stop, tasks) = (doors.stop().clone(), doors.tasks().clone());
    let ended = tracing::Span::current();
    Ok(upgrade
        .protocols([wire::SUBPROTOCOL, PLAIN])
        // Clients type little: a large buffer for each would be most of what an idle socket costs.
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(wire::MAX_CLIENT_MESSAGE)
        .max_frame_size(wire::MAX_CLIENT_MESSAGE)
        .on_upgrade(async move |socket| {
            let counted = Counted::new("sandbox_attachments");
            let end = tasks.track_future(pump::run(socket, attachment, plain, stop)).await;
            ended.in_scope(|| tracing::debug!(?end, "detached"));
            drop((counted, share));
        }))
}
