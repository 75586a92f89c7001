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

impl Of {
    const BOTH: [Self; 2] = [Self::Users, Self::Groups];
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
    /// The name to show, in lower case.
    Name,
    /// The whole name, in lower case.
    Formatted,
    /// Whether the address is the primary one.
    Primary,
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
        Self::read(of, filter, &|_| true)
    }

    /// The same of one of both lists, where they are searched together: what only the other has is here an attribute without
    /// a value (RFC 7644, 3.4.2.1). Whether it is compared as it may be is said by the list that has it.
    pub fn of_both(of: Of, filter: &Filter) -> Result<Self, Problem> {
        Self::read(of, filter, &|attribute| {
            let is_foreign = Of::BOTH.iter().any(|of| is_kept(*of, attribute));
            is_kept(of, attribute) || !is_foreign
        })
    }

    /// Reads a filter; what `has` denies is an attribute without a value.
    fn read(of: Of, filter: &Filter, has: &dyn Fn(&str) -> bool) -> Result<Self, Problem> {
        let all = |filters: &[Filter]| {
            filters
                .iter()
                .map(|one| Self::read(of, one, has))
                .collect::<Result<Vec<_>, _>>()
        };
        match filter {
            Filter::And(filters) => all(filters).map(Self::All),
            Filter::Or(filters) => all(filters).map(Self::Any),
            Filter::Not(one) => Ok(Self::Not(Box::new(Self::read(of, one, has)?))),
            Filter::Within { attribute, filter } => Self::read(of, &spelled_out(attribute, filter), has),
            Filter::Present(attribute) | Filter::Compare { attribute, .. } if !has(attribute) => {
                let holds = match filter {
                    Filter::Compare { op: Op::Eq, value, .. } => value.is_null(),
                    Filter::Compare { op: Op::Ne, value, .. } => !value.is_null(),
                    _ => false,
                };
                Ok(Self::Always(holds))
            }
            Filter::Present(attribute) => field(of, attribute).map(Self::Present),
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
            Field::Active | Field::Primary => {
                if !matches!(op, Op::Eq | Op::Ne) {
                    return Err(wrong(format!("{attribute} is compared with eq or ne.")));
                }
                let said = truth(value);
                Needle::Truth(said.ok_or_else(|| wrong(format!("{attribute} is true or false.")))?)
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
                    Field::UserName | Field::Email | Field::Name | Field::Formatted => text.to_lowercase(),
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
        (Of::Users, "meta.resourcetype") => Some(json!("User")),
        (Of::Groups, "meta.resourcetype") => Some(json!("Group")),
        _ => None,
    }
}

fn is_kept(of: Of, attribute: &str) -> bool {
    same_for_all(of, attribute).is_some() || field(of, attribute).is_ok()
}

fn field(of: Of, attribute: &str) -> Result<Field, Problem> {
    Ok(match (of, attribute) {
        (_, "id") => Field::Id,
        (_, "externalid") => Field::ExternalId,
        (_, "meta.created") => Field::Created,
        (_, "meta.lastmodified") => Field::Changed,
        (Of::Users, "username") => Field::UserName,
        (Of::Users, "emails" | "emails.value") => Field::Email,
        (_, "displayname") => Field::Name,
        (Of::Users, "name.formatted") => Field::Formatted,
        (Of::Users, "emails.primary") => Field::Primary,
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
                r#"emails[primary ne false]"#,
                Condition::Is(Field::Primary, Op::Ne, Needle::Truth(false)),
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
    fn what_only_the_other_list_has_is_without_a_value_where_both_are_searched() {
        let both = |text: &str| {
            let filter = Filter::parse(text).expect(text);
            [Of::Users, Of::Groups].map(|of| Condition::of_both(of, &filter))
        };
        for (text, of_users, of_groups) in [
            (r#"userName eq "a""#, None, Some(false)),
            (r#"userName ne "a""#, None, Some(true)),
            ("userName eq null", None, Some(true)),
            ("userName ne null", None, Some(false)),
            ("userName pr", None, Some(false)),
            (r#"emails[type eq "work"]"#, Some(true), Some(false)),
            (r#"members.value eq "a""#, Some(false), None),
            (r#"meta.resourceType eq "Group""#, Some(false), Some(true)),
            (r#"displayName eq "a""#, None, None),
        ] {
            for (condition, always) in both(text).into_iter().zip([of_users, of_groups]) {
                match (condition.expect(text), always) {
                    (Condition::Always(truth), Some(always)) => assert_eq!(truth, always, "{text}"),
                    (condition, always) => assert!(always.is_none(), "{text}: {condition:?}"),
                }
            }
        }
        let [users, groups] = both(r#"not (userName sw "a")"#);
        let always = |truth| Condition::Not(Box::new(Condition::Always(truth)));
        assert!(users.is_ok() && groups == Ok(always(false)));
        // Of what neither has, both say so; of what one has, that one says how it is compared.
        assert!(both(r#"shoeSize eq "5""#).iter().all(Result::is_err));
        assert!(both(r#"userName gt "5""#)[0].is_err());
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
