use crate::{cast::*, place::Place};
use domain::{OrgId, Role, SessionId};
use engine::ports::{Member, Record, Refusal, Scope};

pub(crate) async fn the_first_member_is_made_once_however_many_servers_start(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let made = at_once(8, |number| {
        let store = if number % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let id = OrgId::new(format!("org-{number}"));
            let first = member(&id, &format!("person-{number}"), Role::SuperAdmin);
            store
                .found(&org(&id), &first, at(0), record(&id, "founded"))
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(
        one.members_with(&Scope::Fleet, &Role::ALL, at(1))
            .await
            .expect("members")
            .len(),
        1
    );
    assert_eq!(told(&*one, &visible(Scope::Fleet, None)).await, ["founded"]);
}

pub(crate) async fn a_member_is_found_by_address_in_any_case(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let shouting = store
        .find_member_by_email(&of(acme()), "ANN@Example.org", at(1))
        .await
        .expect("an answer");
    assert_eq!(shouting, Some(ann()));
    for (scope, email) in [
        (of(other()), "ann@example.org"),
        (Scope::Fleet, "ann@example_org"),
        (Scope::Fleet, ""),
    ] {
        assert_eq!(
            store
                .find_member_by_email(&scope, email, at(1))
                .await
                .expect("an answer"),
            None,
            "{email}"
        );
    }
    // In the whole installation it is the Organization where she was first a member.
    let also = Member { org: other(), ..ann() };
    store
        .record_member(&also, at(50), Record::default())
        .await
        .expect("added");
    let first = store
        .find_member_by_email(&Scope::Fleet, "ann@example.org", at(1))
        .await
        .expect("an answer");
    assert_eq!(first, Some(ann()));
    assert_eq!(store.find_org(&acme()).await.expect("an answer"), Some(org(&acme())));
    assert_eq!(store.find_org(&OrgId::new("none")).await.expect("an answer"), None);
}

pub(crate) async fn a_member_is_added_once_and_then_changed(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&bob(), "one-aaaaa")).await;
    let promoted = Member {
        role: Role::OrgAdmin,
        name: "Robert".to_owned(),
        ..bob()
    };
    store
        .record_member(&promoted, at(60), record(&acme(), "changed"))
        .await
        .expect("changed");
    let found = store
        .find_member_by_email(&of(acme()), "bob@example.org", at(1))
        .await
        .expect("an answer");
    assert_eq!(found, Some(promoted));
    let shown = store
        .find_session(&of(acme()), &SessionId::new("one-aaaaa"))
        .await
        .expect("an answer");
    assert_eq!(
        shown.expect("the session").owner_name,
        "Robert",
        "a session shows its owner as last known"
    );
    assert_eq!(told(&*store, &visible(of(acme()), None)).await, ["changed"]);

    let nowhere = Member {
        org: OrgId::new("nowhere"),
        ..bob()
    };
    let refused = store
        .record_member(&nowhere, at(61), Record::default())
        .await
        .expect_err("refused");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::NotFound(_))),
        "{refused:?}"
    );
    // An Organization that is there is left as it is, and nothing is told of it.
    let mut renamed = org(&acme());
    renamed.display_name = "Mine".to_owned();
    store
        .record_org(&renamed, record(&acme(), "made again"))
        .await
        .expect("passed over");
    assert_eq!(store.find_org(&acme()).await.expect("an answer"), Some(org(&acme())));
    assert_eq!(told(&*store, &visible(of(acme()), None)).await, ["changed"]);
}

pub(crate) async fn an_address_belongs_to_one_member_of_an_organization(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let thief = Member {
        email: "ANN@example.org".to_owned(),
        ..bob()
    };
    let refused = store
        .record_member(&thief, at(9), record(&acme(), "stolen"))
        .await
        .expect_err("refused");
    assert!(
        matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
        "{refused:?}"
    );
    let found = store
        .find_member_by_email(&of(acme()), "bob@example.org", at(1))
        .await
        .expect("an answer");
    assert_eq!(found, Some(bob()));
    assert!(told(&*store, &visible(Scope::Fleet, None)).await.is_empty());
}

pub(crate) async fn whom_to_ask_is_of_the_role_and_the_organization(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let names = async |scope: Scope, roles: &[Role]| -> Vec<String> {
        let members = store.members_with(&scope, roles, at(1)).await.expect("members");
        members.into_iter().map(|member| member.name).collect()
    };
    assert_eq!(names(of(acme()), &[Role::OrgAdmin, Role::SuperAdmin]).await, ["ann"]);
    assert_eq!(names(Scope::Fleet, &[Role::Developer]).await, ["bob", "eve"]);
    assert!(names(of(other()), &[Role::OrgAdmin]).await.is_empty());
    assert!(names(Scope::Fleet, &[]).await.is_empty());
    for number in 0..25 {
        let admin = member(&acme(), &format!("admin-{number:02}"), Role::OrgAdmin);
        store
            .record_member(&admin, at(10), Record::default())
            .await
            .expect("added");
    }
    assert_eq!(
        names(of(acme()), &[Role::OrgAdmin]).await.len(),
        20,
        "the list is bounded"
    );
}
