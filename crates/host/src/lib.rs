//! The process that owns a session's terminals, and how others talk to it.
//!
//! `sandbox-host run` is one session: it starts the agent in a terminal, keeps shells beside it, forwards the
//! conversations of viewers over a Unix socket, meters what the session uses, and outlives every server. The words on
//! its socket are in [`domain::host`]; [`client`] speaks them from the other side.
//!
//! What this room deliberately does not know: people and their rights (a viewer comes with `may_type`), the store,
//! agents' packages, and how terminals work inside (that is the room `terminal`).
//!
//! Start reading at [`command`] and [`run`](run()), then `serve` (one connection), then [`confine`] (what a program may touch and take).

pub mod client;
pub mod command;
pub mod confine;
pub mod disk;
pub mod files;
pub mod ledger;
pub mod mask;
pub mod message;
pub mod processes;
pub mod recording;
pub mod socket;

mod attach;
mod detach;
mod meter;
mod run;
mod serve;
mod spawner;
mod terminals;

pub use run::{Options, run};
