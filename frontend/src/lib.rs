//! The WebAssembly door: wakes the page that the server rendered. It knows nothing else; start reading in `app`.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the boot script, when the module is loaded and the document is parsed.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
