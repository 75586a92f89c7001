use crate::house::House;
use domain::{
    Caller, OrgId, PersonId, Role,
    caller::Proof,
    invitation::Invite,
    member::{Leaving, ListMembers, Status},
    quota::{Ask, Dimension, Limit, Limits, Subject},
    session::{Open, Phase, Sharing},
    token::Mint,
};
use engine::{AttachAsk, Error, SeatChange};

fn role(role: Role) -> SeatChange {
    SeatChange {
        role: Some(role),
        ..SeatChange::default()
    }
}

fn invite(email: &str, role: Role) -> Invite {
    Invite {
        email: email.to_owned(),
        role,
        days: None,
        seat_days: None,
        limits: Limits::default(),
    }
}

#[tokio::test]
async fn a_viewer_opens_asks_and_invites_nothing() {
    let house = House::new().await;
    let vic = house.person("acme", "vic", Role::Viewer).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let open = Open {
        agent: "shell".to_owned(),
        ..Open::default()
    };
    let ask = Ask {
        dimension: Dimension::Sessions,
        wanted: Limit::Unlimited,
        days: None,
        why: "Why not?".to_owned(),
    };
    let shared = house.open(&ada, "shared").await.session.id;
    house.engine.share(&ada, &shared, Sharing::Drive).await.unwrap();
    for refused in [
        house.engine.open(&vic, open, None).await.map(|_| ()),
        house.engine.ask_for_more(&vic, ask).await.map(|_| ()),
        house
            .engine
            .invite(&vic, &vic.org, invite("x@y", Role::Viewer))
            .await
            .map(|_| ()),
        house
            .engine
            .members(&vic, &vic.org, &ListMembers::default())
            .await
            .map(|_| ()),
        house.engine.resume(&vic, &shared).await.map(|_| ()),
        house
            .engine
            .open_terminal(&vic, &shared, None, Default::default())
            .await
            .map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
    let view = house.engine.show(&vic, &shared).await.expect("sees what is shared");
    assert_eq!(view.session.id, shared);
    house
        .engine
        .attach(&vic, &shared, AttachAsk::default())
        .await
        .expect("and watches it");
}

#[tokio::test]
async fn nobody_touches_who_stands_above_or_lifts_above_themselves() {
    let house = House::new().await;
    let root = house.root().await;
    house.person("acme", "spare", Role::Owner).await;
    let people = async |suffix: &str| {
        let mut people = Vec::new();
        for role in [
            Role::Viewer,
            Role::Developer,
            Role::OrgAdmin,
            Role::Owner,
            Role::SuperAdmin,
        ] {
            let name = format!("{}{suffix}", role.as_str());
            people.push(house.person("acme", &name, role).await);
        }
        people
    };
    let actors = people("-actor").await;
    for (number, actor) in actors.iter().chain([&root]).enumerate() {
        for target in people(&format!("-{number}")).await {
            for given in Role::ALL {
                // Back to what it was: the next attempt begins there too.
                let target = house.again(&target).await;
                let may = actor.role >= Role::OrgAdmin && actor.role >= target.role && actor.role >= given;
                let answer = house
                    .engine
                    .change_seat(actor, &target.org, &target.person, role(given))
                    .await;
                let shown = format!("{:?} makes {:?} a {given:?}: {answer:?}", actor.role, target.role);
                match answer {
                    Ok(seat) => assert!(may && seat.role == given, "{shown}"),
                    Err(Error::Forbidden(_)) => assert!(!may, "{shown}"),
                    Err(_) => panic!("{shown}"),
                }
                if may {
                    house
                        .engine
                        .change_seat(&root, &target.org, &target.person, role(target.role))
                        .await
                        .expect("back again");
                }
            }
            let may = actor.role >= Role::OrgAdmin && actor.role >= target.role;
            let removed = house
                .engine
                .remove_member(actor, &target.org, &target.person, &Leaving::Archive)
                .await;
            assert_eq!(
                removed.is_ok(),
                may,
                "{:?} removes {:?}: {removed:?}",
                actor.role,
                target.role
            );
            let tokens = house
                .engine
                .revoke_member_token(actor, &target.org, &target.person, &domain::id::TokenId::new("t"))
                .await;
            assert_eq!(tokens.is_ok(), may, "{:?} revokes of {:?}", actor.role, target.role);
        }
        for given in Role::ALL {
            let email = format!("{}-{number}@new.example", given.as_str());
            let invited = house
                .engine
                .invite(actor, &OrgId::new("acme"), invite(&email, given))
                .await;
            let may = actor.role >= Role::OrgAdmin && actor.role >= given;
            assert_eq!(invited.is_ok(), may, "{:?} invites a {given:?}", actor.role);
        }
    }
}

#[tokio::test]
async fn the_members_of_another_organization_are_absent_in_every_verb() {
    let house = House::new().await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    house.person("acme", "olga", Role::Owner).await;
    let eve = house.person("evil", "eve", Role::Owner).await;
    let mate = house.person("evil", "mate", Role::Developer).await;
    let minted = house
        .engine
        .mint_token(
            &ada,
            Mint {
                name: "ci".to_owned(),
                ..Mint::default()
            },
        )
        .await
        .unwrap();
    let bot = house.engine.caller_of_token(&minted.secret).await.unwrap().unwrap();
    let id = house.open(&ada, "one").await.session.id;
    let attached = house.engine.attach(&bot, &id, AttachAsk::default()).await.unwrap();

    let nobody = PersonId::new("nobody");
    for org in [&ada.org, &eve.org] {
        for person in [&ada.person, &nobody] {
            let answers = [
                house.engine.seat(&eve, org, person).await.map(|_| ()),
                house
                    .engine
                    .change_seat(&eve, org, person, role(Role::Viewer))
                    .await
                    .map(|_| ()),
                house.engine.remove_member(&eve, org, person, &Leaving::Archive).await,
                house.engine.member_tokens(&eve, org, person).await.map(|_| ()),
                house
                    .engine
                    .revoke_member_token(&eve, org, person, &minted.token.id)
                    .await,
                house.engine.member_standing(&eve, org, person).await.map(|_| ()),
                house
                    .engine
                    .set_limits(&eve, org, &Subject::Person(person.clone()), &Limits::default())
                    .await,
            ];
            for (number, answer) in answers.into_iter().enumerate() {
                assert!(matches!(answer, Err(Error::NotFound(_))), "{number}: {answer:?}");
            }
        }
    }
    // The id of another's token, in the name of one's own member, reaches nothing.
    house
        .engine
        .revoke_member_token(&eve, &eve.org, &mate.person, &minted.token.id)
        .await
        .expect("what is not there is gone");
    house
        .engine
        .revoke_token(&eve, &minted.token.id)
        .await
        .expect("what is not there is gone");
    assert!(!attached.revoked.is_cancelled(), "the attachment of another goes on");
    assert!(house.engine.caller_of_token(&minted.secret).await.unwrap().is_some());
    let browser = house.browser(&ada).await;
    let looks = house
        .engine
        .attach(&browser.caller, &id, AttachAsk::default())
        .await
        .unwrap();
    let Proof::Login { id: login, .. } = &browser.caller.proof else {
        panic!("a login")
    };
    house.engine.end_login(&eve, login).await.expect("not hers to end");
    assert!(!looks.revoked.is_cancelled());
    let to = Leaving::HandOver { to: ada.person.clone() };
    assert!(matches!(
        house.engine.remove_member(&eve, &eve.org, &mate.person, &to).await,
        Err(Error::Invalid(problem)) if problem.field.as_deref() == Some("to")
    ));
}

#[tokio::test]
async fn a_super_admin_governs_any_organization_and_is_named_in_its_audit() {
    let house = House::new().await;
    let root = house.root().await;
    house.person("acme", "olga", Role::Owner).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    house
        .engine
        .change_seat(&root, &ada.org, &ada.person, role(Role::OrgAdmin))
        .await
        .unwrap();
    let entry = house.audit(&ada.org).await.remove(0);
    assert_eq!(
        (entry.action.as_str(), entry.actor.as_str(), entry.target.as_str()),
        ("member.changed", "root@example.org", ada.person.as_str())
    );
    assert_eq!(
        (&entry.detail["before"]["role"], &entry.detail["after"]["role"]),
        (&"developer".into(), &"org-admin".into())
    );
    let gone = PersonId::new("nobody");
    assert!(matches!(
        house
            .engine
            .change_seat(&root, &ada.org, &gone, role(Role::Viewer))
            .await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn what_a_seat_allowed_ends_with_it() {
    let house = House::new().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let own = house.open(&ada, "own").await.session.id;
    let shared = house.open(&olga, "shared").await.session.id;
    house.engine.share(&olga, &shared, Sharing::Drive).await.unwrap();
    for change in ["role", "disabled", "removed"] {
        let browser = house.browser(&ada).await;
        let caller = house.again(&browser.caller).await;
        let mut attached = Vec::new();
        for id in [&own, &shared] {
            attached.push(house.engine.attach(&caller, id, AttachAsk::default()).await.unwrap());
        }
        let others = house.engine.attach(&olga, &shared, AttachAsk::default()).await.unwrap();
        let mut live = house.engine.live(&caller, None).await.unwrap();
        let status = |status| SeatChange {
            status: Some(status),
            ..SeatChange::default()
        };
        match change {
            "role" => {
                house
                    .engine
                    .change_seat(&olga, &ada.org, &ada.person, role(Role::Viewer))
                    .await
                    .unwrap();
            }
            "disabled" => {
                house
                    .engine
                    .change_seat(&olga, &ada.org, &ada.person, status(Status::Disabled))
                    .await
                    .unwrap();
            }
            _ => house
                .engine
                .remove_member(&olga, &ada.org, &ada.person, &Leaving::Archive)
                .await
                .unwrap(),
        }
        assert!(attached.iter().all(|one| one.revoked.is_cancelled()), "{change}");
        assert!(!others.revoked.is_cancelled(), "{change}");
        while live.recv().await.is_some() {}
        let back = house.engine.caller_of_cookie(&browser.cookie).await.unwrap();
        assert_eq!(back.map(|back| back.role), (change == "role").then_some(Role::Viewer));
        if change == "disabled" {
            house
                .engine
                .change_seat(&olga, &ada.org, &ada.person, status(Status::Active))
                .await
                .unwrap();
        }
    }
    let kept = house.engine.show(&olga, &own).await.unwrap();
    assert_eq!(kept.session.phase, Phase::Suspended);
    assert_eq!(kept.session.owner_name, "ada");
    assert!(!house.runtime.is_running(&own));
    let open = Open {
        agent: "shell".to_owned(),
        ..Open::default()
    };
    let late = house.engine.open(&ada, open, None).await;
    assert!(
        matches!(late, Err(Error::Unauthenticated)),
        "a request that was under way opens nothing: {late:?}"
    );
    assert!(matches!(
        house.engine.resume(&ada, &own).await,
        Err(Error::Unauthenticated)
    ));
    let entry = &house.audit(&ada.org).await;
    let left = entry.iter().find(|entry| entry.action == "member.left").expect("told");
    assert_eq!(
        (&left.detail["email"], &left.detail["sessions"]),
        (&"ada@example.org".into(), &1.into())
    );
}

#[tokio::test]
async fn an_heir_takes_the_sessions_as_they_are() {
    let house = House::new().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house.engine.share(&ada, &id, Sharing::Watch).await.unwrap();
    let watching = house.engine.attach(&bob, &id, AttachAsk::default()).await.unwrap();
    for to in [&ada.person, &PersonId::new("nobody")] {
        let to = Leaving::HandOver { to: to.clone() };
        assert!(matches!(
            house.engine.remove_member(&olga, &ada.org, &ada.person, &to).await,
            Err(Error::Invalid(_))
        ));
    }
    let to = Leaving::HandOver { to: bob.person.clone() };
    house
        .engine
        .remove_member(&olga, &ada.org, &ada.person, &to)
        .await
        .unwrap();
    assert!(watching.revoked.is_cancelled(), "he comes back as its owner");
    let his = house.engine.show(&bob, &id).await.unwrap();
    assert_eq!(
        (his.session.owner, his.session.phase),
        (bob.person.clone(), Phase::Ready)
    );
    assert!(house.runtime.is_running(&id));
    house.engine.rename(&bob, &id, "mine").await.expect("it is his");
    house
        .engine
        .open_terminal(&bob, &id, None, Default::default())
        .await
        .expect("to type into");
}

#[tokio::test]
async fn the_last_owner_stays_and_everybody_is_told_so() {
    let house = House::new().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    house.person("acme", "ada", Role::OrgAdmin).await;
    let disabled = SeatChange {
        status: Some(Status::Disabled),
        ..SeatChange::default()
    };
    let brief = SeatChange {
        seat_days: Some(3),
        ..SeatChange::default()
    };
    for change in [role(Role::OrgAdmin), disabled, brief] {
        let Err(Error::Conflict(problem)) = house.engine.change_seat(&olga, &olga.org, &olga.person, change).await
        else {
            panic!("she stays")
        };
        assert_eq!(problem.code, "last-owner");
    }
    assert!(matches!(
        house
            .engine
            .remove_member(&olga, &olga.org, &olga.person, &Leaving::Archive)
            .await,
        Err(Error::Conflict(_))
    ));
    house.person("acme", "otto", Role::Owner).await;
    house
        .engine
        .remove_member(&olga, &olga.org, &olga.person, &Leaving::Archive)
        .await
        .expect("now she may go");
}

#[tokio::test]
async fn the_one_who_runs_the_machine_gives_a_seat_back() {
    let house = House::new().await;
    let olga = house.person("acme", "olga", Role::Owner).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let disabled = SeatChange {
        status: Some(Status::Disabled),
        ..SeatChange::default()
    };
    house
        .engine
        .change_seat(&olga, &ada.org, &ada.person, disabled)
        .await
        .unwrap();
    let back: Caller = house.person("acme", "ada", Role::OrgAdmin).await;
    assert_eq!(back.person, ada.person, "the same person, not a second one");
    let seat = house.engine.seat(&olga, &ada.org, &ada.person).await.unwrap();
    assert_eq!((seat.status, seat.role), (Status::Active, Role::OrgAdmin));
}
