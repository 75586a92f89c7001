//! What a server function answers when it does not do what was asked, and how a page says so.

use domain::Problem;
use leptos::prelude::*;
use leptos::server_fn::{codec::JsonEncoding, error::ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// A problem on its way to a page: the sentence, the HTTP status that says the same, and the request it happened in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub problem: Problem,
    pub status: u16,
    pub request: Option<String>,
}

impl Fault {
    /// The sentence for the person.
    #[must_use]
    pub fn detail(&self) -> String {
        self.problem.detail.clone()
    }

    /// The sentence, where this field is to blame.
    #[must_use]
    pub fn at(&self, field: &str) -> Option<String> {
        (self.problem.field.as_deref() == Some(field)).then(|| self.detail())
    }
}

impl FromServerFnError for Fault {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let (status, code, detail) = match error {
            ServerFnErrorErr::Request(_) => (
                0,
                "offline",
                "The server does not answer. Check your connection, then try again.",
            ),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                (400, "invalid", "The form is not complete. Check it, then try again.")
            }
            ServerFnErrorErr::Deserialization(_) => {
                (0, "outdated", "This page is older than the server. Load it again.")
            }
            _ => (
                500,
                "internal",
                "Something broke on our side. Try again; if it stays, tell an admin.",
            ),
        };
        Self {
            problem: Problem::new(code, detail),
            status,
            request: None,
        }
    }
}
