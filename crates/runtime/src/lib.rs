//! Where sessions run. Today on this machine: [`local`] gives every session a folder and a `sandbox-host` process.
//!
//! What this room deliberately does not know: people, rights, plans and the store. It is told what a session needs and
//! tells what it sees; what that means is decided in `engine`.
//!
//! Start reading at [`local::Local`], then `local/keeper.rs` (one task keeps one session), then `local/making.rs`.

pub mod local;

pub use local::{Local, Options};
