//! Searching in screen and scrollback.

use super::{
    drawn::{UP, drawn},
    pane::Pane,
};
use crate::ui::{Glyph, icon};
use leptos::{ev, html, prelude::*};

#[component]
pub fn Find(pane: Pane) -> impl IntoView {
    view! {
        <Show when=move || pane.searching.get()>
            <FindBox pane />
        </Show>
    }
    .into_any()
}

#[component]
fn FindBox(pane: Pane) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let field = NodeRef::<html::Input>::new();
    let look = move |back: bool, incremental: bool| {
        if let Some(screen) = pane.screen() {
            screen.find(&text.get_untracked(), back, incremental);
        }
    };
    let close = move || {
        if let Some(screen) = pane.screen() {
            screen.find("", false, false);
        }
        pane.searching.set(false);
        pane.focus();
    };
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let on_key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            look(!event.shift_key(), false);
        }
        "Escape" => {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
        _ => {}
    };
    let count = move || {
        let (index, count) = pane.facts.found.get();
        match (text.with(String::is_empty), count) {
            (true, _) => String::new(),
            (false, 0) => "None".to_owned(),
            (false, count) if index < 0 => format!("{count}+"),
            (false, count) => format!("{} of {count}", index + 1),
        }
    };
    view! {
        <div class="term-find" role="search" aria-label="Search in the terminal">
            <input
                class="input"
                type="text"
                node_ref=field
                aria-label="Search in the output"
                placeholder="Search"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                maxlength="200"
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    look(true, true);
                }
                on:keydown=on_key
            />
            <span class="meta count" role="status">{count}</span>
            <button
                type="button"
                class="btn btn-quiet btn-icon btn-small"
                aria-label="Earlier match"
                title="Earlier match (Enter)"
                on:click=move |_| look(true, false)
            >
                {drawn(UP)}
            </button>
            <button
                type="button"
                class="btn btn-quiet btn-icon btn-small"
                aria-label="Later match"
                title="Later match (Shift+Enter)"
                on:click=move |_| look(false, false)
            >
                {icon(Glyph::Down)}
            </button>
            <button
                type="button"
                class="btn btn-quiet btn-icon btn-small"
                aria-label="Close the search"
                title="Close (Esc)"
                on:click=move |_| close()
            >
                {icon(Glyph::Close)}
            </button>
        </div>
    }
    .into_any()
}
