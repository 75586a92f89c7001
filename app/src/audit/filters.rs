//! The filters: a plain form, which scripts send by themselves as it changes.

use super::{
    want::{self, Place, Want},
    words::ACTIONS,
};
use crate::{
    home::HomeAsked,
    ui::{
        Glyph, icon,
        list::{self, Follow},
    },
};
use domain::Role;
use leptos::prelude::*;

#[component]
pub(super) fn Filters(want: Memo<Want>) -> impl IntoView {
    let home = expect_context::<HomeAsked>();
    let place = want.get_untracked().place;
    let follow = Follow::new(move |field| {
        let to = Want::from_fields(place, field);
        (to != want.get_untracked()).then(|| to.address())
    });
    let shown = move |of: fn(&Want) -> &str| Signal::derive(move || want.with(|want| of(want).to_owned()));
    let mut actions = list::options([("", "Anything")]);
    actions.extend(ACTIONS.map(|(action, word)| (action.to_owned(), word.to_owned())));
    // What the address asks for and the list does not offer.
    let other = want.get_untracked().action;
    if !actions.iter().any(|(action, _)| *action == other) {
        let said = crate::words::capital(&other.replace(['.', '-'], " "));
        actions.push((other, said.trim().to_owned()));
    }
    let day = move |word: &'static str, label: Option<&'static str>, name: &'static str, of: fn(&Want) -> &str| {
        let value = shown(of);
        view! {
            <label class="day">
                <span>{word}</span>
                <input
                    class="input"
                    type="date"
                    name=name
                    aria-label=label
                    value=value.get_untracked()
                    prop:value=value
                    on:change=move |_| follow.now()
                />
            </label>
        }
    };
    let hidden = move |name: &'static str, of: fn(&Want) -> &str| {
        let value = shown(of);
        view! { <input type="hidden" name=name value=move || value.get() prop:value=value /> }
    };
    let fields = view! {
        {list::find("Who", "Find by e-mail address", want::ACTOR, shown(|want| &want.actor), follow)}
        {list::choice("What", want::ACTION, actions, shown(|want| &want.action), follow)}
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let may = home.0.await.is_ok_and(|home| home.role == Role::SuperAdmin);
                (may && place != Place::Org).then(|| whose(want, follow))
            })}
        </Transition>
        <div class="days">
            {day("From", None, want::FROM, |want| &want.from)}
            {day("To", Some("To, the last day"), want::UNTIL, |want| &want.until)}
        </div>
        {(place == Place::Org).then(|| hidden(place.org(), |want| &want.org))}
        {hidden(want::TARGET, |want| &want.target)}
        {hidden(want::REQUEST, |want| &want.request)}
    };
    view! {
        <div class="audit-filters">{list::filters(place.path(), follow, fields)}</div>
        <Narrowed want />
    }
}

/// Whose entries: for super-admins.
fn whose(want: Memo<Want>, follow: Follow) -> AnyView {
    let Want { org, place, .. } = want.get_untracked();
    let mut all = match place {
        Place::Own => list::options([("", "Your Organization"), (want::EVERY, "Every Organization")]),
        Place::Org | Place::Fleet => list::options([(want::EVERY, "Every Organization")]),
    };
    if !all.iter().any(|(one, _)| *one == org) {
        all.push((org.clone(), org));
    }
    let shown = Signal::derive(move || want.with(|want| want.org.clone()));
    list::choice("Organization", want::ORG, all, shown, follow)
}

/// Filters that have no field, and the way out of each.
#[component]
fn Narrowed(want: Memo<Want>) -> impl IntoView {
    let chip = |word: &'static str, text: String, without: String| {
        view! {
            <li class="chip">
                <span class="meta">{word}</span>
                <code>{text}</code>
                <a href=without aria-label=format!("Without this {}", word.to_lowercase())>{icon(Glyph::Close)}</a>
            </li>
        }
    };
    let target = move || {
        want.with(|want| {
            let without = want.with(|want| want.target.clear()).address();
            (!want.target.is_empty()).then(|| chip("Thing", want.target.clone(), without))
        })
    };
    let request = move || {
        want.with(|want| {
            let without = want.with(|want| want.request.clear()).address();
            (!want.request.is_empty()).then(|| chip("Request", want.request.clone(), without))
        })
    };
    let any = Memo::new(move |_| want.with(|want| !want.target.is_empty() || !want.request.is_empty()));
    view! {
        <Show when=move || any.get()>
            <ul role="list" class="chips">{target} {request}</ul>
        </Show>
    }
}
