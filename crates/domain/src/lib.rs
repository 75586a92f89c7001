
//! The words and the rules of Sandbox: no IO, no async, no clock (`now` is an argument).
//!
//! What this room deliberately does not know: databases, HTTP, processes, Leptos. It compiles to WebAssembly, so the
//! browser and the server share one vocabulary. Start at [`session`], then [`caller`] (who may do what) and
//! [`wire`] (what a browser and a terminal say to each other).

pub mod host;
pub mod wire;
