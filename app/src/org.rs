//! An Organization, for those who govern it: who has a seat, what may run, who asks for more. Start at [`OrgPage`].
//!
//! Which Organization is meant is in the address (`?of=acme`) where it is not the reader's own: super-admins look at all.

mod directory;
mod functions;
mod inviting;
mod limits;
pub mod many;
mod member;
mod members;
pub mod passes;
mod policy;
mod quotas;
mod requests;
mod settings;

#[cfg(feature = "ssr")]
pub use directory::{DIRECTORY_MADE, DIRECTORY_MINT, Here};
pub use functions::*;
pub use member::MemberPage;
pub use members::MembersPage;
use members::{Part, meter};
pub use passes::PassesPage;
pub use policy::{FleetPolicyPage, PolicyPage};
pub use quotas::QuotasPage;
pub use settings::OrgSettingsPage;

pub use requests::ANSWERS;
pub(crate) use requests::RequestState;

pub(crate) use limits::{ask_words, dimension_name, limit_words, source_words};

use crate::{
    address::with_query,
    fault::Fault,
    home::at_home,
    live::{Live, Topic},
    ui::{Bones, Complaint, Copy, Face, Glyph, icon},
    words,
};
use domain::{
    OrgId,
    member::Held,
    org::{Overview, State},
    quota::{Dimension, Limit},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

/// The pages of an Organization: their address and their word.
const PAGES: [(&str, &str); 8] = [
    ("/org", "Overview"),
    ("/org/members", "Members"),
    ("/org/quotas", "Quotas"),
    ("/org/secrets", "Secrets"),
    ("/org/policy", "Policy"),
    ("/org/tokens", "Tokens"),
    ("/org/audit", "Audit"),
    ("/org/settings", "Settings"),
];

/// The Organization that the address means; `None` for the reader's own.
pub(crate) fn of_query() -> Memo<Option<OrgId>> {
    let query = use_query_map();
    Memo::new(move |_| {
        query
            .with(|query| query.get("of"))
            .filter(|of| !of.is_empty())
            .map(OrgId::new)
    })
}

/// An address of the same Organization.
pub(crate) fn address(path: &str, of: Option<&OrgId>) -> String {
    with_query(path, &[("of", of.map_or("", OrgId::as_str))])
}

/// The Organization that is meant, by its slug: the reader's own where the address names none.
pub(crate) async fn meant(of: Option<OrgId>) -> Result<OrgId, Fault> {
    match of {
        Some(of) => Ok(of),
        None => Ok(OrgId::new(at_home().await?.org)),
    }
}

/// Counts up whenever something of any Organization changed: what is asked for with it is asked for again.
pub(crate) fn changes() -> RwSignal<u32> {
    let version = RwSignal::new(0);
    expect_context::<Live>().listen(Topic::Orgs, move || {
        version.try_update(|version| *version += 1);
    });
    version
}

/// The head of a page of an Organization, and the ways to the others.
#[component]
#[must_use]
pub(crate) fn OrgHead(title: &'static str, #[prop(into)] of: Signal<Option<OrgId>>) -> impl IntoView {
    let overview = Resource::new(
        move || of.get(),
        |of| async move { org_overview(meant(of).await?).await },
    );
    view! {
        <leptos_meta::Title text=title />
        <header class="page-head page-head-wrap">
            <h1>
                <Suspense fallback=|| "Organization">
                    {move || Suspend::new(async move {
                        overview.await.map_or_else(|_| "Organization".to_owned(), |found| found.org.display_name)
                    })}
                </Suspense>
            </h1>
            {ways_between("Pages of the Organization", "/org", move || {
                of.with(|of| PAGES.map(|(way, word)| (address(way, of.as_ref()), word)).to_vec())
            })}
        </header>
    }
}

/// The ways between the pages of one thing, the current one in view on a narrow screen. `home` is the address of the
/// first: it is current only there, the others also below.
pub(crate) fn ways_between(
    label: &'static str,
    home: &'static str,
    ways: impl Fn() -> Vec<(String, &'static str)> + Send + 'static,
) -> impl IntoView {
    let path = use_location().pathname;
    let row = NodeRef::<leptos::html::Nav>::new();
    Effect::new(move |_| {
        path.track();
        let Some(row) = row.get() else { return };
        if let Ok(Some(current)) = row.query_selector("[aria-current]") {
            // Into the middle; only the row scrolls, the page stays where it is.
            let (row_box, own) = (row.get_bounding_client_rect(), current.get_bounding_client_rect());
            let off = own.left() + own.width() / 2.0 - row_box.left() - row_box.width() / 2.0;
            row.set_scroll_left(row.scroll_left() + off as i32);
        }
    });
    let links = move || {
        ways()
            .into_iter()
            .map(|(to, word)| {
                let way = to.split('?').next().unwrap_or_default().to_owned();
                let current = move || {
                    path.with(|path| {
                        if way == home {
                            *path == way
                        } else {
                            path.starts_with(&way)
                        }
                    })
                };
                view! { <a href=to aria-current=move || current().then_some("true")>{word}</a> }
            })
            .collect_view()
    };
    view! { <nav class="segments" aria-label=label node_ref=row>{links}</nav> }
}

/// An invitation's link, this once. Only the browser knows under which address people reach this page.
#[component]
#[must_use]
pub(crate) fn JoinLink(secret: String) -> impl IntoView {
    let path = format!("/join/{secret}");
    let link = window()
        .location()
        .origin()
        .map_or_else(|_| path.clone(), |origin| format!("{origin}{path}"));
    view! {
        <div class="command">
            <code tabindex="0">{link.clone()}</code>
            <Copy text=link label="Copy the link" />
        </div>
    }
}

/// The overview.
#[component]
#[must_use]
pub fn OrgPage() -> impl IntoView {
    let of = of_query();
    let changed = changes();
    let found = Resource::new(
        move || (of.get(), changed.get()),
        |(of, _)| async move {
            let org = meant(of).await?;
            Ok::<_, Fault>((org_overview(org.clone()).await?, org_lately(org).await?))
        },
    );
    view! {
        <div class="page">
            <OrgHead title="Organization" of />
            <Transition fallback=|| view! { <Bones rows=4 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok((overview, lately)) => view! { <Figures overview lately of=of.get_untracked() /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Figures(overview: Overview, lately: Lately, of: Option<OrgId>) -> impl IntoView {
    let Overview {
        org,
        seats_used,
        invited,
        live,
        sessions,
        storage_bytes,
        requests,
    } = overview;
    let taken = seats_used + invited;
    let seats = org
        .seats
        .map_or_else(|| "no limit".to_owned(), |seats| format!("of {seats}"));
    let closed = match org.state {
        State::Active => None,
        State::Suspended => {
            Some("This Organization is suspended: its sessions sleep, nothing is lost, nothing new runs.")
        }
        State::Archived => Some("This Organization is archived: nobody signs in, nothing is deleted."),
    };
    let members = address("/org/members", of.as_ref());
    let quotas = address("/org/quotas", of.as_ref());
    let audit = address("/org/audit", of.as_ref());
    let Lately {
        running,
        storage,
        busiest,
        lines,
    } = lately;
    // Limits are a member's, not the Organization's: their sum would be a promise that nobody made.
    let each = |dimension, limit| match limit {
        Limit::Unlimited => "No limit for a member".to_owned(),
        limit => format!("At most {} a member", limit_words(dimension, limit)),
    };
    view! {
        <div class="stack stack-wide">
            {closed
                .map(|closed| {
                    view! {
                        <div class="notice notice-waiting">{icon(Glyph::Pause)} <div><p>{closed}</p></div></div>
                    }
                })}
            {(requests > 0)
                .then(|| {
                    view! {
                        <div class="notice notice-waiting">
                            {icon(Glyph::Usage)}
                            <div>
                                <p>
                                    <strong>{words::count(requests, "request")} {if requests == 1 { " waits" } else { " wait" }}</strong>
                                    " for more than the quota gives. "
                                    <a class="link" href=quotas.clone()>"Answer"</a>
                                </p>
                            </div>
                        </div>
                    }
                })}
            <section aria-label="Figures" class="figures">
                <a class="card figure" href=members.clone()>
                    <h2 class="soft">"Seats"</h2>
                    <p class="value">{taken} " " <small>{seats}</small></p>
                    <p class="meta">
                        {words::count(seats_used, "member")} {(invited > 0).then(|| format!(", {invited} invited"))}
                    </p>
                </a>
                <a class="card figure" href="/">
                    <h2 class="soft">"Running sessions"</h2>
                    <p class="value">{live} " " <small>{format!("{sessions} in all")}</small></p>
                    <p class="meta">{each(Dimension::ConcurrentSessions, running)}</p>
                </a>
                <a class="card figure" href=quotas.clone()>
                    <h2 class="soft">"Storage"</h2>
                    <p class="value">{words::bytes(storage_bytes)}</p>
                    <p class="meta">{each(Dimension::Storage, storage)}</p>
                </a>
                <a class="card figure" href=quotas>
                    <h2 class="soft">"Requests"</h2>
                    <p class="value">{requests}</p>
                    <p class="meta">"Waiting for an answer"</p>
                </a>
            </section>
            {(!busiest.is_empty())
                .then(|| {
                    view! {
                        <section aria-labelledby="busiest" class="card">
                            <header class="card-head">
                                <h2 id="busiest">"Who runs most now"</h2>
                                <a class="btn btn-small" href=members.clone()>"All members"</a>
                            </header>
                            <ul role="list" class="lines busiest">
                                {busiest.into_iter().map(|held| view! { <Busy held of=of.clone() /> }).collect_view()}
                            </ul>
                        </section>
                    }
                })}
            <section aria-labelledby="lately" class="card">
                <header class="card-head">
                    <h2 id="lately">"Lately"</h2>
                    <a class="btn btn-small" href=audit>"All of the audit"</a>
                </header>
                {if lines.is_empty() {
                    view! { <p class="card-body soft">"Nothing was done here yet."</p> }.into_any()
                } else {
                    view! { <crate::audit::Lately lines /> }.into_any()
                }}
            </section>
            <section aria-labelledby="facts" class="card">
                <header class="card-head"><h2 id="facts">"About it"</h2></header>
                <dl class="facts card-body">
                    <dt>"Slug"</dt>
                    <dd><code>{org.id.as_str().to_owned()}</code></dd>
                    <dt>"State"</dt>
                    <dd>{state_words(org.state)}</dd>
                    <dt>"Plan"</dt>
                    <dd>{org.plan.unwrap_or_else(|| "The installation's".to_owned())}</dd>
                    <dt>"Kind"</dt>
                    <dd class="dot-between">
                        <span>{org.kind.as_str()}</span><span>{org.tier.as_str()}</span><span>{org.billing.as_str()}</span>
                    </dd>
                    <dt>"Since"</dt>
                    <dd><crate::now::Ago at=Signal::stored(org.created_at) /></dd>
                </dl>
            </section>
        </div>
    }
}

/// One of those who run most, against what they may have.
#[component]
fn Busy(held: Held, of: Option<OrgId>) -> impl IntoView {
    let Held {
        seat,
        most_live,
        most_bytes,
    } = held;
    let to = address(&format!("/org/members/{}", seat.person), of.as_ref());
    view! {
        <li>
            <Face name=seat.name.clone() />
            <div class="grow">
                <p><a class="link" href=to>{seat.name.clone()}</a></p>
                <p class="meta cut">{seat.email.clone()}</p>
            </div>
            <div class="used">
                <p><Part used=seat.live.to_string() most=most_live.map(|most| most.to_string()) /> " running"</p>
                {meter(seat.live, most_live, "Running")}
            </div>
            <div class="used">
                <p><Part used=words::bytes(seat.storage_bytes) most=most_bytes.map(words::bytes) /></p>
                {meter(seat.storage_bytes, most_bytes, "Storage")}
            </div>
        </li>
    }
}

/// How a state is called.
#[must_use]
pub(crate) const fn state_words(state: State) -> &'static str {
    match state {
        State::Active => "Active",
        State::Suspended => "Suspended",
        State::Archived => "Archived",
    }
}
