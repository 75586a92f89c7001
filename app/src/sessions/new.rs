//! The way to a new session: choose an agent, say what it works on.

use super::{OpenSession, full::Full, refusal};
use crate::{
    agents::list_agents,
    typed::into_form_of,
    ui::{Bones, Complaint, Head, Keys, Refused, TextField, Wrong},
};
use domain::{
    agent::{Installation, View},
    session::{NAME_MAX, REPO_MAX},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// The page of a new session.
#[component]
#[must_use]
pub fn NewSessionPage() -> impl IntoView {
    let agents = Resource::new(|| (), |()| list_agents());
    view! {
        <div class="page page-narrow">
            <Head title="New session" />
            <Full />
            <Suspense fallback=|| view! { <Bones /> }>
                {move || Suspend::new(async move {
                    match agents.await {
                        Ok(agents) => view! { <Form agents /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// The agent that is taken when nothing was said: the first that can be opened and is more than a shell.
fn preferred(agents: &[View], wanted: Option<&str>) -> Option<String> {
    let ready = |view: &&View| view.is_ready();
    agents
        .iter()
        .filter(ready)
        .find(|view| Some(view.agent.slug.as_str()) == wanted)
        .or_else(|| agents.iter().filter(ready).find(|view| view.agent.slug != "shell"))
        .or_else(|| agents.iter().find(ready))
        .map(|view| view.agent.slug.clone())
}

#[component]
fn Form(mut agents: Vec<View>) -> impl IntoView {
    // What can be opened comes first; otherwise the catalogue's own order.
    agents.sort_by_key(|view| !view.is_ready());
    let open = ServerAction::<OpenSession>::new();
    let typed = into_form_of::<OpenSession>();
    let fault = Signal::derive(move || refusal(open.value().get()));
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(id)) = open.value().get() {
            navigate(&format!("/sessions/{id}"), NavigateOptions::default());
        }
    });
    let said = move |name: &str| typed.as_ref().and_then(|typed| typed.field(name));
    let wanted = said("agent").or_else(|| use_query_map().with_untracked(|query| query.get("agent")));
    let taken = preferred(&agents, wanted.as_deref());
    let elsewhere = ["agent", "name", "repo", "branch"];
    let whole = move || {
        fault.get().filter(|fault| {
            !fault
                .problem
                .field
                .as_deref()
                .is_some_and(|field| elsewhere.contains(&field))
        })
    };
    view! {
        <ActionForm action=open>
            <div class="form">
                <fieldset class="field">
                    <legend>"Agent"</legend>
                    <div class="choices">
                        {agents
                            .into_iter()
                            .map(|view| {
                                let checked = taken.as_deref() == Some(view.agent.slug.as_str());
                                view! { <Choice view checked /> }
                            })
                            .collect_view()}
                    </div>
                    <Wrong field="agent" fault />
                </fieldset>
                <div class="pair">
                    <div class="field wide">
                        <label for="repo">"Repository"</label>
                        <input
                            class="input"
                            id="repo"
                            name="repo"
                            inputmode="url"
                            value=said("repo")
                            maxlength=REPO_MAX.to_string()
                            placeholder="https://example.org/team/project.git"
                            autocomplete="off"
                            autocapitalize="off"
                            spellcheck="false"
                            aria-describedby="repo-hint repo-wrong"
                            aria-invalid=move || fault.with(|fault| blames(fault.as_ref(), "repo"))
                        />
                        <Wrong field="repo" fault />
                        <p class="hint" id="repo-hint">"It is cloned into the workspace. Leave it out for an empty one."</p>
                    </div>
                    <TextField id="branch" name="branch" label="Branch" keys=Keys::Code value=said("branch") most=200_usize placeholder="The repository's own" fault />
                    <TextField id="name" name="name" label="Name" value=said("name") most=NAME_MAX placeholder="After the repository or the agent" fault />
                </div>
                <Refused fault=whole />
                <div class="actions">
                    <button class="btn btn-primary" type="submit" disabled=move || open.pending().get()>
                        {move || if open.pending().get() { "Opening" } else { "Open session" }}
                    </button>
                    <a class="btn btn-quiet" href="/">"Cancel"</a>
                </div>
            </div>
        </ActionForm>
    }
}

fn blames(fault: Option<&crate::fault::Fault>, field: &str) -> Option<&'static str> {
    fault.and_then(|fault| fault.at(field)).map(|_| "true")
}

/// An agent as a card that can be taken, or says what is in the way.
#[component]
fn Choice(view: View, checked: bool) -> impl IntoView {
    let ready = view.is_ready();
    let (tag, class) = match &view.installation {
        _ if !(view.enabled_in_org && view.enabled_in_fleet) => ("Switched off", "tag"),
        Installation::Installed { .. } => ("", ""),
        Installation::Installing { .. } => ("Installing", "tag tag-pending"),
        Installation::NotInstalled => ("Not installed", "tag"),
        Installation::Failed { .. } => ("Install failed", "tag tag-failed"),
        Installation::Unavailable { .. } => ("Not here", "tag"),
    };
    let way = if matches!(
        view.installation,
        Installation::NotInstalled | Installation::Failed { .. }
    ) {
        "Install it"
    } else {
        "See why"
    };
    view! {
        <label class="choice">
            <input type="radio" name="agent" value=view.agent.slug checked=checked disabled=!ready required />
            <span class="title">{view.agent.label}</span>
            <span class="soft">{view.agent.summary}</span>
            {(!ready)
                .then(|| {
                    view! {
                        <span class="foot">
                            <span class=class>{tag}</span>
                            <a class="link meta" href="/agents">
                                {way}
                            </a>
                        </span>
                    }
                })}
        </label>
    }
}
