//! One person, whether they come by the directory, by an identity provider, or by both.

use super::*;
use domain::{
    PersonId,
    directory::{Directory, DirectoryToken},
    event::{Live, Touched},
    id::TokenId,
    scim::{Window, operations, user::User},
};
use engine::{
    UserChange,
    ports::{Credentials as _, HeldToken, Record},
};

impl Town {
    /// The directory of an Organization, by a token that its owner makes.
    async fn directory(&self, org: &str) -> Directory {
        let name = if org == "acme" { "owner" } else { "boss" };
        let owner = self.house.person(org, name, Role::Owner).await;
        let engine = &self.house.engine;
        let minted = engine.mint_directory_token(&owner, &owner.org, "Okta", None).await;
        let secret = minted.expect("a token").secret;
        let directory = engine
            .directory_of_token(&secret)
            .await
            .expect("an answer")
            .expect("it holds");
        assert!(engine.caller_of_token(&secret).await.expect("an answer").is_none());
        directory
    }

    async fn create(&self, directory: &Directory, resource: Value) -> Result<User, Error> {
        self.house.engine.create_user(directory, &resource).await
    }

    async fn patch(&self, directory: &Directory, person: &PersonId, operation: Value) -> Result<User, Error> {
        let operations = operations(&json!({ "Operations": [operation] })).expect("a change");
        let change = UserChange::Patch(&operations);
        self.house
            .engine
            .change_user(directory, person, change, &|_| true)
            .await
    }

    fn trusts_email(&self) {
        for provider in self.script.all.lock().unwrap().iter_mut() {
            provider.trusts_email = true;
        }
    }
}

fn verified(org: &str, email: &str) -> Value {
    json!({ "org_id": org, "email": email, "email_verified": true })
}

#[tokio::test]
async fn who_is_made_by_the_directory_signs_in_as_the_same_person_and_what_it_says_holds() {
    let town = Town::new().await;
    let beta = town.directory("beta").await;
    // The Organization's own provider knows them by the id that the directory gives.
    let dan = json!({ "userName": "dan@beta.test", "externalId": "00u1", "displayName": "Dan", "roles": ["viewer"] });
    let dan = town.create(&beta, dan).await.expect("a user");
    let claims = json!({ "org_id": "beta", "tier": "admin", "email": "other@beta.test" });
    let (cookie, signed_in) = town.signed_in("beta", "00u1", claims).await;
    assert_eq!(
        (&signed_in.person, signed_in.role),
        (&dan.person, Role::Viewer),
        "the directory says the role"
    );
    assert_eq!(signed_in.email, "dan@beta.test", "and the address");
    // By address, where the provider is trusted to know it.
    town.trusts_email();
    let eli = town
        .create(&beta, json!({ "userName": "eli@beta.test" }))
        .await
        .expect("a user");
    let (_, signed_in) = town.signed_in("all", "eli", verified("beta", "eli@beta.test")).await;
    assert_eq!(signed_in.person, eli.person);
    // What the provider gives no more, the directory still does; what the directory ends is over.
    town.patch(
        &beta,
        &dan.person,
        json!({ "op": "replace", "value": { "active": false } }),
    )
    .await
    .expect("changed");
    assert!(town.caller(&cookie).await.is_none());
    let (status, _) = town.refused("beta", "00u1", json!({ "org_id": "beta" })).await;
    assert_eq!(status, 403, "signing in does not undo it");
    let entries = town.house.audit(&OrgId::new("beta")).await;
    let off = entries
        .iter()
        .find(|entry| entry.detail["after"]["active"] == json!(false))
        .expect("an entry");
    assert_eq!(
        (off.actor.as_str(), &off.detail["before"]["active"]),
        ("directory Okta", &json!(true))
    );
}

#[tokio::test]
async fn who_came_by_a_provider_is_taken_on_by_the_directory_and_is_not_made_twice() {
    let town = Town::new().await;
    let (_, ada) = town
        .signed_in(
            "all",
            "ada",
            json!({ "org_id": "acme", "groups": ["/acme/dev", "/acme/ops"] }),
        )
        .await;
    let acme = town.directory("acme").await;
    let resource = json!({ "userName": "ada@id.example", "externalId": "x", "active": true });
    let user = town.create(&acme, resource.clone()).await.expect("a user");
    assert_eq!(user.person, ada.person);
    assert!(
        matches!(town.create(&acme, resource).await, Err(Error::Conflict(problem)) if problem.code == "uniqueness")
    );
    // Groups: what the directory keeps is its alone, the rest is the provider's; the audit says which was passed over.
    let engine = &town.house.engine;
    let group = engine
        .create_group(&acme, &json!({ "displayName": "dev" }))
        .await
        .expect("a group");
    let says = json!({ "org_id": "acme", "groups": ["/acme/dev", "/acme/more"] });
    town.signed_in("all", "ada", says).await;
    let kept = engine.directory_group(&acme, &group.id).await.expect("a group");
    assert_eq!(kept.members, Some(Vec::new()));
    let entries = town.house.audit(&acme.org).await;
    assert!(
        entries
            .iter()
            .any(|entry| entry.detail["left_to_the_directory"] == json!(["dev"])),
        "{entries:?}"
    );
    assert!(
        entries
            .iter()
            .any(|entry| entry.action == "group.created" && entry.detail["taken_over"].is_string())
    );
    // The provider names the Organization no more: the seat is the directory's, and stays.
    let (cookie, _) = town
        .signed_in("all", "ada", json!({ "org_id": "beta", "groups": [] }))
        .await;
    assert!(town.caller(&cookie).await.is_some());
    let (users, total) = engine
        .directory_users(&acme, None, Window::of(None, None))
        .await
        .expect("users");
    assert!(total == 2 && users.iter().any(|user| user.person == ada.person && user.active));
}

#[tokio::test]
async fn an_address_that_a_directory_says_makes_nobody_into_somebody_who_sits_elsewhere() {
    let town = Town::new().await;
    town.trusts_email();
    let both = json!({ "org_id": "acme", "groups": ["/beta/developers"] });
    let (_, ada) = town.signed_in("all", "ada", both).await;
    let beta = town.directory("beta").await;
    // Beta's directory gives Ada's seat in Beta the address of somebody else.
    let user = town
        .house
        .engine
        .directory_user(&beta, &ada.person)
        .await
        .expect("a user");
    assert!(
        !format!("{user:?}").contains("acme"),
        "nothing of the other Organization shows"
    );
    let address = json!({ "op": "replace", "value": { "userName": "mallory@beta.test", "emails": [{ "value": "mallory@beta.test" }] } });
    town.patch(&beta, &ada.person, address).await.expect("changed");
    let (_, mallory) = town
        .signed_in("all", "mallory", verified("beta", "mallory@beta.test"))
        .await;
    assert_ne!(mallory.person, ada.person, "they are not Ada by it");
    assert_eq!(town.house.engine.memberships(&mallory).await.unwrap().len(), 1);
    // Another Organization's user is not there, whatever is asked of them.
    let acme = town.directory("acme").await;
    for refused in [
        town.house
            .engine
            .directory_user(&acme, &mallory.person)
            .await
            .map(|_| ()),
        town.patch(
            &acme,
            &mallory.person,
            json!({ "op": "replace", "value": { "active": false } }),
        )
        .await
        .map(|_| ()),
        town.house.engine.delete_user(&acme, &mallory.person, &|_| true).await,
    ] {
        assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_out_of_everything_at_once_and_their_work_is_kept() {
    let town = Town::new().await;
    let house = &town.house;
    let acme = town.directory("acme").await;
    let bob = house.person("acme", "bob", Role::Developer).await;
    let session = house.open(&bob, "work").await.session.id;
    let browser = house.browser(&bob).await;
    let token = house
        .engine
        .mint_token(&bob, engine_change(json!({ "name": "ci" })))
        .await
        .unwrap()
        .secret;
    let watches = house
        .engine
        .attach(&bob, &session, engine::AttachAsk::default())
        .await
        .expect("attached");
    town.patch(
        &acme,
        &bob.person,
        json!({ "op": "Replace", "path": "active", "value": "False" }),
    )
    .await
    .expect("off");
    assert!(house.engine.caller_of_cookie(&browser.cookie).await.unwrap().is_none());
    assert!(house.engine.caller_of_token(&token).await.unwrap().is_none());
    let owner = house.person("acme", "owner", Role::Owner).await;
    assert!(watches.revoked.is_cancelled(), "whoever watched is out");
    town.patch(
        &acme,
        &bob.person,
        json!({ "op": "replace", "value": { "active": true } }),
    )
    .await
    .expect("on");
    assert!(
        house.engine.caller_of_token(&token).await.unwrap().is_some(),
        "what they had is there"
    );
    house
        .engine
        .delete_user(&acme, &bob.person, &|_| true)
        .await
        .expect("removed");
    assert!(house.engine.caller_of_token(&token).await.unwrap().is_none());
    let view = house.engine.show(&owner, &session).await.unwrap();
    assert_eq!(view.session.phase, domain::session::Phase::Suspended, "kept, asleep");
}

#[tokio::test]
async fn a_directory_does_no_more_than_its_maker_may_today_and_rests_when_they_govern_no_more() {
    let town = Town::new().await;
    let (house, engine) = (&town.house, &town.house.engine);
    let olga = house.person("acme", "olga", Role::Owner).await;
    let ned = house.person("acme", "ned", Role::Owner).await;
    let minted = engine.mint_directory_token(&ned, &ned.org, "Entra", None).await;
    let minted = minted.expect("a token");
    let rank = async || {
        let known = engine.directory_of_token(&minted.secret).await;
        known.map(|directory| directory.expect("it holds").rank)
    };
    let shown = async || {
        let tokens = engine.directory_tokens(&olga, &olga.org).await.expect("tokens");
        (tokens[0].rank, tokens[0].rests_since.is_some())
    };
    let told = async || {
        let entries = house.audit(&olga.org).await;
        let of = |action: &str| entries.iter().filter(|entry| entry.action == action).count();
        (of("directory.token-rested"), of("directory.token-works-again"))
    };
    assert_eq!(rank().await.expect("works"), Role::Owner);
    // Less, where they are less now; and not more, where they are more than they were.
    house.person("acme", "ned", Role::OrgAdmin).await;
    let acme = engine
        .directory_of_token(&minted.secret)
        .await
        .expect("works")
        .expect("it holds");
    assert_eq!((acme.rank, shown().await), (Role::OrgAdmin, (Role::OrgAdmin, false)));
    let off = json!({ "op": "replace", "value": { "active": false } });
    let refused = town.patch(&acme, &olga.person, off).await.expect_err("refused");
    assert_eq!(refused.status(), 403, "an admin's directory changes no owner");
    house.person("acme", "ned", Role::Developer).await;
    assert_eq!(
        (shown().await, told().await),
        ((Role::Owner, true), (0, 0)),
        "shown at once, told when it matters"
    );
    for _ in 0..2 {
        let refused = rank().await.expect_err("rests");
        assert_eq!(
            (refused.status(), refused.problem().code.as_str()),
            (401, "token-rests")
        );
    }
    assert_eq!((shown().await.1, told().await), (true, (1, 0)), "told once");
    house.person("acme", "ned", Role::Owner).await;
    for _ in 0..2 {
        assert_eq!(rank().await.expect("works again"), Role::Owner);
    }
    assert_eq!((shown().await.1, told().await), (false, (1, 1)));
    // Disabled, and removed: governs no more either, which is told at once.
    let disable = engine_change(json!({ "status": "disabled" }));
    engine
        .change_seat(&olga, &olga.org, &ned.person, disable)
        .await
        .expect("disabled");
    assert_eq!(told().await, (2, 1));
    assert!(rank().await.is_err());
    engine
        .remove_member(&olga, &olga.org, &ned.person, &domain::member::Leaving::Archive)
        .await
        .expect("removed");
    assert!(rank().await.is_err());
    assert_eq!(told().await, (2, 1));
    // Made from above: it is held to whoever runs the installation, who sits elsewhere.
    let root = house.root().await;
    let minted = engine
        .mint_directory_token(&root, &olga.org, "Okta", None)
        .await
        .expect("a token");
    let known = async || engine.directory_of_token(&minted.secret).await;
    assert_eq!(known().await.expect("works").expect("it holds").rank, Role::Owner);
    house.person("local", "second", Role::SuperAdmin).await;
    house.person("local", "root", Role::Owner).await;
    assert_eq!(known().await.expect_err("rests").status(), 401);
    // Made before makers were remembered: works as it did.
    let old = HeldToken {
        token: DirectoryToken {
            id: TokenId::new("old"),
            held: false,
            ..minted.token.clone()
        },
        maker: None,
    };
    let hash = identity::Local::new().hash("sbd_old");
    let recorded = house
        .store
        .record_directory_token(&olga.org, &old, &hash, 10, Record::default());
    assert!(recorded.await.expect("an answer"));
    let known = engine
        .directory_of_token("sbd_old")
        .await
        .expect("works")
        .expect("it holds");
    assert_eq!(known.rank, Role::Owner);
}

#[tokio::test]
async fn a_directory_whose_maker_it_removes_goes_on_by_another_admins_word_with_the_same_secret() {
    let town = Town::new().await;
    let (house, engine) = (&town.house, &town.house.engine);
    let [olga, ned] = [
        house.person("acme", "olga", Role::Owner).await,
        house.person("acme", "ned", Role::Owner).await,
    ];
    let [ada, dev] = [
        house.person("acme", "ada", Role::OrgAdmin).await,
        house.person("acme", "dev", Role::Developer).await,
    ];
    let boss = house.person("beta", "boss", Role::Owner).await;
    let acme = &olga.org;
    let minted = engine.mint_directory_token(&ned, acme, "Entra", None).await;
    let minted = minted.expect("a token");
    let known = async || engine.directory_of_token(&minted.secret).await;
    let told = async |action: &str| {
        let entries = house.audit(acme).await;
        entries
            .into_iter()
            .filter(|entry| entry.action == action)
            .collect::<Vec<_>>()
    };
    let entra = known().await.expect("works").expect("it holds");
    // The company's word about whoever made its token is carried out like any other; that it rests is told at once.
    engine
        .delete_user(&entra, &ned.person, &|_| true)
        .await
        .expect("carried out");
    assert_eq!(told("directory.token-rested").await.len(), 1);
    let refused = known().await.expect_err("rests").problem();
    assert!(
        refused.detail.contains(&ned.email) && refused.detail.contains("take it over"),
        "{refused:?}"
    );
    let take = async |caller: &Caller, token: &TokenId| engine.take_over_directory_token(caller, acme, token).await;
    for (caller, status) in [(&dev, 403), (&boss, 404)] {
        assert_eq!(
            take(caller, &minted.token.id).await.expect_err("refused").status(),
            status
        );
    }
    assert_eq!(
        take(&olga, &TokenId::new("none")).await.expect_err("refused").status(),
        404
    );
    // By an admin's word it does what an admin may, to the same end.
    let taken = take(&ada, &minted.token.id).await.expect("taken over");
    assert_eq!(
        (taken.made_by.as_str(), taken.rank, taken.rests_since, taken.expires_at),
        (ada.email.as_str(), Role::OrgAdmin, None, minted.token.expires_at)
    );
    let entra = known().await.expect("works").expect("it holds");
    let off = json!({ "op": "replace", "value": { "active": false } });
    let refused = town.patch(&entra, &olga.person, off).await.expect_err("refused");
    assert_eq!(refused.status(), 403, "no owner, by an admin's word");
    // Again is nothing new; by an owner's word it does what it did.
    take(&ada, &minted.token.id).await.expect("hers already");
    take(&olga, &minted.token.id).await.expect("taken over");
    assert_eq!(known().await.expect("works").expect("it holds").rank, Role::Owner);
    let told = told("directory.token-taken-over").await;
    assert_eq!(told.len(), 2, "{told:?}");
    let by_ada = told.iter().find(|entry| entry.person.as_ref() == Some(&ada.person));
    let by_ada = by_ada.expect("an entry of hers");
    assert_eq!(
        (&by_ada.detail["before"], &by_ada.detail["after"]),
        (
            &json!({ "maker": ned.email, "rank": "owner" }),
            &json!({ "maker": ada.email, "rank": "org-admin" })
        )
    );
    // Who was its maker is nothing to it any more, and what is over is not taken over.
    engine
        .remove_member(&olga, acme, &ada.person, &domain::member::Leaving::Archive)
        .await
        .expect("removed");
    assert!(known().await.is_ok());
    engine
        .revoke_directory_token(&olga, acme, &minted.token.id)
        .await
        .expect("revoked");
    assert_eq!(take(&olga, &minted.token.id).await.expect_err("refused").status(), 409);
}

#[tokio::test]
async fn a_role_that_the_directory_takes_away_is_none_of_its_words_and_a_provider_may_give_one() {
    let town = Town::new().await;
    let beta = town.directory("beta").await;
    let dan = json!({ "userName": "dan@beta.test", "externalId": "00u1", "roles": ["org-admin"] });
    let dan = town.create(&beta, dan).await.expect("a user");
    assert_eq!((dan.role, dan.given_role), (Role::OrgAdmin, Some(Role::OrgAdmin)));
    let refused = json!({ "op": "replace", "path": "roles", "value": [{ "value": "Sales" }] });
    let refused = town.patch(&beta, &dan.person, refused).await.expect_err("refused");
    assert_eq!(
        (refused.status(), refused.problem().code.as_str()),
        (400, "invalidValue")
    );
    let gone = town
        .patch(&beta, &dan.person, json!({ "op": "remove", "path": "roles" }))
        .await;
    let gone = gone.expect("a change");
    assert_eq!((gone.role, gone.given_role), (Role::Developer, None), "as everybody is");
    let claims = json!({ "org_id": "beta", "tier": "admin", "email": "dan@beta.test" });
    let (_, signed_in) = town.signed_in("beta", "00u1", claims).await;
    assert_eq!((&signed_in.person, signed_in.role), (&dan.person, Role::OrgAdmin));
    // Taken away once more, it is not the directory's to take.
    let again = town
        .patch(&beta, &dan.person, json!({ "op": "remove", "path": "roles" }))
        .await;
    assert_eq!(again.expect("no change").role, Role::OrgAdmin);
}

/// What somebody finds of a colleague's session: in the list, by its address.
async fn finds(house: &House, caller: &Caller, id: &domain::SessionId) -> bool {
    let list = house.engine.list(caller, &domain::page::ListSessions::default()).await;
    let listed = list.expect("a list").items.iter().any(|view| view.session.id == *id);
    let shown = house.engine.show(caller, id).await;
    match &shown {
        Ok(_) => assert!(listed),
        Err(error) => assert!(!listed && matches!(error, Error::NotFound(_)), "{error:?}"),
    }
    listed
}

/// Whether who reads live hears, within a moment, of a change that is not remembered.
async fn hears(house: &House, live: &mut tokio::sync::mpsc::Receiver<Live>, id: &domain::SessionId) -> bool {
    // What was told before is no answer: touches are told a quarter of a second late at most.
    let quiet = core::time::Duration::from_millis(500);
    while let Ok(Some(_)) = tokio::time::timeout(quiet, live.recv()).await {}
    let status = house.runtime.host(id, 0);
    let session = id.clone();
    let seen = engine::ports::Observation::Live { session, status };
    house.runtime.see(seen).await;
    let told = tokio::time::timeout(core::time::Duration::from_secs(1), async {
        while let Some(told) = live.recv().await {
            if matches!(&told, Live::Touched { what: Touched::Session(of) } if of == id) {
                return true;
            }
        }
        false
    });
    told.await.unwrap_or(false)
}

#[tokio::test]
async fn a_group_shows_its_members_sessions_and_to_leave_it_ends_that_at_once() {
    let town = Town::new().await;
    let (house, acme) = (&town.house, OrgId::new("acme"));
    let directory = town.directory("acme").await;
    let boss = house.person("acme", "chief", Role::OrgAdmin).await;
    let [ada, bob, eve] = [
        house.person("acme", "ada", Role::Developer).await,
        house.person("acme", "bob", Role::Developer).await,
        house.person("acme", "eve", Role::Developer).await,
    ];
    let hers = house.open(&ada, "hers").await.session.id;
    let by_groups = domain::policy::Policy {
        seeing: Some(domain::policy::Seeing::Groups),
        ..Default::default()
    };
    house
        .engine
        .save_policy(&boss, Some(&acme), by_groups, 0)
        .await
        .unwrap();
    let mut lives = [
        house.engine.live(&bob, None).await.unwrap(),
        house.engine.live(&eve, None).await.unwrap(),
    ];
    assert!(!finds(house, &bob, &hers).await && !finds(house, &eve, &hers).await);
    assert!(
        !hears(house, &mut lives[0], &hers).await,
        "and is remembered as not near"
    );

    // By the directory: who comes into the group comes back, and finds.
    let team = json!({ "displayName": "/team", "members": [{ "value": ada.person }, { "value": bob.person }] });
    let team = house.engine.create_group(&directory, &team).await.unwrap();
    while lives[0].recv().await.is_some() {}
    lives[0] = house.engine.live(&bob, None).await.unwrap();
    assert!(finds(house, &bob, &hers).await && !finds(house, &eve, &hers).await);
    assert!(hears(house, &mut lives[0], &hers).await);
    assert!(!hears(house, &mut lives[1], &hers).await);
    let attached = house.engine.attach(&bob, &hers, engine::AttachAsk::default()).await;
    assert!(
        matches!(attached, Err(Error::Forbidden(_))),
        "it is listed, and no more"
    );

    // The owner leaves: who read on hears no more, though they were near a moment ago.
    let without = |who: &PersonId| json!({ "op": "remove", "path": format!("members[value eq \"{who}\"]") });
    let change = async |operation: Value| {
        let operations = operations(&json!({ "Operations": [operation] })).expect("a change");
        let change = engine::GroupChange::Patch(&operations);
        let changed = house.engine.change_group(&directory, &team.id, change, &|_| true).await;
        changed.expect("changed");
    };
    change(without(&ada.person)).await;
    assert!(!finds(house, &bob, &hers).await);
    assert!(!hears(house, &mut lives[0], &hers).await, "at once, not in a minute");
    change(json!({ "op": "add", "path": "members", "value": [{ "value": ada.person }] })).await;
    assert!(finds(house, &bob, &hers).await && hears(house, &mut lives[0], &hers).await);
    // The colleague leaves: their reading ends.
    change(without(&bob.person)).await;
    while lives[0].recv().await.is_some() {}
    assert!(!finds(house, &bob, &hers).await);
    // The group goes.
    change(json!({ "op": "add", "path": "members", "value": [{ "value": bob.person }] })).await;
    let mut live = house.engine.live(&bob, None).await.unwrap();
    assert!(finds(house, &bob, &hers).await);
    house
        .engine
        .delete_group(&directory, &team.id, &|_| true)
        .await
        .unwrap();
    while live.recv().await.is_some() {}
    assert!(!finds(house, &bob, &hers).await);
}

#[tokio::test]
async fn a_group_that_a_sign_in_says_shows_and_hides_like_any_other() {
    let town = Town::new().await;
    let house = &town.house;
    let boss = house.person("beta", "chief", Role::OrgAdmin).await;
    let by_groups = domain::policy::Policy {
        seeing: Some(domain::policy::Seeing::Groups),
        ..Default::default()
    };
    house
        .engine
        .save_policy(&boss, Some(&boss.org), by_groups, 0)
        .await
        .unwrap();
    let says =
        |email: &str, groups: Value| json!({ "org_id": "beta", "tier": "admin", "email": email, "groups": groups });
    let (_, ada) = town
        .signed_in("beta", "ada", says("ada@beta.test", json!(["/team"])))
        .await;
    // Admins see every session: whoever looks here is a developer.
    let as_developer = |groups: Value| json!({ "org_id": "beta", "email": "bob@beta.test", "groups": groups });
    let hers = house.open(&ada, "hers").await.session.id;
    let (_, bob) = town.signed_in("beta", "bob", as_developer(json!(["/team"]))).await;
    assert_eq!(bob.role, Role::Developer);
    let mut live = house.engine.live(&bob, None).await.unwrap();
    assert!(finds(house, &bob, &hers).await && hears(house, &mut live, &hers).await);
    town.signed_in("beta", "bob", as_developer(json!(["/others"]))).await;
    while live.recv().await.is_some() {}
    assert!(!finds(house, &bob, &hers).await, "from the sign-in on");
}
