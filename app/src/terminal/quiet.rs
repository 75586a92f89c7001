//! Keeps xterm.js from answering. Programs ask their terminal many things (what are you, where is the cursor, which
//! colours), and the host's model answers them, once. A browser that answered too would do so once for each viewer and
//! again at every replay, into whatever the program reads by then.

use super::xterm::{Terminal, object};
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Control sequences that only ask: prefix, intermediates, final.
const ASKING: [(&str, &str, &str); 12] = [
    ("", "", "c"),   // primary device attributes
    (">", "", "c"),  // secondary
    ("=", "", "c"),  // tertiary
    ("", "", "n"),   // status and cursor position
    ("?", "", "n"),  // the same, DEC's; colour scheme
    ("", "$", "p"),  // mode
    ("?", "$", "p"), // private mode
    (">", "", "q"),  // version
    ("?", "", "u"),  // keyboard flags
    ("?", "", "m"),  // key modifier options
    ("", "", "x"),   // terminal parameters
    ("", "*", "y"),  // checksum of a rectangle
];

/// Device control strings that only ask: settings, and terminal capabilities.
const ASKING_STRINGS: [&str; 2] = ["$", "+"];

/// Colours, which are asked for with a question mark and set without.
const COLORS: [u32; 4] = [4, 10, 11, 12];

/// Window operations that report.
const REPORTING: [f64; 9] = [11.0, 13.0, 14.0, 15.0, 16.0, 18.0, 19.0, 20.0, 21.0];

/// The handlers; keep them as long as the terminal.
pub struct Quiet {
    _swallow: Closure<dyn FnMut(JsValue) -> bool>,
    _color: Closure<dyn FnMut(JsValue) -> bool>,
    _window: Closure<dyn FnMut(JsValue) -> bool>,
}

/// Swallows every question before xterm.js sees it.
pub fn quiet(terminal: &Terminal) -> Quiet {
    let parser = terminal.parser();
    let swallow: Closure<dyn FnMut(JsValue) -> bool> = Closure::new(|_| true);
    let function: &Function = swallow.as_ref().unchecked_ref();
    for (prefix, intermediates, end) in ASKING {
        let id = object([("final", end.into())]);
        for (name, value) in [("prefix", prefix), ("intermediates", intermediates)] {
            if !value.is_empty() {
                let _ = Reflect::set(&id, &name.into(), &value.into());
            }
        }
        parser.on_csi(&id, function);
    }
    for intermediates in ASKING_STRINGS {
        parser.on_dcs(
            &object([("intermediates", intermediates.into()), ("final", "q".into())]),
            function,
        );
    }
    let color: Closure<dyn FnMut(JsValue) -> bool> =
        Closure::new(|data: JsValue| data.as_string().is_some_and(|data| data.contains('?')));
    for id in COLORS {
        parser.on_osc(id, color.as_ref().unchecked_ref());
    }
    let window: Closure<dyn FnMut(JsValue) -> bool> = Closure::new(|parameters: JsValue| {
        let first = parameters
            .dyn_ref::<Array>()
            .and_then(|parameters| parameters.get(0).as_f64());
        first.is_some_and(|first| REPORTING.contains(&first))
    });
    parser.on_csi(&object([("final", "t".into())]), window.as_ref().unchecked_ref());
    Quiet {
        _swallow: swallow,
        _color: color,
        _window: window,
    }
}
