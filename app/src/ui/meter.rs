//! A bar that says how much of a limit is used.

use leptos::prelude::*;

/// How much of a limit is used; nothing where there is none.
#[component]
#[must_use]
pub fn Meter(used: u64, limit: Option<u64>, #[prop(into)] label: String) -> impl IntoView {
    limit.map(|limit| {
        let share = (u128::from(used) * 100 / u128::from(limit.max(1))).min(100) as u8;
        view! {
            <svg
                class="meter"
                viewBox="0 0 100 1"
                preserveAspectRatio="none"
                role="img"
                aria-label=format!("{label}: {share} per cent of the limit")
                data-full=(share >= 100).then_some("")
            >
                <rect width=share.to_string() height="1"></rect>
            </svg>
        }
    })
}
