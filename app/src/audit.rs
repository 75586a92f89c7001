//! The audit: who did what, to which thing, from where. Start at [`AuditPage`].

mod change;
mod filters;
mod functions;
mod show;
mod want;
mod words;

pub use functions::*;
pub use show::AuditEntryPage;
pub use words::did;

use crate::{
    fleet::FleetHead,
    home::{Home, at_home},
    now::Ago,
    org::{OrgHead, of_query},
    ui::{Bones, Complaint, Glyph, Head, Middle, icon},
};
use domain::{
    Role,
    audit::{Line, Trail},
};
use filters::Filters;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use want::{Place, Want};

/// The entries of the reader's own Organization, and for super-admins of whichever they choose.
#[component]
#[must_use]
pub fn AuditPage() -> impl IntoView {
    let want = wanted(Place::Own);
    view! {
        <div class="page">
            <Head title="Audit"><Exports want /></Head>
            <Log want />
        </div>
    }
}

/// The entries of the Organization that the pages around it are about.
#[component]
#[must_use]
pub fn OrgAuditPage() -> impl IntoView {
    let want = wanted(Place::Org);
    view! {
        <div class="page">
            <OrgHead title="Audit" of=of_query() />
            <Log want />
            <p class="exports"><Exports want /></p>
        </div>
    }
}

/// The entries of every Organization.
#[component]
#[must_use]
pub fn FleetAuditPage() -> impl IntoView {
    let want = wanted(Place::Fleet);
    view! {
        <div class="page">
            <FleetHead title="Audit of the fleet" />
            <Log want />
            <p class="exports"><Exports want /></p>
        </div>
    }
}

fn wanted(place: Place) -> Memo<Want> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| Want::from_query(place, query)))
}

/// The ways to take what is listed along.
#[component]
fn Exports(want: Memo<Want>) -> impl IntoView {
    let export = move |format: &'static str| move || want.with(|want| want.export(format));
    view! {
        <span class="actions">
            <a class="btn" download="" rel="external" href=export("csv") title="Download these entries as CSV, for a spreadsheet">
                {icon(Glyph::Download)}
                "CSV"
            </a>
            <a class="btn" download="" rel="external" href=export("jsonl") title="Download these entries as JSON lines, for a program">
                {icon(Glyph::Download)}
                "JSON lines"
            </a>
        </span>
    }
}

/// The list of entries, newest first. What is filtered is in the address; the server does it.
#[component]
fn Log(want: Memo<Want>) -> impl IntoView {
    let trail = Resource::new(move || want.get(), audit_list);
    view! {
        <Filters want />
        <Transition fallback=|| view! { <Bones rows=10 /> }>
            {move || Suspend::new(async move {
                let wanted = want.get();
                match (trail.await, at_home().await) {
                    (Ok(trail), Ok(home)) => view! { <List want=wanted trail home /> }.into_any(),
                    (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// The newest entries of an Organization, in short: each leads to the whole.
#[component]
pub(crate) fn Lately(lines: Vec<Line>) -> impl IntoView {
    view! {
        <ul role="list" class="lines">
            {lines
                .into_iter()
                .map(|line| {
                    let Line { position, entry, .. } = line;
                    let refused = words::is_refused(&entry);
                    let thing = words::thing(&entry).map(|(name, _)| name);
                    view! {
                        <li>
                            <div class="grow">
                                <p>
                                    <a class="link" href=format!("/audit/{position}")>{words::what(&entry)}</a>
                                    {thing.map(|thing| view! { " " <span class="soft">{thing}</span> })}
                                    {refused.then(|| view! { " " <span class="tag tag-failed">"Refused"</span> })}
                                </p>
                                <p class="meta">{words::who(&entry)}</p>
                            </div>
                            <span class="meta"><Ago at=Signal::stored(entry.at) /></span>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
}

#[component]
fn List(want: Want, trail: Trail, home: Home) -> impl IntoView {
    let Trail { lines, next } = trail;
    if lines.is_empty() {
        return view! { <Empty want /> }.into_any();
    }
    // An Organization's own admin knows whose entries these are.
    let with_org = home.role == Role::SuperAdmin && want.org == want::EVERY;
    let first = want.cursor.is_some().then(|| want.with(|_| ()).address());
    let next = next.map(|cursor| want.with(|want| want.cursor = Some(cursor)).address());
    let rows = lines
        .into_iter()
        .map(|line| view! { <Row line with_org want=want.clone() /> })
        .collect_view();
    view! {
        <div class="card list-card">
            <table class="table sessions audit" data-org=with_org.then_some("")>
                <caption class="sr-only">"Audit entries, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="c-what">"What"</th>
                        <th scope="col" class="c-who">"Who"</th>
                        <th scope="col" class="c-thing">"Thing"</th>
                        {with_org.then(|| view! { <th scope="col" class="c-org">"Organization"</th> })}
                        <th scope="col" class="c-from">"From"</th>
                        <th scope="col" class="c-when">"When"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="under">
            <p class="soft">"Newest first. Days are in UTC."</p>
            <span class="spring"></span>
            {first.map(|first| view! { <a class="btn btn-small" href=first>"Newest"</a> })}
            {next.map(|next| view! { <a class="btn btn-small" href=next>"Older entries"</a> })}
        </div>
    }
    .into_any()
}

/// One entry: a row on a desk, a card under a thumb.
#[component]
fn Row(line: Line, with_org: bool, want: Want) -> impl IntoView {
    let Line { position, entry, .. } = line;
    let at = Signal::stored(entry.at);
    let what = words::what(&entry);
    let refused = words::is_refused(&entry);
    let title = what.clone();
    let thing = words::thing(&entry).map(|(name, page)| match page {
        Some(page) => view! { <a class="link" href=page><Middle text=name /></a> }.into_any(),
        None => view! { <Middle text=name /> }.into_any(),
    });
    let bare = thing.is_none().then_some("");
    let token = words::token(&entry).is_some();
    let org = with_org.then(|| {
        let org = entry.org.as_str().to_owned();
        let only = want.with(|want| want.org.clone_from(&org)).address();
        view! {
            <td class="c-org">
                <a class="link" href=only title="Only this Organization">{org}</a>
            </td>
        }
    });
    let who = words::who(&entry);
    let title_of_who = who.clone();
    let nowhere = entry.address.is_none().then_some("");
    view! {
        <tr>
            <td class="c-what">
                <span class="name">
                    <a class="open" href=format!("/audit/{position}") title=title>{what}</a>
                    {refused.then(|| view! { <span class="tag tag-failed">"Refused"</span> })}
                </span>
            </td>
            <td class="c-who">
                <span class="name">
                    <span class="cut" title=title_of_who>{who}</span>
                    {token.then(|| view! { <span class="meta">"token"</span> })}
                </span>
            </td>
            <td class="c-thing soft" data-empty=bare>{thing}</td>
            {org}
            <td class="c-from soft" data-empty=nowhere>{entry.address}</td>
            <td class="c-when soft"><Ago at /></td>
        </tr>
    }
}

/// What the list says when there is nothing in it.
#[component]
fn Empty(want: Want) -> impl IntoView {
    let narrow = want.is_narrow() || want.cursor.is_some();
    let all = Want {
        org: want.org,
        place: want.place,
        ..Want::default()
    };
    let (head, words) = if narrow {
        ("Nothing fits", "No entry matches what you filter for.")
    } else {
        (
            "No entries yet",
            "Every sign-in, change and refusal is written here, with who, from where, and what changed.",
        )
    };
    view! {
        <section class="card empty">
            {icon(Glyph::Audit)} <h2>{head}</h2> <p>{words}</p>
            {narrow.then(|| view! { <a class="btn" href=all.address()>"Show all entries"</a> })}
        </section>
    }
}
