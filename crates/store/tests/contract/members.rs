use crate::{cast::*, place::Place};
use domain::{
    Role, Timestamp,
    id::{LoginId, TokenId},
    member::{Leaving, ListMembers, Seat, Sort, Status},
    org::{Org, State},
    page::Page,
    quota::{Dimension, Limit, Limits, Subject},
    session::{Phase, Session},
    token::Token,
};
use engine::ports::{Bounds, Member, Opened, Record, Refusal, Scope, SeatPatch, Seated, Store};

async fn page(store: &dyn Store, ask: &ListMembers) -> Page<Seat> {
    store.list_members(&acme(), ask, at(20)).await.expect("a page")
}

async fn names(store: &dyn Store, ask: &ListMembers) -> Vec<String> {
    let page = page(store, ask).await;
    assert_eq!(page.total, page.items.len() as u64, "all on one page here");
    page.items.into_iter().map(|seat| seat.name).collect()
}

/// Gives this person a login (cookie `cookie-<id>`), a token (`token-<id>`) and an unused link (`link-<id>`).
async fn equip(store: &dyn Store, member: &Member) {
    let id = member.person.as_str();
    for (link, redeem) in [(format!("used-{id}"), true), (format!("link-{id}"), false)] {
        let link = hash(&link);
        store
            .record_sign_in_link(&link, member, at(900), Record::default())
            .await
            .expect("a link");
        if redeem {
            let signed_in = store.redeem_sign_in_link(&link, &new_login(id, at(9000)), at(10)).await;
            assert!(signed_in.expect("an answer").is_some());
        }
    }
    let token = Token {
        id: TokenId::new(format!("t-{id}")),
        name: "ci".to_owned(),
        capabilities: vec!["sandbox.session.see".to_owned()],
        created_at: at(10),
        expires_at: at(9000),
        used_at: None,
        revoked_at: None,
    };
    let secret = hash(&format!("token-{id}"));
    assert!(
        store
            .record_token(member, &token, &secret, 9, Record::default())
            .await
            .expect("an answer")
    );
}

/// By what this person gets in: cookie, token, link, address, in this order.
async fn ways_in(store: &dyn Store, id: &str, now: Timestamp) -> [bool; 4] {
    let email = format!("{id}@example.org");
    let login = store.find_login(&hash(&format!("cookie-{id}")), now).await;
    let token = store.find_token(&hash(&format!("token-{id}")), now).await;
    let link = hash(&format!("link-{id}"));
    let fresh = new_login(&format!("{id}-late"), at(9000));
    let link = store.redeem_sign_in_link(&link, &fresh, now).await;
    let found = store.find_member_by_email(&of(acme()), &email, now).await;
    [
        login.expect("an answer").is_some(),
        token.expect("an answer").is_some(),
        link.expect("an answer").is_some(),
        found.expect("an answer").is_some(),
    ]
}

pub(crate) async fn pages_of_thousands_of_members_join_to_the_whole_list_in_both_orders(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    place
        .stranger()
        .await
        .does(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
             INSERT INTO members (org, person, email, email_key, name, role, created_at, name_key, words) \
             SELECT 'acme', 'p' || i, i || '@b', i || '@b', 'Name ' || (i % 700), 'developer', i % 900, \
             'name ' || (i % 700), 'name ' || (i % 700) || ' ' || i || '@b' FROM n",
        )
        .await;
    for (number, name) in (0..).zip(["Ärger", "ärger", "Ünal", "NAME 3", "Zoë"]) {
        let one = Member {
            name: name.to_owned(),
            ..member(&acme(), &format!("q{number}"), Role::Viewer)
        };
        store
            .record_member(&one, at(30), Record::default())
            .await
            .expect("added");
    }
    for sort in [Sort::Name, Sort::Joined] {
        let mut ask = ListMembers {
            sort,
            limit: 200,
            ..ListMembers::default()
        };
        let mut all = Vec::new();
        loop {
            let page = page(&*store, &ask).await;
            assert_eq!(page.total, 3007);
            all.extend(page.items);
            ask.cursor = page.next;
            if ask.cursor.is_none() {
                break;
            }
        }
        let mut expected = all.clone();
        match sort {
            Sort::Name => expected.sort_by_key(|seat| (seat.name.to_lowercase(), seat.person.clone())),
            Sort::Joined => expected.sort_by(|a, b| (b.joined_at, &b.person).cmp(&(a.joined_at, &a.person))),
        }
        assert_eq!(all.len(), 3007, "{sort:?}");
        let order = |seats: &[Seat]| -> Vec<_> { seats.iter().map(|seat| seat.person.clone()).collect() };
        assert_eq!(order(&all), order(&expected), "{sort:?}");
    }
    let mut ask = ListMembers::default();
    ask.cursor = page(&*store, &ask).await.next;
    ask.sort = Sort::Joined;
    let refused = store.list_members(&acme(), &ask, at(20)).await.expect_err("refused");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
        "a cursor of the other order: {refused:?}"
    );
}

pub(crate) async fn members_are_found_by_words_role_and_status(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let unal = Member {
        name: "Ünal 100%_".to_owned(),
        ..member(&acme(), "unal", Role::Viewer)
    };
    store
        .record_member(&unal, at(3), Record::default())
        .await
        .expect("added");
    let dora = member(&acme(), "dora", Role::Developer);
    store
        .record_member(&dora, at(3), Record::default())
        .await
        .expect("added");
    let disabled = SeatPatch {
        status: Some(Status::Disabled),
        ..SeatPatch::default()
    };
    change(&*store, &dora, disabled).await;
    seat_until(&*store, &member(&acme(), "was", Role::Developer), at(20)).await;
    let gone = member(&acme(), "gone", Role::Developer);
    store
        .record_member(&gone, at(3), Record::default())
        .await
        .expect("added");
    leave(&*store, "gone", &Leaving::Archive).await;

    let all = ListMembers::default;
    let search = |words: &str| ListMembers {
        search: words.to_owned(),
        ..all()
    };
    assert_eq!(
        names(&*store, &all()).await,
        ["ann", "bob", "dora", "was", "Ünal 100%_"]
    );
    assert_eq!(names(&*store, &search("üNAL 100%_ EXAMPLE")).await, ["Ünal 100%_"]);
    assert_eq!(names(&*store, &search("0_%")).await, [""; 0]);
    assert_eq!(names(&*store, &search("eve")).await, [""; 0], "of another Organization");
    let of_status = |status| ListMembers {
        status: Some(status),
        ..all()
    };
    assert_eq!(
        names(&*store, &of_status(Status::Active)).await,
        ["ann", "bob", "Ünal 100%_"]
    );
    assert_eq!(names(&*store, &of_status(Status::Disabled)).await, ["dora"]);
    assert_eq!(names(&*store, &of_status(Status::Left)).await, ["gone"]);
    let viewers = ListMembers {
        role: Some(Role::Viewer),
        ..all()
    };
    assert_eq!(names(&*store, &viewers).await, ["Ünal 100%_"]);
    assert_eq!(
        store.find_seat(&other(), &person("ann")).await.expect("an answer"),
        None
    );
    let asked = store.members_with(&of(acme()), &[Role::Developer], at(20)).await;
    let asked: Vec<_> = asked.expect("members").into_iter().map(|one| one.name).collect();
    assert_eq!(asked, ["bob"], "nobody is asked whose seat does not hold");
}

pub(crate) async fn a_seat_shows_what_its_holder_runs_and_keeps(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (owner, id, phase) in [
        (bob(), "one", Phase::Ready),
        (bob(), "two", Phase::Suspended),
        (ann(), "six", Phase::Ready),
    ] {
        let session = Session {
            phase,
            storage_bytes: 5,
            ..session(&owner, id)
        };
        open(&*store, &session).await;
    }
    equip(&*store, &bob()).await;
    let before = seat(&*store, &acme(), "bob").await;
    assert_eq!(
        (before.live, before.sessions, before.storage_bytes, before.seen_at),
        (1, 2, 10, Some(at(10))),
        "who signs in is seen"
    );
    store
        .touch_login(&LoginId::new("bob"), at(60), at(9000))
        .await
        .expect("touched");
    assert_eq!(seat(&*store, &acme(), "bob").await.seen_at, Some(at(60)));
    assert_eq!(seat(&*store, &acme(), "ann").await.seen_at, None);
    let all = page(&*store, &ListMembers::default()).await.items;
    assert_eq!(
        all.iter().map(|seat| seat.sessions).collect::<Vec<_>>(),
        [1, 2],
        "as in the list"
    );
}

pub(crate) async fn a_seat_that_does_not_hold_lets_nobody_in(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for id in ["dora", "fay", "gus", "hal"] {
        let one = member(&acme(), id, Role::Developer);
        store
            .record_member(&one, at(3), Record::default())
            .await
            .expect("added");
        equip(&*store, &one).await;
    }
    change(
        &*store,
        &member(&acme(), "dora", Role::Developer),
        SeatPatch {
            status: Some(Status::Disabled),
            ..SeatPatch::default()
        },
    )
    .await;
    change(
        &*store,
        &member(&acme(), "fay", Role::Developer),
        SeatPatch {
            ends_at: Some(Some(at(50))),
            ..SeatPatch::default()
        },
    )
    .await;
    leave(&*store, "gus", &Leaving::Archive).await;
    for (id, now, expected) in [
        ("dora", at(20), [false; 4]),
        ("gus", at(20), [false; 4]),
        ("fay", at(50), [false; 4]),
        ("fay", at(49), [true; 4]),
        ("hal", at(50), [true; 4]),
    ] {
        assert_eq!(ways_in(&*store, id, now).await, expected, "{id} at {now:?}");
    }
    // A seat that is given back finds its tokens, and no browser that was signed in.
    change(
        &*store,
        &member(&acme(), "dora", Role::Developer),
        SeatPatch {
            status: Some(Status::Active),
            ..SeatPatch::default()
        },
    )
    .await;
    assert_eq!(ways_in(&*store, "dora", at(20)).await, [false, true, false, true]);

    for (state, expected) in [
        (State::Suspended, [true, true, false, true]),
        (State::Archived, [false; 4]),
    ] {
        store
            .record_org_state(&acme(), state, Record::default())
            .await
            .expect("closed");
        assert_eq!(ways_in(&*store, "hal", at(20)).await, expected, "{state:?}");
    }
}

pub(crate) async fn a_browser_asks_for_whichever_organization_its_person_is_in(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let third = domain::OrgId::new("third");
    store
        .record_org(&Org::new(third.clone(), "A third", at(1)), Record::default())
        .await
        .expect("made");
    let here = member(&acme(), "dora", Role::Developer);
    let there = member(&other(), "dora", Role::OrgAdmin);
    for one in [&here, &there] {
        store.record_member(one, at(3), Record::default()).await.expect("added");
    }
    equip(&*store, &here).await;
    let orgs = async |now| -> Vec<(String, Role)> {
        let found = store.memberships(&person("dora"), now).await.expect("memberships");
        found
            .into_iter()
            .map(|(org, role)| (org.id.to_string(), role))
            .collect()
    };
    assert_eq!(
        orgs(at(20)).await,
        [
            ("acme".to_owned(), Role::Developer),
            ("other".to_owned(), Role::OrgAdmin)
        ]
    );
    let login = LoginId::new("dora");
    let switch = async |who: &str, to: &domain::OrgId| {
        store
            .switch_login(&login, &person(who), to, at(20), record(to, "switched"))
            .await
            .expect("an answer")
    };
    assert!(!switch("dora", &third).await, "where there is no seat");
    assert!(!switch("eve", &other()).await, "nor is it anybody else's browser");
    assert_eq!(seat(&*store, &other(), "dora").await.seen_at, None);
    assert!(switch("dora", &other()).await);
    let seen = async |org| seat(&*store, org, "dora").await.seen_at;
    assert_eq!(
        (seen(&acme()).await, seen(&other()).await),
        (Some(at(10)), Some(at(20)))
    );
    let found = store.find_login(&hash("cookie-dora"), at(20)).await.expect("an answer");
    assert_eq!(found.map(|(_, member)| member), Some(there.clone()));
    assert_eq!(
        told(&*store, &visible(Scope::Fleet, None)).await,
        ["switched"],
        "only what happened is told"
    );
    let token = store.find_token(&hash("token-dora"), at(20)).await.expect("an answer");
    assert_eq!(token.map(|(_, member)| member), Some(here), "a token stays where it is");

    leave(&*store, "dora", &Leaving::Archive).await;
    assert!(!switch("dora", &acme()).await);
    let found = store.find_login(&hash("cookie-dora"), at(20)).await.expect("an answer");
    assert_eq!(
        found.map(|(_, member)| member),
        Some(there),
        "who leaves one is not signed out of another"
    );
    store
        .record_org_state(&other(), State::Archived, Record::default())
        .await
        .expect("closed");
    assert!(orgs(at(20)).await.is_empty());
    assert!(!switch("dora", &other()).await);
}

async fn leave(store: &dyn Store, id: &str, leaving: &Leaving) -> Vec<domain::SessionId> {
    let was = seat(store, &acme(), id).await;
    let answer = store
        .record_leaving(&was, leaving, at(15), record(&acme(), "left"))
        .await;
    match answer.expect("an answer") {
        Seated::Done(sessions) => sessions,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn who_leaves_takes_every_right_along_and_frees_the_address(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    equip(&*store, &bob()).await;
    let much = Limits([(Dimension::Sessions, Limit::At(9))].into());
    store
        .record_limits(
            &acme(),
            &Subject::Person(person("bob")),
            &much,
            false,
            Record::default(),
        )
        .await
        .expect("set");
    for (id, state) in [("r1", None), ("r2", Some(domain::quota::State::Granted))] {
        let asked = request(&bob(), id);
        assert!(
            store
                .record_request(&asked, 9, Record::default())
                .await
                .expect("an answer")
        );
        if let Some(state) = state {
            let answered = domain::quota::Request {
                state,
                answered_at: Some(at(11)),
                ..asked
            };
            assert!(
                store
                    .answer_request(&answered, Record::default())
                    .await
                    .expect("an answer")
            );
        }
    }
    assert_eq!(
        store
            .quota_layers(&acme(), &person("bob"), at(12))
            .await
            .expect("layers")
            .1
            .len(),
        2
    );
    assert!(leave(&*store, "bob", &Leaving::Archive).await.is_empty());
    let was = seat(&*store, &acme(), "bob").await;
    assert_eq!((was.status, was.name.as_str()), (Status::Left, "bob"));
    for again in [
        store
            .record_leaving(&was, &Leaving::Archive, at(16), Record::default())
            .await
            .map(|_| ()),
        store
            .change_seat(
                &was,
                &SeatPatch {
                    role: Some(Role::Viewer),
                    ..SeatPatch::default()
                },
                at(16),
                Record::default(),
            )
            .await
            .map(|answer| assert_eq!(answer, Seated::Gone)),
    ] {
        again.expect("an answer");
    }

    // Somebody else has the address from now on; and he who left comes back with nothing.
    let heir = Member {
        email: "bob@example.org".to_owned(),
        ..member(&acme(), "bob-2", Role::Viewer)
    };
    store
        .record_member(&heir, at(17), Record::default())
        .await
        .expect("the address is free");
    let back = Member {
        email: "robert@example.org".to_owned(),
        ..bob()
    };
    store
        .record_member(&back, at(18), Record::default())
        .await
        .expect("back");
    assert_eq!(
        ways_in(&*store, "bob", at(20)).await,
        [false, false, false, true],
        "the address finds its new holder"
    );
    let (_, layers) = store
        .quota_layers(&acme(), &person("bob"), at(20))
        .await
        .expect("layers");
    assert!(layers.is_empty(), "neither limits nor grants: {layers:?}");
    let waiting = store
        .list_requests(&acme(), None, Some(domain::quota::State::Waiting), 9)
        .await;
    assert!(waiting.expect("requests").is_empty());
}

pub(crate) async fn sessions_go_to_an_heir_or_stay_under_the_name_of_who_left(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for id in ["dora", "fay"] {
        let one = member(&acme(), id, Role::Developer);
        store
            .record_member(&one, at(3), Record::default())
            .await
            .expect("added");
        for (number, phase) in [Phase::Ready, Phase::Suspended].into_iter().enumerate() {
            let session = Session {
                phase,
                ..session(&one, &format!("{id}-{number}"))
            };
            let opened = store
                .record_opened(
                    &session,
                    Bounds::default(),
                    Some(&format!("key-{number}")),
                    Record::default(),
                )
                .await;
            assert!(matches!(opened, Ok(Opened::Recorded(_))));
        }
    }
    let seats = [
        seat(&*store, &acme(), "dora").await,
        seat(&*store, &acme(), "fay").await,
    ];
    for to in ["dora", "eve", "nobody"] {
        let answer = store
            .record_leaving(
                &seats[0],
                &Leaving::HandOver { to: person(to) },
                at(15),
                record(&acme(), "no"),
            )
            .await;
        assert_eq!(
            answer.expect("an answer"),
            Seated::Gone,
            "{to} is no heir in this Organization"
        );
    }
    let mut handed = leave(&*store, "dora", &Leaving::HandOver { to: person("bob") }).await;
    handed.sort();
    assert_eq!(
        handed,
        [domain::SessionId::new("dora-0"), domain::SessionId::new("dora-1")]
    );
    let found = store.find_session(&of(acme()), &handed[0]).await;
    let found = found.expect("an answer").expect("the session");
    assert_eq!(
        (
            found.owner.as_str(),
            found.owner_name.as_str(),
            found.owner_email.as_str()
        ),
        ("bob", "bob", "bob@example.org")
    );
    assert_eq!((found.phase, found.version), (Phase::Ready, 2), "as it is");
    let counts = store.count_sessions(&acme(), &person("bob")).await.expect("counts");
    assert_eq!((counts.live, counts.all), (1, 2));

    assert!(leave(&*store, "fay", &Leaving::Archive).await.is_empty());
    let kept = store
        .live_sessions_of(&acme(), Some(&person("fay")), 9)
        .await
        .expect("live ones");
    assert_eq!(kept.len(), 1, "to be put to sleep");
    assert_eq!(kept[0].owner_name, "fay");
}

pub(crate) async fn nobody_opens_or_wakes_for_somebody_whose_seat_does_not_hold(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for id in ["dora", "fay", "gus"] {
        let one = member(&acme(), id, Role::Developer);
        store
            .record_member(&one, at(3), Record::default())
            .await
            .expect("added");
        let asleep = Session {
            phase: Phase::Suspended,
            ..session(&one, &format!("{id}-asleep"))
        };
        open(&*store, &asleep).await;
    }
    let dora = member(&acme(), "dora", Role::Developer);
    change(
        &*store,
        &dora,
        SeatPatch {
            status: Some(Status::Disabled),
            ..SeatPatch::default()
        },
    )
    .await;
    seat_until(&*store, &member(&acme(), "fay", Role::Developer), at(100)).await;
    leave(&*store, "gus", &Leaving::Archive).await;
    // Whoever asked before their seat ended comes too late: a session is opened at 100.
    for id in ["dora", "fay", "gus"] {
        let late = session(&member(&acme(), id, Role::Developer), &format!("{id}-late"));
        let opened = store
            .record_opened(&late, Bounds::default(), None, record(&acme(), "opened"))
            .await
            .expect("an answer");
        assert_eq!(opened, Opened::NoSeat, "{id}");
        let asleep = domain::SessionId::new(format!("{id}-asleep"));
        let woken = store
            .record_resumed(&acme(), &asleep, Bounds::default(), at(100), record(&acme(), "woken"))
            .await
            .expect("an answer");
        assert_eq!(woken, Opened::NoSeat, "{id}");
    }
    let woken = store
        .record_resumed(
            &acme(),
            &domain::SessionId::new("fay-asleep"),
            Bounds::default(),
            at(99),
            Record::default(),
        )
        .await;
    assert!(matches!(woken, Ok(Opened::Recorded(_))), "{woken:?}");
}

pub(crate) async fn leaving_while_opening_leaves_nothing_that_is_not_found(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let answers = at_once(20, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            if number == 10 {
                leave(&*store, "bob", &Leaving::HandOver { to: person("ann") }).await;
                let live = store.live_sessions_of(&acme(), Some(&person("bob")), 99).await;
                assert_eq!(live.expect("live ones").len(), 0, "all of them went to the heir");
                return false;
            }
            let opened = store
                .record_opened(
                    &session(&bob(), &format!("s-{number}")),
                    Bounds::default(),
                    None,
                    Record::default(),
                )
                .await
                .expect("an answer");
            assert!(matches!(opened, Opened::Recorded(_) | Opened::NoSeat), "{opened:?}");
            matches!(opened, Opened::Recorded(_))
        }
    })
    .await;
    let opened = answers.into_iter().filter(|opened| *opened).count() as u64;
    let of = async |who: &str| one.count_sessions(&acme(), &person(who)).await.expect("counts").all;
    assert_eq!((of("bob").await, of("ann").await), (0, opened));
}

pub(crate) async fn a_new_name_reaches_every_session_of_its_owner(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for owner in [ann(), bob(), eve()] {
        open(&*store, &session(&owner, &format!("{}-1", owner.person))).await;
    }
    let renamed = SeatPatch {
        name: Some("Róbert".to_owned()),
        ..SeatPatch::default()
    };
    assert_eq!(change(&*store, &bob(), renamed).await.name, "Róbert");
    for (id, name) in [("ann-1", "ann"), ("bob-1", "Róbert"), ("eve-1", "eve")] {
        let found = store
            .find_session(&Scope::Fleet, &domain::SessionId::new(id))
            .await
            .expect("an answer");
        assert_eq!(found.expect("it").owner_name, name);
    }
    let search = domain::page::ListSessions {
        search: "róBERT".to_owned(),
        ..domain::page::ListSessions::default()
    };
    let found = store
        .list_sessions(&visible(of(acme()), None), &person("ann"), &search)
        .await
        .expect("a page");
    assert_eq!(found.total, 1, "it is found by its owner's new name");
    let again = ListMembers {
        search: "RÓBERT".to_owned(),
        ..ListMembers::default()
    };
    assert_eq!(names(&*store, &again).await, ["Róbert"]);
}

pub(crate) async fn one_owner_stays_however_many_go_at_once(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    for round in 0..3 {
        let owners: Vec<_> = (0..12)
            .map(|number| member(&acme(), &format!("o{round}-{number}"), Role::Owner))
            .collect();
        for owner in &owners {
            one.record_member(owner, at(3), Record::default()).await.expect("added");
        }
        // Owners whose seat ends by itself, or who may not sign in, keep nothing.
        seat_until(&*one, &member(&acme(), &format!("brief{round}"), Role::Owner), at(500)).await;
        let answers = at_once(owners.len(), |number| {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            let owner = owners[number].clone();
            async move {
                let was = seat(&*store, &acme(), owner.person.as_str()).await;
                let patch = match number % 4 {
                    0 => SeatPatch {
                        role: Some(Role::OrgAdmin),
                        ..SeatPatch::default()
                    },
                    1 => SeatPatch {
                        status: Some(Status::Disabled),
                        ..SeatPatch::default()
                    },
                    2 => SeatPatch {
                        ends_at: Some(Some(at(900))),
                        ..SeatPatch::default()
                    },
                    _ => {
                        let left = store
                            .record_leaving(&was, &Leaving::Archive, at(15), record(&acme(), "went"))
                            .await
                            .expect("an answer");
                        return match left {
                            Seated::Done(_) => true,
                            Seated::LastOwner => false,
                            other => panic!("{other:?}"),
                        };
                    }
                };
                let changed = store
                    .change_seat(&was, &patch, at(15), record(&acme(), "went"))
                    .await
                    .expect("an answer");
                match changed {
                    Seated::Done(_) => true,
                    Seated::LastOwner => false,
                    other => panic!("{other:?}"),
                }
            }
        })
        .await;
        // The owner who stayed in an earlier round is one more who stays.
        let expected = if round == 0 { 11 } else { 12 };
        assert_eq!(answers.iter().filter(|went| **went).count(), expected, "round {round}");
        let all = ListMembers {
            role: Some(Role::Owner),
            status: Some(Status::Active),
            limit: 200,
            ..ListMembers::default()
        };
        let owners = page(&*one, &all).await.items;
        let lasting = owners.iter().filter(|seat| seat.ends_at.is_none()).count();
        assert_eq!(lasting, 1, "round {round}: {owners:#?}");
    }
    let went = told(&*one, &visible(Scope::Fleet, None)).await;
    assert_eq!(went.len(), 11 + 12 + 12, "only what happened is told");
}

pub(crate) async fn a_seat_is_changed_only_as_it_was_looked_at(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let was = seat(&*one, &acme(), "bob").await;
    let answers = at_once(10, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        let was = was.clone();
        async move {
            let patch = SeatPatch {
                role: Some(if number % 2 == 0 { Role::Owner } else { Role::Viewer }),
                ..SeatPatch::default()
            };
            store
                .change_seat(&was, &patch, at(15), record(&acme(), "changed"))
                .await
                .expect("an answer")
        }
    })
    .await;
    let done = answers.iter().filter(|one| matches!(one, Seated::Done(_))).count();
    let changed = answers.iter().filter(|one| matches!(one, Seated::Changed)).count();
    assert_eq!((done, changed), (1, 9), "{answers:?}");
    let left = one
        .record_leaving(&was, &Leaving::Archive, at(16), record(&acme(), "left"))
        .await
        .expect("an answer");
    assert_eq!(left, Seated::Changed, "whoever wanted to remove a developer");
    assert_eq!(told(&*one, &visible(Scope::Fleet, None)).await, ["changed"]);
}

pub(crate) async fn seats_that_end_by_themselves_are_found_a_page_at_a_time(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    place
        .stranger()
        .await
        .does(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
             INSERT INTO members (org, person, email, email_key, name, role, created_at, ends_at) \
             SELECT 'acme', 'p' || i, i || '@b', i || '@b', 'n', 'developer', 0, {} + (i % 1250) * 1000 FROM n",
            at(1).millis()
        ))
        .await;
    let mut found: Vec<(domain::OrgId, domain::PersonId)> = Vec::new();
    loop {
        let some = store.seats_ended(at(0), at(1000), found.last()).await.expect("seats");
        assert!(some.len() <= 1000, "in bounds");
        if some.is_empty() {
            break;
        }
        found.extend(some);
    }
    found.sort();
    found.dedup();
    assert_eq!(
        found.len(),
        2000,
        "of 1,250 seconds 1,000 have passed, two seats in each"
    );
}
