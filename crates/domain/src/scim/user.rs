//! People, as a directory says and changes them.

use super::{
    member,
    patch::{Operation, Verb},
    path::Path,
    text, truth,
};
use crate::{
    OrgId, PersonId, Problem, Role, Timestamp,
    member::{self as members, EMAIL_MAX, NAME_MAX},
};
use serde_json::{Value, json};

/// The longest name by which a directory knows somebody, in characters.
pub const USER_NAME_MAX: usize = 254;
/// The longest id that a directory gives, in characters.
pub const EXTERNAL_ID_MAX: usize = 254;
/// The roles that a directory may give, as they are told back. Owners are made in the console.
pub const ROLES: [&str; 3] = ["viewer", "developer", "org-admin"];
/// The longest name that a directory says of somebody as a whole, in characters; what is shown of it is shorter.
const WHOLE_NAME_MAX: usize = 1000;
/// So many values of an attribute that has several are looked at.
const VALUES_MAX: usize = 100;

/// Whether the one address and the one role that are kept are the primary ones, as the directory says; `None`: it does not,
/// and they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Primary {
    pub email: Option<bool>,
    pub role: Option<bool>,
}

/// A member, as a directory sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub person: PersonId,
    pub org: OrgId,
    /// The directory's name for them; the address of whoever it has not said anything of.
    pub user_name: String,
    pub external_id: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    /// The whole name, as the directory says it.
    pub formatted: Option<String>,
    /// The name to show, as the directory says it; of whoever it has not said anything of, the name that is shown.
    pub display_name: Option<String>,
    /// The name that is shown: of what the directory says, the best there is.
    pub name: String,
    pub email: String,
    pub role: Role,
    /// The role that the directory gave; `None`: it says none.
    pub given_role: Option<Role>,
    pub primary: Primary,
    /// Whether the seat gives access now.
    pub active: bool,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// The groups that the directory keeps: id and name.
    pub groups: Vec<(String, String)>,
    /// Counts the directory's changes; 0: it has not said anything of them yet.
    pub version: u64,
}

/// What a directory says of somebody, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub user_name: Option<String>,
    pub external_id: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub formatted: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// `None`: it stays as it is; somebody new is active.
    pub active: Option<bool>,
    /// `None`: it says nothing of roles.
    pub roles: Option<Vec<String>>,
    pub primary: Primary,
}

/// The same, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub user_name: String,
    pub external_id: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub formatted: Option<String>,
    pub display_name: Option<String>,
    /// The name to show: the one that is said for it, else the whole one, else its parts, else the address before its `@`.
    pub name: String,
    /// In lower case.
    pub email: String,
    pub active: Option<bool>,
    /// `None`: nothing is said of roles; `Some(None)`: that the directory gives none.
    pub role: Option<Option<Role>>,
    pub primary: Primary,
}

/// Attributes of the core schema that are heard and not kept.
const NOT_KEPT: [&str; 17] = [
    "nickname",
    "profileurl",
    "title",
    "usertype",
    "preferredlanguage",
    "locale",
    "timezone",
    "password",
    "phonenumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "x509certificates",
    "schemas",
    "meta",
    "members",
];

impl Draft {
    /// What a whole resource says.
    pub fn of_resource(body: &Value) -> Result<Self, Problem> {
        let object = body
            .as_object()
            .ok_or_else(|| Problem::new("invalidSyntax", "A user is a JSON object."))?;
        let mut draft = Self::default();
        for (name, value) in object {
            draft.set_named(name, value)?;
        }
        Ok(draft)
    }

    /// What is kept of somebody now.
    pub fn of_user(user: &User) -> Self {
        Self {
            user_name: Some(user.user_name.clone()),
            external_id: user.external_id.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            formatted: user.formatted.clone(),
            display_name: user.display_name.clone(),
            email: Some(user.email.clone()),
            active: None,
            roles: None,
            primary: user.primary,
        }
    }

    /// The same after a change.
    pub fn patched(mut self, operations: &[Operation]) -> Result<Self, Problem> {
        for Operation { verb, path, value } in operations {
            match (verb, path) {
                (_, None) => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        self.set_named(name, value)?;
                    }
                }
                (Verb::Remove, Some(path)) => self.remove(path)?,
                (Verb::Add | Verb::Replace, Some(path)) => {
                    if matches!(path.attribute.as_str(), "id" | "groups") {
                        return Err(read_only(&path.attribute));
                    }
                    if !self.set(path, value)? {
                        return Err(no_such(&path.attribute));
                    }
                }
            }
        }
        Ok(self)
    }

    /// What it means, within bounds. An address is needed: people are told apart by it by those who govern.
    pub fn checked(self) -> Result<Wanted, Problem> {
        let Some(user_name) = self.user_name else {
            return Err(Problem::new("invalidValue", "A user has a userName.").at("userName"));
        };
        let email = match &self.email {
            Some(email) => members::email(email).map_err(|problem| invalid(problem, "emails"))?,
            None => members::email(&user_name).map_err(|_| {
                let detail = "A user needs an e-mail address: in emails, or as the userName.";
                Problem::new("invalidValue", detail).at("emails")
            })?,
        };
        let both = match (&self.given_name, &self.family_name) {
            (None, None) => None,
            (given, family) => Some(
                [given.as_deref(), family.as_deref()]
                    .map(Option::unwrap_or_default)
                    .join(" "),
            ),
        };
        let before_at = || email.split('@').next().unwrap_or_default().to_owned();
        let said = self.display_name.as_ref().or(self.formatted.as_ref());
        let name = said.cloned().or(both).unwrap_or_else(before_at);
        let name: String = name.trim().chars().take(NAME_MAX).collect();
        let name = members::name(&name).map_err(|problem| invalid(problem, "displayName"))?;
        let role = self.roles.as_deref().map(role).transpose()?;
        Ok(Wanted {
            user_name,
            external_id: self.external_id,
            given_name: self.given_name,
            family_name: self.family_name,
            formatted: self.formatted,
            display_name: self.display_name,
            name,
            email,
            active: self.active,
            role,
            primary: self.primary,
        })
    }

    /// Sets what a member of an object names; what is unknown there is passed over, as the standard wants.
    fn set_named(&mut self, name: &str, value: &Value) -> Result<(), Problem> {
        match Path::parse(name) {
            Ok(path) if matches!(path.attribute.as_str(), "id" | "groups") => Ok(()),
            Ok(path) => self.set(&path, value).map(|_| ()),
            Err(_) => Ok(()),
        }
    }

    /// Sets an attribute; whether there is one like this.
    fn set(&mut self, path: &Path, value: &Value) -> Result<bool, Problem> {
        match (path.attribute.as_str(), path.sub.as_deref()) {
            ("username", None) => self.user_name = Some(needed(value, "userName", USER_NAME_MAX)?),
            ("externalid", None) => self.external_id = text(value, "externalId", EXTERNAL_ID_MAX)?,
            ("displayname", None) => self.display_name = text(value, "displayName", WHOLE_NAME_MAX)?,
            ("active", None) => {
                let said = truth(value);
                let wrong = || Problem::new("invalidValue", "active is true or false.").at("active");
                self.active = Some(said.ok_or_else(wrong)?);
            }
            ("name", None) => {
                if !value.is_object() {
                    return Err(Problem::new("invalidValue", "name is an object.").at("name"));
                }
                for sub in ["givenname", "familyname", "formatted"] {
                    if let Some(value) = member(value, sub) {
                        self.set_name(sub, value)?;
                    }
                }
            }
            ("name", Some(sub)) => self.set_name(sub, value)?,
            ("emails", None | Some("value")) => {
                // We keep one address, that of work; what is said of another is passed over.
                let ours = json!({ "type": "work", "primary": true, "value": self.email });
                if path.filter.as_ref().is_none_or(|filter| filter.matches(&ours)) {
                    let said = of_work(value);
                    self.email = said.map(address).transpose()?.flatten().or(self.email.take());
                    if said.is_some_and(Value::is_object) {
                        self.primary.email = said.and_then(primary);
                    }
                }
            }
            ("roles", None | Some("value")) => {
                self.roles = Some(values(value, "roles")?);
                self.primary.role = value
                    .as_array()
                    .map_or(Some(value), |list| list.first())
                    .and_then(primary);
            }
            ("emails", Some("primary")) => self.primary.email = truth(value),
            ("roles", Some("primary")) => self.primary.role = truth(value),
            ("emails" | "roles", Some(_)) => {}
            (name, _) if NOT_KEPT.contains(&name) || name.starts_with("urn:") => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_name(&mut self, sub: &str, value: &Value) -> Result<(), Problem> {
        let (place, most) = match sub {
            "givenname" => (&mut self.given_name, NAME_MAX),
            "familyname" => (&mut self.family_name, NAME_MAX),
            "formatted" => (&mut self.formatted, WHOLE_NAME_MAX),
            // Middle names, prefixes and suffixes are heard and not kept.
            _ => return Ok(()),
        };
        *place = text(value, "name", most)?;
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> Result<(), Problem> {
        match (path.attribute.as_str(), path.sub.as_deref()) {
            // The standard lets `active` be taken away. A seat gives access or does not, and a directory that says neither may
            // not open one that it has closed by it: refused, as for what a user must have.
            ("username", _) | ("active", _) => return Err(always_there(&path.attribute)),
            ("id" | "groups", _) => return Err(read_only(&path.attribute)),
            ("externalid", _) => self.external_id = None,
            ("displayname", _) => self.display_name = None,
            ("name", None) => (self.given_name, self.family_name, self.formatted) = (None, None, None),
            ("name", Some("givenname")) => self.given_name = None,
            ("name", Some("familyname")) => self.family_name = None,
            ("name", Some("formatted")) => self.formatted = None,
            ("emails", None | Some("value")) => {
                let ours = json!({ "type": "work", "primary": true, "value": self.email });
                if path.filter.as_ref().is_none_or(|filter| filter.matches(&ours)) {
                    (self.email, self.primary.email) = (None, None);
                }
            }
            ("roles", None | Some("value")) => (self.roles, self.primary.role) = (Some(Vec::new()), None),
            ("name" | "emails" | "roles", Some(_)) => {}
            (name, _) if NOT_KEPT.contains(&name) || name.starts_with("urn:") => {}
            _ => return Err(no_such(&path.attribute)),
        }
        Ok(())
    }
}

/// The strongest role of those that a directory names; `None`: it names none. Other words are refused: passed over,
/// a role that is spelled in another way would be an ordinary developer's, and nobody would hear of it. Directories make
/// nobody an owner, whoever governs does.
fn role(said: &[String]) -> Result<Option<Role>, Problem> {
    let mut strongest = None;
    for word in said {
        let role = match word.to_ascii_lowercase().as_str() {
            "viewer" => Role::Viewer,
            "developer" | "member" | "user" => Role::Developer,
            "org-admin" | "admin" => Role::OrgAdmin,
            _ => {
                let detail = format!(
                    "A directory gives the roles {}. Owners are made in the console.",
                    ROLES.join(", ")
                );
                return Err(Problem::new("invalidValue", detail).at("roles"));
            }
        };
        strongest = strongest.max(Some(role));
    }
    Ok(strongest)
}

/// Whether a value says that it is the primary one.
fn primary(value: &Value) -> Option<bool> {
    member(value, "primary").and_then(truth)
}

/// Of several addresses the one that is kept: the primary one, that of work, the first.
fn of_work(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(list) => {
            let list = || list.iter().take(VALUES_MAX);
            let is_primary = |one: &&Value| primary(one) == Some(true);
            let of_work = |one: &&Value| {
                member(one, "type")
                    .and_then(Value::as_str)
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
            };
            list()
                .find(is_primary)
                .or_else(|| list().find(of_work))
                .or_else(|| list().next())
        }
        other => Some(other),
    }
}

fn address(said: &Value) -> Result<Option<String>, Problem> {
    let text_of = match said {
        Value::Object(_) => member(said, "value").unwrap_or(&Value::Null),
        other => other,
    };
    text(text_of, "emails", EMAIL_MAX)
}

/// The texts of an attribute that has several: each by itself, or as the `value` of an object.
fn values(value: &Value, attribute: &str) -> Result<Vec<String>, Problem> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        one => core::slice::from_ref(one),
    };
    let mut values = Vec::new();
    for one in list.iter().take(VALUES_MAX) {
        let said = if one.is_object() {
            member(one, "value")
        } else {
            Some(one)
        };
        values.extend(text(said.unwrap_or(&Value::Null), attribute, 1000)?);
    }
    Ok(values)
}

fn needed(value: &Value, attribute: &str, most: usize) -> Result<String, Problem> {
    let missing = || Problem::new("invalidValue", format!("{attribute} may not be empty.")).at(attribute);
    text(value, attribute, most)?.ok_or_else(missing)
}

fn invalid(problem: Problem, attribute: &str) -> Problem {
    Problem::new("invalidValue", problem.detail).at(attribute)
}

pub(super) fn read_only(attribute: &str) -> Problem {
    Problem::new("mutability", format!("{attribute} is read, and not written.")).at(attribute)
}

/// What is there always: the standard's word for taking away what is required (RFC 7644, 3.5.2.2).
pub(super) fn always_there(attribute: &str) -> Problem {
    Problem::new("mutability", format!("{attribute} is always there: replace it.")).at(attribute)
}

pub(super) fn no_such(attribute: &str) -> Problem {
    let shown: String = attribute.chars().take(80).collect();
    Problem::new("invalidPath", format!("There is no attribute {shown}."))
}

#[cfg(test)]
mod tests {
    use super::{super::operations, *};
    use proptest::prelude::*;

    fn draft() -> Draft {
        Draft {
            user_name: Some("ada@acme.test".to_owned()),
            display_name: Some("Ada".to_owned()),
            email: Some("ada@acme.test".to_owned()),
            ..Draft::default()
        }
    }

    fn patched(operation: Value) -> Result<Draft, Problem> {
        draft().patched(&operations(&json!({ "Operations": [operation] }))?)
    }

    #[test]
    fn a_resource_is_read_as_it_is_sent() {
        let okta = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "test.user@okta.local",
            "name": { "givenName": "Test", "familyName": "User" },
            "emails": [{ "primary": true, "value": "Test.User@okta.local", "type": "work" }],
            "displayName": "Test User", "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [],
            "password": "1mz050nq", "active": true,
        });
        let wanted = Draft::of_resource(&okta).and_then(Draft::checked).expect("a user");
        assert_eq!(wanted.email, "test.user@okta.local");
        assert_eq!(
            (wanted.name.as_str(), wanted.active, wanted.role),
            ("Test User", Some(true), None)
        );

        let entra = json!({
            "userName": "UserName123@acme.onmicrosoft.test", "active": true, "externalId": "e0b4",
            "emails": [{ "type": "home", "value": "h@home.test" }, { "primary": "True", "type": "work", "value": "u@acme.test" }],
            "name": { "formatted": "Givenname Familyname", "familyName": "Familyname", "givenName": "Givenname" },
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "bob" },
            "roles": ["org-admin"], "unheardOf": 5,
        });
        let wanted = Draft::of_resource(&entra).and_then(Draft::checked).expect("a user");
        assert_eq!(wanted.email, "u@acme.test");
        assert_eq!(
            (wanted.name.as_str(), wanted.role),
            ("Givenname Familyname", Some(Some(Role::OrgAdmin)))
        );
    }

    #[test]
    fn every_way_in_which_directories_change_a_user_is_understood() {
        let off = |draft: Draft| draft.active == Some(false);
        for operation in [
            json!({ "op": "replace", "value": { "active": false } }),
            json!({ "op": "Replace", "path": "active", "value": "False" }),
            json!({ "op": "Add", "path": "active", "value": false }),
            json!({ "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "false" }),
        ] {
            assert!(patched(operation.clone()).is_ok_and(off), "{operation}");
        }
        for operation in [
            json!({ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@acme.test" }),
            json!({ "op": "replace", "value": { "emails[type eq \"work\"].value": "new@acme.test" } }),
            json!({ "op": "replace", "path": "emails", "value": [{ "value": "new@acme.test", "primary": true }] }),
            json!({ "op": "replace", "path": "emails[primary eq true]", "value": { "value": "new@acme.test" } }),
        ] {
            let email = patched(operation.clone()).expect("a change").email;
            assert_eq!(email.as_deref(), Some("new@acme.test"), "{operation}");
        }
        let home = json!({ "op": "add", "path": "emails[type eq \"home\"].value", "value": "h@home.test" });
        assert_eq!(patched(home), Ok(draft()), "another address is not the one we keep");
        let named = json!({ "op": "replace", "value": { "name.familyName": "L", "displayName": "Ada L" } });
        let named = patched(named).expect("a change");
        assert_eq!(
            (named.family_name.as_deref(), named.display_name.as_deref()),
            (Some("L"), Some("Ada L"))
        );
        let role = json!({ "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "viewer" });
        let role = patched(role).and_then(Draft::checked).expect("a change").role;
        assert_eq!(role, Some(Some(Role::Viewer)));
        let gone = json!({ "op": "remove", "path": "roles" });
        let gone = patched(gone).and_then(Draft::checked).expect("a change").role;
        assert_eq!(gone, Some(None), "none is said, and that is said");
        let other = json!({ "op": "replace", "path": "displayName", "value": "Ada" });
        let other = patched(other).and_then(Draft::checked).expect("a change").role;
        assert_eq!(other, None, "nothing is said of roles");
    }

    #[test]
    fn whether_what_is_kept_is_primary_is_what_was_said() {
        for (operation, email, role) in [
            (json!({ "op": "add", "value": {} }), None, None),
            (
                json!({ "op": "add", "path": "emails", "value": [{ "value": "a@b.test", "primary": "False" }] }),
                Some(false),
                None,
            ),
            (
                json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@b.test" }),
                None,
                None,
            ),
            (
                json!({ "op": "add", "path": "emails.primary", "value": true }),
                Some(true),
                None,
            ),
            (
                json!({ "op": "add", "path": "roles", "value": [{ "value": "viewer", "primary": false }] }),
                None,
                Some(false),
            ),
            (json!({ "op": "add", "path": "roles", "value": ["viewer"] }), None, None),
        ] {
            let primary = patched(operation.clone()).expect("a change").primary;
            assert_eq!(primary, Primary { email, role }, "{operation}");
        }
    }

    #[test]
    fn a_name_is_kept_as_it_is_said_and_shown_by_the_best_of_it() {
        let name = json!({ "formatted": "Countess Ada L", "givenName": "Ada", "familyName": "L" });
        let whole = draft().patched(
            &operations(&json!({ "Operations": [{ "op": "add", "path": "name", "value": name }] })).expect("a change"),
        );
        let mut draft = whole.expect("a change");
        for (gone, shown) in [
            (None, "Ada"),
            (Some("displayName"), "Countess Ada L"),
            (Some("name.formatted"), "Ada L"),
            (Some("name.givenName"), "L"),
            (Some("name"), "ada"),
        ] {
            if let Some(path) = gone {
                let remove = json!({ "Operations": [{ "op": "remove", "path": path }] });
                draft = draft.patched(&operations(&remove).expect("a change")).expect("removed");
            }
            let wanted = draft.clone().checked().expect("a user");
            assert_eq!(wanted.name, shown, "without {gone:?}");
            assert_eq!(wanted.display_name.is_none(), gone.is_some(), "nothing is made up");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_type() {
        for (operation, code) in [
            (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            (json!({ "op": "add", "path": "groups", "value": [] }), "mutability"),
            (json!({ "op": "add", "path": "shoeSize", "value": 5 }), "invalidPath"),
            (json!({ "op": "remove", "path": "userName" }), "mutability"),
            (json!({ "op": "remove", "path": "active" }), "mutability"),
            (
                json!({ "op": "replace", "path": "userName", "value": "" }),
                "invalidValue",
            ),
            (
                json!({ "op": "replace", "path": "active", "value": "perhaps" }),
                "invalidValue",
            ),
            (
                json!({ "op": "replace", "path": "displayName", "value": 5 }),
                "invalidValue",
            ),
            (
                json!({ "op": "replace", "path": "emails", "value": [{ "value": "nowhere" }] }),
                "invalidValue",
            ),
            (
                json!({ "op": "add", "path": "roles", "value": ["owner"] }),
                "invalidValue",
            ),
            (
                json!({ "op": "add", "path": "roles", "value": [{ "value": "Super-Admin" }] }),
                "invalidValue",
            ),
            (
                json!({ "op": "add", "path": "roles", "value": ["viewer", "Sales"] }),
                "invalidValue",
            ),
        ] {
            let refused = patched(operation.clone()).and_then(Draft::checked);
            assert_eq!(refused.expect_err("refused").code, code, "{operation}");
        }
        let no_address = Draft::of_resource(&json!({ "userName": "ada" })).and_then(Draft::checked);
        assert_eq!(no_address.expect_err("refused").field.as_deref(), Some("emails"));
        assert!(
            Draft::of_resource(&json!({ "displayName": "x" }))
                .and_then(Draft::checked)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn no_value_at_any_place_makes_it_panic(
            path in prop_oneof![
                Just("userName"), Just("emails"), Just("emails[type eq \"work\"].value"), Just("name"), Just("name.givenName"),
                Just("roles"), Just("active"), Just("externalId")
            ],
            verb in prop_oneof![Just("add"), Just("replace"), Just("remove")],
            text in ".{0,300}", number in proptest::num::i64::ANY, shape in 0..6
        ) {
            let value = match shape {
                0 => json!(text), 1 => json!(number), 2 => json!([text, number, null]),
                3 => json!({ "value": text }), 4 => json!([{ "value": [text] }]), _ => Value::Null,
            };
            if let Ok(wanted) = patched(json!({ "op": verb, "path": path, "value": value })).and_then(Draft::checked) {
                prop_assert!(wanted.name.chars().count() <= NAME_MAX && !wanted.name.is_empty());
                prop_assert!(wanted.email.len() <= EMAIL_MAX && wanted.role.flatten() <= Some(Role::OrgAdmin));
            }
        }
    }
}
