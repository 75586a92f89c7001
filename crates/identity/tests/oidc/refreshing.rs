use crate::{Stage, is_unavailable, provider::Sign};
use engine::ports::{Providers as _, Refreshed};
use serde_json::json;

#[tokio::test]
async fn a_refreshed_token_tells_what_is_true_now_and_the_rotated_one_is_used_next() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    stage.provider.manner().claims = json!({ "org_id": "beta", "nonce": null });
    stage.forward(300);
    let Refreshed::Proven(fresh) = stage.oidc.refresh("evil", "ada", &proven.kept).await.expect("asked") else {
        panic!("still somebody");
    };
    assert_eq!(fresh.claims["org_id"], "beta");
    stage.oidc.refresh("evil", "ada", &fresh.kept).await.expect("asked");
    let asked = stage.provider.manner().asked.clone();
    let tokens: Vec<&str> = asked[1..]
        .iter()
        .map(|(form, _)| form["refresh_token"].as_str())
        .collect();
    assert_eq!(tokens, ["the first refresh token", "the second refresh token"]);
}

#[tokio::test]
async fn a_provider_that_rotates_nothing_is_asked_with_the_same_token() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    stage.provider.manner().tokens = json!({ "refresh_token": null });
    let Refreshed::Proven(fresh) = stage.oidc.refresh("evil", "ada", &proven.kept).await.expect("asked") else {
        panic!("still somebody");
    };
    stage.oidc.refresh("evil", "ada", &fresh.kept).await.expect("asked");
    assert_eq!(
        stage.provider.manner().asked[2].0["refresh_token"],
        "the first refresh token"
    );
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_the_end() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    {
        let mut manner = stage.provider.manner();
        manner.status = 400;
        manner.tokens = json!("{\"error\":\"invalid_grant\"}");
    }
    let said = stage.oidc.refresh("evil", "ada", &proven.kept).await.expect("asked");
    assert_eq!(said, Refreshed::Ended);
}

#[tokio::test]
async fn a_breakdown_of_the_provider_is_not_the_end() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    {
        let mut manner = stage.provider.manner();
        manner.status = 502;
        manner.tokens = json!("<html>bad gateway</html>");
    }
    let error = stage
        .oidc
        .refresh("evil", "ada", &proven.kept)
        .await
        .expect_err("no answer");
    assert!(is_unavailable(&error), "{error:#}");
}

#[tokio::test]
async fn a_refreshed_token_of_somebody_else_is_refused() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    stage.provider.manner().claims = json!({ "sub": "eve", "nonce": null });
    assert!(stage.oidc.refresh("evil", "ada", &proven.kept).await.is_err());
}

#[tokio::test]
async fn a_refreshed_token_is_checked_like_the_first() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    stage.provider.manner().claims = json!({ "nonce": "another" });
    assert!(stage.oidc.refresh("evil", "ada", &proven.kept).await.is_err(), "nonce");
    stage.provider.manner().claims = json!({ "nonce": null });
    stage.provider.manner().sign = Sign::Forged;
    assert!(
        stage.oidc.refresh("evil", "ada", &proven.kept).await.is_err(),
        "signature"
    );
}

#[tokio::test]
async fn without_a_new_id_token_nothing_new_is_said() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    stage.provider.manner().tokens = json!({ "id_token": null });
    let Refreshed::Proven(fresh) = stage.oidc.refresh("evil", "ada", &proven.kept).await.expect("asked") else {
        panic!("still somebody");
    };
    assert!(fresh.claims.is_null());
}

#[tokio::test]
async fn without_a_refresh_token_a_provider_cannot_be_asked_again() {
    let stage = Stage::new().await;
    stage.provider.manner().tokens = json!({ "refresh_token": null });
    let proven = stage.sign_in().await.expect("proven");
    assert_eq!(proven.refresh_at, None);
    let said = stage
        .oidc
        .refresh("evil", "ada", &proven.kept)
        .await
        .expect("no question");
    assert_eq!(said, Refreshed::Ended);
}

#[tokio::test]
async fn what_is_kept_of_one_person_is_of_no_use_to_another() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    assert!(stage.oidc.refresh("evil", "eve", &proven.kept).await.is_err());
    assert_eq!(stage.provider.manner().asked.len(), 1);
}
