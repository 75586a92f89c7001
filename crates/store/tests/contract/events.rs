use crate::{cast::*, place::Place};
use domain::{SessionId, event::Event};
use engine::ports::{Patch, Record, Scope};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

pub(crate) async fn a_reader_who_follows_many_writers_misses_nothing(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    for number in 0..8 {
        open(&*one, &session(&ann(), &format!("s{number}"))).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, done) = (two.clone(), done.clone());
        async move {
            let (mut last, mut seen) = (0, Vec::new());
            loop {
                let finished = done.load(Ordering::SeqCst);
                let page = store
                    .events_after(&visible(of(acme()), None), last, 7)
                    .await
                    .expect("events");
                if page.is_empty() && finished {
                    return seen;
                }
                for (position, event) in page {
                    assert!(position > last, "positions only grow");
                    last = position;
                    seen.push((position, event.id));
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let written = at_once(40, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let id = SessionId::new(format!("s{}", number % 8));
            let mut record = record(&acme(), "one");
            record.events.push(outgoing(&acme(), "two", None, false));
            let ids: Vec<String> = record.events.iter().map(|out| out.event.id.clone()).collect();
            let changed = store
                .record_session(&acme(), &id, &Patch::default(), record)
                .await
                .expect("an answer");
            assert!(changed.is_some());
            ids
        }
    })
    .await;
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.expect("the reader");
    assert_eq!(seen.len(), 80, "each event once");
    let order: Vec<&String> = seen.iter().map(|(_, id)| id).collect();
    for pair in &written {
        let place = order.iter().position(|id| **id == pair[0]).expect("seen");
        assert_eq!(order[place + 1], &pair[1], "what was written together stands together");
    }
    let all = one
        .events_after(&visible(of(acme()), None), 0, 1000)
        .await
        .expect("events");
    let later: Vec<(i64, String)> = all.into_iter().map(|(position, event)| (position, event.id)).collect();
    assert_eq!(seen, later, "what was read on the way is what stands there");
}

pub(crate) async fn an_event_reaches_those_who_may_read_it(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let events = vec![
        outgoing(&acme(), "for all", None, false),
        outgoing(&acme(), "hers", Some("ann"), false),
        outgoing(&acme(), "his", Some("bob"), false),
        outgoing(&acme(), "his, shared", Some("bob"), true),
        outgoing(&other(), "elsewhere, for all", None, false),
        outgoing(&other(), "elsewhere, shared", Some("eve"), true),
    ];
    let record = Record {
        events,
        ..Record::default()
    };
    store
        .record_switch(None, "aider", false, record)
        .await
        .expect("recorded");
    for (visible, expected) in [
        (
            visible(of(acme()), Some("ann")),
            &["for all", "hers", "his, shared"][..],
        ),
        (visible(of(acme()), Some("bob")), &["for all", "his", "his, shared"]),
        (visible(of(acme()), None), &["for all", "hers", "his", "his, shared"]),
        (
            visible(of(other()), Some("ann")),
            &["elsewhere, for all", "elsewhere, shared"],
        ),
        (visible(Scope::Fleet, Some("ann")), &["for all", "hers", "his, shared"]),
    ] {
        assert_eq!(told(&*store, &visible).await, expected, "{visible:?}");
    }
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await.len(), 6);
    let two = store
        .events_after(&visible(Scope::Fleet, None), 2, 2)
        .await
        .expect("events");
    assert_eq!(
        two.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        [3, 4],
        "from a position, bounded"
    );
}

pub(crate) async fn what_is_undone_tells_nothing(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut whole = outgoing(&acme(), "first", None, false);
    whole.event.metadata = Some(json!({ "dimension": "storage" }));
    let Event { id, .. } = whole.event.clone();
    let record = Record {
        events: vec![whole.clone()],
        ..Record::default()
    };
    store
        .record_switch(None, "aider", false, record)
        .await
        .expect("recorded");
    // An event's id is its own for ever: what is written together with one that repeats it does not happen at all.
    let mut second = outgoing(&acme(), "second", None, false);
    second.event.id = id;
    let record = Record {
        audit: vec![entry(&acme(), "a", "b")],
        events: vec![second],
    };
    assert!(store.record_switch(None, "shell", false, record).await.is_err());
    let off = store.switched_off(&acme()).await.expect("an answer");
    assert_eq!(off, [(None, "aider".to_owned())]);
    assert!(audited(&*store, &Scope::Fleet, "").await.is_empty());
    let events = store
        .events_after(&visible(Scope::Fleet, None), 0, 10)
        .await
        .expect("events");
    assert_eq!(events, [(1, whole.event)], "an event reads back whole");

    let record = Record {
        events: vec![outgoing(&acme(), "third", None, false)],
        ..Record::default()
    };
    store
        .record_switch(None, "shell", false, record)
        .await
        .expect("the store goes on");
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await, ["first", "third"]);
}

pub(crate) async fn old_events_go_and_the_bounds_tell(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(store.event_bounds().await.expect("bounds"), (0, 0));
    // The clock jumped back between the second and the third: nothing may go from the middle.
    let seconds = [10, 20, 5, 30, 40];
    let events = seconds
        .iter()
        .map(|&second| {
            let mut out = outgoing(&acme(), &second.to_string(), None, false);
            out.event.timestamp = at(second);
            out
        })
        .collect();
    let record = Record {
        events,
        ..Record::default()
    };
    store
        .record_switch(None, "aider", false, record)
        .await
        .expect("recorded");
    assert_eq!(store.event_bounds().await.expect("bounds"), (5, 1));
    store.prune(at(20)).await.expect("pruned");
    assert_eq!(
        told(&*store, &visible(Scope::Fleet, None)).await,
        ["20", "5", "30", "40"]
    );
    assert_eq!(store.event_bounds().await.expect("bounds"), (5, 2));
    store.prune(at(9000)).await.expect("pruned");
    assert_eq!(
        store.event_bounds().await.expect("bounds"),
        (5, 5),
        "the last stays, so that gaps can be told"
    );
    let record = Record {
        events: vec![outgoing(&acme(), "next", None, false)],
        ..Record::default()
    };
    store
        .record_switch(None, "aider", true, record)
        .await
        .expect("recorded");
    assert_eq!(
        store.event_bounds().await.expect("bounds"),
        (6, 5),
        "a position is never given twice"
    );
}
