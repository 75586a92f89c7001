//! The description of the API (OpenAPI 3.1), generated from the handlers, and a page to read it.

mod page;

use crate::doors::Doors;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        OpenApi as Document,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A code for programs, such as `over-quota`.
    error: String,
    /// A sentence for people: what happened and how to go on.
    detail: String,
    /// The field of the request that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sandbox",
        description = "Persistent sessions of coding agents. Sign in with a browser's cookie, or with a personal access \
                       token as `Authorization: Bearer …`. Errors are `{error, detail, field?}`; an id that is not \
                       yours to see answers like one that does not exist. `x-permit` names the verb that the caller \
                       needs.",
        license(name = "Apache-2.0"),
    ),
    paths(crate::socket::attach, crate::live::events),
    components(schemas(Problem)),
    modifiers(&Security),
    tags(
        (name = "sessions", description = "One agent in one workspace, to return to."),
        (name = "terminals", description = "What a session shows, and takes."),
        (name = "agents", description = "The catalogue, and what of it is installed."),
        (name = "usage", description = "What may be used, and what was."),
        (name = "organizations", description = "Who has a seat, what they may run, and who asks for more."),
        (name = "directory", description = "The tokens with which a company's directory fills seats, by SCIM under `/scim/v2`."),
        (name = "secrets", description = "What sessions are given and nobody reads back."),
        (name = "tokens", description = "Who one is, with which browsers and programs."),
        (name = "audit", description = "Who did what to which thing, as what, from where."),
        (name = "events", description = "What changes, as it changes."),
    ),
)]
struct Described;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Default::default);
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A personal access token."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(super::gate::COOKIE, "A browser's login."));
        components.add_security_scheme("login", SecurityScheme::ApiKey(cookie));
    }
}

/// The document, as JSON.
pub fn document() -> String {
    let mut document = Described::openapi();
    document.merge(super::routes().into_openapi());
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.security = Some(
        ["token", "login"]
            .map(|scheme| utoipa::openapi::security::SecurityRequirement::new::<_, [&str; 0], &str>(scheme, []))
            .into(),
    );
    serde_json::to_string_pretty(&document).expect("a document of strings serialises")
}

pub(crate) fn router() -> Router<Doors> {
    Router::new()
        .route("/api/v1/openapi.json", get(json))
        .route("/docs/api", get(page::show))
}

async fn json(State(doors): State<Doors>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], doors.api().to_owned()).into_response()
}
