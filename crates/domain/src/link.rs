//! A client's connection to one terminal (of a page, or of the command line), as decisions without IO: what comes in and
//! what time it is are arguments, what is to be done comes out as [`Effect`]s. So every rule here is tested natively, and
//! the glue around it has none.
//!
//! The rules: output is shown exactly once, by its position; input is numbered, and sent again until it is
//! acknowledged; what the emulator has *parsed* is acknowledged, which is the host's credit; a lost connection is
//! taken up again for ever, at once when the browser says that it is worth it.

mod output;
mod patience;
mod typed;

#[cfg(test)]
mod tests;

use crate::wire::{Colors, Exit, Frame, FromClient, FromTerminal, Size, Viewer};
use output::{Output, Place};
use patience::Patience;
use std::collections::VecDeque;
use typed::Typed;

/// One pane's conversation with one terminal, over any number of sockets.
#[derive(Debug)]
pub struct Link {
    connection: Connection,
    life: Life,
    epoch: Option<u64>,
    output: Output,
    typed: Typed,
    patience: Patience,
    wanted: Option<Size>,
    colors: Option<Colors>,
    attachment: u64,
    driver: bool,
    may_type: bool,
    /// A keystroke has gone to a sleeping session.
    waking: bool,
    /// Lines of scrollback to ask for with a screen.
    history: u32,
    viewers: Vec<Viewer>,
    effects: VecDeque<Effect>,
}

/// What the pane shows about the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing has been shown yet.
    Connecting,
    /// What is shown is what is there.
    Attached,
    /// What is shown is old; the connection is being taken up again.
    Stale,
    /// The session sleeps; the last screen is shown, a keystroke wakes it.
    Asleep,
    /// It was woken and is not there yet.
    Waking,
    /// The program has ended; its last screen is shown.
    Exited(Exit),
    /// The server will not have us; only the person can change that.
    Refused(Refusal),
}

/// Why a server will not have us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The sign-in has ended.
    SignedOut,
    /// This person may not watch this terminal.
    Forbidden,
    /// There is no such session or terminal any more.
    Gone,
}

/// Something the glue is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a new socket; an old one is forgotten without waiting.
    Connect { since: Option<u64>, epoch: Option<u64> },
    /// Close the socket and forget it.
    Disconnect,
    /// Ask the server by HTTP why it does not take the socket; tell [`Link::probed`].
    Probe,
    /// Send a text message.
    Text(String),
    /// Send a binary message.
    Binary(Vec<u8>),
    /// Clear the emulator, give it `size`, write `ansi`, then tell [`Link::parsed`].
    Restore {
        round: u32,
        size: Size,
        ansi: Vec<u8>,
        until: u64,
    },
    /// Write to the emulator, then tell [`Link::parsed`].
    Write { round: u32, bytes: Vec<u8>, until: u64 },
    /// Give the emulator this size, after what was written before.
    Resize(Size),
    /// The window title.
    Title(String),
    /// State, viewers or rights may have changed: read them again.
    Changed,
    /// Tell the person.
    Notice(Notice),
}

/// What the person is told about their input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The buffer for unsent input is full.
    TooMuch,
    /// The program has ended, nobody would read it.
    Ended,
    /// This person only watches.
    MayNotType,
    /// The program was started anew (or the host lost count): what had not arrived was dropped.
    Dropped,
    /// The host said no, in its words.
    Refused { code: String, detail: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// Waiting for [`Patience`] to try again.
    Down,
    /// A socket was asked for.
    Opening,
    /// The socket is open, the terminal has not said anything.
    Greeting,
    /// Attached, but the snapshot has not come: output means nothing yet.
    Expecting,
    Up,
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    Asleep,
    Exited(Exit),
}

impl Link {
    /// A link that has not begun; `seed` only spreads reconnections over time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            connection: Connection::Down,
            life: Life::Running,
            epoch: None,
            output: Output::default(),
            typed: Typed::default(),
            patience: Patience::new(seed),
            wanted: None,
            colors: None,
            attachment: 0,
            driver: false,
            may_type: true,
            waking: false,
            history: HISTORY,
            viewers: Vec::new(),
            effects: VecDeque::new(),
        }
    }

    /// The same link, whose screens come with so many lines of scrollback.
    #[must_use]
    pub const fn with_history(mut self, lines: u32) -> Self {
        self.history = lines;
        self
    }

    /// What the pane shows.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.connection, self.life) {
            (Connection::Refused(refusal), _) => State::Refused(refusal),
            (Connection::Up, Life::Running) => State::Attached,
            (_, Life::Asleep) if self.waking => State::Waking,
            (Connection::Up, Life::Asleep) => State::Asleep,
            (Connection::Up, Life::Exited(exit)) => State::Exited(exit),
            _ if self.output.shown() => State::Stale,
            _ => State::Connecting,
        }
    }

    /// Everybody who looks at the terminal.
    #[must_use]
    pub fn viewers(&self) -> &[Viewer] {
        &self.viewers
    }

    /// Which of the viewers we are.
    #[must_use]
    pub const fn attachment(&self) -> u64 {
        self.attachment
    }

    /// Whether our keys and size count.
    #[must_use]
    pub const fn driver(&self) -> bool {
        self.driver
    }

    /// Whether we may type or take control at all.
    #[must_use]
    pub const fn may_type(&self) -> bool {
        self.may_type
    }

    /// Whether everything that was typed is known to have arrived.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.typed.is_empty()
    }

    /// The next thing to do; ask until there is none.
    pub fn effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Link::tick`] wants to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.patience.deadline()
    }

    /// Connects for the first time, or again after a refusal.
    pub fn start(&mut self, now: u64) {
        self.patience.begin_anew();
        self.connect(now);
    }

    /// The socket is open.
    pub fn opened(&mut self, now: u64) {
        if self.connection == Connection::Opening {
            self.connection = Connection::Greeting;
            self.patience.wait_for_greeting(now);
        }
    }

    /// The socket has closed or could not be opened; `code` is the WebSocket's.
    pub fn closed(&mut self, code: u16, now: u64) {
        let refusal = match code {
            4401 => Some(Refusal::SignedOut),
            4403 => Some(Refusal::Forbidden),
            4404 => Some(Refusal::Gone),
            _ => None,
        };
        match (self.connection, refusal) {
            (Connection::Down | Connection::Refused(_), _) => {}
            (_, Some(refusal)) => self.refuse(refusal),
            (before, None) => {
                // A browser does not say why an upgrade was refused: only an ordinary request can tell.
                if before == Connection::Opening {
                    self.effects.push_back(Effect::Probe);
                }
                self.lose(now);
            }
        }
    }

    /// What HTTP said about the session: its status, or nothing when there was no answer.
    pub fn probed(&mut self, status: Option<u16>) {
        if matches!(self.connection, Connection::Up | Connection::Expecting) {
            return;
        }
        match status {
            Some(401) => self.refuse(Refusal::SignedOut),
            Some(403) => self.refuse(Refusal::Forbidden),
            Some(404) => self.refuse(Refusal::Gone),
            _ => {}
        }
    }

    /// The browser says that now is a good moment: it is online again, or the page is looked at.
    pub fn nudge(&mut self, now: u64) {
        match self.connection {
            Connection::Down => self.connect(now),
            Connection::Refused(_) => self.start(now),
            Connection::Opening | Connection::Greeting => {}
            // The socket may be dead without anybody knowing; a living one answers soon.
            Connection::Expecting | Connection::Up => {
                let ping = self.patience.ask_now(now);
                self.say(&FromClient::Ping { t: ping });
            }
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: u64) {
        match self.patience.due(now) {
            Some(patience::Due::Reconnect) => self.connect(now),
            Some(patience::Due::GiveUp) => {
                self.effects.push_back(Effect::Disconnect);
                self.lose(now);
            }
            Some(patience::Due::Ping(t)) => {
                self.say(&FromClient::Ping { t });
                self.send_typed();
            }
            Some(patience::Due::Ack) => self.acknowledge(),
            None => {}
        }
    }

    /// A text message has come.
    pub fn text(&mut self, text: &str, now: u64) {
        // A message this build does not know is a newer server's: what matters comes in words it knows.
        let Ok(message) = serde_json::from_str::<FromTerminal>(text) else {
            return;
        };
        self.patience.heard(now);
        match message {
            FromTerminal::Attached { .. } => self.attached(message, now),
            FromTerminal::InputAck { at } => {
                self.typed.acknowledged(at);
                self.send_typed();
            }
            FromTerminal::Resized { size } => self.effects.push_back(Effect::Resize(size)),
            FromTerminal::Viewers { viewers } => {
                let me = viewers.iter().find(|viewer| viewer.attachment == self.attachment);
                if let Some(me) = me {
                    (self.driver, self.may_type) = (me.driver, me.may_type);
                }
                self.viewers = viewers;
                self.effects.push_back(Effect::Changed);
            }
            FromTerminal::Title { title } => self.effects.push_back(Effect::Title(title)),
            FromTerminal::Exited { exit } => self.live(Life::Exited(exit)),
            FromTerminal::Asleep => self.live(Life::Asleep),
            FromTerminal::Reconnect { .. } => {
                self.effects.push_back(Effect::Disconnect);
                self.lose(now);
                if self.patience.may_hurry(now) {
                    self.connect(now);
                }
            }
            FromTerminal::Pong { t } => self.patience.answered(t, now),
            FromTerminal::Refused { code, .. } if matches!(code.as_str(), "input-full" | "input-gap") => {
                // Sent again when the next acknowledgement says from where.
                self.typed.rewind();
            }
            FromTerminal::Refused { code, detail } => {
                self.waking = false;
                self.effects.push_back(Effect::Notice(Notice::Refused { code, detail }));
                self.effects.push_back(Effect::Changed);
            }
        }
    }

    /// A binary message has come.
    pub fn binary(&mut self, bytes: &[u8], now: u64) {
        self.patience.heard(now);
        match Frame::decode(bytes) {
            Ok(Frame::Snapshot { seq, size, ansi }) => {
                if !matches!(self.connection, Connection::Up | Connection::Expecting) {
                    return;
                }
                self.connection = Connection::Up;
                let round = self.output.restored(seq);
                let ansi = ansi.to_vec();
                self.effects.push_back(Effect::Restore {
                    round,
                    size,
                    ansi,
                    until: seq,
                });
                self.effects.push_back(Effect::Changed);
            }
            Ok(Frame::Output { seq, bytes }) if self.connection == Connection::Up => {
                match self.output.place(seq, bytes) {
                    Place::New { fresh, until } => {
                        let (round, bytes) = (self.output.round(), fresh.to_vec());
                        self.effects.push_back(Effect::Write { round, bytes, until });
                    }
                    Place::Seen => {}
                    Place::Gap => {
                        self.effects.push_back(Effect::Disconnect);
                        self.lose(now);
                        self.connect(now);
                    }
                }
            }
            _ => {}
        }
    }

    /// The emulator has parsed everything before `until` of this `round`.
    pub fn parsed(&mut self, round: u32, until: u64, now: u64) {
        if self.output.parsed(round, until) {
            self.acknowledge();
        } else if self.output.owes() {
            self.patience.acknowledge_soon(now);
        }
    }

    /// The person has typed (or pasted, or moved the mouse where the program asked for that).
    pub fn type_bytes(&mut self, bytes: &[u8]) -> Result<(), Notice> {
        if !self.may_type {
            return Err(Notice::MayNotType);
        }
        match self.life {
            Life::Running => {}
            Life::Exited(_) => return Err(Notice::Ended),
            // The key wakes the session and is gone: the program that will read does not know yet what it would mean.
            Life::Asleep => {
                self.wake(bytes);
                return Ok(());
            }
        }
        if !self.typed.push(bytes) {
            return Err(Notice::TooMuch);
        }
        self.send_typed();
        Ok(())
    }

    /// The pane has room for this many cells; counts while we drive.
    pub fn fit(&mut self, size: Size) {
        if self.wanted != Some(size) {
            self.wanted = Some(size);
            self.say_size();
        }
    }

    /// The page shows the terminal in these colours; a program that asks is told them while we drive.
    pub fn paint(&mut self, colors: Colors) {
        if self.colors != Some(colors) {
            self.colors = Some(colors);
            self.say_colors();
        }
    }

    /// Asks to become the driver.
    pub fn take_control(&mut self) {
        self.say_size();
        self.say(&FromClient::TakeControl);
    }

    /// Lets whoever types next drive.
    pub fn release_control(&mut self) {
        self.say(&FromClient::ReleaseControl);
    }

    /// Asks for a new snapshot with up to `lines` of scrollback.
    pub fn ask_history(&mut self, lines: u32) {
        self.say(&FromClient::Snapshot { history: lines });
    }

    fn attached(&mut self, message: FromTerminal, now: u64) {
        let FromTerminal::Attached {
            attachment,
            epoch,
            input,
            size,
            driver,
            may_type,
            seq,
            snapshot,
        } = message
        else {
            return;
        };
        // A terminal whose program is started anew may greet again on the same socket.
        if self.connection != Connection::Greeting && !self.open() {
            return;
        }
        let same = self.epoch == Some(epoch);
        // Before the first hello there was no other program that the keys could have been meant for.
        let kept = if same || self.epoch.is_none() {
            self.typed.resume(input)
        } else {
            self.typed.start_over(input)
        };
        if !same {
            self.life = Life::Running;
            self.waking = false;
        }
        if !kept {
            self.effects.push_back(Effect::Notice(Notice::Dropped));
        }
        (self.epoch, self.attachment) = (Some(epoch), attachment);
        (self.driver, self.may_type) = (driver, may_type);
        self.patience.attached(now);
        if snapshot {
            self.connection = Connection::Expecting;
        } else if same && self.output.goes_on_at(seq) {
            self.connection = Connection::Up;
            self.effects.push_back(Effect::Resize(size));
        } else {
            // The host believes we hold what we do not: begin with a clear screen.
            self.connection = Connection::Expecting;
            let history = self.history;
            self.say(&FromClient::Snapshot { history });
        }
        self.say_size();
        self.say_colors();
        self.send_typed();
        self.effects.push_back(Effect::Changed);
    }

    fn wake(&mut self, bytes: &[u8]) {
        if self.connection == Connection::Up && !self.waking {
            self.waking = true;
            let bytes = &bytes[..bytes.len().min(1)];
            self.effects
                .push_back(Effect::Binary(Frame::Input { at: 0, bytes }.encode()));
            self.effects.push_back(Effect::Changed);
        }
    }

    fn live(&mut self, life: Life) {
        self.life = life;
        self.waking = false;
        self.effects.push_back(Effect::Changed);
    }

    fn connect(&mut self, now: u64) {
        self.connection = Connection::Opening;
        self.patience.wait_for_greeting(now);
        let (since, epoch) = (self.output.next(), self.epoch);
        self.effects.push_back(Effect::Connect { since, epoch });
        self.effects.push_back(Effect::Changed);
    }

    fn lose(&mut self, now: u64) {
        self.connection = Connection::Down;
        self.viewers.clear();
        self.patience.lost(now);
        self.effects.push_back(Effect::Changed);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.connection = Connection::Refused(refusal);
        self.viewers.clear();
        self.patience.rest();
        self.effects.push_back(Effect::Disconnect);
        self.effects.push_back(Effect::Changed);
    }

    fn acknowledge(&mut self) {
        self.patience.acknowledged();
        if let Some(seq) = self.output.acknowledge() {
            self.say(&FromClient::Ack { seq });
        }
    }

    fn send_typed(&mut self) {
        if !self.open() {
            return;
        }
        while let Some((at, bytes)) = self.typed.next_frame() {
            let frame = Frame::Input { at, bytes: &bytes }.encode();
            self.effects.push_back(Effect::Binary(frame));
        }
    }

    fn say_size(&mut self) {
        if let Some(Size { cols, rows }) = self.wanted {
            self.say(&FromClient::Resize { cols, rows });
        }
    }

    fn say_colors(&mut self) {
        if let Some(colors) = self.colors {
            self.say(&FromClient::Colors { colors });
        }
    }

    fn say(&mut self, message: &FromClient) {
        if self.open()
            && let Ok(text) = serde_json::to_string(message)
        {
            self.effects.push_back(Effect::Text(text));
        }
    }

    const fn open(&self) -> bool {
        matches!(self.connection, Connection::Expecting | Connection::Up)
    }
}

/// Lines of scrollback asked for with the first screen: a few pages; the rest comes when it is asked for.
pub const HISTORY: u32 = 400;
