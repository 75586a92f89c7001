//! About this installation: what it is, how it is, where to read on.

use crate::{
    fault::Fault,
    ui::{Bones, Complaint, Head, Logo},
    words,
};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

/// Health and make of the installation, as facts in order.
#[server(prefix = "/api/fn", endpoint = "installation", input = GetUrl)]
pub async fn installation() -> Result<Vec<(String, String)>, Fault> {
    crate::door::ask(async |engine, caller| engine.installation(&caller).await).await
}

/// The page.
#[component]
#[must_use]
pub fn AboutPage() -> impl IntoView {
    let facts = Resource::new(|| (), |()| installation());
    view! {
        <div class="page page-narrow">
            <Head title="About" />
            <div class="stack stack-wide">
                <section class="card card-body about">
                    <Logo />
                    <div>
                        <h2>"Sandbox " {env!("CARGO_PKG_VERSION")}</h2>
                        <p class="soft">"A console for agents that live in terminals, on your own machine."</p>
                    </div>
                </section>
                <section aria-labelledby="health">
                    <div class="section-head">
                        <h2 id="health">"Health"</h2>
                    </div>
                    <Suspense fallback=|| view! { <Bones rows=4 /> }>
                        {move || Suspend::new(async move {
                            match facts.await {
                                Ok(facts) => {
                                    view! {
                                        <div class="card card-body">
                                            <dl class="facts">
                                                {facts
                                                    .into_iter()
                                                    .map(|(name, said)| view! { <dt>{words::capital(&name)}</dt> <dd>{words::capital(&said)}</dd> })
                                                    .collect_view()}
                                            </dl>
                                        </div>
                                    }
                                        .into_any()
                                }
                                Err(fault) => view! { <Complaint fault /> }.into_any(),
                            }
                        })}
                    </Suspense>
                </section>
                <section aria-labelledby="read">
                    <div class="section-head">
                        <h2 id="read">"Read on"</h2>
                    </div>
                    <ul role="list" class="card lines">
                        <li>
                            <a class="link grow" href="/docs/api" rel="external">"The REST API"</a>
                            <span class="meta">"OpenAPI 3.1"</span>
                        </li>
                        <li>
                            <a class="link grow" href="/healthz" rel="external">"Whether it is alive"</a>
                            <code>"/healthz"</code>
                        </li>
                        <li>
                            <a class="link grow" href="/readyz" rel="external">"Whether it answers"</a>
                            <code>"/readyz"</code>
                        </li>
                        <li>
                            <a class="link grow" href="/licences.txt" rel="external">"Licences"</a>
                            <span class="meta">"Apache-2.0, and what it is built of"</span>
                        </li>
                    </ul>
                </section>
            </div>
        </div>
    }
}
