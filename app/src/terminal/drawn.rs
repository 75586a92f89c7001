//! Icons that only a terminal needs, on the console's grid of sixteen.

use leptos::prelude::*;

pub const PASTE: &str = "M5.5 3h-2a.5.5 0 0 0-.5.5v10a.5.5 0 0 0 .5.5h9a.5.5 0 0 0 .5-.5v-10a.5.5 0 0 0-.5-.5h-2M6 2h4v2.5H6zM8 7v4.5M6 9.5l2 2 2-2";
pub const EXPAND: &str = "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.25 2.75L9.5 6.5M2.75 13.25L6.5 9.5";
pub const SHRINK: &str = "M13.5 6.5h-4v-4M2.5 9.5h4v4M9.75 6.25L13.5 2.5M6.25 9.75L2.5 13.5";
pub const MINUS: &str = "M3 8h10";
pub const UP: &str = "M4 10l4-4 4 4";
pub const EYE: &str = "M1.75 8S4 3.75 8 3.75 14.25 8 14.25 8 12 12.25 8 12.25 1.75 8 1.75 8zM8 9.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5z";
pub const HAND: &str = "M3 5.5h10a.5.5 0 0 1 .5.5v5.5a.5.5 0 0 1-.5.5H3a.5.5 0 0 1-.5-.5V6a.5.5 0 0 1 .5-.5zM5 8h.01M7 8h.01M9 8h.01M11 8h.01M5.5 10h5";

/// One of them; what holds it says what it means.
pub fn drawn(path: &'static str) -> impl IntoView + use<> {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}
