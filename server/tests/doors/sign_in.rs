use crate::world::{Person, Proof, World, answer};
use reqwest::{Method, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn a_look_at_a_link_does_not_use_it_up_and_its_use_does() {
    let world = World::new().await;
    let link = world.engine().sign_in_link(None, None).await.expect("a link");
    let nobody = world.nobody();
    let path = format!("/sign-in/{}", link.secret);
    for _ in 0..3 {
        let page = nobody.ask(Method::GET, &path).send().await.expect("an answer");
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()["referrer-policy"], "strict-origin");
        assert!(page.headers().get("set-cookie").is_none());
        assert!(page.text().await.expect("a page").contains("<form method=\"post\""));
    }
    let used = nobody
        .ask(Method::POST, &format!("{path}?next=/usage%3Fdays%3D7"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(used.status(), StatusCode::SEE_OTHER);
    assert_eq!(used.headers()["location"], "/usage?days=7");
    let cookie = used.headers()["set-cookie"].to_str().expect("text");
    for part in [
        "sandbox_login=sbc_",
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Max-Age=",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "nobody said that TLS is in front");
    let again = nobody.ask(Method::POST, &path).send().await.expect("an answer");
    assert!(again.status().is_client_error() && again.headers().get("set-cookie").is_none());
    assert!(again.text().await.expect("a page").contains("role=\"alert\""));
}

#[tokio::test]
async fn signing_in_never_leads_to_another_site() {
    let world = World::new().await;
    for elsewhere in [
        "//evil.test",
        "https://evil.test/",
        "%2F%2Fevil.test",
        "/%5Cevil.test",
        "%09//evil.test",
    ] {
        let link = world.engine().sign_in_link(None, None).await.expect("a link");
        let path = format!("/sign-in/{}?next={elsewhere}", link.secret);
        let used = world.nobody().ask(Method::POST, &path).send().await.expect("an answer");
        assert_eq!(used.headers()["location"], "/", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_link_can_be_pasted() {
    let world = World::new().await;
    let link = world.engine().sign_in_link(None, None).await.expect("a link");
    let whole = format!("link=http%3A%2F%2Felsewhere%2Fsign-in%2F{}", link.secret);
    let request = world.nobody().ask(Method::POST, "/sign-in").body(whole);
    let used = request
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await
        .expect("an answer");
    assert_eq!(used.status(), StatusCode::SEE_OTHER);
    assert!(used.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure_and_browsers_are_told_to_stay_with_it() {
    let world = World::with(&["--behind-tls"]).await;
    let link = world.engine().sign_in_link(None, None).await.expect("a link");
    let used = world
        .nobody()
        .ask(Method::POST, &format!("/sign-in/{}", link.secret))
        .send()
        .await
        .expect("an answer");
    assert!(
        used.headers()["set-cookie"]
            .to_str()
            .expect("text")
            .ends_with("; Secure")
    );
    assert!(used.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_sign_in_and_programs_are_told() {
    let world = World::new().await;
    let nobody = world.nobody();
    let page = nobody
        .ask(Method::GET, "/?search=x")
        .header(header::ACCEPT, "text/html")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (page.status(), &page.headers()["location"]),
        (
            StatusCode::SEE_OTHER,
            &"/sign-in?next=/%3Fsearch%3Dx".parse().expect("text")
        )
    );
    let (status, said) = nobody.get("/me").await;
    assert_eq!(
        (status, &said["error"]),
        (StatusCode::UNAUTHORIZED, &json!("unauthenticated"))
    );
}

#[tokio::test]
async fn signing_out_ends_the_login_and_takes_the_cookie_away() {
    let world = World::new().await;
    let admin = world.admin().await;
    assert_eq!(admin.get("/me").await.1["role"], "super-admin");
    let out = admin.ask(Method::POST, "/sign-out").send().await.expect("an answer");
    assert_eq!(
        (out.status(), &out.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/sign-in".parse().expect("text"))
    );
    assert!(
        out.headers()["set-cookie"]
            .to_str()
            .expect("text")
            .starts_with("sandbox_login=; ")
    );
    assert_eq!(admin.get("/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn logins_are_listed_and_ended_from_another_browser() {
    let world = World::new().await;
    let (laptop, phone) = (world.admin().await, world.admin().await);
    let (_, list) = phone.get("/logins").await;
    let logins = list["logins"].as_array().expect("a list");
    assert_eq!(logins.len(), 2);
    let other = logins
        .iter()
        .find(|login| login["current"] == false)
        .expect("the laptop");
    let path = format!("/logins/{}", other["id"].as_str().expect("an id"));
    assert_eq!(phone.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(laptop.get("/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(phone.get("/me").await.0, StatusCode::OK);
}

#[tokio::test]
async fn another_sites_page_cannot_use_the_cookie() {
    let world = World::new().await;
    let admin = world.admin().await;
    let post = |person: &Person, name: &'static str, value: String| {
        let request = person.ask(Method::POST, "/api/v1/sandbox/sessions").header(name, value);
        answer(request.json(&json!({ "agent": "shell" })))
    };
    for (name, value) in [
        ("origin", "https://evil.test".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", format!("{}0", world.origin())),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
    ] {
        let (status, said) = post(&admin, name, value.clone()).await;
        assert_eq!(
            (status, &said["error"]),
            (StatusCode::FORBIDDEN, &json!("cross-origin")),
            "{name}: {value}"
        );
    }
    assert_eq!(admin.get("/sandbox/sessions").await.1["total"], 0);
    assert_eq!(post(&admin, "origin", world.origin()).await.0, StatusCode::CREATED);
    // A token is no cookie: no browser sends it along by itself.
    let (_, minted) = admin.post("/tokens", json!({ "name": "ci" })).await;
    let program = admin.with_token(minted["token"].as_str().expect("a secret"));
    assert_eq!(
        post(&program, "origin", "https://elsewhere.test".to_owned()).await.0,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn too_many_attempts_have_to_wait() {
    let world = World::with(&["--expensive-per-minute", "3"]).await;
    let nobody = world.nobody();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(
            nobody
                .ask(Method::POST, "/sign-in/sbl_guess")
                .send()
                .await
                .expect("an answer")
                .status(),
        );
    }
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == StatusCode::TOO_MANY_REQUESTS)
            .count(),
        2,
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_made_up_cookie_is_nobody() {
    let world = World::new().await;
    let guess = Person {
        proof: Proof::Cookie("sandbox_login=sbc_guess".to_owned()),
        ..world.nobody()
    };
    assert_eq!(guess.get("/me").await.0, StatusCode::UNAUTHORIZED);
}
