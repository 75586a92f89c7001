//! Forms about many members, requests or passes, sent without scripts: the answer is a plain page that says of each what became of
//! it, and has the way back where there is one. What cannot be undone is asked first.

use crate::{
    doors::Doors,
    html::{self, escaped},
    http::{extract::Me, problem::Refused, spend},
    sign_in,
};
use app::{
    forms::{ANSWERS, MANY, REVOKE, act},
    seat_change,
};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::{
    OrgId, PersonId,
    id::RequestId,
    many::{Outcome, Was, undoing},
    member::Leaving,
    pass::Kind,
    quota::Answer,
};
use http::StatusCode;
use std::fmt::Write as _;

/// Where somebody is sent who asks for these addresses by themselves.
const MEMBERS: &str = "/org/members";
const TOKENS: &str = "/org/tokens";
const QUOTAS: &str = "/org/quotas";

pub(crate) fn router() -> Router<Doors> {
    Router::new()
        .route(MANY, post(members).get(async || Redirect::to(MEMBERS)))
        .route(ANSWERS, post(answers).get(async || Redirect::to(QUOTAS)))
        .route(REVOKE, post(passes).get(async || Redirect::to(TOKENS)))
}

/// The fields of a form, in its order.
struct Sent(Vec<(String, String)>);

impl Sent {
    fn one(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let named = self
            .0
            .iter()
            .filter(move |(field, value)| field == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    /// The list that the form was in; only a path of this site.
    fn back(&self, otherwise: &str) -> String {
        let back = self.one("back").filter(|back| identity::is_safe_redirect(back));
        back.unwrap_or(otherwise).to_owned()
    }

    /// The same fields again, but for these.
    fn again(&self, but: &[&str]) -> String {
        let mut fields = String::new();
        for (name, value) in self.0.iter().filter(|(name, _)| !but.contains(&name.as_str())) {
            _ = write!(
                fields,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escaped(name),
                escaped(value)
            );
        }
        fields
    }
}

async fn members(State(doors): State<Doors>, me: Option<Me>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(MEMBERS).into_response();
    };
    let sent = Sent(fields);
    let back = sent.back(MEMBERS);
    if let Err(refused) = spend(&doors, &caller.person) {
        return refusal(&doors, &refused, &back);
    }
    let engine = doors.engine();
    let org = OrgId::new(sent.one("org").unwrap_or_default());
    let people: Vec<PersonId> = sent.all("person").map(PersonId::new).collect();
    let act = sent.one("act").unwrap_or_default();
    if act == "undo" {
        let before = sent.all("was").filter_map(Was::from_text).collect();
        return match engine.change_seats_back(&caller, &org, before).await {
            Ok(outcomes) => told(&doors, "Changed back", &outcomes, &org, &back),
            Err(error) => refusal(&doors, &error.into(), &back),
        };
    }
    let done = if act == act::REMOVE {
        if sent.one("sure").is_none() && !people.is_empty() {
            let title = format!("Remove {} from the Organization?", counted(people.len(), "member"));
            let said = "They are signed out everywhere, and their tokens and their own secrets end, at once. Their sessions \
                        are kept asleep under their names. This cannot be undone: to come back, they are invited again.";
            return sure(&doors, MANY, &title, said, "Remove", &sent, &back);
        }
        engine.remove_members(&caller, &org, people, &Leaving::Archive).await
    } else {
        match seat_change(act, sent.one("role"), sent.one("days")) {
            Ok(Some(change)) => engine.change_seats(&caller, &org, people, &change).await,
            Ok(None) => return Redirect::to(&back).into_response(),
            Err(problem) => Err(problem.into()),
        }
    };
    match done {
        Ok(outcomes) => told(&doors, "Members", &outcomes, &org, &back),
        Err(error) => refusal(&doors, &error.into(), &back),
    }
}

async fn answers(State(doors): State<Doors>, me: Option<Me>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(QUOTAS).into_response();
    };
    let sent = Sent(fields);
    let back = sent.back(QUOTAS);
    if let Err(refused) = spend(&doors, &caller.person) {
        return refusal(&doors, &refused, &back);
    }
    let org = OrgId::new(sent.one("org").unwrap_or_default());
    let ids = sent.all("id").map(RequestId::new).collect();
    let word = sent.one("word").unwrap_or_default().to_owned();
    let answer = Answer::to_all(sent.one("act") == Some("grant"), word);
    match doors.engine().answer_requests(&caller, &org, ids, &answer).await {
        Ok(outcomes) => told(&doors, "Requests", &outcomes, &org, &back),
        Err(error) => refusal(&doors, &error.into(), &back),
    }
}

async fn passes(State(doors): State<Doors>, me: Option<Me>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let Some(Me(caller)) = me else {
        return sign_in::detour(TOKENS).into_response();
    };
    let sent = Sent(fields);
    let back = sent.back(TOKENS);
    if let Err(refused) = spend(&doors, &caller.person) {
        return refusal(&doors, &refused, &back);
    }
    let org = OrgId::new(sent.one("org").unwrap_or_default());
    let kind = sent.one("kind").and_then(Kind::from_name).unwrap_or_default();
    let ids: Vec<String> = sent.all("id").map(str::to_owned).collect();
    if sent.one("sure").is_none() && !ids.is_empty() {
        let (title, said, word) = match kind {
            Kind::Token => (
                format!("Revoke {}?", counted(ids.len(), "token")),
                "Every program that uses one of them is refused from now on. A token cannot be given back.",
                "Revoke",
            ),
            Kind::Browser => (
                format!("Sign {} out?", counted(ids.len(), "browser")),
                "Their people see the sign-in page with the next click. Sessions go on; they may sign in again.",
                "Sign out",
            ),
        };
        return sure(&doors, REVOKE, &title, said, word, &sent, &back);
    }
    match doors.engine().revoke_passes(&caller, &org, kind, ids).await {
        Ok(outcomes) => told(&doors, "Tokens", &outcomes, &org, &back),
        Err(error) => refusal(&doors, &error.into(), &back),
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Asks whether it shall be done, with what it does.
fn sure(doors: &Doors, to: &str, title: &str, said: &str, word: &str, sent: &Sent, back: &str) -> Response {
    let body = format!(
        "<h1>{}</h1><p>{}</p><form method=\"post\" action=\"{to}\">{}\
         <input type=\"hidden\" name=\"sure\" value=\"yes\"><button type=\"submit\">{word}</button></form>\
         <p><a href=\"{}\">Cancel</a></p>",
        escaped(title),
        escaped(said),
        sent.again(&["sure"]),
        escaped(back),
    );
    html::page(doors, StatusCode::OK, title, "", &body)
}

/// What became of each, and the way back where there is one.
fn told(doors: &Doors, title: &str, outcomes: &[Outcome], org: &OrgId, back: &str) -> Response {
    let done = outcomes.iter().filter(|outcome| outcome.refused.is_none()).count();
    let mut body = format!("<h1>{done} of {} done</h1><ul>", outcomes.len());
    for outcome in outcomes {
        let what = outcome
            .refused
            .as_ref()
            .map_or("Done.", |problem| problem.detail.as_str());
        _ = write!(body, "<li>{}: {}</li>", escaped(&outcome.name), escaped(what));
    }
    body.push_str("</ul>");
    let before = undoing(outcomes);
    if !before.is_empty() {
        _ = write!(
            body,
            "<form method=\"post\" action=\"{MANY}\"><input type=\"hidden\" name=\"org\" value=\"{}\">\
             <input type=\"hidden\" name=\"act\" value=\"undo\"><input type=\"hidden\" name=\"back\" value=\"{}\">",
            escaped(org.as_str()),
            escaped(back),
        );
        for (person, was) in &before {
            let was = was.to_text(person);
            _ = write!(body, "<input type=\"hidden\" name=\"was\" value=\"{}\">", escaped(&was));
        }
        body.push_str("<button type=\"submit\" class=\"other\">Undo</button></form>");
    }
    _ = write!(body, "<p><a href=\"{}\">Back to the list</a></p>", escaped(back));
    html::page(doors, StatusCode::OK, title, "", &body)
}

fn refusal(doors: &Doors, refused: &Refused, back: &str) -> Response {
    let body = format!(
        "<h1>Nothing was done</h1><p role=\"alert\">{}</p><p><a href=\"{}\">Back to the list</a></p>",
        escaped(refused.detail()),
        escaped(back),
    );
    html::page(doors, refused.status(), "Nothing was done", "", &body)
}
