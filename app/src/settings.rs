//! Settings: who I am, where I am signed in, how it looks, what acts in my name.

mod access;
mod logins;
mod theme;
mod tokens;
mod ways;

pub use access::AccessPage;
pub(crate) use logins::browser as browser_words;
pub use theme::theme_of_request;
pub use tokens::verb_words;
#[cfg(feature = "ssr")]
pub use tokens::{MADE, MINT};

use crate::{
    home::{at_home, role_name},
    layout::GOVERNING,
    switcher::Switcher,
    ui::{Bones, Complaint, Face, Glyph, Head, icon},
};
use leptos::prelude::*;
use logins::Logins;
use theme::Themes;
use tokens::Tokens;
use ways::WaysIn;

/// The page.
#[component]
#[must_use]
pub fn SettingsPage() -> impl IntoView {
    view! {
        <div class="page page-narrow">
            <Head title="Settings" />
            <div class="stack stack-wide">
                <Profile />
                <Themes />
                <Secrets />
                <Tokens />
                <WaysIn />
                <Logins />
                <Elsewhere />
            </div>
        </div>
    }
}

/// The pages for which the dock of a phone has no room.
#[component]
fn Elsewhere() -> impl IntoView {
    view! {
        <nav class="sm:hidden" aria-label="More pages">
            <ul role="list" class="card lines">
                <Suspense>
                    {move || Suspend::new(async move {
                        let home = at_home().await.ok();
                        GOVERNING
                            .into_iter()
                            .filter(|(verb, ..)| home.as_ref().is_some_and(|home| home.may(*verb)))
                            .map(|(_, address, word, glyph)| view! { <li><a class="link way" href=address>{icon(glyph)} {word}</a></li> })
                            .collect_view()
                    })}
                </Suspense>
                <li><a class="link way" href="/about">{icon(Glyph::About)} "About this installation"</a></li>
            </ul>
        </nav>
    }
}

/// The way to one's secrets.
#[component]
fn Secrets() -> impl IntoView {
    view! {
        <section aria-labelledby="secrets">
            <div class="section-head">
                <h2 id="secrets">"Secrets"</h2>
                <p class="meta">"Keys and sign-ins that your sessions use."</p>
            </div>
            <ul role="list" class="card lines">
                <li>
                    <p class="grow soft">"Variables and files that your sessions get when they start."</p>
                    <a class="btn btn-small" href="/settings/secrets">"Open"</a>
                </li>
            </ul>
        </section>
    }
}

#[component]
fn Profile() -> impl IntoView {
    view! {
        <section aria-labelledby="profile">
            <div class="section-head">
                <h2 id="profile">"Profile"</h2>
            </div>
            <Suspense fallback=|| view! { <Bones rows=2 /> }>
                {move || Suspend::new(async move {
                    match at_home().await {
                        Ok(home) => {
                            view! {
                                <div class="card lines">
                                    <div>
                                        <Face name=home.name.clone() />
                                        <div class="grow">
                                            <p>{home.name}</p>
                                            <p class="meta">{home.email}</p>
                                        </div>
                                        <form method="post" action="/sign-out">
                                            <button class="btn btn-small" type="submit">{icon(Glyph::Leave)} "Sign out"</button>
                                        </form>
                                    </div>
                                    <div>
                                        <p class="grow soft">"Organization"</p>
                                        <p>{home.org}</p>
                                        <Switcher />
                                    </div>
                                    <div>
                                        <p class="grow soft">"Role"</p>
                                        <p>{role_name(home.role)}</p>
                                        {home
                                            .narrowed
                                            .then(|| {
                                                let count = home.may.len() as u64;
                                                let rights = crate::words::count(count, "right");
                                                view! {
                                                    <p class="meta">{format!("This login is narrowed to {rights} by your identity provider.")}</p>
                                                }
                                            })}
                                        <a class="link" href="/settings/access">"Why?"</a>
                                    </div>
                                </div>
                            }
                                .into_any()
                        }
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Suspense>
        </section>
    }
}
