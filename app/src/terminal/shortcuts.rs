//! The few keys that are the pane's: all with Ctrl (or Cmd) and Shift, which no terminal program can see anyway. Esc is
//! never one of them, and full screen is the page's own: the browser's would keep Esc for itself.

use super::{clipboard, pane::Pane};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

/// Takes the key if it is ours.
pub fn take(pane: Pane, event: &KeyboardEvent) -> bool {
    if !event.shift_key() || !(event.ctrl_key() || event.meta_key()) || event.alt_key() {
        return false;
    }
    // By place on the keyboard where the character differs with Shift and layout.
    match event.code().as_str() {
        "KeyF" => pane.searching.set(true),
        "KeyC" => clipboard::copy(pane),
        "Enter" => pane.full.update(|full| *full = !*full),
        "Period" => leave(pane),
        // Not handled by the terminal, so the browser pastes.
        "KeyV" => return true,
        _ => return false,
    }
    event.prevent_default();
    true
}

/// Moves the focus out of the terminal, to the first thing of the toolbar.
fn leave(pane: Pane) {
    pane.full.set(false);
    let document = web_sys::window().and_then(|window| window.document());
    let first = document.and_then(|document| document.query_selector(".term-bar button").ok()?);
    if let Some(first) = first.and_then(|first| first.dyn_into::<HtmlElement>().ok()) {
        let _ = first.focus();
    }
}
