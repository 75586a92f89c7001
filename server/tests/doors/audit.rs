//! The audit through its doors: who may read what, filtered, paged, exported; and what is written into it.

use crate::{
    socket::Socket,
    world::{Person, World, answer},
};
use domain::{Role, wire::FromTerminal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio_tungstenite::tungstenite::Message;

async fn entries(person: &Person, query: &str) -> Vec<Value> {
    let (status, list) = person.get(&format!("/audit{query}")).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    list["entries"].as_array().expect("entries").clone()
}

/// The entries once there are so many: what goes with no change is written soon, not at once.
async fn until(person: &Person, query: &str, count: usize) -> Vec<Value> {
    for _ in 0..2000 {
        let found = entries(person, query).await;
        if found.len() >= count {
            return found;
        }
    }
    panic!("there never were {count} of {query}");
}

#[tokio::test]
async fn entries_say_who_as_what_from_where_and_are_found_by_each_filter() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ann = world.member("acme", "ann@acme.test", Role::OrgAdmin).await;
    let request = ann.ask(Method::POST, "/api/v1/tokens").header("x-request-id", "r-77");
    let (status, minted) = answer(request.json(&json!({ "name": "laptop" }))).await;
    assert_eq!(status, StatusCode::CREATED);
    let found = entries(&ann, "?request=r-77").await;
    let [entry] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        [
            &entry["actor"],
            &entry["role"],
            &entry["address"],
            &entry["action"],
            &entry["org"]
        ],
        ["ann@acme.test", "org-admin", "127.0.0.1", "token.minted", "acme"]
    );
    assert_eq!(entry["target"], minted["jti"]);
    let secret = minted["token"].as_str().expect("a secret");
    assert!(!entry.to_string().contains(secret), "never a secret");
    let person = entry["person"].as_str().expect("a person");
    let today = &entry["at"].as_str().expect("a time")[..10];
    for (query, count) in [
        ("?actor=ANN%40acme".to_owned(), 2),
        (format!("?actor={person}"), 2),
        ("?actor=nobody".to_owned(), 0),
        ("?action=token.".to_owned(), 1),
        ("?action=signed-in".to_owned(), 1),
        (format!("?target={}", minted["jti"].as_str().expect("an id")), 1),
        (format!("?from={today}&until={today}&action=token."), 1),
        ("?until=2001-01-01".to_owned(), 0),
        ("?from=2999-01-01T00:00:00Z".to_owned(), 0),
        ("?action=token.&actor=ann".to_owned(), 1),
    ] {
        assert_eq!(entries(&ann, &query).await.len(), count, "{query}");
    }
    for (query, field) in [
        ("?from=yesterday", "from"),
        ("?until=24.11.2026", "until"),
        ("?from=2026-11-24&until=2026-11-23", "until"),
    ] {
        let (status, problem) = ann.get(&format!("/audit{query}")).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{problem}"
        );
    }
    assert_eq!(ann.get("/audit?cursor=x").await.0, StatusCode::BAD_REQUEST);

    // Pages join to the whole.
    let (mut positions, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, list) = admin.get(&format!("/audit?fleet=true&limit=2{cursor}")).await;
        positions.extend(
            list["entries"]
                .as_array()
                .expect("entries")
                .iter()
                .map(|e| e["position"].clone()),
        );
        let Some(next) = list["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let whole = entries(&admin, "?fleet=true&limit=200").await;
    assert_eq!(
        positions,
        whole.iter().map(|e| e["position"].clone()).collect::<Vec<_>>()
    );
    assert!(whole.len() > 5);

    // Whose: one's own Organization's; for a super-admin another's, or all.
    let orgs = |found: Vec<Value>| -> BTreeSet<String> {
        found
            .iter()
            .map(|e| e["org"].as_str().expect("an org").to_owned())
            .collect()
    };
    assert_eq!(orgs(entries(&ann, "").await), BTreeSet::from(["acme".to_owned()]));
    assert_eq!(orgs(entries(&admin, "").await), BTreeSet::from(["local".to_owned()]));
    assert_eq!(
        orgs(entries(&admin, "?org=acme").await),
        BTreeSet::from(["acme".to_owned()])
    );
    for refused in ["?org=local", "?org=none", "?fleet=true"] {
        assert_eq!(ann.get(&format!("/audit{refused}")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(
            ann.get(&format!("/audit/export{refused}")).await.0,
            StatusCode::FORBIDDEN
        );
    }

    // One of them.
    let (status, shown) = ann.get(&format!("/audit/{}", entry["position"])).await;
    assert_eq!((status, &shown["chain"]["state"]), (StatusCode::OK, &json!("intact")));
    assert_eq!(shown["chain"]["hash"], entry["chain"]["hash"]);
    let (_, founded) = admin.get("/audit/1").await;
    assert_eq!(
        [&founded["action"], &founded["chain"]["state"]],
        ["installation.founded", "first"]
    );
    for absent in ["1", "0", "-1", "999999", "none", "99999999999999999999"] {
        assert_eq!(
            ann.get(&format!("/audit/{absent}")).await.0,
            StatusCode::NOT_FOUND,
            "{absent}"
        );
    }
}

#[tokio::test]
async fn an_export_is_everything_that_fits_in_both_forms() {
    let world = World::new().await;
    let admin = world.admin().await;
    // A name that a spreadsheet would run, and more than two pages.
    admin.post("/tokens", json!({ "name": "=cmd|' /C calc'!A0" })).await;
    for _ in 0..450 {
        world.engine().sign_in_link(None, None).await.expect("a link");
    }
    let export = async |query: &str| {
        let answer = admin
            .ask(Method::GET, &format!("/api/v1/audit/export{query}"))
            .send()
            .await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        let head = (header("content-type"), header("content-disposition"));
        (head, answer.text().await.expect("a body"))
    };
    let (head, lines) = export("?action=sign-in-link.made").await;
    assert_eq!(
        head,
        (
            "application/x-ndjson".to_owned(),
            "attachment; filename=\"audit.jsonl\"".to_owned()
        )
    );
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 451);
    let numbers: BTreeSet<i64> = lines
        .iter()
        .map(|e| e["chain"]["number"].as_i64().expect("a number"))
        .collect();
    assert_eq!(numbers.len(), 451, "none twice");
    assert!(
        lines
            .windows(2)
            .all(|two| two[0]["position"].as_i64() > two[1]["position"].as_i64()),
        "newest first"
    );

    let (head, text) = export("?format=csv&action=token.minted").await;
    assert!(head.0.starts_with("text/csv"), "{head:?}");
    let mut rows = text.split("\r\n");
    assert!(
        rows.next()
            .is_some_and(|row| row.starts_with("at,org,actor,role,via,address,action,target,detail"))
    );
    let row = rows.next().expect("a row");
    assert!(
        row.contains(",admin@localhost,super-admin,login,127.0.0.1,token.minted,"),
        "{row}"
    );
    // JSON in a cell begins with a brace: the name in it is no formula.
    assert!(row.contains("\"\"name\"\":\"\"=cmd|' /C calc'!A0\"\""), "{row}");
    assert_eq!(rows.collect::<Vec<_>>(), [""], "one row, and its end");
    assert_eq!(entries(&admin, "?action=audit.exported").await.len(), 2);
    assert_eq!(admin.get("/audit/export?format=xml").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn who_takes_the_keyboard_is_told_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let bob = world.member("local", "bob@local.test", Role::Developer).await;
    let id = admin.open_shell("drive").await;
    let (status, _) = admin
        .api(
            Method::PATCH,
            &format!("/sandbox/sessions/{id}"),
            Some(json!({ "sharing": "drive" })),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    let mut desk = Socket::framed(&admin, &id, "?client=desk").await.expect("attached");
    desk.type_in("echo mine-$((1+1))\r").await;
    desk.until_shown("mine-2").await;
    let mut other = Socket::framed(&bob, &id, "?client=phone").await.expect("attached");
    other
        .until_said(|said| matches!(said, FromTerminal::Viewers { .. }))
        .await;
    other.send(Message::Text(r#"{"type":"take_control"}"#.into())).await;
    let taken = until(&admin, "?action=terminal.taken-over", 1).await;
    assert_eq!(taken[0]["actor"], "bob@local.test");
    assert_eq!(taken[0]["target"], json!(id));
    assert_eq!(taken[0]["address"], "127.0.0.1");
    assert_eq!(taken[0]["detail"]["before"]["driver"], "Admin");
    let driven = until(&admin, "?action=terminal.driven", 1).await;
    assert_eq!((driven.len(), &driven[0]["actor"]), (1, &json!("admin@localhost")));
}

#[tokio::test]
async fn refusals_are_written_and_so_are_links_that_open_nothing() {
    let world = World::new().await;
    let admin = world.admin().await;
    let dev = world.member("local", "dev@local.test", Role::Developer).await;
    for _ in 0..3 {
        let off = Some(json!({ "enabled": false }));
        let (status, _) = dev.api(Method::PUT, "/agents/aider/switch", off).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let refused = world.nobody().ask(Method::POST, "/sign-in/sbl_nothing").send().await;
        assert_eq!(refused.expect("an answer").status(), StatusCode::BAD_REQUEST);
    }
    let refused = until(&admin, "?action=permit.refused", 1).await;
    assert_eq!((refused.len(), &refused[0]["actor"]), (1, &json!("dev@local.test")));
    assert_eq!(refused[0]["detail"]["verb"], "switch-agents");
    let links = entries(&admin, "?action=sign-in.refused").await;
    let [link] = links.as_slice() else { panic!("{links:?}") };
    assert_eq!(
        [&link["actor"], &link["address"], &link["via"]],
        ["unknown", "127.0.0.1", "link"]
    );
    assert!(link["request"].is_string());
    assert!(!link.to_string().contains("sbl_"), "never the link");
}

#[tokio::test]
async fn what_was_written_is_whole() {
    let world = World::new().await;
    world.member("acme", "ann@acme.test", Role::OrgAdmin).await;
    let store = store::open(&world.data.store(), world.data.path())
        .await
        .expect("opens");
    let mut told = Vec::new();
    let mut say = |line: &str| {
        told.push(line.to_owned());
        Ok(())
    };
    assert_eq!(server::verify_audit(&store, None, &mut say).await.expect("answers"), 0);
    assert_eq!(
        server::verify_audit(&store, Some("acme"), &mut say)
            .await
            .expect("answers"),
        0
    );
    let refused = server::verify_audit(&store, Some("nowhere"), &mut say)
        .await
        .expect_err("none");
    assert!(refused.to_string().contains("no audit"), "{refused}");
    assert_eq!(told.len(), 3);
    assert!(told[0].starts_with("acme: whole, 3 entries"), "{told:?}");
    assert!(told[1].starts_with("local: whole, "), "{told:?}");
}

#[tokio::test]
async fn every_way_in_says_from_where() {
    let world = World::new().await;
    let owner = world.member("acme", "owner@acme.test", Role::Owner).await;
    let (status, invited) = owner
        .post("/orgs/acme/invitations", json!({ "email": "new@acme.test" }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{invited}");
    let link = invited["link"].as_str().expect("a link");
    let (_, path) = link.split_at(link.find("/join/").expect("a way in"));
    let joined = world
        .nobody()
        .ask(Method::POST, path)
        .form(&[("name", "New")])
        .send()
        .await;
    assert_eq!(joined.expect("an answer").status(), StatusCode::SEE_OTHER);
    let asked = world
        .nobody()
        .ask(Method::POST, "/auth/device")
        .json(&json!({ "name": "laptop" }));
    let (_, codes) = answer(asked).await;
    let said = [
        ("code", codes["user_code"].as_str().expect("a code")),
        ("answer", "approve"),
    ];
    let approved = owner
        .ask(Method::POST, "/device")
        .form(&said)
        .send()
        .await
        .expect("an answer");
    assert_eq!(approved.status(), StatusCode::OK);
    let poll =
        json!({ "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"] });
    let (status, minted) = answer(world.nobody().ask(Method::POST, "/auth/device/token").json(&poll)).await;
    assert_eq!(status, StatusCode::OK, "{minted}");
    for action in ["signed-in", "member.joined", "device.approved", "token.minted"] {
        let found = entries(&owner, &format!("?action={action}")).await;
        assert_eq!(found[0]["address"], "127.0.0.1", "{action}: {found:?}");
    }
}
