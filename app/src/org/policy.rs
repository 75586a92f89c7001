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
    policy::{DryRun, IdleAction, Policy, Seeing, Version},
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
        "Seeing sessions",
        policy.seeing.map(|seeing| seeing_words(seeing).to_owned()),
    );
    say("Screens", policy.admins_watch.map(|may| watch_words(may).to_owned()));
    say("Recording", policy.recording.map(|may| recording_words(may).to_owned()));
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
        "After a rest",
        policy.idle_action.map(|action| action_words(action).to_owned()),
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

const fn seeing_words(seeing: Seeing) -> &'static str {
    match seeing {
        Seeing::Own => "Each their own",
        Seeing::Groups => "Those of their groups",
        Seeing::Org => "Those of everybody",
    }
}

const fn watch_words(may: bool) -> &'static str {
    if may {
        "Admins may look, not type"
    } else {
        "Admins look only where invited"
    }
}

const fn recording_words(may: bool) -> &'static str {
    if may { "Recorded, secret values masked" } else { "Never" }
}

const fn action_words(action: IdleAction) -> &'static str {
    match action {
        IdleAction::Warn => "Tell its owner, end nothing",
        IdleAction::Suspend => "Suspend; a keystroke wakes it",
        IdleAction::Stop => "Stop; only resuming wakes it",
    }
}

/// A field of the form: its label, what is in it, what to know of it, and what was wrong with it.
fn field(label: &'static str, of: &'static str, within: AnyView, hint: Option<&'static str>, fault: Faults) -> AnyView {
    view! {
        <div class="field">
            <label for=format!("policy-{of}")>{label}</label>
            {within}
            {hint.map(|hint| view! { <p class="hint" id=format!("{of}-hint")>{hint}</p> })}
            <Wrong field=of fault />
        </div>
    }
    .into_any()
}

/// What the form was refused for.
type Faults = Signal<Option<Fault>>;

fn text(of: &'static str, name: &'static str, value: String, placeholder: &'static str) -> AnyView {
    view! {
        <input
            class="input"
            id=format!("policy-{of}")
            name=name
            inputmode="numeric"
            value=value
            placeholder=placeholder
            autocomplete="off"
            aria-describedby=format!("{of}-hint {of}-wrong")
        />
    }
    .into_any()
}

fn area(of: &'static str, name: &'static str, value: String, placeholder: &'static str) -> AnyView {
    view! {
        <textarea
            class="input area"
            id=format!("policy-{of}")
            name=name
            rows="4"
            placeholder=placeholder
            spellcheck="false"
            aria-describedby=format!("{of}-hint {of}-wrong")
        >{value}</textarea>
    }
    .into_any()
}

/// A choice; the first, without a value, is no rule.
fn choice(
    of: &'static str,
    name: &'static str,
    none: &'static str,
    all: Vec<(&'static str, &'static str, bool)>,
) -> AnyView {
    let options = all
        .into_iter()
        .map(|(value, words, selected)| view! { <option value=value selected=selected>{words}</option> }.into_any());
    view! {
        <select class="input" id=format!("policy-{of}") name=name aria-describedby=format!("{of}-hint {of}-wrong")>
            <option value="">{none}</option>
            {options.collect_view()}
        </select>
    }
    .into_any()
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
    let is_floor = org.is_none();
    let rules = [
        who(&policy, is_floor, fault),
        time(&policy, fault),
        reach(&policy, fault),
    ];
    view! {
        <section class="card" aria-labelledby="change">
            <header class="card-head"><h2 id="change">"Change it"</h2></header>
            <div class="card-body">
                <ActionForm action=save node_ref=form>
                    {org.map(|org| view! { <input type="hidden" name="org" value=org.as_str().to_owned() /> })}
                    <input type="hidden" name="based_on" value=version.to_string() />
                    <div class="stack stack-wide">
                        {agents(&policy, home, fault)}
                        {rules.map(|fields| view! { <div class="pair">{fields}</div> }.into_any()).into_iter().collect_view()}
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

fn agents(policy: &Policy, home: Home, fault: Faults) -> AnyView {
    let some = policy.agents.is_some();
    let ticked = policy.agents.clone().unwrap_or_default();
    let each = |(slug, label): (String, String)| {
        let checked = ticked.contains(&slug);
        view! {
            <label class="check">
                <input type="checkbox" name="policy[agents][]" value=slug checked=checked />
                <span>{label}</span>
            </label>
        }
        .into_any()
    };
    let boxes = home.agents.into_iter().map(each).collect_view();
    let which = |value: &'static str, label: &'static str, checked: bool| {
        view! {
            <label class="check">
                <input type="radio" name="policy[which_agents]" value=value checked=checked />
                <span>{label}</span>
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="field">
            <legend>"Agents"</legend>
            {which("all", "All that are installed and switched on", !some)}
            {which("some", "Only these", some)}
            <div class="capabilities">{boxes}</div>
            <Wrong field="agents" fault />
        </fieldset>
    }
    .into_any()
}

/// Who sees, shares and records what.
fn who(policy: &Policy, is_floor: bool, fault: Faults) -> Vec<AnyView> {
    let sharing = [Sharing::Watch, Sharing::Private];
    let sharing = sharing.map(|most| (most.as_str(), sharing_words(most), policy.sharing == Some(most)));
    let (least, screens): (_, &[(&'static str, bool)]) = if is_floor {
        ("As each Organization says", &[("no", false)])
    } else {
        ("Each their own", &[("yes", true), ("no", false)])
    };
    let seeing = Seeing::ALL
        .into_iter()
        .filter(|seeing| is_floor || *seeing != Seeing::Own);
    let seeing = seeing.map(|seeing| (seeing.as_str(), seeing_words(seeing), policy.seeing == Some(seeing)));
    let screens = screens
        .iter()
        .map(|(word, may)| (*word, watch_words(*may), policy.admins_watch == Some(*may)));
    let seen = if is_floor {
        "The most that an Organization may choose. What is shared is seen besides."
    } else {
        "What sessions are and whether they run, never their screens. What is shared is seen besides."
    };
    let none = if is_floor {
        "As each Organization says"
    } else {
        "No rule: only where invited"
    };
    let (unsaid, recording): (_, &[_]) = if is_floor {
        ("As each Organization says", &[("no", false)])
    } else {
        ("No rule: not recorded", &[("yes", true), ("no", false)])
    };
    let recording = recording
        .iter()
        .map(|(word, may)| (*word, recording_words(*may), policy.recording == Some(*may)));
    let recorded = if is_floor {
        "“Never” holds in every Organization. What is there already stays with its session."
    } else {
        "What comes out of terminals, never what is typed. It holds for terminals that start from now on: a running session \
         begins, or ends, with its next start. Everybody sees that a session is recorded; its owner reads the recording, \
         and admins where they may look at screens. It goes with its session."
    };
    vec![
        field(
            "Seeing colleagues' sessions",
            "seeing",
            choice("seeing", "policy[seeing]", least, seeing.collect()),
            Some(seen),
            fault,
        ),
        field(
            "Admins and others' screens",
            "admins_watch",
            choice("admins_watch", "policy[admins_watch]", none, screens.collect()),
            Some("Whoever looks is shown to the owner among the viewers, and the audit says so."),
            fault,
        ),
        field(
            "Sharing sessions",
            "sharing",
            choice("sharing", "policy[sharing]", "As the owner likes", sharing.into()),
            Some("What is shared farther now is narrowed at once."),
            fault,
        ),
        field(
            "Recording terminals",
            "recording",
            choice("recording", "policy[recording]", unsaid, recording.collect()),
            Some(recorded),
            fault,
        ),
    ]
}

/// How long something lasts.
fn time(policy: &Policy, fault: Faults) -> Vec<AnyView> {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let lifetime = number(policy.lifetime_seconds.map(|seconds| seconds / 3600));
    let idle = number(policy.idle_seconds.map(|seconds| seconds / 60));
    let days = number(policy.token_hours.map(|hours| hours.unsigned_abs() / 24));
    let actions = [IdleAction::Warn, IdleAction::Stop];
    let actions = actions.map(|action| {
        (
            action.as_str(),
            action_words(action),
            policy.idle_action == Some(action),
        )
    });
    vec![
        field(
            "Longest rest, minutes",
            "idle_seconds",
            text("idle_seconds", "policy[idle_minutes]", idle, "No end"),
            Some("Output counts as activity, and so does somebody who looks: work that runs is not ended."),
            fault,
        ),
        field(
            "After that rest",
            "idle_action",
            choice(
                "idle_action",
                "policy[idle_action]",
                action_words(IdleAction::Suspend),
                actions.into(),
            ),
            Some("The harder of this and the installation's holds. A quota's own limit always suspends."),
            fault,
        ),
        field(
            "A session runs at most, hours",
            "lifetime_seconds",
            text("lifetime_seconds", "policy[lifetime_hours]", lifetime, "No end"),
            None,
            fault,
        ),
        field(
            "Tokens last at most, days",
            "token_hours",
            text("token_hours", "policy[token_days]", days, "90"),
            None,
            fault,
        ),
    ]
}

/// What agents may fetch and reach.
fn reach(policy: &Policy, fault: Faults) -> Vec<AnyView> {
    let lines = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join("\n")).unwrap_or_default();
    vec![
        field(
            "Repositories, one pattern a line",
            "repositories",
            area(
                "repositories",
                "policy[repositories]",
                lines(&policy.repositories),
                "github.com/acme/*",
            ),
            Some(
                "Host and path; * for one part, /** for all below. Empty: every repository. An empty workspace is always allowed.",
            ),
            fault,
        ),
        field(
            "Hosts that agents may reach, one a line",
            "egress",
            area("egress", "policy[egress]", lines(&policy.egress), "Empty: every host"),
            Some(
                "Kept for runtimes that can hold it. On one machine sessions share its network: there it is not enforced.",
            ),
            fault,
        ),
    ]
}

/// What the last week would have been like.
#[component]
fn Trial(run: DryRun) -> impl IntoView {
    let DryRun {
        looked_at,
        refused,
        refused_in_all,
        narrowed,
        shown,
        resting,
    } = run;
    let does_something = refused_in_all + narrowed + shown + resting > 0;
    let class = if does_something {
        "notice notice-waiting"
    } else {
        "notice"
    };
    view! {
        <div class=class role="status">
            {icon(if does_something { Glyph::Warning } else { Glyph::Check })}
            <div class="stack">
                <p>
                    {words::count(looked_at, "session")} " opened in the last week. "
                    <strong>{refused_in_all} " would have been refused"</strong>
                    {(narrowed > 0).then(|| format!(", and {} would be shared less from now on", words::count(narrowed, "session")))} "."
                </p>
                {(shown > 0)
                    .then(|| view! { <p>{words::count(shown, "session")} " that nobody shares would be listed to colleagues."</p> })}
                {(resting > 0)
                    .then(|| view! { <p>{words::count(resting, "session")} " rest for longer than that now: the rule would act on them within a minute."</p> })}
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
    let yes_or_no = |text: &str| match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
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
        seeing: Seeing::from_name(&fields.seeing),
        admins_watch: yes_or_no(&fields.admins_watch),
        recording: yes_or_no(&fields.recording),
        idle_action: IdleAction::from_name(&fields.idle_action),
        lifetime_seconds: number(&fields.lifetime_hours, "lifetime_seconds", 3600)?,
        idle_seconds: number(&fields.idle_minutes, "idle_seconds", 60)?,
        token_hours: hours.map(|hours| i64::try_from(hours).unwrap_or(i64::MAX)),
        egress: lines(&fields.egress),
    })
}
