//! Which sessions used what.

use super::dimension_words;
use crate::home::Home;
use domain::{SessionId, host::Dimension, usage::Share};
use leptos::prelude::*;

struct Line {
    session: SessionId,
    name: Option<String>,
    agent: String,
    sums: [u64; 3],
}

fn lines(shares: Vec<Share>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for share in shares {
        let place = Dimension::ALL
            .iter()
            .position(|dimension| *dimension == share.dimension)
            .unwrap_or(0);
        let at = match lines.iter().position(|line| line.session == share.session) {
            Some(at) => at,
            None => {
                lines.push(Line {
                    session: share.session,
                    name: share.name,
                    agent: share.agent,
                    sums: [0; 3],
                });
                lines.len() - 1
            }
        };
        lines[at].sums[place] += share.quantity;
    }
    lines.sort_by_key(|line| core::cmp::Reverse(line.sums));
    lines
}

#[component]
pub(super) fn Shares(shares: Vec<Share>, home: Home) -> impl IntoView {
    let lines = lines(shares);
    let none = lines.is_empty();
    view! {
        <section>
            <div class="section-head">
                <h2>"By session"</h2>
                <p class="meta">"The sessions that used most"</p>
            </div>
            <div class="card scroll-x" tabindex="0" role="region" aria-label="Usage by session">
                {if none {
                    view! { <p class="soft p-4">"No session used anything in this time."</p> }.into_any()
                } else {
                    view! {
                        <table class="table">
                            <thead>
                                <tr>
                                    <th scope="col">"Session"</th>
                                    <th scope="col">"Agent"</th>
                                    {Dimension::ALL
                                        .map(|dimension| view! { <th scope="col" class="number">{dimension_words(dimension).0}</th> })}
                                </tr>
                            </thead>
                            <tbody>
                                {lines
                                    .into_iter()
                                    .map(|line| {
                                        let agent = home.agent(&line.agent);
                                        view! {
                                            <tr>
                                                <td>
                                                    {match line.name {
                                                        Some(name) => {
                                                            view! {
                                                                <a class="link" href=format!("/sessions/{}", line.session)>
                                                                    {name}
                                                                </a>
                                                            }
                                                                .into_any()
                                                        }
                                                        None => {
                                                            view! { <span class="soft">{line.session.to_string()} " (deleted)"</span> }.into_any()
                                                        }
                                                    }}
                                                </td>
                                                <td class="soft">{agent}</td>
                                                {Dimension::ALL
                                                    .into_iter()
                                                    .zip(line.sums)
                                                    .map(|(dimension, sum)| view! { <td class="number whitespace-nowrap">{dimension_words(dimension).1(sum)}</td> })
                                                    .collect_view()}
                                            </tr>
                                        }
                                    })
                                    .collect_view()}
                            </tbody>
                        </table>
                    }
                        .into_any()
                }}
            </div>
        </section>
    }
}
