//! xterm.js as Rust sees it: what we use of the ES module in `app/js/xterm.js`, typed, and loaded by `import()` only
//! where a terminal is shown. (The idea of such a binding is that of the crate xterm-js-rs; the module is today's.)

#[cfg(feature = "ssr")]
use leptos::prelude::use_context;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, HtmlTextAreaElement};

#[wasm_bindgen]
extern "C" {
    /// `Terminal`.
    #[derive(Clone, Debug)]
    pub type Terminal;

    #[wasm_bindgen(method)]
    pub fn open(this: &Terminal, parent: &HtmlElement);
    #[wasm_bindgen(method)]
    pub fn dispose(this: &Terminal);
    #[wasm_bindgen(method)]
    pub fn focus(this: &Terminal);
    #[wasm_bindgen(method, js_name = write)]
    pub fn write_with(this: &Terminal, bytes: &Uint8Array, parsed: &JsValue);
    #[wasm_bindgen(method, catch)]
    pub fn resize(this: &Terminal, cols: u32, rows: u32) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    pub fn paste(this: &Terminal, text: &str);
    #[wasm_bindgen(method, js_name = loadAddon, catch)]
    pub fn load_addon(this: &Terminal, addon: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, js_name = hasSelection)]
    pub fn has_selection(this: &Terminal) -> bool;
    #[wasm_bindgen(method, js_name = getSelection)]
    pub fn selection(this: &Terminal) -> String;
    #[wasm_bindgen(method, js_name = clearSelection)]
    pub fn clear_selection(this: &Terminal);
    #[wasm_bindgen(method)]
    pub fn select(this: &Terminal, column: u32, row: u32, length: u32);
    #[wasm_bindgen(method, js_name = scrollLines)]
    pub fn scroll_lines(this: &Terminal, lines: i32);
    #[wasm_bindgen(method, js_name = scrollToLine)]
    pub fn scroll_to_line(this: &Terminal, line: u32);
    #[wasm_bindgen(method, js_name = scrollToBottom)]
    pub fn scroll_to_bottom(this: &Terminal);
    #[wasm_bindgen(method, js_name = attachCustomKeyEventHandler)]
    pub fn on_key_event(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, js_name = attachCustomWheelEventHandler)]
    pub fn on_wheel_event(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, js_name = onData)]
    pub fn on_data(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, js_name = onBinary)]
    pub fn on_binary(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, js_name = onBell)]
    pub fn on_bell(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, js_name = onScroll)]
    pub fn on_scroll(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, js_name = onSelectionChange)]
    pub fn on_selection(this: &Terminal, handler: &Function);
    #[wasm_bindgen(method, getter)]
    pub fn cols(this: &Terminal) -> u32;
    #[wasm_bindgen(method, getter)]
    pub fn rows(this: &Terminal) -> u32;
    #[wasm_bindgen(method, getter)]
    pub fn element(this: &Terminal) -> Option<HtmlElement>;
    #[wasm_bindgen(method, getter)]
    pub fn textarea(this: &Terminal) -> Option<HtmlTextAreaElement>;
    #[wasm_bindgen(method, getter)]
    pub fn options(this: &Terminal) -> Object;
    #[wasm_bindgen(method, getter)]
    pub fn parser(this: &Terminal) -> Parser;
    #[wasm_bindgen(method, getter)]
    fn modes(this: &Terminal) -> Modes;
    #[wasm_bindgen(method, getter)]
    fn buffer(this: &Terminal) -> Buffers;
    #[wasm_bindgen(method, getter)]
    fn unicode(this: &Terminal) -> Object;

    /// `IParser`: what sees a sequence before xterm.js does.
    pub type Parser;

    #[wasm_bindgen(method, js_name = registerCsiHandler)]
    pub fn on_csi(this: &Parser, id: &Object, handler: &Function);
    #[wasm_bindgen(method, js_name = registerDcsHandler)]
    pub fn on_dcs(this: &Parser, id: &Object, handler: &Function);
    #[wasm_bindgen(method, js_name = registerOscHandler)]
    pub fn on_osc(this: &Parser, id: u32, handler: &Function);

    type Modes;
    #[wasm_bindgen(method, getter, js_name = applicationCursorKeysMode)]
    fn application_cursor_keys(this: &Modes) -> bool;
    #[wasm_bindgen(method, getter, js_name = mouseTrackingMode)]
    fn mouse_tracking(this: &Modes) -> String;

    type Buffers;
    #[wasm_bindgen(method, getter)]
    fn active(this: &Buffers) -> Buffer;

    /// `IBuffer`.
    pub type Buffer;
    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &Buffer) -> String;
    #[wasm_bindgen(method, getter, js_name = baseY)]
    pub fn base_y(this: &Buffer) -> u32;
    #[wasm_bindgen(method, getter, js_name = viewportY)]
    pub fn viewport_y(this: &Buffer) -> u32;
    #[wasm_bindgen(method, js_name = getLine)]
    fn line(this: &Buffer, y: u32) -> Option<BufferLine>;

    type BufferLine;
    #[wasm_bindgen(method, js_name = translateToString)]
    fn text(this: &BufferLine) -> String;

    /// `FitAddon`.
    pub type FitAddon;
    #[wasm_bindgen(method, js_name = proposeDimensions)]
    fn propose(this: &FitAddon) -> JsValue;

    /// `SearchAddon`.
    pub type SearchAddon;
    #[wasm_bindgen(method, js_name = findNext)]
    pub fn find_next(this: &SearchAddon, text: &str, options: &Object) -> bool;
    #[wasm_bindgen(method, js_name = findPrevious)]
    pub fn find_previous(this: &SearchAddon, text: &str, options: &Object) -> bool;
    #[wasm_bindgen(method, js_name = clearDecorations)]
    pub fn clear(this: &SearchAddon);
    #[wasm_bindgen(method, js_name = onDidChangeResults)]
    pub fn on_results(this: &SearchAddon, handler: &Function);

    /// `WebglAddon`.
    pub type WebglAddon;
    #[wasm_bindgen(method, js_name = dispose)]
    pub fn dispose_renderer(this: &WebglAddon);
    #[wasm_bindgen(method, js_name = onContextLoss)]
    pub fn on_context_loss(this: &WebglAddon, handler: &Function);
}

// `import()` is syntax, not a function, so a line of JavaScript must say it.
#[wasm_bindgen(inline_js = "export function sandboxImport(url) { return import(url); }")]
extern "C" {
    #[wasm_bindgen(js_name = sandboxImport)]
    fn import(url: &str) -> Promise;
}

/// The loaded module.
#[derive(Clone, Debug)]
pub struct Xterm(JsValue);

impl Xterm {
    /// Loads the module and its sheet; a second terminal finds them loaded.
    pub async fn load() -> Result<Self, JsValue> {
        let sheet = stylesheet(&address("xterm.css"))?;
        let module = JsFuture::from(import(&address("xterm.js"))).await?;
        if let Some(sheet) = sheet {
            JsFuture::from(sheet).await?;
        }
        Ok(Self(module))
    }

    /// A terminal that is not yet on the page.
    pub fn terminal(&self, options: &Object) -> Result<Terminal, JsValue> {
        Ok(self.make("Terminal", &Array::of1(options))?.unchecked_into())
    }

    /// Sizes a terminal to its parent.
    pub fn fit(&self, terminal: &Terminal) -> Result<FitAddon, JsValue> {
        let addon = self.make("FitAddon", &Array::new())?;
        terminal.load_addon(&addon)?;
        Ok(addon.unchecked_into())
    }

    /// Finds text in screen and scrollback.
    pub fn search(&self, terminal: &Terminal) -> Result<SearchAddon, JsValue> {
        let addon = self.make("SearchAddon", &Array::new())?;
        terminal.load_addon(&addon)?;
        Ok(addon.unchecked_into())
    }

    /// Makes addresses in the text links; `open` is given the event and the address.
    pub fn links(&self, terminal: &Terminal, open: &Function) -> Result<(), JsValue> {
        terminal.load_addon(&self.make("WebLinksAddon", &Array::of1(open))?)
    }

    /// Measures characters as Unicode 11 does, which is what the host's model does too.
    pub fn unicode_11(&self, terminal: &Terminal) -> Result<(), JsValue> {
        terminal.load_addon(&self.make("Unicode11Addon", &Array::new())?)?;
        Reflect::set(&terminal.unicode(), &"activeVersion".into(), &"11".into()).map(|_| ())
    }

    /// Draws with the graphics processor; an error says that there is none, and the DOM goes on drawing.
    pub fn webgl(&self, terminal: &Terminal) -> Result<WebglAddon, JsValue> {
        let addon = self.make("WebglAddon", &Array::new())?;
        terminal.load_addon(&addon)?;
        Ok(addon.unchecked_into())
    }

    fn make(&self, class: &str, arguments: &Array) -> Result<JsValue, JsValue> {
        let class: Function = Reflect::get(&self.0, &class.into())?.dyn_into()?;
        Reflect::construct(&class, arguments)
    }
}

impl FitAddon {
    /// Columns and rows that would fill the parent; nothing while it has no size.
    pub fn room(&self) -> Option<(f64, f64)> {
        let room = self.propose();
        let number = |name: &str| Reflect::get(&room, &name.into()).ok()?.as_f64();
        room.is_object().then(|| Some((number("cols")?, number("rows")?)))?
    }
}

impl Terminal {
    /// The screen that is shown.
    pub fn active(&self) -> Buffer {
        self.buffer().active()
    }

    /// Whether a full-screen program has the screen, which then has no scrollback.
    pub fn in_alternate(&self) -> bool {
        self.active().kind() == "alternate"
    }

    /// Whether the program asked for the mouse.
    pub fn wants_mouse(&self) -> bool {
        self.modes().mouse_tracking() != "none"
    }

    /// Whether arrow keys are `ESC O` now.
    pub fn application_cursor(&self) -> bool {
        self.modes().application_cursor_keys()
    }

    /// The text of a row, counted from the beginning of the scrollback.
    pub fn row_text(&self, row: u32) -> String {
        self.active().line(row).map(|line| line.text()).unwrap_or_default()
    }

    /// Changes one option of a living terminal.
    pub fn set(&self, option: &str, value: impl Into<JsValue>) {
        // Setting a known option of a plain object cannot fail; an unknown one would be our typo.
        let _ = Reflect::set(&self.options(), &option.into(), &value.into());
    }
}

/// Where a file of the build lies: the server knows from its manifest, the browser from the boot script.
pub fn address(name: &str) -> String {
    #[cfg(feature = "ssr")]
    let known = use_context::<crate::Assets>().map(|assets| assets.url(name));
    #[cfg(not(feature = "ssr"))]
    let known = Reflect::get(&js_sys::global(), &"sandboxAssets".into())
        .and_then(|assets| Reflect::get(&assets, &name.into()))
        .ok()
        .and_then(|url| url.as_string());
    known.unwrap_or_else(|| format!("/pkg/{name}"))
}

/// A JavaScript object from its entries.
pub fn object<const N: usize>(entries: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (name, value) in entries {
        // A fresh plain object takes every property.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object
}

/// Links the sheet unless it is there already; the promise is kept when it applies.
fn stylesheet(url: &str) -> Result<Option<Promise>, JsValue> {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return Ok(None);
    };
    if document
        .query_selector(&format!("link[rel='stylesheet'][href='{url}']"))?
        .is_some()
    {
        return Ok(None);
    }
    let link: web_sys::HtmlLinkElement = document.create_element("link")?.unchecked_into();
    link.set_rel("stylesheet");
    link.set_href(url);
    let loaded = Promise::new(&mut |resolve, _| {
        link.set_onload(Some(&resolve));
        // Without its sheet a terminal is ugly; without itself it is nothing.
        link.set_onerror(Some(&resolve));
    });
    document.head().ok_or(JsValue::NULL)?.append_child(&link)?;
    Ok(Some(loaded))
}
