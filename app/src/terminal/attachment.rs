//! This browser's attachment to one terminal: the link decides, the socket carries, the screen shows, and the facts tell
//! the rest of the pane. Here they meet, and nothing is decided.

use super::{
    arrange::Arrange,
    facts::Facts,
    keys::{Key, Said, Sticky, said},
    link::{Effect, HISTORY, Link, Notice, State},
    listen::{Listener, capture, listen},
    screen::{Heard, Look, Op, Screen},
    socket::{Socket, Told},
    timer::{Timer, now},
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, KeyboardEvent};

/// What an attachment is told when it begins.
pub struct Begin {
    pub session: String,
    pub terminal: String,
    pub look: Look,
    pub facts: Facts,
    /// Modifiers of the key bar, which the next typed character takes.
    pub sticky: RwSignal<Sticky>,
    /// Keys that are the pane's and not the terminal's; true when the key was taken.
    pub shortcut: Box<dyn Fn(&KeyboardEvent) -> bool>,
}

/// A living attachment; dropping it detaches and takes the terminal off the page.
pub struct Attachment {
    begin: Begin,
    /// A random name for this page's input, kept over reconnections and not over reloads.
    client: String,
    link: RefCell<Link>,
    socket: RefCell<Option<Socket>>,
    screen: RefCell<Option<Rc<Screen>>>,
    /// What is to be shown before the terminal's code has been loaded; bounded by the host's credit.
    early: RefCell<VecDeque<Op>>,
    arrange: Arrange,
    timer: Timer,
    working: Cell<bool>,
    /// The person has just moved the focus; for as long as the browser tells everybody of it.
    focus_moves: Rc<Cell<bool>>,
    me: Weak<Self>,
    listeners: RefCell<Vec<Listener>>,
    /// What others listen to for as long as this attachment lives.
    kept: RefCell<Vec<Box<dyn std::any::Any>>>,
}

/// What is asked for when somebody wants to see everything.
const ALL_HISTORY: u32 = 10_000;

impl Attachment {
    /// Attaches and shows the terminal in `host`; socket and code are fetched at the same time.
    pub fn begin(host: HtmlElement, begin: Begin) -> Rc<Self> {
        let random = js_sys::Math::random();
        let client = format!(
            "{:x}{:x}",
            (random * 1e15) as u64,
            (js_sys::Math::random() * 1e15) as u64
        );
        let attachment = Rc::new_cyclic(|me: &Weak<Self>| Self {
            client,
            link: RefCell::new(Link::new((random * 1e15) as u64)),
            socket: RefCell::default(),
            screen: RefCell::default(),
            early: RefCell::default(),
            arrange: Arrange::new(host.clone()),
            timer: Timer::default(),
            working: Cell::new(false),
            focus_moves: Rc::default(),
            me: me.clone(),
            listeners: RefCell::default(),
            kept: RefCell::default(),
            begin,
        });
        attachment.listen();
        attachment.with(|link, now| {
            link.paint(attachment.begin.look.ground.theme().colors());
            link.start(now);
        });
        let me = attachment.me.clone();
        spawn_local(async move {
            let Some(look) = me.upgrade().map(|me| me.begin.look) else {
                return;
            };
            let hearer = me.clone();
            let screen = Screen::open(host, look, move |heard| {
                hearer.upgrade().is_some_and(|me| me.hear(heard))
            })
            .await;
            let Some(me) = me.upgrade() else { return };
            match screen {
                Ok(screen) => me.show(screen),
                Err(error) => {
                    let detail = format!("The terminal could not be loaded. Reload the page. ({error:?})");
                    me.begin.facts.broken.set(Some(detail));
                }
            }
        });
        attachment
    }

    /// The terminal on the page, once it is there.
    pub fn screen(&self) -> Option<Rc<Screen>> {
        self.screen.borrow().clone()
    }

    /// Keeps something for as long as the attachment lives.
    pub fn keep(&self, kept: impl std::any::Any) {
        self.kept.borrow_mut().push(Box::new(kept));
    }

    /// Types what a person typed somewhere else than in the terminal (the key bar, an on-screen keyboard).
    pub fn type_text(&self, text: &str) {
        let sticky = self.begin.sticky.get_untracked();
        let text = sticky.apply(text);
        if sticky != Sticky::default() {
            self.begin.sticky.set(Sticky::default());
        }
        self.type_bytes(text.as_bytes());
    }

    /// Presses a key of the key bar.
    pub fn press(&self, key: Key) {
        let sticky = self.begin.sticky.get_untracked();
        let application = self
            .screen()
            .is_some_and(|screen| screen.terminal().application_cursor());
        if sticky != Sticky::default() {
            self.begin.sticky.set(Sticky::default());
        }
        self.type_bytes(key.bytes(sticky, application).as_bytes());
    }

    /// Pastes, in brackets where the program asked for that.
    pub fn paste(&self, text: &str) {
        if let Some(screen) = self.screen() {
            screen.terminal().paste(text);
        }
    }

    /// Makes this window the one whose keys and size count.
    pub fn take_control(&self) {
        self.fit(true);
        self.with(|link, _| link.take_control());
    }

    /// Lets whoever types next drive.
    pub fn release_control(&self) {
        self.with(|link, _| link.release_control());
    }

    /// Fetches all of the history that the host keeps.
    pub fn load_history(&self) {
        self.with(|link, _| link.ask_history(ALL_HISTORY));
    }

    /// Tries to connect now.
    pub fn nudge(&self) {
        self.with(Link::nudge);
    }

    /// Changes how the terminal looks.
    pub fn look(&self, look: Look) {
        self.arrange.prefer(look.font);
        if let Some(screen) = self.screen() {
            screen.look(look);
        }
        self.with(|link, _| link.paint(look.ground.theme().colors()));
        self.fit(false);
    }

    /// The place for the terminal has another size.
    pub fn resized(&self) {
        self.fit(false);
    }

    fn show(&self, screen: Rc<Screen>) {
        self.arrange.prefer(self.begin.look.font);
        for op in self.early.take() {
            screen.push(op);
        }
        focus_if_free(&screen);
        self.screen.replace(Some(screen));
        self.fit(false);
    }

    /// Calls the link and does what comes of it.
    fn with<T>(&self, ask: impl FnOnce(&mut Link, u64) -> T) -> T {
        let answer = ask(&mut self.link.borrow_mut(), now());
        self.work();
        answer
    }

    fn work(&self) {
        // What is done may call back here (xterm.js parses at once after a key): the loop that runs takes that too.
        if self.working.replace(true) {
            return;
        }
        loop {
            let effect = self.link.borrow_mut().effect();
            match effect {
                Some(effect) => self.perform(effect),
                None => break,
            }
        }
        self.working.set(false);
        let deadline = self.link.borrow().deadline();
        let me = self.me.clone();
        self.timer.at(deadline, move || {
            if let Some(me) = me.upgrade() {
                me.with(Link::tick);
            }
        });
    }

    fn perform(&self, effect: Effect) {
        match effect {
            Effect::Connect { since, epoch } => self.connect(since, epoch),
            Effect::Disconnect => drop(self.socket.take()),
            Effect::Probe => self.probe(),
            Effect::Text(text) => {
                if let Some(socket) = &*self.socket.borrow() {
                    socket.text(&text);
                }
            }
            Effect::Binary(bytes) => {
                if let Some(socket) = &*self.socket.borrow() {
                    socket.binary(&bytes);
                }
            }
            Effect::Restore {
                round,
                size,
                ansi,
                until,
            } => {
                self.begin.facts.size.set(size);
                self.put(Op::Restore {
                    round,
                    size,
                    ansi,
                    until,
                });
                self.rearrange();
            }
            Effect::Write { round, bytes, until } => self.put(Op::Write { round, bytes, until }),
            Effect::Resize(size) => {
                self.begin.facts.size.set(size);
                self.put(Op::Resize(size));
                self.rearrange();
            }
            Effect::Title(title) => self.begin.facts.title.set(title),
            Effect::Changed => self.tell(),
            Effect::Notice(notice) => self.begin.facts.notice.set(Some(notice)),
        }
    }

    fn put(&self, op: Op) {
        match self.screen() {
            Some(screen) => screen.push(op),
            None => {
                let mut early = self.early.borrow_mut();
                if matches!(op, Op::Restore { .. }) {
                    early.clear();
                }
                early.push_back(op);
            }
        }
    }

    fn connect(&self, since: Option<u64>, epoch: Option<u64>) {
        let Begin { session, terminal, .. } = &self.begin;
        let mut path = format!(
            "/api/v1/sandbox/sessions/{session}/attach?terminal={terminal}&client={}&history={HISTORY}",
            self.client
        );
        if let (Some(since), Some(epoch)) = (since, epoch) {
            path.push_str(&format!("&since={since}&epoch={epoch}"));
        }
        let me = self.me.clone();
        let socket = Socket::open(&path, move |told| {
            let Some(me) = me.upgrade() else { return };
            match told {
                Told::Opened => me.with(Link::opened),
                Told::Text(text) => me.with(|link, now| link.text(&text, now)),
                Told::Binary(bytes) => me.with(|link, now| link.binary(&bytes, now)),
                Told::Closed(code) => me.with(|link, now| link.closed(code, now)),
            }
        });
        let failed = socket.is_err();
        self.socket.replace(socket.ok());
        if failed {
            self.link.borrow_mut().closed(1006, now());
        }
    }

    fn probe(&self) {
        let me = self.me.clone();
        let url = format!("/api/v1/sandbox/sessions/{}", self.begin.session);
        spawn_local(async move {
            let Some(window) = web_sys::window() else { return };
            let answer = JsFuture::from(window.fetch_with_str(&url)).await;
            let status = answer
                .ok()
                .and_then(|answer| answer.dyn_into::<web_sys::Response>().ok());
            if let Some(me) = me.upgrade() {
                me.with(|link, _| link.probed(status.map(|response| response.status())));
            }
        });
    }

    /// Copies what the link knows to where the pane reads it; only what changed wakes anybody.
    fn tell(&self) {
        let link = self.link.borrow();
        let facts = self.begin.facts;
        let (state, driver) = (link.state(), link.driver());
        let became_driver = driver && !facts.driver.get_untracked();
        set(facts.attachment, link.attachment());
        set(facts.driver, driver);
        set(facts.may_type, link.may_type());
        set(facts.viewers, link.viewers().to_vec());
        match state {
            State::Stale => {
                if facts.stale_since.with_untracked(Option::is_none) {
                    facts.stale_since.set(Some(super::timer::time_of_day()));
                }
            }
            _ => set(facts.stale_since, None),
        }
        set(facts.state, state);
        drop(link);
        if became_driver {
            self.fit(false);
        }
    }

    /// Fits the terminal to its place; `now` without waiting for more changes.
    fn fit(&self, at_once: bool) {
        let Some(screen) = self.screen() else { return };
        if at_once {
            if let Some(size) = self.arrange.measure(&screen, true) {
                self.link.borrow_mut().fit(size);
                self.work();
            }
            self.rearrange();
            return;
        }
        let me = self.me.clone();
        self.arrange.soon(move || {
            let Some(me) = me.upgrade() else { return };
            let Some(screen) = me.screen() else { return };
            let driver = me.link.borrow().driver();
            if let Some(size) = me.arrange.measure(&screen, driver) {
                me.with(|link, _| link.fit(size));
            }
            me.rearrange();
        });
    }

    /// Shows a size that is not ours as large as it goes.
    fn rearrange(&self) {
        let me = self.me.clone();
        self.arrange.settle(move || {
            let Some(me) = me.upgrade() else { return };
            let Some(screen) = me.screen() else { return };
            let fits = me.arrange.scale(&screen);
            set(me.begin.facts.fits, fits);
        });
    }

    fn hear(&self, heard: Heard) -> bool {
        let facts = self.begin.facts;
        match heard {
            Heard::Data(data) => self.said(&data),
            Heard::Binary(data) => {
                if self.link.borrow().driver() {
                    let bytes: Vec<u8> = data.chars().map(|character| character as u8).collect();
                    self.type_bytes(&bytes);
                }
            }
            Heard::Parsed { round, until } => self.with(|link, now| link.parsed(round, until, now)),
            Heard::Shortcut(event) => return event.type_() == "keydown" && (self.begin.shortcut)(&event),
            // A watcher's wheel scrolls what is there; as arrow keys or mouse reports it would be typing.
            Heard::Wheel => {
                let watcher = !self.link.borrow().driver();
                return watcher
                    && self
                        .screen()
                        .is_some_and(|screen| screen.terminal().in_alternate() || screen.terminal().wants_mouse());
            }
            Heard::Bell => facts.bells.update(|bells| *bells = bells.wrapping_add(1)),
            Heard::Selected(selected) => set(facts.selected, selected),
            Heard::Found { index, count } => set(facts.found, (index, count)),
            Heard::Clipboard(text) => {
                // Only one window may ask: the one that is driven, and only while its person is there.
                if !text.is_empty() && self.link.borrow().driver() {
                    facts.offered.set(Some(text));
                }
                return true;
            }
            Heard::Scrolled => {
                let top = self.screen().is_some_and(|screen| {
                    let buffer = screen.terminal().active();
                    buffer.viewport_y() == 0 && buffer.base_y() > 0
                });
                set(facts.at_top, top);
            }
        }
        false
    }

    fn said(&self, data: &str) {
        let driver = self.link.borrow().driver();
        match said(data) {
            Said::Keys => self.type_text(data),
            Said::Mouse if driver => self.type_bytes(data.as_bytes()),
            // When a program switches the reports on, xterm.js reports at once, to each viewer and at every replay; but
            // nobody moved the focus.
            Said::Focus if driver && self.focus_moves.get() => self.type_bytes(data.as_bytes()),
            Said::Mouse | Said::Focus => {}
        }
    }

    fn type_bytes(&self, bytes: &[u8]) {
        if let Err(notice) = self.with(|link, _| link.type_bytes(bytes)) {
            self.begin.facts.notice.set(Some(notice));
        } else if self
            .begin
            .facts
            .notice
            .with_untracked(|notice| matches!(notice, Some(Notice::TooMuch)))
        {
            self.begin.facts.notice.set(None);
        }
    }

    fn listen(&self) {
        let Some(window) = web_sys::window() else { return };
        let me = self.me.clone();
        let nudge = move || {
            if let Some(me) = me.upgrade() {
                me.nudge();
            }
        };
        let mut listeners = self.listeners.borrow_mut();
        for name in ["focus", "blur"] {
            let moves = Rc::clone(&self.focus_moves);
            let over = Rc::new(Timer::default());
            listeners.push(capture(self.arrange.host(), name, move |_| {
                moves.set(true);
                let moves = Rc::clone(&moves);
                over.after(0, move || moves.set(false));
            }));
        }
        for name in ["online", "offline", "pageshow"] {
            let nudge = nudge.clone();
            listeners.push(listen(&window, name, move |_| nudge()));
        }
        if let Some(document) = window.document() {
            let page = document.clone();
            listeners.push(listen(&document, "visibilitychange", move |_| {
                if !page.hidden() {
                    nudge();
                }
            }));
        }
    }
}

/// Whoever opens a terminal wants to type, unless they are in the middle of something, or a keyboard would slide over it.
fn focus_if_free(screen: &Screen) {
    let document = web_sys::window().and_then(|window| window.document());
    let active = document.and_then(|document| document.active_element());
    if !super::preferences::coarse() && active.is_none_or(|active| active.tag_name() == "BODY") {
        screen.terminal().focus();
    }
}

fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
