//! The bar above the terminal: which terminal, how it stands, who looks, and what can be done.

use super::{
    clipboard,
    drawn::{EXPAND, HAND, MINUS, PASTE, SHRINK, drawn},
    link::State,
    pane::Pane,
    preferences,
    tabs::Tabs,
};
use crate::ui::{Face, Glyph, icon};
use domain::permit::Verb;
use leptos::prelude::*;

/// The most faces before a number stands for the rest.
const FACES: usize = 4;

#[component]
pub fn Toolbar(pane: Pane) -> impl IntoView {
    view! {
        <div class="term-bar">
            <Tabs pane />
            <span class="spring"></span>
            <Standing pane />
            <Watchers pane />
            <Control pane />
            <div class="term-tools" role="group" aria-label="Terminal tools">
                <Tools pane />
            </div>
            <details class="menu term-more">
                <summary class="btn btn-quiet btn-icon btn-small" aria-label="More for this terminal" title="More">
                    {icon(Glyph::More)}
                </summary>
                <div class="sheet">
                    <More pane />
                </div>
            </details>
        </div>
    }
    .into_any()
}

/// Whether what is shown is what is there, as a dot and a word.
#[component]
fn Standing(pane: Pane) -> impl IntoView {
    let standing = Memo::new(move |_| match pane.facts.state.get() {
        State::Connecting => ("pending", "Connecting"),
        State::Attached => ("running", "Live"),
        State::Stale => ("waiting", "Reconnecting"),
        State::Asleep => ("stopped", "Suspended"),
        State::Waking => ("pending", "Waking"),
        State::Exited(_) => ("stopped", "Ended"),
        State::Refused(_) => ("failed", "Not connected"),
    });
    view! {
        <span class="term-standing" data-tone=move || standing.get().0 role="status">
            <span class="dot" aria-hidden="true"></span>
            <span class="word">{move || standing.get().1}</span>
        </span>
    }
    .into_any()
}

/// Who else looks at this terminal.
#[component]
fn Watchers(pane: Pane) -> impl IntoView {
    let viewers = move || {
        let mut viewers = pane.facts.viewers.get();
        // One face for each person, the one who types first.
        viewers.sort_by(|a, b| (!a.driver, &a.person).cmp(&(!b.driver, &b.person)));
        viewers.dedup_by(|a, b| a.person == b.person);
        viewers
    };
    view! {
        {move || {
            let viewers = viewers();
            let more = viewers.len().saturating_sub(FACES);
            (viewers.len() > 1)
                .then(|| {
                    view! {
                        <span class="faces" role="group" aria-label="Attached to this terminal">
                            {viewers
                                .into_iter()
                                .take(FACES)
                                .map(|viewer| view! { <Face name=viewer.name driver=viewer.driver /> })
                                .collect_view()}
                            {(more > 0).then(|| view! { <span class="face">{format!("+{more}")}</span> })}
                        </span>
                    }
                })
        }}
    }
    .into_any()
}

/// Take control, or let go of it where somebody else could want it.
#[component]
fn Control(pane: Pane) -> impl IntoView {
    let facts = pane.facts;
    let may = move || facts.may_type.get() && pane.session.with(|view| view.may(Verb::DriveTerminal));
    let offer = Memo::new(move |_| {
        let attached = facts.state.get() == State::Attached;
        match (attached && may(), facts.driver.get() && facts.fits.get()) {
            (false, _) => None,
            (true, false) => Some(true),
            (true, true) => facts.viewers.with(|viewers| viewers.len() > 1).then_some(false),
        }
    });
    let take = move |_| {
        if let Some(attachment) = pane.attachment() {
            attachment.take_control();
            pane.focus();
        }
    };
    let release = move |_| {
        if let Some(attachment) = pane.attachment() {
            attachment.release_control();
        }
    };
    view! {
        {move || match offer.get() {
            Some(true) => {
                view! {
                    <button type="button" class="btn btn-small term-take" title="Type here, and give the terminal this window's size" on:click=take>
                        {drawn(HAND)}
                        "Take control"
                    </button>
                }
                    .into_any()
            }
            Some(false) => {
                view! {
                    <button type="button" class="btn btn-quiet btn-small term-release" title="Let whoever types next take over" on:click=release>
                        "Release"
                    </button>
                }
                    .into_any()
            }
            None => ().into_any(),
        }}
    }
    .into_any()
}

/// The tools at a desk, one button each.
#[component]
fn Tools(pane: Pane) -> impl IntoView {
    let full = pane.full;
    view! {
        <Tool label="Search" hint="Search in the output (Ctrl+Shift+F)" on_press=move || pane.searching.set(true)>
            {icon(Glyph::Search)}
        </Tool>
        <Tool label="Smaller text" hint="Smaller text" on_press=move || pane.zoom(-1.0)>
            {drawn(MINUS)}
        </Tool>
        <Tool label="Larger text" hint="Larger text" on_press=move || pane.zoom(1.0)>
            {icon(Glyph::Plus)}
        </Tool>
        <Tool label="Copy" hint="Copy the selection (Ctrl+Shift+C)" on_press=move || clipboard::copy(pane)>
            {icon(Glyph::Copy)}
        </Tool>
        <Tool label="Paste" hint="Paste (Ctrl+Shift+V)" on_press=move || clipboard::paste(pane)>
            {drawn(PASTE)}
        </Tool>
        <button
            type="button"
            class="btn btn-quiet btn-icon btn-small"
            aria-label="Full screen"
            aria-pressed=move || full.get().to_string()
            title="Full screen (Ctrl+Shift+Enter)"
            on:click=move |_| {
                full.update(|full| *full = !*full);
                pane.focus();
            }
        >
            {move || drawn(if full.get() { SHRINK } else { EXPAND })}
        </button>
    }
    .into_any()
}

#[component]
fn Tool(label: &'static str, hint: &'static str, on_press: impl Fn() + 'static, children: Children) -> impl IntoView {
    view! {
        <button type="button" class="btn btn-quiet btn-icon btn-small" aria-label=label title=hint on:click=move |_| on_press()>
            {children()}
        </button>
    }
    .into_any()
}

/// The rest, and on a phone everything.
#[component]
fn More(pane: Pane) -> impl IntoView {
    let reader = pane.screen_reader;
    let item = move |class: &'static str, word: &'static str, press: fn(Pane)| {
        view! {
            <button
                type="button"
                class=class
                on:click=move |event| {
                    fold(&event);
                    press(pane);
                }
            >
                {word}
            </button>
        }
    };
    view! {
        {item("item term-phone", "Search", |pane| pane.searching.set(true))}
        {item("item term-phone", "Smaller text", |pane| pane.zoom(-1.0))}
        {item("item term-phone", "Larger text", |pane| pane.zoom(1.0))}
        {item("item term-phone", "Copy the selection", clipboard::copy)}
        {item("item term-phone", "Paste", clipboard::paste)}
        {item("item term-phone", "Full screen", |pane| pane.full.update(|full| *full = !*full))}
        {item(
            "item",
            "Load all of the history",
            |pane| {
                if let Some(attachment) = pane.attachment() {
                    attachment.load_history();
                }
            },
        )}
        {item(
            "item",
            "Reconnect",
            |pane| {
                if let Some(attachment) = pane.attachment() {
                    attachment.nudge();
                }
            },
        )}
        <button
            type="button"
            class="item"
            role="switch"
            aria-checked=move || reader.get().to_string()
            on:click=move |_| {
                reader.update(|on| *on = !*on);
                preferences::set_screen_reader(reader.get_untracked());
            }
        >
            {move || if reader.get() { "Read aloud: on" } else { "Read aloud: off" }}
        </button>
        <hr />
        <p class="meta term-hint">"Ctrl+Shift+. moves the focus out of the terminal."</p>
    }
    .into_any()
}

/// Closes the menu that the pressed item is in.
fn fold(event: &leptos::ev::MouseEvent) {
    use wasm_bindgen::JsCast;
    let item = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if let Some(menu) = item.and_then(|item| item.closest("details").ok()?) {
        let _ = menu.remove_attribute("open");
    }
}
