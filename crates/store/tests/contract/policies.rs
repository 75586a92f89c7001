use crate::{cast::*, place::Place};
use domain::{
    Role,
    page::{ListSessions, Sort},
    policy::{Policy, Seeing, Version},
    session::{Session, Sharing},
};
use engine::ports::{Bounds, Patch, Record, Scope, Visible};

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
    assert_eq!(
        store.count_shared(&of_acme, Sharing::Watch).await.expect("a count"),
        (1, 1)
    );
    assert_eq!(
        store.count_shared(&of_acme, Sharing::Private).await.expect("a count"),
        (2, 1)
    );
    assert_eq!(
        store
            .count_shared(&Scope::Org(other()), Sharing::Private)
            .await
            .expect("a count"),
        (0, 0)
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
    assert_eq!(
        store.count_shared(&of_acme, Sharing::Watch).await.expect("a count"),
        (0, 1)
    );
    assert_eq!(
        store.count_shared(&of_acme, Sharing::Private).await.expect("a count"),
        (2, 1)
    );
}

pub(crate) async fn a_policy_shows_sessions_of_ones_groups_or_of_everybody(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let carl = member(&acme(), "carl", Role::Developer);
    store
        .record_member(&carl, at(3), Record::default())
        .await
        .expect("added");
    place
        .stranger()
        .await
        .does(
            "INSERT INTO member_groups (org, person, name) VALUES ('acme', 'ann', 'team'), ('acme', 'bob', 'team'), \
             ('acme', 'carl', 'others'), ('other', 'eve', 'team')",
        )
        .await;
    for (owner, name) in [(&ann(), "hers"), (&bob(), "his"), (&carl, "carls"), (&eve(), "away")] {
        let one = Session {
            name: name.to_owned(),
            ..session(owner, name)
        };
        open(&*store, &one).await;
    }
    let told = |kind: &str, what: &str, who: &str| {
        let mut outgoing = outgoing(&acme(), what, Some(who), false);
        outgoing.event.kind = kind.to_owned();
        outgoing
    };
    let events = vec![
        told("sandbox.session.moved", "bob moved", "bob"),
        told("sandbox.session.moved", "carl moved", "carl"),
        told("sandbox.quota.asked", "bob asked", "bob"),
        told("sandbox.member.changed", "for those who govern", ""),
    ];
    let record = Record {
        events,
        ..Record::default()
    };
    store
        .record_switch(None, "aider", false, record)
        .await
        .expect("recorded");
    for (peers, sessions, events) in [
        (Seeing::Own, &["hers"][..], &[][..]),
        (Seeing::Groups, &["hers", "his"], &["bob moved"]),
        (Seeing::Org, &["carls", "hers", "his"], &["bob moved", "carl moved"]),
    ] {
        let visible = Visible {
            peers,
            ..visible(of(acme()), Some("ann"))
        };
        let ask = ListSessions {
            sort: Sort::Name,
            ..ListSessions::default()
        };
        let page = store
            .list_sessions(&visible, &person("ann"), &ask)
            .await
            .expect("a page");
        let names: Vec<_> = page.items.into_iter().map(|session| session.name).collect();
        assert_eq!(names, sessions, "{peers:?}");
        assert_eq!(page.total as usize, sessions.len());
        let told: Vec<_> = crate::cast::told(&*store, &visible).await;
        let told: Vec<_> = told.iter().filter(|what| what.as_str() != "opened").collect();
        assert_eq!(told, events, "{peers:?}");
    }
    let near = async |one: &str, other: &str| {
        store
            .are_near(&acme(), &person(one), &person(other))
            .await
            .expect("an answer")
    };
    assert!(near("ann", "bob").await && near("bob", "ann").await);
    assert!(!near("ann", "carl").await && !near("ann", "eve").await && !near("ann", "nobody").await);
}

pub(crate) async fn a_floor_is_saved_beside_whoever_changes_many_sessions(place: Place) {
    let place = place.patient();
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    let people = [ann(), bob(), eve()];
    for owner in &people {
        for number in 0..20 {
            let shared = Session {
                sharing: Sharing::Drive,
                ..session(owner, &format!("{}-{number}", owner.person))
            };
            open(&*one, &shared).await;
        }
    }
    let answers = at_once(12, |task| {
        let store = if task % 2 == 0 { one.clone() } else { two.clone() };
        let owner = people[task % 3].clone();
        async move {
            for round in 0..12_i64 {
                let org = (task % 4 == 1).then(|| owner.org.clone());
                match task % 4 {
                    0 | 1 => {
                        let most = if round % 2 == 0 {
                            Sharing::Watch
                        } else {
                            Sharing::Private
                        };
                        let based_on = store.find_policy(org.as_ref()).await?.version;
                        let policy = shared_at_most(most);
                        let made = record(&owner.org, "saved");
                        store
                            .record_policy(org.as_ref(), &policy, based_on, at(9), "root", made)
                            .await?;
                    }
                    2 => {
                        let named = engine::ports::Member {
                            name: format!("{round} {task}"),
                            ..owner.clone()
                        };
                        store.record_member(&named, at(9), record(&owner.org, "named")).await?;
                    }
                    _ => {
                        for number in (0..20).rev() {
                            let id = domain::SessionId::new(format!("{}-{number}", owner.person));
                            let patch = Patch {
                                sharing: Some(Sharing::Drive),
                                ..Patch::default()
                            };
                            store
                                .record_session(&owner.org, &id, &patch, record(&owner.org, "shared"))
                                .await?;
                        }
                    }
                }
            }
            anyhow::Ok(())
        }
    })
    .await;
    let failed: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let floor = one.find_policy(None).await.expect("a policy");
    let private = shared_at_most(Sharing::Private);
    one.record_policy(None, &private, floor.version, at(9), "root", Record::default())
        .await
        .expect("saved");
    for org in [acme(), other()] {
        assert_eq!(
            one.count_shared(&Scope::Org(org), Sharing::Private)
                .await
                .expect("a count")
                .0,
            0
        );
    }
}
