//! What every answer tells a browser to be careful with.

use crate::doors::Doors;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use identity::Front;

/// For what is no page: nothing may be loaded by it.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The policy of a page of the console. Scripts come from this site, or carry the nonce of this very answer. Styles may
/// be written inline: the terminal's emulator makes its rules as it draws, and they are only looks.
pub(crate) fn page_policy(nonce: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(NO_PAGE))
}

/// The policy of a page without any script.
pub(crate) const PLAIN_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'",
);

/// Adds the headers that are not there yet.
pub(crate) async fn harden(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut unless_there = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    unless_there(header::CONTENT_SECURITY_POLICY, NO_PAGE);
    unless_there(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_there(header::X_FRAME_OPTIONS, "DENY");
    unless_there(header::REFERRER_POLICY, "same-origin");
    unless_there(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), clipboard-read=(self), \
         clipboard-write=(self), fullscreen=(self)",
    );
    unless_there(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    unless_there(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    unless_there(header::CACHE_CONTROL, "no-store");
    if doors.front() == Front::Tls {
        unless_there(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// Whether the client would rather read a page than JSON.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
