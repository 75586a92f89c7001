//! Fingers on the terminal: one scrolls, two change the size of the text, a long press selects, a tap types.

use super::{
    attachment::Attachment,
    glide::Glide,
    listen::{Listener, listen},
    screen::Screen,
    timer::Timer,
};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, Touch, TouchEvent, WheelEvent, WheelEventInit};

/// A finger that moved less than this did not move.
const SLOP: f64 = 8.0;
/// A finger that rests this long selects.
const LONG_PRESS: u64 = 450;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Nothing,
    /// One finger is down and has not moved.
    Waiting,
    Scrolling,
    /// Moving sideways: the browser pans what is wider than the pane.
    Panning,
    /// Selecting from this cell.
    Selecting {
        column: u32,
        row: u32,
    },
    /// Two fingers, this far apart when the text had this size.
    Pinching {
        apart: f64,
        font: f64,
    },
}

struct Fingers {
    doing: Cell<Doing>,
    start: Cell<(f64, f64)>,
    glide: RefCell<Glide>,
    press: Timer,
    frame: Timer,
    font: RwSignal<f64>,
    attachment: Weak<Attachment>,
    me: Weak<Self>,
}

/// Listens to fingers on `host` for as long as the result is kept; `font` is the size of the text.
pub fn touch(host: &HtmlElement, attachment: &Rc<Attachment>, font: RwSignal<f64>) -> Vec<Listener> {
    let fingers = Rc::new_cyclic(|me| Fingers {
        doing: Cell::new(Doing::Nothing),
        start: Cell::default(),
        glide: RefCell::default(),
        press: Timer::default(),
        frame: Timer::default(),
        font,
        attachment: Rc::downgrade(attachment),
        me: Weak::clone(me),
    });
    let on = |name, heard: fn(&Fingers, &TouchEvent)| {
        let fingers = Rc::clone(&fingers);
        listen(host, name, move |event: Event| heard(&fingers, event.unchecked_ref()))
    };
    vec![
        on("touchstart", Fingers::down),
        on("touchmove", Fingers::moved),
        on("touchend", Fingers::up),
        on("touchcancel", Fingers::cancelled),
        {
            // A long press is ours: the browser's own menu would cover the selection. A mouse keeps its menu.
            let fingers = Rc::clone(&fingers);
            listen(host, "contextmenu", move |event| {
                if fingers.doing.get() != Doing::Nothing {
                    event.prevent_default();
                }
            })
        },
    ]
}

impl Fingers {
    fn down(&self, event: &TouchEvent) {
        self.frame.cancel();
        self.press.cancel();
        let touches = event.touches();
        match (touches.item(0), touches.item(1)) {
            (Some(first), Some(second)) => {
                let pinch = Doing::Pinching {
                    apart: distance(&first, &second).max(1.0),
                    font: self.font.get_untracked(),
                };
                self.doing.set(pinch);
            }
            (Some(finger), None) => {
                self.start.set(place(&finger));
                self.doing.set(Doing::Waiting);
                self.glide.borrow_mut().begin(place(&finger).1, event.time_stamp());
                let me = self.me.clone();
                self.press.after(LONG_PRESS, move || {
                    if let Some(me) = me.upgrade() {
                        me.select_word();
                    }
                });
            }
            _ => {}
        }
    }

    fn moved(&self, event: &TouchEvent) {
        let touches = event.touches();
        let Some(finger) = touches.item(0) else { return };
        let (x, y) = place(&finger);
        let (x0, y0) = self.start.get();
        if self.doing.get() == Doing::Waiting && (x - x0).hypot(y - y0) > SLOP {
            self.press.cancel();
            self.doing.set(if (x - x0).abs() > (y - y0).abs() {
                Doing::Panning
            } else {
                Doing::Scrolling
            });
        }
        match self.doing.get() {
            Doing::Scrolling => {
                event.prevent_default();
                let Some(screen) = self.screen() else { return };
                let line = screen.cell().map_or(16.0, |(_, height)| height);
                let lines = self.glide.borrow_mut().drag(y, event.time_stamp(), line);
                self.scroll(&screen, lines, line);
            }
            Doing::Selecting { column, row } => {
                event.prevent_default();
                self.select_to(column, row, x, y);
            }
            Doing::Pinching { apart, font } => {
                event.prevent_default();
                if let Some(second) = touches.item(1) {
                    let size = (font * distance(&finger, &second) / apart).round();
                    super::preferences::set_font(self.font, size);
                }
            }
            Doing::Nothing | Doing::Waiting | Doing::Panning => {}
        }
    }

    fn up(&self, event: &TouchEvent) {
        self.press.cancel();
        match self.doing.replace(Doing::Nothing) {
            Doing::Scrolling => {
                event.prevent_default();
                if self.glide.borrow_mut().release(event.time_stamp()) {
                    self.go_on();
                }
            }
            // The tap that follows would take the selection away.
            Doing::Selecting { .. } | Doing::Pinching { .. } => event.prevent_default(),
            Doing::Nothing | Doing::Waiting | Doing::Panning => {}
        }
    }

    fn cancelled(&self, _: &TouchEvent) {
        self.press.cancel();
        self.doing.set(Doing::Nothing);
    }

    fn go_on(&self) {
        let me = self.me.clone();
        self.frame.after(16, move || {
            let Some(me) = me.upgrade() else { return };
            let Some(screen) = me.screen() else { return };
            let line = screen.cell().map_or(16.0, |(_, height)| height);
            let when = web_sys::window()
                .and_then(|window| window.performance())
                .map_or(0.0, |clock| clock.now());
            let lines = me.glide.borrow_mut().frame(when, line);
            if let Some(lines) = lines {
                me.scroll(&screen, lines, line);
                me.go_on();
            }
        });
    }

    /// Scrolls the history, or tells a full-screen program of a wheel, if we may tell it anything.
    fn scroll(&self, screen: &Screen, lines: i32, line: f64) {
        if lines == 0 {
            return;
        }
        let terminal = screen.terminal();
        if !terminal.in_alternate() && !terminal.wants_mouse() {
            terminal.scroll_lines(lines);
            return;
        }
        let (x, y) = self.start.get();
        let options = WheelEventInit::new();
        options.set_delta_y(f64::from(lines) * line);
        options.set_client_x(x as i32);
        options.set_client_y(y as i32);
        options.set_bubbles(true);
        options.set_cancelable(true);
        if let (Some(area), Ok(wheel)) = (screen.area(), WheelEvent::new_with_event_init_dict("wheel", &options)) {
            // xterm.js turns it into whatever the program asked for.
            let _ = area.dispatch_event(&wheel);
        }
    }

    fn select_word(&self) {
        if self.doing.get() != Doing::Waiting {
            return;
        }
        let (x, y) = self.start.get();
        let Some((screen, column, row)) = self.cell_at(x, y) else {
            return;
        };
        let text: Vec<char> = screen.terminal().row_text(row).chars().collect();
        let word = |at: usize| text.get(at).is_some_and(|c| !c.is_whitespace());
        let at = column as usize;
        let start = (0..=at).rev().take_while(|at| word(*at)).last().unwrap_or(at);
        let end = (at..text.len()).take_while(|at| word(*at)).last().unwrap_or(at);
        screen.terminal().select(start as u32, row, (end - start + 1) as u32);
        self.doing.set(Doing::Selecting {
            column: start as u32,
            row,
        });
    }

    fn select_to(&self, column: u32, row: u32, x: f64, y: f64) {
        let Some((screen, to_column, to_row)) = self.cell_at(x, y) else {
            return;
        };
        let cols = screen.terminal().cols();
        let (from, to) = (row * cols + column, to_row * cols + to_column);
        let start = from.min(to);
        screen
            .terminal()
            .select(start % cols, start / cols, from.abs_diff(to) + 1);
    }

    fn cell_at(&self, x: f64, y: f64) -> Option<(Rc<Screen>, u32, u32)> {
        let screen = self.screen()?;
        let area = screen.area()?.get_bounding_client_rect();
        let (width, height) = screen.cell()?;
        let (cols, rows) = (screen.terminal().cols(), screen.terminal().rows());
        let column = ((x - area.left()) / width).clamp(0.0, f64::from(cols) - 1.0) as u32;
        let row = ((y - area.top()) / height).clamp(0.0, f64::from(rows) - 1.0) as u32;
        let row = row + screen.terminal().active().viewport_y();
        Some((screen, column, row))
    }

    fn screen(&self) -> Option<Rc<Screen>> {
        self.attachment.upgrade()?.screen()
    }
}

fn place(finger: &Touch) -> (f64, f64) {
    (f64::from(finger.client_x()), f64::from(finger.client_y()))
}

fn distance(first: &Touch, second: &Touch) -> f64 {
    let ((x1, y1), (x2, y2)) = (place(first), place(second));
    (x1 - x2).hypot(y1 - y2)
}
