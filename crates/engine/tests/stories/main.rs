//! Stories of the engine: people who open, share, leave and come back, on a real store (SQLite in a temporary folder)
//! and a runtime that runs nothing but answers as one would.

#![allow(
    clippy::unwrap_used,
    reason = "a panic in a story is a failing test with a line number"
)]

mod echo;
mod house;

mod agents;
mod live;
mod people;
mod secrets;
mod sessions;
mod terminals;
