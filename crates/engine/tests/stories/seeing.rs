//! What members see of one another by policy, at every door of the engine, and how it ends.

use crate::house::House;
use domain::{
    OrgId, Role,
    event::Live,
    page::ListSessions,
    permit::Verb,
    policy::{IdleAction, Policy, Seeing},
    session::{Phase, Sharing, View},
};
use engine::{AttachAsk, Error, SeatChange, ports::Observation};

fn everybody(admins_watch: bool) -> Policy {
    Policy {
        seeing: Some(Seeing::Org),
        admins_watch: Some(admins_watch),
        ..Policy::default()
    }
}

async fn listed(house: &House, caller: &domain::Caller) -> Vec<String> {
    let page = house.engine.list(caller, &ListSessions::default()).await.unwrap();
    page.items.into_iter().map(|view| view.session.name).collect()
}

#[tokio::test]
async fn a_policy_shows_what_sessions_are_and_never_more() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let eve = house.person("evil", "eve", Role::Developer).await;
    let hers = house.open(&ada, "hers").await.session.id;
    assert!(listed(&house, &bob).await.is_empty());
    assert!(matches!(house.engine.show(&bob, &hers).await, Err(Error::NotFound(_))));

    let mut live = house.engine.live(&bob, None).await.unwrap();
    house
        .engine
        .save_policy(&boss, Some(&acme), everybody(false), 0)
        .await
        .unwrap();
    // Who reads live reads by the old rules: it ends, and they come back.
    while live.recv().await.is_some() {}
    assert_eq!(listed(&house, &bob).await, ["hers"]);
    assert!(listed(&house, &eve).await.is_empty());
    let view = house.engine.show(&bob, &hers).await.expect("it is shown");
    assert_eq!(view.may, [Verb::SeeSession]);
    let mut status = house.runtime.host(&hers, 0);
    status.terminals[0].title = "what is on the screen".to_owned();
    let session = hers.clone();
    house.runtime.see(Observation::Live { session, status }).await;
    let titled = |view: &View| {
        view.live
            .as_ref()
            .is_some_and(|live| !live.terminals[0].title.is_empty())
    };
    house.until(&ada, &hers, titled).await;
    let seen = house.engine.show(&bob, &hers).await.unwrap();
    assert!(seen.live.is_some() && !titled(&seen), "a title is part of the screen");
    assert!(
        house.engine.activity(&bob, &hers).await.unwrap().is_empty(),
        "its trail is not"
    );
    assert!(
        house.engine.usage(&bob, 7).await.unwrap().shares.is_empty(),
        "nor what it used"
    );
    for refused in [
        house.engine.attach(&bob, &hers, AttachAsk::default()).await.err(),
        house.engine.terminals(&bob, &hers).await.err(),
        house.engine.suspend(&bob, &hers).await.err(),
        house.engine.share(&bob, &hers, Sharing::Drive).await.err(),
        house.engine.resume(&bob, &hers).await.err(),
    ] {
        assert!(matches!(refused, Some(Error::Forbidden(_))), "{refused:?}");
    }
    let mut live = house.engine.live(&bob, None).await.unwrap();
    house
        .engine
        .ask_for_more(
            &ada,
            serde_json::from_value(serde_json::json!({ "dimension": "sessions", "wanted": 9, "why": "so" })).unwrap(),
        )
        .await
        .unwrap_err();
    let more = serde_json::json!({ "dimension": "concurrent_sessions", "wanted": 9, "why": "so" });
    house
        .engine
        .ask_for_more(&ada, serde_json::from_value(more).unwrap())
        .await
        .unwrap();
    house.engine.rename(&ada, &hers, "still hers").await.unwrap();
    let first = loop {
        if let Some(Live::Event { event, .. }) = live.recv().await {
            break event;
        }
    };
    assert_eq!(
        first.kind, "sandbox.session.renamed",
        "what else a colleague does is theirs"
    );

    // The floor of the installation takes it back, in every Organization, at once.
    let root = house.root().await;
    let floor = Policy {
        seeing: Some(Seeing::Own),
        ..Policy::default()
    };
    house.engine.save_policy(&root, None, floor, 0).await.unwrap();
    while live.recv().await.is_some() {}
    assert!(listed(&house, &bob).await.is_empty());
    assert!(matches!(house.engine.show(&bob, &hers).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn admins_look_at_screens_only_where_the_policy_says_so_and_the_audit_does_too() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let hers = house.open(&ada, "hers").await.session.id;
    let ask = AttachAsk::default;
    assert!(matches!(
        house.engine.attach(&boss, &hers, ask()).await,
        Err(Error::Forbidden(_))
    ));
    house
        .engine
        .save_policy(&boss, Some(&acme), everybody(true), 0)
        .await
        .unwrap();
    assert!(matches!(
        house.engine.attach(&bob, &hers, ask()).await,
        Err(Error::Forbidden(_))
    ));
    let attached = house
        .engine
        .attach(&boss, &hers, ask())
        .await
        .expect("the policy lets them look");
    assert!(matches!(
        house
            .engine
            .open_terminal(&boss, &hers, None, domain::wire::Size::default())
            .await,
        Err(Error::Forbidden(_))
    ));
    let view = house.engine.show(&boss, &hers).await.unwrap();
    assert!(view.may(Verb::WatchTerminal) && !view.may(Verb::DriveTerminal));
    // What changes of the session does not end it; the rule's end does.
    house.engine.rename(&ada, &hers, "renamed").await.unwrap();
    assert!(!attached.revoked.is_cancelled());
    let began = std::time::Instant::now();
    while !house
        .audit(&acme)
        .await
        .iter()
        .any(|entry| entry.action == "terminal.watched")
    {
        assert!(began.elapsed() < crate::house::PATIENCE, "it is noted");
        tokio::task::yield_now().await;
    }
    house
        .engine
        .save_policy(&boss, Some(&acme), everybody(false), 1)
        .await
        .unwrap();
    assert!(attached.revoked.is_cancelled());
    assert!(matches!(
        house.engine.attach(&boss, &hers, ask()).await,
        Err(Error::Forbidden(_))
    ));
}

#[tokio::test]
async fn a_trial_tells_who_would_be_seen_and_what_rests() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let one = house.open(&ada, "one").await.session.id;
    house.open(&ada, "two").await;
    house.engine.share(&ada, &one, Sharing::Watch).await.unwrap();
    let run = house
        .engine
        .try_policy(&boss, Some(&acme), everybody(false))
        .await
        .unwrap();
    assert_eq!((run.shown, run.narrowed), (1, 0));
    let root = house.root().await;
    let floor = Policy {
        seeing: Some(Seeing::Own),
        ..Policy::default()
    };
    house.engine.save_policy(&root, None, floor, 0).await.unwrap();
    let run = house
        .engine
        .try_policy(&boss, Some(&acme), everybody(false))
        .await
        .unwrap();
    assert_eq!(run.shown, 0, "the floor holds in a trial too");
}

#[tokio::test]
async fn who_is_disabled_comes_back_to_sleeping_sessions_that_no_key_wakes() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let ids = [
        house.open(&ada, "one").await.session.id,
        house.open(&ada, "two").await.session.id,
    ];
    let to = |status| SeatChange {
        status: Some(status),
        ..SeatChange::default()
    };
    let disabled = to(domain::member::Status::Disabled);
    house
        .engine
        .change_seat(&boss, &ada.org, &ada.person, disabled)
        .await
        .unwrap();
    for id in &ids {
        assert!(!house.runtime.is_running(id), "it is asleep when the verb answers");
    }
    assert!(house.engine.resume(&ada, &ids[0]).await.is_err());
    let enabled = to(domain::member::Status::Active);
    house
        .engine
        .change_seat(&boss, &ada.org, &ada.person, enabled)
        .await
        .unwrap();
    let view = house.engine.show(&ada, &ids[0]).await.unwrap();
    assert_eq!(view.session.phase, Phase::Suspended);
    assert!(view.session.by_hand);
    assert!(view.session.reason.unwrap().contains("disabled"));
    let view = house.engine.resume(&ada, &ids[0]).await.expect("by hand it wakes");
    assert!(!view.session.by_hand);
}

#[tokio::test]
async fn a_right_that_ends_while_somebody_attaches_ends_the_attachment() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let id = house.open(&ada, "shared").await.session.id;
    let attach = |who: &domain::Caller| {
        let (engine, who, id) = (house.engine.clone(), who.clone(), id.clone());
        tokio::spawn(async move { engine.attach(&who, &id, AttachAsk::default()).await })
    };
    // Sharing ends.
    house.engine.share(&ada, &id, Sharing::Drive).await.unwrap();
    let (there, go_on) = house.runtime.set_gate();
    let late = attach(&bob);
    there.await.unwrap();
    house.engine.share(&ada, &id, Sharing::Private).await.unwrap();
    go_on.send(()).unwrap();
    assert!(matches!(late.await.unwrap(), Err(Error::NotFound(_))));
    // Only typing ends: the attachment is told to come back.
    house.engine.share(&ada, &id, Sharing::Drive).await.unwrap();
    let (there, go_on) = house.runtime.set_gate();
    let late = attach(&bob);
    there.await.unwrap();
    house.engine.share(&ada, &id, Sharing::Watch).await.unwrap();
    go_on.send(()).unwrap();
    assert!(late.await.unwrap().expect("may still watch").revoked.is_cancelled());
    // The login ends.
    let browser = house.browser(&bob).await;
    let (there, go_on) = house.runtime.set_gate();
    let late = attach(&browser.caller);
    there.await.unwrap();
    house.engine.sign_out(&browser.caller).await.unwrap();
    go_on.send(()).unwrap();
    assert!(matches!(late.await.unwrap(), Err(Error::Unauthenticated)));
    // The seat ends.
    let (there, go_on) = house.runtime.set_gate();
    let late = attach(&bob);
    there.await.unwrap();
    house
        .engine
        .remove_member(&boss, &bob.org, &bob.person, &domain::member::Leaving::Archive)
        .await
        .unwrap();
    go_on.send(()).unwrap();
    assert!(matches!(late.await.unwrap(), Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn who_resumes_while_it_is_put_to_sleep_is_not_left_with_nothing() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let id = house.open(&ada, "mine").await.session.id;
    let (there, go_on) = house.runtime.set_gate();
    let (engine, caller, asleep) = (house.engine.clone(), ada.clone(), id.clone());
    let suspending = tokio::spawn(async move { engine.suspend(&caller, &asleep).await });
    there.await.unwrap();
    house.engine.resume(&ada, &id).await.unwrap();
    go_on.send(()).unwrap();
    suspending.await.unwrap().unwrap();
    house.until(&ada, &id, |view| view.session.phase == Phase::Ready).await;
    assert!(house.runtime.is_running(&id));
}

#[tokio::test]
async fn a_rest_is_warned_of_or_ended_for_good_as_the_policy_says() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let id = house.open(&ada, "mine").await.session.id;
    let says = |action| Policy {
        idle_seconds: Some(600),
        idle_action: Some(action),
        ..Policy::default()
    };
    house
        .engine
        .save_policy(&boss, Some(&acme), says(IdleAction::Warn), 0)
        .await
        .unwrap();
    let rests = async |seconds| crate::rules::active(&house, &ada, &id, seconds, false).await;
    house.clock.forward(900);
    rests(700).await;
    house.minute().await;
    let view = house.until(&ada, &id, |view| view.session.reason.is_some()).await;
    assert_eq!(view.session.phase, Phase::Ready, "a warning ends nothing");
    assert!(
        view.session
            .reason
            .unwrap()
            .starts_with("Nothing has happened in it for 10 minutes")
    );
    house.clock.forward(60);
    rests(0).await;
    house.minute().await;
    house.until(&ada, &id, |view| view.session.reason.is_none()).await;
    house
        .engine
        .save_policy(&boss, Some(&acme), says(IdleAction::Stop), 1)
        .await
        .unwrap();
    house.clock.forward(900);
    rests(700).await;
    house.minute().await;
    let view = house
        .until(&ada, &id, |view| view.session.phase == Phase::Suspended)
        .await;
    assert!(view.session.by_hand && view.session.reason.unwrap().starts_with("Stopped after 10 minutes"));
}
