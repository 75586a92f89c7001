//! Signing a device in: what it is told, what the person sees, and what neither can be tricked into.

use crate::world::{Person, World, answer};
use domain::Role;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

async fn ask(world: &World, name: &str) -> Value {
    let request = world.nobody().ask(Method::POST, "/auth/device");
    let (status, codes) = answer(request.json(&json!({ "name": name }))).await;
    assert_eq!(status, StatusCode::OK, "{codes}");
    codes
}

async fn fetch(world: &World, codes: &Value) -> (StatusCode, Value) {
    let body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": codes["device_code"],
    });
    answer(world.nobody().ask(Method::POST, "/auth/device/token").json(&body)).await
}

/// What a person's browser shows at an address.
async fn page(person: &Person, path: &str) -> (StatusCode, String) {
    let answer = person.ask(Method::GET, path).send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("a page"))
}

async fn say(person: &Person, codes: &Value, what: &str) -> (StatusCode, String) {
    let form = format!("code={}&answer={what}", codes["user_code"].as_str().expect("a code"));
    let request = person
        .ask(Method::POST, "/device")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body(form).send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("a page"))
}

#[tokio::test]
async fn a_person_approves_what_they_read_and_the_device_fetches_its_token_once() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let codes = ask(&world, "<b>ada's</b> laptop").await;
    assert_eq!(codes["verification_uri"], format!("{}/device", world.origin()));
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(600), &json!(5)));
    let code = codes["user_code"].as_str().expect("a code");
    let whole = codes["verification_uri_complete"].as_str().expect("an address");
    let path = whole.strip_prefix(&world.origin()).expect("this site's");
    assert_eq!(path, format!("/device?code={code}"));

    // Who is not signed in signs in first, and comes back.
    let answer = world.nobody().ask(Method::GET, path).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = answer.headers()["location"].to_str().expect("text");
    assert_eq!(location, format!("/sign-in?next=/device%3Fcode%3D{code}"));

    let (status, shown) = page(&ada, path).await;
    assert_eq!(status, StatusCode::OK);
    for part in [
        "&lt;b&gt;ada&#39;s&lt;/b&gt; laptop",
        "127.0.0.1",
        "ada@acme.test",
        "Type into terminals",
        "value=\"approve\"",
        "value=\"deny\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        !shown.contains("<script") && !shown.contains("Install agents"),
        "{shown}"
    );

    let (status, shown) = say(&ada, &codes, "approve").await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    let (status, token) = fetch(&world, &codes).await;
    assert_eq!(status, StatusCode::OK, "{token}");
    assert_eq!(
        (&token["token_type"], &token["expires_in"]),
        (&json!("Bearer"), &json!(2_592_000))
    );
    let program = world
        .nobody()
        .with_token(token["access_token"].as_str().expect("a token"));
    let (_, me) = program.get("/me").await;
    assert_eq!((&me["email"], &me["via"]), (&json!("ada@acme.test"), &json!("token")));

    let (_, list) = ada.get("/tokens").await;
    assert_eq!(list["tokens"][0]["name"], "<b>ada's</b> laptop (sandbox command line)");
    assert_eq!(list["tokens"][0]["id"], token["jti"]);
    let (status, said) = fetch(&world, &codes).await;
    assert_eq!(
        (status, &said["error"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_grant"))
    );
    let path = format!("/tokens/{}", token["jti"].as_str().expect("an id"));
    assert_eq!(ada.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(program.get("/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_device_that_was_denied_is_told_so() {
    let world = World::new().await;
    let ada = world.admin().await;
    let codes = ask(&world, "laptop").await;
    let (status, shown) = say(&ada, &codes, "deny").await;
    assert!(
        status == StatusCode::OK && shown.contains("laptop is not signed in"),
        "{shown}"
    );
    let (status, said) = fetch(&world, &codes).await;
    assert_eq!(
        (status, &said["error"]),
        (StatusCode::BAD_REQUEST, &json!("access_denied"))
    );
    assert_eq!(say(&ada, &codes, "approve").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ada.get("/tokens").await.1["tokens"], json!([]));
}

#[tokio::test]
async fn a_device_waits_and_is_told_when_it_asks_too_often() {
    let world = World::new().await;
    let codes = ask(&world, "laptop").await;
    for error in ["authorization_pending", "slow_down", "slow_down"] {
        let (status, said) = fetch(&world, &codes).await;
        assert_eq!((status, &said["error"]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    let nobody = world.nobody();
    let form = |body: &'static str| {
        let request = nobody.ask(Method::POST, "/auth/device/token");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        answer(request.body(body))
    };
    let (_, said) = form("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=sbd_x").await;
    assert_eq!(said["error"], "invalid_grant");
    let (_, said) = form("grant_type=password&device_code=sbd_x").await;
    assert_eq!(said["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn the_token_is_that_of_whoever_answered_first() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let eve = world.member("other", "eve@other.test", Role::Developer).await;
    let codes = ask(&world, "laptop").await;
    assert_eq!(say(&eve, &codes, "approve").await.0, StatusCode::OK);
    assert_eq!(say(&ada, &codes, "approve").await.0, StatusCode::NOT_FOUND);
    assert_eq!(say(&ada, &codes, "deny").await.0, StatusCode::NOT_FOUND);
    let (_, token) = fetch(&world, &codes).await;
    let program = world
        .nobody()
        .with_token(token["access_token"].as_str().expect("a token"));
    assert_eq!(program.get("/me").await.1["email"], "eve@other.test");
    assert_eq!(
        ada.get("/tokens").await.1["tokens"],
        json!([]),
        "nothing of it is ada's"
    );
}

#[tokio::test]
async fn codes_cannot_be_guessed_nor_asked_for_without_end() {
    let world = World::with(&["--expensive-per-minute", "30"]).await;
    let ada = world.admin().await;
    let mut statuses = Vec::new();
    for _ in 0..14 {
        statuses.push(page(&ada, "/device?code=BCDF-GHJK").await.0);
    }
    let count = |statuses: &[StatusCode], wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(&statuses, StatusCode::NOT_FOUND), 10, "{statuses:?}");
    assert_eq!(count(&statuses, StatusCode::TOO_MANY_REQUESTS), 4, "{statuses:?}");
    // The form counts like the address.
    let codes = ask(&world, "laptop").await;
    assert_eq!(say(&ada, &codes, "approve").await.0, StatusCode::TOO_MANY_REQUESTS);
    let mut statuses = Vec::new();
    for _ in 0..30 {
        let request = world.nobody().ask(Method::POST, "/auth/device");
        statuses.push(answer(request.json(&json!({ "name": "x" }))).await.0);
    }
    assert!(count(&statuses, StatusCode::TOO_MANY_REQUESTS) > 10, "{statuses:?}");
}

#[tokio::test]
async fn another_sites_page_cannot_approve_a_device() {
    let world = World::new().await;
    let ada = world.admin().await;
    let codes = ask(&world, "laptop").await;
    for (name, value) in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")] {
        let form = format!("code={}&answer=approve", codes["user_code"].as_str().expect("a code"));
        let request = ada
            .ask(Method::POST, "/device")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value);
        let (status, said) = answer(request.body(form)).await;
        assert_eq!(
            (status, &said["error"]),
            (StatusCode::FORBIDDEN, &json!("cross-origin"))
        );
    }
    // Looking changes nothing, whoever makes the browser look.
    let code = codes["user_code"].as_str().expect("a code");
    assert_eq!(
        page(&ada, &format!("/device?code={code}&answer=approve")).await.0,
        StatusCode::OK
    );
    assert_eq!(fetch(&world, &codes).await.1["error"], "authorization_pending");
}

#[tokio::test]
async fn a_code_that_is_none_is_asked_for_again() {
    let world = World::new().await;
    let ada = world.admin().await;
    let (status, shown) = page(&ada, "/device").await;
    assert!(status == StatusCode::OK && shown.contains("name=\"code\"") && !shown.contains("role=\"alert\""));
    for wrong in ["BCDF-GHJ", "%3Cscript%3E", "AAAA-AAAA"] {
        let (status, shown) = page(&ada, &format!("/device?code={wrong}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(
            shown.contains("role=\"alert\"") && !shown.contains("<script"),
            "{shown}"
        );
    }
    let codes = ask(&world, "laptop").await;
    assert_eq!(say(&ada, &codes, "perhaps").await.0, StatusCode::BAD_REQUEST);
    let (status, said) = {
        let request = world.nobody().ask(Method::POST, "/auth/device");
        answer(request.json(&json!({ "scope": "everything" }))).await
    };
    assert_eq!(
        (status, &said["error"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_scope"))
    );
}
