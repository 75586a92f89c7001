//! One session in the list: a row on a desk, a card under a thumb.

use super::{ResumeSession, SuspendSession, dialogs::Ask, refusal};
use crate::{
    home::Home,
    now::Ago,
    ui::{Face, Glyph, Middle, StatusMark, Toasts, icon, status_word},
    words,
};
use domain::{
    SessionId,
    page::Page,
    permit::Verb,
    session::{Phase, Session, View},
    wire::Viewer,
};
use leptos::{form::ActionForm, prelude::*};

/// The most faces in a row; more are a number.
const FACES: usize = 3;

/// What can be done to a session at once, without being asked again; shared by all rows.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    suspend: ServerAction<SuspendSession>,
    resume: ServerAction<ResumeSession>,
    back: StoredValue<String>,
}

impl Acts {
    /// Actions that lead back to `back`, and say when something did not work.
    pub(super) fn new(back: String) -> Self {
        let acts = Self {
            suspend: ServerAction::new(),
            resume: ServerAction::new(),
            back: StoredValue::new(back),
        };
        let toasts = expect_context::<Toasts>();
        Effect::new(move |_| {
            if let Some(fault) = refusal(acts.suspend.value().get()) {
                toasts.failed(fault.detail());
            }
        });
        Effect::new(move |_| {
            if let Some(fault) = refusal(acts.resume.value().get()) {
                toasts.failed(fault.detail());
            }
        });
        acts
    }
}

/// Everybody at a session's terminals, each once.
pub(super) fn viewers(view: &View) -> Vec<Viewer> {
    let mut all: Vec<Viewer> = Vec::new();
    for viewer in view
        .live
        .iter()
        .flat_map(|live| &live.terminals)
        .flat_map(|terminal| &terminal.viewers)
    {
        match all.iter_mut().find(|known| known.person == viewer.person) {
            Some(known) => known.driver |= viewer.driver,
            None => all.push(viewer.clone()),
        }
    }
    all
}

/// Whether "Resume" means something for it, and how it is called there.
pub(super) fn resume_word(session: &Session) -> Option<&'static str> {
    match session.phase {
        Phase::Suspended => Some("Resume"),
        Phase::Failed => Some("Retry"),
        Phase::Ready if session.exit.is_some() => Some("Start again"),
        Phase::Ready | Phase::Pending | Phase::Provisioning => None,
    }
}

/// A row; it follows its session in the page.
#[component]
pub(super) fn Row(id: SessionId, page: RwSignal<Page<View>>, home: StoredValue<Home>, acts: Acts) -> impl IntoView {
    let find = {
        let id = id.clone();
        move |page: &Page<View>| page.items.iter().find(|view| view.session.id == id).cloned()
    };
    let Some(first) = page.with_untracked(&find) else {
        return ().into_any();
    };
    // A row that left the list is about to go: until then it shows what it showed.
    let view = Memo::new(move |before: Option<&View>| {
        page.with(&find)
            .or_else(|| before.cloned())
            .unwrap_or_else(|| first.clone())
    });
    let session = Memo::new(move |_| view.get().session);
    let address = format!("/sessions/{id}");
    let status = Memo::new(move |_| session.with(status_word));
    let name = Memo::new(move |_| session.with(|session| session.name.clone()));
    let repo =
        Memo::new(move |_| session.with(|session| session.repo.clone().map(|repo| (repo, session.branch.clone()))));
    let owner = move || {
        session.with(|session| {
            let mine = home.with_value(|home| home.person == session.owner.as_str());
            (!mine).then(|| session.owner_name.clone())
        })
    };
    let agent = move || session.with(|session| home.with_value(|home| home.agent(&session.agent)));
    let word = Memo::new(move |_| session.with(|session| session.word().map(str::to_owned)));
    let faces = Memo::new(move |_| view.with(viewers));
    let active = Signal::derive(move || session.with(|session| session.active_at));
    view! {
        <tr>
            <td class="c-name">
                <span class="name">
                    <a class="open" href=address title=move || name.get()>{move || name.get()}</a>
                    {move || owner().map(|owner| view! { <span class="meta owner">{owner}</span> })}
                    {move || {
                        word.get().map(|word| view! { <span class="tag tag-waiting" title=word>"Rests"</span> })
                    }}
                </span>
            </td>
            <td class="c-status">
                {move || {
                    let (kind, word) = status.get();
                    view! { <StatusMark kind word /> }
                }}
                <span class="only-card">{agent} " · " <Ago at=active /></span>
            </td>
            <td class="c-agent soft">{agent}</td>
            <td class="c-repo soft" data-empty=move || repo.with(Option::is_none).then_some("")>
                {move || {
                    repo.get()
                        .map(|(repo, branch)| {
                            let text = match branch {
                                Some(branch) => format!("{} @ {branch}", words::repo(&repo)),
                                None => words::repo(&repo),
                            };
                            view! { <Middle text /> }
                        })
                }}
            </td>
            <td class="c-faces">
                {move || {
                    let all = faces.get();
                    let more = all.len().saturating_sub(FACES);
                    (!all.is_empty())
                        .then(|| {
                            view! {
                                <span class="faces">
                                    {all
                                        .into_iter()
                                        .take(FACES)
                                        .map(|viewer| view! { <Face name=viewer.name driver=viewer.driver /> })
                                        .collect_view()}
                                    {(more > 0).then(|| view! { <span class="face">"+" {more}</span> })}
                                </span>
                            }
                        })
                }}
            </td>
            <td class="c-when soft"><Ago at=active /></td>
            <td class="c-menu">
                <RowMenu id view acts />
            </td>
        </tr>
    }
    .into_any()
}

/// What can be done to the session of a row.
#[component]
fn RowMenu(id: SessionId, view: Memo<View>, acts: Acts) -> impl IntoView {
    let may = move |verb| view.with(|view| view.may(verb));
    let label = move || view.with(|view| format!("Actions for {}", view.session.name));
    let running = Memo::new(move |_| view.with(|view| view.session.is_live() || (view.session.phase == Phase::Ready)));
    let resume = Memo::new(move |_| view.with(|view| resume_word(&view.session)));
    let id = StoredValue::new(id);
    let ask = move |ask: Ask| acts.back.with_value(|back| id.with_value(|id| ask.address(back, id)));
    let fields = move || {
        view! {
            <input type="hidden" name="id" value=id.get_value().as_str().to_owned() />
            <input type="hidden" name="back" value=acts.back.get_value() />
        }
    };
    view! {
        <details class="menu">
            <summary class="btn btn-quiet btn-icon btn-small" aria-label=label>
                {icon(Glyph::More)}
            </summary>
            <div class="sheet">
                {move || {
                    resume
                        .get()
                        .filter(|_| may(Verb::ResumeSession))
                        .map(|word| {
                            view! {
                                <ActionForm action=acts.resume>
                                    {fields()}
                                    <button class="item" type="submit">{icon(Glyph::Play)} {word}</button>
                                </ActionForm>
                            }
                        })
                }}
                {move || {
                    (running.get() && may(Verb::StopSession))
                        .then(|| {
                            view! {
                                <ActionForm action=acts.suspend>
                                    {fields()}
                                    <button class="item" type="submit">{icon(Glyph::Pause)} "Suspend"</button>
                                </ActionForm>
                            }
                        })
                }}
                {move || {
                    may(Verb::RenameSession)
                        .then(|| view! { <a class="item" href=ask(Ask::Rename)>{icon(Glyph::Pencil)} "Rename"</a> })
                }}
                {move || {
                    may(Verb::ShareSession)
                        .then(|| view! { <a class="item" href=ask(Ask::Share)>{icon(Glyph::Share)} "Share"</a> })
                }}
                {move || {
                    may(Verb::DeleteSession)
                        .then(|| {
                            view! {
                                <hr />
                                <a class="item item-danger" href=ask(Ask::Delete)>
                                    {icon(Glyph::Trash)}
                                    "Delete"
                                </a>
                            }
                        })
                }}
            </div>
        </details>
    }
}
