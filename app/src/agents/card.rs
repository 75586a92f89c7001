//! One agent: what it is, whether it is there, what can be done about it.

use super::{InstallAgent, RemoveAgent, SwitchAgent, install_log};
use crate::{
    fault::Fault,
    home::Home,
    live::{Live, Topic},
    ui::{Glyph, Toasts, icon},
    words,
};
use domain::{
    agent::{Installation, Source, View},
    permit::Verb,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

/// What can be done to an agent; shared by all cards.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    install: ServerAction<InstallAgent>,
    remove: ServerAction<RemoveAgent>,
    switch: ServerAction<SwitchAgent>,
}

impl Acts {
    /// Actions that tell the page what they did, or why not.
    pub(super) fn new() -> Self {
        let acts = Self {
            install: ServerAction::new(),
            remove: ServerAction::new(),
            switch: ServerAction::new(),
        };
        let toasts = expect_context::<Toasts>();
        let live = expect_context::<Live>();
        let tell = move |value: Option<Result<(), Fault>>| match value {
            Some(Ok(())) => live.touch(&Topic::Agents),
            Some(Err(fault)) => toasts.failed(fault.detail()),
            None => {}
        };
        Effect::new(move |_| tell(acts.install.value().get()));
        Effect::new(move |_| tell(acts.remove.value().get()));
        Effect::new(move |_| tell(acts.switch.value().get()));
        acts
    }
}

/// A card; it follows its agent in the list.
#[component]
pub(super) fn Card(slug: String, kept: RwSignal<Vec<View>>, home: StoredValue<Home>, acts: Acts) -> impl IntoView {
    let find = {
        let slug = slug.clone();
        move |all: &Vec<View>| all.iter().find(|view| view.agent.slug == slug).cloned()
    };
    let Some(first) = kept.with_untracked(&find) else {
        return ().into_any();
    };
    let agent = first.agent.clone();
    let view = Memo::new(move |before: Option<&View>| {
        kept.with(&find)
            .or_else(|| before.cloned())
            .unwrap_or_else(|| first.clone())
    });
    let state = Memo::new(move |_| view.with(|view| view.installation.clone()));
    let ready = Memo::new(move |_| view.with(View::is_ready));
    let from_registry = matches!(agent.source, Source::Npm { .. } | Source::Pypi { .. });
    let version = match &agent.source {
        Source::Npm { package, version } => Some(format!("{package} {version}, from npm")),
        Source::Pypi { package, version } => Some(format!("{package} {version}, from PyPI")),
        Source::BuiltIn => Some("Part of the system".to_owned()),
        Source::ByHand { .. } => None,
    };
    let installs = from_registry && home.with_value(|home| home.may(Verb::InstallAgents));
    let kept_slug = StoredValue::new(slug.clone());
    let fields = move || view! { <input type="hidden" name="slug" value=kept_slug.get_value() /> };
    let open = format!("/new?agent={slug}");
    let log_slug = slug.clone();
    view! {
        <li class="card agent">
            <header>
                <h2>{agent.label.clone()}</h2>
                {move || tag(&view.get())}
            </header>
            <p>{agent.summary.clone()}</p>
            <p class="meta dot-between">
                {version.map(|version| view! { <span>{version}</span> })}
                {move || match state.get() {
                    Installation::Installed { bytes, .. } if bytes > 0 => {
                        Some(view! { <span>{words::bytes(bytes)} " on disk"</span> })
                    }
                    _ => None,
                }}
                {agent
                    .homepage
                    .clone()
                    .map(|homepage| {
                        view! {
                            <span>
                                <a class="link" href=homepage target="_blank" rel="noopener noreferrer">
                                    "Website"
                                    <span class="sr-only">" of " {agent.label.clone()} ", in a new tab"</span>
                                </a>
                            </span>
                        }
                    })}
            </p>
            {move || match state.get() {
                Installation::Installing { step, percent } => {
                    view! {
                        <div role="status">
                            <p class="soft mb-2">{step}</p>
                            <progress class="progress" max="100" value=percent.map(|percent| percent.to_string()) aria-label="Installing"></progress>
                        </div>
                    }
                        .into_any()
                }
                Installation::Failed { reason } => {
                    view! {
                        <div class="notice notice-failed">
                            {icon(Glyph::Warning)} <p>{reason}</p>
                        </div>
                    }
                        .into_any()
                }
                Installation::Unavailable { reason } => view! { <p class="soft">{reason}</p> }.into_any(),
                Installation::Installed { .. } | Installation::NotInstalled => ().into_any(),
            }}
            {(!agent.sign_in.is_empty())
                .then(|| {
                    view! {
                        <details>
                            <summary>{icon(Glyph::Right)} "How to sign in"</summary>
                            <ul>{agent.sign_in.iter().map(|line| view! { <li>{line.clone()}</li> }).collect_view()}</ul>
                        </details>
                    }
                })}
            {from_registry.then(|| view! { <Log slug=log_slug state /> })}
            <div class="actions">
                {move || ready.get().then(|| view! { <a class="btn btn-small" href=open.clone()>"New session"</a> })}
                {move || {
                    let word = match state.get() {
                        Installation::NotInstalled => "Install",
                        Installation::Failed { .. } => "Try again",
                        _ => return None,
                    };
                    installs
                        .then(|| {
                            view! {
                                <ActionForm action=acts.install>
                                    {fields()}
                                    <button class="btn btn-primary btn-small" type="submit" disabled=move || acts.install.pending().get()>
                                        {icon(Glyph::Download)} {word}
                                    </button>
                                </ActionForm>
                            }
                        })
                }}
                {move || {
                    (installs && matches!(state.get(), Installation::Installed { .. }))
                        .then(|| {
                            view! {
                                <ActionForm action=acts.remove>
                                    {fields()}
                                    <button class="btn btn-quiet btn-small" type="submit" disabled=move || acts.remove.pending().get()>
                                        "Remove"
                                    </button>
                                </ActionForm>
                            }
                        })
                }}
                {move || {
                    (!installs && from_registry && !matches!(state.get(), Installation::Installed { .. }))
                        .then(|| view! { <p class="meta">"A super-admin can install it."</p> })
                }}
                <span class="grow"></span>
                <Switches slug=slug view home acts />
            </div>
        </li>
    }
    .into_any()
}

/// The state in a word.
fn tag(view: &View) -> AnyView {
    if !view.enabled_in_fleet {
        return view! { <span class="tag">"Off for everybody"</span> }.into_any();
    }
    if !view.enabled_in_org {
        return view! { <span class="tag">"Off here"</span> }.into_any();
    }
    match view.installation {
        Installation::Installed { .. } => {
            view! { <span class="tag tag-running">{icon(Glyph::Check)} "Installed"</span> }.into_any()
        }
        Installation::NotInstalled => view! { <span class="tag">"Not installed"</span> }.into_any(),
        Installation::Installing { .. } => view! { <span class="tag tag-pending">"Installing"</span> }.into_any(),
        Installation::Failed { .. } => view! { <span class="tag tag-failed">"Install failed"</span> }.into_any(),
        Installation::Unavailable { .. } => view! { <span class="tag">"Not on this machine"</span> }.into_any(),
    }
}

/// On or off, for whom the reader may switch it.
#[component]
fn Switches(slug: String, view: Memo<View>, home: StoredValue<Home>, acts: Acts) -> impl IntoView {
    let switch = move |verb: Verb, fleet: bool, whom: &'static str| {
        let slug = slug.clone();
        home.with_value(|home| home.may(verb)).then(|| {
            let on = move || {
                view.with(|view| {
                    if fleet {
                        view.enabled_in_fleet
                    } else {
                        view.enabled_in_org
                    }
                })
            };
            view! {
                <ActionForm action=acts.switch>
                    <input type="hidden" name="slug" value=slug />
                    <input type="hidden" name="fleet" value=fleet.to_string() />
                    <input type="hidden" name="enabled" value=move || (!on()).to_string() />
                    <button class="item" type="submit">
                        {move || if on() { icon(Glyph::Pause).into_any() } else { icon(Glyph::Play).into_any() }}
                        {move || if on() { "Switch off for " } else { "Switch on for " }}
                        {whom}
                    </button>
                </ActionForm>
            }
        })
    };
    let (org, fleet) = (
        switch(Verb::SwitchAgents, false, "the Organization"),
        switch(Verb::SwitchFleetAgents, true, "everybody"),
    );
    (org.is_some() || fleet.is_some()).then(|| {
        view! {
            <details class="menu">
                <summary class="btn btn-quiet btn-small">"Who may use it" {icon(Glyph::Down)}</summary>
                <div class="sheet">{org} {fleet}</div>
            </details>
        }
    })
}

/// The log of the last installation: shown while it goes on, and when it is asked for.
#[component]
fn Log(slug: String, state: Memo<Installation>) -> impl IntoView {
    let asked = {
        let slug = slug.clone();
        let query = use_query_map();
        Memo::new(move |_| query.with(|query| query.get("log").as_deref() == Some(&slug)))
    };
    let open = Memo::new(move |_| asked.get() || matches!(state.get(), Installation::Installing { .. }));
    let offered = move || {
        matches!(
            state.get(),
            Installation::Installed { .. } | Installation::Failed { .. }
        )
    };
    let show = format!("/agents?log={slug}");
    view! {
        {move || {
            if open.get() {
                view! { <LogText slug=slug.clone() /> }.into_any()
            } else if offered() {
                view! { <a class="link meta" href=show.clone()>"Show the installation log"</a> }.into_any()
            } else {
                ().into_any()
            }
        }}
    }
}

#[component]
fn LogText(slug: String) -> impl IntoView {
    let asked = slug.clone();
    let first = Resource::new(move || asked.clone(), install_log);
    let live = expect_context::<Live>();
    view! {
        <Suspense fallback=|| view! { <span class="bone h-16"></span> }>
            {move || {
                let slug = slug.clone();
                Suspend::new(async move {
                    let text = match first.await {
                        Ok(text) => text,
                        Err(fault) => return view! { <p class="soft">{fault.problem.detail}</p> }.into_any(),
                    };
                    let kept = RwSignal::new(text);
                    live.follow(Topic::Agents, kept, move || install_log(slug.clone()));
                    view! {
                        <pre class="log" tabindex="0" role="region" aria-label="Installation log">
                            {move || kept.with(|text| if text.is_empty() { "Nothing said yet.".to_owned() } else { tail(text) })}
                        </pre>
                    }
                        .into_any()
                })
            }}
        </Suspense>
    }
}

/// The last lines: what a person wants of a log while it grows.
fn tail(text: &str) -> String {
    const LINES: usize = 200;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
