//! Everything at once: what can wait in a circle, does so here.

use crate::{cast::*, place::Place};
use domain::{
    Role, SessionId,
    id::{LoginId, TokenId},
    member::{Leaving, ListMembers, Status},
    org::{Org, State},
    quota::{Dimension, Limit, Limits, State as Answered, Subject},
    session::Phase,
    token::Token,
};
use engine::ports::{
    Accepted, Bounds, Held, Opened, Patch, Provide, Provided, Provision, Provisioned, SeatPatch, Seated, Store,
};
use serde_json::json;

const PEOPLE: usize = 6;
const SEATS: u64 = 12;

fn who(number: usize) -> engine::ports::Member {
    member(&acme(), &format!("p{}", number % PEOPLE), Role::Developer)
}

/// One of the things that people do to an Organization; whatever comes of it, it is an answer.
async fn does(store: &dyn Store, number: usize) -> anyhow::Result<()> {
    let (member, made) = (who(number / 11), record(&acme(), "did"));
    let id = member.person.as_str().to_owned();
    match number % 11 {
        0 | 1 => {
            let name = format!("new-{}@example.org", number / 11 % 4);
            let link = hash(&format!("link-{}", number / 11 % 8));
            let one = invitation(&acme(), &format!("i-{number}"), &name);
            // A link that is taken already is another's: it stands for one.
            let link = if number.is_multiple_of(2) {
                link
            } else {
                hash(&format!("l-{number}"))
            };
            if store.find_invitation(&link, at(20)).await?.is_none() {
                let _ = store.record_invitation(&one, &link, None, 50, at(20), made).await;
            }
        }
        2 | 3 => {
            let link = hash(&format!("link-{}", number / 11 % 8));
            let mut joins = acceptance(&format!("j-{number}"), None);
            joins.login = Some(new_login(&format!("j-{number}"), at(9000)));
            let came = store.accept_invitation(&link, &joins, at(20), made).await?;
            if let Accepted::Seated(member) = came {
                let was = seat(store, &acme(), member.person.as_str()).await;
                store
                    .record_leaving(
                        &was,
                        &Leaving::HandOver { to: person("p0") },
                        at(21),
                        record(&acme(), "left"),
                    )
                    .await?;
            }
        }
        4 => {
            let was = seat(store, &acme(), &id).await;
            let status = if was.status == Status::Active {
                Status::Disabled
            } else {
                Status::Active
            };
            let patch = SeatPatch {
                status: Some(status),
                name: Some(format!("{id} the {number}th")),
                ..SeatPatch::default()
            };
            let changed = store.change_seat(&was, &patch, at(20), made).await?;
            assert!(!matches!(changed, Seated::LastOwner | Seated::Gone), "{changed:?}");
        }
        5 => {
            let login = LoginId::new(&id);
            store.touch_login(&login, at(30), at(9000)).await?;
            for org in [other(), acme()] {
                let switched = record(&org, "switched");
                store
                    .switch_login(&login, &member.person, &org, at(30), switched)
                    .await?;
            }
            let link = hash(&format!("sign-in-{number}"));
            store.record_sign_in_link(&link, &member, at(900), made).await?;
            store
                .redeem_sign_in_link(&link, &new_login(&format!("{id}-{number}"), at(9000)), at(20))
                .await?;
        }
        6 | 7 => {
            let one = session(&member, &format!("s-{number}"));
            let bounds = Bounds {
                live: Some(3),
                all: Some(20),
            };
            if let Opened::Recorded(session) = store.record_opened(&one, bounds, None, made).await? {
                let patch = Patch {
                    phase: Some(Phase::Suspended),
                    ..Patch::default()
                };
                store
                    .record_session(&acme(), &session.id, &patch, record(&acme(), "slept"))
                    .await?;
            }
            let earlier = SessionId::new(format!("s-{}", number.saturating_sub(PEOPLE * 11)));
            store
                .record_resumed(&acme(), &earlier, bounds, at(20), record(&acme(), "woke"))
                .await?;
        }
        8 => {
            let state = if number.is_multiple_of(2) {
                State::Suspended
            } else {
                State::Active
            };
            store.record_org_state(&acme(), state, made).await?;
            let org = Org {
                seats: Some(SEATS),
                ..org(&acme())
            };
            store.change_org(&org, record(&acme(), "bought")).await?;
        }
        9 => {
            let asked = request(&member, &format!("r-{number}"));
            store.record_request(&asked, 5, made).await?;
            let answered = domain::quota::Request {
                state: Answered::Declined,
                ..asked
            };
            store.answer_request(&answered, record(&acme(), "answered")).await?;
            let limits = Limits([(Dimension::Sessions, Limit::At(20))].into());
            store
                .record_limits(
                    &acme(),
                    &Subject::Person(member.person),
                    &limits,
                    false,
                    record(&acme(), "set"),
                )
                .await?;
        }
        _ => {
            store.list_members(&acme(), &ListMembers::default(), at(20)).await?;
            store.record_member(&member, at(20), made).await?;
        }
    }
    Ok(())
}

pub(crate) async fn whatever_people_do_at_once_nobody_waits_in_a_circle(place: Place) {
    let place = place.patient();
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    for number in 0..PEOPLE {
        let member = who(number);
        for org in [acme(), other()] {
            let seat = engine::ports::Member { org, ..member.clone() };
            one.record_member(&seat, at(3), record(&acme(), "added"))
                .await
                .expect("added");
        }
        let link = hash(&format!("first-{number}"));
        one.record_sign_in_link(&link, &member, at(900), record(&acme(), "link"))
            .await
            .expect("a link");
        one.redeem_sign_in_link(&link, &new_login(member.person.as_str(), at(9000)), at(10))
            .await
            .expect("signed in");
    }
    let answers = at_once(24, |task| {
        let store = if task % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            for step in 0..24 {
                // Every task goes its own way through all that can be done.
                let number = (step * 24 + task) * 7 % 576 + step * 576;
                does(&*store, number)
                    .await
                    .map_err(|error| format!("{number}: {error:?}"))?;
            }
            Ok::<_, String>(())
        }
    })
    .await;
    let failed: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let acme = one.org_overview(&acme(), at(20)).await.expect("an answer").expect("it");
    assert!(
        acme.seats_used + acme.invited <= SEATS.max(PEOPLE as u64 + 2),
        "no more seats than were bought: {acme:?}"
    );
}

/// How many different things [`moves`] knows.
const MOVES: usize = 9;
const ISSUER: &str = "https://id.example.org";

/// Somebody with one of two addresses and names: the even ones are told by a directory, the odd ones by a provider.
fn called(number: usize, turn: usize) -> engine::ports::Member {
    let id = format!("p{}", number % PEOPLE);
    engine::ports::Member {
        email: format!("{id}@{}.example.org", ["old", "new"][turn % 2]),
        name: format!("{id} {}", ["Old", "New"][turn % 2]),
        ..member(&acme(), &id, Role::Developer)
    }
}

/// Changes an address by one of the three ways that addresses change, or makes something that hangs on a member and
/// leaves the address alone.
async fn moves(store: &dyn Store, number: usize, what: usize, turn: usize) -> anyhow::Result<()> {
    let (member, made) = (called(number, turn), record(&acme(), "did"));
    let id = member.person.as_str().to_owned();
    let unique = format!("{id}-{what}-{turn}");
    match what % MOVES {
        0 => store.record_member(&member, at(20), made).await?,
        1 => {
            let seat = Provide {
                org: acme(),
                person: member.person,
                issuer: ISSUER.to_owned(),
                email: member.email,
                name: member.name,
                role: None,
                new_role: Role::Developer,
                groups: Vec::new(),
            };
            let provided = store.provide_seat(&seat, at(20), made).await?;
            assert!(matches!(provided, Provided::Seated { .. }), "{provided:?}");
        }
        2 => {
            let was = store.find_user(&acme(), &member.person, at(20)).await?;
            let seat = Provision {
                org: acme(),
                person: member.person,
                was,
                user_name: format!("{id}@dir.example.org"),
                external_id: Some(id),
                given_name: None,
                family_name: None,
                formatted: None,
                display_name: None,
                name: member.name,
                email: member.email,
                role: Role::Developer,
                given_role: None,
                primary: domain::scim::user::Primary::default(),
                active: true,
            };
            let provisioned = store.record_user(&seat, at(20), made).await?;
            assert!(
                matches!(provisioned, Provisioned::Done | Provisioned::Changed),
                "{provisioned:?}"
            );
        }
        3 => {
            let link = hash(&unique);
            store.record_sign_in_link(&link, &member, at(900), made).await?;
            let login = new_login(&unique, at(9000));
            let came = store.redeem_sign_in_link(&link, &login, at(20)).await?;
            assert!(came.is_some(), "a link of somebody with a seat signs in");
        }
        4 => {
            let login = new_login(&unique, at(9000));
            let held = Held {
                login: login.login.id.clone(),
                provider: "all".to_owned(),
                issuer: ISSUER.to_owned(),
                subject: id,
                sid: None,
                claims: json!({}),
                kept: "v1.kept".to_owned(),
                refresh_at: at(300),
                proven_at: at(20),
                narrowed: None,
            };
            store
                .record_provider_login(&acme(), &member.person, &login, &held, made)
                .await?;
        }
        5 => {
            let login = LoginId::new(&id);
            store.touch_login(&login, at(30), at(9000)).await?;
            for org in [other(), acme()] {
                let switched = record(&org, "switched");
                store
                    .switch_login(&login, &member.person, &org, at(30), switched)
                    .await?;
            }
        }
        6 => {
            let token = Token {
                id: TokenId::new(&unique),
                name: unique.clone(),
                capabilities: Vec::new(),
                created_at: at(20),
                expires_at: at(900),
                used_at: None,
                revoked_at: None,
            };
            store.record_token(&member, &token, &hash(&unique), 1000, made).await?;
        }
        7 => {
            for session in 0..SESSIONS {
                let patch = Patch {
                    phase: Some(Phase::Suspended),
                    ..Patch::default()
                };
                let session = SessionId::new(format!("{id}-s{session}"));
                store
                    .record_session(&acme(), &session, &patch, record(&acme(), "slept"))
                    .await?;
            }
        }
        _ => {
            for session in 0..SESSIONS {
                let session = SessionId::new(format!("{id}-s{session}"));
                store
                    .record_resumed(&acme(), &session, Bounds::default(), at(20), record(&acme(), "woke"))
                    .await?;
            }
        }
    }
    Ok(())
}

/// So many sessions of each.
const SESSIONS: usize = 4;

pub(crate) async fn addresses_change_while_people_sign_in_and_work(place: Place) {
    let place = place.patient();
    let (one, two) = (place.open().await, place.open().await);
    settle(&*one).await;
    for number in 0..PEOPLE {
        let member = called(number, 0);
        for org in [acme(), other()] {
            let seat = engine::ports::Member { org, ..member.clone() };
            one.record_member(&seat, at(3), record(&acme(), "added"))
                .await
                .expect("added");
        }
        let link = hash(&format!("first-{number}"));
        one.record_sign_in_link(&link, &member, at(900), record(&acme(), "link"))
            .await
            .expect("a link");
        one.redeem_sign_in_link(&link, &new_login(member.person.as_str(), at(9000)), at(10))
            .await
            .expect("signed in");
        for number in 0..SESSIONS {
            open(
                &*one,
                &session(&member, &format!("{}-s{number}", member.person.as_str())),
            )
            .await;
        }
    }
    let answers = at_once(MOVES * 2, |task| {
        let store = if task % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            for step in 0..30 {
                // Half of them go through the people backwards. What the directory keeps, a provider leaves alone.
                let number = if task < MOVES { step } else { PEOPLE * 30 - step };
                let what = match task % MOVES {
                    1 if number % 2 == 0 => 2,
                    2 if number % 2 == 1 => 1,
                    what => what,
                };
                moves(&*store, number, what, step * MOVES * 2 + task + step / PEOPLE % 2)
                    .await
                    .map_err(|error| format!("{what} of {number}: {error:?}"))?;
            }
            Ok::<_, String>(())
        }
    })
    .await;
    let failed: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // Whatever came last: a session says of its owner what the seat says, and the address finds them.
    for number in 0..PEOPLE {
        let id = called(number, 0).person;
        let seat = seat(&*one, &acme(), id.as_str()).await;
        let found = one
            .find_member_by_email(&of(acme()), &seat.email, at(30))
            .await
            .expect("an answer")
            .expect("found by their address");
        assert_eq!(found.person, id);
        for number in 0..SESSIONS {
            let session = SessionId::new(format!("{}-s{number}", id.as_str()));
            let session = one
                .find_session(&of(acme()), &session)
                .await
                .expect("an answer")
                .expect("a session");
            assert_eq!(
                (&session.owner_name, &session.owner_email),
                (&seat.name, &seat.email),
                "{session:?}"
            );
        }
    }
}
