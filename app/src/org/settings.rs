//! What an Organization is called, and the directory that fills its seats.

use super::{
    OrgHead, RenameOrg, address, changes,
    directory::{Directory, MintDirectoryToken, RevokeDirectoryToken, TakeOverDirectoryToken},
    meant, of_query, org_overview,
};
use crate::ui::{Bones, Complaint, Refused, TextField, Toasts};
use domain::org::{DISPLAY_NAME_MAX, Overview};
use leptos::{form::ActionForm, prelude::*};

/// The page.
#[component]
#[must_use]
pub fn OrgSettingsPage() -> impl IntoView {
    let of = of_query();
    let changed = changes();
    let found = Resource::new(
        move || (of.get(), changed.get()),
        |(of, _)| async move { org_overview(meant(of).await?).await },
    );
    let mint = ServerAction::<MintDirectoryToken>::new();
    let revoke = ServerAction::<RevokeDirectoryToken>::new();
    let take = ServerAction::<TakeOverDirectoryToken>::new();
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| match take.value().get() {
        Some(Ok(())) => toasts.done("The token goes by your word now."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    Effect::new(move |_| match revoke.value().get() {
        Some(Ok(())) => toasts.done("The token is revoked."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    view! {
        <div class="page">
            <OrgHead title="Settings of the Organization" of />
            <Transition fallback=|| view! { <Bones rows=2 /> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(overview) => {
                            let org = overview.org.id.clone();
                            view! {
                                <div class="stack stack-wide">
                                    <Name overview changed />
                                    <Directory org mint revoke take />
                                </div>
                            }
                                .into_any()
                        }
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Name(overview: Overview, changed: RwSignal<u32>) -> impl IntoView {
    let rename = ServerAction::<RenameOrg>::new();
    let fault = Signal::derive(move || rename.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(overview)) = rename.value().get() {
            toasts.done(format!("It is called {} now.", overview.org.display_name));
            changed.update(|version| *version += 1);
        }
    });
    let org = overview.org;
    view! {
        <section class="card" aria-labelledby="name">
            <header class="card-head"><h2 id="name">"Name"</h2></header>
            <div class="card-body">
                <ActionForm action=rename>
                    <input type="hidden" name="org" value=org.id.as_str().to_owned() />
                    <input type="hidden" name="back" value=address("/org/settings", Some(&org.id)) />
                    <div class="stack">
                        <TextField id="display-name" name="display_name" label="Display name" value=org.display_name required=true most=DISPLAY_NAME_MAX autocomplete="organization" fault>
                            "The slug " <code>{org.id.as_str().to_owned()}</code> " stays: addresses and tokens carry it."
                        </TextField>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            <button class="btn btn-primary" type="submit" disabled=move || rename.pending().get()>"Save"</button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </section>
    }
}
