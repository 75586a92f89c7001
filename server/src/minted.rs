//! The forms of new tokens, a person's and a directory's, sent without scripts: the answer is a plain page with the secret, this once. What is kept by
//! nobody is in the answer's body and nowhere else: no address, no cookie, no cache.

use crate::{
    doors::Doors,
    forms::{self, Fields},
    html::{self, escaped},
    http::{extract::Me, problem::Refused, spend},
    sign_in,
};
use app::{DIRECTORY_MADE, DIRECTORY_MINT, MADE, MINT, fault::Fault, typed::Sending};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::{
    Caller, OrgId, Timestamp,
    token::{Mint, Minted},
};
use http::{HeaderValue, StatusCode, header};

/// The page of the form.
const FORM: &str = "/settings";
/// The page of the directory's form.
const OF_ORG: &str = "/org/settings";

pub(crate) fn router() -> Router<Doors> {
    // Whoever asks for the address by itself wanted the form.
    Router::new()
        .route(MADE, post(mint).get(async || Redirect::to(FORM)))
        .route(DIRECTORY_MADE, post(mint_directory).get(async || Redirect::to(OF_ORG)))
}

async fn mint(State(doors): State<Doors>, me: Option<Me>, Form(fields): Form<Fields>) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(FORM).into_response();
    };
    let asked = asked(&fields);
    let minted = match spend(&doors, &caller.person) {
        Ok(()) => doors.engine().mint_token(&caller, asked).await.map_err(Refused::from),
        Err(refused) => Err(refused),
    };
    match minted {
        Ok(Minted { secret, token }) => shown(&doors, &token.name, &secret, token.expires_at, FORM),
        Err(refused) => {
            let fault = fault(refused, &caller);
            forms::back(&doors, Sending::refused(FORM, MINT, &fault, fields))
        }
    }
}

async fn mint_directory(State(doors): State<Doors>, me: Option<Me>, Form(fields): Form<Fields>) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(OF_ORG).into_response();
    };
    let said = |wanted: &str| {
        fields
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let org = OrgId::new(said("org").unwrap_or_default());
    // Only a slug is written into the address.
    let page = match domain::org::slug(org.as_str()) {
        Ok(_) => format!("{OF_ORG}?of={org}"),
        Err(_) => OF_ORG.to_owned(),
    };
    let days = said("days").and_then(|days| days.parse().ok());
    let minted = match spend(&doors, &caller.person) {
        Ok(()) => {
            let (engine, name) = (doors.engine(), said("name").unwrap_or_default());
            let minted = engine.mint_directory_token(&caller, &org, name, days).await;
            minted.map_err(Refused::from)
        }
        Err(refused) => Err(refused),
    };
    match minted {
        Ok(minted) => shown(
            &doors,
            &minted.token.name,
            &minted.secret,
            minted.token.expires_at,
            &page,
        ),
        Err(refused) => {
            let fault = fault(refused, &caller);
            forms::back(&doors, Sending::refused(&page, DIRECTORY_MINT, &fault, fields))
        }
    }
}

/// What the form asks for. No box ticked is all that the person holds, as the form says.
fn asked(fields: &Fields) -> Mint {
    let all = |wanted: &'static str| {
        let named = fields.iter().filter(move |(name, _)| name == wanted);
        named.map(|(_, value)| value.clone())
    };
    Mint {
        name: all("name").next().unwrap_or_default(),
        ttl_hours: all("ttl_hours").next().and_then(|hours| hours.parse().ok()),
        capabilities: all("capabilities[]").collect(),
    }
}

fn fault(refused: Refused, caller: &Caller) -> Fault {
    Fault {
        status: refused.status().as_u16(),
        problem: refused.into_problem(),
        request: caller.request.clone(),
    }
}

fn shown(doors: &Doors, name: &str, secret: &str, ends_at: Timestamp, back: &str) -> Response {
    let body = format!(
        "<h1>{} is made</h1><p>Copy it now: it is not shown again.</p><p><code>{}</code></p>\
         <p>It ends {}.</p><p><a href=\"{}\">Back to the settings</a></p>",
        escaped(name),
        escaped(secret),
        escaped(&ends_at.rfc3339()),
        escaped(back),
    );
    let mut response = html::page(doors, StatusCode::OK, "New token", "", &body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
