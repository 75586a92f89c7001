//! The fleet: every Organization of the installation, for those who run it.

mod health;
mod one;

use crate::{
    address::with_query,
    fault::Fault,
    live::{Live, Topic},
    org::{JoinLink, address, state_words, ways_between},
    ui::{
        Bones, Complaint, Glyph, Keys, Refused, TextField, icon,
        list::{self, Field, Follow},
    },
    words,
};
use domain::{
    OrgId,
    invitation::Invited,
    org::{DISPLAY_NAME_MAX, ListOrgs, Overview, State},
    page::Page,
};
pub use health::FleetHealthPage;
use leptos::server_fn::codec::GetUrl;
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;
pub use one::FleetOrgPage;

#[cfg(feature = "ssr")]
use crate::door::{ask, land};

/// A page of Organizations.
#[server(name = AskOrgs, prefix = "/api/fn", endpoint = "fleet/orgs", input = GetUrl)]
pub async fn list_orgs(want: ListOrgs) -> Result<Page<Overview>, Fault> {
    ask(async move |engine, caller| engine.orgs(&caller, &want).await).await
}

/// Where the form of a new Organization goes without scripts; the server answers there with a plain page.
pub const FOUNDED: &str = "/fleet/founded";
/// The server function whose form it is: a refusal there is a refusal of this.
#[cfg(feature = "ssr")]
pub const FOUND: &str = <FoundOrg as server_fn::ServerFn>::PATH;

/// What the fields of the form of a new Organization ask for.
#[cfg(feature = "ssr")]
pub fn founding(field: impl Fn(&str) -> Option<String>) -> Result<domain::org::Found, domain::Problem> {
    Ok(domain::org::Found {
        slug: field("slug").unwrap_or_default(),
        display_name: field("display_name").unwrap_or_default(),
        owner: field("owner").unwrap_or_default(),
        kind: domain::org::Kind::Customer,
        tier: domain::org::Tier::Sme,
        billing: domain::org::Billing::Showback,
        seats: seats_of(field("seats"))?,
        plan: field("plan").filter(|plan| !plan.is_empty()),
    })
}

/// Makes an Organization; the answer is the only one with its owner's link.
#[server(prefix = "/api/fn", endpoint = "fleet/found")]
pub async fn found_org(
    slug: String,
    display_name: String,
    owner: String,
    seats: Option<String>,
    plan: Option<String>,
) -> Result<Invited, Fault> {
    ask(async move |engine, caller| {
        let found = founding(|name| match name {
            "slug" => Some(slug.clone()),
            "display_name" => Some(display_name.clone()),
            "owner" => Some(owner.clone()),
            "seats" => seats.clone(),
            _ => plan.clone(),
        })?;
        engine.found_org(&caller, found).await.map(|(_, invited)| invited)
    })
    .await
}

/// Changes what those change who run the installation.
#[server(prefix = "/api/fn", endpoint = "fleet/change")]
pub async fn change_org(org: OrgId, seats: Option<String>, plan: Option<String>) -> Result<Overview, Fault> {
    let back = format!("/fleet/{org}");
    let overview = ask(async move |engine, caller| {
        let change = domain::org::Change {
            seats: Some(seats_of(seats)?),
            plan: Some(plan.filter(|plan| !plan.is_empty())),
            ..Default::default()
        };
        engine.change_org(&caller, &org, &change).await
    })
    .await?;
    land(&back);
    Ok(overview)
}

/// Suspends, archives or opens an Organization again.
#[server(prefix = "/api/fn", endpoint = "fleet/state")]
pub async fn set_org_state(org: OrgId, state: State) -> Result<Overview, Fault> {
    let back = format!("/fleet/{org}");
    let overview = ask(async move |engine, caller| engine.set_org_state(&caller, &org, state).await).await?;
    land(&back);
    Ok(overview)
}

#[cfg(feature = "ssr")]
fn seats_of(text: Option<String>) -> Result<Option<u64>, domain::Problem> {
    match text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            domain::Problem::new(
                "invalid-seats",
                "Write a number of seats, or nothing for as many as wanted.",
            )
            .at("seats")
        }),
    }
}

fn from_fields(field: Field<'_>) -> ListOrgs {
    let some = |name: &str| Some(field(name)).filter(|text| !text.is_empty());
    ListOrgs {
        search: field("q").trim().chars().take(200).collect(),
        state: some("state").and_then(|state| State::from_name(&state)),
        cursor: some("after"),
        limit: 0,
    }
}

fn to_address(want: &ListOrgs) -> String {
    with_query(
        "/fleet",
        &[
            ("q", &want.search),
            ("state", want.state.map_or("", State::as_str)),
            ("after", want.cursor.as_deref().unwrap_or_default()),
        ],
    )
}

/// The pages of the fleet: their address and their word.
const PAGES: [(&str, &str); 5] = [
    ("/fleet", "Organizations"),
    ("/agents", "Agents"),
    ("/fleet/policy", "Policy"),
    ("/fleet/audit", "Audit"),
    ("/fleet/health", "Health"),
];

/// The head of a page of the fleet, and the ways to the others.
#[component]
#[must_use]
pub(crate) fn FleetHead(title: &'static str) -> impl IntoView {
    let ways = PAGES.map(|(way, word)| (way.to_owned(), word)).to_vec();
    view! {
        <leptos_meta::Title text=title />
        <header class="page-head page-head-wrap">
            <h1>"Fleet"</h1>
            {ways_between("Pages of the fleet", "/fleet", move || ways.clone())}
        </header>
    }
}

/// The page.
#[component]
#[must_use]
pub fn FleetPage() -> impl IntoView {
    let query = use_query_map();
    let want = Memo::new(move |_| query.with(|query| from_fields(&|name| query.get(name).unwrap_or_default())));
    let changed = RwSignal::new(0);
    expect_context::<Live>().listen(Topic::Orgs, move || {
        changed.try_update(|version| *version += 1);
    });
    let found = ServerAction::<FoundOrg>::new();
    let page = Resource::new(
        move || (want.get(), changed.get(), found.version().get()),
        |(want, ..)| list_orgs(want),
    );
    view! {
        <div class="page">
            <FleetHead title="Fleet" />
            <div class="stack stack-wide">
                <New found />
                <section aria-labelledby="orgs">
                    <h2 id="orgs" class="sr-only">"Organizations"</h2>
                    <Filters want />
                    <Transition fallback=|| view! { <Bones rows=6 /> }>
                        {move || Suspend::new(async move {
                            let want = want.get_untracked();
                            match page.await {
                                Ok(page) => view! { <List page want /> }.into_any(),
                                Err(fault) => view! { <Complaint fault /> }.into_any(),
                            }
                        })}
                    </Transition>
                </section>
            </div>
        </div>
    }
}

#[component]
fn Filters(want: Memo<ListOrgs>) -> impl IntoView {
    let follow = Follow::new(move |field| {
        let to = from_fields(field);
        (to != want.get_untracked()).then(|| to_address(&to))
    });
    let shown = move |of: fn(&ListOrgs) -> &str| Signal::derive(move || want.with(|want| of(want).to_owned()));
    let mut states = list::options([("", "Open and suspended")]);
    states.extend(
        State::ALL
            .iter()
            .map(|&state| (state.as_str().to_owned(), state_words(state).to_owned())),
    );
    let fields = view! {
        {list::find("Find Organizations", "Find by name or slug", "q", shown(|want| &want.search), follow)}
        {list::choice("State", "state", states, shown(|want| want.state.map_or("", State::as_str)), follow)}
    };
    list::filters("/fleet", follow, fields)
}

#[component]
fn List(page: Page<Overview>, want: ListOrgs) -> impl IntoView {
    let Page { items, next, total } = page;
    if items.is_empty() {
        let said = "No Organization matches what you search and filter for.";
        return list::nothing_fits("Nothing fits", said, "/fleet".to_owned(), "Show all Organizations");
    }
    let first = want.cursor.is_none();
    let start = to_address(&ListOrgs {
        cursor: None,
        ..want.clone()
    });
    let next = next.map(|cursor| {
        to_address(&ListOrgs {
            cursor: Some(cursor),
            ..want
        })
    });
    view! {
        <div class="card list-card">
            <table class="table sessions people">
                <caption class="sr-only">"Organizations"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="c-name">"Organization"</th>
                        <th scope="col" class="c-role">"State"</th>
                        <th scope="col" class="c-run">"Seats"</th>
                        <th scope="col" class="c-keep">"Running"</th>
                        <th scope="col" class="c-when">"Storage"</th>
                    </tr>
                </thead>
                <tbody>{items.into_iter().map(|overview| view! { <Row overview /> }).collect_view()}</tbody>
            </table>
        </div>
        {list::under(words::count(total, "Organization"), (!first).then_some(start), next)}
    }
    .into_any()
}

#[component]
fn Row(overview: Overview) -> impl IntoView {
    let org = overview.org;
    let taken = overview.seats_used + overview.invited;
    let seats = org.seats.map(|seats| format!(" of {seats}"));
    let to = format!("/fleet/{}", org.id);
    view! {
        <tr>
            <td class="c-name">
                <a class="open" href=to>{org.display_name}</a>
                <p class="meta">{org.id.as_str().to_owned()}</p>
            </td>
            <td class="c-role"><StateTag state=org.state requests=overview.requests /></td>
            <td class="c-run">{taken} <span class="meta">{seats}</span></td>
            <td class="c-keep">{overview.live} <span class="meta">", " {overview.sessions} " in all"</span></td>
            <td class="c-when">{words::bytes(overview.storage_bytes)}</td>
        </tr>
    }
}

#[component]
fn StateTag(state: State, requests: u64) -> impl IntoView {
    let class = match state {
        State::Active => "tag tag-running",
        State::Suspended => "tag tag-waiting",
        State::Archived => "tag",
    };
    view! {
        <span class=class>{state_words(state)}</span>
        {(requests > 0).then(|| view! { " " <span class="tag tag-waiting">{words::count(requests, "request")}</span> })}
    }
}

/// The form that makes an Organization, and the link for its owner.
#[component]
fn New(found: ServerAction<FoundOrg>) -> impl IntoView {
    let fault = Signal::derive(move || found.value().get().and_then(Result::err));
    let made = move || match found.value().get() {
        Some(Ok(invited)) => Some(view! { <Made invited /> }),
        _ => None,
    };
    view! {
        <section aria-label="New Organization" class="stack">
            {made}
            <details class="card new-token" open=move || fault.with(Option::is_some)>
                <summary class="card-head">{icon(Glyph::Plus)} <span class="grow">"New Organization"</span></summary>
                <div class="card-body">
                    <ActionForm action=found>
                        <div class="stack">
                            <div class="pair">
                                <TextField id="org-name" name="display_name" label="Name" required=true most=DISPLAY_NAME_MAX fault />
                                <TextField id="org-slug" name="slug" label="Slug" keys=Keys::Code required=true most=32_usize placeholder="acme" fault />
                                <TextField id="org-owner" name="owner" label="Address of its first owner" keys=Keys::Email required=true fault />
                                <TextField id="org-seats" name="seats" label="Seats" keys=Keys::Number placeholder="As many as wanted" fault />
                                <div class="field">
                                    <label for="org-plan">"Plan"</label>
                                    <Plans id="org-plan" chosen=None />
                                </div>
                            </div>
                            <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                            <div class="actions">
                                <button class="btn btn-primary" type="submit" formaction=FOUNDED disabled=move || found.pending().get()>
                                    {move || if found.pending().get() { "Making" } else { "Make it" }}
                                </button>
                            </div>
                        </div>
                    </ActionForm>
                </div>
            </details>
        </section>
    }
}

/// The choice of a plan.
#[component]
fn Plans(id: &'static str, chosen: Option<String>) -> impl IntoView {
    view! {
        <select class="input" id=id name="plan">
            <option value="">"The installation's"</option>
            {["sandbox-free", "sandbox-pro", "sandbox-ent"]
                .map(|plan| view! { <option value=plan selected=chosen.as_deref() == Some(plan)>{plan}</option> })}
        </select>
    }
}

#[component]
fn Made(invited: Invited) -> impl IntoView {
    let Invited { secret, invitation } = invited;
    let to = address("/org/members", Some(&invitation.org));
    view! {
        <div class="notice" role="status">
            {icon(Glyph::Check)}
            <div class="stack">
                <p>
                    <strong>{invitation.org.as_str().to_owned()}</strong> " is made. Send this link to " {invitation.email}
                    " now, it is not shown again. " <a class="link" href=to>"Its members"</a>
                </p>
                <JoinLink secret />
            </div>
        </div>
    }
}
