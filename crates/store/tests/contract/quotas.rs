use crate::{cast::*, place::Place};
use domain::{
    org::Org,
    quota::{Dimension, Layer, Limit, Limits, ListLimits, Request, Source, State, Subject},
    session::{Phase, Session},
};
use engine::ports::{Bounds, Opened, Record, Scope, Store};

fn limits(dimension: Dimension, limit: Limit) -> Limits {
    Limits([(dimension, limit)].into())
}

async fn set(store: &dyn Store, org: &domain::OrgId, subject: &Subject, limits: &Limits) {
    store
        .record_limits(org, subject, limits, false, record(org, "set"))
        .await
        .expect("set");
}

async fn granted(store: &dyn Store, id: &str, wanted: Limit, ends_at: Option<domain::Timestamp>) {
    let asked = request(&bob(), id);
    assert!(
        store
            .record_request(&asked, 99, Record::default())
            .await
            .expect("an answer")
    );
    let answered = Request {
        state: State::Granted,
        wanted,
        ends_at,
        answered_at: Some(at(11)),
        answered_by: Some("ann@example.org".to_owned()),
        ..asked
    };
    assert!(
        store
            .answer_request(&answered, Record::default())
            .await
            .expect("an answer")
    );
}

pub(crate) async fn each_layer_says_where_it_comes_from(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let layers = async |now| -> (Option<String>, Vec<Layer>) {
        store.quota_layers(&acme(), &person("bob"), now).await.expect("layers")
    };
    assert_eq!(layers(at(20)).await, (None, vec![]));
    let planned = Org {
        plan: Some("sandbox-pro".to_owned()),
        ..org(&acme())
    };
    store.change_org(&planned, Record::default()).await.expect("planned");
    place
        .stranger()
        .await
        .does("INSERT INTO member_groups (org, person, name) VALUES ('acme', 'bob', 'team'), ('other', 'eve', 'spies')")
        .await;
    let group = |name: &str| Subject::Group(name.to_owned());
    set(
        &*store,
        &acme(),
        &Subject::Org,
        &limits(Dimension::Sessions, Limit::At(10)),
    )
    .await;
    set(
        &*store,
        &acme(),
        &group("team"),
        &limits(Dimension::Sessions, Limit::At(20)),
    )
    .await;
    set(
        &*store,
        &acme(),
        &group("spies"),
        &limits(Dimension::Sessions, Limit::At(99)),
    )
    .await;
    set(
        &*store,
        &acme(),
        &Subject::Person(person("bob")),
        &limits(Dimension::Idle, Limit::Unlimited),
    )
    .await;
    set(
        &*store,
        &acme(),
        &Subject::Person(person("ann")),
        &limits(Dimension::Idle, Limit::At(300)),
    )
    .await;
    set(
        &*store,
        &other(),
        &Subject::Org,
        &limits(Dimension::Sessions, Limit::At(1)),
    )
    .await;
    granted(&*store, "r1", Limit::At(30), Some(at(100))).await;
    granted(&*store, "r2", Limit::Unlimited, None).await;

    let (plan, found) = layers(at(20)).await;
    assert_eq!(plan.as_deref(), Some("sandbox-pro"));
    let expected = [
        (Source::Org, Dimension::Sessions, Limit::At(10)),
        (
            Source::Group {
                name: "team".to_owned(),
            },
            Dimension::Sessions,
            Limit::At(20),
        ),
        (Source::Person, Dimension::Idle, Limit::Unlimited),
        (
            Source::Grant { until: Some(at(100)) },
            Dimension::ConcurrentSessions,
            Limit::At(30),
        ),
        (
            Source::Grant { until: None },
            Dimension::ConcurrentSessions,
            Limit::Unlimited,
        ),
    ];
    for (source, dimension, limit) in &expected {
        let layer = Layer {
            source: source.clone(),
            limits: limits(*dimension, *limit),
        };
        assert!(found.contains(&layer), "{layer:?} is not in {found:?}");
    }
    assert_eq!(found.len(), expected.len());
    assert_eq!(layers(at(100)).await.1.len(), 4, "a grant for a time ends by itself");

    let all = async |org: &domain::OrgId, search: &str, cursor: Option<String>, limit: u32| {
        let ask = ListLimits {
            search: search.to_owned(),
            cursor,
            limit,
        };
        store.list_limits(org, &ask).await.expect("limits")
    };
    let page = all(&acme(), "", None, 200).await;
    assert_eq!(
        (page.total, page.items.len()),
        (4, 4),
        "everybody's limits are no group's and no person's"
    );
    assert!(
        store
            .find_limits(&acme(), &Subject::Org)
            .await
            .expect("limits")
            .is_some_and(|limits| !limits.is_empty()),
        "they are asked for by themselves"
    );
    // People are named, and the pages join to the whole.
    let named = page.items.iter().filter_map(|limited| limited.email.as_deref());
    assert!(
        named.clone().any(|email| email == "bob@example.org"),
        "{:?}",
        page.items
    );
    let (mut joined, mut cursor) = (Vec::new(), None);
    loop {
        let page = all(&acme(), "", cursor, 1).await;
        joined.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(joined, page.items);
    let found = all(&acme(), "BOB example", None, 10).await;
    assert_eq!(found.total, 1);
    assert_eq!(found.items[0].subject, Subject::Person(person("bob")));
    set(&*store, &acme(), &group("spies"), &Limits::default()).await;
    assert_eq!(all(&acme(), "", None, 10).await.total, 3, "none takes them away");
    assert_eq!(all(&other(), "", None, 10).await.total, 0, "another's are not there");
}

pub(crate) async fn a_person_has_so_many_requests_waiting_and_no_more(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let answers = at_once(20, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let asked = request(&bob(), &format!("r{number:02}"));
            store
                .record_request(&asked, 3, record(&acme(), "asked"))
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|did| **did).count(), 3);
    assert_eq!(told(&*one, &visible(Scope::Fleet, None)).await.len(), 3);
    assert!(
        one.record_request(&request(&ann(), "hers"), 3, Record::default())
            .await
            .expect("an answer"),
        "each has their own"
    );
    let of_bob = one.list_requests(&acme(), Some(&person("bob")), None, 99).await;
    assert_eq!(of_bob.expect("requests").len(), 3);
    let all = one
        .list_requests(&acme(), None, Some(State::Waiting), 2)
        .await
        .expect("requests");
    assert_eq!(all.len(), 2, "the list is bounded");
    for org in [acme(), other()] {
        let there = org == acme();
        let found = one.find_request(&org, &domain::id::RequestId::new("hers")).await;
        assert_eq!(found.expect("an answer").is_some(), there);
    }
    assert!(
        one.list_requests(&other(), None, None, 9)
            .await
            .expect("requests")
            .is_empty()
    );
}

pub(crate) async fn a_request_is_answered_once_however_many_answer(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let asked = request(&bob(), "r1");
    assert!(
        one.record_request(&asked, 9, Record::default())
            .await
            .expect("an answer")
    );
    let foreign = Request {
        org: other(),
        state: State::Granted,
        ..asked.clone()
    };
    assert!(
        !one.answer_request(&foreign, record(&other(), "answered"))
            .await
            .expect("an answer")
    );
    let answers = at_once(20, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        let answered = Request {
            state: [State::Granted, State::Declined, State::Withdrawn][number % 3],
            answered_at: Some(at(11)),
            answered_by: Some(format!("{number}@example.org")),
            answer: Some("So be it.".to_owned()),
            ends_at: Some(at(600)),
            ..asked.clone()
        };
        async move {
            let did = store
                .answer_request(&answered, record(&acme(), "answered"))
                .await
                .expect("an answer");
            did.then_some(answered)
        }
    })
    .await;
    let answered: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(answered.len(), 1);
    let found = one.find_request(&acme(), &asked.id).await.expect("an answer");
    assert_eq!(found.as_ref(), Some(&answered[0]));
    assert_eq!(told(&*one, &visible(Scope::Fleet, None)).await, ["answered"]);
}

pub(crate) async fn a_hundred_at_once_keep_to_both_bounds(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    for number in 0..5 {
        let asleep = Session {
            phase: Phase::Suspended,
            ..session(&bob(), &format!("asleep-{number}"))
        };
        open(&*one, &asleep).await;
    }
    let bounds = Bounds {
        live: Some(6),
        all: Some(9),
    };
    let answers = at_once(100, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let made = record(&acme(), "ran");
            if number % 10 == 9 {
                let id = domain::SessionId::new(format!("asleep-{}", number / 10 % 5));
                store.record_resumed(&acme(), &id, bounds, at(150), made).await
            } else {
                let new = session(&bob(), &format!("new-{number}"));
                store.record_opened(&new, bounds, None, made).await
            }
            .expect("an answer")
        }
    })
    .await;
    for answer in &answers {
        let fine = matches!(
            answer,
            Opened::Recorded(_) | Opened::OverQuota { live: 6 } | Opened::OverAll { all: 9 } | Opened::Refused(Some(_))
        );
        assert!(fine, "{answer:?}");
    }
    let counts = one.count_sessions(&acme(), &person("bob")).await.expect("counts");
    assert!(counts.live <= 6 && counts.all <= 9, "{counts:?}");
    assert!(counts.live == 6 || counts.all == 9, "and no room is left: {counts:?}");
}

pub(crate) async fn a_ceiling_is_what_was_set_from_above_and_one_subject_is_read_alone(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let at_most = |most| limits(Dimension::Sessions, Limit::At(most));
    let listed = async |limit| {
        let ask = ListLimits {
            limit,
            ..ListLimits::default()
        };
        let page = store.list_limits(&acme(), &ask).await.expect("limits");
        (page.total, page.items.len())
    };
    let all = async |most: &Limits, above| {
        store
            .record_limits(&acme(), &Subject::Org, most, above, Record::default())
            .await
            .expect("set");
        let ceiling = store.find_ceiling(&acme()).await.expect("a ceiling");
        let own = store.find_limits(&acme(), &Subject::Org).await.expect("limits");
        (ceiling, own)
    };
    assert_eq!(all(&at_most(5), false).await, (Limits::default(), Some(at_most(5))));
    assert_eq!(all(&at_most(9), true).await, (at_most(9), Some(at_most(9))));
    assert_eq!(all(&at_most(4), false).await, (at_most(9), Some(at_most(4))));
    assert_eq!(all(&Limits::default(), false).await, (at_most(9), None));
    let (_, layers) = store
        .quota_layers(&acme(), &person("ann"), at(20))
        .await
        .expect("layers");
    assert_eq!(
        layers,
        [Layer {
            source: Source::Ceiling,
            limits: at_most(9)
        }]
    );
    assert!(listed(0).await == (0, 0), "it is nobody's own");
    assert_eq!(
        store.find_ceiling(&other()).await.expect("a ceiling"),
        Limits::default()
    );
    // Beyond what a list shows, one subject is still found.
    for number in 0..1010 {
        let subject = Subject::Group(format!("g{number:04}"));
        store
            .record_limits(&acme(), &subject, &at_most(number + 1), false, Record::default())
            .await
            .expect("set");
    }
    assert_eq!(listed(1000).await, (1010, 200), "a list has pages");
    let last = store
        .find_limits(&acme(), &Subject::Group("g1009".to_owned()))
        .await
        .expect("limits");
    assert_eq!(last, Some(at_most(1010)));
    assert_eq!(all(&Limits::default(), true).await, (Limits::default(), None));
}
