//! What is printed, and how.

use crate::trouble::Trouble;
use std::io::{IsTerminal as _, Write as _};

/// Prints a line on standard output; a reader that has gone is no reason to fail.
pub(crate) fn say(line: &str) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a line for the person, beside what a program would read.
pub(crate) fn tell(line: &str) {
    // Nobody is there to be told that nobody can be told.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints why something did not work.
pub(crate) fn complain(sentence: &str) {
    let lines: Vec<String> = sentence.lines().map(clean).collect();
    tell(&format!("sandbox: {}", lines.join("\n")));
}

/// Whether standard output may be coloured.
pub(crate) fn colours() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How many columns standard output has; `None` where it is no terminal, and nothing has to be cut.
pub(crate) fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Text of somebody else, without what would move a terminal's cursor or colour it.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
