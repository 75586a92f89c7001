//! Typing with an on-screen keyboard: its edits of the hidden field become keystrokes here, and xterm.js does not see
//! them. (It guesses from key events that such keyboards do not send, and doubles or swallows words.)

use super::{
    attachment::Attachment,
    facts::Facts,
    ime::{Shadow, types_live},
    listen::{Listener, capture},
};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsCast;
use web_sys::{CompositionEvent, Event, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

/// The key code of a key event that means "something was edited, look for yourself".
const EDITED: u32 = 229;
/// A field that has grown this long is emptied as soon as nothing is being composed.
const LONG: u32 = 200;

struct Composer {
    shadow: RefCell<Shadow>,
    /// What is being composed and is not typed before it is done.
    held: Cell<bool>,
    composing: Cell<bool>,
    attachment: Weak<Attachment>,
    facts: Facts,
}

/// Listens to the hidden field inside `host` for as long as the result is kept.
pub fn compose(host: &HtmlElement, attachment: &Rc<Attachment>, facts: Facts) -> Vec<Listener> {
    let composer = Rc::new(Composer {
        shadow: RefCell::default(),
        held: Cell::new(false),
        composing: Cell::new(false),
        attachment: Rc::downgrade(attachment),
        facts,
    });
    let on = |name, heard: fn(&Composer, &Event, &HtmlTextAreaElement)| {
        let composer = Rc::clone(&composer);
        capture(host, name, move |event| {
            if let Some(field) = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok())
            {
                heard(&composer, &event, &field);
            }
        })
    };
    vec![
        on("keydown", Composer::key),
        // What a key presses is typed when it has been written into the field. xterm.js would type it now: once more.
        on("keypress", |_, event, _| event.stop_propagation()),
        on("beforeinput", Composer::before),
        on("input", Composer::edited),
        on("compositionstart", Composer::begun),
        on("compositionupdate", Composer::updated),
        on("compositionend", Composer::ended),
        on("blur", |composer, _, _| composer.shadow.borrow_mut().set("")),
    ]
}

impl Composer {
    fn key(&self, event: &Event, _: &HtmlTextAreaElement) {
        if let Some(key) = event.dyn_ref::<KeyboardEvent>()
            && (key.key_code() == EDITED || key.is_composing())
        {
            event.stop_propagation();
        }
    }

    /// Before an edit: whatever the field holds now was put there by others or is known.
    fn before(&self, _: &Event, field: &HtmlTextAreaElement) {
        if !self.held.get() {
            self.shadow.borrow_mut().set(&field.value());
        }
    }

    fn edited(&self, event: &Event, field: &HtmlTextAreaElement) {
        event.stop_propagation();
        if !self.held.get() {
            self.tell(field);
        }
        if !self.composing.get()
            && (field.value().ends_with('\n') || field.value().encode_utf16().count() as u32 > LONG)
        {
            field.set_value("");
            self.shadow.borrow_mut().set("");
        }
    }

    fn begun(&self, event: &Event, _: &HtmlTextAreaElement) {
        event.stop_propagation();
        self.composing.set(true);
    }

    fn updated(&self, event: &Event, _: &HtmlTextAreaElement) {
        event.stop_propagation();
        let text = event
            .dyn_ref::<CompositionEvent>()
            .and_then(CompositionEvent::data)
            .unwrap_or_default();
        // Once held, held to the end: a spelling may pass through letters.
        if self.held.get() || !types_live(&text) {
            self.held.set(true);
            self.facts.composing.set(text);
        }
    }

    fn ended(&self, event: &Event, field: &HtmlTextAreaElement) {
        event.stop_propagation();
        self.composing.set(false);
        if self.held.replace(false) {
            self.facts.composing.set(String::new());
        }
        self.tell(field);
    }

    fn tell(&self, field: &HtmlTextAreaElement) {
        let typed = self.shadow.borrow_mut().edited(&field.value());
        if let (false, Some(attachment)) = (typed.is_empty(), self.attachment.upgrade()) {
            attachment.type_text(&typed);
        }
    }
}
