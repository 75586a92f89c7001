//! A house to tell stories in: an engine on a store of its own, a clock that is moved by hand, and a few people.

use crate::echo::Echo;
use domain::{
    Caller, Role, SessionId, Timestamp,
    caller::Proof,
    id::LoginId,
    session::{Open, Phase, View},
};
use engine::{
    Engine, Options, Parts,
    ports::{Clock, Member, Store},
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) runtime: Arc<Echo>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) store: Arc<dyn Store>,
    stop: CancellationToken,
    _folder: Arc<tempfile::TempDir>,
}

/// A clock that stands still until it is moved.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl House {
    /// A house on its first day, on the plan of three sessions at once.
    pub(crate) async fn new() -> Self {
        Self::on_plan(None).await
    }

    pub(crate) async fn on_plan(plan: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = store::open(&store::Options::default(), folder.path())
            .await
            .expect("opens");
        let clock = Arc::new(HandClock(AtomicI64::new(1_790_000_000_000)));
        let runtime = Arc::new(Echo::new());
        let house = Self::over(Arc::new(store), clock, runtime, Arc::new(folder), plan).await;
        assert!(house.engine.found().await.expect("founds"));
        house
    }

    async fn over(
        store: Arc<dyn Store>,
        clock: Arc<HandClock>,
        runtime: Arc<Echo>,
        folder: Arc<tempfile::TempDir>,
        plan: Option<&str>,
    ) -> Self {
        let parts = Parts {
            store: store.clone(),
            runtime: runtime.clone(),
            credentials: Arc::new(identity::Local::new()),
            keyring: Arc::new(identity::Keyring::made(&folder.path().join("keys/secrets.key")).expect("a key")),
            clock: clock.clone(),
        };
        let options = Options {
            plan: plan.map(str::to_owned),
            ..Options::default()
        };
        let engine = Engine::new(parts, options).expect("valid options");
        let stop = CancellationToken::new();
        engine.start(stop.clone(), &TaskTracker::new()).await.expect("starts");
        Self {
            engine,
            runtime,
            clock,
            store,
            stop,
            _folder: folder,
        }
    }

    /// The server is killed and another is started on the same store; what ran is lost.
    pub(crate) async fn restarted(self) -> Self {
        self.stop.cancel();
        Self::over(
            self.store.clone(),
            self.clock.clone(),
            Arc::new(Echo::new()),
            self._folder.clone(),
            None,
        )
        .await
    }

    /// Where the keys for secrets are.
    pub(crate) fn key_file(&self) -> std::path::PathBuf {
        self._folder.path().join("keys/secrets.key")
    }

    pub(crate) async fn person(&self, org: &str, name: &str, role: Role) -> Caller {
        let email = format!("{name}@example.org");
        let member = self.engine.add_member(org, &email, name, role).await.expect("a member");
        let Member {
            person,
            email,
            name,
            org,
            role,
        } = member;
        Caller {
            person,
            email,
            name,
            org,
            role,
            proof: Proof::Login(LoginId::new("none")),
            request: None,
        }
    }

    pub(crate) async fn open(&self, caller: &Caller, name: &str) -> View {
        let open = Open {
            agent: "shell".to_owned(),
            name: Some(name.to_owned()),
            ..Open::default()
        };
        let view = self.engine.open(caller, open, None).await.expect("opens");
        self.until(caller, &view.session.id, |view| view.session.phase == Phase::Ready)
            .await
    }

    /// The session once it is as wanted: what the runtime sees arrives in its own time.
    pub(crate) async fn until(&self, caller: &Caller, id: &SessionId, wanted: impl Fn(&View) -> bool) -> View {
        for _ in 0..10_000 {
            let view = self.engine.show(caller, id).await.expect("exists");
            if wanted(&view) {
                return view;
            }
            tokio::task::yield_now().await;
        }
        panic!("{id} never became as wanted");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
