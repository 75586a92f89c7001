//! One Organization, as those govern it who run the installation.

use super::{ChangeOrg, Plans, SetOrgState, StateTag};
use crate::{
    live::{Live, Topic},
    org::{address, org_overview},
    ui::{Bones, Complaint, Head, Keys, Refused, TextField, Toasts, Wrong},
    words,
};
use domain::{
    OrgId,
    org::{Overview, State},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_params_map;

/// The page.
#[component]
#[must_use]
pub fn FleetOrgPage() -> impl IntoView {
    let params = use_params_map();
    let org = Memo::new(move |_| OrgId::new(params.with(|params| params.get("org").unwrap_or_default())));
    let changed = RwSignal::new(0);
    expect_context::<Live>().listen(Topic::Orgs, move || {
        changed.try_update(|version| *version += 1);
    });
    let found = Resource::new(move || (org.get(), changed.get()), |(org, _)| org_overview(org));
    view! {
        <div class="page page-narrow">
            <Transition fallback=|| view! { <Bones rows=5 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(overview) => view! { <One overview changed /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn One(overview: Overview, changed: RwSignal<u32>) -> impl IntoView {
    let org = overview.org.clone();
    let of = Some(org.id.clone());
    let way = |path: &str| address(path, of.as_ref());
    view! {
        <Head title=org.display_name.clone()>
            <a class="btn" href="/fleet">"All Organizations"</a>
        </Head>
        <div class="stack stack-wide">
            <section class="card lines" aria-label="Figures">
                <div>
                    <p class="grow soft">"State"</p>
                    <p><StateTag state=org.state requests=overview.requests /></p>
                </div>
                <div>
                    <p class="grow soft">"Seats"</p>
                    <p>
                        {words::count(overview.seats_used, "member")} ", " {overview.invited} " invited"
                        {org.seats.map(|seats| format!(", of {seats}"))}
                    </p>
                </div>
                <div>
                    <p class="grow soft">"Sessions"</p>
                    <p>{overview.live} " running of " {words::count(overview.sessions, "session")} ", " {words::bytes(overview.storage_bytes)}</p>
                </div>
                <div class="actions">
                    <a class="btn btn-small" href=way("/org")>"Overview"</a>
                    <a class="btn btn-small" href=way("/org/members")>"Members"</a>
                    <a class="btn btn-small" href=way("/org/quotas")>"Quotas"</a>
                    <a class="btn btn-small" href=way("/org/settings")>"Settings"</a>
                </div>
            </section>
            <Bought overview=overview.clone() changed />
            <Closing overview changed />
        </div>
    }
}

#[component]
fn Bought(overview: Overview, changed: RwSignal<u32>) -> impl IntoView {
    let change = ServerAction::<ChangeOrg>::new();
    let fault = Signal::derive(move || change.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(_)) = change.value().get() {
            toasts.done("Saved. It holds from the next session and the next invitation on.");
            changed.update(|version| *version += 1);
        }
    });
    let org = overview.org;
    let seats = org.seats.map(|seats| seats.to_string()).unwrap_or_default();
    view! {
        <section class="card" aria-labelledby="bought">
            <header class="card-head"><h2 id="bought">"Seats and plan"</h2></header>
            <div class="card-body">
                <ActionForm action=change>
                    <input type="hidden" name="org" value=org.id.as_str().to_owned() />
                    <div class="stack">
                        <div class="pair">
                            <TextField id="bought-seats" name="seats" label="Seats" keys=Keys::Number value=seats placeholder="As many as wanted" fault>
                                "Fewer than are taken end nobody's; they refuse the next."
                            </TextField>
                            <div class="field">
                                <label for="bought-plan">"Plan"</label>
                                <Plans id="bought-plan" chosen=org.plan />
                                <Wrong field="plan" fault />
                            </div>
                        </div>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            <button class="btn btn-primary" type="submit" disabled=move || change.pending().get()>"Save"</button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// Closing and opening: what each does is said beside its button.
#[component]
fn Closing(overview: Overview, changed: RwSignal<u32>) -> impl IntoView {
    let set = ServerAction::<SetOrgState>::new();
    let fault = Signal::derive(move || set.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(overview)) = set.value().get() {
            toasts.done(match overview.org.state {
                State::Active => "It is open again.",
                State::Suspended => "It is suspended; its sessions sleep.",
                State::Archived => "It is archived; nobody signs in.",
            });
            changed.update(|version| *version += 1);
        }
    });
    let org = overview.org;
    let running = words::count(overview.live, "running session");
    let members = words::count(overview.seats_used, "member");
    let ways = [
        (
            State::Active,
            "Open again",
            "Members work as before; sessions wake when they are opened.".to_owned(),
        ),
        (
            State::Suspended,
            "Suspend",
            format!("{running} go to sleep and nothing new runs. {members} may still look. Nothing is deleted."),
        ),
        (
            State::Archived,
            "Archive",
            format!("{running} go to sleep and {members} can no longer sign in. Nothing is deleted."),
        ),
    ];
    let state = org.state;
    let id = StoredValue::new(org.id.as_str().to_owned());
    view! {
        <section class="card" aria-labelledby="closing">
            <header class="card-head"><h2 id="closing">"Open or closed"</h2></header>
            <div class="card-body stack">
                <Refused fault />
                {ways
                    .into_iter()
                    .filter(|(to, ..)| *to != state)
                    .map(|(to, word, hint)| {
                        let class = if to == State::Active { "btn btn-primary" } else { "btn" };
                        view! {
                            <ActionForm action=set>
                                <input type="hidden" name="org" value=id.get_value() />
                                <input type="hidden" name="state" value=to.as_str() />
                                <div class="choice-line">
                                    <p class="soft grow">{hint}</p>
                                    <button class=class type="submit" disabled=move || set.pending().get()>{word}</button>
                                </div>
                            </ActionForm>
                        }
                    })
                    .collect_view()}
            </div>
        </section>
    }
}
