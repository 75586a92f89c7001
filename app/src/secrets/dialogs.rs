//! Rotating, binding and deleting: which question is open is in the address, so it opens without scripts.

use super::{ChangeSecret, DeleteSecret, RotateSecret, Shown, bindings::BindingFields, new::ValueFields};
use crate::{
    address::with_query,
    fault::Fault,
    home::HomeAsked,
    ui::{Complaint, Dialog, Glyph, Refused, Toasts, icon},
    words,
};
use domain::{OrgId, Problem, id::SecretId, quota::Subject, secret::Held};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use serde::{Deserialize, Serialize};

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ask {
    Rotate,
    Bind,
    Delete,
}

impl Ask {
    const ALL: [Self; 3] = [Self::Rotate, Self::Bind, Self::Delete];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Bind => "bind",
            Self::Delete => "delete",
        }
    }

    /// Where this question about a secret is asked, above the page `back`.
    pub(super) fn address(self, back: &str, id: &SecretId) -> String {
        with_query(back, &[("ask", self.as_str()), ("secret", id.as_str())])
    }
}

/// The question that the address asks.
#[derive(Clone, Copy)]
pub(super) struct Asked(Memo<Option<(Ask, SecretId)>>);

impl Asked {
    /// Reads the address of this page.
    pub(super) fn on_page() -> Self {
        let query = use_query_map();
        Self(Memo::new(move |_| {
            query.with(|query| {
                let ask = query.get("ask")?;
                let ask = Ask::ALL.into_iter().find(|known| known.as_str() == ask)?;
                Some((ask, SecretId::new(query.get("secret")?)))
            })
        }))
    }
}

/// A question with what it is about.
type Question = Option<Result<(Ask, Held, Shown), Fault>>;

async fn question(asked: Option<(Ask, SecretId)>, org: Option<OrgId>) -> Question {
    let (ask, id) = asked?;
    let shown = match super::list_secrets(org).await {
        Ok(shown) => shown,
        Err(fault) => return Some(Err(fault)),
    };
    let held = shown.held.iter().find(|held| held.secret.id == id).cloned();
    let gone = || Fault {
        problem: Problem::new("no-such-secret", "There is no such secret any more."),
        status: 404,
        request: None,
    };
    Some(held.map(|held| (ask, held, shown)).ok_or_else(gone))
}

/// The dialog that is asked for.
#[component]
pub(super) fn Dialogs(
    asked: Asked,
    org: Option<OrgId>,
    back: StoredValue<String>,
    change: ServerAction<ChangeSecret>,
    rotate: ServerAction<RotateSecret>,
    delete: ServerAction<DeleteSecret>,
) -> impl IntoView {
    let answer = {
        let org = org.clone();
        Resource::new(move || asked.0.get(), move |asked| question(asked, org.clone()))
    };
    then_leave(rotate.value().into(), back, |held: &Held| {
        let name = &held.secret.name;
        match held.outdated().count() as u64 {
            0 => format!("{name} has its new value."),
            old => format!(
                "{name} has its new value; {} with an old one.",
                words::count(old, "running session")
            ),
        }
    });
    then_leave(change.value().into(), back, |held: &Held| {
        format!("{} is bound anew.", held.secret.name)
    });
    then_leave(delete.value().into(), back, |()| "The secret is deleted.".to_owned());
    view! {
        <Suspense>
            {move || {
                let org = org.clone();
                Suspend::new(async move {
                    Some(
                        match answer.await? {
                            Ok((Ask::Rotate, held, _)) => view! { <Rotate held org back action=rotate /> }.into_any(),
                            Ok((Ask::Bind, held, shown)) => view! { <Bind held shown org back action=change /> }.into_any(),
                            Ok((Ask::Delete, held, _)) => view! { <Delete held org back action=delete /> }.into_any(),
                            Err(fault) => {
                                view! {
                                    <Dialog title="This secret" back=back.get_value()>
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

/// When an action has worked: says so and leaves the dialog.
fn then_leave<T: Clone + Send + Sync + 'static>(
    value: Signal<Option<Result<T, Fault>>>,
    to: StoredValue<String>,
    said: impl Fn(&T) -> String + 'static,
) {
    let navigate = use_navigate();
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| {
        if let Some(Ok(done)) = value.get() {
            toasts.done(said(&done));
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate(&to.get_value(), options);
        }
    });
}

/// The hidden fields that say which secret.
fn which(org: Option<OrgId>, id: &SecretId) -> impl IntoView + use<> {
    view! {
        {org.map(|org| view! { <input type="hidden" name="org" value=org.as_str().to_owned() /> })}
        <input type="hidden" name="id" value=id.as_str().to_owned() />
    }
}

#[component]
fn Rotate(
    held: Held,
    org: Option<OrgId>,
    back: StoredValue<String>,
    action: ServerAction<RotateSecret>,
) -> impl IntoView {
    let fault = Signal::derive(move || action.value().get().and_then(Result::err));
    let effect = match held.holders.len() {
        0 => "No session runs with it now. Those that start from now on get the new value.".to_owned(),
        1 => "One session runs on with the value of before until it is restarted; the list will name it.".to_owned(),
        many => format!("{many} sessions run on with the value of before until restarted; the list will name them."),
    };
    let secret = held.secret;
    let kind = secret.kind.as_str();
    view! {
        <Dialog title="Rotate secret" about=secret.name back=back.get_value()>
            <ActionForm action attr:autocomplete="off">
                {which(org, &secret.id)}
                <div class="stack new-secret">
                    <input type="hidden" name="kind" value=kind data-kind=kind />
                    <ValueFields at="next" fault />
                    <p class="soft">{effect}</p>
                    <Refused fault=move || fault.get().filter(|fault| fault.at("value").is_none()) />
                    <div class="actions">
                        <a class="btn" href=back.get_value()>"Cancel"</a>
                        <button class="btn btn-primary" type="submit" disabled=move || action.pending().get()>
                            {move || if action.pending().get() { "Rotating" } else { "Rotate" }}
                        </button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}

#[component]
fn Bind(
    held: Held,
    shown: Shown,
    org: Option<OrgId>,
    back: StoredValue<String>,
    action: ServerAction<ChangeSecret>,
) -> impl IntoView {
    let fault = Signal::derive(move || action.value().get().and_then(Result::err));
    let home = expect_context::<HomeAsked>();
    let own = org.is_none();
    let secret = held.secret;
    let (bindings, members) = (secret.bindings, shown.members);
    let everyone = match secret.owner {
        Subject::Person(_) => "All my sessions".to_owned(),
        Subject::Group(group) => format!("Everyone in the group {group}"),
        Subject::Org => "Everyone in the Organization".to_owned(),
    };
    view! {
        <Dialog title="Bind secret" about=secret.name back=back.get_value()>
            <ActionForm action>
                {which(org, &secret.id)}
                <div class="stack">
                    <Suspense>
                        {move || {
                            let (bindings, members, everyone) = (bindings.clone(), members.clone(), everyone.clone());
                            Suspend::new(async move {
                                let agents = home.0.await.map(|home| home.agents).unwrap_or_default();
                                view! { <BindingFields at="bind" bindings own everyone members agents fault /> }
                            })
                        }}
                    </Suspense>
                    <p class="soft">"Sessions that run now keep what they were given until they are restarted."</p>
                    <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                    <div class="actions">
                        <a class="btn" href=back.get_value()>"Cancel"</a>
                        <button class="btn btn-primary" type="submit" disabled=move || action.pending().get()>
                            {move || if action.pending().get() { "Saving" } else { "Save" }}
                        </button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}

#[component]
fn Delete(
    held: Held,
    org: Option<OrgId>,
    back: StoredValue<String>,
    action: ServerAction<DeleteSecret>,
) -> impl IntoView {
    let fault = Signal::derive(move || action.value().get().and_then(Result::err));
    let lost = match held.holders.len() {
        0 => "Its value is gone for good, and sessions that start from now on do without it.".to_owned(),
        1 => "Its value is gone for good. One running session keeps it until it is restarted.".to_owned(),
        many => format!("Its value is gone for good. {many} running sessions keep it until they are restarted."),
    };
    let secret = held.secret;
    view! {
        <Dialog title="Delete secret" about=secret.name back=back.get_value()>
            <ActionForm action>
                {which(org, &secret.id)}
                <div class="stack">
                    <div class="notice notice-waiting">
                        {icon(Glyph::Warning)}
                        <p>{lost}</p>
                    </div>
                    <Refused fault />
                    <div class="actions">
                        <a class="btn" href=back.get_value()>"Cancel"</a>
                        <button class="btn btn-danger" type="submit" disabled=move || action.pending().get()>
                            {move || if action.pending().get() { "Deleting" } else { "Delete secret" }}
                        </button>
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}
