//! The installation's health, for those who run it: what is not well comes first.

use super::FleetHead;
use crate::{
    fault::Fault,
    ui::{Bones, Complaint, Glyph, icon},
    words,
};
use domain::health::Fact;
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// How the installation is.
#[server(name = AskHealth, prefix = "/api/fn", endpoint = "fleet/health", input = GetUrl)]
pub async fn fleet_health() -> Result<Vec<Fact>, Fault> {
    crate::door::ask(async |engine, caller| engine.health(&caller).await).await
}

/// The page.
#[component]
#[must_use]
pub fn FleetHealthPage() -> impl IntoView {
    let facts = Resource::new(|| (), |()| fleet_health());
    view! {
        <div class="page">
            <FleetHead title="Health of the fleet" />
            <Suspense fallback=|| view! { <Bones rows=8 /> }>
                {move || Suspend::new(async move {
                    match facts.await {
                        Ok(facts) => view! { <Facts facts /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

#[component]
fn Facts(facts: Vec<Fact>) -> impl IntoView {
    let (well, ill): (Vec<_>, Vec<_>) = facts.into_iter().partition(|fact| fact.well);
    let head = match ill.len() as u64 {
        0 => "Everything is well".to_owned(),
        1 => "1 thing needs you".to_owned(),
        number => format!("{number} things need you"),
    };
    let class = if ill.is_empty() {
        "notice"
    } else {
        "notice notice-failed"
    };
    let glyph = if ill.is_empty() { Glyph::Check } else { Glyph::Warning };
    let line = |fact: Fact| {
        view! {
            <dt>{words::capital(&fact.name)}</dt>
            <dd>
                {(!fact.well).then(|| view! { <span class="tag tag-failed">"Look here"</span> " " })}
                {words::capital(&fact.said)}
            </dd>
        }
    };
    view! {
        <div class="stack">
            <div class=class role="status">
                {icon(glyph)}
                <div><p><strong>{head}</strong></p></div>
            </div>
            <section class="card card-body" aria-label="Facts">
                <dl class="facts">{ill.into_iter().chain(well).map(line).collect_view()}</dl>
            </section>
            <p class="meta">
                "For a probe: " <code>"/healthz"</code> ", " <code>"/readyz"</code> " and " <code>"/metrics"</code> "."
            </p>
        </div>
    }
}
