use crate::{
    BEGIN, Stage,
    provider::{SIGNED_OUT, Sign},
};
use engine::ports::Providers as _;
use serde_json::{Value, json};
use std::collections::HashMap;

#[tokio::test]
async fn who_signs_out_here_signs_out_at_the_provider_by_its_own_address() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    let back = "http://127.0.0.1:9/sign-in";
    let url = stage
        .oidc
        .sign_out("evil", "ada", &proven.kept, back)
        .await
        .expect("asked");
    let url: url::Url = url.expect("a place").parse().expect("an address");
    assert_eq!(url.path(), "/elsewhere/end");
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(
        (query["with"].as_str(), query["client_id"].as_str()),
        ("query", "sandbox")
    );
    assert_eq!(query["post_logout_redirect_uri"], back);
    assert_eq!(query["id_token_hint"].split('.').count(), 3);
}

#[tokio::test]
async fn a_word_about_a_sign_out_says_who_and_which_session() {
    let stage = Stage::new().await;
    let told = stage
        .oidc
        .signed_out("evil", &stage.provider.logout_token(&json!({})))
        .await
        .expect("right");
    assert_eq!(
        (told.subject.as_deref(), told.sid.as_deref()),
        (Some("ada"), Some("s1"))
    );
    assert_eq!(
        (told.issuer.as_str(), told.jti.as_str()),
        (stage.provider.issuer.as_str(), "j1")
    );
    assert!(told.expires_at.millis() > BEGIN * 1000);
}

/// What a logout token must not say, and why it is refused.
async fn refused(other: Value, why: &str) {
    let stage = Stage::new().await;
    let said = stage
        .oidc
        .signed_out("evil", &stage.provider.logout_token(&other))
        .await;
    let said = said.expect_err("refused").to_string();
    assert!(said.contains(why), "{said}");
}

#[tokio::test]
async fn a_logout_token_of_another_issuer_is_refused() {
    refused(json!({ "iss": "https://id.example.org" }), "another issuer").await;
}

#[tokio::test]
async fn a_logout_token_for_another_client_is_refused() {
    refused(json!({ "aud": ["another"] }), "another client").await;
}

#[tokio::test]
async fn an_id_token_is_no_logout_token() {
    refused(json!({ "events": null }), "no logout token").await;
    refused(json!({ "events": { SIGNED_OUT: true } }), "no logout token").await;
    refused(json!({ "nonce": "n" }), "no logout token").await;
}

#[tokio::test]
async fn an_old_logout_token_is_refused() {
    refused(json!({ "iat": BEGIN - 700, "exp": BEGIN + 300 }), "just now").await;
    refused(json!({ "iat": BEGIN + 61 }), "just now").await;
    refused(json!({ "exp": BEGIN - 61 }), "expired").await;
    refused(json!({ "iat": null }), "when").await;
}

#[tokio::test]
async fn a_logout_token_that_names_nobody_or_itself_not_is_refused() {
    refused(json!({ "sub": null, "sid": null }), "who has signed out").await;
    refused(json!({ "jti": null }), "who has signed out").await;
}

#[tokio::test]
async fn a_logout_token_that_is_not_signed_by_the_provider_is_refused() {
    for sign in [Sign::Forged, Sign::Not, Sign::WithThePublicKey, Sign::WithTheSecret] {
        let stage = Stage::new().await;
        stage.provider.manner().sign = sign.clone();
        let token = stage.provider.logout_token(&json!({}));
        assert!(stage.oidc.signed_out("evil", &token).await.is_err(), "{sign:?}");
    }
    let stage = Stage::new().await;
    for rubbish in ["", "a.b.c", "..", &"x.".repeat(100_000)] {
        assert!(stage.oidc.signed_out("evil", rubbish).await.is_err());
    }
}

#[tokio::test]
async fn a_logout_token_may_be_signed_with_a_new_key() {
    let stage = Stage::new().await;
    stage
        .oidc
        .signed_out("evil", &stage.provider.logout_token(&json!({})))
        .await
        .expect("right");
    {
        let mut manner = stage.provider.manner();
        manner.kid = "two".to_owned();
        manner.shown_kid = "two".to_owned();
    }
    stage
        .oidc
        .signed_out("evil", &stage.provider.logout_token(&json!({})))
        .await
        .expect("right");
}
