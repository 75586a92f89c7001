use crate::house::{House, grant};
use domain::{
    Caller, Role,
    audit::{Ask, Breach, Entry, State},
    caller::INSTALLATION,
    quota::{Dimension, Limit},
    session::Sharing,
    token::Mint,
};
use engine::{AttachAsk, Error, From, ports::Scope};
use futures::StreamExt as _;
use serde_json::json;

/// The entries of an action, newest first.
async fn entries(house: &House, action: &str) -> Vec<Entry> {
    let ask = Ask {
        action: action.to_owned(),
        limit: 100,
        ..Ask::default()
    };
    let trail = house.store.list_audit(&Scope::Fleet, &ask).await.expect("entries");
    trail.lines.into_iter().map(|line| line.entry).collect()
}

/// The entries of an action once there are so many: what goes with no change is written soon, not at once.
async fn until(house: &House, action: &str, count: usize) -> Vec<Entry> {
    for _ in 0..10_000 {
        let found = entries(house, action).await;
        if found.len() >= count {
            return found;
        }
        tokio::task::yield_now().await;
    }
    panic!("there never were {count} of {action}");
}

fn from(address: &str) -> From {
    From {
        user_agent: "Browser".to_owned(),
        address: address.to_owned(),
        request: Some("r-9".to_owned()),
    }
}

#[tokio::test]
async fn an_entry_says_who_as_what_from_where_and_what_changed() {
    let house = House::new().await;
    let ada = Caller {
        address: Some("192.0.2.7".to_owned()),
        request: Some("r-1".to_owned()),
        ..house.person("local", "ada", Role::Developer).await
    };
    let id = house.open(&ada, "one").await.session.id;
    house.engine.rename(&ada, &id, "two").await.unwrap();
    let entry = entries(&house, "session.renamed").await.remove(0);
    assert_eq!(
        (entry.actor.as_str(), entry.role.as_deref()),
        ("ada@example.org", Some("developer"))
    );
    assert_eq!(
        (entry.address.as_deref(), entry.request.as_deref()),
        (Some("192.0.2.7"), Some("r-1"))
    );
    assert_eq!((entry.via.as_str(), entry.target.as_str()), ("login", id.as_str()));
    assert_eq!(
        entry.detail,
        json!({ "before": { "name": "one" }, "after": { "name": "two" } })
    );
    // The role that one had at that moment, not the one of now.
    house.person("local", "ada", Role::OrgAdmin).await;
    assert_eq!(
        entries(&house, "session.renamed").await[0].role.as_deref(),
        Some("developer")
    );
    let changed = entries(&house, "member.changed").await.remove(0);
    assert_eq!(changed.detail["before"]["role"], "developer");
    assert_eq!(changed.detail["after"]["role"], "org-admin");
}

#[tokio::test]
async fn a_link_that_opens_nothing_is_told_once_a_minute_for_each_address() {
    let house = House::new().await;
    for address in ["192.0.2.7", "192.0.2.7", "192.0.2.8"] {
        let refused = house.engine.sign_in("sbl_wrong", &from(address)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let found = entries(&house, "sign-in.refused").await;
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].org.as_str(), found[1].person.as_ref()), ("local", None));
    assert_eq!(found[1].address.as_deref(), Some("192.0.2.7"));
    assert_eq!(found[1].request.as_deref(), Some("r-9"));
    assert!(
        !serde_json::to_string(&found).unwrap().contains("sbl_"),
        "never the link"
    );
    house.clock.forward(60);
    let _ = house.engine.sign_in("sbl_wrong", &from("192.0.2.7")).await;
    assert_eq!(entries(&house, "sign-in.refused").await.len(), 3);
    let link = house.engine.sign_in_link(None, None).await.unwrap();
    house.engine.sign_in(&link.secret, &from("192.0.2.7")).await.unwrap();
    let signed_in = entries(&house, "signed-in").await.remove(0);
    assert_eq!(signed_in.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(signed_in.role.as_deref(), Some("super-admin"));
}

#[tokio::test]
async fn a_refusal_is_told_once_a_minute_and_looking_is_not() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let bob = house.person("local", "bob", Role::Developer).await;
    let admin = house.person("local", "root", Role::OrgAdmin).await;
    let id = house.open(&ada, "one").await.session.id;
    for _ in 0..5 {
        // Refused, whatever it looks like: to Bob the session is not there.
        assert!(matches!(
            house.engine.rename(&bob, &id, "x").await,
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            house.engine.rename(&admin, &id, "x").await,
            Err(Error::Forbidden(_))
        ));
        assert!(house.engine.switch_agent(&bob, "aider", false, false).await.is_err());
        // Only looked.
        assert!(house.engine.show(&bob, &id).await.is_err());
        assert!(house.engine.audit(&bob, Ask::default()).await.is_err());
        assert!(house.engine.terminals(&admin, &id).await.is_err());
    }
    let told = |found: &[Entry]| {
        let mut told: Vec<_> = found
            .iter()
            .map(|entry| (entry.actor.clone(), entry.detail["verb"].clone(), entry.target.clone()))
            .collect();
        told.sort_by_key(|told| format!("{told:?}"));
        told
    };
    let say = |who: &str, verb: &str, target: &str| (format!("{who}@example.org"), json!(verb), target.to_owned());
    let expected = [
        say("bob", "rename-session", id.as_str()),
        say("bob", "switch-agents", ""),
        say("root", "rename-session", id.as_str()),
    ];
    assert_eq!(told(&until(&house, "permit.refused", 3).await), expected);
    house.clock.forward(60);
    assert!(house.engine.rename(&bob, &id, "x").await.is_err());
    assert_eq!(until(&house, "permit.refused", 4).await.len(), 4);
}

#[tokio::test]
async fn to_attach_as_the_driver_is_told_and_to_watch_is_not() {
    let house = House::new().await;
    let ada = house.person("local", "ada", Role::Developer).await;
    let bob = house.person("local", "bob", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    house.engine.share(&ada, &id, Sharing::Watch).await.unwrap();
    for caller in [&bob, &ada, &ada] {
        let mut attachment = house.engine.attach(caller, &id, AttachAsk::default()).await.unwrap();
        let message = attachment.from_terminal.next().await.expect("it says something");
        attachment.drive.hear(&message);
    }
    let plain = AttachAsk {
        plain: true,
        ..AttachAsk::default()
    };
    house.engine.attach(&bob, &id, plain).await.unwrap();
    house.clock.forward(3600);
    let mut attachment = house.engine.attach(&ada, &id, AttachAsk::default()).await.unwrap();
    let message = attachment.from_terminal.next().await.expect("it says something");
    attachment.drive.hear(&message);
    let found = until(&house, "terminal.driven", 2).await;
    assert_eq!(found.len(), 2, "once a minute, however often a browser comes back");
    assert!(
        found
            .iter()
            .all(|entry| entry.actor == "ada@example.org" && entry.target == id.as_str())
    );
}

#[tokio::test]
async fn each_reads_the_audit_of_their_own_organization_and_a_super_admin_all() {
    let house = House::new().await;
    let developer = house.person("acme", "dev", Role::Developer).await;
    let admin = house.person("acme", "ann", Role::OrgAdmin).await;
    let root = house.person("local", "root", Role::SuperAdmin).await;
    house.person("globex", "eve", Role::OrgAdmin).await;
    let orgs = async |caller: &Caller, org: Option<&str>, fleet: bool| {
        let ask = Ask {
            org: org.map(domain::OrgId::new),
            fleet,
            ..Ask::default()
        };
        let trail = house.engine.audit(caller, ask).await?;
        let mut orgs: Vec<_> = trail
            .lines
            .into_iter()
            .map(|line| line.entry.org.as_str().to_owned())
            .collect();
        orgs.sort();
        orgs.dedup();
        Ok::<_, Error>(orgs)
    };
    assert!(matches!(orgs(&developer, None, false).await, Err(Error::Forbidden(_))));
    assert_eq!(orgs(&admin, None, false).await.unwrap(), ["acme"]);
    assert_eq!(orgs(&admin, Some("acme"), false).await.unwrap(), ["acme"]);
    // Whether it exists or not: the same answer.
    for other in ["globex", "nowhere"] {
        assert!(matches!(
            orgs(&admin, Some(other), false).await,
            Err(Error::Forbidden(_))
        ));
    }
    assert!(matches!(orgs(&admin, None, true).await, Err(Error::Forbidden(_))));
    assert_eq!(orgs(&root, None, false).await.unwrap(), ["local"]);
    assert_eq!(orgs(&root, Some("globex"), false).await.unwrap(), ["globex"]);
    assert_eq!(orgs(&root, None, true).await.unwrap(), ["acme", "globex", "local"]);

    let of_globex = Ask {
        org: Some(domain::OrgId::new("globex")),
        ..Ask::default()
    };
    let line = house.engine.audit(&root, of_globex).await.unwrap().lines.remove(0);
    let (same, state) = house.engine.audit_entry(&root, line.position).await.unwrap();
    assert_eq!((same, state), (line.clone(), State::First));
    for position in [line.position, 1_000_000] {
        let absent = house.engine.audit_entry(&admin, position).await;
        assert!(matches!(absent, Err(Error::NotFound(_))), "{absent:?}");
    }
}

#[tokio::test]
async fn an_export_is_itself_an_entry() {
    let house = House::new().await;
    let root = house.person("local", "root", Role::SuperAdmin).await;
    let mint = Mint {
        name: "little".to_owned(),
        ttl_hours: None,
        capabilities: Vec::new(),
    };
    house.engine.mint_token(&root, mint).await.unwrap();
    let ask = Ask {
        action: "token.".to_owned(),
        ..Ask::default()
    };
    let trail = house.engine.export_audit(&root, ask, "csv").await.unwrap();
    assert_eq!(trail.lines.len(), 1);
    let exported = entries(&house, "audit.exported").await;
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0].detail["format"], "csv");
    assert_eq!(exported[0].detail["filters"]["action"], "token.");
}

#[tokio::test]
async fn entries_go_when_their_time_is_over_and_the_chain_holds() {
    let house = House::keeping_audit_for(400).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let id = house.open(&ada, "one").await.session.id;
    let all = async || {
        let verdict = house.store.verify_audit(&ada.org).await.unwrap();
        assert_eq!(verdict.breach, None::<Breach>);
        (verdict.removed, verdict.entries)
    };
    let (_, count) = all().await;
    assert!(count > 1);
    house.clock.forward(399 * 24 * 3600);
    house.engine.rename(&ada, &id, "two").await.unwrap();
    house.engine.keep_audit_bounded().await.unwrap();
    assert_eq!(all().await, (0, count + 1), "not yet");
    house.clock.forward(2 * 24 * 3600);
    house.engine.keep_audit_bounded().await.unwrap();
    let (removed, left) = all().await;
    assert_eq!(
        (removed as u64, left),
        (count, 2),
        "the rename, and what says that the others went"
    );
    let pruned = entries(&house, "audit.pruned").await;
    assert!(
        pruned
            .iter()
            .any(|entry| entry.org == ada.org && entry.detail["entries"] == count)
    );
    house.engine.keep_audit_bounded().await.unwrap();
    assert_eq!(all().await, (removed, left), "once");
}

#[tokio::test]
async fn an_organization_reads_that_the_installation_acted_and_who_runs_it_reads_who() {
    let house = House::new().await;
    let root = house.person("above", "root", Role::SuperAdmin).await;
    let root = Caller {
        address: Some("192.0.2.9".to_owned()),
        request: Some("r-7".to_owned()),
        ..root
    };
    let owner = house.person("acme", "owner", Role::Owner).await;
    let ada = house.person("acme", "ada", Role::Developer).await;
    let engine = &house.engine;
    let ask = domain::quota::Ask {
        dimension: Dimension::ConcurrentSessions,
        wanted: Limit::At(30),
        days: None,
        why: "work".to_owned(),
    };
    let asked = engine.ask_for_more(&ada, ask).await.unwrap();
    let answered = engine.answer_request(&root, &owner.org, &asked.id, grant(Limit::At(30), Some(2)));
    assert_eq!(answered.await.unwrap().answered_by.as_deref(), Some(INSTALLATION));
    let change = domain::org::Change {
        display_name: Some("Acme".to_owned()),
        ..domain::org::Change::default()
    };
    engine.change_org(&root, &owner.org, &change).await.unwrap();
    let stricter = domain::policy::Policy {
        recording: Some(true),
        ..domain::policy::Policy::default()
    };
    engine.save_policy(&root, None, stricter.clone(), 0).await.unwrap();
    engine.save_policy(&root, Some(&owner.org), stricter, 0).await.unwrap();
    let read = engine.policy(&owner, &owner.org).await.unwrap();
    assert_eq!(read.own.saved_by.as_deref(), Some(INSTALLATION));
    assert_eq!(read.floor.saved_by.as_deref(), Some(INSTALLATION));
    let read = engine.policy(&root, &owner.org).await.unwrap();
    assert_eq!(read.floor.saved_by.as_deref(), Some("root@example.org"));

    let changed = |who: &str| Ask {
        actor: who.to_owned(),
        action: "org.changed".to_owned(),
        org: Some(owner.org.clone()),
        ..Ask::default()
    };
    let below = engine
        .audit(&owner, changed("installation"))
        .await
        .unwrap()
        .lines
        .remove(0);
    let Entry {
        person,
        actor,
        via,
        role,
        address,
        request,
        ..
    } = &below.entry;
    assert_eq!((actor.as_str(), via.as_str()), (INSTALLATION, "installation"));
    assert_eq!((person, address), (&None, &None), "another Organization's to know");
    assert_eq!(
        (role.as_deref(), request.as_deref()),
        (Some("super-admin"), Some("r-7"))
    );
    let (one, state) = engine.audit_entry(&owner, below.position).await.unwrap();
    assert_eq!((one, state), (below.clone(), State::Intact));
    for word in ["root@", root.person.as_str()] {
        assert_eq!(engine.audit(&owner, changed(word)).await.unwrap().lines, []);
    }
    for word in ["root@", root.person.as_str()] {
        let above = engine.audit(&root, changed(word)).await.unwrap().lines.remove(0);
        assert_eq!(above.position, below.position);
        assert_eq!(
            (above.entry.actor.as_str(), above.entry.via.as_str()),
            ("root@example.org", "installation:login")
        );
        assert_eq!(above.entry.person.as_ref(), Some(&root.person));
        assert_eq!(above.entry.address.as_deref(), Some("192.0.2.9"));
    }
    let exported = engine.export_audit(&owner, Ask::default(), "csv").await.unwrap();
    assert!(!format!("{exported:?}").contains("root@"), "nor in what is taken away");
}
