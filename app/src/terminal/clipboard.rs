//! The clipboard: what is selected goes there, what is there is pasted, and what a program offers goes there only when
//! its person says so.

use super::{link::Notice, pane::Pane};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// Copies what is selected.
pub fn copy(pane: Pane) {
    if let Some(text) = pane
        .screen()
        .map(|screen| screen.terminal().selection())
        .filter(|text| !text.is_empty())
    {
        write(pane, text);
    }
    pane.focus();
}

/// Puts text on the clipboard; where the browser does not let us, the person is told how.
pub fn write(pane: Pane, text: String) {
    spawn_local(async move {
        let Some(clipboard) = web_sys::window().map(|window| window.navigator().clipboard()) else {
            return;
        };
        if clipboard.is_undefined() || JsFuture::from(clipboard.write_text(&text)).await.is_err() {
            tell(
                pane,
                "The browser does not allow copying here. Select the text and use its own menu.",
            );
        }
    });
}

/// Pastes what is on the clipboard.
pub fn paste(pane: Pane) {
    spawn_local(async move {
        let Some(clipboard) = web_sys::window().map(|window| window.navigator().clipboard()) else {
            return;
        };
        let text = match clipboard.is_undefined() {
            true => None,
            false => JsFuture::from(clipboard.read_text())
                .await
                .ok()
                .and_then(|text| text.as_string()),
        };
        match (text, pane.attachment()) {
            (Some(text), Some(attachment)) => attachment.paste(&text),
            (None, _) => tell(
                pane,
                "The browser does not let the page read the clipboard. Press Ctrl+Shift+V instead.",
            ),
            (Some(_), None) => {}
        }
        pane.focus();
    });
}

/// What a program offered: text, decoded; nothing where it is none.
pub fn offered(base64: &str) -> Option<String> {
    // `atob` gives one character for each byte.
    let bytes = web_sys::window()?.atob(base64).ok()?;
    let bytes: Vec<u8> = bytes.chars().map(|character| character as u8).collect();
    String::from_utf8(bytes).ok()
}

fn tell(pane: Pane, detail: &str) {
    let notice = Notice::Refused {
        code: "clipboard".to_owned(),
        detail: detail.to_owned(),
    };
    pane.facts.notice.try_set(Some(notice));
}

trait Undefined {
    fn is_undefined(&self) -> bool;
}

impl Undefined for web_sys::Clipboard {
    /// Outside of a secure origin there is no clipboard, whatever its type says.
    fn is_undefined(&self) -> bool {
        let value: &wasm_bindgen::JsValue = self.as_ref();
        value.is_undefined()
    }
}
