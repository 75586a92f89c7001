//! Ways to sign in: by whom the reader is known, and how another identity is linked.

use crate::{
    fault::Fault,
    now::Ago,
    ui::{Bones, Complaint, Glyph, Toasts, icon},
};
use domain::way::{Way, Ways};
use leptos::server_fn::codec::GetUrl;
use leptos::{form::ActionForm, prelude::*};

/// The reader's ways to sign in.
#[server(prefix = "/api/fn", endpoint = "ways/list", input = GetUrl)]
pub async fn list_ways() -> Result<Ways, Fault> {
    crate::door::ask(async |engine, caller| engine.ways(&caller).await).await
}

/// Unlinks an identity; the logins that came by it end.
#[server(prefix = "/api/fn", endpoint = "ways/unlink")]
pub async fn unlink_way(id: String) -> Result<(), Fault> {
    crate::door::ask(async move |engine, caller| engine.unlink(&caller, &id).await).await?;
    crate::door::land("/settings");
    Ok(())
}

/// The section.
#[component]
pub(super) fn WaysIn() -> impl IntoView {
    let unlink = ServerAction::<UnlinkWay>::new();
    let found = Resource::new(move || unlink.version().get(), |_| list_ways());
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| match unlink.value().get() {
        Some(Ok(())) => toasts.done("The identity is unlinked. Browsers that came by it are signed out."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    view! {
        <section id="ways" aria-labelledby="ways-title">
            <div class="section-head">
                <h2 id="ways-title">"Ways to sign in"</h2>
                <p class="meta">"Each of them is you here, in all your Organizations."</p>
            </div>
            <Transition fallback=|| view! { <Bones rows=2 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(ways) => view! { <Listed ways unlink /> }.into_any(),
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
}

#[component]
fn Listed(ways: Ways, unlink: ServerAction<UnlinkWay>) -> impl IntoView {
    let Ways {
        by_link,
        ways,
        offered,
        refused,
    } = ways;
    view! {
        <div class="stack">
            <ul role="list" class="card lines">
                {ways.into_iter().map(|way| view! { <Line way unlink /> }).collect_view()}
                <li>
                    <div class="grow">
                        <p>"One-time link " {by_link.then(|| view! { <span class="tag tag-accent">"This browser"</span> })}</p>
                        <p class="meta">"Whoever runs the machine makes one, and it signs in once."</p>
                    </div>
                </li>
            </ul>
            {refused.map(|why| view! { <p class="meta">{why}</p> })}
            {(!offered.is_empty())
                .then(|| {
                    view! {
                        <div class="actions">
                            {offered
                                .into_iter()
                                .map(|(id, label)| {
                                    // A plain form: it leads to the provider's own pages, in every browser.
                                    view! {
                                        <form method="post" action=format!("/auth/link/{id}")>
                                            <button class="btn btn-small" type="submit">
                                                {icon(Glyph::Plus)} {format!("Link another from {label}")}
                                            </button>
                                        </form>
                                    }
                                })
                                .collect_view()}
                        </div>
                    }
                })}
        </div>
    }
}

#[component]
fn Line(way: Way, unlink: ServerAction<UnlinkWay>) -> impl IntoView {
    let Way {
        id,
        label,
        address,
        since,
        proven_at,
        current,
        stays,
    } = way;
    let what = match &address {
        Some(address) => format!("Unlink {address} from {label}"),
        None => format!("Unlink {label}"),
    };
    let can_go = stays.is_none();
    view! {
        <li>
            <div class="grow">
                <p>{label} " " {current.then(|| view! { <span class="tag tag-accent">"This browser"</span> })}</p>
                <p class="meta dot-between">
                    {address.map(|address| view! { <span>{address}</span> })}
                    <span>"Since " <Ago at=Signal::stored(since) /></span>
                    {match proven_at {
                        Some(at) => view! { <span>"Last proven " <Ago at=Signal::stored(at) /></span> }.into_any(),
                        None => view! { <span>"Not proven"</span> }.into_any(),
                    }}
                </p>
                {stays.map(|why| view! { <p class="meta">{why}</p> })}
            </div>
            {can_go
                .then(|| {
                    view! {
                        <ActionForm action=unlink>
                            <input type="hidden" name="id" value=id />
                            <button class="btn btn-small" type="submit" aria-label=what>"Unlink"</button>
                        </ActionForm>
                    }
                })}
        </li>
    }
}
