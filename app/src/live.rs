//! What changes on its own: one stream for the whole page, from which whoever shows something hears that it changed, and
//! asks for the new state. Nothing is polled.

use crate::{fault::Fault, now};
use domain::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

/// Many changes within this time are one fetch.
const CALM: core::time::Duration = core::time::Duration::from_millis(150);

/// What a component wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Any session.
    Sessions,
    /// One session, by its id.
    Session(String),
    /// Any agent of the catalogue.
    Agents,
    /// Any Organization: its members, invitations, quotas, requests.
    Orgs,
}

type Reader = Arc<dyn Fn() + Send + Sync>;

/// The stream; in the context of every component.
#[derive(Clone, Copy)]
pub struct Live {
    readers: StoredValue<Vec<(u64, Topic, Reader)>>,
    next: StoredValue<u64>,
    /// Since when nothing is heard; `None` while the stream stands.
    lost: RwSignal<Option<Timestamp>>,
}

impl Live {
    /// Puts the stream into the context.
    pub fn provide() -> Self {
        let live = Self {
            readers: StoredValue::new(Vec::new()),
            next: StoredValue::new(0),
            lost: RwSignal::new(None),
        };
        provide_context(live);
        live
    }

    /// Since when nothing is heard.
    pub fn lost(self) -> Option<Timestamp> {
        self.lost.get()
    }

    /// Calls `heard` whenever something of `topic` changed, until the component that asks is gone.
    pub fn listen(self, topic: Topic, heard: impl Fn() + Send + Sync + 'static) {
        let number = self.next.get_value();
        self.next.set_value(number + 1);
        self.readers
            .update_value(|readers| readers.push((number, topic, Arc::new(heard))));
        on_cleanup(move || {
            self.readers
                .try_update_value(|readers| readers.retain(|(other, ..)| *other != number));
        });
    }

    /// Keeps `kept` as the server has it: fetches it anew whenever something of `topic` changed. What is shown stays
    /// where a fetch fails; the next change, or the return of the connection, tries again.
    pub fn follow<T, F>(self, topic: Topic, kept: RwSignal<T>, fetch: impl Fn() -> F + Clone + Send + Sync + 'static)
    where
        T: Clone + PartialEq + Send + Sync + 'static,
        F: Future<Output = Result<T, Fault>> + 'static,
    {
        let waiting = StoredValue::new(false);
        self.listen(topic, move || {
            if waiting.try_get_value() != Some(false) {
                return;
            }
            waiting.set_value(true);
            let fetch = fetch.clone();
            set_timeout(
                move || {
                    if waiting.try_update_value(|waiting| *waiting = false).is_none() {
                        return;
                    }
                    spawn_local(async move {
                        if let Ok(new) = fetch().await
                            && kept.try_with_untracked(|old| *old != new) == Some(true)
                        {
                            kept.set(new);
                        }
                    });
                },
                CALM,
            );
        });
    }

    /// Tells everybody who listens to `topic`, as after an action of this very page.
    pub fn touch(self, topic: &Topic) {
        self.tell(|of| of == topic || matches!((of, topic), (Topic::Sessions, Topic::Session(_))));
    }

    fn tell(self, wanted: impl Fn(&Topic) -> bool) {
        let readers = self.readers.with_value(|readers| {
            readers
                .iter()
                .filter(|(_, topic, _)| wanted(topic))
                .map(|(.., reader)| reader.clone())
                .collect::<Vec<_>>()
        });
        for reader in readers {
            reader();
        }
    }
}

#[cfg(feature = "hydrate")]
mod stream {
    use super::{Live, Topic, now};
    use domain::event::Kind;
    use leptos::prelude::*;
    use serde::Deserialize;
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Event, EventSource, MessageEvent};

    /// How long a stream may be away before the page says so: a server that restarts is no news.
    const GRACE: core::time::Duration = core::time::Duration::from_millis(2500);
    /// After a stream was refused for good, it is asked for again after this long.
    const AGAIN: core::time::Duration = core::time::Duration::from_secs(5);
    const ADDRESS: &str = "/api/v1/events";
    /// Something changed that is not remembered.
    const TOUCHED: &str = "touched";
    /// How the events begin that are about an Organization.
    const GOVERNED: [&str; 6] = [
        "sandbox.directory.",
        "sandbox.org.",
        "sandbox.member.",
        "sandbox.invitation.",
        "sandbox.quota.",
        "sandbox.policy.",
    ];
    /// The reader was away for too long.
    const MISSED: &str = "missed";
    /// What of a message says what changed.
    #[derive(Default, Deserialize)]
    struct What {
        #[serde(default)]
        session: Option<String>,
        #[serde(default)]
        agent: Option<String>,
        #[serde(default)]
        data: Option<Data>,
    }

    #[derive(Default, Deserialize)]
    struct Data {
        #[serde(default)]
        session_id: Option<String>,
    }

    impl Live {
        fn hear(self, event: &Event) {
            let text = event
                .dyn_ref::<MessageEvent>()
                .and_then(|event| event.data().as_string());
            let what: What = text
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default();
            let session = what.session.or_else(|| what.data?.session_id);
            match (session, event.type_()) {
                (Some(id), _) => self.touch(&Topic::Session(id)),
                (None, kind) if what.agent.is_some() || kind.starts_with("sandbox.agent.") => {
                    self.touch(&Topic::Agents)
                }
                (None, kind) if GOVERNED.iter().any(|prefix| kind.starts_with(prefix)) => self.touch(&Topic::Orgs),
                (None, _) => self.tell(|_| true),
            }
        }

        /// Opens the stream; called once, after hydration.
        pub fn connect(self) {
            let Ok(source) = EventSource::new(ADDRESS) else { return };
            let broken = StoredValue::new(None::<domain::Timestamp>);
            let hear = Closure::<dyn Fn(Event)>::new(move |event: Event| self.hear(&event));
            let open = Closure::<dyn Fn(Event)>::new(move |_| {
                broken.set_value(None);
                if self.lost.get_untracked().is_some() {
                    self.lost.set(None);
                    self.tell(|_: &Topic| true);
                }
            });
            let retry = source.clone();
            let error = Closure::<dyn Fn(Event)>::new(move |_| {
                let since = now::current();
                if broken.get_value().is_none() {
                    broken.set_value(Some(since));
                    set_timeout(
                        move || {
                            if let Some(since) = broken.get_value() {
                                self.lost.set(Some(since));
                            }
                        },
                        GRACE,
                    );
                }
                // The browser goes on by itself, except where the answer was an error.
                if retry.ready_state() == EventSource::CLOSED {
                    set_timeout(
                        move || {
                            if self.lost.get_untracked().is_none() {
                                self.lost.set(Some(since));
                            }
                            self.connect();
                        },
                        AGAIN,
                    );
                }
            });
            for kind in Kind::ALL.map(Kind::as_str).into_iter().chain([TOUCHED, MISSED]) {
                _ = source.add_event_listener_with_callback(kind, hear.as_ref().unchecked_ref());
            }
            source.set_onopen(Some(open.as_ref().unchecked_ref()));
            source.set_onerror(Some(error.as_ref().unchecked_ref()));
            // The stream lives as long as the page.
            hear.forget();
            open.forget();
            error.forget();
        }
    }
}

/// The thin bar that says that what is shown may be old.
#[component]
#[must_use]
pub fn Lost() -> impl IntoView {
    let live = expect_context::<Live>();
    let clock = expect_context::<now::Now>();
    view! {
        <div role="status">
            {move || {
                live.lost()
                    .map(|since| {
                        view! {
                            <p class="lost">
                                "Connection lost. Shown as of " {clock.clock(since)} "; connecting again."
                            </p>
                        }
                    })
            }}
        </div>
    }
}
