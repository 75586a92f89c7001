//! How a page says that something did not work: what happened, how to go on, and the request to tell an admin.

use super::{Glyph, icon};
use crate::fault::Fault;
use leptos::prelude::*;

/// In place of what could not be shown. "Try again" is a link to this page, so that it works without scripts.
#[component]
#[must_use]
pub fn Complaint(fault: Fault) -> impl IntoView {
    let signed_out = fault.status == 401;
    let missing = fault.status == 404;
    let again = {
        let location = leptos_router::hooks::use_location();
        move || format!("{}{}", location.pathname.get(), query(&location.search.get()))
    };
    view! {
        <section class="card empty" role="alert">
            {icon(Glyph::Warning)}
            <h2>{if missing { "Not found" } else if signed_out { "You are signed out" } else { "This could not be shown" }}</h2>
            <p>{fault.problem.detail}</p>
            <div class="actions">
                {if signed_out {
                    view! { <a class="btn btn-primary" href="/sign-in" rel="external">"Sign in"</a> }.into_any()
                } else if missing {
                    view! { <a class="btn" href="/">"All sessions"</a> }.into_any()
                } else {
                    view! { <a class="btn" href=again rel="external">{icon(Glyph::Again)} "Try again"</a> }.into_any()
                }}
            </div>
            {fault.request.map(|id| view! { <p class="meta">"Request " <code>{id}</code></p> })}
        </section>
    }
}

fn query(search: &str) -> String {
    if search.is_empty() {
        String::new()
    } else {
        format!("?{}", search.trim_start_matches('?'))
    }
}

/// A refusal above a form, where no field of it is to blame.
#[component]
#[must_use]
pub fn Refused(#[prop(into)] fault: Signal<Option<Fault>>) -> impl IntoView {
    move || {
        fault.get().map(|fault| {
            view! {
                <div class="notice notice-failed" role="alert">
                    {icon(Glyph::Warning)}
                    <div>
                        <p>{fault.problem.detail}</p>
                        {fault.request.filter(|_| fault.status >= 500).map(|id| view! { <p class="meta">"Request " <code>{id}</code></p> })}
                    </div>
                </div>
            }
        })
    }
}

/// The sentence beside a field that is to blame.
#[component]
#[must_use]
pub fn Wrong(
    /// The field's name in the form.
    field: &'static str,
    #[prop(into)] fault: Signal<Option<Fault>>,
    /// The sentence's own id; without one the field's name and `-wrong`.
    #[prop(optional, into)]
    id: Option<String>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| format!("{field}-wrong"));
    view! {
        <p class="wrong" id=id role="alert" hidden=move || fault.with(|fault| fault.as_ref().and_then(|fault| fault.at(field)).is_none())>
            {icon(Glyph::Warning)}
            <span>{move || fault.with(|fault| fault.as_ref().and_then(|fault| fault.at(field)))}</span>
        </p>
    }
}
