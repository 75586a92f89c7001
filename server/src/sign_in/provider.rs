//! Signing in with an identity provider: out to it, back from it, and its word that somebody has signed out.

use super::{Next, form, from, guess, link, quiet, welcome};
use crate::{
    doors::Doors,
    html::{self, escaped},
    http::{extract::Me, gate::cookie_named, problem::Refused},
    peer::Peer,
    trace::RequestId,
};
use axum::{
    Extension, Form, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use engine::{Arrived, FLOW_SECONDS, ports::Answer};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use identity::Front;
use serde::Deserialize;
use std::fmt::Write as _;

pub(super) fn router() -> Router<Doors> {
    Router::new()
        .route("/auth/begin/{provider}", get(begin))
        .route("/auth/callback/{provider}", get(back))
        .route("/auth/backchannel-logout/{provider}", post(signed_out))
}

/// A button for each provider.
pub(super) fn buttons(doors: &Doors, next: &Next) -> String {
    let mut body = String::new();
    for provider in doors.engine().providers() {
        let _ = write!(
            body,
            "<p><a class=\"button\" href=\"/auth/begin/{}{}\">Sign in with {}</a></p>",
            super::encoded(&provider.id),
            escaped(&next.query()),
            escaped(&provider.label),
        );
        if let Some(trouble) = &provider.trouble {
            let _ = write!(body, "<p class=\"faint\" role=\"status\">{}</p>", escaped(trouble));
        }
    }
    body
}

/// The name of the cookie that binds a sign-in to its browser.
fn flow_cookie(tag: &str) -> String {
    format!("sandbox_flow_{tag}")
}

pub(super) fn flow_cookie_written(tag: &str, value: &str, seconds: i64, front: Front) -> HeaderValue {
    let secure = if front == Front::Tls { "; Secure" } else { "" };
    let name = flow_cookie(tag);
    // Lax: the provider sends the browser back from another site.
    let text = format!("{name}={value}; Path=/auth; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

async fn begin(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    Path(provider): Path<String>,
    Query(next): Query<Next>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let from = from(&doors, &peer, &request, &headers);
    if let Err(sentence) = guess(&doors, &from) {
        return form(&doors, StatusCode::TOO_MANY_REQUESTS, &next, Some(sentence));
    }
    let Some(origin) = doors.origins().address(&headers, &uri, doors.front()) else {
        let sentence = "The address that you asked for has no host. Open the console by its address.";
        return form(&doors, StatusCode::BAD_REQUEST, &next, Some(sentence));
    };
    let redirect = format!("{origin}/auth/callback/{provider}");
    match doors.engine().begin_sign_in(&provider, next.path(), &redirect).await {
        Ok(begun) => {
            let cookie = flow_cookie_written(&begun.tag, &begun.browser, FLOW_SECONDS, doors.front());
            quiet(([(header::SET_COOKIE, cookie)], Redirect::to(&begun.url)).into_response())
        }
        Err(error) => refuse(&doors, &next, error),
    }
}

/// What a provider sends a browser back with.
#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn back(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    me: Option<Me>,
    Path(provider): Path<String>,
    Query(answer): Query<Back>,
    headers: HeaderMap,
) -> Response {
    let from = from(&doors, &peer, &request, &headers);
    if let Err(sentence) = guess(&doors, &from) {
        return form(
            &doors,
            StatusCode::TOO_MANY_REQUESTS,
            &Next { next: None },
            Some(sentence),
        );
    }
    let tag = doors.engine().sign_in_tag(&answer.state);
    let name = flow_cookie(&tag);
    let said = Answer {
        code: answer.code,
        error: answer.error,
        iss: answer.iss,
    };
    let browser = cookie_named(&headers, &name);
    let arrived = doors
        .engine()
        .finish_sign_in(
            &provider,
            &answer.state,
            browser,
            &said,
            me.as_ref().map(|Me(caller)| caller),
            &from,
        )
        .await;
    let used_up = flow_cookie_written(&tag, "", 0, doors.front());
    let mut response = match (arrived, me) {
        (Ok(Arrived::Proposed(proposal)), Some(Me(caller))) => link::question(&doors, &caller, &proposal),
        (Ok(Arrived::Proposed(_)), None) => Refused::unauthenticated().into_response(),
        (Ok(Arrived::SignedIn { signed_in, next }), me) => {
            // Whoever was signed in here before is not any more: one browser is one person.
            if let Some(Me(before)) = me
                && let Err(error) = doors.engine().sign_out(&before).await
            {
                return Refused::from(error).into_response();
            }
            let next = Next { next: Some(next) };
            quiet(welcome(&doors, &signed_in.cookie, next.path()))
        }
        (Err(error), Some(Me(caller))) => link::unchanged(&doors, &caller, error),
        (Err(error), None) => refuse(&doors, &Next { next: None }, error),
    };
    response.headers_mut().append(header::SET_COOKIE, used_up);
    response
}

fn refuse(doors: &Doors, next: &Next, error: engine::Error) -> Response {
    let refused = Refused::from(error);
    form(doors, refused.status(), next, Some(refused.detail()))
}

#[derive(Deserialize)]
struct Told {
    logout_token: String,
}

/// OpenID Connect Back-Channel Logout 1.0, 2.8: 200 where it was done, 400 where the token is not right.
async fn signed_out(
    State(doors): State<Doors>,
    Path(provider): Path<String>,
    Form(Told { logout_token }): Form<Told>,
) -> Response {
    match doors.engine().signed_out_by_provider(&provider, &logout_token).await {
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(error) => Refused::from(error).into_response(),
    }
}

/// Sends a browser on to sign out at its provider. By a page and not by a redirection: a form of ours may not lead to
/// another site.
pub(super) fn onward(doors: &Doors, url: &str) -> Response {
    let body = format!(
        "<meta http-equiv=\"refresh\" content=\"0;url={0}\"><h1>You are signed out here</h1>\
         <p>Your identity provider signs you out as well.</p><p><a class=\"button\" href=\"{0}\">Go on</a></p>",
        escaped(url)
    );
    quiet(html::page(doors, StatusCode::OK, "Signed out", "", &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_a_sign_in_goes_to_the_answers_address_alone() {
        assert_eq!(
            flow_cookie_written("0a", "x", 600, Front::Tls),
            "sandbox_flow_0a=x; Path=/auth; HttpOnly; SameSite=Lax; Max-Age=600; Secure"
        );
        assert_ne!(flow_cookie("0a"), crate::http::gate::COOKIE);
    }
}
