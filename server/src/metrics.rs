//! Figures for Prometheus.

use crate::{
    doors::Doors,
    http::{
        extract::Me,
        problem::{Answer, Refused},
    },
    peer::Peer,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    permit::{Reach, Verb},
    session::Phase,
};
use http::{HeaderMap, header};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{sync::OnceLock, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Upper bounds of the buckets for anything measured in seconds: from a keystroke's echo to a slow request.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0,
];

/// The recorder of this process: there is one, however many servers a test starts.
pub(crate) fn recorder() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
                .expect("there are buckets");
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            // Only fails where another recorder is set, and there is no other in this program.
            let _ = metrics::set_global_recorder(recorder);
            describe();
            handle
        })
        .clone()
}

fn describe() {
    describe_counter!("sandbox_http_requests_total", "Requests, by method, route and status.");
    describe_histogram!(
        "sandbox_http_request_seconds",
        Unit::Seconds,
        "Time to an answer, by route."
    );
    describe_gauge!("sandbox_attachments", "Terminal sockets that are open.");
    describe_gauge!("sandbox_event_readers", "Live event streams that are open.");
    describe_counter!(
        "sandbox_terminal_bytes_total",
        Unit::Bytes,
        "Terminal bytes, by direction: in or out."
    );
    describe_histogram!(
        "sandbox_echo_seconds",
        Unit::Seconds,
        "From a keystroke to the next output on its socket."
    );
    describe_histogram!(
        "sandbox_send_seconds",
        Unit::Seconds,
        "Time that terminal output waited for its reader."
    );
    describe_gauge!(
        "sandbox_lag_seconds",
        Unit::Seconds,
        "How late this process runs what is due."
    );
    describe_gauge!("sandbox_sessions", "Sessions, by phase.");
}

/// Measures how late this process is, until the server stops; and keeps histograms from growing.
pub(crate) async fn measure(handle: PrometheusHandle, stop: CancellationToken) {
    const EVERY: Duration = Duration::from_secs(1);
    let mut due = Instant::now() + EVERY;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep_until(due) => {}
        }
        gauge!("sandbox_lag_seconds").set(due.elapsed().as_secs_f64());
        handle.run_upkeep();
        due = Instant::now() + EVERY;
    }
}

/// Counts one while it is held.
pub(crate) struct Counted(&'static str);

impl Counted {
    pub(crate) fn new(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

/// `/metrics`: for this machine, or for who may see the installation.
pub(crate) async fn answer(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    me: Option<Me>,
) -> Answer<Response> {
    let may = me.is_some_and(|Me(caller)| caller.reach(Verb::SeeInstallation) > Reach::Nothing);
    if !may && !peer.is_this_machine(&headers) {
        return Err(Refused::unauthenticated());
    }
    let counts = doors.engine().gauges().await.map_err(engine::Error::from)?;
    for phase in Phase::ALL {
        let count = counts
            .iter()
            .find(|(counted, _)| *counted == phase)
            .map_or(0, |(_, count)| *count);
        gauge!("sandbox_sessions", "phase" => phase.as_str()).set(count as f64);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, doors.figures().render()).into_response())
}
