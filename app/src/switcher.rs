//! In the name of which Organization one asks: shown in the frame, switched by a plain form that keeps the place.

use crate::{
    fault::Fault,
    ui::{Glyph, icon},
};
use domain::{OrgId, SessionId};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};

/// An Organization that the reader is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyOrg {
    pub id: OrgId,
    pub name: String,
    /// Whether the page is in its name.
    pub current: bool,
}

/// The Organizations that the reader is in, by name.
#[server(prefix = "/api/fn", endpoint = "orgs/mine", input = GetUrl)]
pub async fn my_orgs() -> Result<Vec<MyOrg>, Fault> {
    crate::door::ask(async |engine, caller| {
        let all = engine.memberships(&caller).await?;
        Ok(all
            .into_iter()
            .map(|(org, _)| MyOrg {
                current: org.id == caller.org,
                id: org.id,
                name: org.display_name,
            })
            .collect())
    })
    .await
}

/// Another Organization of the reader's, in which they may see this session.
#[server(prefix = "/api/fn", endpoint = "sessions/elsewhere", input = GetUrl)]
pub async fn session_elsewhere(id: SessionId) -> Result<Option<MyOrg>, Fault> {
    crate::door::ask(async move |engine, caller| {
        let found = engine.session_elsewhere(&caller, &id).await?;
        Ok(found.map(|org| MyOrg {
            current: false,
            id: org.id,
            name: org.display_name,
        }))
    })
    .await
}

/// The choice, where there is one. Choosing is enough where scripts run; without them there is the button.
#[component]
#[must_use]
pub fn Switcher() -> impl IntoView {
    let orgs = Resource::new(|| (), |()| my_orgs());
    let location = use_location();
    let here = Signal::derive(move || {
        let (path, query) = (location.pathname.get(), location.search.get());
        match query.trim_start_matches('?') {
            "" => path,
            query => format!("{path}?{query}"),
        }
    });
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let orgs = orgs.await.unwrap_or_default();
                (orgs.len() > 1).then(|| view! { <Choice orgs here /> })
            })}
        </Suspense>
    }
}

#[component]
fn Choice(orgs: Vec<MyOrg>, here: Signal<String>) -> impl IntoView {
    let form = NodeRef::<leptos::html::Form>::new();
    let chosen = move |_| {
        if let Some(form) = form.get_untracked() {
            // A browser that refuses leaves the button.
            _ = form.request_submit();
        }
    };
    view! {
        <form class="switcher" method="post" action="/switch" node_ref=form>
            <input type="hidden" name="next" value=here />
            <select class="input" name="org" aria-label="Organization" on:change=chosen>
                {orgs
                    .into_iter()
                    .map(|org| {
                        view! {
                            <option value=org.id.as_str().to_owned() selected=org.current>
                                {org.name}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <noscript>
                <button class="btn btn-small" type="submit">"Switch"</button>
            </noscript>
        </form>
    }
}

/// Below "Not found": the session is there, in another Organization of the reader's.
#[component]
#[must_use]
pub fn Elsewhere(id: SessionId) -> impl IntoView {
    let next = format!("/sessions/{id}");
    let found = Resource::new(move || id.clone(), session_elsewhere);
    view! {
        <Suspense>
            {move || {
                let next = next.clone();
                Suspend::new(async move {
                    let org = found.await.ok().flatten()?;
                    Some(
                        view! {
                            <section class="card empty">
                                {icon(Glyph::Sessions)} <h2>"It is in another of your Organizations"</h2>
                                <p>"This session belongs to " <strong>{org.name.clone()}</strong> "."</p>
                                <form method="post" action="/switch">
                                    <input type="hidden" name="org" value=org.id.as_str().to_owned() />
                                    <input type="hidden" name="next" value=next />
                                    <button class="btn btn-primary" type="submit">"Switch to " {org.name}</button>
                                </form>
                            </section>
                        },
                    )
                })
            }}
        </Suspense>
    }
}
