//! Filters of lists, as far as lists can be filtered: every attribute is one that is kept, every value one of its kind.

use super::{
    filter::{Filter, Op, wrong},
    truth,
};
use crate::{Problem, Timestamp};
use serde_json::{Value, json};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Users,
    Groups,
}

/// What a list is filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Id,
    ExternalId,
    /// In lower case.
    UserName,
    /// In lower case.
    Email,
    /// In lower case.
    Name,
    Active,
    /// The id of a group that a person is in.
    Group,
    /// The id of somebody who is in a group.
    Member,
    Created,
    Changed,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needle {
    Text(String),
    Truth(bool),
    At(Timestamp),
}

/// A filter of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Always(bool),
    Is(Field, Op, Needle),
    Present(Field),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Condition {
    /// What a filter asks of a list; an attribute that is not kept, or not compared so, is refused.
    pub fn of(of: Of, filter: &Filter) -> Result<Self, Problem> {
        match filter {
            Filter::And(all) => all
                .iter()
                .map(|one| Self::of(of, one))
                .collect::<Result<_, _>>()
                .map(Self::All),
            Filter::Or(any) => any
                .iter()
                .map(|one| Self::of(of, one))
                .collect::<Result<_, _>>()
                .map(Self::Any),
            Filter::Not(one) => Ok(Self::Not(Box::new(Self::of(of, one)?))),
            Filter::Present(attribute) => field(of, attribute).map(Self::Present),
            Filter::Within { attribute, filter } => Self::of(of, &spelled_out(attribute, filter)),
            Filter::Compare { attribute, op, value } => Self::compare(of, attribute, *op, value),
        }
    }

    fn compare(of: Of, attribute: &str, op: Op, value: &Value) -> Result<Self, Problem> {
        // What is the same for everybody: each has one address, of work.
        if let Some(held) = same_for_all(of, attribute) {
            let name = attribute.rsplit('.').next().unwrap_or_default();
            let asked = Filter::Compare {
                attribute: name.to_owned(),
                op,
                value: value.clone(),
            };
            return Ok(Self::Always(asked.matches(&json!({ name: held }))));
        }
        let field = field(of, attribute)?;
        if value.is_null() {
            return match op {
                Op::Eq => Ok(Self::Not(Box::new(Self::Present(field)))),
                Op::Ne => Ok(Self::Present(field)),
                _ => Err(wrong("null is equal to something, or it is not.")),
            };
        }
        let needle = match field {
            Field::Active => {
                if !matches!(op, Op::Eq | Op::Ne) {
                    return Err(wrong("active is compared with eq or ne."));
                }
                Needle::Truth(truth(value).ok_or_else(|| wrong("active is true or false."))?)
            }
            Field::Created | Field::Changed => {
                if matches!(op, Op::Co | Op::Sw | Op::Ew) {
                    return Err(wrong("A time is compared with eq, ne, gt, ge, lt or le."));
                }
                let at = value.as_str().and_then(Timestamp::from_rfc3339);
                Needle::At(at.ok_or_else(|| wrong("A time is written as 2026-11-24T10:00:00Z."))?)
            }
            _ => {
                if matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le) {
                    return Err(wrong(format!("{attribute} is compared with eq, ne, co, sw or ew.")));
                }
                let text = value.as_str().ok_or_else(|| wrong(format!("{attribute} is a text.")))?;
                Needle::Text(match field {
                    Field::UserName | Field::Email | Field::Name => text.to_lowercase(),
                    _ => text.to_owned(),
                })
            }
        };
        if matches!(field, Field::Id | Field::ExternalId) && !matches!(op, Op::Eq | Op::Ne) {
            return Err(wrong(format!("{attribute} is compared with eq or ne.")));
        }
        if matches!(field, Field::Group | Field::Member) && op != Op::Eq {
            return Err(wrong(format!("{attribute} is compared with eq.")));
        }
        Ok(Self::Is(field, op, needle))
    }
}

/// `emails[value eq "x"]` as `emails.value eq "x"`: nobody has more than one address, so it means the same.
fn spelled_out(stem: &str, filter: &Filter) -> Filter {
    let all = |filters: &[Filter]| filters.iter().map(|one| spelled_out(stem, one)).collect();
    let below = |name: &str| format!("{stem}.{name}");
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(one) => Filter::Not(Box::new(spelled_out(stem, one))),
        Filter::Present(name) => Filter::Present(below(name)),
        Filter::Within { attribute, filter } => spelled_out(&below(attribute), filter),
        Filter::Compare { attribute, op, value } => Filter::Compare {
            attribute: below(attribute),
            op: *op,
            value: value.clone(),
        },
    }
}

fn same_for_all(of: Of, attribute: &str) -> Option<Value> {
    match (of, attribute) {
        (Of::Users, "emails.type") => Some(json!("work")),
        (Of::Users, "emails.primary") => Some(json!(true)),
        (Of::Users, "meta.resourcetype") => Some(json!("User")),
        (Of::Groups, "meta.resourcetype") => Some(json!("Group")),
        _ => None,
    }
}

fn field(of: Of, attribute: &str) -> Result<Field, Problem> {
    Ok(match (of, attribute) {
        (_, "id") => Field::Id,
        (_, "externalid") => Field::ExternalId,
        (_, "meta.created") => Field::Created,
        (_, "meta.lastmodified") => Field::Changed,
        (Of::Users, "username") => Field::UserName,
        (Of::Users, "emails" | "emails.value") => Field::Email,
        (Of::Users, "displayname" | "name.formatted") | (Of::Groups, "displayname") => Field::Name,
        (Of::Users, "active") => Field::Active,
        (Of::Users, "groups" | "groups.value") => Field::Group,
        (Of::Groups, "members" | "members.value") => Field::Member,
        _ => {
            let shown: String = attribute.chars().take(80).collect();
            let known = match of {
                Of::Users => "id, externalId, userName, emails.value, displayName, active, groups.value",
                Of::Groups => "id, externalId, displayName, members.value",
            };
            return Err(wrong(format!(
                "Nothing is filtered by {shown}; {known} and meta's times can be."
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(text: &str) -> Result<Condition, Problem> {
        Condition::of(Of::Users, &Filter::parse(text)?)
    }

    #[test]
    fn a_filter_becomes_a_question_of_kept_fields() {
        let is = |field, text: &str| Condition::Is(field, Op::Eq, Needle::Text(text.to_owned()));
        for (text, wanted) in [
            (r#"userName eq "Ada@Acme.test""#, is(Field::UserName, "ada@acme.test")),
            (r#"externalId eq "Ab""#, is(Field::ExternalId, "Ab")),
            (
                r#"emails[type eq "work" and value eq "A@b"]"#,
                Condition::All(vec![Condition::Always(true), is(Field::Email, "a@b")]),
            ),
            (r#"emails.type eq "home""#, Condition::Always(false)),
            (
                r#"active eq "False""#,
                Condition::Is(Field::Active, Op::Eq, Needle::Truth(false)),
            ),
            (
                r#"externalId eq null"#,
                Condition::Not(Box::new(Condition::Present(Field::ExternalId))),
            ),
        ] {
            assert_eq!(users(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_kept_or_not_compared_so_is_refused() {
        for text in [
            r#"nickName eq "x""#,
            r#"userName gt "x""#,
            "userName eq 5",
            r#"active co "t""#,
            r#"active eq "maybe""#,
            r#"meta.lastModified gt "yesterday""#,
            r#"groups.value co "a""#,
            r#"externalId sw "a""#,
            r#"displayName sw null"#,
        ] {
            assert_eq!(users(text).expect_err(text).code, "invalidFilter", "{text}");
        }
        let groups = Filter::parse(r#"userName eq "x""#).expect("a filter");
        assert!(Condition::of(Of::Groups, &groups).is_err());
    }
}
