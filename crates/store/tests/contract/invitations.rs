use crate::{cast::*, place::Place};
use domain::{
    Role, Timestamp,
    audit::Ask,
    invitation::{Invitation, Letter},
    member::{Leaving, Status},
    org::{Org, State},
    quota::{Dimension, Limit, Limits, Source},
};
use engine::ports::{Accepted, Asked, NewLetter, Record, Scope, Sealed, SeatPatch, Seated, Store};

async fn asked(store: &dyn Store, invitation: &Invitation, most: u64) -> Asked {
    let link = hash(&format!("link-{}", invitation.id));
    store
        .record_invitation(
            invitation,
            &link,
            None,
            most,
            invitation.created_at,
            record(&invitation.org, "invited"),
        )
        .await
        .expect("an answer")
}

async fn accept(store: &dyn Store, link: &str, who: &str, email: Option<&str>, now: Timestamp) -> Accepted {
    store
        .accept_invitation(&hash(link), &acceptance(who, email), now, record(&acme(), "joined"))
        .await
        .expect("an answer")
}

async fn waiting(store: &dyn Store, now: Timestamp) -> Vec<String> {
    let waiting = store.list_invitations(&acme(), now).await.expect("invitations");
    waiting.into_iter().map(|one| one.id.to_string()).collect()
}

async fn bought(store: &dyn Store, seats: u64) {
    let org = Org {
        seats: Some(seats),
        ..org(&acme())
    };
    store.change_org(&org, Record::default()).await.expect("bought");
}

async fn used(store: &dyn Store, now: Timestamp) -> (u64, u64) {
    let one = store.org_overview(&acme(), now).await.expect("an answer").expect("it");
    (one.seats_used, one.invited)
}

pub(crate) async fn an_invitation_gives_its_seat_with_all_that_was_said(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let limits = Limits([(Dimension::ConcurrentSessions, Limit::At(1))].into());
    let invited = Invitation {
        role: Role::Viewer,
        seat_ends_at: Some(at(2000)),
        limits: limits.clone(),
        ..invitation(&acme(), "i1", "New@example.org")
    };
    assert_eq!(asked(&*store, &invited, 9).await, Asked::Recorded);
    let (found, org) = store
        .find_invitation(&hash("link-i1"), at(20))
        .await
        .expect("an answer")
        .expect("it waits");
    assert_eq!((found, org.id), (invited.clone(), acme()));
    assert_eq!(waiting(&*store, at(20)).await, ["i1"], "looking uses nothing up");

    let Accepted::Seated(seated) = accept(&*store, "link-i1", "new", None, at(20)).await else {
        panic!("a seat")
    };
    assert_eq!(
        (seated.role, seated.org.clone(), seated.email.as_str()),
        (Role::Viewer, acme(), "New@example.org")
    );
    let held = seat(&*store, &acme(), "new").await;
    assert_eq!((held.ends_at, held.status), (Some(at(2000)), Status::Active));
    let (_, layers) = store
        .quota_layers(&acme(), &person("new"), at(20))
        .await
        .expect("layers");
    assert_eq!(layers.len(), 1);
    assert_eq!((&layers[0].source, &layers[0].limits), (&Source::Person, &limits));
    let trail = store.list_audit(&of(acme()), &Ask::default()).await.expect("entries");
    let joined = trail
        .lines
        .iter()
        .find(|line| line.entry.action == "joined")
        .expect("told");
    let joined = &joined.entry;
    assert_eq!(joined.detail["invitation"], "i1");
    assert_eq!(joined.actor, "New@example.org");
    assert!(waiting(&*store, at(20)).await.is_empty());
}

pub(crate) async fn an_invitation_is_used_once_however_many_try(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    assert_eq!(
        asked(&*one, &invitation(&acme(), "i1", "new@example.org"), 9).await,
        Asked::Recorded
    );
    let answers = at_once(20, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move { accept(&*store, "link-i1", &format!("p{number}"), None, at(20)).await }
    })
    .await;
    let seated = answers.iter().filter(|one| matches!(one, Accepted::Seated(_))).count();
    let gone = answers.iter().filter(|one| matches!(one, Accepted::Gone)).count();
    assert_eq!((seated, gone), (1, 19), "{answers:?}");
    assert_eq!(used(&*one, at(20)).await, (3, 0));
}

pub(crate) async fn fifty_invitations_at_once_promise_the_seats_that_are_left(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    bought(&*one, 12).await;
    let answers = at_once(50, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let invited = invitation(&acme(), &format!("i{number}"), &format!("n{number}@example.org"));
            asked(&*store, &invited, 100).await
        }
    })
    .await;
    let promised = answers.iter().filter(|one| **one == Asked::Recorded).count();
    let full = answers
        .iter()
        .filter(|one| matches!(one, Asked::Full { seats: 12 }))
        .count();
    assert_eq!((promised, full), (10, 40), "{answers:?}");
    assert_eq!(used(&*one, at(20)).await, (2, 10));
    assert_eq!(told(&*one, &visible(Scope::Fleet, None)).await.len(), 10);

    // A promise that is over, or taken back, is a seat again; one that is kept is not.
    let ids = waiting(&*one, at(20)).await;
    assert!(
        one.withdraw_invitation(
            &acme(),
            &domain::id::InvitationId::new(&ids[0]),
            at(20),
            Record::default()
        )
        .await
        .expect("an answer")
    );
    assert!(matches!(
        accept(&*one, &format!("link-{}", ids[1]), "new", None, at(20)).await,
        Accepted::Seated(_)
    ));
    assert_eq!(used(&*one, at(20)).await, (3, 8));
    assert_eq!(
        asked(&*one, &invitation(&acme(), "again", "again@example.org"), 100).await,
        Asked::Recorded
    );
    assert_eq!(
        asked(&*one, &invitation(&acme(), "more", "more@example.org"), 100).await,
        Asked::Full { seats: 12 }
    );
    let later = Invitation {
        created_at: at(1000),
        expires_at: at(2000),
        ..invitation(&acme(), "later", "later@example.org")
    };
    assert_eq!(asked(&*one, &later, 100).await, Asked::Recorded);
}

pub(crate) async fn the_same_address_invited_again_has_one_invitation(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    bought(&*store, 3).await;
    assert_eq!(
        asked(&*store, &invitation(&acme(), "i1", "new@example.org"), 1).await,
        Asked::Recorded
    );
    assert_eq!(
        asked(&*store, &invitation(&acme(), "i2", "new@example.org"), 1).await,
        Asked::Recorded,
        "neither a second seat nor a second place among those that wait"
    );
    assert_eq!(waiting(&*store, at(20)).await, ["i2"]);
    assert_eq!(accept(&*store, "link-i1", "new", None, at(20)).await, Accepted::Gone);
    assert!(matches!(
        accept(&*store, "link-i2", "new", None, at(20)).await,
        Accepted::Seated(_)
    ));
    bought(&*store, 9).await;
    assert_eq!(
        asked(&*store, &invitation(&acme(), "i3", "one@example.org"), 1).await,
        Asked::Recorded
    );
    assert_eq!(
        asked(&*store, &invitation(&acme(), "i4", "two@example.org"), 1).await,
        Asked::TooMany
    );
    // At once: somebody accepts while the same address is invited anew, again and again.
    for round in 0..10 {
        let address = format!("r{round}@example.org");
        let old = format!("old{round}");
        assert_eq!(
            asked(&*store, &invitation(&acme(), &old, &address), 99).await,
            Asked::Recorded
        );
        bought(&*store, 99).await;
        let answers = at_once(2, |number| {
            let (store, address, old) = (store.clone(), address.clone(), old.clone());
            async move {
                if number == 0 {
                    let new = invitation(&acme(), &format!("new{old}"), &address);
                    asked(&*store, &new, 99).await == Asked::Recorded
                } else {
                    let link = format!("link-{old}");
                    matches!(
                        accept(&*store, &link, &format!("p{old}"), None, at(20)).await,
                        Accepted::Seated(_)
                    )
                }
            }
        })
        .await;
        assert_eq!(
            answers.iter().filter(|did| **did).count(),
            1,
            "either the old link or the new invitation: {answers:?}"
        );
    }
}

pub(crate) async fn a_link_that_was_withdrawn_or_is_over_or_of_a_closed_organization_gives_no_seat(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for id in ["withdrawn", "over", "closed", "brief"] {
        let invited = Invitation {
            seat_ends_at: (id == "brief").then(|| at(30)),
            ..invitation(&acme(), id, &format!("{id}@example.org"))
        };
        assert_eq!(asked(&*store, &invited, 9).await, Asked::Recorded);
    }
    let withdraw = async |org| {
        store
            .withdraw_invitation(
                &org,
                &domain::id::InvitationId::new("withdrawn"),
                at(11),
                record(&acme(), "withdrawn"),
            )
            .await
            .expect("an answer")
    };
    assert!(!withdraw(other()).await, "only by its own Organization");
    assert!(withdraw(acme()).await && !withdraw(acme()).await);
    for (id, now) in [
        ("withdrawn", at(20)),
        ("over", at(1000)),
        ("brief", at(30)),
        ("never", at(20)),
    ] {
        let link = format!("link-{id}");
        assert_eq!(accept(&*store, &link, "new", None, now).await, Accepted::Gone, "{id}");
    }
    for state in [State::Suspended, State::Archived] {
        store
            .record_org_state(&acme(), state, Record::default())
            .await
            .expect("closed");
        assert_eq!(
            store
                .find_invitation(&hash("link-closed"), at(20))
                .await
                .expect("an answer"),
            None
        );
        assert_eq!(
            accept(&*store, "link-closed", "new", None, at(20)).await,
            Accepted::Gone
        );
    }
    assert_eq!(store.find_seat(&acme(), &person("new")).await.expect("an answer"), None);
    store
        .record_org_state(&acme(), State::Active, Record::default())
        .await
        .expect("opened");
    assert!(
        matches!(
            accept(&*store, "link-closed", "new", None, at(20)).await,
            Accepted::Seated(_)
        ),
        "a refusal uses nothing up"
    );
    store.prune(at(5000)).await.expect("pruned");
    assert_eq!(place.stranger().await.counts("invitations").await, 0);
}

pub(crate) async fn who_has_a_seat_gets_no_second_one(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(
        asked(&*store, &invitation(&acme(), "i0", "ann@example.org"), 9).await,
        Asked::Member
    );
    // Another address of theirs, or one that got a seat after the invitation.
    assert_eq!(
        asked(&*store, &invitation(&acme(), "i1", "alias@example.org"), 9).await,
        Asked::Recorded
    );
    assert_eq!(
        accept(&*store, "link-i1", "ann", Some("ann@example.org"), at(20)).await,
        Accepted::Member
    );
    assert_eq!(
        accept(&*store, "link-i1", "new", Some("Bob@example.org"), at(20)).await,
        Accepted::Member,
        "an address has one seat, whoever comes with it"
    );
    assert_eq!(
        waiting(&*store, at(20)).await,
        ["i1"],
        "who was refused used nothing up"
    );

    // A seat that was taken away for a time is given back by those who took it, not by a link.
    let disabled = SeatPatch {
        status: Some(Status::Disabled),
        ..SeatPatch::default()
    };
    change(&*store, &bob(), disabled).await;
    assert_eq!(
        accept(&*store, "link-i1", "bob", Some("bob@example.org"), at(20)).await,
        Accepted::Member
    );
    let held = seat(&*store, &acme(), "bob").await;
    assert_eq!((held.status, held.role), (Status::Disabled, Role::Developer));
    seat_until(&*store, &member(&acme(), "was", Role::Developer), at(15)).await;
    assert_eq!(
        accept(&*store, "link-i1", "was", Some("was@example.org"), at(20)).await,
        Accepted::Member
    );

    // Who has left may come back, as the invitation says, with nothing of what they were.
    let left = store
        .record_leaving(
            &seat(&*store, &acme(), "bob").await,
            &Leaving::Archive,
            at(21),
            Record::default(),
        )
        .await
        .expect("an answer");
    assert_eq!(left, Seated::Done(Vec::new()));
    let Accepted::Seated(back) = accept(&*store, "link-i1", "bob", Some("bob@example.org"), at(22)).await else {
        panic!("a seat")
    };
    assert_eq!((back.role, back.email.as_str()), (Role::Developer, "bob@example.org"));
    let held = seat(&*store, &acme(), "bob").await;
    assert!(held.holds(at(22)) && held.ends_at.is_none());
}

pub(crate) async fn a_seat_that_is_given_back_needs_a_free_one(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    seat_until(&*store, &member(&acme(), "was", Role::Developer), at(15)).await;
    bought(&*store, 3).await;
    assert_eq!(
        asked(
            &*store,
            &Invitation {
                created_at: at(20),
                ..invitation(&acme(), "i1", "new@example.org")
            },
            9
        )
        .await,
        Asked::Recorded,
        "the seat that ended is free"
    );
    let longer = SeatPatch {
        ends_at: Some(None),
        ..SeatPatch::default()
    };
    let was = seat(&*store, &acme(), "was").await;
    let answer = store
        .change_seat(&was, &longer, at(21), record(&acme(), "longer"))
        .await
        .expect("an answer");
    assert_eq!(answer, Seated::Full { seats: 3 });
    bought(&*store, 4).await;
    let answer = store
        .change_seat(&was, &longer, at(21), Record::default())
        .await
        .expect("an answer");
    assert!(matches!(answer, Seated::Done(_)), "{answer:?}");
}

pub(crate) async fn a_letter_is_taken_by_one_settled_once_and_forgotten_with_its_secret(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let letter = NewLetter {
        sealed: Sealed {
            key: "k1".to_owned(),
            text: "sealed".to_owned(),
        },
        expires_at: at(900),
    };
    for name in ["a", "b", "c"] {
        let invited = invitation(&acme(), name, &format!("{name}@example.org"));
        let link = hash(name);
        let made = one.record_invitation(&invited, &link, Some(&letter), 9, at(10), Record::default());
        assert_eq!(made.await.expect("an answer"), Asked::Recorded);
    }
    assert_eq!(
        one.sealing_keys().await.expect("keys"),
        [("k1".to_owned(), 3)],
        "a key is not spare while a letter needs it"
    );
    let taken = at_once(8, |task| {
        let store = if task % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let mut mine = Vec::new();
            for _ in 0..6 {
                mine.extend(store.take_letter(at(20), at(200)).await.expect("an answer"));
            }
            mine
        }
    })
    .await;
    let mut names: Vec<_> = taken
        .iter()
        .flatten()
        .map(|due| due.invitation.id.to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "b", "c"], "each is taken once");
    let due = &taken.iter().flatten().next().expect("one");
    assert_eq!(
        (&due.sealed, due.tries, due.org_name.as_str()),
        (&letter.sealed, 1, "The acme")
    );
    let id = |name: &str| domain::id::InvitationId::new(name);
    let later = Letter::Waiting {
        why: Some("away".to_owned()),
    };
    one.settle_letter(&id("a"), &Letter::Sent, None).await.expect("settled");
    one.settle_letter(&id("b"), &later, Some(at(300)))
        .await
        .expect("settled");
    one.settle_letter(&id("a"), &later, Some(at(300))).await.expect("once");
    one.withdraw_invitation(&acme(), &id("c"), at(30), Record::default())
        .await
        .expect("withdrawn");
    assert!(
        one.take_letter(at(250), at(260)).await.expect("an answer").is_none(),
        "c is nobody's, b not due"
    );
    assert_eq!(
        one.sealing_keys().await.expect("keys"),
        [("k1".to_owned(), 1)],
        "what is over is forgotten"
    );
    let said = one.list_invitations(&acme(), at(40)).await.expect("a list");
    let said: Vec<_> = said.into_iter().map(|one| (one.id.to_string(), one.letter)).collect();
    assert_eq!(
        said,
        [("b".to_owned(), Some(later)), ("a".to_owned(), Some(Letter::Sent))]
    );
    let again = one.take_letter(at(300), at(400)).await.expect("an answer").expect("b");
    assert_eq!((again.invitation.id.as_str(), again.tries), ("b", 2));
    assert!(
        one.take_letter(at(900), at(999)).await.expect("an answer").is_none(),
        "its time is over"
    );
    assert!(one.sealing_keys().await.expect("keys").is_empty());
}
