use crate::house::House;
use domain::{
    OrgId, Role,
    invitation::Invite,
    member::{Leaving, Status},
    org::{Change, State},
    quota::{Dimension, Limit, Limits, Source},
    session::{Open, Sharing},
    token::Mint,
};
use engine::{AttachAsk, Error, From, SeatChange};
use std::collections::BTreeSet;

fn invite(email: &str) -> Invite {
    Invite {
        email: email.to_owned(),
        role: Role::Developer,
        days: None,
        seat_days: None,
        limits: Limits::default(),
    }
}

#[tokio::test]
async fn a_contractor_comes_for_two_weeks_with_a_small_quota() {
    let house = House::new().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    let wish = Invite {
        seat_days: Some(14),
        limits: Limits([(Dimension::ConcurrentSessions, Limit::At(1))].into()),
        ..invite(" Carl@Contractors.example ")
    };
    let invited = house.engine.invite(&olga, &olga.org, wish).await.unwrap();
    let (shown, org) = house.engine.invitation(&invited.secret).await.unwrap();
    assert_eq!(
        (shown.email.as_str(), shown.by.as_str(), org.id.as_str()),
        ("carl@contractors.example", "olga@example.org", "acme")
    );
    let carl = house
        .engine
        .join(&invited.secret, " Carl ", &From::default())
        .await
        .unwrap();
    assert_eq!(
        (carl.caller.name.as_str(), carl.caller.role, carl.caller.org.as_str()),
        ("Carl", Role::Developer, "acme")
    );
    let back = house.engine.caller_of_cookie(&carl.cookie).await.unwrap();
    assert_eq!(back, Some(carl.caller.clone()), "his browser is signed in");
    assert!(matches!(
        house.engine.join(&invited.secret, "Again", &From::default()).await,
        Err(Error::NotFound(_))
    ));
    let standing = house.engine.standing(&carl.caller).await.unwrap();
    assert_eq!(
        (
            standing.quota.concurrent_sessions,
            &standing.sources[&Dimension::ConcurrentSessions]
        ),
        (Some(1), &Source::Person)
    );
    house.open(&carl.caller, "one").await;
    let open = Open {
        agent: "shell".to_owned(),
        ..Open::default()
    };
    let Err(Error::OverQuota(problem)) = house.engine.open(&carl.caller, open, None).await else {
        panic!("it is over")
    };
    assert!(
        problem.detail.contains("1 of 1") && problem.detail.contains("olga@example.org"),
        "{}",
        problem.detail
    );
    house.clock.forward(14 * 24 * 3600);
    assert_eq!(house.engine.caller_of_cookie(&carl.cookie).await.unwrap(), None);
    let joined = house.audit(&olga.org).await;
    let joined = joined
        .iter()
        .find(|entry| entry.action == "member.joined")
        .expect("told");
    assert_eq!(
        (joined.actor.as_str(), &joined.detail["invited_by"]),
        ("carl@contractors.example", &"olga@example.org".into())
    );
}

#[tokio::test]
async fn who_invites_anothers_address_and_accepts_becomes_nobody() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::OrgAdmin).await;
    let id = house.open(&ada, "secret").await.session.id;
    house.engine.share(&ada, &id, Sharing::Drive).await.unwrap();
    let eve = house.person("evil", "eve", Role::Owner).await;

    let link = house.invite(&eve, &ada.email).await;
    let fake = house.engine.join(&link, "Ada", &From::default()).await.unwrap().caller;
    assert_eq!((&fake.email, fake.org.as_str()), (&ada.email, "evil"));
    assert_ne!(fake.person, ada.person, "a new person, whatever the address");
    let orgs = house.engine.memberships(&fake).await.unwrap();
    assert_eq!(orgs.len(), 1);
    assert!(matches!(
        house.engine.switch(&fake, &ada.org).await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(house.engine.show(&fake, &id).await, Err(Error::NotFound(_))));
    assert!(matches!(
        house.engine.attach(&fake, &id, AttachAsk::default()).await,
        Err(Error::NotFound(_))
    ));
    // A link for the address still signs in who had it first.
    let real = house.browser(&ada).await.caller;
    assert_eq!((real.person, real.org), (ada.person.clone(), ada.org.clone()));
    assert_eq!(
        house.engine.memberships(&ada).await.unwrap().len(),
        1,
        "nor did Ada join"
    );
}

#[tokio::test]
async fn somebody_with_an_account_joins_a_second_organization_and_switches() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let owner = house.person("other", "olga", Role::Owner).await;
    let browser = house.browser(&ada).await;
    let here = browser.caller.clone();
    let minted = house
        .engine
        .mint_token(
            &here,
            Mint {
                name: "ci".to_owned(),
                ..Mint::default()
            },
        )
        .await
        .unwrap();
    let bot = house.engine.caller_of_token(&minted.secret).await.unwrap().unwrap();
    let id = house.open(&here, "one").await.session.id;
    let by_browser = house.engine.attach(&here, &id, AttachAsk::default()).await.unwrap();
    let by_token = house.engine.attach(&bot, &id, AttachAsk::default()).await.unwrap();

    let link = house.invite(&owner, "somebody@else.example").await;
    assert!(matches!(
        house.engine.join_too(&bot, &link).await,
        Err(Error::Forbidden(_))
    ));
    let joined = house.engine.join_too(&here, &link).await.unwrap();
    assert_eq!(joined.as_str(), "other");
    let seat = house.engine.seat(&owner, &joined, &here.person).await.unwrap();
    assert_eq!(
        (seat.email.as_str(), seat.name.as_str()),
        ("ada@example.org", "ada"),
        "as who they are, not as who was invited"
    );
    let orgs: BTreeSet<_> = house
        .engine
        .memberships(&here)
        .await
        .unwrap()
        .into_iter()
        .map(|(org, _)| org.id.to_string())
        .collect();
    assert_eq!(orgs, BTreeSet::from(["acme".to_owned(), "other".to_owned()]));

    assert!(matches!(
        house.engine.switch(&bot, &joined).await,
        Err(Error::Forbidden(_))
    ));
    house.engine.switch(&here, &joined).await.unwrap();
    assert!(
        by_browser.revoked.is_cancelled(),
        "what was looked at in the other's name"
    );
    assert!(!by_token.revoked.is_cancelled(), "a token belongs to its Organization");
    let entry = house.audit(&joined).await.remove(0);
    assert_eq!(
        (entry.action.as_str(), entry.actor.as_str(), &entry.detail),
        ("switched-here", "ada@example.org", &serde_json::json!({}))
    );
    let there = house.engine.caller_of_cookie(&browser.cookie).await.unwrap().unwrap();
    assert_eq!((there.org.as_str(), &there.person), ("other", &here.person));
    assert!(matches!(house.engine.show(&there, &id).await, Err(Error::NotFound(_))));
    assert!(house.engine.tokens(&there).await.unwrap().is_empty());
    let still = house.engine.caller_of_token(&minted.secret).await.unwrap().unwrap();
    assert_eq!(still.org, here.org);
    house.engine.show(&still, &id).await.expect("the token works on");
    assert!(matches!(
        house.engine.switch(&there, &OrgId::new("local")).await,
        Err(Error::NotFound(_))
    ));

    // Removed there, the browser is out; here the seat is what it was.
    house
        .engine
        .remove_member(&owner, &joined, &here.person, &Leaving::Archive)
        .await
        .unwrap();
    assert_eq!(house.engine.caller_of_cookie(&browser.cookie).await.unwrap(), None);
    let again = house.browser(&ada).await.caller;
    assert_eq!(again.org, ada.org);
}

#[tokio::test]
async fn an_invitation_is_refused_in_words_where_it_cannot_be() {
    let house = House::new().await;
    let root = house.root().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    let two = Change {
        seats: Some(Some(2)),
        ..Change::default()
    };
    house.engine.change_org(&root, &olga.org, &two).await.unwrap();
    let first = house
        .engine
        .invite(&olga, &olga.org, invite("one@example.org"))
        .await
        .unwrap();
    let Err(Error::OverQuota(problem)) = house.engine.invite(&olga, &olga.org, invite("two@example.org")).await else {
        panic!("no seat is left")
    };
    assert_eq!(problem.code, "no-seat-left");
    let again = house
        .engine
        .invite(&olga, &olga.org, invite("ONE@example.org"))
        .await
        .unwrap();
    assert!(matches!(
        house.engine.invitation(&first.secret).await,
        Err(Error::NotFound(_))
    ));
    let Err(Error::Conflict(problem)) = house.engine.invite(&olga, &olga.org, invite("Olga@example.org")).await else {
        panic!("she is here")
    };
    assert_eq!(
        (problem.code.as_str(), problem.field.as_deref()),
        ("already-a-member", Some("email"))
    );
    for (bad, field) in [
        (invite("nobody"), "email"),
        (
            Invite {
                days: Some(31),
                ..invite("x@y")
            },
            "days",
        ),
        (
            Invite {
                seat_days: Some(0),
                ..invite("x@y")
            },
            "seat_days",
        ),
        (
            Invite {
                limits: Limits([(Dimension::Sessions, Limit::At(0))].into()),
                ..invite("x@y")
            },
            "sessions",
        ),
    ] {
        let Err(Error::Invalid(problem)) = house.engine.invite(&olga, &olga.org, bad).await else {
            panic!("{field}")
        };
        assert_eq!(problem.field.as_deref(), Some(field));
    }
    house.clock.forward(7 * 24 * 3600);
    assert!(matches!(
        house.engine.join(&again.secret, "Late", &From::default()).await,
        Err(Error::NotFound(_))
    ));
    let third = house
        .engine
        .invite(&olga, &olga.org, invite("two@example.org"))
        .await
        .unwrap();
    house
        .engine
        .set_org_state(&root, &olga.org, State::Suspended)
        .await
        .unwrap();
    assert!(matches!(
        house.engine.join(&third.secret, "Early", &From::default()).await,
        Err(Error::NotFound(_))
    ));
    house
        .engine
        .set_org_state(&root, &olga.org, State::Active)
        .await
        .unwrap();
    house
        .engine
        .withdraw_invitation(&olga, &olga.org, &third.invitation.id)
        .await
        .unwrap();
    house
        .engine
        .withdraw_invitation(&olga, &olga.org, &third.invitation.id)
        .await
        .expect("twice is no error");
    assert!(house.engine.invitations(&olga, &olga.org).await.unwrap().is_empty());
    assert!(matches!(
        house.engine.join(&third.secret, "Gone", &From::default()).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn a_disabled_seat_is_not_given_back_by_a_link() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let olga = house.person("other", "olga", Role::Owner).await;
    let browser = house.browser(&ada).await.caller;
    let link = house.invite(&olga, "first@else.example").await;
    let other = house.engine.join_too(&browser, &link).await.unwrap();
    let disabled = SeatChange {
        status: Some(Status::Disabled),
        ..SeatChange::default()
    };
    house
        .engine
        .change_seat(&olga, &other, &ada.person, disabled)
        .await
        .unwrap();
    let link = house.invite(&olga, "second@else.example").await;
    let refused = house.engine.join_too(&browser, &link).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let seat = house.engine.seat(&olga, &other, &ada.person).await.unwrap();
    assert_eq!(seat.status, Status::Disabled);
}
