//! The same done to many things at once: what was done to each, and what was refused, and why.
//!
//! Each thing is a transaction of its own, with its own audit entry: one that is refused keeps no other from being done,
//! and nothing is locked for as long as the whole takes.

use crate::{PersonId, Problem, Role, member::Status};
use serde::{Deserialize, Serialize};

/// The most things in one request: as many as the longest page of a list.
pub const MANY_MAX: usize = crate::page::LIMIT_MAX as usize;

/// What became of one of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub id: String,
    /// What it is called; its id where it was not found.
    pub name: String,
    /// What a seat was before, where it was changed: with it the change is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Was>,
    /// Why nothing was done; `None`: it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Problem>,
}

/// A seat before it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Was {
    pub role: Role,
    pub status: Status,
}

impl Was {
    /// As a form's field carries it, with whose it is.
    pub fn to_text(self, person: &PersonId) -> String {
        format!("{} {} {person}", self.role.as_str(), self.status.as_str())
    }

    /// Reads [`Was::to_text`].
    pub fn from_text(text: &str) -> Option<(PersonId, Self)> {
        let mut parts = text.splitn(3, ' ');
        let role = Role::from_name(parts.next()?)?;
        let status = Status::from_name(parts.next()?)?;
        Some((PersonId::new(parts.next()?), Self { role, status }))
    }
}

/// Takes out what is named twice; none, or more than [`MANY_MAX`], is refused.
pub fn checked<T: PartialEq>(all: Vec<T>) -> Result<Vec<T>, Problem> {
    if all.len() > MANY_MAX {
        let detail = format!("At most {MANY_MAX} at once. Choose fewer, and do the rest after.");
        return Err(Problem::new("too-many", detail));
    }
    let mut once = Vec::with_capacity(all.len());
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    if once.is_empty() {
        return Err(Problem::new("none-chosen", "Choose at least one."));
    }
    Ok(once)
}

/// What is undone to whom, of what was done: only those who were changed, each as they were.
pub fn undoing(outcomes: &[Outcome]) -> Vec<(PersonId, Was)> {
    let changed = outcomes.iter().filter(|outcome| outcome.refused.is_none());
    changed
        .filter_map(|outcome| Some((PersonId::new(outcome.id.clone()), outcome.was?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_twice_is_done_once_and_the_number_is_bounded() {
        assert_eq!(checked(vec![1, 2, 1]), Ok(vec![1, 2]));
        assert_eq!(checked(Vec::<u8>::new()).expect_err("refused").code, "none-chosen");
        let many: Vec<_> = (0..=MANY_MAX).collect();
        assert_eq!(checked(many).expect_err("refused").code, "too-many");
    }

    #[test]
    fn only_what_was_done_is_undone() {
        let was = Was {
            role: Role::Viewer,
            status: Status::Active,
        };
        let outcome = |id: &str, was, refused| Outcome {
            id: id.to_owned(),
            name: id.to_owned(),
            was,
            refused,
        };
        let outcomes = [
            outcome("done", Some(was), None),
            outcome("refused", Some(was), Some(Problem::new("forbidden", "No."))),
            outcome("as it was", None, None),
        ];
        let undone = undoing(&outcomes);
        assert_eq!(undone, [(PersonId::new("done"), was)]);
        let (person, was) = &undone[0];
        assert_eq!(Was::from_text(&was.to_text(person)), Some((person.clone(), *was)));
        assert_eq!(Was::from_text("viewer active"), None);
    }
}
