use crate::{cast::*, place::Place};
use domain::{
    policy::{Policy, Version},
    session::{Session, Sharing},
};
use engine::ports::{Bounds, Record, Scope, Store as _};

fn shared_at_most(most: Sharing) -> Policy {
    Policy {
        sharing: Some(most),
        ..Policy::default()
    }
}

/// Both documents hold, each with its own count of versions, and another Organization's is not among them.
pub(crate) async fn what_holds_is_the_newest_of_ones_own_and_of_the_installation(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(store.find_policy(None).await.expect("an answer"), Version::none());
    let save = async |org: Option<&domain::OrgId>, most, based_on| {
        store
            .record_policy(
                org,
                &shared_at_most(most),
                based_on,
                at(9),
                "ann",
                record(&acme(), "policy"),
            )
            .await
            .expect("an answer")
    };
    assert_eq!(save(Some(&acme()), Sharing::Drive, 0).await, Some(Vec::new()));
    assert_eq!(save(Some(&acme()), Sharing::Watch, 1).await, Some(Vec::new()));
    assert_eq!(save(Some(&other()), Sharing::Private, 0).await, Some(Vec::new()));
    assert_eq!(save(None, Sharing::Drive, 0).await, Some(Vec::new()));
    let rules = store.rules(&acme()).await.expect("rules");
    assert_eq!(rules.own, shared_at_most(Sharing::Watch));
    assert_eq!(rules.floor, shared_at_most(Sharing::Drive));
    let newest = store.find_policy(Some(&acme())).await.expect("a version");
    assert_eq!(
        (newest.version, newest.saved_at, newest.saved_by.as_deref()),
        (2, Some(at(9)), Some("ann"))
    );
}

/// Of ten who save on one version, one is heard; the others are told that theirs is old.
pub(crate) async fn of_many_who_save_at_once_one_does(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let answers = at_once(10, |_| {
        let store = store.clone();
        async move {
            let record = record(&acme(), "policy");
            store
                .record_policy(Some(&acme()), &Policy::default(), 0, at(1), "ann", record)
                .await
                .expect("an answer")
                .is_some()
        }
    })
    .await;
    assert_eq!(answers.into_iter().filter(|saved| *saved).count(), 1);
    assert_eq!(store.find_policy(Some(&acme())).await.expect("a version").version, 1);
}

/// Sessions that are shared farther than a new policy allows are narrowed with it, and no others.
pub(crate) async fn saving_narrows_what_is_shared_too_far(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (name, sharing) in [
        ("private-a", Sharing::Private),
        ("watch-a", Sharing::Watch),
        ("drive-a", Sharing::Drive),
    ] {
        let theirs = Session {
            sharing,
            ..session(&ann(), name)
        };
        store
            .record_opened(&theirs, Bounds::default(), None, Record::default())
            .await
            .expect("an answer");
    }
    let of_acme = Scope::Org(acme());
    assert_eq!(store.count_shared(&of_acme, Sharing::Watch).await.expect("a count"), 1);
    assert_eq!(
        store.count_shared(&of_acme, Sharing::Private).await.expect("a count"),
        2
    );
    assert_eq!(
        store
            .count_shared(&Scope::Org(other()), Sharing::Private)
            .await
            .expect("a count"),
        0
    );
    let narrowed = store
        .record_policy(
            Some(&other()),
            &shared_at_most(Sharing::Private),
            0,
            at(2),
            "eve",
            Record::default(),
        )
        .await;
    assert_eq!(
        narrowed.expect("an answer"),
        Some(Vec::new()),
        "not another Organization's"
    );
    let narrowed = store
        .record_policy(
            None,
            &shared_at_most(Sharing::Watch),
            0,
            at(2),
            "root",
            Record::default(),
        )
        .await
        .expect("an answer")
        .expect("saved");
    assert_eq!(
        narrowed.iter().map(domain::SessionId::as_str).collect::<Vec<_>>(),
        ["drive-a"]
    );
    assert_eq!(store.count_shared(&of_acme, Sharing::Watch).await.expect("a count"), 0);
    assert_eq!(
        store.count_shared(&of_acme, Sharing::Private).await.expect("a count"),
        2
    );
}
