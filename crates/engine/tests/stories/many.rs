//! The same done to many at once: what is refused for one is done for the others, and each answer says which.

use crate::house::House;
use domain::{
    Caller, OrgId, PersonId, Role,
    caller::Proof,
    id::RequestId,
    many::{MANY_MAX, Outcome, undoing},
    member::{Leaving, Status},
    pass::{Kind, ListPasses},
    quota::{Answer, Ask, Dimension, Limit, Limits, Subject},
    token::Mint,
};
use engine::{Error, SeatChange};

fn codes(outcomes: &[Outcome]) -> Vec<(&str, &str)> {
    let code = |outcome: &Outcome| outcome.refused.as_ref().map(|problem| problem.code.clone());
    let mut codes: Vec<_> = outcomes.iter().map(|one| (one.name.as_str(), code(one))).collect();
    codes.sort();
    codes
        .into_iter()
        .map(|(name, code)| (name, code.map_or("done", |code| code.leak())))
        .collect()
}

fn ids(people: &[&Caller]) -> Vec<PersonId> {
    people.iter().map(|caller| caller.person.clone()).collect()
}

async fn role_of(house: &House, caller: &Caller) -> (Role, Status) {
    let seat = house.store.find_seat(&caller.org, &caller.person).await;
    let seat = seat.expect("an answer").expect("a seat");
    (seat.role, seat.status)
}

#[tokio::test]
async fn what_is_refused_for_one_is_done_for_the_others_and_undone_for_exactly_them() {
    let house = House::new().await;
    let oda = house.person("acme", "oda", Role::Owner).await;
    let adi = house.person("acme", "adi", Role::OrgAdmin).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let vic = house.person("acme", "vic", Role::Viewer).await;
    let eve = house.person("other", "eve", Role::Developer).await;
    let change = SeatChange {
        role: Some(Role::Developer),
        ..SeatChange::default()
    };
    let people = ids(&[&oda, &adi, &bob, &vic, &eve, &vic]);
    let done = house
        .engine
        .change_seats(&adi, &adi.org, people, &change)
        .await
        .expect("answers");
    assert_eq!(
        codes(&done),
        [
            (eve.person.as_str(), "no-such-member"),
            ("adi", "yourself"),
            ("bob", "done"),
            ("oda", "forbidden"),
            ("vic", "done"),
        ]
    );
    assert_eq!(role_of(&house, &vic).await.0, Role::Developer);
    assert_eq!(role_of(&house, &oda).await.0, Role::Owner);

    // Only vic was changed: bob was a developer before, and is not touched by what is undone.
    let back = undoing(&done);
    assert_eq!(back.len(), 1);
    house
        .engine
        .change_seats_back(&adi, &adi.org, back)
        .await
        .expect("answers");
    assert_eq!(role_of(&house, &vic).await.0, Role::Viewer);

    // The last owner stays, whoever asks.
    let root = house.root().await;
    let done = house
        .engine
        .remove_members(&root, &oda.org, ids(&[&oda, &vic]), &Leaving::Archive)
        .await
        .expect("answers");
    assert_eq!(codes(&done), [("oda", "last-owner"), ("vic", "done")]);
    assert_eq!(role_of(&house, &vic).await.1, Status::Left);
}

#[tokio::test]
async fn many_are_bounded_and_only_for_those_who_govern() {
    let house = House::new().await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let oda = house.person("acme", "oda", Role::Owner).await;
    let many = (0..=MANY_MAX).map(|number| PersonId::new(number.to_string())).collect();
    let change = SeatChange::default();
    let refused = house.engine.change_seats(&oda, &oda.org, many, &change).await;
    assert!(matches!(refused, Err(Error::Invalid(problem)) if problem.code == "too-many"));
    let refused = house.engine.change_seats(&bob, &bob.org, ids(&[&oda]), &change).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let other = OrgId::new("local");
    let refused = house
        .engine
        .remove_members(&oda, &other, ids(&[&bob]), &Leaving::Archive)
        .await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
    let refused = house.engine.passes(&oda, &other, &ListPasses::default()).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn passes_are_taken_away_but_from_those_above_and_from_whoever_asks() {
    let house = House::new().await;
    let oda = house.person("acme", "oda", Role::Owner).await;
    let adi = house.person("acme", "adi", Role::OrgAdmin).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let mut secrets = Vec::new();
    for caller in [&oda, &adi, &bob] {
        let mint = Mint {
            name: format!("ci of {}", caller.name),
            ..Mint::default()
        };
        secrets.push(house.engine.mint_token(caller, mint).await.expect("a token"));
    }
    let page = house
        .engine
        .passes(&adi, &adi.org, &ListPasses::default())
        .await
        .expect("passes");
    assert_eq!(page.total, 3);
    let ids: Vec<_> = page.items.iter().map(|pass| pass.id.clone()).collect();
    let with_token = house
        .engine
        .caller_of_token(&secrets[1].secret)
        .await
        .expect("an answer")
        .expect("adi");
    let revoked = house
        .engine
        .revoke_passes(&with_token, &adi.org, Kind::Token, ids)
        .await
        .expect("answers");
    assert_eq!(
        codes(&revoked),
        [
            ("ci of adi", "yourself"),
            ("ci of bob", "done"),
            ("ci of oda", "forbidden")
        ]
    );
    for (minted, holds) in secrets.iter().zip([true, true, false]) {
        let caller = house.engine.caller_of_token(&minted.secret).await.expect("an answer");
        assert_eq!(caller.is_some(), holds, "{}", minted.token.name);
    }

    let browser = house.browser(&bob).await;
    let Proof::Login { id: login, .. } = &browser.caller.proof else {
        panic!("a browser's proof")
    };
    let ids = vec![login.as_str().to_owned(), "none".to_owned()];
    let revoked = house
        .engine
        .revoke_passes(&adi, &adi.org, Kind::Browser, ids)
        .await
        .expect("answers");
    assert_eq!(revoked[0].refused, None);
    assert_eq!(revoked[1].refused.as_ref().expect("refused").code, "no-such-pass");
    assert!(
        house
            .engine
            .caller_of_cookie(&browser.cookie)
            .await
            .expect("an answer")
            .is_none()
    );
    let told = house.audit(&adi.org).await;
    assert!(
        told.iter()
            .any(|entry| entry.action == "login.ended" && entry.detail["owner"] == bob.email)
    );
}

#[tokio::test]
async fn many_requests_are_granted_as_asked_and_what_is_refused_is_said_of_each() {
    let house = House::new().await;
    let oda = house.person("acme", "oda", Role::Owner).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let cat = house.person("acme", "cat", Role::Developer).await;
    let eve = house.person("evil", "eve", Role::Owner).await;
    let root = house.root().await;
    for org in [&oda.org, &eve.org] {
        let most = Limits([(Dimension::ConcurrentSessions, Limit::At(5))].into());
        let set = house.engine.set_limits(&root, org, &Subject::Org, &most).await;
        set.expect("a ceiling");
    }
    let asked = async |who: &Caller, wanted, days| {
        let ask = Ask {
            dimension: Dimension::ConcurrentSessions,
            wanted: Limit::At(wanted),
            days,
            why: "More work".to_owned(),
        };
        house.engine.ask_for_more(who, ask).await.expect("a request").id
    };
    // Beyond the ceiling; within it, for a time; somebody's own; another Organization's; one that is not there.
    let too_much = asked(&bob, 9, None).await;
    let set = Limits([(Dimension::ConcurrentSessions, Limit::At(2))].into());
    house
        .engine
        .set_limits(&oda, &oda.org, &Subject::Org, &set)
        .await
        .expect("lower");
    let within = asked(&cat, 4, Some(7)).await;
    house
        .engine
        .set_limits(&eve, &eve.org, &Subject::Org, &set)
        .await
        .expect("lower");
    let others = asked(&eve, 4, None).await;
    let none = RequestId::new("none");
    let ids = vec![too_much, within.clone(), others, none, within];
    let done = house
        .engine
        .answer_requests(&oda, &oda.org, ids.clone(), &Answer::AsAsked)
        .await
        .expect("answers");
    let codes: Vec<_> = done
        .iter()
        .map(|one| one.refused.as_ref().map(|problem| problem.code.as_str()))
        .collect();
    let missing = Some("no-such-request");
    assert_eq!(codes, [Some("over-ceiling"), None, missing, missing]);
    let standing = house.engine.standing(&cat).await.expect("a standing");
    assert_eq!(standing.quota.concurrent_sessions, Some(4));
    let granted = house.engine.my_requests(&cat).await.expect("requests").remove(0);
    assert_eq!(
        (granted.days, granted.ends_at.is_some()),
        (Some(7), true),
        "for as long as asked"
    );

    // What waits still is declined with one word; what was answered is not answered again.
    let no = Answer::to_all(false, "Not this week.".to_owned());
    let done = house
        .engine
        .answer_requests(&oda, &oda.org, ids[..2].to_vec(), &no)
        .await
        .expect("answers");
    let codes: Vec<_> = done
        .iter()
        .map(|one| one.refused.as_ref().map(|problem| problem.code.as_str()))
        .collect();
    assert_eq!(codes, [None, Some("request-answered")]);
    let declined = house.engine.my_requests(&bob).await.expect("requests").remove(0);
    assert_eq!(declined.answer.as_deref(), Some("Not this week."));
    let refused = house
        .engine
        .answer_requests(&bob, &bob.org, ids, &Answer::AsAsked)
        .await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn members_stand_beside_what_each_may_have() {
    let house = House::new().await;
    let oda = house.person("acme", "oda", Role::Owner).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let eve = house.person("evil", "eve", Role::Owner).await;
    let own = Limits([(Dimension::ConcurrentSessions, Limit::At(1))].into());
    let person = Subject::Person(bob.person.clone());
    let set = house.engine.set_limits(&oda, &oda.org, &person, &own).await;
    set.expect("a limit");
    assert_eq!(house.engine.busiest(&oda, &oda.org).await.expect("answers"), []);
    let shell = domain::session::Open {
        agent: "shell".to_owned(),
        ..Default::default()
    };
    let opened = house.engine.open(&bob, shell, None).await;
    opened.expect("opens");
    let page = house
        .engine
        .members_held(&oda, &oda.org, &Default::default())
        .await
        .expect("a page");
    let held: Vec<_> = page
        .items
        .iter()
        .map(|held| (held.seat.name.as_str(), held.seat.live, held.most_live))
        .collect();
    assert_eq!(held, [("bob", 1, Some(1)), ("oda", 0, Some(3))]);
    let busiest = house.engine.busiest(&oda, &oda.org).await.expect("answers");
    assert_eq!(busiest.len(), 1);
    assert_eq!(busiest[0], page.items[0]);
    for stranger in [&bob, &eve] {
        assert!(house.engine.busiest(stranger, &oda.org).await.is_err());
    }
}
