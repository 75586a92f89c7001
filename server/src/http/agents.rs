//! The catalogue of agents, and what of it is on this machine.

use super::{
    extract::{Json, Me, Path},
    openapi::Problem,
    problem::Answer,
    spend,
};
use crate::doors::Doors;
use axum::{Json as Body, extract::State};
use domain::agent::{Agent, Installation, Source, View};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(install, remove))
        .routes(routes!(log))
        .routes(routes!(switch))
}

/// An agent of the catalogue.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AgentItem {
    slug: String,
    label: String,
    /// One sentence: what it is.
    summary: String,
    /// Where it comes from: `built-in`, `npm`, `pypi` or `by-hand`.
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    /// The version that is installed here, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    binary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
    /// How a person signs in to what it needs, as sentences.
    sign_in: Vec<String>,
    installation: InstallationItem,
    enabled_in_fleet: bool,
    enabled_in_org: bool,
    /// Whether a session with it can be opened now.
    ready: bool,
}

/// What is on the machine of an agent.
#[derive(Default, Serialize, ToSchema)]
struct InstallationItem {
    /// `installed`, `not-installed`, `installing`, `failed` or `unavailable`.
    state: &'static str,
    /// What is being done now.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Why it failed, or cannot be installed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<View> for AgentItem {
    fn from(view: View) -> Self {
        let ready = view.is_ready();
        let View {
            agent,
            installation,
            enabled_in_fleet,
            enabled_in_org,
        } = view;
        let Agent {
            slug,
            label,
            summary,
            source,
            binary,
            sign_in,
            homepage,
            ..
        } = agent;
        let (source, package, pinned) = match source {
            Source::BuiltIn => ("built-in", None, None),
            Source::Npm { package, version } => ("npm", Some(package), Some(version)),
            Source::Pypi { package, version } => ("pypi", Some(package), Some(version)),
            Source::ByHand { .. } => ("by-hand", None, None),
        };
        let mut found = None;
        let installation = match installation {
            Installation::Installed { version, bytes } => {
                found = version;
                InstallationItem {
                    state: "installed",
                    bytes: Some(bytes),
                    ..Default::default()
                }
            }
            Installation::NotInstalled => InstallationItem {
                state: "not-installed",
                ..Default::default()
            },
            Installation::Installing { step, percent } => InstallationItem {
                state: "installing",
                step: Some(step),
                percent,
                ..Default::default()
            },
            Installation::Failed { reason } => InstallationItem {
                state: "failed",
                reason: Some(reason),
                ..Default::default()
            },
            Installation::Unavailable { reason } => InstallationItem {
                state: "unavailable",
                reason: Some(reason),
                ..Default::default()
            },
        };
        let version = found.or(pinned);
        Self {
            slug,
            label,
            summary,
            source,
            package,
            version,
            binary,
            homepage,
            sign_in,
            installation,
            enabled_in_fleet,
            enabled_in_org,
            ready,
        }
    }
}

/// Every agent of the catalogue.
#[derive(Serialize, ToSchema)]
struct AgentList {
    agents: Vec<AgentItem>,
}

/// Lists the catalogue.
#[utoipa::path(
    get, path = "/api/v1/agents", tag = "agents", operation_id = "list_agents",
    responses((status = 200, body = AgentList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-permit" = json!("see-agents"))),
)]
async fn list(State(doors): State<Doors>, Me(caller): Me) -> Answer<Body<AgentList>> {
    let agents = doors.engine().agents(&caller).await?;
    Ok(Body(AgentList {
        agents: agents.into_iter().map(AgentItem::from).collect(),
    }))
}

/// Shows an agent.
#[utoipa::path(
    get, path = "/api/v1/agents/{slug}", tag = "agents", operation_id = "show_agent",
    params(("slug" = String, Path, description = "The agent's slug.")),
    responses(
        (status = 200, body = AgentItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-agents"))),
)]
async fn show(State(doors): State<Doors>, Me(caller): Me, Path(slug): Path<String>) -> Answer<Body<AgentItem>> {
    Ok(Body(doors.engine().agent(&caller, &slug).await?.into()))
}

/// Begins to install an agent, or goes on with what was cut off; its state tells how far it is.
#[utoipa::path(
    post, path = "/api/v1/agents/{slug}/installation", tag = "agents", operation_id = "install_agent",
    params(("slug" = String, Path, description = "The agent's slug.")),
    responses(
        (status = 202, body = AgentItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("install-agents"))),
)]
async fn install(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(slug): Path<String>,
) -> Answer<(StatusCode, Body<AgentItem>)> {
    spend(&doors, &caller.person)?;
    doors.engine().install_agent(&caller, &slug).await?;
    Ok((
        StatusCode::ACCEPTED,
        Body(doors.engine().agent(&caller, &slug).await?.into()),
    ))
}

/// Removes an agent's package; sessions that run it go on until they end.
#[utoipa::path(
    delete, path = "/api/v1/agents/{slug}/installation", tag = "agents", operation_id = "remove_agent",
    params(("slug" = String, Path, description = "The agent's slug.")),
    responses(
        (status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem),
    ),
    extensions(("x-permit" = json!("install-agents"))),
)]
async fn remove(State(doors): State<Doors>, Me(caller): Me, Path(slug): Path<String>) -> Answer<StatusCode> {
    doors.engine().remove_agent(&caller, &slug).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the end of the last installation's log.
#[utoipa::path(
    get, path = "/api/v1/agents/{slug}/installation/log", tag = "agents", operation_id = "install_log",
    params(("slug" = String, Path, description = "The agent's slug.")),
    responses(
        (status = 200, body = String, content_type = "text/plain"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("see-agents"))),
)]
async fn log(State(doors): State<Doors>, Me(caller): Me, Path(slug): Path<String>) -> Answer<String> {
    Ok(doors.engine().install_log(&caller, &slug).await?)
}

/// Whether an agent may be opened.
#[derive(Deserialize, ToSchema)]
struct SwitchRequest {
    enabled: bool,
    /// For the whole installation, not only the caller's Organization.
    #[serde(default)]
    fleet: bool,
}

/// Switches an agent on or off, for the Organization or for all.
#[utoipa::path(
    put, path = "/api/v1/agents/{slug}/switch", tag = "agents", operation_id = "switch_agent",
    params(("slug" = String, Path, description = "The agent's slug.")), request_body = SwitchRequest,
    responses(
        (status = 200, body = AgentItem), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    ),
    extensions(("x-permit" = json!("switch-agents"))),
)]
async fn switch(
    State(doors): State<Doors>,
    Me(caller): Me,
    Path(slug): Path<String>,
    Json(SwitchRequest { enabled, fleet }): Json<SwitchRequest>,
) -> Answer<Body<AgentItem>> {
    doors.engine().switch_agent(&caller, &slug, enabled, fleet).await?;
    Ok(Body(doors.engine().agent(&caller, &slug).await?.into()))
}
