//! This terminal as one more device of a session: the link decides, the socket carries, the screen shows.

mod keys;
mod quiet;
mod screen;
mod socket;
mod tty;

use crate::{
    At,
    api::Api,
    out, sessions,
    trouble::{Kind, Trouble},
};
use clap::Args;
use domain::{
    host::AGENT,
    link::{Effect, Link, Notice, Refusal, State},
    wire::{Exit, FromTerminal, Size},
};
use keys::Detach;
use rustix::process::Signal;
use screen::Screen;
use socket::{ABNORMAL, Socket, Told};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// What `sandbox sessions attach` heeds.
#[derive(Debug, Args)]
pub struct Attach {
    #[command(flatten)]
    at: At,
    /// The session: its id, or the beginning of its name.
    session: String,
    /// Which of its terminals: `agent`, `shell-1`, …
    #[arg(long, default_value = AGENT, value_parser = terminal)]
    terminal: String,
    /// Only look: nothing that you type is sent. Where standard output is no terminal, what is shown is written there raw.
    #[arg(long)]
    read_only: bool,
    /// Drive also where somebody else does: your keys and the size of your window count from then on.
    #[arg(long, conflicts_with = "read_only")]
    take_control: bool,
    /// The key that leaves the session running and gives your terminal back: `ctrl-]`, `ctrl-q`, …, or `none`.
    #[arg(long, env = "SANDBOX_DETACH_KEY", default_value = "ctrl-]")]
    detach_key: Detach,
}

/// Reads a terminal's id.
fn terminal(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| text.to_owned())
        .ok_or_else(|| "say a terminal's id, such as agent or shell-1".to_owned())
}

/// Refuses to attach where nobody could type.
pub(crate) fn check_terminal() -> Result<(), Trouble> {
    if tty::is_there() {
        return Ok(());
    }
    let sentence = "Attaching needs a terminal to type in and to show the session on. To write what is shown to a file or \
                    another program, say --read-only.";
    Err(Trouble::refused(sentence))
}

impl Attach {
    /// As if nothing but the session had been said.
    pub(crate) fn to(session: String) -> Self {
        Self {
            at: At::default(),
            session,
            terminal: AGENT.to_owned(),
            read_only: false,
            take_control: false,
            detach_key: Detach::default(),
        }
    }

    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        if !self.read_only {
            check_terminal()?;
        }
        let api = self.at.api()?;
        self.enter(api).await
    }

    /// Attaches, and stays until the person, the program or the server ends it.
    pub(crate) async fn enter(self, api: Api) -> Result<ExitCode, Trouble> {
        let item = sessions::meant(&api, &self.session).await?;
        let (id, name) = sessions::names(&item);
        sessions::until_there(&api, &id).await?;
        let plain = !tty::is_there();
        if !plain {
            out::tell(&format!("Attaching to {name}. {} leaves it running.", self.detach_key));
        }
        let mut signals = Signals::new()?;
        let taken = if plain { None } else { Some(tty::Taken::take()?) };
        let (screen, mut shown) = Screen::begin(plain)?;
        screen.keep_title();
        let mut keys = if plain { None } else { Some(read_keys()) };
        let mut here = Here {
            link: Link::new(rand::random()).with_history(0),
            socket: None,
            refused: None,
            missed: None,
            reached: false,
            unreachable: None,
            screen,
            taken,
            plain,
            path: format!(
                "/api/v1/sandbox/sessions/{id}/attach?terminal={}&client={:032x}&history=0",
                self.terminal,
                rand::random::<u128>()
            ),
            name: name.clone(),
            title: String::new(),
            titled: None,
            notice: None,
            dropped: false,
            size: None,
            api,
            read_only: self.read_only,
            take_control: self.take_control,
            greeted: false,
            over: Over::No,
            waiting: Vec::new(),
            detach: self.detach_key,
            started: Instant::now(),
        };
        let end = here.live(&mut signals, keys.as_mut(), &mut shown).await;
        let settled = here.link.settled() && here.waiting.is_empty();
        let Here {
            screen,
            taken,
            api,
            dropped,
            ..
        } = here;
        screen.finish();
        drop(taken);
        if dropped {
            out::tell("The program was started anew meanwhile: what had not arrived before was dropped.");
        }
        if !settled {
            out::tell("The last of what you typed has not arrived: there was no connection.");
        }
        end.told(&api, &id, &name, plain)
    }
}

/// Why this terminal is the person's again.
#[derive(Debug)]
enum End {
    Detached,
    Exited(Exit),
    Refused(Refusal),
    Signal(Signal),
    /// The server cannot be reached, and trying again would not help.
    Unreachable(Trouble),
    /// The terminal itself is gone.
    HungUp,
    Broken(std::io::Error),
}

impl End {
    fn told(self, api: &Api, id: &str, name: &str, plain: bool) -> Result<ExitCode, Trouble> {
        match self {
            Self::Detached => {
                out::tell(&format!("{name} runs on. To come back: sandbox sessions attach {id}"));
                Ok(ExitCode::SUCCESS)
            }
            Self::Exited(exit) => {
                let how = match exit {
                    Exit::Code(code) => format!("with status {code}"),
                    Exit::Signal(signal) => format!("by signal {signal}"),
                };
                out::tell(&format!(
                    "The program of {name} has ended {how}. To start it again: sandbox sessions resume {id}"
                ));
                Ok(ExitCode::SUCCESS)
            }
            Self::Refused(Refusal::SignedOut) => Err(Trouble::signed_out(Some(&api.server))),
            Self::Refused(Refusal::Forbidden) => Err(Trouble::refused("You may not watch this terminal any more.")),
            Self::Refused(Refusal::Gone) => {
                let sentence = format!("{name} has no such terminal, or is gone. See: sandbox sessions list");
                Err(Trouble::new(Kind::Unclear, sentence))
            }
            Self::Signal(signal) => Ok(ExitCode::from(128 + u8::try_from(signal.as_raw()).unwrap_or_default())),
            Self::Unreachable(trouble) => Err(trouble),
            // Whoever reads from us has enough.
            Self::HungUp if plain => Ok(ExitCode::SUCCESS),
            Self::HungUp => Ok(ExitCode::from(129)),
            Self::Broken(error) => Err(error.into()),
        }
    }
}

/// One attachment, over any number of sockets.
struct Here {
    link: Link,
    socket: Option<Socket>,
    /// What HTTP said when a socket was refused.
    refused: Option<u16>,
    /// Why no socket came of the last attempt.
    missed: Option<String>,
    /// Whether a socket was ever open.
    reached: bool,
    /// Why none ever will be, as things are.
    unreachable: Option<Trouble>,
    screen: Screen,
    taken: Option<tty::Taken>,
    plain: bool,
    path: String,
    name: String,
    /// The title that the program has set.
    title: String,
    /// The title that is shown.
    titled: Option<String>,
    /// What the person is to be told; until they type again.
    notice: Option<String>,
    dropped: bool,
    /// The size of the screen that is shown.
    size: Option<Size>,
    api: Api,
    read_only: bool,
    take_control: bool,
    /// Whether the first hello was heard.
    greeted: bool,
    over: Over,
    /// What was typed and does not fit the link yet.
    waiting: Vec<u8>,
    detach: Detach,
    started: Instant,
}

/// Whether the program has ended for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    No,
    Asked,
    Known,
}

/// How long the last keys may take to arrive, when the person leaves.
const LAST_KEYS: Duration = Duration::from_secs(2);

impl Here {
    /// Lives until something ends it.
    async fn live(
        &mut self,
        signals: &mut Signals,
        mut keys: Option<&mut mpsc::Receiver<Vec<u8>>>,
        shown: &mut mpsc::UnboundedReceiver<screen::Shown>,
    ) -> End {
        self.fit();
        self.with(Link::start);
        let mut leave_by: Option<Instant> = None;
        loop {
            self.ask_whether_over();
            if let Some(end) = self.ended() {
                return end;
            }
            if let Some(by) = leave_by
                && (Instant::now() >= by || (self.link.settled() && self.waiting.is_empty()))
            {
                return End::Detached;
            }
            let deadline = self.link.deadline().map(|at| self.started + Duration::from_millis(at));
            let deadline = [deadline, leave_by].into_iter().flatten().min();
            let read = leave_by.is_none() && self.waiting.is_empty();
            tokio::select! {
                told = next(&mut self.socket) => self.heard(told),
                typed = typed(&mut keys), if read => match typed {
                    None => return End::HungUp,
                    Some(typed) => {
                        if self.typed(typed) {
                            leave_by = Some(Instant::now() + LAST_KEYS);
                        }
                    }
                },
                done = shown.recv() => match done {
                    None => return End::HungUp,
                    Some((round, until)) => self.with(|link, now| link.parsed(round, until, now)),
                },
                signal = signals.next() => match signal {
                    Signal::WINCH => {
                        self.fit();
                        self.redraw();
                    }
                    Signal::TSTP => {
                        if let Some(taken) = &self.taken
                            && let Err(error) = taken.stop_here()
                        {
                            return End::Broken(error);
                        }
                        self.came_back();
                    }
                    Signal::CONT => {
                        if let Some(taken) = &self.taken
                            && let Err(error) = taken.again()
                        {
                            return End::Broken(error);
                        }
                        self.came_back();
                    }
                    signal => return End::Signal(signal),
                },
                () = sleep_until(deadline) => self.with(Link::tick),
            }
            self.type_waiting();
        }
    }

    /// A program that has ended may be that of a session that sleeps, and which a key wakes: that is said right after. So
    /// the other side is asked for an answer, which comes after everything that was said before.
    fn ask_whether_over(&mut self) {
        match (self.link.state(), self.over) {
            (State::Exited(_), Over::No) => {
                self.over = Over::Asked;
                self.with(Link::nudge);
            }
            (State::Exited(_), _) => {}
            _ => self.over = Over::No,
        }
    }

    fn ended(&mut self) -> Option<End> {
        if let Some(trouble) = self.unreachable.take() {
            return Some(End::Unreachable(trouble));
        }
        match self.link.state() {
            State::Exited(exit) if self.over == Over::Known => Some(End::Exited(exit)),
            State::Refused(refusal) => Some(End::Refused(refusal)),
            State::Exited(_) | State::Connecting | State::Attached | State::Stale | State::Asleep | State::Waking => {
                None
            }
        }
    }

    fn heard(&mut self, told: Told) {
        match told {
            Told::Opened => {
                (self.missed, self.reached) = (None, true);
                self.with(Link::opened);
            }
            Told::Text(text) => {
                self.with(|link, now| link.text(&text, now));
                if self.over == Over::Asked && matches!(serde_json::from_str(&text), Ok(FromTerminal::Pong { .. })) {
                    self.over = Over::Known;
                }
            }
            Told::Binary(bytes) => self.with(|link, now| link.binary(&bytes, now)),
            Told::Closed(code) => self.lost(code, None),
            Told::Refused(status) => {
                // What is final ends this by itself; anything else is worth another try, and a word.
                self.missed = Some(format!("the server answers {status}"));
                self.lost(ABNORMAL, Some(status));
            }
            Told::Missed(no) => {
                self.missed = Some(no.sentence.clone());
                // Whoever was attached may be again: a certificate is renewed, a proxy comes back.
                if no.lasting && !self.reached {
                    self.unreachable = Some(no.into());
                }
                self.lost(ABNORMAL, None);
            }
        }
    }

    fn lost(&mut self, code: u16, status: Option<u16>) {
        (self.socket, self.refused) = (None, status);
        self.with(|link, now| link.closed(code, now));
    }

    /// Takes what was typed; true when the person wants to leave.
    fn typed(&mut self, mut typed: Vec<u8>) -> bool {
        let leave = self.detach.find(&typed);
        if let Some(at) = leave {
            typed.truncate(at);
        }
        let counts = self.link.driver() || !keys::is_report(&typed);
        if counts && !self.read_only {
            if self.notice.take().is_some() {
                self.show_title();
            }
            self.waiting = typed;
        }
        leave.is_some()
    }

    /// Gives the link what it has room for.
    fn type_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = core::mem::take(&mut self.waiting);
        let refused = self.link.type_bytes(&waiting).err();
        match refused {
            // As soon as something has arrived there is room.
            Some(Notice::TooMuch) => self.waiting = waiting,
            Some(notice) => self.notify(notice),
            None => {}
        }
        self.work();
    }

    /// Tells the link how large the window is.
    fn fit(&mut self) {
        if let Some(size) = tty::size().filter(|_| !self.read_only && !self.plain) {
            self.with(|link, _| link.fit(size));
        }
    }

    /// Asks for the screen as it is: what is shown has been disturbed.
    fn redraw(&mut self) {
        if !self.plain {
            self.with(|link, _| link.ask_history(0));
        }
    }

    /// The shell has had the terminal meanwhile.
    fn came_back(&mut self) {
        self.screen.keep_title();
        self.titled = None;
        self.fit();
        self.with(Link::nudge);
        self.redraw();
        self.show_title();
    }

    /// Calls the link and does what comes of it.
    fn with(&mut self, ask: impl FnOnce(&mut Link, u64)) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        ask(&mut self.link, now);
        self.work();
    }

    fn work(&mut self) {
        while let Some(effect) = self.link.effect() {
            self.perform(effect);
        }
        self.show_title();
    }

    fn perform(&mut self, effect: Effect) {
        let clipboard = self.link.driver() && !self.read_only;
        match effect {
            Effect::Connect { since, epoch } => {
                let mut path = self.path.clone();
                if let (Some(since), Some(epoch)) = (since, epoch) {
                    path.push_str(&format!("&since={since}&epoch={epoch}"));
                }
                self.socket = Some(Socket::open(&self.api, &path));
            }
            Effect::Disconnect => self.socket = None,
            // Unlike a page we were told why the socket was refused.
            Effect::Probe => self.link.probed(self.refused.take()),
            Effect::Text(text) => {
                if let Some(socket) = &self.socket {
                    socket.text(text);
                }
            }
            Effect::Binary(bytes) => {
                if let Some(socket) = &self.socket {
                    socket.binary(bytes);
                }
            }
            Effect::Restore {
                round,
                size,
                ansi,
                until,
            } => {
                self.size = Some(size);
                self.titled = None;
                self.screen.restore(&ansi, (round, until), clipboard);
            }
            Effect::Write { round, bytes, until } => self.screen.write(&bytes, (round, until), clipboard),
            // Unlike xterm.js a terminal cannot be told to be as large as another, and to arrange what it shows: only a new
            // screen is right.
            Effect::Resize(size) => {
                if self.size.replace(size) != Some(size) && !self.plain {
                    self.link.ask_history(0);
                }
            }
            Effect::Title(title) => {
                self.title = title;
                self.titled = None;
            }
            Effect::Changed => self.changed(),
            Effect::Notice(Notice::Dropped) => self.dropped = true,
            Effect::Notice(notice) => self.notify(notice),
        }
    }

    /// At the first hello: drives, where nobody else does.
    fn changed(&mut self) {
        if self.greeted || self.link.state() != State::Attached {
            return;
        }
        self.greeted = true;
        if self.read_only {
            // Whoever only looks and is alone would keep the drive from who comes to type.
            if self.link.driver() && self.link.viewers().len() <= 1 {
                self.link.release_control();
            }
        } else if self.take_control || self.link.driver() {
            // A page shows another window's size as small as it must; a terminal cannot, so its size counts at once.
            self.link.take_control();
        }
    }

    fn notify(&mut self, notice: Notice) {
        self.notice = Some(match notice {
            Notice::MayNotType => "you may only look".to_owned(),
            Notice::Ended => "the program has ended".to_owned(),
            Notice::TooMuch | Notice::Dropped => return,
            Notice::Refused { code, .. } if code == "not-driver" => {
                "somebody else drives; attach with --take-control to drive".to_owned()
            }
            Notice::Refused { detail, .. } => detail,
        });
        self.titled = None;
    }

    /// Says in the window's title how things are: what the terminal shows is the session's alone.
    fn show_title(&mut self) {
        let window = tty::size();
        let again = |what: &str| match &self.missed {
            Some(why) => format!("{what}: {}", why.trim_end_matches('.')),
            None => what.to_owned(),
        };
        let state = match self.link.state() {
            State::Stale => Some(again("connection lost, trying again")),
            State::Connecting if self.missed.is_some() => Some(again("trying again")),
            State::Asleep => Some("asleep, a key wakes it".to_owned()),
            State::Waking => Some("waking".to_owned()),
            _ => self.notice.clone().or_else(|| {
                let (screen, window) = (self.size?, window?);
                (screen != window).then(|| format!("{}×{} in another window", screen.cols, screen.rows))
            }),
        };
        let title = match (state, self.title.is_empty()) {
            (Some(state), _) => format!("{state} – {}", self.name),
            (None, true) => format!("{} – {} leaves it running", self.name, self.detach),
            (None, false) => self.title.clone(),
        };
        if self.titled.as_ref() != Some(&title) && self.screen.title(&title) {
            self.titled = Some(title);
        }
    }
}

async fn next(socket: &mut Option<Socket>) -> Told {
    match socket {
        Some(socket) => socket.next().await,
        None => core::future::pending().await,
    }
}

/// What is typed next; `None` when the terminal is gone. Where nobody types it waits for ever.
async fn typed(keys: &mut Option<&mut mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match keys {
        Some(keys) => keys.recv().await,
        None => core::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => core::future::pending().await,
    }
}

/// Reads what is typed, on a thread that may wait for it as long as the process lives.
fn read_keys() -> mpsc::Receiver<Vec<u8>> {
    let (tell, keys) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut buffer = [0; 8 * 1024];
        loop {
            match rustix::io::read(std::io::stdin(), &mut buffer) {
                Ok(count) if count > 0 => {
                    if tell.blocking_send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    let stdin = std::io::stdin();
                    let mut wait = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::IN)];
                    if rustix::event::poll(&mut wait, None).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    });
    keys
}

/// The signals that an attachment heeds.
struct Signals(mpsc::Receiver<Signal>);

impl Signals {
    fn new() -> std::io::Result<Self> {
        let (tell, signals) = mpsc::channel(8);
        let heeded = [
            Signal::WINCH,
            Signal::TSTP,
            Signal::CONT,
            Signal::TERM,
            Signal::HUP,
            Signal::INT,
            Signal::QUIT,
        ];
        for heeded in heeded {
            let mut stream = signal(SignalKind::from_raw(heeded.as_raw()))?;
            let tell = tell.clone();
            tokio::spawn(async move { while stream.recv().await.is_some() && tell.send(heeded).await.is_ok() {} });
        }
        Ok(Self(signals))
    }

    async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => core::future::pending().await,
        }
    }
}
