//! What people see: pages, components and server functions, by noun.
//!
//! Compiled twice: into the server (`ssr`) and into WebAssembly (`hydrate`). It knows no SQL, no sockets and no
//! processes; the server side asks `engine`, the browser side asks the server.

mod assets;
pub mod terminal;

pub use assets::Assets;

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};

/// The page around every page: what a browser gets before anything else.
#[must_use]
pub fn shell(_options: LeptosOptions) -> impl IntoView {
    let assets = expect_context::<Assets>();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <link rel="modulepreload" href=assets.url("app.js") />
                <link rel="preload" href=assets.url("app.wasm") r#as="fetch" r#type="application/wasm" crossorigin="" />
                <script type="module" src=assets.url("boot.js")></script>
                <link rel="stylesheet" href=assets.url("app.css") />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The console.
#[component]
#[must_use]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let (count, set_count) = signal(0);
    view! {
        <Title text="Sandbox" />
        <main>
            <h1>"Sandbox"</h1>
            <button on:click=move |_| set_count.update(|n| *n += 1)>"Pressed " {count}</button>
        </main>
    }
}
