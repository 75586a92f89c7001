//! What time alone brings about: through the server's own timer, by the clock that is moved by hand.

use crate::house::House;
use domain::{
    Caller, Role, SessionId,
    invitation::Invite,
    quota::{Dimension, Limit, Limits, Subject},
    session::{Phase, Sharing, View},
    wire::Viewer,
};
use engine::{AttachAsk, Error, From, SeatChange, ports::Observation};
use std::sync::atomic::{AtomicU64, Ordering};

/// Something was put out on a terminal `seconds` ago.
pub(crate) async fn active(house: &House, caller: &Caller, id: &SessionId, seconds: i64, watched: bool) {
    let mut status = house.runtime.host(id, 0);
    for terminal in &mut status.terminals {
        terminal.active_at = house.now().plus_seconds(-seconds).millis();
        if watched {
            terminal.viewers = vec![Viewer {
                attachment: 1,
                person: caller.person.to_string(),
                name: caller.name.clone(),
                driver: true,
                may_type: true,
            }];
        }
    }
    // Another number each time, so that it is known when it has arrived.
    static NUMBER: AtomicU64 = AtomicU64::new(100);
    let processes = NUMBER.fetch_add(1, Ordering::Relaxed);
    status.processes = processes;
    house
        .runtime
        .see(Observation::Live {
            session: id.clone(),
            status,
        })
        .await;
    let told = |view: &View| view.live.as_ref().is_some_and(|live| live.processes == processes);
    house.until(caller, id, told).await;
}

async fn asleep(house: &House, caller: &Caller, id: &SessionId) -> String {
    // First it is remembered, then done, then forgotten what ran.
    let done =
        |view: &View| view.session.phase == Phase::Suspended && view.live.is_none() && !house.runtime.is_running(id);
    let view = house.until(caller, id, done).await;
    view.session.reason.expect("it says why")
}

#[tokio::test]
async fn a_seat_for_a_time_ends_by_the_clock_with_all_it_allowed() {
    let house = House::new().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    let invite = Invite {
        email: "carl@example.org".to_owned(),
        role: Role::Developer,
        days: None,
        seat_days: Some(14),
        limits: Limits::default(),
    };
    let link = house.engine.invite(&olga, &olga.org, invite).await.unwrap().secret;
    let carl = house.engine.join(&link, "Carl", &From::default()).await.unwrap();
    let own = house.open(&carl.caller, "own").await.session.id;
    let shared = house.open(&olga, "shared").await.session.id;
    house.engine.share(&olga, &shared, Sharing::Drive).await.unwrap();
    let attached = house
        .engine
        .attach(&carl.caller, &shared, AttachAsk::default())
        .await
        .unwrap();
    let mut live = house.engine.live(&carl.caller, None).await.unwrap();

    house.clock.forward(14 * 24 * 3600 - 1);
    assert!(house.engine.caller_of_cookie(&carl.cookie).await.unwrap().is_some());
    house.clock.forward(1);
    assert!(house.engine.caller_of_cookie(&carl.cookie).await.unwrap().is_none());
    house.minute().await;
    let reason = asleep(&house, &olga, &own).await;
    assert!(reason.contains("seat of its owner has ended"), "{reason}");
    assert!(attached.revoked.is_cancelled());
    while live.recv().await.is_some() {}
    assert!(house.runtime.is_running(&shared), "the sessions of others run on");
    let entries = house.audit(&olga.org).await;
    let entry = entries
        .iter()
        .find(|entry| entry.target == own.as_str() && entry.action == "session.suspended-by-rule")
        .expect("told");
    assert_eq!(
        (entry.actor.as_str(), &entry.detail["rule"]),
        ("system", &"seat-ended".into())
    );

    assert!(matches!(
        house.engine.resume(&carl.caller, &own).await,
        Err(Error::Unauthenticated)
    ));
    let longer = SeatChange {
        seat_days: Some(7),
        ..SeatChange::default()
    };
    house
        .engine
        .change_seat(&olga, &olga.org, &carl.caller.person, longer)
        .await
        .unwrap();
    house
        .engine
        .resume(&carl.caller, &own)
        .await
        .expect("a longer seat finds everything again");
}

#[tokio::test]
async fn a_session_that_rests_or_runs_for_too_long_sleeps() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let limits = |pairs: &[(Dimension, u64)]| {
        let pairs = pairs.iter().map(|&(dimension, most)| (dimension, Limit::At(most)));
        Limits(pairs.collect())
    };
    let idle = limits(&[(Dimension::Idle, 600)]);
    house
        .engine
        .set_limits(&boss, &ada.org, &Subject::Org, &idle)
        .await
        .unwrap();
    let lifetime = limits(&[(Dimension::Lifetime, 7200)]);
    house
        .engine
        .set_limits(&boss, &ada.org, &Subject::Person(bob.person.clone()), &lifetime)
        .await
        .unwrap();
    let resting = house.open(&ada, "resting").await.session.id;
    let working = house.open(&ada, "working").await.session.id;
    let watched = house.open(&ada, "watched").await.session.id;
    let long = house.open(&bob, "long").await.session.id;

    house.clock.forward(600);
    active(&house, &ada, &resting, 600, false).await;
    active(&house, &ada, &working, 10, false).await;
    active(&house, &ada, &watched, 600, true).await;
    active(&house, &bob, &long, 1, false).await;
    house.minute().await;
    let reason = asleep(&house, &ada, &resting).await;
    assert!(reason.contains("10 minutes"), "{reason}");

    house.clock.forward(6600);
    active(&house, &ada, &working, 5, false).await;
    active(&house, &ada, &watched, 7000, true).await;
    active(&house, &bob, &long, 0, true).await;
    house.minute().await;
    let reason = asleep(&house, &bob, &long).await;
    assert!(reason.contains("2 hours"), "{reason}");
    // By now what was due in the minute before has been done, and these were not.
    assert!(house.runtime.is_running(&working) && house.runtime.is_running(&watched));

    house.engine.resume(&bob, &long).await.unwrap();
    house
        .until(&bob, &long, |view| view.session.phase == Phase::Ready)
        .await;
    active(&house, &bob, &long, 0, false).await;
    active(&house, &ada, &watched, 700, false).await;
    house.minute().await;
    asleep(&house, &ada, &watched).await;
    house.clock.forward(600);
    active(&house, &bob, &long, 5, false).await;
    active(&house, &ada, &working, 600, false).await;
    house.minute().await;
    asleep(&house, &ada, &working).await;
    assert!(house.runtime.is_running(&long), "its time began anew when it was woken");
}

#[tokio::test]
async fn a_limit_that_was_lifted_lets_a_session_run_on() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let idle = Limits([(Dimension::Idle, Limit::At(600))].into());
    let never = Limits([(Dimension::Idle, Limit::Unlimited)].into());
    house
        .engine
        .set_limits(&boss, &ada.org, &Subject::Org, &idle)
        .await
        .unwrap();
    house
        .engine
        .set_limits(&boss, &ada.org, &Subject::Person(ada.person.clone()), &never)
        .await
        .unwrap();
    let hers = house.open(&ada, "hers").await.session.id;
    let other = house.open(&boss, "other").await.session.id;
    house.clock.forward(700);
    active(&house, &ada, &hers, 700, false).await;
    house.minute().await;
    active(&house, &boss, &other, 700, false).await;
    house.minute().await;
    asleep(&house, &boss, &other).await;
    assert!(house.runtime.is_running(&hers));
}
