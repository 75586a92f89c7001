//! The WebAssembly door: wakes the page that the server rendered. It knows nothing else; start reading in `app`.

use leptos::{mount::hydrate_from_async, tachys::dom::body};
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the boot script, when the module is loaded and the document is parsed. It is over when the page is
/// awake; the code of the page may have to come first.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    hydrate_from_async(body(), app::App).await.forget();
}
