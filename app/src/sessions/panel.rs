//! Beside a session's terminals: what it is, who is there, with whom it is shared, what was done to it.

use super::{
    activity,
    dialogs::{Ask, sharing_words},
    row::viewers,
};
use crate::{
    audit::did,
    home::Home,
    live::{Live, Topic},
    now::Ago,
    ui::{Copy, Face, Glyph, StatusMark, icon, status_word},
    words,
};
use domain::{
    audit::Entry,
    permit::Verb,
    session::{Recorded, Sharing, View},
    wire::Exit,
};
use leptos::prelude::*;

/// The panel.
#[component]
pub(super) fn Panel(session: Signal<View>, home: StoredValue<Home>, page: Signal<String>) -> impl IntoView {
    let close = move || page.get().split('?').next().unwrap_or_default().to_owned();
    view! {
        <aside class="panel" aria-label="Details">
            <section>
                <div class="panel-head">
                    <h2>"Details"</h2>
                    <a class="btn btn-quiet btn-icon btn-small" href=close aria-label="Close details">
                        {icon(Glyph::Close)}
                    </a>
                </div>
                <Facts session home />
            </section>
            <section>
                <h2>"Attached"</h2>
                <Attached session />
            </section>
            <Shared session page />
            <section>
                <h2>"Activity"</h2>
                <Trail session />
            </section>
        </aside>
    }
}

#[component]
fn Facts(session: Signal<View>, home: StoredValue<Home>) -> impl IntoView {
    let of = move |said: fn(&View) -> Option<String>| move || session.with(said);
    let created = Signal::derive(move || session.with(|view| view.session.created_at));
    let active = Signal::derive(move || session.with(|view| view.session.active_at));
    let id = session.with_untracked(|view| view.session.id.as_str().to_owned());
    let fact = move |term: &'static str, said: fn(&View) -> Option<String>| {
        let said = of(said);
        move || said().map(|said| view! { <dt>{term}</dt> <dd>{said}</dd> })
    };
    view! {
        <dl class="facts">
            <dt>"Status"</dt>
            <dd>
                {move || session.with(|view| {
                    let (kind, word) = status_word(&view.session);
                    view! { <StatusMark kind word /> }
                })}
            </dd>
            {fact("Ended", |view| view.session.exit.map(exit_word))}
            <dt>"Agent"</dt>
            <dd>{move || session.with(|view| home.with_value(|home| home.agent(&view.session.agent)))}</dd>
            {fact("Repository", |view| view.session.repo.as_deref().map(words::repo))}
            {fact("Branch", |view| view.session.branch.clone())}
            {fact("Owner", |view| Some(view.session.owner_name.clone()))}
            {fact("Recording", |view| view.recording.map(recording_words))}
            <dt>"Opened"</dt>
            <dd><Ago at=created /></dd>
            <dt>"Last active"</dt>
            <dd><Ago at=active /></dd>
            {fact("Storage", |view| Some(words::bytes(view.session.storage_bytes)))}
            {fact("Memory", |view| view.live.as_ref().map(|live| words::bytes(live.memory_bytes)))}
            {fact("CPU time", |view| view.live.as_ref().map(|live| words::cpu_time(live.cpu_micros)))}
            {fact("Programs", |view| view.live.as_ref().map(|live| live.processes.to_string()))}
            <dt>"Id"</dt>
            <dd class="flex items-center gap-1">
                <code>{id.clone()}</code>
                <Copy text=id label="Copy the id" />
            </dd>
        </dl>
    }
}

/// Whether it is recorded, and who reads that.
pub(super) fn recording_words(Recorded { now, admins }: Recorded) -> String {
    let what = if now { "Is recorded" } else { "Was recorded" };
    let who = if admins { "the owner and admins" } else { "the owner" };
    format!("{what}, secret values masked. {} can read it.", words::capital(who))
}

fn exit_word(exit: Exit) -> String {
    match exit {
        Exit::Code(0) => "By itself".to_owned(),
        Exit::Code(code) => format!("With status {code}"),
        Exit::Signal(9) => "Killed".to_owned(),
        Exit::Signal(signal) => format!("By signal {signal}"),
    }
}

#[component]
fn Attached(session: Signal<View>) -> impl IntoView {
    let all = Memo::new(move |_| session.with(viewers));
    view! {
        <ul role="list" class="trail">
            {move || {
                all.get()
                    .into_iter()
                    .map(|viewer| {
                        view! {
                            <li class="flex-row! items-center gap-2">
                                <Face name=viewer.name.clone() driver=viewer.driver />
                                <span class="grow">{viewer.name}</span>
                                {viewer.driver.then(|| view! { <span class="tag tag-running">"Types"</span> })}
                            </li>
                        }
                    })
                    .collect_view()
            }}
        </ul>
        <Show when=move || all.with(Vec::is_empty)>
            <p class="soft">"Nobody at the moment. It goes on by itself."</p>
        </Show>
    }
}

#[component]
fn Shared(session: Signal<View>, page: Signal<String>) -> impl IntoView {
    let sharing = Memo::new(move |_| session.with(|view| view.session.sharing));
    let may = move || session.with(|view| view.may(Verb::ShareSession));
    let said = move || match sharing.get() {
        Sharing::Private => "Only the owner sees its terminals.".to_owned(),
        shared => format!(
            "Members of the Organization: {}.",
            sharing_words(shared).0.to_lowercase()
        ),
    };
    let change = move || session.with(|view| Ask::Share.address(&page.get(), &view.session.id));
    view! {
        <section>
            <div class="panel-head">
                <h2>"Sharing"</h2>
                {move || may().then(|| view! { <a class="btn btn-small" href=change>"Change"</a> })}
            </div>
            <p class="soft">{said}</p>
        </section>
    }
}

#[component]
fn Trail(session: Signal<View>) -> impl IntoView {
    let id = session.with_untracked(|view| view.session.id.clone());
    let asked = id.clone();
    let first = Resource::new(move || asked.clone(), activity);
    let live = expect_context::<Live>();
    view! {
        <Suspense fallback=|| view! { <span class="bone h-16"></span> }>
            {move || {
                let id = id.clone();
                Suspend::new(async move {
                    let entries = match first.await {
                        Ok(entries) => entries,
                        Err(fault) => return view! { <p class="soft">{fault.problem.detail}</p> }.into_any(),
                    };
                    let kept = RwSignal::new(entries);
                    live.follow(Topic::Session(id.as_str().to_owned()), kept, move || activity(id.clone()));
                    view! {
                        <ol role="list" class="trail">
                            {move || kept.get().into_iter().map(|entry| view! { <Did entry /> }).collect_view()}
                        </ol>
                    }
                        .into_any()
                })
            }}
        </Suspense>
    }
}

#[component]
fn Did(entry: Entry) -> impl IntoView {
    let at = Signal::stored(entry.at);
    let via = entry.via.starts_with("token:").then_some(" with a token");
    view! {
        <li>
            <span>{did(&entry)}</span>
            <span class="meta dot-between">
                <span>{words::who(&entry.actor)} {via}</span>
                <Ago at />
            </span>
        </li>
    }
}
