//! Secrets: their names, who receives them, who holds them. A value goes in and is in no answer.

use super::{
    extract::{Json, Me, Path},
    openapi::Problem,
    problem::Answer,
    spend,
};
use crate::doors::Doors;
use axum::{
    Json as Body,
    extract::{DefaultBodyLimit, State},
};
use domain::{
    Caller, OrgId, PersonId,
    id::SecretId,
    quota::Subject,
    secret::{Bindings, Held, Holder, Kind, New, Value},
};
use engine::Shelf;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A value of 64 KiB, in which JSON writes every byte with six.
const BODY_MAX: usize = 512 * 1024;

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list_own, create_own))
        .routes(routes!(show_own, bind_own, delete_own))
        .routes(routes!(rotate_own))
        .routes(routes!(list, create))
        .routes(routes!(show, bind, delete))
        .routes(routes!(rotate))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// A secret, without its value.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SecretItem {
    id: String,
    /// The variable's name, or the file's path under HOME.
    name: String,
    /// `env` or `file`.
    kind: &'static str,
    /// `org`, `group` or `person`.
    owner: &'static str,
    /// The group, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Counts the values that it has had.
    version: u64,
    bindings: BindingsItem,
    /// RFC 3339, as is the other time.
    created_at: String,
    /// When its value or its bindings last changed.
    changed_at: String,
    /// The address of who did it.
    changed_by: String,
    /// Running sessions that hold it, and the version that they were given.
    holders: Vec<HolderItem>,
}

/// Who receives a secret: nobody while nothing is named; else each line that names something must fit.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct BindingsItem {
    /// Every member (of a personal secret: every session of its owner).
    everyone: bool,
    /// Ids of people; with `groups`, either is enough.
    people: Vec<String>,
    groups: Vec<String>,
    /// Slugs.
    agents: Vec<String>,
    /// Patterns of `host/path`: `*` within a part, `**` for the rest.
    repositories: Vec<String>,
}

/// A running session that holds a secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HolderItem {
    session: String,
    session_name: String,
    owner_name: String,
    version: u64,
    held_at: String,
}

/// A list of secrets, by name.
#[derive(Serialize, ToSchema)]
struct SecretList {
    secrets: Vec<SecretItem>,
}

/// A secret to make.
#[derive(Deserialize, ToSchema)]
struct SecretRequest {
    /// `[A-Z_][A-Z0-9_]*` for a variable; a relative path of letters, digits and `._@+-` for a file.
    #[serde(default)]
    #[schema(required)]
    name: String,
    /// `env` (the default) or `file`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    kind: Option<Kind>,
    /// At most 64 KiB. Never shown again.
    #[serde(default)]
    #[schema(value_type = String, required)]
    value: Value,
    /// The group that it belongs to; without one the Organization.
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    bindings: BindingsItem,
}

/// The next value.
#[derive(Deserialize, ToSchema)]
struct ValueRequest {
    /// At most 64 KiB. Never shown again.
    #[serde(default)]
    #[schema(value_type = String, required)]
    value: Value,
}

/// Who receives it from now on, whole.
#[derive(Deserialize, ToSchema)]
struct BindRequest {
    #[serde(default)]
    #[schema(required)]
    bindings: BindingsItem,
}

impl From<Held> for SecretItem {
    fn from(Held { secret, holders }: Held) -> Self {
        let (owner, subject) = secret.owner.parts();
        Self {
            id: secret.id.as_str().to_owned(),
            kind: secret.kind.as_str(),
            owner,
            group: matches!(secret.owner, Subject::Group(_)).then(|| subject.to_owned()),
            version: secret.version,
            bindings: secret.bindings.into(),
            created_at: secret.created_at.rfc3339(),
            changed_at: secret.changed_at.rfc3339(),
            changed_by: secret.changed_by,
            holders: holders.into_iter().map(HolderItem::from).collect(),
            name: secret.name,
        }
    }
}

impl From<Holder> for HolderItem {
    fn from(holder: Holder) -> Self {
        Self {
            session: holder.session.as_str().to_owned(),
            session_name: holder.session_name,
            owner_name: holder.owner_name,
            version: holder.version,
            held_at: holder.held_at.rfc3339(),
        }
    }
}

impl From<Bindings> for BindingsItem {
    fn from(bindings: Bindings) -> Self {
        let Bindings {
            everyone,
            people,
            groups,
            agents,
            repositories,
        } = bindings;
        Self {
            everyone,
            people: people.iter().map(|person| person.as_str().to_owned()).collect(),
            groups: groups.into_iter().collect(),
            agents: agents.into_iter().collect(),
            repositories: repositories.into_iter().collect(),
        }
    }
}

impl From<BindingsItem> for Bindings {
    fn from(item: BindingsItem) -> Self {
        Self {
            everyone: item.everyone,
            people: item.people.into_iter().map(PersonId::new).collect(),
            groups: item.groups.into_iter().collect(),
            agents: item.agents.into_iter().collect(),
            repositories: item.repositories.into_iter().collect(),
        }
    }
}

impl From<SecretRequest> for New {
    fn from(request: SecretRequest) -> Self {
        Self {
            name: request.name,
            kind: Some(request.kind.unwrap_or(Kind::Env)),
            value: request.value,
            group: request.group,
            bindings: request.bindings.into(),
        }
    }
}

async fn listed(doors: &Doors, caller: &Caller, shelf: &Shelf) -> Answer<Body<SecretList>> {
    let secrets = doors.engine().secrets(caller, shelf).await?;
    Ok(Body(SecretList {
        secrets: secrets.into_iter().map(SecretItem::from).collect(),
    }))
}

async fn created(
    doors: &Doors,
    caller: &Caller,
    shelf: &Shelf,
    request: SecretRequest,
) -> Answer<(StatusCode, Body<SecretItem>)> {
    spend(doors, &caller.person)?;
    let held = doors.engine().create_secret(caller, shelf, request.into()).await?;
    Ok((StatusCode::CREATED, Body(held.into())))
}

async fn rotated(doors: &Doors, caller: &Caller, shelf: &Shelf, id: String, value: Value) -> Answer<Body<SecretItem>> {
    spend(doors, &caller.person)?;
    let id = SecretId::new(id);
    Ok(Body(
        doors.engine().rotate_secret(caller, shelf, &id, value).await?.into(),
    ))
}

async fn bound(
    doors: &Doors,
    caller: &Caller,
    shelf: &Shelf,
    id: String,
    request: BindRequest,
) -> Answer<Body<SecretItem>> {
    let (id, bindings) = (SecretId::new(id), request.bindings.into());
    Ok(Body(
        doors.engine().bind_secret(caller, shelf, &id, bindings).await?.into(),
    ))
}

async fn deleted(doors: &Doors, caller: &Caller, shelf: &Shelf, id: String) -> Answer<StatusCode> {
    doors.engine().delete_secret(caller, shelf, &SecretId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn of(org: String) -> Shelf {
    Shelf::Org(OrgId::new(org))
}

/// Lists the caller's own secrets.
#[utoipa::path(
    get, path = "/api/v1/secrets", tag = "secrets", operation_id = "list_own_secrets",
    responses((status = 200, body = SecretList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("see-secrets"))),
)]
async fn list_own(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<SecretList>> {
    listed(&doors, &caller, &Shelf::Own).await
}

/// Makes a secret of the caller's own; it reaches the caller's sessions only, and those only where it is bound.
#[utoipa::path(
    post, path = "/api/v1/secrets", tag = "secrets", operation_id = "create_own_secret", request_body = SecretRequest,
    responses(
        (status = 201, body = SecretItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn create_own(
    State(doors): State<Doors>,
    Me(caller): Me,
    Json(request): Json<SecretRequest>,
) -> Answer<(StatusCode, Body<SecretItem>)> {
    created(&doors, &caller, &Shelf::Own, request).await
}

/// Shows one of the caller's own secrets, without its value.
#[utoipa::path(
    get, path = "/api/v1/secrets/{id}", tag = "secrets", operation_id = "show_own_secret",
    params(("id" = String, Path, description = "The secret's id.")),
    responses(
        (status = 200, body = SecretItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-secrets"))),
)]
async fn show_own(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<Body<SecretItem>> {
    let held = doors.engine().secret(&caller, &Shelf::Own, &SecretId::new(id)).await?;
    Ok(Body(held.into()))
}

/// Binds one of the caller's own secrets anew, whole.
#[utoipa::path(
    patch, path = "/api/v1/secrets/{id}", tag = "secrets", operation_id = "bind_own_secret", request_body = BindRequest,
    params(("id" = String, Path, description = "The secret's id.")),
    responses(
        (status = 200, body = SecretItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn bind_own(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Json(request): Json<BindRequest>,
) -> Answer<Body<SecretItem>> {
    bound(&doors, &caller, &Shelf::Own, id, request).await
}

/// Deletes one of the caller's own secrets; one that is gone is no error. Running sessions keep what they have.
#[utoipa::path(
    delete, path = "/api/v1/secrets/{id}", tag = "secrets", operation_id = "delete_own_secret",
    params(("id" = String, Path, description = "The secret's id.")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn delete_own(State(doors): State<Doors>, Me(caller): Me, Path(id): Path<String>) -> Answer<StatusCode> {
    deleted(&doors, &caller, &Shelf::Own, id).await
}

/// Gives one of the caller's own secrets its next value. Sessions that start from now on get it.
#[utoipa::path(
    put, path = "/api/v1/secrets/{id}/value", tag = "secrets", operation_id = "rotate_own_secret",
    request_body = ValueRequest, params(("id" = String, Path, description = "The secret's id.")),
    responses(
        (status = 200, body = SecretItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn rotate_own(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(id): Path<String>,
    Json(request): Json<ValueRequest>,
) -> Answer<Body<SecretItem>> {
    rotated(&doors, &caller, &Shelf::Own, id, request.value).await
}

/// Lists the secrets of an Organization and its groups; those of its members are theirs alone.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/secrets", tag = "secrets", operation_id = "list_secrets",
    params(("org" = String, Path, description = "The Organization's slug.")),
    responses(
        (status = 200, body = SecretList), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-secrets"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me, Path(org): Path<String>) -> Answer<Body<SecretList>> {
    listed(&doors, &caller, &of(org)).await
}

/// Makes a secret of the Organization, or of one of its groups.
#[utoipa::path(
    post, path = "/api/v1/orgs/{org}/secrets", tag = "secrets", operation_id = "create_secret",
    request_body = SecretRequest, params(("org" = String, Path, description = "The Organization's slug.")),
    responses(
        (status = 201, body = SecretItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn create(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(org): Path<String>,
    Json(request): Json<SecretRequest>,
) -> Answer<(StatusCode, Body<SecretItem>)> {
    created(&doors, &caller, &of(org), request).await
}

/// Shows a secret of the Organization, without its value.
#[utoipa::path(
    get, path = "/api/v1/orgs/{org}/secrets/{id}", tag = "secrets", operation_id = "show_secret",
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("id" = String, Path, description = "The secret's id."),
    ),
    responses(
        (status = 200, body = SecretItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-secrets"))),
)]
async fn show(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, id)): Path<(String, String)>,
) -> Answer<Body<SecretItem>> {
    let held = doors.engine().secret(&caller, &of(org), &SecretId::new(id)).await?;
    Ok(Body(held.into()))
}

/// Binds a secret of the Organization anew, whole.
#[utoipa::path(
    patch, path = "/api/v1/orgs/{org}/secrets/{id}", tag = "secrets", operation_id = "bind_secret",
    request_body = BindRequest,
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("id" = String, Path, description = "The secret's id."),
    ),
    responses(
        (status = 200, body = SecretItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn bind(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, id)): Path<(String, String)>,
    Json(request): Json<BindRequest>,
) -> Answer<Body<SecretItem>> {
    bound(&doors, &caller, &of(org), id, request).await
}

/// Deletes a secret of the Organization; one that is gone is no error. Running sessions keep what they have.
#[utoipa::path(
    delete, path = "/api/v1/orgs/{org}/secrets/{id}", tag = "secrets", operation_id = "delete_secret",
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("id" = String, Path, description = "The secret's id."),
    ),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn delete(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, id)): Path<(String, String)>,
) -> Answer<StatusCode> {
    deleted(&doors, &caller, &of(org), id).await
}

/// Gives a secret of the Organization its next value. Sessions that start from now on get it; `holders` of the answer
/// says which running ones still have an older one.
#[utoipa::path(
    put, path = "/api/v1/orgs/{org}/secrets/{id}/value", tag = "secrets", operation_id = "rotate_secret",
    request_body = ValueRequest,
    params(
        ("org" = String, Path, description = "The Organization's slug."),
        ("id" = String, Path, description = "The secret's id."),
    ),
    responses(
        (status = 200, body = SecretItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("manage-secrets"))),
)]
async fn rotate(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path((org, id)): Path<(String, String)>,
    Json(request): Json<ValueRequest>,
) -> Answer<Body<SecretItem>> {
    rotated(&doors, &caller, &of(org), id, request.value).await
}
