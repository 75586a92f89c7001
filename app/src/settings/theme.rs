//! Light, dark, or as the system is; kept in a cookie, so that the first paint is right.

use crate::fault::Fault;
use crate::ui::{Glyph, icon};
use leptos::{form::ActionForm, prelude::*};

#[cfg(feature = "ssr")]
const COOKIE: &str = "theme";

/// A look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn from_name(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == text)
            .unwrap_or(Self::System)
    }

    /// What `<html data-theme>` says; nothing follows the system.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.as_str())
    }

    const fn words(self) -> (&'static str, Glyph) {
        match self {
            Self::System => ("System", Glyph::Desk),
            Self::Light => ("Light", Glyph::Sun),
            Self::Dark => ("Dark", Glyph::Moon),
        }
    }
}

/// The theme that the request's cookie, or the page as it stands, asks for.
#[must_use]
pub fn theme_of_request() -> Theme {
    #[cfg(feature = "ssr")]
    {
        let parts = use_context::<http::request::Parts>();
        let cookies = parts
            .iter()
            .flat_map(|parts| parts.headers.get_all(http::header::COOKIE));
        let found = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == COOKIE).then(|| Theme::from_name(value)));
        found.unwrap_or(Theme::System)
    }
    #[cfg(not(feature = "ssr"))]
    {
        let html = document().document_element();
        Theme::from_name(
            &html
                .and_then(|html| html.get_attribute("data-theme"))
                .unwrap_or_default(),
        )
    }
}

/// Keeps the theme in this browser.
#[server(prefix = "/api/fn", endpoint = "theme")]
pub async fn set_theme(theme: String) -> Result<(), Fault> {
    let theme = Theme::from_name(&theme);
    let age = if theme == Theme::System { 0 } else { 365 * 24 * 3600 };
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age={age}; SameSite=Lax", theme.as_str());
    if let Ok(cookie) = http::HeaderValue::from_str(&cookie) {
        expect_context::<leptos_axum::ResponseOptions>().append_header(http::header::SET_COOKIE, cookie);
    }
    crate::door::land("/settings");
    Ok(())
}

/// The choice.
#[component]
pub(super) fn Themes() -> impl IntoView {
    let action = ServerAction::<SetTheme>::new();
    let theme = RwSignal::new(theme_of_request());
    let take = move |chosen: Theme| {
        theme.set(chosen);
        // At once; the cookie follows.
        if let Some(html) = document().document_element() {
            _ = match chosen.attribute() {
                Some(name) => html.set_attribute("data-theme", name),
                None => html.remove_attribute("data-theme"),
            };
        }
    };
    view! {
        <section aria-labelledby="look">
            <div class="section-head">
                <h2 id="look">"Theme"</h2>
            </div>
            <ActionForm action>
                <div class="segments" role="group" aria-labelledby="look">
                    {Theme::ALL
                        .map(|choice| {
                            let (word, glyph) = choice.words();
                            view! {
                                <button
                                    type="submit"
                                    name="theme"
                                    value=choice.as_str()
                                    aria-pressed=move || if theme.get() == choice { "true" } else { "false" }
                                    on:click=move |_| take(choice)
                                >
                                    {icon(glyph)}
                                    {word}
                                </button>
                            }
                        })}
                </div>
            </ActionForm>
        </section>
    }
}
