use crate::house::House;
use domain::{Role, caller::Proof, token::Mint};
use engine::{Error, From};

#[tokio::test]
async fn the_first_start_makes_one_super_admin_and_only_the_first() {
    let house = House::new().await;
    assert!(!house.engine.found().await.unwrap());
    let link = house.engine.sign_in_link(None, None).await.unwrap();
    assert_eq!(link.email, "admin@localhost");
    let signed_in = house.engine.sign_in(&link.secret, &From::default()).await.unwrap();
    assert_eq!(signed_in.caller.role, Role::SuperAdmin);
    assert_eq!(signed_in.caller.org.as_str(), "local");
}

#[tokio::test]
async fn a_link_signs_in_once_and_not_after_its_time() {
    let house = House::new().await;
    let link = house.engine.sign_in_link(None, None).await.unwrap();
    house
        .engine
        .sign_in(&link.secret, &From::default())
        .await
        .expect("once");
    assert!(matches!(
        house.engine.sign_in(&link.secret, &From::default()).await,
        Err(Error::Invalid(_))
    ));
    let late = house.engine.sign_in_link(None, None).await.unwrap();
    house.clock.forward(15 * 60 + 1);
    assert!(matches!(
        house.engine.sign_in(&late.secret, &From::default()).await,
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        house.engine.sign_in("sbl_guess", &From::default()).await,
        Err(Error::Invalid(_))
    ));
}

#[tokio::test]
async fn a_login_lasts_while_it_is_used_and_ends_when_it_is_not() {
    let house = House::new().await;
    let link = house.engine.sign_in_link(None, None).await.unwrap();
    let cookie = house
        .engine
        .sign_in(&link.secret, &From::default())
        .await
        .unwrap()
        .cookie;
    for _ in 0..6 {
        house.clock.forward(13 * 24 * 3600);
        assert!(house.engine.caller_of_cookie(&cookie).await.unwrap().is_some());
    }
    house.clock.forward(13 * 24 * 3600);
    assert!(
        house.engine.caller_of_cookie(&cookie).await.unwrap().is_none(),
        "but not beyond 90 days"
    );

    let link = house.engine.sign_in_link(None, None).await.unwrap();
    let cookie = house
        .engine
        .sign_in(&link.secret, &From::default())
        .await
        .unwrap()
        .cookie;
    house.clock.forward(14 * 24 * 3600 + 1);
    assert!(
        house.engine.caller_of_cookie(&cookie).await.unwrap().is_none(),
        "nor after 14 idle days"
    );
}

#[tokio::test]
async fn signing_out_ends_one_browser_and_another_can_be_ended_from_here() {
    let house = House::new().await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let link = house.engine.sign_in_link(None, None).await.unwrap();
        cookies.push(
            house
                .engine
                .sign_in(&link.secret, &From::default())
                .await
                .unwrap()
                .cookie,
        );
    }
    let here = house.engine.caller_of_cookie(&cookies[0]).await.unwrap().unwrap();
    let logins = house.engine.logins(&here).await.unwrap();
    assert_eq!(logins.len(), 3);
    assert_eq!(logins.iter().filter(|login| login.current).count(), 1);
    let there = house.engine.caller_of_cookie(&cookies[1]).await.unwrap().unwrap();
    let Proof::Login { id: other, .. } = &there.proof else {
        panic!("a cookie is a login")
    };
    house.engine.end_login(&here, other).await.unwrap();
    assert!(house.engine.caller_of_cookie(&cookies[1]).await.unwrap().is_none());
    house.engine.sign_out(&here).await.unwrap();
    assert!(house.engine.caller_of_cookie(&cookies[0]).await.unwrap().is_none());
    assert!(house.engine.caller_of_cookie(&cookies[2]).await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_expires_and_never_mints_more_than_it_holds() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let mint = Mint {
        name: "ci".into(),
        ttl_hours: Some(1),
        capabilities: vec!["sandbox.session.see".into(), "sandbox.token.*".into()],
    };
    let minted = house.engine.mint_token(&ada, mint).await.unwrap();
    let bot = house.engine.caller_of_token(&minted.secret).await.unwrap().unwrap();
    let more = Mint {
        name: "more".into(),
        capabilities: vec!["sandbox.session.delete".into()],
        ..Mint::default()
    };
    assert!(matches!(
        house.engine.mint_token(&bot, more).await,
        Err(Error::Invalid(_))
    ));
    let all = house
        .engine
        .mint_token(
            &bot,
            Mint {
                name: "all".into(),
                ..Mint::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(all.token.capabilities, ["sandbox.session.see", "sandbox.token.manage"]);
    house.clock.forward(3601);
    assert!(house.engine.caller_of_token(&minted.secret).await.unwrap().is_none());
    let admin_only = Mint {
        name: "x".into(),
        capabilities: vec!["sandbox.fleet.agent.switch".into()],
        ..Mint::default()
    };
    assert!(matches!(
        house.engine.mint_token(&ada, admin_only).await,
        Err(Error::Invalid(_))
    ));
}

#[tokio::test]
async fn people_are_added_with_an_address_and_a_place() {
    let house = House::new().await;
    for bad in ["", "x", "@x", "x@", "a b@c"] {
        assert!(
            house
                .engine
                .add_member("local", bad, "x", Role::Developer)
                .await
                .is_err(),
            "{bad}"
        );
    }
    assert!(
        house
            .engine
            .add_member("prod", "a@b", "x", Role::Developer)
            .await
            .is_err(),
        "a reserved name"
    );
    let first = house
        .engine
        .add_member("acme", "Ada@Example.org", "Ada", Role::Developer)
        .await
        .unwrap();
    let again = house
        .engine
        .add_member("acme", "ada@example.org", "Ada L.", Role::OrgAdmin)
        .await
        .unwrap();
    assert_eq!(first.person, again.person);
    let link = house.engine.sign_in_link(Some("ada@example.org"), None).await.unwrap();
    let ada = house
        .engine
        .sign_in(&link.secret, &From::default())
        .await
        .unwrap()
        .caller;
    assert_eq!(
        (ada.role, ada.org.as_str(), ada.name.as_str()),
        (Role::OrgAdmin, "acme", "Ada L.")
    );
    // With a seat in a second Organization the address alone says too little.
    house
        .engine
        .add_member("beta", "ada@example.org", "Ada", Role::Viewer)
        .await
        .unwrap();
    let Err(Error::Conflict(problem)) = house.engine.sign_in_link(Some("ADA@example.org"), None).await else {
        panic!("which of them?")
    };
    assert!(problem.detail.contains("acme, beta"), "{}", problem.detail);
    for (org, role) in [("acme", Role::OrgAdmin), ("beta", Role::Viewer)] {
        let link = house
            .engine
            .sign_in_link(Some("ada@example.org"), Some(org))
            .await
            .unwrap();
        let ada = house
            .engine
            .sign_in(&link.secret, &From::default())
            .await
            .unwrap()
            .caller;
        assert_eq!((ada.org.as_str(), ada.role), (org, role));
    }
    let Err(Error::NotFound(problem)) = house.engine.sign_in_link(Some("ada@example.org"), Some("local")).await else {
        panic!("not there")
    };
    assert!(
        problem.detail.contains("There is a seat in acme, beta"),
        "{}",
        problem.detail
    );
    assert!(matches!(
        house.engine.sign_in_link(Some("nobody@example.org"), None).await,
        Err(Error::NotFound(_))
    ));
}
