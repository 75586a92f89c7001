//! The questions that a session's actions ask first. Which one is open is in the address, so they open without scripts,
//! survive a reload, and the back button closes them.

use super::{DeleteSession, RenameSession, ShareSession, holdings, refusal, show_session};
use crate::{
    fault::Fault,
    live::{Live, Topic},
    typed::into_form_of,
    ui::{Complaint, Dialog, Glyph, Refused, TextField, Toasts, icon},
    words,
};
use domain::{
    SessionId,
    session::{Holdings, NAME_MAX, Session, Sharing},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use serde::{Deserialize, Serialize};

/// More bytes than this are much: then the name is asked for.
const MUCH: u64 = 256 << 20;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ask {
    Rename,
    Share,
    Delete,
}

impl Ask {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Share => "share",
            Self::Delete => "delete",
        }
    }

    /// Where this question about a session is asked, above the page `back`.
    pub(super) fn address(self, back: &str, id: &SessionId) -> String {
        let glue = if back.contains('?') { '&' } else { '?' };
        format!("{back}{glue}ask={}&of={id}", self.as_str())
    }
}

/// The question that the address asks.
#[derive(Clone, Copy)]
pub(super) struct Asked(Memo<Option<(Ask, SessionId)>>);

impl Asked {
    /// Reads the address of this page.
    pub(super) fn on_page() -> Self {
        let query = use_query_map();
        Self(Memo::new(move |_| {
            query.with(|query| {
                let ask = query.get("ask")?;
                let ask = [Ask::Rename, Ask::Share, Ask::Delete]
                    .into_iter()
                    .find(|known| known.as_str() == ask)?;
                Some((ask, SessionId::new(query.get("of")?)))
            })
        }))
    }
}

/// What a dialog needs to ask its question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Question {
    ask: Ask,
    session: Session,
    /// What would be lost, where that is the question.
    held: Option<Result<Holdings, Fault>>,
}

async fn question(asked: Option<(Ask, SessionId)>) -> Option<Result<Question, Fault>> {
    let (ask, id) = asked?;
    let session = match show_session(id.clone()).await {
        Ok(view) => view.session,
        Err(fault) => return Some(Err(fault)),
    };
    let held = match ask {
        Ask::Delete => Some(holdings(id).await),
        Ask::Rename | Ask::Share => None,
    };
    Some(Ok(Question { ask, session, held }))
}

/// The dialog that is asked for, above the page `back`. After a deletion it leads to `after`, else to `back`. It stands
/// beside what it is about, not within: what is asked for in the midst of waiting is asked in another order by the
/// browser than by the server, and then the two do not find each other's answers.
#[component]
pub(super) fn Dialogs(
    asked: Asked,
    #[prop(into)] back: Signal<String>,
    #[prop(optional, into)] after: Option<String>,
) -> impl IntoView {
    let answer = Resource::new(move || asked.0.get(), question);
    let looking = move || {
        let deleting = asked.0.get().is_some_and(|(ask, _)| ask == Ask::Delete);
        deleting.then(|| {
            view! {
                <Dialog title="Delete session" back=back.get_untracked()>
                    <p class="soft">"Looking at what it holds."</p>
                    <span class="bone h-24"></span>
                </Dialog>
            }
        })
    };
    view! {
        <Suspense fallback=looking>
            {move || {
                let after = after.clone();
                Suspend::new(async move {
                    let answer = answer.await?;
                    let back = back.get_untracked();
                    Some(
                        match answer {
                            Ok(Question { ask: Ask::Rename, session, .. }) => {
                                view! { <Rename session back /> }.into_any()
                            }
                            Ok(Question { ask: Ask::Share, session, .. }) => view! { <Share session back /> }.into_any(),
                            Ok(Question { ask: Ask::Delete, session, held }) => {
                                let after = after.unwrap_or_else(|| back.clone());
                                let held = held.and_then(Result::ok);
                                view! { <Delete session held back after /> }.into_any()
                            }
                            Err(fault) => {
                                view! {
                                    <Dialog title="This session" back>
                                        <Complaint fault />
                                    </Dialog>
                                }
                                    .into_any()
                            }
                        },
                    )
                })
            }}
        </Suspense>
    }
}

/// When an action has worked: says so, tells the page, and leaves the dialog.
fn then_leave<T: Clone + Send + Sync + 'static>(
    value: Signal<Option<Result<T, Fault>>>,
    to: String,
    id: SessionId,
    said: impl Fn(&T) -> String + 'static,
) {
    let navigate = use_navigate();
    let toasts = expect_context::<Toasts>();
    let live = expect_context::<Live>();
    Effect::new(move |_| {
        if let Some(Ok(done)) = value.get() {
            toasts.done(said(&done));
            live.touch(&Topic::Session(id.as_str().to_owned()));
            navigate(
                &to,
                NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                },
            );
        }
    });
}

#[component]
fn Rename(session: Session, back: String) -> impl IntoView {
    let action = ServerAction::<RenameSession>::new();
    let name = into_form_of::<RenameSession>()
        .filter(|typed| typed.field("id").as_deref() == Some(session.id.as_str()))
        .map_or(session.name, |typed| typed.field("name").unwrap_or_default());
    let fault = Signal::derive(move || refusal(action.value().get()));
    then_leave(action.value().into(), back.clone(), session.id.clone(), |view| {
        format!("It is called {} now.", view.session.name)
    });
    view! {
        <Dialog title="Rename session" back=back.clone()>
            <ActionForm action>
                <input type="hidden" name="id" value=session.id.as_str().to_owned() />
                <input type="hidden" name="back" value=back.clone() />
                <div class="stack">
                    <TextField id="rename" name="name" label="Name" value=name required=true most=NAME_MAX first=true fault />
                    <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                    <div class="actions">
                        <a class="btn" href=back>"Cancel"</a>
                        <button class="btn btn-primary" type="submit" disabled=move || action.pending().get()>
                            {move || if action.pending().get() { "Renaming" } else { "Rename" }}
                        </button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}

#[component]
fn Share(session: Session, back: String) -> impl IntoView {
    let action = ServerAction::<ShareSession>::new();
    let chosen = into_form_of::<ShareSession>()
        .filter(|typed| typed.field("id").as_deref() == Some(session.id.as_str()))
        .and_then(|typed| {
            Sharing::ALL
                .into_iter()
                .find(|sharing| typed.ticked("sharing", sharing.as_str()))
        })
        .unwrap_or(session.sharing);
    let fault = Signal::derive(move || refusal(action.value().get()));
    then_leave(
        action.value().into(),
        back.clone(),
        session.id.clone(),
        |view| match view.session.sharing {
            Sharing::Private => format!("Only you see the terminals of {} now.", view.session.name),
            Sharing::Watch => format!("Your Organization can watch {} now.", view.session.name),
            Sharing::Drive => format!("Your Organization can type into {} now.", view.session.name),
        },
    );
    view! {
        <Dialog title="Share session" about=session.name.clone() back=back.clone()>
            <ActionForm action>
                <input type="hidden" name="id" value=session.id.as_str().to_owned() />
                <input type="hidden" name="back" value=back.clone() />
                <div class="stack">
                    <fieldset class="field">
                        <legend>"Members of your Organization"</legend>
                        {Sharing::ALL
                            .map(|sharing| {
                                let (word, hint) = sharing_words(sharing);
                                view! {
                                    <label class="check">
                                        <input
                                            type="radio"
                                            name="sharing"
                                            value=sharing.as_str()
                                            checked=sharing == chosen
                                            autofocus=sharing == chosen
                                        />
                                        <span>
                                            {word} <br /> <span class="meta">{hint}</span>
                                        </span>
                                    </label>
                                }
                            })}
                    </fieldset>
                    <Refused fault />
                    <div class="actions">
                        <a class="btn" href=back>"Cancel"</a>
                        <button class="btn btn-primary" type="submit" disabled=move || action.pending().get()>
                            {move || if action.pending().get() { "Saving" } else { "Save" }}
                        </button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}

/// What a degree of sharing is called, and what it means.
pub(super) const fn sharing_words(sharing: Sharing) -> (&'static str, &'static str) {
    match sharing {
        Sharing::Private => (
            "See nothing",
            "Admins see that it exists and can stop it, but not its terminals.",
        ),
        Sharing::Watch => ("Watch", "They see it in their list and follow its terminals."),
        Sharing::Drive => ("Watch and type", "They can also take control of its terminals."),
    }
}

#[component]
fn Delete(session: Session, held: Option<Holdings>, back: String, after: String) -> impl IntoView {
    let action = ServerAction::<DeleteSession>::new();
    let fault = Signal::derive(move || refusal(action.value().get()));
    let name = session.name.clone();
    then_leave(action.value().into(), after.clone(), session.id.clone(), move |()| {
        format!("{name} is deleted.")
    });
    let much = held.as_ref().is_none_or(is_much);
    let name = session.name;
    let typed = RwSignal::new(String::new());
    let wanted = name.clone();
    let ready = move || !much || typed.with(|typed| typed.trim() == wanted);
    let pattern = literal(&name);
    view! {
        <Dialog title="Delete session" about=name.clone() back=back.clone()>
            {match held {
                Some(held) => view! { <Losses held /> }.into_any(),
                None => {
                    view! {
                        <div class="notice notice-waiting">
                            {icon(Glyph::Warning)}
                            <p>"What it holds could not be measured. Deleting destroys its whole workspace."</p>
                        </div>
                    }
                        .into_any()
                }
            }}
            <ActionForm action>
                <input type="hidden" name="id" value=session.id.as_str().to_owned() />
                <input type="hidden" name="back" value=after />
                <div class="stack">
                    {much
                        .then(|| {
                            view! {
                                <div class="field">
                                    <label for="sure">"Type " <strong>{name}</strong> " to delete it"</label>
                                    <input
                                        class="input"
                                        id="sure"
                                        required
                                        pattern=pattern
                                        autocomplete="off"
                                        autocapitalize="off"
                                        spellcheck="false"
                                        autofocus
                                        on:input=move |event| typed.set(event_target_value(&event))
                                    />
                                </div>
                            }
                        })}
                    <Refused fault />
                    <div class="actions">
                        <a class="btn" href=back autofocus=!much>
                            "Cancel"
                        </a>
                        <button
                            class="btn btn-danger"
                            type="submit"
                            aria-disabled=move || (!ready() || action.pending().get()).then_some("true")
                        >
                            {move || if action.pending().get() { "Deleting" } else { "Delete session" }}
                        </button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}

fn is_much(held: &Holdings) -> bool {
    held.uncommitted.unwrap_or(0) > 0 || held.unpushed.unwrap_or(0) > 0 || held.bytes > MUCH
}

/// What would be lost, thing by thing.
#[component]
fn Losses(held: Holdings) -> impl IntoView {
    let some = |number: Option<u64>, noun: &str, rest: &str| {
        number
            .filter(|number| *number > 0)
            .map(|number| format!("{} {rest}", words::count(number, noun)))
    };
    let workspace = match held.files {
        0 => "Its workspace, which is empty".to_owned(),
        files => format!("{} in {}", words::bytes(held.bytes), words::count(files, "file")),
    };
    let mut losses = vec![workspace];
    losses.extend(some(held.uncommitted, "changed file", "that no commit has"));
    losses.extend(some(held.unpushed, "commit", "that no remote has"));
    losses.extend(
        some(Some(held.processes), "program", "still running").map(|loss| format!("What is in memory of {loss}")),
    );
    let safe = held.uncommitted == Some(0) && held.unpushed == Some(0);
    view! {
        <p class="soft">"This cannot be undone. You lose:"</p>
        <ul class="notice notice-failed losses">{losses.into_iter().map(|loss| view! { <li>{loss}</li> }).collect_view()}</ul>
        {safe.then(|| view! { <p class="soft">"Everything is committed and on a remote."</p> })}
    }
}

/// A pattern that only this text fits.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if !letter.is_alphanumeric() && letter != ' ' {
            pattern.push_str(&format!("\\u{{{:x}}}", letter as u32));
        } else {
            pattern.push(letter);
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_escapes_what_a_pattern_would_read() {
        assert_eq!(literal("a b"), "a b");
        assert_eq!(literal("a.b("), "a\\u{2e}b\\u{28}");
    }

    #[test]
    fn much_is_what_exists_nowhere_else_or_is_large() {
        let held = Holdings {
            bytes: 10,
            files: 2,
            uncommitted: Some(0),
            unpushed: Some(0),
            processes: 1,
        };
        assert!(!is_much(&held));
        assert!(is_much(&Holdings {
            unpushed: Some(1),
            ..held.clone()
        }));
        assert!(is_much(&Holdings {
            bytes: MUCH + 1,
            ..held
        }));
    }
}
