//! What the page of a new session says where no more sessions may run, with the one step that changes it.

use crate::{
    live::{Live, Topic},
    org::{AskForMore, ask_words, my_requests},
    ui::{Glyph, Refused, Toasts, icon},
    usage::{sessions_full, standing},
    words,
};
use domain::quota::{Dimension, Request, Standing, State};
use leptos::{form::ActionForm, prelude::*};

/// Why the request was made, for whoever reads it: the button asks for no sentence.
const WHY: &str = "All of mine are at work, and I need one more.";

/// Says which limit is reached, how it is used and who can raise it, and asks for one more by one button. It follows the
/// answer on its own; nothing is shown where there is room.
#[component]
pub(super) fn Full() -> impl IntoView {
    let ask = ServerAction::<AskForMore>::new();
    let changed = RwSignal::new(0);
    let live = expect_context::<Live>();
    for topic in [Topic::Orgs, Topic::Sessions] {
        live.listen(topic, move || {
            changed.try_update(|version| *version += 1);
        });
    }
    let found = Resource::new(
        move || (ask.version().get(), changed.get()),
        |_| async { (standing().await.ok(), my_requests().await.unwrap_or_default()) },
    );
    let fault = Signal::derive(move || ask.value().get().and_then(Result::err));
    let was_full = StoredValue::new(false);
    let toasts = expect_context::<Toasts>();
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let (standing, requests) = found.await;
                let standing = standing?;
                let Some(said) = sessions_full(&standing) else {
                    if was_full.get_value() {
                        was_full.set_value(false);
                        toasts.done("There is room for a session now.");
                    }
                    return None;
                };
                was_full.set_value(true);
                let waiting = requests
                    .into_iter()
                    .find(|request| request.dimension == Dimension::ConcurrentSessions && request.state == State::Waiting);
                Some(view! { <Notice said standing waiting ask fault /> })
            })}
        </Transition>
    }
}

#[component]
fn Notice(
    said: String,
    standing: Standing,
    waiting: Option<Request>,
    ask: ServerAction<AskForMore>,
    fault: Signal<Option<crate::fault::Fault>>,
) -> impl IntoView {
    let more = standing.live_sessions + 1;
    let step = match waiting {
        Some(request) => view! {
            <p class="soft" role="status">
                "You asked for more: " {ask_words(&request)} ". The answer shows here. "
                <a class="link" href="/usage#more">"Your requests"</a>
            </p>
        }
        .into_any(),
        None => view! {
            <ActionForm action=ask>
                <input type="hidden" name="dimension" value=Dimension::ConcurrentSessions.as_str() />
                <input type="hidden" name="wanted" value=more.to_string() />
                <input type="hidden" name="days" value="" />
                <input type="hidden" name="why" value=WHY />
                <input type="hidden" name="back" value="/new" />
                <div class="actions">
                    <button class="btn btn-small btn-primary" type="submit" disabled=move || ask.pending().get()>
                        {format!("Ask for {}", words::count(more, "session"))}
                    </button>
                    <a class="btn btn-small btn-quiet" href="/usage#more">"Ask for something else"</a>
                </div>
            </ActionForm>
        }
        .into_any(),
    };
    view! {
        <div class="notice notice-waiting mb-4">
            {icon(Glyph::Warning)}
            <div class="stack">
                <p>{said} " " <a class="link" href="/?status=running&whose=mine">"See what runs"</a></p>
                <Refused fault />
                {step}
            </div>
        </div>
    }
}
