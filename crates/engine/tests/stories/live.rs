use crate::house::House;
use domain::{
    Role,
    event::{Live, Touched},
    session::Sharing,
};
use engine::ports::Observation;
use tokio::sync::mpsc;

async fn next(live: &mut mpsc::Receiver<Live>) -> (i64, String, String) {
    loop {
        match live.recv().await.expect("it goes on") {
            Live::Event { position, event } => {
                let name = event.data["name"].as_str().unwrap_or_default().to_owned();
                return (position, event.kind, name);
            }
            Live::Touched { .. } => {}
            Live::Missed => panic!("nothing was missed"),
        }
    }
}

#[tokio::test]
async fn events_arrive_in_order_and_from_where_the_reader_was() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let mut live = house.engine.live(&ada, None).await.unwrap();
    let id = house.open(&ada, "one").await.session.id;
    let (first, kind, _) = next(&mut live).await;
    assert_eq!(kind, "sandbox.session.opened");
    let (second, kind, _) = next(&mut live).await;
    assert_eq!(kind, "sandbox.session.moved");
    assert!(second > first);
    drop(live);
    house.engine.rename(&ada, &id, "two").await.unwrap();
    let mut back = house.engine.live(&ada, Some(second)).await.unwrap();
    let (_, kind, name) = next(&mut back).await;
    assert_eq!((kind.as_str(), name.as_str()), ("sandbox.session.renamed", "two"));
}

#[tokio::test]
async fn nobody_hears_of_what_they_may_not_see() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let eve = house.person("evil", "eve", Role::OrgAdmin).await;
    let mut bobs = house.engine.live(&bob, None).await.unwrap();
    let mut eves = house.engine.live(&eve, None).await.unwrap();
    let secret = house.open(&ada, "secret").await.session.id;
    house
        .runtime
        .see(Observation::Live {
            session: secret.clone(),
            status: house.runtime.host(&secret, 1),
        })
        .await;
    house.until(&ada, &secret, |view| view.live.is_some()).await;
    house.engine.share(&ada, &secret, Sharing::Watch).await.unwrap();
    assert_eq!(
        next(&mut bobs).await.1,
        "sandbox.session.shared",
        "the first that Bob hears"
    );
    house.engine.share(&ada, &secret, Sharing::Private).await.unwrap();
    assert_eq!(next(&mut bobs).await.1, "sandbox.session.shared", "it leaves his list");
    house.engine.rename(&ada, &secret, "hidden again").await.unwrap();
    house.open(&bob, "own").await;
    assert_eq!(next(&mut bobs).await.2, "own");
    house.open(&eve, "eves own").await;
    assert_eq!(
        next(&mut eves).await.2,
        "eves own",
        "nothing of another Organization came before"
    );
}

#[tokio::test]
async fn a_reader_from_another_age_is_told_to_ask_for_everything() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let mut live = house.engine.live(&ada, Some(1_000_000)).await.unwrap();
    assert_eq!(live.recv().await, Some(Live::Missed));
}

#[tokio::test]
async fn what_is_not_remembered_is_told_as_a_touch() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    let mut live = house.engine.live(&ada, None).await.unwrap();
    house
        .runtime
        .see(Observation::Live {
            session: id.clone(),
            status: house.runtime.host(&id, 0),
        })
        .await;
    let touched = loop {
        match live.recv().await.expect("it goes on") {
            Live::Touched { what } => break what,
            Live::Event { .. } | Live::Missed => {}
        }
    };
    assert_eq!(touched, Touched::Session(id));
}
