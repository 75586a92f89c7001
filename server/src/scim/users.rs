//! `/scim/v2/Users`.

use super::{
    answer::{self, Refusal, version},
    ask::{Ask, Body},
};
use crate::doors::Doors;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use domain::{
    PersonId, Role,
    scim::{operations, user::User},
};
use engine::UserChange;
use http::StatusCode;
use serde_json::{Value, json};

pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

type Answer = Result<Response, Refusal>;

pub(super) async fn list(State(doors): State<Doors>, ask: Ask) -> Answer {
    let window = ask.want.window()?;
    let filter = ask.want.filter.as_deref();
    let (users, total) = doors.engine().directory_users(&ask.directory, filter, window).await?;
    let resources = users.iter().map(|user| ask.want.of(resource(user, &ask.base)));
    Ok(answer::list(resources.collect(), total, window.start))
}

/// The same, asked with a body (RFC 7644, 3.4.3).
pub(super) async fn search(doors: State<Doors>, ask: Ask, Body(body): Body) -> Answer {
    list(doors, ask.said_by(&body)?).await
}

pub(super) async fn create(State(doors): State<Doors>, ask: Ask, Body(body): Body) -> Answer {
    let user = doors.engine().create_user(&ask.directory, &body).await?;
    Ok(answer(StatusCode::CREATED, &user, &ask))
}

pub(super) async fn show(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>) -> Answer {
    let user = doors
        .engine()
        .directory_user(&ask.directory, &PersonId::new(id))
        .await?;
    Ok(answer(StatusCode::OK, &user, &ask))
}

pub(super) async fn replace(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>, Body(body): Body) -> Answer {
    change(&doors, &ask, id, UserChange::Replace(&body)).await
}

pub(super) async fn patch(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>, Body(body): Body) -> Answer {
    let operations = operations(&body)?;
    change(&doors, &ask, id, UserChange::Patch(&operations)).await
}

async fn change(doors: &Doors, ask: &Ask, id: String, change: UserChange<'_>) -> Answer {
    let as_seen = |user: &User| ask.as_seen(&version_of(user));
    let (engine, id) = (doors.engine(), PersonId::new(id));
    let user = engine.change_user(&ask.directory, &id, change, &as_seen).await?;
    Ok(answer(StatusCode::OK, &user, ask))
}

pub(super) async fn delete(State(doors): State<Doors>, ask: Ask, Path(id): Path<String>) -> Answer {
    let as_seen = |user: &User| ask.as_seen(&version_of(user));
    let (engine, id) = (doors.engine(), PersonId::new(id));
    engine.delete_user(&ask.directory, &id, &as_seen).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(status: StatusCode, user: &User, ask: &Ask) -> Response {
    let resource = resource(user, &ask.base);
    let mut response = answer::one(status, &resource, &ask.headers);
    if response.status() == status {
        *response.body_mut() = ask.want.of(resource).to_string().into();
    }
    response
}

fn version_of(user: &User) -> String {
    version(&shown(user, ""))
}

/// The resource, whole.
pub(super) fn resource(user: &User, base: &str) -> Value {
    let mut resource = shown(user, base);
    resource["meta"] = json!({
        "resourceType": "User", "created": user.created_at.rfc3339(), "lastModified": user.changed_at.rfc3339(),
        "location": format!("{base}/Users/{}", user.person), "version": version_of(user),
    });
    resource
}

/// All of it but what tells of the resource itself.
fn shown(user: &User, base: &str) -> Value {
    let groups = user.groups.iter().map(
        |(id, name)| json!({ "value": id, "display": name, "$ref": format!("{base}/Groups/{id}"), "type": "direct" }),
    );
    let mut shown = json!({
        "schemas": [SCHEMA], "id": user.person, "userName": user.user_name, "active": user.active,
        "emails": [{ "value": user.email, "type": "work", "primary": user.primary.email.unwrap_or(true) }], "groups": groups.collect::<Vec<_>>(),
    });
    // What was not said is not told: what is shown in its place belongs to the console.
    for (attribute, said) in [("externalId", &user.external_id), ("displayName", &user.display_name)] {
        if let Some(said) = said {
            shown[attribute] = json!(said);
        }
    }
    for (part, said) in [
        ("formatted", &user.formatted),
        ("givenName", &user.given_name),
        ("familyName", &user.family_name),
    ] {
        if let Some(said) = said {
            shown["name"][part] = json!(said);
        }
    }
    // A role that the directory gave, as it stands now; and one that it may not take, so that it knows.
    if user.given_role.is_some() || user.role > Role::OrgAdmin {
        shown["roles"] = json!([{ "value": user.role.as_str(), "primary": user.primary.role.unwrap_or(true) }]);
    }
    shown
}
