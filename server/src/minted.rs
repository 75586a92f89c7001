//! The form of a new token, sent without scripts: the answer is a plain page with the secret, this once. What is kept by
//! nobody is in the answer's body and nowhere else: no address, no cookie, no cache.

use crate::{
    doors::Doors,
    forms::{self, Fields},
    html::{self, escaped},
    http::{extract::Me, problem::Refused, spend},
    sign_in,
};
use app::{MADE, MINT, fault::Fault, typed::Sending};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::{
    Caller,
    token::{Mint, Minted},
};
use http::{HeaderValue, StatusCode, header};

/// The page of the form.
const FORM: &str = "/settings";

pub(crate) fn router() -> Router<Doors> {
    // Whoever asks for the address by itself wanted the form.
    Router::new().route(MADE, post(mint).get(async || Redirect::to(FORM)))
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
        Ok(minted) => shown(&doors, &minted),
        Err(refused) => {
            let fault = fault(refused, &caller);
            forms::back(&doors, Sending::refused(FORM, MINT, &fault, fields))
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

fn shown(doors: &Doors, Minted { secret, token }: &Minted) -> Response {
    let body = format!(
        "<h1>{} is made</h1><p>Copy it now: it is not shown again.</p><p><code>{}</code></p>\
         <p>It ends {}.</p><p><a href=\"{FORM}\">Back to the settings</a></p>",
        escaped(&token.name),
        escaped(secret),
        escaped(&token.expires_at.rfc3339()),
    );
    let mut response = html::page(doors, StatusCode::OK, "New token", "", &body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
