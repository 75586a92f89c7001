//! The real server on a free port, with a real store (SQLite, and all of it once more on
//! PostgreSQL), real hosts and real clients.

mod agents;
mod attach;
mod audit;
mod command_line;
mod devices;
mod forms;
mod forward;
mod headers;
mod isolation;
mod live;
mod oidc;
mod permits;
mod recordings;
mod scim;
mod secrets;
mod sessions;
mod sign_in;
mod socket;
mod stop;
mod tokens;
mod world;

#[test]
fn every_door_holds_on_postgresql() {
    testbed::live_again("every_door_holds_on_postgresql", |url| {
        let options = store::Options {
            database_url: Some(url.to_owned()),
            ..store::Options::default()
        };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime
            .block_on(store::migrate(&options, std::path::Path::new("unused")))
            .expect("laid out");
    });
}
