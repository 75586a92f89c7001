//! Stories of the engine: people who open, share, leave and come back, on a real store (SQLite in a temporary folder,
//! and all of them once more on PostgreSQL) and a runtime that runs nothing but answers as one would.

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

#[test]
fn every_story_holds_on_postgresql() {
    testbed::live_again("every_story_holds_on_postgresql", lay_out);
}

/// Brings the schema into the database of this address.
fn lay_out(url: &str) {
    let options = store::Options {
        database_url: Some(url.to_owned()),
        ..store::Options::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime
        .block_on(store::migrate(&options, std::path::Path::new("unused")))
        .expect("laid out");
}
