use crate::house::House;
use domain::{
    OrgId, Role, Timestamp,
    policy::Policy,
    session::{Open, Sharing},
    token::Mint,
};
use engine::{Error, ports::Clock as _};

fn only(agents: &[&str]) -> Policy {
    Policy {
        agents: Some(agents.iter().map(|&agent| agent.to_owned()).collect()),
        ..Policy::default()
    }
}

fn shell(repo: Option<&str>) -> Open {
    Open {
        agent: "shell".to_owned(),
        repo: repo.map(str::to_owned),
        ..Open::default()
    }
}

#[tokio::test]
async fn a_policy_refuses_what_it_does_not_allow_and_says_whose_it_is() {
    let house = House::new().await;
    let (acme, root) = (
        OrgId::new("acme"),
        house.person("local", "root", Role::SuperAdmin).await,
    );
    let ada = house.person("acme", "ada", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    house.open(&ada, "before").await;

    let saved = house
        .engine
        .save_policy(&boss, Some(&acme), only(&["aider"]), 0)
        .await
        .expect("saved");
    assert_eq!(
        (saved.version, saved.saved_by.as_deref()),
        (1, Some("boss@example.org"))
    );
    let Err(Error::Invalid(problem)) = house.engine.open(&ada, shell(None), None).await else {
        panic!("the shell is not allowed")
    };
    assert_eq!(
        (problem.code.as_str(), problem.field.as_deref()),
        ("policy-agent", Some("agent"))
    );
    assert!(problem.detail.starts_with("Your Organization"), "{}", problem.detail);

    // The floor of the installation holds as well, and an Organization cannot loosen it.
    let own = Policy {
        repositories: Some(vec!["github.com/acme/*".to_owned()]),
        ..Policy::default()
    };
    house
        .engine
        .save_policy(&boss, Some(&acme), own, 1)
        .await
        .expect("saved");
    house
        .engine
        .save_policy(&root, None, only(&["opencode"]), 0)
        .await
        .expect("saved");
    let Err(Error::Invalid(problem)) = house.engine.open(&ada, shell(None), None).await else {
        panic!("the floor holds")
    };
    assert!(problem.detail.starts_with("This installation"), "{}", problem.detail);
    house
        .engine
        .save_policy(&root, None, Policy::default(), 1)
        .await
        .expect("saved");
    let Err(Error::Invalid(problem)) = house
        .engine
        .open(&ada, shell(Some("https://github.com/evil/x")), None)
        .await
    else {
        panic!("that repository is not allowed")
    };
    assert_eq!(problem.field.as_deref(), Some("repo"));
    house
        .engine
        .open(&ada, shell(None), None)
        .await
        .expect("an empty workspace always is");
}

#[tokio::test]
async fn only_those_who_govern_change_a_policy_and_nobody_overwrites_one_unseen() {
    let house = House::new().await;
    let (acme, evil) = (OrgId::new("acme"), OrgId::new("evil"));
    let ada = house.person("acme", "ada", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let eve = house.person("evil", "eve", Role::Owner).await;
    house
        .engine
        .policy(&ada, &acme)
        .await
        .expect("everybody reads what holds for them");
    for (who, org, forbidden) in [
        (&ada, Some(&acme), true),
        (&boss, None, true),
        (&eve, Some(&acme), false),
    ] {
        let refused = house
            .engine
            .save_policy(who, org, only(&["shell"]), 0)
            .await
            .expect_err("refused");
        assert_eq!(matches!(refused, Error::Forbidden(_)), forbidden, "{refused:?}");
        assert_eq!(matches!(refused, Error::NotFound(_)), !forbidden, "{refused:?}");
    }
    assert!(matches!(
        house.engine.policy(&boss, &evil).await,
        Err(Error::NotFound(_))
    ));
    house
        .engine
        .save_policy(&boss, Some(&acme), only(&["shell"]), 0)
        .await
        .expect("the first");
    let late = house.engine.save_policy(&boss, Some(&acme), only(&["aider"]), 0).await;
    assert!(matches!(late, Err(Error::Conflict(problem)) if problem.code == "policy-changed"));
    assert_eq!(house.engine.policy(&boss, &acme).await.unwrap().own.version, 1);
}

#[tokio::test]
async fn a_trial_tells_what_last_week_would_have_been_like_and_saves_nothing() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let other = house.person("evil", "eve", Role::Developer).await;
    house.open(&other, "not theirs").await;
    let old = house.open(&ada, "too old").await;
    house.clock.forward(8 * 24 * 3600);
    house.engine.delete(&ada, &old.session.id).await.unwrap();
    let kept = house.open(&ada, "seen").await;
    let gone = house.open(&ada, "gone since").await;
    house.engine.delete(&ada, &gone.session.id).await.unwrap();
    house
        .engine
        .share(&ada, &kept.session.id, Sharing::Drive)
        .await
        .unwrap();
    let strict = Policy {
        sharing: Some(Sharing::Private),
        ..only(&["aider"])
    };
    let run = house
        .engine
        .try_policy(&boss, Some(&acme), strict)
        .await
        .expect("a trial");
    assert_eq!((run.looked_at, run.refused_in_all, run.narrowed), (2, 2, 1));
    let names: Vec<_> = run.refused.iter().map(|refused| refused.name.as_str()).collect();
    assert_eq!(names, ["gone since", "seen"]);
    assert_eq!(house.engine.policy(&boss, &acme).await.unwrap().own.version, 0);
}

#[tokio::test]
async fn narrowing_what_may_be_shared_narrows_what_is_and_shortens_new_tokens() {
    let house = House::new().await;
    let acme = OrgId::new("acme");
    let ada = house.person("acme", "ada", Role::Developer).await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    let view = house.open(&ada, "shared").await;
    house
        .engine
        .share(&ada, &view.session.id, Sharing::Drive)
        .await
        .unwrap();
    house.engine.show(&bob, &view.session.id).await.expect("it is shared");
    let strict = Policy {
        sharing: Some(Sharing::Private),
        token_hours: Some(24),
        ..Policy::default()
    };
    house
        .engine
        .save_policy(&boss, Some(&acme), strict, 0)
        .await
        .expect("saved");
    assert!(matches!(
        house.engine.show(&bob, &view.session.id).await,
        Err(Error::NotFound(_))
    ));
    assert_eq!(
        house.engine.show(&ada, &view.session.id).await.unwrap().session.sharing,
        Sharing::Private
    );
    let again = house.engine.share(&ada, &view.session.id, Sharing::Watch).await;
    assert!(matches!(again, Err(Error::Invalid(problem)) if problem.code == "policy-sharing"));
    let mint = Mint {
        name: "ci".to_owned(),
        ..Mint::default()
    };
    let token = house.engine.mint_token(&ada, mint).await.unwrap().token;
    let now: Timestamp = house.clock.now();
    assert_eq!(token.expires_at.seconds_since(now), 24 * 3600);
}
