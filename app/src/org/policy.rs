//! Policy, as a form: each rule says what it does, what it would have refused is shown before it is saved, and the floor
//! of the installation stands beside it.

use super::{OrgHead, Policies, SavePolicy, TryPolicy, changes, meant, of_query, show_policy};
use crate::{
    fault::Fault,
    fleet::FleetHead,
    home::{Home, at_home},
    now::Ago,
    ui::{Bones, Complaint, Glyph, Refused, Toasts, Wrong, icon},
    words,
};
use domain::{
    OrgId,
    permit::Verb,
    policy::{DryRun, Policy, Version},
    session::Sharing,
};
use leptos::{form::ActionForm, prelude::*};

/// The page of an Organization's policy.
#[component]
#[must_use]
pub fn PolicyPage() -> impl IntoView {
    let of = of_query();
    let changed = changes();
    let found = Resource::new(
        move || (of.get(), changed.get()),
        |(of, _)| async move {
            let org = meant(of).await?;
            Ok::<_, Fault>((show_policy(Some(org.clone())).await?, at_home().await?, org))
        },
    );
    view! {
        <div class="page">
            <OrgHead title="Policy" of />
            <Transition fallback=|| view! { <Bones rows=6 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok((policies, home, org)) => {
                            let may = home.may(Verb::ManagePolicy);
                            view! { <All policies home org=Some(org) may changed /> }.into_any()
                        }
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

/// The page of the installation's policy: the floor of every Organization.
#[component]
#[must_use]
pub fn FleetPolicyPage() -> impl IntoView {
    let changed = changes();
    let found = Resource::new(
        move || changed.get(),
        |_| async move { Ok::<_, Fault>((show_policy(None).await?, at_home().await?)) },
    );
    view! {
        <div class="page">
            <FleetHead title="Policy for all Organizations" />
            <Transition fallback=|| view! { <Bones rows=6 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok((policies, home)) => view! { <All policies home org=None may=true changed /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn All(policies: Policies, home: Home, org: Option<OrgId>, may: bool, changed: RwSignal<u32>) -> impl IntoView {
    let Policies { floor, own } = policies;
    let floor = (floor.policy != Policy::default()).then(|| in_words(&floor.policy, &home));
    let set: Vec<_> = in_words(&own.policy, &home);
    view! {
        <div class="stack stack-wide">
            {floor
                .map(|lines| {
                    view! {
                        <section class="notice" aria-label="Set for every Organization">
                            {icon(Glyph::Fleet)}
                            <div class="stack">
                                <p><strong>"Set for every Organization of this installation"</strong>", and not to be loosened here."</p>
                                <Lines lines />
                            </div>
                        </section>
                    }
                })}
            <section class="card" aria-labelledby="rules">
                <header class="card-head">
                    <h2 id="rules">"What holds now"</h2>
                    <Saved version=own.clone() />
                </header>
                <div class="card-body">
                    {if set.is_empty() {
                        view! { <p class="soft">"Nothing is restricted: every agent, every repository, sharing as its owner likes."</p> }.into_any()
                    } else {
                        view! { <Lines lines=set /> }.into_any()
                    }}
                </div>
            </section>
            {may.then(|| view! { <Form own home org changed /> })}
        </div>
    }
}

#[component]
fn Saved(version: Version) -> impl IntoView {
    version.saved_at.zip(version.saved_by).map(|(at, by)| {
        view! {
            <p class="meta">"Version " {version.version} ", by " {by} " " <Ago at=Signal::stored(at) /></p>
        }
    })
}

#[component]
fn Lines(lines: Vec<(&'static str, String)>) -> impl IntoView {
    view! {
        <dl class="facts">
            {lines.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> }).collect_view()}
        </dl>
    }
}

/// A document, rule by rule.
fn in_words(policy: &Policy, home: &Home) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut say = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    let list = |entries: &Vec<String>, none: &str| {
        if entries.is_empty() {
            none.to_owned()
        } else {
            entries.join(", ")
        }
    };
    say(
        "Agents",
        policy.agents.as_ref().map(|agents| {
            let names: Vec<_> = agents.iter().map(|agent| home.agent(agent)).collect();
            list(&names, "none")
        }),
    );
    say(
        "Repositories",
        policy.repositories.as_ref().map(|repos| list(repos, "none")),
    );
    say("Sharing", policy.sharing.map(|most| sharing_words(most).to_owned()));
    say(
        "Longest run",
        policy
            .lifetime_seconds
            .map(|seconds| words::count(seconds / 3600, "hour")),
    );
    say(
        "Longest rest",
        policy.idle_seconds.map(|seconds| words::count(seconds / 60, "minute")),
    );
    say(
        "Tokens last",
        policy
            .token_hours
            .map(|hours| words::count((hours / 24).unsigned_abs(), "day")),
    );
    say(
        "Hosts to reach",
        policy.egress.as_ref().map(|hosts| list(hosts, "none")),
    );
    lines
}

const fn sharing_words(most: Sharing) -> &'static str {
    match most {
        Sharing::Private => "Off",
        Sharing::Watch => "For watching",
        Sharing::Drive => "For watching and typing",
    }
}

#[component]
fn Form(own: Version, home: Home, org: Option<OrgId>, changed: RwSignal<u32>) -> impl IntoView {
    let save = ServerAction::<SavePolicy>::new();
    let trial = ServerAction::<TryPolicy>::new();
    let fault = Signal::derive(move || {
        let saved = save.value().get().and_then(Result::err);
        saved.or_else(|| trial.value().get().and_then(Result::err))
    });
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(version)) = save.value().get() {
            toasts.done(format!("Version {} holds from now on.", version.version));
            changed.update(|version| *version += 1);
        }
    });
    let form = NodeRef::<leptos::html::Form>::new();
    // The same fields, asked of another function: what they would have refused.
    let try_it = move |_| {
        if let Some(form) = form.get_untracked()
            && let Ok(fields) = web_sys::FormData::new_with_form(&form)
            && let Ok(ask) = TryPolicy::from_form_data(&fields)
        {
            trial.dispatch(ask);
        }
    };
    let Version { version, policy, .. } = own;
    let lines = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join("\n")).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let repositories = lines(&policy.repositories);
    let egress = lines(&policy.egress);
    let some = policy.agents.is_some();
    let ticked = policy.agents.clone().unwrap_or_default();
    let agents = home
        .agents
        .into_iter()
        .map(|(slug, label)| {
            let checked = ticked.contains(&slug);
            view! {
                <label class="check">
                    <input type="checkbox" name="policy[agents][]" value=slug checked=checked />
                    <span>{label}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="change">
            <header class="card-head"><h2 id="change">"Change it"</h2></header>
            <div class="card-body">
                <ActionForm action=save node_ref=form>
                    {org.map(|org| view! { <input type="hidden" name="org" value=org.as_str().to_owned() /> })}
                    <input type="hidden" name="based_on" value=version.to_string() />
                    <div class="stack stack-wide">
                        <fieldset class="field">
                            <legend>"Agents"</legend>
                            <label class="check">
                                <input type="radio" name="policy[which_agents]" value="all" checked=!some />
                                <span>"All that are installed and switched on"</span>
                            </label>
                            <label class="check">
                                <input type="radio" name="policy[which_agents]" value="some" checked=some />
                                <span>"Only these"</span>
                            </label>
                            <div class="capabilities">{agents}</div>
                            <Wrong field="agents" fault />
                        </fieldset>
                        <div class="pair">
                            <div class="field">
                                <label for="policy-repositories">"Repositories, one pattern a line"</label>
                                <textarea
                                    class="input area"
                                    id="policy-repositories"
                                    name="policy[repositories]"
                                    rows="4"
                                    placeholder="github.com/acme/*"
                                    spellcheck="false"
                                    aria-describedby="repositories-hint repositories-wrong"
                                >{repositories}</textarea>
                                <p class="hint" id="repositories-hint">
                                    "Host and path; * for one part, /** for all below. Empty: every repository. An empty workspace is always allowed."
                                </p>
                                <Wrong field="repositories" fault />
                            </div>
                            <div class="field">
                                <label for="policy-egress">"Hosts that agents may reach, one a line"</label>
                                <textarea
                                    class="input area"
                                    id="policy-egress"
                                    name="policy[egress]"
                                    rows="4"
                                    placeholder="Empty: every host"
                                    spellcheck="false"
                                    aria-describedby="egress-hint egress-wrong"
                                >{egress}</textarea>
                                <p class="hint" id="egress-hint">
                                    "Kept for runtimes that can hold it. On one machine sessions share its network: there it is not enforced."
                                </p>
                                <Wrong field="egress" fault />
                            </div>
                            <div class="field">
                                <label for="policy-sharing">"Sharing sessions"</label>
                                <select class="input" id="policy-sharing" name="policy[sharing]">
                                    <option value="">"As the owner likes"</option>
                                    {[Sharing::Watch, Sharing::Private]
                                        .map(|most| {
                                            view! {
                                                <option value=most.as_str() selected=policy.sharing == Some(most)>{sharing_words(most)}</option>
                                            }
                                        })}
                                </select>
                                <p class="hint">"What is shared farther now is narrowed at once."</p>
                            </div>
                            <div class="field">
                                <label for="policy-tokens">"Tokens last at most, days"</label>
                                <input
                                    class="input"
                                    id="policy-tokens"
                                    name="policy[token_days]"
                                    inputmode="numeric"
                                    value=number(policy.token_hours.map(|hours| hours.unsigned_abs() / 24))
                                    placeholder="90"
                                    autocomplete="off"
                                />
                                <Wrong field="token_hours" fault />
                            </div>
                            <div class="field">
                                <label for="policy-lifetime">"A session runs at most, hours"</label>
                                <input
                                    class="input"
                                    id="policy-lifetime"
                                    name="policy[lifetime_hours]"
                                    inputmode="numeric"
                                    value=number(policy.lifetime_seconds.map(|seconds| seconds / 3600))
                                    placeholder="No end"
                                    autocomplete="off"
                                />
                                <Wrong field="lifetime_seconds" fault />
                            </div>
                            <div class="field">
                                <label for="policy-idle">"Suspend what rests, minutes"</label>
                                <input
                                    class="input"
                                    id="policy-idle"
                                    name="policy[idle_minutes]"
                                    inputmode="numeric"
                                    value=number(policy.idle_seconds.map(|seconds| seconds / 60))
                                    placeholder="Never"
                                    autocomplete="off"
                                    aria-describedby="idle-hint"
                                />
                                <p class="hint" id="idle-hint">"Output counts as activity, and so does somebody who looks: work that runs is not ended."</p>
                                <Wrong field="idle_seconds" fault />
                            </div>
                        </div>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        {move || match trial.value().get() {
                            Some(Ok(run)) => Some(view! { <Trial run /> }),
                            _ => None,
                        }}
                        <div class="actions">
                            <button class="btn" type="button" on:click=try_it disabled=move || trial.pending().get()>
                                {move || if trial.pending().get() { "Looking at last week" } else { "Try on last week" }}
                            </button>
                            <button class="btn btn-primary" type="submit" disabled=move || save.pending().get()>
                                {move || if save.pending().get() { "Saving" } else { "Save" }}
                            </button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// What the last week would have been like.
#[component]
fn Trial(run: DryRun) -> impl IntoView {
    let DryRun {
        looked_at,
        refused,
        refused_in_all,
        narrowed,
    } = run;
    let class = if refused_in_all + narrowed > 0 {
        "notice notice-waiting"
    } else {
        "notice"
    };
    view! {
        <div class=class role="status">
            {icon(if refused_in_all + narrowed > 0 { Glyph::Warning } else { Glyph::Check })}
            <div class="stack">
                <p>
                    {words::count(looked_at, "session")} " opened in the last week. "
                    <strong>{refused_in_all} " would have been refused"</strong>
                    {(narrowed > 0).then(|| format!(", and {} would be shared less from now on", words::count(narrowed, "session")))} "."
                </p>
                {(!refused.is_empty())
                    .then(|| {
                        view! {
                            <ul role="list" class="stack">
                                {refused
                                    .into_iter()
                                    .map(|refused| {
                                        view! {
                                            <li class="meta dot-between">
                                                <span>{refused.name}</span>
                                                <span>{refused.actor}</span>
                                                <span>{refused.why}</span>
                                                <Ago at=Signal::stored(refused.at) />
                                            </li>
                                        }
                                    })
                                    .collect_view()}
                            </ul>
                        }
                    })}
            </div>
        </div>
    }
}

/// Reads the form.
#[cfg(feature = "ssr")]
pub(super) fn read(fields: super::PolicyFields) -> Result<Policy, domain::Problem> {
    let lines = |text: &str| {
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        (!lines.is_empty()).then_some(lines)
    };
    let number = |text: &str, field: &str, unit: u64| match text.trim() {
        "" => Ok(None),
        text => match text.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)) {
            Some(number) => Ok(Some(number)),
            None => {
                Err(domain::Problem::new("invalid-policy", "Write a whole number, or nothing for no rule.").at(field))
            }
        },
    };
    let hours = number(&fields.token_days, "token_hours", 24)?;
    Ok(Policy {
        agents: (fields.which_agents == "some").then_some(fields.agents),
        repositories: lines(&fields.repositories),
        sharing: Sharing::ALL
            .into_iter()
            .find(|sharing| sharing.as_str() == fields.sharing),
        lifetime_seconds: number(&fields.lifetime_hours, "lifetime_seconds", 3600)?,
        idle_seconds: number(&fields.idle_minutes, "idle_seconds", 60)?,
        token_hours: hours.map(|hours| i64::try_from(hours).unwrap_or(i64::MAX)),
        egress: lines(&fields.egress),
    })
}
