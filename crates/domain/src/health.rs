//! How the installation is, as those read it who run it.

use serde::{Deserialize, Serialize};

/// One thing that may be well or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    /// What is known of it, in words.
    pub said: String,
    /// Whether nobody needs to look after it.
    pub well: bool,
}

impl Fact {
    /// Something that is as it should be.
    pub fn well(name: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            said: said.into(),
            well: true,
        }
    }

    /// The same; well only where this holds.
    pub fn only_if(self, well: bool) -> Self {
        Self { well, ..self }
    }
}
