//! Stories of the engine: people who open, share, leave and come back, on a real store (SQLite in a temporary folder)
//! and a runtime that runs nothing but answers as one would.

#![allow(
    clippy::unwrap_used,
    reason = "a panic in a story is a failing test with a line number"
)]

mod devices;
mod echo;
mod house;

mod agents;
mod audit;
mod identity;
mod invitations;
mod isolation;
mod live;
mod many;
mod members;
mod orgs;
mod people;
mod policy;
mod post;
mod quota;
mod recordings;
mod rules;
mod secrets;
mod seeing;
mod sessions;
mod terminals;
