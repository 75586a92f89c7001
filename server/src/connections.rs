//! Connections: so many at once, each with a bound on how long it may take to say what it wants.

use crate::peer::Peer;
use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(15);
/// How long to wait when the process has no more files to open.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts until the server stops; each connection then finishes what it is doing.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    most: u32,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let room = Arc::new(Semaphore::new(most as usize));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20));
    loop {
        // Room first: who does not fit waits in the kernel's queue rather than in this process.
        let accepted = async {
            let room = room.clone().acquire_owned().await;
            (listener.accept().await, room)
        };
        let (accepted, room) = tokio::select! {
            () = stop.cancelled() => return,
            accepted = accepted => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // A keystroke's echo is small and waits for no other.
        let _ = stream.set_nodelay(true);
        let service = router
            .clone()
            .layer(Extension(Peer(address)))
            .map_request(|request: http::Request<hyper::body::Incoming>| request.map(axum::body::Body::new));
        let (builder, stop) = (builder.clone(), stop.clone());
        tasks.spawn(async move {
            let connection =
                builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    // How it ended is the other side's business.
                    let _ = connection.await;
                }
            }
            drop(room);
        });
    }
}
