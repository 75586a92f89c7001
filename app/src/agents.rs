//! Agents: what there is to open a session with, and what each still needs.

mod card;

use crate::{
    fault::Fault,
    home::at_home,
    live::{Live, Topic},
    ui::{Bones, Complaint, Head},
};
use card::{Acts, Card};
use domain::agent::View;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

#[cfg(feature = "ssr")]
use crate::door::{ask, land};

/// Every agent of the catalogue.
#[server(prefix = "/api/fn", endpoint = "agents/list", input = GetUrl)]
pub async fn list_agents() -> Result<Vec<View>, Fault> {
    ask(async |engine, caller| engine.agents(&caller).await).await
}

/// The end of an agent's last installation log.
#[server(prefix = "/api/fn", endpoint = "agents/log", input = GetUrl)]
pub async fn install_log(slug: String) -> Result<String, Fault> {
    ask(
        async move |engine, caller| match engine.install_log(&caller, &slug).await {
            // Before the first line there is no log, and that is nothing to refuse.
            Err(engine::Error::NotFound(_)) => Ok(String::new()),
            answer => answer,
        },
    )
    .await
}

/// Begins to install an agent.
#[server(prefix = "/api/fn", endpoint = "agents/install")]
pub async fn install_agent(slug: String) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.install_agent(&caller, &slug).await).await?;
    land("/agents");
    Ok(())
}

/// Removes an installed agent.
#[server(prefix = "/api/fn", endpoint = "agents/remove")]
pub async fn remove_agent(slug: String) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.remove_agent(&caller, &slug).await).await?;
    land("/agents");
    Ok(())
}

/// Switches an agent on or off, for the Organization or for the whole installation.
#[server(prefix = "/api/fn", endpoint = "agents/switch")]
pub async fn switch_agent(slug: String, enabled: bool, fleet: bool) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.switch_agent(&caller, &slug, enabled, fleet).await).await?;
    land("/agents");
    Ok(())
}

/// The page.
#[component]
#[must_use]
pub fn AgentsPage() -> impl IntoView {
    let agents = Resource::new(|| (), |()| list_agents());
    view! {
        <div class="page">
            <Head title="Agents" />
            <Transition fallback=|| view! { <Bones /> }>
                {move || Suspend::new(async move {
                    match (agents.await, at_home().await) {
                        (Ok(agents), Ok(home)) => {
                            let live = expect_context::<Live>();
                            let kept = RwSignal::new(agents);
                            live.follow(Topic::Agents, kept, list_agents);
                            let acts = Acts::new();
                            let home = StoredValue::new(home);
                            let slugs = move || kept.with(|all| all.iter().map(|view| view.agent.slug.clone()).collect::<Vec<_>>());
                            view! {
                                <p class="soft mb-4 max-w-prose">
                                    "An agent is a program that works in a session's terminal. Installed ones can be opened; each keeps its own version."
                                </p>
                                <ul role="list" class="agents">
                                    <For each=slugs key=|slug| slug.clone() let:slug>
                                        <Card slug kept home acts />
                                    </For>
                                </ul>
                            }
                                .into_any()
                        }
                        (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}
