//! Personal access tokens: made, shown once, listed, revoked.

use crate::{
    fault::Fault,
    home::HomeAsked,
    now::Ago,
    typed::into_form_of,
    ui::{Bones, Complaint, Glyph, Once, Refused, TextField, Toasts, Wrong, icon},
};
use domain::{
    id::TokenId,
    permit::Verb,
    token::{Minted, TTL_HOURS_DEFAULT, TTL_HOURS_MAX, Token},
};
use leptos::server_fn::codec::GetUrl;
use leptos::{form::ActionForm, prelude::*};

/// How long a token may last, as offered: in hours, and in words.
const LIFETIMES: [(i64, &str); 4] = [
    (24, "1 day"),
    (TTL_HOURS_DEFAULT, "7 days"),
    (30 * 24, "30 days"),
    (TTL_HOURS_MAX, "90 days"),
];

/// Where the form goes without scripts; the server answers there with a plain page.
pub const MADE: &str = "/settings/tokens";
/// The server function whose form it is: a refusal there is a refusal of this.
#[cfg(feature = "ssr")]
pub const MINT: &str = <MintToken as server_fn::ServerFn>::PATH;

/// The reader's tokens.
#[server(prefix = "/api/fn", endpoint = "tokens/list", input = GetUrl)]
pub async fn list_tokens() -> Result<Vec<Token>, Fault> {
    crate::door::ask(async |engine, caller| engine.tokens(&caller).await).await
}

/// Makes a token; the answer is the only time that its secret is told.
#[server(prefix = "/api/fn", endpoint = "tokens/mint")]
pub async fn mint_token(
    name: String,
    ttl_hours: Option<i64>,
    #[server(default)] capabilities: Vec<String>,
) -> Result<Minted, Fault> {
    let mint = domain::token::Mint {
        name,
        ttl_hours,
        capabilities,
    };
    crate::door::ask(async move |engine, caller| engine.mint_token(&caller, mint).await).await
}

/// After how many days without their identity provider having proven the reader their tokens rest; `None`: they do not.
#[server(prefix = "/api/fn", endpoint = "tokens/rest", input = GetUrl)]
pub async fn tokens_rest() -> Result<Option<u32>, Fault> {
    crate::door::ask(async |engine, caller| engine.tokens_rest(&caller).await).await
}

/// Revokes a token at once.
#[server(prefix = "/api/fn", endpoint = "tokens/revoke")]
pub async fn revoke_token(id: TokenId) -> Result<(), Fault> {
    crate::door::ask(async move |engine, caller| engine.revoke_token(&caller, &id).await).await?;
    crate::door::land("/settings");
    Ok(())
}

/// The tokens, and the way to a new one.
#[component]
pub(super) fn Tokens() -> impl IntoView {
    let mint = ServerAction::<MintToken>::new();
    let revoke = ServerAction::<RevokeToken>::new();
    let tokens = Resource::new(
        move || (mint.version().get(), revoke.version().get()),
        |_| list_tokens(),
    );
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| match revoke.value().get() {
        Some(Ok(())) => toasts.done("The token is revoked."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    view! {
        <section id="tokens" aria-labelledby="tokens-title">
            <div class="section-head">
                <h2 id="tokens-title">"Personal access tokens"</h2>
                <p class="meta">"For programs that act in your name, over the API."</p>
            </div>
            <div class="stack">
                <Rest />
                {move || match mint.value().get() {
                    Some(Ok(minted)) => Some(view! { <Once name=minted.token.name secret=minted.secret /> }),
                    _ => None,
                }}
                <New mint />
                <Transition fallback=|| view! { <Bones rows=2 /> }>
                    {move || Suspend::new(async move {
                        match tokens.await {
                            Ok(tokens) if tokens.is_empty() => view! { <p class="soft">"You have no tokens."</p> }.into_any(),
                            Ok(tokens) => {
                                view! {
                                    <ul role="list" class="card lines">
                                        {tokens.into_iter().map(|token| view! { <Line token revoke /> }).collect_view()}
                                    </ul>
                                }
                                    .into_any()
                            }
                            Err(fault) => view! { <Complaint fault /> }.into_any(),
                        }
                    })}
                </Transition>
            </div>
        </section>
    }
}

/// When tokens rest.
#[component]
fn Rest() -> impl IntoView {
    let days = Resource::new(|| (), |()| tokens_rest());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let days = days.await.ok().flatten()?;
                let days = crate::words::count(u64::from(days), "day");
                Some(view! {
                    <p class="hint">
                        {format!(
                            "Your seat comes from an identity provider: your tokens rest when it disowns you, or has not proven you for {days}. \
                             Sign in with it, and they work again.",
                        )}
                    </p>
                })
            })}
        </Suspense>
    }
}

#[component]
fn New(mint: ServerAction<MintToken>) -> impl IntoView {
    let fault = Signal::derive(move || mint.value().get().and_then(Result::err));
    let home = expect_context::<HomeAsked>();
    let typed = StoredValue::new(into_form_of::<MintToken>());
    let said = move |name: &str| typed.with_value(|typed| typed.as_ref().and_then(|typed| typed.field(name)));
    let hours = said("ttl_hours")
        .and_then(|hours| hours.parse().ok())
        .unwrap_or(TTL_HOURS_DEFAULT);
    let ticked = move |verb: Verb| {
        typed.with_value(|typed| {
            typed
                .as_ref()
                .is_some_and(|typed| typed.ticked("capabilities[]", verb.capability()))
        })
    };
    view! {
        <details class="card new-token" open=move || fault.with(Option::is_some)>
            <summary class="card-head">
                {icon(Glyph::Plus)}
                <span class="grow">"New token"</span>
            </summary>
            <div class="card-body">
                <ActionForm action=mint>
                    <div class="stack">
                        <div class="pair">
                            <TextField id="token-name" name="name" label="Name" value=said("name") required=true most=100_usize placeholder="What it is for" fault />
                            <div class="field">
                                <label for="token-ttl">"Ends after"</label>
                                <select class="input" id="token-ttl" name="ttl_hours">
                                    {LIFETIMES
                                        .map(|(offered, word)| {
                                            view! {
                                                <option value=offered.to_string() selected=offered == hours>
                                                    {word}
                                                </option>
                                            }
                                        })}
                                </select>
                            </div>
                        </div>
                        <fieldset class="field">
                            <legend>"What it may do"</legend>
                            <p class="hint">"Tick none, and it may do all that you may."</p>
                            <div class="capabilities">
                                <Suspense>
                                    {move || Suspend::new(async move {
                                        let may = home.0.await.map(|home| home.may).unwrap_or_default();
                                        may.into_iter()
                                            .map(|verb| {
                                                view! {
                                                    <label class="check">
                                                        <input
                                                            type="checkbox"
                                                            name="capabilities[]"
                                                            value=verb.capability()
                                                            checked=ticked(verb)
                                                        />
                                                        <span>{verb_words(verb)}</span>
                                                    </label>
                                                }
                                            })
                                            .collect_view()
                                    })}
                                </Suspense>
                            </div>
                            <Wrong field="capabilities" fault />
                        </fieldset>
                        <Refused fault=move || fault.get().filter(|fault| fault.problem.field.is_none()) />
                        <div class="actions">
                            // Without scripts the answer is a page of the server's own, which shows the secret.
                            <button
                                class="btn btn-primary"
                                type="submit"
                                formaction=MADE
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

/// What a verb is called where a person grants it.
pub const fn verb_words(verb: Verb) -> &'static str {
    match verb {
        Verb::OpenSession => "Open sessions",
        Verb::SeeSession => "See sessions",
        Verb::WatchTerminal => "Watch terminals",
        Verb::ReadRecording => "Read recordings of terminals",
        Verb::DriveTerminal => "Type into terminals",
        Verb::RenameSession => "Rename sessions",
        Verb::ShareSession => "Share sessions",
        Verb::StopSession => "Suspend sessions",
        Verb::ResumeSession => "Resume sessions",
        Verb::DeleteSession => "Delete sessions",
        Verb::SeeAgents => "See agents",
        Verb::InstallAgents => "Install agents",
        Verb::SwitchAgents => "Switch agents for the Organization",
        Verb::SwitchFleetAgents => "Switch agents for everybody",
        Verb::SeeQuota => "See the quota",
        Verb::SeeUsage => "See usage",
        Verb::ManageTokens => "Make and revoke tokens",
        Verb::ManageLogins => "End sign-ins",
        Verb::SeeEvents => "Follow events",
        Verb::SeeAudit => "Read the audit",
        Verb::SeeInstallation => "See the installation's health",
        Verb::SeeOrg => "See the Organization as a whole",
        Verb::ManageOrg => "Change the Organization",
        Verb::SeeMembers => "See members",
        Verb::ManageMembers => "Invite and change members",
        Verb::AskQuota => "Ask for a larger quota",
        Verb::ManageQuotas => "Set quotas and answer requests",
        Verb::SeePolicy => "Read the policy",
        Verb::ManagePolicy => "Change the policy",
        Verb::ManageDirectory => "Manage the directory's tokens",
        Verb::SeeSecrets => "See secrets",
        Verb::ManageSecrets => "Manage secrets",
        Verb::ManageFleet => "Govern every Organization",
    }
}

#[component]
fn Line(token: Token, revoke: ServerAction<RevokeToken>) -> impl IntoView {
    let over = token.revoked_at.is_some();
    let count = token.capabilities.len() as u64;
    let label = format!("Revoke {}", token.name);
    view! {
        <li>
            <div class="grow">
                <p>
                    {token.name} " " {over.then(|| view! { <span class="tag">"Revoked"</span> })}
                </p>
                <p class="meta dot-between" title=token.capabilities.join(", ")>
                    <span>{crate::words::count(count, "right")}</span>
                    <span>"Ends " <Ago at=Signal::stored(token.expires_at) /></span>
                    {match token.used_at {
                        Some(at) => view! { <span>"Used " <Ago at=Signal::stored(at) /></span> }.into_any(),
                        None => view! { <span>"Never used"</span> }.into_any(),
                    }}
                </p>
            </div>
            {(!over)
                .then(|| {
                    view! {
                        <ActionForm action=revoke>
                            <input type="hidden" name="id" value=token.id.as_str().to_owned() />
                            <button class="btn btn-small" type="submit" aria-label=label>"Revoke"</button>
                        </ActionForm>
                    }
                })}
        </li>
    }
}
