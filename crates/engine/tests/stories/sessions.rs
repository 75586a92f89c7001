use crate::house::{House, PATIENCE};
use domain::{
    Role,
    host::{Dimension, UsageFact},
    page::ListSessions,
    session::{Open, Phase, Sharing, Status},
};
use engine::{Error, ports::Observation};
use std::time::Instant;

#[tokio::test]
async fn a_session_is_opened_renamed_put_to_sleep_woken_and_deleted() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let opened = house.open(&ada, "Fix the login").await;
    let id = opened.session.id.clone();
    assert!(id.as_str().starts_with("fix-the-login-"), "{id}");
    assert_eq!(opened.status, Status::Running);

    let renamed = house.engine.rename(&ada, &id, "  Fix sign-in ").await.unwrap();
    assert_eq!(renamed.session.name, "Fix sign-in");
    assert_eq!(renamed.session.id, id, "the id stays");

    let asleep = house.engine.suspend(&ada, &id).await.unwrap();
    assert_eq!(
        (asleep.session.phase, asleep.status),
        (Phase::Suspended, Status::Stopped)
    );
    assert!(!house.runtime.is_running(&id));
    house.engine.suspend(&ada, &id).await.expect("twice is no error");

    house.engine.resume(&ada, &id).await.unwrap();
    house.until(&ada, &id, |view| view.status == Status::Running).await;
    assert_eq!(house.runtime.last_resumed(), Some(true));

    house.engine.delete(&ada, &id).await.unwrap();
    assert!(!house.runtime.exists(&id));
    assert!(matches!(house.engine.show(&ada, &id).await, Err(Error::NotFound(_))));
    house.engine.delete(&ada, &id).await.expect("what is gone is gone");
}

#[tokio::test]
async fn a_hundred_wishes_at_once_open_as_many_as_the_quota_allows() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let wishes = (0..100).map(|number| {
        let (engine, ada) = (house.engine.clone(), ada.clone());
        let open = Open {
            agent: "shell".into(),
            name: Some(format!("s{number}")),
            ..Open::default()
        };
        tokio::spawn(async move { engine.open(&ada, open, None).await })
    });
    let (mut opened, mut refused) = (0, 0);
    for wish in wishes.collect::<Vec<_>>() {
        match wish.await.unwrap() {
            Ok(_) => opened += 1,
            Err(Error::OverQuota(problem)) => {
                assert_eq!(problem.code, "over-quota");
                assert!(problem.detail.contains("3 of 3"), "{}", problem.detail);
                assert!(
                    problem.detail.contains("admin@localhost"),
                    "it says whom to ask: {}",
                    problem.detail
                );
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((opened, refused), (3, 97));
    let standing = house.engine.standing(&ada).await.unwrap();
    assert_eq!(
        (standing.live_sessions, standing.quota.concurrent_sessions),
        (3, Some(3))
    );
}

#[tokio::test]
async fn waking_counts_against_the_quota_like_opening() {
    let house = House::on_plan(Some("sandbox-free")).await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let first = house.open(&ada, "first").await.session.id;
    house.engine.suspend(&ada, &first).await.unwrap();
    let second = house.open(&ada, "second").await.session.id;
    assert!(matches!(
        house.engine.resume(&ada, &first).await,
        Err(Error::OverQuota(_))
    ));
    house.engine.suspend(&ada, &second).await.unwrap();
    house.engine.resume(&ada, &first).await.expect("there is room again");
}

#[tokio::test]
async fn the_same_key_opens_one_session() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let bob = house.person("local", "bob", Role::Developer).await;
    let open = Open {
        agent: "shell".into(),
        ..Open::default()
    };
    let first = house.engine.open(&ada, open.clone(), Some("k")).await.unwrap();
    let again = house.engine.open(&ada, open.clone(), Some("k")).await.unwrap();
    assert_eq!(first.session.id, again.session.id);
    let other = house.engine.open(&bob, open, Some("k")).await.unwrap();
    assert_ne!(first.session.id, other.session.id, "a key is a person's own");
}

#[tokio::test]
async fn another_organization_sees_nothing_and_an_admin_sees_but_does_not_type() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let eve = house.person("evil", "eve", Role::OrgAdmin).await;
    let id = house.open(&ada, "secret plan").await.session.id;

    for stranger in [&bob, &eve] {
        assert!(matches!(
            house.engine.show(stranger, &id).await,
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            house.engine.rename(stranger, &id, "x").await,
            Err(Error::NotFound(_))
        ));
        house
            .engine
            .delete(stranger, &id)
            .await
            .expect("absent things delete without a word");
        assert_eq!(
            house
                .engine
                .list(stranger, &ListSessions::default())
                .await
                .unwrap()
                .total,
            0
        );
    }
    assert!(house.runtime.is_running(&id), "nobody's delete reached it");

    house.engine.show(&boss, &id).await.expect("an admin sees it");
    let attach = house.engine.attach(&boss, &id, Default::default()).await;
    assert!(matches!(attach, Err(Error::Forbidden(_))), "but not its screen");
    house.engine.suspend(&boss, &id).await.expect("and stops it");

    house.engine.share(&ada, &id, Sharing::Watch).await.unwrap();
    assert_eq!(
        house.engine.list(&bob, &ListSessions::default()).await.unwrap().total,
        1
    );
    assert!(
        matches!(house.engine.rename(&bob, &id, "x").await, Err(Error::Forbidden(_))),
        "seen, so refused in words"
    );
    assert!(matches!(house.engine.show(&eve, &id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_clone_that_fails_is_a_failed_session_with_a_reason_and_a_retry() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let open = Open {
        agent: "shell".into(),
        repo: Some("team/broken".into()),
        ..Open::default()
    };
    let id = house.engine.open(&ada, open, None).await.unwrap().session.id;
    let failed = house.until(&ada, &id, |view| view.status == Status::Failed).await;
    assert_eq!(failed.session.name, "broken", "called after its repository");
    assert!(failed.session.reason.unwrap().contains("was not found"));
    assert!(matches!(house.engine.suspend(&ada, &id).await, Err(Error::Conflict(_))));
    house.engine.resume(&ada, &id).await.unwrap();
    house.until(&ada, &id, |view| view.status == Status::Failed).await;
    let told = house.engine.activity(&ada, &id).await.unwrap();
    assert_eq!(told.iter().filter(|entry| entry.action == "session.failed").count(), 2);
}

#[tokio::test]
async fn a_host_that_died_while_the_server_was_away_is_a_failed_session() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let running = house.open(&ada, "running").await.session.id;
    let asleep = house.open(&ada, "asleep").await.session.id;
    house.engine.suspend(&ada, &asleep).await.unwrap();

    let house = house.restarted().await;
    let lost = house.until(&ada, &running, |view| view.status == Status::Failed).await;
    assert_eq!(lost.session.reason.as_deref(), Some("The machine restarted."));
    assert_eq!(house.runtime.taken_up(), [running]);
    let still = house.engine.show(&ada, &asleep).await.unwrap();
    assert_eq!(still.session.phase, Phase::Suspended, "looking never wakes");
}

#[tokio::test]
async fn a_host_of_a_sleeping_or_deleted_session_is_ended() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    let status = house.runtime.host(&id, 0);
    house.engine.suspend(&ada, &id).await.unwrap();
    house.engine.resume(&ada, &id).await.unwrap();
    house.until(&ada, &id, |view| view.status == Status::Running).await;
    house.engine.delete(&ada, &id).await.unwrap();
    // The server had died before the runtime was told: its host still speaks.
    house
        .runtime
        .see(Observation::Live {
            session: id.clone(),
            status,
        })
        .await;
    let other = house.open(&ada, "two").await;
    assert!(other.status == Status::Running && !house.runtime.exists(&id));
}

#[tokio::test]
async fn usage_is_counted_once_whoever_asks_twice_and_outlives_its_session() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "busy").await.session.id;
    let now = 1_790_000_000_000;
    let fact = |number, quantity| UsageFact {
        number,
        dimension: Dimension::ComputeCpu,
        quantity,
        from: now - 60_000,
        until: now,
    };
    house.runtime.meter(&id, vec![fact(1, 5), fact(2, 7)]);
    for _ in 0..2 {
        house.runtime.see(Observation::Metered { session: id.clone() }).await;
    }
    house.runtime.meter(&id, vec![fact(3, 100)]);
    house.engine.delete(&ada, &id).await.unwrap();
    let usage = house.engine.usage(&ada, 1).await.unwrap();
    assert_eq!(
        usage.bars.iter().map(|bar| bar.quantity).sum::<u64>(),
        112,
        "also the last minute"
    );
    assert_eq!(usage.shares[0].quantity, 112);
    let bob = house.person("local", "bob", Role::Developer).await;
    assert!(house.engine.usage(&bob, 1).await.unwrap().bars.is_empty());
}

#[tokio::test]
async fn what_a_sleeping_session_uses_is_collected_by_the_next_server_too() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "asleep").await.session.id;
    house.engine.suspend(&ada, &id).await.unwrap();
    let house = house
        .restarted_after(|runtime| {
            let fact = UsageFact {
                number: 1,
                dimension: Dimension::Storage,
                quantity: 42,
                from: 1_790_000_000_000 - 60_000,
                until: 1_790_000_000_000,
            };
            runtime.meter(&id, vec![fact]);
        })
        .await;
    let (mut quantity, began) = (0, Instant::now());
    while began.elapsed() < PATIENCE {
        let usage = house.engine.usage(&ada, 1).await.unwrap();
        quantity = usage.bars.iter().map(|bar| bar.quantity).sum::<u64>();
        if quantity > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(quantity, 42);
}

#[tokio::test]
async fn full_storage_is_told_and_blocks_the_next_session_only() {
    let house = House::on_plan(Some("sandbox-free")).await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "hoarder").await.session.id;
    house
        .runtime
        .see(Observation::Live {
            session: id.clone(),
            status: house.runtime.host(&id, 6 << 30),
        })
        .await;
    house.until(&ada, &id, |view| view.session.storage_bytes > 0).await;
    assert!(house.runtime.is_running(&id), "what runs goes on");
    house.engine.suspend(&ada, &id).await.unwrap();
    let open = Open {
        agent: "shell".into(),
        ..Open::default()
    };
    let Err(Error::OverQuota(problem)) = house.engine.open(&ada, open, None).await else {
        panic!("it is over")
    };
    assert!(problem.detail.contains("6.0 GiB of 5.0 GiB"), "{}", problem.detail);
}
