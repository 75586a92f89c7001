//! What happens around the pane: the theme changes, the place changes its size, a keyboard slides over it.

use super::{
    listen::{Listener, listen},
    preferences,
    theme::Ground,
};
use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{HtmlElement, MutationObserver, MutationObserverInit, ResizeObserver};

/// Everything that is watched; dropping it stops.
pub struct Surroundings {
    _listeners: Vec<Listener>,
    place: ResizeObserver,
    theme: MutationObserver,
    _resized: Closure<dyn FnMut(JsValue)>,
    _themed: Closure<dyn FnMut(JsValue)>,
}

/// What slides over this much of a window is a keyboard and not a browser's bar.
const KEYBOARD: f64 = 120.0;

impl Surroundings {
    /// Watches the place of `host`, the theme of the page, and the keyboard over `pane`.
    pub fn watch(
        pane: &HtmlElement,
        host: &HtmlElement,
        ground: RwSignal<Ground>,
        keyboard: RwSignal<bool>,
        resized: impl Fn() + 'static,
    ) -> Result<Self, JsValue> {
        let resized = Closure::<dyn FnMut(JsValue)>::new(move |_| resized());
        let place = ResizeObserver::new(resized.as_ref().unchecked_ref())?;
        place.observe(host);
        let follow = move || {
            let now = preferences::ground();
            if ground.try_get_untracked().is_some_and(|before| before != now) {
                ground.set(now);
            }
        };
        let themed = Closure::<dyn FnMut(JsValue)>::new(move |_| follow());
        let theme = MutationObserver::new(themed.as_ref().unchecked_ref())?;
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        if let Some(root) = window.document().and_then(|document| document.document_element()) {
            let options = MutationObserverInit::new();
            options.set_attributes(true);
            options.set_attribute_filter(&Array::of1(&"data-theme".into()));
            theme.observe_with_options(&root, &options)?;
        }
        let mut listeners = Vec::new();
        if let Ok(Some(scheme)) = window.match_media("(prefers-color-scheme: light)") {
            listeners.push(listen(&scheme, "change", move |_| follow()));
        }
        if let Some(viewport) = window.visual_viewport() {
            for name in ["resize", "scroll"] {
                let pane = pane.clone();
                listeners.push(listen(&viewport, name, move |_| yield_to_keyboard(&pane, keyboard)));
            }
        }
        Ok(Self {
            _listeners: listeners,
            place,
            theme,
            _resized: resized,
            _themed: themed,
        })
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        self.place.disconnect();
        self.theme.disconnect();
    }
}

/// While an on-screen keyboard covers the page, the pane takes exactly what is left of it.
fn yield_to_keyboard(pane: &HtmlElement, keyboard: RwSignal<bool>) {
    let Some(window) = web_sys::window() else { return };
    let Some(viewport) = window.visual_viewport() else {
        return;
    };
    let inner = window
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64())
        .unwrap_or_default();
    let covered = inner - viewport.height() * viewport.scale();
    let open = preferences::coarse() && covered > KEYBOARD;
    let style = pane.style();
    if open {
        let _ = style.set_property("--seen-top", &format!("{}px", viewport.offset_top()));
        let _ = style.set_property("--seen-height", &format!("{}px", viewport.height()));
    } else {
        let _ = style.remove_property("--seen-top");
        let _ = style.remove_property("--seen-height");
    }
    if keyboard.try_get_untracked().is_some_and(|before| before != open) {
        keyboard.set(open);
    }
}
