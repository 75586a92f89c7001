//! The small things that every page is made of. They know no noun of the product except its status.

mod copy;
mod dialog;
mod field;
mod icon;
pub(crate) mod list;
mod meter;
mod once;
mod problem;
mod status;
mod toast;

pub use copy::Copy;
pub use dialog::Dialog;
pub use field::{Keys, TextField};
pub use icon::{Glyph, Logo, icon};
pub use meter::Meter;
pub use once::Once;
pub use problem::{Complaint, Refused, Wrong};
pub use status::{StatusMark, status_word};
pub use toast::{Toaster, Toasts};

use leptos::prelude::*;

/// A long name that keeps its end: `a-very-long…-branch`. The whole is one hover away.
#[component]
#[must_use]
pub fn Middle(text: String) -> impl IntoView {
    const TAIL: usize = 10;
    let length = text.chars().count();
    let cut = text
        .char_indices()
        .nth(length.saturating_sub(TAIL))
        .map_or(0, |(at, _)| at);
    let (head, tail) = if length > 2 * TAIL {
        text.split_at(cut)
    } else {
        (text.as_str(), "")
    };
    view! {
        <span class="middle" title=text.clone()>
            <span>{head.to_owned()}</span>
            <span>{tail.to_owned()}</span>
        </span>
    }
}

/// A person as a small circle with initials; the name is one hover away and read aloud.
#[component]
#[must_use]
pub fn Face(name: String, #[prop(optional)] driver: bool) -> impl IntoView {
    let title = if driver { format!("{name}, types") } else { name.clone() };
    view! {
        <span class="face" title=title.clone() role="img" aria-label=title data-driver=driver.then_some("")>
            {crate::words::initials(&name)}
        </span>
    }
}

/// Rows that will be there in a moment, in their final size.
#[component]
#[must_use]
pub fn Bones(#[prop(default = 6)] rows: usize) -> impl IntoView {
    view! {
        <div class="card" aria-busy="true">
            <p class="sr-only">"Loading"</p>
            <ul role="list" class="lines" aria-hidden="true">
                {(0..rows)
                    .map(|_| view! { <li><span class="bone h-3 w-24"></span><span class="bone h-3 grow"></span></li> })
                    .collect_view()}
            </ul>
        </div>
    }
}

/// A page's title, in the page and in the tab.
#[component]
#[must_use]
pub fn Head(#[prop(into)] title: String, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <leptos_meta::Title text=title.clone() />
        <header class="page-head">
            <h1>{title}</h1>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </header>
    }
}
