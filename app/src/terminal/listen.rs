//! Listening to the browser for as long as somebody cares.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{AddEventListenerOptions, Event, EventTarget};

/// A listener on an event target; dropping it stops listening.
pub struct Listener {
    target: EventTarget,
    name: &'static str,
    capture: bool,
    heard: Closure<dyn FnMut(Event)>,
}

/// Hears events when they have reached their target.
pub fn listen(target: &EventTarget, name: &'static str, heard: impl FnMut(Event) + 'static) -> Listener {
    Listener::new(target, name, false, heard)
}

/// Hears events on their way down, before their target does, and may stop them there.
pub fn capture(target: &EventTarget, name: &'static str, heard: impl FnMut(Event) + 'static) -> Listener {
    Listener::new(target, name, true, heard)
}

impl Listener {
    fn new(target: &EventTarget, name: &'static str, capture: bool, heard: impl FnMut(Event) + 'static) -> Self {
        let heard = Closure::new(heard);
        let options = AddEventListenerOptions::new();
        options.set_capture(capture);
        // Touch handlers hold back the page's own scrolling, which a passive listener may not.
        options.set_passive(false);
        let function = heard.as_ref().unchecked_ref();
        // Fails only for a null callback.
        let _ = target.add_event_listener_with_callback_and_add_event_listener_options(name, function, &options);
        Self {
            target: target.clone(),
            name,
            capture,
            heard,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.heard.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback_and_bool(self.name, function, self.capture);
    }
}
