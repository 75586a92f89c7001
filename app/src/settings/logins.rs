//! The browsers that are signed in.

use super::super::{
    fault::Fault,
    now::Ago,
    ui::{Bones, Complaint, Toasts},
};
use domain::{id::LoginId, login::Login};
use leptos::server_fn::codec::GetUrl;
use leptos::{form::ActionForm, prelude::*};

/// The reader's logins.
#[server(prefix = "/api/fn", endpoint = "logins/list", input = GetUrl)]
pub async fn list_logins() -> Result<Vec<Login>, Fault> {
    crate::door::ask(async |engine, caller| engine.logins(&caller).await).await
}

/// Signs another browser out.
#[server(prefix = "/api/fn", endpoint = "logins/end")]
pub async fn end_login(id: LoginId) -> Result<(), Fault> {
    crate::door::ask(async move |engine, caller| engine.end_login(&caller, &id).await).await?;
    crate::door::land("/settings");
    Ok(())
}

/// The list.
#[component]
pub(super) fn Logins() -> impl IntoView {
    let action = ServerAction::<EndLogin>::new();
    let logins = Resource::new(move || action.version().get(), |_| list_logins());
    let toasts = expect_context::<Toasts>();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => toasts.done("That browser is signed out."),
        Some(Err(fault)) => toasts.failed(fault.detail()),
        None => {}
    });
    view! {
        <section aria-labelledby="logins">
            <div class="section-head">
                <h2 id="logins">"Where you are signed in"</h2>
            </div>
            <Transition fallback=|| view! { <Bones rows=2 /> }>
                {move || Suspend::new(async move {
                    match logins.await {
                        Ok(logins) => {
                            view! {
                                <ul role="list" class="card lines">
                                    {logins.into_iter().map(|login| view! { <Line login action /> }).collect_view()}
                                </ul>
                            }
                                .into_any()
                        }
                        Err(fault) => view! { <Complaint fault /> }.into_any(),
                    }
                })}
            </Transition>
        </section>
    }
}

#[component]
fn Line(login: Login, action: ServerAction<EndLogin>) -> impl IntoView {
    let browser = browser(&login.user_agent);
    let label = format!("Sign out {browser} from {}", login.address);
    view! {
        <li>
            <div class="grow">
                <p title=login.user_agent>
                    {browser} " " {login.current.then(|| view! { <span class="tag tag-accent">"This browser"</span> })}
                </p>
                <p class="meta dot-between">
                    <span>{login.address}</span>
                    <span>"Seen " <Ago at=Signal::stored(login.seen_at) /></span>
                    <span>"Ends " <Ago at=Signal::stored(login.expires_at) /></span>
                </p>
            </div>
            {(!login.current)
                .then(|| {
                    view! {
                        <ActionForm action>
                            <input type="hidden" name="id" value=login.id.as_str().to_owned() />
                            <button class="btn btn-small" type="submit" aria-label=label>"Sign out"</button>
                        </ActionForm>
                    }
                })}
        </li>
    }
}

/// `Firefox on Linux`: the two words that tell one browser from another.
pub(crate) fn browser(agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // The order matters: almost every browser says that it is also the others.
    let program = first(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("HeadlessChrome/", "Headless Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "A browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_told_apart_by_two_words() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(phone), "Safari on iPhone");
        assert_eq!(browser(""), "A browser");
    }
}
