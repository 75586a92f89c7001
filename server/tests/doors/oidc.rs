//! Coming from an identity provider through the real doors, and every way of coming that is none.

#[path = "../../../crates/identity/tests/oidc/provider.rs"]
#[expect(dead_code, reason = "the provider is told more lies where its tokens are checked")]
mod provider;

use crate::world::{Person, Proof, World};
use domain::Role;
use provider::{CLIENT, Provider, SECRET, Sign};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::SystemTime};

/// A server that knows two providers, and the Organization acme.
struct Place {
    world: World,
    evil: Provider,
    other: Provider,
    _folder: tempfile::TempDir,
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("a while yet")
}

impl Place {
    async fn new() -> Self {
        let (evil, other) = (Provider::start(now()).await, Provider::start(now()).await);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("providers.toml");
        let mut text = String::new();
        for (id, provider) in [("evil", &evil), ("other", &other)] {
            text += &format!(
                "[[provider]]\nid = '{id}'\nlabel = '{id} & Co'\nissuer = '{}'\nclient_id = '{CLIENT}'\n\
                 client_secret = '{SECRET}'\n",
                provider.issuer
            );
        }
        std::fs::write(&path, text).expect("written");
        let world = World::with(&["--oidc-config", path.to_str().expect("text")]).await;
        world
            .engine()
            .add_member("acme", "owner@acme.test", "Owner", Role::Owner)
            .await
            .expect("an owner");
        Self {
            world,
            evil,
            other,
            _folder: folder,
        }
    }

    fn browser(&self) -> Browser {
        Browser {
            person: self.world.nobody(),
            cookies: BTreeMap::new(),
        }
    }

    /// Begins to sign in at `evil`; the state.
    async fn begin(&self, browser: &mut Browser, next: &str) -> String {
        let answer = browser.go(&format!("/auth/begin/evil?next={next}")).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let to = answer.headers()[header::LOCATION].to_str().expect("text");
        assert!(
            to.starts_with(&format!("{}/elsewhere/authorize?", self.evil.issuer)),
            "{to}"
        );
        let redirect = format!("{}/auth/callback/evil", self.world.origin());
        let address: url::Url = to.parse().expect("an address");
        assert!(
            address
                .query_pairs()
                .any(|(name, value)| name == "redirect_uri" && value == redirect)
        );
        assert!(!to.contains("prompt="), "whoever is signed in there is not asked again");
        self.evil.visited(to)
    }

    /// Signs a new browser in by `evil`.
    async fn arrived(&self) -> Browser {
        let mut browser = self.browser();
        let state = self.begin(&mut browser, "/").await;
        let answer = browser.back("evil", &state).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        browser
    }
}

/// A browser with a jar.
#[derive(Clone)]
struct Browser {
    person: Person,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn send(&mut self, request: RequestBuilder) -> Response {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request
            .header(header::COOKIE, jar.join("; "))
            .send()
            .await
            .expect("an answer");
        for set in answer.headers().get_all(header::SET_COOKIE) {
            let set = set.to_str().expect("text");
            let (name, value) = set
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a cookie");
            match set.contains("Max-Age=0") {
                true => _ = self.cookies.remove(name),
                false => _ = self.cookies.insert(name.to_owned(), value.to_owned()),
            }
        }
        answer
    }

    async fn go(&mut self, path: &str) -> Response {
        let request = self.person.ask(Method::GET, path);
        self.send(request).await
    }

    async fn back(&mut self, provider: &str, state: &str) -> Response {
        self.go(&format!("/auth/callback/{provider}?code=a-code&state={state}"))
            .await
    }

    /// Sends a form of ours.
    async fn posts(&mut self, place: &Place, path: &str, form: &str) -> Response {
        let request = self
            .person
            .ask(Method::POST, path)
            .body(form.to_owned())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, place.world.origin());
        self.send(request).await
    }

    /// The same, asking the API.
    fn signed_in(&self) -> Person {
        Person {
            proof: Proof::Cookie(format!("sandbox_login={}", self.cookies["sandbox_login"])),
            ..self.person.clone()
        }
    }

    async fn ways(&self) -> Vec<Value> {
        let (status, ways) = self.signed_in().get("/me/ways").await;
        assert_eq!(status, StatusCode::OK);
        ways["ways"].as_array().expect("a list").clone()
    }

    /// Who they are to the API; `None`: nobody.
    async fn me(&self) -> Option<Value> {
        let login = self.cookies.get("sandbox_login")?;
        let person = Person {
            proof: Proof::Cookie(format!("sandbox_login={login}")),
            ..self.person.clone()
        };
        let (status, me) = person.get("/me").await;
        (status == StatusCode::OK).then_some(me)
    }
}

/// The answer refuses with this status and these words, and signs nobody in.
async fn refuses(answer: Response, status: StatusCode, words: &str) {
    assert_eq!(answer.status(), status);
    let signs_in = answer
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .any(|set| set.to_str().is_ok_and(|set| set.starts_with("sandbox_login=")));
    assert!(!signs_in);
    let page = answer.text().await.expect("a page");
    assert!(page.contains("role=\"alert\"") && page.contains(words), "{page}");
}

#[tokio::test]
async fn who_comes_from_a_provider_is_signed_in_where_they_wanted_to_go() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let page = browser.go("/sign-in?next=/usage").await.text().await.expect("a page");
    assert!(
        page.contains("/auth/begin/evil?next=/usage") && page.contains("evil &amp; Co"),
        "{page}"
    );
    let state = place.begin(&mut browser, "/usage%3Fdays%3D7").await;
    let flow = browser.cookies.keys().next().expect("a cookie").clone();
    assert!(flow.starts_with("sandbox_flow_"));
    let answer = browser.back("evil", &state).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/usage?days=7");
    let set: Vec<&str> = answer
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|set| set.to_str().ok())
        .collect();
    assert!(
        set[0].starts_with("sandbox_login=sbc_") && set[0].contains("; HttpOnly; SameSite=Lax"),
        "{set:?}"
    );
    assert!(
        set[1].starts_with(&flow) && set[1].contains("Path=/auth") && set[1].contains("Max-Age=0"),
        "{set:?}"
    );
    let me = browser.me().await.expect("somebody");
    assert_eq!((&me["org"], &me["email"]), (&json!("acme"), &json!("ada@example.org")));
    let owner = place.world.member("acme", "owner@acme.test", Role::Owner).await;
    let (_, trail) = owner.get("/audit?action=signed-in&actor=ada").await;
    let entry = &trail["entries"][0];
    assert_eq!(entry["address"], "127.0.0.1", "{trail}");
    assert!(entry["request"].is_string(), "{trail}");
}

#[tokio::test]
async fn a_replayed_answer_signs_nobody_in() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let state = place.begin(&mut browser, "/").await;
    let mut replay = browser.clone();
    assert_eq!(browser.back("evil", &state).await.status(), StatusCode::SEE_OTHER);
    refuses(
        replay.back("evil", &state).await,
        StatusCode::BAD_REQUEST,
        "Begin again",
    )
    .await;
    assert_eq!(place.evil.manner().asked.len(), 1, "the code was shown once");
}

#[tokio::test]
async fn an_answer_in_another_browser_signs_nobody_in() {
    let place = Place::new().await;
    let state = place.begin(&mut place.browser(), "/").await;
    let mut victim = place.browser();
    refuses(
        victim.back("evil", &state).await,
        StatusCode::BAD_REQUEST,
        "another browser",
    )
    .await;
    let state = place.begin(&mut place.browser(), "/").await;
    place.begin(&mut victim, "/").await;
    refuses(
        victim.back("evil", &state).await,
        StatusCode::BAD_REQUEST,
        "another browser",
    )
    .await;
    assert!(place.evil.manner().asked.is_empty());
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_signs_nobody_in() {
    let place = Place::new().await;
    let mut browser = place.browser();
    for query in [
        "",
        "?code=x",
        "?code=x&state=",
        "?code=x&state=guess",
        "?state=guess",
        "?error=access_denied",
    ] {
        let answer = browser.go(&format!("/auth/callback/evil{query}")).await;
        refuses(answer, StatusCode::BAD_REQUEST, "Begin again").await;
    }
}

#[tokio::test]
async fn an_answer_at_another_providers_address_signs_nobody_in() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let state = place.begin(&mut browser, "/").await;
    refuses(
        browser.back("other", &state).await,
        StatusCode::BAD_REQUEST,
        "Begin again",
    )
    .await;
    assert!(place.other.manner().asked.is_empty() && place.evil.manner().asked.is_empty());
}

#[tokio::test]
async fn an_answer_that_says_it_is_of_another_issuer_signs_nobody_in() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let state = place.begin(&mut browser, "/").await;
    let path = format!("/auth/callback/evil?code=x&state={state}&iss={}", place.other.issuer);
    refuses(browser.go(&path).await, StatusCode::BAD_REQUEST, "another provider").await;
    assert!(place.evil.manner().asked.is_empty());
}

#[tokio::test]
async fn a_forged_token_signs_nobody_in() {
    let place = Place::new().await;
    place.evil.manner().sign = Sign::Forged;
    let mut browser = place.browser();
    let state = place.begin(&mut browser, "/").await;
    refuses(
        browser.back("evil", &state).await,
        StatusCode::BAD_REQUEST,
        "cannot be trusted",
    )
    .await;
}

#[tokio::test]
async fn coming_back_never_leads_to_another_site() {
    let place = Place::new().await;
    for elsewhere in [
        "//evil.test",
        "https://evil.test/",
        "%2F%2Fevil.test",
        "/%5Cevil.test",
        "%09//evil.test",
    ] {
        let mut browser = place.browser();
        let state = place.begin(&mut browser, elsewhere).await;
        let answer = browser.back("evil", &state).await;
        assert_eq!(answer.headers()[header::LOCATION], "/", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_login_that_was_planted_is_not_the_one_that_signing_in_gives() {
    let place = Place::new().await;
    let planted = place.arrived().await;
    let mut victim = place.browser();
    victim
        .cookies
        .insert("sandbox_login".to_owned(), planted.cookies["sandbox_login"].clone());
    let state = place.begin(&mut victim, "/").await;
    assert_eq!(victim.back("evil", &state).await.status(), StatusCode::SEE_OTHER);
    assert_ne!(victim.cookies["sandbox_login"], planted.cookies["sandbox_login"]);
    assert!(victim.me().await.is_some());
    assert!(planted.me().await.is_none(), "and the planted one is over");
}

#[tokio::test]
async fn what_a_provider_says_is_written_as_text() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let state = place.begin(&mut browser, "/").await;
    let path = format!("/auth/callback/evil?state={state}&error=%3Cscript%3Ealert(1)%3C/script%3E");
    let answer = browser.go(&path).await;
    assert!(
        answer.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("text")
            .contains("default-src 'none'")
    );
    let page = answer.text().await.expect("a page");
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
}

#[tokio::test]
async fn who_belongs_to_no_organization_reads_what_is_missing() {
    let place = Place::new().await;
    for (claims, words) in [
        (json!({ "org_id": null }), "`org_id` or `org`"),
        (json!({ "org_id": "nobody" }), "nobody"),
    ] {
        place.evil.manner().claims = claims;
        let mut browser = place.browser();
        let state = place.begin(&mut browser, "/").await;
        refuses(browser.back("evil", &state).await, StatusCode::FORBIDDEN, words).await;
    }
}

#[tokio::test]
async fn a_provider_that_breaks_is_told_in_words() {
    let place = Place::new().await;
    let mut browser = place.browser();
    let state = place.begin(&mut browser, "/").await;
    place.evil.manner().status = 502;
    place.evil.manner().tokens = json!("<html>");
    refuses(
        browser.back("evil", &state).await,
        StatusCode::SERVICE_UNAVAILABLE,
        "does not answer",
    )
    .await;
    let answer = browser.go("/auth/begin/nobody").await;
    refuses(answer, StatusCode::NOT_FOUND, "no such identity provider").await;
}

#[tokio::test]
async fn signing_out_ends_the_login_and_leads_on_to_the_provider() {
    let place = Place::new().await;
    let mut browser = place.arrived().await;
    let before = browser.clone();
    let request = browser
        .person
        .ask(Method::POST, "/sign-out")
        .header(header::ORIGIN, place.world.origin());
    let answer = browser.send(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let page = answer.text().await.expect("a page");
    let onward = format!("{}/elsewhere/end?with=query&amp;", place.evil.issuer);
    assert!(
        page.contains(&format!("0;url={onward}")) && page.contains("id_token_hint="),
        "{page}"
    );
    assert!(before.me().await.is_none());
}

#[tokio::test]
async fn a_word_of_the_provider_ends_logins_at_once_and_is_heard_once() {
    let place = Place::new().await;
    let browser = place.arrived().await;
    let tell = async |token: String| {
        let form = format!("logout_token={token}");
        let request = place
            .world
            .nobody()
            .ask(Method::POST, "/auth/backchannel-logout/evil")
            .body(form);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        answer.status()
    };
    place.evil.manner().sign = Sign::Forged;
    assert_eq!(tell(place.evil.logout_token(&json!({}))).await, StatusCode::BAD_REQUEST);
    place.evil.manner().sign = Sign::Honestly;
    assert_eq!(
        tell(place.evil.logout_token(&json!({ "aud": "another" }))).await,
        StatusCode::BAD_REQUEST
    );
    assert!(browser.me().await.is_some());
    let token = place.evil.logout_token(&json!({ "sub": null }));
    assert_eq!(tell(token.clone()).await, StatusCode::OK);
    assert!(browser.me().await.is_none());
    assert_eq!(tell(token).await, StatusCode::BAD_REQUEST, "a replay");
    assert_eq!(tell(String::new()).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_organization_is_switched_by_a_form_of_ours_alone_and_the_place_is_kept() {
    let place = Place::new().await;
    place
        .world
        .engine()
        .add_member("beta", "owner@beta.test", "Owner", Role::Owner)
        .await
        .expect("an owner");
    place.evil.manner().claims = json!({ "groups": ["/beta/developers"] });
    let mut browser = place.arrived().await;
    let switch = |browser: &Browser, origin: &str, org: &str, next: &str| {
        let request = browser
            .person
            .ask(Method::POST, "/switch")
            .body(format!("org={org}&next={next}"));
        request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin)
    };
    let ours = place.world.origin();
    let request = switch(&browser, "https://elsewhere.test", "beta", "/usage");
    assert_eq!(browser.send(request).await.status(), StatusCode::FORBIDDEN);
    for (org, next, lands) in [
        ("beta", "/usage?days=7", "/usage?days=7"),
        ("acme", "//evil.test", "/"),
        ("beta", "/sessions/none-aaaaa", "/"),
    ] {
        let request = switch(&browser, &ours, org, next);
        let answer = browser.send(request).await;
        assert_eq!(answer.headers()[header::LOCATION], lands);
        assert_eq!(browser.me().await.expect("somebody")["org"], org);
    }
    let request = switch(&browser, &ours, "local", "/");
    assert_eq!(
        browser.send(request).await.status(),
        StatusCode::NOT_FOUND,
        "somebody else's looks absent"
    );
    let person = Person {
        proof: Proof::Cookie(format!("sandbox_login={}", browser.cookies["sandbox_login"])),
        ..browser.person.clone()
    };
    let (_, all) = person.get("/me/organizations").await;
    assert_eq!(
        all["organizations"],
        json!([
            { "id": "acme", "display_name": "acme", "role": "developer", "state": "active", "current": false },
            { "id": "beta", "display_name": "beta", "role": "developer", "state": "active", "current": true },
        ])
    );
    let (status, _) = person
        .api(Method::PUT, "/me/organization", Some(json!({ "org": "acme" })))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(person.get("/me").await.1["org"], "acme");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_keeps_no_server_from_starting() {
    let world = World::with(&["--oidc-issuer", "http://127.0.0.1:9", "--oidc-client-id", "sandbox"]).await;
    let nobody = world.nobody();
    let begun = nobody
        .ask(Method::GET, "/auth/begin/sso")
        .send()
        .await
        .expect("an answer");
    refuses(begun, StatusCode::SERVICE_UNAVAILABLE, "does not answer").await;
    let page = nobody.ask(Method::GET, "/sign-in").send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    assert!(
        page.contains("Single sign-on does not answer") && page.contains("sandbox sign-in-link"),
        "{page}"
    );
}

#[tokio::test]
async fn a_login_is_held_to_what_its_claim_lists_at_every_door() {
    let place = Place::new().await;
    place.evil.manner().claims =
        json!({ "tier": "admin", "capabilities": ["sandbox.login.manage", "sandbox.quota.see"] });
    let mut browser = place.arrived().await;
    let me = browser.me().await.expect("somebody");
    assert_eq!(me["role"], "org-admin");
    assert_eq!(me["capabilities"], json!(["sandbox.quota.see", "sandbox.login.manage"]));
    let person = browser.signed_in();
    assert_eq!(person.get("/quota").await.0, StatusCode::OK);
    for refused in ["/sandbox/sessions", "/orgs/acme/members", "/tokens"] {
        assert_eq!(person.get(refused).await.0, StatusCode::FORBIDDEN, "{refused}");
    }
    let (_, logins) = person.get("/logins").await;
    assert_eq!(
        logins["logins"][0]["narrowed"],
        json!(["sandbox.login.manage", "sandbox.quota.see"])
    );
    let page = browser.go("/settings/access").await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.expect("a page");
    assert!(
        page.contains("narrowed to sandbox.quota.see, sandbox.login.manage"),
        "{page}"
    );
    // It gets no other way by which it could do more.
    let answer = browser.posts(&place, "/auth/link/other", "").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_identity_is_linked_by_whoever_is_signed_in_and_says_so_twice() {
    let place = Place::new().await;
    let mut browser = place.arrived().await;
    let mine = browser.me().await.expect("somebody")["id"].clone();
    // Another site cannot begin it.
    let request = browser.person.ask(Method::POST, "/auth/link/other");
    let answer = browser
        .send(request.header(header::ORIGIN, "https://elsewhere.test"))
        .await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let answer = browser.posts(&place, "/auth/link/other", "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.expect("a page");
    let onward = page.split("0;url=").nth(1).and_then(|rest| rest.split('"').next());
    let onward = onward.expect("an address").replace("&amp;", "&");
    // Whoever is signed in there may be somebody else.
    assert!(onward.contains("prompt=login"), "{onward}");
    let state = place.other.visited(&onward);
    let page = browser.back("other", &state).await.text().await.expect("a page");
    assert!(page.contains("Link this identity?"), "{page}");
    let secret = page
        .split("name=\"secret\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let secret = secret.expect("a secret").to_owned();
    assert_eq!(browser.ways().await.len(), 1, "not before it is said once more");
    let stranger = place
        .browser()
        .posts(&place, "/auth/link", &format!("secret={secret}"))
        .await;
    assert_ne!(stranger.status(), StatusCode::OK);
    let answer = browser.posts(&place, "/auth/link", &format!("secret={secret}")).await;
    assert_eq!(answer.headers()[header::LOCATION], "/settings#ways");
    let ways = browser.ways().await;
    assert_eq!(ways.len(), 2);
    let again = browser.posts(&place, "/auth/link", &format!("secret={secret}")).await;
    refuses(again, StatusCode::BAD_REQUEST, "Nothing waits").await;
    assert_eq!(browser.me().await.expect("somebody")["id"], mine, "still who they were");
    // The first cannot go: the seat comes from it. The second can, once.
    for (way, status) in [(&ways[0], StatusCode::CONFLICT), (&ways[1], StatusCode::NO_CONTENT)] {
        let path = format!("/me/ways/{}", way["id"].as_str().expect("an id"));
        let (answered, _) = browser.signed_in().api(Method::DELETE, &path, None).await;
        assert_eq!(answered, status, "{way}");
    }
    assert_eq!(browser.ways().await.len(), 1);
}
