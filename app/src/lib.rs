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
mod more;
mod now;
mod org;
mod pages;
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
/// The forms that the server answers without scripts, and what their buttons are called.
pub mod forms {
    pub use crate::{
        fleet::FOUNDED,
        org::{
            ANSWERS, INVITED,
            many::{MANY, act},
            passes::REVOKE,
        },
    };
    #[cfg(feature = "ssr")]
    pub use crate::{
        fleet::{FOUND, founding},
        org::{INVITE, inviting},
    };
}
#[cfg(feature = "ssr")]
pub use org::many::change_of as seat_change;
#[cfg(feature = "ssr")]
pub use org::{DIRECTORY_MADE, DIRECTORY_MINT, Here};
pub use settings::verb_words;
#[cfg(feature = "ssr")]
pub use settings::{MADE, MINT};

use layout::{Frame, NotFound};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
use pages::{
    AboutWay, AccessWay, AgentsWay, AuditEntryWay, AuditWay, Coming, FleetAuditWay, FleetHealthWay, FleetOrgWay,
    FleetPolicyWay, FleetWay, MemberWay, MembersWay, MoreWay, NewWay, OrgAuditWay, OrgSecretsWay, OrgSettingsWay,
    OrgWay, OwnSecretsWay, PassesWay, PolicyWay, QuotasWay, SessionWay, SessionsWay, SettingsWay, UsageWay,
};
use settings::theme_of_request;

/// The page around every page: what a browser gets before anything else. The server puts [`Assets`], the `Engine` and the
/// `Caller` into its context. Signing in and out are the server's own plain pages.
#[must_use]
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    let assets = expect_context::<Assets>();
    // Asked for beside the main module, not after it.
    let coming = assets.part(pages::part_of_request()).iter().map(|file| {
        view! { <link rel="preload" href=file.clone() r#as="fetch" r#type="application/wasm" crossorigin="" /> }
    });
    let coming = coming.collect_view();
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
                {coming}
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
    Coming::provide();
    // Async: a page is sent whole, with its right status, and can be read without scripts.
    view! {
        <Title formatter=|text: String| if text.is_empty() { "Sandbox".to_owned() } else { format!("{text} · Sandbox") } />
        <Router>
            <Frame>
                <FlatRoutes fallback=NotFound>
                    <Route path=path!("/") view={Lazy::<SessionsWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/new") view={Lazy::<NewWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/sessions/:id") view={Lazy::<SessionWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/agents") view={Lazy::<AgentsWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/usage") view={Lazy::<UsageWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/audit") view={Lazy::<AuditWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/audit/:position") view={Lazy::<AuditEntryWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings") view={Lazy::<SettingsWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org") view={Lazy::<OrgWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/members") view={Lazy::<MembersWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/members/:person") view={Lazy::<MemberWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/quotas") view={Lazy::<QuotasWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/policy") view={Lazy::<PolicyWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/tokens") view={Lazy::<PassesWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/audit") view={Lazy::<OrgAuditWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/settings") view={Lazy::<OrgSettingsWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/fleet") view={Lazy::<FleetWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/fleet/policy") view={Lazy::<FleetPolicyWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/fleet/audit") view={Lazy::<FleetAuditWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/fleet/health") view={Lazy::<FleetHealthWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/fleet/:org") view={Lazy::<FleetOrgWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/access") view={Lazy::<AccessWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/secrets") view={Lazy::<OwnSecretsWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/org/secrets") view={Lazy::<OrgSecretsWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/more") view={Lazy::<MoreWay>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/about") view={Lazy::<AboutWay>::new()} ssr=SsrMode::Async />
                </FlatRoutes>
            </Frame>
        </Router>
    }
}
