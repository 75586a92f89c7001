//! What the pane has to say: thin strips around the terminal, never a dialog over it.

use super::{
    calls, clipboard,
    drawn::{EYE, drawn},
    link::{Notice, Refusal, State},
    pane::Pane,
};
use crate::ui::{Glyph, icon};
use domain::{host::AGENT, permit::Verb, wire::Exit};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Above the terminal: that it is old, that it ended, that nobody is let in.
#[component]
pub fn StateStrip(pane: Pane) -> impl IntoView {
    let facts = pane.facts;
    let state = Memo::new(move |_| facts.state.get());
    let resume = move |_| resume(pane);
    // The terminal hears of an end before the session does; until then there would be nothing to resume.
    let may_resume = Memo::new(move |_| {
        pane.session
            .with(|view| view.may(Verb::ResumeSession) && !view.session.is_live())
    });
    // What a session says that runs: its Organization warns of long rests.
    let word = Memo::new(move |_| pane.session.with(|view| view.session.word().map(str::to_owned)));
    let who = move || {
        if pane.shown.with(|shown| shown == AGENT) {
            "The agent"
        } else {
            "The shell"
        }
    };
    view! {
        {move || match state.get() {
            State::Stale => {
                view! {
                    <div class="term-strip" data-tone="waiting" role="status">
                        <p>
                            "Reconnecting… Shown as of "
                            {move || facts.stale_since.get().unwrap_or_default()}
                            ". What you type is kept."
                        </p>
                        <button
                            type="button"
                            class="btn btn-quiet btn-small"
                            on:click=move |_| {
                                if let Some(attachment) = pane.attachment() {
                                    attachment.nudge();
                                }
                            }
                        >
                            "Try now"
                        </button>
                    </div>
                }
                    .into_any()
            }
            State::Exited(exit) => {
                let agent = pane.shown.with(|shown| shown == AGENT);
                view! {
                    <div class="term-strip" data-tone="stopped" role="status">
                        <p>{move || ended(who(), exit)}</p>
                        <Show when=move || agent && may_resume.get()>
                            <button type="button" class="btn btn-small" on:click=resume>
                                {icon(Glyph::Play)}
                                "Resume"
                            </button>
                        </Show>
                    </div>
                }
                    .into_any()
            }
            State::Refused(refusal) => {
                let (words, way) = refused(refusal);
                view! {
                    <div class="term-strip" data-tone="failed" role="alert">
                        <p>{words}</p>
                        {way.map(|(word, href)| view! { <a class="btn btn-small" href=href rel="external">{word}</a> })}
                    </div>
                }
                    .into_any()
            }
            State::Connecting | State::Attached | State::Asleep | State::Waking => ().into_any(),
        }}
        {move || {
            word.get()
                .map(|word| {
                    view! {
                        <div class="term-strip" data-tone="waiting" role="status">
                            <p>{word}</p>
                        </div>
                    }
                })
        }}
        {move || {
            facts
                .broken
                .get()
                .map(|detail| {
                    view! {
                        <div class="term-strip" data-tone="failed" role="alert">
                            <p>{detail}</p>
                        </div>
                    }
                })
        }}
    }
    .into_any()
}

/// Over the foot of the terminal: who types, what wakes it, what a program wants, what was not typed.
#[component]
pub fn Foot(pane: Pane) -> impl IntoView {
    view! {
        <div class="term-foot">
            <Offer pane />
            <Said pane />
            <Pill pane />
        </div>
    }
    .into_any()
}

/// Who types, for those who watch.
#[component]
fn Pill(pane: Pane) -> impl IntoView {
    let facts = pane.facts;
    let words = Memo::new(move |_| {
        let mine = facts.attachment.get();
        let driver = facts.viewers.with(|viewers| {
            let driver = viewers.iter().find(|viewer| viewer.driver && viewer.attachment != mine);
            driver.map(|driver| driver.name.clone())
        });
        match facts.state.get() {
            State::Asleep if facts.may_type.get() => Some("Suspended. Type to wake it.".to_owned()),
            State::Waking => Some("Waking it up…".to_owned()),
            State::Attached if !facts.driver.get() => Some(match (driver, facts.may_type.get()) {
                (Some(name), _) => format!("Watching. {name} types."),
                (None, true) => "Watching. Nobody types; type to take over.".to_owned(),
                (None, false) => "Watching.".to_owned(),
            }),
            State::Attached if !facts.fits.get() => Some("Sized for another window of yours.".to_owned()),
            _ => None,
        }
    });
    let take = Memo::new(move |_| {
        facts.may_type.get() && facts.state.get() == State::Attached && !(facts.driver.get() && facts.fits.get())
    });
    view! {
        {move || {
            words
                .get()
                .map(|words| {
                    view! {
                        <div class="term-pill" role="status">
                            {drawn(EYE)} <span>{words}</span>
                            <Show when=move || take.get()>
                                <button
                                    type="button"
                                    class="link"
                                    on:click=move |_| {
                                        if let Some(attachment) = pane.attachment() {
                                            attachment.take_control();
                                            pane.focus();
                                        }
                                    }
                                >
                                    "Take control"
                                </button>
                            </Show>
                        </div>
                    }
                })
        }}
    }
    .into_any()
}

/// What was not typed, and why; it goes by itself.
#[component]
fn Said(pane: Pane) -> impl IntoView {
    let notice = pane.facts.notice;
    let shown = RwSignal::new(0_u32);
    Effect::new(move |_| {
        if notice.with(Option::is_some) {
            let number = shown.get_untracked() + 1;
            shown.set(number);
            set_timeout(
                move || {
                    if shown.try_get_untracked() == Some(number) {
                        notice.try_set(None);
                    }
                },
                core::time::Duration::from_secs(8),
            );
        }
    });
    view! {
        <div role="status" aria-live="polite">
            {move || {
                notice
                    .get()
                    .map(|notice| {
                        view! {
                            <div class="term-pill" data-tone="waiting">
                                {icon(Glyph::Warning)} <span>{told(&notice)}</span>
                            </div>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// What a program would like to have on the clipboard.
#[component]
fn Offer(pane: Pane) -> impl IntoView {
    let offer = pane.facts.offered;
    view! {
        {move || {
            let text = clipboard::offered(&offer.get()?)?;
            let beginning: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
            let words = format!("The program wants to copy {} characters: “{}”", text.chars().count(), beginning.trim());
            Some(
                view! {
                    <div class="term-pill" role="alert">
                        {icon(Glyph::Copy)} <span class="truncate">{words}</span>
                        <button
                            type="button"
                            class="link"
                            on:click=move |_| {
                                clipboard::write(pane, text.clone());
                                offer.set(None);
                                pane.focus();
                            }
                        >
                            "Copy"
                        </button>
                        <button
                            type="button"
                            class="link"
                            on:click=move |_| {
                                offer.set(None);
                                pane.focus();
                            }
                        >
                            "Ignore"
                        </button>
                    </div>
                },
            )
        }}
    }
    .into_any()
}

fn resume(pane: Pane) {
    match pane.on_resume {
        Some(resume) => resume.run(()),
        None => {
            let session = pane.session.with_untracked(|view| view.session.id.clone());
            spawn_local(async move {
                if let Err(fault) = calls::resume(session).await {
                    let notice = Notice::Refused {
                        code: fault.problem.code.clone(),
                        detail: fault.detail(),
                    };
                    pane.facts.notice.try_set(Some(notice));
                }
            });
        }
    }
}

fn ended(who: &str, exit: Exit) -> String {
    match exit {
        Exit::Code(0) => format!("{who} ended with status 0. Its last screen is kept."),
        Exit::Code(status) => format!("{who} ended with status {status}. Its last screen is kept."),
        Exit::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("{who} was ended by the signal {name}. Its last screen is kept."),
            None => format!("{who} was ended by signal {signal}. Its last screen is kept."),
        },
    }
}

const fn signal_name(signal: i32) -> Option<&'static str> {
    match signal {
        1 => Some("HUP"),
        2 => Some("INT"),
        3 => Some("QUIT"),
        6 => Some("ABRT"),
        9 => Some("KILL"),
        11 => Some("SEGV"),
        13 => Some("PIPE"),
        15 => Some("TERM"),
        _ => None,
    }
}

const fn refused(refusal: Refusal) -> (&'static str, Option<(&'static str, &'static str)>) {
    match refusal {
        Refusal::SignedOut => (
            "You are signed out. Sign in to go on; the terminal runs on.",
            Some(("Sign in", "/sign-in")),
        ),
        Refusal::Forbidden => ("You may no longer watch this terminal.", Some(("All sessions", "/"))),
        Refusal::Gone => ("This terminal is gone.", Some(("All sessions", "/"))),
    }
}

fn told(notice: &Notice) -> String {
    match notice {
        Notice::TooMuch => "That is too much at once while nothing arrives. It was not typed.".to_owned(),
        Notice::Ended => "The program has ended; nobody reads what you type.".to_owned(),
        Notice::MayNotType => "You may watch this terminal, not type into it.".to_owned(),
        Notice::Dropped => "The program was started anew. What had not arrived was not typed.".to_owned(),
        Notice::Refused { code, .. } if code == "not-driver" => {
            "Somebody else types at the moment. It was not typed.".to_owned()
        }
        Notice::Refused { detail, .. } => detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_by_status_or_by_the_name_of_its_signal() {
        assert_eq!(
            ended("The agent", Exit::Code(0)),
            "The agent ended with status 0. Its last screen is kept."
        );
        assert_eq!(
            ended("The shell", Exit::Signal(9)),
            "The shell was ended by the signal KILL. Its last screen is kept."
        );
        assert_eq!(
            ended("The shell", Exit::Signal(64)),
            "The shell was ended by signal 64. Its last screen is kept."
        );
    }
}
