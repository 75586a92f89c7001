//! What the server and a `sandbox-host` say to each other over the host's Unix socket.
//!
//! Every message is `[u32 big-endian length][u8 kind][payload]`, kind [`TEXT`] (JSON) or [`BINARY`] (a
//! [`crate::wire::Frame`]); the length counts the payload alone. A connection begins with the host's key ([`BINARY`])
//! and one [`Ask`]. Every ask but `watch` gets one [`Answer`], after which the connection is closed. Only after the
//! [`Answer::Done`] of `attach` both sides go on, in the words of [`crate::wire`]; after `watch` the host sends
//! [`HostEvent`]s until one side closes.
//!
//! Who connects is checked twice: the socket is only reachable for the user who runs the server, and the key is in a
//! file that no session's program can read (they run as the same user, and a path alone keeps no one from connecting).

use crate::secret::Carried;
use crate::wire::{Exit, Size, Viewer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The kind byte of a JSON message.
pub const TEXT: u8 = 0;
/// The kind byte of a [`crate::wire::Frame`].
pub const BINARY: u8 = 1;
/// The largest message on a host's socket, in bytes (a snapshot with much history fits).
pub const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// How a host is started: what it reads, as JSON, from the file it is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostSpec {
    /// The session's id.
    pub session: String,
    /// Where it keeps its own things: `host.sock`'s real folder is `socket`, but usage, last screens and
    /// `host.json` (pid) are here.
    pub dir: PathBuf,
    /// The Unix socket it listens on.
    pub socket: PathBuf,
    /// The first terminal, which runs the agent; its id is [`AGENT`].
    pub agent: TerminalSpec,
    pub confinement: Confinement,
    /// Folders whose size is the session's storage: workspace and HOME.
    #[serde(default)]
    pub measured: Vec<PathBuf>,
    /// Lines of scrollback kept for each terminal.
    pub scrollback: u32,
}

/// The id of the terminal that runs the agent.
pub const AGENT: &str = "agent";

/// What a terminal runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerminalSpec {
    /// The name on its tab.
    pub label: String,
    /// The program and its arguments; never empty.
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    /// The whole environment but what is secret: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// What is secret: never written to a disk.
    #[serde(default, skip_serializing_if = "Carried::is_empty")]
    pub secrets: Carried,
    pub size: Size,
    /// What comes out of it is recorded, masked; a terminal that cannot be is not opened.
    #[serde(default)]
    pub record: bool,
}

/// What a session's processes may touch and take. What the kernel cannot enforce is reported by
/// [`Answer::Status`], never silently dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Confinement {
    /// Folders that may be read and written (workspace, HOME, a private /tmp).
    pub write: Vec<PathBuf>,
    /// Folders that may be read and executed beside the system's own (/usr, /bin, /lib, /etc, …).
    pub read: Vec<PathBuf>,
    /// Folders that stay closed even where one of the system's own holds them (the server's data under /opt): only
    /// what `write` and `read` name below them is open.
    #[serde(default)]
    pub hidden: Vec<PathBuf>,
    /// Processors, in thousandths of one; `None` is no limit.
    pub cpu_millis: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub processes: Option<u64>,
    /// The largest single file, a last guard beside the storage quota.
    pub file_bytes: Option<u64>,
}

/// What holds the limits of a session on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforcement {
    /// `cgroup`, `rlimit`, `watched` (the host looks every few seconds and ends the largest process) or `none`, for each
    /// of CPU, memory and processes; what follows a colon says more.
    pub cpu: String,
    pub memory: String,
    pub processes: String,
    /// `landlock` with its ABI version, or `none` with the reason.
    pub files: String,
}

/// The first message on a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    Attach(Attach),
    /// Open a shell (or another program) beside the agent under this id.
    OpenTerminal {
        terminal: String,
        spec: TerminalSpec,
    },
    /// Start the agent anew in its terminal, where it has ended; while it runs this does nothing.
    StartAgent {
        spec: TerminalSpec,
    },
    /// End a terminal's program and forget the terminal; the agent's cannot be closed.
    CloseTerminal {
        terminal: String,
    },
    Resize {
        terminal: String,
        size: Size,
    },
    /// Send INT, QUIT, TERM, HUP or KILL to the terminal's foreground process group.
    Signal {
        terminal: String,
        signal: String,
    },
    Status,
    /// Usage facts after the number `after`; facts up to `after` are forgotten by the host.
    Usage {
        after: u64,
    },
    /// Everything that happens from now on.
    Watch,
    /// Save last screens, end all programs (TERM, then KILL after `grace_ms`), write final usage, exit.
    Stop {
        grace_ms: u64,
    },
}

/// Who attaches, and what it already has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attach {
    pub terminal: String,
    /// A random id that the client keeps over reconnects: its input is counted under it.
    pub client: String,
    /// The person's id and name, as other viewers see them.
    pub person: String,
    pub name: String,
    /// Whether the server lets this person type.
    pub may_type: bool,
    /// The position up to which the client holds output, of `epoch`.
    pub since: Option<u64>,
    pub epoch: Option<u64>,
    /// Lines of scrollback wanted with the first snapshot.
    pub history: u32,
    /// Speak the plain form: raw bytes both ways in [`BINARY`] messages without frame headers, no text.
    pub plain: bool,
}

/// The answer to one [`Ask`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Done,
    Status(HostStatus),
    Usage {
        facts: Vec<UsageFact>,
    },
    /// `code` is `not-found`, `invalid`, `exited`, `too-many` or `internal`.
    Refused {
        code: String,
        detail: String,
    },
}

/// A host as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostStatus {
    pub session: String,
    pub pid: u32,
    pub version: String,
    pub terminals: Vec<TerminalStatus>,
    pub enforcement: Enforcement,
    /// Bytes on disk under workspace and HOME when last measured.
    pub storage_bytes: u64,
    pub cpu_micros: u64,
    pub memory_bytes: u64,
    pub processes: u64,
}

/// A terminal as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerminalStatus {
    pub id: String,
    pub label: String,
    pub size: Size,
    pub title: String,
    pub exit: Option<Exit>,
    pub viewers: Vec<Viewer>,
    /// Milliseconds since the Unix epoch of the last output or input.
    pub active_at: i64,
    /// The position of the next byte of output.
    pub seq: u64,
    pub epoch: u64,
    /// What comes out of it is being recorded.
    #[serde(default)]
    pub recorded: bool,
}

/// What a host tells whoever watches. A slow watcher is closed and asks anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HostEvent {
    /// The first event, and whenever terminals, viewers, titles or limits change (at most twice a second).
    Changed(HostStatus),
    /// A terminal's program has ended.
    Exited { terminal: String, exit: Exit },
    /// There are usage facts to fetch.
    Metered,
}

/// What one session used of one thing in one stretch of time (a minute, or less at its end).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageFact {
    /// Counts up from 1 for each session, over restarts of its host.
    pub number: u64,
    pub dimension: Dimension,
    /// In the unit of the dimension, never negative.
    pub quantity: u64,
    /// Milliseconds since the Unix epoch.
    pub from: i64,
    pub until: i64,
}

/// What is metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Microseconds of processor time.
    ComputeCpu,
    /// Byte-seconds of memory.
    ComputeMemory,
    /// Byte-seconds of disk.
    Storage,
}
