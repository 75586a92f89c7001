//! `/docs/api`: the document, for eyes. One page of plain HTML made from the same JSON; no script, nothing from afar.

use crate::{
    doors::Doors,
    html::{self, escaped},
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::{Map, Value};
use std::fmt::Write as _;

pub(super) async fn show(State(doors): State<Doors>) -> Response {
    let document: Value = serde_json::from_str(doors.api()).unwrap_or_default();
    html::page(&doors, StatusCode::OK, "The API", "prose", &body(&document))
}

fn body(document: &Value) -> String {
    let mut out = format!(
        "<h1>The API</h1><p>{}</p><p>For programs: <a href=\"/api/v1/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>",
        code(text(&document["info"]["description"])),
    );
    let nothing = Map::new();
    let paths = document["paths"].as_object().unwrap_or(&nothing);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        let _ = write!(
            out,
            "<h2 id=\"{0}\">{0}</h2><p>{1}</p>",
            escaped(name),
            escaped(text(&tag["description"]))
        );
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                if operation["tags"]
                    .as_array()
                    .is_some_and(|tags| tags.iter().any(|tag| tag == name))
                {
                    operation_of(&mut out, method, path, operation);
                }
            }
        }
    }
    out.push_str("<h2 id=\"schemas\">Shapes</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            out,
            "<section><h3 id=\"schema-{0}\">{0}</h3><p>{1}</p>",
            escaped(name),
            code(text(&schema["description"]))
        );
        fields(&mut out, schema);
        out.push_str("</section>");
    }
    out
}

fn operation_of(out: &mut String, method: &str, path: &str, operation: &Value) {
    let _ = write!(
        out,
        "<section><h3 id=\"{id}\"><code>{method} {path}</code></h3><p>{summary} {description}</p><p class=\"faint\">Needs <code>{permit}</code>.</p>",
        id = escaped(text(&operation["operationId"])),
        method = method.to_uppercase(),
        path = escaped(path),
        summary = code(text(&operation["summary"])),
        description = code(text(&operation["description"])),
        permit = escaped(text(&operation["x-permit"])),
    );
    let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
    if !parameters.is_empty() {
        out.push_str("<table><tbody>");
        for parameter in parameters {
            let _ = write!(
                out,
                "<tr><th scope=\"row\"><code>{}</code></th><td>{} · {}</td><td>{}</td></tr>",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                kind(&parameter["schema"]),
                code(text(&parameter["description"])),
            );
        }
        out.push_str("</tbody></table>");
    }
    let request = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !request.is_null() {
        let _ = write!(out, "<p>Send {}.</p>", kind(request));
    }
    out.push_str("<ul>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let content = response["content"]
            .as_object()
            .and_then(|content| content.iter().next());
        let shape = content.map(|(media, content)| {
            format!(
                " {} <span class=\"faint\">{}</span>",
                kind(&content["schema"]),
                escaped(media)
            )
        });
        let _ = write!(
            out,
            "<li><code>{}</code>{} {}</li>",
            escaped(status),
            shape.unwrap_or_default(),
            code(text(&response["description"])),
        );
    }
    out.push_str("</ul></section>");
}

fn fields(out: &mut String, schema: &Value) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    out.push_str("<table><tbody>");
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let _ = write!(
            out,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}{}</td><td>{}</td></tr>",
            escaped(name),
            kind(field),
            if required.contains(&name.as_str()) {
                ""
            } else {
                " · optional"
            },
            code(text(&field["description"])),
        );
    }
    out.push_str("</tbody></table>");
}

/// What a schema is called, with a link where it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let names: Vec<_> = choices
                .iter()
                .filter(|choice| choice["type"] != "null")
                .map(kind)
                .collect();
            return names.join(" or ");
        }
    }
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "anything".to_owned(),
    };
    if name == "array" {
        format!("list of {}", kind(&schema["items"]))
    } else {
        escaped(&name).into_owned()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text with `code` between backticks.
fn code(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escaped(part);
        let _ = if index % 2 == 1 {
            write!(out, "<code>{part}</code>")
        } else {
            write!(out, "{part}")
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_shape_of_the_document_is_on_the_page() {
        let document: Value = serde_json::from_str(&super::super::document()).expect("JSON");
        let page = body(&document);
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for method in operations.as_object().expect("operations").keys() {
                let heading = format!("<code>{} {path}</code>", method.to_uppercase());
                assert!(page.contains(&heading), "{heading}");
            }
        }
        for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
            assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
        }
    }

    #[test]
    fn what_the_document_says_is_text_and_never_markup() {
        assert_eq!(code("a `<b>` & c"), "a <code>&lt;b&gt;</code> &amp; c");
    }
}
