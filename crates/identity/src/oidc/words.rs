//! What people and the log are told of a provider that does not do as it should.

use engine::ports::Refusal;

/// A provider, as it is spoken of.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    /// Its name in the log.
    pub(super) id: String,
    /// Its name in sentences.
    pub(super) label: String,
}

impl Voice {
    /// What came back cannot be believed.
    pub(super) fn distrust(&self, why: &str) -> anyhow::Error {
        tracing::warn!(
            provider = self.id,
            why,
            "an answer of an identity provider was not taken"
        );
        let label = &self.label;
        Refusal::Invalid(format!(
            "What came back from {label} cannot be trusted: {why}. Sign in again."
        ))
        .into()
    }

    /// The provider says that it signs nobody in.
    pub(super) fn declined(&self, error: &str) -> anyhow::Error {
        let label = &self.label;
        let sentence = match error {
            "access_denied" => format!("You were not let in at {label}, or turned back. Try again, or ask an admin."),
            "temporarily_unavailable" | "server_error" => {
                return self.unavailable();
            }
            other => format!(
                "{label} did not sign you in: {}. Try again, or tell an admin.",
                visible(other)
            ),
        };
        Refusal::Invalid(sentence).into()
    }

    /// It cannot be asked now.
    pub(super) fn unavailable(&self) -> anyhow::Error {
        let label = &self.label;
        Refusal::Unavailable(format!("{label} does not answer at the moment. Try again in a minute.")).into()
    }

    /// It was asked, and did not answer.
    pub(super) fn no_answer(&self, error: &dyn std::error::Error) -> anyhow::Error {
        tracing::warn!(
            provider = self.id,
            error = causes(error),
            "an identity provider did not answer"
        );
        self.unavailable()
    }
}

/// An error with its causes.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words.chars().take(1000).collect()
}

/// A word of a provider, as it may stand in a sentence and in a log.
pub(super) fn visible(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(100).collect()
}
