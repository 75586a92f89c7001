//! A button that copies a text.

use super::{Glyph, Toasts, icon};
use leptos::prelude::*;

/// Copies `text`; says so on the button, or why not.
#[component]
#[must_use]
pub fn Copy(#[prop(into)] text: String, label: &'static str) -> impl IntoView {
    let copied = RwSignal::new(false);
    let toasts = expect_context::<Toasts>();
    let on_click = move |_| {
        #[cfg(feature = "hydrate")]
        {
            let clipboard = window().navigator().clipboard();
            // A page that did not come over https or from this machine has no clipboard.
            if js_sys::Reflect::get(&window().navigator(), &"clipboard".into()).is_ok_and(|value| value.is_undefined())
            {
                toasts.failed("This browser lets only secure pages copy. Select the text and copy it yourself.");
                return;
            }
            let done = clipboard.write_text(&text);
            leptos::task::spawn_local(async move {
                if wasm_bindgen_futures::JsFuture::from(done).await.is_ok() {
                    copied.set(true);
                    set_timeout(
                        move || {
                            copied.try_set(false);
                        },
                        core::time::Duration::from_secs(2),
                    );
                } else {
                    toasts.failed("The browser did not let the page copy. Select the text and copy it yourself.");
                }
            });
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (&text, toasts);
    };
    view! {
        <button
            type="button"
            class="btn btn-quiet btn-icon btn-small"
            aria-label=move || if copied.get() { "Copied" } else { label }
            title=label
            on:click=on_click
        >
            {move || if copied.get() { icon(Glyph::Check) } else { icon(Glyph::Copy) }}
        </button>
    }
}
