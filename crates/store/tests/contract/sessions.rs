use crate::{cast::*, place::Place};
use domain::{
    SessionId,
    session::{Phase, Session, Sharing, Status},
    wire::Exit,
};
use engine::ports::{Bounds, Counts, Opened, Patch, Record, Scope, Store};

fn id(text: &str) -> SessionId {
    SessionId::new(text)
}

async fn found(store: &dyn Store, session: &str) -> Option<Session> {
    store
        .find_session(&Scope::Fleet, &id(session))
        .await
        .expect("an answer")
}

async fn change(store: &dyn Store, session: &str, patch: Patch) -> Option<Session> {
    let record = record(&acme(), session);
    store
        .record_session(&acme(), &id(session), &patch, record)
        .await
        .expect("an answer")
}

fn phase(phase: Phase) -> Patch {
    Patch {
        phase: Some(phase),
        ..Patch::default()
    }
}

pub(crate) async fn a_session_reads_back_as_it_was_recorded(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let plain = session(&ann(), "plain-aaaaa");
    open(&*store, &plain).await;
    assert_eq!(found(&*store, "plain-aaaaa").await, Some(plain));

    let full = Session {
        name: "Größe % _ 'quoted' 🦀".to_owned(),
        repo: Some("https://example.org/a/b.git".to_owned()),
        branch: Some("main".to_owned()),
        phase: Phase::Failed,
        reason: Some("It was lost.".to_owned()),
        exit: Some(Exit::Signal(9)),
        sharing: Sharing::Drive,
        active_at: at(200),
        storage_bytes: u64::MAX / 2,
        ..session(&ann(), "full-aaaaa")
    };
    open(&*store, &full).await;
    assert_eq!(found(&*store, "full-aaaaa").await, Some(full));

    let patch = Patch {
        name: Some("renamed".to_owned()),
        sharing: Some(Sharing::Watch),
        phase: Some(Phase::Ready),
        by_hand: Some(true),
        recorded: Some(true),
        reason: Some(None),
        exit: Some(Some(Exit::Code(-1))),
        active_at: Some(at(400)),
        storage_bytes: Some(7),
        only_in: vec![],
    };
    let changed = change(&*store, "full-aaaaa", patch).await.expect("changed");
    assert_eq!((changed.version, changed.status()), (2, Status::Stopped));
    assert!(changed.by_hand && changed.recorded);
    assert_eq!(found(&*store, "full-aaaaa").await, Some(changed.clone()));
    assert_eq!(
        (changed.name.as_str(), changed.reason.as_ref(), changed.exit),
        ("renamed", None, Some(Exit::Code(-1)))
    );
    assert_eq!(
        (changed.sharing, changed.active_at, changed.storage_bytes),
        (Sharing::Watch, at(400), 7)
    );
    assert_eq!(found(&*store, "full-aaaaa").await, Some(changed.clone()));

    let anew = Patch {
        exit: Some(None),
        reason: Some(Some("Starting".to_owned())),
        ..Patch::default()
    };
    let expected = Session {
        exit: None,
        reason: Some("Starting".to_owned()),
        version: 3,
        ..changed
    };
    assert_eq!(change(&*store, "full-aaaaa", anew).await, Some(expected));
}

pub(crate) async fn a_hundred_at_once_open_no_more_than_the_limit(place: Place) {
    // Two servers at one database, and another member's sessions, which do not count.
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    open(&*one, &session(&ann(), "hers-aaaaa")).await;
    let answers = at_once(100, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let session = session(&bob(), &format!("race-{number:05}"));
            store
                .record_opened(&session, at_most(3), None, record(&acme(), "opened"))
                .await
                .expect("an answer")
        }
    })
    .await;
    let opened = answers
        .iter()
        .filter(|answer| matches!(answer, Opened::Recorded(_)))
        .count();
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Opened::OverQuota { live: 3 }))
        .count();
    assert_eq!((opened, refused), (3, 97));
    let counts = one.count_sessions(&acme(), &bob().person).await.expect("counts");
    assert_eq!((counts.live, counts.all), (3, 3));
    assert_eq!(
        told(&*one, &visible(Scope::Fleet, None)).await.len(),
        3,
        "only what happened is told"
    );
}

pub(crate) async fn opening_and_waking_share_one_limit(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for number in 0..10 {
        let asleep = Session {
            phase: Phase::Suspended,
            ..session(&bob(), &format!("asleep-{number:05}"))
        };
        open(&*store, &asleep).await;
    }
    let answers = at_once(20, |number| {
        let store = store.clone();
        async move {
            if number < 10 {
                let id = id(&format!("asleep-{number:05}"));
                store
                    .record_resumed(&acme(), &id, at_most(2), at(500), Record::default())
                    .await
                    .expect("an answer")
            } else {
                let session = session(&bob(), &format!("new-{number:05}"));
                store
                    .record_opened(&session, at_most(2), None, Record::default())
                    .await
                    .expect("an answer")
            }
        }
    })
    .await;
    let recorded = answers
        .iter()
        .filter(|answer| matches!(answer, Opened::Recorded(_)))
        .count();
    assert_eq!(recorded, 2, "{answers:?}");
    assert_eq!(
        store.count_sessions(&acme(), &bob().person).await.expect("counts").live,
        2
    );
}

pub(crate) async fn an_idempotency_key_opens_one_session_of_one_owner(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let answers = at_once(10, |number| {
        let store = store.clone();
        async move {
            let session = session(&bob(), &format!("again-{number:05}"));
            store
                .record_opened(&session, at_most(1), Some("key"), record(&acme(), "opened"))
                .await
                .expect("an answer")
        }
    })
    .await;
    let first: Vec<&Session> = answers
        .iter()
        .filter_map(|a| if let Opened::Recorded(s) = a { Some(s) } else { None })
        .collect();
    let again: Vec<&Session> = answers
        .iter()
        .filter_map(|a| if let Opened::Again(s) = a { Some(s) } else { None })
        .collect();
    assert_eq!((first.len(), again.len()), (1, 9), "{answers:?}");
    assert!(
        again.iter().all(|session| *session == first[0]),
        "everybody is told of the same session"
    );
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await, ["opened"]);

    for owner in [ann(), eve()] {
        let theirs = session(&owner, &format!("theirs-{}", owner.name));
        let opened = store
            .record_opened(&theirs, Bounds::default(), Some("key"), Record::default())
            .await
            .expect("an answer");
        assert_eq!(opened, Opened::Recorded(theirs), "a key is its owner's own");
    }
    assert!(
        store
            .record_deleted(&acme(), &first[0].id, Record::default())
            .await
            .expect("an answer")
    );
    let anew = session(&bob(), "anew-aaaaa");
    let opened = store
        .record_opened(&anew, Bounds::default(), Some("key"), Record::default())
        .await
        .expect("an answer");
    assert_eq!(opened, Opened::Recorded(anew), "with its session a key is forgotten");
}

pub(crate) async fn an_id_that_is_taken_is_told(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&ann(), "one-aaaaa")).await;
    // Also by another Organization: the id names folders and objects of the whole installation.
    for owner in [ann(), bob(), eve()] {
        let same = session(&owner, "one-aaaaa");
        let answer = store
            .record_opened(&same, Bounds::default(), None, record(&owner.org, "opened"))
            .await
            .expect("an answer");
        assert_eq!(answer, Opened::Taken);
    }
    assert_eq!(
        found(&*store, "one-aaaaa").await.map(|session| session.owner),
        Some(ann().person)
    );
    assert!(told(&*store, &visible(Scope::Fleet, None)).await.is_empty());
}

pub(crate) async fn a_change_happens_only_in_the_phases_that_it_names(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&ann(), "one-aaaaa")).await;
    let only = |only_in: &[Phase]| Patch {
        only_in: only_in.to_vec(),
        ..phase(Phase::Suspended)
    };
    assert_eq!(
        change(&*store, "one-aaaaa", only(&[Phase::Ready, Phase::Failed])).await,
        None
    );
    assert_eq!(
        found(&*store, "one-aaaaa").await,
        Some(session(&ann(), "one-aaaaa")),
        "it is as it was"
    );
    let changed = change(&*store, "one-aaaaa", only(&[Phase::Ready, Phase::Pending])).await;
    assert_eq!(
        changed.map(|session| (session.phase, session.version)),
        Some((Phase::Suspended, 2))
    );
    assert_eq!(change(&*store, "none-aaaaa", phase(Phase::Ready)).await, None);
    assert_eq!(
        told(&*store, &visible(Scope::Fleet, None)).await,
        ["one-aaaaa"],
        "what did not happen is not told"
    );
}

pub(crate) async fn of_many_changes_at_once_none_is_lost(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    open(&*one, &session(&ann(), "one-aaaaa")).await;
    let versions = at_once(24, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let patch = match number % 3 {
                0 => Patch {
                    name: Some("named".to_owned()),
                    ..Patch::default()
                },
                1 => Patch {
                    storage_bytes: Some(9),
                    ..Patch::default()
                },
                _ => Patch {
                    sharing: Some(Sharing::Drive),
                    ..Patch::default()
                },
            };
            change(&*store, "one-aaaaa", patch).await.expect("changed").version
        }
    })
    .await;
    let mut sorted = versions;
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        (2..=25).collect::<Vec<i64>>(),
        "each change has a version of its own"
    );
    let last = found(&*one, "one-aaaaa").await.expect("the session");
    assert_eq!(
        (last.name.as_str(), last.storage_bytes, last.sharing),
        ("named", 9, Sharing::Drive)
    );
}

pub(crate) async fn only_what_does_not_run_wakes(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let cases = [
        (Phase::Pending, None, false),
        (Phase::Provisioning, None, false),
        (Phase::Ready, None, false),
        (Phase::Ready, Some(Exit::Code(0)), true),
        (Phase::Failed, None, true),
        (Phase::Suspended, Some(Exit::Signal(15)), true),
    ];
    for (number, (phase, exit, wakes)) in cases.into_iter().enumerate() {
        let name = format!("case-{number}");
        let before = Session {
            phase,
            exit,
            reason: Some("why".to_owned()),
            ..session(&ann(), &name)
        };
        open(&*store, &before).await;
        let record = record(&acme(), &name);
        let answer = store
            .record_resumed(&acme(), &id(&name), Bounds::default(), at(500), record)
            .await
            .expect("an answer");
        let after = found(&*store, &name).await.expect("the session");
        if wakes {
            let expected = Session {
                phase: Phase::Pending,
                exit: None,
                reason: None,
                active_at: at(500),
                woken_at: at(500),
                version: 2,
                ..before
            };
            assert_eq!(answer, Opened::Recorded(expected.clone()), "{phase:?}");
            assert_eq!(after, expected);
        } else {
            assert_eq!(answer, Opened::Refused(Some(before.clone())), "{phase:?}");
            assert_eq!(after, before);
        }
    }
    assert_eq!(
        told(&*store, &visible(Scope::Fleet, None)).await,
        ["case-3", "case-4", "case-5"]
    );
    let gone = store
        .record_resumed(&acme(), &id("gone"), Bounds::default(), at(500), Record::default())
        .await;
    assert_eq!(gone.expect("an answer"), Opened::Refused(None));
    let asleep = Session {
        phase: Phase::Suspended,
        ..session(&ann(), "asleep-aaaaa")
    };
    open(&*store, &asleep).await;
    let over = store
        .record_resumed(&acme(), &asleep.id, at_most(6), at(500), Record::default())
        .await;
    assert_eq!(over.expect("an answer"), Opened::OverQuota { live: 6 });
}

pub(crate) async fn what_is_forgotten_is_forgotten_once(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&ann(), "one-aaaaa")).await;
    let delete = async |org| {
        let record = record(&acme(), "deleted");
        store
            .record_deleted(&org, &id("one-aaaaa"), record)
            .await
            .expect("an answer")
    };
    assert!(!delete(other()).await);
    assert!(delete(acme()).await);
    assert!(!delete(acme()).await);
    assert_eq!(found(&*store, "one-aaaaa").await, None);
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await, ["deleted"]);
    assert_eq!(audited(&*store, &of(acme()), "").await.len(), 1);
}

pub(crate) async fn sessions_are_taken_up_in_order_a_page_at_a_time(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (name, owner, phase, bytes) in [
        ("d", ann(), Phase::Ready, 1),
        ("b", eve(), Phase::Ready, 2),
        ("a", ann(), Phase::Suspended, 4),
        ("c", bob(), Phase::Pending, 8),
    ] {
        open(
            &*store,
            &Session {
                phase,
                storage_bytes: bytes,
                ..session(&owner, name)
            },
        )
        .await;
    }
    let page = async |after: Option<&str>, limit| -> Vec<String> {
        let (after, phases) = (after.map(id), [Phase::Ready, Phase::Pending]);
        let page = store
            .sessions_in(&phases, after.as_ref(), limit)
            .await
            .expect("sessions");
        page.into_iter().map(|session| session.id.to_string()).collect()
    };
    assert_eq!(page(None, 2).await, ["b", "c"]);
    assert_eq!(page(Some("c"), 2).await, ["d"]);
    assert!(page(Some("d"), 2).await.is_empty());
    assert!(store.sessions_in(&[], None, 10).await.expect("sessions").is_empty());

    let phases = store.count_phases().await.expect("phases");
    assert_eq!(phases, [(Phase::Pending, 1), (Phase::Ready, 2), (Phase::Suspended, 1)]);
    let hers = store.count_sessions(&acme(), &ann().person).await.expect("counts");
    assert_eq!(
        hers,
        Counts {
            live: 1,
            all: 2,
            storage_bytes: 5
        }
    );
    assert_eq!(
        store.count_sessions(&other(), &ann().person).await.expect("counts"),
        Counts::default()
    );
}

pub(crate) async fn text_with_a_nul_neither_breaks_nor_is_lost(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let odd = Session {
        name: "a\0b".to_owned(),
        ..session(&ann(), "odd-aaaaa")
    };
    open(&*store, &odd).await;
    assert_eq!(
        found(&*store, "odd-aaaaa").await.map(|session| session.name),
        Some("a\u{fffd}b".to_owned())
    );
    assert_eq!(found(&*store, "odd\0").await, None);
}
