//! Settings: who I am, where I am signed in, how it looks, what acts in my name.

mod logins;
mod theme;
mod tokens;

pub use theme::theme_of_request;

use crate::{
    home::{at_home, role_name},
    ui::{Bones, Complaint, Face, Glyph, Head, icon},
};
use leptos::prelude::*;
use logins::Logins;
use theme::Themes;
use tokens::Tokens;

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
                <Logins />
                <p class="soft sm:hidden">
                    <a class="link" href="/about">"About this installation"</a>
                </p>
            </div>
        </div>
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
                                    </div>
                                    <div>
                                        <p class="grow soft">"Role"</p>
                                        <p>{role_name(home.role)}</p>
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
