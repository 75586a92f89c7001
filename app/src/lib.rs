//! What people see: pages, components and server functions, by noun.
//!
//! Compiled twice: into the server (`ssr`) and into WebAssembly (`hydrate`). It knows no SQL, no sockets and no
//! processes; the server side asks `engine` (one call a server function, see [`door`]), the browser side asks the
//! server. Every page is rendered on the server and works before scripts do: what is shown is in the address, what is
//! done is a form. Start at [`App`], then `layout.rs`, then the noun.
// A page is one type made of all its elements: deeper than what the compiler takes for a mistake.
#![recursion_limit = "512"]
#![expect(
    unreachable_pub,
    reason = "the macros of components and server functions write `pub`, whatever we do"
)]

mod about;
mod address;
mod agents;
mod assets;
mod audit;
#[cfg(feature = "ssr")]
pub mod door;
pub mod fault;
mod fleet;
mod home;
mod keys;
mod layout;
mod live;
mod now;
mod org;
mod palette;
mod secrets;
mod sessions;
mod settings;
mod switcher;
pub mod terminal;
pub mod typed;
mod ui;
mod usage;
mod words;

pub use assets::Assets;
#[cfg(feature = "ssr")]
pub use org::{DIRECTORY_MADE, DIRECTORY_MINT, Here};
pub use settings::verb_words;
#[cfg(feature = "ssr")]
pub use settings::{MADE, MINT};

use about::AboutPage;
use agents::AgentsPage;
use audit::{AuditEntryPage, AuditPage};
use fleet::{FleetOrgPage, FleetPage};
use layout::{Frame, NotFound};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
use org::{FleetPolicyPage, MemberPage, MembersPage, OrgPage, OrgSettingsPage, PolicyPage, QuotasPage};
use secrets::{OrgSecretsPage, OwnSecretsPage};
use sessions::{NewSessionPage, SessionPage, SessionsPage};
use settings::{AccessPage, SettingsPage, theme_of_request};
use usage::UsagePage;

/// The page around every page: what a browser gets before anything else. The server puts [`Assets`], the `Engine` and the
/// `Caller` into its context. Signing in and out are the server's own plain pages.
#[must_use]
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    let assets = expect_context::<Assets>();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme_of_request().attribute()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=assets.url("app.css") />
                <link rel="modulepreload" href=assets.url("app.js") />
                <link rel="preload" href=assets.url("app.wasm") r#as="fetch" r#type="application/wasm" crossorigin="" />
                <script type="module" src=assets.url("boot.js")></script>
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/icon-180.png" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The console.
#[component]
#[must_use]
pub fn App() -> impl IntoView {
    provide_meta_context();
    typed::provide();
    // Async: a page is sent whole, with its right status, and can be read without scripts.
    view! {
        <Title formatter=|text: String| if text.is_empty() { "Sandbox".to_owned() } else { format!("{text} · Sandbox") } />
        <Router>
            <Frame>
                <FlatRoutes fallback=NotFound>
                    <Route path=path!("/") view=SessionsPage ssr=SsrMode::Async />
                    <Route path=path!("/new") view=NewSessionPage ssr=SsrMode::Async />
                    <Route path=path!("/sessions/:id") view=SessionPage ssr=SsrMode::Async />
                    <Route path=path!("/agents") view=AgentsPage ssr=SsrMode::Async />
                    <Route path=path!("/usage") view=UsagePage ssr=SsrMode::Async />
                    <Route path=path!("/audit") view=AuditPage ssr=SsrMode::Async />
                    <Route path=path!("/audit/:position") view=AuditEntryPage ssr=SsrMode::Async />
                    <Route path=path!("/settings") view=SettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/org") view=OrgPage ssr=SsrMode::Async />
                    <Route path=path!("/org/members") view=MembersPage ssr=SsrMode::Async />
                    <Route path=path!("/org/members/:person") view=MemberPage ssr=SsrMode::Async />
                    <Route path=path!("/org/quotas") view=QuotasPage ssr=SsrMode::Async />
                    <Route path=path!("/org/policy") view=PolicyPage ssr=SsrMode::Async />
                    <Route path=path!("/org/settings") view=OrgSettingsPage ssr=SsrMode::Async />
                    <Route path=path!("/fleet") view=FleetPage ssr=SsrMode::Async />
                    <Route path=path!("/fleet/policy") view=FleetPolicyPage ssr=SsrMode::Async />
                    <Route path=path!("/fleet/:org") view=FleetOrgPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/access") view=AccessPage ssr=SsrMode::Async />
                    <Route path=path!("/settings/secrets") view=OwnSecretsPage ssr=SsrMode::Async />
                    <Route path=path!("/org/secrets") view=OrgSecretsPage ssr=SsrMode::Async />
                    <Route path=path!("/about") view=AboutPage ssr=SsrMode::Async />
                </FlatRoutes>
            </Frame>
        </Router>
    }
}
