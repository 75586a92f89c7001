//! Signing in with a one-time link, and out again. Plain forms: they work before any script, and a link that a chat
//! program previews is not used up by the look.

mod link;
mod provider;

use crate::{
    doors::Doors,
    html::{self, escaped},
    http::{extract::Me, gate::COOKIE, problem::Refused},
    peer::Peer,
    trace::RequestId,
};
use axum::{
    Extension, Form, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::login::LIFETIME_SECONDS;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use identity::{Front, is_safe_redirect};
use serde::Deserialize;
use std::{fmt::Write as _, time::Instant};

pub(crate) fn router() -> Router<Doors> {
    Router::new()
        .route("/sign-in", get(ask).post(pasted))
        .route("/sign-in/{link}", get(confirm).post(redeem))
        .route("/sign-out", post(sign_out))
        .merge(provider::router())
        .merge(link::router())
}

/// Where to go afterwards.
#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

impl Next {
    /// A path of this site; anything else is the start page.
    fn path(&self) -> &str {
        self.next
            .as_deref()
            .filter(|path| is_safe_redirect(path))
            .unwrap_or("/")
    }

    /// The same, as the query of an address.
    fn query(&self) -> String {
        match self.path() {
            "/" => String::new(),
            path => format!("?next={}", encoded(path)),
        }
    }
}

/// Where a page sends who is not signed in.
pub(crate) fn detour(path_and_query: &str) -> Redirect {
    let next = Next {
        next: Some(path_and_query.to_owned()),
    };
    Redirect::to(&format!("/sign-in{}", next.query()))
}

async fn ask(State(doors): State<Doors>, me: Option<Me>, Query(next): Query<Next>) -> Response {
    if me.is_some() {
        return Redirect::to(next.path()).into_response();
    }
    form(&doors, StatusCode::OK, &next, None)
}

fn form(doors: &Doors, status: StatusCode, next: &Next, refused: Option<&str>) -> Response {
    let mut body = String::from("<h1>Sign in</h1>");
    if let Some(refused) = refused {
        let _ = write!(body, "<p role=\"alert\">{}</p>", escaped(refused));
    }
    let buttons = provider::buttons(doors, next);
    // Where people come from a provider, links are for the few who run the machine.
    let (before, after) = match buttons.is_empty() {
        true => ("", ""),
        false => ("<details><summary>Sign in with a one-time link</summary>", "</details>"),
    };
    body.push_str(&buttons);
    let _ = write!(
        body,
        "{before}<p>Open the sign-in link that the server printed when it started. For a new one, run this where it runs:</p>\
         <p><code>sandbox sign-in-link</code></p>\
         <form method=\"post\" action=\"/sign-in{}\"><label>Or paste the link here\
         <input name=\"link\" required autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" maxlength=\"500\"></label>\
         <button>Sign in</button></form>{after}",
        escaped(&next.query()),
    );
    quiet(html::page(doors, status, "Sign in", "", &body))
}

/// Shows a button: only pressing it uses the link up.
async fn confirm(State(doors): State<Doors>, Path(link): Path<String>, Query(next): Query<Next>) -> Response {
    let body = format!(
        "<h1>Sign in to Sandbox</h1><p>This link signs this browser in, once.</p>\
         <form method=\"post\" action=\"/sign-in/{}{}\"><button autofocus>Sign in</button></form>",
        encoded(&link),
        escaped(&next.query()),
    );
    quiet(html::page(&doors, StatusCode::OK, "Sign in", "", &body))
}

#[derive(Deserialize)]
struct Pasted {
    link: String,
}

async fn pasted(
    doors: State<Doors>,
    peer: Extension<Peer>,
    request: Extension<RequestId>,
    next: Query<Next>,
    headers: HeaderMap,
    Form(Pasted { link }): Form<Pasted>,
) -> Response {
    let secret = link.trim().rsplit('/').next().unwrap_or_default();
    let secret = secret.split(['?', '#']).next().unwrap_or_default().to_owned();
    redeem(doors, peer, request, Path(secret), next, headers).await
}

async fn redeem(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    Path(link): Path<String>,
    Query(next): Query<Next>,
    headers: HeaderMap,
) -> Response {
    let from = from(&doors, &peer, &request, &headers);
    if let Err(sentence) = guess(&doors, &from) {
        return form(&doors, StatusCode::TOO_MANY_REQUESTS, &next, Some(sentence));
    }
    match doors.engine().sign_in(&link, &from).await {
        Ok(signed_in) => quiet(welcome(&doors, &signed_in.cookie, next.path())),
        Err(error) => {
            let refused = Refused::from(error);
            form(&doors, refused.status(), &next, Some(refused.detail()))
        }
    }
}

/// Where a request comes from, as far as it can be known.
pub(crate) fn from(doors: &Doors, peer: &Peer, request: &RequestId, headers: &HeaderMap) -> engine::From {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    engine::From {
        user_agent: agent.chars().take(300).collect(),
        address: peer.address(doors.front(), headers).to_string(),
        request: Some(request.0.clone()),
    }
}

/// Counts an attempt to guess a secret, and refuses one too many from one address.
pub(crate) fn guess(doors: &Doors, from: &engine::From) -> Result<(), &'static str> {
    match doors.expensive().take(&from.address, Instant::now()) {
        Ok(()) => Ok(()),
        Err(_) => Err("There were too many attempts from your address. Wait a minute, then try again."),
    }
}

/// Gives the browser its cookie and sends it on to a path of this site.
pub(crate) fn welcome(doors: &Doors, cookie: &str, path: &str) -> Response {
    let cookie = written(cookie, LIFETIME_SECONDS, doors.front());
    ([(header::SET_COOKIE, cookie)], Redirect::to(path)).into_response()
}

/// Ends the login, and takes the cookie away even where there was none. Who came from a provider is sent on to sign out
/// there.
async fn sign_out(State(doors): State<Doors>, me: Option<Me>, uri: Uri, headers: HeaderMap) -> Response {
    let mut there = None;
    if let Some(Me(caller)) = me {
        let origin = doors
            .origins()
            .address(&headers, &uri, doors.front())
            .unwrap_or_default();
        match doors.engine().leave(&caller, &format!("{origin}/sign-in")).await {
            Ok(url) => there = url,
            Err(error) => return Refused::from(error).into_response(),
        }
    }
    let mut response = match there {
        Some(url) => provider::onward(&doors, &url),
        None => Redirect::to("/sign-in").into_response(),
    };
    let gone = written("", 0, doors.front());
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

/// The cookie's header. Never readable by a script, never sent along by another site's form.
fn written(cookie: &str, seconds: i64, front: Front) -> HeaderValue {
    let secure = if front == Front::Tls { "; Secure" } else { "" };
    let text = format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The address of these pages holds a secret: it is told to nobody and kept nowhere. The origin is still told, because
/// under `no-referrer` a browser hides it from us too, and then nothing says that the form was our own.
pub(crate) fn quiet(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Text as one value of an address's path or query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let plain = written("sbc_1", 60, Front::Nothing);
        assert_eq!(plain, "sandbox_login=sbc_1; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        assert!(
            written("sbc_1", 60, Front::Tls)
                .to_str()
                .expect("text")
                .ends_with("; Secure")
        );
    }

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        let next = |path: &str| Next {
            next: Some(path.to_owned()),
        };
        assert_eq!(next("/sessions/a?b=c").path(), "/sessions/a?b=c");
        assert_eq!(next("/sessions/a?b=c").query(), "?next=/sessions/a%3Fb%3Dc");
        for elsewhere in ["//evil.test", "https://evil.test", "/\\evil.test", ""] {
            assert_eq!(next(elsewhere).path(), "/", "{elsewhere}");
        }
    }
}
