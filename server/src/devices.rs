//! The page on which a person answers a device that asks to be signed in. Plain forms, like signing in: it works before
//! any script, and on whatever browser is at hand.

use crate::{
    doors::Doors,
    html::{self, escaped},
    http::{extract::Me, problem::Refused},
    peer::Peer,
    sign_in::{detour, encoded, quiet},
};
use axum::{
    Extension, Form, Router,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    Caller,
    device::{Device, TOKEN_TTL_HOURS},
    permit::{Verb, has_capability},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::{fmt::Write as _, time::Instant};

pub(crate) fn router() -> Router<Doors> {
    Router::new().route("/device", get(look).post(answer))
}

/// The code, from the address or a form.
#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
}

async fn look(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    me: Option<Me>,
    headers: HeaderMap,
    Query(Code { code }): Query<Code>,
) -> Response {
    let code = code.trim();
    let Some(Me(caller)) = me else {
        let query = if code.is_empty() {
            String::new()
        } else {
            format!("?code={}", encoded(code))
        };
        return detour(&format!("/device{query}")).into_response();
    };
    if code.is_empty() {
        return form(&doors, StatusCode::OK, "", None);
    }
    if let Err(refused) = guess(&doors, &caller, peer, &headers) {
        return refusal(&doors, code, &refused);
    }
    match doors.engine().device(&caller, code).await {
        Ok((device, granted)) => question(&doors, &caller, code, &device, &granted),
        Err(error) => refusal(&doors, code, &Refused::from(error)),
    }
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    code: String,
    #[serde(default)]
    answer: String,
}

async fn answer(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    me: Option<Me>,
    headers: HeaderMap,
    Form(Answered { code, answer }): Form<Answered>,
) -> Response {
    let code = code.trim();
    let Some(Me(caller)) = me else {
        return detour(&format!("/device?code={}", encoded(code))).into_response();
    };
    if let Err(refused) = guess(&doors, &caller, peer, &headers) {
        return refusal(&doors, code, &refused);
    }
    let engine = doors.engine();
    let done = match answer.as_str() {
        "approve" => engine.approve_device(&caller, code).await.map(|device| {
            let name = escaped(&device.name).into_owned();
            format!(
                "<h1>{name} is signed in</h1><p>Go back to it: it goes on by itself within some seconds. You find its \
                 token, and revoke it, among your tokens in the <a href=\"/settings#tokens\">settings</a>.</p>"
            )
        }),
        "deny" => engine.deny_device(&caller, code).await.map(|device| {
            let name = escaped(&device.name).into_owned();
            format!("<h1>{name} is not signed in</h1><p>It was told so. You can close this page.</p>")
        }),
        _ => return refusal(&doors, code, &Refused::invalid("invalid-answer", "Approve, or deny.")),
    };
    match done {
        Ok(body) => quiet(html::page(&doors, StatusCode::OK, "Sign a device in", "", &body)),
        Err(error) => refusal(&doors, code, &Refused::from(error)),
    }
}

/// Whoever tries codes is stopped long before one of them fits: by who they are, and by where they come from.
fn guess(doors: &Doors, caller: &Caller, peer: Peer, headers: &HeaderMap) -> Result<(), Refused> {
    let (address, now) = (peer.address(doors.front(), headers).to_string(), Instant::now());
    let taken = doors.guesses().take(caller.person.as_str(), now);
    taken
        .and_then(|()| doors.expensive().take(&address, now))
        .map_err(|wait| {
            let detail = format!("There were too many attempts. Try again in {} s.", wait.as_secs() + 1);
            Refused::too_many("too-many-requests", detail)
        })
}

fn form(doors: &Doors, status: StatusCode, code: &str, refused: Option<&str>) -> Response {
    let mut body = String::from("<h1>Sign a device in</h1>");
    if let Some(refused) = refused {
        let _ = write!(body, "<p role=\"alert\">{}</p>", escaped(refused));
    }
    let _ = write!(
        body,
        "<p>Type the code that the device shows.</p>\
         <form method=\"get\" action=\"/device\"><label>Code\
         <input name=\"code\" value=\"{}\" required autofocus autocomplete=\"off\" autocapitalize=\"characters\" \
         spellcheck=\"false\" maxlength=\"20\" placeholder=\"BCDF-GHJK\"></label><button>Go on</button></form>",
        escaped(&code.chars().take(20).collect::<String>()),
    );
    quiet(html::page(doors, status, "Sign a device in", "", &body))
}

fn refusal(doors: &Doors, code: &str, refused: &Refused) -> Response {
    form(doors, refused.status(), code, Some(refused.detail()))
}

fn question(doors: &Doors, caller: &Caller, code: &str, device: &Device, granted: &[String]) -> Response {
    let mut body = format!(
        "<h1>Sign {name} in?</h1><p>It would act as <strong>{email}</strong> in the Organization {org}, for {days} days \
         or until you revoke it.</p><table><tr><th>Device</th><td>{name}</td></tr><tr><th>Asks from</th><td>{address}</td></tr>\
         <tr><th>Code</th><td><code>{code}</code></td></tr></table><p>It will be able to:</p><ul>",
        name = escaped(&device.name),
        email = escaped(&caller.email),
        org = escaped(caller.org.as_str()),
        days = TOKEN_TTL_HOURS / 24,
        address = escaped(&device.address),
        code = escaped(code),
    );
    for verb in Verb::ALL {
        if has_capability(granted, verb.capability()) {
            let _ = write!(body, "<li>{}</li>", escaped(app::verb_words(verb)));
        }
    }
    let _ = write!(
        body,
        "</ul><p><strong>Approve only what you began yourself, just now, on a device in front of you.</strong> Whoever \
         sends you such a code wants to work as you.</p>\
         <form method=\"post\" action=\"/device\"><input type=\"hidden\" name=\"code\" value=\"{}\">\
         <button name=\"answer\" value=\"approve\">Approve</button>\
         <button name=\"answer\" value=\"deny\" class=\"other\">Deny</button></form>",
        escaped(code),
    );
    quiet(html::page(doors, StatusCode::OK, "Sign a device in", "", &body))
}
