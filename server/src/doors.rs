//! The table of contents: every address that is answered, and what each passes through on its way in.

use crate::{
    assets::{self, Site},
    config, devices, headers, health,
    http::{self as rest, gate},
    invited, join,
    limits::{Rate, Shares},
    live, many, metrics as figures, minted,
    origin::Origins,
    pages, scim, sign_in, socket, switch, trace,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use domain::PersonId;
use engine::Engine;
use identity::Front;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;

/// What every handler can reach; cheap to clone.
#[derive(Clone)]
pub(crate) struct Doors(Arc<Inner>);

struct Inner {
    engine: Engine,
    site: Site,
    origins: Origins,
    front: Front,
    attachments: Shares<PersonId>,
    readers: Shares<PersonId>,
    expensive: Rate,
    calls: Rate,
    guesses: Rate,
    directories: Rate,
    wrong_tokens: Rate,
    again: rest::idempotency::Answers,
    request_timeout: Duration,
    figures: PrometheusHandle,
    api: String,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The largest body of a request, in bytes.
pub(crate) const BODY_MAX: usize = 64 * 1024;

/// So many server functions may be called for each expensive request.
const CALLS: u32 = 20;

/// So many codes of devices may be tried in a minute by one person, and wrong tokens of a directory from one address.
const GUESSES: u32 = 10;

/// So many requests may a directory make in a minute: four times what the large ones ask to be allowed.
const DIRECTORY: u32 = 6000;

impl Doors {
    pub(crate) fn new(
        engine: Engine,
        options: &config::Doors,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            engine,
            site: Site::load()?,
            origins: Origins::new(options.public_url.clone()),
            front: options.front(),
            attachments: Shares::new(options.attachments_per_person),
            readers: Shares::new(options.attachments_per_person),
            expensive: Rate::new(options.expensive_per_minute),
            calls: Rate::new(options.expensive_per_minute.saturating_mul(CALLS)),
            guesses: Rate::new(GUESSES),
            directories: Rate::new(DIRECTORY),
            wrong_tokens: Rate::new(GUESSES),
            again: rest::idempotency::Answers::default(),
            request_timeout: options.request_timeout,
            figures: figures::recorder(),
            api: rest::openapi::document(),
            stop,
            tasks,
        })))
    }

    /// Every address.
    pub(crate) fn router(&self) -> Router {
        let timely = rest::router()
            .merge(pages::router(self))
            .merge(sign_in::router())
            .merge(join::router())
            .merge(minted::router())
            .merge(many::router())
            .merge(invited::router())
            .merge(devices::router())
            .merge(switch::router())
            .merge(rest::openapi::router())
            .route("/metrics", get(figures::answer))
            .route_layer(from_fn_with_state(self.clone(), rest::timeout));
        // Streams last as long as they are wanted: no timeout.
        let asked = timely
            .merge(socket::router())
            .merge(live::router())
            .fallback(pages::nothing_here)
            .method_not_allowed_fallback(rest::problem::no_such_method)
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .layer(from_fn_with_state(self.clone(), gate::who_asks));
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(assets::router(self.site()))
            .merge(scim::router(self))
            .merge(asked)
            .layer(CatchPanicLayer::custom(rest::problem::broken))
            .layer(from_fn_with_state(self.clone(), headers::harden))
            .layer(from_fn(trace::trace))
            .with_state(self.clone())
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn site(&self) -> &Site {
        &self.0.site
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    pub(crate) fn front(&self) -> Front {
        self.0.front
    }

    /// Terminal sockets, by person.
    pub(crate) fn attachments(&self) -> &Shares<PersonId> {
        &self.0.attachments
    }

    /// Live event streams, by person.
    pub(crate) fn readers(&self) -> &Shares<PersonId> {
        &self.0.readers
    }

    /// How often what is expensive may be asked for.
    pub(crate) fn expensive(&self) -> &Rate {
        &self.0.expensive
    }

    /// How often a person may call server functions.
    pub(crate) fn calls(&self) -> &Rate {
        &self.0.calls
    }

    /// How often a person may try the codes of devices.
    pub(crate) fn guesses(&self) -> &Rate {
        &self.0.guesses
    }

    /// How often a directory may ask, by its token.
    pub(crate) fn directories(&self) -> &Rate {
        &self.0.directories
    }

    /// How often wrong tokens of a directory may be tried, by address.
    pub(crate) fn wrong_tokens(&self) -> &Rate {
        &self.0.wrong_tokens
    }

    /// Answers kept for who asks again under the same key.
    pub(crate) fn again(&self) -> &rest::idempotency::Answers {
        &self.0.again
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.0.request_timeout
    }

    pub(crate) fn figures(&self) -> &PrometheusHandle {
        &self.0.figures
    }

    /// The description of the API, as JSON.
    pub(crate) fn api(&self) -> &str {
        &self.0.api
    }

    /// Cancelled when the server stops.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// What a stop waits for.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
}

impl FromRef<Doors> for leptos::config::LeptosOptions {
    fn from_ref(_: &Doors) -> Self {
        pages::options()
    }
}
