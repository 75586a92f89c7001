use crate::{cast::*, place::Place};
use domain::{Timestamp, id::LoginId};
use engine::ports::{Record, Scope, Store};

async fn sign_in(store: &dyn Store, member: &engine::ports::Member, id: &str, expires_at: Timestamp) {
    let link = hash(&format!("link-{id}"));
    store
        .record_sign_in_link(&link, member, at(900), Record::default())
        .await
        .expect("a link");
    let found = store
        .redeem_sign_in_link(&link, &new_login(id, expires_at), at(10))
        .await
        .expect("an answer");
    assert_eq!(found.as_ref(), Some(member));
}

pub(crate) async fn a_link_signs_in_one_browser_however_many_try(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let made = record(&acme(), "link made");
    store
        .record_sign_in_link(&hash("link"), &ann(), at(900), made)
        .await
        .expect("a link");
    let signed_in = at_once(20, |number| {
        let store = store.clone();
        async move {
            let login = new_login(&format!("l{number}"), at(5000));
            store
                .redeem_sign_in_link(&hash("link"), &login, at(10))
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(signed_in.into_iter().flatten().collect::<Vec<_>>(), [ann()]);
    assert_eq!(
        store
            .list_logins(&acme(), &ann().person, at(11))
            .await
            .expect("logins")
            .len(),
        1
    );
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await, ["link made"]);
}

pub(crate) async fn a_link_that_expired_opens_nothing(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    store
        .record_sign_in_link(&hash("link"), &ann(), at(900), Record::default())
        .await
        .expect("a link");
    for (link, now) in [("link", at(900)), ("link", at(901)), ("another", at(10))] {
        let found = store
            .redeem_sign_in_link(&hash(link), &new_login("l", at(5000)), now)
            .await
            .expect("an answer");
        assert_eq!(found, None, "{link} at {now:?}");
    }
    let in_time = store
        .redeem_sign_in_link(&hash("link"), &new_login("l", at(5000)), at(899))
        .await;
    assert_eq!(
        in_time.expect("an answer"),
        Some(ann()),
        "a vain attempt uses nothing up"
    );
}

pub(crate) async fn a_login_holds_until_it_expires(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    sign_in(&*store, &ann(), "l1", at(1000)).await;
    let found = store.find_login(&hash("cookie-l1"), at(999)).await.expect("an answer");
    assert_eq!(found, Some((new_login("l1", at(1000)).login, ann())));
    assert_eq!(
        store.find_login(&hash("cookie-l1"), at(1000)).await.expect("an answer"),
        None
    );
    assert_eq!(
        store.find_login(&hash("cookie-l2"), at(20)).await.expect("an answer"),
        None
    );

    store
        .touch_login(&LoginId::new("l1"), at(990), at(2000))
        .await
        .expect("touched");
    let (login, _) = store
        .find_login(&hash("cookie-l1"), at(1500))
        .await
        .expect("an answer")
        .expect("it holds");
    assert_eq!((login.seen_at, login.expires_at), (at(990), at(2000)));
}

pub(crate) async fn a_login_is_ended_by_its_person_alone(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (id, expires) in [("l1", at(1000)), ("l2", at(2000)), ("l3", at(50))] {
        sign_in(&*store, &ann(), id, expires).await;
    }
    store
        .touch_login(&LoginId::new("l2"), at(30), at(2000))
        .await
        .expect("touched");
    let logins = store.list_logins(&acme(), &ann().person, at(60)).await.expect("logins");
    let ids: Vec<_> = logins.iter().map(|login| login.id.as_str()).collect();
    assert_eq!(ids, ["l2", "l1"], "latest seen first, and none that expired");

    let end = async |org, person, id: &str| {
        let record = record(&acme(), &format!("ended {id}"));
        store
            .end_login(&org, &person, &LoginId::new(id), record)
            .await
            .expect("an answer")
    };
    assert!(!end(acme(), bob().person, "l1").await);
    assert!(!end(other(), ann().person, "l1").await);
    assert!(end(acme(), ann().person, "l1").await);
    assert!(!end(acme(), ann().person, "l1").await, "it ends once");
    assert_eq!(
        store.find_login(&hash("cookie-l1"), at(60)).await.expect("an answer"),
        None
    );
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await, ["ended l1"]);
}

pub(crate) async fn used_links_and_ended_logins_are_forgotten(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    sign_in(&*store, &ann(), "old", at(100)).await;
    sign_in(&*store, &ann(), "new", at(9000)).await;
    store
        .record_sign_in_link(&hash("fresh"), &ann(), at(9000), Record::default())
        .await
        .expect("a link");
    store.prune(at(5000)).await.expect("pruned");
    let mut stranger = place.stranger().await;
    assert_eq!(stranger.counts("logins").await, 1);
    assert_eq!(stranger.counts("sign_in_links").await, 1);
    assert!(
        store
            .find_login(&hash("cookie-new"), at(5000))
            .await
            .expect("an answer")
            .is_some()
    );
}
