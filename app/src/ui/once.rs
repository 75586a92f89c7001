use super::{Copy, Glyph, icon};
use leptos::prelude::*;

/// A new token's secret, this once.
#[component]
#[must_use]
pub fn Once(name: String, secret: String) -> impl IntoView {
    view! {
        <div class="notice" role="status">
            {icon(Glyph::Check)}
            <div class="stack">
                <p>
                    <strong>{name}</strong>
                    " is made. Copy it now: it is not shown again."
                </p>
                <div class="command">
                    <code tabindex="0">{secret.clone()}</code>
                    <Copy text=secret label="Copy the token" />
                </div>
            </div>
        </div>
    }
}
