//! Accepting an invitation. Plain forms, like signing in: the first page that a new member sees works in every browser,
//! and a link that a chat program previews is not used up by the look.

use crate::{
    doors::Doors,
    html::{self, escaped},
    http::{extract::Me, problem::Refused},
    peer::Peer,
    sign_in::{encoded, from, guess, quiet, welcome},
    trace::RequestId,
};
use axum::{
    Extension, Form, Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use domain::{Caller, Role, caller::INSTALLATION, member::NAME_MAX};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::fmt::Write as _;

pub(crate) fn router() -> Router<Doors> {
    Router::new().route("/join/{link}", get(show).post(join))
}

/// Says what one is invited to; only pressing the button uses the link up.
async fn show(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    Path(link): Path<String>,
    me: Option<Me>,
    headers: HeaderMap,
) -> Response {
    if let Err(sentence) = guess(&doors, &from(&doors, &peer, &request, &headers)) {
        return refused(&doors, StatusCode::TOO_MANY_REQUESTS, sentence);
    }
    form(
        &doors,
        &link,
        me.as_ref().map(|Me(caller)| caller),
        StatusCode::OK,
        None,
    )
    .await
}

#[derive(Deserialize)]
struct Joining {
    /// The name of somebody new.
    #[serde(default)]
    name: String,
    /// Whether whoever is signed in joins, rather than somebody new.
    #[serde(default)]
    me: Option<String>,
}

async fn join(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    Path(link): Path<String>,
    me: Option<Me>,
    headers: HeaderMap,
    Form(Joining { name, me: as_me }): Form<Joining>,
) -> Response {
    let from = from(&doors, &peer, &request, &headers);
    if let Err(sentence) = guess(&doors, &from) {
        return refused(&doors, StatusCode::TOO_MANY_REQUESTS, sentence);
    }
    let engine = doors.engine();
    let caller = me.map(|Me(caller)| caller);
    let joined = match (&caller, as_me) {
        (Some(caller), Some(_)) => match engine.join_too(caller, &link).await {
            Ok(org) => engine
                .switch(caller, &org)
                .await
                .map(|()| Redirect::to("/").into_response()),
            Err(error) => Err(error),
        },
        _ => engine
            .join(&link, &name, &from)
            .await
            .map(|signed_in| welcome(&doors, &signed_in.cookie, "/")),
    };
    match joined {
        Ok(response) => quiet(response),
        Err(error) => {
            let problem = Refused::from(error);
            form(&doors, &link, caller.as_ref(), problem.status(), Some(problem.detail())).await
        }
    }
}

async fn form(doors: &Doors, link: &str, me: Option<&Caller>, status: StatusCode, wrong: Option<&str>) -> Response {
    let (invitation, org) = match doors.engine().invitation(link).await {
        Ok(found) => found,
        Err(error) => {
            let problem = Refused::from(error);
            return refused(doors, problem.status(), wrong.unwrap_or(problem.detail()));
        }
    };
    let invites = if invitation.by == INSTALLATION {
        format!("{} is invited", escaped(&invitation.email))
    } else {
        format!("{} invites {}", escaped(&invitation.by), escaped(&invitation.email))
    };
    let mut body = format!(
        "<h1>Join {}</h1><p>{invites} to {} on Sandbox, as {}.</p>",
        escaped(&org.display_name),
        escaped(&org.display_name),
        in_words(invitation.role),
    );
    if let Some(end) = invitation.seat_ends_at {
        let day: String = end.rfc3339().chars().take(10).collect();
        let _ = write!(body, "<p>The seat ends by itself on {day}.</p>");
    }
    if let Some(wrong) = wrong {
        let _ = write!(body, "<p role=\"alert\" id=\"wrong\">{}</p>", escaped(wrong));
    }
    let action = format!("/join/{}", encoded(link));
    if let Some(me) = me {
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"me\" value=\"yes\">\
             <button>Join as {}</button></form><p class=\"faint\">You are signed in as {}. To join as somebody else, sign \
             out first.</p>",
            escaped(&me.name),
            escaped(&me.email),
        );
    } else {
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{action}\"><label>Your name, as colleagues see it\
             <input name=\"name\" required maxlength=\"{NAME_MAX}\" autocomplete=\"name\"{}></label>\
             <button>Join {}</button></form>\
             <p class=\"faint\">Do you have an account here already? <a href=\"/sign-in?next={action}\">Sign in first</a>, \
             and join with it.</p>",
            if wrong.is_some() {
                " aria-describedby=\"wrong\""
            } else {
                ""
            },
            escaped(&org.display_name),
        );
    }
    quiet(html::page(doors, status, "Join", "", &body))
}

fn refused(doors: &Doors, status: StatusCode, sentence: &str) -> Response {
    let body = format!(
        "<h1>This invitation cannot be used</h1><p role=\"alert\">{}</p><p><a href=\"/\">To the console</a></p>",
        escaped(sentence)
    );
    quiet(html::page(doors, status, "Join", "", &body))
}

const fn in_words(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Developer => "a developer",
        Role::OrgAdmin => "an admin",
        Role::Owner => "an owner",
        Role::SuperAdmin => "a super-admin",
    }
}
