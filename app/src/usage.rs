//! Usage and quota: what runs, what was used, how much is left. Charts are drawn by the server.

mod chart;
mod more;
mod shares;

use crate::{
    fault::Fault,
    home::at_home,
    live::{Live, Topic},
    ui::{Bones, Complaint, Meter},
    words,
};
use chart::Chart;
use domain::{host::Dimension, permit::Verb, quota::Standing, usage::Usage};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos_router::hooks::use_query_map;
use more::More;
use shares::Shares;

/// The ranges that are offered, in days.
const RANGES: [(i64, &str); 3] = [(1, "24 hours"), (7, "7 days"), (30, "30 days")];
const DEFAULT_DAYS: i64 = 7;

/// The reader's quota beside what is used of it.
#[server(name = AskStanding, prefix = "/api/fn", endpoint = "quota", input = GetUrl)]
pub async fn standing() -> Result<Standing, Fault> {
    crate::door::ask(async |engine, caller| engine.standing(&caller).await).await
}

/// What the reader used in the last days.
#[server(name = AskUsage, prefix = "/api/fn", endpoint = "usage", input = GetUrl)]
pub async fn usage(days: i64) -> Result<Usage, Fault> {
    crate::door::ask(async move |engine, caller| engine.usage(&caller, days).await).await
}

/// `2 of 3 sessions are running.`
#[must_use]
pub fn sessions_hint(standing: &Standing) -> String {
    let live = standing.live_sessions;
    match standing.quota.concurrent_sessions {
        Some(limit) => format!("{live} of {} running.", words::count(limit, "session")),
        None => format!("{} running.", words::count(live, "session")),
    }
}

/// What to do, where no more sessions may run.
#[must_use]
pub fn sessions_full(standing: &Standing) -> Option<String> {
    let limit = standing
        .quota
        .concurrent_sessions
        .filter(|limit| standing.live_sessions >= *limit)?;
    let whom = if standing.raised_by.is_empty() {
        "an admin".to_owned()
    } else {
        standing.raised_by.join(" or ")
    };
    let live = standing.live_sessions;
    let noun = if limit == 1 { "session is" } else { "sessions are" };
    Some(format!(
        "{live} of {limit} {noun} running. Suspend or delete one, or ask {whom} for more."
    ))
}

/// The page.
#[component]
#[must_use]
pub fn UsagePage() -> impl IntoView {
    let query = use_query_map();
    let days = Memo::new(move |_| {
        let asked = query.with(|query| query.get("days")?.parse().ok());
        asked
            .filter(|days| RANGES.iter().any(|(known, _)| known == days))
            .unwrap_or(DEFAULT_DAYS)
    });
    let used = Resource::new(move || days.get(), usage);
    let standing = Resource::new(|| (), |()| standing());
    view! {
        <div class="page">
            <leptos_meta::Title text="Usage and quota" />
            <header class="page-head page-head-wrap">
                <h1>"Usage and quota"</h1>
                <nav class="segments" aria-label="Range">
                    {RANGES
                        .map(|(range, word)| {
                            view! {
                                <a
                                    href=format!("/usage?days={range}")
                                    aria-current=move || (days.get() == range).then_some("true")
                                >
                                    {word}
                                </a>
                            }
                        })}
                </nav>
            </header>
            <Transition fallback=|| view! { <Bones /> }>
                {move || Suspend::new(async move {
                    let days = days.get();
                    match (standing.await, used.await, at_home().await) {
                        (Ok(standing), Ok(used), Ok(home)) => {
                            view! {
                                <div class="stack stack-wide">
                                    <Figures standing=standing.clone() used=used.clone() days />
                                    <section>
                                        <div class="section-head">
                                            <h2>"Over time"</h2>
                                            <p class="meta">"Metered every minute. Days are in UTC."</p>
                                        </div>
                                        <div class="charts">
                                            {Dimension::ALL
                                                .map(|dimension| view! { <Chart dimension used=used.clone() /> })}
                                        </div>
                                    </section>
                                    <Shares shares=used.shares home=home.clone() />
                                    {home.may(Verb::AskQuota).then(|| view! { <More standing /> })}
                                </div>
                            }
                                .into_any()
                        }
                        (Err(fault), ..) | (_, Err(fault), _) | (.., Err(fault)) => {
                            view! { <Complaint fault /> }.into_any()
                        }
                    }
                })}
            </Transition>
        </div>
    }
}

/// How a dimension is called, and how its quantity is said.
pub(crate) fn dimension_words(dimension: Dimension) -> (&'static str, fn(u64) -> String) {
    match dimension {
        Dimension::ComputeCpu => ("CPU time", words::cpu_time),
        Dimension::ComputeMemory => ("Memory", words::byte_time),
        Dimension::Storage => ("Storage", words::byte_time),
    }
}

#[component]
fn Figures(standing: Standing, used: Usage, days: i64) -> impl IntoView {
    let kept = RwSignal::new(standing);
    let live = expect_context::<Live>();
    live.follow(Topic::Sessions, kept, async || crate::usage::standing().await);
    let cpu: u64 = used
        .bars
        .iter()
        .filter(|bar| bar.dimension == Dimension::ComputeCpu)
        .map(|bar| bar.quantity)
        .sum();
    let range = RANGES
        .iter()
        .find(|(known, _)| *known == days)
        .map_or("", |(_, word)| word);
    move || {
        let standing = kept.get();
        let quota = &standing.quota;
        let of = |limit: Option<String>| limit.map_or_else(|| "no limit".to_owned(), |limit| format!("of {limit}"));
        let full = sessions_full(&standing);
        let each = |limit: Option<String>| {
            limit.map_or_else(
                || "No limit for a session".to_owned(),
                |limit| format!("Up to {limit} for each session"),
            )
        };
        let plan = quota.plan.clone();
        let whom = standing.raised_by.join(" or ");
        view! {
            <section>
                <div class="section-head">
                    <h2>"Now"</h2>
                    {plan.map(|plan| view! { <span class="tag">{plan}</span> })}
                    {(!whom.is_empty()).then(|| view! { <p class="meta">"More is given by " {whom} "."</p> })}
                </div>
                <div class="figures">
                    <div class="card figure">
                        <h3 class="soft">"Running sessions"</h3>
                        <p class="value">
                            {standing.live_sessions} " "
                            <small>{of(quota.concurrent_sessions.map(|limit| limit.to_string()))}</small>
                        </p>
                        <Meter used=standing.live_sessions limit=quota.concurrent_sessions label="Running sessions" />
                        <p class="meta">{full.unwrap_or_else(|| format!("{} in all", words::count(standing.sessions, "session")))}</p>
                    </div>
                    <div class="card figure">
                        <h3 class="soft">"Storage"</h3>
                        <p class="value">
                            {words::bytes(standing.storage_bytes)} " " <small>{of(quota.storage_bytes.map(words::bytes))}</small>
                        </p>
                        <Meter used=standing.storage_bytes limit=quota.storage_bytes label="Storage" />
                        <p class="meta">"All sessions together"</p>
                    </div>
                    <div class="card figure">
                        <h3 class="soft">"Memory"</h3>
                        <p class="value">{words::bytes(standing.memory_bytes)}</p>
                        <p class="meta">{each(quota.memory_bytes.map(words::bytes))}</p>
                    </div>
                    <div class="card figure">
                        <h3 class="soft">"CPU time, last " {range}</h3>
                        <p class="value">{words::cpu_time(cpu)}</p>
                        <p class="meta">{each(quota.cpu_millis.map(cpus))}</p>
                    </div>
                </div>
            </section>
        }
    }
}

fn cpus(millis: u64) -> String {
    if millis.is_multiple_of(1000) {
        words::count(millis / 1000, "CPU")
    } else {
        format!("{}.{} CPUs", millis / 1000, millis % 1000 / 100)
    }
}
