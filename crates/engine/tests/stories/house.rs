//! A house to tell stories in: an engine on a store of its own, a clock that is moved by hand, and a few people.

use crate::echo::Echo;
use domain::{
    Caller, OrgId, Role, SessionId, Timestamp,
    audit::{Ask, Entry},
    caller::Proof,
    id::LoginId,
    invitation::Invite,
    quota::{Answer, Limit, Limits},
    session::{Open, Phase, View},
};
use engine::{
    Engine, From, Options, Parts, SignedIn,
    ports::{Clock, Member, NoPost, NoProviders, Post, Providers, Scope, Store},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use testbed::postgres::Database;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longer than anything here takes; only reached when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) runtime: Arc<Echo>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) store: Arc<dyn Store>,
    stop: CancellationToken,
    place: Arc<Place>,
}

/// Where everything is kept; gone with the last house on it.
struct Place {
    folder: tempfile::TempDir,
    /// `None`: SQLite, in the folder.
    database: Option<Database>,
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
        let options = Options {
            plan: plan.map(str::to_owned),
            ..Options::default()
        };
        Self::with(options, Arc::new(NoProviders)).await
    }

    /// A house that posts its invitations.
    pub(crate) async fn with_post(post: Arc<dyn Post>) -> Self {
        Self::made(Options::default(), Arc::new(NoProviders), post).await
    }

    pub(crate) async fn keeping_audit_for(days: u32) -> Self {
        let options = Options {
            audit_days: Some(days),
            ..Options::default()
        };
        Self::with(options, Arc::new(NoProviders)).await
    }

    /// A house whose people come from these providers.
    pub(crate) async fn with_providers(providers: Arc<dyn Providers>, single_tenant: bool) -> Self {
        let options = Options {
            single_tenant,
            ..Options::default()
        };
        Self::with(options, providers).await
    }

    async fn with(options: Options, providers: Arc<dyn Providers>) -> Self {
        Self::made(options, providers, Arc::new(NoPost)).await
    }

    async fn made(options: Options, providers: Arc<dyn Providers>, post: Arc<dyn Post>) -> Self {
        let place = Place {
            folder: tempfile::tempdir().expect("a temporary folder"),
            database: testbed::database(),
        };
        let options_of_store = store::Options {
            database_url: place.database.as_ref().map(|database| database.url().to_owned()),
            ..store::Options::default()
        };
        let store = store::open(&options_of_store, place.folder.path())
            .await
            .expect("opens");
        let clock = Arc::new(HandClock(AtomicI64::new(1_790_000_000_000)));
        let runtime = Arc::new(Echo::new());
        let house = Self::over(
            Arc::new(store),
            clock,
            runtime,
            Arc::new(place),
            options,
            (providers, post),
        )
        .await;
        assert!(house.engine.found().await.expect("founds"));
        house
    }

    async fn over(
        store: Arc<dyn Store>,
        clock: Arc<HandClock>,
        runtime: Arc<Echo>,
        place: Arc<Place>,
        options: Options,
        (providers, post): (Arc<dyn Providers>, Arc<dyn Post>),
    ) -> Self {
        let parts = Parts {
            store: store.clone(),
            runtime: runtime.clone(),
            credentials: Arc::new(identity::Local::new()),
            keyring: Arc::new(identity::Keyring::made(&place.folder.path().join("keys/secrets.key")).expect("a key")),
            clock: clock.clone(),
            providers,
            post,
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
            place,
        }
    }

    /// The server is killed and another is started on the same store; what ran is lost.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_after(|_| {}).await
    }

    /// The same, after something has happened in the runtime.
    pub(crate) async fn restarted_after(self, happens: impl FnOnce(&Echo)) -> Self {
        self.restarted_with(Arc::new(NoPost), happens).await
    }

    /// The same, with this post.
    pub(crate) async fn restarted_with(self, post: Arc<dyn Post>, happens: impl FnOnce(&Echo)) -> Self {
        self.stop.cancel();
        let runtime = Echo::new();
        happens(&runtime);
        Self::over(
            self.store.clone(),
            self.clock.clone(),
            Arc::new(runtime),
            self.place.clone(),
            Options::default(),
            (Arc::new(NoProviders), post),
        )
        .await
    }

    /// All that the database remembers: its files, or what it would be made of again.
    pub(crate) fn remembered(&self) -> Vec<u8> {
        if let Some(database) = &self.place.database {
            return database.dumped();
        }
        let all = std::fs::read_dir(self.place.folder.path()).expect("a folder");
        let all = all.map(|entry| entry.expect("an entry").path());
        let files = all.filter(|path| path.is_file());
        files.flat_map(|path| std::fs::read(path).expect("a file")).collect()
    }

    /// Where the keys for secrets are.
    pub(crate) fn key_file(&self) -> std::path::PathBuf {
        self.place.folder.path().join("keys/secrets.key")
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
            proof: Proof::login(LoginId::new("none")),
            request: None,
            address: None,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whoever runs the installation, in its own Organization.
    pub(crate) async fn root(&self) -> Caller {
        self.person("local", "root", Role::SuperAdmin).await
    }

    /// The same person as their seat is now.
    pub(crate) async fn again(&self, caller: &Caller) -> Caller {
        let seat = self.store.find_seat(&caller.org, &caller.person).await;
        let seat = seat.expect("an answer").expect("a seat");
        Caller {
            role: seat.role,
            name: seat.name,
            ..caller.clone()
        }
    }

    /// Signs this person in by a link.
    pub(crate) async fn browser(&self, caller: &Caller) -> SignedIn {
        let link = self
            .engine
            .sign_in_link(Some(&caller.email), Some(caller.org.as_str()))
            .await
            .expect("a link");
        let signed_in = self.engine.sign_in(&link.secret, &From::default()).await;
        signed_in.expect("signs in")
    }

    /// Invites this address as a developer; the link.
    pub(crate) async fn invite(&self, caller: &Caller, email: &str) -> String {
        let invite = Invite {
            email: email.to_owned(),
            role: Role::Developer,
            days: None,
            seat_days: None,
            limits: Limits::default(),
        };
        let invited = self.engine.invite(caller, &caller.org, invite).await;
        invited.expect("invites").secret
    }

    /// A minute passes for the server's timers; what is due by the hand clock is done.
    pub(crate) async fn minute(&self) {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
    }

    /// The newest entries of an Organization's audit: action and detail.
    pub(crate) async fn audit(&self, org: &OrgId) -> Vec<Entry> {
        let ask = Ask {
            limit: 100,
            ..Ask::default()
        };
        let trail = self.store.list_audit(&Scope::Org(org.clone()), &ask).await;
        trail
            .expect("entries")
            .lines
            .into_iter()
            .map(|line| line.entry)
            .collect()
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
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let view = self.engine.show(caller, id).await.expect("exists");
            if wanted(&view) {
                return view;
            }
            tokio::task::yield_now().await;
        }
        panic!("{id} never became as wanted");
    }
}

/// A grant as an admin writes it.
pub(crate) fn grant(limit: Limit, days: Option<i64>) -> Answer {
    let answer = serde_json::json!({ "answer": "grant", "limit": limit, "days": days });
    serde_json::from_value(answer).expect("an answer")
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
