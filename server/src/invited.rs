//! The forms whose answer is a link to join, sent without scripts: an invitation, and a new Organization with its first
//! owner. The link is in a plain page, this once, and nowhere else: no address, no cookie, no cache.

use crate::{
    doors::Doors,
    forms::{self, Fields},
    html::{self, escaped},
    http::{extract::Me, problem::Refused, spend},
    sign_in,
};
use app::{
    fault::Fault,
    forms::{FOUND, FOUNDED, INVITE, INVITED, founding, inviting},
    typed::Sending,
};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::{Caller, OrgId, invitation::Invited};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

/// The pages of the forms.
const MEMBERS: &str = "/org/members";
const FLEET: &str = "/fleet";

pub(crate) fn router() -> Router<Doors> {
    // Whoever asks for the addresses by themselves wanted the forms.
    Router::new()
        .route(INVITED, post(invite).get(async || Redirect::to(MEMBERS)))
        .route(FOUNDED, post(found).get(async || Redirect::to(FLEET)))
}

async fn invite(
    State(doors): State<Doors>,
    me: Option<Me>,
    uri: Uri,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(MEMBERS).into_response();
    };
    let org = OrgId::new(one(&fields, "org").unwrap_or_default());
    // Back to the list of the Organization that is meant, where it is not the reader's own.
    let page = if org == caller.org {
        MEMBERS.to_owned()
    } else {
        format!("{MEMBERS}?of={}", sign_in::encoded(org.as_str()))
    };
    let done = match spend(&doors, &caller.person) {
        Ok(()) => match inviting(|name| one(&fields, name)) {
            Ok(invite) => doors
                .engine()
                .invite(&caller, &org, invite)
                .await
                .map_err(Refused::from),
            Err(problem) => Err(engine::Error::from(problem).into()),
        },
        Err(refused) => Err(refused),
    };
    match done {
        Ok(invited) => shown(&doors, &here(&doors, &headers, &uri), &invited, &page),
        Err(refused) => back(&doors, &caller, &page, INVITE, refused, fields),
    }
}

async fn found(
    State(doors): State<Doors>,
    me: Option<Me>,
    uri: Uri,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(FLEET).into_response();
    };
    let done = match spend(&doors, &caller.person) {
        Ok(()) => match founding(|name| one(&fields, name)) {
            Ok(found) => {
                let founded = doors.engine().found_org(&caller, found).await;
                founded.map(|(_, invited)| invited).map_err(Refused::from)
            }
            Err(problem) => Err(engine::Error::from(problem).into()),
        },
        Err(refused) => Err(refused),
    };
    match done {
        Ok(invited) => shown(&doors, &here(&doors, &headers, &uri), &invited, FLEET),
        Err(refused) => back(&doors, &caller, FLEET, FOUND, refused, fields),
    }
}

fn one(fields: &Fields, name: &str) -> Option<String> {
    let field = fields.iter().find(|(field, _)| field == name);
    field.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
}

fn back(doors: &Doors, caller: &Caller, page: &str, form: &str, refused: Refused, fields: Fields) -> Response {
    let fault = Fault {
        status: refused.status().as_u16(),
        problem: refused.into_problem(),
        request: caller.request.clone(),
    };
    forms::back(doors, Sending::refused(page, form, &fault, fields))
}

/// The address under which the asker reaches this site: whoever is invited will too.
fn here(doors: &Doors, headers: &HeaderMap, uri: &Uri) -> String {
    doors.origins().here(headers, uri, doors.front())
}

fn shown(doors: &Doors, here: &str, Invited { secret, invitation }: &Invited, page: &str) -> Response {
    let link = format!("{here}/join/{secret}");
    let said = if invitation.letter.is_some() {
        "A letter is on its way. The link, should it not arrive; it is not shown again:"
    } else {
        "Send them this link now: it is not shown again."
    };
    let body = format!(
        "<h1>{} is invited</h1><p>{said}</p><p><code>{}</code></p>\
         <p>It gives one seat in {}, once, and ends {}.</p><p><a href=\"{}\">Back</a></p>",
        escaped(&invitation.email),
        escaped(&link),
        escaped(invitation.org.as_str()),
        escaped(&invitation.expires_at.rfc3339()),
        escaped(page),
    );
    let mut response = html::page(doors, StatusCode::OK, "Invitation", "", &body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
