//! The session's terminals, of which one is shown: the agent's, and shells beside it.

use super::{
    calls::{close_shell, open_shell},
    pane::Pane,
};
use crate::ui::{Glyph, Toasts, icon};
use domain::{host::AGENT, permit::Verb, session::Phase};
use leptos::prelude::*;
use leptos::task::spawn_local;

#[component]
pub fn Tabs(pane: Pane) -> impl IntoView {
    let toasts = use_context::<Toasts>();
    let opening = RwSignal::new(false);
    let may = Memo::new(move |_| {
        pane.session
            .with(|view| view.may(Verb::DriveTerminal) && view.session.phase == Phase::Ready)
    });
    let terminals = Memo::new(move |_| pane.terminals());
    let refused = move |detail: String| {
        if let Some(toasts) = toasts {
            toasts.failed(detail);
        }
    };
    let open = move |_| {
        if opening.get_untracked() {
            return;
        }
        opening.set(true);
        let (session, size) = (pane.session.with_untracked(|view| view.session.id.clone()), pane.size());
        spawn_local(async move {
            let answer = open_shell(session, size.cols, size.rows).await;
            opening.try_set(false);
            match answer {
                Ok(terminal) => {
                    pane.shown.try_set(terminal);
                }
                Err(fault) => refused(fault.detail()),
            }
        });
    };
    let close = move |terminal: String| {
        let session = pane.session.with_untracked(|view| view.session.id.clone());
        spawn_local(async move {
            match close_shell(session, terminal.clone()).await {
                Ok(()) if pane.shown.try_get_untracked() == Some(terminal) => {
                    pane.shown.set(AGENT.to_owned());
                }
                Ok(()) => {}
                Err(fault) => refused(fault.detail()),
            }
        });
    };
    // A shell that somebody else has closed is not waited for.
    Effect::new(move |before: Option<Vec<(String, String)>>| {
        let now: Vec<_> = pane.session.with(|view| {
            let terminals = view
                .live
                .as_ref()
                .map(|live| live.terminals.clone())
                .unwrap_or_default();
            terminals
                .into_iter()
                .map(|terminal| (terminal.id, terminal.label))
                .collect()
        });
        let shown = pane.shown.get_untracked();
        let was = before.is_some_and(|before| before.iter().any(|(id, _)| *id == shown));
        if was && !now.is_empty() && !now.iter().any(|(id, _)| *id == shown) {
            pane.shown.set(AGENT.to_owned());
        }
        now
    });
    let closable = Memo::new(move |_| pane.shown.with(|shown| may.get() && shown != AGENT));
    let close_label = move || {
        let shown = pane.shown.get();
        terminals.with(|terminals| {
            let label = terminals
                .iter()
                .find(|(id, _)| *id == shown)
                .map(|(_, label)| label.clone());
            format!("Close {}", label.unwrap_or(shown))
        })
    };
    view! {
        <div class="term-tabs" role="tablist" aria-label="Terminals">
            <For each=move || terminals.get() key=|terminal| terminal.clone() let:terminal>
                {
                    let (id, label) = terminal;
                    let here = id.clone();
                    let current = Memo::new(move |_| pane.shown.with(|shown| *shown == here));
                    view! {
                        <button
                            type="button"
                            role="tab"
                            class="term-tab"
                            aria-selected=move || current.get().to_string()
                            aria-controls="terminal"
                            on:click=move |_| {
                                if pane.shown.with_untracked(|shown| *shown != id) {
                                    pane.shown.set(id.clone());
                                }
                                pane.focus();
                            }
                        >
                            {label}
                        </button>
                    }
                }
            </For>
        </div>
        <Show when=move || closable.get()>
            <button
                type="button"
                class="btn btn-quiet btn-icon btn-small"
                aria-label=close_label
                title=close_label
                on:click=move |_| close(pane.shown.get_untracked())
            >
                {icon(Glyph::Close)}
            </button>
        </Show>
        <Show when=move || may.get()>
            <button
                type="button"
                class="btn btn-quiet btn-icon btn-small"
                aria-label="New shell"
                title="Open a shell beside the agent"
                aria-disabled=move || opening.get().to_string()
                on:click=open
            >
                {move || icon(if opening.get() { Glyph::Busy } else { Glyph::Plus })}
            </button>
        </Show>
    }
    .into_any()
}
