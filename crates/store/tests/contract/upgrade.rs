//! A database of the first release, with people in it, opened by this one.

use crate::{cast::*, place::Place};
use domain::{
    Role, SessionId,
    member::{ListMembers, Sort, Status},
    org::{ListOrgs, Org},
    session::Phase,
};
use engine::ports::{Bounds, Opened, Record};
use sha2::{Digest as _, Sha384};

const FIRST: &str = include_str!("../../migrations/0001_first.sql");

/// Makes the first schema as the first release did, and what its people left in it.
async fn first_release(place: &Place) {
    let mut stranger = place.stranger().await;
    let schema = match place.file() {
        Some(_) => FIRST.replace(" COLLATE \"C\"", ""),
        None => FIRST.to_owned(),
    };
    stranger.does(&schema).await;
    let checksum: String = Sha384::digest(schema.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (time, bytes, blob) = match place.file() {
        Some(_) => ("TIMESTAMP", "BLOB", format!("x'{checksum}'")),
        None => ("TIMESTAMPTZ", "BYTEA", format!("'\\x{checksum}'")),
    };
    stranger
        .does(&format!(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on {time} NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
             checksum {bytes} NOT NULL, execution_time BIGINT NOT NULL);
             INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (1, 'first', TRUE, {blob}, 0)"
        ))
        .await;
    let now = at(10).millis();
    for (org, name) in [("acme", "Ärger & Söhne"), ("other", "The other")] {
        stranger
            .does(&format!("INSERT INTO orgs VALUES ('{org}', '{name}', {now})"))
            .await;
    }
    for (org, person, name, role) in [
        ("acme", "ann", "Ünal Öz", "super-admin"),
        ("acme", "bob", "bob", "org-admin"),
        ("acme", "cid", "Cid", "developer"),
        ("acme", "dan", "ÄRGER", "developer"),
        ("other", "eve", "eve", "developer"),
    ] {
        stranger
            .does(&format!(
                "INSERT INTO members VALUES ('{org}', '{person}', '{person}@example.org', '{person}@example.org', \
                 '{name}', '{role}', {now});
                 INSERT INTO logins VALUES ('l-{person}', 'cookie-{person}', '{org}', '{person}', 'ua', 'ip', {now}, \
                 {now}, {end});
                 INSERT INTO tokens VALUES ('t-{person}', 'token-{person}', '{org}', '{person}', 'ci', '[]', {now}, \
                 {end}, NULL, NULL);
                 INSERT INTO sessions VALUES ('s-{person}', '{org}', '{person}', '{name}', '{person}@example.org', \
                 'one', 'shell', NULL, NULL, 'Suspended', NULL, NULL, NULL, 'private', {now}, {active}, 7, 1, NULL, \
                 'stopped', 0, 'one', 'one', '{name}')",
                end = at(9000).millis(),
                active = at(400).millis(),
            ))
            .await;
    }
}

pub(crate) async fn a_database_of_the_first_release_comes_out_right(place: Place) {
    if let Some(file) = place.file() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, []).expect("an empty database");
    }
    first_release(&place).await;
    let store = place.open().await;

    assert_eq!(
        store.find_org(&acme()).await.expect("an answer"),
        Some(Org::new(acme(), "Ärger & Söhne", at(10))),
        "open, with nothing chosen"
    );
    let search = |words: &str| ListOrgs {
        search: words.to_owned(),
        ..ListOrgs::default()
    };
    for (words, found) in [("ärger", 1), ("ACME", 1), ("the other", 1), ("nobody", 0)] {
        let page = store.list_orgs(&search(words), at(20)).await.expect("a page");
        assert_eq!(page.total, found, "{words}");
    }

    let ask = ListMembers {
        sort: Sort::Name,
        limit: 1,
        ..ListMembers::default()
    };
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let ask = ListMembers { cursor, ..ask.clone() };
        let page = store.list_members(&acme(), &ask, at(20)).await.expect("a page");
        assert_eq!(page.total, 4);
        names.extend(page.items.into_iter().map(|seat| seat.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        names,
        ["bob", "Cid", "ÄRGER", "Ünal Öz"],
        "in the order of those who come now, and each once"
    );
    for words in ["ünal", "ÖZ", "ann@EXAMPLE"] {
        let ask = ListMembers {
            search: words.to_owned(),
            ..ListMembers::default()
        };
        let page = store.list_members(&acme(), &ask, at(20)).await.expect("a page");
        assert_eq!(page.total, 1, "{words}");
    }
    let ann = seat(&*store, &acme(), "ann").await;
    assert_eq!(
        (ann.status, ann.ends_at, ann.seen_at, ann.role, ann.sessions),
        (Status::Active, None, None, Role::SuperAdmin, 1)
    );

    let login = store.find_login(&hash("cookie-bob"), at(20)).await.expect("an answer");
    assert_eq!(login.expect("still signed in").1.role, Role::OrgAdmin);
    let token = store.find_token(&hash("token-eve"), at(20)).await.expect("an answer");
    assert_eq!(token.expect("it holds").1.org, other());
    let (plan, layers) = store
        .quota_layers(&acme(), &person("cid"), at(20))
        .await
        .expect("layers");
    assert_eq!((plan, layers), (None, vec![]));
    let found = store
        .find_session(&of(acme()), &SessionId::new("s-cid"))
        .await
        .expect("an answer")
        .expect("the session");
    assert_eq!((found.phase, found.woken_at), (Phase::Suspended, at(400)));
    let woken = store
        .record_resumed(&acme(), &found.id, Bounds::default(), at(500), Record::default())
        .await
        .expect("an answer");
    assert!(matches!(woken, Opened::Recorded(session) if session.woken_at == at(500)));
    invite(&*store, &acme(), "new@example.org").await;

    // Once more: nothing is done twice.
    store.close().await;
    let again = place.open().await;
    assert_eq!(seat(&*again, &acme(), "ann").await, ann);
}
