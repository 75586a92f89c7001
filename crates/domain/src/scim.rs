//! SCIM 2.0 (RFC 7643, RFC 7644): what a company's directory says of people and groups, and how it asks.
//!
//! Everything here is pure and bounded. A problem's code is the `scimType` of the standard, where it has one.

pub mod filter;
pub mod group;
pub mod path;
pub mod user;

mod condition;
mod patch;

pub use condition::{Condition, Field, Needle, Of};
pub use filter::{Filter, Op};
pub use patch::{Operation, Verb, operations};

use crate::Problem;
use serde_json::Value;

/// The most resources on a page.
pub const COUNT_MAX: u64 = 200;
/// The resources on a page where nothing is said.
pub const COUNT_DEFAULT: u64 = 100;
/// Pages begin at most so far into a list: whoever wants more narrows it with a filter.
pub const START_MAX: u64 = 1_000_000;

/// A page of a list, as SCIM counts: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first resource, 1 to [`START_MAX`].
    pub start: u64,
    /// So many, 0 to [`COUNT_MAX`]; with 0 only the total is asked for.
    pub count: u64,
}

impl Window {
    /// The page that is asked for; what lies beyond the bounds is brought within them, as the standard wants.
    pub fn of(start: Option<i64>, count: Option<i64>) -> Self {
        Self {
            start: start.map_or(1, |start| start.max(1) as u64).min(START_MAX),
            count: count.map_or(COUNT_DEFAULT, |count| count.max(0) as u64).min(COUNT_MAX),
        }
    }
}

/// A truth, also as the text that some directories send (`"False"`).
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A text of at most `most` characters without control characters; an empty one and `null` are none.
pub(crate) fn text(value: &Value, attribute: &str, most: usize) -> Result<Option<String>, Problem> {
    let wrong = |detail: String| Err(Problem::new("invalidValue", detail).at(attribute));
    match value {
        Value::Null => Ok(None),
        Value::String(text) => {
            let text = text.trim();
            if text.chars().count() > most || text.chars().any(char::is_control) {
                return wrong(format!("{attribute} has at most {most} characters, in one line."));
            }
            Ok((!text.is_empty()).then(|| text.to_owned()))
        }
        _ => wrong(format!("{attribute} is a text.")),
    }
}

/// A member of an object, whatever the case of its name.
pub(crate) fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stay_within_their_bounds() {
        let window = |start, count| {
            let Window { start, count } = Window::of(start, count);
            (start, count)
        };
        assert_eq!(window(None, None), (1, 100));
        assert_eq!(window(Some(-3), Some(-1)), (1, 0));
        assert_eq!(window(Some(0), Some(10_000)), (1, 200));
        assert_eq!(window(Some(i64::MAX), Some(5)), (START_MAX, 5));
    }
}
