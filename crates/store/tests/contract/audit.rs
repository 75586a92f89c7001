use crate::{cast::*, place::Place};
use domain::audit::{Ask, Entry, FROM_ABOVE};
use engine::ports::{Record, Refusal, Scope};
use std::collections::BTreeSet;

/// An entry of somebody, so many seconds in.
fn by(actor: &str, second: i64, action: &str, target: &str) -> Entry {
    Entry {
        at: at(second),
        person: Some(person(actor)),
        actor: format!("{actor}@Example.org"),
        request: Some(format!("r-{second}")),
        ..entry(&acme(), action, target)
    }
}

pub(crate) async fn entries_are_read_newest_first_and_pages_join_to_the_whole(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let by_the_system = Entry {
        person: None,
        request: None,
        role: None,
        address: None,
        ..entry(&acme(), "pruned", "one")
    };
    // A clock that went backwards, and two at one moment: time first, then position.
    let entries = [
        by("ann", 5, "opened", "one"),
        by("ann", 9, "opened", "two"),
        entry(&other(), "opened", "one"),
        by_the_system,
        by("bob", 5, "renamed", "one"),
    ];
    for entry in &entries {
        store.record_audit(entry).await.expect("recorded");
    }
    let read = async |scope: Scope, ask: Ask| {
        let trail = store.list_audit(&scope, &ask).await.expect("entries");
        for line in &trail.lines {
            assert_eq!(line.entry, entries[line.position as usize - 1]);
        }
        (
            trail.lines.iter().map(|line| line.position).collect::<Vec<_>>(),
            trail.next,
        )
    };
    let of_target = |target: &str| Ask {
        target: target.to_owned(),
        ..Ask::default()
    };
    assert_eq!(read(of(acme()), Ask::default()).await, (vec![4, 2, 5, 1], None));
    assert_eq!(read(Scope::Fleet, Ask::default()).await, (vec![4, 3, 2, 5, 1], None));
    assert_eq!(read(of(acme()), of_target("one")).await, (vec![4, 5, 1], None));
    assert_eq!(read(of(other()), of_target("two")).await, (vec![], None));

    let mut cursor = None;
    let mut joined = Vec::new();
    loop {
        let ask = Ask {
            cursor,
            limit: 2,
            ..Ask::default()
        };
        let (positions, next) = read(Scope::Fleet, ask).await;
        joined.extend(positions);
        // What comes in between is newer than every page to come.
        store
            .record_audit(&by("bob", 900, "late", "x"))
            .await
            .expect("recorded");
        if next.is_none() {
            break;
        }
        cursor = next;
    }
    assert_eq!(joined, [4, 3, 2, 5, 1]);
    let wrong = Ask {
        cursor: Some("x".to_owned()),
        ..Ask::default()
    };
    let refused = store.list_audit(&Scope::Fleet, &wrong).await.expect_err("refused");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
        "{refused:?}"
    );
}

pub(crate) async fn filters_find_what_they_say_and_nothing_else(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut of_another_org = by("ann", 30, "session.opened", "three");
    of_another_org.org = other();
    let entries = [
        by("ann", 10, "session.opened", "one"),
        by("bob", 20, "session.renamed", "one"),
        of_another_org,
        by("a_n", 40, "token.minted", "two"),
        by("ÄNNE", 50, "sessions", "one"),
        by("bob", 60, "session.opened", "four"),
    ];
    for entry in &entries {
        store.record_audit(entry).await.expect("recorded");
    }
    let found = async |scope: Scope, ask: Ask| -> Vec<i64> {
        let trail = store.list_audit(&scope, &ask).await.expect("entries");
        trail.lines.iter().map(|line| line.position).collect()
    };
    let ask = |actor: &str, action: &str| Ask {
        actor: actor.to_owned(),
        action: action.to_owned(),
        ..Ask::default()
    };
    for (actor, action, ours, all) in [
        ("ANN", "", &[1][..], &[3, 1][..]),
        ("änne", "", &[5], &[5]),
        ("ÄNNE", "", &[5], &[5]),
        ("@example", "", &[6, 5, 4, 2, 1], &[6, 5, 4, 3, 2, 1]),
        // Every letter is meant literally.
        ("a_n", "", &[4], &[4]),
        ("%", "", &[], &[]),
        ("nobody", "", &[], &[]),
        ("", "session.opened", &[6, 1], &[6, 3, 1]),
        ("", "session.", &[6, 2, 1], &[6, 3, 2, 1]),
        ("", "session", &[], &[]),
        ("bob", "session.opened", &[6], &[6]),
        ("bob", "session.", &[6, 2], &[6, 2]),
        ("bob", "token.", &[], &[]),
    ] {
        assert_eq!(found(of(acme()), ask(actor, action)).await, ours, "{actor} {action}");
        assert_eq!(found(Scope::Fleet, ask(actor, action)).await, all, "{actor} {action}");
    }
    let both = Ask {
        target: "one".to_owned(),
        ..ask("bob", "session.")
    };
    assert_eq!(found(of(acme()), both).await, [2]);
    let request = Ask {
        request: "r-40".to_owned(),
        ..Ask::default()
    };
    assert_eq!(found(of(acme()), request.clone()).await, [4]);
    assert_eq!(found(of(other()), request).await, [0_i64; 0]);
    let between = |from: i64, until: i64, rest: Ask| Ask {
        from: Some(at(from)),
        until: Some(at(until)),
        ..rest
    };
    assert_eq!(found(of(acme()), between(20, 50, Ask::default())).await, [4, 2]);
    assert_eq!(found(Scope::Fleet, between(20, 50, Ask::default())).await, [4, 3, 2]);
    assert_eq!(found(of(acme()), between(20, 60, ask("bob", ""))).await, [2]);
}

/// Whoever acts from above is `the installation` to an Organization, also to its filters; those above find them by name.
pub(crate) async fn who_acts_from_above_is_found_by_name_from_above_alone(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let above = |second: i64, action: &str| Entry {
        via: format!("{FROM_ABOVE}login"),
        ..by("root", second, action, "one")
    };
    let own = Entry {
        org: other(),
        ..by("root", 40, "token.minted", "two")
    };
    for entry in [
        by("ann", 10, "session.opened", "one"),
        above(20, "quota.changed"),
        above(30, "member.changed"),
        own,
        by("ann", 50, "member.changed", "one"),
    ] {
        store.record_audit(&entry).await.expect("recorded");
    }
    let found = async |scope: Scope, actor: &str, action: &str, above: bool| -> Vec<i64> {
        let ask = Ask {
            actor: actor.to_owned(),
            action: action.to_owned(),
            above,
            ..Ask::default()
        };
        let trail = store.list_audit(&scope, &ask).await.expect("entries");
        trail.lines.iter().map(|line| line.position).collect()
    };
    for (actor, action, below, from_above) in [
        ("ROOT", "", &[][..], &[3, 2][..]),
        ("root", "", &[], &[3, 2]),
        ("root", "member.", &[], &[3]),
        ("the installation", "", &[3, 2], &[]),
        ("installation", "member.changed", &[3], &[]),
        ("ann", "", &[5, 1], &[5, 1]),
        // In both, and each line once.
        ("o", "", &[5, 3, 2, 1], &[5, 3, 2, 1]),
        ("", "member.changed", &[5, 3], &[5, 3]),
    ] {
        assert_eq!(found(of(acme()), actor, action, false).await, below, "{actor} {action}");
        assert_eq!(
            found(of(acme()), actor, action, true).await,
            from_above,
            "{actor} {action}"
        );
    }
    assert_eq!(found(Scope::Fleet, "root", "", true).await, [4, 3, 2]);
    // Where a filter has too many whole words, or a thing is asked for, lines are sifted: by the same rule.
    for (actor, below, from_above) in [("root", &[][..], &[3, 2][..]), ("the inst", &[3, 2], &[])] {
        for (above, expected) in [(false, below), (true, from_above)] {
            let ask = Ask {
                actor: actor.to_owned(),
                target: "one".to_owned(),
                above,
                ..Ask::default()
            };
            let trail = store.list_audit(&of(acme()), &ask).await.expect("entries");
            let lines: Vec<_> = trail.lines.iter().map(|line| line.position).collect();
            assert_eq!(lines, expected, "{actor} {above}");
        }
    }
    assert_eq!(store.verify_audit(&acme()).await.expect("walked").breach, None);
}

/// A part of a word that is in more whole ones than are asked for one by one.
pub(crate) async fn a_filter_of_very_many_words_still_finds_all(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let audit: Vec<Entry> = (0..120)
        .map(|n| by(&format!("person-{n:03}"), n, "opened", "one"))
        .collect();
    let record = Record {
        audit,
        events: Vec::new(),
    };
    store
        .record_switch(None, "aider", false, record)
        .await
        .expect("recorded");
    for (actor, count) in [("person-", 120), ("person-00", 10), ("person-1", 20), ("person-007", 1)] {
        let mut found = BTreeSet::new();
        let mut cursor = None;
        loop {
            let ask = Ask {
                actor: actor.to_owned(),
                action: "opened".to_owned(),
                cursor,
                limit: 7,
                ..Ask::default()
            };
            let trail = store.list_audit(&of(acme()), &ask).await.expect("entries");
            let ordered = trail.lines.windows(2).all(|two| two[0].entry.at > two[1].entry.at);
            assert!(ordered, "newest first");
            found.extend(trail.lines.iter().map(|line| line.position));
            if trail.next.is_none() {
                break;
            }
            cursor = trail.next;
        }
        assert_eq!(found.len(), count, "{actor}");
    }
}
