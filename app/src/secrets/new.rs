//! The form for a new secret. What is typed as its value is never offered again, by us or by the browser.

use super::{CreateSecret, Shown, bindings::BindingFields};
use crate::{
    fault::Fault,
    home::HomeAsked,
    ui::{Glyph, Keys, Refused, TextField, Toasts, Wrong, icon},
};
use domain::{
    OrgId,
    secret::{Bindings, Kind},
};
use leptos::{form::ActionForm, prelude::*};

/// The form, empty again after each secret that was made.
#[component]
pub(super) fn New(
    create: ServerAction<CreateSecret>,
    org: Option<OrgId>,
    shelf: Resource<Result<Shown, Fault>>,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(held)) = create.value().get() {
            let name = held.secret.name;
            toasts.done(format!("{name} is kept. Sessions that start from now on get it."));
            #[cfg(feature = "hydrate")]
            forget_typed();
        }
    });
    view! { <Form create org shelf /> }
}

/// Empties the form and folds it: what was typed as a value stays nowhere.
#[cfg(feature = "hydrate")]
fn forget_typed() {
    use wasm_bindgen::JsCast as _;
    let Ok(Some(folded)) = document().query_selector("details.new-secret") else {
        return;
    };
    if let Ok(Some(form)) = folded.query_selector("form")
        && let Ok(form) = form.dyn_into::<web_sys::HtmlFormElement>()
    {
        form.reset();
    }
    _ = folded.remove_attribute("open");
}

#[component]
fn Form(
    create: ServerAction<CreateSecret>,
    org: Option<OrgId>,
    shelf: Resource<Result<Shown, Fault>>,
) -> impl IntoView {
    let fault = Signal::derive(move || create.value().get().and_then(Result::err));
    let home = expect_context::<HomeAsked>();
    let own = org.is_none();
    view! {
        <details class="card new-token new-secret" open=move || fault.with(Option::is_some)>
            <summary class="card-head">
                {icon(Glyph::Plus)}
                <span class="grow">"New secret"</span>
            </summary>
            <div class="card-body">
                <ActionForm action=create attr:autocomplete="off">
                    {org.map(|org| view! { <input type="hidden" name="org" value=org.as_str().to_owned() /> })}
                    <div class="stack">
                        <Kinds />
                        <TextField id="secret-name" name="name" label="Name" keys=Keys::Code required=true most=128_usize fault>
                            "A variable in capital letters, such as STRIPE_KEY; a file as its path under HOME, such as .netrc."
                        </TextField>
                        <ValueFields at="new" fault />
                        {(!own).then(|| view! { <Group fault /> })}
                        <Suspense>
                            {move || Suspend::new(async move {
                                let members = shelf.await.map(|shown| shown.members).unwrap_or_default();
                                let agents = home.0.await.map(|home| home.agents).unwrap_or_default();
                                let bindings = if own { Bindings::everyone() } else { Bindings::default() };
                                let everyone = if own { "All my sessions" } else { "Everyone in the Organization, or in the group" };
                                view! { <BindingFields at="new" bindings own everyone members agents fault /> }
                            })}
                        </Suspense>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            <button class="btn btn-primary" type="submit" disabled=move || create.pending().get()>
                                {move || if create.pending().get() { "Adding" } else { "Add secret" }}
                            </button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </details>
    }
}

#[component]
fn Group(fault: Signal<Option<Fault>>) -> impl IntoView {
    view! {
        <TextField id="secret-group" name="group" label="Belongs to the group" keys=Keys::Code placeholder="None: to the Organization" fault>
            "A group's secret reaches its members only, and goes before the Organization's of the same name."
        </TextField>
    }
}

/// Which kind it is. The style sheet shows the field of the kind that is chosen: no script is needed.
#[component]
fn Kinds() -> impl IntoView {
    view! {
        <fieldset class="field">
            <legend>"Kind"</legend>
            <div class="kinds">
                {Kind::ALL
                    .map(|kind| {
                        let (word, hint) = match kind {
                            Kind::Env => ("Variable", "In the environment of every program"),
                            Kind::File => ("File", "Under HOME, for the session's user alone"),
                        };
                        view! {
                            <label class="check">
                                <input
                                    type="radio"
                                    name="kind"
                                    value=kind.as_str()
                                    data-kind=kind.as_str()
                                    checked=kind == Kind::Env
                                />
                                <span>
                                    {word} <br /> <span class="meta">{hint}</span>
                                </span>
                            </label>
                        }
                    })}
            </div>
        </fieldset>
    }
}

/// Where the value is written: one line for a variable, many for a file. Never filled in.
#[component]
pub(super) fn ValueFields(
    /// What the ids of its fields begin with: two forms may be on one page.
    at: &'static str,
    fault: Signal<Option<Fault>>,
) -> impl IntoView {
    view! {
        <div class="field value-env">
            <label for=format!("{at}-variable")>"Value"</label>
            <input
                class="input"
                id=format!("{at}-variable")
                type="password"
                name="variable"
                autocomplete="new-password"
                spellcheck="false"
                aria-describedby=format!("{at}-value-hint")
            />
        </div>
        <div class="field value-file">
            <label for=format!("{at}-file")>"Contents"</label>
            <textarea
                class="input input-code"
                id=format!("{at}-file")
                name="file"
                rows="6"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby=format!("{at}-value-hint")
            ></textarea>
        </div>
        <div class="field value-hint">
            <p class="hint" id=format!("{at}-value-hint")>"At most 64 KiB. It is sealed, and cannot be read back."</p>
            <Wrong field="value" fault />
        </div>
    }
}
