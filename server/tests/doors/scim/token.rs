//! The directory's token, when whoever made it governs no more.

use super::*;

#[tokio::test]
async fn a_directory_that_disables_its_tokens_maker_says_why_it_rests_and_is_taken_over() {
    let world = World::with(&["--plan", "sandbox-ent"]).await;
    let ada = world.member("acme", "ada@acme.test", Role::Owner).await;
    let second = world.member("acme", "second@acme.test", Role::Owner).await;
    let admin = world.member("acme", "admin@acme.test", Role::OrgAdmin).await;
    let dev = world.member("acme", "dev@acme.test", Role::Developer).await;
    let boss = world.member("globex", "boss@globex.test", Role::Owner).await;
    let acme = Directory::of(&ada, "acme").await;
    let filter = encoded("userName eq \"ada@acme.test\"");
    let (_, found) = acme.get(&format!("/Users?filter={filter}")).await;
    let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().expect("an id"));
    let off = json!([{ "op": "replace", "value": { "active": false } }]);
    let (status, done) = acme.patch(&path, off).await;
    assert_eq!(
        (status, &done["active"]),
        (200, &json!(false)),
        "the company's word: {done}"
    );
    let actions = async || {
        let (_, trail) = second.get("/audit?limit=50").await;
        let entries = trail["entries"].as_array().expect("entries").clone();
        let ours = entries.into_iter().filter(|entry| {
            let action = entry["action"].as_str().unwrap_or_default();
            action.starts_with("directory.token-")
        });
        ours.collect::<Vec<_>>()
    };
    assert_eq!(
        actions().await[0]["action"],
        "directory.token-rested",
        "told before it asks again"
    );

    let refused = acme.send(Method::GET, "/Users", None, &[]).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.headers().contains_key("www-authenticate"));
    let refused: Value = refused.json().await.expect("JSON");
    let detail = refused["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("ada@acme.test") && detail.contains("take it over"),
        "{refused}"
    );
    assert_eq!(refused["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    let (_, tokens) = admin.get("/orgs/acme/directory/tokens").await;
    let token = &tokens["tokens"][0];
    assert!(token["restsSince"].is_string() && token["held"] == true, "{tokens}");
    let id = token["id"].as_str().expect("an id");
    let take = async |person: &Person, org: &str, id: &str| {
        let path = format!("/orgs/{org}/directory/tokens/{id}/take-over");
        person.api(Method::POST, &path, None).await
    };
    for (person, org, id, status) in [
        (&dev, "acme", id, 403),
        (&boss, "acme", id, 404),
        (&boss, "globex", id, 404),
        (&admin, "acme", "none", 404),
    ] {
        assert_eq!(take(person, org, id).await.0, status, "{org} {id}");
    }
    let (status, taken) = take(&admin, "acme", id).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    assert_eq!(
        (&taken["madeBy"], &taken["rank"], taken.get("restsSince")),
        (&json!("admin@acme.test"), &json!("org-admin"), None)
    );
    assert_eq!(acme.get("/Users").await.0, 200, "with the same secret");
    assert_eq!(take(&admin, "acme", id).await.0, StatusCode::OK, "theirs already");
    let told = actions().await;
    assert_eq!(told[0]["action"], "directory.token-taken-over", "{told:?}");
    assert_eq!(told[0]["detail"]["before"]["maker"], "ada@acme.test");
    assert_eq!(told.len(), 3, "made, rested, taken over: {told:?}");

    let path = format!("/orgs/acme/directory/tokens/{id}");
    assert_eq!(second.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    let (status, over) = take(&second, "acme", id).await;
    assert_eq!(
        (status, &over["error"]),
        (StatusCode::CONFLICT, &json!("token-over")),
        "{over}"
    );
}
