use crate::world::World;
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_reader_goes_on_after_the_last_event_it_read() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut events = admin.events(None).await;
    let (_, item) = admin
        .post("/sandbox/sessions", json!({ "agent": "shell", "name": "a" }))
        .await;
    let id = item["id"].as_str().expect("an id").to_owned();
    let opened = events.next_kept().await.expect("an event");
    assert_eq!(
        (opened.name.as_str(), &opened.data["type"]),
        ("sandbox.session.opened", &json!("sandbox.session.opened"))
    );
    for field in ["id", "source", "timestamp", "tenant_id", "data"] {
        assert!(!opened.data[field].is_null(), "{field}");
    }
    admin.until_status(&mut events, &id, "running").await;
    let path = format!("/sandbox/sessions/{id}");
    for name in ["b", "c"] {
        admin.api(Method::PATCH, &path, Some(json!({ "name": name }))).await;
    }
    drop(events);

    // Whatever came after the opening comes again, in order, and nothing before it.
    let mut again = admin.events(opened.id.as_deref()).await;
    let mut seen = Vec::new();
    while seen.iter().filter(|name| *name == "sandbox.session.renamed").count() < 2 {
        let event = again.next_kept().await.expect("an event");
        assert!(
            event.id.as_ref() > opened.id.as_ref()
                || event.id.as_ref().map(String::len) > opened.id.as_ref().map(String::len)
        );
        seen.push(event.name);
    }
    assert!(!seen.contains(&"sandbox.session.opened".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn nobody_reads_what_they_may_not_see() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let bob = world.member("acme", "bob@acme.test", Role::Developer).await;
    let eve = world.member("evil", "eve@evil.test", Role::OrgAdmin).await;
    for person in [&bob, &eve] {
        let mut events = person.events(None).await;
        ada.post("/sandbox/sessions", json!({ "agent": "shell", "name": "private" }))
            .await;
        let (_, own) = person
            .post("/sandbox/sessions", json!({ "agent": "shell", "name": "own" }))
            .await;
        let first = events.next_kept().await.expect("an event");
        assert!(
            first.data.to_string().contains(own["id"].as_str().expect("an id")),
            "{first:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_position_is_refused_and_one_from_the_future_is_told_to_ask() {
    let world = World::new().await;
    let admin = world.admin().await;
    let request = admin.ask(Method::GET, "/api/v1/events").header("last-event-id", "x");
    assert_eq!(
        request.send().await.expect("an answer").status(),
        StatusCode::BAD_REQUEST
    );
    let mut events = admin.events(Some("999999")).await;
    assert_eq!(events.next().await.expect("an event").name, "missed");
}

#[tokio::test]
async fn live_pages_of_one_person_are_bounded() {
    let world = World::with(&["--attachments-per-person", "2"]).await;
    let admin = world.admin().await;
    let (_first, _second) = (admin.events(None).await, admin.events(None).await);
    let third = admin
        .ask(Method::GET, "/api/v1/events")
        .send()
        .await
        .expect("an answer");
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
}
