//! How to sign in: the one page that works for nobody in particular.

use crate::ui::{Copy, Glyph, Logo, icon};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const COMMAND: &str = "sandbox sign-in-link";

/// The page.
#[component]
#[must_use]
pub fn SignInPage() -> impl IntoView {
    let query = use_query_map();
    let over = move || query.with(|query| query.get("problem").is_some());
    view! {
        <leptos_meta::Title text="Sign in" />
        <div class="alone">
            <div class="body">
                <p class="brand">
                    <Logo />
                    "Sandbox"
                </p>
                <h1>"Sign in"</h1>
                {move || {
                    over()
                        .then(|| {
                            view! {
                                <div class="notice notice-waiting" role="alert">
                                    {icon(Glyph::Warning)}
                                    <p>"That link was used already, or its 15 minutes are over. Ask for a new one."</p>
                                </div>
                            }
                        })
                }}
                <p class="soft">
                    "You sign in by a link that works once. The server printed one when it started; whoever runs it makes a new one with:"
                </p>
                <div class="command">
                    <code>{COMMAND}</code>
                    <Copy text=COMMAND label="Copy the command" />
                </div>
                <p class="soft">"Open the link in this browser. It is good for 15 minutes."</p>
            </div>
        </div>
    }
}
