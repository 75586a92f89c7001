//! Everything the product can do, once. A door parses, calls one verb of [`Engine`] with a [`Caller`], and presents.
//!
//! Each verb permits, decides by the rules of `domain`, records state, audit and event in one transaction of the
//! [`ports::Store`], and asks the [`ports::Runtime`]. What the runtime sees comes back through [`observe`].
//!
//! What this room deliberately does not know: SQL, processes, HTTP, pages. All that it asks of the world, a noun a file, is
//! [`ports`]. Start at `sessions.rs`.

pub mod ports;

mod agents;
mod asleep;
mod attachments;
mod audit;
mod devices;
mod directory;
mod error;
mod health;
mod identity;
mod installation;
mod invitations;
mod live;
mod logins;
mod many;
mod members;
mod notes;
mod observe;
mod orgs;
mod policy;
mod post;
mod quota;
mod record;
mod recordings;
mod rules;
mod secrets;
mod sessions;
mod terminals;
mod tokens;

pub use attachments::{Attachment, Drive};
pub use directory::{Found, GroupChange, GroupCheck, UserChange, UserCheck};
pub use error::{Error, Result};
pub use identity::{Arrived, Beginning, FLOW_SECONDS};
pub use installation::SignInLink;
pub use logins::{From, SignedIn};
pub use members::SeatChange;
pub use policy::Policies;
pub use secrets::{Checked, Rekeyed, Shelf};
pub use terminals::AttachAsk;

use domain::{SessionId, agent::Catalogue};
use ports::{Clock, Credentials, Keyring, Post, Providers, Runtime, Store};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, RwLock},
};
use tokio::sync::{Notify, broadcast};

/// The one engine of a process; cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// What an engine is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub runtime: Arc<dyn Runtime>,
    pub credentials: Arc<dyn Credentials>,
    pub keyring: Arc<dyn Keyring>,
    pub clock: Arc<dyn Clock>,
    /// [`ports::NoProviders`] where people sign in with links alone.
    pub providers: Arc<dyn Providers>,
    /// [`ports::NoPost`] where nothing is posted.
    pub post: Arc<dyn Post>,
}

/// [`Options::confirm_days`] where nothing else is said: a month without a browser is much, a quarter is too much.
pub const CONFIRM_DAYS: u32 = 30;

/// What an installation decides.
#[derive(Clone, Debug)]
pub struct Options {
    /// The slug of the Organization that the first start makes.
    pub org: String,
    /// The address of the account that the first start makes.
    pub admin_email: String,
    /// Whether who comes from a provider that names no Organization belongs to the one of `org`.
    pub single_tenant: bool,
    /// The plan that everybody is on; without one the default quota holds.
    pub plan: Option<String>,
    /// The agents that can be opened.
    pub catalogue: Catalogue,
    /// Days that the audit is kept; `None`: for ever.
    pub audit_days: Option<u32>,
    /// Days that a seat from an identity provider opens anything by a token, or by another provider, without its own having
    /// proven the person.
    pub confirm_days: u32,
    /// Where repositories given as `org/name` are, such as `https://git.example.org`.
    pub git_base: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            org: "local".to_owned(),
            admin_email: "admin@localhost".to_owned(),
            single_tenant: false,
            plan: None,
            catalogue: Catalogue::shipped(),
            audit_days: None,
            confirm_days: CONFIRM_DAYS,
            git_base: None,
        }
    }
}

struct Inner {
    store: Arc<dyn Store>,
    runtime: Arc<dyn Runtime>,
    credentials: Arc<dyn Credentials>,
    keyring: Arc<dyn Keyring>,
    clock: Arc<dyn Clock>,
    providers: Arc<dyn Providers>,
    post: Arc<dyn Post>,
    /// Woken when a letter is written.
    letters: Notify,
    options: Options,
    quota: domain::quota::Quota,
    /// What runs now, as last told by the runtime. Never locked across an await.
    running: RwLock<HashMap<SessionId, observe::Running>>,
    /// Who is attached. Never locked across an await.
    attachments: Mutex<attachments::Attachments>,
    /// Wakes whoever reads live.
    pulse: broadcast::Sender<live::Pulse>,
    /// Audit entries that go with no change of state.
    notes: notes::Notes,
}

impl Engine {
    /// Puts an engine together; nothing happens before [`Engine::start`]. An unknown plan or a wrong slug is refused.
    pub fn new(parts: Parts, options: Options) -> Result<Self> {
        domain::org::slug(&options.org)?;
        let quota = domain::quota::Quota::of_plan(options.plan.as_deref()).ok_or_else(|| {
            let plan = options.plan.clone().unwrap_or_default();
            let detail = format!("There is no plan {plan}. Plans are sandbox-free, sandbox-pro and sandbox-ent.");
            domain::Problem::new("invalid-plan", detail)
        })?;
        let Parts {
            store,
            runtime,
            credentials,
            keyring,
            clock,
            providers,
            post,
        } = parts;
        let (running, attachments) = (RwLock::default(), Mutex::default());
        // A reader that is more than this many changes behind is told to ask for everything.
        let (pulse, _) = broadcast::channel(256);
        Ok(Self(Arc::new(Inner {
            store,
            runtime,
            credentials,
            keyring,
            clock,
            providers,
            post,
            letters: Notify::new(),
            options,
            quota,
            running,
            attachments,
            pulse,
            notes: notes::Notes::default(),
        })))
    }
}
