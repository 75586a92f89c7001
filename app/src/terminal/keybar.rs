//! The keys that phones do not have, above the on-screen keyboard.

use super::{
    clipboard,
    drawn::{PASTE, drawn},
    keys::{Key, Sticky},
    pane::Pane,
};
use leptos::{ev, prelude::*};

/// What is always there, and what `more` adds: what is written on the key, what it is called, what it sends.
const FIRST: [(&str, &str, Key); 7] = [
    ("esc", "Esc", Key::Escape),
    ("tab", "Tab", Key::Tab),
    ("←", "Left", Key::Left),
    ("↓", "Down", Key::Down),
    ("↑", "Up", Key::Up),
    ("→", "Right", Key::Right),
    ("^C", "Ctrl C, interrupt", Key::Interrupt),
];
const MORE: [(&str, &str, Key); 10] = [
    ("|", "Vertical bar", Key::Char('|')),
    ("/", "Slash", Key::Char('/')),
    ("-", "Dash", Key::Char('-')),
    ("~", "Tilde", Key::Char('~')),
    ("`", "Backtick", Key::Char('`')),
    ("pgup", "PgUp, page up", Key::PageUp),
    ("pgdn", "PgDn, page down", Key::PageDown),
    ("home", "Home", Key::Home),
    ("end", "End", Key::End),
    ("\\", "Backslash", Key::Char('\\')),
];

#[component]
pub fn Keybar(pane: Pane) -> impl IntoView {
    let more = RwSignal::new(false);
    let sticky = pane.sticky;
    // A press must not take the focus from the terminal: the keyboard would fold.
    let stay = |event: ev::MouseEvent| event.prevent_default();
    let key = move |(word, label, key): (&'static str, &'static str, Key)| {
        view! {
            <button type="button" aria-label=label on:click=move |_| pane.press(key)>
                {word}
            </button>
        }
    };
    let modifier = move |word: &'static str, label: &'static str, has: fn(Sticky) -> bool, turn: fn(&mut Sticky)| {
        view! {
            <button
                type="button"
                aria-label=label
                aria-pressed=move || has(sticky.get()).to_string()
                on:click=move |_| sticky.update(turn)
            >
                {word}
            </button>
        }
    };
    view! {
        <div class="term-composing" hidden=move || pane.facts.composing.with(String::is_empty)>
            {move || pane.facts.composing.get()}
        </div>
        <div class="term-keys" role="toolbar" aria-label="Keys" on:mousedown=stay>
            <div class="row">
                {FIRST[..2].iter().copied().map(key).collect_view()}
                {modifier("ctrl", "Ctrl for the next key", |sticky| sticky.ctrl, |sticky| sticky.ctrl = !sticky.ctrl)}
                {modifier("alt", "Alt for the next key", |sticky| sticky.alt, |sticky| sticky.alt = !sticky.alt)}
                {FIRST[2..].iter().copied().map(key).collect_view()}
                <button type="button" aria-label="Paste" on:click=move |_| clipboard::paste(pane)>
                    {drawn(PASTE)}
                </button>
                <button
                    type="button"
                    aria-label="More keys"
                    aria-expanded=move || more.get().to_string()
                    on:click=move |_| more.update(|more| *more = !*more)
                >
                    "···"
                </button>
            </div>
            <Show when=move || more.get()>
                <div class="row">{MORE.iter().copied().map(key).collect_view()}</div>
            </Show>
        </div>
    }
    .into_any()
}
