//! Whether the process lives, and whether it can serve.

use crate::doors::Doors;
use axum::extract::State;
use http::StatusCode;

/// It answers, so it lives.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// What it needs answers too; while it stops, it is not ready, so that no proxy sends it more.
pub(crate) async fn ready(State(doors): State<Doors>) -> (StatusCode, &'static str) {
    if doors.stop().is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    match tokio::time::timeout(core::time::Duration::from_secs(5), doors.engine().ready()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready"),
        Ok(Err(error)) => {
            tracing::warn!(error = format!("{error:#}"), "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the store does not answer"),
    }
}
