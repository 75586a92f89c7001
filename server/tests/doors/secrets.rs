//! Secrets over REST, and the command that looks after their keys.

use crate::world::{World, answer};
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

/// What is looked for in every byte that is left behind.
const CANARY: &str = "canary-3f1d0c";

fn secret(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value, "bindings": { "everyone": true } })
}

/// Files below `folder` that hold `text`.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = next.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                next.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && bytes.windows(text.len()).any(|window| window == text.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_secret_is_made_rotated_bound_and_deleted_and_its_value_is_in_no_answer_and_no_file() {
    let mut world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let mut answers = Vec::new();
    let (status, made) = ada.post("/secrets", secret("STRIPE_KEY", &format!("{CANARY}-1"))).await;
    assert_eq!((status, &made["version"]), (StatusCode::CREATED, &json!(1)), "{made}");
    let path = format!("/secrets/{}", made["id"].as_str().expect("an id"));
    let session = ada.open_shell("work").await;
    let (status, rotated) = ada
        .api(
            Method::PUT,
            &format!("{path}/value"),
            Some(json!({ "value": format!("{CANARY}-2") })),
        )
        .await;
    assert_eq!((status, &rotated["version"]), (StatusCode::OK, &json!(2)), "{rotated}");
    let holder = &rotated["holders"][0];
    assert_eq!(
        (&holder["session"], &holder["version"]),
        (&json!(session), &json!(1)),
        "the old one"
    );
    let (status, bound) = ada
        .api(
            Method::PATCH,
            &path,
            Some(json!({ "bindings": { "agents": ["shell"] } })),
        )
        .await;
    assert_eq!(
        (status, &bound["bindings"]["agents"]),
        (StatusCode::OK, &json!(["shell"]))
    );
    // What is refused repeats nothing.
    for (at, method, body) in [
        ("/secrets".to_owned(), Method::POST, secret("STRIPE_KEY", CANARY)),
        ("/secrets".to_owned(), Method::POST, secret("not a name", CANARY)),
        ("/secrets".to_owned(), Method::POST, secret("BIG", &CANARY.repeat(6000))),
        (format!("{path}/value"), Method::PUT, json!({ "value": [CANARY] })),
        (
            format!("{path}/value"),
            Method::PUT,
            json!({ "value": format!("{CANARY}\0") }),
        ),
    ] {
        let (status, refused) = ada.api(method, &at, Some(body)).await;
        assert!(status.is_client_error() && refused["detail"].is_string(), "{refused}");
        answers.push(refused);
    }
    let whole = "x".repeat(64 * 1024);
    assert_eq!(
        ada.post("/secrets", secret("WHOLE", &whole)).await.0,
        StatusCode::CREATED
    );
    let (_, list) = ada.get("/secrets").await;
    let (_, activity) = ada.get(&format!("/sandbox/sessions/{session}/activity")).await;
    answers.extend([made, rotated, bound, list, activity]);
    assert!(!format!("{answers:?}").contains(CANARY), "{answers:?}");
    assert_eq!(ada.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ada.api(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ada.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(files_with(world.data.path(), CANARY), [""; 0], "while it runs");
    let dumped = String::from_utf8(world.data.dumped()).expect("text");
    assert!(!dumped.contains(CANARY), "in the database");
    world.stop().await;
    assert_eq!(files_with(world.data.path(), CANARY), [""; 0], "after it stopped");
}

#[tokio::test]
async fn an_organizations_secrets_are_its_admins_and_nobody_elses() {
    let world = World::new().await;
    let admin = world.member("acme", "admin@acme.test", Role::OrgAdmin).await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let eve = world.member("evil", "eve@evil.test", Role::Owner).await;
    let group = json!({ "name": ".netrc", "kind": "file", "value": "x", "group": "/dev" });
    let (status, made) = admin.post("/orgs/acme/secrets", group).await;
    assert_eq!(
        (status, &made["owner"], &made["group"]),
        (StatusCode::CREATED, &json!("group"), &json!("/dev"))
    );
    assert_eq!(
        made["bindings"]["everyone"],
        json!(false),
        "bound to nobody until somebody binds it"
    );
    let id = made["id"].as_str().expect("an id");
    for person in [&ada, &eve] {
        assert_eq!(person.get("/orgs/acme/secrets").await.0, StatusCode::NOT_FOUND);
        for path in [
            format!("/orgs/acme/secrets/{id}"),
            format!("/secrets/{id}"),
            format!("/orgs/evil/secrets/{id}"),
        ] {
            assert_eq!(person.get(&path).await.0, StatusCode::NOT_FOUND, "{path}");
            let rotated = person
                .api(Method::PUT, &format!("{path}/value"), Some(json!({ "value": "y" })))
                .await;
            assert_eq!(rotated.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let (_, list) = admin.get("/orgs/acme/secrets").await;
    assert_eq!(list["secrets"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["secrets"][0]["version"], json!(1));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    let request = ada
        .ask(Method::POST, "/api/v1/secrets")
        .json(&secret("BIG", &"x".repeat(600 * 1024)));
    assert_eq!(answer(request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

/// The program itself, on the data of a server that runs.
fn sandbox(world: &World, arguments: &[&str], key: Option<&str>) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(world.data.path())
        .envs(world.data.environment())
        .env_remove("SANDBOX_SECRETS_KEY");
    if let Some(key) = key {
        command.env("SANDBOX_SECRETS_KEY", key);
    }
    let output = command.output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn keys_are_changed_while_the_server_runs() {
    let world = World::new().await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    for number in 0..3 {
        let made = ada.post("/secrets", secret(&format!("KEY_{number}"), CANARY)).await;
        assert_eq!(made.0, StatusCode::CREATED);
    }
    let (fine, said) = sandbox(&world, &["secrets", "check"], None);
    assert!(fine && said.contains("3 secrets can be read, 0 cannot"), "{said}");
    let (fine, said) = sandbox(&world, &["secrets", "new-key"], None);
    assert!(fine && said.contains("is the first in"), "{said}");
    // The server has taken it up by itself.
    assert_eq!(
        ada.post("/secrets", secret("KEY_3", CANARY)).await.0,
        StatusCode::CREATED
    );
    let (fine, said) = sandbox(&world, &["secrets", "rekey"], None);
    assert!(
        fine && said.contains("3 secrets sealed anew") && said.contains("can be removed"),
        "{said}"
    );
    let (fine, said) = sandbox(&world, &["secrets", "rekey"], None);
    assert!(fine && said.contains("0 secrets sealed anew"), "{said}");
    // The old key goes; everything still reads, also in a session that starts now.
    let file = world.data.path().join("keys/secrets.key");
    let keys = std::fs::read_to_string(&file).expect("there");
    let first = keys.lines().next().expect("a key").to_owned();
    std::fs::write(&file, format!("{first}\n")).expect("written");
    let (fine, said) = sandbox(&world, &["secrets", "check"], None);
    assert!(fine && said.contains("4 secrets can be read, 0 cannot"), "{said}");
    ada.open_shell("work").await;

    // Another key does not open them, and is told by name.
    let (fine, other) = sandbox(&world, &["secrets", "new-key"], Some(&first));
    let other = other.lines().find(|line| line.len() == 44).expect("a key");
    assert!(fine);
    let (fine, said) = sandbox(&world, &["secrets", "check"], Some(other));
    assert!(
        !fine && said.contains("KEY_0") && said.contains("not among the server's keys"),
        "{said}"
    );
    assert!(!said.contains(CANARY) && !said.contains(other));
    let (fine, said) = sandbox(&world, &["secrets", "check"], Some("nonsense"));
    assert!(
        !fine && said.contains("base64 of 32 bytes") && !said.contains("nonsense"),
        "{said}"
    );
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("opened");
    let (fine, said) = sandbox(&world, &["secrets", "check"], None);
    assert!(!fine && said.contains("chmod 600"), "{said}");
}
