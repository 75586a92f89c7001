//! Explain my access: what the identity provider says of the reader, and which rule gave which role.

use crate::{
    fault::Fault,
    now::Ago,
    ui::{Bones, Complaint, Head, Refused, Wrong},
};
use domain::claims::Explained;
use leptos::server_fn::codec::GetUrl;
use leptos::{form::ActionForm, prelude::*};

/// What the reader's own provider says; `None`: they did not come from one.
#[server(prefix = "/api/fn", endpoint = "access/mine", input = GetUrl)]
pub async fn my_access() -> Result<Option<Explained>, Fault> {
    crate::door::ask(async |engine, caller| engine.my_claims(&caller).await).await
}

/// The providers by whose rules something can be explained: name in addresses, and label.
#[server(prefix = "/api/fn", endpoint = "access/providers", input = GetUrl)]
pub async fn access_providers() -> Result<Vec<(String, String)>, Fault> {
    crate::door::ask(async |engine, _| {
        let all = engine.providers().into_iter();
        Ok(all.map(|provider| (provider.id, provider.label)).collect())
    })
    .await
}

/// What a pasted token, or its claims, would give.
#[server(prefix = "/api/fn", endpoint = "access/explain")]
pub async fn explain_access(provider: String, text: String) -> Result<Explained, Fault> {
    crate::door::ask(async move |engine, caller| engine.explain(&caller, &provider, &text).await).await
}

/// The page.
#[component]
#[must_use]
pub fn AccessPage() -> impl IntoView {
    let mine = Resource::new(|| (), |()| my_access());
    view! {
        <div class="page page-narrow">
            <Head title="Explain my access" />
            <div class="stack stack-wide">
                <section aria-labelledby="mine">
                    <div class="section-head">
                        <h2 id="mine">"What your provider says of you"</h2>
                    </div>
                    <Suspense fallback=|| view! { <Bones rows=3 /> }>
                        {move || Suspend::new(async move {
                            match mine.await {
                                Ok(Some(explained)) => view! { <Told explained /> }.into_any(),
                                Ok(None) => {
                                    view! {
                                        <p class="soft">
                                            "You signed in with a link, not with an identity provider: your role is the one of your seat."
                                        </p>
                                    }
                                        .into_any()
                                }
                                Err(fault) => view! { <Complaint fault /> }.into_any(),
                            }
                        })}
                    </Suspense>
                </section>
                <Pasted />
            </div>
        </div>
    }
}

#[component]
fn Pasted() -> impl IntoView {
    let providers = Resource::new(|| (), |()| access_providers());
    let explain = ServerAction::<ExplainAccess>::new();
    let fault = Signal::derive(move || explain.value().get().and_then(Result::err));
    view! {
        <section aria-labelledby="pasted">
            <div class="section-head">
                <h2 id="pasted">"What a token would give"</h2>
                <p class="meta">"It is read and never believed: nothing is kept, and nobody is signed in by it."</p>
            </div>
            <Suspense fallback=|| view! { <Bones rows=2 /> }>
                {move || Suspend::new(async move {
                    match providers.await {
                        Ok(all) if all.is_empty() => {
                            view! { <p class="soft">"No identity provider is configured here."</p> }.into_any()
                        }
                        Ok(all) => view! { <PasteForm all explain fault /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Suspense>
            {move || match explain.value().get() {
                Some(Ok(explained)) => Some(view! { <div class="stack" role="status"><Told explained /></div> }),
                _ => None,
            }}
        </section>
    }
}

#[component]
fn PasteForm(
    all: Vec<(String, String)>,
    explain: ServerAction<ExplainAccess>,
    fault: Signal<Option<Fault>>,
) -> impl IntoView {
    view! {
        <ActionForm action=explain>
            <div class="stack">
                <div class="field">
                    <label for="access-provider">"Provider"</label>
                    <select class="input" id="access-provider" name="provider">
                        {all.into_iter().map(|(id, label)| view! { <option value=id>{label}</option> }).collect_view()}
                    </select>
                </div>
                <div class="field">
                    <label for="access-text">"Token, or its claims as JSON"</label>
                    <textarea
                        class="input"
                        id="access-text"
                        name="text"
                        rows="6"
                        required
                        maxlength="32768"
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby="text-wrong"
                    ></textarea>
                    <Wrong field="text" fault />
                </div>
                <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                <div class="actions">
                    <button class="btn" type="submit" disabled=move || explain.pending().get()>
                        {move || if explain.pending().get() { "Reading" } else { "Explain" }}
                    </button>
                </div>
            </div>
        </ActionForm>
    }
}

/// Seats, reasons and claims.
#[component]
fn Told(explained: Explained) -> impl IntoView {
    let Explained {
        provider,
        proven_at,
        claims,
        mapped,
    } = explained;
    let nothing = mapped.grants.is_empty();
    view! {
        <div class="stack">
            <p class="meta">
                "By the rules for " {provider} {proven_at.map(|at| view! { ", told " <Ago at=Signal::stored(at) /> })}
            </p>
            {nothing.then(|| view! { <p class="notice notice-waiting">"These claims give no seat in any Organization that you may know of."</p> })}
            <ul role="list" class="card lines" aria-label="Seats">
                {mapped
                    .grants
                    .into_iter()
                    .map(|grant| {
                        let role = grant.role.map_or("As before; a new member is a developer unless the rules say otherwise", crate::home::role_name);
                        view! {
                            <li>
                                <p class="grow">{grant.org.as_str().to_owned()}</p>
                                <p class="soft">{role}</p>
                                {(!grant.groups.is_empty()).then(|| view! { <p class="meta">{grant.groups.join(", ")}</p> })}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            {mapped
                .narrowed
                .is_some()
                .then(|| view! { <p class="notice notice-waiting">"A login with these claims is held to what they list, whatever its role may."</p> })}
            <h3>"Why"</h3>
            <ul role="list" class="card lines" aria-label="Why">
                {mapped
                    .reasons
                    .into_iter()
                    .map(|reason| {
                        view! {
                            <li>
                                <div class="grow">
                                    <p>{reason.effect}</p>
                                    <p class="meta dot-between">
                                        <span><code>{reason.claim}</code> {(!reason.value.is_empty()).then(|| format!(" = {}", reason.value))}</span>
                                        <span>{reason.rule}</span>
                                    </p>
                                </div>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            <details>
                <summary>"All claims"</summary>
                <ul role="list" class="card lines" aria-label="Claims">
                    {claims
                        .into_iter()
                        .map(|(name, value)| {
                            view! {
                                <li>
                                    <p class="grow"><code>{name}</code></p>
                                    <p class="break"><code>{value}</code></p>
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            </details>
        </div>
    }
}
