//! SCIM 2.0 (RFC 7643, RFC 7644), under `/scim/v2`: the door of an Organization's directory. Which Organization is meant is
//! said by the token alone; it opens nothing else, and no other token, and no cookie, opens this.

mod about;
mod answer;
mod ask;
mod groups;
mod search;
mod users;

use crate::{doors::Doors, peer::Peer, trace::RequestId};
use answer::Refusal;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::directory::Directory;
use http::{HeaderMap, StatusCode, header};
use std::time::Instant;

/// Where it is.
pub(crate) const ROOT: &str = "/scim/v2";

/// The largest body, in bytes: a change of a group names a thousand members and more.
const BODY_MAX: usize = 1 << 20;

/// The routes, with all that they pass through.
pub(crate) fn router(doors: &Doors) -> Router<Doors> {
    let inner = Router::new()
        .route("/ServiceProviderConfig", get(about::config))
        .route("/ResourceTypes", get(about::types))
        .route("/ResourceTypes/{id}", get(about::one_type))
        .route("/Schemas", get(about::schemas))
        .route("/Schemas/{id}", get(about::one_schema))
        .route("/.search", post(search::all))
        .route("/Users", get(users::list).post(users::create))
        .route(
            "/Users/{id}",
            get(users::show)
                .put(users::replace)
                .patch(users::patch)
                .delete(users::delete),
        )
        .route("/Users/.search", post(users::search))
        .route("/Groups/.search", post(groups::search))
        .route("/Groups", get(groups::list).post(groups::create))
        .route(
            "/Groups/{id}",
            get(groups::show)
                .put(groups::replace)
                .patch(groups::patch)
                .delete(groups::delete),
        )
        .fallback(nothing_here)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(doors.clone(), who_asks));
    Router::new().nest(ROOT, inner)
}

/// Puts the [`Directory`] into the request's extensions; whoever is none is refused here. Wrong tokens are counted by where
/// they come from.
async fn who_asks(State(doors): State<Doors>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let address = peer.map(|peer| peer.address(doors.front(), request.headers()).to_string());
    let directory = match identify(&doors, request.headers(), address.as_deref()).await {
        Ok(directory) => directory,
        Err(refusal) => return refusal.into_response(),
    };
    if let Err(wait) = doors.directories().take(directory.token.as_str(), Instant::now()) {
        return Refusal::too_many(wait).into_response();
    }
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    request.extensions_mut().insert(Directory {
        request: id,
        address,
        ..directory
    });
    match tokio::time::timeout(doors.request_timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "This took too long. It may still come about: look, then try again.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
    }
}

async fn identify(doors: &Doors, headers: &HeaderMap, address: Option<&str>) -> Result<Directory, Refusal> {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = said
        .and_then(|said| said.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return Err(Refusal::unauthenticated());
    };
    match doors.engine().directory_of_token(token).await {
        Ok(Some(directory)) => return Ok(directory),
        Ok(None) => {}
        Err(error) => {
            // One that rests says why to whoever asks as often as a directory may, and no oftener.
            let often = doors.directories().take(address.unwrap_or_default(), Instant::now());
            return Err(often.map_or_else(Refusal::too_many, |()| error.into()));
        }
    }
    match doors.wrong_tokens().take(address.unwrap_or_default(), Instant::now()) {
        Ok(()) => Err(Refusal::unauthenticated()),
        Err(wait) => Err(Refusal::too_many(wait)),
    }
}

async fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "There is nothing at this address.")
}

async fn no_such_method() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address does not know that method.",
    )
}
