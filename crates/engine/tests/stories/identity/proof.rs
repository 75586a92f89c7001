//! What becomes of the tokens of somebody whom their provider disowns.

use super::*;
use domain::token::Mint;

async fn token(town: &Town, who: &Caller) -> String {
    let mint = Mint {
        name: "ci".to_owned(),
        ..Mint::default()
    };
    town.house.engine.mint_token(who, mint).await.expect("a token").secret
}

async fn works(town: &Town, token: &str) -> bool {
    let caller = town.house.engine.caller_of_token(token).await;
    caller.expect("an answer").is_some()
}

async fn told(town: &Town, org: &str, action: &str) -> usize {
    let entries = town.house.audit(&OrgId::new(org)).await;
    entries.iter().filter(|entry| entry.action == action).count()
}

#[tokio::test]
async fn a_token_rests_when_the_provider_disowns_its_holder_and_works_when_they_are_back() {
    let town = Town::new().await;
    town.holds(300);
    let (cookie, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (second, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let secret = token(&town, &ada).await;
    town.forward(60);
    assert!(works(&town, &secret).await);
    town.next(Next::Ends);
    town.forward(300);
    assert!(
        !works(&town, &secret).await,
        "nobody has used a browser: the token alone asks"
    );
    for cookie in [&cookie, &second] {
        assert!(town.caller(cookie).await.is_none());
    }
    assert_eq!(told(&town, "acme", "token.rested").await, 1, "once");
    assert_eq!(town.asked(), 2, "each login once");
    town.next(Next::Says);
    town.forward(3600);
    assert!(!works(&town, &secret).await, "until they sign in again");
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    assert!(works(&town, &secret).await);
    assert_eq!(told(&town, "acme", "token.works-again").await, 1);
}

#[tokio::test]
async fn a_session_that_ends_at_the_provider_stops_no_token_while_another_is_proven() {
    let town = Town::new().await;
    town.holds(300);
    let (first, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (second, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let secret = token(&town, &ada).await;
    town.next(Next::EndsOnce);
    town.forward(300);
    assert!(town.caller(&first).await.is_none());
    assert!(town.caller(&second).await.is_some());
    assert!(works(&town, &secret).await);
    assert_eq!(told(&town, "acme", "token.rested").await, 0);
}

#[tokio::test]
async fn who_has_another_way_of_their_own_keeps_their_tokens_and_a_silent_provider_stops_none() {
    let town = Town::new().await;
    town.holds(300);
    let (cookie, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let scope = engine::ports::Scope::Org(ada.org.clone());
    let store = &town.house.store;
    let member = store
        .find_member_by_email(&scope, &ada.email, town.house.now())
        .await
        .unwrap()
        .expect("a member");
    let secret = token(&town, &ada).await;
    town.next(Next::IsSilent);
    town.forward(360);
    assert!(works(&town, &secret).await, "a silence says nothing");
    let other = "https://other.example";
    town.house
        .engine
        .link_identity(&member, other, "ada at other")
        .await
        .unwrap();
    town.next(Next::Ends);
    town.forward(60);
    assert!(town.caller(&cookie).await.is_none());
    assert!(works(&town, &secret).await, "they may still sign in with the other");
    // A seat that no provider gave is not the provider's to stop.
    let (_, eve) = town.signed_in("all", "eve", json!({ "org_id": "beta" })).await;
    town.house
        .store
        .record_member(
            &engine::ports::Member {
                person: eve.person.clone(),
                email: "eve@guest".to_owned(),
                name: "Eve".to_owned(),
                org: OrgId::new("acme"),
                role: Role::Developer,
            },
            town.house.now(),
            engine::ports::Record::default(),
        )
        .await
        .unwrap();
    let guest = Caller {
        org: OrgId::new("acme"),
        ..eve.clone()
    };
    let (here, there) = (token(&town, &eve).await, token(&town, &guest).await);
    town.forward(300);
    assert!(!works(&town, &here).await);
    assert!(works(&town, &there).await);
}
