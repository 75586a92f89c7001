//! The real server on a free port, with a real store, real hosts and real clients.

mod agents;
mod attach;
mod audit;
mod command_line;
mod devices;
mod forms;
mod forward;
mod headers;
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
