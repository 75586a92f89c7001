//! One session: its terminals fill the page; what is around them folds away.

use super::{
    ResumeSession, SuspendSession,
    dialogs::{Ask, Asked, Dialogs},
    panel::{Panel, recording_words},
    refusal,
    row::resume_word,
    show_session,
};
use crate::{
    home::{Home, at_home},
    live::{Live, Topic},
    now::Ago,
    switcher::Elsewhere,
    terminal::TerminalPane,
    ui::{Complaint, Glyph, StatusMark, Toasts, icon, status_word},
};
use domain::{
    SessionId,
    host::AGENT,
    permit::Verb,
    session::{Phase, View},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::{use_location, use_params_map, use_query_map};

/// The page of one session.
#[component]
#[must_use]
pub fn SessionPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| SessionId::new(params.with(|params| params.get("id").unwrap_or_default())));
    let view = Resource::new(move || id.get(), show_session);
    view! {
        <Transition fallback=|| view! { <Waiting /> }>
            {move || Suspend::new(async move {
                match (view.await, at_home().await) {
                    (Ok(view), Ok(home)) => view! { <Shown view home /> }.into_any(),
                    (Err(fault), _) | (_, Err(fault)) => {
                        let missing = fault.status == 404;
                        view! {
                            <leptos_meta::Title text="Session" />
                            <div class="page">
                                <h1 class="sr-only">"Session"</h1>
                                <Complaint fault />
                                {missing.then(|| view! { <Elsewhere id=id.get_untracked() /> })}
                            </div>
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
        <Dialogs asked=Asked::on_page() back=here() after="/" />
    }
}

/// The address of this page, without a question.
fn here() -> Signal<String> {
    let path = use_location().pathname;
    let query = use_query_map();
    let open = Memo::new(move |_| query.with(|query| query.get("panel").is_some()));
    Signal::derive(move || {
        if open.get() {
            format!("{}?panel=open", path.get())
        } else {
            path.get()
        }
    })
}

/// The page's shape, before the session is known.
#[component]
fn Waiting() -> impl IntoView {
    view! {
        <div class="session" aria-busy="true">
            <header class="slim">
                <span class="bone h-4 w-40"></span>
            </header>
            <p class="sr-only">"Loading the session"</p>
        </div>
    }
}

/// What fills the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Making,
    Failed,
    Terminal,
    /// It may be seen, but its terminals may not be watched.
    Private,
    Gone,
}

#[component]
fn Shown(view: View, home: Home) -> impl IntoView {
    let live = expect_context::<Live>();
    let id = view.session.id.clone();
    let kept = RwSignal::new(Some(view.clone()));
    let asked_id = id.clone();
    live.follow(Topic::Session(id.as_str().to_owned()), kept, move || {
        let id = asked_id.clone();
        async move {
            match show_session(id).await {
                Err(fault) if fault.status == 404 => Ok(None),
                answer => answer.map(Some),
            }
        }
    });
    // What it was last, for the moment in which it is gone.
    let now =
        Memo::new(move |before: Option<&View>| kept.get().or_else(|| before.cloned()).unwrap_or_else(|| view.clone()));
    let stage = Memo::new(move |_| {
        if kept.with(Option::is_none) {
            return Stage::Gone;
        }
        now.with(|view| match view.session.phase {
            Phase::Pending | Phase::Provisioning => Stage::Making,
            Phase::Failed => Stage::Failed,
            Phase::Ready | Phase::Suspended if view.may(Verb::WatchTerminal) => Stage::Terminal,
            Phase::Ready | Phase::Suspended => Stage::Private,
        })
    });
    let path = format!("/sessions/{id}");
    let resume = ServerAction::<ResumeSession>::new();
    let toasts = expect_context::<Toasts>();
    let topic = Topic::Session(id.as_str().to_owned());
    Effect::new(move |_| match resume.value().get() {
        Some(Err(fault)) => toasts.failed(fault.detail()),
        Some(Ok(_)) => live.touch(&topic),
        None => {}
    });
    let query = use_query_map();
    let open = Memo::new(move |_| query.with(|query| query.get("panel").is_some()));
    let page = here();
    let on_resume = {
        let id = id.clone();
        Callback::new(move |()| {
            resume.dispatch(ResumeSession {
                id: id.clone(),
                back: None,
            });
        })
    };
    let home = StoredValue::new(home);
    let delete = {
        let id = id.clone();
        move || Ask::Delete.address(&page.get(), &id)
    };
    // The head is written last, when what it follows may be gone already: then the name is the one it began with.
    let first = now.with_untracked(|view| view.session.name.clone());
    let title = move || {
        now.try_with(|view| view.session.name.clone())
            .unwrap_or_else(|| first.clone())
    };
    let session = Signal::from(now);
    view! {
        <leptos_meta::Title text=title />
        <div class="session">
            <Slim session home resume path=path open page />
            <div class="stage">
                {move || match stage.get() {
                    Stage::Making => view! { <Making session /> }.into_any(),
                    Stage::Failed => view! { <Failed session resume delete=delete() /> }.into_any(),
                    Stage::Private => view! { <Private session /> }.into_any(),
                    Stage::Gone => view! { <Gone session /> }.into_any(),
                    Stage::Terminal => {
                        view! {
                            <Asleep session resume />
                            <div class="grow min-h-0">
                                <TerminalPane session on_resume />
                            </div>
                        }
                            .into_any()
                    }
                }}
            </div>
            <Show when=move || open.get()>
                <Panel session home page />
            </Show>
        </div>
    }
}

/// The slim bar above the terminals.
#[component]
fn Slim(
    session: Signal<View>,
    home: StoredValue<Home>,
    resume: ServerAction<ResumeSession>,
    path: String,
    open: Memo<bool>,
    page: Signal<String>,
) -> impl IntoView {
    let suspend = ServerAction::<SuspendSession>::new();
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(fault) = refusal(suspend.value().get()) {
            toasts.failed(fault.detail());
        }
    });
    let id = session.with_untracked(|view| view.session.id.clone());
    let kept_id = StoredValue::new(id.clone());
    let fields = move || {
        view! {
            <input type="hidden" name="id" value=kept_id.get_value().as_str().to_owned() />
            <input type="hidden" name="back" value=page.get_untracked() />
        }
    };
    let status = Memo::new(move |_| session.with(|view| status_word(&view.session)));
    let name = Memo::new(move |_| session.with(|view| view.session.name.clone()));
    let may = Memo::new(move |_| session.with(|view| view.may.clone()));
    let can = move |verb: Verb| may.with(|may| may.contains(&verb));
    let running = Memo::new(move |_| session.with(|view| view.session.is_live() || view.session.phase == Phase::Ready));
    let again = Memo::new(move |_| session.with(|view| resume_word(&view.session)));
    let ask = {
        let id = id.clone();
        move |ask: Ask| ask.address(&page.get(), &id)
    };
    let (rename, share, delete) = (ask.clone(), ask.clone(), ask);
    let recording = Memo::new(move |_| session.with(|view| view.recording));
    // The agent's first; a shell's while it runs.
    let recordings = Memo::new(move |_| session.with(recordings));
    let download = {
        let id = id.clone();
        move |terminal: &str| format!("/api/v1/sandbox/sessions/{id}/recording?terminal={terminal}")
    };
    let agent = move || session.with(|view| home.with_value(|home| home.agent(&view.session.agent)));
    let closed = path.clone();
    let toggle = move || {
        if open.get() {
            closed.clone()
        } else {
            format!("{path}?panel=open")
        }
    };
    view! {
        <header class="slim">
            <a class="btn btn-quiet btn-icon sm:hidden" href="/" aria-label="All sessions">
                {icon(Glyph::Back)}
            </a>
            <h1 class="truncate" title=move || name.get()>{move || name.get()}</h1>
            {move || {
                let (kind, word) = status.get();
                view! { <StatusMark kind word /> }
            }}
            {move || {
                recording
                    .get()
                    .filter(|recording| recording.now)
                    .map(|recording| view! { <span class="tag" title=recording_words(recording)>"Recorded"</span> })
            }}
            <span class="meta desk">{agent}</span>
            <span class="spring"></span>
            <details class="menu">
                <summary class="btn btn-quiet btn-icon" aria-label="Actions for this session">
                    {icon(Glyph::More)}
                </summary>
                <div class="sheet">
                    {move || {
                        again
                            .get()
                            .filter(|_| can(Verb::ResumeSession))
                            .map(|word| {
                                view! {
                                    <ActionForm action=resume>
                                        {fields()}
                                        <button class="item" type="submit">{icon(Glyph::Play)} {word}</button>
                                    </ActionForm>
                                }
                            })
                    }}
                    {move || {
                        (running.get() && can(Verb::StopSession))
                            .then(|| {
                                view! {
                                    <ActionForm action=suspend>
                                        {fields()}
                                        <button class="item" type="submit">{icon(Glyph::Pause)} "Suspend"</button>
                                    </ActionForm>
                                }
                            })
                    }}
                    {move || {
                        can(Verb::RenameSession)
                            .then(|| {
                                view! { <a class="item" href=rename(Ask::Rename)>{icon(Glyph::Pencil)} "Rename"</a> }
                            })
                    }}
                    {move || {
                        can(Verb::ShareSession)
                            .then(|| {
                                view! { <a class="item" href=share(Ask::Share)>{icon(Glyph::Share)} "Share"</a> }
                            })
                    }}
                    {move || {
                        let items = recordings
                            .get()
                            .into_iter()
                            .map(|(terminal, words)| {
                                view! {
                                    <a class="item" href=download(&terminal) download rel="external">
                                        {icon(Glyph::Download)}
                                        {words}
                                    </a>
                                }
                            })
                            .collect_view();
                        (!recordings.with(Vec::is_empty))
                            .then(|| {
                                view! {
                                    {items}
                                    <p class="meta term-hint">"Play it with " <code>"asciinema play"</code> "."</p>
                                }
                            })
                    }}
                    {move || {
                        can(Verb::DeleteSession)
                            .then(|| {
                                view! {
                                    <hr />
                                    <a class="item item-danger" href=delete(Ask::Delete)>
                                        {icon(Glyph::Trash)}
                                        "Delete"
                                    </a>
                                }
                            })
                    }}
                </div>
            </details>
            <a
                class="btn btn-quiet btn-icon"
                href=toggle
                role="button"
                aria-label="Details"
                title="Details"
                aria-expanded=move || if open.get() { "true" } else { "false" }
            >
                {icon(Glyph::Panel)}
            </a>
        </header>
    }
}

/// The recordings that can be downloaded, by terminal, with their words.
fn recordings(view: &View) -> Vec<(String, String)> {
    if view.recording.is_none() || !view.may(Verb::ReadRecording) {
        return Vec::new();
    }
    let mut all = vec![(AGENT.to_owned(), "Download recording".to_owned())];
    let terminals = view.live.iter().flat_map(|live| &live.terminals);
    let shells = terminals.filter(|terminal| terminal.recorded && terminal.id != AGENT);
    all.extend(shells.map(|shell| (shell.id.clone(), format!("Download recording: {}", shell.label))));
    all
}

/// The session is being made.
#[component]
fn Making(session: Signal<View>) -> impl IntoView {
    let step = move || {
        session.with(|view| {
            let waiting = || match view.session.phase {
                Phase::Pending => "Waiting for its turn.".to_owned(),
                _ => "Preparing the workspace.".to_owned(),
            };
            view.session.reason.clone().unwrap_or_else(waiting)
        })
    };
    let percent = move || session.with(|view| view.session.reason.as_deref().and_then(percent));
    let since = Signal::derive(move || session.with(|view| view.session.created_at));
    view! {
        <section class="still" aria-live="polite">
            {move || session.with(|view| {
                let (kind, word) = status_word(&view.session);
                view! { <StatusMark kind word /> }
            })}
            {move || match percent() {
                Some(percent) => {
                    view! { <progress class="progress max-w-72" max="100" value=percent aria-label="Progress"></progress> }
                        .into_any()
                }
                None => view! { <div class="bar-sweep"></div> }.into_any(),
            }}
            <p>{step}</p>
            <p class="meta">"Asked for " <Ago at=since /></p>
        </section>
    }
}

/// The figure before a per cent sign, where a sentence has one.
fn percent(text: &str) -> Option<u8> {
    let before = text.split_once('%')?.0.trim_end();
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|percent| *percent <= 100)
}

/// It could not be made, or was lost.
#[component]
fn Failed(session: Signal<View>, resume: ServerAction<ResumeSession>, delete: String) -> impl IntoView {
    let reason = move || {
        session.with(|view| {
            view.session
                .reason
                .clone()
                .unwrap_or_else(|| "It ended without saying why. Its workspace is kept.".to_owned())
        })
    };
    let may = move |verb| session.with(|view| view.may(verb));
    let id = session.with_untracked(|view| view.session.id.as_str().to_owned());
    view! {
        <section class="still" role="alert">
            <StatusMark kind="failed" word="Failed" />
            <p>{reason}</p>
            <div class="actions">
                {may(Verb::ResumeSession)
                    .then(|| {
                        view! {
                            <ActionForm action=resume>
                                <input type="hidden" name="id" value=id.clone() />
                                <input type="hidden" name="back" value=format!("/sessions/{id}") />
                                <button class="btn btn-primary" type="submit" disabled=move || resume.pending().get()>
                                    {icon(Glyph::Again)}
                                    {move || if resume.pending().get() { "Retrying" } else { "Retry" }}
                                </button>
                            </ActionForm>
                        }
                    })}
                {may(Verb::DeleteSession).then(|| view! { <a class="btn" href=delete>{icon(Glyph::Trash)} "Delete"</a> })}
            </div>
        </section>
    }
}

/// Above the last screen of a session that sleeps.
#[component]
fn Asleep(session: Signal<View>, resume: ServerAction<ResumeSession>) -> impl IntoView {
    let asleep = Memo::new(move |_| session.with(|view| view.session.phase == Phase::Suspended));
    let reason = Memo::new(move |_| session.with(|view| view.session.reason.clone()));
    let may = move || session.with(|view| view.may(Verb::ResumeSession));
    let id = StoredValue::new(session.with_untracked(|view| view.session.id.as_str().to_owned()));
    let since = Signal::derive(move || session.with(|view| view.session.active_at));
    view! {
        <Show when=move || asleep.get()>
            <div class="asleep">
                <p>
                    {move || reason.get().unwrap_or_else(|| "Suspended.".to_owned())} " This is its last screen, of "
                    <Ago at=since /> "."
                </p>
                {may()
                    .then(|| {
                        view! {
                            <ActionForm action=resume>
                                <input type="hidden" name="id" value=id.get_value() />
                                <input type="hidden" name="back" value=id.with_value(|id| format!("/sessions/{id}")) />
                                <button class="btn btn-primary" type="submit" disabled=move || resume.pending().get()>
                                    {icon(Glyph::Play)}
                                    {move || if resume.pending().get() { "Resuming" } else { "Resume" }}
                                </button>
                            </ActionForm>
                        }
                    })}
            </div>
        </Show>
    }
}

#[component]
fn Private(session: Signal<View>) -> impl IntoView {
    view! {
        <section class="still">
            {icon(Glyph::Share)} <h2>"Its terminals are private"</h2>
            <p>
                {move || session.with(|view| view.session.owner_name.clone())}
                " has not shared them. Ask them to share the session if you need to see it."
            </p>
        </section>
    }
}

#[component]
fn Gone(session: Signal<View>) -> impl IntoView {
    view! {
        <section class="still" role="alert">
            {icon(Glyph::Trash)} <h2>{move || session.with(|view| format!("{} was deleted", view.session.name))}</h2>
            <p>"It is gone with its workspace, or is no longer shared with you."</p>
            <a class="btn" href="/">"All sessions"</a>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn progress_is_read_from_the_sentence() {
        assert_eq!(percent("Cloning: 42 %"), Some(42));
        assert_eq!(percent("Cloning: 7% of 3 MiB"), Some(7));
        assert_eq!(percent("Cloning"), None);
        assert_eq!(percent("400 %"), None);
    }
}
