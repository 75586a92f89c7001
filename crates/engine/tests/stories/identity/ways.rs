//! Ways to sign in, linked and unlinked by whom they belong to; and what a provider holds a login to.

use super::*;
use domain::{
    id::LoginId,
    way::{Proposal, Ways},
};
use engine::SignedIn;

impl Town {
    /// Comes back from a provider to a login that wants to link what is proven there.
    async fn proposed(&self, me: &Caller, provider: &str, subject: &str) -> Result<Proposal, Error> {
        self.proposed_to(me, Some(me), provider, subject).await
    }

    async fn proposed_to(
        &self,
        begins: &Caller,
        comes: Option<&Caller>,
        provider: &str,
        subject: &str,
    ) -> Result<Proposal, Error> {
        self.says(subject, json!({ "org_id": "acme" }));
        let engine = &self.house.engine;
        let begun = engine.begin_link(begins, provider, "https://here/back").await?;
        let (_, state) = begun.url.split_once("?state=").expect("a state");
        let (browser, answer, from) = (Some(begun.browser.as_str()), Answer::default(), From::default());
        match engine
            .finish_sign_in(provider, state, browser, &answer, comes, &from)
            .await?
        {
            Arrived::Proposed(proposal) => Ok(proposal),
            Arrived::SignedIn { .. } => panic!("whoever links is not signed in anew"),
        }
    }

    async fn links(&self, me: &Caller, provider: &str, subject: &str) -> Result<(), Error> {
        let proposal = self.proposed(me, provider, subject).await?;
        self.house.engine.confirm_link(me, &proposal.secret).await
    }

    async fn ways(&self, me: &Caller) -> Ways {
        self.house.engine.ways(me).await.expect("ways")
    }
}

fn code<T>(answer: Result<T, Error>) -> String {
    answer.err().expect("refused").problem().code
}

#[tokio::test]
async fn what_is_linked_signs_the_same_person_in_and_nothing_before_they_say_so() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let proposal = town.proposed(&ada, "other", "ada.other").await.expect("proposed");
    assert_eq!(
        (proposal.label.as_str(), proposal.shown.as_str()),
        ("OTHER", "ada.other@id.example")
    );
    assert_eq!(town.ways(&ada).await.ways.len(), 1, "not yet");
    // Neither a second browser of hers nor somebody else can say so, and she can once.
    let (_, second) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (_, eve) = town.signed_in("all", "eve", json!({ "org_id": "acme" })).await;
    for other in [&second, &eve] {
        assert_eq!(
            code(engine.confirm_link(other, &proposal.secret).await),
            "nothing-to-link"
        );
    }
    engine.confirm_link(&ada, &proposal.secret).await.expect("linked");
    assert_eq!(
        code(engine.confirm_link(&ada, &proposal.secret).await),
        "nothing-to-link"
    );
    let (_, same) = town.signed_in("other", "ada.other", json!({ "org_id": "acme" })).await;
    assert_eq!(same.person, ada.person);
    let ways = town.ways(&ada).await;
    let shown: Vec<_> = ways.ways.iter().map(|way| (way.label.as_str(), way.current)).collect();
    assert_eq!(shown, [("ALL", true), ("OTHER", false)]);
    assert!(!ways.by_link && ways.refused.is_none());
    let entries = town.house.audit(&ada.org).await;
    let linked = entries
        .iter()
        .find(|entry| entry.action == "identity.linked")
        .expect("told");
    assert_eq!(linked.detail["subject"], "ada.other");
    assert!(!format!("{entries:?}").contains(&proposal.secret));
}

#[tokio::test]
async fn an_answer_counts_only_for_the_login_that_began_to_link_and_only_in_time() {
    let town = Town::new().await;
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (_, eve) = town.signed_in("all", "eve", json!({ "org_id": "acme" })).await;
    for comes in [None, Some(&eve)] {
        let refused = town.proposed_to(&ada, comes, "other", "x").await;
        assert_eq!(code(refused), "unknown-sign-in");
    }
    let proposal = town.proposed(&ada, "other", "x").await.expect("proposed");
    town.forward(domain::way::PROPOSAL_SECONDS);
    let late = town.house.engine.confirm_link(&ada, &proposal.secret).await;
    assert_eq!(code(late), "nothing-to-link");
}

#[tokio::test]
async fn what_is_somebody_elses_is_refused_and_nobody_is_told_whose() {
    let town = Town::new().await;
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let (_, bob) = town.signed_in("other", "bob", json!({ "org_id": "beta" })).await;
    let refused = town.links(&ada, "other", "bob").await.expect_err("taken");
    let problem = refused.problem();
    assert_eq!(problem.code, "identity-taken");
    assert!(
        !problem.detail.contains("bob")
            && !problem.detail.contains("beta")
            && !problem.detail.contains(bob.person.as_str()),
        "{problem:?}"
    );
    assert_eq!(code(town.links(&ada, "all", "ada").await), "already-linked");
    // It becomes somebody's while it waits.
    let proposal = town.proposed(&ada, "other", "cid").await.expect("proposed");
    town.signed_in("other", "cid", json!({ "org_id": "beta" })).await;
    assert_eq!(
        code(town.house.engine.confirm_link(&ada, &proposal.secret).await),
        "identity-taken"
    );
    let (_, cid) = town.signed_in("other", "cid", json!({ "org_id": "beta" })).await;
    assert_ne!(cid.person, ada.person);
}

#[tokio::test]
async fn what_is_unlinked_ends_its_logins_and_the_last_way_and_the_one_behind_a_seat_stay() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    let (mine, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    let only = town.ways(&ada).await.ways.remove(0);
    assert!(only.stays.is_some_and(|why| why.contains("only way")));
    assert_eq!(code(engine.unlink(&ada, &only.id).await), "last-way");
    // Somebody else who knows its name unlinks nothing.
    let (_, eve) = town.signed_in("all", "eve", json!({ "org_id": "acme" })).await;
    engine.unlink(&eve, &only.id).await.expect("nothing of hers");
    town.links(&ada, "other", "ada.other").await.expect("linked");
    // The seat still comes from the first alone.
    assert_eq!(code(engine.unlink(&ada, &only.id).await), "last-way");
    let (other, _) = town.signed_in("other", "ada.other", json!({ "org_id": "acme" })).await;
    let ways = town.ways(&ada).await.ways;
    assert!(ways.iter().all(|way| way.stays.is_none()), "{ways:?}");
    engine.unlink(&ada, &ways[1].id).await.expect("unlinked");
    assert!(town.caller(&other).await.is_none(), "it ended what came by it");
    assert!(town.caller(&mine).await.is_some());
    let (_, new) = town.signed_in("other", "ada.other", json!({ "org_id": "beta" })).await;
    assert_ne!(new.person, ada.person, "it is nobody's again");
    let entries = town.house.audit(&ada.org).await;
    assert!(entries.iter().any(|entry| entry.action == "identity.unlinked"));
}

#[tokio::test]
async fn a_provider_of_one_organization_gets_nobody_further_than_there() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    // Who has no seat there, and who runs the installation, is not to be signed in by it.
    let (_, ada) = town.signed_in("all", "ada", json!({ "org_id": "acme" })).await;
    assert_eq!(code(engine.begin_link(&ada, "beta", "https://here").await), "forbidden");
    let root: SignedIn = town.house.browser(&town.house.root().await).await;
    assert_eq!(
        code(engine.begin_link(&root.caller, "beta", "https://here").await),
        "forbidden"
    );
    // By it nobody gets a way that leads further, or reaches one that does.
    let (_, dan) = town
        .signed_in(
            "all",
            "dan",
            json!({ "org_id": "acme", "groups": ["/beta/developers"] }),
        )
        .await;
    town.links(&dan, "beta", "dan.beta").await.expect("linked");
    let (_, there) = town.signed_in("beta", "dan.beta", json!({ "org_id": "beta" })).await;
    assert_eq!((&there.person, there.org.as_str()), (&dan.person, "beta"));
    let seen = town.ways(&there).await;
    assert_eq!(seen.ways.len(), 1, "{seen:?}");
    assert_eq!(seen.offered, [("beta".to_owned(), "BETA".to_owned())]);
    assert_eq!(
        code(engine.begin_link(&there, "other", "https://here").await),
        "forbidden"
    );
    let all = town.ways(&dan).await.ways;
    assert_eq!(all.len(), 2);
    engine.unlink(&there, &all[0].id).await.expect("not there for it");
    assert_eq!(town.ways(&dan).await.ways.len(), 2);
    // Which provider of another Organization knows somebody is written there.
    let acme = town.house.audit(&OrgId::new("acme")).await;
    assert!(!acme.iter().any(|entry| entry.action == "identity.linked"));
    let beta = town.house.audit(&OrgId::new("beta")).await;
    assert!(beta.iter().any(|entry| entry.action == "identity.linked"));
}

#[tokio::test]
async fn a_login_does_no_more_than_its_claim_lists_and_follows_it() {
    let town = Town::new().await;
    let engine = &town.house.engine;
    town.holds(300);
    let says = |list: Value| json!({ "org_id": "acme", "tier": "admin", "capabilities": list });
    let (cookie, ada) = town
        .signed_in("all", "ada", says(json!(["sandbox.session.see", "catalyst.app.*"])))
        .await;
    assert_eq!(
        (ada.role, ada.capabilities()),
        (Role::OrgAdmin, vec!["sandbox.session.see".to_owned()])
    );
    let ada = town.caller(&cookie).await.expect("in");
    assert_eq!(ada.capabilities(), ["sandbox.session.see"], "the next request too");
    assert!(matches!(
        engine.members(&ada, &ada.org, &ListMembers::default()).await,
        Err(Error::Forbidden(_))
    ));
    let mint = domain::token::Mint {
        name: "ci".to_owned(),
        ..Default::default()
    };
    assert!(engine.mint_token(&ada, mint).await.is_err());
    assert!(matches!(
        engine.begin_link(&ada, "other", "https://here").await,
        Err(Error::Forbidden(_))
    ));
    // The one thing that it may ask in any case: why.
    let why = engine.my_claims(&ada).await.unwrap().expect("from a provider").mapped;
    let narrowed = why
        .reasons
        .iter()
        .find(|reason| reason.claim == "capabilities" && reason.effect.starts_with("narrowed"));
    assert!(
        narrowed.expect("said").effect.contains("sandbox.session.see"),
        "{why:?}"
    );
    // A login that could link and is narrowed would get one that may more.
    let (_, more) = town.signed_in("all", "ada", says(json!(["sandbox.login.*"]))).await;
    assert_eq!(
        code(engine.begin_link(&more, "other", "https://here").await),
        "forbidden"
    );
    assert!(town.ways(&more).await.refused.is_some());
    // What the provider says at the next refresh holds from then on, and ends what was attached by the old word.
    let whole = Caller {
        proof: Proof::login(LoginId::new("whole")),
        ..ada.clone()
    };
    let mut of_sessions = whole.capabilities();
    of_sessions.retain(|name| name.starts_with("sandbox.session."));
    assert!(of_sessions.len() > 1);
    for (list, held_to) in [(json!(["sandbox.session.*"]), of_sessions), (json!([]), Vec::new())] {
        town.says("ada", says(list));
        town.forward(300);
        assert_eq!(town.caller(&cookie).await.expect("in").capabilities(), held_to);
    }
    town.says("ada", json!({ "org_id": "acme", "tier": "admin" }));
    town.forward(300);
    let ada = town.caller(&cookie).await.expect("in");
    assert_eq!(
        ada.capabilities(),
        whole.capabilities(),
        "the claim is not there any more"
    );
}
