//! Databases of earlier releases, with people in them, opened by this one.

use crate::{
    cast::*,
    place::{Place, Stranger},
};
use domain::{
    PersonId, Role, SessionId,
    member::{ListMembers, Sort, Status},
    org::{ListOrgs, Org},
    session::Phase,
};
use engine::ports::{Bounds, Opened, Record};
use sha2::{Digest as _, Sha384};

/// The steps of the schema that stories begin from, in order.
const STEPS: [(&str, &str); 11] = [
    ("first", include_str!("../../migrations/0001_first.sql")),
    ("organizations", include_str!("../../migrations/0002_organizations.sql")),
    ("audit", include_str!("../../migrations/0003_audit.sql")),
    ("secrets", include_str!("../../migrations/0004_secrets.sql")),
    ("devices", include_str!("../../migrations/0005_devices.sql")),
    ("identity", include_str!("../../migrations/0006_identity.sql")),
    ("directory", include_str!("../../migrations/0007_directory.sql")),
    ("passes", include_str!("../../migrations/0008_passes.sql")),
    ("rules", include_str!("../../migrations/0009_rules.sql")),
    ("ways", include_str!("../../migrations/0010_ways.sql")),
    ("recordings", include_str!("../../migrations/0011_recordings.sql")),
];

/// Makes the schema as a release did that knew so many steps.
async fn lay_out(place: &Place, steps: usize) -> Stranger {
    if let Some(file) = place.file() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, []).expect("an empty database");
    }
    let mut stranger = place.stranger().await;
    let (time, bytes) = match place.file() {
        Some(_) => ("TIMESTAMP", "BLOB"),
        None => ("TIMESTAMPTZ", "BYTEA"),
    };
    stranger
        .does(&format!(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on {time} NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
             checksum {bytes} NOT NULL, execution_time BIGINT NOT NULL)"
        ))
        .await;
    for (version, (name, text)) in (1..).zip(&STEPS[..steps]) {
        let schema = match place.file() {
            Some(_) => text.replace(" COLLATE \"C\"", ""),
            None => (*text).to_owned(),
        };
        stranger.does(&schema).await;
        let checksum: String = Sha384::digest(schema.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let blob = match place.file() {
            Some(_) => format!("x'{checksum}'"),
            None => format!("'\\x{checksum}'"),
        };
        stranger
            .does(&format!(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES ({version}, '{name}', TRUE, {blob}, 0)"
            ))
            .await;
    }
    stranger
}

/// Makes the first schema as the first release did, and what its people left in it.
async fn first_release(place: &Place) {
    let mut stranger = lay_out(place, 1).await;
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

pub(crate) async fn a_directory_from_before_makers_were_remembered_comes_out_right(place: Place) {
    let mut stranger = lay_out(&place, 11).await;
    let now = at(10).millis();
    stranger
        .does(&format!(
            "INSERT INTO orgs (id, display_name, created_at) VALUES ('acme', 'Acme', {now}), ('other', 'Other', {now})"
        ))
        .await;
    for (org, person, email, name) in [
        ("acme", "ann", "ann@example.org", "Ann"),
        ("acme", "bob", "bob@example.org", "Bob Builder"),
        ("acme", "cid", "cid@example.org", "Ünal"),
        ("other", "eve", "root@example.org", "Eve"),
        ("acme", "fay", "root@example.org", "Fay"),
    ] {
        let key = name.to_lowercase();
        stranger
            .does(&format!(
                "INSERT INTO members (org, person, email, email_key, name, name_key, words, role, created_at) \
                 VALUES ('{org}', '{person}', '{email}', '{email}', '{name}', '{key}', '{key} {email}', 'owner', {now})"
            ))
            .await;
    }
    // By the audit; by the address, where the audit says nothing; by neither. The audit goes before an address that
    // another person here has.
    for (id, made_by) in [
        ("audited", "root@example.org"),
        ("addressed", "ann@example.org"),
        ("unknown", "gone@example.org"),
    ] {
        stranger
            .does(&format!(
                "INSERT INTO directory_tokens (id, hash, org, name, rank, made_by, created_at, expires_at) \
                 VALUES ('{id}', 'hash-{id}', 'acme', '{id}', 'owner', '{made_by}', {now}, {end})",
                end = at(9000).millis(),
            ))
            .await;
    }
    stranger
        .does(&format!(
            "INSERT INTO audit (position, at, org, person, actor, via, action, target, detail) VALUES \
             (1, {now}, 'acme', 'eve', 'Eve', 'login', 'directory.token-minted', 'audited', '{{}}')"
        ))
        .await;
    for (person, given, family) in [("bob", "'Bob'", "'Builder'"), ("cid", "NULL", "NULL")] {
        stranger
            .does(&format!(
                "INSERT INTO directory_users (org, person, user_name, user_name_key, given_name, family_name, changed_at, \
                 version) VALUES ('acme', '{person}', '{person}', '{person}', {given}, {family}, {now}, 1)"
            ))
            .await;
    }
    let store = place.open().await;
    for (id, maker) in [("audited", Some("eve")), ("addressed", Some("ann")), ("unknown", None)] {
        let found = store.find_directory_token(&hash(&format!("hash-{id}")), at(20)).await;
        let (token, _) = found.expect("an answer").expect("it holds");
        assert_eq!(
            (token.maker, token.token.rests_since),
            (maker.map(PersonId::new), None),
            "{id}"
        );
    }
    for (id, display_name, shown) in [
        ("bob", None, "Bob Builder"),
        ("cid", Some("Ünal"), "Ünal"),
        ("ann", Some("Ann"), "Ann"),
    ] {
        let user = store.find_user(&acme(), &person(id), at(20)).await.expect("an answer");
        let user = user.expect("a user");
        assert_eq!(
            (user.display_name.as_deref(), user.name.as_str()),
            (display_name, shown)
        );
        assert_eq!(user.formatted, None);
    }
}
