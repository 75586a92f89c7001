//! A recording over HTTP: switched on by the policy, downloaded as a stream, gone with its session.

use crate::world::World;
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_recorded_session_says_so_and_is_downloaded_by_its_owner() {
    let world = World::new().await;
    let owner = world.member("acme", "boss@acme.test", Role::Owner).await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let (status, _) = owner
        .api(
            Method::PUT,
            "/orgs/acme/policy",
            Some(json!({ "based_on": 0, "policy": { "recording": true } })),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    let id = ada.open_shell("recorded").await;
    let path = format!("/sandbox/sessions/{id}");
    let (_, shown) = ada.get(&path).await;
    assert_eq!(shown["recording"]["readers"], json!(["owner"]), "{shown}");
    let (_, terminals) = ada.get(&format!("{path}/terminals")).await;
    assert_eq!(terminals["terminals"][0]["recorded"], true);

    // The page says so too, to whoever sees it; only the owner is offered the file.
    for (person, offered) in [(&ada, true), (&owner, false)] {
        let page = person.ask(Method::GET, &format!("/sessions/{id}")).send().await;
        let page = page.expect("an answer").text().await.expect("text");
        assert!(page.contains(">Recorded<") || page.contains("Is recorded"), "{page}");
        assert_eq!(page.contains("Download recording"), offered);
    }

    let request = ada.ask(Method::GET, &format!("/api/v1{path}/recording"));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let head = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(head("content-type"), "application/x-asciicast");
    assert_eq!(
        head("content-disposition"),
        format!("attachment; filename=\"{id}-agent.cast\"")
    );
    assert_eq!(head("cache-control"), "no-store");
    let length: usize = head("content-length").parse().expect("a number");
    let text = answer.text().await.expect("text");
    assert_eq!(text.len(), length);
    let first = text.lines().next().expect("a head");
    let first: serde_json::Value = serde_json::from_str(first).expect("JSON");
    assert_eq!(first["version"], 2);

    let (status, problem) = ada.get(&format!("{path}/recording?terminal=shell-1")).await;
    assert_eq!(
        (status, &problem["error"]),
        (StatusCode::CONFLICT, &json!("not-recorded"))
    );
    assert_eq!(owner.get(&format!("{path}/recording")).await.0, StatusCode::FORBIDDEN);
    ada.api(Method::DELETE, &path, None).await;
    assert_eq!(ada.get(&format!("{path}/recording")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_restart_ends_what_runs_and_starts_it_again() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let id = ada.open_shell("again").await;
    let path = format!("/sandbox/sessions/{id}");
    let mut events = ada.events(None).await;
    let (status, shown) = ada.post(&format!("{path}/restart"), json!({})).await;
    assert_eq!((status, &shown["id"]), (StatusCode::OK, &json!(id)));
    ada.until_status(&mut events, &id, "running").await;
    let (_, activity) = ada.get(&format!("{path}/activity")).await;
    let phases: Vec<_> = activity["activity"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["detail"]["after"]["phase"].as_str())
        .collect();
    assert!(
        phases.contains(&"Suspended") && phases.contains(&"Pending"),
        "{phases:?}"
    );
}
