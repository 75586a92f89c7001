//! The WebSocket under a [`super::link::Link`]: events in, messages out, nothing decided.

use super::listen::{Listener, listen};
use domain::wire::SUBPROTOCOL;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

/// What a socket tells.
pub enum Told {
    Opened,
    Text(String),
    Binary(Vec<u8>),
    Closed(u16),
}

/// An open (or opening) socket; dropping it closes it and silences it.
pub struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Begins to connect to `path` of this origin.
    pub fn open(path: &str, told: impl Fn(Told) + Clone + 'static) -> Result<Self, JsValue> {
        let location = web_sys::window().ok_or(JsValue::NULL)?.location();
        let scheme = if location.protocol()? == "https:" { "wss" } else { "ws" };
        let url = format!("{scheme}://{}{path}", location.host()?);
        let socket = WebSocket::new_with_str(&url, SUBPROTOCOL)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let opened = {
            let told = told.clone();
            listen(&socket, "open", move |_| told(Told::Opened))
        };
        let message = {
            let told = told.clone();
            listen(&socket, "message", move |event| {
                let data = event.unchecked_into::<MessageEvent>().data();
                match data.dyn_into::<ArrayBuffer>() {
                    Ok(buffer) => told(Told::Binary(Uint8Array::new(&buffer).to_vec())),
                    Err(text) => told(Told::Text(text.as_string().unwrap_or_default())),
                }
            })
        };
        // An `error` is always followed by a `close`, which says more.
        let closed = listen(&socket, "close", move |event| {
            told(Told::Closed(event.unchecked_into::<CloseEvent>().code()))
        });
        Ok(Self {
            socket,
            _listeners: [opened, message, closed],
        })
    }

    /// Sends a text message; a socket that is closing drops it, and its close event says so.
    pub fn text(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Sends a binary message, like [`Socket::text`].
    pub fn binary(&self, bytes: &[u8]) {
        let _ = self.socket.send_with_u8_array(bytes);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}
