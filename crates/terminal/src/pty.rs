//! The operating system behind a few methods: a program in its own session on a new PTY.

use crate::terminal::OpenError;
use domain::host::TerminalSpec;
use domain::wire::{Exit, Size};
use pty_process::{OwnedReadPty, OwnedWritePty};
use rustix::process::{Pid, kill_process_group};
use rustix::termios::{InputModes, OptionalActions, tcgetattr, tcsetattr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::Child;

/// A program on a PTY. Dropping it kills the program's process group.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) reader: OwnedReadPty,
    pub(crate) writer: OwnedWritePty,
    pub(crate) child: Child,
    pub(crate) control: Control,
}

/// What can be done to a program beside reading and writing.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) pid: u32,
    master: OwnedFd,
    /// The process itself has been waited for: its number may mean another one by now.
    pub(crate) reaped: bool,
}

impl Program {
    /// Starts `spec` in its own session, with its own environment and nothing of ours.
    pub(crate) fn spawn(spec: &TerminalSpec) -> Result<Self, OpenError> {
        let Some((program, arguments)) = spec.argv.split_first() else {
            return Err(OpenError::NoProgram);
        };
        if !spec.cwd.is_dir() {
            return Err(OpenError::NoFolder(spec.cwd.clone()));
        }
        let (pty, pts) = pty_process::open().map_err(|error| OpenError::Pty(into_io(error)))?;
        let size = Size::clamped(spec.size.cols, spec.size.rows);
        pty.resize(pty_process::Size::new(size.rows, size.cols))
            .map_err(|error| OpenError::Pty(into_io(error)))?;
        let master = pty.as_fd().try_clone_to_owned().map_err(OpenError::Pty)?;
        speak_utf8(&master).map_err(|error| OpenError::Pty(error.into()))?;
        let child = pty_process::Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&spec.env)
            .current_dir(&spec.cwd)
            .kill_on_drop(true)
            .spawn(pts)
            .map_err(|error| OpenError::Program {
                program: program.clone(),
                cause: into_io(error),
            })?;
        let pid = child.id().unwrap_or_default();
        let (reader, writer) = pty.into_split();
        Ok(Self {
            reader,
            writer,
            child,
            control: Control {
                pid,
                master,
                reaped: false,
            },
        })
    }
}

/// Tells the line discipline that a character may be several bytes, all of which a backspace takes back.
fn speak_utf8(master: &OwnedFd) -> rustix::io::Result<()> {
    let mut modes = tcgetattr(master)?;
    modes.input_modes |= InputModes::IUTF8;
    tcsetattr(master, OptionalActions::Now, &modes)
}

impl Control {
    /// Sends a signal to the foreground process group, or to the program's own where there is none.
    pub(crate) fn signal(&self, signal: Signal) {
        let foreground = rustix::termios::tcgetpgrp(&self.master).ok();
        if let Some(group) = foreground.or_else(|| self.group()) {
            let _ = kill_process_group(group, signal.number());
        }
    }

    /// Sends a signal to the program's group and to the one in the foreground.
    pub(crate) fn signal_all(&self, signal: Signal) {
        self.signal(signal);
        if let Some(group) = self.group() {
            let _ = kill_process_group(group, signal.number());
        }
    }

    /// The program's process group, as long as it can still be meant.
    fn group(&self) -> Option<Pid> {
        if self.reaped {
            return None;
        }
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

/// How a process ended, in the words of the wire.
pub(crate) fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

fn into_io(error: pty_process::Error) -> std::io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
        error => std::io::Error::other(error.to_string()),
    }
}

/// What may be sent to a terminal's foreground processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Quit,
    Terminate,
    HangUp,
    Kill,
}

impl Signal {
    fn number(self) -> rustix::process::Signal {
        match self {
            Self::Interrupt => rustix::process::Signal::INT,
            Self::Quit => rustix::process::Signal::QUIT,
            Self::Terminate => rustix::process::Signal::TERM,
            Self::HangUp => rustix::process::Signal::HUP,
            Self::Kill => rustix::process::Signal::KILL,
        }
    }
}

impl std::str::FromStr for Signal {
    type Err = UnknownSignal;

    /// Reads `INT`, `QUIT`, `TERM`, `HUP` or `KILL`, with or without `SIG`.
    fn from_str(name: &str) -> Result<Self, UnknownSignal> {
        match name.strip_prefix("SIG").unwrap_or(name) {
            "INT" => Ok(Self::Interrupt),
            "QUIT" => Ok(Self::Quit),
            "TERM" => Ok(Self::Terminate),
            "HUP" => Ok(Self::HangUp),
            "KILL" => Ok(Self::Kill),
            _ => Err(UnknownSignal),
        }
    }
}

/// No such signal may be sent through a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a terminal takes the signals INT, QUIT, TERM, HUP and KILL")]
pub struct UnknownSignal;
