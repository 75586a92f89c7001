//! Secrets: one's own, and the Organization's. What they are called, who receives them, who holds an old value; a value
//! goes in and never comes back.

mod bindings;
mod dialogs;
mod functions;
mod list;
mod new;

pub use functions::*;

use crate::{
    home::{Home, HomeAsked},
    org::{OrgHead, address, meant, of_query},
    ui::{Bones, Complaint, Glyph, Head, Toasts, icon},
};
use dialogs::{Asked, Dialogs};
use domain::{OrgId, permit::Verb, secret::Secret};
use leptos::prelude::*;
use list::List;
use new::New;

/// Where a person's own secrets are, and where the Organization's.
const OWN: &str = "/settings/secrets";
const ORGS: &str = "/org/secrets";

/// One's own secrets.
#[component]
#[must_use]
pub fn OwnSecretsPage() -> impl IntoView {
    let received = Resource::new(|| (), |()| received_secrets());
    view! {
        <div class="page page-narrow">
            <Head title="Your secrets">
                <a class="btn" href="/settings">
                    {icon(Glyph::Back)}
                    "Settings"
                </a>
            </Head>
            <div class="stack stack-wide">
                <Shelf org=None back=OWN />
                <section aria-labelledby="received">
                    <div class="section-head">
                        <h2 id="received">"From your Organization"</h2>
                        <p class="meta">"Given to your sessions by its admins, where agent and repository fit."</p>
                    </div>
                    <Suspense fallback=|| view! { <Bones rows=1 /> }>
                        {move || Suspend::new(async move {
                            match received.await {
                                Ok(secrets) if secrets.is_empty() => view! { <p class="soft">"None at the moment."</p> }.into_any(),
                                Ok(secrets) => view! { <Received secrets /> }.into_any(),
                                Err(fault) => view! { <Complaint fault /> }.into_any(),
                            }
                        })}
                    </Suspense>
                </section>
            </div>
        </div>
    }
}

#[component]
fn Received(secrets: Vec<Secret>) -> impl IntoView {
    view! {
        <ul role="list" class="card lines">
            {secrets
                .into_iter()
                .map(|secret| {
                    view! {
                        <li>
                            <code class="grow">{secret.name.clone()}</code>
                            <span class="meta">{list::owner_word(&secret.owner)}</span>
                            <span class="tag">{list::kind_word(secret.kind)}</span>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
}

/// The Organization's secrets, for those who govern it.
#[component]
#[must_use]
pub fn OrgSecretsPage() -> impl IntoView {
    let of = of_query();
    let org = Resource::new(move || of.get(), meant);
    view! {
        <div class="page">
            <OrgHead title="Secrets" of />
            <Suspense fallback=|| view! { <Bones rows=4 /> }>
                {move || Suspend::new(async move {
                    match org.await {
                        Ok(org) => view! { <Shelf org=Some(org) back=address(ORGS, of.get_untracked().as_ref()) /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// The secrets of the Organization, or (`None`) the reader's own.
#[component]
fn Shelf(org: Option<OrgId>, #[prop(into)] back: String) -> impl IntoView {
    let own = org.is_none();
    let back = StoredValue::new(back);
    let create = ServerAction::<CreateSecret>::new();
    let change = ServerAction::<ChangeSecret>::new();
    let rotate = ServerAction::<RotateSecret>::new();
    let delete = ServerAction::<DeleteSecret>::new();
    let restart = ServerAction::<RestartHolder>::new();
    let shelf = {
        let org = org.clone();
        Resource::new(
            move || {
                (
                    create.version().get(),
                    change.version().get(),
                    rotate.version().get(),
                    delete.version().get(),
                    restart.version().get(),
                )
            },
            move |_| list_secrets(org.clone()),
        )
    };
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| match restart.value().get() {
        Some(Ok(())) => toasts.done("The session starts again, with the values of now."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    let asked = Asked::on_page();
    let adding = org.clone();
    let home = expect_context::<HomeAsked>();
    let about = if own {
        "For your own sessions. Nobody else sees that they exist; but whom you let type into a session can read what it holds."
    } else {
        "Given to the sessions of whom you bind them to. A value is written, and never shown again."
    };
    view! {
        <div class="stack">
            <p class="soft">{about}</p>
            <Suspense>
                {move || {
                    let org = adding.clone();
                    Suspend::new(async move {
                        // Developers have the verb for their own; who sees members governs.
                        let may = |home: Home| home.may(Verb::ManageSecrets) && (own || home.may(Verb::SeeMembers));
                        let may = home.0.await.is_ok_and(may);
                        may.then(|| view! { <New create org shelf /> })
                    })
                }}
            </Suspense>
            <Transition fallback=|| view! { <Bones rows=3 /> }>
                {move || Suspend::new(async move {
                    match shelf.await {
                        Ok(Shown { held, .. }) if held.is_empty() => view! { <Nothing own /> }.into_any(),
                        Ok(shown) => {
                            let home = home.0.await.ok();
                            view! { <List shown home back restart /> }.into_any()
                        }
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
        <Dialogs asked org back change rotate delete />
    }
}

#[component]
fn Nothing(own: bool) -> impl IntoView {
    let what = if own {
        "A secret is a variable or a file that your sessions get when they start: an API key, a .netrc, an SSH key."
    } else {
        "A secret is a variable or a file that sessions get when they start. Add one, and bind it to the people, groups, \
         agents or repositories that may use it."
    };
    view! {
        <section class="card empty">
            {icon(Glyph::Key)}
            <h2>"No secrets yet"</h2>
            <p>{what}</p>
        </section>
    }
}
