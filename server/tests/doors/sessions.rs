use crate::world::{World, answer};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The same JSON without what differs from run to run.
fn steady(mut item: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let steady = match name.as_str() {
                        "id" | "createdAt" | "activeAt" => Some(format!("[{name}]")),
                        _ => None,
                    };
                    match steady {
                        Some(steady) if value.is_string() => *value = steady.into(),
                        _ => walk(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut item);
    item
}

#[tokio::test]
async fn a_session_is_told_as_published() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (status, opened) = admin
        .post(
            "/sandbox/sessions",
            json!({ "agent": "shell", "name": "Fix the login" }),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let id = opened["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("fix-the-login-"), "{id}");
    insta::assert_json_snapshot!("opened", steady(opened));

    let (status, list) = admin.get("/sandbox/sessions").await;
    assert_eq!((status, &list["total"]), (StatusCode::OK, &json!(1)));
    assert_eq!(list["sandboxes"][0]["id"], id);

    let (status, shown) = admin.get(&format!("/sandbox/sessions/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    for field in [
        "id",
        "name",
        "agent",
        "status",
        "createdAt",
        "repo",
        "sessions",
        "previews",
        "conditions",
    ] {
        assert!(!shown[field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn a_session_runs_sleeps_wakes_and_goes() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = admin.open_shell("life").await;
    let path = format!("/sandbox/sessions/{id}");

    let (status, terminals) = admin.get(&format!("{path}/terminals")).await;
    assert_eq!(
        (status, &terminals["terminals"][0]["id"]),
        (StatusCode::OK, &json!("agent"))
    );
    let (status, shell) = admin
        .post(&format!("{path}/terminals"), json!({ "label": "Beside" }))
        .await;
    assert_eq!((status, &shell["label"]), (StatusCode::CREATED, &json!("Beside")));
    let beside = shell["id"].as_str().expect("an id");
    let (status, _) = admin
        .post(
            &format!("{path}/resize"),
            json!({ "rows": 30, "cols": 100, "terminal": beside }),
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = admin.post(&format!("{path}/signal"), json!({ "signal": "int" })).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, wrong) = admin.post(&format!("{path}/signal"), json!({ "signal": "KILL" })).await;
    assert_eq!(
        (status, &wrong["error"], &wrong["field"]),
        (StatusCode::BAD_REQUEST, &json!("unsupported-signal"), &json!("signal"))
    );
    let (status, _) = admin
        .api(Method::DELETE, &format!("{path}/terminals/{beside}"), None)
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = admin
        .api(Method::DELETE, &format!("{path}/terminals/agent"), None)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, holdings) = admin.get(&format!("{path}/holdings")).await;
    assert_eq!(status, StatusCode::OK, "{holdings}");

    let mut events = admin.events(None).await;
    let (status, item) = admin.post(&format!("{path}/suspend"), json!({})).await;
    assert_eq!(
        (status, &item["status"], &item["phase"]),
        (StatusCode::OK, &json!("stopped"), &json!("Suspended"))
    );
    let (status, _) = admin.post(&format!("{path}/resume"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    admin.until_status(&mut events, &id, "running").await;

    let (status, activity) = admin.get(&format!("{path}/activity")).await;
    assert_eq!(status, StatusCode::OK);
    let actions: Vec<_> = activity["activity"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|done| done["action"].clone())
        .collect();
    assert!(actions.contains(&json!("session.opened")), "{actions:?}");

    // Gone, and gone again; and it looks like one that never was.
    for _ in 0..2 {
        assert_eq!(admin.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    }
    let (status, gone) = admin.get(&path).await;
    let (_, never) = admin.get("/sandbox/sessions/never-was").await;
    assert_eq!(
        (status, &gone["error"]),
        (StatusCode::NOT_FOUND, &json!("sandbox-not-found"))
    );
    assert_eq!(gone, never);
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong_with_them() {
    let world = World::new().await;
    let admin = world.admin().await;
    let path = "/api/v1/sandbox/sessions";
    let open = |body: &'static str| {
        admin
            .ask(Method::POST, path)
            .header("content-type", "application/json")
            .body(body)
    };
    let long = format!("{{\"agent\":\"{}\"}}", "x".repeat(70_000));
    let cases = [
        (open(""), 400, "empty-body", Value::Null),
        (open("  \n"), 400, "empty-body", Value::Null),
        (open("{"), 400, "invalid-json", Value::Null),
        (open("{\"agent\": 5}"), 400, "invalid-json", Value::Null),
        (open("{}"), 400, "invalid-agent", json!("agent")),
        (open("{\"agent\": \"no-such\"}"), 400, "invalid-agent", json!("agent")),
        (
            open("{\"agent\": \"shell\", \"name\": \"a\\u0007b\"}"),
            400,
            "invalid-name",
            json!("name"),
        ),
        (
            open("{\"agent\": \"shell\", \"repo\": \"--upload-pack=x\"}"),
            400,
            "invalid-repo",
            json!("repo"),
        ),
        (
            open("{\"agent\": \"shell\", \"branch\": \"main\"}"),
            400,
            "invalid-branch",
            json!("branch"),
        ),
        (
            admin
                .ask(Method::POST, path)
                .header("content-type", "text/plain")
                .body("{}"),
            415,
            "unsupported-media-type",
            Value::Null,
        ),
        (
            admin
                .ask(Method::POST, path)
                .header("content-type", "application/json")
                .body(long),
            413,
            "body-too-large",
            Value::Null,
        ),
        (
            admin.ask(Method::PUT, path).body("{}"),
            405,
            "method-not-allowed",
            Value::Null,
        ),
        (admin.ask(Method::GET, "/api/v1/nothing"), 404, "not-found", Value::Null),
        (
            admin.ask(Method::POST, "/api/v2/sandbox/sessions"),
            404,
            "not-found",
            Value::Null,
        ),
        (
            admin.ask(Method::GET, &format!("{path}/")),
            400,
            "missing-id",
            Value::Null,
        ),
        (
            admin.ask(Method::DELETE, &format!("{path}/")),
            400,
            "missing-id",
            Value::Null,
        ),
        (
            admin.ask(Method::GET, &format!("{path}?sort=size")),
            400,
            "invalid-query",
            json!("sort"),
        ),
        (
            admin.ask(Method::GET, &format!("{path}?status=asleep")),
            400,
            "invalid-query",
            json!("status"),
        ),
        (
            admin.ask(Method::GET, &format!("{path}?limit=-1")),
            400,
            "invalid-query",
            Value::Null,
        ),
        (
            admin.ask(Method::GET, "/api/v1/usage?days=0"),
            400,
            "invalid-query",
            json!("days"),
        ),
        (
            admin.ask(Method::GET, &format!("{path}/x/attach")),
            404,
            "sandbox-not-found",
            Value::Null,
        ),
        (
            world.nobody().ask(Method::GET, path),
            401,
            "unauthenticated",
            Value::Null,
        ),
        (
            world.nobody().with_token("sbp_no").ask(Method::GET, path),
            401,
            "unauthenticated",
            Value::Null,
        ),
        (
            admin
                .ask(Method::POST, path)
                .header("idempotency-key", "a b")
                .json(&json!({})),
            400,
            "invalid-idempotency-key",
            json!("Idempotency-Key"),
        ),
    ];
    for (request, status, code, field) in cases {
        let (got, said) = answer(request).await;
        assert_eq!((got.as_u16(), &said["error"]), (status, &json!(code)), "{said}");
        assert_eq!(said["field"], field, "{said}");
        assert!(
            said["detail"].as_str().is_some_and(|detail| detail.ends_with('.')),
            "{said}"
        );
    }
}

#[tokio::test]
async fn the_same_key_opens_one_session() {
    let world = World::new().await;
    let admin = world.admin().await;
    let open = |key: &'static str| {
        let request = admin
            .ask(Method::POST, "/api/v1/sandbox/sessions")
            .header("idempotency-key", key);
        answer(request.json(&json!({ "agent": "shell", "name": "once" })))
    };
    let (first, again, other) = (open("k1").await, open("k1").await, open("k2").await);
    assert_eq!((first.0, again.0), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.1["id"], again.1["id"]);
    assert_ne!(first.1["id"], other.1["id"]);
    assert_eq!(admin.get("/sandbox/sessions").await.1["total"], 2);
}

#[tokio::test]
async fn the_limit_of_a_plan_is_named_with_who_can_raise_it() {
    let world = World::with(&["--plan", "sandbox-free"]).await;
    let admin = world.admin().await;
    let open = || admin.post("/sandbox/sessions", json!({ "agent": "shell" }));
    assert_eq!(open().await.0, StatusCode::CREATED);
    let (status, refused) = open().await;
    assert_eq!(
        (status, &refused["error"]),
        (StatusCode::CONFLICT, &json!("over-quota")),
        "{refused}"
    );
    let detail = refused["detail"].as_str().expect("a sentence");
    assert!(detail.contains('1'), "{detail}");
    let (_, quota) = admin.get("/quota").await;
    assert_eq!(
        (
            &quota["limits"]["concurrentSessions"],
            &quota["used"]["concurrentSessions"]
        ),
        (&json!(1), &json!(1))
    );
    assert_eq!(quota["plan"], "sandbox-free");
}

#[tokio::test]
async fn a_change_is_whole_or_none() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (_, item) = admin
        .post("/sandbox/sessions", json!({ "agent": "shell", "name": "before" }))
        .await;
    let path = format!("/sandbox/sessions/{}", item["id"].as_str().expect("an id"));
    let change = |body: Value| admin.api(Method::PATCH, &path, Some(body));
    let (status, refused) = change(json!({ "name": "after", "sharing": "everybody" })).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::BAD_REQUEST, &json!("sharing"))
    );
    assert_eq!(admin.get(&path).await.1["name"], "before");
    let (status, changed) = change(json!({ "name": " after ", "sharing": "watch" })).await;
    assert_eq!(
        (status, &changed["name"], &changed["sharing"]),
        (StatusCode::OK, &json!("after"), &json!("watch"))
    );
}

#[tokio::test]
async fn a_list_is_paged_searched_and_sorted_by_the_server() {
    let world = World::with(&["--plan", "sandbox-ent"]).await;
    let admin = world.admin().await;
    for name in ["cherry", "apple", "banana"] {
        admin
            .post("/sandbox/sessions", json!({ "agent": "shell", "name": name }))
            .await;
    }
    let names = |list: &Value| -> Vec<String> {
        let items = list["sandboxes"].as_array().expect("a list").iter();
        items
            .map(|item| item["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let (_, first) = admin.get("/sandbox/sessions?sort=name&limit=2").await;
    assert_eq!(
        (names(&first), &first["total"]),
        (vec!["apple".into(), "banana".into()], &json!(3))
    );
    let next = first["next"].as_str().expect("a cursor");
    let (_, second) = admin
        .get(&format!("/sandbox/sessions?sort=name&limit=2&cursor={next}"))
        .await;
    assert_eq!(names(&second), ["cherry"]);
    assert!(second["next"].is_null());
    let (_, found) = admin.get("/sandbox/sessions?search=anan").await;
    assert_eq!(names(&found), ["banana"]);
}

#[tokio::test]
async fn no_search_however_odd_breaks_the_list() {
    let world = World::new().await;
    let admin = world.admin().await;
    admin
        .post(
            "/sandbox/sessions",
            json!({ "agent": "shell", "name": "100% _odd_ 'name'" }),
        )
        .await;
    let long = "x".repeat(3000);
    for (search, found) in [
        ("%", 1),
        ("_odd", 1),
        ("'name'", 1),
        ("' OR 1=1 --", 0),
        ("\"", 0),
        ("\\", 0),
        ("\u{0}", 0),
        ("ÄÖ🦀", 0),
        (&*long, 0),
    ] {
        let request = admin
            .ask(Method::GET, "/api/v1/sandbox/sessions")
            .query(&[("search", search)]);
        let (status, list) = answer(request).await;
        assert_eq!(
            (status, &list["total"]),
            (StatusCode::OK, &json!(found)),
            "{search:?}: {list}"
        );
    }
    for cursor in ["x", "%00", "e30", "AAAA", "-1"] {
        let (status, said) = admin.get(&format!("/sandbox/sessions?cursor={cursor}")).await;
        assert!(
            status == StatusCode::OK || status == StatusCode::BAD_REQUEST,
            "{cursor}: {said}"
        );
    }
}
