//! What a page asks about secrets, and tells.

#[cfg(feature = "ssr")]
use crate::door::{ask, land};
use crate::fault::Fault;
use domain::{
    OrgId, PersonId, SessionId,
    id::SecretId,
    secret::{Held, Kind, Secret},
};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use {
    domain::{
        member::ListMembers,
        secret::{Bindings, New, Value},
    },
    engine::Shelf,
};

/// What a page shows of a shelf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub held: Vec<Held>,
    /// Those a secret can be bound to, by name: id, name and address. Empty for a personal shelf.
    pub members: Vec<(PersonId, String, String)>,
}

/// Who receives a secret, as a form says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bound {
    everyone: bool,
    people: Vec<PersonId>,
    /// With commas between.
    groups: String,
    agents: Vec<String>,
    /// One a line.
    repositories: String,
}

#[cfg(feature = "ssr")]
fn shelf(org: Option<OrgId>) -> Shelf {
    org.map_or(Shelf::Own, Shelf::Org)
}

/// Where a form that was posted without scripts goes on.
#[cfg(feature = "ssr")]
fn go_on(org: Option<&OrgId>) {
    land(&match org {
        Some(org) => crate::org::address(super::ORGS, Some(org)),
        None => super::OWN.to_owned(),
    });
}

/// The secrets of the Organization, or the reader's own.
#[server(prefix = "/api/fn", endpoint = "secrets/list", input = GetUrl)]
pub async fn list_secrets(org: Option<OrgId>) -> Result<Shown, Fault> {
    ask(async move |engine, caller| {
        let mut members = Vec::new();
        if let Some(org) = &org {
            let page = ListMembers {
                limit: 200,
                ..ListMembers::default()
            };
            members = engine.members(&caller, org, &page).await?.items;
        }
        Ok(Shown {
            held: engine.secrets(&caller, &shelf(org)).await?,
            members: members
                .into_iter()
                .map(|seat| (seat.person, seat.name, seat.email))
                .collect(),
        })
    })
    .await
}

/// What the reader's sessions are given by others.
#[server(prefix = "/api/fn", endpoint = "secrets/received", input = GetUrl)]
pub async fn received_secrets() -> Result<Vec<Secret>, Fault> {
    ask(async |engine, caller| engine.secrets_received(&caller).await).await
}

/// Makes a secret.
#[server(prefix = "/api/fn", endpoint = "secrets/create")]
pub async fn create_secret(
    org: Option<OrgId>,
    kind: Kind,
    name: String,
    #[server(default)] variable: String,
    #[server(default)] file: String,
    #[server(default)] group: String,
    #[server(default)] to: Bound,
) -> Result<Held, Fault> {
    let new = New {
        name,
        kind: Some(kind),
        value: written(kind, variable, file),
        group: Some(group),
        bindings: to.into(),
    };
    let on = shelf(org.clone());
    let held = ask(async move |engine, caller| engine.create_secret(&caller, &on, new).await).await?;
    go_on(org.as_ref());
    Ok(held)
}

/// Binds a secret anew.
#[server(prefix = "/api/fn", endpoint = "secrets/change")]
pub async fn change_secret(org: Option<OrgId>, id: SecretId, #[server(default)] to: Bound) -> Result<Held, Fault> {
    let bindings = to.into();
    let on = shelf(org.clone());
    let held = ask(async move |engine, caller| engine.bind_secret(&caller, &on, &id, bindings).await).await?;
    go_on(org.as_ref());
    Ok(held)
}

/// Gives a secret its next value.
#[server(prefix = "/api/fn", endpoint = "secrets/rotate")]
pub async fn rotate_secret(
    org: Option<OrgId>,
    id: SecretId,
    kind: Kind,
    #[server(default)] variable: String,
    #[server(default)] file: String,
) -> Result<Held, Fault> {
    let (on, value) = (shelf(org.clone()), written(kind, variable, file));
    let held = ask(async move |engine, caller| engine.rotate_secret(&caller, &on, &id, value).await).await?;
    go_on(org.as_ref());
    Ok(held)
}

/// Forgets a secret.
#[server(prefix = "/api/fn", endpoint = "secrets/delete")]
pub async fn delete_secret(org: Option<OrgId>, id: SecretId) -> Result<(), Fault> {
    let on = shelf(org.clone());
    ask(async move |engine, caller| engine.delete_secret(&caller, &on, &id).await).await?;
    go_on(org.as_ref());
    Ok(())
}

/// Starts a session again that holds an old value.
#[server(prefix = "/api/fn", endpoint = "secrets/restart")]
pub async fn restart_holder(id: SessionId, back: String) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.restart(&caller, &id).await).await?;
    land(&back);
    Ok(())
}

/// Browsers end the lines of a form with `\r\n`: a file gets plain line ends back, and one at its end.
#[cfg(feature = "ssr")]
fn written(kind: Kind, variable: String, file: String) -> Value {
    let (variable, file) = (Value::new(variable), Value::new(file));
    if kind == Kind::Env {
        return variable;
    }
    let mut text = file.expose().replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Value::new(text)
}

#[cfg(feature = "ssr")]
impl From<Bound> for Bindings {
    fn from(to: Bound) -> Self {
        let words = |text: &str, ends: fn(char) -> bool| {
            let words = text.split(ends).map(str::trim).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        Self {
            everyone: to.everyone,
            groups: words(&to.groups, |c| matches!(c, ',' | '\n')),
            repositories: words(&to.repositories, |c| c == ',' || c.is_whitespace()),
            people: to.people.into_iter().collect(),
            agents: to.agents.into_iter().collect(),
        }
    }
}
