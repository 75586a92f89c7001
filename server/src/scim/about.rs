//! What this door can do, and what its resources look like (RFC 7643, 5 to 7).

use super::{
    answer::{self, Refusal, scim},
    ask::Ask,
    groups, users,
};
use axum::{extract::Path, response::Response};
use domain::scim::{COUNT_MAX, user::ROLES};
use http::StatusCode;
use serde_json::{Value, json};

type Answer = Result<Response, Refusal>;

pub(super) async fn config(ask: Ask) -> Response {
    let base = &ask.base;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": COUNT_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "The directory's token", "primary": true,
            "description": "A token of the Organization's directory, made in the settings of the Organization.",
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    });
    scim(StatusCode::OK, &body)
}

pub(super) async fn types(ask: Ask) -> Answer {
    unfiltered(&ask)?;
    let all = all_types(&ask.base);
    Ok(answer::list(all.to_vec(), all.len() as u64, 1))
}

pub(super) async fn one_type(ask: Ask, Path(id): Path<String>) -> Answer {
    one(all_types(&ask.base), &id)
}

pub(super) async fn schemas(ask: Ask) -> Answer {
    unfiltered(&ask)?;
    let all = all_schemas(&ask.base);
    Ok(answer::list(all.to_vec(), all.len() as u64, 1))
}

pub(super) async fn one_schema(ask: Ask, Path(id): Path<String>) -> Answer {
    one(all_schemas(&ask.base), &id)
}

fn one(all: [Value; 2], id: &str) -> Answer {
    let found = all.iter().find(|one| one["id"] == id);
    let nothing = || Refusal::new(StatusCode::NOT_FOUND, "There is nothing with this id.");
    found.map(|one| scim(StatusCode::OK, one)).ok_or_else(nothing)
}

/// RFC 7644, 4: filters are not for these.
fn unfiltered(ask: &Ask) -> Result<(), Refusal> {
    match ask.want.filter {
        Some(_) => Err(Refusal::new(StatusCode::FORBIDDEN, "This list is not filtered.")),
        None => Ok(()),
    }
}

fn all_types(base: &str) -> [Value; 2] {
    [("User", "/Users", users::SCHEMA), ("Group", "/Groups", groups::SCHEMA)].map(|(id, endpoint, schema)| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": id, "name": id, "endpoint": endpoint, "schema": schema, "schemaExtensions": [],
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{id}") },
        })
    })
}

fn all_schemas(base: &str) -> [Value; 2] {
    let name = complex(
        "name",
        false,
        "readWrite",
        vec![
            simple("formatted", "string", "readWrite"),
            simple("givenName", "string", "readWrite"),
            simple("familyName", "string", "readWrite"),
        ],
    );
    // One of each is kept. An address is told back as that of work, whatever it is called.
    let emails = vec![
        needed("value", "none"),
        one_of(simple("type", "string", "readWrite"), &["work"]),
        simple("primary", "boolean", "readWrite"),
    ];
    let roles = vec![
        one_of(simple("value", "string", "readWrite"), &ROLES),
        simple("primary", "boolean", "readWrite"),
    ];
    let of_groups = vec![
        simple("value", "string", "readOnly"),
        reference("Group", "readOnly"),
        simple("display", "string", "readOnly"),
        one_of(simple("type", "string", "readOnly"), &["direct"]),
    ];
    let user = vec![
        needed("userName", "server"),
        name,
        simple("displayName", "string", "readWrite"),
        needed_complex("emails", emails),
        simple("active", "boolean", "readWrite"),
        complex("roles", true, "readWrite", roles),
        complex("groups", true, "readOnly", of_groups),
    ];
    // What a directory adds, it reads again as it was; the names of thousands are for whoever asks for them.
    let mut display = simple("display", "string", "readOnly");
    display["returned"] = json!("request");
    let members = vec![
        simple("value", "string", "immutable"),
        reference("User", "immutable"),
        display,
        one_of(simple("type", "string", "immutable"), &["User"]),
    ];
    let group = vec![
        needed("displayName", "server"),
        complex("members", true, "readWrite", members),
    ];
    [
        (users::SCHEMA, "User", "A member of the Organization.", user),
        (groups::SCHEMA, "Group", "A group that the directory keeps.", group),
    ]
    .map(|(id, name, description, attributes)| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": id, "name": name, "description": description, "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
        })
    })
}

fn simple(name: &str, kind: &str, mutability: &str) -> Value {
    json!({
        "name": name, "type": kind, "multiValued": false, "description": describe(name), "required": false,
        "caseExact": false, "mutability": mutability, "returned": "default", "uniqueness": "none",
    })
}

fn needed(name: &str, uniqueness: &str) -> Value {
    let mut attribute = simple(name, "string", "readWrite");
    attribute["required"] = json!(true);
    attribute["uniqueness"] = json!(uniqueness);
    attribute
}

/// One that has no other values (RFC 7643, 7: `canonicalValues`).
fn one_of(mut attribute: Value, values: &[&str]) -> Value {
    attribute["canonicalValues"] = json!(values);
    attribute
}

fn reference(to: &str, mutability: &str) -> Value {
    let mut attribute = simple("$ref", "reference", mutability);
    attribute["referenceTypes"] = json!([to]);
    attribute["caseExact"] = json!(true);
    attribute
}

fn complex(name: &str, many: bool, mutability: &str, inner: Vec<Value>) -> Value {
    let mut attribute = simple(name, "complex", mutability);
    attribute["multiValued"] = json!(many);
    attribute["subAttributes"] = json!(inner);
    attribute
}

/// One that a user must have, and may have several values of.
fn needed_complex(name: &str, inner: Vec<Value>) -> Value {
    let mut attribute = complex(name, true, "readWrite", inner);
    attribute["required"] = json!(true);
    attribute
}

fn describe(name: &str) -> &'static str {
    match name {
        "userName" => "The directory's name for the person; an e-mail address, unless emails has one.",
        "active" => "Whether the seat gives access. Who is not active is out at once. It is replaced, and not removed.",
        "emails" => {
            "One address is kept: the primary one, or that of work. It may be left out where the userName is one."
        }
        "roles" => {
            "The role that the directory gives, one. Without it others may give one. Owners are made in the console, and \
             shown as owner."
        }
        "groups" => "The groups that the directory keeps.",
        "members" => "The users in it; groups within groups are not kept.",
        "displayName" => "The name that is shown.",
        "formatted" => "The whole name: shown where there is no displayName.",
        _ => "",
    }
}
