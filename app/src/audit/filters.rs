//! The filters: a plain form, which scripts send by themselves as it changes.

use super::{
    want::{self, Place, Want},
    words::ACTIONS,
};
use crate::{
    home::HomeAsked,
    ui::{Glyph, icon},
};
use domain::Role;
use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// How long typing rests before the list follows it.
const PAUSE: core::time::Duration = core::time::Duration::from_millis(220);

#[component]
pub(super) fn Filters(want: Memo<Want>) -> impl IntoView {
    let form = NodeRef::<leptos::html::Form>::new();
    let navigate = StoredValue::new(use_navigate());
    let home = expect_context::<HomeAsked>();
    let waiting = StoredValue::new(0_u32);
    let follow = move || {
        let Some(form) = form.get_untracked() else { return };
        let field = |name: &str| {
            let element = form.elements().named_item(name)?;
            let element: &wasm_bindgen::JsValue = element.as_ref();
            js_sys::Reflect::get(element, &"value".into()).ok()?.as_string()
        };
        let to = Want::from_fields(want.get_untracked().place, |name| field(name).unwrap_or_default());
        if to != want.get_untracked() {
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate.with_value(|navigate| navigate(&to.address(), options));
        }
    };
    let later = move |_| {
        let number = waiting.get_value() + 1;
        waiting.set_value(number);
        set_timeout(
            move || {
                if waiting.try_get_value() == Some(number) {
                    follow();
                }
            },
            PAUSE,
        );
    };
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        follow();
    };
    let place = want.get_untracked().place;
    // What the address asks for and the list does not offer.
    let other = move || {
        want.with(|want| {
            let known = want.action.is_empty() || ACTIONS.iter().any(|(action, _)| *action == want.action);
            (!known).then(|| want.action.clone())
        })
    };
    view! {
        <form class="filters audit-filters" role="search" method="get" action=place.path() node_ref=form on:submit=on_submit>
            <div class="input-with-icon search">
                {icon(Glyph::Search)}
                <input
                    class="input"
                    type="search"
                    name=want::ACTOR
                    data-find=""
                    aria-label="Who"
                    placeholder="Find by e-mail address"
                    maxlength="200"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    value=want.get_untracked().actor
                    prop:value=move || want.get().actor
                    on:input=later
                />
                <kbd class="kbd" aria-hidden="true">"/"</kbd>
            </div>
            <select class="input" name=want::ACTION aria-label="What" on:change=move |_| follow()>
                <option value="">"Anything"</option>
                {move || other().map(|action| view! { <option value=action.clone() selected=true>{action.clone()}</option> })}
                {ACTIONS
                    .map(|(action, word)| {
                        view! {
                            <option value=action selected=move || want.with(|want| want.action == action)>{word}</option>
                        }
                    })}
            </select>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    let may = home.0.await.is_ok_and(|home| home.role == Role::SuperAdmin);
                    (may && place != Place::Org).then(|| view! { <Whose want follow /> })
                })}
            </Transition>
            <div class="days">
                <label class="day">
                    <span>"From"</span>
                    <input
                        class="input"
                        type="date"
                        name=want::FROM
                        value=want.get_untracked().from
                        prop:value=move || want.get().from
                        on:change=move |_| follow()
                    />
                </label>
                <label class="day">
                    <span>"To"</span>
                    <input
                        class="input"
                        type="date"
                        name=want::UNTIL
                        aria-label="To, the last day"
                        value=want.get_untracked().until
                        prop:value=move || want.get().until
                        on:change=move |_| follow()
                    />
                </label>
            </div>
            {(place == Place::Org)
                .then(|| view! { <input type="hidden" name="of" value=move || want.get().org prop:value=move || want.get().org /> })}
            <input type="hidden" name=want::TARGET value=move || want.get().target prop:value=move || want.get().target />
            <input type="hidden" name=want::REQUEST value=move || want.get().request prop:value=move || want.get().request />
            <noscript>
                <button class="btn" type="submit">"Apply"</button>
            </noscript>
        </form>
        <Narrowed want />
    }
}

/// Whose entries: for super-admins.
#[component]
fn Whose<F: Fn() + Copy + 'static>(want: Memo<Want>, follow: F) -> impl IntoView {
    let one = move || want.with(|want| Some(want.org.clone()).filter(|org| !org.is_empty() && org != want::EVERY));
    view! {
        <select class="input" name=want::ORG aria-label="Organization" on:change=move |_| follow()>
            {(want.get_untracked().place == Place::Own).then(|| view! { <option value="">"Your Organization"</option> })}
            <option value=want::EVERY selected=move || want.with(|want| want.org == want::EVERY)>"Every Organization"</option>
            {move || one().map(|org| view! { <option value=org.clone() selected=true>{org.clone()}</option> })}
        </select>
    }
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
