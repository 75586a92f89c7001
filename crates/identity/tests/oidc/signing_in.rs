use crate::{BACK, BEGIN, Stage, is_unavailable, provider::Sign};
use domain::Timestamp;
use engine::ports::{Answer, Providers as _, Refusal, Whom};
use serde_json::json;

#[tokio::test]
async fn who_comes_from_an_honest_provider_is_proven() {
    let stage = Stage::new().await;
    let proven = stage.sign_in().await.expect("proven");
    assert_eq!((proven.subject.as_str(), proven.sid.as_deref()), ("ada", Some("s1")));
    assert_eq!(proven.claims["org_id"], "acme");
    assert_eq!(proven.refresh_at, Some(Timestamp::from_millis((BEGIN + 300) * 1000)));
    assert!(proven.claims.get("nonce").is_none() && proven.claims.get("sid").is_none());
    assert!(!proven.kept.contains("refresh"), "tokens are kept encrypted");
    let asked = stage.provider.manner().asked.clone();
    let (form, proof) = &asked[0];
    assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("a code", BACK));
    assert!(form["code_verifier"].len() >= 43 && proof.as_ref().expect("a proof").starts_with("Basic "));
}

#[tokio::test]
async fn every_sign_in_has_its_own_nonce_and_verifier() {
    let stage = Stage::new().await;
    let one = stage
        .oidc
        .begin("evil", "a", BACK, Whom::SignedIn)
        .await
        .expect("begins");
    stage.provider.visited(&one.url);
    let seen = |stage: &Stage| {
        let manner = stage.provider.manner();
        (manner.nonce.clone(), manner.challenge.clone())
    };
    let first = seen(&stage);
    let other = stage
        .oidc
        .begin("evil", "b", BACK, Whom::SignedIn)
        .await
        .expect("begins");
    stage.provider.visited(&other.url);
    let second = seen(&stage);
    assert!(first.0 != second.0 && first.1 != second.1);
    assert!(!one.sealed.contains(&first.0), "what is remembered is encrypted");
}

#[tokio::test]
async fn a_provider_asks_somebody_who_they_are_where_that_is_wanted() {
    let stage = Stage::new().await;
    let prompt = async |whom| {
        let begun = stage.oidc.begin("evil", "a", BACK, whom).await.expect("begins");
        let address: url::Url = begun.url.parse().expect("an address");
        let said = address.query_pairs().find(|(name, _)| name == "prompt");
        said.map(|(_, value)| value.into_owned())
    };
    assert_eq!(prompt(Whom::SignedIn).await, None);
    assert_eq!(prompt(Whom::Asked).await.as_deref(), Some("login"));
    for (known, wanted) in [
        (json!(["none", "consent", "select_account"]), "select_account"),
        (json!(["none", "login", "select_account"]), "login"),
        (json!(["none"]), "login"),
    ] {
        let stage = Stage::new().await;
        stage.provider.manner().discovery = json!({ "prompt_values_supported": known });
        let begun = stage.oidc.begin("evil", "a", BACK, Whom::Asked).await.expect("begins");
        assert!(begun.url.contains(&format!("prompt={wanted}")), "{}", begun.url);
    }
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().sign = Sign::Forged;
    stage.refused("signature").await;
}

#[tokio::test]
async fn a_token_with_the_algorithm_none_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().sign = Sign::Not;
    stage.refused("signature").await;
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let stage = Stage::new().await;
    let whole = stage.provider.signed(json!({
        "iss": stage.provider.issuer, "aud": "sandbox", "sub": "ada", "iat": BEGIN, "exp": BEGIN + 300,
    }));
    let (unsigned, _) = whole.rsplit_once('.').expect("three parts");
    for id_token in [unsigned.to_owned(), format!("{unsigned}.")] {
        stage.provider.manner().tokens = json!({ "id_token": id_token });
        assert!(stage.sign_in().await.is_err());
    }
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().sign = Sign::WithThePublicKey;
    stage.refused("signature").await;
}

#[tokio::test]
async fn a_token_signed_with_the_clients_secret_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().sign = Sign::WithTheSecret;
    stage.refused("signature").await;
}

#[tokio::test]
async fn a_token_that_says_its_own_key_is_refused() {
    let stage = Stage::new().await;
    {
        let mut manner = stage.provider.manner();
        manner.sign = Sign::Forged;
        manner.header = json!({ "jwk": { "kty": "RSA" }, "jku": "http://127.0.0.1:9/keys" });
    }
    stage.refused("signature").await;
}

#[tokio::test]
async fn a_token_with_critical_extensions_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().header = json!({ "crit": ["exp"] });
    stage.refused("critical").await;
}

#[tokio::test]
async fn an_expired_token_is_refused_beyond_what_clocks_differ() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "exp": BEGIN - 59 });
    assert!(stage.sign_in().await.is_ok(), "a minute is forgiven");
    stage.provider.manner().claims = json!({ "exp": BEGIN - 61 });
    stage.refused("expire").await;
}

#[tokio::test]
async fn a_token_without_an_end_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "exp": null });
    assert!(stage.sign_in().await.is_err());
}

#[tokio::test]
async fn a_token_that_is_not_valid_yet_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "nbf": BEGIN + 59 });
    assert!(stage.sign_in().await.is_ok(), "a minute is forgiven");
    stage.provider.manner().claims = json!({ "nbf": BEGIN + 61 });
    stage.refused("not valid yet").await;
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "iat": BEGIN + 61 });
    stage.refused("future").await;
}

#[tokio::test]
async fn a_token_for_another_client_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "aud": "another" });
    stage.refused("audience").await;
}

#[tokio::test]
async fn a_token_for_others_too_is_refused_unless_they_are_trusted_and_it_was_made_for_us() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "aud": ["sandbox", "another"], "azp": "sandbox" });
    stage.refused("audience").await;
    let stage = Stage::with("audiences = ['another']\n").await;
    stage.provider.manner().claims = json!({ "aud": ["sandbox", "another"], "azp": "sandbox" });
    assert!(stage.sign_in().await.is_ok());
    for claims in [
        json!({ "aud": ["sandbox", "another"] }),
        json!({ "aud": ["sandbox", "another"], "azp": "another" }),
        json!({ "azp": "another" }),
    ] {
        stage.provider.manner().claims = claims;
        stage.refused("another client").await;
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "iss": "https://id.example.org" });
    stage.refused("expected").await;
}

#[tokio::test]
async fn a_token_with_another_nonce_is_refused() {
    let stage = Stage::new().await;
    for nonce in [json!("another"), json!(null)] {
        stage.provider.manner().claims = json!({ "nonce": nonce });
        stage.refused("another sign-in").await;
    }
}

#[tokio::test]
async fn a_token_that_belongs_to_another_access_token_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().claims = json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" });
    stage.refused("another access token").await;
}

#[tokio::test]
async fn an_answer_without_an_id_token_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().tokens = json!({ "id_token": null });
    stage.refused("no ID token").await;
}

#[tokio::test]
async fn an_answer_of_another_provider_is_refused() {
    let stage = Stage::new().await;
    let answer = |iss: Option<&str>| Answer {
        code: Some("a code".to_owned()),
        iss: iss.map(str::to_owned),
        ..Answer::default()
    };
    let mixed_up = stage.sign_in_with(answer(Some("https://id.example.org"))).await;
    assert!(mixed_up.expect_err("refused").to_string().contains("another provider"));
    assert!(stage.provider.manner().asked.is_empty(), "the code was shown to nobody");
    assert!(stage.sign_in_with(answer(Some(&stage.provider.issuer))).await.is_ok());
    assert!(stage.sign_in_with(answer(None)).await.is_ok());
}

#[tokio::test]
async fn a_provider_that_names_itself_in_answers_must_do_so() {
    let stage = Stage::new().await;
    stage.provider.manner().discovery = json!({ "authorization_response_iss_parameter_supported": true });
    stage.refused("which provider").await;
}

#[tokio::test]
async fn what_one_sign_in_remembers_is_of_no_use_to_another() {
    let stage = Stage::new().await;
    let begun = stage
        .oidc
        .begin("evil", "a state", BACK, Whom::SignedIn)
        .await
        .expect("begins");
    stage.provider.visited(&begun.url);
    let answer = Answer {
        code: Some("a code".to_owned()),
        ..Answer::default()
    };
    let other = stage
        .oidc
        .complete("evil", "another state", &begun.sealed, &answer)
        .await;
    assert!(other.is_err() && stage.provider.manner().asked.is_empty());
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_fetched() {
    let stage = Stage::new().await;
    assert!(stage.sign_in().await.is_ok());
    {
        let mut manner = stage.provider.manner();
        manner.kid = "two".to_owned();
        manner.shown_kid = "two".to_owned();
    }
    assert!(stage.sign_in().await.is_ok());
    assert_eq!(stage.provider.manner().keys_asked, 2);
}

#[tokio::test]
async fn made_up_keys_make_nobody_ask_for_each() {
    let stage = Stage::new().await;
    for number in 0..20 {
        stage.provider.manner().kid = format!("made up {number}");
        stage.refused("does not show").await;
    }
    let asked = stage.provider.manner().keys_asked;
    assert!(asked <= 6, "{asked}");
    stage.provider.manner().kid = "one".to_owned();
    assert!(stage.sign_in().await.is_ok(), "and the right one still counts");
}

#[tokio::test]
async fn a_giant_answer_is_not_read() {
    let stage = Stage::new().await;
    stage.provider.manner().tokens = json!(format!("{{\"access_token\":\"{}\"}}", "x".repeat(3 << 20)));
    assert!(is_unavailable(&stage.sign_in().await.expect_err("refused")));
}

#[tokio::test]
async fn giant_claims_are_not_kept() {
    let stage = Stage::new().await;
    let groups: Vec<String> = (0..8000).map(|number| format!("/acme/group-{number}")).collect();
    stage.provider.manner().claims = json!({ "groups": groups });
    let error = stage.sign_in().await.expect_err("refused");
    assert!(
        matches!(error.downcast_ref::<Refusal>(), Some(Refusal::Invalid(_))),
        "{error:#}"
    );
}

#[tokio::test]
async fn a_slow_provider_is_given_up() {
    let stage = Stage::new().await;
    stage.provider.manner().hangs = true;
    assert!(is_unavailable(&stage.sign_in().await.expect_err("given up")));
}

#[tokio::test]
async fn rubbish_is_no_answer() {
    let stage = Stage::new().await;
    for rubbish in ["", "[]", "<html>", "{\"access_token\":1}"] {
        stage.provider.manner().tokens = json!(rubbish);
        assert!(stage.sign_in().await.is_err(), "{rubbish}");
    }
}

#[tokio::test]
async fn a_refused_code_signs_nobody_in() {
    let stage = Stage::new().await;
    {
        let mut manner = stage.provider.manner();
        manner.status = 400;
        manner.tokens = json!("{\"error\":\"invalid_grant\",\"error_description\":\"<b>used</b>\"}");
    }
    stage.refused("invalid_grant").await;
}

#[tokio::test]
async fn a_person_who_turns_back_is_told_so() {
    let stage = Stage::new().await;
    let said = stage
        .sign_in_with(Answer {
            error: Some("access_denied".to_owned()),
            ..Answer::default()
        })
        .await;
    assert!(said.expect_err("refused").to_string().contains("turned back"));
    assert!(stage.provider.manner().asked.is_empty());
}

#[tokio::test]
async fn discovery_of_another_issuer_is_refused() {
    let stage = Stage::new().await;
    stage.provider.manner().discovery = json!({ "issuer": "https://id.example.org" });
    assert!(is_unavailable(&stage.sign_in().await.expect_err("refused")));
    assert!(stage.oidc.list()[0].trouble.is_some(), "the sign-in page says so");
}

#[tokio::test]
async fn a_provider_that_comes_back_is_asked_again() {
    let stage = Stage::new().await;
    stage.provider.manner().discovery = json!({ "token_endpoint": 7 });
    assert!(is_unavailable(&stage.sign_in().await.expect_err("broken")));
    stage.provider.manner().discovery = json!({});
    assert!(is_unavailable(
        &stage.sign_in().await.expect_err("left alone for a moment")
    ));
    stage.forward(5);
    assert!(stage.sign_in().await.is_ok());
    assert!(stage.oidc.list()[0].trouble.is_none());
}
