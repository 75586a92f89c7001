//! Who reads the page, and what every page needs to name things: asked for once, by the frame.

use crate::fault::Fault;
#[cfg(feature = "ssr")]
use domain::permit::{Reach, reach};
use domain::{Role, permit::Verb};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

/// Who reads the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    pub person: String,
    pub name: String,
    pub email: String,
    pub org: String,
    pub role: Role,
    /// The verbs this person has at all; what they may do to one thing is said beside the thing.
    pub may: Vec<Verb>,
    /// Whether an identity provider holds this login to less than the role may.
    pub narrowed: bool,
    /// The agents' names by their slugs, so that no page shows a slug.
    pub agents: Vec<(String, String)>,
}

impl Home {
    /// Whether the person has this verb at all.
    #[must_use]
    pub fn may(&self, verb: Verb) -> bool {
        self.may.contains(&verb)
    }

    /// The name of an agent; its slug where the catalogue no longer knows it.
    #[must_use]
    pub fn agent(&self, slug: &str) -> String {
        self.agents
            .iter()
            .find(|(known, _)| known == slug)
            .map_or_else(|| slug.to_owned(), |(_, label)| label.clone())
    }
}

/// The frame's question; in the context of every page.
#[derive(Clone, Copy)]
pub struct HomeAsked(pub Resource<Result<Home, Fault>>);

impl HomeAsked {
    /// Asks who reads, and puts the answer to come into the context.
    pub fn provide() -> Self {
        let asked = Self(Resource::new(|| (), |()| home()));
        provide_context(asked);
        asked
    }
}

/// The answer to the frame's question, for pages that need it.
pub async fn at_home() -> Result<Home, Fault> {
    expect_context::<HomeAsked>().0.await
}

/// Who asks, and how agents are called.
#[server(name = AskHome, prefix = "/api/fn", endpoint = "home", input = GetUrl)]
pub async fn home() -> Result<Home, Fault> {
    crate::door::ask(async |engine, caller| {
        // A login that its provider narrows may see less than every role does, and has a page that says so.
        let agents = match caller.reach(Verb::SeeAgents) {
            Reach::Nothing => Vec::new(),
            _ => engine.agents(&caller).await?,
        };
        let may: Vec<Verb> = Verb::ALL
            .into_iter()
            .filter(|verb| caller.reach(*verb) > Reach::Nothing)
            .collect();
        let of_role = |verb: &Verb| reach(caller.role, *verb) > Reach::Nothing;
        Ok(Home {
            narrowed: may.len() < Verb::ALL.iter().filter(|verb| of_role(verb)).count(),
            may,
            agents: agents
                .into_iter()
                .map(|view| (view.agent.slug, view.agent.label))
                .collect(),
            person: caller.person.as_str().to_owned(),
            name: caller.name,
            email: caller.email,
            org: caller.org.as_str().to_owned(),
            role: caller.role,
        })
    })
    .await
}

/// How a role is called on a page.
#[must_use]
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Viewer",
        Role::Developer => "Developer",
        Role::OrgAdmin => "Admin",
        Role::Owner => "Owner",
        Role::SuperAdmin => "Super-admin",
    }
}
