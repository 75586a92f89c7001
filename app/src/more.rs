//! What does not fit under a thumb: the other pages, which Organization one asks in the name of, and the way out.

use crate::{
    home::{Home, HomeAsked},
    switcher::Switcher,
    ui::{Face, Glyph, Head, icon},
};
use domain::permit::Verb;
use leptos::prelude::*;

/// A page beside those of the frame: the verb that it needs, its address, its word, its icon.
pub(crate) type Place = (Option<Verb>, &'static str, &'static str, Glyph);

/// The pages of those who govern an Organization.
pub(crate) const ORG: [Place; 8] = [
    (Some(Verb::SeeOrg), "/org", "Organization", Glyph::Org),
    (Some(Verb::SeeMembers), "/org/members", "Members", Glyph::Org),
    (Some(Verb::ManageQuotas), "/org/quotas", "Quotas", Glyph::Usage),
    (
        Some(Verb::SeeOrg),
        "/org/secrets",
        "Secrets of the Organization",
        Glyph::Key,
    ),
    (Some(Verb::ManagePolicy), "/org/policy", "Policy", Glyph::Org),
    (Some(Verb::SeeMembers), "/org/tokens", "Tokens of members", Glyph::Key),
    (
        Some(Verb::SeeAudit),
        "/org/audit",
        "Audit of the Organization",
        Glyph::Audit,
    ),
    (
        Some(Verb::ManageOrg),
        "/org/settings",
        "Settings of the Organization",
        Glyph::Settings,
    ),
];
/// The pages of those who run the installation.
pub(crate) const FLEET: [Place; 4] = [
    (Some(Verb::ManageFleet), "/fleet", "Fleet", Glyph::Fleet),
    (
        Some(Verb::ManageFleet),
        "/fleet/policy",
        "Policy for every Organization",
        Glyph::Fleet,
    ),
    (
        Some(Verb::ManageFleet),
        "/fleet/audit",
        "Audit of the fleet",
        Glyph::Audit,
    ),
    (
        Some(Verb::ManageFleet),
        "/fleet/health",
        "Health of the fleet",
        Glyph::About,
    ),
];
/// The pages of everybody.
pub(crate) const OWN: [Place; 4] = [
    (None, "/settings", "Settings", Glyph::Settings),
    (None, "/settings/secrets", "Your secrets", Glyph::Key),
    (None, "/settings/access", "Your access", Glyph::Settings),
    (None, "/about", "About", Glyph::About),
];

/// Whether a person may go there.
pub(crate) fn open_to(home: Option<&Home>, (verb, ..): &Place) -> bool {
    verb.is_none_or(|verb| home.is_some_and(|home| home.may(verb)))
}

/// The page.
#[component]
#[must_use]
pub fn MorePage() -> impl IntoView {
    let home = expect_context::<HomeAsked>();
    let group = |home: Option<&Home>, word: &'static str, places: &[Place]| {
        let ways: Vec<_> = places.iter().filter(|place| open_to(home, place)).copied().collect();
        (!ways.is_empty()).then(|| {
            view! {
                <nav aria-label=word>
                    <h2 class="meta more-head">{word}</h2>
                    <ul role="list" class="card lines">
                        {ways
                            .into_iter()
                            .map(|(_, to, word, glyph)| {
                                view! {
                                    <li>
                                        <a class="way" href=to>{icon(glyph)} <span class="grow">{word}</span> {icon(Glyph::Right)}</a>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                </nav>
            }
        })
    };
    view! {
        <div class="page page-narrow">
            <Head title="More" />
            <div class="stack">
                <Suspense>
                    {move || Suspend::new(async move {
                        let home = home.0.await.ok();
                        view! {
                            {home
                                .as_ref()
                                .map(|home| {
                                    view! {
                                        <div class="person">
                                            <Face name=home.name.clone() />
                                            <div class="grow">
                                                <p><strong>{home.name.clone()}</strong></p>
                                                <p class="meta">{home.email.clone()}</p>
                                            </div>
                                        </div>
                                    }
                                })}
                            <Switcher />
                            {group(home.as_ref(), "Yours", &OWN)}
                            {group(home.as_ref(), "Your Organization", &ORG)}
                            {group(home.as_ref(), "The installation", &FLEET)}
                        }
                    })}
                </Suspense>
                <form method="post" action="/sign-out">
                    <button type="submit" class="btn">{icon(Glyph::Leave)} "Sign out"</button>
                </form>
            </div>
        </div>
    }
}
