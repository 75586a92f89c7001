//! Forms as a browser without scripts sends them.

use crate::world::{Person, World};
use reqwest::{Method, Response, StatusCode};

async fn send(person: &Person, path: &str, from: &str, body: &str) -> Response {
    person
        .ask(Method::POST, path)
        .header("accept", "text/html,application/xhtml+xml")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("referer", format!("{}{from}", person.origin))
        .body(body.to_owned())
        .send()
        .await
        .expect("an answer")
}

async fn look(person: &Person, path: &str, typed: Option<&str>) -> Response {
    let (name, login) = person.header().expect("somebody");
    let cookies = typed.map_or_else(|| login.clone(), |typed| format!("{login}; {typed}"));
    person
        .http
        .get(format!("{}{path}", person.origin))
        .header("accept", "text/html")
        .header(name, cookies)
        .send()
        .await
        .expect("an answer")
}

fn cookie(answer: &Response) -> String {
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=60"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    cookie.split(';').next().expect("a pair").to_owned()
}

const WRONG: &str = "agent=shell&repo=ext%3A%3Ash+-c+evil&branch=main&name=%22%3E%3Cb%3Ekept";

#[tokio::test]
async fn a_refused_form_comes_back_with_what_was_typed_and_nothing_in_the_address() {
    let world = World::new().await;
    let admin = world.admin().await;
    let refused = send(&admin, "/api/fn/sessions/open", "/new?agent=shell", WRONG).await;
    assert_eq!(refused.status(), StatusCode::FOUND);
    assert_eq!(refused.headers()["location"], "/new?agent=shell");
    let typed = cookie(&refused);
    let page = look(&admin, "/new?agent=shell", Some(&typed)).await;
    let over = page.headers()["set-cookie"].to_str().expect("text");
    assert!(
        over.starts_with("sandbox_typed=;") && over.contains("Max-Age=0"),
        "{over}"
    );
    let page = page.text().await.expect("a page");
    for kept in [r#"value="ext::sh -c evil""#, r#"value="main""#] {
        assert!(page.contains(kept), "{kept}");
    }
    assert!(page.contains("&quot;&gt;&lt;b&gt;kept") && !page.contains("<b>kept"));
    let beside = page.split("id=\"repo-wrong\"").nth(1).expect("a place for the refusal");
    let tag = beside.split('>').next().unwrap_or_default();
    assert!(!tag.contains("hidden"), "{tag}");
}

#[tokio::test]
async fn what_was_typed_is_for_the_page_of_its_form_alone() {
    let world = World::new().await;
    let admin = world.admin().await;
    let typed = cookie(&send(&admin, "/api/fn/sessions/open", "/new", WRONG).await);
    for elsewhere in ["/", "/new?agent=shell"] {
        let page = look(&admin, elsewhere, Some(&typed)).await;
        assert!(!page.headers().contains_key("set-cookie"), "{elsewhere} takes it up");
        assert!(!page.text().await.expect("a page").contains("ext::sh"), "{elsewhere}");
    }
    for garbage in ["sandbox_typed=", "sandbox_typed=AAAA", "sandbox_typed=%00"] {
        assert_eq!(look(&admin, "/new", Some(garbage)).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_form_that_works_and_a_refusal_to_a_script_leave_no_cookie() {
    let world = World::new().await;
    let admin = world.admin().await;
    let opened = send(&admin, "/api/fn/sessions/open", "/new", "agent=shell&name=Good").await;
    assert_eq!(opened.status(), StatusCode::FOUND);
    assert!(
        opened.headers()["location"]
            .to_str()
            .expect("text")
            .starts_with("/sessions/")
    );
    assert!(!opened.headers().contains_key("set-cookie"));
    let script = admin
        .ask(Method::POST, "/api/fn/sessions/open")
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(WRONG);
    let refused = script.send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(!refused.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn a_form_larger_than_any_of_ours_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    let large = format!("agent=shell&name={}", "x".repeat(70 * 1024));
    let refused = send(&admin, "/api/fn/sessions/open", "/new", &large).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_is_made_without_scripts_and_its_secret_is_in_that_one_answer() {
    let world = World::new().await;
    let admin = world.admin().await;
    let form =
        "name=%3Ci%3Eci&ttl_hours=24&capabilities%5B%5D=sandbox.session.see&capabilities%5B%5D=sandbox.quota.see";
    let made = send(&admin, "/settings/tokens", "/settings", form).await;
    assert_eq!(made.status(), StatusCode::OK);
    assert_eq!(made.headers()["cache-control"], "no-store");
    assert!(!made.headers().contains_key("set-cookie") && !made.headers().contains_key("location"));
    let page = made.text().await.expect("a page");
    assert!(page.contains("&lt;i&gt;ci") && page.contains("href=\"/settings\"") && !page.contains("<script"));
    let secret = page
        .split("<code>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a secret");
    let (_, me) = admin.with_token(secret).get("/me").await;
    assert_eq!(
        me["capabilities"],
        serde_json::json!(["sandbox.session.see", "sandbox.quota.see"])
    );
    let settings = look(&admin, "/settings", None).await.text().await.expect("a page");
    assert!(settings.contains("&lt;i&gt;ci") && !settings.contains(secret));
}

#[tokio::test]
async fn a_refused_token_comes_back_to_its_form_and_nobody_makes_one_without_signing_in() {
    let world = World::new().await;
    let admin = world.admin().await;
    let form = "name=+&ttl_hours=24&capabilities%5B%5D=sandbox.session.see";
    let refused = send(&admin, "/settings/tokens", "/settings", form).await;
    assert_eq!(refused.status(), StatusCode::SEE_OTHER);
    assert_eq!(refused.headers()["location"], "/settings");
    let typed = cookie(&refused);
    let page = look(&admin, "/settings", Some(&typed))
        .await
        .text()
        .await
        .expect("a page");
    assert!(page.contains("A token's name has 1 to 100 characters."), "the refusal");
    let ticked = page.split("value=\"sandbox.session.see\"").nth(1).expect("a box");
    assert!(ticked.split('>').next().unwrap_or_default().contains("checked"));
    let nobody = send(&world.nobody(), "/settings/tokens", "/settings", "name=ci").await;
    assert_eq!(nobody.headers()["location"], "/sign-in?next=/settings");
    let foreign = admin
        .ask(Method::POST, "/settings/tokens")
        .header("origin", "https://evil.test")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("name=ci");
    assert_eq!(foreign.send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_directorys_token_is_made_and_revoked_without_scripts_and_opens_the_address_that_the_page_shows() {
    let world = World::new().await;
    let owner = world.member("acme", "ada@acme.test", domain::Role::Owner).await;
    let page = look(&owner, "/org/settings?of=acme", None)
        .await
        .text()
        .await
        .expect("a page");
    let base = format!("{}/scim/v2", world.origin());
    assert!(
        page.contains("Directory (SCIM)") && page.contains(&base),
        "where the directory reaches us"
    );
    let made = send(
        &owner,
        "/org/directory/tokens",
        "/org/settings",
        "org=acme&name=%3Ci%3Eokta&days=30",
    )
    .await;
    assert_eq!(made.status(), StatusCode::OK);
    assert_eq!(made.headers()["cache-control"], "no-store");
    let page = made.text().await.expect("a page");
    assert!(
        page.contains("&lt;i&gt;okta") && page.contains("href=\"/org/settings?of=acme\""),
        "{page}"
    );
    let secret = page
        .split("<code>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a secret");
    let directory = owner.with_token(secret);
    let asked = || directory.ask(Method::GET, "/scim/v2/Users").send();
    assert_eq!(asked().await.expect("an answer").status(), StatusCode::OK);
    let page = look(&owner, "/org/settings?of=acme", None)
        .await
        .text()
        .await
        .expect("a page");
    assert!(page.contains("&lt;i&gt;okta") && !page.contains(secret));
    assert!(!page.contains("Take over"), "it works by its maker's word");
    let (_, tokens) = owner.get("/orgs/acme/directory/tokens").await;
    let id = tokens["tokens"][0]["id"].as_str().expect("an id");
    let form = format!("org=acme&id={id}");
    // Its maker governs no more: another's word will do.
    let second = world.member("acme", "bea@acme.test", domain::Role::Owner).await;
    let (_, me) = owner.get("/me").await;
    let seat = format!("/orgs/acme/members/{}", me["id"].as_str().expect("an id"));
    let demoted = second
        .api(Method::PATCH, &seat, Some(serde_json::json!({ "role": "developer" })))
        .await;
    assert_eq!(demoted.0, StatusCode::OK, "{}", demoted.1);
    assert_eq!(asked().await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    let page = look(&second, "/org/settings?of=acme", None)
        .await
        .text()
        .await
        .expect("a page");
    assert!(
        page.contains("Take over") && page.contains("no longer governs here"),
        "the page says so"
    );
    let taken = send(&second, "/api/fn/org/directory/take-over", "/org/settings", &form).await;
    assert_eq!(taken.headers()["location"], "/org/settings?of=acme");
    assert_eq!(asked().await.expect("an answer").status(), StatusCode::OK);
    let owner = second;
    let done = send(&owner, "/api/fn/org/directory/revoke", "/org/settings", &form).await;
    assert_eq!(done.headers()["location"], "/org/settings?of=acme");
    assert_eq!(asked().await.expect("an answer").status(), StatusCode::UNAUTHORIZED);

    let refused = send(
        &owner,
        "/org/directory/tokens",
        "/org/settings",
        "org=acme&name=+&days=30",
    )
    .await;
    assert_eq!(refused.headers()["location"], "/org/settings?of=acme");
    let typed = cookie(&refused);
    let page = look(&owner, "/org/settings?of=acme", Some(&typed))
        .await
        .text()
        .await
        .expect("a page");
    assert!(page.contains("A token's name has 1 to 100 characters."), "the refusal");
    let bob = world.member("acme", "bob@acme.test", domain::Role::Developer).await;
    send(
        &bob,
        "/org/directory/tokens",
        "/org/settings",
        "org=acme&name=x&days=30",
    )
    .await;
    let away = send(
        &owner,
        "/org/directory/tokens",
        "/org/settings",
        "org=%2F%2Fevil.test&name=x",
    )
    .await;
    assert_eq!(away.headers()["location"], "/org/settings");
    let (_, tokens) = owner.get("/orgs/acme/directory/tokens").await;
    assert_eq!(
        tokens["tokens"].as_array().map(Vec::len),
        Some(1),
        "nobody else made one: {tokens}"
    );
    let nobody = send(
        &world.nobody(),
        "/org/directory/tokens",
        "/org/settings",
        "org=acme&name=x",
    )
    .await;
    assert_eq!(nobody.headers()["location"], "/sign-in?next=/org/settings");
}
