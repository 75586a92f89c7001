//! What an Organization limits, and the wishes that wait for an answer: short enough to be answered on a phone.

use super::{
    AnswerRequest, OrgHead, Quotas, address, ask_words, changes, dimension_name, limit_words, list_limits, meant,
    member::LimitsForm, of_query, quotas,
};
use crate::{
    address::with_query,
    now::Ago,
    ui::{
        Bones, Complaint, Face, Glyph, Refused, Toasts, Wrong, icon,
        list::{self, Follow},
    },
    words,
};
use domain::{
    OrgId,
    page::Page,
    quota::{Dimension, Limit, Limited, Limits, ListLimits, Quota, Request, State, Subject},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

/// The page.
#[component]
#[must_use]
pub fn QuotasPage() -> impl IntoView {
    let of = of_query();
    let changed = changes();
    let found = Resource::new(
        move || (of.get(), changed.get()),
        |(of, _)| async move {
            let org = meant(of).await?;
            Ok((quotas(org.clone()).await?, org))
        },
    );
    view! {
        <div class="page">
            <OrgHead title="Quotas" of />
            <Transition fallback=|| view! { <Bones rows=6 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok((quotas, org)) => view! { <All quotas org changed /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
            // Beside what is above, not in it: that is made anew whenever something changed, and this list stays.
            <Others of changed />
        </div>
    }
}

#[component]
fn All(quotas: Quotas, org: OrgId, changed: RwSignal<u32>) -> impl IntoView {
    let Quotas {
        plan,
        limits,
        waiting,
        answered,
    } = quotas;
    let none = waiting.is_empty();
    let back = address("/org/quotas", Some(&org));
    view! {
        <div class="stack stack-wide">
            <section aria-labelledby="waiting">
                <div class="section-head"><h2 id="waiting">"Requests"</h2></div>
                {if none {
                    view! { <p class="card card-body soft">"Nobody waits for an answer."</p> }.into_any()
                } else {
                    view! {
                        <ul role="list" class="stack">
                            {waiting.into_iter().map(|request| view! { <Waiting request changed back=back.clone() /> }).collect_view()}
                        </ul>
                    }
                        .into_any()
                }}
            </section>
            <section aria-labelledby="everybody" class="card">
                <header class="card-head"><h2 id="everybody">"Everybody"</h2></header>
                <div class="card-body stack">
                    <Layers plan limits=limits.clone() />
                    <LimitsForm
                        org=org.clone()
                        kind="org"
                        subject=String::new()
                        limits
                        summary="Set limits for everybody"
                        changed
                    />
                </div>
            </section>
            {(!answered.is_empty())
                .then(|| {
                    view! {
                        <section aria-labelledby="answered">
                            <div class="section-head"><h2 id="answered">"Answered lately"</h2></div>
                            <ul role="list" class="card lines">
                                {answered.into_iter().map(|request| view! { <Answered request /> }).collect_view()}
                            </ul>
                        </section>
                    }
                })}
        </div>
    }
}

/// The plan's limits beside those that the Organization sets for everybody.
#[component]
fn Layers(plan: Quota, limits: Limits) -> impl IntoView {
    let name = plan.plan.clone().unwrap_or_else(|| "Default".to_owned());
    let rows = Dimension::ALL
        .map(|dimension| {
            let set = limits.0.get(&dimension).copied();
            view! {
                <tr>
                    <th scope="row">{dimension_name(dimension)}</th>
                    <td>{limit_words(dimension, plan.of(dimension))}</td>
                    <td>
                        {match set {
                            Some(limit) => view! { <strong>{limit_words(dimension, limit)}</strong> }.into_any(),
                            None => view! { <span class="meta">"As the plan"</span> }.into_any(),
                        }}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll-x">
            <table class="table plain-table">
                <caption class="sr-only">"Limits for everybody"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Limit"</th>
                        <th scope="col">"Plan: " {name}</th>
                        <th scope="col">"Here"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// Limits of groups and of people, each with the way to change it, a page at a time.
#[component]
fn Others(of: Memo<Option<OrgId>>, changed: RwSignal<u32>) -> impl IntoView {
    let query = use_query_map();
    let want = Memo::new(move |_| {
        query.with(|query| ListLimits {
            search: query.get("q").unwrap_or_default().trim().chars().take(200).collect(),
            cursor: query.get("after").filter(|after| !after.is_empty()),
            limit: 0,
        })
    });
    let follow = Follow::new(move |field| {
        let search = field("q").trim().chars().take(200).collect::<String>();
        let narrowed = search != want.get_untracked().search;
        narrowed.then(|| with_query(&address("/org/quotas", of.get_untracked().as_ref()), &[("q", &search)]))
    });
    let words = Signal::derive(move || want.with(|want| want.search.clone()));
    let fields = view! {
        {of.get_untracked().map(|of| view! { <input type="hidden" name="of" value=of.as_str().to_owned() /> })}
        {list::find("Find groups and people", "Find by group, name or address", "q", words, follow)}
    };
    let page = Resource::new(
        move || (of.get(), want.get(), changed.get()),
        |(of, want, _)| async move {
            let org = meant(of).await?;
            Ok::<_, crate::fault::Fault>((list_limits(org.clone(), want).await?, org))
        },
    );
    view! {
        <section aria-labelledby="groups" class="card groups">
            <header class="card-head"><h2 id="groups">"Groups and people"</h2></header>
            <div class="card-body stack">
                {list::filters("/org/quotas#groups", follow, fields)}
                <Transition fallback=|| view! { <Bones rows=2 /> }>
                    {move || Suspend::new(async move {
                        match page.await {
                            Ok((page, org)) => {
                                let want = want.get_untracked();
                                view! {
                                    <Set page want org=org.clone() changed />
                                    <LimitsForm org kind="group" subject=None limits=Limits::default() summary="Set limits for a group" changed />
                                }
                                    .into_any()
                            }
                            Err(fault) => view! { <Complaint fault /> }.into_any(),
                        }
                    })}
                </Transition>
            </div>
        </section>
    }
}

/// One page of them.
#[component]
fn Set(page: Page<Limited>, want: ListLimits, org: OrgId, changed: RwSignal<u32>) -> impl IntoView {
    let Page { items, next, total } = page;
    let to = |search: &str, after: &str| {
        let query = [("of", org.as_str()), ("q", search), ("after", after)];
        format!("{}#groups", with_query("/org/quotas", &query))
    };
    if items.is_empty() {
        let said = if want.search.is_empty() {
            view! { <p class="soft">"No group and no person has limits of their own."</p> }.into_any()
        } else {
            view! {
                <p class="soft">
                    "Nothing set here is called that. " <a class="link" href=to("", "")>"Show all"</a>
                </p>
            }
            .into_any()
        };
        return said;
    }
    let first = want.cursor.is_some().then(|| to(&want.search, ""));
    let next = next.map(|next| to(&want.search, &next));
    let (groups, people) = items
        .into_iter()
        .partition::<Vec<_>, _>(|limited| matches!(limited.subject, Subject::Group(_)));
    let lines = groups
        .into_iter()
        .chain(people)
        .map(|limited| view! { <SetLine limited org=org.clone() changed /> })
        .collect_view();
    view! {
        <ul role="list" class="lines lines-bare">{lines}</ul>
        {list::under(format!("{total} in all"), first, next)}
    }
    .into_any()
}

#[component]
fn SetLine(limited: Limited, org: OrgId, changed: RwSignal<u32>) -> impl IntoView {
    let Limited {
        subject,
        name,
        email,
        limits,
    } = limited;
    let shown: Vec<_> = limits
        .0
        .iter()
        .map(|(dimension, limit)| format!("{}: {}", dimension_name(*dimension), limit_words(*dimension, *limit)))
        .collect();
    let shown = shown.join(", ");
    match subject {
        Subject::Person(person) => {
            let to = address(&format!("/org/members/{person}"), Some(&org));
            // A seat that is gone takes its limits along; should one be left, it still has its id.
            let name = name.unwrap_or_else(|| person.as_str().to_owned());
            view! {
                <li>
                    <Face name=name.clone() />
                    <div class="grow">
                        <p><a class="link" href=to>{name}</a> " " <span class="meta">{email}</span></p>
                        <p class="meta">{shown}</p>
                    </div>
                </li>
            }
            .into_any()
        }
        Subject::Group(name) => view! {
            <li>
                <div class="grow">
                    <p>{name.clone()} " " <span class="tag">"Group"</span></p>
                    <p class="meta">{shown}</p>
                    <LimitsForm org kind="group" subject=name limits summary="Change" changed />
                </div>
            </li>
        }
        .into_any(),
        Subject::Org => ().into_any(),
    }
}

#[component]
fn Waiting(request: Request, changed: RwSignal<u32>, back: String) -> impl IntoView {
    let answer = ServerAction::<AnswerRequest>::new();
    let fault = Signal::derive(move || answer.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    let name = request.name.clone();
    Effect::new(move |_| {
        if let Some(Ok(request)) = answer.value().get() {
            let what = if request.state == State::Granted {
                "granted"
            } else {
                "declined"
            };
            toasts.done(format!("The request of {name} is {what}."));
            changed.update(|version| *version += 1);
        }
    });
    let told = StoredValue::new((request.org.as_str().to_owned(), request.id.as_str().to_owned(), back));
    let hidden = move |granted: bool| {
        let (org, id, back) = told.get_value();
        view! {
            <input type="hidden" name="org" value=org />
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="granted" value=granted.to_string() />
            <input type="hidden" name="back" value=back />
        }
    };
    let days = request.days.map(|days| days.to_string()).unwrap_or_default();
    let days_id = format!("days-{}", request.id);
    let word_id = format!("word-{}", request.id);
    view! {
        <li class="card">
            <div class="card-body stack">
                <div class="person">
                    <Face name=request.name.clone() />
                    <div class="grow">
                        <p><strong>{request.name.clone()}</strong> <span class="meta">" asked " <Ago at=Signal::stored(request.asked_at) /></span></p>
                        <p>{ask_words(&request)}</p>
                        <p class="soft">{request.why.clone()}</p>
                    </div>
                </div>
                <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                <div class="answers">
                    <ActionForm action=answer>
                        {hidden(true)}
                        <div class="answer">
                            <label class="sr-only" for=days_id.clone()>"For how many days"</label>
                            <input class="input" id=days_id name="days" value=days inputmode="numeric" placeholder="For good" autocomplete="off" />
                            <span class="meta">"days"</span>
                            <button class="btn btn-primary" type="submit" disabled=move || answer.pending().get()>
                                {icon(Glyph::Check)} "Grant"
                            </button>
                        </div>
                        <Wrong field="days" fault />
                    </ActionForm>
                    <ActionForm action=answer>
                        {hidden(false)}
                        <div class="answer">
                            <label class="sr-only" for=word_id.clone()>"Why not"</label>
                            <input class="input" id=word_id name="word" maxlength="500" placeholder="Why not" autocomplete="off" />
                            <button class="btn" type="submit" disabled=move || answer.pending().get()>"Decline"</button>
                        </div>
                        <Wrong field="word" fault />
                    </ActionForm>
                </div>
            </div>
        </li>
    }
}

#[component]
fn Answered(request: Request) -> impl IntoView {
    view! {
        <li>
            <div class="grow">
                <p>{request.name.clone()} ": " {ask_words(&request)}</p>
                <RequestState request />
            </div>
        </li>
    }
}

/// What became of a request, in one line.
#[component]
pub(crate) fn RequestState(request: Request) -> impl IntoView {
    let (class, word) = match request.state {
        State::Waiting => ("tag tag-waiting", "Waiting"),
        State::Granted => ("tag tag-running", "Granted"),
        State::Declined => ("tag tag-failed", "Declined"),
        State::Withdrawn => ("tag", "Withdrawn"),
    };
    let over = request.state == State::Granted && request.wanted == Limit::Unlimited && request.ends_at.is_none();
    view! {
        <p class="meta dot-between">
            <span class=class>{word}</span>
            {match (request.answered_at, request.answered_by.clone()) {
                (Some(at), Some(by)) => Some(view! { <span>"By " {by} " " <Ago at=Signal::stored(at) /></span> }.into_any()),
                _ => Some(view! { <span>"Asked " <Ago at=Signal::stored(request.asked_at) /></span> }.into_any()),
            }}
            {request.ends_at.map(|at| view! { <span>"Until " {words::day(at, 0)}</span> })}
            {over.then(|| view! { <span>"For good"</span> })}
            {request.answer.map(|answer| view! { <span>{answer}</span> })}
        </p>
    }
}
