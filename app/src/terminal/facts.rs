//! What is known of the terminal that is shown, for everything around it.

use super::link::{Notice, State};
use domain::wire::{Size, Viewer};
use leptos::prelude::*;

/// Signals that the attachment writes and the pane's parts read.
#[derive(Clone, Copy)]
pub struct Facts {
    pub state: RwSignal<State>,
    /// Since when what is shown is old, as a time of day.
    pub stale_since: RwSignal<Option<String>>,
    pub viewers: RwSignal<Vec<Viewer>>,
    /// Which of the viewers we are.
    pub attachment: RwSignal<u64>,
    pub driver: RwSignal<bool>,
    pub may_type: RwSignal<bool>,
    pub size: RwSignal<Size>,
    /// Whether the terminal has the size of this pane (and not of another window).
    pub fits: RwSignal<bool>,
    pub title: RwSignal<String>,
    pub notice: RwSignal<Option<Notice>>,
    pub selected: RwSignal<bool>,
    /// Which match is shown (from 0), of how many.
    pub found: RwSignal<(i32, i32)>,
    /// What the program wants on the clipboard.
    pub offered: RwSignal<Option<String>>,
    /// Counts bells.
    pub bells: RwSignal<u32>,
    /// The view is at the beginning of what the browser holds of the history.
    pub at_top: RwSignal<bool>,
    /// What an input method is composing and has not typed.
    pub composing: RwSignal<String>,
    /// Why there is no terminal at all.
    pub broken: RwSignal<Option<String>>,
}

impl Facts {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            state: RwSignal::new(State::Connecting),
            stale_since: RwSignal::new(None),
            viewers: RwSignal::new(Vec::new()),
            attachment: RwSignal::new(0),
            driver: RwSignal::new(false),
            may_type: RwSignal::new(true),
            size: RwSignal::new(Size::default()),
            fits: RwSignal::new(true),
            title: RwSignal::new(String::new()),
            notice: RwSignal::new(None),
            selected: RwSignal::new(false),
            found: RwSignal::new((-1, 0)),
            offered: RwSignal::new(None),
            bells: RwSignal::new(0),
            at_top: RwSignal::new(false),
            composing: RwSignal::new(String::new()),
            broken: RwSignal::new(None),
        }
    }

    /// Another terminal is shown: nothing is known again.
    pub fn forget(self) {
        self.state.set(State::Connecting);
        self.stale_since.set(None);
        self.viewers.set(Vec::new());
        self.driver.set(false);
        self.may_type.set(true);
        self.fits.set(true);
        self.title.set(String::new());
        self.notice.set(None);
        self.selected.set(false);
        self.found.set((-1, 0));
        self.offered.set(None);
        self.at_top.set(false);
        self.composing.set(String::new());
        self.broken.set(None);
    }
}
