//! The process `sandbox`: configuration, wiring, and the doors - pages, REST, WebSocket, live events.
//!
//! Doors are thin: they find out who asks, parse, call one verb of the engine, and present. What this room deliberately
//! does not know: rules, SQL, what a terminal shows. Start at [`serve`] for the life of the process, and at `doors.rs` for
//! the table of contents.

pub mod config;
pub mod serve;

mod assets;
mod connections;
mod devices;
mod doors;
mod forms;
mod forward;
mod headers;
mod health;
mod html;
mod http;
mod invited;
mod join;
mod limits;
mod live;
mod many;
mod metrics;
mod minted;
mod origin;
mod pages;
mod peer;
mod scim;
mod sign_in;
mod socket;
mod switch;
mod trace;
mod verify;

pub use self::http::openapi::document as openapi;
pub use serve::{Running, start};
pub use trace::start_log;
pub use verify::verify_audit;
