use crate::{cast::*, place::Place};
use domain::{Timestamp, id::TokenId, token::Token};
use engine::ports::{Record, Scope};

fn token(id: &str, created_at: Timestamp, expires_at: Timestamp) -> Token {
    Token {
        id: TokenId::new(id),
        name: format!("the {id}"),
        capabilities: vec!["sandbox.session.open".to_owned(), "sandbox.session.see".to_owned()],
        created_at,
        expires_at,
        used_at: None,
        revoked_at: None,
    }
}

pub(crate) async fn a_token_opens_until_it_expires_or_is_revoked(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut one = token("t1", at(10), at(1000));
    assert!(
        store
            .record_token(&bob(), &one, &hash("s1"), 50, record(&acme(), "minted"))
            .await
            .expect("an answer")
    );
    assert_eq!(
        store.find_token(&hash("s1"), at(999)).await.expect("an answer"),
        Some((one.clone(), bob()))
    );
    assert_eq!(store.find_token(&hash("s1"), at(1000)).await.expect("an answer"), None);
    assert_eq!(store.find_token(&hash("s2"), at(20)).await.expect("an answer"), None);

    store.touch_token(&one.id, at(20)).await.expect("touched");
    one.used_at = Some(at(20));
    assert_eq!(
        store.list_tokens(&acme(), &bob().person).await.expect("tokens"),
        [one.clone()]
    );

    let revoke = async |now, what: &str| {
        let record = record(&acme(), what);
        store
            .revoke_token(&acme(), &bob().person, &one.id, now, record)
            .await
            .expect("an answer")
    };
    assert!(!revoke(at(1000), "too late").await, "one that expired holds no more");
    assert!(revoke(at(30), "revoked").await);
    assert!(!revoke(at(31), "again").await);
    assert_eq!(store.find_token(&hash("s1"), at(32)).await.expect("an answer"), None);
    let listed = store.list_tokens(&acme(), &bob().person).await.expect("tokens");
    assert_eq!(listed[0].revoked_at, Some(at(30)), "what was revoked is still listed");
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await, ["minted", "revoked"]);
}

pub(crate) async fn nobody_holds_more_tokens_than_the_limit(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let made = at_once(20, |number| {
        let store = store.clone();
        async move {
            let token = token(&format!("t{number}"), at(10), at(1000));
            let secret = hash(&format!("s{number}"));
            store
                .record_token(&bob(), &token, &secret, 5, Record::default())
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(made.iter().filter(|made| **made).count(), 5);
    let held = store.list_tokens(&acme(), &bob().person).await.expect("tokens");
    assert_eq!(held.len(), 5);
    // Only those that hold are counted, and only one's own.
    let late = token("late", at(1000), at(2000));
    assert!(
        store
            .record_token(&bob(), &late, &hash("late"), 5, Record::default())
            .await
            .expect("an answer")
    );
    let hers = token("hers", at(10), at(2000));
    assert!(
        store
            .record_token(&ann(), &hers, &hash("hers"), 1, Record::default())
            .await
            .expect("an answer")
    );
    let next = token("next", at(10), at(2000));
    assert!(
        !store
            .record_token(&ann(), &next, &hash("next"), 1, Record::default())
            .await
            .expect("an answer")
    );
}

pub(crate) async fn a_token_is_listed_for_and_revoked_by_its_person_alone(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (second, id) in [(10, "old"), (30, "new"), (20, "mid")] {
        let token = token(id, at(second), at(1000));
        store
            .record_token(&bob(), &token, &hash(id), 50, Record::default())
            .await
            .expect("an answer");
    }
    let listed = store.list_tokens(&acme(), &bob().person).await.expect("tokens");
    let ids: Vec<_> = listed.iter().map(|token| token.id.as_str()).collect();
    assert_eq!(ids, ["new", "mid", "old"]);
    for (org, person) in [(acme(), ann().person), (other(), bob().person)] {
        assert!(store.list_tokens(&org, &person).await.expect("tokens").is_empty());
        let revoked = store
            .revoke_token(&org, &person, &TokenId::new("old"), at(40), Record::default())
            .await;
        assert!(!revoked.expect("an answer"));
    }
    assert!(
        store
            .find_token(&hash("old"), at(50))
            .await
            .expect("an answer")
            .is_some()
    );
}
