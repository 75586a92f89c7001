//! The person's own terminal: taken over, and given back as it was, whatever happens.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::{
    io::{IsTerminal as _, Write as _},
    sync::{Mutex, Once, PoisonError},
};

/// As the terminal was before; `None` while it is the person's.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// A terminal that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct Taken(());

/// Everything that a program may have set, set back. First out of strings and half frames, then off the other screen,
/// then one by one: the keyboard's flags on both screens, the mouse in all its ways, reports of focus and colour, pasted
/// text in brackets, cursor keys and keypad, wrapping, margins, letters, the cursor.
pub(super) const RESET: &str = "\x1b\\\x1b[?2026l\x1b[<99u\x1b[?1049l\x1b[?47l\x1b[<99u\x1b[>4m\x1b[!p\
    \x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2031l\x1b[?2004l\
    \x1b[?1l\x1b>\x1b[?6l\x1b[?7h\x1b[?45l\x1b[4l\x1b[20l\x1b[r\x1b(B\x1b)B\x0f\x1b[0m\x1b[0 q\x1b[?25h";

/// A clear screen, from the top.
pub(super) const CLEAR: &str = "\x1b[H\x1b[2J";

/// Colours of the terminal itself, set back.
pub(super) const RECOLOUR: &str = "\x1b]104\x07\x1b]110\x07\x1b]111\x07\x1b]112\x07";

impl Taken {
    /// Takes the terminal: keys come one by one and unread, output goes out as it is.
    pub(super) fn take() -> std::io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // Otherwise nobody could read what happened, nor type afterwards.
                give_back();
                before(panic);
            }));
        });
        let taken = Self(());
        taken.again()?;
        Ok(taken)
    }

    /// Takes it again, after the shell has had it.
    pub(super) fn again(&self) -> std::io::Result<()> {
        let now = tcgetattr(std::io::stdin())?;
        let mut raw = now.clone();
        raw.make_raw();
        // Remembered first: between the two nothing may be lost.
        BEFORE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw)?;
        Ok(())
    }

    /// Stops this process, as Ctrl-Z does where nobody reads it; returns when it goes on.
    pub(super) fn stop_here(&self) -> std::io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        self.again()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back; done twice it does nothing.
fn give_back() {
    let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return;
    };
    // A terminal that is gone needs nothing.
    let mut out = std::io::stdout();
    let _ = write!(out, "{RESET}\x1b[999;1H\r\n\x1b[23;2t").and_then(|()| out.flush());
    let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
}

/// Whether a person sits at both ends.
pub(super) fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// The terminal's size in cells.
pub(super) fn size() -> Option<domain::wire::Size> {
    let size = tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| domain::wire::Size::clamped(size.ws_col, size.ws_row))
}
