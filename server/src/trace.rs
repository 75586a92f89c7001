//! What is said of a request: its id, a line in the log, and its place in the figures. Never a token, a keystroke, a
//! terminal's bytes, or a query.

use crate::config::{Log, LogFormat};
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, Method, StatusCode};
use std::{io::IsTerminal as _, time::Instant};
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

/// The id of a request: the client's own where it is a sensible one, else a new one.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

const REQUEST_ID: &str = "x-request-id";

/// Gives the request an id and a span, logs how it ended, and counts it.
pub(crate) async fn trace(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| is_sensible(id));
    let id = id.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    // The route, not the path: a path may hold the secret of a sign-in link, and figures need few labels.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id, method = %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status();
    let took = started.elapsed();
    span.in_scope(|| {
        let millis = took.as_millis() as u64;
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), millis, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), millis, "answered");
        }
    });
    count(&method, route, status, took.as_secs_f64());
    response
}

fn count(method: &Method, route: String, status: StatusCode, seconds: f64) {
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let labels = [
        ("method", method),
        ("route", route),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("sandbox_http_requests_total", &labels).increment(1);
    metrics::histogram!("sandbox_http_request_seconds", "route" => labels[1].1.clone()).record(seconds);
}

/// Letters, digits and a few signs, so that an id can neither break a log line nor fill it.
fn is_sensible(id: &str) -> bool {
    (1..=100).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

/// Libraries that, asked for everything, write down what passes through them: cookies, tokens, keystrokes. They are
/// not asked, whatever the filter says.
const QUIET: [&str; 5] = [
    "tungstenite=info",
    "tokio_tungstenite=info",
    "hyper=info",
    "hyper_util=info",
    "h2=info",
];

/// Starts the log as it was asked for.
pub fn start_log(log: &Log) -> anyhow::Result<()> {
    let Log { filter, format } = log;
    let mut filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|error| anyhow::anyhow!("--log {filter:?} is not understood: {error}."))?;
    for quiet in QUIET {
        filter = filter.add_directive(quiet.parse()?);
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Human => builder
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_sensible;

    #[test]
    fn an_id_from_outside_cannot_break_a_log_line() {
        assert!(is_sensible("0198c0de-7a1b") && is_sensible("a.b:c_d"));
        for wrong in ["", "a b", "a\nb", "<x>", "é", &"x".repeat(101)] {
            assert!(!is_sensible(wrong), "{wrong:?}");
        }
    }
}
