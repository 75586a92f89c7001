//! What handlers take from a request.

use super::answer::{Refusal, names};
use crate::doors::Doors;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
};
use domain::{directory::Directory, scim::Window};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::Deserialize;
use serde_json::Value;

/// Who asks, from where, and which attributes they want to read.
pub(super) struct Ask {
    pub(super) directory: Directory,
    pub(super) headers: HeaderMap,
    /// The address of the door, under which resources are.
    pub(super) base: String,
    pub(super) want: Want,
}

/// The query of an address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Want {
    pub(super) filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl FromRequestParts<Doors> for Ask {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        let directory = parts.extensions.get::<Directory>().cloned();
        let want = Query::<Want>::try_from_uri(&parts.uri);
        let wrong = || Refusal::invalid("invalidValue", "The query of this address cannot be read.");
        let here = doors.origins().here(&parts.headers, &parts.uri, doors.front());
        Ok(Self {
            directory: directory.ok_or_else(Refusal::unauthenticated)?,
            headers: parts.headers.clone(),
            base: format!("{here}{}", super::ROOT),
            want: want.map_err(|_| wrong())?.0,
        })
    }
}

impl Ask {
    /// The same, with what a body says in place of what the address does.
    pub(super) fn said_by(self, body: &Value) -> Result<Self, Refusal> {
        let said = |name: &str| match &body[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Number(number) => Ok(Some(number.to_string())),
            Value::Array(list) => {
                let names: Vec<_> = list.iter().filter_map(Value::as_str).collect();
                Ok(Some(names.join(",")))
            }
            _ => Err(Refusal::invalid("invalidValue", format!("{name} cannot be read."))),
        };
        let want = Want {
            filter: said("filter")?,
            start_index: said("startIndex")?,
            count: said("count")?,
            attributes: said("attributes")?,
            excluded_attributes: said("excludedAttributes")?,
        };
        Ok(Self { want, ..self })
    }

    /// Whether what is there is what the asker has seen, where they say what that was.
    pub(super) fn as_seen(&self, version: &str) -> bool {
        let said = self.headers.get(header::IF_MATCH);
        said.is_none_or(|said| said.to_str().is_ok_and(|said| names(said, version)))
    }
}

impl Want {
    pub(super) fn window(&self) -> Result<Window, Refusal> {
        let number = |text: &Option<String>, name: &str| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => {
                let wrong = || Refusal::invalid("invalidValue", format!("{name} is a whole number."));
                text.trim().parse::<i64>().map(Some).map_err(|_| wrong())
            }
        };
        Ok(Window::of(
            number(&self.start_index, "startIndex")?,
            number(&self.count, "count")?,
        ))
    }

    /// Whether an attribute of the first level is wanted.
    pub(super) fn has(&self, attribute: &str) -> bool {
        let in_list = |list: &str| {
            list.split(',').any(|name| {
                // `members.value` is in `members`; the core schema may stand before the name.
                let name = name.trim().rsplit(':').next().unwrap_or_default();
                let first = name.split('.').next().unwrap_or_default();
                first.eq_ignore_ascii_case(attribute)
            })
        };
        match (&self.attributes, &self.excluded_attributes) {
            (Some(wanted), _) if !wanted.trim().is_empty() => in_list(wanted),
            (_, Some(excluded)) => !in_list(excluded),
            _ => true,
        }
    }

    /// Whether what is sent only to whoever asks for it is asked for, by its whole path such as `members.display`.
    pub(super) fn names(&self, path: &str) -> bool {
        let mut wanted = self.attributes.iter().flat_map(|list| list.split(','));
        wanted.any(|name| {
            let name = name.trim().rsplit(':').next().unwrap_or_default();
            name.eq_ignore_ascii_case(path)
        })
    }

    /// Whether whoever changes something wants to read it afterwards.
    pub(super) fn says_attributes(&self) -> bool {
        self.attributes.is_some() || self.excluded_attributes.is_some()
    }

    /// The resource with what is wanted of it; its id and schemas always stay.
    pub(super) fn of(&self, mut resource: Value) -> Value {
        if let Some(members) = resource.as_object_mut() {
            members.retain(|name, _| matches!(name.as_str(), "id" | "schemas") || self.has(name));
        }
        resource
    }
}

/// A body: a JSON object, by whatever name of JSON it comes.
pub(super) struct Body(pub(super) Value);

impl FromRequest<Doors> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        let said = request.headers().get(header::CONTENT_TYPE);
        let kind = said.and_then(|said| said.to_str().ok()).unwrap_or("application/json");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && kind != super::answer::CONTENT {
            let detail = "Send the body as application/scim+json.";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let bytes = Bytes::from_request(request, doors).await.map_err(|rejection| {
            let detail = "The body of the request did not arrive whole, or has more than 1 MiB.";
            Refusal::new(rejection.status(), detail)
        })?;
        let body: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::invalid("invalidSyntax", format!("The body is not JSON: {error}.")))?;
        if !body.is_object() {
            return Err(Refusal::invalid("invalidSyntax", "The body is not a JSON object."));
        }
        Ok(Self(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wanted_of_a_resource_is_what_is_sent() {
        let resource = || json!({ "schemas": [], "id": "1", "displayName": "dev", "members": [], "meta": {} });
        let names = |attributes: Option<&str>, excluded: Option<&str>| {
            let want = Want {
                attributes: attributes.map(str::to_owned),
                excluded_attributes: excluded.map(str::to_owned),
                ..Want::default()
            };
            let object = want.of(resource());
            object
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(names(None, None), "displayName id members meta schemas");
        assert_eq!(names(None, Some("members")), "displayName id meta schemas");
        assert_eq!(names(Some("displayname"), None), "displayName id schemas");
        let full = "urn:ietf:params:scim:schemas:core:2.0:Group:members.value, meta";
        assert_eq!(names(Some(full), None), "id members meta schemas");
    }
}
