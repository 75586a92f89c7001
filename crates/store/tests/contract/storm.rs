//! Everything at once: what can wait in a circle, does so here.

use crate::{cast::*, place::Place};
use domain::{
    Role, SessionId,
    id::LoginId,
    member::{Leaving, ListMembers, Status},
    org::{Org, State},
    quota::{Dimension, Limit, Limits, State as Answered, Subject},
};
use engine::ports::{Accepted, Bounds, Opened, SeatPatch, Seated, Store};

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
                let patch = engine::ports::Patch {
                    phase: Some(domain::session::Phase::Suspended),
                    ..engine::ports::Patch::default()
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
