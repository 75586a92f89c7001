//! Requests for more: those that wait, answered one by one or together, and what became of the others.

use super::{AnswerRequest, AnswerRequests, ask_words, many::Told};
use crate::{
    now::Ago,
    ui::{
        Face, Glyph, Refused, Toasts, Wrong, icon,
        list::{Chosen, sent_by, value_in},
    },
    words,
};
use domain::{
    OrgId,
    id::RequestId,
    many::Outcome,
    quota::{Limit, Request, State},
};
use leptos::{ev, form::ActionForm, prelude::*};

/// Where the form of many answers goes without scripts; the server answers there with plain pages.
pub const ANSWERS: &str = "/org/quotas/many";
/// The id of that form; the boxes stand in the requests' cards, beside forms of their own.
const FORM: &str = "answer-many";

/// The requests that are chosen, and what is done with them. It outlives the list, which changes on its own.
#[derive(Clone, Copy)]
pub(super) struct Answers {
    chosen: Chosen,
    answer: ServerAction<AnswerRequests>,
    outcomes: RwSignal<Vec<Outcome>>,
}

impl Answers {
    /// For a page; `changed` is counted up when something was answered.
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        let answers = Self {
            chosen: Chosen::of_form(FORM),
            answer: ServerAction::new(),
            outcomes: RwSignal::new(Vec::new()),
        };
        let toasts = expect_context::<Toasts>();
        Effect::new(move |_| match answers.answer.value().get() {
            Some(Ok(outcomes)) => {
                let done = outcomes.iter().filter(|outcome| outcome.refused.is_none()).count() as u64;
                answers.outcomes.set(outcomes);
                answers.chosen.clear();
                if done > 0 {
                    toasts.done(format!("{} answered.", words::count(done, "request")));
                    changed.update(|version| *version += 1);
                }
            }
            Some(Err(fault)) => toasts.failed(fault.detail()),
            None => {}
        });
        answers
    }

    fn sent(self, event: &ev::SubmitEvent, org: &OrgId) {
        event.prevent_default();
        let ids: Vec<_> = self.chosen.get().into_iter().map(RequestId::new).collect();
        if ids.is_empty() {
            return;
        }
        self.answer.dispatch(AnswerRequests {
            org: org.clone(),
            granted: sent_by(event) == "grant",
            word: value_in(event, "word").unwrap_or_default(),
            ids,
        });
    }
}

/// Those that wait, each with its two answers; of several, any number can be answered together.
#[component]
pub(super) fn Requests(
    waiting: Vec<Request>,
    org: OrgId,
    answers: Answers,
    changed: RwSignal<u32>,
    back: String,
) -> impl IntoView {
    let ids: Vec<_> = waiting.iter().map(|request| request.id.as_str().to_owned()).collect();
    let several = ids.len() > 1;
    answers.chosen.shows(ids);
    let (named, returns) = (org.as_str().to_owned(), back.clone());
    view! {
        <section aria-labelledby="waiting" class="many">
            <div class="section-head">
                <h2 id="waiting">"Requests"</h2>
                {several.then(|| view! { <span class="meta all-of-them">{answers.chosen.tick_all()} "All"</span> })}
            </div>
            <Told outcomes=answers.outcomes.into() />
            {if waiting.is_empty() {
                view! { <p class="card card-body soft">"Nobody waits for an answer."</p> }.into_any()
            } else {
                view! {
                    <ul role="list" class="stack">
                        {waiting
                            .into_iter()
                            .map(|request| {
                                let ticked = several.then(|| {
                                    let label = format!("Choose the request of {}: {}", request.name, ask_words(&request));
                                    answers.chosen.tick("id", request.id.as_str().to_owned(), label)
                                });
                                view! { <Waiting request changed back=back.clone() ticked=ticked.into_any() /> }
                            })
                            .collect_view()}
                    </ul>
                }
                    .into_any()
            }}
            {several
                .then(|| {
                    view! {
                        <form id=FORM method="post" action=ANSWERS on:submit=move |event| answers.sent(&event, &org)>
                            <input type="hidden" name="org" value=named />
                            <input type="hidden" name="back" value=returns />
                            <div class="bar" role="group" aria-label="With those that are chosen">
                                <p class="meta chosen">{move || format!("{} chosen", answers.chosen.count())}</p>
                                <button class="btn btn-small btn-primary" type="submit" name="act" value="grant">"Grant as asked"</button>
                                <span class="part">
                                    <input class="input input-small" name="word" maxlength="500" placeholder="Why not" aria-label="Why not, for all of them" autocomplete="off" />
                                    <button class="btn btn-small" type="submit" name="act" value="decline">"Decline all"</button>
                                </span>
                                <button class="btn btn-small btn-quiet only-scripts" type="button" on:click=move |_| answers.chosen.clear()>"Clear"</button>
                            </div>
                        </form>
                    }
                })}
        </section>
    }
}

#[component]
fn Waiting(request: Request, changed: RwSignal<u32>, back: String, ticked: AnyView) -> impl IntoView {
    let answer = ServerAction::<AnswerRequest>::new();
    let fault = Signal::derive(move || answer.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    let name = request.name.clone();
    Effect::new(move |_| {
        if let Some(Ok(request)) = answer.value().get() {
            let what = if request.state == State::Granted {
                "granted"
            } else {
                "declined"
            };
            toasts.done(format!("The request of {name} is {what}."));
            changed.update(|version| *version += 1);
        }
    });
    let told = StoredValue::new((request.org.as_str().to_owned(), request.id.as_str().to_owned(), back));
    let hidden = move |granted: bool| {
        let (org, id, back) = told.get_value();
        view! {
            <input type="hidden" name="org" value=org />
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="granted" value=granted.to_string() />
            <input type="hidden" name="back" value=back />
        }
    };
    let days = request.days.map(|days| days.to_string()).unwrap_or_default();
    let days_id = format!("days-{}", request.id);
    let word_id = format!("word-{}", request.id);
    view! {
        <li class="card">
            <div class="card-body stack">
                <div class="person">
                    {ticked}
                    <Face name=request.name.clone() />
                    <div class="grow">
                        <p><strong>{request.name.clone()}</strong> <span class="meta">" asked " <Ago at=Signal::stored(request.asked_at) /></span></p>
                        <p>{ask_words(&request)}</p>
                        <p class="soft">{request.why.clone()}</p>
                    </div>
                </div>
                <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                <div class="answers">
                    <ActionForm action=answer>
                        {hidden(true)}
                        <div class="answer">
                            <label class="sr-only" for=days_id.clone()>"For how many days"</label>
                            <input class="input" id=days_id name="days" value=days inputmode="numeric" placeholder="For good" autocomplete="off" />
                            <span class="meta">"days"</span>
                            <button class="btn btn-primary" type="submit" disabled=move || answer.pending().get()>
                                {icon(Glyph::Check)} "Grant"
                            </button>
                        </div>
                        <Wrong field="days" fault />
                    </ActionForm>
                    <ActionForm action=answer>
                        {hidden(false)}
                        <div class="answer">
                            <label class="sr-only" for=word_id.clone()>"Why not"</label>
                            <input class="input" id=word_id name="word" maxlength="500" placeholder="Why not" autocomplete="off" />
                            <button class="btn" type="submit" disabled=move || answer.pending().get()>"Decline"</button>
                        </div>
                        <Wrong field="word" fault />
                    </ActionForm>
                </div>
            </div>
        </li>
    }
}

/// One that was answered, in a line.
#[component]
pub(super) fn Answered(request: Request) -> impl IntoView {
    view! {
        <li>
            <div class="grow">
                <p>{request.name.clone()} ": " {ask_words(&request)}</p>
                <RequestState request />
            </div>
        </li>
    }
}

/// What became of a request, in one line.
#[component]
pub(crate) fn RequestState(request: Request) -> impl IntoView {
    let (class, word) = match request.state {
        State::Waiting => ("tag tag-waiting", "Waiting"),
        State::Granted => ("tag tag-running", "Granted"),
        State::Declined => ("tag tag-failed", "Declined"),
        State::Withdrawn => ("tag", "Withdrawn"),
    };
    let over = request.state == State::Granted && request.wanted == Limit::Unlimited && request.ends_at.is_none();
    view! {
        <p class="meta dot-between">
            <span class=class>{word}</span>
            {match (request.answered_at, request.answered_by.clone()) {
                (Some(at), Some(by)) => Some(view! { <span>"By " {by} " " <Ago at=Signal::stored(at) /></span> }.into_any()),
                _ => Some(view! { <span>"Asked " <Ago at=Signal::stored(request.asked_at) /></span> }.into_any()),
            }}
            {request.ends_at.map(|at| view! { <span>"Until " {words::day(at, 0)}</span> })}
            {over.then(|| view! { <span>"For good"</span> })}
            {request.answer.map(|answer| view! { <span>{answer}</span> })}
        </p>
    }
}
