//! People and groups in one search.

use super::*;

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

#[tokio::test]
async fn people_and_groups_are_searched_at_once_and_pages_join_to_the_whole() {
    let world = World::with(&["--plan", "sandbox-ent"]).await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let boss = world.member("globex", "boss@globex.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let globex = Directory::of(&boss, "globex").await;
    for name in ["dan", "eli"] {
        acme.user(name).await;
    }
    for name in ["dev", "ops"] {
        let group = json!({ "displayName": name, "externalId": name });
        assert_eq!(acme.ask(Method::POST, "/Groups", Some(group)).await.0, 201);
    }
    let search = async |mut body: Value| {
        body["schemas"] = json!([SEARCH]);
        acme.ask(Method::POST, "/.search", Some(body)).await
    };
    let called = |found: &Value| {
        let list = found["Resources"].as_array().expect("a list");
        let name = |one: &Value| {
            let name = one.get("userName").or(one.get("displayName"));
            name.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        list.iter().map(name).collect::<Vec<_>>()
    };
    let (status, all) = search(json!({})).await;
    assert_eq!((status, &all["totalResults"]), (200, &json!(5)), "{all}");
    assert_eq!(
        called(&all),
        ["ada@acme.test", "dan@acme.test", "eli@acme.test", "dev", "ops"]
    );
    assert_eq!(all["Resources"][4]["meta"]["resourceType"], "Group");
    let mut pages = Vec::new();
    for start in [1, 3, 5, 7] {
        let (_, page) = search(json!({ "startIndex": start, "count": 2 })).await;
        assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(5), &json!(start)));
        pages.extend(called(&page));
    }
    assert_eq!(pages, called(&all));
    for (filter, found) in [
        ("userName sw \"d\"", vec!["dan@acme.test"]),
        (
            "userName sw \"d\" or displayName sw \"d\"",
            vec!["dan@acme.test", "dev"],
        ),
        (
            "externalId eq \"ops\" or externalId eq \"eli\"",
            vec!["eli@acme.test", "ops"],
        ),
        (
            "meta.resourceType eq \"Group\" and not (displayName eq \"dev\")",
            vec!["ops"],
        ),
        ("not (active eq true)", vec!["dev", "ops"]),
        ("members pr", vec![]),
    ] {
        let (status, some) = search(json!({ "filter": filter })).await;
        assert_eq!(status, 200, "{filter}: {some}");
        assert_eq!(
            (called(&some), &some["totalResults"]),
            (
                found.iter().map(|name| (*name).to_owned()).collect(),
                &json!(found.len())
            ),
            "{filter}"
        );
    }
    let (_, only) = search(json!({ "count": 0 })).await;
    assert_eq!((&only["totalResults"], &only["itemsPerPage"]), (&json!(5), &json!(0)));
    let (_, names) = search(json!({ "attributes": ["displayName"], "startIndex": 4, "count": 10_000 })).await;
    let first = names["Resources"][0].as_object().expect("a group");
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        ["displayName", "id", "schemas"],
        "{names}"
    );
    for (body, kind) in [
        (json!({ "filter": "shoeSize eq 5" }), "invalidFilter"),
        (json!({ "filter": "userName gt \"a\"" }), "invalidFilter"),
        (json!({ "count": "many" }), "invalidValue"),
    ] {
        let (status, refused) = search(body.clone()).await;
        assert_eq!((status, &refused["scimType"]), (400, &json!(kind)), "{body}: {refused}");
    }
    assert_eq!(acme.get("/.search").await.0, 405);
    let (_, theirs) = globex
        .ask(Method::POST, "/.search", Some(json!({ "schemas": [SEARCH] })))
        .await;
    assert_eq!(called(&theirs), ["boss@globex.test"], "their own alone");
}
