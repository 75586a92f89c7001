//! The audit: who did what to which thing, as what, from where.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

mod export;

use super::{
    extract::{Me, Path, Query},
    openapi::Problem,
    problem::{Answer, Refused},
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    OrgId,
    audit::{self, Ask, Entry, Line, Link, moment},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(export::export))
        .routes(routes!(show))
}

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// A part of the actor's e-mail address, in any case, or a person's id.
    #[serde(default)]
    actor: String,
    /// An action such as `session.opened`, or with a dot at its end all that begin so: `session.`.
    #[serde(default)]
    action: String,
    /// The id of the thing.
    #[serde(default)]
    target: String,
    /// Not before: RFC 3339, or a day such as `2026-11-24` (UTC).
    #[serde(default)]
    from: String,
    /// Before: RFC 3339, or a day, which is then the last.
    #[serde(default)]
    until: String,
    /// A request's id.
    #[serde(default)]
    request: String,
    /// Another Organization than the caller's own (super-admins).
    #[serde(default)]
    org: String,
    /// Every Organization (super-admins).
    #[serde(default)]
    fleet: bool,
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Entries in the answer: 1 to 200; 50 without a word.
    #[serde(default)]
    limit: u32,
}

impl AuditQuery {
    fn into_ask(self) -> Result<Ask, Refused> {
        let Self {
            actor,
            action,
            target,
            from,
            until,
            request,
            org,
            fleet,
            cursor,
            limit,
        } = self;
        let time = |text: &str, field: &str, end: bool| match text.trim() {
            "" => Ok(None),
            text => moment(text, end).map(Some).ok_or_else(|| {
                let detail = format!("{field} is a time such as 2026-11-24T10:00:00Z, or a day such as 2026-11-24.");
                Refused::invalid("invalid-query", detail).at(field)
            }),
        };
        Ok(Ask {
            above: false,
            from: time(&from, "from", false)?,
            until: time(&until, "until", true)?,
            actor,
            action,
            target,
            request,
            org: (!org.is_empty()).then(|| OrgId::new(org)),
            fleet,
            cursor,
            limit,
        })
    }
}

/// A page of the audit, newest first.
#[derive(Serialize, ToSchema)]
struct AuditList {
    entries: Vec<AuditItem>,
    /// The `cursor` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditItem {
    /// Its place among all entries of the installation.
    position: i64,
    /// RFC 3339.
    at: String,
    org: String,
    /// Who: a person's id. Absent where the system itself acted, or nobody knows who it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    /// Who, to read: an e-mail address, `system` or `unknown`.
    actor: String,
    /// `login`, `token:<id>`, `link` or `system`.
    via: String,
    /// As what: the role at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What, such as `session.opened`.
    action: String,
    /// To which thing: its id.
    target: String,
    /// What changed: `before` and `after`, where it is a change. Never a secret.
    #[schema(value_type = Object)]
    detail: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    chain: AuditChain,
}

/// What ties an entry to the one before it.
#[derive(Serialize, ToSchema)]
struct AuditChain {
    /// Its number among the entries of its Organization, without gaps.
    number: i64,
    /// The hash of the entry before it; empty for the first.
    previous: String,
    /// Its own: a version, a colon, a SHA-256.
    hash: String,
    /// Where one entry is asked for: `intact`, `first` (the oldest kept), `changed`, or `detached` (what it followed is
    /// gone or another).
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

impl From<Line> for AuditItem {
    fn from(Line { position, link, entry }: Line) -> Self {
        let Link { number, previous, hash } = link;
        let Entry {
            at,
            org,
            person,
            actor,
            via,
            role,
            address,
            action,
            target,
            detail,
            request,
        } = entry;
        Self {
            position,
            at: at.rfc3339(),
            org: org.as_str().to_owned(),
            person: person.map(|person| person.as_str().to_owned()),
            actor,
            via,
            role,
            address,
            action,
            target,
            detail,
            request,
            chain: AuditChain {
                number,
                previous,
                hash,
                state: None,
            },
        }
    }
}

/// Lists the audit of the caller's Organization, newest first; super-admins may ask for another (`org`) or all (`fleet`).
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", operation_id = "list_audit", params(AuditQuery),
    responses(
        (status = 200, body = AuditList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem),
    ),
    extensions(("x-permit" = json!("see-audit"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me, Query(query): Query<AuditQuery>) -> Answer<Body<AuditList>> {
    let trail = doors.engine().audit(&caller, query.into_ask()?).await?;
    Ok(Body(AuditList {
        entries: trail.lines.into_iter().map(AuditItem::from).collect(),
        next: trail.next,
    }))
}

/// Shows one entry, and whether it and its place in the chain are as they were.
#[utoipa::path(
    get, path = "/api/v1/audit/{position}", tag = "audit", operation_id = "show_audit",
    params(("position" = i64, Path, description = "The entry's position.")),
    responses(
        (status = 200, body = AuditItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-audit"))),
)]
async fn show(State(doors): State<Doors>, Me(caller): Me, Path(position): Path<String>) -> Answer<Body<AuditItem>> {
    // Positions begin at 1: what is no number is the address of no entry.
    let position = position.parse().unwrap_or(0);
    let (line, state) = doors.engine().audit_entry(&caller, position).await?;
    let mut item = AuditItem::from(line);
    item.chain.state = Some(match state {
        audit::State::Intact => "intact",
        audit::State::First => "first",
        audit::State::Changed => "changed",
        audit::State::Detached => "detached",
    });
    Ok(Body(item))
}
