//! The browser's clock and one alarm at a time.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, closure::Closure};

/// Milliseconds of a clock that does not jump.
pub fn now() -> u64 {
    web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0, |performance| performance.now() as u64)
}

/// The time of day as the person writes it.
pub fn time_of_day() -> String {
    js_sys::Date::new_0().to_locale_time_string("en-GB").into()
}

/// One alarm; setting it again moves it, dropping it cancels it.
#[derive(Default)]
pub struct Timer {
    set: Rc<Cell<Option<i32>>>,
    ring: RefCell<Option<Closure<dyn FnMut()>>>,
}

impl Timer {
    /// Rings at this time of [`now`], or never.
    pub fn at(&self, at: Option<u64>, ring: impl FnOnce() + 'static) {
        self.cancel();
        if let Some(at) = at {
            self.after(at.saturating_sub(now()), ring);
        }
    }

    /// Rings after so many milliseconds.
    pub fn after(&self, milliseconds: u64, ring: impl FnOnce() + 'static) {
        self.cancel();
        let (Some(window), set) = (web_sys::window(), Rc::clone(&self.set)) else {
            return;
        };
        let ring = Closure::once(move || {
            set.set(None);
            ring();
        });
        let function = ring.as_ref().unchecked_ref();
        let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
        self.set.set(
            window
                .set_timeout_with_callback_and_timeout_and_arguments_0(function, milliseconds)
                .ok(),
        );
        self.ring.replace(Some(ring));
    }

    /// It will not ring.
    pub fn cancel(&self) {
        if let (Some(set), Some(window)) = (self.set.take(), web_sys::window()) {
            window.clear_timeout_with_handle(set);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}
