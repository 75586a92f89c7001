//! The directory of an Organization: where it reaches us by SCIM, and the tokens by which it is known. A secret is shown once.

#[cfg(feature = "ssr")]
use super::address;
use crate::{
    fault::Fault,
    now::Ago,
    typed::into_form_of,
    ui::{Bones, Complaint, Copy, Glyph, Once, Refused, TextField, Wrong, icon},
};
use domain::{
    OrgId,
    directory::{DAYS_DEFAULT, DAYS_MAX, DirectoryToken, MintedDirectory, Waits},
    id::TokenId,
};
use leptos::server_fn::codec::GetUrl;
use leptos::{form::ActionForm, prelude::*};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::door::{ask, land};

/// How long a token may last, as offered: in days, and in words.
const LIFETIMES: [(i64, &str); 4] = [
    (30, "30 days"),
    (180, "180 days"),
    (DAYS_DEFAULT, "1 year"),
    (DAYS_MAX, "2 years"),
];

/// Where the form goes without scripts; the server answers there with a plain page.
pub const DIRECTORY_MADE: &str = "/org/directory/tokens";
/// The server function whose form it is: a refusal there is a refusal of this.
#[cfg(feature = "ssr")]
pub const DIRECTORY_MINT: &str = <MintDirectoryToken as server_fn::ServerFn>::PATH;

/// The address under which whoever asks reaches this site; the server leaves it in the context of every page.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Here(pub String);

/// Where a directory reaches us, and by which tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub base: String,
    pub tokens: Vec<DirectoryToken>,
    pub now: domain::Timestamp,
}

/// The directory's address and its tokens.
#[server(prefix = "/api/fn", endpoint = "org/directory", input = GetUrl)]
pub async fn show_directory(org: OrgId) -> Result<Reached, Fault> {
    let here = use_context::<Here>().map_or_else(String::new, |here| here.0);
    let (tokens, now) = ask(async move |engine, caller| {
        let tokens = engine.directory_tokens(&caller, &org).await?;
        Ok((tokens, engine.now()))
    })
    .await?;
    Ok(Reached {
        base: format!("{here}/scim/v2"),
        tokens,
        now,
    })
}

/// Makes a token of the directory; the answer is the only time that its secret is told.
#[server(prefix = "/api/fn", endpoint = "org/directory/mint")]
pub async fn mint_directory_token(org: OrgId, name: String, days: Option<i64>) -> Result<MintedDirectory, Fault> {
    ask(async move |engine, caller| engine.mint_directory_token(&caller, &org, &name, days).await).await
}

/// Revokes a token of the directory at once.
#[server(prefix = "/api/fn", endpoint = "org/directory/revoke")]
pub async fn revoke_directory_token(org: OrgId, id: TokenId) -> Result<(), Fault> {
    let back = address("/org/settings", Some(&org));
    ask(async move |engine, caller| engine.revoke_directory_token(&caller, &org, &id).await).await?;
    land(&back);
    Ok(())
}

/// Takes a token of the directory over: it goes by the caller's word from then on.
#[server(prefix = "/api/fn", endpoint = "org/directory/take-over")]
pub async fn take_over_directory_token(org: OrgId, id: TokenId) -> Result<(), Fault> {
    let back = address("/org/settings", Some(&org));
    ask(async move |engine, caller| engine.take_over_directory_token(&caller, &org, &id).await).await?;
    land(&back);
    Ok(())
}

/// The section. What is done is the page's, which is drawn anew when something of the Organization changes: a secret that was
/// just made must outlive that.
#[component]
pub(super) fn Directory(
    org: OrgId,
    mint: ServerAction<MintDirectoryToken>,
    revoke: ServerAction<RevokeDirectoryToken>,
    take: ServerAction<TakeOverDirectoryToken>,
) -> impl IntoView {
    let of = org.clone();
    let found = Resource::new(
        move || (mint.version().get(), revoke.version().get(), take.version().get()),
        move |_| show_directory(of.clone()),
    );
    let owner = StoredValue::new(org.clone());
    view! {
        <section id="directory" aria-labelledby="directory-title">
            <div class="section-head">
                <h2 id="directory-title">"Directory (SCIM)"</h2>
                <p class="meta">"Lets your company's directory give and take seats, and keep groups."</p>
            </div>
            <div class="stack">
                {move || match mint.value().get() {
                    Some(Ok(minted)) => Some(view! { <Once name=minted.token.name secret=minted.secret /> }),
                    _ => None,
                }}
                <Transition fallback=|| view! { <Bones rows=2 /> }>
                    {move || Suspend::new(async move {
                        match found.await {
                            Ok(Reached { base, tokens, now }) => {
                                let shown = tokens
                                    .into_iter()
                                    .map(|token| view! { <Line org=owner.get_value() token now revoke take /> })
                                    .collect_view();
                                view! {
                                    <Base base />
                                    <ul role="list" class="card lines">
                                        {if shown.is_empty() {
                                            view! { <li><p class="soft">"The directory has no token yet."</p></li> }.into_any()
                                        } else {
                                            shown.into_any()
                                        }}
                                    </ul>
                                }
                                    .into_any()
                            }
                            Err(fault) => view! { <Complaint fault /> }.into_any(),
                        }
                    })}
                </Transition>
                <New org mint />
            </div>
        </section>
    }
}

#[component]
fn Base(base: String) -> impl IntoView {
    view! {
        <div class="field">
            <p>"Base address"</p>
            <div class="command">
                <code tabindex="0">{base.clone()}</code>
                <Copy text=base label="Copy the base address" />
            </div>
            <p class="hint">
                "Enter it in the directory together with a token. Seats that the directory keeps follow it in name, address and state; \
                 a group that it keeps is its alone, whatever a sign-in says."
            </p>
        </div>
    }
}

#[component]
fn New(org: OrgId, mint: ServerAction<MintDirectoryToken>) -> impl IntoView {
    let fault = Signal::derive(move || mint.value().get().and_then(Result::err));
    let typed = into_form_of::<MintDirectoryToken>();
    let said = |field: &str| typed.as_ref().and_then(|typed| typed.field(field));
    let (name, days) = (said("name"), said("days"));
    let days = days.and_then(|days| days.parse().ok()).unwrap_or(DAYS_DEFAULT);
    view! {
        <details class="card new-token" open=move || fault.with(Option::is_some)>
            <summary class="card-head">{icon(Glyph::Plus)} <span class="grow">"New token for the directory"</span></summary>
            <div class="card-body">
                <ActionForm action=mint>
                    <input type="hidden" name="org" value=org.as_str().to_owned() />
                    <div class="stack">
                        <div class="pair">
                            <TextField id="directory-name" name="name" label="Name" value=name required=true most=100_usize placeholder="The directory, such as Entra ID" fault />
                            <div class="field">
                                <label for="directory-days">"Ends after"</label>
                                <select class="input" id="directory-days" name="days">
                                    {LIFETIMES
                                        .map(|(offered, word)| {
                                            view! {
                                                <option value=offered.to_string() selected=offered == days>
                                                    {word}
                                                </option>
                                            }
                                        })}
                                </select>
                                <Wrong field="days" fault />
                            </div>
                        </div>
                        <p class="meta">
                            "The directory may change whom you may change: with a token that an owner makes, owners too. It makes nobody an \
                             owner, and the last owner stays. It works while whoever makes it governs here."
                        </p>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            // Without scripts the answer is a page of the server's own, which shows the secret.
                            <button
                                class="btn btn-primary"
                                type="submit"
                                formaction=DIRECTORY_MADE
                                disabled=move || mint.pending().get()
                            >
                                {move || if mint.pending().get() { "Making" } else { "Make token" }}
                            </button>
                        </div>
                    </div>
                </ActionForm>
            </div>
        </details>
    }
}

#[component]
fn Line(
    org: OrgId,
    token: DirectoryToken,
    now: domain::Timestamp,
    revoke: ServerAction<RevokeDirectoryToken>,
    take: ServerAction<TakeOverDirectoryToken>,
) -> impl IntoView {
    let holds = token.holds(now);
    let over = match token.revoked_at {
        Some(_) => Some("Revoked"),
        None if !holds => Some("Expired"),
        None if token.rests_since.is_some() => Some("Rests"),
        None => None,
    };
    let waits = token.waits(now).map(|waits| match waits {
        Waits::Rests => {
            "The directory is refused: whoever made this token no longer governs here. Taken over, it goes on by your word and \
             with the same secret. They may know that: if they should not, make a new token and revoke this one."
        }
        Waits::HeldToNobody => "It works by nobody's word: who made it is not known. Taken over, it works by yours.",
    });
    let (its_org, its_id) = (org.clone(), token.id.clone());
    let take_label = format!("Take over {}", token.name);
    let label = format!("Revoke {}", token.name);
    view! {
        <li>
            <div class="grow">
                <p>{token.name} " " {over.map(|word| view! { <span class="tag">{word}</span> })}</p>
                <p class="meta dot-between">
                    <span>"By " {token.made_by}</span>
                    <span>{if holds { "Ends " } else { "Ended " }} <Ago at=Signal::stored(token.revoked_at.unwrap_or(token.expires_at)) /></span>
                    {match token.used_at {
                        Some(at) => view! { <span>"Used " <Ago at=Signal::stored(at) /></span> }.into_any(),
                        None => view! { <span>"Never used"</span> }.into_any(),
                    }}
                </p>
                {waits.map(|words| view! { <p class="meta">{words}</p> })}
            </div>
            {waits
                .map(|_| {
                    view! {
                        <ActionForm action=take>
                            <input type="hidden" name="org" value=its_org.as_str().to_owned() />
                            <input type="hidden" name="id" value=its_id.as_str().to_owned() />
                            <button class="btn btn-small" type="submit" aria-label=take_label>"Take over"</button>
                        </ActionForm>
                    }
                })}
            {holds
                .then(|| {
                    view! {
                        <ActionForm action=revoke>
                            <input type="hidden" name="org" value=org.as_str().to_owned() />
                            <input type="hidden" name="id" value=token.id.as_str().to_owned() />
                            <button class="btn btn-small" type="submit" aria-label=label>"Revoke"</button>
                        </ActionForm>
                    }
                })}
        </li>
    }
}
