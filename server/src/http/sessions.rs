//! Sessions, as published: `/api/v1/sandbox/sessions`.

#![expect(unused_qualifications, reason = "written by utoipa's macro")]

mod item;

use super::{
    extract::{IdempotencyKey, Json, Me, Path, Query},
    openapi::Problem,
    problem::{Answer, Refused},
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::{
    SessionId,
    page::{ListSessions, Sort},
    session::{Open, Sharing, Status},
};
use http::StatusCode;
pub(crate) use item::Item;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(show, change, delete))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(restart))
        .routes(routes!(holdings))
        .routes(routes!(activity))
}

/// Which sessions, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words to find in name, repository, owner or id.
    #[serde(default)]
    search: String,
    /// `pending`, `running`, `stopped`, `failed` or `unknown`.
    status: Option<String>,
    /// An agent's slug.
    agent: Option<String>,
    /// Only one's own.
    #[serde(default)]
    mine: bool,
    /// `active` (the default), `created` or `name`.
    sort: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Sessions on a page, 1 to 200; 50 without a word.
    #[serde(default)]
    limit: u32,
}

impl ListQuery {
    fn checked(self) -> Result<ListSessions, Refused> {
        let Self {
            search,
            status,
            agent,
            mine,
            sort,
            cursor,
            limit,
        } = self;
        let blank = |text: Option<String>| text.filter(|text| !text.is_empty());
        let wrong = |field: &str, known: &[&str]| {
            Refused::invalid("invalid-query", format!("{field} is one of {}.", known.join(", "))).at(field)
        };
        let status = blank(status)
            .map(|text| Status::from_name(&text).ok_or_else(|| wrong("status", &Status::ALL.map(Status::as_str))));
        let sort =
            blank(sort).map(|text| Sort::from_name(&text).ok_or_else(|| wrong("sort", &Sort::ALL.map(Sort::as_str))));
        Ok(ListSessions {
            search,
            status: status.transpose()?,
            agent: blank(agent),
            mine,
            sort: sort.transpose()?.unwrap_or_default(),
            cursor: blank(cursor),
            limit,
        })
    }
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
struct SessionList {
    sandboxes: Vec<Item>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many match in all.
    total: u64,
}

/// Lists the sessions that the caller may see.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions", tag = "sessions", operation_id = "list_sessions", params(ListQuery),
    responses(
        (status = 200, body = SessionList), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("see-session"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me, Query(query): Query<ListQuery>) -> Answer<Body<SessionList>> {
    let page = doors.engine().list(&caller, &query.checked()?).await?;
    let page = page.map(|view| Item::from_view(&caller, view));
    Ok(Body(SessionList {
        sandboxes: page.items,
        next: page.next,
        total: page.total,
    }))
}

/// What is asked for when a session is opened.
#[derive(Deserialize, ToSchema)]
struct OpenRequest {
    /// The agent's slug.
    #[serde(default)]
    #[schema(required)]
    agent: String,
    /// The name to show; without one it is called after its repository or agent.
    #[serde(default)]
    name: Option<String>,
    /// The repository to clone: `https://…`, `ssh://…`, `user@host:path` or `org/name`. Without it the workspace is empty.
    #[serde(default)]
    repo: Option<String>,
    /// The branch to check out.
    #[serde(default)]
    branch: Option<String>,
}

/// Opens a session.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions", tag = "sessions", operation_id = "open_session", request_body = OpenRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key opens one session, once.")),
    responses(
        (status = 201, body = Item),
        (status = 400, body = Problem, description = "`empty-body`, `invalid-json`, `invalid-agent`, `invalid-name`, `invalid-repo`, `invalid-branch`"),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem, description = "`sandbox-already-exists`, `over-quota`"),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 429, body = Problem),
        (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("open-session"))),
)]
async fn open(
    State(doors): State<Doors>,
    Me(caller): Me,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<OpenRequest>,
) -> Answer<(StatusCode, Body<Item>)> {
    spend(&doors, &caller.person)?;
    let OpenRequest {
        agent,
        name,
        repo,
        branch,
    } = request;
    let view = doors
        .engine()
        .open(
            &caller,
            Open {
                agent,
                name,
                repo,
                branch,
            },
            key.as_deref(),
        )
        .await?;
    Ok((StatusCode::CREATED, Body(Item::from_view(&caller, view))))
}

/// Shows a session.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions/{id}", tag = "sessions", operation_id = "show_session",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = Item), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem, description = "`sandbox-not-found`: there is none, or it is not the caller's to see."),
        (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("see-session"))),
)]
async fn show(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<Item>> {
    let view = doors.engine().show(&caller, &SessionId::new(id)).await?;
    Ok(Body(Item::from_view(&caller, view)))
}

/// What is changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
struct ChangeRequest {
    #[serde(default)]
    name: Option<String>,
    /// `private`, `watch` or `drive`: what other members of the Organization may do.
    #[serde(default)]
    sharing: Option<String>,
}

/// Renames a session, or shares it.
#[utoipa::path(
    patch, path = "/api/v1/sandbox/sessions/{id}", tag = "sessions", operation_id = "change_session",
    params(("id" = String, Path, description = "The session's id.")), request_body = ChangeRequest,
    responses(
        (status = 200, body = Item), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("rename-session"))),
)]
async fn change(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Json(ChangeRequest { name, sharing }): Json<ChangeRequest>,
) -> Answer<Body<Item>> {
    let id = SessionId::new(id);
    // Both are checked before either is done: half a change is none that was asked for.
    let sharing = sharing.map(|text| {
        Sharing::from_name(&text).ok_or_else(|| {
            Refused::invalid("invalid-sharing", "sharing is one of private, watch, drive.").at("sharing")
        })
    });
    let sharing = sharing.transpose()?;
    let name = name.map(|name| domain::session::checked_name(&name)).transpose()?;
    let mut view = None;
    if let Some(name) = name {
        view = Some(doors.engine().rename(&caller, &id, &name).await?);
    }
    if let Some(sharing) = sharing {
        view = Some(doors.engine().share(&caller, &id, sharing).await?);
    }
    let view = match view {
        Some(view) => view,
        None => doors.engine().show(&caller, &id).await?,
    };
    Ok(Body(Item::from_view(&caller, view)))
}

/// Deletes a session and everything in it. Deleting what is gone succeeds too.
#[utoipa::path(
    delete, path = "/api/v1/sandbox/sessions/{id}", tag = "sessions", operation_id = "delete_session",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("delete-session"))),
)]
async fn delete(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<StatusCode> {
    doors.engine().delete(&caller, &SessionId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends a running session: its programs end, its workspace and last screen stay.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions/{id}/suspend", tag = "sessions", operation_id = "suspend_session",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = Item), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("stop-session"))),
)]
async fn suspend(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<Item>> {
    let view = doors.engine().suspend(&caller, &SessionId::new(id)).await?;
    Ok(Body(Item::from_view(&caller, view)))
}

/// Resumes a suspended session, starts an agent anew that has ended, or tries a failed one again.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions/{id}/resume", tag = "sessions", operation_id = "resume_session",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = Item), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "`over-quota`, or a wrong state"),
        (status = 429, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("resume-session"))),
)]
async fn resume(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<Item>> {
    spend(&doors, &caller.person)?;
    let view = doors.engine().resume(&caller, &SessionId::new(id)).await?;
    Ok(Body(Item::from_view(&caller, view)))
}

/// Ends what runs in a session and starts it again, with the secrets that are bound to it now.
#[utoipa::path(
    post, path = "/api/v1/sandbox/sessions/{id}/restart", tag = "sessions", operation_id = "restart_session",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = Item), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "`over-quota`, or a wrong state"),
        (status = 429, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("resume-session"))),
)]
async fn restart(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<Item>> {
    spend(&doors, &caller.person)?;
    let view = doors.engine().restart(&caller, &SessionId::new(id)).await?;
    Ok(Body(Item::from_view(&caller, view)))
}

/// What deleting would destroy.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Holdings {
    /// Bytes of workspace and HOME.
    bytes: u64,
    /// Files in the workspace.
    files: u64,
    /// Files changed and not committed, in a Git checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    uncommitted: Option<u64>,
    /// Commits that are on no remote.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpushed: Option<u64>,
    /// Programs that still run.
    processes: u64,
}

/// Tells what deleting a session would destroy.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions/{id}/holdings", tag = "sessions", operation_id = "session_holdings",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = Holdings), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-session"))),
)]
async fn holdings(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<Holdings>> {
    let domain::session::Holdings {
        bytes,
        files,
        uncommitted,
        unpushed,
        processes,
    } = doors.engine().holdings(&caller, &SessionId::new(id)).await?;
    Ok(Body(Holdings {
        bytes,
        files,
        uncommitted,
        unpushed,
        processes,
    }))
}

/// One thing that was done.
#[derive(Serialize, ToSchema)]
struct Activity {
    /// When, as RFC 3339.
    at: String,
    /// Who, as a person reads it.
    actor: String,
    /// `login`, `token:<id>` or `system`.
    via: String,
    /// What, in the past tense: `session.opened`.
    action: String,
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

/// What was done to a session.
#[derive(Serialize, ToSchema)]
struct ActivityList {
    activity: Vec<Activity>,
}

/// Lists what was done to a session, newest first, at most 50.
#[utoipa::path(
    get, path = "/api/v1/sandbox/sessions/{id}/activity", tag = "sessions", operation_id = "session_activity",
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, body = ActivityList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-session"))),
)]
async fn activity(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<ActivityList>> {
    let entries = doors.engine().activity(&caller, &SessionId::new(id)).await?;
    let activity = entries.into_iter().map(|entry| {
        let domain::audit::Entry {
            at,
            actor,
            via,
            action,
            detail,
            ..
        } = entry;
        Activity {
            at: at.rfc3339(),
            actor,
            via,
            action,
            detail,
        }
    });
    Ok(Body(ActivityList {
        activity: activity.collect(),
    }))
}
