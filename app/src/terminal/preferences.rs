//! What this device remembers of how its person likes a terminal.

use super::theme::Ground;
use leptos::prelude::*;
use web_sys::Storage;

const FONT: &str = "sandbox.terminal.font";
const SCREEN_READER: &str = "sandbox.terminal.screen-reader";
/// Sizes of text, in CSS pixels.
pub const FONTS: core::ops::RangeInclusive<f64> = 8.0..=28.0;
/// A desk's size, and that of a phone, where columns are rare.
const DESK: f64 = 13.0;
const PHONE: f64 = 12.0;

/// The size of the text.
pub fn font() -> f64 {
    let kept = storage()
        .and_then(|storage| storage.get_item(FONT).ok()?)
        .and_then(|kept| kept.parse().ok());
    let usual = if coarse() { PHONE } else { DESK };
    kept.filter(|font: &f64| FONTS.contains(font)).unwrap_or(usual)
}

/// Changes the size of the text within bounds, and remembers it.
pub fn set_font(font: RwSignal<f64>, size: f64) {
    let size = size.clamp(*FONTS.start(), *FONTS.end());
    if font.get_untracked() != size {
        font.set(size);
        keep(FONT, &size.to_string());
    }
}

/// Whether the terminal is read aloud.
pub fn screen_reader() -> bool {
    storage()
        .and_then(|storage| storage.get_item(SCREEN_READER).ok()?)
        .is_some_and(|kept| kept == "true")
}

/// Remembers whether the terminal is read aloud.
pub fn set_screen_reader(on: bool) {
    keep(SCREEN_READER, &on.to_string());
}

/// Whether the main pointer is a finger.
pub fn coarse() -> bool {
    media("(pointer: coarse)")
}

/// Whether nothing should move or blink.
pub fn still() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// The ground the console stands on now.
pub fn ground() -> Ground {
    let root = web_sys::window().and_then(|window| window.document()?.document_element());
    let chosen = root.and_then(|root| root.get_attribute("data-theme"));
    match chosen.as_deref() {
        Some("light") => Ground::Light,
        Some("dark") => Ground::Dark,
        _ if media("(prefers-color-scheme: light)") => Ground::Light,
        _ => Ground::Dark,
    }
}

fn media(query: &str) -> bool {
    web_sys::window()
        .and_then(|window| window.match_media(query).ok()?)
        .is_some_and(|list| list.matches())
}

fn keep(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // Full or forbidden storage only means that it is not remembered.
        let _ = storage.set_item(key, value);
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
