//! Who has a seat: found, chosen, and changed together.

use super::{
    OrgHead, address, changes,
    inviting::Inviting,
    list_held,
    many::{Bar, MANY, Many, Sure, Told},
    meant, of_query,
};
use crate::{
    address::with_query,
    fault::Fault,
    home::{at_home, role_name},
    now::Ago,
    ui::{
        Bones, Complaint, Face, Meter,
        list::{self, Field, Follow},
    },
    words,
};
use domain::{
    OrgId, Role,
    member::{Held, ListMembers, Seat, Sort, Status},
    page::Page,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

fn from_fields(field: Field<'_>) -> ListMembers {
    let some = |name: &str| Some(field(name)).filter(|text| !text.is_empty());
    ListMembers {
        search: field("q").trim().chars().take(200).collect(),
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
    let want = Memo::new(move |_| query.with(|query| from_fields(&|name| query.get(name).unwrap_or_default())));
    let changed = changes();
    let page = Resource::new(
        move || (of.get(), want.get(), changed.get()),
        |(of, want, _)| async move {
            let org = meant(of).await?;
            Ok::<_, Fault>((list_held(org.clone(), want).await?, org))
        },
    );
    let many = Many::new(of, changed);
    view! {
        <div class="page">
            <OrgHead title="Members" of />
            <div class="stack stack-wide">
                <Inviting of changed />
                <section aria-labelledby="members">
                    <h2 id="members" class="sr-only">"Members"</h2>
                    <Filters want of />
                    <Told outcomes=many.outcomes() />
                    <Transition fallback=|| view! { <Bones rows=6 /> }>
                        {move || Suspend::new(async move {
                            let (want, of) = (want.get_untracked(), of.get_untracked());
                            match (page.await, at_home().await) {
                                (Ok((page, org)), Ok(home)) => {
                                    let mine = home.role;
                                    view! { <List page want of org mine many /> }.into_any()
                                }
                                (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                            }
                        })}
                    </Transition>
                </section>
            </div>
        </div>
    }
}

/// The search field and the filters.
#[component]
fn Filters(want: Memo<ListMembers>, of: Memo<Option<OrgId>>) -> impl IntoView {
    let follow = Follow::new(move |field| {
        let to = from_fields(field);
        (to != want.get_untracked()).then(|| to_address(&to, of.get_untracked().as_ref()))
    });
    let shown = move |of: fn(&ListMembers) -> &str| Signal::derive(move || want.with(|want| of(want).to_owned()));
    let mut roles = list::options([("", "Any role")]);
    roles.extend(Role::ALL.map(|role| (role.as_str().to_owned(), role_name(role).to_owned())));
    let statuses = list::options([
        ("", "With a seat"),
        (Status::Active.as_str(), "Active"),
        (Status::Disabled.as_str(), "Disabled"),
        (Status::Left.as_str(), "Left"),
    ]);
    let orders = list::options([(Sort::Name.as_str(), "Name"), (Sort::Joined.as_str(), "Newest")]);
    let fields = view! {
        {of.get_untracked().map(|of| view! { <input type="hidden" name="of" value=of.as_str().to_owned() /> })}
        {list::find("Find members", "Find by name or address", "q", shown(|want| &want.search), follow)}
        {list::choice("Role", "role", roles, shown(|want| want.role.map_or("", Role::as_str)), follow)}
        {list::choice("Status", "status", statuses, shown(|want| want.status.map_or("", Status::as_str)), follow)}
        {list::choice("Order", "sort", orders, shown(|want| want.sort.as_str()), follow)}
    };
    list::filters("/org/members", follow, fields)
}

#[component]
fn List(page: Page<Held>, want: ListMembers, of: Option<OrgId>, org: OrgId, mine: Role, many: Many) -> impl IntoView {
    let Page { items, next, total } = page;
    if items.is_empty() {
        let all = to_address(&ListMembers::default(), of.as_ref());
        let said = "No member matches what you search and filter for.";
        return list::nothing_fits("Nobody fits", said, all, "Show all members");
    }
    let there = |cursor| {
        let want = ListMembers { cursor, ..want.clone() };
        to_address(&want, of.as_ref())
    };
    let back = there(want.cursor.clone());
    let (first, next) = (
        want.cursor.is_some().then(|| there(None)),
        next.map(|next| there(Some(next))),
    );
    let seats: Vec<_> = items.iter().map(|held| held.seat.clone()).collect();
    let touchable = move |seat: &Seat| seat.status != Status::Left && mine.may_grant(seat.role);
    let here = seats.iter().filter(|seat| touchable(seat));
    many.chosen
        .shows(here.map(|seat| seat.person.as_str().to_owned()).collect());
    let rows = items
        .into_iter()
        .map(|held| {
            let seat = &held.seat;
            let ticked = touchable(seat).then(|| {
                let label = format!("Choose {}", seat.name);
                many.chosen.tick("person", seat.person.as_str().to_owned(), label)
            });
            view! { <Row held of=of.clone() ticked=ticked.into_any() /> }
        })
        .collect_view();
    let (sent_to, named) = (org.clone(), org.as_str().to_owned());
    view! {
        <form class="many" method="post" action=MANY on:submit=move |event| many.sent(&event, &sent_to)>
            <input type="hidden" name="org" value=named />
            <input type="hidden" name="back" value=back.clone() />
            <div class="card list-card">
                <table class="table sessions people">
                    <caption class="sr-only">"Members"</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="c-tick">{many.chosen.tick_all()}</th>
                            <th scope="col" class="c-name">"Member"</th>
                            <th scope="col" class="c-role">"Role"</th>
                            <th scope="col" class="c-run">"Running"</th>
                            <th scope="col" class="c-keep">"Storage"</th>
                            <th scope="col" class="c-when">"Last seen"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Bar many mine />
        </form>
        {list::under(words::count(total, "member"), first, next)}
        <Sure many seats org back />
    }
    .into_any()
}

#[component]
fn Row(held: Held, of: Option<OrgId>, ticked: AnyView) -> impl IntoView {
    let Held {
        seat,
        most_live,
        most_bytes,
    } = held;
    let to = address(&format!("/org/members/{}", seat.person), of.as_ref());
    view! {
        <tr>
            <td class="c-tick">{ticked}</td>
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
            <td class="c-run"><Part used=seat.live.to_string() most=most_live.map(|most| most.to_string()) /> {meter(seat.live, most_live, "Running")}</td>
            <td class="c-keep"><Part used=words::bytes(seat.storage_bytes) most=most_bytes.map(words::bytes) /> {meter(seat.storage_bytes, most_bytes, "Storage")}</td>
            <td class="c-when">
                {match seat.seen_at {
                    Some(at) => view! { <Ago at=Signal::stored(at) /> }.into_any(),
                    None => view! { <span class="meta">"Not lately"</span> }.into_any(),
                }}
            </td>
        </tr>
    }
}

/// How much is used, and of how much where there is a limit.
#[component]
pub(super) fn Part(used: String, most: Option<String>) -> impl IntoView {
    view! { <span class="part-of">{used} " " {most.map(|most| view! { <span class="meta">"of " {most}</span> })}</span> }
}

/// A bar under it, once there is something to see.
pub(super) fn meter(used: u64, most: Option<u64>, label: &'static str) -> impl IntoView {
    (used > 0).then(|| view! { <Meter used limit=most label /> })
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
