use crate::{cast::*, place::Place};
use domain::{
    OrgId, PersonId, Role,
    directory::DirectoryToken,
    id::TokenId,
    member::{Leaving, Status},
    org::Org,
    scim::{
        Condition, Filter, Of, Window,
        group::Group,
        user::{Primary, User},
    },
};
use engine::ports::{HeldToken, Provide, Provided, Provision, Provisioned, Record, Scope, SeatPatch, Seated, Store};

fn token(id: &str) -> HeldToken {
    let token = DirectoryToken {
        id: TokenId::new(id),
        name: format!("the {id}"),
        rank: Role::Owner,
        made_by: "ann@example.org".to_owned(),
        held: true,
        created_at: at(10),
        expires_at: at(1000),
        used_at: None,
        revoked_at: None,
        rests_since: None,
    };
    HeldToken {
        token,
        maker: Some(person("ann")),
    }
}

fn seat(org: &OrgId, id: &str) -> Provision {
    Provision {
        org: org.clone(),
        person: person(id),
        was: None,
        user_name: format!("{id}@dir.example"),
        external_id: Some(format!("ext-{id}")),
        given_name: None,
        family_name: None,
        formatted: None,
        display_name: None,
        name: id.to_owned(),
        email: format!("{id}@dir.example"),
        role: Role::Developer,
        given_role: None,
        primary: Primary::default(),
        active: true,
    }
}

async fn put(store: &dyn Store, seat: &Provision) -> Provisioned {
    let record = record(&seat.org, "provisioned");
    store.record_user(seat, at(20), record).await.expect("an answer")
}

async fn user(store: &dyn Store, id: &str) -> Option<User> {
    let found = store.find_user(&acme(), &person(id), at(20)).await;
    found.expect("an answer")
}

/// A change of somebody who is there.
async fn change(store: &dyn Store, id: &str, change: impl FnOnce(&mut Provision)) -> Provisioned {
    let was = user(store, id).await.expect("a user");
    let mut wanted = Provision {
        user_name: was.user_name.clone(),
        external_id: was.external_id.clone(),
        formatted: was.formatted.clone(),
        display_name: was.display_name.clone(),
        name: was.name.clone(),
        email: was.email.clone(),
        role: was.role,
        given_role: was.given_role,
        primary: was.primary,
        active: was.active,
        was: Some(was),
        ..seat(&acme(), id)
    };
    change(&mut wanted);
    put(store, &wanted).await
}

async fn ids(store: &dyn Store, filter: &str, start: i64, count: i64) -> (Vec<String>, u64) {
    let condition = match filter {
        "" => Condition::Always(true),
        filter => Condition::of(Of::Users, &Filter::parse(filter).expect(filter)).expect(filter),
    };
    let window = Window::of(Some(start), Some(count));
    let (users, total) = store
        .list_users(&acme(), &condition, window, at(20))
        .await
        .expect("an answer");
    (
        users.iter().map(|user| user.person.as_str().to_owned()).collect(),
        total,
    )
}

fn group(org: &OrgId, id: &str, members: &[&str]) -> Group {
    Group {
        id: id.to_owned(),
        org: org.clone(),
        name: format!("group {id}"),
        external_id: None,
        created_at: at(20),
        changed_at: at(20),
        version: 0,
        size: members.len() as u64,
        members: Some(members.iter().map(|id| (person(id), String::new())).collect()),
    }
}

async fn put_group(store: &dyn Store, was: Option<&Group>, group: &Group) -> Provisioned {
    let answer = store.record_group(was, group, 3, record(&group.org, "grouped")).await;
    answer.expect("an answer")
}

fn members(group: &Group) -> Vec<&str> {
    group
        .members
        .iter()
        .flatten()
        .map(|(person, _)| person.as_str())
        .collect()
}

pub(crate) async fn a_directory_is_known_by_its_token_until_that_ends(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let made = at_once(5, |number| {
        let store = store.clone();
        async move {
            let (one, hash) = (token(&format!("t{number}")), hash(&format!("s{number}")));
            let record = record(&acme(), "minted");
            store
                .record_directory_token(&acme(), &one, &hash, 3, record)
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(made.iter().filter(|made| **made).count(), 3, "and no more");
    let listed = store.list_directory_tokens(&acme()).await.expect("tokens");
    let one = listed[0].clone();
    let secret = hash(&one.token.id.as_str().replace('t', "s"));
    let find = async |second| {
        store
            .find_directory_token(&secret, at(second))
            .await
            .expect("an answer")
    };
    assert_eq!(find(999).await, Some((one.clone(), acme())));
    assert_eq!(find(1000).await, None);
    assert_eq!(
        store.find_token(&secret, at(20)).await.expect("an answer"),
        None,
        "nobody's token"
    );
    store
        .touch_directory_token(&one.token.id, at(21))
        .await
        .expect("touched");
    assert_eq!(find(22).await.and_then(|found| found.0.token.used_at), Some(at(21)));
    // It rests once, and works again once; each is told.
    let rest = async |since: Option<i64>, what: &str| {
        let record = record(&acme(), what);
        store
            .rest_directory_token(&one, since.map(at), record)
            .await
            .expect("an answer")
    };
    assert!(!rest(None, "never rested").await);
    assert!(rest(Some(22), "rests").await && !rest(Some(23), "rests again").await);
    assert_eq!(find(24).await.and_then(|found| found.0.token.rests_since), Some(at(22)));
    assert!(rest(None, "works").await && !rest(None, "works again").await);
    assert_eq!(find(24).await.expect("found").0.token.rests_since, None);
    for (what, told) in [
        ("never rested", 0),
        ("rests", 1),
        ("rests again", 0),
        ("works", 1),
        ("works again", 0),
    ] {
        assert_eq!(audited(&*store, &Scope::Org(acme()), what).await.len(), told, "{what}");
    }
    // Who takes it over is its maker; what was said of the one before counts no more.
    let hand = async |org: &OrgId, was: &HeldToken, to: &str, what: &str| {
        let token = HeldToken {
            token: DirectoryToken {
                made_by: format!("{to}@example.org"),
                rank: Role::OrgAdmin,
                ..was.token.clone()
            },
            maker: Some(person(to)),
        };
        store
            .hand_directory_token(org, was, &token, at(26), record(&acme(), what))
            .await
            .expect("an answer")
    };
    assert!(rest(Some(25), "rests").await);
    let was = find(26).await.expect("found").0;
    assert!(!hand(&other(), &was, "eve", "handed elsewhere").await);
    assert!(hand(&acme(), &was, "bob", "handed").await && !hand(&acme(), &was, "ann", "handed late").await);
    let now_there = find(26).await.expect("the same secret").0;
    assert_eq!(
        (
            now_there.maker.as_ref(),
            now_there.token.made_by.as_str(),
            now_there.token.rank
        ),
        (Some(&person("bob")), "bob@example.org", Role::OrgAdmin)
    );
    assert_eq!(
        (now_there.token.rests_since, now_there.token.expires_at),
        (None, was.token.expires_at)
    );
    assert!(!rest(Some(27), "rests late").await, "whose it was is not whose it is");
    for (what, told) in [
        ("handed elsewhere", 0),
        ("handed", 1),
        ("handed late", 0),
        ("rests late", 0),
    ] {
        assert_eq!(audited(&*store, &Scope::Org(acme()), what).await.len(), told, "{what}");
    }
    let revoke = async |org: &OrgId| {
        let record = record(org, "revoked");
        store
            .revoke_directory_token(org, &one.token.id, at(30), record)
            .await
            .expect("an answer")
    };
    assert!(!revoke(&other()).await, "not by another Organization");
    assert!(revoke(&acme()).await && !revoke(&acme()).await);
    assert!(!hand(&acme(), &now_there, "ann", "handed over").await, "it is over");
    assert_eq!(find(31).await, None);
    assert!(store.list_directory_tokens(&other()).await.expect("tokens").is_empty());
}

pub(crate) async fn whoever_makes_a_directorys_token_is_what_they_are_today(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let over = async |org: OrgId, id: &str, second: i64| {
        let people = [person(id), person("somebody-else")];
        let roles = store.roles_over(&org, &people, at(second)).await.expect("an answer");
        roles.get(&people[0]).copied()
    };
    assert_eq!(over(acme(), "ann", 20).await, Some(Role::OrgAdmin));
    assert_eq!(over(acme(), "bob", 20).await, Some(Role::Developer));
    assert_eq!(over(other(), "ann", 20).await, None, "nothing to another Organization");
    let both = [person("ann"), person("bob"), person("nobody")];
    let roles = store.roles_over(&acme(), &both, at(20)).await.expect("an answer");
    let expected = [(person("ann"), Role::OrgAdmin), (person("bob"), Role::Developer)];
    assert_eq!(roles, expected.into(), "in one question");
    assert!(
        store
            .roles_over(&acme(), &[], at(20))
            .await
            .expect("an answer")
            .is_empty()
    );
    assert_eq!(over(acme(), "nobody", 20).await, None);
    // Whoever runs the installation is that everywhere, and no less by a lower seat.
    for root in [
        member(&other(), "root", Role::SuperAdmin),
        member(&acme(), "root", Role::Viewer),
    ] {
        store
            .record_member(&root, at(5), Record::default())
            .await
            .expect("a member");
    }
    assert_eq!(over(acme(), "root", 20).await, Some(Role::SuperAdmin));
    // A seat that ends, or is disabled, is nothing.
    let seat = async || {
        let seat = store.find_seat(&acme(), &person("ann")).await;
        seat.expect("an answer").expect("a seat")
    };
    let term = SeatPatch {
        ends_at: Some(Some(at(50))),
        ..SeatPatch::default()
    };
    let changed = store.change_seat(&seat().await, &term, at(20), Record::default()).await;
    assert!(matches!(changed, Ok(Seated::Done(_))));
    assert_eq!(
        (over(acme(), "ann", 49).await, over(acme(), "ann", 50).await),
        (Some(Role::OrgAdmin), None)
    );
    let off = SeatPatch {
        status: Some(Status::Disabled),
        ..SeatPatch::default()
    };
    let changed = store.change_seat(&seat().await, &off, at(20), Record::default()).await;
    assert!(matches!(changed, Ok(Seated::Done(_))));
    assert_eq!(over(acme(), "ann", 20).await, None);
    // From before makers were remembered: held to nobody.
    let mut old = token("old");
    (old.token.held, old.maker) = (false, None);
    let recorded = store
        .record_directory_token(&acme(), &old, &hash("old"), 3, record(&acme(), "minted"))
        .await;
    assert!(recorded.expect("an answer"));
    let found = store
        .find_directory_token(&hash("old"), at(20))
        .await
        .expect("an answer");
    assert_eq!(found, Some((old, acme())));
}

pub(crate) async fn of_two_who_are_made_at_once_one_gets_the_last_seat(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let org = Org {
        seats: Some(3),
        ..org(&acme())
    };
    assert!(
        store
            .change_org(&org, record(&acme(), "bought"))
            .await
            .expect("an answer")
    );
    let answers = at_once(8, |number| {
        let store = store.clone();
        async move { put(&*store, &seat(&acme(), &format!("p{number}"))).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| **answer == Provisioned::Done).count(), 1);
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == Provisioned::Full { seats: 3 })
            .count(),
        7
    );
    assert_eq!(ids(&*store, "", 1, 100).await.1, 3, "as many as were bought");

    // Who is disabled keeps the seat; who leaves makes room.
    let sits = ids(&*store, "userName co \"dir.example\"", 1, 1).await.0.remove(0);
    assert_eq!(
        change(&*store, &sits, |seat| seat.active = false).await,
        Provisioned::Done
    );
    assert_eq!(
        put(&*store, &seat(&acme(), "late")).await,
        Provisioned::Full { seats: 3 }
    );
    let left = store
        .find_seat(&acme(), &person(&sits))
        .await
        .expect("an answer")
        .expect("a seat");
    let done = store
        .record_leaving(&left, &Leaving::Archive, at(21), record(&acme(), "left"))
        .await;
    assert!(matches!(done, Ok(Seated::Done(_))));
    assert_eq!(put(&*store, &seat(&acme(), "late")).await, Provisioned::Done);
}

pub(crate) async fn one_address_is_one_person_however_it_came(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(put(&*store, &seat(&acme(), "dan")).await, Provisioned::Done);
    for (wanted, taken) in [
        (
            Provision {
                email: "x@dir.example".to_owned(),
                external_id: None,
                ..seat(&acme(), "dan")
            },
            "userName",
        ),
        (
            Provision {
                user_name: "BOB@example.org".to_owned(),
                ..seat(&acme(), "x")
            },
            "userName",
        ),
        (
            Provision {
                email: "bob@example.org".to_owned(),
                ..seat(&acme(), "x")
            },
            "emails",
        ),
        (
            Provision {
                external_id: Some("ext-dan".to_owned()),
                ..seat(&acme(), "x")
            },
            "externalId",
        ),
    ] {
        let wanted = Provision {
            person: person("x"),
            ..wanted
        };
        assert_eq!(put(&*store, &wanted).await, Provisioned::Taken(taken), "{wanted:?}");
    }
    // Who came by invitation is found by the address, and stays who they are.
    let known = store
        .find_known(&acme(), "bob@example.org", None)
        .await
        .expect("an answer");
    assert_eq!(known, Some(person("bob")));
    assert_eq!(user(&*store, "bob").await.map(|user| user.version), Some(0));
    let adopt = |seat: &mut Provision| seat.user_name = "bobby".to_owned();
    assert_eq!(change(&*store, "bob", adopt).await, Provisioned::Done);
    let bob = user(&*store, "bob").await.expect("bob");
    assert_eq!(
        (bob.user_name.as_str(), bob.email.as_str(), bob.version),
        ("bobby", "bob@example.org", 1)
    );
    // An identity provider proves them, and says no more who they are, or whether they sit there.
    let says = Provide {
        org: acme(),
        person: person("bob"),
        issuer: "https://id".to_owned(),
        email: "other@id.example".to_owned(),
        name: "Other".to_owned(),
        role: Some(Role::Viewer),
        new_role: Role::Developer,
        groups: Vec::new(),
    };
    let provided = store
        .provide_seat(&says, at(22), record(&acme(), "arrived"))
        .await
        .expect("an answer");
    assert!(matches!(provided, Provided::Seated { .. }));
    let bob = user(&*store, "bob").await.expect("bob");
    assert_eq!(
        (bob.email.as_str(), bob.role),
        ("bob@example.org", Role::Viewer),
        "the directory says no role"
    );
    assert!(
        store
            .provided_seats("https://id", &person("bob"))
            .await
            .expect("an answer")
            .is_empty()
    );
    let gives = |seat: &mut Provision| (seat.role, seat.given_role) = (Role::OrgAdmin, Some(Role::OrgAdmin));
    assert_eq!(change(&*store, "bob", gives).await, Provisioned::Done);
    store
        .provide_seat(&says, at(23), record(&acme(), "arrived"))
        .await
        .expect("an answer");
    assert_eq!(
        user(&*store, "bob").await.map(|user| user.role),
        Some(Role::OrgAdmin),
        "now it does"
    );
}

pub(crate) async fn users_are_filtered_in_every_way_and_pages_join_to_the_whole(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for number in 0..7 {
        let id = format!("p{number}");
        let wanted = Provision {
            active: number != 3,
            external_id: (number != 4).then(|| format!("ext-{id}")),
            name: format!("Pär 100% {number}"),
            display_name: (number != 0).then(|| format!("Pär 100% {number}")),
            primary: Primary {
                email: (number == 2).then_some(false),
                role: (number == 2).then_some(true),
            },
            formatted: (number == 0).then(|| "Herr Pär".to_owned()),
            ..seat(&acme(), &id)
        };
        assert_eq!(put(&*store, &wanted).await, Provisioned::Done);
    }
    assert_eq!(
        put_group(&*store, None, &group(&acme(), "g1", &["p1", "p2"])).await,
        Provisioned::Done
    );
    let (all, total) = ids(&*store, "", 1, 200).await;
    assert_eq!((all.len(), total), (9, 9));
    let mut pages = Vec::new();
    for start in [1, 4, 7, 10] {
        let (page, told) = ids(&*store, "", start, 3).await;
        assert_eq!(told, 9);
        pages.extend(page);
    }
    assert_eq!(pages, all);
    assert_eq!(ids(&*store, "", 1, 0).await, (Vec::new(), 9), "only the total");
    for (filter, found) in [
        (r#"userName eq "P1@DIR.example""#, vec!["p1"]),
        (r#"userName eq "bob@example.org""#, vec!["bob"]),
        (r#"externalId eq "ext-p2""#, vec!["p2"]),
        (r#"externalId eq "EXT-p2""#, vec![]),
        (r#"id eq "p5""#, vec!["p5"]),
        (r#"emails.value eq "p6@dir.example""#, vec!["p6"]),
        (r#"emails[type eq "work" and value eq "p6@dir.example"]"#, vec!["p6"]),
        (r#"active eq false"#, vec!["p3"]),
        (r#"active ne true"#, vec!["p3"]),
        (r#"not (active eq true)"#, vec!["p3"]),
        (r#"externalId pr and active eq "True" and userName sw "p0""#, vec!["p0"]),
        (r#"not (externalId pr)"#, vec!["ann", "bob", "p4"]),
        (
            r#"not (externalId eq "ext-p0") and userName sw "p" and active eq true"#,
            vec!["p1", "p2", "p4", "p5", "p6"],
        ),
        (r#"displayName eq "PÄR 100% 5""#, vec!["p5"]),
        (r#"displayName co "% 5""#, vec!["p5"]),
        (r#"displayName co "_ 5""#, vec![]),
        (
            r#"displayName sw "pär" and not (displayName co "% 6")"#,
            vec!["p1", "p2", "p3", "p4", "p5"],
        ),
        (
            r#"displayName eq "ANN" or name.formatted eq "HERR PÄR""#,
            vec!["ann", "p0"],
        ),
        (r#"emails[primary eq false]"#, vec!["p2"]),
        (r#"not (emails.primary ne false)"#, vec!["p2"]),
        (r#"not (displayName pr) or name.formatted pr"#, vec!["p0"]),
        (r#"displayName ew " 5" or displayName ew " 6""#, vec!["p5", "p6"]),
        (r#"groups.value eq "g1""#, vec!["p1", "p2"]),
        (r#"groups pr and id ne "p1""#, vec!["p2"]),
        (r#"meta.created lt "2020-01-01T00:00:00Z""#, vec![]),
        (r#"userName eq "x' OR 1=1 --""#, vec![]),
        ("userName eq \"nul\\u0000\"", vec![]),
    ] {
        let (mut some, total) = ids(&*store, filter, 1, 100).await;
        some.sort();
        assert_eq!(
            (some, total),
            (found.iter().map(|id| (*id).to_owned()).collect(), found.len() as u64),
            "{filter}"
        );
    }
    let primary = user(&*store, "p2").await.expect("p2").primary;
    assert_eq!(
        (primary.email, primary.role),
        (Some(false), Some(true)),
        "as it was said"
    );
    let groups = user(&*store, "p1").await.expect("p1").groups;
    assert_eq!(groups, [("g1".to_owned(), "group g1".to_owned())]);
}

pub(crate) async fn who_is_not_active_is_out_and_the_last_owner_stays(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(put(&*store, &seat(&acme(), "dan")).await, Provisioned::Done);
    let dan = member(&acme(), "dan", Role::Developer);
    let link = hash("link");
    let linked = store
        .record_sign_in_link(&link, &dan, at(900), record(&acme(), "link"))
        .await;
    linked.expect("a link");
    store
        .redeem_sign_in_link(&link, &new_login("dan", at(900)), at(20))
        .await
        .expect("signed in");
    assert_eq!(
        change(&*store, "dan", |seat| seat.active = false).await,
        Provisioned::Done
    );
    assert!(
        store
            .list_logins(&acme(), &person("dan"), at(20))
            .await
            .expect("logins")
            .is_empty()
    );
    let seat_now = store
        .find_seat(&acme(), &person("dan"))
        .await
        .expect("an answer")
        .expect("a seat");
    assert_eq!(seat_now.status, Status::Disabled);
    assert_eq!(
        change(&*store, "dan", |seat| seat.active = true).await,
        Provisioned::Done
    );
    assert!(user(&*store, "dan").await.is_some_and(|user| user.active));

    let owner = member(&acme(), "own", Role::Owner);
    store
        .record_member(&owner, at(3), record(&acme(), "added"))
        .await
        .expect("added");
    assert_eq!(
        change(&*store, "own", |seat| seat.active = false).await,
        Provisioned::LastOwner
    );
    assert_eq!(
        change(&*store, "own", |seat| seat.role = Role::Viewer).await,
        Provisioned::LastOwner
    );
    let second = member(&acme(), "own2", Role::Owner);
    store
        .record_member(&second, at(3), record(&acme(), "added"))
        .await
        .expect("added");
    let both = at_once(2, |number| {
        let store = store.clone();
        async move {
            change(&*store, if number == 0 { "own" } else { "own2" }, |seat| {
                seat.active = false
            })
            .await
        }
    })
    .await;
    assert_eq!(
        both.iter().filter(|answer| **answer == Provisioned::Done).count(),
        1,
        "{both:?}"
    );

    // What was looked at is not what is there any more.
    let stale = user(&*store, "dan").await;
    assert_eq!(
        change(&*store, "dan", |seat| seat.name = "Dan".to_owned()).await,
        Provisioned::Done
    );
    let wanted = Provision {
        was: stale,
        ..seat(&acme(), "dan")
    };
    assert_eq!(put(&*store, &wanted).await, Provisioned::Changed);
}

pub(crate) async fn who_comes_back_is_who_they_were_and_a_stranger_is_not(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(put(&*store, &seat(&acme(), "dan")).await, Provisioned::Done);
    let dan = store
        .find_seat(&acme(), &person("dan"))
        .await
        .expect("an answer")
        .expect("a seat");
    let left = store
        .record_leaving(&dan, &Leaving::Archive, at(21), record(&acme(), "left"))
        .await;
    assert!(matches!(left, Ok(Seated::Done(_))));
    assert_eq!(user(&*store, "dan").await, None);
    let known = async |email: &str, external_id: Option<&str>| {
        store.find_known(&acme(), email, external_id).await.expect("an answer")
    };
    assert_eq!(known("dan@dir.example", Some("ext-dan")).await, Some(person("dan")));
    assert_eq!(
        known("dan@dir.example", Some("ext-new")).await,
        None,
        "another who got the address"
    );
    assert_eq!(known("dan@dir.example", None).await, None);
    assert_eq!(known("new@dir.example", Some("ext-dan")).await, None);
    // The name and the directory's id are free for somebody else, or for the same.
    assert_eq!(put(&*store, &seat(&acme(), "dan")).await, Provisioned::Done);
    assert!(
        user(&*store, "dan")
            .await
            .is_some_and(|user| user.active && user.version > 0)
    );
}

pub(crate) async fn a_group_is_the_directorys_alone_and_a_sign_in_does_not_touch_it(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let says = |groups: &[&str]| Provide {
        org: acme(),
        person: person("bob"),
        issuer: "https://id".to_owned(),
        email: "bob@example.org".to_owned(),
        name: "bob".to_owned(),
        role: None,
        new_role: Role::Developer,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let sign_in = async |groups: &[&str]| {
        let record = record(&acme(), "arrived");
        store
            .provide_seat(&says(groups), at(22), record)
            .await
            .expect("an answer");
    };
    sign_in(&["group g1", "theirs"]).await;
    assert_eq!(store.count_provided_in(&acme(), "group g1").await.expect("a count"), 1);
    // The directory takes the name over, without Bob.
    assert_eq!(
        put_group(&*store, None, &group(&acme(), "g1", &["ann"])).await,
        Provisioned::Done
    );
    assert_eq!(store.count_provided_in(&acme(), "group g1").await.expect("a count"), 0);
    sign_in(&["group g1", "theirs", "more"]).await;
    let kept = store
        .find_group(&acme(), "g1")
        .await
        .expect("an answer")
        .expect("a group");
    assert_eq!(members(&kept), ["ann"], "a sign-in puts nobody in");
    let names = ["group g1".to_owned(), "theirs".to_owned()];
    assert_eq!(store.kept_groups(&acme(), &names).await.expect("names"), ["group g1"]);
    // Bob is in by the directory: signing in without it throws nobody out.
    let with_bob = group(&acme(), "g1", &["ann", "bob"]);
    assert_eq!(put_group(&*store, Some(&kept), &with_bob).await, Provisioned::Done);
    sign_in(&[]).await;
    let kept = store
        .find_group(&acme(), "g1")
        .await
        .expect("an answer")
        .expect("a group");
    assert_eq!((members(&kept), kept.size), (vec!["ann", "bob"], 2));
    // Deleted, the name is free again.
    assert!(
        store
            .forget_group(&acme(), "g1", record(&acme(), "deleted"))
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .forget_group(&acme(), "g1", record(&acme(), "deleted"))
            .await
            .expect("an answer")
    );
    sign_in(&["group g1"]).await;
    assert_eq!(store.count_provided_in(&acme(), "group g1").await.expect("a count"), 1);
}

pub(crate) async fn a_group_changes_only_as_it_was_looked_at(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(
        put_group(&*store, None, &group(&acme(), "g1", &["ann"])).await,
        Provisioned::Done
    );
    let was = store
        .find_group(&acme(), "g1")
        .await
        .expect("an answer")
        .expect("a group");
    let nobody = group(&acme(), "g1", &["ann", "eve"]);
    assert_eq!(
        put_group(&*store, Some(&was), &nobody).await,
        Provisioned::NoSuch(person("eve"))
    );
    let renamed = Group {
        name: "ops".to_owned(),
        ..group(&acme(), "g1", &["ann", "bob"])
    };
    assert_eq!(put_group(&*store, Some(&was), &renamed).await, Provisioned::Done);
    assert_eq!(put_group(&*store, Some(&was), &renamed).await, Provisioned::Changed);
    let now = store
        .find_group(&acme(), "g1")
        .await
        .expect("an answer")
        .expect("a group");
    assert_eq!((now.name.as_str(), members(&now)), ("ops", vec!["ann", "bob"]));
    let same_name = Group {
        name: "OPS".to_owned(),
        ..group(&acme(), "g2", &[])
    };
    assert_eq!(
        put_group(&*store, None, &same_name).await,
        Provisioned::Taken("displayName")
    );
    for id in ["g2", "g3"] {
        assert_eq!(
            put_group(&*store, None, &group(&acme(), id, &["bob"])).await,
            Provisioned::Done
        );
    }
    assert_eq!(
        put_group(&*store, None, &group(&acme(), "g4", &[])).await,
        Provisioned::TooMany
    );
    let by = |filter: &str| Condition::of(Of::Groups, &Filter::parse(filter).expect(filter)).expect(filter);
    for (filter, found) in [
        (r#"displayName eq "Group G2""#, vec!["g2"]),
        (r#"members[value eq "bob"]"#, vec!["g1", "g2", "g3"]),
        (r#"members.value eq "ann" and not (id eq "g2")"#, vec!["g1"]),
        (r#"externalId pr"#, vec![]),
    ] {
        let window = Window::of(None, None);
        let listed = store
            .list_groups(&acme(), &by(filter), window, None)
            .await
            .expect("groups")
            .0;
        assert_eq!(
            listed.iter().map(|group| group.id.as_str()).collect::<Vec<_>>(),
            found,
            "{filter}"
        );
    }
    let window = Window::of(None, None);
    let (page, total) = store
        .list_groups(&acme(), &Condition::Always(true), window, Some(3))
        .await
        .expect("groups");
    assert_eq!(
        (page.len(), total),
        (2, 3),
        "a page ends before it holds too many members"
    );
    assert_eq!(members(&page[1]), ["bob"]);
    // Who leaves the Organization leaves its groups.
    let bob = store
        .find_seat(&acme(), &person("bob"))
        .await
        .expect("an answer")
        .expect("a seat");
    let left = store
        .record_leaving(&bob, &Leaving::Archive, at(30), record(&acme(), "left"))
        .await;
    assert!(matches!(left, Ok(Seated::Done(_))));
    let now = store
        .find_group(&acme(), "g1")
        .await
        .expect("an answer")
        .expect("a group");
    assert_eq!((members(&now), now.size), (vec!["ann"], 1));
}

pub(crate) async fn no_directory_reaches_another_organization(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    assert_eq!(put(&*store, &seat(&other(), "zoe")).await, Provisioned::Done);
    assert_eq!(
        put_group(&*store, None, &group(&other(), "g9", &["zoe"])).await,
        Provisioned::Done
    );
    assert_eq!(user(&*store, "zoe").await, None);
    assert_eq!(store.find_group(&acme(), "g9").await.expect("an answer"), None);
    for known in [Some("ext-zoe"), None] {
        assert_eq!(
            store
                .find_known(&acme(), "zoe@dir.example", known)
                .await
                .expect("an answer"),
            None
        );
    }
    assert_eq!(
        store.find_by_external_id(&acme(), "ext-zoe").await.expect("an answer"),
        None
    );
    assert_eq!(
        store.find_by_external_id(&other(), "ext-zoe").await.expect("an answer"),
        Some(person("zoe"))
    );
    assert_eq!(ids(&*store, "", 1, 100).await.1, 2);
    // The same person, address and names in both: neither is in the way of the other.
    assert_eq!(put(&*store, &seat(&acme(), "zoe")).await, Provisioned::Done);
    assert_eq!(
        put_group(
            &*store,
            None,
            &Group {
                id: "g10".to_owned(),
                ..group(&acme(), "g9", &["zoe"])
            }
        )
        .await,
        Provisioned::Done
    );
    assert_eq!(
        change(&*store, "zoe", |seat| seat.active = false).await,
        Provisioned::Done
    );
    let there = store
        .find_user(&other(), &PersonId::new("zoe"), at(20))
        .await
        .expect("an answer");
    assert!(there.is_some_and(|user| user.active && user.groups.len() == 1));
}
