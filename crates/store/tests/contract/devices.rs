use crate::{cast::*, place::Place};
use domain::{
    device::{Device, WAITING_MAX_OF_ADDRESS},
    id::{DeviceId, TokenId},
    token::Token,
};
use engine::ports::{Approval, DeviceHashes, DeviceState, Record, Redeemed, Store};

fn device(id: &str, address: &str) -> Device {
    Device {
        id: DeviceId::new(id),
        name: "laptop".to_owned(),
        address: address.to_owned(),
        capabilities: vec!["sandbox.session.*".to_owned()],
        created_at: at(10),
        expires_at: at(610),
    }
}

async fn ask(store: &dyn Store, device: &Device) -> bool {
    let hashes = DeviceHashes {
        device: hash(&format!("device-{}", device.id)),
        user: hash(&format!("user-{}", device.id)),
    };
    store.record_device(device, &hashes).await.expect("an answer")
}

fn token(number: usize) -> Token {
    Token {
        id: TokenId::new(format!("t{number}")),
        name: "laptop".to_owned(),
        capabilities: vec!["sandbox.session.see".to_owned()],
        created_at: at(40),
        expires_at: at(4000),
        used_at: None,
        revoked_at: None,
    }
}

pub(crate) async fn a_device_is_answered_once_and_given_one_token_however_often_it_asks(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let laptop = device("d1", "192.0.2.1");
    let (code, user) = (hash("device-d1"), hash("user-d1"));
    assert!(ask(&*store, &laptop).await);
    assert_eq!(
        store.find_device(&user, at(609)).await.expect("an answer"),
        Some(laptop.clone())
    );
    assert_eq!(store.find_device(&code, at(20)).await.expect("an answer"), None);
    assert_eq!(store.find_device(&user, at(610)).await.expect("an answer"), None);

    let poll = async |second| store.poll_device(&code, at(second)).await.expect("an answer");
    assert_eq!(poll(20).await, DeviceState::Waiting);
    assert_eq!(poll(24).await, DeviceState::TooSoon { interval: 10 });
    assert_eq!(poll(34).await, DeviceState::Waiting);

    let granted = vec!["sandbox.session.see".to_owned()];
    let answered = at_once(20, |number| {
        let (store, user, granted) = (store.clone(), user.clone(), granted.clone());
        async move {
            let member = if number % 2 == 0 { ann() } else { bob() };
            let record = record(&acme(), &format!("answered by {}", member.person));
            let answer = store.answer_device(&user, &member, Some(&granted), at(35), record);
            (answer.await.expect("an answer"), member)
        }
    })
    .await;
    let mut first = answered.into_iter().filter(|(first, _)| *first);
    let (_, member) = first.next().expect("somebody was first");
    assert!(first.next().is_none());
    assert_eq!(
        told(&*store, &visible(engine::ports::Scope::Fleet, None)).await,
        [format!("answered by {}", member.person)]
    );

    assert_eq!(
        poll(44).await,
        DeviceState::Approved(Box::new(Approval {
            device: laptop,
            member: member.clone(),
            granted,
        }))
    );
    let redeemed = at_once(20, |number| {
        let (store, code, member) = (store.clone(), code.clone(), member.clone());
        async move {
            let secret = hash(&format!("secret-{number}"));
            store
                .redeem_device(&code, &member, &token(number), &secret, 50, Record::default())
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(redeemed.iter().filter(|what| **what == Redeemed::Held).count(), 1);
    assert_eq!(redeemed.iter().filter(|what| **what == Redeemed::Gone).count(), 19);
    let held = store.list_tokens(&acme(), &member.person).await.expect("tokens");
    assert_eq!(held.len(), 1);
    assert_eq!(poll(60).await, DeviceState::Unknown, "a code is used once");
}

pub(crate) async fn so_many_devices_wait_and_no_more(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let made = at_once(60, |number| {
        let store = store.clone();
        async move { ask(&*store, &device(&format!("d{number}"), "192.0.2.1")).await }
    })
    .await;
    let made = made.into_iter().filter(|made| *made).count();
    assert_eq!(made as u64, WAITING_MAX_OF_ADDRESS);
    assert!(ask(&*store, &device("elsewhere", "192.0.2.2")).await);
    let later = Device {
        created_at: at(611),
        expires_at: at(1211),
        ..device("later", "192.0.2.1")
    };
    assert!(ask(&*store, &later).await, "those whose time is over wait no more");
    store.prune(at(612)).await.expect("pruned");
    let gone = store.poll_device(&hash("device-elsewhere"), at(613)).await;
    assert_eq!(gone.expect("an answer"), DeviceState::Unknown);
}
