use crate::world::{World, answer};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_token_does_what_it_says_until_it_is_revoked() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (status, minted) = admin
        .post(
            "/tokens",
            json!({ "name": "ci", "capabilities": ["sandbox.session.see"] }),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let secret = minted["token"].as_str().expect("a secret");
    assert!(secret.starts_with("sbp_"));
    let program = admin.with_token(secret);
    assert_eq!(program.get("/sandbox/sessions").await.0, StatusCode::OK);
    let (status, refused) = program.post("/sandbox/sessions", json!({ "agent": "shell" })).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
    assert_eq!(
        program.get("/me").await.1["capabilities"],
        json!(["sandbox.session.see"])
    );

    let (_, list) = admin.get("/tokens").await;
    assert!(!list.to_string().contains(secret), "the secret is shown once");
    assert!(list["tokens"][0]["usedAt"].is_string());
    let path = format!("/tokens/{}", minted["jti"].as_str().expect("an id"));
    assert_eq!(admin.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(program.get("/sandbox/sessions").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_are_made_as_published_at_both_addresses() {
    let world = World::new().await;
    let admin = world.admin().await;
    for path in ["/auth/pat", "/api/v1/auth/pat"] {
        let request = admin
            .ask(Method::POST, path)
            .json(&json!({ "name": "ci", "ttl_hours": 1, "audience": "x" }));
        let (status, minted) = answer(request).await;
        assert_eq!((status, &minted["typ"]), (StatusCode::OK, &json!("pat")), "{minted}");
        assert!(
            ["token", "jti", "expires_at"]
                .iter()
                .all(|field| minted[field].is_string()),
            "{minted}"
        );
    }
    let (status, refused) = answer(admin.ask(Method::POST, "/auth/pat").json(&json!({}))).await;
    assert_eq!((status, &refused["field"]), (StatusCode::BAD_REQUEST, &json!("name")));
}

#[tokio::test]
async fn nobody_mints_more_than_they_hold() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", domain::Role::Developer).await;
    for wanted in [
        json!(["sandbox.agent.install"]),
        json!(["nonsense"]),
        json!([".*"]),
        json!([]),
    ] {
        let (status, refused) = ada
            .post("/tokens", json!({ "name": "x", "capabilities": wanted }))
            .await;
        assert_eq!(
            (status, &refused["field"]),
            (StatusCode::BAD_REQUEST, &json!("capabilities")),
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn the_same_key_makes_one_token() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mint = || {
        answer(
            admin
                .ask(Method::POST, "/api/v1/tokens")
                .header("idempotency-key", "k")
                .json(&json!({ "name": "ci" })),
        )
    };
    let (first, again) = (mint().await, mint().await);
    assert_eq!(first, again);
    assert_eq!(admin.get("/tokens").await.1["tokens"].as_array().map(Vec::len), Some(1));
}
