use crate::house::House;
use domain::{
    Caller, Role,
    device::{Ask, CODE_SECONDS, Codes, INTERVAL_SECONDS, Polled},
};
use engine::{Error, From};

async fn asked(house: &House, scope: &str) -> Codes {
    let ask = Ask {
        name: "laptop".to_owned(),
        scope: scope.to_owned(),
    };
    let from = From {
        address: "192.0.2.1".to_owned(),
        ..From::default()
    };
    house.engine.ask_for_device(&ask, &from).await.expect("codes")
}

async fn polled(house: &House, codes: &Codes) -> Polled {
    let polled = house
        .engine
        .poll_device(&codes.device_code, &From::default())
        .await
        .expect("an answer");
    house.clock.forward(INTERVAL_SECONDS);
    polled
}

async fn audited(house: &House, caller: &Caller) -> Vec<(String, String)> {
    let entries = house.audit(&caller.org).await.into_iter().rev();
    entries
        .filter(|entry| entry.action.starts_with("device.") || entry.action.starts_with("token."))
        .map(|entry| (entry.action, entry.via.split(':').next().unwrap_or_default().to_owned()))
        .collect()
}

#[tokio::test]
async fn a_device_acts_for_whoever_approved_it_and_for_nobody_before() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let codes = asked(&house, "").await;
    assert_eq!(polled(&house, &codes).await, Polled::Pending);
    let (device, granted) = house
        .engine
        .device(&ada, &codes.user_code.shown())
        .await
        .expect("waits");
    assert_eq!((device.name.as_str(), device.address.as_str()), ("laptop", "192.0.2.1"));
    assert_eq!(granted, {
        let mut all = ada.capabilities();
        all.sort();
        all
    });
    house
        .engine
        .approve_device(&ada, &codes.user_code.shown())
        .await
        .expect("approved");
    let Polled::Approved(minted) = polled(&house, &codes).await else {
        panic!("approved");
    };
    let caller = house
        .engine
        .caller_of_token(&minted.secret)
        .await
        .unwrap()
        .expect("holds");
    assert_eq!((caller.person, caller.org), (ada.person.clone(), ada.org.clone()));
    assert_eq!(
        house.engine.tokens(&ada).await.unwrap()[0].name,
        "laptop (sandbox command line)"
    );
    assert_eq!(polled(&house, &codes).await, Polled::Unknown, "a code is used once");
    let expected = [("device.approved", "login"), ("token.minted", "device")];
    assert_eq!(
        audited(&house, &ada).await,
        expected.map(|(action, via)| (action.to_owned(), via.to_owned()))
    );
}

#[tokio::test]
async fn a_device_that_was_denied_gets_nothing_and_cannot_be_approved_any_more() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let codes = asked(&house, "").await;
    let code = codes.user_code.shown();
    house.engine.deny_device(&ada, &code).await.expect("denied");
    assert!(matches!(
        house.engine.approve_device(&ada, &code).await,
        Err(Error::NotFound(_))
    ));
    assert_eq!(polled(&house, &codes).await, Polled::Denied);
    assert_eq!(
        audited(&house, &ada).await,
        [("device.denied".to_owned(), "login".to_owned())]
    );
}

#[tokio::test]
async fn after_ten_minutes_nobody_can_answer_and_nothing_can_be_fetched() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let (late, slow) = (asked(&house, "").await, asked(&house, "").await);
    house
        .engine
        .approve_device(&ada, &slow.user_code.shown())
        .await
        .expect("in time");
    house.clock.forward(CODE_SECONDS);
    assert!(matches!(
        house.engine.approve_device(&ada, &late.user_code.shown()).await,
        Err(Error::NotFound(_))
    ));
    for codes in [late, slow] {
        assert_eq!(polled(&house, &codes).await, Polled::Expired);
    }
    assert!(house.engine.tokens(&ada).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_asks_too_often_waits_longer_from_then_on() {
    let house = House::new().await;
    let codes = asked(&house, "").await;
    let poll = async || {
        house
            .engine
            .poll_device(&codes.device_code, &From::default())
            .await
            .expect("an answer")
    };
    assert_eq!(poll().await, Polled::Pending);
    house.clock.forward(INTERVAL_SECONDS - 1);
    let interval = 2 * INTERVAL_SECONDS;
    assert_eq!(poll().await, Polled::SlowDown { interval });
    house.clock.forward(interval);
    assert_eq!(poll().await, Polled::Pending);
}

#[tokio::test]
async fn a_device_is_granted_what_it_asks_for_and_never_more_than_the_person_holds() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let modest = asked(&house, "sandbox.usage.see sandbox.session.see").await;
    let (_, granted) = house
        .engine
        .device(&ada, &modest.user_code.shown())
        .await
        .expect("waits");
    assert_eq!(granted, ["sandbox.session.see", "sandbox.usage.see"]);
    let bold = asked(&house, "sandbox.agent.install").await;
    assert!(matches!(
        house.engine.approve_device(&ada, &bold.user_code.shown()).await,
        Err(Error::Invalid(_))
    ));
    let ask = Ask {
        scope: "everything".to_owned(),
        ..Ask::default()
    };
    assert!(matches!(
        house.engine.ask_for_device(&ask, &From::default()).await,
        Err(Error::Invalid(_))
    ));
}
