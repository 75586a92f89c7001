//! The operating system behind a few methods: a program in its own session on a new PTY.

/// What may be sent to a terminal's foreground processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Quit,
    Terminate,
    HangUp,
    Kill,
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
