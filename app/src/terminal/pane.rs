//! What the parts of a pane share: which terminal is shown, how it looks, and the attachment behind it.

use super::{
    attachment::Attachment,
    facts::Facts,
    keys::{Key, Sticky},
    preferences,
    screen::{Look, Screen},
    theme::Ground,
};
use domain::{
    host::{AGENT, TerminalStatus},
    session::View,
    wire::Size,
};
use leptos::prelude::*;
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// One pane; copied freely.
#[derive(Clone, Copy)]
pub struct Pane {
    pub session: Signal<View>,
    /// The id of the terminal that is shown.
    pub shown: RwSignal<String>,
    pub facts: Facts,
    pub font: RwSignal<f64>,
    pub ground: RwSignal<Ground>,
    pub screen_reader: RwSignal<bool>,
    pub sticky: RwSignal<Sticky>,
    /// The pane covers the whole page.
    pub full: RwSignal<bool>,
    pub searching: RwSignal<bool>,
    /// An on-screen keyboard is open.
    pub keyboard: RwSignal<bool>,
    pub on_resume: Option<Callback<()>>,
    slot: StoredValue<u32>,
}

thread_local! {
    // Attachments belong to the browser's one thread, signals may be anybody's: so the signals' side keeps a number.
    static SLOTS: RefCell<HashMap<u32, Rc<Attachment>>> = RefCell::default();
}

/// The size of text before the device was asked what it remembers.
const USUAL: f64 = 13.0;

impl Pane {
    /// A pane of this session that shows its agent.
    pub fn new(session: Signal<View>, on_resume: Option<Callback<()>>) -> Self {
        Self {
            session,
            shown: RwSignal::new(AGENT.to_owned()),
            facts: Facts::new(),
            font: RwSignal::new(USUAL),
            ground: RwSignal::new(Ground::default()),
            screen_reader: RwSignal::new(false),
            sticky: RwSignal::new(Sticky::default()),
            full: RwSignal::new(false),
            searching: RwSignal::new(false),
            keyboard: RwSignal::new(false),
            on_resume,
            slot: StoredValue::new(0),
        }
    }

    /// The attachment, while there is one.
    pub fn attachment(self) -> Option<Rc<Attachment>> {
        let slot = self.slot.try_get_value()?;
        SLOTS.with_borrow(|slots| slots.get(&slot).cloned())
    }

    /// The terminal on the page, while there is one.
    pub fn screen(self) -> Option<Rc<Screen>> {
        self.attachment()?.screen()
    }

    /// Keeps another attachment; the one before is dropped.
    pub fn attach(self, attachment: Rc<Attachment>) {
        let slot = SLOTS.with_borrow_mut(|slots| {
            let slot = slots.keys().max().map_or(1, |last| last + 1);
            slots.insert(slot, attachment);
            slot
        });
        self.detach();
        self.slot.set_value(slot);
    }

    /// Drops the attachment.
    pub fn detach(self) {
        // Taken out first: what is dropped may look here.
        let gone = self
            .slot
            .try_get_value()
            .and_then(|slot| SLOTS.with_borrow_mut(|slots| slots.remove(&slot)));
        drop(gone);
    }

    /// How the terminal should look now.
    pub fn look(self) -> Look {
        Look {
            font: self.font.get(),
            ground: self.ground.get(),
            blink: !preferences::still(),
            screen_reader: self.screen_reader.get(),
        }
    }

    /// Puts the focus into the terminal.
    pub fn focus(self) {
        if let Some(screen) = self.screen() {
            screen.terminal().focus();
        }
    }

    /// Presses a key of the key bar.
    pub fn press(self, key: Key) {
        if let Some(attachment) = self.attachment() {
            attachment.press(key);
        }
    }

    /// Changes the size of the text.
    pub fn zoom(self, by: f64) {
        preferences::set_font(self.font, self.font.get_untracked() + by);
    }

    /// The terminals there are; the agent's always, and the one that was just opened before the session says so.
    pub fn terminals(self) -> Vec<(String, String)> {
        let live = self.session.with(|view| {
            view.live
                .as_ref()
                .map(|live| live.terminals.clone())
                .unwrap_or_default()
        });
        let label = |terminal: &TerminalStatus| {
            let label = if terminal.label.is_empty() {
                terminal.id.clone()
            } else {
                terminal.label.clone()
            };
            (terminal.id.clone(), label)
        };
        let mut terminals: Vec<_> = live.iter().map(label).collect();
        if !terminals.iter().any(|(id, _)| id == AGENT) {
            terminals.insert(0, (AGENT.to_owned(), "Agent".to_owned()));
        }
        let shown = self.shown.get();
        if !terminals.iter().any(|(id, _)| *id == shown) {
            let label = shown.replace("shell-", "Shell ");
            terminals.push((shown, label));
        }
        terminals
    }

    /// The size a new terminal should have: that of the one that is shown.
    pub fn size(self) -> Size {
        self.facts.size.get_untracked()
    }
}
