//! Providers that lie, fail and attack: each lie is a test, and none is believed.

mod leaving;
mod provider;
mod refreshing;
mod signing_in;

use domain::Timestamp;
use engine::ports::{Answer, Clock, Proven, Providers as _, Refusal, Whom};
use identity::{Oidc, oidc::Options};
use provider::{CLIENT, Provider, SECRET};
use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// The time at which these stories begin, in seconds since 1970.
const BEGIN: i64 = 1_790_000_000;
const BACK: &str = "http://127.0.0.1:9/auth/callback/evil";

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst) * 1000)
    }
}

/// An installation that knows one provider.
struct Stage {
    provider: Provider,
    oidc: Oidc,
    clock: Arc<HandClock>,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With these lines in the provider's configuration.
    async fn with(lines: &str) -> Self {
        let provider = Provider::start(BEGIN).await;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("providers.toml");
        let mut file = std::fs::File::create(&path).expect("a file");
        write!(
            file,
            "[[provider]]\nid = 'evil'\nlabel = 'Evil'\nissuer = '{}'\nclient_id = '{CLIENT}'\n\
             client_secret = '{SECRET}'\n{lines}",
            provider.issuer
        )
        .expect("written");
        let options = Options {
            oidc_config: Some(path),
            // Long enough for a busy machine; the one test that waits for its end waits so long.
            oidc_timeout: 5,
            ..Options::default()
        };
        let clock = Arc::new(HandClock(AtomicI64::new(BEGIN)));
        let kept: Arc<dyn Clock> = clock.clone();
        let oidc = Oidc::new(folder.path(), &options, &kept).expect("good");
        Self {
            provider,
            oidc,
            clock,
            _folder: folder,
        }
    }

    fn forward(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
        self.provider.manner().now += seconds;
    }

    async fn sign_in(&self) -> anyhow::Result<Proven> {
        self.sign_in_with(Answer {
            code: Some("a code".to_owned()),
            ..Answer::default()
        })
        .await
    }

    async fn sign_in_with(&self, answer: Answer) -> anyhow::Result<Proven> {
        let begun = self.oidc.begin("evil", "a state", BACK, Whom::SignedIn).await?;
        assert_eq!(self.provider.visited(&begun.url), "a state");
        self.oidc.complete("evil", "a state", &begun.sealed, &answer).await
    }

    /// Signs in, which must be refused for this reason.
    async fn refused(&self, why: &str) {
        let error = self.sign_in().await.expect_err("refused");
        match error.downcast_ref::<Refusal>() {
            Some(Refusal::Invalid(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}: {error:#}"),
        }
    }
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<Refusal>(), Some(Refusal::Unavailable(_)))
}
