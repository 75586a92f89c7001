//! `/scim/v2/Groups`.

use super::{
    answer::{self, Refusal, version},
    ask::{Ask, Body},
};
use crate::doors::Doors;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::scim::{group::Group, operations};
use engine::GroupChange;
use http::StatusCode;
use serde_json::{Value, json};

pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

type Answer = Result<Response, Refusal>;

pub(super) async fn list(State(doors): State<Doors>, ask: Ask) -> Answer {
    let window = ask.want.window()?;
    let (filter, members) = (ask.want.filter.as_deref(), ask.want.has("members"));
    let (groups, total) = doors
        .engine()
        .directory_groups(&ask.directory, filter, window, members)
        .await?;
    let resources = groups.iter().map(|group| ask.want.of(resource(group, &ask)));
    Ok(answer::list(resources.collect(), total, window.start))
}

/// The same, asked with a body (RFC 7644, 3.4.3).
pub(super) async fn search(doors: State<Doors>, ask: Ask, Body(body): Body) -> Answer {
    list(doors, ask.said_by(&body)?).await
}

pub(super) async fn create(State(doors): State<Doors>, ask: Ask, Body(body): Body) -> Answer {
    let group = doors.engine().create_group(&ask.directory, &body).await?;
    Ok(answer(StatusCode::CREATED, &group, &ask))
}

pub(super) async fn show(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>) -> Answer {
    let group = doors.engine().directory_group(&ask.directory, &id).await?;
    Ok(answer(StatusCode::OK, &group, &ask))
}

pub(super) async fn replace(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>, Body(body): Body) -> Answer {
    let group = change(&doors, &ask, &id, GroupChange::Replace(&body)).await?;
    Ok(answer(StatusCode::OK, &group, &ask))
}

/// A change says nothing back unless it is asked to: a group may have thousands of members.
pub(super) async fn patch(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>, Body(body): Body) -> Answer {
    let operations = operations(&body)?;
    let group = change(&doors, &ask, &id, GroupChange::Patch(&operations)).await?;
    if ask.want.says_attributes() {
        return Ok(answer(StatusCode::OK, &group, &ask));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn change(doors: &Doors, ask: &Ask, id: &str, change: GroupChange<'_>) -> Result<Group, Refusal> {
    let as_seen = |group: &Group| ask.as_seen(&version_of(group));
    Ok(doors
        .engine()
        .change_group(&ask.directory, id, change, &as_seen)
        .await?)
}

pub(super) async fn delete(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>) -> Answer {
    let as_seen = |group: &Group| ask.as_seen(&version_of(group));
    doors.engine().delete_group(&ask.directory, &id, &as_seen).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(status: StatusCode, group: &Group, ask: &Ask) -> Response {
    let resource = resource(group, ask);
    let mut response = answer::one(status, &resource, &ask.headers);
    if response.status() == status {
        *response.body_mut() = ask.want.of(resource).to_string().into();
    }
    response
}

/// By what the directory wrote, and by how many are left of it: who leaves the Organization leaves its groups.
fn version_of(group: &Group) -> String {
    version(&json!([group.id, group.version, group.size]))
}

pub(super) fn resource(group: &Group, ask: &Ask) -> Value {
    let base = &ask.base;
    let mut resource = json!({
        "schemas": [SCHEMA], "id": group.id, "displayName": group.name,
        "meta": {
            "resourceType": "Group", "created": group.created_at.rfc3339(), "lastModified": group.changed_at.rfc3339(),
            "location": format!("{base}/Groups/{}", group.id), "version": version_of(group),
        },
    });
    if let Some(external_id) = &group.external_id {
        resource["externalId"] = json!(external_id);
    }
    if let Some(members) = &group.members {
        let with_names = ask.want.names("members.display");
        let members = members.iter().map(|(person, name)| {
            let mut member = json!({ "value": person, "type": "User", "$ref": format!("{base}/Users/{person}") });
            if with_names {
                member["display"] = json!(name);
            }
            member
        });
        resource["members"] = members.collect();
    }
    resource
}
