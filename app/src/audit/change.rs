//! What changed, field by field; and what else is known of it.

use crate::words;
use leptos::prelude::*;
use serde_json::{Map, Value};

/// One field of a change.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

impl Field {
    fn is_same(&self) -> bool {
        self.before == self.after
    }
}

/// The fields of both sides, those that differ first; and what is on neither side.
fn taken_apart(detail: &Value) -> (Vec<Field>, Vec<(String, String)>) {
    let (before, after) = (detail.get("before"), detail.get("after"));
    let mut fields: Vec<Field> = match (before, after) {
        (None, None) => Vec::new(),
        // From before changes were told by field.
        (before, after) if !is_object(before) && !is_object(after) => vec![Field {
            name: "Value".to_owned(),
            before: before.and_then(said),
            after: after.and_then(said),
        }],
        (before, after) => {
            let (before, after) = (object(before), object(after));
            let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            names
                .into_iter()
                .map(|name| Field {
                    name: label(name),
                    before: before.get(name).and_then(said),
                    after: after.get(name).and_then(said),
                })
                .collect()
        }
    };
    fields.retain(|field| field.before.is_some() || field.after.is_some());
    fields.sort_by_key(Field::is_same);
    let rest = object(Some(detail))
        .into_iter()
        .filter(|(name, _)| name != "before" && name != "after")
        .flat_map(|(name, value)| match value {
            Value::Object(inner) => inner.into_iter().collect::<Vec<_>>(),
            value => vec![(name, value)],
        })
        .filter_map(|(name, value)| Some((label(&name), said(&value)?)))
        .collect();
    (fields, rest)
}

fn is_object(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_object)
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn label(name: &str) -> String {
    words::capital(&name.replace(['_', '-'], " "))
}

/// A value as a person reads it; `None` where there is nothing.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(if *truth { "Yes" } else { "No" }.to_owned()),
        Value::Array(all) if all.iter().all(Value::is_string) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            Some(if all.is_empty() {
                "None".to_owned()
            } else {
                all.join(", ")
            })
        }
        other => Some(other.to_string()),
    }
}

/// The difference as a table, then what else is known.
#[component]
pub(super) fn Change(detail: Value) -> impl IntoView {
    let (fields, rest) = taken_apart(&detail);
    let nothing = fields.is_empty() && rest.is_empty();
    let side = |text: Option<String>, gone: bool| match text {
        Some(text) if gone => view! { <del>{text}</del> }.into_any(),
        Some(text) => view! { <ins>{text}</ins> }.into_any(),
        None => view! { <span class="soft">"Nothing"</span> }.into_any(),
    };
    let plain =
        |text: Option<String>| view! { <span class="soft">{text.unwrap_or_else(|| "Nothing".to_owned())}</span> };
    let table = (!fields.is_empty()).then(|| {
        view! {
            <div class="card scroll-x" tabindex="0" role="region" aria-label="What changed">
                <table class="table change">
                    <thead>
                        <tr>
                            <th scope="col">"Field"</th>
                            <th scope="col">"Before"</th>
                            <th scope="col">"After"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {fields
                            .into_iter()
                            .map(|field| {
                                let same = field.is_same();
                                let Field { name, before, after } = field;
                                let (before, after) = if same {
                                    (plain(before).into_any(), plain(after).into_any())
                                } else {
                                    (side(before, true), side(after, false))
                                };
                                view! {
                                    <tr data-same=same.then_some("")>
                                        <th scope="row">{name}</th>
                                        <td>{before}</td>
                                        <td>{after}</td>
                                    </tr>
                                }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
        }
    });
    let list = (!rest.is_empty()).then(|| {
        view! {
            <dl class="facts">
                {rest
                    .into_iter()
                    .map(|(name, value)| view! { <dt>{name}</dt> <dd>{value}</dd> })
                    .collect_view()}
            </dl>
        }
    });
    view! {
        <section class="stack">
            <h2>{if table.is_some() { "What changed" } else { "Details" }}</h2>
            {table}
            {list}
            {nothing.then(|| view! { <p class="soft">"Nothing more is known of it."</p> })}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(name: &str, before: Option<&str>, after: Option<&str>) -> Field {
        Field {
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn a_change_is_told_by_field_and_what_differs_first() {
        let (fields, rest) = taken_apart(&json!({
            "before": { "name": "one", "role": "developer", "reason": null },
            "after": { "name": "one", "role": "org-admin", "reason": null },
            "email": "a@b",
        }));
        let expected = [
            field("Role", Some("developer"), Some("org-admin")),
            field("Name", Some("one"), Some("one")),
        ];
        assert_eq!(fields, expected);
        assert_eq!(rest, [("Email".to_owned(), "a@b".to_owned())]);
    }

    #[test]
    fn what_is_made_or_ended_has_one_side() {
        let (fields, _) = taken_apart(&json!({ "before": null, "after": { "enabled": true } }));
        assert_eq!(fields, [field("Enabled", None, Some("Yes"))]);
        let (fields, _) = taken_apart(&json!({ "before": "one", "after": "two" }));
        assert_eq!(fields, [field("Value", Some("one"), Some("two"))]);
        let (fields, rest) = taken_apart(&json!({ "filters": { "actor": "", "action": "token." }, "format": "csv" }));
        assert!(fields.is_empty());
        let said = [("Action", "token."), ("Format", "csv")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(rest, said);
    }
}
