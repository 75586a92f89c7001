//! The command palette: every page, every session, by a few letters.

use crate::{
    home::{Home, HomeAsked},
    layout::Above,
    more,
    sessions::list_sessions,
    ui::{Glyph, icon, status_word},
};
use domain::page::ListSessions;
use leptos::{ev, html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

/// How long the letters rest before sessions are looked for.
const PAUSE: core::time::Duration = core::time::Duration::from_millis(120);
/// How many sessions are offered.
const OFFERED: u32 = 5;

#[derive(Clone, PartialEq)]
struct Choice {
    glyph: Glyph,
    name: String,
    beside: String,
    way: Way,
}

#[derive(Clone, PartialEq)]
enum Way {
    To(String),
    Keys,
}

fn pages(home: Option<&Home>) -> Vec<Choice> {
    let to = |glyph, name: &str, beside: &str, address: &str| Choice {
        glyph,
        name: name.to_owned(),
        beside: beside.to_owned(),
        way: Way::To(address.to_owned()),
    };
    let mut all = vec![
        to(Glyph::Plus, "New session", "n", "/new"),
        to(Glyph::Sessions, "Sessions", "g s", "/"),
        to(Glyph::Agents, "Agents", "g a", "/agents"),
        to(Glyph::Usage, "Usage and quota", "g u", "/usage"),
        to(Glyph::Settings, "Settings", "", "/settings"),
        to(Glyph::Settings, "New access token", "", "/settings#tokens"),
        to(Glyph::About, "About this installation", "", "/about"),
        Choice {
            glyph: Glyph::Command,
            name: "Keyboard shortcuts".to_owned(),
            beside: "?".to_owned(),
            way: Way::Keys,
        },
    ];
    // Only those for whom the doors open: what is not theirs is not offered.
    let governed = more::OWN[1..3].iter().chain(&more::ORG).chain(&more::FLEET);
    let mine = governed.filter(|place| more::open_to(home, place));
    all.extend(mine.map(|&(_, address, word, glyph)| to(glyph, word, "", address)));
    all
}

/// The palette; it is there while it is open.
#[component]
#[must_use]
pub fn Palette() -> impl IntoView {
    let above = expect_context::<Above>();
    let navigate = use_navigate();
    let node = NodeRef::<html::Dialog>::new();
    let letters = RwSignal::new(String::new());
    let sessions = RwSignal::new(Vec::<Choice>::new());
    let chosen = RwSignal::new(0_usize);
    let asked = StoredValue::new(0_u32);
    let home = RwSignal::new(None::<Home>);
    let asking = expect_context::<HomeAsked>();
    spawn_local(async move {
        if let Ok(found) = asking.0.await {
            home.try_set(Some(found));
        }
    });
    let choices = Memo::new(move |_| {
        let wanted = letters.get().to_lowercase();
        let fits = |choice: &Choice| {
            wanted
                .split_whitespace()
                .all(|word| choice.name.to_lowercase().contains(word))
        };
        let mut all: Vec<_> = home
            .with(|home| pages(home.as_ref()))
            .into_iter()
            .filter(fits)
            .collect();
        // Without letters the sessions come after the way to a new one; with letters they are what is looked for.
        let at = usize::from(wanted.trim().is_empty());
        all.splice(at..at, sessions.get());
        all
    });
    let look = move || {
        let number = asked.get_value() + 1;
        asked.set_value(number);
        set_timeout(
            move || {
                if asked.try_get_value() != Some(number) {
                    return;
                }
                let Some(search) = letters.try_get_untracked() else {
                    return;
                };
                spawn_local(async move {
                    let want = ListSessions {
                        search,
                        limit: OFFERED,
                        ..ListSessions::default()
                    };
                    let Ok(page) = list_sessions(want).await else { return };
                    if asked.try_get_value() != Some(number) {
                        return;
                    }
                    let found = page.items.into_iter().map(|view| Choice {
                        glyph: Glyph::Right,
                        beside: status_word(&view.session).1.to_owned(),
                        way: Way::To(format!("/sessions/{}", view.session.id)),
                        name: view.session.name,
                    });
                    sessions.set(found.collect());
                });
            },
            PAUSE,
        );
    };
    Effect::new(move |_| {
        if let Some(dialog) = node.get() {
            _ = dialog.show_modal();
            look();
        }
    });
    let take = move |choice: Choice| {
        above.palette.set(false);
        match choice.way {
            Way::To(address) => navigate(&address, leptos_router::NavigateOptions::default()),
            Way::Keys => above.keys.set(true),
        }
    };
    let taken = StoredValue::new(take);
    let on_key = move |event: ev::KeyboardEvent| {
        let last = choices.with(|choices| choices.len().saturating_sub(1));
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            "ArrowUp" => chosen.update(|at| *at = if *at == 0 { last } else { *at - 1 }),
            "Enter" => {
                if let Some(choice) = choices.with(|choices| choices.get(chosen.get_untracked()).cloned()) {
                    taken.with_value(|take| take(choice));
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let on_outside = move |event: ev::MouseEvent| {
        let on_dialog = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlDialogElement>().ok());
        if on_dialog.is_some() {
            above.palette.set(false);
        }
    };
    view! {
        <dialog
            class="dialog palette"
            aria-label="Search and commands"
            node_ref=node
            on:close=move |_| above.palette.set(false)
            on:mousedown=on_outside
        >
            <div class="find">
                {icon(Glyph::Search)}
                <input
                    type="text"
                    role="combobox"
                    aria-label="Search sessions and commands"
                    aria-expanded="true"
                    aria-controls="palette-choices"
                    aria-activedescendant=move || format!("choice-{}", chosen.get())
                    placeholder="Search sessions and commands"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    autofocus
                    on:input=move |event| {
                        letters.set(event_target_value(&event));
                        chosen.set(0);
                        look();
                    }
                    on:keydown=on_key
                />
                <button type="button" class="btn btn-quiet btn-small" on:click=move |_| above.palette.set(false)>
                    "Close"
                </button>
            </div>
            <div role="listbox" id="palette-choices" aria-label="Sessions and commands">
                {move || {
                    choices
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(at, choice)| {
                            let name = choice.name.clone();
                            let beside = choice.beside.clone();
                            view! {
                                <div
                                    role="option"
                                    id=format!("choice-{at}")
                                    aria-selected=move || if chosen.get() == at { "true" } else { "false" }
                                    on:mousemove=move |_| chosen.set(at)
                                    on:click={
                                        let glyph = choice.clone();
                                        move |_| taken.with_value(|take| take(glyph.clone()))
                                    }
                                >
                                    {icon(choice.glyph)}
                                    <span class="name">{name}</span>
                                    <span class="meta">{beside}</span>
                                </div>
                            }
                        })
                        .collect_view()
                }}
                <Show when=move || choices.with(Vec::is_empty)>
                    <p class="none">"Nothing is called that."</p>
                </Show>
            </div>
        </dialog>
    }
}
