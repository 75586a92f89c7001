use crate::house::House;
use domain::{Role, agent::Installation, session::Open};
use engine::Error;

#[tokio::test]
async fn an_agent_is_installed_by_a_super_admin_and_then_opened_by_anybody() {
    let house = House::new().await;
    let root = house.person("local", "root", Role::SuperAdmin).await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let open = || Open {
        agent: "opencode".into(),
        ..Open::default()
    };
    let Err(Error::Conflict(problem)) = house.engine.open(&ada, open(), None).await else {
        panic!("not installed")
    };
    assert_eq!(
        (problem.code.as_str(), problem.field.as_deref()),
        ("agent-not-installed", Some("agent"))
    );
    assert!(matches!(
        house.engine.install_agent(&ada, "opencode").await,
        Err(Error::Forbidden(_))
    ));
    house.engine.install_agent(&root, "opencode").await.unwrap();
    house.engine.open(&ada, open(), None).await.expect("installed by now");
    assert_eq!(house.engine.install_log(&ada, "opencode").await.unwrap(), "done");
    house.engine.remove_agent(&root, "opencode").await.unwrap();
    assert!(matches!(
        house.engine.remove_agent(&root, "opencode").await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn what_is_not_in_the_catalogue_or_cannot_be_had_says_so() {
    let house = House::new().await;
    let root = house.person("local", "root", Role::SuperAdmin).await;
    let open = |agent: &str| Open {
        agent: agent.into(),
        ..Open::default()
    };
    let Err(Error::Invalid(problem)) = house.engine.open(&root, open("nope"), None).await else {
        panic!("unknown")
    };
    assert_eq!(problem.code, "invalid-agent");
    assert!(
        problem.detail.contains("opencode"),
        "it says what there is: {}",
        problem.detail
    );
    assert!(matches!(
        house.engine.install_agent(&root, "shell").await,
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        house.engine.install_agent(&root, "cursor-agent").await,
        Err(Error::Conflict(_))
    ));
    let cursor = house.engine.agent(&root, "cursor-agent").await.unwrap();
    assert!(matches!(cursor.installation, Installation::Unavailable { .. }) && !cursor.is_ready());
}

#[tokio::test]
async fn an_agent_switched_off_for_an_organization_is_off_there_only_and_for_the_fleet_everywhere() {
    let house = House::new().await;
    let boss = house.person("acme", "boss", Role::OrgAdmin).await;
    let root = house.person("local", "root", Role::SuperAdmin).await;
    let shell = || Open {
        agent: "shell".into(),
        ..Open::default()
    };
    house.engine.switch_agent(&boss, "shell", false, false).await.unwrap();
    assert!(matches!(
        house.engine.open(&boss, shell(), None).await,
        Err(Error::Forbidden(_))
    ));
    house
        .engine
        .open(&root, shell(), None)
        .await
        .expect("another Organization's switch");
    house.engine.switch_agent(&boss, "shell", true, false).await.unwrap();
    assert!(matches!(
        house.engine.switch_agent(&boss, "shell", false, true).await,
        Err(Error::Forbidden(_))
    ));
    house.engine.switch_agent(&root, "shell", false, true).await.unwrap();
    let Err(Error::Forbidden(problem)) = house.engine.open(&boss, shell(), None).await else {
        panic!("off for all")
    };
    assert_eq!(problem.code, "agent-disabled");
}
