//! Asking for more: one form, and what became of what was asked for.

use crate::{
    live::{Live, Topic},
    org::{
        AskForMore, RequestState, WithdrawRequest, ask_words, dimension_name, limit_words, my_requests, source_words,
    },
    ui::{Bones, Complaint, Glyph, Keys, Refused, TextField, Toasts, icon},
};
use domain::quota::{Dimension, Standing, State};
use leptos::{form::ActionForm, prelude::*};

/// Where each limit comes from, and the way to ask for more of it.
#[component]
#[must_use]
pub fn More(standing: Standing) -> impl IntoView {
    let ask = ServerAction::<AskForMore>::new();
    let withdraw = ServerAction::<WithdrawRequest>::new();
    let changed = RwSignal::new(0);
    expect_context::<Live>().listen(Topic::Orgs, move || {
        changed.try_update(|version| *version += 1);
    });
    let requests = Resource::new(
        move || (ask.version().get(), withdraw.version().get(), changed.get()),
        |_| my_requests(),
    );
    let fault = Signal::derive(move || ask.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    let whom = standing.raised_by.join(" or ");
    let asked = if whom.is_empty() { "Your admin".to_owned() } else { whom };
    Effect::new(move |_| {
        if let Some(Ok(_)) = ask.value().get() {
            toasts.done(format!(
                "{asked} will see your request. What comes of it is shown here."
            ));
        }
    });
    let Standing { quota, sources, .. } = standing;
    let rows = Dimension::ALL
        .map(|dimension| {
            view! {
                <tr>
                    <th scope="row">{dimension_name(dimension)}</th>
                    <td>{limit_words(dimension, quota.of(dimension))}</td>
                    <td class="meta">{sources.get(&dimension).map(source_words).unwrap_or_default()}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="limits" id="more">
            <div class="section-head"><h2 id="limits">"Limits"</h2></div>
            <div class="stack">
                <div class="card scroll-x">
                    <table class="table plain-table">
                        <caption class="sr-only">"Limits and where they come from"</caption>
                        <thead>
                            <tr><th scope="col">"Limit"</th><th scope="col">"Yours"</th><th scope="col">"From"</th></tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                <details class="card new-token" open=move || fault.with(Option::is_some)>
                    <summary class="card-head">{icon(Glyph::Plus)} <span class="grow">"Ask for more"</span></summary>
                    <div class="card-body">
                        <ActionForm action=ask>
                            <div class="stack">
                                <div class="pair">
                                    <div class="field">
                                        <label for="ask-dimension">"What"</label>
                                        <select class="input" id="ask-dimension" name="dimension">
                                            {Dimension::ALL
                                                .map(|dimension| {
                                                    view! { <option value=dimension.as_str()>{dimension_name(dimension)}</option> }
                                                })}
                                        </select>
                                    </div>
                                    <TextField id="ask-wanted" name="wanted" label="How much" required=true placeholder="5, or unlimited" fault>
                                        "Sessions, CPUs, GiB, hours to run or minutes to rest."
                                    </TextField>
                                    <TextField id="ask-days" name="days" label="For how many days" keys=Keys::Number placeholder="For good" fault />
                                    <TextField id="ask-why" name="why" label="Why" required=true most=500_usize fault />
                                </div>
                                <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                                <div class="actions">
                                    <button class="btn btn-primary" type="submit" disabled=move || ask.pending().get()>
                                        {move || if ask.pending().get() { "Asking" } else { "Ask" }}
                                    </button>
                                </div>
                            </div>
                        </ActionForm>
                    </div>
                </details>
                <Transition fallback=|| view! { <Bones rows=1 /> }>
                    {move || Suspend::new(async move {
                        match requests.await {
                            Ok(requests) if requests.is_empty() => ().into_any(),
                            Ok(requests) => {
                                view! {
                                    <ul role="list" class="card lines" aria-label="Your requests">
                                        {requests
                                            .into_iter()
                                            .map(|request| {
                                                let waits = request.state == State::Waiting;
                                                let id = request.id.as_str().to_owned();
                                                let label = format!("Withdraw {}", ask_words(&request));
                                                view! {
                                                    <li>
                                                        <div class="grow">
                                                            <p>{ask_words(&request)}</p>
                                                            <RequestState request />
                                                        </div>
                                                        {waits
                                                            .then(|| {
                                                                view! {
                                                                    <ActionForm action=withdraw>
                                                                        <input type="hidden" name="id" value=id />
                                                                        <button class="btn btn-small" type="submit" aria-label=label>"Withdraw"</button>
                                                                    </ActionForm>
                                                                }
                                                            })}
                                                    </li>
                                                }
                                            })
                                            .collect_view()}
                                    </ul>
                                }
                                    .into_any()
                            }
                            Err(fault) => view! { <Complaint fault /> }.into_any(),
                        }
                    })}
                </Transition>
            </div>
        </section>
    }
}
