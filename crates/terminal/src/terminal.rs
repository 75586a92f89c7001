//! One task owns a terminal; a [`Handle`] is how others ask it for things.

use crate::attachment::Attachment;
use crate::core::Core;
use crate::pty::{Program, Signal};
use crate::tap::Tap;
use crate::terminal::task::{READ, Task};
use bytes::Bytes;
use domain::host::{Attach, TerminalSpec};
use domain::wire::{Colors, Exit, Size, Viewer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

mod task;

/// How a terminal is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Changes whenever the program is started anew (milliseconds since the Unix epoch serve well).
    pub epoch: u64,
    /// Lines of scrollback to keep; bounded in bytes too.
    pub scrollback: u32,
    /// What a program that asks for colours is told until a driver's page says otherwise.
    pub colors: Colors,
    /// Who is told what comes out of it, beside its viewers.
    pub tap: Option<Tap>,
}

/// The terminal was closed: there is nobody to ask any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terminal was closed")]
pub struct Gone;

/// Why a terminal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is nothing to run.
    #[error("a terminal needs a program to run")]
    NoProgram,
    /// The working folder does not exist (any more).
    #[error("the folder {0} does not exist")]
    NoFolder(std::path::PathBuf),
    /// The program could not be started.
    #[error("cannot start {program}: {cause}")]
    Program { program: String, cause: std::io::Error },
    /// The system gave no PTY.
    #[error("cannot open a PTY: {0}")]
    Pty(std::io::Error),
}

/// A terminal as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The program's process id, which is also its process group and session.
    pub pid: u32,
    pub size: Size,
    pub title: String,
    pub exit: Option<Exit>,
    pub viewers: Vec<Viewer>,
    /// Milliseconds since the Unix epoch of the last output or input.
    pub active_at: i64,
    /// The position of the next byte of output.
    pub seq: u64,
    pub epoch: u64,
    /// What a program that asks for colours is told.
    pub colors: Colors,
}

/// A screen to keep: written to a clear terminal of `size`, `ansi` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LastScreen {
    pub seq: u64,
    pub size: Size,
    pub ansi: Bytes,
}

/// Asks the task that owns a terminal; cheap to clone. The task ends after [`Handle::close`], not before: a terminal
/// whose program has ended can still be attached to and shows its last screen.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) asks: mpsc::Sender<Request>,
    pub(crate) status: watch::Receiver<Status>,
}

/// What a [`Handle`] asks.
#[derive(Debug)]
pub(crate) enum Request {
    Attach(Attach, oneshot::Sender<Attachment>),
    Resize(Size),
    Signal(Signal),
    Write(Bytes, oneshot::Sender<bool>),
    LastScreen(u32, oneshot::Sender<LastScreen>),
    Stop(Duration),
    Close,
}

impl Handle {
    /// Attaches a viewer: its first message is [`domain::wire::FromTerminal::Attached`], then a snapshot where needed,
    /// then exactly the output from there on. (A plain viewer gets the snapshot's ANSI first, then raw output.)
    pub async fn attach(&self, attach: Attach) -> Result<Attachment, Gone> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Attach(attach, reply)).await?;
        answer.await.map_err(|_| Gone)
    }

    /// Gives the terminal a size, whoever drives (debounced like the driver's own).
    pub async fn resize(&self, size: Size) -> Result<(), Gone> {
        self.ask(Request::Resize(size)).await
    }

    /// Sends a signal to the foreground process group.
    pub async fn signal(&self, signal: Signal) -> Result<(), Gone> {
        self.ask(Request::Signal(signal)).await
    }

    /// Types for nobody in particular (a prompt that came by the API); false when the program takes no more input.
    pub async fn write(&self, bytes: Bytes) -> Result<bool, Gone> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Write(bytes, reply)).await?;
        answer.await.map_err(|_| Gone)
    }

    /// The screen as it is now, with up to `history` lines of scrollback.
    pub async fn last_screen(&self, history: u32) -> Result<LastScreen, Gone> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::LastScreen(history, reply)).await?;
        answer.await.map_err(|_| Gone)
    }

    /// Asks the program's whole group to end (HUP and TERM), then kills it after `grace`; returns when it has ended.
    pub async fn stop(&self, grace: Duration) -> Result<Exit, Gone> {
        self.ask(Request::Stop(grace)).await?;
        self.ended().await
    }

    /// Waits until the program has ended and all of its output is in the terminal.
    pub async fn ended(&self) -> Result<Exit, Gone> {
        let mut status = self.status.clone();
        let ended = status
            .wait_for(|status| status.exit.is_some())
            .await
            .map_err(|_| Gone)?;
        ended.exit.ok_or(Gone)
    }

    /// Ends the task: kills a program that still runs, and detaches everybody.
    pub async fn close(&self) {
        let _ = self.ask(Request::Close).await;
        self.asks.closed().await;
    }

    /// The terminal as it is now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Wakes on every change of size, title, viewers and exit. `seq` and `active_at` are kept up to date without waking.
    pub fn changes(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    async fn ask(&self, request: Request) -> Result<(), Gone> {
        self.asks.send(request).await.map_err(|_| Gone)
    }
}

/// Starts the program of `spec` on a new PTY, and the task that owns the terminal from then on.
///
/// The program gets its own session and process group, `spec.env` and nothing else of our environment. Must be called
/// within a tokio runtime with IO and time.
pub fn open(spec: &TerminalSpec, options: Options) -> Result<Handle, OpenError> {
    let program = Program::spawn(spec)?;
    let core = Core::new(spec.size, program.control.pid, &options, Instant::now().into_std());
    let (asks, requests) = mpsc::channel(64);
    let (clients, heard) = mpsc::channel(256);
    let (publish, status) = watch::channel(core.status());
    let task = Task {
        core,
        program,
        requests,
        heard,
        clients,
        publish,
        wake: Arc::new(Notify::new()),
        buffer: vec![0; READ],
        ended: None,
        drained: false,
        drain_until: None,
        kill_at: None,
        tap: options.tap,
    };
    tokio::spawn(task.run());
    Ok(Handle { asks, status })
}
