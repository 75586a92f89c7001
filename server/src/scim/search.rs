//! `/scim/v2/.search`: people and groups at once (RFC 7644, 3.4.3).

use super::{
    answer::{self, Refusal},
    ask::{Ask, Body},
    groups, users,
};
use crate::doors::Doors;
use axum::{extract::State, response::Response};

pub(super) async fn all(State(doors): State<Doors>, ask: Ask, Body(body): Body) -> Result<Response, Refusal> {
    let ask = ask.said_by(&body)?;
    let window = ask.want.window()?;
    let (filter, members) = (ask.want.filter.as_deref(), ask.want.has("members"));
    let found = doors
        .engine()
        .directory_search(&ask.directory, filter, window, members)
        .await?;
    let users = found.users.iter().map(|user| users::resource(user, &ask.base));
    let groups = found.groups.iter().map(|group| groups::resource(group, &ask));
    let resources = users.chain(groups).map(|resource| ask.want.of(resource));
    Ok(answer::list(resources.collect(), found.total, window.start))
}
