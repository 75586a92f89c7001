//! What the pane asks of the server beside the socket: each is one call of the engine.

use crate::fault::Fault;
use domain::{SessionId, session::View};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::door::ask;

/// Opens a shell beside the agent, in a window of this size; answers with the new terminal's id.
#[server(prefix = "/api/fn", endpoint = "terminals/open")]
pub async fn open_shell(session: SessionId, cols: u16, rows: u16) -> Result<String, Fault> {
    let size = domain::wire::Size::clamped(cols, rows);
    let terminal = ask(async move |engine, caller| engine.open_terminal(&caller, &session, None, size).await).await?;
    Ok(terminal.id)
}

/// Ends a shell and forgets its terminal.
#[server(prefix = "/api/fn", endpoint = "terminals/close")]
pub async fn close_shell(session: SessionId, terminal: String) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.close_terminal(&caller, &session, &terminal).await).await
}

/// Wakes a session, starts an agent that has ended, or tries again what failed.
#[server(prefix = "/api/fn", endpoint = "terminals/resume")]
pub async fn resume(session: SessionId) -> Result<View, Fault> {
    ask(async move |engine, caller| engine.resume(&caller, &session).await).await
}
