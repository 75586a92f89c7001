//! Groups, as a directory says and changes them. Limits and secrets are given to a group by its name.

use super::{
    member,
    patch::{Operation, Verb},
    path::Path,
    text,
    user::{EXTERNAL_ID_MAX, always_there, no_such, read_only},
};
use crate::{OrgId, PersonId, Problem, Timestamp, scim::Filter, scim::Op};
use serde_json::Value;
use std::collections::BTreeSet;

/// The longest name of a group, in characters.
pub const NAME_MAX: usize = 100;
/// So many members may a group have.
pub const MEMBERS_MAX: usize = 10_000;
/// So many groups may a directory keep in one Organization.
pub const GROUPS_MAX: u64 = 2000;

/// A group that a directory keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    pub org: OrgId,
    pub name: String,
    pub external_id: Option<String>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// Counts the directory's changes.
    pub version: u64,
    /// How many members it has.
    pub size: u64,
    /// Id and name of each, by id; `None`: nobody asked.
    pub members: Option<Vec<(PersonId, String)>>,
}

/// What a directory says of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub name: Option<String>,
    pub external_id: Option<String>,
    pub members: BTreeSet<PersonId>,
}

impl Draft {
    /// What a whole resource says.
    pub fn of_resource(body: &Value) -> Result<Self, Problem> {
        let object = body
            .as_object()
            .ok_or_else(|| Problem::new("invalidSyntax", "A group is a JSON object."))?;
        let mut draft = Self::default();
        for (name, value) in object {
            draft.set_named(name, value)?;
        }
        draft.checked()
    }

    /// What is kept of it now.
    pub fn of_group(group: &Group) -> Self {
        let members = group.members.iter().flatten();
        Self {
            name: Some(group.name.clone()),
            external_id: group.external_id.clone(),
            members: members.map(|(person, _)| person.clone()).collect(),
        }
    }

    /// The same after a change.
    pub fn patched(mut self, operations: &[Operation]) -> Result<Self, Problem> {
        for operation in operations {
            self.apply(operation)?;
        }
        self.checked()
    }

    fn checked(self) -> Result<Self, Problem> {
        if self.name.is_none() {
            return Err(Problem::new("invalidValue", "A group has a displayName.").at("displayName"));
        }
        if self.members.len() > MEMBERS_MAX {
            let detail = format!("A group has at most {MEMBERS_MAX} members.");
            return Err(Problem::new("invalidValue", detail).at("members"));
        }
        Ok(self)
    }

    fn set_named(&mut self, name: &str, value: &Value) -> Result<(), Problem> {
        match Path::parse(name).map(|path| path.attribute) {
            Ok(attribute) => self.set(&attribute, value).map(|_| ()),
            Err(_) => Ok(()),
        }
    }

    fn set(&mut self, attribute: &str, value: &Value) -> Result<bool, Problem> {
        match attribute {
            "displayname" => self.name = text(value, "displayName", NAME_MAX)?,
            "externalid" => self.external_id = text(value, "externalId", EXTERNAL_ID_MAX)?,
            "members" => self.members = people(value)?,
            "id" | "schemas" | "meta" => {}
            name if name.starts_with("urn:") => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn apply(&mut self, Operation { verb, path, value }: &Operation) -> Result<(), Problem> {
        let Some(Path { attribute, filter, sub }) = path else {
            for (name, value) in value.as_object().into_iter().flatten() {
                // To add members without a path adds them: nobody is thrown out by it.
                if *verb == Verb::Add && name.eq_ignore_ascii_case("members") {
                    self.members.extend(people(value)?);
                } else {
                    self.set_named(name, value)?;
                }
            }
            return Ok(());
        };
        match (verb, attribute.as_str()) {
            (_, "id") => return Err(read_only("id")),
            (Verb::Remove, "members") => match (filter, sub) {
                (Some(filter), _) => {
                    let named = named(filter)?;
                    self.members.retain(|person| !named.contains(person));
                }
                // As Entra ID names whom to remove; without a value everybody is meant.
                (None, _) if !value.is_null() => {
                    let named = people(value)?;
                    self.members.retain(|person| !named.contains(person));
                }
                (None, _) => self.members.clear(),
            },
            (Verb::Add, "members") => self.members.extend(people(value)?),
            (Verb::Replace, "members") if filter.is_some() => {
                let detail = "A member is added or removed: there is nothing in it to replace.";
                return Err(Problem::new("mutability", detail).at("members"));
            }
            (Verb::Remove, "displayname") => {
                return Err(always_there("displayName"));
            }
            (Verb::Remove, "externalid") => self.external_id = None,
            (_, name) => {
                if !self.set(name, value)? {
                    return Err(no_such(name));
                }
            }
        }
        Ok(())
    }
}

/// The ids of `value`, a list of objects with one, or of texts.
fn people(value: &Value) -> Result<BTreeSet<PersonId>, Problem> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        one => core::slice::from_ref(one),
    };
    if list.len() > MEMBERS_MAX {
        let detail = format!("A group has at most {MEMBERS_MAX} members.");
        return Err(Problem::new("invalidValue", detail).at("members"));
    }
    let wrong = || Problem::new("invalidValue", "A member of a group is named by the id of a user.").at("members");
    list.iter()
        .map(|one| {
            let kind = member(one, "type").and_then(Value::as_str);
            if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("group")) {
                let detail = "Groups within groups are not kept. Let the directory send everybody who is in them.";
                return Err(Problem::new("invalidValue", detail).at("members"));
            }
            let id = if one.is_object() {
                member(one, "value")
            } else {
                Some(one)
            };
            let id = id
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty() && id.len() <= 200);
            id.map(PersonId::new).ok_or_else(wrong)
        })
        .collect()
}

/// Whom `members[value eq "1" or value eq "2"]` means.
fn named(filter: &Filter) -> Result<Vec<PersonId>, Problem> {
    match filter {
        Filter::Compare {
            attribute,
            op: Op::Eq,
            value: Value::String(id),
        } if attribute == "value" => Ok(vec![PersonId::new(id)]),
        Filter::Or(any) => Ok(any.iter().map(named).collect::<Result<Vec<_>, _>>()?.concat()),
        _ => Err(Problem::new(
            "invalidPath",
            "Members are named so: members[value eq \"id\"].",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::operations, *};
    use proptest::prelude::*;
    use serde_json::json;

    fn patched(operation: &Value) -> Result<String, Problem> {
        let draft = Draft {
            name: Some("dev".to_owned()),
            external_id: None,
            members: ["a", "b"].map(PersonId::new).into(),
        };
        let after = draft.patched(&operations(&json!({ "Operations": [operation] }))?)?;
        let members: Vec<_> = after.members.iter().map(PersonId::as_str).collect();
        Ok(format!("{} {}", after.name.unwrap_or_default(), members.join(",")))
    }

    #[test]
    fn members_come_and_go_in_every_way_in_which_directories_say_it() {
        for (operation, after) in [
            (
                json!({ "op": "add", "path": "members", "value": [{ "value": "c", "display": "C" }] }),
                "dev a,b,c",
            ),
            (
                json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
                "dev a,b",
            ),
            (
                json!({ "op": "add", "value": { "members": [{ "value": "c" }] } }),
                "dev a,b,c",
            ),
            (json!({ "op": "remove", "path": "members[value eq \"a\"]" }), "dev b"),
            (
                json!({ "op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]" }),
                "dev ",
            ),
            (
                json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "b" }] }),
                "dev a",
            ),
            (json!({ "op": "remove", "path": "members[value eq \"z\"]" }), "dev a,b"),
            (json!({ "op": "remove", "path": "members" }), "dev "),
            (
                json!({ "op": "replace", "path": "members", "value": [{ "value": "c" }] }),
                "dev c",
            ),
            (
                json!({ "op": "replace", "value": { "id": "x", "displayName": "ops" } }),
                "ops a,b",
            ),
            (
                json!({ "op": "Replace", "path": "displayName", "value": "ops" }),
                "ops a,b",
            ),
            (
                json!({ "op": "replace", "path": "externalId", "value": "8aa1" }),
                "dev a,b",
            ),
        ] {
            assert_eq!(patched(&operation).as_deref(), Ok(after), "{operation}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_type() {
        for (operation, code) in [
            (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            (json!({ "op": "remove", "path": "displayName" }), "mutability"),
            (
                json!({ "op": "replace", "path": "displayName", "value": "" }),
                "invalidValue",
            ),
            (
                json!({ "op": "add", "path": "members", "value": [{ "display": "C" }] }),
                "invalidValue",
            ),
            (
                json!({ "op": "add", "path": "members", "value": [{ "type": "Group", "value": "c" }] }),
                "invalidValue",
            ),
            (
                json!({ "op": "remove", "path": "members[display eq \"a\"]" }),
                "invalidPath",
            ),
            (json!({ "op": "add", "path": "colour", "value": "red" }), "invalidPath"),
        ] {
            assert_eq!(patched(&operation).expect_err("refused").code, code, "{operation}");
        }
        assert!(Draft::of_resource(&json!({ "members": [] })).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_added_and_removed_is_what_a_set_would_hold(
            steps in proptest::collection::vec((proptest::bool::ANY, "[a-d]"), 0..30)
        ) {
            let mut model: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
            let mut list = Vec::new();
            for (add, id) in steps {
                list.push(if add {
                    model.insert(id.clone());
                    json!({ "op": "add", "path": "members", "value": [{ "value": id }] })
                } else {
                    model.remove(&id);
                    json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
                });
            }
            if list.is_empty() {
                return Ok(());
            }
            let draft = Draft { name: Some("x".to_owned()), external_id: None, members: ["a", "b"].map(PersonId::new).into() };
            let after = draft.patched(&operations(&json!({ "Operations": list })).expect("a change")).expect("a group");
            let held: BTreeSet<String> = after.members.iter().map(|id| id.as_str().to_owned()).collect();
            prop_assert_eq!(held, model);
        }
    }
}
