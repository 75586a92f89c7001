//! What company directories send, as they publish it, against the real door.

mod said;
mod search;
mod token;

use crate::world::{Person, World};
use domain::Role;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A directory with its token.
struct Directory {
    program: Person,
}

impl Directory {
    /// The directory of an Organization, by a token that this person makes.
    async fn of(person: &Person, org: &str) -> Self {
        let (status, minted) = person
            .post(&format!("/orgs/{org}/directory/tokens"), json!({ "name": "Entra" }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{minted}");
        let secret = minted["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("sbd_"));
        Self {
            program: person.with_token(secret),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Response {
        let mut request = self.program.ask(method, &format!("/scim/v2{path}"));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/scim+json; charset=utf-8")
                .body(body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let answer = self.send(method, path, body.as_ref(), &[]).await;
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").cloned();
        let bytes = answer.bytes().await.expect("a body");
        if !bytes.is_empty() {
            assert_eq!(kind.expect("a type"), "application/scim+json", "{path}");
        }
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    /// Makes a user who is called so; the id.
    async fn user(&self, name: &str) -> String {
        let user = json!({ "userName": format!("{name}@acme.test"), "externalId": name, "active": true });
        let (status, made) = self.ask(Method::POST, "/Users", Some(user)).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn patch(&self, path: &str, operations: Value) -> (u16, Value) {
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        self.ask(Method::PATCH, path, Some(body)).await
    }
}

fn encoded(filter: &str) -> String {
    url::form_urlencoded::byte_serialize(filter.as_bytes()).collect()
}

#[tokio::test]
async fn nothing_but_the_token_of_the_directory_opens_it_and_it_opens_nothing_else() {
    let world = World::with(&["--plan", "sandbox-ent"]).await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let boss = world.member("globex", "boss@globex.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let globex = Directory::of(&boss, "globex").await;
    let id = acme.user("dan").await;
    let group = json!({ "displayName": "dev", "members": [{ "value": id }] });
    let group = acme.ask(Method::POST, "/Groups", Some(group)).await.1;
    let group = group["id"].as_str().expect("an id").to_owned();
    let (_, personal) = ada.post("/tokens", json!({ "name": "ci" })).await;
    let personal = ada.with_token(personal["token"].as_str().expect("a secret"));
    let routes = [
        (Method::GET, "/ServiceProviderConfig".to_owned()),
        (Method::GET, "/ResourceTypes".to_owned()),
        (Method::GET, "/Schemas".to_owned()),
        (Method::POST, "/.search".to_owned()),
        (Method::GET, "/Users".to_owned()),
        (Method::POST, "/Users".to_owned()),
        (Method::GET, "/Groups".to_owned()),
        (Method::POST, "/Groups".to_owned()),
        (Method::GET, format!("/Users/{id}")),
        (Method::PUT, format!("/Users/{id}")),
        (Method::PATCH, format!("/Users/{id}")),
        (Method::DELETE, format!("/Users/{id}")),
        (Method::GET, format!("/Groups/{group}")),
        (Method::PUT, format!("/Groups/{group}")),
        (Method::PATCH, format!("/Groups/{group}")),
        (Method::DELETE, format!("/Groups/{group}")),
    ];
    // Revoked and expired ones are like those that never were.
    let gone = Directory::of(&ada, "acme").await;
    let (_, tokens) = ada.get("/orgs/acme/directory/tokens").await;
    assert!(!tokens.to_string().contains("sbd_"), "the secret is shown once");
    let newest = tokens["tokens"][0]["id"].as_str().expect("an id");
    let path = format!("/orgs/acme/directory/tokens/{newest}");
    assert_eq!(ada.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    let body = json!({ "userName": "x@acme.test", "displayName": "x", "Operations": [{ "op": "add", "value": {} }] });
    let mut wrong = 0;
    for (method, path) in &routes {
        for person in [&world.nobody(), &ada, &personal, &gone.program] {
            let stranger = Directory {
                program: person.clone(),
            };
            let (status, refused) = stranger.ask(method.clone(), path, Some(body.clone())).await;
            // Wrong tokens are counted, and after a few nobody looks at them.
            assert!(status == 401 || status == 429, "{method} {path}: {status} {refused}");
            wrong += u32::from(status == 429);
            assert_eq!(refused["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        }
        let own_things = path.contains(&id) || path.contains(&group);
        if own_things {
            let (status, refused) = globex.ask(method.clone(), path, Some(body.clone())).await;
            assert_eq!(status, 404, "{method} {path} by another Organization: {refused}");
        }
    }
    assert!(wrong > 0, "guessing is limited");
    // The right one goes on, whoever guesses from the same address.
    assert_eq!(acme.get(&format!("/Users/{id}")).await.0, 200);
    for path in [
        "/me",
        "/sandbox/sessions",
        "/orgs/acme/members",
        "/orgs/acme/directory/tokens",
    ] {
        assert_eq!(acme.program.get(path).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(globex.get("/Users").await.1["totalResults"], 1, "their own alone");
    let (_, tokens) = ada.get("/orgs/acme/directory/tokens").await;
    assert!(tokens["tokens"][1]["usedAt"].is_string(), "{tokens}");
}

#[tokio::test]
async fn what_okta_sends_is_understood() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let okta = Directory::of(&ada, "acme").await;
    let filter = encoded("userName eq \"test.user@okta.local\"");
    let (status, none) = okta
        .get(&format!("/Users?filter={filter}&startIndex=1&count=100"))
        .await;
    assert_eq!(
        (status, &none["totalResults"], &none["Resources"]),
        (200, &json!(0), &json!([]))
    );
    let create = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "test.user@okta.local",
        "name": { "givenName": "Test", "familyName": "User" },
        "emails": [{ "primary": true, "value": "test.user@okta.local", "type": "work" }],
        "displayName": "Test User", "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [],
        "password": "1mz050nq", "active": true
    });
    let answer = okta.send(Method::POST, "/Users", Some(&create), &[]).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    let made: Value = answer.json().await.expect("JSON");
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(made["meta"]["location"], location);
    assert!(location.ends_with(&format!("/scim/v2/Users/{id}")));
    assert_eq!(made["userName"], "test.user@okta.local");
    assert_eq!(
        (&made["active"], &made["externalId"]),
        (&json!(true), &json!("00ujl29u0le5T6Aj10h7"))
    );
    assert!(made.get("roles").is_none(), "it said none: {made}");
    assert!(!made.to_string().contains("1mz050nq"), "no password is kept");
    let (status, again) = okta.ask(Method::POST, "/Users", Some(create)).await;
    assert_eq!((status, &again["scimType"]), (409, &json!("uniqueness")), "{again}");
    let (_, found) = okta
        .get(&format!("/Users?filter={filter}&startIndex=1&count=100"))
        .await;
    assert_eq!(
        (&found["totalResults"], &found["Resources"][0]["id"]),
        (&json!(1), &json!(id))
    );

    let path = format!("/Users/{id}");
    let put = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "userName": "test.user@okta.local",
        "name": { "givenName": "Another", "middleName": "Excited", "familyName": "User" },
        "emails": [{ "primary": true, "value": "test.user@okta.local", "type": "work", "display": "test.user@okta.local" }],
        "active": true, "groups": [], "meta": { "resourceType": "User" }
    });
    let (status, replaced) = okta.ask(Method::PUT, &path, Some(put)).await;
    assert_eq!((status, &replaced["name"]["givenName"]), (200, &json!("Another")));
    for gone in ["externalId", "displayName"] {
        assert!(
            replaced.get(gone).is_none(),
            "what is replaced is replaced whole: {gone}"
        );
    }
    let (_, members) = ada.get("/orgs/acme/members?search=test.user").await;
    assert_eq!(members["members"][0]["name"], "Another User", "{members}");

    // Signed in, with a token: out of both at once.
    let test_user = world.member("acme", "test.user@okta.local", Role::Developer).await;
    let (_, minted) = test_user.post("/tokens", json!({ "name": "ci" })).await;
    let program = test_user.with_token(minted["token"].as_str().expect("a secret"));
    assert_eq!(program.get("/me").await.0, StatusCode::OK);
    let (status, off) = okta
        .patch(&path, json!([{ "op": "replace", "value": { "active": false } }]))
        .await;
    assert_eq!((status, &off["active"]), (200, &json!(false)), "{off}");
    assert_eq!(test_user.get("/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(program.get("/me").await.0, StatusCode::UNAUTHORIZED);
    let (_, listed) = okta.get(&format!("/Users?filter={}", encoded("active eq false"))).await;
    assert_eq!(listed["Resources"][0]["id"], id);
    let (_, on) = okta
        .patch(&path, json!([{ "op": "replace", "value": { "active": true } }]))
        .await;
    assert_eq!(on["active"], true);
    assert_eq!(
        program.get("/me").await.0,
        StatusCode::OK,
        "the seat and all in it were kept"
    );

    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Test SCIMv2", "members": []
    });
    let (status, group) = okta.ask(Method::POST, "/Groups", Some(group)).await;
    assert_eq!(status, 201, "{group}");
    let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
    let other = okta.user("other").await;
    let member = |id: &str| json!({ "value": id, "display": "x" });
    let (status, _) = okta
        .patch(
            &path,
            json!([{ "op": "add", "path": "members", "value": [member(&id), member(&other)] }]),
        )
        .await;
    assert_eq!(status, 204);
    let (_, read) = okta.get(&path).await;
    assert_eq!(read["members"].as_array().map(Vec::len), Some(2));
    let swap = json!([
        { "op": "remove", "path": format!("members[value eq \"{other}\"]") },
        { "op": "replace", "value": { "id": group["id"], "displayName": "Test SCIMv2 0" } }
    ]);
    assert_eq!(okta.patch(&path, swap).await.0, 204);
    let (_, read) = okta.get(&path).await;
    assert_eq!(
        (&read["displayName"], &read["members"][0]["value"]),
        (&json!("Test SCIMv2 0"), &json!(id))
    );
    assert_eq!(read["members"].as_array().map(Vec::len), Some(1));
    let (_, shown) = okta.get(&format!("/Users/{id}")).await;
    assert_eq!(shown["groups"][0]["display"], "Test SCIMv2 0");
    assert_eq!(okta.ask(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(okta.get(&path).await.0, 404);
}

#[tokio::test]
async fn what_entra_id_sends_is_understood() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let entra = Directory::of(&ada, "acme").await;
    // Its own test of a connection: somebody who does not exist is an empty list.
    let (status, none) = entra
        .get(&format!(
            "/Users?filter={}",
            encoded("userName eq \"non-existent user\"")
        ))
        .await;
    assert_eq!((status, &none["totalResults"]), (200, &json!(0)));
    let create = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        ],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1",
        "active": true,
        "emails": [{
            "primary": true, "type": "work", "value": "Test_User_fd0ea19b-0777-472c-9f96-4f70d2226f2e@testuser.com"
        }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName" },
        "roles": []
    });
    let (status, made) = entra.ask(Method::POST, "/Users", Some(create)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["userName"], "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1");
    let path = format!("/Users/{}", made["id"].as_str().expect("an id"));
    let (_, changed) = entra
        .patch(
            &path,
            json!([
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updatedEmail@microsoft.com" },
                { "op": "Replace", "path": "name.familyName", "value": "updatedFamilyName" },
                { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "bob" }
            ]),
        )
        .await;
    assert_eq!(changed["emails"][0]["value"], "updatedemail@microsoft.com", "{changed}");
    assert_eq!(changed["name"]["familyName"], "updatedFamilyName");
    let new_name = "5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com";
    let (_, changed) = entra
        .patch(
            &path,
            json!([{ "op": "Replace", "path": "userName", "value": new_name }]),
        )
        .await;
    assert_eq!(changed["userName"], new_name);
    let (_, off) = entra
        .patch(&path, json!([{ "op": "Replace", "path": "active", "value": "False" }]))
        .await;
    assert_eq!(off["active"], false);

    let create = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
        ],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159", "displayName": "displayName",
        "meta": { "resourceType": "Group" }
    });
    let (status, group) = entra.ask(Method::POST, "/Groups", Some(create)).await;
    assert_eq!(status, 201, "{group}");
    let id = group["id"].as_str().expect("an id").to_owned();
    let path = format!("/Groups/{id}");
    let filter = encoded("displayName eq \"displayName\"");
    let (_, found) = entra
        .get(&format!("/Groups?excludedAttributes=members&filter={filter}"))
        .await;
    assert_eq!(found["totalResults"], 1);
    assert!(found["Resources"][0].get("members").is_none(), "{found}");
    let renamed = "1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName";
    let rename = json!([{ "op": "Replace", "path": "displayName", "value": renamed }]);
    assert_eq!(entra.patch(&path, rename).await.0, 204);
    let who = json!([{ "$ref": null, "value": made["id"] }]);
    let add = json!([{ "op": "Add", "path": "members", "value": who }]);
    assert_eq!(entra.patch(&path, add).await.0, 204);
    let member = encoded(&format!("id eq \"{id}\" and members eq {}", made["id"]));
    let (_, found) = entra.get(&format!("/Groups?filter={member}&attributes=id")).await;
    assert_eq!(found["Resources"], json!([{ "id": id, "schemas": group["schemas"] }]));
    let remove = json!([{ "op": "Remove", "path": "members", "value": who }]);
    assert_eq!(entra.patch(&path, remove).await.0, 204);
    assert_eq!(entra.get(&path).await.1["members"], json!([]));
}

#[tokio::test]
async fn who_was_here_already_is_the_same_person_and_above_the_directory_nobody_is_touched() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let admin = world.member("acme", "admin@acme.test", Role::OrgAdmin).await;
    let bob = world.member("acme", "bob@acme.test", Role::Developer).await;
    let (_, me) = bob.get("/me").await;
    let by_admin = Directory::of(&admin, "acme").await;
    let user = json!({ "userName": "bob@acme.test", "externalId": "b", "displayName": "Bob", "active": true });
    let (status, adopted) = by_admin.ask(Method::POST, "/Users", Some(user)).await;
    assert_eq!(status, 201, "{adopted}");
    assert_eq!(bob.get("/me").await.0, StatusCode::OK, "nothing of theirs is lost");
    let (_, members) = ada.get("/orgs/acme/members?search=bob").await;
    assert_eq!(members["total"], 1, "{me} {members}");
    assert_eq!(members["members"][0]["id"], adopted["id"]);

    let find = async |who: &str| {
        let filter = encoded(&format!("userName eq \"{who}\""));
        by_admin.get(&format!("/Users?filter={filter}")).await.1["Resources"][0]["id"].clone()
    };
    let owner = find("ada@acme.test").await;
    let path = format!("/Users/{}", owner.as_str().expect("an id"));
    let off = json!([{ "op": "replace", "value": { "active": false } }]);
    let (status, refused) = by_admin.patch(&path, off.clone()).await;
    assert_eq!(status, 403, "an admin's directory changes no owner: {refused}");
    let by_owner = Directory::of(&ada, "acme").await;
    let (status, refused) = by_owner.patch(&path, off.clone()).await;
    assert_eq!(status, 409, "{refused}");
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("owner")),
        "{refused}"
    );
    assert_eq!(ada.get("/me").await.0, StatusCode::OK);
    world.member("acme", "second@acme.test", Role::Owner).await;
    let demote = json!([{ "op": "replace", "path": "roles", "value": ["viewer"] }]);
    let (status, still) = by_owner.patch(&path, demote).await;
    assert_eq!(
        (status, &still["roles"][0]["value"]),
        (200, &json!("owner")),
        "owners are unmade in the console"
    );
    assert_eq!(by_owner.patch(&path, off).await.0, 200, "one of two may go");
    assert_eq!(ada.get("/me").await.0, StatusCode::UNAUTHORIZED);

    // Its maker is gone, by its own word: it rests, and says so.
    let (status, refused) = by_owner.get("/Users").await;
    let detail = refused["detail"].as_str().unwrap_or_default();
    assert!(status == 401 && detail.contains("rests"), "{status} {refused}");
    let (_, tokens) = admin.get("/orgs/acme/directory/tokens").await;
    assert!(tokens["tokens"][0]["restsSince"].is_string(), "{tokens}");
    assert!(
        tokens["tokens"][1].get("restsSince").is_none(),
        "the admin's works: {tokens}"
    );
    assert_eq!(by_admin.get("/Users").await.0, 200);
    let second = world.member("acme", "second@acme.test", Role::Owner).await;
    let by_owner = Directory::of(&second, "acme").await;
    let make_owner = json!({ "userName": "x@acme.test", "roles": [{ "value": "owner" }] });
    let (status, refused) = by_owner.ask(Method::POST, "/Users", Some(make_owner)).await;
    assert_eq!((status, &refused["scimType"]), (400, &json!("invalidValue")));
}

#[tokio::test]
async fn a_full_house_says_so_and_what_is_done_is_in_the_audit() {
    let world = World::new().await;
    let root = world.admin().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let (status, changed) = root.api(Method::PATCH, "/orgs/acme", Some(json!({ "seats": 2 }))).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    let acme = Directory::of(&ada, "acme").await;
    let create = |name: &str| json!({ "userName": format!("{name}@acme.test") });
    let (one, two) = tokio::join!(
        acme.ask(Method::POST, "/Users", Some(create("one"))),
        acme.ask(Method::POST, "/Users", Some(create("two"))),
    );
    let mut both = [one.0, two.0];
    both.sort_unstable();
    assert_eq!(both, [201, 403], "{} {}", one.1, two.1);
    let (made, full) = if one.0 == 201 { (one.1, two.1) } else { (two.1, one.1) };
    assert!(
        full["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("All 2 seats")),
        "{full}"
    );
    let path = format!("/Users/{}", made["id"].as_str().expect("an id"));
    acme.patch(
        &path,
        json!([{ "op": "replace", "path": "displayName", "value": "One" }]),
    )
    .await;
    assert_eq!(acme.ask(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(acme.ask(Method::DELETE, &path, None).await.0, 404);
    assert_eq!(acme.ask(Method::POST, "/Users", Some(create("three"))).await.0, 201);
    let (_, trail) = ada.get("/audit?limit=50").await;
    let entries = trail["entries"].as_array().expect("entries");
    let of = |action: &str| {
        entries
            .iter()
            .find(|entry| entry["action"] == action)
            .cloned()
            .unwrap_or_default()
    };
    let (joined, changed, left) = (of("member.joined"), of("member.changed"), of("member.left"));
    for entry in [&joined, &changed, &left] {
        assert_eq!(entry["actor"], "directory Entra", "{entry}");
        assert!(
            entry["via"].as_str().is_some_and(|via| via.starts_with("directory:")),
            "{entry}"
        );
    }
    assert_eq!(changed["detail"]["after"]["name"], "One", "{changed}");
    assert_ne!(changed["detail"]["before"]["name"], "One");
    assert_eq!(of("directory.token-minted")["detail"]["name"], "Entra");
    assert!(!trail.to_string().contains("sbd_"));
}

#[tokio::test]
async fn versions_keep_one_change_from_undoing_another_and_wrong_asking_is_told() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let path = format!("/Users/{}", acme.user("dan").await);
    let first = acme.send(Method::GET, &path, None, &[]).await;
    let version = first.headers()["etag"].to_str().expect("text").to_owned();
    let same = acme
        .send(Method::GET, &path, None, &[("if-none-match", &version)])
        .await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    let change =
        json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "displayName", "value": "Dan D" }] });
    let with = [("if-match", version.as_str())];
    let done = acme.send(Method::PATCH, &path, Some(&change), &with).await;
    assert_eq!(done.status(), StatusCode::OK);
    assert_ne!(done.headers()["etag"].to_str().expect("text"), version);
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let body = json!({ "userName": "dan@acme.test", "Operations": change["Operations"] });
        let late = acme.send(method.clone(), &path, Some(&body), &with).await;
        assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED, "{method}");
    }
    for (asked, status, kind) in [
        ("/Users?filter=userName".to_owned(), 400, Some("invalidFilter")),
        (
            format!("/Users?filter={}", encoded("shoeSize eq 5")),
            400,
            Some("invalidFilter"),
        ),
        ("/Users?count=many".to_owned(), 400, Some("invalidValue")),
        ("/Users/nobody".to_owned(), 404, None),
        ("/Groups/none".to_owned(), 404, None),
        ("/Nothing".to_owned(), 404, None),
        ("/Schemas?filter=id".to_owned(), 403, None),
    ] {
        let (got, refused) = acme.get(&asked).await;
        assert_eq!(
            (got, refused["scimType"].as_str()),
            (status, kind),
            "{asked}: {refused}"
        );
        assert_eq!(refused["status"], status.to_string());
    }
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName sw \"dan\"",
        "startIndex": 1, "count": 5, "attributes": ["userName"]
    });
    let (status, found) = acme.ask(Method::POST, "/Users/.search", Some(search)).await;
    assert_eq!((status, &found["totalResults"]), (200, &json!(1)), "{found}");
    assert_eq!(found["Resources"][0]["userName"], "dan@acme.test");
    assert!(found["Resources"][0].get("emails").is_none());
    let (status, page) = acme.get("/Users?startIndex=2&count=1").await;
    assert_eq!(status, 200);
    assert_eq!(
        (&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]),
        (&json!(2), &json!(2), &json!(1))
    );
    for (body, kind) in [
        (
            json!({ "schemas": [PATCH], "Operations": [{ "op": "remove" }] }),
            "noTarget",
        ),
        (
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "id", "value": "x" }] }),
            "mutability",
        ),
        (
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "no such", "value": "x" }] }),
            "invalidPath",
        ),
        (json!({ "schemas": [PATCH] }), "invalidSyntax"),
    ] {
        let (status, refused) = acme.ask(Method::PATCH, &path, Some(body.clone())).await;
        assert_eq!(
            (status, refused["scimType"].as_str()),
            (400, Some(kind)),
            "{body}: {refused}"
        );
    }
    let (status, refused) = acme
        .ask(
            Method::POST,
            "/Groups",
            Some(json!({ "displayName": "g", "members": [{ "value": "x" }] })),
        )
        .await;
    assert_eq!(
        (status, &refused["scimType"]),
        (400, &json!("invalidValue")),
        "{refused}"
    );
    let (status, refused) = acme.ask(Method::POST, "/ServiceProviderConfig", None).await;
    assert_eq!(status, 405, "{refused}");
    let (_, config) = acme.get("/ServiceProviderConfig").await;
    assert_eq!(
        (&config["patch"]["supported"], &config["bulk"]["supported"]),
        (&json!(true), &json!(false))
    );
    for (list, each) in [("/ResourceTypes", "id"), ("/Schemas", "id")] {
        for one in acme.get(list).await.1["Resources"].as_array().expect("a list") {
            let (status, same) = acme
                .get(&format!("{list}/{}", one[each].as_str().expect("an id")))
                .await;
            assert_eq!((status, &same), (200, one));
        }
    }
    let large = format!("{{\"userName\":\"{}\"}}", "x".repeat(1 << 20));
    let request = acme.program.ask(Method::POST, "/scim/v2/Users").body(large);
    assert_eq!(
        request.send().await.expect("an answer").status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}
