//! A change of a resource (RFC 7644, 3.5.2), as its operations.

use super::{member, path::Path};
use crate::Problem;
use serde_json::Value;

/// So many operations may be in one change.
const OPERATIONS_MAX: usize = 1000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Add,
    Replace,
    Remove,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub verb: Verb,
    /// `None`: the value is an object whose members say where.
    pub path: Option<Path>,
    /// `Null` where there is none.
    pub value: Value,
}

/// Reads the body of a change. Words are read in any case, as Entra ID writes `Replace`.
pub fn operations(body: &Value) -> Result<Vec<Operation>, Problem> {
    let wrong = |detail: &str| Problem::new("invalidSyntax", detail);
    let list = member(body, "Operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| wrong("A change has a list of Operations."))?;
    if list.is_empty() || list.len() > OPERATIONS_MAX {
        return Err(wrong("A change has 1 to 1000 Operations."));
    }
    list.iter()
        .map(|operation| {
            let said = member(operation, "op").and_then(Value::as_str).unwrap_or_default();
            let verb = match said.to_ascii_lowercase().as_str() {
                "add" => Verb::Add,
                "replace" => Verb::Replace,
                "remove" => Verb::Remove,
                _ => return Err(wrong("An operation's op is add, replace or remove.")),
            };
            let path = match member(operation, "path") {
                None | Some(Value::Null) => None,
                Some(Value::String(path)) if path.is_empty() => None,
                Some(Value::String(path)) => Some(Path::parse(path)?),
                Some(_) => return Err(Problem::new("invalidPath", "An operation's path is a text.")),
            };
            let value = member(operation, "value").cloned().unwrap_or_default();
            if path.is_none() && verb == Verb::Remove {
                return Err(Problem::new("noTarget", "To remove something, name it in the path."));
            }
            if path.is_none() && !value.is_object() {
                return Err(wrong("An operation without a path has an object as its value."));
            }
            if verb != Verb::Remove && value.is_null() && member(operation, "value").is_none() {
                return Err(wrong("To add or replace something, say its value."));
            }
            Ok(Operation { verb, path, value })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_are_read_in_any_case_and_refused_with_their_type() {
        let read = operations(&json!({ "operations": [{ "OP": "Replace", "path": "active", "value": "False" }] }));
        assert_eq!(read.expect("a change")[0].verb, Verb::Replace);
        for (body, code) in [
            (json!(null), "invalidSyntax"),
            (json!({ "Operations": [] }), "invalidSyntax"),
            (json!({ "Operations": [{ "op": "move" }] }), "invalidSyntax"),
            (json!({ "Operations": [{ "op": "remove" }] }), "noTarget"),
            (json!({ "Operations": [{ "op": "add", "value": 5 }] }), "invalidSyntax"),
            (
                json!({ "Operations": [{ "op": "add", "path": "active" }] }),
                "invalidSyntax",
            ),
            (
                json!({ "Operations": [{ "op": "add", "path": "a b", "value": 1 }] }),
                "invalidPath",
            ),
        ] {
            assert_eq!(operations(&body).expect_err("refused").code, code, "{body}");
        }
    }
}
