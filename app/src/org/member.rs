//! One member: the seat, what they may run and where each limit comes from, their tokens, and how the seat ends.

use super::{
    ChangeSeat, Member, OrgHead, RemoveMember, RevokeMemberToken, SetLimits, address, changes, dimension_name,
    limit_words, limits, list_members, meant, members::SeatTag, of_query, show_member, source_words,
};
use crate::{
    fault::Fault,
    home::{at_home, role_name},
    now::Ago,
    ui::{Bones, Complaint, Face, Glyph, Keys, Refused, TextField, Toasts, Wrong, icon},
    words,
};
use domain::{
    OrgId, PersonId, Role,
    member::{ListMembers, Seat, Status},
    quota::{Dimension, Limits, Standing},
    token::Token,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate, hooks::use_params_map};

/// The page.
#[component]
#[must_use]
pub fn MemberPage() -> impl IntoView {
    let of = of_query();
    let params = use_params_map();
    let person = Memo::new(move |_| PersonId::new(params.with(|params| params.get("person").unwrap_or_default())));
    let changed = changes();
    let found = Resource::new(
        move || (of.get(), person.get(), changed.get()),
        |(of, person, _)| async move { show_member(meant(of).await?, person).await },
    );
    view! {
        <div class="page">
            <OrgHead title="Member" of />
            <Transition fallback=|| view! { <Bones rows=6 /> }>
                {move || Suspend::new(async move {
                    match (found.await, at_home().await) {
                        (Ok(member), Ok(home)) => {
                            let of = of.get_untracked();
                            view! { <One member mine=home.role of changed /> }.into_any()
                        }
                        (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn One(member: Member, mine: Role, of: Option<OrgId>, changed: RwSignal<u32>) -> impl IntoView {
    let Member {
        seat,
        standing,
        limits,
        tokens,
    } = member;
    let list = address("/org/members", of.as_ref());
    let touchable = seat.status != Status::Left && mine.may_grant(seat.role);
    view! {
        <div class="stack stack-wide">
            <section class="card lines">
                <div>
                    <Face name=seat.name.clone() />
                    <div class="grow">
                        <p><strong>{seat.name.clone()}</strong> " " <SeatTag status=seat.status ends_at=seat.ends_at /></p>
                        <p class="meta dot-between">
                            <span>{seat.email.clone()}</span>
                            <span>"Joined " <Ago at=Signal::stored(seat.joined_at) /></span>
                            {seat.seen_at.map(|at| view! { <span>"Seen " <Ago at=Signal::stored(at) /></span> })}
                        </p>
                    </div>
                    <a class="btn btn-small" href=list>"All members"</a>
                </div>
                <div>
                    <p class="grow soft">"Sessions"</p>
                    <p>{seat.live} " running of " {words::count(seat.sessions, "session")} ", " {words::bytes(seat.storage_bytes)}</p>
                </div>
            </section>
            {touchable.then(|| view! { <SeatForm seat=seat.clone() mine changed /> })}
            <Allowance seat=seat.clone() standing limits changed />
            {(!tokens.is_empty()).then(|| view! { <Tokens seat=seat.clone() tokens changed touchable /> })}
            {touchable.then(|| view! { <Leaving seat of /> })}
        </div>
    }
}

/// Tells the page and the reader what came of an action.
fn told<T: Clone + Send + Sync + 'static>(
    value: Signal<Option<Result<T, Fault>>>,
    changed: RwSignal<u32>,
    said: &'static str,
) {
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(_)) = value.get() {
            toasts.done(said);
            changed.update(|version| *version += 1);
        }
    });
}

#[component]
fn SeatForm(seat: Seat, mine: Role, changed: RwSignal<u32>) -> impl IntoView {
    let change = ServerAction::<ChangeSeat>::new();
    let fault = Signal::derive(move || change.value().get().and_then(Result::err));
    told(change.value().into(), changed, "The seat is changed.");
    let disabled = seat.status == Status::Disabled;
    let (status, word, hint) = if disabled {
        (
            Status::Active,
            "Give access back",
            "They may not sign in now; everything of theirs is kept.",
        )
    } else {
        (
            Status::Disabled,
            "Disable",
            "They are signed out everywhere at once; sessions, tokens and workspaces are kept.",
        )
    };
    let (org, person) = (
        StoredValue::new(seat.org.as_str().to_owned()),
        StoredValue::new(seat.person.as_str().to_owned()),
    );
    let hidden = move || {
        view! {
            <input type="hidden" name="org" value=org.get_value() />
            <input type="hidden" name="person" value=person.get_value() />
        }
    };
    view! {
        <section aria-labelledby="seat" class="card">
            <header class="card-head"><h2 id="seat">"Seat"</h2></header>
            <div class="card-body stack">
                <ActionForm action=change>
                    {hidden()}
                    <div class="pair">
                        <div class="field">
                            <label for="seat-role">"Role"</label>
                            <select class="input" id="seat-role" name="role" aria-describedby="role-hint">
                                {Role::ALL
                                    .into_iter()
                                    .filter(|role| mine.may_grant(*role))
                                    .map(|role| {
                                        view! {
                                            <option value=role.as_str() selected=role == seat.role>{role_name(role)}</option>
                                        }
                                    })
                                    .collect_view()}
                            </select>
                            <p class="hint" id="role-hint">"What changes, changes at once, also in open terminals."</p>
                        </div>
                        <TextField id="seat-term" name="seat_days" label="Ends in, days" keys=Keys::Number placeholder=if seat.ends_at.is_some() { "Unchanged; 0 for no end" } else { "No end" } fault />
                    </div>
                    <div class="actions mt-4">
                        <button class="btn btn-primary" type="submit" disabled=move || change.pending().get()>"Save"</button>
                    </div>
                </ActionForm>
                <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                <ActionForm action=change>
                    {hidden()} <input type="hidden" name="status" value=status.as_str() />
                    <div class="actions">
                        <button class="btn" type="submit">{word}</button>
                        <p class="meta">{hint}</p>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}

/// What the member may run, with the source of each limit, and the form to set some for them alone.
#[component]
fn Allowance(seat: Seat, standing: Standing, limits: Limits, changed: RwSignal<u32>) -> impl IntoView {
    let Standing { quota, sources, .. } = standing;
    let rows = Dimension::ALL
        .map(|dimension| {
            let source = sources.get(&dimension).map(source_words).unwrap_or_default();
            view! {
                <tr>
                    <th scope="row">{dimension_name(dimension)}</th>
                    <td>{limit_words(dimension, quota.of(dimension))}</td>
                    <td class="meta">{source}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="allowance" class="card">
            <header class="card-head"><h2 id="allowance">"What they may run"</h2></header>
            <div class="card-body stack">
                <div class="scroll-x">
                    <table class="table plain-table">
                        <caption class="sr-only">"Limits and where they come from"</caption>
                        <thead>
                            <tr><th scope="col">"Limit"</th><th scope="col">"Now"</th><th scope="col">"From"</th></tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {(seat.status != Status::Left)
                    .then(|| {
                        view! {
                            <LimitsForm
                                org=seat.org.clone()
                                kind="person"
                                subject=seat.person.as_str().to_owned()
                                limits
                                summary="Set limits for this person"
                                changed
                            />
                        }
                    })}
            </div>
        </section>
    }
}

/// A form with a field for each limit; empty fields leave the limit to the layer before.
#[component]
pub(super) fn LimitsForm(
    org: OrgId,
    kind: &'static str,
    /// The group's name, or the person's id; `None`: it is asked for.
    #[prop(into)]
    subject: Option<String>,
    limits: Limits,
    summary: &'static str,
    changed: RwSignal<u32>,
    #[prop(optional, into)] back: Option<String>,
) -> impl IntoView {
    let set = ServerAction::<SetLimits>::new();
    let fault = Signal::derive(move || set.value().get().and_then(Result::err));
    told(
        set.value().into(),
        changed,
        "The limits are set. They hold from the next session on.",
    );
    let id = format!("limit-{kind}-{}", subject.as_deref().unwrap_or("new"));
    let back = back.unwrap_or_else(|| match kind {
        "person" => address(
            &format!("/org/members/{}", subject.clone().unwrap_or_default()),
            Some(&org),
        ),
        _ => address("/org/quotas", Some(&org)),
    });
    let named = subject.is_some();
    let fields = Dimension::ALL
        .map(|dimension| {
            let (unit, _) = limits::unit(dimension);
            let id = format!("{id}-{}", dimension.as_str());
            let value = limits::field(dimension, limits.0.get(&dimension).copied());
            view! {
                <div class="field">
                    <label for=id.clone()>{dimension_name(dimension)} <span class="meta">", " {unit}</span></label>
                    <input
                        class="input"
                        id=id
                        name=format!("limits[{}]", dimension.as_str())
                        value=value
                        placeholder="Not set here"
                        autocomplete="off"
                        autocapitalize="off"
                    />
                    <Wrong field=dimension.as_str() fault />
                </div>
            }
        })
        .collect_view();
    view! {
        <details class="behind" open=move || fault.with(Option::is_some)>
            <summary>{icon(Glyph::Pencil)} {summary}</summary>
            <ActionForm action=set>
                <input type="hidden" name="org" value=org.as_str().to_owned() />
                <input type="hidden" name="kind" value=kind />
                <input type="hidden" name="back" value=back />
                {subject.map(|subject| view! { <input type="hidden" name="subject" value=subject /> })}
                <div class="stack pt-3">
                    <div class="pair">
                        {(!named)
                            .then(|| {
                                view! {
                                    <div class="field wide">
                                        <label for="limit-group">"Group, as the identity provider calls it"</label>
                                        <input class="input" id="limit-group" name="subject" required maxlength="200" autocomplete="off" placeholder="/engineering" />
                                        <Wrong field="subject" fault />
                                    </div>
                                }
                            })} {fields}
                    </div>
                    <p class="meta">"Write unlimited for no limit. What is left empty comes from the layer before. A limit below what is used now ends nothing: it refuses the next."</p>
                    <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                    <div class="actions">
                        <button class="btn btn-primary" type="submit" disabled=move || set.pending().get()>"Set limits"</button>
                    </div>
                </div>
            </ActionForm>
        </details>
    }
}

#[component]
fn Tokens(seat: Seat, tokens: Vec<Token>, changed: RwSignal<u32>, touchable: bool) -> impl IntoView {
    let revoke = ServerAction::<RevokeMemberToken>::new();
    told(
        revoke.value().into(),
        changed,
        "The token is revoked; what uses it stops at once.",
    );
    let (org, person) = (
        StoredValue::new(seat.org.as_str().to_owned()),
        StoredValue::new(seat.person.as_str().to_owned()),
    );
    let line = move |token: Token| {
        let over = token.revoked_at.is_some();
        view! {
            <li>
                <div class="grow">
                    <p>{token.name.clone()} " " {over.then(|| view! { <span class="tag">"Revoked"</span> })}</p>
                    <p class="meta dot-between">
                        <span>{words::count(token.capabilities.len() as u64, "right")}</span>
                        <span>"Ends " <Ago at=Signal::stored(token.expires_at) /></span>
                        {token.used_at.map(|at| view! { <span>"Used " <Ago at=Signal::stored(at) /></span> })}
                    </p>
                </div>
                {(!over && touchable)
                    .then(|| {
                        view! {
                            <ActionForm action=revoke>
                                <input type="hidden" name="org" value=org.get_value() />
                                <input type="hidden" name="person" value=person.get_value() />
                                <input type="hidden" name="id" value=token.id.as_str().to_owned() />
                                <button class="btn btn-small" type="submit" aria-label=format!("Revoke {}", token.name)>"Revoke"</button>
                            </ActionForm>
                        }
                    })}
            </li>
        }
    };
    view! {
        <section aria-labelledby="member-tokens">
            <div class="section-head"><h2 id="member-tokens">"Access tokens"</h2></div>
            <ul role="list" class="card lines">{tokens.into_iter().map(line).collect_view()}</ul>
        </section>
    }
}

/// The end of a seat: what it does is said before it is done.
#[component]
fn Leaving(seat: Seat, of: Option<OrgId>) -> impl IntoView {
    let remove = ServerAction::<RemoveMember>::new();
    let fault = Signal::derive(move || remove.value().get().and_then(Result::err));
    let navigate = use_navigate();
    let toasts = expect_context::<Toasts>();
    let list = address("/org/members", of.as_ref());
    let name = seat.name.clone();
    Effect::new(move |_| {
        if let Some(Ok(())) = remove.value().get() {
            toasts.done(format!("{name} has left. Their address is free for another seat."));
            navigate(&list, NavigateOptions::default());
        }
    });
    let org = seat.org.clone();
    let heirs = Resource::new(
        || (),
        move |()| {
            let org = org.clone();
            async move {
                let want = ListMembers {
                    status: Some(Status::Active),
                    limit: 200,
                    ..ListMembers::default()
                };
                list_members(org, want).await.map(|page| page.items).unwrap_or_default()
            }
        },
    );
    let sessions = words::count(seat.sessions, "session");
    let person = seat.person.clone();
    view! {
        <section aria-labelledby="leaving" class="card">
            <header class="card-head"><h2 id="leaving">"Remove from the Organization"</h2></header>
            <div class="card-body">
                <ActionForm action=remove>
                    <input type="hidden" name="org" value=seat.org.as_str().to_owned() />
                    <input type="hidden" name="person" value=seat.person.as_str().to_owned() />
                    <div class="stack">
                        <p>
                            {seat.name.clone()} " is signed out everywhere and their tokens end, at once. "
                            {if seat.sessions == 0 {
                                "They have no sessions.".to_owned()
                            } else {
                                format!("They have {sessions} with {}.", words::bytes(seat.storage_bytes))
                            }}
                        </p>
                        {(seat.sessions > 0)
                            .then(|| {
                                view! {
                                    <div class="field">
                                        <label for="heir">"Their sessions"</label>
                                        <select class="input" id="heir" name="to" aria-describedby="to-wrong">
                                            <option value="">"Keep them asleep, under their name"</option>
                                            <Suspense>
                                                {move || {
                                                    let person = person.clone();
                                                    Suspend::new(async move {
                                                        heirs
                                                            .await
                                                            .into_iter()
                                                            .filter(|heir| heir.person != person && heir.role != Role::Viewer)
                                                            .map(|heir| {
                                                                view! {
                                                                    <option value=heir.person.as_str().to_owned()>
                                                                        "Hand over to " {heir.name}
                                                                    </option>
                                                                }
                                                            })
                                                            .collect_view()
                                                    })
                                                }}
                                            </Suspense>
                                        </select>
                                        <Wrong field="to" fault />
                                    </div>
                                }
                            })}
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            <button class="btn btn-danger" type="submit" disabled=move || remove.pending().get()>
                                {move || if remove.pending().get() { "Removing".to_owned() } else { format!("Remove {}", seat.name) }}
                            </button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
