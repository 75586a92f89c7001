//! The real server on a free port, with a real store, real hosts and real clients.

mod agents;
mod attach;
mod headers;
mod live;
mod permits;
mod secrets;
mod sessions;
mod sign_in;
mod socket;
mod stop;
mod tokens;
mod world;
