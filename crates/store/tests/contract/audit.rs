use crate::{cast::*, place::Place};
use domain::audit::Entry;
use engine::ports::{Scope, Store as _};

pub(crate) async fn entries_are_read_newest_first_of_one_thing_or_of_all(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let by_the_system = Entry {
        person: None,
        request: None,
        ..entry(&acme(), "pruned", "one")
    };
    let entries = [
        entry(&acme(), "opened", "one"),
        entry(&acme(), "opened", "two"),
        entry(&other(), "opened", "one"),
        by_the_system,
    ];
    for entry in &entries {
        store.record_audit(entry).await.expect("recorded");
    }
    let read = async |scope: Scope, target, before, limit| {
        store.list_audit(&scope, target, before, limit).await.expect("entries")
    };
    let numbered = |positions: &[i64]| -> Vec<(i64, Entry)> {
        positions
            .iter()
            .map(|&position| (position, entries[position as usize - 1].clone()))
            .collect()
    };
    assert_eq!(read(of(acme()), None, None, 10).await, numbered(&[4, 2, 1]));
    assert_eq!(read(Scope::Fleet, None, None, 10).await, numbered(&[4, 3, 2, 1]));
    assert_eq!(read(of(acme()), Some("one"), None, 10).await, numbered(&[4, 1]));
    assert_eq!(read(Scope::Fleet, None, Some(4), 2).await, numbered(&[3, 2]));
    assert_eq!(read(of(other()), Some("two"), None, 10).await, numbered(&[]));
    assert!(read(Scope::Fleet, None, None, 0).await.is_empty());
}
