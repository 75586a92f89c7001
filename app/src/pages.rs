//! In which part of the program each page's code comes to the browser.
//!
//! What every page needs (the frame and what lies above it) comes first; the code of the pages comes in parts, each when a
//! page of it is first gone to, or ahead of that. A part is a word in `parts!`: `scripts/wasm` cuts the compiled page along
//! these words, [`part_of`] says which one the server announces for an address, and `scripts/site.mjs` which come ahead.
#![expect(non_snake_case, reason = "a function that stands on a cut is called as its way is")]

use leptos::{prelude::*, wasm_split::SplitLoaderError};
use leptos_router::LazyRoute;
use std::pin::Pin;

/// Pages whose code comes in parts: `part { Way => Page }` makes `Way`, a route's view that fetches the part and then
/// shows `Page`. The browser calls a page by a plain function, because only such can stand on a cut.
macro_rules! parts {
    ($($part:ident { $($way:ident => $page:path),+ $(,)? })+) => {$($(
        pub(crate) struct $way;

        impl LazyRoute for $way {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> AnyView {
                // Two cuts must not bear one name, so the function is called as its way is.
                #[leptos::wasm_split::wasm_split($part, wasm_split_path = leptos::wasm_split, fallible)]
                fn $way() -> Result<AnyView, SplitLoaderError> {
                    Ok($page().into_any())
                }
                arrive(|| Box::pin($way())).await
            }
        }
    )+)+};
}

parts! {
    list {
        SessionsWay => crate::sessions::SessionsPage,
    }
    session {
        SessionWay => crate::sessions::SessionPage,
    }
    own {
        NewWay => crate::sessions::NewSessionPage,
        AgentsWay => crate::agents::AgentsPage,
        UsageWay => crate::usage::UsagePage,
        SettingsWay => crate::settings::SettingsPage,
        AccessWay => crate::settings::AccessPage,
        OwnSecretsWay => crate::secrets::OwnSecretsPage,
        AboutWay => crate::about::AboutPage,
        MoreWay => crate::more::MorePage,
    }
    govern {
        OrgWay => crate::org::OrgPage,
        MembersWay => crate::org::MembersPage,
        MemberWay => crate::org::MemberPage,
        QuotasWay => crate::org::QuotasPage,
        PolicyWay => crate::org::PolicyPage,
        OrgSettingsWay => crate::org::OrgSettingsPage,
        PassesWay => crate::org::PassesPage,
        OrgAuditWay => crate::audit::OrgAuditPage,
        FleetAuditWay => crate::audit::FleetAuditPage,
        FleetHealthWay => crate::fleet::FleetHealthPage,
        OrgSecretsWay => crate::secrets::OrgSecretsPage,
        FleetWay => crate::fleet::FleetPage,
        FleetPolicyWay => crate::org::FleetPolicyPage,
        FleetOrgWay => crate::fleet::FleetOrgPage,
        AuditWay => crate::audit::AuditPage,
        AuditEntryWay => crate::audit::AuditEntryPage,
    }
}

/// The part that the page of this request is in, so that its code is asked for beside the main module. A wrong guess
/// costs a moment, nothing else: what is shown asks for its part itself.
pub(crate) fn part_of_request() -> &'static str {
    #[cfg(feature = "ssr")]
    if let Some(asked) = use_context::<http::request::Parts>() {
        return part_of(asked.uri.path());
    }
    part_of("/")
}

/// The part that the page at an address is in.
fn part_of(path: &str) -> &'static str {
    match path.split('/').nth(1).unwrap_or_default() {
        "" => "list",
        "sessions" => "session",
        "org" | "fleet" | "audit" => "govern",
        _ => "own",
    }
}

/// Whether a page's code is on its way.
#[derive(Clone, Copy)]
pub(crate) struct Coming(pub(crate) RwSignal<bool>);

impl Coming {
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(false)));
    }
}

/// A page's code, on its way.
type Code = Pin<Box<dyn Future<Output = Result<AnyView, SplitLoaderError>>>>;

/// Waits for a page's code, and shows the page.
///
/// Code that does not come was most likely replaced by a newer server's, or there is no network. Who was on the way to
/// another page is then brought there by the browser itself, which fetches what is new or says that there is no
/// network. A page that the server just rendered works without its code, and wakes when it comes after all.
async fn arrive(fetch: fn() -> Code) -> AnyView {
    let coming = use_context::<Coming>();
    let tell = move |is| coming.map(|coming| coming.0.try_set(is));
    tell(true);
    loop {
        if let Ok(page) = fetch().await {
            tell(false);
            return page;
        }
        #[cfg(feature = "hydrate")]
        absent::go_without().await;
    }
}

/// When a page's code does not come.
#[cfg(feature = "hydrate")]
mod absent {
    use leptos::{prelude::*, web_sys::Event};
    use wasm_bindgen::{JsCast as _, closure::Closure};

    /// How long to wait before asking for it again, in milliseconds.
    const PAUSE: i32 = 3_000;

    /// Leaves an awake page for the address that was meant, for good; lets a page that sleeps work without scripts for
    /// a moment.
    pub(super) async fn go_without() {
        if awake() {
            let aim = leptos_router::hooks::use_url().with_untracked(|url| {
                let query = url.search().trim_start_matches('?');
                let mark = if query.is_empty() { "" } else { "?" };
                format!("{}{mark}{query}", url.path())
            });
            _ = window().location().assign(&aim);
            std::future::pending::<()>().await;
        }
        static LEFT: std::sync::Once = std::sync::Once::new();
        LEFT.call_once(leave_clicks_to_the_browser);
        let later = js_sys::Promise::new(&mut |done, _| {
            _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&done, PAUSE);
        });
        _ = wasm_bindgen_futures::JsFuture::from(later).await;
    }

    fn awake() -> bool {
        document()
            .document_element()
            .is_some_and(|page| page.has_attribute("data-hydrated"))
    }

    /// The router hears clicks already, but can show no page before this one is awake.
    fn leave_clicks_to_the_browser() {
        let hear = Closure::<dyn Fn(Event)>::new(|event: Event| {
            if !awake() {
                event.stop_immediate_propagation();
            }
        });
        _ = window().add_event_listener_with_callback_and_bool("click", hear.as_ref().unchecked_ref(), true);
        hear.forget();
    }
}
