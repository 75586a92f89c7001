//! `GET /api/v1/events`: what changes, as it changes, as server-sent events. An event has the position in the outbox as
//! its id, so that a reader goes on where it was; touches are not remembered and have none.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

use crate::{
    doors::Doors,
    http::{
        extract::{Me, Query},
        problem::{Answer, Refused},
    },
    metrics::Counted,
};
use axum::{
    Router,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
    routing::get,
};
use core::{convert::Infallible, time::Duration};
use domain::event::{Live, Touched};
use futures::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

/// Proxies and browsers give up a connection on which nothing moves.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After this long a stream ends and the reader comes back where it was: with a login or token that still holds.
const LASTS: Duration = Duration::from_secs(10 * 60);
/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) fn router() -> Router<Doors> {
    Router::new().route("/api/v1/events", get(events))
}

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Begin {
    /// The position after which to begin; `Last-Event-ID` goes before it. Without either: from now on.
    after: Option<i64>,
}

/// Follows what happens.
///
/// Server-sent events: the name is the event's type, the data the platform's envelope, the id its position. `touched`
/// (without an id) says that something which is not remembered changed; `missed` that the reader was away for too long
/// and asks for everything.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", operation_id = "events",
    params(Begin, ("Last-Event-ID" = Option<i64>, Header, description = "The last position that was read.")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 401, body = crate::http::openapi::Problem),
        (status = 429, body = crate::http::openapi::Problem, description = "`too-many-readers`"),
    ),
    extensions(("x-permit" = json!("see-events"))),
)]
pub(crate) async fn events(
    State(doors): State<Doors>,
    Me(caller): Me,
    Query(Begin { after }): Query<Begin>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let share = doors.readers().take(&caller.person).ok_or_else(|| {
        let detail = "You have too many live pages open at once. Close some tabs, then try again.";
        Refused::too_many("too-many-readers", detail)
    })?;
    let last = match headers.get("last-event-id") {
        None => None,
        Some(id) => Some(id.to_str().ok().and_then(|id| id.trim().parse().ok()).ok_or_else(|| {
            Refused::invalid("invalid-position", "Last-Event-ID is a position that was read here.").at("Last-Event-ID")
        })?),
    };
    let live = doors.engine().live(&caller, last.or(after)).await?;
    let counted = Counted::new("sandbox_event_readers");
    let first = stream::once(async { Event::default().comment("here").retry(RETRY) });
    let events = first
        .chain(ReceiverStream::new(live).map(written))
        .take_until(over(doors.stop().clone()))
        .map(move |event| {
            let _held = (&share, &counted);
            Ok(event)
        });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// Returns when a stream has lasted long enough, or the server stops.
async fn over(stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(LASTS) => {}
    }
}

fn written(live: Live) -> Event {
    let event = match live {
        Live::Event { position, event } => Event::default()
            .id(position.to_string())
            .event(&event.kind)
            .json_data(&event),
        Live::Touched {
            what: Touched::Session(id),
        } => Event::default().event("touched").json_data(json!({ "session": id })),
        Live::Touched {
            what: Touched::Agent(slug),
        } => Event::default().event("touched").json_data(json!({ "agent": slug })),
        Live::Missed => Event::default().event("missed").json_data(json!({})),
    };
    // An event is plain data; were it not, the reader would still learn that it has to ask.
    event.unwrap_or_else(|_| Event::default().event("missed").data("{}"))
}
