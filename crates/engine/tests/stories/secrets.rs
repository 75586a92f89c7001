use crate::house::House;
use domain::{
    Caller, OrgId, Role,
    host::AGENT,
    id::SecretId,
    member::Leaving,
    secret::{Bindings, Held, Kind, New, Value},
    session::{Open, Phase},
    wire::Size,
};
use engine::{Error, Shelf, ports::Sealed};

fn acme() -> Shelf {
    Shelf::Org(OrgId::new("acme"))
}

fn env(name: &str, value: &str, bindings: Bindings) -> New {
    New {
        name: name.to_owned(),
        kind: Some(Kind::Env),
        value: Value::new(value),
        group: None,
        bindings,
    }
}

/// What is written when something of an Organization is sealed anew.
fn resealed(org: &str) -> domain::audit::Entry {
    domain::audit::Entry {
        at: domain::Timestamp::default(),
        org: OrgId::new(org),
        person: None,
        actor: "system".to_owned(),
        via: "system".to_owned(),
        role: None,
        address: None,
        action: "secret.resealed".to_owned(),
        target: String::new(),
        detail: serde_json::json!({}),
        request: None,
    }
}

fn to(people: &[&Caller]) -> Bindings {
    Bindings {
        people: people.iter().map(|caller| caller.person.clone()).collect(),
        ..Bindings::default()
    }
}

async fn made(house: &House, caller: &Caller, shelf: &Shelf, new: New) -> Held {
    house.engine.create_secret(caller, shelf, new).await.expect("made")
}

#[tokio::test]
async fn a_secret_reaches_whom_it_is_bound_to_and_a_colleague_gets_nothing() {
    let house = House::new().await;
    let admin = house.person("acme", "admin", Role::OrgAdmin).await;
    let (ada, bob) = (
        house.person("acme", "ada", Role::Developer).await,
        house.person("acme", "bob", Role::Developer).await,
    );
    made(&house, &admin, &acme(), env("STRIPE_KEY", "canary-1", to(&[&ada]))).await;
    made(&house, &admin, &acme(), env("UNBOUND", "canary-2", Bindings::default())).await;
    let (hers, his) = (house.open(&ada, "hers").await, house.open(&bob, "his").await);
    assert_eq!(house.runtime.given(&hers.session.id, AGENT), ["STRIPE_KEY=canary-1"]);
    assert!(house.runtime.given(&his.session.id, AGENT).is_empty());
    // The one beside gets it too.
    let shell = house
        .engine
        .open_terminal(&ada, &hers.session.id, None, Size::default())
        .await
        .expect("a shell");
    assert_eq!(
        house.runtime.given(&hers.session.id, &shell.id),
        ["STRIPE_KEY=canary-1"]
    );

    let received = house.engine.secrets_received(&ada).await.expect("names");
    assert_eq!(
        received.iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>(),
        ["STRIPE_KEY"]
    );
    assert!(house.engine.secrets_received(&bob).await.expect("names").is_empty());
}

#[tokio::test]
async fn ones_own_wins_and_a_repository_narrows() {
    let house = House::new().await;
    let admin = house.person("acme", "admin", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    made(
        &house,
        &admin,
        &acme(),
        env("KEY", "the Organization's", Bindings::everyone()),
    )
    .await;
    made(&house, &ada, &Shelf::Own, env("KEY", "hers", Bindings::everyone())).await;
    let narrow = Bindings {
        repositories: ["git.example.org/team/*".to_owned()].into(),
        ..Bindings::default()
    };
    made(&house, &admin, &acme(), env("DEPLOY", "for the repository", narrow)).await;
    let empty = house.open(&ada, "empty").await;
    assert_eq!(house.runtime.given(&empty.session.id, AGENT), ["KEY=hers"]);
    let open = Open {
        agent: "shell".to_owned(),
        repo: Some("https://git.example.org/team/api.git".to_owned()),
        ..Open::default()
    };
    let cloned = house.engine.open(&ada, open, None).await.expect("opens");
    let given = house.runtime.given(&cloned.session.id, AGENT);
    assert_eq!(given, ["DEPLOY=for the repository", "KEY=hers"]);
}

#[tokio::test]
async fn a_rotated_value_reaches_new_sessions_and_who_has_the_old_is_known() {
    let house = House::new().await;
    let admin = house.person("acme", "admin", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let id = made(&house, &admin, &acme(), env("KEY", "old", Bindings::everyone()))
        .await
        .secret
        .id;
    let first = house.open(&ada, "first").await.session.id;
    let rotated = house
        .engine
        .rotate_secret(&admin, &acme(), &id, Value::new("new"))
        .await
        .expect("rotated");
    assert_eq!(rotated.secret.version, 2);
    let outdated: Vec<_> = rotated.outdated().map(|holder| holder.session.clone()).collect();
    assert_eq!(outdated, std::slice::from_ref(&first));
    let second = house.open(&ada, "second").await.session.id;
    assert_eq!(house.runtime.given(&second, AGENT), ["KEY=new"]);
    // A new shell has the new value; the agent beside it still has the old.
    let shell = house
        .engine
        .open_terminal(&ada, &first, None, Size::default())
        .await
        .expect("a shell");
    assert_eq!(house.runtime.given(&first, &shell.id), ["KEY=new"]);
    let held = house.engine.secret(&admin, &acme(), &id).await.expect("there");
    assert_eq!((held.holders.len(), held.outdated().count()), (2, 1));

    house.engine.restart(&ada, &first).await.expect("restarted");
    house
        .until(&ada, &first, |view| view.session.phase == Phase::Ready)
        .await;
    assert_eq!(house.runtime.given(&first, AGENT), ["KEY=new"]);
    let held = house.engine.secret(&admin, &acme(), &id).await.expect("there");
    assert_eq!((held.holders.len(), held.outdated().count()), (2, 0));

    // No longer bound: at its next start it has nothing.
    house
        .engine
        .bind_secret(&admin, &acme(), &id, Bindings::default())
        .await
        .expect("unbound");
    house.engine.restart(&ada, &first).await.expect("restarted");
    assert!(house.runtime.given(&first, AGENT).is_empty());
    let held = house.engine.secret(&admin, &acme(), &id).await.expect("there");
    assert_eq!(held.holders.len(), 1);
}

#[tokio::test]
async fn the_audit_tells_what_was_done_and_no_value() {
    let house = House::new().await;
    let admin = house.person("acme", "admin", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let id = made(&house, &admin, &acme(), env("KEY", "canary-a", Bindings::everyone()))
        .await
        .secret
        .id;
    house.open(&ada, "work").await;
    house
        .engine
        .rotate_secret(&admin, &acme(), &id, Value::new("canary-b"))
        .await
        .expect("rotated");
    house
        .engine
        .bind_secret(&admin, &acme(), &id, to(&[&ada]))
        .await
        .expect("bound");
    house
        .engine
        .bind_secret(&admin, &acme(), &id, Bindings::default())
        .await
        .expect("unbound");
    house.engine.delete_secret(&admin, &acme(), &id).await.expect("deleted");
    house
        .engine
        .delete_secret(&admin, &acme(), &id)
        .await
        .expect("gone already");
    let entries = house.audit(&OrgId::new("acme")).await;
    let all = format!("{entries:?}");
    assert!(!all.contains("canary"), "{all}");
    let mut actions: Vec<_> = entries
        .iter()
        .map(|entry| entry.action.as_str())
        .filter(|action| action.starts_with("secret."))
        .collect();
    actions.reverse();
    let expected =
        ["created", "delivered", "rotated", "bound", "unbound", "deleted"].map(|what| format!("secret.{what}"));
    assert_eq!(actions, expected);
}

#[tokio::test]
async fn nobody_reaches_anothers_secrets() {
    let house = House::new().await;
    let admin = house.person("acme", "admin", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let eve = house.person("evil", "eve", Role::Owner).await;
    let viewer = house.person("acme", "vera", Role::Viewer).await;
    let org = made(&house, &admin, &acme(), env("KEY", "x", Bindings::everyone()))
        .await
        .secret
        .id;
    let own = made(&house, &ada, &Shelf::Own, env("MINE", "x", Bindings::everyone()))
        .await
        .secret
        .id;
    let engine = &house.engine;
    // Her own is not on the admin's page, nor under an admin's hand.
    let listed = engine.secrets(&admin, &acme()).await.expect("a list");
    assert_eq!(listed.iter().map(|held| &held.secret.id).collect::<Vec<_>>(), [&org]);
    for (caller, shelf, id) in [
        (&admin, acme(), &own),
        (&admin, Shelf::Own, &own),
        (&ada, Shelf::Own, &org),
        (&ada, acme(), &org),
        (&eve, acme(), &org),
        (&eve, Shelf::Org(OrgId::new("evil")), &org),
        (&eve, Shelf::Own, &own),
    ] {
        let who = &caller.email;
        assert!(
            matches!(engine.secret(caller, &shelf, id).await, Err(Error::NotFound(_))),
            "{who}"
        );
        let rotated = engine.rotate_secret(caller, &shelf, id, Value::new("y")).await;
        assert!(matches!(rotated, Err(Error::NotFound(_))), "{who}");
        let _ = engine.delete_secret(caller, &shelf, id).await;
    }
    let refused = engine
        .create_secret(&viewer, &Shelf::Own, env("V", "x", Bindings::everyone()))
        .await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let refused = engine
        .create_secret(&ada, &acme(), env("A", "x", Bindings::everyone()))
        .await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
    let stranger = engine.create_secret(&admin, &acme(), env("B", "x", to(&[&eve]))).await;
    assert!(matches!(stranger, Err(Error::Invalid(problem)) if problem.field.as_deref() == Some("people")));
    assert_eq!(
        engine.secrets(&admin, &acme()).await.expect("a list").len(),
        1,
        "nothing was done"
    );
    assert_eq!(engine.secrets(&ada, &Shelf::Own).await.expect("a list").len(), 1);
}

#[tokio::test]
async fn a_value_that_cannot_be_read_fails_the_session_with_a_sentence() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let id = made(&house, &ada, &Shelf::Own, env("KEY", "x", Bindings::everyone()))
        .await
        .secret
        .id;
    assert_eq!(house.engine.check_secrets().await.expect("looked").whole, 1);
    let (_, before) = house
        .store
        .sealed_secrets(None, None, 1)
        .await
        .expect("one")
        .swap_remove(0);
    for (wrong, word) in [
        (
            Sealed {
                key: "00000000".to_owned(),
                ..before.clone()
            },
            "not among the server's keys",
        ),
        (
            Sealed {
                text: before.text[..40].to_owned(),
                ..before.clone()
            },
            "changed, cut or moved",
        ),
    ] {
        let current = house
            .store
            .sealed_secrets(None, None, 1)
            .await
            .expect("one")
            .swap_remove(0)
            .1;
        house
            .store
            .reseal(&[(id.clone(), current, wrong)], resealed("acme"))
            .await
            .expect("broken");
        let open = Open {
            agent: "shell".to_owned(),
            ..Open::default()
        };
        let view = house.engine.open(&ada, open, None).await.expect("recorded");
        let view = house
            .until(&ada, &view.session.id, |view| view.session.phase == Phase::Failed)
            .await;
        let reason = view.session.reason.expect("a reason");
        assert!(reason.contains("KEY") && reason.contains(word), "{reason}");
        let checked = house.engine.check_secrets().await.expect("looked");
        assert_eq!((checked.whole, checked.broken), (0, 1));
        assert!(checked.unreadable[0].contains("KEY") && checked.unreadable[0].contains(word));
        let rekeyed = house.engine.rekey_secrets().await.expect("an answer");
        assert_eq!(rekeyed.resealed, 0);
    }
}

#[tokio::test]
async fn everything_is_sealed_anew_with_a_new_key_and_reads_as_before() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    for number in 0..90 {
        made(
            &house,
            &ada,
            &Shelf::Own,
            env(&format!("KEY_{number}"), "x", Bindings::default()),
        )
        .await;
    }
    let admin = house.person("acme", "admin", Role::OrgAdmin).await;
    for number in 0..90 {
        made(
            &house,
            &admin,
            &acme(),
            env(&format!("KEY_{number}"), "y", Bindings::default()),
        )
        .await;
    }
    let old = house.store.sealing_keys().await.expect("keys");
    assert_eq!(old.len(), 1);
    let added = identity::Keyring::add_key(&house.key_file()).expect("added");
    let rekeyed = house.engine.rekey_secrets().await.expect("rekeyed");
    assert_eq!((rekeyed.resealed, &rekeyed.key), (180, &added));
    assert_eq!(rekeyed.spare, [old[0].0.clone()]);
    assert_eq!(house.engine.check_secrets().await.expect("looked").whole, 180);
    // Each Organization that was touched is told how many, from which key to which, and no more.
    let bob = house.person("globex", "bob", Role::Owner).await;
    for (org, reader, secrets) in [("acme", &admin, 180), ("globex", &bob, 0)] {
        let ask = domain::audit::Ask {
            action: "secret.resealed".to_owned(),
            limit: 50,
            ..Default::default()
        };
        let trail = house.engine.audit(reader, ask).await.expect("read");
        let details: Vec<_> = trail
            .lines
            .iter()
            .map(|line| &line.entry.detail["resealed"][0])
            .collect();
        let sum: u64 = details.iter().filter_map(|detail| detail["secrets"].as_u64()).sum();
        assert_eq!(sum, secrets, "{org}: {details:?}");
        for detail in details {
            assert_eq!(detail["from"], *old[0].0);
            assert_eq!(detail["to"], *added);
            assert_eq!(detail.as_object().expect("an object").len(), 3);
        }
    }
    assert_eq!(house.engine.rekey_secrets().await.expect("again").resealed, 0);
    assert!(house.engine.missing_keys().await.expect("keys").is_empty());
}

#[tokio::test]
async fn what_a_leaver_was_given_does_not_go_on_with_the_heir() {
    let house = House::new().await;
    let admin = house.person("acme", "admin", Role::Owner).await;
    let (ada, bob) = (
        house.person("acme", "ada", Role::Developer).await,
        house.person("acme", "bob", Role::Developer).await,
    );
    let plain = house.open(&ada, "plain").await.session.id;
    made(&house, &ada, &Shelf::Own, env("MINE", "x", Bindings::everyone())).await;
    let holding = house.open(&ada, "holding").await.session.id;
    let leaving = Leaving::HandOver { to: bob.person.clone() };
    let org = OrgId::new("acme");
    house
        .engine
        .remove_member(&admin, &org, &ada.person, &leaving)
        .await
        .expect("removed");
    let view = house.engine.show(&bob, &holding).await.expect("his now");
    assert_eq!(view.session.phase, Phase::Suspended);
    let view = house.engine.show(&bob, &plain).await.expect("his now");
    assert_eq!(view.session.phase, Phase::Ready);
    house.engine.resume(&bob, &holding).await.expect("resumed");
    assert!(house.runtime.given(&holding, AGENT).is_empty());
    let gone = house
        .store
        .find_secret(&org, &SecretId::new("any"))
        .await
        .expect("an answer");
    assert_eq!(gone, None);
}
