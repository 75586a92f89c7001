//! One line to type into: its name, what helps, and the sentence that says what is wrong with it, tied together for whoever
//! does not see them.

use super::Wrong;
use crate::fault::Fault;
use leptos::prelude::*;

/// What is typed, as far as keyboards and browsers should know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    #[default]
    Text,
    Email,
    /// A whole number: telephones show digits.
    Number,
    /// A name for machines: nothing is corrected or capitalised.
    Code,
}

/// A labelled line of a form. What is given inside is its hint.
#[component]
#[must_use]
pub fn TextField(
    /// Its id in the page.
    #[prop(into)]
    id: String,
    /// What the form calls it; a [`domain::Problem`] that names it is said beside it.
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(into)] fault: Signal<Option<Fault>>,
    #[prop(optional)] keys: Keys,
    /// What stands in it at first.
    #[prop(optional, into)]
    value: MaybeProp<String>,
    #[prop(optional, into)] placeholder: MaybeProp<String>,
    #[prop(optional)] required: bool,
    /// The most characters.
    #[prop(optional, into)]
    most: Option<usize>,
    /// The name under which the browser may fill it in; without one it keeps its hands off.
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    /// Whether typing begins here.
    #[prop(optional)]
    first: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let (wrong, hint) = (format!("{id}-wrong"), format!("{id}-hint"));
    let described = if children.is_some() {
        format!("{hint} {wrong}")
    } else {
        wrong.clone()
    };
    let blamed = move || fault.with(|fault| fault.as_ref().is_some_and(|fault| fault.at(name).is_some()));
    let code = keys == Keys::Code;
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class=if code { "input input-code" } else { "input" }
                id=id
                name=name
                type=(keys == Keys::Email).then_some("email")
                inputmode=(keys == Keys::Number).then_some("numeric")
                value=move || value.get()
                placeholder=move || placeholder.get()
                required=required
                maxlength=most.map(|most| most.to_string())
                autocomplete=autocomplete.unwrap_or("off")
                autocapitalize=code.then_some("off")
                spellcheck=code.then_some("false")
                autofocus=first
                aria-describedby=described
                aria-invalid=move || blamed().then_some("true")
            />
            {children.map(|children| view! { <p class="hint" id=hint>{children()}</p> })}
            <Wrong field=name id=wrong fault />
        </div>
    }
}
