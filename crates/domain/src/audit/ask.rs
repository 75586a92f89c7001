//! Which entries to list.

use super::Line;
use crate::{OrgId, Problem, Timestamp};
use serde::{Deserialize, Serialize};

/// The most characters of a filter that count.
pub const ASK_TEXT_MAX: usize = 200;

/// Which entries to list, newest first. An empty filter is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// A part of the actor's address, in any case, or a person's id.
    #[serde(default)]
    pub actor: String,
    /// An action, or with a dot at its end all that begin so: `session.`.
    #[serde(default)]
    pub action: String,
    /// A thing's id.
    #[serde(default)]
    pub target: String,
    /// Not before this moment.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Before this moment.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// A request's id.
    #[serde(default)]
    pub request: String,
    /// Another Organization than the caller's own: for super-admins.
    #[serde(default)]
    pub org: Option<OrgId>,
    /// Every Organization: for super-admins.
    #[serde(default)]
    pub fleet: bool,
    /// Whether who acts from above is found by name: the engine's to say, for who is above.
    #[serde(skip)]
    pub above: bool,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// As in [`crate::page::limit`].
    #[serde(default)]
    pub limit: u32,
}

impl Ask {
    /// The same, with its texts trimmed and cut to [`ASK_TEXT_MAX`]; a stretch of time that ends before it begins is
    /// refused.
    pub fn checked(self) -> Result<Self, Problem> {
        let cut = |text: String| text.trim().chars().take(ASK_TEXT_MAX).collect::<String>();
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until <= from
        {
            return Err(Problem::new("invalid-query", "The end lies before the beginning.").at("until"));
        }
        Ok(Self {
            actor: cut(self.actor),
            action: cut(self.action),
            target: cut(self.target),
            request: cut(self.request),
            ..self
        })
    }

    /// Whether anything but whose entries is asked for.
    pub fn is_narrow(&self) -> bool {
        let texts = [&self.actor, &self.action, &self.target, &self.request];
        texts.iter().any(|text| !text.trim().is_empty()) || self.from.is_some() || self.until.is_some()
    }
}

/// A page of entries, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    pub lines: Vec<Line>,
    /// Where the next page begins; `None` at the end. Opaque to whoever holds it.
    pub next: Option<String>,
}

/// Reads a moment as a person writes it: RFC 3339, or a day (`2026-11-24`, in UTC). A day as an `end` is that whole day.
pub fn moment(text: &str, end: bool) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(at) = Timestamp::from_rfc3339(text) {
        return Some(at);
    }
    // Only a day of ten characters may be completed: anything else was meant to be a whole moment.
    let day = (text.len() == 10).then(|| Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")))??;
    Some(if end { day.plus_seconds(24 * 3600) } else { day })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_as_an_end_is_the_whole_day() {
        let at = |text: &str| Timestamp::from_rfc3339(text).expect("a moment");
        assert_eq!(moment("2026-11-24", false), Some(at("2026-11-24T00:00:00Z")));
        assert_eq!(moment("2026-11-24", true), Some(at("2026-11-25T00:00:00Z")));
        assert_eq!(
            moment(" 2026-11-24T10:00:00+01:00 ", true),
            Some(at("2026-11-24T09:00:00Z"))
        );
        for wrong in ["", "yesterday", "2026-13-01", "2026-11-2", "24.11.2026"] {
            assert_eq!(moment(wrong, false), None, "{wrong}");
        }
    }

    #[test]
    fn filters_are_bounded_and_a_stretch_of_time_has_an_order() {
        let ask = Ask {
            actor: format!("  {}  ", "x".repeat(1000)),
            ..Ask::default()
        };
        assert_eq!(ask.checked().expect("fits").actor.len(), ASK_TEXT_MAX);
        let backwards = Ask {
            from: moment("2026-11-24", false),
            until: moment("2026-11-23", false),
            ..Ask::default()
        };
        assert_eq!(
            backwards.checked().expect_err("refused").field.as_deref(),
            Some("until")
        );
    }
}
