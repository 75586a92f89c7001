//! A dialog that is part of the page: the server can render it open, and the browser then makes it modal.

use super::{Glyph, icon};
use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;

/// A native dialog. It is open as long as it is rendered; `back` is where closing it leads, also without scripts.
#[component]
#[must_use]
pub fn Dialog(
    #[prop(into)] title: String,
    /// The thing that it is about, below the title.
    #[prop(optional, into)]
    about: Option<String>,
    /// The page below, without the dialog.
    #[prop(into)]
    back: String,
    /// Instead of going to `back`.
    #[prop(optional, into)]
    on_close: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    #[cfg(feature = "hydrate")]
    make_modal(node);
    let close = {
        let navigate = leptos_router::hooks::use_navigate();
        let back = back.clone();
        move || match on_close {
            Some(on_close) => on_close.run(()),
            None => navigate(
                &back,
                leptos_router::NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..Default::default()
                },
            ),
        }
    };
    let on_cancel = {
        let close = close.clone();
        move |event: ev::Event| {
            event.prevent_default();
            close();
        }
    };
    let on_click = {
        let close = close.clone();
        move |event: ev::MouseEvent| {
            let outside = event
                .target()
                .zip(node.get_untracked())
                .is_some_and(|(target, dialog)| {
                    target
                        .dyn_ref::<web_sys::Element>()
                        .is_some_and(|target| target.is_same_node(Some(&dialog)))
                });
            if outside {
                close();
            }
        }
    };
    let on_cross = move |event: ev::MouseEvent| {
        event.prevent_default();
        close();
    };
    view! {
        <dialog class="dialog" open=true aria-labelledby="dialog-title" node_ref=node on:cancel=on_cancel on:mousedown=on_click>
            <header>
                <div class="grow">
                    <h2 id="dialog-title">{title}</h2>
                    {about.map(|about| view! { <p class="soft">{about}</p> })}
                </div>
                <a class="btn btn-quiet btn-icon" href=back aria-label="Close" on:click=on_cross>
                    {icon(Glyph::Close)}
                </a>
            </header>
            <div class="content">{children()}</div>
        </dialog>
    }
}

/// Makes the dialog modal once it is there, and gives the focus back when it is gone. Elements belong to the browser's
/// one thread: the server must not even hold a place for one.
#[cfg(feature = "hydrate")]
fn make_modal(node: NodeRef<html::Dialog>) {
    let before = StoredValue::new_local(None::<web_sys::HtmlElement>);
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        let focused = document().active_element().and_then(|element| element.dyn_into().ok());
        before.set_value(focused);
        // It was rendered open for browsers without scripts; a modal one has to be closed first.
        _ = dialog.remove_attribute("open");
        _ = dialog.show_modal();
    });
    on_cleanup(move || {
        if let Some(Some(element)) = before.try_get_value() {
            _ = element.focus();
        }
    });
}
