use crate::{cast::*, place::Place};
use domain::{OrgId, PersonId, Role, Timestamp, audit::Ask, id::LoginId, login::Login, org::Org};
use engine::ports::{Flow, Held, Identity, Linked, NewLogin, ProposedLink, Provide, Provided, Record, Store};
use serde_json::json;

const ISSUER: &str = "https://id.example.org";

fn flow(state: &str, expires_at: Timestamp) -> Flow {
    Flow {
        state: hash(state),
        browser: hash("browser"),
        provider: "all".to_owned(),
        next: "/usage".to_owned(),
        links: None,
        sealed: "v1.sealed".to_owned(),
        expires_at,
    }
}

fn named(subject: &str) -> Identity {
    Identity {
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        address: Some(format!("{subject}@id.example.org")),
    }
}

async fn linked(store: &dyn Store, subject: &str, who: &PersonId) -> Linked {
    let record = record(&acme(), "linked");
    store
        .link(&named(subject), who, true, 3, at(20), record)
        .await
        .expect("an answer")
}

fn seat(org: &OrgId, id: &str) -> Provide {
    Provide {
        org: org.clone(),
        person: person(id),
        issuer: ISSUER.to_owned(),
        email: format!("{id}@id.example.org"),
        name: id.to_owned(),
        role: None,
        new_role: Role::Developer,
        groups: Vec::new(),
    }
}

async fn provide(store: &dyn Store, seat: &Provide) -> Provided {
    let record = record(&seat.org, "seat provided");
    store.provide_seat(seat, at(20), record).await.expect("an answer")
}

async fn sign_in(store: &dyn Store, org: &OrgId, id: &PersonId, login: &str, subject: &str) -> Held {
    let held = Held {
        login: LoginId::new(login),
        provider: "all".to_owned(),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        sid: Some(format!("session {login}")),
        claims: json!({ "org_id": "acme" }),
        kept: "v1.kept".to_owned(),
        refresh_at: at(300),
        proven_at: at(20),
        narrowed: None,
    };
    let new = NewLogin {
        login: Login {
            id: held.login.clone(),
            user_agent: "Firefox".to_owned(),
            address: "127.0.0.1".to_owned(),
            created_at: at(20),
            seen_at: at(20),
            expires_at: at(5000),
            current: false,
            narrowed: None,
        },
        hash: hash(&format!("cookie-{login}")),
    };
    let record = record(org, "signed in");
    store
        .record_provider_login(org, id, &new, &held, record)
        .await
        .expect("a login");
    held
}

pub(crate) async fn a_sign_in_under_way_is_used_once_in_its_time_and_there_are_not_too_many(place: Place) {
    let store = place.open().await;
    let kept = flow("state", at(600));
    assert!(store.record_flow(&kept, 3, at(0)).await.expect("an answer"));
    let taken = at_once(20, |_| {
        let store = store.clone();
        async move { store.take_flow(&hash("state"), at(1)).await.expect("an answer") }
    })
    .await;
    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [kept]);
    assert!(
        store
            .record_flow(&flow("late", at(600)), 3, at(0))
            .await
            .expect("an answer")
    );
    assert_eq!(store.take_flow(&hash("late"), at(600)).await.expect("an answer"), None);
    for (state, fits) in [("a", true), ("b", true), ("c", true), ("d", false)] {
        let recorded = store.record_flow(&flow(state, at(600)), 3, at(0)).await;
        assert_eq!(recorded.expect("an answer"), fits, "{state}");
    }
    let recorded = store.record_flow(&flow("e", at(1200)), 3, at(600)).await;
    assert!(recorded.expect("an answer"), "those that are over make room");
}

pub(crate) async fn an_identity_is_one_person_however_many_arrive_at_once(place: Place) {
    let store = place.open().await;
    let found = at_once(20, |number| {
        let store = store.clone();
        async move {
            let new = person(&format!("p{number}"));
            store
                .record_identity(&named("ada"), &new, at(1))
                .await
                .expect("a person")
        }
    })
    .await;
    assert!(found.iter().all(|one| *one == found[0]));
    assert_eq!(
        store.find_identity(ISSUER, "ada").await.expect("an answer").as_ref(),
        Some(&found[0])
    );
    for (issuer, subject) in [("https://other.example.org", "ada"), (ISSUER, "Ada"), (ISSUER, "")] {
        assert_eq!(store.find_identity(issuer, subject).await.expect("an answer"), None);
    }
}

pub(crate) async fn of_many_who_arrive_at_once_as_many_sit_as_there_are_seats(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let org = Org {
        seats: Some(5),
        ..org(&acme())
    };
    store.change_org(&org, Record::default()).await.expect("changed");
    let came = at_once(20, |number| {
        let store = store.clone();
        async move { provide(&*store, &seat(&acme(), &format!("p{number}"))).await }
    })
    .await;
    let seated = came.iter().filter(|one| matches!(one, Provided::Seated { .. })).count();
    assert_eq!(seated, 3, "two sat already");
    assert!(came.iter().filter(|one| **one == Provided::Full { seats: 5 }).count() == 17);
}

pub(crate) async fn a_provided_seat_changes_with_what_is_said_and_an_address_stays_its_owners(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut wish = Provide {
        email: ann().email.to_uppercase(),
        groups: vec!["a".to_owned(), "b".to_owned()],
        ..seat(&acme(), "pat")
    };
    let Provided::Seated { member, before, .. } = provide(&*store, &wish).await else {
        panic!("a seat");
    };
    assert_eq!((member.role, before), (Role::Developer, None));
    let found = store.find_member_by_email(&of(acme()), &ann().email, at(21)).await;
    assert_eq!(found.expect("an answer"), Some(ann()), "the address is still hers");
    wish.role = Some(Role::Viewer);
    wish.groups = vec!["b".to_owned()];
    let Provided::Seated { member, before, .. } = provide(&*store, &wish).await else {
        panic!("a seat");
    };
    assert_eq!((member.role, before), (Role::Viewer, Some(Role::Developer)));
    let entries = store
        .list_audit(&of(acme()), &Ask::default())
        .await
        .expect("entries")
        .lines
        .len();
    provide(&*store, &wish).await;
    let after = store
        .list_audit(&of(acme()), &Ask::default())
        .await
        .expect("entries")
        .lines
        .len();
    assert_eq!(after, entries, "what changes nothing is not written down");
    assert_eq!(
        store.provided_seats(ISSUER, &wish.person).await.expect("seats"),
        [acme()]
    );
    assert!(
        store
            .provided_seats("https://other.example.org", &wish.person)
            .await
            .expect("seats")
            .is_empty()
    );
    let gone = Provide {
        org: OrgId::new("gone"),
        ..wish
    };
    assert_eq!(provide(&*store, &gone).await, Provided::Closed(None));
}

pub(crate) async fn one_at_a_time_asks_a_provider_again(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let held = sign_in(&*store, &acme(), &ann().person, "l1", "ann").await;
    assert_eq!(
        store.find_held(&held.login).await.expect("an answer"),
        Some(held.clone())
    );
    assert_eq!(store.refresh_due(&held.login).await.expect("an answer"), Some(at(300)));
    assert_eq!(
        store
            .claim_refresh(&held.login, at(299), at(400))
            .await
            .expect("an answer"),
        None
    );
    let claimed = at_once(20, |_| {
        let store = store.clone();
        async move {
            let login = LoginId::new("l1");
            store.claim_refresh(&login, at(300), at(360)).await.expect("an answer")
        }
    })
    .await;
    assert_eq!(
        claimed.into_iter().flatten().collect::<Vec<_>>(),
        std::slice::from_ref(&held)
    );
    assert_eq!(
        store
            .claim_refresh(&held.login, at(359), at(400))
            .await
            .expect("an answer"),
        None
    );
    assert!(
        store
            .claim_refresh(&held.login, at(360), at(420))
            .await
            .expect("an answer")
            .is_some()
    );
    let fresh = Held {
        kept: "v1.rotated".to_owned(),
        refresh_at: at(600),
        ..held
    };
    store.record_refreshed(&fresh).await.expect("written");
    assert_eq!(store.find_held(&fresh.login).await.expect("an answer"), Some(fresh));
}

pub(crate) async fn what_is_kept_goes_with_its_login_however_that_ends(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for login in ["l1", "l2", "l3"] {
        sign_in(&*store, &acme(), &ann().person, login, "ann").await;
    }
    sign_in(&*store, &acme(), &bob().person, "l4", "bob").await;
    let logins = async |subject: Option<&str>, sid: Option<&str>| {
        let found = store.logins_of(ISSUER, subject, sid, None).await.expect("logins");
        found
            .into_iter()
            .map(|(_, _, login)| login.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(logins(Some("ann"), None).await, ["l1", "l2", "l3"]);
    assert_eq!(logins(None, Some("session l4")).await, ["l4"]);
    assert!(logins(Some("ann"), Some("session l4")).await.is_empty());
    let (l1, l2) = (LoginId::new("l1"), LoginId::new("l2"));
    assert!(store.end_provider_login(&l1, Record::default()).await.expect("ended"));
    assert!(!store.end_provider_login(&l1, Record::default()).await.expect("gone"));
    let ended = store.end_login(&acme(), &ann().person, &l2, Record::default()).await;
    assert!(ended.expect("ended"));
    assert_eq!(logins(Some("ann"), None).await, ["l3"]);
    store.prune(at(6000)).await.expect("pruned");
    assert!(logins(Some("ann"), None).await.is_empty());
    assert_eq!(store.find_held(&LoginId::new("l3")).await.expect("an answer"), None);
}

pub(crate) async fn a_word_of_a_provider_is_new_once(place: Place) {
    let store = place.open().await;
    let news = at_once(20, |_| {
        let store = store.clone();
        async move {
            store
                .record_heard(ISSUER, "j1", at(600), at(0))
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(news.into_iter().filter(|new| *new).count(), 1);
    let other = store
        .record_heard("https://other.example.org", "j1", at(600), at(0))
        .await;
    assert!(other.expect("an answer"), "another issuer's word is another");
}

pub(crate) async fn an_identity_that_many_link_at_once_is_one_persons(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let came = at_once(20, |number| {
        let store = store.clone();
        async move { linked(&*store, "ada", &person(&format!("p{number}"))).await }
    })
    .await;
    assert_eq!(came.iter().filter(|one| **one == Linked::Done).count(), 1);
    assert!(came.iter().all(|one| matches!(one, Linked::Done | Linked::Taken)));
    let whose = store
        .find_identity(ISSUER, "ada")
        .await
        .expect("an answer")
        .expect("somebody's");
    assert_eq!(linked(&*store, "ada", &whose).await, Linked::Theirs);
    for (subject, comes) in [("b", Linked::Done), ("c", Linked::Done), ("d", Linked::TooMany)] {
        assert_eq!(linked(&*store, subject, &whose).await, comes, "{subject}");
    }
    assert_eq!(store.find_identity(ISSUER, "d").await.expect("an answer"), None);
    let told = audited(&*store, &of(acme()), "linked").await;
    assert_eq!(told.len(), 3, "what was done is told, and nothing else");
}

pub(crate) async fn of_two_who_unlink_at_once_one_sees_what_the_other_did(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let ann = ann().person;
    for subject in ["one", "two"] {
        linked(&*store, subject, &ann).await;
        sign_in(&*store, &acme(), &ann, &format!("l-{subject}"), subject).await;
    }
    let seen = store.identities_of(&ann).await.expect("identities");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].proven_at, Some(at(20)));
    let ended = at_once(2, |number| {
        let (store, seen, ann) = (store.clone(), seen.clone(), ann.clone());
        async move {
            let which = &seen[number].identity;
            store
                .unlink(&ann, &seen, which, record(&acme(), "unlinked"))
                .await
                .expect("an answer")
        }
    })
    .await;
    let ended: Vec<_> = ended.into_iter().flatten().collect();
    assert_eq!(ended.len(), 1, "the other looks again, and finds it the last");
    let left = store.identities_of(&ann).await.expect("identities");
    assert_eq!(left.len(), 1);
    let (gone, stays) = match left[0].identity.subject.as_str() {
        "one" => ("l-two", "l-one"),
        _ => ("l-one", "l-two"),
    };
    assert_eq!(ended[0], [LoginId::new(gone)]);
    assert_eq!(store.find_held(&LoginId::new(gone)).await.expect("an answer"), None);
    assert!(
        store
            .find_held(&LoginId::new(stays))
            .await
            .expect("an answer")
            .is_some()
    );
    // Whose it is not unlinks nothing.
    let theirs = store
        .unlink(&bob().person, &left, &left[0].identity, Record::default())
        .await;
    assert_eq!(theirs.expect("an answer"), None);
}

pub(crate) async fn what_waits_to_be_linked_is_its_logins_alone_and_used_once_in_its_time(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    linked(&*store, "ann", &ann().person).await;
    for login in ["l1", "l2"] {
        sign_in(&*store, &acme(), &ann().person, login, "ann").await;
    }
    let propose = async |name: &str, login: &str| {
        let proposed = ProposedLink {
            hash: hash(name),
            login: LoginId::new(login),
            provider: "all".to_owned(),
            identity: named("other"),
            expires_at: at(600),
        };
        store.propose_link(&proposed, at(20)).await.expect("kept");
        proposed
    };
    let take = async |name: &str, login: &str, now| {
        let taken = store.take_proposed(&hash(name), &LoginId::new(login), now).await;
        taken.expect("an answer")
    };
    let first = propose("first", "l1").await;
    assert_eq!(take("first", "l2", at(21)).await, None, "another login");
    let taken = at_once(10, |_| {
        let store = store.clone();
        async move {
            let taken = store.take_proposed(&hash("first"), &LoginId::new("l1"), at(21)).await;
            taken.expect("an answer")
        }
    })
    .await;
    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [first]);
    propose("late", "l1").await;
    assert_eq!(take("late", "l1", at(600)).await, None, "too late");
    propose("second", "l1").await;
    propose("third", "l1").await;
    assert_eq!(take("second", "l1", at(21)).await, None, "one for a login");
    let gone = store.end_provider_login(&LoginId::new("l1"), Record::default()).await;
    assert!(gone.expect("ended"));
    assert_eq!(take("third", "l1", at(21)).await, None, "it goes with its login");
}

pub(crate) async fn what_a_provider_holds_a_login_to_is_found_with_it_and_follows_it(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let held = sign_in(&*store, &acme(), &ann().person, "l1", "ann").await;
    let narrowed = async || {
        let found = store.find_login(&hash("cookie-l1"), at(30)).await.expect("an answer");
        let listed = store.list_logins(&acme(), &ann().person, at(30)).await.expect("logins");
        let one = listed
            .into_iter()
            .find(|login| login.id.as_str() == "l1")
            .expect("listed");
        let found = found.expect("it holds").0.narrowed;
        assert_eq!(found, one.narrowed);
        found
    };
    assert_eq!(narrowed().await, None);
    for to in [vec!["sandbox.session.see".to_owned()], Vec::new()] {
        let fresh = Held {
            narrowed: Some(to.clone()),
            ..held.clone()
        };
        store.record_refreshed(&fresh).await.expect("written");
        assert_eq!(narrowed().await, Some(to));
    }
}

pub(crate) async fn a_seat_answers_to_whoever_gave_it(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let confirmed = async |id: &str| store.confirmed(&acme(), &person(id)).await.expect("an answer");
    let only = async |subject: &str, id: &str| {
        let orgs = store
            .seats_only_by(&named(subject), &person(id))
            .await
            .expect("an answer");
        orgs.len()
    };
    assert_eq!(confirmed("ann").await, None, "no provider has to do with it");
    provide(&*store, &seat(&acme(), "new")).await;
    assert_eq!(confirmed("new").await, Some(None), "given, and never proven");
    linked(&*store, "new", &person("new")).await;
    assert_eq!(confirmed("new").await, Some(Some(at(20))));
    assert_eq!(only("new", "new").await, 1);
    // Another issuer's word does not stand in for it; another identity at the same does.
    let other = Identity {
        issuer: "https://other.example.org".to_owned(),
        ..named("new")
    };
    let done = store
        .link(&other, &person("new"), true, 9, at(50), Record::default())
        .await;
    assert_eq!(done.expect("an answer"), Linked::Done);
    assert_eq!(confirmed("new").await, Some(Some(at(20))));
    assert_eq!(only("new", "new").await, 1);
    linked(&*store, "second", &person("new")).await;
    assert_eq!(only("new", "new").await, 0);
    store.disown(ISSUER, "second").await.expect("disowned");
    assert_eq!(confirmed("new").await, Some(Some(at(20))));
    store.disown(ISSUER, "new").await.expect("disowned");
    assert_eq!(confirmed("new").await, Some(None));
    sign_in(&*store, &acme(), &person("new"), "l1", "new").await;
    assert_eq!(confirmed("new").await, Some(Some(at(20))), "proven again");
}
