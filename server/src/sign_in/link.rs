//! Linking another identity to whoever is signed in: out to the provider, back with what it has proven, and the question
//! whether that is meant. Plain forms, like signing in.

use super::{from, guess, provider, quiet};
use crate::{
    doors::Doors,
    html::{self, escaped},
    http::{extract::Me, problem::Refused},
    peer::Peer,
    trace::RequestId,
};
use axum::{
    Extension, Form, Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::{Caller, way::Proposal};
use engine::FLOW_SECONDS;
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;

/// Where the ways to sign in are shown.
const WAYS: &str = "/settings#ways";

pub(super) fn router() -> Router<Doors> {
    Router::new()
        .route("/auth/link", post(confirm))
        .route("/auth/link/{provider}", post(begin))
}

async fn begin(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    me: Option<Me>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(Me(caller)) = me else {
        return super::detour("/settings").into_response();
    };
    if let Err(sentence) = guess(&doors, &from(&doors, &peer, &request, &headers)) {
        return refuse(&doors, StatusCode::TOO_MANY_REQUESTS, sentence);
    }
    let Some(origin) = doors.origins().address(&headers, &uri, doors.front()) else {
        let sentence = "The address that you asked for has no host. Open the console by its address.";
        return refuse(&doors, StatusCode::BAD_REQUEST, sentence);
    };
    let redirect = format!("{origin}/auth/callback/{id}");
    match doors.engine().begin_link(&caller, &id, &redirect).await {
        Ok(begun) => {
            let cookie = provider::flow_cookie_written(&begun.tag, &begun.browser, FLOW_SECONDS, doors.front());
            // No redirect: browsers hold a form to the sites that its page may send forms to, all the way.
            let body = format!(
                "<meta http-equiv=\"refresh\" content=\"0;url={0}\"><h1>Link another identity</h1>\
                 <p>Sign in as the one that you want to link.</p><p><a class=\"button\" href=\"{0}\">Go on</a></p>",
                escaped(&begun.url)
            );
            let page = html::page(&doors, StatusCode::OK, "Link another identity", "", &body);
            quiet(([(header::SET_COOKIE, cookie)], page).into_response())
        }
        Err(error) => refused(&doors, error),
    }
}

/// Asks whether what the provider has proven is meant: whoever is signed in there may be somebody else.
pub(super) fn question(doors: &Doors, caller: &Caller, proposal: &Proposal) -> Response {
    let body = format!(
        "<h1>Link this identity?</h1><p>{label} says that you are <b>{shown}</b> there. Once linked, whoever signs in as \
         {shown} with {label} is you here, {name} ({email}).</p>\
         <form method=\"post\" action=\"/auth/link\"><input type=\"hidden\" name=\"secret\" value=\"{secret}\">\
         <button>Link {shown}</button></form>\
         <p class=\"faint\">Is this somebody else? <a href=\"{WAYS}\">Link nothing</a>, sign out at {label}, and begin \
         again.</p>",
        label = escaped(&proposal.label),
        shown = escaped(&proposal.shown),
        name = escaped(&caller.name),
        email = escaped(&caller.email),
        secret = escaped(&proposal.secret),
    );
    quiet(html::page(doors, StatusCode::OK, "Link this identity", "", &body))
}

#[derive(Deserialize)]
struct Meant {
    secret: String,
}

async fn confirm(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    me: Option<Me>,
    headers: HeaderMap,
    Form(Meant { secret }): Form<Meant>,
) -> Response {
    let Some(Me(caller)) = me else {
        return super::detour("/settings").into_response();
    };
    if let Err(sentence) = guess(&doors, &from(&doors, &peer, &request, &headers)) {
        return refuse(&doors, StatusCode::TOO_MANY_REQUESTS, sentence);
    }
    match doors.engine().confirm_link(&caller, &secret).await {
        Ok(()) => quiet(Redirect::to(WAYS).into_response()),
        Err(error) => refused(&doors, error),
    }
}

fn refused(doors: &Doors, error: engine::Error) -> Response {
    let refused = Refused::from(error);
    refuse(doors, refused.status(), refused.detail())
}

/// Somebody who is signed in came back from a provider, to link something or to sign in anew, and it did not work: they
/// stay who they are.
pub(super) fn unchanged(doors: &Doors, caller: &Caller, error: engine::Error) -> Response {
    let refused = Refused::from(error);
    let body = format!(
        "<h1>Nothing has changed</h1><p role=\"alert\">{}</p><p>You are still signed in as {}.</p>\
         <p><a href=\"{WAYS}\">To the settings</a></p>",
        escaped(refused.detail()),
        escaped(&caller.email),
    );
    quiet(html::page(doors, refused.status(), "Nothing has changed", "", &body))
}

fn refuse(doors: &Doors, status: StatusCode, sentence: &str) -> Response {
    let body = format!(
        "<h1>Nothing was linked</h1><p role=\"alert\">{}</p><p><a href=\"{WAYS}\">To the settings</a></p>",
        escaped(sentence)
    );
    quiet(html::page(doors, status, "Nothing was linked", "", &body))
}
