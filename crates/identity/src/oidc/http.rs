//! Asking a provider: within a time and a size, and never where it sends us on to.

use futures::future::BoxFuture;
use openidconnect::{HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use std::time::Duration;

/// The largest answer of a provider that is read, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// A client with bounds; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Http(reqwest::Client);

type Sent = BoxFuture<'static, Result<HttpResponse, Failed>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{}", within(.0))]
    Http(#[from] reqwest::Error),
    #[error("the answer has more than {ANSWER_MAX} bytes")]
    TooLarge,
}

/// The error with its causes, but never with the address: one may hold a secret.
fn within(error: &reqwest::Error) -> String {
    let mut words = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        "no connection".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}

impl Http {
    pub(super) fn new(timeout: Duration) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(2)
            .user_agent(concat!("sandbox/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    /// What the library asks with.
    pub(super) fn caller(&self) -> impl Fn(HttpRequest) -> Sent + use<> {
        let http = self.clone();
        move |request| {
            let http = http.clone();
            Box::pin(async move { http.send(request).await })
        }
    }

    /// Sends a request and reads its answer whole.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failed> {
        let request = reqwest::Request::try_from(request)?;
        let mut response = self.0.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(Failed::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}
