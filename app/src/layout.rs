//! The frame around every page: the side with the ways to go, the dock on a phone, and what lies above all pages.

use crate::{
    home::HomeAsked,
    keys::{self, KeySheet},
    live::{Live, Lost},
    now::Now,
    pages::Coming,
    palette::Palette,
    switcher::Switcher,
    ui::{Face, Glyph, Logo, Toaster, Toasts, icon},
};
use domain::permit::Verb;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// A way to go: its address, its word, its icon, its key.
const WAYS: [(&str, &str, Glyph, &str); 5] = [
    ("/", "Sessions", Glyph::Sessions, "g s"),
    ("/agents", "Agents", Glyph::Agents, "g a"),
    ("/usage", "Usage", Glyph::Usage, "g u"),
    ("/settings", "Settings", Glyph::Settings, ""),
    ("/about", "About", Glyph::About, ""),
];
/// The ways that only some have: those who govern an Organization, those who run the installation.
pub(crate) const GOVERNING: [(Verb, &str, &str, Glyph); 2] = [
    (Verb::SeeOrg, "/org", "Organization", Glyph::Org),
    (Verb::ManageFleet, "/fleet", "Fleet", Glyph::Fleet),
];
/// How many of them stand at the top of the side; the others are below.
const FIRST: usize = 3;
/// How many of them fit under a thumb.
const DOCKED: usize = 4;

/// What lies above the page at the moment.
#[derive(Clone, Copy)]
pub struct Above {
    pub palette: RwSignal<bool>,
    pub keys: RwSignal<bool>,
}

/// The frame; `children` is the page.
#[component]
#[must_use]
pub fn Frame(children: Children) -> impl IntoView {
    let live = Live::provide();
    Now::provide();
    Toasts::provide();
    let above = Above {
        palette: RwSignal::new(false),
        keys: RwSignal::new(false),
    };
    provide_context(above);
    HomeAsked::provide();
    let path = use_location().pathname;
    let coming = expect_context::<Coming>();
    // A terminal wants its pixels.
    let wide = Memo::new(move |_| path.with(|path| path.starts_with("/sessions/")));

    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        live.connect();
        // For the page that says that there is no network; an insecure page has no such thing.
        let navigator = window().navigator();
        if js_sys::Reflect::has(&navigator, &"serviceWorker".into()).unwrap_or(false) {
            _ = navigator.service_worker().register("/sw.js");
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = live;
    keys::listen(above);

    view! {
        <a class="skip" href="#main">"Skip to the page"</a>
        <div class="frame" data-wide=move || wide.get().then_some("")>
            <Side />
            <div class="stage">
                <Lost />
                <main
                    id="main" tabindex="-1" class="outline-none grow min-w-0"
                    aria-busy=move || coming.0.get().then_some("true")
                >
                    {children()}
                </main>
            </div>
            <Dock />
        </div>
        <Show when=move || above.palette.get()>
            <Palette />
        </Show>
        <Show when=move || above.keys.get()>
            <KeySheet />
        </Show>
        <Toaster />
    }
}

/// Whether a way leads to where the reader is.
fn current(path: &str, way: &str) -> Option<&'static str> {
    let here = if way == "/" {
        path == "/" || path == "/new" || path.starts_with("/sessions/")
    } else {
        path.starts_with(way)
    };
    here.then_some("page")
}

#[component]
fn Side() -> impl IntoView {
    let path = use_location().pathname;
    let above = expect_context::<Above>();
    let home = expect_context::<HomeAsked>();
    let way = move |(address, word, glyph, key): (&'static str, &'static str, Glyph, &'static str)| {
        view! {
            <a class="nav" href=address title=word aria-current=move || current(&path.get(), address)>
                {icon(glyph)}
                <span class="word">{word}</span>
                {(!key.is_empty()).then(|| view! { <kbd class="kbd" aria-hidden="true">{key}</kbd> })}
            </a>
        }
    };
    view! {
        <header class="side">
            <a class="brand" href="/" title="Sandbox" aria-label="Sandbox, all sessions">
                <Logo />
                <span class="word">"Sandbox"</span>
            </a>
            <nav aria-label="Pages" class="contents">
                {WAYS[..FIRST].iter().copied().map(way).collect_view()}
                <Suspense>
                    {move || Suspend::new(async move {
                        let may = home.0.await.is_ok_and(|home| home.may(Verb::SeeAudit));
                        may.then(|| way(("/audit", "Audit", Glyph::Audit, "")))
                    })}
                </Suspense>
                <button type="button" class="nav" title="Search and commands" on:click=move |_| above.palette.set(true)>
                    {icon(Glyph::Search)}
                    <span class="word">"Search"</span>
                    <kbd class="kbd" aria-hidden="true">"Ctrl K"</kbd>
                </button>
                <Suspense>
                    {move || Suspend::new(async move {
                        let home = home.0.await.ok();
                        GOVERNING
                            .into_iter()
                            .filter(|(verb, ..)| home.as_ref().is_some_and(|home| home.may(*verb)))
                            .map(|(_, address, word, glyph)| way((address, word, glyph, "")))
                            .collect_view()
                    })}
                </Suspense>
                <div class="spring"></div>
                {WAYS[FIRST..].iter().copied().map(way).collect_view()}
            </nav>
            <Switcher />
            <Suspense>
                {move || Suspend::new(async move {
                    home.0.await.ok().map(|home| view! { <Who name=home.name email=home.email /> })
                })}
            </Suspense>
        </header>
    }
}

#[component]
fn Who(name: String, email: String) -> impl IntoView {
    let title = email.clone();
    view! {
        <div class="who" title=title>
            <Face name=name.clone() />
            <div class="grow">
                <p>{name}</p>
                <p class="meta">{email}</p>
            </div>
            <form method="post" action="/sign-out">
                <button type="submit" class="btn btn-quiet btn-icon btn-small" aria-label="Sign out" title="Sign out">
                    {icon(Glyph::Leave)}
                </button>
            </form>
        </div>
    }
}

/// What a thumb reaches.
#[component]
fn Dock() -> impl IntoView {
    let path = use_location().pathname;
    view! {
        <nav class="dock" aria-label="Pages, below">
            {WAYS[..DOCKED]
                .iter()
                .map(|&(address, word, glyph, _)| {
                    view! {
                        <a href=address aria-current=move || current(&path.get(), address)>
                            {icon(glyph)}
                            {word}
                        </a>
                    }
                })
                .collect_view()}
        </nav>
    }
}

/// A page that does not exist.
#[component]
#[must_use]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::door::say_status(404);
    view! {
        <leptos_meta::Title text="Not found" />
        <div class="page">
            <section class="card empty">
                {icon(Glyph::Search)} <h1>"There is no such page"</h1>
                <p>"The address may be mistyped, or what was here is gone."</p>
                <a class="btn btn-primary" href="/">"All sessions"</a>
            </section>
        </div>
    }
}
