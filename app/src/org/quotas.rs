//! What an Organization limits, and the wishes that wait for an answer: short enough to be answered on a phone.

use super::{
    OrgHead, Quotas, address, changes, dimension_name, limit_words, list_limits, meant,
    member::LimitsForm,
    of_query, quotas,
    requests::{Answered, Answers, Requests},
};
use crate::{
    address::with_query,
    ui::{
        Bones, Complaint, Face,
        list::{self, Follow},
    },
};
use domain::{
    OrgId,
    page::Page,
    quota::{Dimension, Limited, Limits, ListLimits, Quota, Subject},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The page.
#[component]
#[must_use]
pub fn QuotasPage() -> impl IntoView {
    let of = of_query();
    let changed = changes();
    let answers = Answers::new(changed);
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
                        Ok((quotas, org)) => view! { <All quotas org answers changed /> }.into_any(),
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
fn All(quotas: Quotas, org: OrgId, answers: Answers, changed: RwSignal<u32>) -> impl IntoView {
    let Quotas {
        plan,
        limits,
        waiting,
        answered,
    } = quotas;
    let back = address("/org/quotas", Some(&org));
    view! {
        <div class="stack stack-wide">
            <Requests waiting org=org.clone() answers changed back />
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
