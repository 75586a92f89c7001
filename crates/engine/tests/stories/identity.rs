//! People who come from identity providers: what providers say is scripted, what follows is real.

mod directory;
mod proof;
mod ways;

use crate::house::House;
use async_trait::async_trait;
use domain::{
    Caller, OrgId, Role,
    caller::Proof,
    claims::{Explained, Rules},
    member::{ListMembers, Status},
    org::Change,
};
use engine::{
    Arrived, Error, From,
    ports::{
        Answer, Begun, Clock as _, Proven, Provider, Providers, Refreshed, Refusal, SignedOut, Whom, no_such_provider,
    },
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Providers that say what they are told to.
#[derive(Default)]
pub(crate) struct Script {
    all: Mutex<Vec<Provider>>,
    /// What is said of whom at the next sign-in, and from then on.
    says: Mutex<(String, Value)>,
    /// Seconds until they are asked again.
    holds: Mutex<Option<i64>>,
    /// What the next refreshes come to.
    next: Mutex<Next>,
    /// The provider of which every refresh ends, whatever comes next.
    ends_of: Mutex<Option<String>>,
    asked: Mutex<u32>,
    now: Mutex<i64>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Next {
    #[default]
    Says,
    Ends,
    /// The next one ends, those after it do not.
    EndsOnce,
    IsSilent,
    Lies,
}

impl Script {
    /// Providers of these names, each of the whole installation or of one Organization alone; they say nothing yet.
    pub(crate) fn of(providers: &[(&str, Option<&str>)]) -> Arc<Self> {
        let provider = |&(id, org): &(&str, Option<&str>)| Provider {
            id: id.to_owned(),
            label: id.to_uppercase(),
            issuer: format!("https://{id}.example"),
            org: org.map(OrgId::new),
            rules: Rules::default(),
            trusts_email: false,
            trouble: None,
        };
        Arc::new(Self {
            all: Mutex::new(providers.iter().map(provider).collect()),
            ..Self::default()
        })
    }

    /// What is said of whom from now on.
    pub(crate) fn says(&self, subject: &str, claims: Value) {
        *self.says.lock().unwrap() = (subject.to_owned(), claims);
    }

    fn proven(&self) -> Proven {
        let (subject, claims) = self.says.lock().unwrap().clone();
        let now = domain::Timestamp::from_millis(*self.now.lock().unwrap());
        Proven {
            sid: Some(format!("session of {subject}")),
            subject,
            claims,
            kept: "kept".to_owned(),
            refresh_at: self.holds.lock().unwrap().map(|holds| now.plus_seconds(holds)),
        }
    }
}

#[async_trait]
impl Providers for Script {
    fn list(&self) -> Vec<Provider> {
        self.all.lock().unwrap().clone()
    }

    async fn begin(&self, provider: &str, state: &str, redirect: &str, _: Whom) -> anyhow::Result<Begun> {
        if !self.list().iter().any(|one| one.id == provider) {
            return Err(no_such_provider().into());
        }
        Ok(Begun {
            url: format!("{redirect}?state={state}"),
            sealed: "sealed".to_owned(),
        })
    }

    async fn complete(&self, _: &str, _: &str, _: &str, _: &Answer) -> anyhow::Result<Proven> {
        Ok(self.proven())
    }

    async fn refresh(&self, provider: &str, _: &str, _: &str) -> anyhow::Result<Refreshed> {
        *self.asked.lock().unwrap() += 1;
        if self.ends_of.lock().unwrap().as_deref() == Some(provider) {
            return Ok(Refreshed::Ended);
        }
        let next = *self.next.lock().unwrap();
        match next {
            Next::Says => Ok(Refreshed::Proven(Box::new(self.proven()))),
            Next::Ends => Ok(Refreshed::Ended),
            Next::EndsOnce => {
                *self.next.lock().unwrap() = Next::Says;
                Ok(Refreshed::Ended)
            }
            Next::IsSilent => Err(Refusal::Unavailable("no answer".to_owned()).into()),
            Next::Lies => Err(Refusal::Invalid("a lie".to_owned()).into()),
        }
    }

    async fn sign_out(&self, _: &str, subject: &str, _: &str, back: &str) -> anyhow::Result<Option<String>> {
        Ok(Some(format!("https://id.example/out?who={subject}&back={back}")))
    }

    async fn signed_out(&self, provider: &str, token: &str) -> anyhow::Result<SignedOut> {
        let (jti, who) = token.split_once(' ').expect("a scripted token");
        let (subject, sid) = match who.strip_prefix("session of ") {
            Some(_) => (None, Some(who.to_owned())),
            None => (Some(who.to_owned()), None),
        };
        let all = self.list();
        Ok(SignedOut {
            issuer: all.iter().find(|one| one.id == provider).expect("known").issuer.clone(),
            subject,
            sid,
            jti: jti.to_owned(),
            expires_at: domain::Timestamp::from_millis(i64::MAX / 2),
        })
    }
}

/// A house with the Organizations acme and beta, and the providers `all` (of everybody) and `beta` (of beta alone).
struct Town {
    house: House,
    script: Arc<Script>,
}

impl Town {
    async fn new() -> Self {
        Self::with(false).await
    }

    async fn with(single_tenant: bool) -> Self {
        let script = Script::of(&[("all", None), ("beta", Some("beta")), ("other", None)]);
        let house = House::with_providers(script.clone(), single_tenant).await;
        house.person("acme", "owner", Role::Owner).await;
        house.person("beta", "boss", Role::Owner).await;
        let town = Self { house, script };
        town.forward(0);
        town
    }

    fn forward(&self, seconds: i64) {
        self.house.clock.forward(seconds);
        *self.script.now.lock().unwrap() = self.house.clock.now().millis();
    }

    fn says(&self, subject: &str, mut claims: Value) {
        if claims.get("email").is_none() {
            claims["email"] = json!(format!("{subject}@id.example"));
        }
        self.script.says(subject, claims);
    }

    fn holds(&self, seconds: i64) {
        *self.script.holds.lock().unwrap() = Some(seconds);
    }

    fn next(&self, next: Next) {
        *self.script.next.lock().unwrap() = next;
    }

    fn script_ends_of(&self, provider: &str) {
        *self.script.ends_of.lock().unwrap() = Some(provider.to_owned());
    }

    fn asked(&self) -> u32 {
        *self.script.asked.lock().unwrap()
    }

    async fn arrives(&self, provider: &str, subject: &str, claims: Value) -> Result<Arrived, Error> {
        self.says(subject, claims);
        let begun = self
            .house
            .engine
            .begin_sign_in(provider, "/next", "https://here/back")
            .await?;
        let (_, state) = begun.url.split_once("?state=").expect("a state");
        self.house
            .engine
            .finish_sign_in(
                provider,
                state,
                Some(&begun.browser),
                &Answer::default(),
                None,
                &From::default(),
            )
            .await
    }

    async fn signed_in(&self, provider: &str, subject: &str, claims: Value) -> (String, Caller) {
        match self.arrives(provider, subject, claims).await.expect("signed in") {
            Arrived::SignedIn { signed_in, .. } => (signed_in.cookie, signed_in.caller),
            Arrived::Proposed(_) => panic!("nobody links anything"),
        }
    }

    async fn caller(&self, cookie: &str) -> Option<Caller> {
        self.house.engine.caller_of_cookie(cookie).await.expect("an answer")
    }

    async fn refused(&self, provider: &str, subject: &str, claims: Value) -> (u16, String) {
        let error = self.arrives(provider, subject, claims).await.err().expect("refused");
        (error.status(), error.problem().detail)
    }
}

#[tokio::test]
async fn a_first_sign_in_gives_a_seat_and_the_next_finds_the_same_person() {
    let town = Town::new().await;
    let (_, ada) = town
        .signed_in(
            "all",
            "ada",
            json!({ "org_id": "acme", "name": "Ada", "groups": ["/acme/admins"] }),
        )
        .await;
    assert_eq!(
        (ada.org.as_str(), ada.role, ada.name.as_str()),
        ("acme", Role::OrgAdmin, "Ada")
    );
    let (_, again) = town
        .signed_in("all", "ada", json!({ "org_id": "acme", "email": "new@id.example" }))
        .await;
    assert_eq!(again.person, ada.person);
    assert_eq!(
        (again.role, again.email.as_str()),
        (Role::OrgAdmin, "new@id.example"),
        "no rule says another role"
    );
    let seat = town.house.engine.seat(&ada, &ada.org, &ada.person).await.unwrap();
    assert_eq!((seat.email.as_str(), seat.status), ("new@id.example", Status::Active));
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked_at_its_provider_and_in_time() {
    let town = Town::new().await;
    town.says("ada", json!({ "org_id": "acme" }));
    let engine = &town.house.engine;
    let begin = async || {
        let begun = engine.begin_sign_in("all", "/next", "https://here/back").await.unwrap();
        let state = begun.url.split_once("?state=").expect("a state").1.to_owned();
        (state, begun.browser)
    };
    let finish = async |provider: &str, state: &str, browser: Option<&str>| {
        engine
            .finish_sign_in(provider, state, browser, &Answer::default(), None, &From::default())
            .await
            .is_ok()
    };
    let (state, browser) = begin().await;
    assert!(finish("all", &state, Some(&browser)).await);
    assert!(!finish("all", &state, Some(&browser)).await, "used up");
    let (state, _) = begin().await;
    let (_, other_browser) = begin().await;
    assert!(!finish("all", &state, Some(&other_browser)).await, "another browser");
    let (state, browser) = begin().await;
    assert!(!finish("all", &state, None).await, "no browser at all");
    assert!(
        !finish("all", &state, Some(&browser)).await,
        "and used up by the attempt"
    );
    let (state, browser) = begin().await;
    assert!(
        !finish("other", &state, Some(&browser)).await,
        "another provider's address"
    );
    let (state, browser) = begin().await;
    town.forward(601);
    assert!(!finish("all", &state, Some(&browser)).await, "too late");
    assert!(!finish("all", "", Some(&browser)).await);
    assert!(!finish("all", "guess", Some(&browser)).await);
}

#[tokio::test]
async fn who_has_no_organization_is_told_what_is_missing_and_becomes_nobody() {
    let town = Town::new().await;
    let (status, said) = town.refused("all", "eve", json!({ "groups": ["/marketing"] })).await;
    assert!(status == 403 && said.contains("`org_id` or `org`"), "{said}");
    let (status, said) = town.refused("all", "eve", json!({ "org_id": "nobody" })).await;
    assert!(status == 403 && said.contains("nobody"), "{said}");
    let (status, said) = town
        .refused("all", "eve", json!({ "org_id": "acme", "email": "no address" }))
        .await;
    assert!(status == 403 && said.contains("`email`"), "{said}");
    assert_eq!(
        town.house
            .store
            .find_identity("https://all.example", "eve")
            .await
            .unwrap(),
        None
    );
    assert_eq!(town.refused("nobody", "eve", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_single_tenant_takes_everybody_whom_its_provider_knows() {
    let town = Town::with(true).await;
    let (_, ada) = town.signed_in("all", "ada", json!({})).await;
    assert_eq!((ada.org.as_str(), ada.role), ("local", Role::Developer));
}

#[tokio::test]
async fn without_a_seat_left_nobody_new_comes_in_and_those_who_sit_stay() {
    let town = Town::new().await;
    let admin = town.house.person("local", "root", Role::SuperAdmin).await;
    let acme = OrgId::new("acme");
    let seats = |seats| Change {
        seats: Some(Some(seats)),
        ..Change::default()
    };
    town.house.engine.change_org(&admin, &acme, &seats(2)).await.unwrap();
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (status, said) = town.refused("all", "bob", json!({ "org_id": "acme" })).await;
    assert!(status == 409 && said.contains("All 2 seats"), "{said}");
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    town.house.engine.change_org(&admin, &acme, &seats(3)).await.unwrap();
    town.signed_in("all", "bob", json!({ "org_id": "acme" })).await;
}

#[tokio::test]
async fn an_address_takes_nobody_over() {
    let town = Town::new().await;
    let owner = json!({ "org_id": "acme", "email": "owner@example.org", "email_verified": true });
    let (_, thief) = town.signed_in("all", "thief", owner.clone()).await;
    let (_, other) = town.signed_in("other", "thief", owner).await;
    let real = town.house.person("acme", "owner", Role::Owner).await;
    assert!(thief.person != real.person && other.person != real.person && thief.person != other.person);
    assert_eq!((thief.role, other.role), (Role::Developer, Role::Developer));
    // A link for the address is still the owner's.
    let link = town
        .house
        .engine
        .sign_in_link(Some("owner@example.org"), None)
        .await
        .unwrap();
    let signed_in = town.house.engine.sign_in(&link.secret, &From::default()).await.unwrap();
    assert_eq!(signed_in.caller.person, real.person);
}

#[tokio::test]
async fn a_trusted_provider_finds_a_member_by_a_verified_address_alone() {
    let town = Town::new().await;
    for provider in town.script.all.lock().unwrap().iter_mut() {
        provider.trusts_email = true;
    }
    let real = town.house.person("acme", "owner", Role::Owner).await;
    for unverified in [json!(false), json!("true"), json!(null)] {
        let claims = json!({ "org_id": "acme", "email": "owner@example.org", "email_verified": unverified });
        let (_, other) = town.signed_in("all", &format!("not {unverified}"), claims).await;
        assert_ne!(other.person, real.person, "{unverified}");
    }
    let verified = json!({ "org_id": "acme", "email": "owner@example.org", "email_verified": true });
    let (_, same) = town.signed_in("all", "really", verified).await;
    assert_eq!((same.person, same.role), (real.person, Role::Owner));
    // Nobody runs the installation through a provider of one Organization.
    let root = town.house.person("beta", "root", Role::SuperAdmin).await;
    let verified = json!({ "email": "root@example.org", "email_verified": true });
    let (_, other) = town.signed_in("beta", "root", verified).await;
    assert!(other.person != root.person && other.role == Role::Developer);
    // Somebody who also sits elsewhere is not reached through a provider of one Organization.
    let boss = town.house.person("beta", "boss", Role::Owner).await;
    let link = town
        .house
        .engine
        .sign_in_link(Some("boss@example.org"), None)
        .await
        .unwrap();
    let at_home = town
        .house
        .engine
        .sign_in(&link.secret, &From::default())
        .await
        .unwrap()
        .caller;
    let owner = town.house.person("acme", "owner", Role::Owner).await;
    let invite =
        serde_json::from_value(json!({ "email": "boss@example.org", "role": "developer", "limits": {} })).unwrap();
    let invited = town.house.engine.invite(&owner, &owner.org, invite).await.unwrap();
    town.house.engine.join_too(&at_home, &invited.secret).await.unwrap();
    let verified = json!({ "email": "boss@example.org", "email_verified": true });
    let (_, stranger) = town.signed_in("beta", "boss", verified).await;
    assert_ne!(stranger.person, boss.person);
}

#[tokio::test]
async fn an_identity_is_linked_by_whoever_runs_the_machine_and_only_while_it_is_nobodys() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    let owner = engine
        .add_member("acme", "owner@example.org", "owner", Role::Owner)
        .await
        .unwrap();
    engine
        .link_identity(&owner, "https://all.example", "o-1")
        .await
        .unwrap();
    engine
        .link_identity(&owner, "https://all.example", "o-1")
        .await
        .unwrap();
    let (_, same) = town.signed_in("all", "o-1", json!({ "org_id": "acme" })).await;
    assert_eq!((same.person, same.role), (owner.person.clone(), Role::Owner));
    town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let taken = engine.link_identity(&owner, "https://all.example", "ada").await;
    assert!(matches!(taken, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_seat_that_was_disabled_here_stays_disabled() {
    let town = Town::new().await;
    let owner = town.house.person("acme", "owner", Role::Owner).await;
    let (cookie, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let disable = engine_change(json!({ "status": "disabled" }));
    town.house
        .engine
        .change_seat(&owner, &owner.org, &ada.person, disable)
        .await
        .unwrap();
    assert!(town.caller(&cookie).await.is_none());
    let (status, said) = town.refused("all", "ada", json!({ "org_id": "acme" })).await;
    assert!(status == 403 && said.contains("disabled"), "{said}");
}

/// A change of a seat, as a door reads it.
fn engine_change<T: serde::de::DeserializeOwned>(change: Value) -> T {
    serde_json::from_value(change).unwrap()
}

#[tokio::test]
async fn a_refresh_tells_roles_and_groups_anew() {
    let town = Town::new().await;
    town.holds(300);
    let (cookie, ada) = town
        .signed_in("all", "ada", json!({ "org_id": "acme", "groups": ["/acme/admins"] }))
        .await;
    town.says("ada", json!({ "org_id": "acme", "groups": ["/acme/viewers"] }));
    town.forward(299);
    assert_eq!(town.caller(&cookie).await.expect("in").role, Role::OrgAdmin);
    assert_eq!(town.asked(), 0);
    town.forward(1);
    assert_eq!(town.caller(&cookie).await.expect("in").role, Role::Viewer);
    assert_eq!(town.caller(&cookie).await.expect("in").person, ada.person);
    assert_eq!(town.asked(), 1, "and not again before it is due");
}

#[tokio::test]
async fn of_many_requests_at_once_one_asks_the_provider() {
    let town = Town::new().await;
    town.holds(300);
    let (cookie, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    town.forward(300);
    let all = (0..20).map(|_| town.caller(&cookie));
    let all = futures::future::join_all(all).await;
    assert!(all.iter().all(Option::is_some));
    assert_eq!(town.asked(), 1);
}

#[tokio::test]
async fn what_ended_at_the_provider_ends_here() {
    let town = Town::new().await;
    town.holds(300);
    for next in [Next::Ends, Next::Lies] {
        town.next(Next::Says);
        let (cookie, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
        town.forward(300);
        town.next(next);
        assert!(town.caller(&cookie).await.is_none());
        town.next(Next::Says);
        assert!(town.caller(&cookie).await.is_none(), "for good");
    }
}

#[tokio::test]
async fn a_provider_that_is_silent_is_waited_for_and_then_not_any_more() {
    let town = Town::new().await;
    town.holds(300);
    let (cookie, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    town.forward(300);
    town.next(Next::IsSilent);
    assert!(town.caller(&cookie).await.is_some());
    assert!(town.caller(&cookie).await.is_some());
    assert_eq!(town.asked(), 1, "it is not asked by every request");
    town.forward(899);
    assert!(town.caller(&cookie).await.is_some());
    town.forward(1);
    assert!(town.caller(&cookie).await.is_none(), "a quarter of an hour is enough");
    town.next(Next::Says);
    town.forward(60);
    assert!(
        town.caller(&cookie).await.is_some(),
        "it answers again: nothing was lost"
    );
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_again_is_believed_for_a_working_day() {
    let town = Town::new().await;
    let (cookie, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    town.next(Next::Ends);
    town.forward(8 * 3600 - 1);
    assert!(town.caller(&cookie).await.is_some());
    town.forward(1);
    assert!(town.caller(&cookie).await.is_none());
}

#[tokio::test]
async fn an_organization_that_the_provider_names_no_more_is_left() {
    let town = Town::new().await;
    town.holds(300);
    let both = json!({ "org_id": "acme", "groups": ["/beta/developers"] });
    let (cookie, ada) = town.signed_in("all", "ada", both).await;
    let orgs = town.house.engine.memberships(&ada).await.unwrap();
    assert_eq!(orgs.len(), 2);
    let session = town.house.open(&ada, "work").await.session.id;
    let token = town
        .house
        .engine
        .mint_token(&ada, engine_change(json!({ "name": "ci" })))
        .await
        .unwrap();
    town.says("ada", json!({ "org_id": "beta" }));
    town.forward(300);
    assert!(
        town.caller(&cookie).await.is_none(),
        "the browser was in the Organization that is left"
    );
    assert!(
        town.house
            .engine
            .caller_of_token(&token.secret)
            .await
            .unwrap()
            .is_none()
    );
    let owner = town.house.person("acme", "owner", Role::Owner).await;
    let seat = town.house.engine.seat(&owner, &owner.org, &ada.person).await.unwrap();
    assert_eq!(seat.status, Status::Left);
    let view = town.house.engine.show(&owner, &session).await.unwrap();
    assert_eq!(
        view.session.phase,
        domain::session::Phase::Suspended,
        "it sleeps, and is not lost"
    );
    // Back again, with the same seat.
    let (_, again) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    assert_eq!(again.person, ada.person);
}

#[tokio::test]
async fn a_seat_that_no_provider_gave_none_takes_away() {
    let town = Town::new().await;
    town.holds(300);
    let (cookie, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let boss = town.house.person("beta", "boss", Role::Owner).await;
    let invite = engine_change(json!({ "email": "ada@id.example", "role": "developer", "limits": {} }));
    let invited = town.house.engine.invite(&boss, &boss.org, invite).await.unwrap();
    town.house.engine.join_too(&ada, &invited.secret).await.unwrap();
    town.house.engine.switch(&ada, &boss.org).await.unwrap();
    town.forward(300);
    let ada = town.caller(&cookie).await.expect("in");
    assert_eq!(ada.org.as_str(), "beta");
    assert_eq!(town.house.engine.memberships(&ada).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_last_owner_stays_one_whatever_the_provider_says() {
    let town = Town::new().await;
    town.holds(300);
    let (_, ada) = town
        .signed_in("all", "ada", json!({ "org_id": "beta", "tier": "owner" }))
        .await;
    let boss = town.house.person("beta", "boss", Role::Owner).await;
    let leave = domain::member::Leaving::Archive;
    town.house
        .engine
        .remove_member(&ada, &ada.org, &boss.person, &leave)
        .await
        .unwrap();
    let (cookie, ada) = town
        .signed_in("all", "ada", json!({ "org_id": "beta", "tier": "viewer" }))
        .await;
    assert_eq!(ada.role, Role::Owner);
    town.says("ada", json!({ "org_id": "nobody" }));
    town.forward(300);
    assert!(
        town.caller(&cookie).await.is_none(),
        "the seat stays, and nobody is in by it"
    );
    let admin = town.house.person("local", "root", Role::SuperAdmin).await;
    let seats = town
        .house
        .engine
        .members(&admin, &OrgId::new("beta"), &ListMembers::default())
        .await
        .unwrap();
    assert_eq!(seats.items.len(), 1);
}

#[tokio::test]
async fn a_provider_of_one_organization_lets_nobody_into_another() {
    let town = Town::new().await;
    let (_, ada) = town
        .signed_in(
            "beta",
            "ada",
            json!({ "role": "superadmin", "groups": ["/acme/admins"] }),
        )
        .await;
    assert_eq!((ada.org.as_str(), ada.role), ("beta", Role::Owner));
    assert_eq!(town.refused("beta", "eve", json!({ "org_id": "acme" })).await.0, 403);
    let owner = town.house.person("acme", "owner", Role::Owner).await;
    let invite = engine_change(json!({ "email": "ada@id.example", "role": "developer", "limits": {} }));
    let invited = town.house.engine.invite(&owner, &owner.org, invite).await.unwrap();
    town.house.engine.join_too(&ada, &invited.secret).await.unwrap();
    assert_eq!(town.house.engine.memberships(&ada).await.unwrap().len(), 1);
    let switched = town.house.engine.switch(&ada, &owner.org).await;
    assert!(matches!(switched, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn a_word_of_the_provider_ends_its_session_or_all_of_a_person_and_is_heard_once() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    let (ada, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (ada_too, _) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (bob, _) = town.signed_in("all", "bob", json!({ "org_id": "acme" })).await;
    let (other, _) = town.signed_in("other", "bob", json!({ "org_id": "acme" })).await;
    engine.signed_out_by_provider("all", "j1 ada").await.unwrap();
    assert!(town.caller(&ada).await.is_none() && town.caller(&ada_too).await.is_none());
    assert!(town.caller(&bob).await.is_some());
    let replayed = engine.signed_out_by_provider("all", "j1 bob").await;
    assert!(matches!(replayed, Err(Error::Invalid(_))), "one token is heard once");
    engine.signed_out_by_provider("all", "j2 session of bob").await.unwrap();
    assert!(town.caller(&bob).await.is_none());
    assert!(
        town.caller(&other).await.is_some(),
        "another issuer's bob is another person"
    );
}

#[tokio::test]
async fn signing_out_leads_to_the_provider_and_ends_the_login_here_first() {
    let town = Town::new().await;
    let (cookie, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let there = town.house.engine.leave(&ada, "https://here/sign-in").await.unwrap();
    assert_eq!(
        there.as_deref(),
        Some("https://id.example/out?who=ada&back=https://here/sign-in")
    );
    assert!(town.caller(&cookie).await.is_none());
    let owner = town.house.person("acme", "owner", Role::Owner).await;
    assert_eq!(
        town.house.engine.leave(&owner, "https://here/sign-in").await.unwrap(),
        None
    );
}

#[tokio::test]
async fn access_is_explained_and_a_pasted_token_tells_nothing_of_other_organizations() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    let (_, ada) = town
        .signed_in("all", "ada", json!({ "org_id": "acme", "tier": "admin" }))
        .await;
    let mine = engine.my_claims(&ada).await.unwrap().expect("from a provider");
    assert!(
        mine.mapped
            .reasons
            .iter()
            .any(|reason| reason.effect == "org-admin in acme")
    );
    let effects = |explained: Explained| {
        explained
            .mapped
            .reasons
            .into_iter()
            .map(|reason| reason.effect)
            .collect::<Vec<_>>()
    };
    let paste = async |caller: &Caller, org: &str| {
        let text = json!({ "org_id": org, "role": "superadmin" }).to_string();
        effects(engine.explain(caller, "all", &text).await.unwrap())
    };
    assert_eq!(paste(&ada, "acme").await, ["a seat in acme", "super-admin in acme"]);
    let told = |org: &str, effects: Vec<String>| effects.join(" ").replace(org, "ORG");
    assert_eq!(
        told("beta", paste(&ada, "beta").await),
        told("zeta", paste(&ada, "zeta").await),
        "one that exists looks like one that does not"
    );
    let admin = town.house.person("local", "root", Role::SuperAdmin).await;
    assert_eq!(paste(&admin, "beta").await, ["a seat in beta", "super-admin in beta"]);
    let again = town.house.engine.memberships(&ada).await.unwrap();
    assert_eq!(again.len(), 1, "nothing follows from a pasted token");
    assert!(matches!(
        engine.explain(&ada, "all", "rubbish").await,
        Err(Error::Invalid(_))
    ));
    assert!(engine.my_claims(&admin).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_of_another_of_ones_organizations_is_found_and_of_nobody_elses() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    let both = json!({ "org_id": "acme", "groups": ["/beta/developers"] });
    let (cookie, ada) = town.signed_in("all", "ada", both).await;
    let session = town.house.open(&ada, "work").await.session.id;
    assert_eq!(
        engine.session_elsewhere(&ada, &session).await.unwrap(),
        None,
        "it is here"
    );
    engine.switch(&ada, &OrgId::new("beta")).await.unwrap();
    let there = town.caller(&cookie).await.expect("in");
    assert_eq!(
        engine
            .session_elsewhere(&there, &session)
            .await
            .unwrap()
            .expect("there")
            .id
            .as_str(),
        "acme"
    );
    let boss = town.house.person("beta", "boss", Role::Owner).await;
    assert_eq!(engine.session_elsewhere(&boss, &session).await.unwrap(), None);
    // A colleague to whom it is private is told nothing either.
    let (_, bob) = town
        .signed_in(
            "all",
            "bob",
            json!({ "org_id": "beta", "groups": ["/acme/developers"] }),
        )
        .await;
    assert!(matches!(bob.proof, Proof::Login { .. }) && bob.org.as_str() == "beta");
    assert_eq!(engine.session_elsewhere(&bob, &session).await.unwrap(), None);
}
