//! The terminal as a person meets it: one pane that shows, follows and types into a session's terminals.
//!
//! What this noun deliberately does not know: how a session is opened, listed or deleted (its page does), and what the
//! bytes mean (xterm.js does). It never answers for the terminal (the host's model does, see `quiet.rs`).
//!
//! Start at [`TerminalPane`]; then [`domain::link`], which makes every decision about the connection and is tested
//! without a browser; then `attachment.rs`, where link, socket and screen meet.

pub use domain::link;

mod arrange;
mod attachment;
mod calls;
mod clipboard;
mod compose;
mod drawn;
mod facts;
mod find;
mod glide;
mod ime;
mod keybar;
mod keys;
mod listen;
mod pane;
mod preferences;
mod quiet;
mod screen;
mod shortcuts;
mod socket;
mod strips;
mod surroundings;
mod tabs;
mod theme;
mod timer;
mod toolbar;
mod touch;
mod xterm;

use attachment::{Attachment, Begin};
use domain::session::View;
use find::Find;
use keybar::Keybar;
use leptos::{html, prelude::*};
use listen::Listener;
use pane::Pane;
use strips::{Foot, StateStrip};
use surroundings::Surroundings;
use toolbar::Toolbar;
use web_sys::HtmlElement;

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
    let pane = Pane::new(session, on_resume);
    let (frame, host) = (NodeRef::<html::Section>::new(), NodeRef::<html::Div>::new());
    live(pane, frame, host);
    let facts = pane.facts;
    let name = Memo::new(move |_| session.with(|view| view.session.name.clone()));
    let label = move || format!("Terminals of {}", name.get());
    let terminal_label = move || {
        let title = facts.title.get();
        let title = if title.is_empty() { name.get() } else { title };
        format!("Terminal: {title}. Ctrl+Shift+Period moves the focus out.")
    };
    let dark = move || (pane.ground.get() == theme::Ground::Dark).then_some("");
    view! {
        <section
            class="term"
            node_ref=frame
            aria-label=label
            data-full=move || pane.full.get().then_some("")
            data-keyboard=move || pane.keyboard.get().then_some("")
            data-stale=move || facts.stale_since.with(Option::is_some).then_some("")
        >
            // Fetched while the page wakes, so that the first screen does not wait for a second journey.
            <link rel="modulepreload" href=xterm::address("xterm.js") />
            <link rel="preload" href=xterm::address("xterm.css") r#as="style" />
            <Toolbar pane />
            <div class="term-stage" data-dark=dark data-ring=move || (facts.bells.get() % 2).to_string()>
                <div id="terminal" class="term-host font-mono" role="region" aria-label=terminal_label node_ref=host></div>
                <StateStrip pane />
                <Earlier pane />
                <Find pane />
                <Foot pane />
            </div>
            <Keybar pane />
        </section>
    }
    .into_any()
}

/// At the beginning of what the browser holds: the host may hold more.
#[component]
fn Earlier(pane: Pane) -> impl IntoView {
    let load = move |_| {
        if let Some(attachment) = pane.attachment() {
            attachment.load_history();
        }
    };
    let asked = RwSignal::new(false);
    Effect::new(move |_| {
        pane.shown.track();
        asked.set(false);
    });
    view! {
        <Show when=move || pane.facts.at_top.get() && !asked.get()>
            <button
                type="button"
                class="btn btn-small term-earlier"
                on:click=move |event| {
                    asked.set(true);
                    load(event);
                }
            >
                "Load earlier output"
            </button>
        </Show>
    }
    .into_any()
}

/// Everything that lives only in the browser: the attachment, and what it listens to.
fn live(pane: Pane, frame: NodeRef<html::Section>, host: NodeRef<html::Div>) {
    Effect::new(move |before: Option<()>| {
        // What this device remembers is known only here; the page was rendered without it.
        if before.is_none() {
            pane.font.set(preferences::font());
            pane.ground.set(preferences::ground());
            pane.screen_reader.set(preferences::screen_reader());
        }
    });
    let id = Memo::new(move |_| pane.session.with(|view| view.session.id.clone()));
    Effect::new(move |_| {
        let (Some(frame), Some(host)) = (frame.get(), host.get()) else {
            return;
        };
        let (session, terminal) = (id.get().as_str().to_owned(), pane.shown.get());
        pane.facts.forget();
        let begin = Begin {
            session,
            terminal,
            look: untrack(move || pane.look()),
            facts: pane.facts,
            sticky: pane.sticky,
            shortcut: Box::new(move |event| shortcuts::take(pane, event)),
        };
        let attachment = Attachment::begin(host.clone().into(), begin);
        let kept = around(pane, &frame, &host, &attachment);
        attachment.keep(kept);
        pane.attach(attachment);
    });
    Effect::new(move |_| {
        let look = pane.look();
        if let Some(attachment) = pane.attachment() {
            attachment.look(look);
        }
    });
    // A session that has just become ready is not waited for.
    let phase = Memo::new(move |_| pane.session.with(|view| view.session.phase));
    Effect::new(move |before: Option<()>| {
        phase.track();
        if let (Some(()), Some(attachment)) = (before, pane.attachment()) {
            attachment.nudge();
        }
    });
    on_cleanup(move || pane.detach());
}

fn around(
    pane: Pane,
    frame: &HtmlElement,
    host: &HtmlElement,
    attachment: &std::rc::Rc<Attachment>,
) -> (Vec<Listener>, Option<Surroundings>) {
    let mut listeners = touch::touch(host, attachment, pane.font);
    if preferences::coarse() {
        listeners.extend(compose::compose(host, attachment, pane.facts));
    }
    let resized = std::rc::Rc::downgrade(attachment);
    let surroundings = Surroundings::watch(frame, host, pane.ground, pane.keyboard, move || {
        if let Some(attachment) = resized.upgrade() {
            attachment.resized();
        }
    });
    (listeners, surroundings.ok())
}
