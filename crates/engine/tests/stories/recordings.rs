//! Recordings: when a policy makes them, who is told, and who reads them.

use crate::house::House;
use domain::{
    Caller, OrgId, Role, SessionId,
    permit::Verb,
    policy::Policy,
    session::{Recorded, Sharing},
    wire::Size,
};
use engine::Error;

fn recorded(admins_watch: bool) -> Policy {
    Policy {
        recording: Some(true),
        admins_watch: Some(admins_watch),
        ..Policy::default()
    }
}

/// `None` where it may be read, else what is answered.
async fn refusal(house: &House, caller: &Caller, id: &SessionId) -> Option<&'static str> {
    match house.engine.recording(caller, id, "").await {
        Ok(_) => None,
        Err(Error::NotFound(_)) => Some("absent"),
        Err(Error::Forbidden(_)) => Some("refused"),
        Err(Error::Conflict(problem)) if problem.code == "not-recorded" => Some("not recorded"),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_policy_records_what_starts_while_it_holds_and_everybody_is_told() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let id = house.open(&ada, "hers").await.session.id;
    assert_eq!(refusal(&house, &ada, &id).await, Some("not recorded"));
    house
        .engine
        .save_policy(&boss, Some(&acme), recorded(false), 0)
        .await
        .unwrap();
    // What runs goes on as it began.
    assert_eq!(house.engine.show(&ada, &id).await.unwrap().recording, None);
    assert!(!house.runtime.host(&id, 0).terminals[0].recorded);
    house
        .engine
        .open_terminal(&ada, &id, None, Size::default())
        .await
        .unwrap();
    let terminals = house.engine.terminals(&ada, &id).await.unwrap();
    assert_eq!(
        [false, true],
        [terminals[0].recorded, terminals[1].recorded],
        "a shell starts now"
    );
    house.engine.restart(&ada, &id).await.unwrap();
    assert!(house.runtime.host(&id, 0).terminals[0].recorded);
    assert_eq!(refusal(&house, &ada, &id).await, None);
    let told = house.engine.show(&boss, &id).await.unwrap().recording;
    assert!(told.is_some_and(|told| !told.admins), "{told:?}");
    let began = house.audit(&acme).await;
    let began: Vec<_> = began.iter().filter(|entry| entry.action == "recording.began").collect();
    assert_eq!(began.len(), 1, "said once");
    assert_eq!(
        (began[0].target.as_str(), began[0].via.as_str()),
        (id.as_str(), "system")
    );
    // Without the rule the next start is not recorded; what there is stays.
    house
        .engine
        .save_policy(&boss, Some(&acme), Policy::default(), 1)
        .await
        .unwrap();
    house.engine.restart(&ada, &id).await.unwrap();
    assert!(!house.runtime.host(&id, 0).terminals[0].recorded);
    let told = house.engine.show(&ada, &id).await.unwrap().recording;
    assert!(told.is_some());
}

#[tokio::test]
async fn the_floor_forbids_what_an_organization_would_record() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let (root, ada) = (house.root().await, house.person("acme", "ada", Role::Owner).await);
    let floor = Policy {
        recording: Some(false),
        ..Policy::default()
    };
    house.engine.save_policy(&root, None, floor, 0).await.unwrap();
    house
        .engine
        .save_policy(&ada, Some(&acme), recorded(true), 0)
        .await
        .unwrap();
    let view = house.open(&ada, "hers").await;
    assert_eq!(view.recording, None);
    assert!(!house.runtime.host(&view.session.id, 0).terminals[0].recorded);
}

#[tokio::test]
async fn a_recording_is_read_by_its_owner_and_by_admins_only_where_they_may_look() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let (eve, root) = (house.person("evil", "eve", Role::Owner).await, house.root().await);
    house
        .engine
        .save_policy(&boss, Some(&acme), recorded(false), 0)
        .await
        .unwrap();
    let id = house.open(&ada, "hers").await.session.id;
    for (who, answer) in [
        (&ada, None),
        (&bob, Some("absent")),
        (&boss, Some("refused")),
        (&eve, Some("absent")),
        (&root, Some("refused")),
    ] {
        assert_eq!(refusal(&house, who, &id).await, answer, "{}", who.email);
    }
    // Sharing shows what is on the screen from now on, not what was on it before.
    house.engine.share(&ada, &id, Sharing::Drive).await.unwrap();
    let view = house.engine.show(&bob, &id).await.unwrap();
    assert!(view.may(Verb::WatchTerminal) && !view.may(Verb::ReadRecording));
    assert_eq!(refusal(&house, &bob, &id).await, Some("refused"));
    house.engine.share(&ada, &id, Sharing::Private).await.unwrap();
    house
        .engine
        .save_policy(&boss, Some(&acme), recorded(true), 1)
        .await
        .unwrap();
    for (who, answer) in [
        (&boss, None),
        (&bob, Some("absent")),
        (&eve, Some("absent")),
        (&root, Some("refused")),
    ] {
        assert_eq!(refusal(&house, who, &id).await, answer, "{}", who.email);
    }
    let told = house.engine.show(&ada, &id).await.unwrap().recording;
    assert!(matches!(told, Some(Recorded { admins: true, .. })), "{told:?}");
    let trail = house.audit(&acme).await;
    let readers: Vec<_> = trail
        .iter()
        .filter(|entry| entry.action == "recording.read")
        .map(|entry| (entry.actor.as_str(), entry.target.as_str(), &entry.detail["terminal"]))
        .collect();
    assert_eq!(readers.len(), 2, "each reading, and no refusal: {readers:?}");
    assert!(
        readers
            .iter()
            .all(|(_, target, terminal)| *target == id.as_str() && **terminal == "agent")
    );
    assert!(
        trail
            .iter()
            .any(|entry| entry.action == "permit.refused" && entry.detail["verb"] == "read-recording")
    );
}
