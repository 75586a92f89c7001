//! A session's state as a shape and a word; colour only repeats it.

use domain::session::{Phase, Session};
use domain::wire::Exit;
use leptos::prelude::*;

/// The word for a session's state, and the kind that gives it its colour.
#[must_use]
pub fn status_word(session: &Session) -> (&'static str, &'static str) {
    match (session.phase, session.exit) {
        (Phase::Pending, _) => ("pending", "Waiting to start"),
        (Phase::Provisioning, _) => ("pending", "Starting"),
        (Phase::Ready, None) => ("running", "Running"),
        (Phase::Ready, Some(Exit::Code(0))) => ("stopped", "Ended"),
        (Phase::Ready, Some(_)) => ("failed", "Ended badly"),
        (Phase::Suspended, _) => ("stopped", "Suspended"),
        (Phase::Failed, _) => ("failed", "Failed"),
    }
}

/// The shape and the word.
#[component]
#[must_use]
pub fn StatusMark(kind: &'static str, word: &'static str) -> impl IntoView {
    let shape = match (kind, word) {
        ("running", _) => view! { <circle class="full" cx="6" cy="6" r="4.5"></circle> }.into_any(),
        ("pending", _) => view! { <path d="M6 1.5a4.5 4.5 0 1 1-4.5 4.5" stroke-linecap="round"></path> }.into_any(),
        ("failed", _) => view! { <path d="M6 1.25l5 9.25H1z" stroke-linejoin="round"></path> }.into_any(),
        (_, "Suspended") => view! { <path d="M4 2v8M8 2v8" stroke-linecap="round"></path> }.into_any(),
        _ => view! { <rect x="2" y="2" width="8" height="8" rx="1.5"></rect> }.into_any(),
    };
    let class = match kind {
        "running" => "status status-running",
        "pending" => "status status-pending",
        "failed" => "status status-failed",
        _ => "status status-stopped",
    };
    view! {
        <span class=class>
            <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
                {shape}
            </svg>
            {word}
        </span>
    }
}
