//! The same done to many members at once, what came of it, and the way back.

use super::{list_members, meant};
use crate::{
    fault::Fault,
    home::role_name,
    ui::{
        Dialog, Glyph, Refused, Toasts, icon,
        list::{Chosen, sent_by, value_in},
    },
    words,
};
use domain::{
    OrgId, PersonId, Role,
    many::{Outcome, undoing},
    member::{ListMembers, Seat, Status},
};
use leptos::{ev, prelude::*};

/// Where the form goes without scripts; the server answers there with plain pages.
pub const MANY: &str = "/org/members/many";

/// What is done, as the buttons of the form are called.
pub mod act {
    pub const ROLE: &str = "role";
    pub const DISABLE: &str = "disable";
    pub const ENABLE: &str = "enable";
    pub const TERM: &str = "term";
    pub const REMOVE: &str = "remove";
}

/// What an act changes of each seat; `None` for one that changes none.
#[cfg(feature = "ssr")]
pub fn change_of(
    act: &str,
    role: Option<&str>,
    days: Option<&str>,
) -> Result<Option<engine::SeatChange>, domain::Problem> {
    let missing = |what: &str| domain::Problem::new("missing-field", what);
    let mut change = engine::SeatChange::default();
    match act {
        act::ROLE => {
            let role = role.and_then(Role::from_name);
            change.role = Some(role.ok_or_else(|| missing("Choose the role that they shall have.").at("role"))?);
        }
        act::DISABLE => change.status = Some(Status::Disabled),
        act::ENABLE => change.status = Some(Status::Active),
        act::TERM => {
            let days = super::limits::days(days, "days")?;
            change.seat_days = Some(days.ok_or_else(|| missing("Write a number of days; 0 for no end.").at("days"))?);
        }
        _ => return Ok(None),
    }
    Ok(Some(change))
}

/// Changes the seats of many; the answer says what became of each.
#[server(prefix = "/api/fn", endpoint = "org/many")]
pub async fn change_many(
    org: OrgId,
    act: String,
    role: Option<String>,
    days: Option<String>,
    #[server(default)] people: Vec<PersonId>,
) -> Result<Vec<Outcome>, Fault> {
    crate::door::ask(async move |engine, caller| {
        let Some(change) = change_of(&act, role.as_deref(), days.as_deref())? else {
            return Err(domain::Problem::new("invalid-value", "Choose what to do with them.").into());
        };
        engine.change_seats(&caller, &org, people, &change).await
    })
    .await
}

/// Removes many; their sessions are kept asleep, or all go to `to`.
#[server(prefix = "/api/fn", endpoint = "org/many/remove")]
pub async fn remove_many(
    org: OrgId,
    to: Option<PersonId>,
    #[server(default)] people: Vec<PersonId>,
) -> Result<Vec<Outcome>, Fault> {
    use domain::member::Leaving;
    crate::door::ask(async move |engine, caller| {
        let leaving = to.map_or(Leaving::Archive, |to| Leaving::HandOver { to });
        engine.remove_members(&caller, &org, people, &leaving).await
    })
    .await
}

/// Gives seats the role and status that they had, each as `Was::to_text` writes it.
#[server(prefix = "/api/fn", endpoint = "org/many/undo")]
pub async fn undo_many(org: OrgId, #[server(default)] before: Vec<String>) -> Result<Vec<Outcome>, Fault> {
    crate::door::ask(async move |engine, caller| {
        let before = before
            .iter()
            .filter_map(|text| domain::many::Was::from_text(text))
            .collect();
        engine.change_seats_back(&caller, &org, before).await
    })
    .await
}

/// What is done with the members that are chosen, and what came of it.
#[derive(Clone, Copy)]
pub(crate) struct Many {
    pub chosen: Chosen,
    change: ServerAction<ChangeMany>,
    remove: ServerAction<RemoveMany>,
    undo: ServerAction<UndoMany>,
    /// The act that waits for a yes.
    asked: RwSignal<Option<&'static str>>,
    outcomes: RwSignal<Vec<Outcome>>,
}

impl Many {
    /// For a page; `changed` is counted up when something was done.
    pub fn new(of: Memo<Option<OrgId>>, changed: RwSignal<u32>) -> Self {
        let many = Self {
            chosen: Chosen::new(),
            change: ServerAction::new(),
            remove: ServerAction::new(),
            undo: ServerAction::new(),
            asked: RwSignal::new(None),
            outcomes: RwSignal::new(Vec::new()),
        };
        let toasts = expect_context::<Toasts>();
        let after = move |said: &'static str, outcomes: Vec<Outcome>, back: bool| {
            let done = outcomes.iter().filter(|outcome| outcome.refused.is_none()).count() as u64;
            let before = undoing(&outcomes);
            many.outcomes.set(outcomes);
            if done == 0 {
                return;
            }
            let text = format!("{} {said}.", words::count(done, "member"));
            if back && !before.is_empty() {
                let undo = Callback::new(move |()| {
                    let before = before.iter().map(|(person, was)| was.to_text(person)).collect();
                    leptos::task::spawn_local(async move {
                        if let Ok(org) = meant(of.get_untracked()).await {
                            many.undo.dispatch(UndoMany { org, before });
                        }
                    });
                });
                toasts.undoable(text, undo);
            } else {
                toasts.done(text);
            }
            changed.update(|version| *version += 1);
            many.chosen.clear();
            many.asked.set(None);
        };
        Effect::new(move |_| match many.change.value().get() {
            Some(Ok(outcomes)) => after("changed", outcomes, true),
            Some(Err(fault)) if many.asked.get_untracked().is_none() => toasts.failed(fault.detail()),
            _ => {}
        });
        Effect::new(move |_| {
            if let Some(Ok(outcomes)) = many.remove.value().get() {
                after("removed", outcomes, false);
            }
        });
        Effect::new(move |_| match many.undo.value().get() {
            Some(Ok(outcomes)) => after("changed back", outcomes, false),
            Some(Err(fault)) => toasts.failed(fault.detail()),
            None => {}
        });
        many
    }

    /// What came of what was done last.
    pub fn outcomes(self) -> Signal<Vec<Outcome>> {
        self.outcomes.into()
    }

    /// Takes the form's sending: what loses something is asked first.
    pub fn sent(self, event: &ev::SubmitEvent, org: &OrgId) {
        event.prevent_default();
        let people = self.people();
        if people.is_empty() {
            return;
        }
        match sent_by(event).as_str() {
            act::REMOVE => self.asked.set(Some(act::REMOVE)),
            act::DISABLE => self.asked.set(Some(act::DISABLE)),
            act => {
                self.change.dispatch(ChangeMany {
                    org: org.clone(),
                    act: act.to_owned(),
                    role: value_in(event, "role"),
                    days: value_in(event, "days"),
                    people,
                });
            }
        }
    }

    fn people(self) -> Vec<PersonId> {
        self.chosen.get().into_iter().map(PersonId::new).collect()
    }
}

/// The bar of what can be done with those that are chosen. It is there while one is; without scripts too.
#[component]
pub(crate) fn Bar(many: Many, mine: Role) -> impl IntoView {
    view! {
        <div class="bar" role="group" aria-label="With those that are chosen">
            <p class="meta chosen">{move || format!("{} chosen", many.chosen.count())}</p>
            <span class="part">
                <select class="input input-small" name="role" aria-label="Role for all of them">
                    {Role::ALL
                        .into_iter()
                        .filter(|role| mine.may_grant(*role))
                        .map(|role| view! { <option value=role.as_str() selected=role == Role::Developer>{role_name(role)}</option> })
                        .collect_view()}
                </select>
                <button class="btn btn-small" type="submit" name="act" value=act::ROLE>"Set role"</button>
            </span>
            <span class="part">
                <input class="input input-small days" name="days" inputmode="numeric" maxlength="4" placeholder="Days" aria-label="Days until their seats end; 0 for no end" title="0 for no end" autocomplete="off" />
                <button class="btn btn-small" type="submit" name="act" value=act::TERM>"Set end"</button>
            </span>
            <button class="btn btn-small" type="submit" name="act" value=act::ENABLE>"Enable"</button>
            <button class="btn btn-small" type="submit" name="act" value=act::DISABLE>"Disable"</button>
            <button class="btn btn-small btn-danger" type="submit" name="act" value=act::REMOVE>"Remove"</button>
            <button class="btn btn-small btn-quiet only-scripts" type="button" on:click=move |_| many.chosen.clear()>"Clear"</button>
        </div>
    }
}

/// What was refused, of many, and why. What was done is said by a toast.
#[component]
pub(crate) fn Told(outcomes: Signal<Vec<Outcome>>) -> impl IntoView {
    let refused = move || {
        let refused: Vec<_> = outcomes
            .get()
            .into_iter()
            .filter_map(|outcome| Some((outcome.name, outcome.refused?.detail)))
            .collect();
        (!refused.is_empty()).then(|| {
            view! {
                <div class="notice notice-failed told" role="alert">
                    {icon(Glyph::Warning)}
                    <div>
                        <p><strong>{refused.len()} " not done"</strong></p>
                        <ul role="list">
                            {refused
                                .into_iter()
                                .map(|(name, why)| view! { <li>{name} ": " <span class="soft">{why}</span></li> })
                                .collect_view()}
                        </ul>
                    </div>
                </div>
            }
        })
    };
    view! { {refused} }
}

/// Says what removing or disabling does, before it is done. `seats` are those of the page.
#[component]
pub(crate) fn Sure(many: Many, seats: Vec<Seat>, org: OrgId, back: String) -> impl IntoView {
    move || {
        let act = many.asked.get()?;
        let chosen = many.chosen.get();
        let seats: Vec<_> = seats
            .iter()
            .filter(|seat| chosen.iter().any(|id| id == seat.person.as_str()))
            .cloned()
            .collect();
        let (org, back) = (org.clone(), back.clone());
        Some(match act {
            act::REMOVE => view! { <Removing many seats org back /> }.into_any(),
            _ => view! { <Disabling many seats org back /> }.into_any(),
        })
    }
}

/// Whom it is about, named as far as they can be read.
fn named(seats: &[Seat]) -> String {
    const READ: usize = 4;
    let names: Vec<_> = seats.iter().take(READ).map(|seat| seat.name.as_str()).collect();
    match seats.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[component]
fn Disabling(many: Many, seats: Vec<Seat>, org: OrgId, back: String) -> impl IntoView {
    let number = seats.len() as u64;
    let fault = Signal::derive(move || many.change.value().get().and_then(Result::err));
    let run = move |_| {
        many.change.dispatch(ChangeMany {
            org: org.clone(),
            act: act::DISABLE.to_owned(),
            role: None,
            days: None,
            people: many.people(),
        });
    };
    let pending = move || many.change.pending().get();
    view! {
        <Dialog
            title=format!("Disable {}?", words::count(number, "member"))
            about=named(&seats)
            back
            on_close=Callback::new(move |()| many.asked.set(None))
        >
            <div class="stack">
                <p>"They are signed out everywhere at once. What runs is put to sleep. Their sessions, tokens and workspaces are kept, and their seats stay taken."</p>
                <Refused fault />
                <div class="actions">
                    <button class="btn btn-danger" type="button" on:click=run disabled=pending>"Disable"</button>
                    <button class="btn" type="button" on:click=move |_| many.asked.set(None)>"Cancel"</button>
                </div>
            </div>
        </Dialog>
    }
}

#[component]
fn Removing(many: Many, seats: Vec<Seat>, org: OrgId, back: String) -> impl IntoView {
    let number = seats.len() as u64;
    let sessions: u64 = seats.iter().map(|seat| seat.sessions).sum();
    let bytes: u64 = seats.iter().map(|seat| seat.storage_bytes).sum();
    let about = named(&seats);
    let leavers: Vec<_> = seats.into_iter().map(|seat| seat.person).collect();
    let heir = RwSignal::new(String::new());
    let asked = org.clone();
    let heirs = Resource::new(
        || (),
        move |()| {
            let org = asked.clone();
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
    let fault = Signal::derive(move || many.remove.value().get().and_then(Result::err));
    let run = move |_| {
        let to = heir.get_untracked();
        many.remove.dispatch(RemoveMany {
            org: org.clone(),
            to: (!to.is_empty()).then(|| PersonId::new(to)),
            people: many.people(),
        });
    };
    let pending = move || many.remove.pending().get();
    view! {
        <Dialog
            title=format!("Remove {}?", words::count(number, "member"))
            about
            back
            on_close=Callback::new(move |()| many.asked.set(None))
        >
            <div class="stack">
                <p>
                    "They are signed out everywhere, and their tokens and their own secrets end, at once. This cannot be undone: to come back, they are invited again. "
                    {if sessions == 0 {
                        "They have no sessions.".to_owned()
                    } else {
                        format!("They have {} with {}.", words::count(sessions, "session"), words::bytes(bytes))
                    }}
                </p>
                {(sessions > 0)
                    .then(|| {
                        view! {
                            <div class="field">
                                <label for="heir">"Their sessions"</label>
                                <select class="input" id="heir" on:change=move |event| heir.set(event_target_value(&event))>
                                    <option value="">"Keep them asleep, under their names"</option>
                                    <Suspense>
                                        {move || {
                                            let leavers = leavers.clone();
                                            Suspend::new(async move {
                                                heirs
                                                    .await
                                                    .into_iter()
                                                    .filter(|heir| !leavers.contains(&heir.person) && heir.role != Role::Viewer)
                                                    .map(|heir| {
                                                        view! {
                                                            <option value=heir.person.as_str().to_owned()>"Hand over to " {heir.name}</option>
                                                        }
                                                    })
                                                    .collect_view()
                                            })
                                        }}
                                    </Suspense>
                                </select>
                            </div>
                        }
                    })}
                <Refused fault />
                <div class="actions">
                    <button class="btn btn-danger" type="button" on:click=run disabled=pending>
                        {move || if pending() { "Removing" } else { "Remove" }}
                    </button>
                    <button class="btn" type="button" on:click=move |_| many.asked.set(None)>"Cancel"</button>
                </div>
            </div>
        </Dialog>
    }
}
