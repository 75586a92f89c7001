//! The words and the rules of Sandbox: no IO, no async, no clock (`now` is an argument).
//!
//! What this room deliberately does not know: databases, HTTP, processes, Leptos. It compiles to WebAssembly, so the
//! browser and the server share one vocabulary. Start at [`session`], then [`permit`] (who may do what) and
//! [`wire`] (what a browser and a terminal say to each other).

pub mod agent;
pub mod audit;
pub mod caller;
pub mod claims;
pub mod device;
pub mod directory;
pub mod event;
pub mod health;
pub mod host;
pub mod id;
pub mod invitation;
pub mod link;
pub mod login;
pub mod many;
pub mod member;
pub mod org;
pub mod page;
pub mod pass;
pub mod permit;
pub mod policy;
pub mod problem;
pub mod quota;
pub mod scim;
pub mod secret;
pub mod session;
pub mod time;
pub mod token;
pub mod usage;
pub mod way;
pub mod wire;

pub use caller::{Caller, Role};
pub use id::{OrgId, PersonId, SessionId};
pub use problem::Problem;
pub use time::Timestamp;
