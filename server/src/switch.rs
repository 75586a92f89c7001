//! Asking in the name of another of one's Organizations: a plain form, which works before any script.

use crate::{
    doors::Doors,
    http::{
        extract::Me,
        gate::{COOKIE, cookie_named},
        problem::Refused,
    },
};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::{OrgId, SessionId};
use http::HeaderMap;
use identity::is_safe_redirect;
use serde::Deserialize;

pub(crate) fn router() -> Router<Doors> {
    Router::new().route("/switch", post(switch))
}

#[derive(Deserialize)]
struct Switch {
    org: OrgId,
    #[serde(default)]
    next: String,
}

async fn switch(
    State(doors): State<Doors>,
    Me(caller): Me,
    headers: HeaderMap,
    Form(Switch { org, next }): Form<Switch>,
) -> Response {
    if let Err(error) = doors.engine().switch(&caller, &org).await {
        return Refused::from(error).into_response();
    }
    Redirect::to(&place(&doors, &headers, &next).await).into_response()
}

/// The same page where it exists in the other Organization, else the start page.
async fn place(doors: &Doors, headers: &HeaderMap, next: &str) -> String {
    let start = || "/".to_owned();
    if !is_safe_redirect(next) {
        return start();
    }
    let Some(rest) = next.strip_prefix("/sessions/") else {
        return next.to_owned();
    };
    let id = SessionId::new(rest.split(['/', '?', '#']).next().unwrap_or_default());
    let cookie = cookie_named(headers, COOKIE);
    let caller = match cookie {
        Some(cookie) => doors.engine().caller_of_cookie(cookie).await.ok().flatten(),
        None => None,
    };
    match caller {
        Some(caller) if doors.engine().show(&caller, &id).await.is_ok() => next.to_owned(),
        _ => start(),
    }
}
