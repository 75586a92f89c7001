//! The one translation of what went wrong into HTTP.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::Problem;
use http::{HeaderValue, StatusCode, header};

/// What a handler of the API returns.
pub(crate) type Answer<T> = Result<T, Refused>;

/// A refusal, as a status and `{error, detail, field?}`.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    problem: Problem,
}

/// Seconds after which a client may try again what is unavailable (published).
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("30");

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            problem: Problem::new(code, detail),
        }
    }

    /// A request that the caller can correct.
    pub(crate) fn invalid(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        engine::Error::Unauthenticated.into()
    }

    pub(crate) fn too_many(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail)
    }

    /// Blames one field of the request.
    pub(crate) fn at(mut self, field: &str) -> Self {
        self.problem = self.problem.at(field);
        self
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The problem alone, for a door that says it in its own way.
    pub(crate) fn into_problem(self) -> Problem {
        self.problem
    }

    /// The sentence for a person.
    pub(crate) fn detail(&self) -> &str {
        &self.problem.detail
    }
}

impl From<engine::Error> for Refused {
    fn from(error: engine::Error) -> Self {
        if let engine::Error::Internal(cause) = &error {
            // Logged here and nowhere else; the request's span says which request it was.
            tracing::error!(error = format!("{cause:#}"), "a request broke");
        }
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            problem: error.problem(),
        }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        engine::Error::from(problem).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self.problem)).into_response();
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            StatusCode::UNAUTHORIZED => {
                let scheme = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            _ => {}
        }
        response
    }
}

/// The answer for an address that is none.
pub(crate) async fn no_such_route() -> Refused {
    Refused::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "There is nothing at this address. See /docs/api.",
    )
}

/// The answer for a method that an address has not got.
pub(crate) async fn no_such_method() -> Refused {
    Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This address does not know that method. See /docs/api.",
    )
}

/// The answer when a handler panics: the process goes on, and the log says where.
pub(crate) fn broken(panic: Box<dyn std::any::Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(message, "a handler panicked");
    Refused {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        problem: engine::Error::Internal(anyhow::anyhow!("panic")).problem(),
    }
    .into_response()
}
