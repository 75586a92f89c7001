//! An error that a person may read.

use serde::{Deserialize, Serialize};

/// What went wrong, in words: on the wire `{error, detail, field?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The published code, such as `over-quota` or `sandbox-not-found`.
    #[serde(rename = "error")]
    pub code: String,
    /// A sentence that says what happened and how to go on.
    pub detail: String,
    /// The field of the request that is wrong, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// A problem with a code and a sentence.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            field: None,
        }
    }

    /// The same problem, blamed on one field of the request.
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
