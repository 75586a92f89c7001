use crate::house::House;
use domain::{
    OrgId, Role,
    org::{Billing, Change, Found, Kind, ListOrgs, State, Tier},
    session::{Open, Phase, Status},
    wire::{Frame, FromTerminal, Size},
};
use engine::{
    AttachAsk, Error, From,
    ports::{Message, Observation},
};
use futures::{SinkExt as _, StreamExt as _};
use tokio::task::JoinSet;

fn found(slug: &str, owner: &str) -> Found {
    Found {
        slug: slug.to_owned(),
        display_name: "Acme & Söhne".to_owned(),
        kind: Kind::Customer,
        tier: Tier::Corporate,
        billing: Billing::Real,
        seats: Some(3),
        plan: Some("sandbox-pro".to_owned()),
        owner: owner.to_owned(),
    }
}

fn shell(name: &str) -> Open {
    Open {
        agent: "shell".to_owned(),
        name: Some(name.to_owned()),
        ..Open::default()
    }
}

#[tokio::test]
async fn an_organization_is_founded_and_its_first_owner_comes_by_a_link() {
    let house = House::new().await;
    let root = house.root().await;
    let (made, invited) = house
        .engine
        .found_org(&root, found("acme", "Olga@Acme.example"))
        .await
        .unwrap();
    assert_eq!((made.org.seats, made.seats_used, made.invited), (Some(3), 0, 1));
    let olga = house
        .engine
        .join(&invited.secret, "Olga", &From::default())
        .await
        .unwrap()
        .caller;
    assert_eq!(
        (olga.role, olga.org.as_str(), olga.email.as_str()),
        (Role::Owner, "acme", "olga@acme.example")
    );
    assert!(matches!(
        house.engine.found_org(&root, found("acme", "x@y")).await,
        Err(Error::Conflict(problem)) if problem.field.as_deref() == Some("slug")
    ));
    for (bad, field) in [
        (found("prod", "x@y"), "slug"),
        (found("fine", "nobody"), "owner"),
        (
            Found {
                seats: Some(0),
                ..found("fine", "x@y")
            },
            "seats",
        ),
        (
            Found {
                plan: Some("gold".to_owned()),
                ..found("fine", "x@y")
            },
            "plan",
        ),
    ] {
        let Err(Error::Invalid(problem)) = house.engine.found_org(&root, bad).await else {
            panic!("{field}")
        };
        assert_eq!(problem.field.as_deref(), Some(field));
    }
    assert!(matches!(
        house.engine.found_org(&olga, found("mine", "x@y")).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn an_owner_renames_and_only_the_installation_changes_what_was_bought() {
    let house = House::new().await;
    let root = house.root().await;
    let owner = house.person("acme", "olga", Role::Owner).await;
    let acme = owner.org.clone();
    let name = |name: &str| Change {
        display_name: Some(name.to_owned()),
        ..Change::default()
    };
    let seats = Change {
        seats: Some(Some(9)),
        ..Change::default()
    };
    let renamed = house.engine.change_org(&owner, &acme, &name("New")).await.unwrap();
    assert_eq!(renamed.org.display_name, "New");
    assert!(matches!(
        house.engine.change_org(&owner, &acme, &seats).await,
        Err(Error::Forbidden(_))
    ));
    assert_eq!(
        house.engine.change_org(&root, &acme, &seats).await.unwrap().org.seats,
        Some(9)
    );
    let mut entries = house.audit(&acme).await;
    entries.retain(|entry| entry.action == "org.changed");
    assert_eq!(entries[0].actor, "root@example.org");
    assert_eq!(entries[0].detail["before"]["seats"], serde_json::Value::Null);
    assert_eq!(entries[0].detail["after"]["seats"], 9);
    assert_eq!(
        (
            &entries[1].detail["before"]["display_name"],
            &entries[1].detail["after"]["display_name"]
        ),
        (&"acme".into(), &"New".into())
    );
    assert!(
        house.audit(&root.org).await.iter().all(|entry| entry.target != "acme"),
        "what is done to an Organization is in its own audit"
    );
}

#[tokio::test]
async fn another_organization_looks_like_one_that_does_not_exist() {
    let house = House::new().await;
    house.person("acme", "ada", Role::Developer).await;
    let (acme, nowhere) = (OrgId::new("acme"), OrgId::new("nowhere"));
    for role in [Role::Viewer, Role::Developer, Role::OrgAdmin, Role::Owner] {
        let eve = house.person("evil", "eve", role).await;
        let said = async |org: &OrgId| {
            let change = Change {
                display_name: Some("x".to_owned()),
                ..Change::default()
            };
            let answers = [
                house.engine.org(&eve, org).await.map(|_| ()),
                house.engine.change_org(&eve, org, &change).await.map(|_| ()),
                house
                    .engine
                    .set_org_state(&eve, org, State::Suspended)
                    .await
                    .map(|_| ()),
                house.engine.members(&eve, org, &Default::default()).await.map(|_| ()),
                house.engine.invitations(&eve, org).await.map(|_| ()),
                house.engine.limits(&eve, org).await.map(|_| ()),
                house.engine.requests(&eve, org, None).await.map(|_| ()),
                house.engine.switch(&eve, org).await,
            ];
            answers.map(|answer| {
                let error = answer.expect_err("not hers");
                (error.status(), error.problem())
            })
        };
        let (there, absent) = (said(&acme).await, said(&nowhere).await);
        assert_eq!(there, absent, "{role:?}");
        if role >= Role::OrgAdmin {
            assert!(
                there.iter().filter(|(status, _)| *status == 404).count() >= 6,
                "{there:?}"
            );
        }
        assert!(matches!(
            house.engine.orgs(&eve, &ListOrgs::default()).await,
            Err(Error::Forbidden(_))
        ));
    }
}

#[tokio::test]
async fn a_suspended_organization_sleeps_and_looks_and_wakes_when_it_is_open_again() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let eve = house.person("other", "eve", Role::Developer).await;
    let running = house.open(&ada, "running").await.session.id;
    let ended = house.open(&ada, "ended").await.session.id;
    house
        .engine
        .open_terminal(&ada, &ended, None, Size::default())
        .await
        .unwrap();
    house.engine.signal(&ada, &ended, "agent", "HUP").await.unwrap();
    house.until(&ada, &ended, |view| view.status == Status::Stopped).await;
    let elsewhere = house.open(&eve, "elsewhere").await.session.id;

    let closed = house
        .engine
        .set_org_state(&root, &ada.org, State::Suspended)
        .await
        .unwrap();
    assert_eq!(
        (closed.org.state, closed.live, closed.sessions),
        (State::Suspended, 0, 2)
    );
    for id in [&running, &ended] {
        let view = house.engine.show(&ada, id).await.unwrap();
        assert_eq!(view.session.phase, Phase::Suspended, "{id}");
        assert!(!house.runtime.is_running(id), "a shell takes input no more: {id}");
    }
    assert!(house.runtime.is_running(&elsewhere));

    let closed = |error: Error| {
        let problem = error.problem();
        assert_eq!((error.status(), problem.code.as_str()), (409, "organization-closed"));
    };
    closed(house.engine.open(&ada, shell("new"), None).await.expect_err("closed"));
    closed(house.engine.resume(&ada, &running).await.expect_err("closed"));
    let mut looking = house.engine.attach(&ada, &running, AttachAsk::default()).await.unwrap();
    let key = Frame::Input { at: 0, bytes: b"x" }.encode();
    looking.to_terminal.send(Message::Binary(key.into())).await.unwrap();
    let refused = loop {
        let Some(message) = looking.from_terminal.next().await else {
            panic!("it says why")
        };
        let Message::Text(text) = message else { continue };
        if let FromTerminal::Refused { code, .. } = serde_json::from_str(&text).unwrap() {
            break code;
        }
    };
    assert_eq!(refused, "organization-closed", "a keystroke wakes nothing");
    assert!(!house.runtime.is_running(&running));
    assert!(matches!(
        house.engine.set_org_state(&root, &root.org, State::Archived).await,
        Err(Error::Conflict(_))
    ));

    house
        .engine
        .set_org_state(&root, &ada.org, State::Active)
        .await
        .unwrap();
    house.engine.resume(&ada, &running).await.unwrap();
    house.until(&ada, &running, |view| view.status == Status::Running).await;
    house.open(&ada, "new").await;
    let states: Vec<_> = house
        .audit(&ada.org)
        .await
        .into_iter()
        .filter(|entry| entry.action == "org.changed")
        .map(|entry| {
            (
                entry.detail["before"]["state"].clone(),
                entry.detail["after"]["state"].clone(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("suspended".into(), "active".into()),
            ("active".into(), "suspended".into())
        ]
    );
}

#[tokio::test]
async fn an_archived_organization_lets_nobody_in_and_nobody_stay() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let browser = house.browser(&ada).await;
    let asleep = house.open(&ada, "asleep").await.session.id;
    house.engine.suspend(&ada, &asleep).await.unwrap();
    let looking = house
        .engine
        .attach(&browser.caller, &asleep, AttachAsk::default())
        .await
        .unwrap();
    let mut live = house.engine.live(&browser.caller, None).await.unwrap();
    house
        .engine
        .set_org_state(&root, &ada.org, State::Archived)
        .await
        .unwrap();
    assert_eq!(house.engine.caller_of_cookie(&browser.cookie).await.unwrap(), None);
    assert!(looking.revoked.is_cancelled(), "not even the last screen");
    while live.recv().await.is_some() {}
    house
        .engine
        .set_org_state(&root, &ada.org, State::Active)
        .await
        .unwrap();
    let back = house.engine.caller_of_cookie(&browser.cookie).await.unwrap();
    assert_eq!(
        back.map(|caller| caller.person),
        Some(ada.person),
        "nothing was deleted"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_opens_while_their_organization_is_closed_runs_nothing_afterwards() {
    let house = House::on_plan(Some("sandbox-ent")).await;
    let root = house.root().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let mut wishes = JoinSet::new();
    for number in 0..30 {
        let (engine, ada, root) = (house.engine.clone(), ada.clone(), root.clone());
        wishes.spawn(async move {
            if number == 10 {
                let closed = engine.set_org_state(&root, &ada.org, State::Suspended).await;
                assert_eq!(closed.expect("closes").live, 0);
                return;
            }
            match engine.open(&ada, shell(&format!("s{number}")), None).await {
                Ok(_) => {}
                Err(error) => assert_eq!(error.problem().code, "organization-closed", "{error}"),
            }
        });
    }
    wishes.join_all().await;
    let left = house.store.live_sessions_of(&ada.org, None, 100).await.unwrap();
    assert!(left.is_empty(), "{left:#?}");
}

#[tokio::test]
async fn a_server_that_died_while_closing_is_made_up_for_by_the_next() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house
        .runtime
        .see(Observation::Live {
            session: id.clone(),
            status: house.runtime.host(&id, 0),
        })
        .await;
    house.until(&ada, &id, |view| view.live.is_some()).await;
    // It remembered that the Organization is closed, and got no further.
    house
        .store
        .record_org_state(&ada.org, State::Suspended, Default::default())
        .await
        .unwrap();
    house.minute().await;
    let asleep = house
        .until(&root, &id, |view| view.session.phase == Phase::Suspended)
        .await;
    assert!(asleep.session.reason.unwrap().contains("suspended"));
}

#[tokio::test]
async fn the_health_of_the_installation_is_for_those_who_run_it() {
    let house = House::new().await;
    let (root, oda) = (house.root().await, house.person("acme", "oda", Role::Owner).await);
    let refused = house.engine.health(&oda).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let facts = house.engine.health(&root).await.expect("facts");
    let said = |name: &str| facts.iter().find(|fact| fact.name == name).expect(name).clone();
    assert!(said("Hosts").well && said("Database").well);
    assert!(said("Audit forwarding").said.starts_with("nobody outside"));
    // A receiver that has taken the first entry and nothing since is told with what it has not got.
    house.engine.audit_forwarded("archive", 1).await.expect("noted");
    let facts = house.engine.health(&root).await.expect("facts");
    let waits = facts.iter().find(|fact| fact.name == "Audit forwarding").expect("one");
    assert!(waits.said.starts_with("archive waits for"), "{waits:?}");
    // What should run and has no host is somebody's to look after.
    let id = house.open(&oda, "one").await.session.id;
    let hosts = async || {
        let facts = house.engine.health(&root).await.expect("facts");
        facts.into_iter().find(|fact| fact.name == "Hosts").expect("one")
    };
    let lost = hosts().await;
    assert_eq!(
        (lost.said.as_str(), lost.well),
        ("0 of 1 running sessions have their host", false)
    );
    let status = house.runtime.host(&id, 1);
    house
        .runtime
        .see(Observation::Live {
            session: id.clone(),
            status,
        })
        .await;
    house.until(&oda, &id, |view| view.live.is_some()).await;
    let found = hosts().await;
    assert_eq!(
        (found.said.as_str(), found.well),
        ("1 of 1 running sessions have their host", true)
    );
}
