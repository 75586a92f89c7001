use crate::{cast::*, place::Place};
use domain::SessionId;
use engine::ports::{Refusal, Scope};

pub(crate) async fn what_was_acknowledged_is_there_after_a_crash(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&ann(), "one-aaaaa")).await;
    // SQLite: what is on disk at this moment, with the first store still open and nothing folded into the file.
    let after = place.as_after_a_crash();
    let again = match &after {
        Some(copy) => copy.open().await,
        None => {
            drop(store);
            place.open().await
        }
    };
    let found = again
        .find_session(&Scope::Fleet, &SessionId::new("one-aaaaa"))
        .await
        .expect("an answer");
    assert_eq!(found, Some(session(&ann(), "one-aaaaa")));
    open(&*again, &session(&ann(), "two-aaaaa")).await;

    // An orderly end, and a third start.
    again.close().await;
    let third = after.as_ref().unwrap_or(&place).open().await;
    assert_eq!(
        third.count_sessions(&acme(), &ann().person).await.expect("counts").all,
        2
    );
}

pub(crate) async fn servers_that_start_together_make_one_schema(place: Place) {
    let place = std::sync::Arc::new(place);
    let stores = at_once(6, |_| {
        let place = place.clone();
        async move { place.try_open().await.map_err(|error| format!("{error:?}")) }
    })
    .await;
    for store in stores {
        store.expect("it opens").describe().await.expect("it answers");
    }
    let steps = steps();
    assert_eq!(
        place.stranger().await.counts("_sqlx_migrations").await,
        steps.len() as i64
    );
    let told = place.migrate().await.expect("nothing to do");
    let newest = steps.last().expect("a step");
    assert!(told.contains(&format!("version {newest},")), "{told}");
}

/// The numbers of the steps that there are, in order.
fn steps() -> Vec<i64> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("the steps");
    let number = |name: std::ffi::OsString| name.to_str()?.split('_').next()?.parse().ok();
    let mut steps: Vec<i64> = folder
        .filter_map(|file| number(file.expect("a step").file_name()))
        .collect();
    steps.sort_unstable();
    steps
}

pub(crate) async fn a_schema_newer_than_the_binary_is_refused(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    store.close().await;
    let mut stranger = place.stranger().await;
    stranger
        .does(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    for refused in [place.try_open().await.map(|_| ()), place.migrate().await.map(|_| ())] {
        let sentence = refused.expect_err("refused").to_string();
        assert!(
            sentence.contains("newer version") && sentence.contains("9999"),
            "{sentence}"
        );
    }
    stranger.does("DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    place.open().await.describe().await.expect("and nothing was harmed");
    stranger
        .does("UPDATE _sqlx_migrations SET checksum = checksum || checksum")
        .await;
    let sentence = place.try_open().await.map(|_| ()).expect_err("refused").to_string();
    assert!(sentence.contains("never released"), "{sentence}");
}

pub(crate) async fn a_database_locked_by_another_process_is_waited_for_and_then_told(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&ann(), "one-aaaaa")).await;
    let mut stranger = place.stranger().await;
    stranger.locks().await;
    let refused = store
        .record_audit(&entry(&acme(), "a", "b"))
        .await
        .expect_err("it is locked for too long");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::Unavailable(why)) if why.contains("busy")),
        "{refused:?}"
    );
    let found = store
        .find_session(&Scope::Fleet, &SessionId::new("one-aaaaa"))
        .await
        .expect("reading goes on");
    assert!(found.is_some());

    // Whoever waits when the lock is opened goes on, and nobody is told of it.
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.record_audit(&entry(&acme(), "c", "d")).await }
    });
    tokio::task::yield_now().await;
    stranger.does("ROLLBACK").await;
    waiting.await.expect("no panic").expect("recorded");
    let entries = audited(&*store, &Scope::Fleet, "").await;
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["c"]);
}

pub(crate) async fn a_store_tells_what_it_is(place: Place) {
    let store = place.open().await;
    let told = store.describe().await.expect("it answers");
    let expected = if place.file().is_some() {
        "SQLite 3."
    } else {
        "PostgreSQL 1"
    };
    assert!(told.starts_with(expected), "{told}");
}
