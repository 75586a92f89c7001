//! Sessions: the list, the way to a new one, the page of one. Start at [`SessionsPage`].

mod dialogs;
mod full;
mod functions;
mod new;
mod panel;
mod row;
mod show;
mod want;

pub use functions::*;
pub use new::NewSessionPage;
pub use show::SessionPage;

use crate::{
    fault::Fault,
    home::{Home, at_home},
    live::{Live, Topic},
    ui::{
        Bones, Complaint, Glyph, Head, icon,
        list::{self, Follow},
    },
    usage::{sessions_hint, standing},
};
use dialogs::{Asked, Dialogs};
use domain::{
    page::{ListSessions, Page, Sort},
    quota::Standing,
    session::{Status, View},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use row::Row;

/// The list of sessions. What is searched, filtered and sorted is in the address; the server does it.
#[component]
#[must_use]
pub fn SessionsPage() -> impl IntoView {
    let query = use_query_map();
    let want = Memo::new(move |_| query.with(want::from_query));
    let page = Resource::new(move || want.get(), list_sessions);
    let standing = Resource::new(|| (), |()| standing());
    view! {
        <div class="page">
            <Head title="Sessions">
                <a class="btn btn-primary" href="/new">{icon(Glyph::Plus)} "New session"</a>
            </Head>
            <Filters want />
            <Transition fallback=|| view! { <Bones rows=8 /> }>
                {move || Suspend::new(async move {
                    let wanted = want.get();
                    let standing = standing.await.ok();
                    match (page.await, at_home().await) {
                        (Ok(page), Ok(home)) => view! { <List want=wanted page home standing /> }.into_any(),
                        (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
        <Dialogs asked=Asked::on_page() back=move || want.with(want::address) />
    }
}

/// The search field and the filters.
#[component]
fn Filters(want: Memo<ListSessions>) -> impl IntoView {
    let home = expect_context::<crate::home::HomeAsked>();
    let follow = Follow::new(move |field| {
        let to = want::from_fields(field);
        (to != want.get_untracked()).then(|| want::address(&to))
    });
    let shown = move |of: fn(&ListSessions) -> &str| Signal::derive(move || want.with(|want| of(want).to_owned()));
    let statuses = list::options([
        ("", "Any status"),
        (Status::Running.as_str(), "Running"),
        (Status::Pending.as_str(), "Starting"),
        (Status::Stopped.as_str(), "Stopped"),
        (Status::Failed.as_str(), "Failed"),
    ]);
    let orders = list::options([
        (Sort::Active.as_str(), "Last active"),
        (Sort::Created.as_str(), "Newest"),
        (Sort::Name.as_str(), "Name"),
    ]);
    let whose = list::options([("", "Everybody's"), (want::MINE, "Mine")]);
    let agent = shown(|want| want.agent.as_deref().unwrap_or_default());
    let fields = view! {
        {list::find("Find sessions", "Find by name, repository, owner", want::SEARCH, shown(|want| &want.search), follow)}
        {list::choice("Status", want::STATUS, statuses, shown(|want| want.status.map_or("", Status::as_str)), follow)}
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let agents = home.0.await.map(|home| home.agents).unwrap_or_default();
                let mut all = list::options([("", "Any agent")]);
                all.extend(agents);
                list::choice("Agent", want::AGENT, all, agent, follow)
            })}
        </Transition>
        {list::choice("Whose", want::WHOSE, whose, shown(|want| if want.mine { want::MINE } else { "" }), follow)}
        {list::choice("Order", want::SORT, orders, shown(|want| want.sort.as_str()), follow)}
    };
    list::filters("/", follow, fields)
}

/// One page of the list, kept as the server has it.
#[component]
fn List(want: ListSessions, page: Page<View>, home: Home, standing: Option<Standing>) -> impl IntoView {
    let live = expect_context::<Live>();
    let page = RwSignal::new(page);
    let standing = RwSignal::new(standing);
    let again = want.clone();
    live.follow(Topic::Sessions, page, move || list_sessions(again.clone()));
    live.follow(Topic::Sessions, standing, async || {
        crate::usage::standing().await.map(Some)
    });
    let filtered = want::is_filtered(&want);
    let first = want.cursor.is_none();
    let next = {
        let want = want.clone();
        move || {
            let cursor = page.with(|page| page.next.clone())?;
            Some(want::address(&ListSessions {
                cursor: Some(cursor),
                ..want.clone()
            }))
        }
    };
    let acts = row::Acts::new(want::address(&want));
    let start = want::address(&ListSessions { cursor: None, ..want });
    let home = StoredValue::new(home);
    let is_empty = Memo::new(move |_| page.with(|page| page.items.is_empty()));
    let rows = move || {
        page.with(|page| {
            page.items
                .iter()
                .map(|view| view.session.id.clone())
                .collect::<Vec<_>>()
        })
    };
    let first_page = start.clone();
    let empty = move || view! { <Empty filtered first start=first_page.clone() /> };
    view! {
        <Show when=move || !is_empty.get() fallback=empty.clone()>
            <div class="card list-card">
                <table class="table sessions">
                    <caption class="sr-only">"Sessions"</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="c-name">"Session"</th>
                            <th scope="col" class="c-status">"Status"</th>
                            <th scope="col" class="c-agent">"Agent"</th>
                            <th scope="col" class="c-repo">"Repository"</th>
                            <th scope="col" class="c-faces">"Attached"</th>
                            <th scope="col" class="c-when">"Last active"</th>
                            <th scope="col" class="c-menu">
                                <span class="sr-only">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=rows key=|id| id.clone() let:id>
                            <Row id page home acts />
                        </For>
                    </tbody>
                </table>
            </div>
        </Show>
        <div class="under">
            <p class="soft">
                {move || standing.with(|standing| standing.as_ref().map(sessions_hint))}
            </p>
            <span class="spring"></span>
            <p class="meta">{move || page.with(|page| crate::words::count(page.total, "session"))} {filtered.then_some(" found")}</p>
            {(!first).then(|| view! { <a class="btn btn-small" href=start.clone()>"First page"</a> })}
            {move || next().map(|next| view! { <a class="btn btn-small" href=next>"Next page"</a> })}
        </div>
    }
}

/// What the list says when there is nothing in it.
#[component]
fn Empty(filtered: bool, first: bool, start: String) -> impl IntoView {
    if filtered || !first {
        let start = if first { "/".to_owned() } else { start };
        return view! {
            <section class="card empty">
                {icon(Glyph::Search)} <h2>"Nothing fits"</h2>
                <p>"No session matches what you search and filter for."</p>
                <a class="btn" href=start>{if first { "Show all sessions" } else { "First page" }}</a>
            </section>
        }
        .into_any();
    }
    view! {
        <section class="card empty">
            {icon(Glyph::Sessions)} <h2>"No sessions yet"</h2>
            <p>
                "A session is one agent in one workspace, in a terminal that goes on when you close the page. Open it again from any device."
            </p>
            <a class="btn btn-primary" href="/new">{icon(Glyph::Plus)} "Open your first session"</a>
        </section>
    }
    .into_any()
}

/// The refusal of an action, if it was one.
fn refusal<T>(value: Option<Result<T, Fault>>) -> Option<Fault> {
    value.and_then(Result::err)
}
