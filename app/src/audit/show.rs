//! One entry: who, as what, from where; what changed; and whether it is as it was written.

use super::{audit_entry, change::Change, want::Want, words};
use crate::{
    home::{Home, at_home},
    now::{Ago, Now},
    ui::{Bones, Complaint, Copy, Glyph, Middle, icon},
};
use domain::{
    Role,
    audit::{Line, Link, State},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// The page.
#[component]
#[must_use]
pub fn AuditEntryPage() -> impl IntoView {
    let params = use_params_map();
    // Positions begin at 1: what is no number is the address of no entry.
    let position = Memo::new(move |_| params.with(|params| params.get("position")?.parse().ok()).unwrap_or(0));
    let found = Resource::new(move || position.get(), audit_entry);
    view! {
        <div class="page">
            <leptos_meta::Title text="Audit entry" />
            <a class="back" href="/audit">{icon(Glyph::Back)} "Audit"</a>
            <Transition fallback=|| view! { <Bones rows=8 /> }>
                {move || Suspend::new(async move {
                    match (found.await, at_home().await) {
                        (Ok((line, state)), Ok(home)) => view! { <Shown line state home /> }.into_any(),
                        (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Shown(line: Line, state: State, home: Home) -> impl IntoView {
    let Line { link, entry, .. } = line;
    let at = entry.at;
    let now = expect_context::<Now>();
    let thing = words::thing(&entry);
    let of = |change: fn(&mut Want, String), text: &str| {
        let text = text.to_owned();
        Want::default().with(|want| change(want, text)).address()
    };
    let about = (!entry.target.is_empty()).then(|| of(|want, text| want.target = text, &entry.target));
    let by = of(|want, text| want.actor = text, &entry.actor);
    let beside = entry
        .request
        .as_deref()
        .map(|id| of(|want, text| want.request = text, id));
    let org = (home.role == Role::SuperAdmin).then(|| entry.org.as_str().to_owned());
    let role = entry.role.as_deref().map(words::role);
    let with = words::with(&entry);
    let token = words::token(&entry).map(str::to_owned);
    view! {
        <header class="page-head entry-head">
            <h1>{words::what(&entry)}</h1>
            {words::is_refused(&entry).then(|| view! { <span class="tag tag-failed">"Refused"</span> })}
        </header>
        <div class="stack stack-wide">
            <section class="card card-body" aria-label="Who, when and from where">
                <dl class="facts">
                    <dt>"When"</dt>
                    <dd>
                        {move || now.exact(at)}
                        " "
                        <span class="meta">"("<Ago at=Signal::stored(at) />")"</span>
                    </dd>
                    <dt>"Who"</dt>
                    <dd><a class="link" href=by title="Everything by them">{words::who(&entry)}</a></dd>
                    {role.map(|role| view! { <dt>"As"</dt> <dd>{role}</dd> })}
                    <dt>"With"</dt>
                    <dd>{with} {token.map(|id| view! { " " <code>{id}</code> })}</dd>
                    {entry.address.clone().map(|address| view! { <dt>"From"</dt> <dd><code>{address}</code></dd> })}
                    {thing
                        .map(|(name, page)| {
                            view! {
                                <dt>"Thing"</dt>
                                <dd>
                                    {match page {
                                        Some(page) => view! { <a class="link" href=page>{name}</a> }.into_any(),
                                        None => name.into_any(),
                                    }}
                                    {about.map(|about| view! { " · " <a class="link" href=about>"Its whole history"</a> })}
                                </dd>
                            }
                        })}
                    {org.map(|org| view! { <dt>"Organization"</dt> <dd>{org}</dd> })}
                    {entry
                        .request
                        .clone()
                        .map(|request| {
                            view! {
                                <dt>"Request"</dt>
                                <dd class="with-copy">
                                    <a class="link" href=beside.unwrap_or_default() title="Everything in this request">
                                        <code>{request.clone()}</code>
                                    </a>
                                    <Copy text=request label="Copy the request's id" />
                                </dd>
                            }
                        })}
                    <dt>"Action"</dt>
                    <dd><code>{entry.action.clone()}</code></dd>
                </dl>
            </section>
            <Change detail=entry.detail />
            <Chain link state />
        </div>
    }
}

/// Whether the entry is as it was written, and how that can be checked elsewhere.
#[component]
fn Chain(link: Link, state: State) -> impl IntoView {
    let Link { number, previous, hash } = link;
    let (class, glyph, head, words) = match state {
        State::Intact => (
            "notice",
            Glyph::Check,
            "As it was written",
            "The entry and the one before it have the hashes that they were given.",
        ),
        State::First => (
            "notice",
            Glyph::Check,
            "As it was written",
            "It is the oldest that is kept; it continues what was there before.",
        ),
        State::Changed => (
            "notice notice-failed",
            Glyph::Warning,
            "Changed after it was written",
            "What it says does not have the hash that it was given.",
        ),
        State::Detached => (
            "notice notice-failed",
            Glyph::Warning,
            "It does not continue the entry before it",
            "That one was removed, moved or replaced, or this one was.",
        ),
    };
    let hashed = |label: &'static str, hash: String| {
        view! {
            <dd class="with-copy">
                <code><Middle text=hash.clone() /></code>
                <Copy text=hash label=label />
            </dd>
        }
    };
    view! {
        <section class="stack">
            <h2>"Proof"</h2>
            <div class=class>
                {icon(glyph)}
                <div>
                    <p><strong>{head}</strong></p>
                    <p class="soft">{words} " The whole chain is checked by " <code>"sandbox audit verify"</code> "."</p>
                </div>
            </div>
            <dl class="facts">
                <dt>"Number"</dt>
                <dd>{number}</dd>
                <dt>"Hash"</dt>
                {hashed("Copy the hash", hash)}
                {(!previous.is_empty())
                    .then(|| view! { <dt>"Before it"</dt> {hashed("Copy the hash of the entry before it", previous)} })}
            </dl>
        </section>
    }
}
