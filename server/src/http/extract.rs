//! What handlers take from a request; whatever is wrong with it is told as JSON, with the field named.

use super::problem::Refused;
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request},
};
use domain::Caller;
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;

/// The one who asks; without one the answer is 401.
pub(crate) struct Me(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for Me {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .map(Self)
            .ok_or_else(Refused::unauthenticated)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Me {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
        Ok(parts.extensions.get::<Caller>().cloned().map(Self))
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        check_content_type(request.headers())?;
        let bytes = bytes(request, state).await?;
        if bytes.trim_ascii().is_empty() {
            return Err(Refused::invalid("empty-body", "Send a JSON object."));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Refused::invalid("invalid-json", format!("The body is not what is expected: {error}.")))
    }
}

/// A JSON body that may be left out.
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        check_content_type(request.headers())?;
        let bytes = bytes(request, state).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Refused::invalid("invalid-json", format!("The body is not what is expected: {error}.")))
    }
}

async fn bytes<S: Send + Sync>(request: Request<Body>, state: &S) -> Result<Bytes, Refused> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => Refused::invalid("unreadable-body", "The body of the request did not arrive whole."),
        })
}

pub(crate) fn too_large() -> Refused {
    Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-too-large",
        "The body of a request has at most 64 KiB.",
    )
}

/// A body that says it is something else than JSON is refused; one that says nothing is taken for JSON.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(said) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = said
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Send the body as application/json.",
    ))
}

/// The query of an address.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| Refused::invalid("invalid-query", format!("{}.", rejection.body_text())))
    }
}

/// Parts of an address.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            // Not even text: no id is like this.
            Err(_) => Err(Refused::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "There is nothing at this address.",
            )),
        }
    }
}

/// An `Idempotency-Key`: 1 to 200 visible characters.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let key = value.to_str().unwrap_or_default();
        if (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(Some(key.to_owned())));
        }
        let detail = "An Idempotency-Key has 1 to 200 visible characters.";
        Err(Refused::invalid("invalid-idempotency-key", detail).at("Idempotency-Key"))
    }
}
