//! Groups that an Organization's directory keeps. Their limits and secrets are given by name, and stay with the name.

use super::{TRIES, busy, not_as_seen, taken};
use crate::{Engine, Error, Result, ports::Provisioned};
use domain::{
    PersonId, Problem,
    directory::Directory,
    event::Kind,
    scim::{
        Condition, Filter, Of, Operation, Window,
        group::{Draft, GROUPS_MAX, Group, MEMBERS_MAX},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many members are on a page of groups at most, beside those of its first group.
pub(super) const PAGE_MEMBERS: u64 = 2 * MEMBERS_MAX as u64;
/// So many members are named in an entry of the audit; all are counted.
const NAMED: usize = 100;

/// Whether a group is still what whoever asks has seen.
pub type GroupCheck<'a> = &'a (dyn Fn(&Group) -> bool + Send + Sync);

/// What a directory does to a group that is there.
#[derive(Clone, Debug)]
pub enum GroupChange<'a> {
    /// All that it says of it.
    Replace(&'a Value),
    Patch(&'a [Operation]),
}

impl Engine {
    /// A page of the groups that the directory keeps; and how many there are.
    pub async fn directory_groups(
        &self,
        directory: &Directory,
        filter: Option<&str>,
        window: Window,
        with_members: bool,
    ) -> Result<(Vec<Group>, u64)> {
        let condition = match filter {
            Some(filter) => Condition::of(Of::Groups, &Filter::parse(filter)?)?,
            None => Condition::Always(true),
        };
        let members = with_members.then_some(PAGE_MEMBERS);
        let (org, store) = (&directory.org, &self.0.store);
        Ok(store.list_groups(org, &condition, window, members).await?)
    }

    /// A group, with its members.
    pub async fn directory_group(&self, directory: &Directory, id: &str) -> Result<Group> {
        let found = self.0.store.find_group(&directory.org, id).await?;
        found.ok_or_else(no_group)
    }

    /// Makes a group. From then on its name is the directory's: what sign-ins say of it is passed over.
    pub async fn create_group(&self, directory: &Directory, resource: &Value) -> Result<Group> {
        let draft = Draft::of_resource(resource)?;
        for _ in 0..TRIES {
            let id = self.0.credentials.new_id(self.0.clock.now());
            if let Some(group) = self.write_group(directory, &id, None, draft.clone()).await? {
                return Ok(group);
            }
        }
        Err(busy())
    }

    /// Changes a group.
    pub async fn change_group(
        &self,
        directory: &Directory,
        id: &str,
        change: GroupChange<'_>,
        as_seen: GroupCheck<'_>,
    ) -> Result<Group> {
        for _ in 0..TRIES {
            let before = self.directory_group(directory, id).await?;
            if !as_seen(&before) {
                return Err(not_as_seen());
            }
            let draft = match &change {
                GroupChange::Replace(resource) => Draft::of_resource(resource)?,
                GroupChange::Patch(operations) => Draft::of_group(&before).patched(operations)?,
            };
            if let Some(group) = self.write_group(directory, id, Some(before), draft).await? {
                return Ok(group);
            }
        }
        Err(busy())
    }

    /// Deletes a group. What sign-ins say of its name counts again, the next time that somebody signs in.
    pub async fn delete_group(&self, directory: &Directory, id: &str, as_seen: GroupCheck<'_>) -> Result<()> {
        let before = self.directory_group(directory, id).await?;
        if !as_seen(&before) {
            return Err(not_as_seen());
        }
        let detail = json!({ "name": before.name, "before": shown(&before), "after": null });
        let record = self.by_directory(directory, Kind::DirectoryChanged, "group.deleted", None, id, detail);
        if !self.0.store.forget_group(&directory.org, id, record).await? {
            return Err(no_group());
        }
        self.announce();
        self.regroup(&directory.org, Draft::of_group(&before).members);
        Ok(())
    }

    /// Writes what the directory wants of a group; `None`: it changed meanwhile.
    async fn write_group(
        &self,
        directory: &Directory,
        id: &str,
        before: Option<Group>,
        draft: Draft,
    ) -> Result<Option<Group>> {
        let now = self.0.clock.now();
        let held: BTreeSet<PersonId> = before.iter().flat_map(|group| Draft::of_group(group).members).collect();
        let name = draft.name.unwrap_or_default();
        let is_named = |group: &Group| group.name == name && group.external_id == draft.external_id;
        if let Some(before) = before
            .as_ref()
            .filter(|before| is_named(before) && held == draft.members)
        {
            return Ok(Some(before.clone()));
        }
        let group = Group {
            id: id.to_owned(),
            org: directory.org.clone(),
            name,
            external_id: draft.external_id,
            created_at: before.as_ref().map_or(now, |before| before.created_at),
            changed_at: now,
            version: 0,
            size: draft.members.len() as u64,
            members: Some(draft.members.iter().map(|one| (one.clone(), String::new())).collect()),
        };
        let mut detail = json!({
            "name": group.name, "before": before.as_ref().map(shown), "after": shown(&group),
            "added": named(draft.members.difference(&held)), "removed": named(held.difference(&draft.members)),
        });
        let provided = self.0.store.count_provided_in(&directory.org, &group.name).await?;
        if provided > 0 {
            detail["taken_over"] = json!(format!(
                "{provided} members were in it by how they signed in; the directory says from now on."
            ));
        }
        let action = if before.is_some() {
            "group.changed"
        } else {
            "group.created"
        };
        let record = self.by_directory(directory, Kind::DirectoryChanged, action, None, id, detail);
        let store = &self.0.store;
        match store.record_group(before.as_ref(), &group, GROUPS_MAX, record).await? {
            Provisioned::Done => {}
            Provisioned::Changed => return Ok(None),
            // Somebody who was in it has left in between.
            Provisioned::NoSuch(person) if held.contains(&person) => return Ok(None),
            Provisioned::NoSuch(person) => return Err(nobody(&person)),
            Provisioned::Taken(attribute) => return Err(taken(attribute)),
            Provisioned::TooMany => {
                let detail = format!("The directory keeps {GROUPS_MAX} groups, as many as it may. Delete one first.");
                return Err(Error::Conflict(Problem::new("too-many-groups", detail)));
            }
            Provisioned::Full { .. } | Provisioned::LastOwner | Provisioned::Gone => return Err(no_group()),
        }
        self.announce();
        // By another name it is another group to all who are in it: policies and limits know it by that.
        let same_name = before.as_ref().is_some_and(|before| before.name == group.name);
        let mut moved: Vec<PersonId> = match same_name {
            true => held.symmetric_difference(&draft.members).cloned().collect(),
            false => held.union(&draft.members).cloned().collect(),
        };
        if provided > 0 {
            // Whom sign-ins had put into it is not known here: whoever reads by groups comes back.
            moved.clear();
            self.end_sights(Some(&directory.org));
        }
        self.regroup(&directory.org, moved);
        self.directory_group(directory, id).await.map(Some)
    }
}

fn nobody(person: &PersonId) -> Error {
    let shown: String = person.as_str().chars().take(80).collect();
    let detail = format!("No user of this Organization has the id {shown}. Make the user first.");
    Error::Invalid(Problem::new("invalidValue", detail).at("members"))
}

fn no_group() -> Error {
    Error::NotFound(Problem::new(
        "no-such-group",
        "There is no such group in this Organization.",
    ))
}

fn shown(group: &Group) -> Value {
    json!({ "name": group.name, "external_id": group.external_id, "members": group.size })
}

fn named<'a>(people: impl Iterator<Item = &'a PersonId>) -> Value {
    let all: Vec<&str> = people.map(PersonId::as_str).collect();
    json!({ "count": all.len(), "ids": all[..all.len().min(NAMED)] })
}
