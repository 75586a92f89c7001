//! Toasts: what was done, said once and quietly.

use super::{Glyph, icon};
use leptos::prelude::*;

/// The most toasts at once; older ones make room.
const MOST: usize = 3;
const STAY: core::time::Duration = core::time::Duration::from_secs(6);
/// One that offers a way back stays for as long as it takes to find out that one wants it.
const STAY_UNDOABLE: core::time::Duration = core::time::Duration::from_secs(15);

/// Whether it worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Done,
    Failed,
}

#[derive(Clone)]
struct Toast {
    number: u64,
    tone: Tone,
    text: String,
    undo: Option<Callback<()>>,
}

/// Where toasts are put; in the context of every component.
#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

impl Toasts {
    /// Puts the toasts into the context.
    pub fn provide() -> Self {
        let toasts = Self {
            shown: RwSignal::new(Vec::new()),
            next: StoredValue::new(0),
        };
        provide_context(toasts);
        toasts
    }

    /// Says that something was done.
    pub fn done(self, text: impl Into<String>) {
        self.push(Tone::Done, text.into(), None);
    }

    /// Says that something was done, with the way back.
    pub fn undoable(self, text: impl Into<String>, undo: Callback<()>) {
        self.push(Tone::Done, text.into(), Some(undo));
    }

    /// Says that something did not work.
    pub fn failed(self, text: impl Into<String>) {
        self.push(Tone::Failed, text.into(), None);
    }

    fn push(self, tone: Tone, text: String, undo: Option<Callback<()>>) {
        let number = self.next.get_value();
        self.next.set_value(number + 1);
        self.shown.update(|shown| {
            shown.push(Toast {
                number,
                tone,
                text,
                undo,
            });
            let over = shown.len().saturating_sub(MOST);
            shown.drain(..over);
        });
        // A refusal takes longer to read, and stays until it was read or three others came.
        if tone == Tone::Done {
            let stay = if undo.is_some() { STAY_UNDOABLE } else { STAY };
            set_timeout(move || self.drop(number), stay);
        }
    }

    fn drop(self, number: u64) {
        self.shown
            .try_update(|shown| shown.retain(|toast| toast.number != number));
    }
}

/// The corner where toasts appear; a screen reader says them.
#[component]
#[must_use]
pub fn Toaster() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    view! {
        <div class="toasts" role="region" aria-label="Notices" aria-live="polite">
            <For each=move || toasts.shown.get() key=|toast| toast.number let:toast>
                <div class="toast" data-tone=(toast.tone == Tone::Failed).then_some("failed")>
                    {icon(if toast.tone == Tone::Done { Glyph::Check } else { Glyph::Warning })}
                    <p>{toast.text}</p>
                    {toast
                        .undo
                        .map(|undo| {
                            let on_click = move |_| {
                                toasts.drop(toast.number);
                                undo.run(());
                            };
                            view! {
                                <button type="button" class="btn btn-small" on:click=on_click>"Undo"</button>
                            }
                        })}
                    <button
                        type="button"
                        class="btn btn-quiet btn-icon btn-small"
                        aria-label="Dismiss"
                        on:click=move |_| toasts.drop(toast.number)
                    >
                        {icon(Glyph::Close)}
                    </button>
                </div>
            </For>
        </div>
    }
}
