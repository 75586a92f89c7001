//! Who receives a secret: the fields in which it is chosen, and the words in which it is said.

use super::Shown;
use crate::{
    fault::Fault,
    home::Home,
    ui::{Glyph, Wrong, icon},
};
use domain::{PersonId, secret::Bindings};
use leptos::prelude::*;
use std::collections::BTreeSet;

/// The fields of a form. Of the reader's `own` secrets only agents and repositories are chosen.
#[component]
pub(super) fn BindingFields(
    /// What the ids of its fields begin with: two forms may be on one page.
    at: &'static str,
    bindings: Bindings,
    own: bool,
    /// What stands beside the box for everybody.
    #[prop(into)]
    everyone: String,
    members: Vec<(PersonId, String, String)>,
    agents: Vec<(String, String)>,
    #[prop(into)] fault: Signal<Option<Fault>>,
) -> impl IntoView {
    let joined = |items: &BTreeSet<String>, glue: &str| items.iter().cloned().collect::<Vec<_>>().join(glue);
    let (groups, repositories) = (joined(&bindings.groups, ", "), joined(&bindings.repositories, "\n"));
    let narrow = !bindings.agents.is_empty() || !bindings.repositories.is_empty();
    let bound = bindings.agents;
    view! {
        <fieldset class="field">
            <legend>"Whose sessions get it"</legend>
            <label class="check">
                <input type="checkbox" name="to[everyone]" value="true" checked=bindings.everyone />
                <span>{everyone}</span>
            </label>
            {(!own).then(|| view! { <People at bound=bindings.people members groups fault /> })}
        </fieldset>
        <details class="behind" open=narrow>
            <summary>{icon(Glyph::Right)} "Only with some agents, or on some repositories"</summary>
            <div class="stack">
                <fieldset class="field">
                    <legend>"Agents"</legend>
                    <p class="hint">"Tick none for all."</p>
                    <div class="choices" role="group" aria-label="Agents" tabindex="0">
                        {agents
                            .into_iter()
                            .map(|(slug, label)| {
                                let checked = bound.contains(&slug);
                                view! {
                                    <label class="check">
                                        <input type="checkbox" name="to[agents][]" value=slug checked=checked />
                                        <span>{label}</span>
                                    </label>
                                }
                            })
                            .collect_view()}
                    </div>
                </fieldset>
                <div class="field">
                    <label for=format!("{at}-repositories")>"Repositories"</label>
                    <textarea
                        class="input input-code"
                        id=format!("{at}-repositories")
                        name="to[repositories]"
                        rows="2"
                        autocapitalize="off"
                        spellcheck="false"
                        placeholder="github.com/acme/*"
                        aria-describedby=format!("{at}-repositories-hint")
                    >
                        {repositories}
                    </textarea>
                    <p class="hint" id=format!("{at}-repositories-hint")>
                        "host/path, one a line. * is anything within a part, ** any rest. Empty: everywhere."
                    </p>
                    <Wrong field="repositories" fault />
                </div>
            </div>
        </details>
    }
}

#[component]
fn People(
    at: &'static str,
    bound: BTreeSet<PersonId>,
    members: Vec<(PersonId, String, String)>,
    groups: String,
    fault: Signal<Option<Fault>>,
) -> impl IntoView {
    // Who is bound and not on the list stays bound.
    let others: Vec<PersonId> = bound
        .iter()
        .filter(|person| members.iter().all(|(id, ..)| id != *person))
        .cloned()
        .collect();
    view! {
        <div class="choices" role="group" aria-label="People" tabindex="0">
            {members
                .into_iter()
                .map(|(id, name, email)| {
                    let checked = bound.contains(&id);
                    view! {
                        <label class="check" title=email>
                            <input type="checkbox" name="to[people][]" value=id.as_str().to_owned() checked=checked />
                            <span>{name}</span>
                        </label>
                    }
                })
                .collect_view()}
        </div>
        {others
            .into_iter()
            .map(|id| view! { <input type="hidden" name="to[people][]" value=id.as_str().to_owned() /> })
            .collect_view()}
        <Wrong field="people" fault />
        <label for=format!("{at}-groups")>"Groups"</label>
        <input
            class="input"
            id=format!("{at}-groups")
            name="to[groups]"
            value=groups
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            placeholder="/platform, /contractors"
        />
        <Wrong field="groups" fault />
    }
}

/// Who receives it, in a few words.
pub(super) fn words(bindings: &Bindings, own: bool, shown: &Shown, home: Option<&Home>) -> String {
    if bindings.is_empty() {
        return "Nobody gets it".to_owned();
    }
    let names = bindings.people.iter().map(|person| {
        let known = shown.members.iter().find(|(id, ..)| id == person);
        known.map_or_else(|| "a member".to_owned(), |(_, name, _)| name.clone())
    });
    let groups = bindings.groups.iter().map(|group| format!("the group {group}"));
    let mut who: Vec<String> = match (bindings.everyone, own) {
        (true, true) => vec!["All your sessions".to_owned()],
        (true, false) => vec!["Everyone".to_owned()],
        (false, _) => names.chain(groups).collect(),
    };
    if who.is_empty() {
        who.push(if own { "Your sessions" } else { "Everyone" }.to_owned());
    }
    let mut text = few(who);
    if !bindings.agents.is_empty() {
        let label = |slug: &String| home.map_or_else(|| slug.clone(), |home| home.agent(slug));
        text.push_str(&format!(" with {}", few(bindings.agents.iter().map(label).collect())));
    }
    if !bindings.repositories.is_empty() {
        text.push_str(&format!(" on {}", few(bindings.repositories.iter().cloned().collect())));
    }
    text
}

/// `Ada`, `Ada and Bob`, `Ada, Bob and 3 more`.
fn few(mut names: Vec<String>) -> String {
    match names.len() {
        0..=1 => names.pop().unwrap_or_default(),
        2 => names.join(" and "),
        many => format!("{}, {} and {} more", names[0], names[1], many - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_receives_it_is_said_in_a_few_words() {
        let shown = Shown {
            held: Vec::new(),
            members: vec![(PersonId::new("1"), "Ada".to_owned(), String::new())],
        };
        let ada = Bindings {
            people: [PersonId::new("1"), PersonId::new("2")].into(),
            ..Bindings::default()
        };
        let narrow = Bindings {
            agents: ["aider".to_owned()].into(),
            repositories: ["h/a".to_owned(), "h/b".to_owned(), "h/c".to_owned()].into(),
            ..Bindings::default()
        };
        for (bindings, own, expected) in [
            (Bindings::default(), false, "Nobody gets it"),
            (Bindings::everyone(), false, "Everyone"),
            (Bindings::everyone(), true, "All your sessions"),
            (ada, false, "Ada and a member"),
            (narrow.clone(), false, "Everyone with aider on h/a, h/b and 1 more"),
            (narrow, true, "Your sessions with aider on h/a, h/b and 1 more"),
        ] {
            assert_eq!(words(&bindings, own, &shown, None), expected);
        }
    }
}
