//! People and groups of a directory, searched together.

use crate::{Engine, Result};
use domain::{
    directory::Directory,
    scim::{Condition, Filter, Of, Window, group::Group, user::User},
};

/// A page of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    /// How many there are, on this page and on others.
    pub total: u64,
}

impl Engine {
    /// A page of one list: those who have a seat, and after them the groups that the directory keeps. It is as bounded as
    /// a page of either.
    pub async fn directory_search(
        &self,
        directory: &Directory,
        filter: Option<&str>,
        window: Window,
        with_members: bool,
    ) -> Result<Found> {
        let filter = filter.map(Filter::parse).transpose()?;
        let condition = |of| match &filter {
            Some(filter) => Condition::of_both(of, filter),
            None => Ok(Condition::Always(true)),
        };
        let (of_users, of_groups) = (condition(Of::Users)?, condition(Of::Groups)?);
        let (store, org, now) = (&self.0.store, &directory.org, self.0.clock.now());
        let (users, people) = store.list_users(org, &of_users, window, now).await?;
        let rest = Window {
            start: window.start.saturating_sub(people).max(1),
            count: window.count - (users.len() as u64).min(window.count),
        };
        let members = with_members.then_some(super::groups::PAGE_MEMBERS);
        let (groups, more) = store.list_groups(org, &of_groups, rest, members).await?;
        Ok(Found {
            users,
            groups,
            total: people + more,
        })
    }
}
