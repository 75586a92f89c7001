//! What a directory is told back is what it said, and what it may say stands in the schemas.

use super::*;

/// How a member is shown in the console.
async fn shown(person: &Person, search: &str) -> Value {
    let (_, members) = person.get(&format!("/orgs/acme/members?search={search}")).await;
    members["members"][0].clone()
}

#[tokio::test]
async fn a_name_is_told_back_as_it_was_said_and_made_up_only_in_the_console() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let path = format!("/Users/{}", acme.user("dan").await);
    let told = async |operation: Value| {
        let (status, user) = acme.patch(&path, json!([operation])).await;
        assert_eq!(status, 200, "{user}");
        assert_eq!(acme.get(&path).await.1, user);
        user
    };
    let name = json!({ "formatted": "Count Dan D", "givenName": "Dan", "familyName": "D" });
    let (_, bare) = acme.get(&path).await;
    assert!(
        bare.get("name").is_none() && bare.get("displayName").is_none(),
        "{bare}"
    );
    assert_eq!(shown(&ada, "dan").await["name"], "dan", "before the @ of the address");
    for (operation, name, display_name, in_console) in [
        (
            json!({ "op": "add", "path": "name", "value": name }),
            name.clone(),
            Value::Null,
            "Count Dan D",
        ),
        (
            json!({ "op": "add", "path": "displayName", "value": "Danny" }),
            name.clone(),
            json!("Danny"),
            "Danny",
        ),
        (
            json!({ "op": "remove", "path": "name.formatted" }),
            json!({ "givenName": "Dan", "familyName": "D" }),
            json!("Danny"),
            "Danny",
        ),
        (
            json!({ "op": "remove", "path": "displayName" }),
            json!({ "givenName": "Dan", "familyName": "D" }),
            Value::Null,
            "Dan D",
        ),
        (
            json!({ "op": "replace", "path": "name.familyName", "value": "E" }),
            json!({ "givenName": "Dan", "familyName": "E" }),
            Value::Null,
            "Dan E",
        ),
        (
            json!({ "op": "remove", "path": "name" }),
            Value::Null,
            Value::Null,
            "dan",
        ),
    ] {
        let user = told(operation.clone()).await;
        assert_eq!(
            (&user["name"], &user["displayName"]),
            (&name, &display_name),
            "{operation}"
        );
        assert_eq!(shown(&ada, "dan").await["name"], in_console, "{operation}");
    }
    // Of whom it has said nothing, the name that is there is told.
    let found = async |filter: &str| {
        let (_, found) = acme.get(&format!("/Users?filter={}", encoded(filter))).await;
        found["totalResults"].as_u64().expect("a number")
    };
    assert_eq!(found("displayName eq \"ada\"").await, 1);
    assert_eq!(found("displayName eq \"dan\"").await, 0, "it said none");
    told(json!({ "op": "add", "path": "name.formatted", "value": "Dan the Ünique" })).await;
    assert_eq!(found("name.formatted co \"ÜNIQUE\"").await, 1);
}

#[tokio::test]
async fn a_role_is_one_of_those_that_the_schema_names_and_none_when_it_is_taken_away() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let user =
        |name: &str, role: &str| json!({ "userName": format!("{name}@acme.test"), "roles": [{ "value": role }] });
    let (status, refused) = acme.ask(Method::POST, "/Users", Some(user("no", "Sales"))).await;
    assert_eq!(
        (status, &refused["scimType"]),
        (400, &json!("invalidValue")),
        "{refused}"
    );
    let (status, made) = acme.ask(Method::POST, "/Users", Some(user("dan", "viewer"))).await;
    assert_eq!(
        (status, &made["roles"]),
        (201, &json!([{ "value": "viewer", "primary": true }])),
        "{made}"
    );
    let path = format!("/Users/{}", made["id"].as_str().expect("an id"));
    let (status, refused) = acme
        .patch(&path, json!([{ "op": "add", "path": "roles", "value": ["Sales"] }]))
        .await;
    assert_eq!(
        (status, &refused["scimType"]),
        (400, &json!("invalidValue")),
        "{refused}"
    );
    assert_eq!(
        acme.get(&path).await.1["roles"][0]["value"],
        "viewer",
        "nothing came of it"
    );
    let admin = json!([{ "op": "replace", "path": "roles", "value": [{ "value": "Admin" }] }]);
    let (_, lifted) = acme.patch(&path, admin).await;
    assert_eq!(lifted["roles"][0]["value"], "org-admin", "by the name that it has here");
    let (status, gone) = acme.patch(&path, json!([{ "op": "remove", "path": "roles" }])).await;
    assert!(status == 200 && gone.get("roles").is_none(), "{gone}");
    assert_eq!(shown(&ada, "dan").await["role"], "developer", "what everybody is");
    let filter = encoded("userName eq \"ada@acme.test\"");
    let (_, found) = acme.get(&format!("/Users?filter={filter}")).await;
    assert_eq!(
        found["Resources"][0]["roles"][0]["value"], "owner",
        "not its to give, and so told"
    );
}

#[tokio::test]
async fn whether_a_seat_gives_access_is_replaced_and_never_taken_away() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let path = format!("/Users/{}", acme.user("dan").await);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(acme.patch(&path, off).await.0, 200);
    for attribute in ["active", "userName"] {
        let (status, refused) = acme.patch(&path, json!([{ "op": "remove", "path": attribute }])).await;
        assert_eq!((status, &refused["scimType"]), (400, &json!("mutability")), "{refused}");
    }
    assert_eq!(acme.get(&path).await.1["active"], false, "nobody is let in by it");
}

#[tokio::test]
async fn the_schemas_say_which_values_there_are_and_what_is_sent_to_whoever_asks() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let attribute = async |schema: &str, path: &str| {
        let (_, schema) = acme
            .get(&format!("/Schemas/urn:ietf:params:scim:schemas:core:2.0:{schema}"))
            .await;
        let named = |of: &Value, key: &str, name: &str| {
            let list = of[key].as_array().expect("a list");
            list.iter().find(|one| one["name"] == name).expect("it has it").clone()
        };
        let (name, sub) = path.split_once('.').expect("two names");
        named(&named(&schema, "attributes", name), "subAttributes", sub)
    };
    for (schema, path, mutability, values) in [
        (
            "User",
            "roles.value",
            "readWrite",
            json!(["viewer", "developer", "org-admin"]),
        ),
        ("User", "emails.type", "readWrite", json!(["work"])),
        ("User", "groups.type", "readOnly", json!(["direct"])),
        ("User", "name.formatted", "readWrite", Value::Null),
        ("Group", "members.type", "immutable", json!(["User"])),
    ] {
        let attribute = attribute(schema, path).await;
        assert_eq!(
            (&attribute["mutability"], &attribute["canonicalValues"]),
            (&json!(mutability), &values),
            "{path}"
        );
    }
    // The names of members are for whoever asks for them.
    let id = acme.user("eli").await;
    let group = json!({ "displayName": "dev", "members": [{ "value": id, "display": "x" }] });
    let (_, group) = acme.ask(Method::POST, "/Groups", Some(group)).await;
    let member = &group["members"][0];
    assert_eq!(
        (&member["value"], &member["type"], member.get("display")),
        (&json!(id), &json!("User"), None)
    );
    let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
    let (_, named) = acme
        .get(&format!("{path}?attributes=members.value,members.display"))
        .await;
    assert_eq!(named["members"][0]["display"], "eli", "{named}");

    // The one address that is kept is that of work, by whatever name it comes; whether it is primary is told as it was said.
    let home = json!({
        "userName": "dan@acme.test", "emails": [{ "value": "dan@home.test", "type": "home", "primary": false }]
    });
    let (status, made) = acme.ask(Method::POST, "/Users", Some(home)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        made["emails"],
        json!([{ "value": "dan@home.test", "type": "work", "primary": false }])
    );
}
