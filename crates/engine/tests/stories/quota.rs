use crate::house::{House, grant};
use domain::{
    Caller, Role,
    org::Change,
    quota::{Answer, Ask, Dimension, Limit, Limits, Source, State, Subject},
    session::Open,
};
use engine::{Error, Result, SeatChange};
use tokio::task::JoinSet;

const DAY: i64 = 24 * 3600;

fn ask(wanted: u64) -> Ask {
    Ask {
        dimension: Dimension::ConcurrentSessions,
        wanted: Limit::At(wanted),
        days: Some(7),
        why: "The release is on Friday.".to_owned(),
    }
}

async fn opens(house: &House, caller: &Caller) -> Result<domain::session::View> {
    let open = Open {
        agent: "shell".to_owned(),
        ..Open::default()
    };
    house.engine.open(caller, open, None).await
}

fn refused<T>(answer: Result<T>) -> String {
    match answer {
        Err(Error::OverQuota(problem)) => problem.detail,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is over"),
    }
}

fn at_once(limit: Limit) -> Limits {
    Limits([(Dimension::ConcurrentSessions, limit)].into())
}

/// Whoever runs the installation lets the Organization give so many; the Organization goes on giving everybody three.
async fn raise_ceiling(house: &House, boss: &Caller, most: u64) {
    let root = house.root().await;
    for (who, limit) in [(&root, most), (boss, 3)] {
        let limits = at_once(Limit::At(limit));
        house
            .engine
            .set_limits(who, &boss.org, &Subject::Org, &limits)
            .await
            .unwrap();
    }
}

fn over_ceiling<T>(answer: Result<T>) -> String {
    match answer {
        Err(Error::OverQuota(problem)) if problem.code == "over-ceiling" => problem.detail,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is beyond the ceiling"),
    }
}

#[tokio::test]
async fn an_organization_gives_no_more_than_its_ceiling_and_is_told_which_it_is() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let root = house.root().await;
    for subject in [
        Subject::Org,
        Subject::Group("team".to_owned()),
        Subject::Person(ada.person.clone()),
    ] {
        for limit in [Limit::At(4), Limit::Unlimited] {
            let told = over_ceiling(
                house
                    .engine
                    .set_limits(&boss, &boss.org, &subject, &at_once(limit))
                    .await,
            );
            assert!(told.contains("at most 3 sessions at once"), "{told}");
        }
        house
            .engine
            .set_limits(&boss, &boss.org, &subject, &at_once(Limit::At(3)))
            .await
            .unwrap();
    }
    let invite = domain::invitation::Invite {
        email: "new@example.org".to_owned(),
        role: Role::Developer,
        days: None,
        seat_days: None,
        limits: at_once(Limit::At(4)),
    };
    over_ceiling(house.engine.invite(&boss, &boss.org, invite).await);
    let asked = house.engine.ask_for_more(&ada, ask(5)).await.unwrap();
    over_ceiling(
        house
            .engine
            .answer_request(&boss, &boss.org, &asked.id, grant(Limit::At(5), None))
            .await,
    );

    // What is set from above is the ceiling, also after the Organization has gone below it.
    let all = async |who: &Caller, limit| {
        house
            .engine
            .set_limits(who, &boss.org, &Subject::Org, &at_once(limit))
            .await
    };
    all(&root, Limit::At(5)).await.unwrap();
    all(&boss, Limit::At(1)).await.unwrap();
    all(&boss, Limit::At(5)).await.unwrap();
    over_ceiling(all(&boss, Limit::At(6)).await);
    house
        .engine
        .answer_request(&boss, &boss.org, &asked.id, grant(Limit::At(5), None))
        .await
        .unwrap();
    // A ceiling below the plan holds where the Organization says nothing at all.
    all(&root, Limit::At(2)).await.unwrap();
    house
        .engine
        .set_limits(&boss, &boss.org, &Subject::Org, &Limits::default())
        .await
        .unwrap();
    let bob = house.person("acme", "bob", Role::Developer).await;
    let standing = house.engine.standing(&bob).await.unwrap();
    assert_eq!(standing.quota.concurrent_sessions, Some(2));
    assert_eq!(standing.sources[&Dimension::ConcurrentSessions], Source::Ceiling);
    // What was given before may stay or become less; whoever is above gives what they like.
    let ada_s = Subject::Person(ada.person.clone());
    house
        .engine
        .set_limits(&boss, &boss.org, &ada_s, &at_once(Limit::At(3)))
        .await
        .unwrap();
    over_ceiling(
        house
            .engine
            .set_limits(&boss, &boss.org, &ada_s, &at_once(Limit::At(4)))
            .await,
    );
    house
        .engine
        .set_limits(&root, &boss.org, &ada_s, &at_once(Limit::At(9)))
        .await
        .unwrap();
    let before = house.audit(&boss.org).await[0].detail["before"].clone();
    assert_eq!(before, serde_json::json!({ "concurrent_sessions": 3 }));
}

#[tokio::test]
async fn nobody_answers_their_own_request_unless_nobody_else_can() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    raise_ceiling(&house, &boss, 10).await;
    let other = house.person("acme", "other", Role::OrgAdmin).await;
    let asked = house.engine.ask_for_more(&boss, ask(5)).await.unwrap();
    let own = house
        .engine
        .answer_request(&boss, &boss.org, &asked.id, grant(Limit::At(5), None))
        .await;
    let Err(Error::Forbidden(problem)) = own else {
        panic!("it is their own")
    };
    assert!(problem.detail.contains("other@example.org"), "{}", problem.detail);
    let mine = Subject::Person(boss.person.clone());
    let own = async |limit| {
        house
            .engine
            .set_limits(&boss, &boss.org, &mine, &at_once(Limit::At(limit)))
            .await
    };
    assert!(matches!(own(5).await, Err(Error::Forbidden(_))), "nor by another way");
    let to = SeatChange {
        role: Some(Role::Developer),
        ..SeatChange::default()
    };
    house
        .engine
        .change_seat(&boss, &boss.org, &other.person, to)
        .await
        .unwrap();
    house
        .engine
        .answer_request(&boss, &boss.org, &asked.id, grant(Limit::At(5), None))
        .await
        .expect("alone");
    assert_eq!(
        house.audit(&boss.org).await[0].detail["own"],
        "Nobody else could answer it."
    );
}

#[tokio::test]
async fn a_refusal_over_quota_is_in_the_audit_once_a_minute() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    for _ in 0..3 {
        opens(&house, &ada).await.expect("opens");
    }
    let refusals = async || {
        let all = house.audit(&ada.org).await.into_iter();
        all.filter(|entry| entry.action == "quota.refused").collect::<Vec<_>>()
    };
    for round in 1..=2 {
        for _ in 0..20 {
            refused(opens(&house, &ada).await);
        }
        let began = std::time::Instant::now();
        while refusals().await.len() < round {
            assert!(began.elapsed() < crate::house::PATIENCE);
            tokio::task::yield_now().await;
        }
        house.clock.forward(61);
    }
    let told = refusals().await;
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0].detail,
        serde_json::json!({ "dimension": "concurrent_sessions", "limit": 3, "used": 3 })
    );
}

#[tokio::test]
async fn a_limit_below_what_is_used_ends_nothing_and_refuses_the_next() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(house.open(&ada, name).await.session.id);
    }
    let two = Limits([(Dimension::ConcurrentSessions, Limit::At(2))].into());
    house
        .engine
        .set_limits(&boss, &ada.org, &Subject::Org, &two)
        .await
        .unwrap();
    assert!(ids.iter().all(|id| house.runtime.is_running(id)));
    let standing = house.engine.standing(&ada).await.unwrap();
    assert_eq!(
        (standing.live_sessions, standing.quota.concurrent_sessions),
        (3, Some(2))
    );
    let told = refused(opens(&house, &ada).await);
    assert!(
        told.contains("3 of 2") && told.contains("your Organization's limit") && told.contains("boss@example.org"),
        "{told}"
    );
    house.engine.suspend(&ada, &ids[0]).await.unwrap();
    refused(opens(&house, &ada).await);
    refused(house.engine.resume(&ada, &ids[0]).await);
    house.engine.suspend(&ada, &ids[1]).await.unwrap();
    house.engine.resume(&ada, &ids[0]).await.expect("there is room again");

    // The nearer limit counts, and each change is in the audit with what was before.
    let person = Subject::Person(ada.person.clone());
    let three = Limits(
        [
            (Dimension::ConcurrentSessions, Limit::At(3)),
            (Dimension::Sessions, Limit::At(4)),
        ]
        .into(),
    );
    house.engine.set_limits(&boss, &ada.org, &person, &three).await.unwrap();
    opens(&house, &ada).await.expect("a third");
    house.engine.suspend(&ada, &ids[0]).await.unwrap();
    let told = refused(opens(&house, &ada).await);
    assert!(told.contains("4 of 4 sessions (your own limit)"), "{told}");
    house
        .engine
        .set_limits(&boss, &ada.org, &person, &Limits::default())
        .await
        .unwrap();
    let entries = house.audit(&ada.org).await;
    let changes: Vec<_> = entries.iter().filter(|entry| entry.action == "quota.changed").collect();
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[2].detail["before"], serde_json::Value::Null);
    assert_eq!(changes[2].detail["after"]["concurrent_sessions"], 2);
    assert_eq!(
        (
            &changes[0].detail["before"]["sessions"],
            &changes[0].detail["after"],
            &changes[0].actor
        ),
        (&4.into(), &serde_json::json!({}), &"boss@example.org".to_owned())
    );
}

#[tokio::test]
async fn the_plan_of_an_organization_goes_before_the_installations() {
    let house = House::on_plan(Some("sandbox-free")).await;
    let root = house.root().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    opens(&house, &ada).await.expect("one is free");
    refused(opens(&house, &ada).await);
    let plan = Change {
        plan: Some(Some("sandbox-ent".to_owned())),
        ..Change::default()
    };
    house.engine.change_org(&root, &ada.org, &plan).await.unwrap();
    for _ in 0..5 {
        opens(&house, &ada).await.expect("as many as wanted");
    }
    let standing = house.engine.standing(&ada).await.unwrap();
    assert_eq!(standing.quota.concurrent_sessions, None);
    assert!(standing.sources.values().all(|source| *source == Source::Plan));
}

#[tokio::test]
async fn who_asks_for_more_gets_it_for_a_week() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let eve = house.person("evil", "eve", Role::Owner).await;
    for _ in 0..3 {
        opens(&house, &ada).await.expect("opens");
    }
    refused(opens(&house, &ada).await);
    let Err(Error::Invalid(problem)) = house.engine.ask_for_more(&ada, ask(3)).await else {
        panic!("it is no more")
    };
    assert_eq!(problem.field.as_deref(), Some("wanted"));
    raise_ceiling(&house, &boss, 10).await;
    let asked = house.engine.ask_for_more(&ada, ask(5)).await.unwrap();

    for stranger in [&eve, &bob] {
        assert!(matches!(
            house
                .engine
                .answer_request(stranger, &stranger.org, &asked.id, grant(Limit::Unlimited, None))
                .await,
            Err(Error::NotFound(_) | Error::Forbidden(_))
        ));
        assert!(matches!(
            house.engine.withdraw_request(stranger, &asked.id).await,
            Err(Error::NotFound(_))
        ));
    }
    let waiting = house
        .engine
        .requests(&boss, &boss.org, Some(State::Waiting))
        .await
        .unwrap();
    assert_eq!(waiting, std::slice::from_ref(&asked));
    assert!(house.engine.my_requests(&bob).await.unwrap().is_empty());
    house
        .engine
        .answer_request(&boss, &boss.org, &asked.id, grant(Limit::At(4), Some(7)))
        .await
        .unwrap();
    let standing = house.engine.standing(&ada).await.unwrap();
    assert!(matches!(
        standing.sources[&Dimension::ConcurrentSessions],
        Source::Grant { until: Some(_) }
    ));
    let fourth = opens(&house, &ada).await.expect("granted").session.id;
    assert!(refused(opens(&house, &ada).await).contains("4 of 4 sessions are running (the limit that was granted"));
    refused(
        async {
            for _ in 0..3 {
                opens(&house, &bob).await.expect("his own");
            }
            opens(&house, &bob).await
        }
        .await,
    );

    house.clock.forward(7 * DAY - 1);
    house.engine.suspend(&ada, &fourth).await.unwrap();
    house.engine.resume(&ada, &fourth).await.expect("on the last day");
    house.clock.forward(1);
    house.engine.suspend(&ada, &fourth).await.unwrap();
    let told = refused(house.engine.resume(&ada, &fourth).await);
    assert!(told.contains("3 of 3"), "{told}");
    refused(opens(&house, &ada).await);

    let mine = house.engine.my_requests(&ada).await.unwrap();
    assert_eq!(
        (mine[0].state, mine[0].answered_by.as_deref(), mine[0].wanted),
        (State::Granted, Some("boss@example.org"), Limit::At(4))
    );
    let actions: Vec<_> = house
        .audit(&ada.org)
        .await
        .into_iter()
        .filter(|entry| entry.target == asked.id.as_str())
        .map(|entry| (entry.action, entry.actor, entry.detail["wanted"].clone()))
        .collect();
    assert_eq!(
        actions,
        [
            ("quota.answered".to_owned(), "boss@example.org".to_owned(), 4.into()),
            ("quota.asked".to_owned(), "ada@example.org".to_owned(), 5.into()),
        ]
    );
}

#[tokio::test]
async fn a_request_is_answered_once_and_waits_in_bounds() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let mut asked = Vec::new();
    for number in 0..10 {
        asked.push(house.engine.ask_for_more(&ada, ask(4 + number)).await.unwrap());
    }
    let Err(Error::Conflict(problem)) = house.engine.ask_for_more(&ada, ask(99)).await else {
        panic!("enough")
    };
    assert_eq!(problem.code, "too-many-requests-waiting");
    let no = |word: &str| Answer::Decline { word: word.to_owned() };
    assert!(matches!(
        house
            .engine
            .answer_request(&boss, &boss.org, &asked[0].id, no(" "))
            .await,
        Err(Error::Invalid(_))
    ));
    let declined = house
        .engine
        .answer_request(&boss, &boss.org, &asked[0].id, no("Not this week."))
        .await
        .unwrap();
    assert_eq!(
        (declined.state, declined.answer.as_deref()),
        (State::Declined, Some("Not this week."))
    );
    house.engine.withdraw_request(&ada, &asked[1].id).await.unwrap();
    for answered in &asked[..2] {
        let grant = grant(Limit::Unlimited, None);
        for late in [
            house.engine.answer_request(&boss, &boss.org, &answered.id, grant).await,
            house.engine.withdraw_request(&ada, &answered.id).await,
        ] {
            assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        }
    }
    assert_eq!(
        house.engine.standing(&ada).await.unwrap().quota.concurrent_sessions,
        Some(3)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_wishes_at_once_open_three_whatever_is_woken_beside_them() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let mut asleep = Vec::new();
    for name in ["one", "two", "three"] {
        let id = house.open(&ada, name).await.session.id;
        house.engine.suspend(&ada, &id).await.unwrap();
        asleep.push(id);
    }
    let mut wishes = JoinSet::new();
    for number in 0..100_usize {
        let (engine, ada, asleep) = (house.engine.clone(), ada.clone(), asleep.clone());
        wishes.spawn(async move {
            let open = Open {
                agent: "shell".to_owned(),
                name: Some(format!("s{number}")),
                ..Open::default()
            };
            let answer = if number % 10 == 0 {
                engine.resume(&ada, &asleep[number / 10 % 3]).await
            } else {
                engine.open(&ada, open, None).await
            };
            assert!(
                matches!(answer, Ok(_) | Err(Error::OverQuota(_))),
                "{:?}",
                answer.map(|_| ())
            );
        });
    }
    wishes.join_all().await;
    assert_eq!(house.engine.standing(&ada).await.unwrap().live_sessions, 3);
}
