//! What lets the members of an Organization in: their tokens, and the browsers they are signed in with.

use super::{OrgHead, address, changes, many::Told, meant, of_query};
use crate::{
    address::with_query,
    fault::Fault,
    home::at_home,
    now::Ago,
    settings::browser_words,
    ui::{
        Bones, Complaint, Dialog, Glyph, Refused, Toasts, icon,
        list::{self, Chosen, Field, Follow},
    },
    words,
};
use domain::{
    OrgId, Role,
    many::Outcome,
    page::Page,
    pass::{Kind, ListPasses, Pass},
};
use leptos::{ev, prelude::*, server_fn::codec::GetUrl};
use leptos_router::hooks::use_query_map;

/// Where the form goes without scripts; the server answers there with plain pages.
pub const REVOKE: &str = "/org/tokens/revoke";

/// A page of passes.
#[server(name = AskPasses, prefix = "/api/fn", endpoint = "org/passes", input = GetUrl)]
pub async fn list_passes(org: OrgId, want: ListPasses) -> Result<Page<Pass>, Fault> {
    crate::door::ask(async move |engine, caller| engine.passes(&caller, &org, &want).await).await
}

/// Takes passes away; the answer says what became of each.
#[server(prefix = "/api/fn", endpoint = "org/passes/revoke")]
pub async fn revoke_passes(org: OrgId, kind: Kind, #[server(default)] ids: Vec<String>) -> Result<Vec<Outcome>, Fault> {
    crate::door::ask(async move |engine, caller| engine.revoke_passes(&caller, &org, kind, ids).await).await
}

fn from_fields(field: Field<'_>) -> ListPasses {
    let some = |name: &str| Some(field(name)).filter(|text| !text.is_empty());
    ListPasses {
        kind: some("kind").and_then(|kind| Kind::from_name(&kind)).unwrap_or_default(),
        search: field("q").trim().chars().take(200).collect(),
        over: some("over").is_some(),
        cursor: some("after"),
        limit: 0,
    }
}

fn to_address(want: &ListPasses, of: Option<&OrgId>) -> String {
    let kind = if want.kind == Kind::Token {
        ""
    } else {
        want.kind.as_str()
    };
    with_query(
        "/org/tokens",
        &[
            ("kind", kind),
            ("q", &want.search),
            ("over", if want.over { "yes" } else { "" }),
            ("after", want.cursor.as_deref().unwrap_or_default()),
            ("of", of.map_or("", OrgId::as_str)),
        ],
    )
}

/// The page.
#[component]
#[must_use]
pub fn PassesPage() -> impl IntoView {
    let of = of_query();
    let query = use_query_map();
    let want = Memo::new(move |_| query.with(|query| from_fields(&|name| query.get(name).unwrap_or_default())));
    let changed = changes();
    let chosen = Chosen::new();
    let revoke = ServerAction::<RevokePasses>::new();
    let page = Resource::new(
        move || (of.get(), want.get(), changed.get(), revoke.version().get()),
        |(of, want, ..)| async move {
            let org = meant(of).await?;
            Ok::<_, Fault>((list_passes(org.clone(), want).await?, org))
        },
    );
    view! {
        <div class="page">
            <OrgHead title="Tokens" of />
            <p class="soft lead">
                "Programs come in with tokens, people with browsers. What is taken away stops working at once, and what is attached with it ends."
            </p>
            <Filters want of />
            <Told outcomes=Signal::derive(move || revoke.value().get().and_then(Result::ok).unwrap_or_default()) />
            <Transition fallback=|| view! { <Bones rows=6 /> }>
                {move || Suspend::new(async move {
                    match (page.await, at_home().await) {
                        (Ok((page, org)), Ok(home)) => {
                            let want = want.get_untracked();
                            view! { <List page want of=of.get_untracked() org mine=home.role chosen revoke /> }.into_any()
                        }
                        (Err(fault), _) | (_, Err(fault)) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Filters(want: Memo<ListPasses>, of: Memo<Option<OrgId>>) -> impl IntoView {
    let follow = Follow::new(move |field| {
        let to = from_fields(field);
        (to != want.get_untracked()).then(|| to_address(&to, of.get_untracked().as_ref()))
    });
    let shown = move |of: fn(&ListPasses) -> String| Signal::derive(move || want.with(of));
    let kinds = list::options([
        (Kind::Token.as_str(), "Access tokens"),
        (Kind::Browser.as_str(), "Browsers"),
    ]);
    let which = list::options([("", "That work"), ("yes", "Also ended ones")]);
    let over = shown(|want| if want.over { "yes" } else { "" }.to_owned());
    let fields = view! {
        {of.get_untracked().map(|of| view! { <input type="hidden" name="of" value=of.as_str().to_owned() /> })}
        {list::find("Find holders", "Find by holder's name or address", "q", shown(|want| want.search.clone()), follow)}
        {list::choice("Kind", "kind", kinds, shown(|want| want.kind.as_str().to_owned()), follow)}
        {list::choice("Which", "over", which, over, follow)}
    };
    list::filters("/org/tokens", follow, fields)
}

#[component]
fn List(
    page: Page<Pass>,
    want: ListPasses,
    of: Option<OrgId>,
    org: OrgId,
    mine: Role,
    chosen: Chosen,
    revoke: ServerAction<RevokePasses>,
) -> impl IntoView {
    let Page { items, next, total } = page;
    let kind = want.kind;
    let there = |cursor| {
        let want = ListPasses { cursor, ..want.clone() };
        to_address(&want, of.as_ref())
    };
    if items.is_empty() {
        let narrow = !want.search.is_empty() || want.cursor.is_some();
        if narrow {
            let all = ListPasses {
                kind,
                ..ListPasses::default()
            };
            let all = to_address(&all, of.as_ref());
            return list::nothing_fits("Nothing fits", "Nobody of that name holds any.", all, "Show all");
        }
        let said = match kind {
            Kind::Token => {
                "No member has an access token that works. Members make them in their settings, or by signing a device in."
            }
            Kind::Browser => "No member is signed in with a browser.",
        };
        return view! { <section class="card empty">{icon(Glyph::Key)} <h3>"None"</h3> <p>{said}</p></section> }
            .into_any();
    }
    let back = there(want.cursor.clone());
    let (first, next) = (
        want.cursor.is_some().then(|| there(None)),
        next.map(|next| there(Some(next))),
    );
    let takes = |pass: &Pass| pass.revoked_at.is_none() && mine.may_grant(pass.role);
    chosen.shows(
        items
            .iter()
            .filter(|pass| takes(pass))
            .map(|pass| pass.id.clone())
            .collect(),
    );
    let asking = RwSignal::new(false);
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        asking.set(chosen.count() > 0);
    };
    let rows = items
        .into_iter()
        .map(|pass| {
            let takes = takes(&pass);
            view! { <Row pass takes of=of.clone() chosen /> }
        })
        .collect_view();
    let word = match kind {
        Kind::Token => "token",
        Kind::Browser => "browser",
    };
    let (org_value, closing) = (org.as_str().to_owned(), back.clone());
    view! {
        <form class="many" method="post" action=REVOKE on:submit=on_submit>
            <input type="hidden" name="org" value=org_value />
            <input type="hidden" name="kind" value=kind.as_str() />
            <input type="hidden" name="back" value=back />
            <div class="card list-card">
                <table class="table sessions people passes">
                    <caption class="sr-only">{if kind == Kind::Token { "Access tokens" } else { "Browsers" }}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="c-tick">{chosen.tick_all()}</th>
                            <th scope="col" class="c-name">{if kind == Kind::Token { "Token" } else { "Browser" }}</th>
                            <th scope="col" class="c-who">"Holder"</th>
                            <th scope="col" class="c-when">"Last used"</th>
                            <th scope="col" class="c-when">"Ends"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <div class="bar" role="group" aria-label="With those that are chosen">
                <p class="meta chosen">{move || format!("{} chosen", chosen.count())}</p>
                <button class="btn btn-small btn-danger" type="submit">
                    {if kind == Kind::Token { "Revoke" } else { "Sign out" }}
                </button>
                <button class="btn btn-small btn-quiet only-scripts" type="button" on:click=move |_| chosen.clear()>"Clear"</button>
            </div>
        </form>
        {list::under(words::count(total, word), first, next)}
        <Show when=move || asking.get()>
            <Sure org=org.clone() kind chosen revoke asking back=closing.clone() />
        </Show>
    }
    .into_any()
}

#[component]
fn Row(pass: Pass, takes: bool, of: Option<OrgId>, chosen: Chosen) -> impl IntoView {
    let to = address(&format!("/org/members/{}", pass.person), of.as_ref());
    let (label, beneath) = match pass.kind {
        Kind::Token => (pass.label.clone(), words::count(pass.rights, "right")),
        Kind::Browser => (browser_words(&pass.label), pass.address.clone()),
    };
    let ticked = takes.then(|| chosen.tick("id", pass.id.clone(), format!("Choose {label} of {}", pass.name)));
    let title = pass.label.clone();
    view! {
        <tr>
            <td class="c-tick">{ticked}</td>
            <td class="c-name">
                <p class="cut" title=title>
                    {label} " " {pass.revoked_at.is_some().then(|| view! { <span class="tag">"Revoked"</span> })}
                </p>
                <p class="meta">{beneath} ", since " <Ago at=Signal::stored(pass.created_at) /></p>
            </td>
            <td class="c-who">
                <a class="link cut" href=to>{pass.name}</a>
                <p class="meta cut">{pass.email}</p>
            </td>
            <td class="c-when">
                {match pass.used_at {
                    Some(at) => view! { <Ago at=Signal::stored(at) /> }.into_any(),
                    None => view! { <span class="meta">"Never"</span> }.into_any(),
                }}
            </td>
            <td class="c-when"><Ago at=Signal::stored(pass.expires_at) /></td>
        </tr>
    }
}

/// Says what revoking does before it is done.
#[component]
fn Sure(
    org: OrgId,
    kind: Kind,
    chosen: Chosen,
    revoke: ServerAction<RevokePasses>,
    asking: RwSignal<bool>,
    back: String,
) -> impl IntoView {
    let ids = chosen.get();
    let number = ids.len() as u64;
    let (title, said, word) = match kind {
        Kind::Token => (
            format!("Revoke {}?", words::count(number, "token")),
            "Every program that uses one of them is refused from now on, and its terminals are detached. A token cannot be given back: its holder makes another.",
            "Revoke",
        ),
        Kind::Browser => (
            format!("Sign {} out?", words::count(number, "browser")),
            "Their people see the sign-in page with the next click, and terminals open there are detached. Sessions go on. They may sign in again.",
            "Sign out",
        ),
    };
    let fault = Signal::derive(move || revoke.value().get().and_then(Result::err));
    let toasts = expect_context::<Toasts>();
    // What was done before this dialog opened is no answer to it.
    let before = revoke.version().get_untracked();
    Effect::new(move |_| {
        let Some(Ok(outcomes)) = revoke.value().get() else {
            return;
        };
        if revoke.version().get() == before {
            return;
        }
        let done = outcomes.iter().filter(|outcome| outcome.refused.is_none()).count() as u64;
        if done > 0 {
            toasts.done(match kind {
                Kind::Token => format!("{} revoked.", words::count(done, "token")),
                Kind::Browser => format!("{} signed out.", words::count(done, "browser")),
            });
        }
        chosen.clear();
        asking.set(false);
    });
    let run = move |_| {
        revoke.dispatch(RevokePasses {
            org: org.clone(),
            kind,
            ids: ids.clone(),
        });
    };
    view! {
        <Dialog title back on_close=Callback::new(move |()| asking.set(false))>
            <div class="stack">
                <p>{said}</p>
                <Refused fault=move || fault.get() />
                <div class="actions">
                    <button class="btn btn-danger" type="button" on:click=run disabled=move || revoke.pending().get()>{word}</button>
                    <button class="btn" type="button" on:click=move |_| asking.set(false)>"Cancel"</button>
                </div>
            </div>
        </Dialog>
    }
}
