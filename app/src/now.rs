//! What time it is, for whoever reads: the server's clock while it renders, the browser's clock and zone afterwards.

use crate::words;
use domain::Timestamp;
use leptos::prelude::*;

/// How often relative times are said anew.
#[cfg(feature = "hydrate")]
const TICK: core::time::Duration = core::time::Duration::from_secs(20);

/// The time and the zone that the page shows; in the context of every component.
#[derive(Clone, Copy)]
pub struct Now {
    at: RwSignal<Timestamp>,
    zone: RwSignal<Option<i64>>,
}

impl Now {
    /// Puts the clock into the context, and lets it go on in the browser.
    pub fn provide() -> Self {
        let now = Self {
            at: RwSignal::new(current()),
            zone: RwSignal::new(None),
        };
        provide_context(now);
        #[cfg(feature = "hydrate")]
        {
            // Only after hydration: the server does not know the reader's zone, and both must render the same.
            Effect::new(move |_| {
                now.zone
                    .set(Some(-(js_sys::Date::new_0().get_timezone_offset() as i64)));
                if let Ok(handle) = set_interval_with_handle(move || now.at.set(current()), TICK) {
                    on_cleanup(move || handle.clear());
                }
            });
        }
        now
    }

    /// The time, as of the last tick.
    pub fn at(self) -> Timestamp {
        self.at.get()
    }

    /// `10:00:05` in the reader's zone.
    pub fn clock(self, at: Timestamp) -> String {
        words::clock(at, self.zone.get().unwrap_or(0))
    }

    /// The whole date and time in the reader's zone.
    pub fn exact(self, at: Timestamp) -> String {
        words::exact(at, self.zone.get())
    }
}

/// The time of this moment.
#[must_use]
pub fn current() -> Timestamp {
    #[cfg(feature = "hydrate")]
    let millis = js_sys::Date::now() as i64;
    #[cfg(not(feature = "hydrate"))]
    let millis = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(millis)
}

/// A point in time, said relative, with the exact one on hover.
#[component]
#[must_use]
pub fn Ago(#[prop(into)] at: Signal<Timestamp>) -> impl IntoView {
    let now = expect_context::<Now>();
    view! {
        <time datetime=move || words::iso(at.get()) title=move || now.exact(at.get())>
            {move || words::ago(now.at(), at.get())}
        </time>
    }
}
