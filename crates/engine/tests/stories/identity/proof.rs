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
async fn where_another_provider_gives_the_seat_too_tokens_work_on_and_a_silent_provider_stops_none() {
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
        .link_identity(&member, other, "ada.other")
        .await
        .unwrap();
    town.next(Next::Ends);
    town.forward(60);
    assert!(town.caller(&cookie).await.is_none());
    assert!(
        !works(&town, &secret).await,
        "that they may sign in with another stands in for nothing: it never gave this seat"
    );
    town.next(Next::Says);
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    town.signed_in("other", "ada.other", json!({ "org_id": "acme" })).await;
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    assert!(works(&town, &secret).await);
    town.script_ends_of("all");
    town.forward(300);
    assert!(
        works(&town, &secret).await,
        "the other gives the seat too, and has proven them"
    );
    town.next(Next::Ends);
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

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_token_rests_when_all_logins_of_its_holder_have_ended_and_nobody_has_proven_them_for_long() {
    let town = Town::new().await;
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    assert_eq!(town.house.engine.tokens_rest(&ada).await.unwrap(), Some(30));
    let mint = Mint {
        name: "ci".to_owned(),
        ttl_hours: Some(90 * 24),
        ..Mint::default()
    };
    let secret = town.house.engine.mint_token(&ada, mint).await.expect("a token").secret;
    // Her browser signs out: there is no login left by which anybody could be asked.
    town.house.engine.sign_out(&ada).await.unwrap();
    town.forward(30 * DAY);
    assert!(works(&town, &secret).await, "to the day");
    town.forward(61);
    assert!(!works(&town, &secret).await);
    assert_eq!(town.asked(), 0);
    assert_eq!(told(&town, "acme", "token.rested").await, 1);
    // Another provider that never gave this seat does not wake it; her own does.
    let (_, elsewhere) = town.signed_in("other", "stranger", json!({ "org_id": "acme" })).await;
    assert_ne!(elsewhere.person, ada.person);
    assert!(!works(&town, &secret).await);
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    assert!(works(&town, &secret).await);
    assert_eq!(told(&town, "acme", "token.works-again").await, 1);
    // Who needs no provider for their seat is not held to this.
    let owner = town.house.person("acme", "owner", Role::Owner).await;
    assert_eq!(town.house.engine.tokens_rest(&owner).await.unwrap(), None);
    let secret = token(&town, &owner).await;
    town.forward(6 * DAY);
    assert!(works(&town, &secret).await);
}

#[tokio::test]
async fn a_token_in_use_asks_for_its_holder_and_is_proven_by_it() {
    let town = Town::new().await;
    town.holds(3600);
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let mint = Mint {
        name: "ci".to_owned(),
        ttl_hours: Some(90 * 24),
        ..Mint::default()
    };
    let secret = town.house.engine.mint_token(&ada, mint).await.expect("a token").secret;
    for _ in 0..5 {
        town.forward(12 * DAY);
        assert!(
            works(&town, &secret).await,
            "its provider still says that they are who they were"
        );
    }
}

#[tokio::test]
async fn a_seat_that_one_provider_gave_is_opened_by_another_only_while_the_first_stands_behind_it() {
    let town = Town::new().await;
    town.holds(40 * DAY);
    let engine = &town.house.engine;
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let scope = engine::ports::Scope::Org(ada.org.clone());
    let found = town
        .house
        .store
        .find_member_by_email(&scope, &ada.email, town.house.now())
        .await;
    let member = found.unwrap().expect("a member");
    engine
        .link_identity(&member, "https://other.example", "ada.other")
        .await
        .unwrap();
    let (_, by_other) = town.signed_in("other", "ada.other", json!({ "org_id": "beta" })).await;
    assert_eq!((&by_other.person, by_other.org.as_str()), (&ada.person, "beta"));
    engine
        .switch(&by_other, &ada.org)
        .await
        .expect("the first has proven her lately");
    town.forward(31 * DAY);
    let (cookie, again) = town.signed_in("other", "ada.other", json!({ "org_id": "beta" })).await;
    assert!(matches!(
        engine.switch(&again, &ada.org).await,
        Err(Error::Forbidden(_))
    ));
    // Nor is it where she begins when the other gives her nothing of its own.
    let (status, _) = town.refused("other", "ada.other", json!({ "org_id": "nobody" })).await;
    assert_eq!(status, 403);
    assert!(town.caller(&cookie).await.is_none() || again.org.as_str() == "beta");
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (_, again) = town.signed_in("other", "ada.other", json!({ "org_id": "beta" })).await;
    engine.switch(&again, &ada.org).await.expect("proven again");
}
