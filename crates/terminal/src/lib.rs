//! One live terminal: a program in a PTY, its screen, its history, and everybody who looks at it.
//!
//! Opening a terminal ([`open`]) starts the program and one task that owns all of this; a [`Handle`] asks that task
//! for things, and an [`Attachment`] is one viewer's conversation with it in the words of [`domain::wire`]. Attaching is
//! always (the screen now, then exactly what follows): no gap, no overlap.
//!
//! What this room deliberately does not know: sockets, sessions, people's rights (it is told `may_type`), confinement
//! (whoever opens a terminal wraps `argv`), and disks. It never parses for a viewer what the viewer will parse itself.
//!
//! Start reading at [`terminal`], then `core` (every decision, without IO), then [`screen`].

pub mod attachment;
mod core;
mod input;
mod lease;
mod log;
mod pending;
pub mod pty;
pub mod screen;
pub mod tap;
pub mod terminal;
mod view;

pub use attachment::{Attachment, ClientMessage, Message, Messages, Outbox};
pub use pty::Signal;
pub use terminal::{Gone, Handle, LastScreen, OpenError, Options, Status, open};
