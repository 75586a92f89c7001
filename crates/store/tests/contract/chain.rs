//! The chain of audit entries: what was done to it is found.

use crate::{cast::*, place::Place};
use domain::{
    OrgId,
    audit::{Ask, Breach, Entry, State, Verdict},
};
use engine::ports::{Record, Scope, Store};

/// Entries of both Organizations: Acme's have the positions 1, 3, 5, … and the numbers 1, 2, 3, …
async fn write(store: &dyn Store, count: i64) {
    for number in 1..=count {
        for org in [acme(), other()] {
            let entry = Entry {
                at: at(number),
                ..entry(&org, "opened", &format!("thing-{number}"))
            };
            store.record_audit(&entry).await.expect("recorded");
        }
    }
}

async fn verdict(store: &dyn Store, org: OrgId) -> Verdict {
    store.verify_audit(&org).await.expect("a verdict")
}

async fn breach(store: &dyn Store) -> Option<Breach> {
    verdict(store, acme()).await.breach
}

pub(crate) async fn every_way_of_tampering_is_found_and_named(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    write(&*store, 6).await;
    let whole = verdict(&*store, acme()).await;
    assert_eq!((whole.entries, whole.removed, whole.breach), (6, 0, None));
    assert_eq!(store.audited_orgs("", 10).await.expect("answers"), [acme(), other()]);
    assert_eq!(store.audited_orgs("acme", 10).await.expect("answers"), [other()]);
    let mut stranger = place.stranger().await;
    stranger.does("CREATE TABLE kept AS SELECT * FROM audit").await;
    stranger
        .does("CREATE TABLE kept_chains AS SELECT * FROM audit_chains")
        .await;

    let third = |position| Breach::Changed { number: 3, position };
    let changes = [
        "at = at + 1",
        "person = 'bob'",
        "person = NULL",
        "actor = 'Bob'",
        "via = 'system'",
        "role = 'super-admin'",
        "address = '203.0.113.1'",
        "action = 'closed'",
        "target = 'thing-4'",
        "detail = '{}'",
        "request = NULL",
        "hash = '1:00'",
    ];
    let mut cases: Vec<(String, Breach)> = changes
        .iter()
        .map(|change| (format!("UPDATE audit SET {change} WHERE position = 5"), third(5)))
        .collect();
    let reordered = |number, position| Breach::Reordered { number, position };
    for (how, found) in [
        // Its place among all entries is part of it too.
        ("UPDATE audit SET position = 500 WHERE position = 5", third(500)),
        ("UPDATE audit SET previous = '' WHERE position = 5", reordered(3, 5)),
        // Deleted: at the beginning, in the middle, at the end, and all.
        ("DELETE FROM audit WHERE position = 1", Breach::Missing { number: 1 }),
        ("DELETE FROM audit WHERE position = 5", Breach::Missing { number: 3 }),
        ("DELETE FROM audit WHERE position = 11", Breach::Missing { number: 6 }),
        ("DELETE FROM audit WHERE org = 'acme'", Breach::Missing { number: 1 }),
        // Moved to another Organization: missing here, and foreign there.
        (
            "UPDATE audit SET org = 'evil' WHERE position = 5",
            Breach::Missing { number: 3 },
        ),
        // Swapped: the numbers of two.
        (
            "UPDATE audit SET number = -3 WHERE position = 5; UPDATE audit SET number = 3 WHERE position = 7; \
             UPDATE audit SET number = 4 WHERE position = 5",
            reordered(3, 7),
        ),
        // Numbers and links: then it is what they say that is not so.
        (
            "UPDATE audit SET number = -3 WHERE position = 5; UPDATE audit SET number = 3, \
             previous = (SELECT k.previous FROM kept AS k WHERE k.position = 5) WHERE position = 7; \
             UPDATE audit SET number = 4 WHERE position = 5",
            Breach::Changed { number: 3, position: 7 },
        ),
        // Deleted, and those after it moved up.
        (
            "DELETE FROM audit WHERE position = 5; UPDATE audit SET number = 3 WHERE position = 7; \
             UPDATE audit SET number = 4 WHERE position = 9; UPDATE audit SET number = 5 WHERE position = 11",
            reordered(3, 7),
        ),
        // Given another number: beyond the end, and before the beginning.
        (
            "UPDATE audit SET number = 9 WHERE position = 5",
            Breach::Missing { number: 3 },
        ),
        (
            "UPDATE audit SET number = -1 WHERE position = 1",
            Breach::Missing { number: 1 },
        ),
        // Taken out of the chain.
        (
            "UPDATE audit SET number = NULL WHERE position = 11",
            Breach::Missing { number: 6 },
        ),
        // Cut off, and the end of the chain moved to where it was cut: the hash says that more was there.
        (
            "DELETE FROM audit WHERE position = 11; UPDATE audit_chains SET number = 5 WHERE org = 'acme'",
            reordered(5, 9),
        ),
        // Put in behind the end.
        (
            "INSERT INTO audit (position, at, org, actor, via, action, target, detail, number) \
             VALUES (900, 1, 'acme', 'x', 'x', 'x', 'x', '{}', 7)",
            Breach::Foreign { position: 900 },
        ),
        (
            "INSERT INTO audit (position, at, org, actor, via, action, target, detail) \
             VALUES (900, 1, 'acme', 'x', 'x', 'x', 'x', '{}')",
            Breach::Foreign { position: 900 },
        ),
        // Made to look as if its time had been over.
        (
            "DELETE FROM audit WHERE position = 1; UPDATE audit_chains SET anchor_number = 1 WHERE org = 'acme'",
            reordered(2, 3),
        ),
        ("DELETE FROM audit_chains WHERE org = 'acme'", Breach::Headless),
    ] {
        cases.push((how.to_owned(), found));
    }
    for (how, found) in cases {
        for step in how.split("; ") {
            stranger.does(step).await;
        }
        assert_eq!(breach(&*store).await, Some(found), "{how}");
        let elsewhere = verdict(&*store, other()).await;
        assert_eq!((elsewhere.entries, elsewhere.breach), (6, None), "{how}");
        for restored in [
            "DELETE FROM audit",
            "INSERT INTO audit SELECT * FROM kept",
            "DELETE FROM audit_chains",
            "INSERT INTO audit_chains SELECT * FROM kept_chains",
        ] {
            stranger.does(restored).await;
        }
        assert_eq!(breach(&*store).await, None, "restored after {how}");
    }
    // An Organization that is all made up.
    stranger.does("UPDATE audit SET org = 'evil' WHERE position = 5").await;
    assert_eq!(
        verdict(&*store, OrgId::new("evil")).await.breach,
        Some(Breach::Headless)
    );
    assert_eq!(verdict(&*store, OrgId::new("nobody")).await.breach, None);
}

pub(crate) async fn of_many_who_append_at_once_no_chain_forks(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let recorded = at_once(40, |number| {
        let store = store.clone();
        async move {
            let (first, second) = if number % 2 == 0 {
                (acme(), other())
            } else {
                (other(), acme())
            };
            let audit = vec![
                entry(&first, "a", "x"),
                entry(&second, "b", "x"),
                entry(&first, "c", "x"),
            ];
            let events = Vec::new();
            // With and without rows that are locked before.
            if number % 3 == 0 {
                store.record_member(&ann(), at(0), Record { audit, events }).await
            } else {
                store
                    .record_switch(None, "aider", number % 2 == 0, Record { audit, events })
                    .await
            }
        }
    })
    .await;
    assert!(recorded.iter().all(Result::is_ok), "{recorded:?}");
    for org in [acme(), other()] {
        let found = verdict(&*store, org).await;
        assert_eq!((found.entries, found.breach), (60, None));
    }
}

pub(crate) async fn entries_from_before_the_chain_are_chained_at_the_start(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    write(&*store, 1100).await;
    let before = audited(&*store, &Scope::Fleet, "thing-7").await;
    let mut stranger = place.stranger().await;
    // As it was before the step that made the chain.
    for undone in [
        "UPDATE audit SET number = NULL, previous = NULL, hash = NULL, actor_key = ''",
        "DELETE FROM audit_chains",
        "DELETE FROM audit_words",
    ] {
        stranger.does(undone).await;
    }
    store.close().await;
    // However many servers start.
    let opened = at_once(3, |_| {
        let opening = place.another();
        async move { opening.try_open().await.map(|_| ()) }
    })
    .await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    let store = place.open().await;
    for org in [acme(), other()] {
        let found = verdict(&*store, org).await;
        assert_eq!((found.entries, found.breach), (1100, None));
    }
    assert_eq!(audited(&*store, &Scope::Fleet, "thing-7").await, before);
    let ask = Ask {
        actor: "ann".to_owned(),
        action: "opened".to_owned(),
        limit: 5,
        ..Ask::default()
    };
    let found = store.list_audit(&of(acme()), &ask).await.expect("entries");
    assert_eq!(found.lines.len(), 5, "and they are found");
    write(&*store, 1).await;
    assert_eq!(verdict(&*store, acme()).await.entries, 1101);
}

pub(crate) async fn one_entry_tells_whether_it_is_as_it_was(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    write(&*store, 3).await;
    let state = async |scope: Scope, position| {
        let found = store.find_audit(&scope, position).await.expect("answers");
        found.map(|(line, state)| (line.link.number, state))
    };
    assert_eq!(state(of(acme()), 1).await, Some((1, State::First)));
    assert_eq!(state(of(acme()), 3).await, Some((2, State::Intact)));
    assert_eq!(state(of(acme()), 2).await, None, "it is another Organization's");
    assert_eq!(state(Scope::Fleet, 2).await, Some((1, State::First)));
    let mut stranger = place.stranger().await;
    stranger.does("UPDATE audit SET actor = 'Bob' WHERE position = 3").await;
    assert_eq!(state(of(acme()), 3).await, Some((2, State::Changed)));
    assert_eq!(state(of(acme()), 5).await, Some((3, State::Intact)));
    stranger.does("DELETE FROM audit WHERE position = 3").await;
    assert_eq!(state(of(acme()), 5).await, Some((3, State::Detached)));
}

pub(crate) async fn old_entries_go_and_the_chain_holds(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    write(&*store, 10).await;
    let pruned = Entry {
        at: at(1000),
        person: None,
        ..entry(&acme(), "audit.pruned", "acme")
    };
    assert_eq!(store.audit_due(at(1), 10).await.expect("answers"), []);
    assert_eq!(store.audit_due(at(5), 10).await.expect("answers"), [acme(), other()]);
    let prune = async |before| store.prune_audit(&acme(), before, &pruned).await.expect("pruned");
    assert_eq!(prune(at(5)).await, 4);
    assert_eq!(prune(at(5)).await, 0, "and nothing is written where nothing goes");
    let found = verdict(&*store, acme()).await;
    assert_eq!((found.entries, found.removed, found.breach), (7, 4, None));
    let newest = audited(&*store, &of(acme()), "acme").await;
    assert_eq!(newest[0].detail["entries"], 4);
    assert_eq!(newest[0].detail["through"], 4);
    assert_eq!(store.audit_due(at(5), 10).await.expect("answers"), [other()]);
    assert_eq!(verdict(&*store, other()).await.entries, 10, "another's stay");
    // The oldest that is kept still proves its place; another anchor would not.
    let (_, state) = store
        .find_audit(&Scope::Fleet, 9)
        .await
        .expect("answers")
        .expect("is there");
    assert_eq!(state, State::First);
    let mut stranger = place.stranger().await;
    stranger.does("DELETE FROM audit WHERE position = 9").await;
    assert_eq!(breach(&*store).await, Some(Breach::Missing { number: 5 }));
    // All may go but what says so.
    let second = prune(at(2000)).await;
    assert_eq!(second, 0, "a chain with a hole at its end is left as it is");
}

pub(crate) async fn a_receiver_gets_every_entry_in_order(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    write(&*store, 5).await;
    assert_eq!(store.forwarded("hook").await.expect("answers"), None);
    let first = store.audit_after(0, 4).await.expect("entries");
    assert_eq!(first.iter().map(|line| line.position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    store.record_forwarded("hook", 4).await.expect("remembered");
    assert_eq!(store.forwarded("hook").await.expect("answers"), Some(4));
    store.record_forwarded("hook", 9).await.expect("remembered");
    assert_eq!(store.forwarded("hook").await.expect("answers"), Some(9));
    assert_eq!(store.forwarded("another").await.expect("answers"), None);
    let rest = store.audit_after(9, 100).await.expect("entries");
    assert_eq!(rest.iter().map(|line| line.position).collect::<Vec<_>>(), [10]);
}
