//! How a server function finds who asks and whom to ask, and how its refusals leave: one call, one answer.

use crate::fault::Fault;
use domain::Caller;
use engine::{Engine, Error};
use http::{StatusCode, header::ACCEPT, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

/// Where server functions live; the server mounts them there.
pub const FUNCTIONS: &str = "/api/fn";

/// Asks the engine in the name of whoever asks us, and gives its refusal the right HTTP status.
pub(crate) async fn ask<T, F>(verb: impl FnOnce(Engine, Caller) -> F) -> Result<T, Fault>
where
    F: Future<Output = engine::Result<T>>,
{
    let exit = Exit::here();
    let Some(caller) = caller() else {
        return Err(exit.refuse(&Error::Unauthenticated, None));
    };
    let request = caller.request.clone();
    verb(expect_context::<Engine>(), caller)
        .await
        .map_err(|error| exit.refuse(&error, request))
}

/// Who asks: the server's middleware left it in the context or in the request.
pub(crate) fn caller() -> Option<Caller> {
    use_context::<Caller>().or_else(|| use_context::<Parts>()?.extensions.get::<Caller>().cloned())
}

/// Sends a form that was posted without scripts on to `path` of this origin; a page with scripts goes on by itself.
pub(crate) fn land(path: &str) {
    let posted = use_context::<Parts>().is_some_and(|parts| wants_html(&parts));
    // Only a path of our own: `//host` and `/\host` are other people's.
    let ours = path.starts_with('/') && !path[1..].starts_with(['/', '\\']) && !path.contains(char::is_control);
    if posted && ours {
        leptos_axum::redirect(path);
    }
}

/// The page that is being rendered does not exist, or broke.
pub(crate) fn say_status(status: u16) {
    if let (Some(options), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(status)) {
        options.set_status(status);
    }
}

fn wants_html(parts: &Parts) -> bool {
    parts
        .headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// The response under way, kept over an `await`.
struct Exit {
    options: Option<ResponseOptions>,
    function: bool,
    html: bool,
}

impl Exit {
    fn here() -> Self {
        let parts = use_context::<Parts>();
        Self {
            options: use_context(),
            function: parts
                .as_ref()
                .is_some_and(|parts| parts.uri.path().starts_with(FUNCTIONS)),
            html: parts.as_ref().is_some_and(wants_html),
        }
    }

    fn refuse(&self, error: &Error, request: Option<String>) -> Fault {
        if let Error::Internal(cause) = error {
            tracing::error!(request, error = format!("{cause:#}"), "a server function broke");
        }
        let fault = Fault {
            problem: error.problem(),
            status: error.status(),
            request,
        };
        // A form posted without scripts is sent back to its page, and a page without a caller to the sign-in page: a
        // status would take the place of that redirection.
        let redirected = if self.function { self.html } else { fault.status == 401 };
        if let (Some(options), Ok(status), false) = (&self.options, StatusCode::from_u16(fault.status), redirected) {
            options.set_status(status);
        }
        fault
    }
}
