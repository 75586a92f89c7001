//! What SCIM answers: resources, lists and refusals, each as `application/scim+json`.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const CONTENT: &str = "application/scim+json";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// The words that may stand as `scimType` (RFC 7644, table 9).
const TYPES: [&str; 9] = [
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "sensitive",
];

/// JSON of a status.
pub(super) fn scim(status: StatusCode, body: &Value) -> Response {
    let kind = HeaderValue::from_static(CONTENT);
    (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
}

/// A page of a list.
pub(super) fn list(resources: Vec<Value>, total: u64, start: u64) -> Response {
    let body = json!({
        "schemas": [LIST], "totalResults": total, "startIndex": start, "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    scim(StatusCode::OK, &body)
}

/// One resource: with its version, and where it is. To whoever has this version already, nothing is sent.
pub(super) fn one(status: StatusCode, resource: &Value, asked: &HeaderMap) -> Response {
    let of = |name: &str| {
        resource["meta"][name]
            .as_str()
            .and_then(|text| HeaderValue::from_str(text).ok())
    };
    let (version, location) = (of("version"), of("location"));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let has_it = status == StatusCode::OK
        && known.is_some_and(|known| names(known, resource["meta"]["version"].as_str().unwrap_or_default()));
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        scim(status, resource)
    };
    let headers = response.headers_mut();
    if let Some(version) = version {
        headers.insert(header::ETAG, version);
    }
    if let Some(location) = location {
        let name = if status == StatusCode::CREATED {
            header::LOCATION
        } else {
            header::CONTENT_LOCATION
        };
        headers.insert(name, location);
    }
    response
}

/// Whether a list of versions, as `If-Match` has it, names this one. Versions here are weak, and compared so.
pub(super) fn names(list: &str, version: &str) -> bool {
    let bare = |version: &str| version.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    list.split(',')
        .any(|one| one.trim() == "*" || bare(one) == bare(version))
}

/// A version of a resource, by what it shows.
pub(super) fn version(shown: &Value) -> String {
    // FNV-1a: it only tells a changed resource from an unchanged one, and is the same in every process.
    let hash = shown.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("W/\"{hash:016x}\"")
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: String,
    wait: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: None,
            detail: detail.into(),
            wait: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(30),
        }
    }

    /// A request that the directory can correct.
    pub(super) fn invalid(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: Some(kind),
            ..Self::new(StatusCode::BAD_REQUEST, detail)
        }
    }

    pub(super) fn unauthenticated() -> Self {
        let detail = "Send the token of your Organization's directory: Authorization: Bearer sbd_… It is made in the settings \
                      of the Organization, and ends.";
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        Self {
            wait: Some(seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("Too often. Try again in {seconds} s."),
            )
        }
    }
}

impl From<engine::Error> for Refusal {
    fn from(error: engine::Error) -> Self {
        use engine::Error;
        if let Error::Internal(cause) = &error {
            // Logged here and nowhere else; the request's span says which request it was.
            tracing::error!(error = format!("{cause:#}"), "a request broke");
        }
        let problem = error.problem();
        let known = TYPES.into_iter().find(|kind| *kind == problem.code);
        let (status, kind) = match &error {
            Error::Conflict(problem) if problem.code == "precondition-failed" => {
                (StatusCode::PRECONDITION_FAILED, None)
            }
            Error::Invalid(_) => (StatusCode::BAD_REQUEST, known.or(Some("invalidValue"))),
            // A conflict would be read as "is there already": no seat is left, for anybody.
            Error::OverQuota(_) => (StatusCode::FORBIDDEN, None),
            other => {
                let status = StatusCode::from_u16(other.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, known)
            }
        };
        Self {
            kind,
            ..Self::new(status, problem.detail)
        }
    }
}

impl From<domain::Problem> for Refusal {
    fn from(problem: domain::Problem) -> Self {
        engine::Error::from(problem).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({
            "schemas": [ERROR], "status": self.status.as_u16().to_string(), "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = json!(kind);
        }
        let mut response = scim(self.status, &body);
        let headers = response.headers_mut();
        if let Some(wait) = self.wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_weakly_and_any_of_a_list_will_do() {
        let version = version(&json!({ "id": "a" }));
        assert_ne!(version, super::version(&json!({ "id": "b" })));
        assert!(names(&version, &version) && names("*", &version));
        assert!(names(&format!("\"x\", {}", version.trim_start_matches("W/")), &version));
        assert!(!names("W/\"x\"", &version) && !names("", &version));
    }
}
