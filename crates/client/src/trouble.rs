//! Why a command did not do what was asked: a sentence for the person, a code for the program around it.

use std::process::ExitCode;

/// Something that went wrong.
#[derive(Debug)]
pub(crate) struct Trouble {
    sentence: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server, or this machine, says no.
    Refused,
    /// Nobody is signed in, or not any more.
    SignedOut,
    /// There is no such thing, or several could be meant.
    Unclear,
    /// The server does not answer.
    Unreachable,
}

impl Trouble {
    pub(crate) fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            kind,
        }
    }

    pub(crate) fn refused(sentence: impl Into<String>) -> Self {
        Self::new(Kind::Refused, sentence)
    }

    /// Nobody is signed in at this server (or at any).
    pub(crate) fn signed_out(server: Option<&str>) -> Self {
        let sentence = match server {
            Some(server) => format!(
                "You are not signed in at {server}, or your sign-in has ended. Run: sandbox login --server {server}"
            ),
            None => "You are not signed in anywhere. Run: sandbox login --server https://…".to_owned(),
        };
        Self::new(Kind::SignedOut, sentence)
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// What the process ends with.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Refused => 1,
            Kind::SignedOut => 3,
            Kind::Unclear => 4,
            Kind::Unreachable => 5,
        })
    }
}

impl core::fmt::Display for Trouble {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// What this machine refuses.
impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::refused(format!("{error}."))
    }
}
