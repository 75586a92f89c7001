use crate::world::{PATIENCE, World};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use testbed::postgres::Held;

#[tokio::test]
async fn every_answer_is_hardened_and_has_a_request_id() {
    let world = World::new().await;
    let admin = world.admin().await;
    for path in [
        "/",
        "/sign-in",
        "/api/v1/me",
        "/api/v1/nothing",
        "/healthz",
        "/docs/api",
        "/pkg/none.js",
        "/nowhere",
    ] {
        let answer = admin
            .ask(Method::GET, path)
            .header("accept", "text/html")
            .send()
            .await
            .expect("an answer");
        let headers = answer.headers();
        for name in [
            "content-security-policy",
            "x-content-type-options",
            "referrer-policy",
            "permissions-policy",
            "cross-origin-opener-policy",
            "cache-control",
            "x-request-id",
        ] {
            assert!(headers.contains_key(name), "{path} without {name}");
        }
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let scripts = policy
            .split(';')
            .find(|rule| rule.trim().starts_with("script-src"))
            .unwrap_or_default();
        assert!(
            !scripts.contains("unsafe-inline") && !scripts.contains("'unsafe-eval'"),
            "{path}: {scripts}"
        );
    }
}

/// The nonce that this answer's policy lets scripts carry.
fn nonce_of(headers: &HeaderMap) -> String {
    let policy = headers["content-security-policy"].to_str().expect("text");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next());
    nonce.unwrap_or_else(|| panic!("no nonce: {policy}")).to_owned()
}

/// Every script of this page is a file's, or carries the nonce: a browser would not run any other.
fn all_run(path: &str, page: &str, nonce: &str) {
    for script in page.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        let runs = tag.contains("src=") || tag.contains(&format!("nonce=\"{nonce}\""));
        let begins: String = script.chars().take(200).collect();
        assert!(runs, "{path} has a script without the nonce {nonce}: <script{begins}");
    }
}

#[tokio::test]
async fn every_inline_script_of_a_page_carries_the_nonce_of_its_answer() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut nonces = Vec::new();
    for (path, status) in [
        ("/", StatusCode::OK),
        ("/", StatusCode::OK),
        ("/nowhere", StatusCode::NOT_FOUND),
    ] {
        let ask = admin.ask(Method::GET, path).header("accept", "text/html");
        let answer = ask.send().await.expect("an answer");
        let (answered, headers) = (answer.status(), answer.headers().clone());
        let page = answer.text().await.expect("a page");
        assert_eq!(answered, status, "{path}: {page}");
        let nonce = nonce_of(&headers);
        all_run(path, &page, &nonce);
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1], "a nonce is used once");
}

/// Waits until somebody waits.
async fn waited_for(held: &mut Held) {
    let looks = async {
        while !held.is_waited_for() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looks).await.expect("somebody waits");
}

/// What the database is slow to tell comes late, in scripts that put it where it belongs. (Nobody who reads from SQLite can
/// be made to wait.)
#[tokio::test]
async fn a_page_whose_database_is_slow_has_no_script_that_a_browser_would_not_run() {
    let world = World::new().await;
    let admin = world.admin().await;
    let Some(database) = world.data.database() else {
        return;
    };
    // A page is sent whole: nothing comes before everything is there.
    let mut held = database.hold("sessions");
    let asked = tokio::spawn(admin.ask(Method::GET, "/").header("accept", "text/html").send());
    waited_for(&mut held).await;
    assert!(!asked.is_finished());
    drop(held);
    let answer = asked.await.expect("no panic").expect("an answer");
    let nonce = nonce_of(answer.headers());
    let page = answer.text().await.expect("a page");
    all_run("/", &page, &nonce);
    assert!(!page.contains("<template id="), "a part came late");

    // Only the page of an address that is none comes in parts: the frame, and then what it shows of whoever looks.
    let mut held = database.hold("switched_off");
    let ask = admin.ask(Method::GET, "/nowhere").header("accept", "text/html");
    let mut answer = ask.send().await.expect("an answer");
    let nonce = nonce_of(answer.headers());
    let mut page = answer.chunk().await.expect("a part").expect("a part").to_vec();
    waited_for(&mut held).await;
    drop(held);
    while let Some(part) = answer.chunk().await.expect("a part") {
        page.extend_from_slice(&part);
    }
    let page = String::from_utf8(page).expect("text");
    assert!(page.contains("<template id="), "nothing came late");
    all_run("/nowhere", &page, &nonce);
}

#[tokio::test]
async fn a_sensible_request_id_is_kept_and_another_is_replaced() {
    let world = World::new().await;
    let nobody = world.nobody();
    let id = async |asked: &str| {
        let answer = nobody
            .ask(Method::GET, "/healthz")
            .header("x-request-id", asked)
            .send()
            .await
            .expect("an answer");
        answer.headers()["x-request-id"].to_str().expect("text").to_owned()
    };
    assert_eq!(id("build-7.step:2").await, "build-7.step:2");
    assert_ne!(id("<script>").await, "<script>");
}

#[tokio::test]
async fn health_readiness_and_figures_are_there() {
    let world = World::new().await;
    let nobody = world.nobody();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            nobody.ask(Method::GET, path).send().await.expect("an answer").status(),
            StatusCode::OK
        );
    }
    let figures = nobody
        .ask(Method::GET, "/metrics")
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    for name in [
        "sandbox_http_requests_total",
        "sandbox_http_request_seconds_bucket",
        "sandbox_sessions{phase=\"Ready\"}",
    ] {
        assert!(figures.contains(name), "{name} in {figures}");
    }
    let passed_on = nobody
        .ask(Method::GET, "/metrics")
        .header("x-forwarded-for", "203.0.113.7");
    assert_eq!(
        passed_on.send().await.expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_api_describes_itself_for_programs_and_for_eyes() {
    let world = World::new().await;
    let nobody = world.nobody();
    let document: Value = nobody
        .ask(Method::GET, "/api/v1/openapi.json")
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1")),
        "{}",
        document["openapi"]
    );
    let mut routes: Vec<String> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, operations)| {
            operations
                .as_object()
                .expect("operations")
                .iter()
                .map(move |(method, operation)| {
                    format!(
                        "{} {path}: {}",
                        method.to_uppercase(),
                        operation["x-permit"].as_str().expect("every route names its verb")
                    )
                })
        })
        .collect();
    routes.sort();
    insta::assert_snapshot!("routes", routes.join("\n"));
    let page = nobody
        .ask(Method::GET, "/docs/api")
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a page");
    assert!(page.contains("POST /api/v1/sandbox/sessions</code>") && !page.contains("<script"));
}
