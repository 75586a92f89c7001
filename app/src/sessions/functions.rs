//! What the session pages ask of the server: each is one call of the engine.

use crate::fault::Fault;
use domain::{
    SessionId,
    audit::Entry,
    page::{ListSessions, Page},
    session::{Holdings, Sharing, View},
};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

#[cfg(feature = "ssr")]
use crate::door::{ask, land};

/// A page of the sessions that the reader may see.
#[server(name = AskSessions, prefix = "/api/fn", endpoint = "sessions/list", input = GetUrl)]
pub async fn list_sessions(want: ListSessions) -> Result<Page<View>, Fault> {
    ask(async move |engine, caller| engine.list(&caller, &want).await).await
}

/// One session.
#[server(prefix = "/api/fn", endpoint = "sessions/show", input = GetUrl)]
pub async fn show_session(id: SessionId) -> Result<View, Fault> {
    ask(async move |engine, caller| engine.show(&caller, &id).await).await
}

/// What deleting a session would destroy.
#[server(name = AskHoldings, prefix = "/api/fn", endpoint = "sessions/holdings", input = GetUrl)]
pub async fn holdings(id: SessionId) -> Result<Holdings, Fault> {
    ask(async move |engine, caller| engine.holdings(&caller, &id).await).await
}

/// Who did what to a session lately.
#[server(prefix = "/api/fn", endpoint = "sessions/activity", input = GetUrl)]
pub async fn activity(id: SessionId) -> Result<Vec<Entry>, Fault> {
    ask(async move |engine, caller| engine.activity(&caller, &id).await).await
}

/// Opens a session and goes there.
#[server(prefix = "/api/fn", endpoint = "sessions/open")]
pub async fn open_session(
    agent: Option<String>,
    name: Option<String>,
    repo: Option<String>,
    branch: Option<String>,
) -> Result<SessionId, Fault> {
    let open = domain::session::Open {
        agent: agent.unwrap_or_default(),
        name,
        repo,
        branch,
    };
    let view = ask(async move |engine, caller| engine.open(&caller, open, None).await).await?;
    land(&format!("/sessions/{}", view.session.id));
    Ok(view.session.id)
}

/// Gives a session another name.
#[server(prefix = "/api/fn", endpoint = "sessions/rename")]
pub async fn rename_session(id: SessionId, name: String, back: Option<String>) -> Result<View, Fault> {
    let view = ask(async move |engine, caller| engine.rename(&caller, &id, &name).await).await?;
    land(back.as_deref().unwrap_or("/"));
    Ok(view)
}

/// Lets other members of the Organization watch or drive.
#[server(prefix = "/api/fn", endpoint = "sessions/share")]
pub async fn share_session(id: SessionId, sharing: Sharing, back: Option<String>) -> Result<View, Fault> {
    let view = ask(async move |engine, caller| engine.share(&caller, &id, sharing).await).await?;
    land(back.as_deref().unwrap_or("/"));
    Ok(view)
}

/// Ends what runs, keeps the workspace.
#[server(prefix = "/api/fn", endpoint = "sessions/suspend")]
pub async fn suspend_session(id: SessionId, back: Option<String>) -> Result<View, Fault> {
    let view = ask(async move |engine, caller| engine.suspend(&caller, &id).await).await?;
    land(back.as_deref().unwrap_or("/"));
    Ok(view)
}

/// Wakes a session, or tries a failed one again.
#[server(prefix = "/api/fn", endpoint = "sessions/resume")]
pub async fn resume_session(id: SessionId, back: Option<String>) -> Result<View, Fault> {
    let view = ask(async move |engine, caller| engine.resume(&caller, &id).await).await?;
    land(back.as_deref().unwrap_or("/"));
    Ok(view)
}

/// Destroys a session with everything in it.
#[server(prefix = "/api/fn", endpoint = "sessions/delete")]
pub async fn delete_session(id: SessionId, back: Option<String>) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.delete(&caller, &id).await).await?;
    land(back.as_deref().unwrap_or("/"));
    Ok(())
}
