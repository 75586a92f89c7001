use crate::{cast::*, place::Place};
use domain::{
    OrgId, Role, Timestamp,
    org::{Billing, Kind, ListOrgs, Org, State, Tier},
    page::Page,
    session::{Phase, Session},
};
use engine::ports::{Bounds, Opened, Patch, Record, Refusal, Scope, SeatPatch, Store};

async fn slugs(store: &dyn Store, ask: &ListOrgs) -> Vec<String> {
    let page = store.list_orgs(ask, at(1)).await.expect("a page");
    assert_eq!(page.total, page.items.len() as u64, "all on one page here");
    page.items.into_iter().map(|one| one.org.id.to_string()).collect()
}

pub(crate) async fn an_organization_reads_back_as_it_was_recorded_and_changed(place: Place) {
    let store = place.open().await;
    let first = Org {
        kind: Kind::Internal,
        tier: Tier::Corporate,
        billing: Billing::Chargeback,
        seats: Some(7),
        plan: Some("sandbox-pro".to_owned()),
        ..Org::new(acme(), "Ärger & Söhne", at(3))
    };
    assert!(
        store
            .record_org(&first, record(&acme(), "made"))
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .record_org(&first, record(&acme(), "again"))
            .await
            .expect("an answer")
    );
    assert_eq!(store.find_org(&acme()).await.expect("an answer"), Some(first.clone()));
    let second = Org {
        display_name: "Another".to_owned(),
        kind: Kind::Customer,
        tier: Tier::Sme,
        billing: Billing::Real,
        seats: None,
        plan: None,
        ..first
    };
    assert!(
        store
            .change_org(&second, record(&acme(), "changed"))
            .await
            .expect("an answer")
    );
    assert_eq!(store.find_org(&acme()).await.expect("an answer"), Some(second));
    assert!(
        !store
            .change_org(&org(&other()), record(&other(), "nowhere"))
            .await
            .expect("an answer"),
        "what is not there is not changed"
    );
    assert!(
        !store
            .record_org_state(&other(), State::Suspended, record(&other(), "nowhere"))
            .await
            .expect("an answer")
    );
    assert_eq!(
        told(&*store, &visible(Scope::Fleet, None)).await,
        ["made", "changed"],
        "only what happened is told"
    );
}

pub(crate) async fn organizations_are_listed_by_slug_found_by_words_and_paged(place: Place) {
    let store = place.open().await;
    let mut expected = Vec::new();
    for number in 0..23 {
        let id = OrgId::new(format!("org-{:02}", (number * 7) % 23));
        let made = Org::new(id.clone(), format!("Ärger {number}_%"), at(number));
        store.record_org(&made, Record::default()).await.expect("made");
        expected.push(id.to_string());
    }
    expected.sort();
    for limit in [1, 5, 23, 200] {
        let (mut ask, mut found) = (
            ListOrgs {
                limit,
                ..ListOrgs::default()
            },
            Vec::new(),
        );
        loop {
            let Page { items, next, total } = store.list_orgs(&ask, at(1)).await.expect("a page");
            assert_eq!(total, 23);
            assert!(items.len() <= limit as usize);
            found.extend(items.into_iter().map(|one| one.org.id.to_string()));
            ask.cursor = next;
            if ask.cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "by {limit}");
    }
    let search = |words: &str| ListOrgs {
        search: words.to_owned(),
        limit: 200,
        ..ListOrgs::default()
    };
    assert_eq!(slugs(&*store, &search("ÄRGER 17_%")).await, ["org-04"]);
    assert_eq!(slugs(&*store, &search("org-03 ärger")).await, ["org-03"]);
    assert!(slugs(&*store, &search("7%_")).await.is_empty());

    for (slug, state) in [("org-01", State::Suspended), ("org-02", State::Archived)] {
        let id = OrgId::new(slug);
        assert!(
            store
                .record_org_state(&id, state, Record::default())
                .await
                .expect("an answer")
        );
    }
    let of_state = |state| ListOrgs {
        state,
        limit: 200,
        ..ListOrgs::default()
    };
    assert_eq!(slugs(&*store, &of_state(Some(State::Suspended))).await, ["org-01"]);
    assert_eq!(slugs(&*store, &of_state(Some(State::Archived))).await, ["org-02"]);
    assert_eq!(slugs(&*store, &of_state(Some(State::Active))).await.len(), 21);
    assert_eq!(
        slugs(&*store, &of_state(None)).await.len(),
        22,
        "archived ones only where asked for"
    );
    let foreign = ListOrgs {
        cursor: Some("bm9uc2Vuc2U".to_owned()),
        ..ListOrgs::default()
    };
    let refused = store.list_orgs(&foreign, at(1)).await.expect_err("refused");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
        "{refused:?}"
    );
}

pub(crate) async fn the_figures_of_an_organization_are_its_own(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (owner, id, phase, bytes) in [
        (ann(), "one-aaaaa", Phase::Ready, 5),
        (bob(), "two-aaaaa", Phase::Suspended, 7),
        (eve(), "six-aaaaa", Phase::Ready, 100),
    ] {
        let session = Session {
            phase,
            storage_bytes: bytes,
            ..session(&owner, id)
        };
        open(&*store, &session).await;
    }
    invite(&*store, &acme(), "new@example.org").await;
    let asked = request(&bob(), "r1");
    assert!(
        store
            .record_request(&asked, 9, Record::default())
            .await
            .expect("an answer")
    );
    let ended = seat_until(&*store, &member(&acme(), "was", Role::Developer), at(50)).await;
    assert_eq!(ended.ends_at, Some(at(50)));

    let figures = async |now: Timestamp| {
        let one = store.org_overview(&acme(), now).await.expect("an answer").expect("it");
        (
            one.seats_used,
            one.invited,
            one.live,
            one.sessions,
            one.storage_bytes,
            one.requests,
        )
    };
    assert_eq!(figures(at(49)).await, (3, 1, 1, 2, 12, 1));
    assert_eq!(figures(at(50)).await, (2, 1, 1, 2, 12, 1), "a seat that ended is free");
    assert_eq!(figures(at(1000)).await, (2, 0, 1, 2, 12, 1), "so is a promise");
    let page = store.list_orgs(&ListOrgs::default(), at(49)).await.expect("a page");
    let there = &page.items[1];
    assert_eq!(
        (there.seats_used, there.invited, there.live, there.storage_bytes),
        (1, 0, 1, 100)
    );
    assert_eq!(
        store.org_overview(&OrgId::new("none"), at(1)).await.expect("an answer"),
        None
    );
}

pub(crate) async fn nothing_opens_or_wakes_in_an_organization_that_is_closed(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let asleep = Session {
        phase: Phase::Suspended,
        ..session(&bob(), "asleep-aaaaa")
    };
    open(&*store, &asleep).await;
    for state in [State::Suspended, State::Archived] {
        store
            .record_org_state(&acme(), state, Record::default())
            .await
            .expect("closed");
        let refused = store
            .record_opened(
                &session(&bob(), "new-aaaaa"),
                Bounds::default(),
                None,
                record(&acme(), "opened"),
            )
            .await
            .expect("an answer");
        assert_eq!(refused, Opened::Closed(state));
        let refused = store
            .record_resumed(
                &acme(),
                &asleep.id,
                Bounds::default(),
                at(5),
                record(&acme(), "resumed"),
            )
            .await
            .expect("an answer");
        assert_eq!(refused, Opened::Closed(state));
        open(&*store, &session(&eve(), &format!("{}-aaaaa", state.as_str()))).await;
    }
    assert!(told(&*store, &visible(of(acme()), None)).await.is_empty());
    store
        .record_org_state(&acme(), State::Active, Record::default())
        .await
        .expect("opened again");
    open(&*store, &session(&bob(), "new-aaaaa")).await;
    let woken = store
        .record_resumed(&acme(), &asleep.id, Bounds::default(), at(5), Record::default())
        .await
        .expect("an answer");
    assert!(matches!(woken, Opened::Recorded(_)), "{woken:?}");
}

pub(crate) async fn from_the_moment_it_is_closed_nothing_more_runs(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let owners: Vec<_> = (0..8)
        .map(|number| member(&acme(), &format!("p{number}"), Role::Developer))
        .collect();
    for owner in &owners {
        one.record_member(owner, at(5), Record::default()).await.expect("added");
        let asleep = Session {
            phase: Phase::Suspended,
            ..session(owner, &format!("asleep-{}", owner.person))
        };
        open(&*one, &asleep).await;
    }
    let answers = at_once(41, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        let owner = owners[number % owners.len()].clone();
        async move {
            if number == 20 {
                store
                    .record_org_state(&acme(), State::Suspended, record(&acme(), "closed"))
                    .await
                    .expect("closed");
                let live = store.live_sessions_of(&acme(), None, 1000).await.expect("live ones");
                return Some(live.len());
            }
            let made = record(&acme(), "ran");
            let answer = if number % 3 == 0 {
                let id = domain::SessionId::new(format!("asleep-{}", owner.person));
                store.record_resumed(&acme(), &id, Bounds::default(), at(7), made).await
            } else {
                let session = session(&owner, &format!("new-{number}"));
                store.record_opened(&session, Bounds::default(), None, made).await
            };
            let answer = answer.expect("an answer");
            assert!(
                matches!(
                    answer,
                    Opened::Recorded(_) | Opened::Closed(State::Suspended) | Opened::Refused(Some(_))
                ),
                "{answer:?}"
            );
            None
        }
    })
    .await;
    let then = answers.into_iter().flatten().next().expect("it was closed");
    let now = one.live_sessions_of(&acme(), None, 1000).await.expect("live ones");
    assert_eq!(now.len(), then, "what ran at the moment of closing, and not one more");
}

pub(crate) async fn sessions_that_nobody_may_run_are_found(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let third = OrgId::new("third");
    store
        .record_org(&org(&third), Record::default())
        .await
        .expect("an Organization");
    let brief = member(&acme(), "brief", Role::Developer);
    let gone = member(&acme(), "gone", Role::Developer);
    let off = member(&acme(), "off", Role::Developer);
    let closed = member(&third, "closed", Role::Developer);
    for one in [&brief, &gone, &off, &closed] {
        store.record_member(one, at(5), Record::default()).await.expect("added");
        for phase in [Phase::Ready, Phase::Suspended] {
            let session = Session {
                phase,
                ..session(one, &format!("{}-{}", one.person, phase.as_str()))
            };
            open(&*store, &session).await;
        }
    }
    open(&*store, &session(&bob(), "his")).await;
    let ids = async |now: Timestamp, limit| -> Vec<String> {
        let found = store.stray_sessions(now, limit).await.expect("sessions");
        found.into_iter().map(|session| session.id.to_string()).collect()
    };
    assert!(ids(at(500), 9).await.is_empty());
    seat_until(&*store, &brief, at(500)).await;
    let disabled = SeatPatch {
        status: Some(domain::member::Status::Disabled),
        ..SeatPatch::default()
    };
    change(&*store, &off, disabled).await;
    let was = seat(&*store, &acme(), "gone").await;
    store
        .record_leaving(&was, &domain::member::Leaving::Archive, at(15), Record::default())
        .await
        .expect("left");
    store
        .record_org_state(&third, State::Archived, Record::default())
        .await
        .expect("closed");
    assert_eq!(ids(at(499), 9).await, ["closed-Ready", "gone-Ready", "off-Ready"]);
    assert_eq!(
        ids(at(500), 9).await,
        ["brief-Ready", "closed-Ready", "gone-Ready", "off-Ready"],
        "whose seat is disabled runs nothing"
    );
    assert_eq!(ids(at(500), 2).await, ["brief-Ready", "closed-Ready"]);
}

pub(crate) async fn what_has_a_host_is_found_to_be_put_to_sleep(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (owner, id, phase) in [
        (ann(), "pending", Phase::Pending),
        (bob(), "making", Phase::Provisioning),
        (bob(), "ready", Phase::Ready),
        (bob(), "asleep", Phase::Suspended),
        (bob(), "failed", Phase::Failed),
        (eve(), "elsewhere", Phase::Ready),
    ] {
        let session = Session {
            phase,
            ..session(&owner, id)
        };
        open(&*store, &session).await;
    }
    // Its agent has ended; the shells beside it go on.
    let ended = Session {
        phase: Phase::Ready,
        ..session(&bob(), "ended")
    };
    open(&*store, &ended).await;
    let exit = Patch {
        exit: Some(Some(domain::wire::Exit::Code(0))),
        ..Patch::default()
    };
    store
        .record_session(&acme(), &ended.id, &exit, Record::default())
        .await
        .expect("changed");
    let ids = async |owner: Option<&str>, limit| -> Vec<String> {
        let owner = owner.map(person);
        let found = store
            .live_sessions_of(&acme(), owner.as_ref(), limit)
            .await
            .expect("sessions");
        found.into_iter().map(|session| session.id.to_string()).collect()
    };
    assert_eq!(ids(None, 100).await, ["ended", "making", "pending", "ready"]);
    assert_eq!(ids(Some("bob"), 100).await, ["ended", "making", "ready"]);
    assert_eq!(ids(Some("bob"), 2).await, ["ended", "making"]);
    assert!(ids(Some("eve"), 100).await.is_empty());
}
