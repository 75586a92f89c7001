use crate::{cast::*, place::Place};
use domain::{
    OrgId, SessionId,
    audit::Ask,
    id::SecretId,
    member::Leaving,
    quota::Subject,
    secret::{Bindings, Kind, Secret},
    session::{Phase, Session},
};
use engine::ports::{Kept, Patch, Record, Scope, Sealed, Seated, Store};
use serde_json::json;

fn secret(org: &OrgId, owner: Subject, id: &str, name: &str) -> Secret {
    Secret {
        id: SecretId::new(id),
        org: org.clone(),
        owner,
        kind: Kind::Env,
        name: name.to_owned(),
        version: 1,
        bindings: Bindings::everyone(),
        created_at: at(10),
        changed_at: at(10),
        changed_by: "ann@example.org".to_owned(),
    }
}

fn sealed(key: &str, text: &str) -> Sealed {
    Sealed {
        key: key.to_owned(),
        text: text.to_owned(),
    }
}

async fn keep(store: &dyn Store, secret: &Secret) {
    let text = format!("sealed {}", secret.id);
    let kept = store
        .record_secret(secret, &sealed("k1", &text), 100, record(&secret.org, "created"))
        .await
        .expect("an answer");
    assert_eq!(kept, Kept::Recorded);
}

fn bobs() -> Subject {
    Subject::Person(bob().person)
}

pub(crate) async fn a_secret_is_kept_rotated_bound_and_forgotten(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut kept = secret(&acme(), Subject::Org, "s1", "KEY");
    keep(&*store, &kept).await;
    let found = store.find_secret(&acme(), &kept.id).await.expect("an answer");
    assert_eq!(found, Some(kept.clone()));

    kept.version = 2;
    kept.changed_at = at(20);
    let rotated = store
        .rotate_secret(&kept, &sealed("k2", "two"), record(&acme(), "rotated"))
        .await;
    assert!(rotated.expect("an answer"));
    let again = store
        .rotate_secret(&kept, &sealed("k2", "lost"), record(&acme(), "too late"))
        .await;
    assert!(!again.expect("an answer"), "somebody was quicker");
    kept.bindings = Bindings::default();
    kept.changed_at = at(30);
    let bound = store
        .bind_secret(
            &acme(),
            &kept.id,
            &kept.bindings,
            (at(30), "ann@example.org"),
            record(&acme(), "unbound"),
        )
        .await;
    assert!(bound.expect("an answer"));
    assert_eq!(
        store.sealed_secrets(None, None, 10).await.expect("an answer"),
        [(kept.clone(), sealed("k2", "two"))]
    );

    assert!(
        store
            .delete_secret(&acme(), &kept.id, record(&acme(), "deleted"))
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .delete_secret(&acme(), &kept.id, record(&acme(), "again"))
            .await
            .expect("an answer")
    );
    assert_eq!(store.find_secret(&acme(), &kept.id).await.expect("an answer"), None);
    let told = told(&*store, &visible(Scope::Fleet, None)).await;
    assert_eq!(told, ["created", "rotated", "unbound", "deleted"]);
}

pub(crate) async fn one_owner_has_one_secret_of_a_name_and_no_more_than_the_limit(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let made = at_once(10, |number| {
        let store = store.clone();
        async move {
            let name = if number < 5 {
                "SAME".to_owned()
            } else {
                format!("KEY_{number}")
            };
            let secret = secret(&acme(), Subject::Org, &format!("s{number}"), &name);
            store
                .record_secret(&secret, &sealed("k", "x"), 4, Record::default())
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(made.iter().filter(|made| **made == Kept::Recorded).count(), 4);
    let listed = store.list_secrets(&acme(), None).await.expect("secrets");
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().filter(|secret| secret.name == "SAME").count() <= 1);
    // Another owner, another Organization, another kind: another secret.
    let owners = [
        bobs(),
        Subject::Group("/dev".to_owned()),
        Subject::Group("/ops".to_owned()),
    ];
    for (number, owner) in owners.into_iter().enumerate() {
        keep(&*store, &secret(&acme(), owner, &format!("o{number}"), "SAME")).await;
    }
    keep(&*store, &secret(&other(), Subject::Org, "elsewhere", "SAME")).await;
    let file = Secret {
        kind: Kind::File,
        ..secret(&acme(), bobs(), "file", "SAME")
    };
    keep(&*store, &file).await;
    let twice = Secret {
        id: SecretId::new("twice"),
        ..file
    };
    let refused = store
        .record_secret(&twice, &sealed("k", "x"), 100, record(&acme(), "refused"))
        .await;
    assert_eq!(refused.expect("an answer"), Kept::Taken);
}

pub(crate) async fn a_person_is_given_their_own_their_groups_and_the_organizations(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let (hers, his) = (ann().person, bob().person);
    for (id, org, owner) in [
        ("org", acme(), Subject::Org),
        ("mine", acme(), bobs()),
        ("hers", acme(), Subject::Person(ann().person)),
        ("group", acme(), Subject::Group("/dev".to_owned())),
        ("theirs", other(), Subject::Org),
    ] {
        keep(&*store, &secret(&org, owner, id, &id.to_uppercase())).await;
    }
    let ids = async |person| {
        let (groups, secrets) = store.secrets_for(&acme(), person).await.expect("an answer");
        assert!(groups.is_empty());
        let text = |secret: &Secret| format!("sealed {}", secret.id);
        assert!(secrets.iter().all(|(secret, sealed)| sealed.text == text(secret)));
        secrets
            .into_iter()
            .map(|(secret, _)| secret.id.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&his).await, ["mine", "org"]);
    assert_eq!(ids(&hers).await, ["hers", "org"]);
    let names = async |person| {
        let listed = store.list_secrets(&acme(), person).await.expect("secrets");
        listed.into_iter().map(|secret| secret.name).collect::<Vec<_>>()
    };
    assert_eq!(names(None).await, ["GROUP", "ORG"]);
    assert_eq!(names(Some(&his)).await, ["MINE"]);
}

pub(crate) async fn who_holds_what_is_known_while_it_runs(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let (hers, his) = (ann().person, bob().person);
    keep(&*store, &secret(&acme(), Subject::Org, "org", "ORG")).await;
    keep(&*store, &secret(&acme(), bobs(), "mine", "MINE")).await;
    keep(&*store, &secret(&other(), Subject::Org, "theirs", "THEIRS")).await;
    let session = session(&bob(), "work-aaaaa");
    open(&*store, &session).await;
    let (org, mine) = (SecretId::new("org"), SecretId::new("mine"));
    let hold = async |held: &[(SecretId, u64)], beside| {
        store
            .record_held(&session, held, beside, at(50), record(&acme(), "delivered"))
            .await
            .expect("noted");
    };
    let holders = async |person| {
        let holders = store.secret_holders(&acme(), person).await.expect("holders");
        holders
            .into_iter()
            .map(|holder| format!("{} {} {}", holder.session, holder.secret, holder.version))
            .collect::<Vec<_>>()
    };
    // What is gone, or belongs elsewhere, is not held.
    let nothing = [(SecretId::new("gone"), 1), (SecretId::new("theirs"), 1)];
    hold(&[&[(org.clone(), 1)], &nothing[..]].concat(), false).await;
    assert_eq!(holders(None).await, ["work-aaaaa org 1"]);
    // One more shell: the agent keeps the older one.
    hold(&[(org.clone(), 2), (mine.clone(), 1)], true).await;
    assert_eq!(holders(None).await, ["work-aaaaa org 1"]);
    assert_eq!(holders(Some(&his)).await, ["work-aaaaa mine 1"]);
    assert_eq!(holders(Some(&hers)).await, [""; 0]);
    let held = store.holding_secrets(&acme(), &bob().person).await.expect("sessions");
    assert!(held.len() == 1 && held.contains(&session.id));
    // Started again, it has what it is given then.
    hold(&[(org.clone(), 2)], false).await;
    assert_eq!(holders(None).await, ["work-aaaaa org 2"]);
    assert_eq!(holders(Some(&his)).await, [""; 0]);

    let asleep = Patch {
        phase: Some(Phase::Suspended),
        ..Patch::default()
    };
    store
        .record_session(&acme(), &session.id, &asleep, Record::default())
        .await
        .expect("asleep");
    assert_eq!(holders(None).await, [""; 0], "what sleeps holds nothing");
    hold(&[(org.clone(), 2)], false).await;
    assert!(
        store
            .record_deleted(&acme(), &session.id, Record::default())
            .await
            .expect("gone")
    );
    let anew = Session {
        phase: Phase::Ready,
        ..session.clone()
    };
    open(&*store, &anew).await;
    assert_eq!(holders(None).await, [""; 0], "with the session went what it held");
}

pub(crate) async fn what_is_sealed_anew_is_what_it_was_and_nothing_newer_is_lost(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for number in 0..5 {
        keep(
            &*store,
            &secret(&acme(), Subject::Org, &format!("s{number}"), &format!("KEY_{number}")),
        )
        .await;
    }
    let one = store.sealed_secrets(Some("k2"), None, 2).await.expect("secrets");
    let ids = |page: &[(Secret, Sealed)]| page.iter().map(|(s, _)| s.id.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&one), ["s0", "s1"]);
    // While it is sealed anew, somebody rotates one of them.
    let rotated = Secret {
        version: 2,
        ..one[0].0.clone()
    };
    assert!(
        store
            .rotate_secret(&rotated, &sealed("k1", "newer"), Record::default())
            .await
            .expect("an answer")
    );
    let anew: Vec<_> = one
        .into_iter()
        .map(|(secret, before)| (secret.id, before, sealed("k2", "anew")))
        .collect();
    let entry = entry(&acme(), "secret.resealed", "");
    assert_eq!(store.reseal(&anew, entry.clone()).await.expect("an answer"), 1);
    // Nothing was moved: nothing is said.
    assert_eq!(store.reseal(&anew, entry).await.expect("an answer"), 0);
    let ask = Ask {
        action: "secret.resealed".to_owned(),
        limit: 10,
        ..Ask::default()
    };
    let trail = store.list_audit(&Scope::Org(acme()), &ask).await.expect("read");
    let details: Vec<_> = trail.lines.iter().map(|line| &line.entry.detail["resealed"]).collect();
    assert_eq!(details, [&json!([{ "from": "k1", "to": "k2", "secrets": 1 }])]);
    let left = store.sealed_secrets(Some("k2"), None, 10).await.expect("secrets");
    assert_eq!(ids(&left), ["s0", "s2", "s3", "s4"]);
    assert_eq!(left[0].1, sealed("k1", "newer"));
    let after = store
        .sealed_secrets(Some("k2"), Some(&SecretId::new("s2")), 10)
        .await
        .expect("secrets");
    assert_eq!(ids(&after), ["s3", "s4"]);
    let keys = store.sealing_keys().await.expect("keys");
    assert_eq!(keys, [("k1".to_owned(), 4), ("k2".to_owned(), 1)]);
}

pub(crate) async fn with_a_member_go_their_secrets(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    keep(&*store, &secret(&acme(), Subject::Org, "org", "ORG")).await;
    keep(&*store, &secret(&acme(), bobs(), "mine", "MINE")).await;
    let seat = store
        .find_seat(&acme(), &bob().person)
        .await
        .expect("an answer")
        .expect("a seat");
    let left = store
        .record_leaving(&seat, &Leaving::Archive, at(60), Record::default())
        .await
        .expect("an answer");
    assert_eq!(left, Seated::Done(Vec::<SessionId>::new()));
    assert!(
        store
            .list_secrets(&acme(), Some(&bob().person))
            .await
            .expect("secrets")
            .is_empty()
    );
    assert_eq!(store.sealed_secrets(None, None, 10).await.expect("secrets").len(), 1);
}

pub(crate) async fn no_secret_crosses_from_one_organization_to_another(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let kept = secret(&acme(), Subject::Org, "s1", "KEY");
    keep(&*store, &kept).await;
    let id = &kept.id;
    assert_eq!(store.find_secret(&other(), id).await.expect("an answer"), None);
    assert!(store.list_secrets(&other(), None).await.expect("secrets").is_empty());
    assert!(
        !store
            .delete_secret(&other(), id, Record::default())
            .await
            .expect("an answer")
    );
    let theirs = Secret {
        org: other(),
        version: 2,
        ..kept.clone()
    };
    assert!(
        !store
            .rotate_secret(&theirs, &sealed("k", "x"), Record::default())
            .await
            .expect("an answer")
    );
    let bound = store
        .bind_secret(&other(), id, &Bindings::default(), (at(1), "eve"), Record::default())
        .await;
    assert!(!bound.expect("an answer"));
    let (_, secrets) = store.secrets_for(&other(), &eve().person).await.expect("an answer");
    assert!(secrets.is_empty());
    let session = session(&eve(), "spy-aaaaa");
    open(&*store, &session).await;
    let held = [(id.clone(), 1)];
    store
        .record_held(&session, &held, false, at(50), Record::default())
        .await
        .expect("noted");
    assert!(store.secret_holders(&acme(), None).await.expect("holders").is_empty());
    assert!(store.secret_holders(&other(), None).await.expect("holders").is_empty());
    assert_eq!(store.find_secret(&acme(), id).await.expect("an answer"), Some(kept));
}
