//! Who has a seat, who is invited, and the way to invite.

use super::{
    Invite, JoinLink, OrgHead, WithdrawInvitation, address, changes, list_invitations, list_members, meant, of_query,
};
use crate::{
    address::with_query,
    fault::Fault,
    home::{at_home, role_name},
    now::Ago,
    ui::{Bones, Complaint, Face, Glyph, Refused, Toasts, Wrong, icon},
    words,
};
use domain::{
    OrgId, Role,
    invitation::{DAYS_DEFAULT, Invitation, Invited, Letter},
    member::{EMAIL_MAX, ListMembers, Seat, Sort, Status},
    page::Page,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::{hooks::use_query_map, params::ParamsMap};

/// The roles that an admin gives; more is given by owners.
const GIVEN: [Role; 4] = [Role::Viewer, Role::Developer, Role::OrgAdmin, Role::Owner];

fn from_query(query: &ParamsMap) -> ListMembers {
    let some = |name: &str| query.get(name).filter(|text| !text.is_empty());
    ListMembers {
        search: some("q").unwrap_or_default().trim().chars().take(200).collect(),
        role: some("role").and_then(|role| Role::from_name(&role)),
        status: some("status").and_then(|status| Status::from_name(&status)),
        sort: some("sort").and_then(|sort| Sort::from_name(&sort)).unwrap_or_default(),
        cursor: some("after"),
        limit: 0,
    }
}

/// The address of the list that shows this.
fn to_address(want: &ListMembers, of: Option<&OrgId>) -> String {
    let sort = if want.sort == Sort::Name {
        ""
    } else {
        want.sort.as_str()
    };
    with_query(
        "/org/members",
        &[
            ("q", &want.search),
            ("role", want.role.map_or("", Role::as_str)),
            ("status", want.status.map_or("", Status::as_str)),
            ("sort", sort),
            ("after", want.cursor.as_deref().unwrap_or_default()),
            ("of", of.map_or("", OrgId::as_str)),
        ],
    )
}

/// The page.
#[component]
#[must_use]
pub fn MembersPage() -> impl IntoView {
    let of = of_query();
    let query = use_query_map();
    let want = Memo::new(move |_| query.with(from_query));
    let changed = changes();
    let page = Resource::new(
        move || (of.get(), want.get(), changed.get()),
        |(of, want, _)| async move { list_members(meant(of).await?, want).await },
    );
    view! {
        <div class="page">
            <OrgHead title="Members" of />
            <div class="stack stack-wide">
                <Inviting of changed />
                <section aria-labelledby="members">
                    <h2 id="members" class="sr-only">"Members"</h2>
                    <Filters want of />
                    <Transition fallback=|| view! { <Bones rows=6 /> }>
                        {move || Suspend::new(async move {
                            let (want, of) = (want.get_untracked(), of.get_untracked());
                            match page.await {
                                Ok(page) => view! { <List page want of /> }.into_any(),
                                Err(fault) => view! { <Complaint fault /> }.into_any(),
                            }
                        })}
                    </Transition>
                </section>
            </div>
        </div>
    }
}

/// The search field and the filters: a plain form, sent by Enter or its button.
#[component]
fn Filters(want: Memo<ListMembers>, of: Memo<Option<OrgId>>) -> impl IntoView {
    let shown = want.get_untracked();
    view! {
        <form class="filters" role="search" method="get" action="/org/members">
            {of.get_untracked().map(|of| view! { <input type="hidden" name="of" value=of.as_str().to_owned() /> })}
            <div class="input-with-icon search">
                {icon(Glyph::Search)}
                <input
                    class="input"
                    type="search"
                    name="q"
                    data-find=""
                    aria-label="Find members"
                    placeholder="Find by name or address"
                    maxlength="200"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    value=shown.search
                />
                <kbd class="kbd" aria-hidden="true">"/"</kbd>
            </div>
            <select class="input" name="role" aria-label="Role">
                <option value="">"Any role"</option>
                {Role::ALL
                    .map(|role| {
                        view! { <option value=role.as_str() selected=shown.role == Some(role)>{role_name(role)}</option> }
                    })}
            </select>
            <select class="input" name="status" aria-label="Status">
                <option value="">"With a seat"</option>
                {[(Status::Active, "Active"), (Status::Disabled, "Disabled"), (Status::Left, "Left")]
                    .map(|(status, word)| {
                        view! { <option value=status.as_str() selected=shown.status == Some(status)>{word}</option> }
                    })}
            </select>
            <select class="input" name="sort" aria-label="Order">
                {[(Sort::Name, "Name"), (Sort::Joined, "Newest")]
                    .map(|(sort, word)| {
                        view! { <option value=sort.as_str() selected=shown.sort == sort>{word}</option> }
                    })}
            </select>
            <button class="btn" type="submit">"Apply"</button>
        </form>
    }
}

#[component]
fn List(page: Page<Seat>, want: ListMembers, of: Option<OrgId>) -> impl IntoView {
    let Page { items, next, total } = page;
    let first = want.cursor.is_none();
    let start = to_address(
        &ListMembers {
            cursor: None,
            ..want.clone()
        },
        of.as_ref(),
    );
    let next = next.map(|cursor| {
        let want = ListMembers {
            cursor: Some(cursor),
            ..want.clone()
        };
        to_address(&want, of.as_ref())
    });
    if items.is_empty() {
        let all = to_address(&ListMembers::default(), of.as_ref());
        return view! {
            <section class="card empty">
                {icon(Glyph::Search)} <h3>"Nobody fits"</h3>
                <p>"No member matches what you search and filter for."</p>
                <a class="btn" href=all>"Show all members"</a>
            </section>
        }
        .into_any();
    }
    view! {
        <div class="card list-card">
            <table class="table sessions people">
                <caption class="sr-only">"Members"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="c-name">"Member"</th>
                        <th scope="col" class="c-role">"Role"</th>
                        <th scope="col" class="c-run">"Running"</th>
                        <th scope="col" class="c-keep">"Storage"</th>
                        <th scope="col" class="c-when">"Last seen"</th>
                    </tr>
                </thead>
                <tbody>{items.into_iter().map(|seat| view! { <Row seat of=of.clone() /> }).collect_view()}</tbody>
            </table>
        </div>
        <div class="under">
            <span class="spring"></span>
            <p class="meta">{words::count(total, "member")}</p>
            {(!first).then(|| view! { <a class="btn btn-small" href=start>"First page"</a> })}
            {next.map(|next| view! { <a class="btn btn-small" href=next>"Next page"</a> })}
        </div>
    }
    .into_any()
}

#[component]
fn Row(seat: Seat, of: Option<OrgId>) -> impl IntoView {
    let to = address(&format!("/org/members/{}", seat.person), of.as_ref());
    view! {
        <tr>
            <td class="c-name">
                <div class="person">
                    <Face name=seat.name.clone() />
                    <div class="grow">
                        <a class="open" href=to>{seat.name.clone()}</a>
                        <p class="meta">{seat.email.clone()}</p>
                    </div>
                </div>
            </td>
            <td class="c-role">
                {role_name(seat.role)} " " <SeatTag status=seat.status ends_at=seat.ends_at />
            </td>
            <td class="c-run">{seat.live} <span class="meta">" of " {words::count(seat.sessions, "session")}</span></td>
            <td class="c-keep">{words::bytes(seat.storage_bytes)}</td>
            <td class="c-when">
                {match seat.seen_at {
                    Some(at) => view! { <Ago at=Signal::stored(at) /> }.into_any(),
                    None => view! { <span class="meta">"Not lately"</span> }.into_any(),
                }}
            </td>
        </tr>
    }
}

/// What is special about a seat, where something is.
#[component]
pub(super) fn SeatTag(status: Status, ends_at: Option<domain::Timestamp>) -> impl IntoView {
    match (status, ends_at) {
        (Status::Disabled, _) => Some(view! { <span class="tag tag-failed">"Disabled"</span> }.into_any()),
        (Status::Left, _) => Some(view! { <span class="tag">"Left"</span> }.into_any()),
        (Status::Active, Some(at)) => {
            Some(view! { <span class="tag tag-waiting">"Ends " <Ago at=Signal::stored(at) /></span> }.into_any())
        }
        (Status::Active, None) => None,
    }
}

/// The form to invite, the link that it gives, and the invitations that wait.
#[component]
fn Inviting(of: Memo<Option<OrgId>>, changed: RwSignal<u32>) -> impl IntoView {
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
                            <div class="field">
                                <label for="invite-email">"E-mail address"</label>
                                <input
                                    class="input"
                                    id="invite-email"
                                    type="email"
                                    name="email"
                                    required
                                    maxlength=EMAIL_MAX.to_string()
                                    autocomplete="off"
                                    aria-describedby="email-wrong"
                                />
                                <Wrong field="email" fault />
                            </div>
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
                            <div class="field">
                                <label for="invite-term">"Seat for, in days"</label>
                                <input
                                    class="input"
                                    id="invite-term"
                                    name="seat_days"
                                    inputmode="numeric"
                                    placeholder="As long as nobody ends it"
                                    autocomplete="off"
                                    aria-describedby="seat_days-wrong"
                                />
                                <Wrong field="seat_days" fault />
                            </div>
                            <div class="field">
                                <label for="invite-limit">"Running sessions at most"</label>
                                <input
                                    class="input"
                                    id="invite-limit"
                                    name="concurrent_sessions"
                                    inputmode="numeric"
                                    placeholder="What the Organization gives"
                                    autocomplete="off"
                                    aria-describedby="concurrent_sessions-wrong"
                                />
                                <Wrong field="concurrent_sessions" fault />
                            </div>
                        </div>
                        <p class="hint meta">
                            "You get a link to send. It gives one seat, once, within " {DAYS_DEFAULT} " days."
                        </p>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            <button class="btn btn-primary" type="submit" disabled=move || inviting.pending().get()>
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
