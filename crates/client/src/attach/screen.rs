//! What is written to the person's terminal, in order, by a thread that may wait: whoever holds their output with Ctrl-S
//! holds nothing else.

use super::{quiet::Quiet, tty};
use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};
use tokio::sync::mpsc;

/// Up to where output has reached the terminal: a round of the link, and a position.
pub(super) type Shown = (u32, u64);

/// The way to the terminal.
pub(super) struct Screen {
    quiet: Quiet,
    /// Whether output goes out as it came, for a file or another program.
    plain: bool,
    to: Sender<(Vec<u8>, Option<Shown>)>,
    /// Disconnected when all was written.
    end: Receiver<()>,
    recoloured: bool,
    restored: bool,
}

impl Screen {
    /// Begins to write; what was shown comes out of the receiver, which ends when the terminal is gone.
    pub(super) fn begin(plain: bool) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Shown>)> {
        let mut out = File::from(rustix::io::dup(std::io::stdout())?);
        let (to, from) = channel::<(Vec<u8>, Option<Shown>)>();
        let (told, shown) = mpsc::unbounded_channel();
        let (over, end) = channel::<()>();
        std::thread::spawn(move || {
            let _over = over;
            for (bytes, until) in from {
                if write(&mut out, &bytes).is_err() {
                    return;
                }
                if let Some(until) = until {
                    let _ = told.send(until);
                }
            }
        });
        let screen = Self {
            quiet: Quiet::default(),
            plain,
            to,
            end,
            recoloured: false,
            restored: false,
        };
        Ok((screen, shown))
    }

    /// Clears the terminal and shows a screen in its place.
    pub(super) fn restore(&mut self, ansi: &[u8], until: Shown, clipboard: bool) {
        let mut out = Vec::with_capacity(ansi.len() + 512);
        self.recoloured |= self.quiet.recoloured();
        self.quiet = Quiet::default();
        if self.plain {
            out.extend_from_slice(ansi);
        } else {
            if !self.restored {
                // What the person had before them moves up, out of the way and not away.
                let rows = tty::size().map_or(24, |size| size.rows);
                out.extend(std::iter::repeat_n(b'\n', usize::from(rows)));
            }
            // A screen begins with a reset of everything, which would take the person's own history with it; and the other
            // screen may still hold what was shown there before.
            let ansi = ansi.strip_prefix(b"\x1bc").unwrap_or(ansi);
            out.extend_from_slice(b"\x1b[?1049h\x1b[H\x1b[2J");
            out.extend_from_slice(tty::RESET.as_bytes());
            if self.recoloured {
                out.extend_from_slice(tty::RECOLOUR.as_bytes());
            }
            out.extend_from_slice(tty::CLEAR.as_bytes());
            self.quiet.feed(ansi, clipboard, &mut out);
        }
        self.restored = true;
        self.send(out, Some(until));
    }

    /// Shows more output.
    pub(super) fn write(&mut self, bytes: &[u8], until: Shown, clipboard: bool) {
        let mut out = Vec::with_capacity(bytes.len());
        if self.plain {
            out.extend_from_slice(bytes);
        } else {
            self.quiet.feed(bytes, clipboard, &mut out);
        }
        self.send(out, Some(until));
    }

    /// Titles the window; false where that would end up in the middle of something else.
    pub(super) fn title(&self, title: &str) -> bool {
        let rests = self.quiet.at_rest();
        if rests && !self.plain {
            let title: String = title.chars().filter(|letter| !letter.is_control()).take(256).collect();
            self.send(format!("\x1b]2;{title}\x07").into_bytes(), None);
        }
        rests
    }

    /// Keeps the window's title for later.
    pub(super) fn keep_title(&self) {
        if !self.plain {
            self.send(b"\x1b[22;2t".to_vec(), None);
        }
    }

    /// Waits until all was written, but not for a terminal that is held.
    pub(super) fn finish(self) {
        let Self { to, end, quiet, .. } = self;
        if !self.plain && (self.recoloured || quiet.recoloured()) {
            let _ = to.send((tty::RECOLOUR.as_bytes().to_vec(), None));
        }
        drop(to);
        let _ = end.recv_timeout(Duration::from_secs(2));
    }

    fn send(&self, bytes: Vec<u8>, until: Option<Shown>) {
        // A terminal that is gone is told by the end of what was shown.
        let _ = self.to.send((bytes, until));
    }
}

/// Writes all of it, also where somebody has told the terminal not to let writers wait.
fn write(out: &mut File, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut wait = [rustix::event::PollFd::new(out, rustix::event::PollFlags::OUT)];
                rustix::event::poll(&mut wait, None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
