//! One xterm.js on the page: written to in order, told how to look, listened to.
//!
//! xterm.js parses later than it is written to, but is cleared and resized at once; so what must happen *between* two
//! writes waits here until the ones before have been parsed.

use super::{
    quiet::{Quiet, quiet},
    theme::{ANSI_NAMES, CONTRAST, Ground},
    xterm::{FitAddon, SearchAddon, Terminal, WebglAddon, Xterm, object},
};
use domain::wire::Size;
use js_sys::{Function, Object, Reflect, Uint8Array};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Event, HtmlCanvasElement, HtmlElement, KeyboardEvent};

/// A terminal on the page.
pub struct Screen {
    terminal: Terminal,
    fit: FitAddon,
    search: SearchAddon,
    webgl: RefCell<Option<WebglAddon>>,
    host: HtmlElement,
    look: Cell<Look>,
    queue: RefCell<VecDeque<Op>>,
    /// Writes that have not been parsed.
    outstanding: Cell<usize>,
    hear: Rc<dyn Fn(Heard) -> bool>,
    _quiet: Quiet,
    _closures: RefCell<Vec<Box<dyn std::any::Any>>>,
}

/// What the terminal tells.
pub enum Heard {
    /// Typed, pasted, or reported by the mouse.
    Data(String),
    /// The same in an encoding that is not text: one byte a character.
    Binary(String),
    /// A snapshot or output up to here has been parsed.
    Parsed {
        round: u32,
        until: u64,
    },
    /// A key is about to be typed; answered with whether it was meant for us instead.
    Shortcut(KeyboardEvent),
    /// The wheel turned; answered with whether the terminal must not see it.
    Wheel,
    Bell,
    /// Something is selected, or nothing any more.
    Selected(bool),
    /// Which match is shown, of how many.
    Found {
        index: i32,
        count: i32,
    },
    /// The program wants this (base64) on the clipboard.
    Clipboard(String),
    /// The view moved.
    Scrolled,
}

/// How the terminal looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub font: f64,
    pub ground: Ground,
    pub blink: bool,
    pub screen_reader: bool,
}

/// Something to do in order.
pub enum Op {
    /// Clear, resize, write.
    Restore {
        round: u32,
        size: Size,
        ansi: Vec<u8>,
        until: u64,
    },
    Write {
        round: u32,
        bytes: Vec<u8>,
        until: u64,
    },
    Resize(Size),
}

/// Lines of scrollback that the browser keeps: as many as the host.
const SCROLLBACK: u32 = 10_000;

/// The most (in base64) that a program may offer for the clipboard.
const CLIPBOARD_MOST: usize = 256 * 1024;

impl Screen {
    /// Puts a terminal into `host`. `hear` answers questions and must not call back into the screen while it is asked.
    pub async fn open(
        host: HtmlElement,
        look: Look,
        hear: impl Fn(Heard) -> bool + 'static,
    ) -> Result<Rc<Self>, JsValue> {
        let xterm = Xterm::load().await?;
        let terminal = xterm.terminal(&options(&host, look))?;
        xterm.unicode_11(&terminal)?;
        let quiet = quiet(&terminal);
        let fit = xterm.fit(&terminal)?;
        let search = xterm.search(&terminal)?;
        terminal.open(&host);
        let screen = Rc::new(Self {
            terminal,
            fit,
            search,
            webgl: RefCell::default(),
            host,
            look: Cell::new(look),
            queue: RefCell::default(),
            outstanding: Cell::new(0),
            hear: Rc::new(hear),
            _quiet: quiet,
            _closures: RefCell::default(),
        });
        screen.listen(&xterm)?;
        screen.draw_fast(&xterm);
        Ok(screen)
    }

    /// Does `op` after everything before it.
    pub fn push(self: &Rc<Self>, op: Op) {
        let mut queue = self.queue.borrow_mut();
        if matches!(op, Op::Restore { .. }) {
            // The screen begins anew: what has not even been written would be wiped anyway.
            queue.clear();
        }
        queue.push_back(op);
        drop(queue);
        self.work();
    }

    /// The cells that would fill the place the terminal has.
    pub fn room(&self) -> Option<Size> {
        let (cols, rows) = self.fit.room()?;
        (cols >= 2.0 && rows >= 1.0).then(|| Size::clamped(cols as u16, rows as u16))
    }

    /// The size it has.
    pub fn size(&self) -> Size {
        Size::clamped(self.terminal.cols() as u16, self.terminal.rows() as u16)
    }

    /// Width and height of a cell in CSS pixels.
    pub fn cell(&self) -> Option<(f64, f64)> {
        let area = self.area()?.get_bounding_client_rect();
        let (width, height) = (
            area.width() / f64::from(self.terminal.cols()),
            area.height() / f64::from(self.terminal.rows()),
        );
        (width > 0.0 && height > 0.0).then_some((width, height))
    }

    /// The element that holds the cells.
    pub fn area(&self) -> Option<HtmlElement> {
        let element = self.terminal.element()?.query_selector(".xterm-screen").ok()??;
        element.dyn_into().ok()
    }

    /// Changes how it looks.
    pub fn look(&self, look: Look) {
        let before = self.look.replace(look);
        if before.font != look.font {
            self.terminal.set("fontSize", look.font);
        }
        if before.ground != look.ground {
            self.terminal.set("theme", theme(look.ground));
        }
        if before.blink != look.blink {
            self.terminal.set("cursorBlink", look.blink);
        }
        if before.screen_reader != look.screen_reader {
            self.terminal.set("screenReaderMode", look.screen_reader);
        }
    }

    /// xterm.js itself, for what needs no order.
    pub fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Looks for `text`; nothing to look for takes the marks away.
    pub fn find(&self, text: &str, back: bool, incremental: bool) {
        if text.is_empty() {
            self.search.clear();
            (self.hear)(Heard::Found { index: -1, count: 0 });
            return;
        }
        let theme = self.look.get().ground.theme();
        let marks = object([
            ("matchBackground", theme.found.into()),
            ("activeMatchBackground", theme.found_here.into()),
            ("matchOverviewRuler", theme.found.into()),
            ("activeMatchColorOverviewRuler", theme.found_here.into()),
        ]);
        let options = object([("decorations", marks.into()), ("incremental", incremental.into())]);
        if back {
            self.search.find_previous(text, &options)
        } else {
            self.search.find_next(text, &options)
        };
    }

    fn work(self: &Rc<Self>) {
        loop {
            let mut queue = self.queue.borrow_mut();
            let waits = match queue.front() {
                None => return,
                Some(Op::Write { .. }) => false,
                Some(Op::Restore { .. } | Op::Resize(_)) => self.outstanding.get() > 0,
            };
            if waits {
                return;
            }
            let op = queue.pop_front();
            drop(queue);
            match op {
                Some(Op::Write { round, bytes, until }) => self.write(&bytes, round, until, None),
                Some(Op::Resize(size)) => self.resize(size),
                Some(Op::Restore {
                    round,
                    size,
                    ansi,
                    until,
                }) => {
                    let buffer = self.terminal.active();
                    let above = buffer.base_y().saturating_sub(buffer.viewport_y());
                    self.resize(size);
                    // The snapshot clears the terminal itself, so nothing flashes between.
                    self.write(&ansi, round, until, Some(above));
                }
                None => {}
            }
        }
    }

    /// Writes; after a snapshot the view goes back to where it was, `above` lines over the end.
    fn write(self: &Rc<Self>, bytes: &[u8], round: u32, until: u64, above: Option<u32>) {
        self.outstanding.set(self.outstanding.get() + 1);
        let screen = Rc::downgrade(self);
        let parsed = Closure::once_into_js(move || {
            let Some(screen) = Weak::upgrade(&screen) else { return };
            screen.outstanding.set(screen.outstanding.get().saturating_sub(1));
            if let Some(above) = above {
                let base = screen.terminal.active().base_y();
                if above > 0 {
                    screen.terminal.scroll_to_line(base.saturating_sub(above));
                }
            }
            (screen.hear)(Heard::Parsed { round, until });
            screen.work();
        });
        self.terminal.write_with(&Uint8Array::from(bytes), &parsed);
    }

    fn resize(&self, size: Size) {
        if self.size() != size {
            // Refused only for numbers that a `Size` cannot be.
            let _ = self.terminal.resize(size.cols.into(), size.rows.into());
        }
    }

    fn listen(self: &Rc<Self>, xterm: &Xterm) -> Result<(), JsValue> {
        let text = |value: &JsValue| value.as_string().unwrap_or_default();
        let number = |value: &JsValue, name: &str| {
            Reflect::get(value, &name.into())
                .ok()
                .and_then(|n| n.as_f64())
                .unwrap_or(-1.0) as i32
        };
        let terminal = &self.terminal;
        terminal.on_data(&self.hears(move |value| Some(Heard::Data(text(&value)))));
        terminal.on_binary(&self.hears(move |value| Some(Heard::Binary(text(&value)))));
        terminal.on_bell(&self.hears(|_| Some(Heard::Bell)));
        terminal.on_scroll(&self.hears(|_| Some(Heard::Scrolled)));
        let selected = Rc::downgrade(self);
        terminal
            .on_selection(&self.hears(move |_| Some(Heard::Selected(selected.upgrade()?.terminal.has_selection()))));
        self.search.on_results(&self.hears(move |value| {
            Some(Heard::Found {
                index: number(&value, "resultIndex"),
                count: number(&value, "resultCount"),
            })
        }));
        // xterm.js asks whether it shall handle the event, we answer whether it was ours.
        terminal.on_key_event(&self.asks(|event| Heard::Shortcut(event.unchecked_into()), true));
        terminal.on_wheel_event(&self.asks(|_| Heard::Wheel, true));
        let clipboard = self.asks(
            move |data| Heard::Clipboard(offered(&text(&data)).unwrap_or_default()),
            false,
        );
        terminal.parser().on_osc(52, &clipboard);
        xterm.links(terminal, &open_link())
    }

    fn hears(&self, heard: impl Fn(JsValue) -> Option<Heard> + 'static) -> Function {
        let hear = Rc::clone(&self.hear);
        self.keep(Closure::<dyn FnMut(JsValue)>::new(move |value| {
            if let Some(heard) = heard(value) {
                hear(heard);
            }
        }))
    }

    fn asks(&self, heard: impl Fn(JsValue) -> Heard + 'static, negate: bool) -> Function {
        let hear = Rc::clone(&self.hear);
        self.keep(Closure::<dyn FnMut(JsValue) -> bool>::new(move |value| {
            hear(heard(value)) != negate
        }))
    }

    fn keep<T: ?Sized + 'static>(&self, closure: Closure<T>) -> Function {
        let function: Function = closure.as_ref().unchecked_ref::<Function>().clone();
        self._closures.borrow_mut().push(Box::new(closure));
        function
    }

    /// Draws by WebGL where there is a graphics processor, and goes back to the DOM when that goes away.
    fn draw_fast(self: &Rc<Self>, xterm: &Xterm) {
        // A canvas under a finger has been seen blank where the screen has more pixels than the page (it was sized for one
        // and drawn for the other); the few cells of a phone need no graphics processor.
        if is_touched() || !has_graphics() {
            self.say_renderer("dom");
            return;
        }
        let Ok(webgl) = xterm.webgl(&self.terminal) else {
            self.say_renderer("dom");
            return;
        };
        let screen = Rc::downgrade(self);
        let lost: Function = self.keep(Closure::<dyn FnMut()>::new(move || {
            if let Some(screen) = screen.upgrade() {
                screen.draw_plain();
            }
        }));
        webgl.on_context_loss(&lost);
        self.webgl.replace(Some(webgl));
        self.say_renderer("webgl");
    }

    fn draw_plain(&self) {
        if let Some(webgl) = self.webgl.take() {
            webgl.dispose_renderer();
        }
        self.say_renderer("dom");
    }

    /// For whoever wonders why a terminal is slow, and for tests.
    fn say_renderer(&self, renderer: &str) {
        let _ = self.host.set_attribute("data-renderer", renderer);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.terminal.dispose();
    }
}

fn options(host: &HtmlElement, look: Look) -> Object {
    let family = web_sys::window()
        .and_then(|window| window.get_computed_style(host).ok()?)
        .and_then(|style| style.get_property_value("font-family").ok())
        .filter(|family| !family.is_empty())
        .unwrap_or_else(|| "monospace".to_owned());
    let links = object([("activate", open_link().into())]);
    object([
        ("allowProposedApi", true.into()),
        ("scrollback", SCROLLBACK.into()),
        ("fontFamily", family.into()),
        ("fontSize", look.font.into()),
        ("theme", theme(look.ground).into()),
        ("cursorBlink", look.blink.into()),
        ("screenReaderMode", look.screen_reader.into()),
        ("minimumContrastRatio", CONTRAST.into()),
        ("macOptionClickForcesSelection", true.into()),
        ("linkHandler", links.into()),
        ("logLevel", "error".into()),
    ])
}

fn theme(ground: Ground) -> Object {
    let theme = ground.theme();
    let colors = object([
        ("background", theme.background.into()),
        ("foreground", theme.foreground.into()),
        ("cursor", theme.cursor.into()),
        ("cursorAccent", theme.background.into()),
        ("selectionBackground", theme.selection.into()),
    ]);
    for (name, color) in ANSI_NAMES.into_iter().zip(theme.ansi) {
        let _ = Reflect::set(&colors, &name.into(), &color.into());
    }
    colors
}

/// Opens an address the way a page opens what it does not trust.
fn open_link() -> Function {
    let open = Closure::<dyn FnMut(Event, JsValue)>::new(|event: Event, address: JsValue| {
        event.prevent_default();
        let address = address.as_string().unwrap_or_default();
        let web = address.starts_with("https://") || address.starts_with("http://");
        if let (true, Some(window)) = (web, web_sys::window()) {
            let _ = window.open_with_url_and_target_and_features(&address, "_blank", "noopener,noreferrer");
        }
    });
    // One for each terminal that is opened, and it holds nothing.
    open.into_js_value().unchecked_into()
}

/// The base64 of `52;c;…`; nothing when it asks for the clipboard or is too much.
fn offered(data: &str) -> Option<String> {
    let (_, text) = data.split_once(';')?;
    (text != "?" && text.len() <= CLIPBOARD_MOST).then(|| text.to_owned())
}

/// Whether the first way to point here is a finger.
fn is_touched() -> bool {
    web_sys::window()
        .and_then(|window| window.match_media("(pointer: coarse)").ok()?)
        .is_some_and(|list| list.matches())
}

/// Whether WebGL would be drawn by hardware: in software it is slower than the DOM.
fn has_graphics() -> bool {
    let canvas = web_sys::window().and_then(|window| window.document()?.create_element("canvas").ok());
    let Some(canvas) = canvas.and_then(|canvas| canvas.dyn_into::<HtmlCanvasElement>().ok()) else {
        return false;
    };
    let options = object([("failIfMajorPerformanceCaveat", true.into())]);
    matches!(canvas.get_context_with_context_options("webgl2", &options), Ok(Some(_)))
}
