//! The way to invite, the link that it gives, and the invitations that wait.

use super::{INVITED, Invite, JoinLink, WithdrawInvitation, address, list_invitations, meant};
use crate::{
    fault::Fault,
    home::{at_home, role_name},
    now::Ago,
    ui::{Bones, Complaint, Glyph, Keys, Refused, TextField, Toasts, icon},
    words,
};
use domain::{
    OrgId, Role,
    invitation::{DAYS_DEFAULT, Invitation, Invited, Letter},
    member::EMAIL_MAX,
};
use leptos::{form::ActionForm, prelude::*};

/// The roles that an admin gives; more is given by owners.
const GIVEN: [Role; 4] = [Role::Viewer, Role::Developer, Role::OrgAdmin, Role::Owner];

/// The form to invite, the link that it gives, and the invitations that wait.
#[component]
pub(super) fn Inviting(of: Memo<Option<OrgId>>, changed: RwSignal<u32>) -> impl IntoView {
    let inviting = ServerAction::<Invite>::new();
    let withdraw = ServerAction::<WithdrawInvitation>::new();
    let waiting = Resource::new(
        move || {
            (
                of.get(),
                inviting.version().get(),
                withdraw.version().get(),
                changed.get(),
            )
        },
        |(of, ..)| async move {
            let org = meant(of).await?;
            Ok::<_, Fault>((list_invitations(org.clone()).await?, org))
        },
    );
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| match withdraw.value().get() {
        Some(Ok(())) => toasts.done("The invitation is withdrawn; its link works no more."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    let invited = move || match inviting.value().get() {
        Some(Ok(invited)) => Some(view! { <Link invited /> }),
        _ => None,
    };
    view! {
        <section aria-labelledby="inviting" class="stack">
            <h2 id="inviting" class="sr-only">"Invitations"</h2>
            {invited}
            <Suspense fallback=|| view! { <Bones rows=1 /> }>
                {move || Suspend::new(async move {
                    match waiting.await {
                        Ok((waiting, org)) => {
                            view! {
                                <Form inviting org=org.clone() />
                                {(!waiting.is_empty())
                                    .then(|| {
                                        view! {
                                            <ul role="list" class="card lines" aria-label="Invitations that wait">
                                                {waiting
                                                    .into_iter()
                                                    .map(|invitation| view! { <Waiting invitation withdraw of=of.get_untracked() /> })
                                                    .collect_view()}
                                            </ul>
                                        }
                                    })}
                            }
                                .into_any()
                        }
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Suspense>
        </section>
    }
}

#[component]
fn Form(inviting: ServerAction<Invite>, org: OrgId) -> impl IntoView {
    let fault = Signal::derive(move || inviting.value().get().and_then(Result::err));
    let home = Resource::new(|| (), |()| at_home());
    view! {
        <details class="card new-token" open=move || fault.with(Option::is_some)>
            <summary class="card-head">{icon(Glyph::Plus)} <span class="grow">"Invite somebody"</span></summary>
            <div class="card-body">
                <ActionForm action=inviting>
                    <input type="hidden" name="org" value=org.as_str().to_owned() />
                    <div class="stack">
                        <div class="pair">
                            <TextField id="invite-email" name="email" label="E-mail address" keys=Keys::Email required=true most=EMAIL_MAX fault />
                            <div class="field">
                                <label for="invite-role">"Role"</label>
                                <select class="input" id="invite-role" name="role">
                                    <Suspense>
                                        {move || Suspend::new(async move {
                                            let mine = home.await.map(|home| home.role).unwrap_or(Role::OrgAdmin);
                                            GIVEN
                                                .into_iter()
                                                .filter(|role| mine.may_grant(*role))
                                                .map(|role| {
                                                    view! {
                                                        <option value=role.as_str() selected=role == Role::Developer>
                                                            {role_name(role)}
                                                        </option>
                                                    }
                                                })
                                                .collect_view()
                                        })}
                                    </Suspense>
                                </select>
                            </div>
                            <TextField id="invite-term" name="seat_days" label="Seat for, in days" keys=Keys::Number placeholder="As long as nobody ends it" fault />
                            <TextField id="invite-limit" name="concurrent_sessions" label="Running sessions at most" keys=Keys::Number placeholder="What the Organization gives" fault />
                        </div>
                        <p class="hint meta">
                            "You get a link to send. It gives one seat, once, within " {DAYS_DEFAULT} " days."
                        </p>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            <button class="btn btn-primary" type="submit" formaction=INVITED disabled=move || inviting.pending().get()>
                                {move || if inviting.pending().get() { "Inviting" } else { "Make the link" }}
                            </button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </details>
    }
}

/// The link, this once.
#[component]
fn Link(invited: Invited) -> impl IntoView {
    let Invited { secret, invitation } = invited;
    let posted = invitation.letter.is_some();
    view! {
        <div class="notice" role="status">
            {icon(Glyph::Check)}
            <div class="stack">
                <p>
                    <strong>{invitation.email}</strong>
                    {if posted { " is invited, and a letter is on its way. The link, should it not arrive:" } else {
                        " is invited. Send them this link now: it is not shown again."
                    }}
                </p>
                <JoinLink secret />
            </div>
        </div>
    }
}

/// What became of an invitation's letter.
fn letter_words(letter: &Letter, email: &str) -> String {
    match letter {
        Letter::Waiting { why: None } => format!("Being sent to {email}"),
        Letter::Waiting { why: Some(why) } => format!("Not sent yet: {why} It is tried again."),
        Letter::Sent => format!("Sent to {email}"),
        Letter::Failed { why } => format!("Not sent: {why} To get a link to copy, invite them again."),
    }
}

#[component]
fn Waiting(invitation: Invitation, withdraw: ServerAction<WithdrawInvitation>, of: Option<OrgId>) -> impl IntoView {
    let label = format!("Withdraw the invitation of {}", invitation.email);
    let letter = invitation
        .letter
        .as_ref()
        .map(|letter| letter_words(letter, &invitation.email));
    view! {
        <li>
            <div class="grow">
                <p>{invitation.email} " " <span class="tag">"Invited"</span></p>
                <p class="meta dot-between">
                    <span>{role_name(invitation.role)}</span>
                    <span>"By " {invitation.by}</span>
                    <span>"Ends " <Ago at=Signal::stored(invitation.expires_at) /></span>
                    {invitation.seat_ends_at.map(|at| view! { <span>"Seat until " {words::day(at, 0)}</span> })}
                </p>
                {letter.map(|words| view! { <p class="meta">{words}</p> })}
            </div>
            <ActionForm action=withdraw>
                <input type="hidden" name="org" value=invitation.org.as_str().to_owned() />
                <input type="hidden" name="id" value=invitation.id.as_str().to_owned() />
                <input type="hidden" name="back" value=address("/org/members", of.as_ref()) />
                <button class="btn btn-small" type="submit" aria-label=label>"Withdraw"</button>
            </ActionForm>
        </li>
    }
}
