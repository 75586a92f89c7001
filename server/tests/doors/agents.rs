use crate::world::World;
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn the_catalogue_tells_what_each_agent_is_and_needs() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (status, list) = admin.get("/agents").await;
    assert_eq!(status, StatusCode::OK);
    let agents = list["agents"].as_array().expect("a list");
    let shell = agents.iter().find(|agent| agent["slug"] == "shell").expect("a shell");
    assert_eq!(
        (&shell["ready"], &shell["installation"]["state"]),
        (&json!(true), &json!("installed"))
    );
    let (_, one) = admin.get("/agents/shell").await;
    assert_eq!(&one, shell);
    assert_eq!(admin.get("/agents/none").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_agent_that_is_switched_off_cannot_be_opened() {
    let world = World::new().await;
    let admin = world.admin().await;
    let off = |enabled: bool, fleet: bool| {
        admin.api(
            Method::PUT,
            "/agents/shell/switch",
            Some(json!({ "enabled": enabled, "fleet": fleet })),
        )
    };
    let (status, agent) = off(false, true).await;
    assert_eq!(
        (status, &agent["enabledInFleet"], &agent["ready"]),
        (StatusCode::OK, &json!(false), &json!(false))
    );
    let (status, refused) = admin.post("/sandbox/sessions", json!({ "agent": "shell" })).await;
    assert!(status.is_client_error(), "{refused}");
    off(true, true).await;
    assert_eq!(
        admin.post("/sandbox/sessions", json!({ "agent": "shell" })).await.0,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn an_org_admin_switches_for_the_organization_and_not_for_all() {
    let world = World::new().await;
    let boss = world.member("acme", "boss@acme.test", Role::OrgAdmin).await;
    let switch = |body: Value| boss.api(Method::PUT, "/agents/shell/switch", Some(body));
    assert_eq!(
        switch(json!({ "enabled": false, "fleet": true })).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(switch(json!({ "enabled": false })).await.0, StatusCode::OK);
    let admin = world.admin().await;
    assert_eq!(
        admin.get("/agents/shell").await.1["ready"],
        true,
        "another Organization is not touched"
    );
}
