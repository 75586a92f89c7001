//! The secrets of a shelf, and the sessions that hold an old value.

use super::{RestartHolder, Shown, bindings::words, dialogs::Ask};
use crate::{
    home::Home,
    now::Ago,
    ui::{Glyph, icon},
};
use domain::{
    quota::Subject,
    secret::{Held, Holder, Kind},
};
use leptos::{form::ActionForm, prelude::*};

/// How a kind is called.
pub(super) const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Env => "Variable",
        Kind::File => "File",
    }
}

/// Whose it is.
pub(super) fn owner_word(owner: &Subject) -> String {
    match owner {
        Subject::Org => "Organization".to_owned(),
        Subject::Group(name) => format!("Group {name}"),
        Subject::Person(_) => "Yours".to_owned(),
    }
}

/// The list.
#[component]
pub(super) fn List(
    shown: Shown,
    home: Option<Home>,
    back: StoredValue<String>,
    restart: ServerAction<RestartHolder>,
) -> impl IntoView {
    let held = shown.held.clone();
    view! {
        <ul role="list" class="card lines secrets">
            {held
                .into_iter()
                .map(|held| {
                    let who = words(&held.secret.bindings, back.with_value(|back| back == super::OWN), &shown, home.as_ref());
                    let me = home.as_ref().map(|home| home.person.clone()).unwrap_or_default();
                    view! { <Line held who me back restart /> }
                })
                .collect_view()}
        </ul>
    }
}

#[component]
fn Line(
    held: Held,
    who: String,
    me: String,
    back: StoredValue<String>,
    restart: ServerAction<RestartHolder>,
) -> impl IntoView {
    let outdated: Vec<Holder> = held.outdated().cloned().collect();
    let holders = held.holders.len() as u64;
    let secret = held.secret;
    let (id, name) = (secret.id.clone(), secret.name.clone());
    let link = move |ask: Ask, word: &'static str| {
        let label = format!("{word} {name}");
        view! { <a class="btn btn-small" href=ask.address(&back.get_value(), &id) aria-label=label>{word}</a> }
    };
    let nobody = secret.bindings.is_empty();
    let group = matches!(secret.owner, Subject::Group(_)).then(|| owner_word(&secret.owner));
    let all_new = holders > 0 && outdated.is_empty();
    view! {
        <li>
            <div class="grow">
                <p class="secret-name">
                    <code>{secret.name}</code>
                    <span class="tag">{kind_word(secret.kind)}</span>
                    {group.map(|group| view! { <span class="tag tag-accent">{group}</span> })}
                </p>
                <p class=if nobody { "secret-who tag tag-waiting" } else { "secret-who" }>{who}</p>
                <p class="meta dot-between">
                    <span>{format!("Version {}", secret.version)}</span>
                    <span title=secret.changed_by>"Changed " <Ago at=Signal::stored(secret.changed_at) /></span>
                    {all_new.then(|| view! { <span>{format!("In {}", crate::words::count(holders, "running session"))}</span> })}
                </p>
                {(!outdated.is_empty()).then(|| view! { <Outdated outdated holders me back restart /> })}
            </div>
            <div class="actions">
                {link(Ask::Rotate, "Rotate")} {link(Ask::Bind, "Bind")} {link(Ask::Delete, "Delete")}
            </div>
        </li>
    }
}

/// Running sessions that were given an older value.
#[component]
fn Outdated(
    outdated: Vec<Holder>,
    holders: u64,
    me: String,
    back: StoredValue<String>,
    restart: ServerAction<RestartHolder>,
) -> impl IntoView {
    let sentence = match (outdated.len() as u64, holders) {
        (1, 1) => "The session that runs with it has an old value".to_owned(),
        (old, all) if old == all => format!("All {all} sessions that run with it have an old value"),
        (old, all) => format!("{old} of {all} sessions that run with it still with an old value"),
    };
    view! {
        <details class="outdated">
            <summary>{icon(Glyph::Warning)} <span>{sentence}</span></summary>
            <ul role="list">
                {outdated
                    .into_iter()
                    .map(|holder| {
                        let mine = holder.owner.as_str() == me;
                        let label = format!("Restart {}", holder.session_name);
                        let owner = if mine { "Yours".to_owned() } else { holder.owner_name };
                        view! {
                            <li>
                                <div class="grow">
                                    <a class="link" href=format!("/sessions/{}", holder.session)>{holder.session_name}</a>
                                    <p class="meta dot-between">
                                        <span>{owner}</span>
                                        <span>{format!("Version {}", holder.version)}</span>
                                    </p>
                                </div>
                                {mine
                                    .then(|| {
                                        view! {
                                            <ActionForm action=restart>
                                                <input type="hidden" name="id" value=holder.session.as_str().to_owned() />
                                                <input type="hidden" name="back" value=back.get_value() />
                                                <button class="btn btn-small" type="submit" aria-label=label>
                                                    {icon(Glyph::Again)}
                                                    "Restart"
                                                </button>
                                            </ActionForm>
                                        }
                                    })}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
            <p class="meta">
                "A session gets the new value when it starts again: its programs end, its files stay. Its owner can restart it."
            </p>
        </details>
    }
}
