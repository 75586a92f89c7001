//! Stories of sessions on a real machine: real hosts, real shells, a real Git server.

mod local {
    pub(crate) mod stage;

    mod cloning;
    mod confinement;
    mod endings;
    mod installing;
    mod private;
    mod recording;
    mod secrets;
    mod talking;
}
