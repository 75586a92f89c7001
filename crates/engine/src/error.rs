//! The answer sheet: what a verb answers when it does not do what was asked.

use crate::ports::Refusal;
use domain::Problem;

/// Which one to use when: `NotFound` for what does not exist *and* for what the caller may not know of; `Forbidden` for
/// a verb the caller has not got at all, or may not do to a thing they can see; `Conflict` for a thing in the wrong
/// state; `Invalid` for what the caller can correct; `Unavailable` for what may work later; `Internal` for the rest,
/// whose words stay in the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not signed in")]
    Unauthenticated,
    /// Whoever asks is known, and what they prove it with opens nothing at present.
    #[error("{0}")]
    Rests(Problem),
    #[error("{0}")]
    NotFound(Problem),
    #[error("{0}")]
    Forbidden(Problem),
    #[error("{0}")]
    Conflict(Problem),
    #[error("{0}")]
    Invalid(Problem),
    #[error("{0}")]
    OverQuota(Problem),
    #[error("{0}")]
    Unavailable(Problem),
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

/// What every verb returns.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// What the caller is told; internals stay behind.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Unauthenticated => Problem::new("unauthenticated", "Sign in first."),
            Self::NotFound(problem)
            | Self::Rests(problem)
            | Self::Forbidden(problem)
            | Self::Conflict(problem)
            | Self::Invalid(problem)
            | Self::OverQuota(problem)
            | Self::Unavailable(problem) => problem.clone(),
            Self::Internal(_) => Problem::new(
                "internal",
                "Something broke on our side. Try again; if it stays, tell an admin the request id.",
            ),
        }
    }

    /// The HTTP status that says the same.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated | Self::Rests(_) => 401,
            Self::NotFound(_) => 404,
            Self::Forbidden(_) => 403,
            Self::Conflict(_) | Self::OverQuota(_) => 409,
            Self::Invalid(_) => 400,
            Self::Unavailable(_) => 503,
            Self::Internal(_) => 500,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::NotFound(Problem::new(
            "sandbox-not-found",
            "There is no such session, or it is not yours to see.",
        ))
    }

    pub(crate) fn no_org() -> Self {
        Self::NotFound(Problem::new(
            "no-such-organization",
            "There is no such Organization, or it is not yours to see.",
        ))
    }

    pub(crate) fn no_member() -> Self {
        Self::NotFound(Problem::new(
            "no-such-member",
            "There is no such member in this Organization.",
        ))
    }

    pub(crate) fn no_seat_left(seats: u64) -> Self {
        let detail =
            format!("All {seats} seats are taken or promised. Remove a member, withdraw an invitation, or buy more.");
        Self::OverQuota(Problem::new("no-seat-left", detail))
    }

    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::Forbidden(Problem::new("forbidden", detail))
    }
}

impl From<Problem> for Error {
    /// A problem found by a rule of the domain is something the caller can correct.
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Refusal>() {
            Ok(Refusal::NotFound(detail)) => Self::NotFound(Problem::new("not-found", detail)),
            Ok(Refusal::Invalid(detail)) => Self::Invalid(Problem::new("invalid", detail)),
            Ok(Refusal::Unavailable(detail)) => Self::Unavailable(Problem::new("sandbox-backend-unavailable", detail)),
            Err(error) => Self::Internal(error),
        }
    }
}
