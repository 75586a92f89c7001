//! What the engine asks of the store about an Organization's directory: its tokens, and the people and groups that it keeps.

use super::{Hash, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, Timestamp,
    directory::DirectoryToken,
    id::TokenId,
    scim::{
        Condition, Window,
        group::Group,
        user::{Primary, User},
    },
};
use std::collections::BTreeMap;

/// A directory's token, and to whom it is held: a person whom its Organization may not know by their id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    pub token: DirectoryToken,
    /// `None`: to nobody.
    pub maker: Option<PersonId>,
}

/// A seat as the directory wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Provision {
    pub org: OrgId,
    pub person: PersonId,
    /// The seat as it was looked at; `None`: it is new, or is given back to somebody who had left.
    pub was: Option<User>,
    pub user_name: String,
    pub external_id: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub formatted: Option<String>,
    pub display_name: Option<String>,
    /// The name that is shown.
    pub name: String,
    pub email: String,
    pub role: Role,
    /// The role that the directory gives; `None`: it says none.
    pub given_role: Option<Role>,
    pub primary: Primary,
    pub active: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provisioned {
    Done,
    /// Another has this already: `userName`, `externalId`, `emails` or `displayName`.
    Taken(&'static str),
    /// As many seats are taken or promised as were bought.
    Full {
        seats: u64,
    },
    /// It would leave the Organization without an owner.
    LastOwner,
    /// It is not any more what was looked at.
    Changed,
    Gone,
    /// Nobody with this id has a seat.
    NoSuch(PersonId),
    /// There are as many groups as there may be.
    TooMany,
}

/// What is remembered of directories. See [`super::Store`] for what all methods promise.
#[async_trait]
pub trait Directories: Send + Sync {
    /// Remembers a token, unless `most` hold already; whether it did.
    async fn record_directory_token(
        &self,
        org: &OrgId,
        token: &HeldToken,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<bool>;
    /// The token of this secret, while it holds and its Organization is not closed for good; and the Organization.
    async fn find_directory_token(&self, secret: &Hash, now: Timestamp) -> Result<Option<(HeldToken, OrgId)>>;
    /// Notes when a token was used last.
    async fn touch_directory_token(&self, token: &TokenId, used_at: Timestamp) -> Result<()>;
    /// Notes since when a token rests, or with `None` that it works again, beside the record; whether that is new, and the
    /// token is still its maker's who was looked at.
    async fn rest_directory_token(&self, token: &HeldToken, since: Option<Timestamp>, record: Record) -> Result<bool>;
    /// Gives a token that holds and is what it `was` the maker and the rank of `token`, and ends its rest; whether it did.
    async fn hand_directory_token(
        &self,
        org: &OrgId,
        was: &HeldToken,
        token: &HeldToken,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;
    /// What these people are to the Organization at `now`: the role of their seat there while it is theirs to use,
    /// super-admin where they run the installation, the higher of both. Whoever is nothing to it is not named.
    async fn roles_over(&self, org: &OrgId, people: &[PersonId], now: Timestamp) -> Result<BTreeMap<PersonId, Role>>;
    /// The Organization's tokens, newest first, at most 200.
    async fn list_directory_tokens(&self, org: &OrgId) -> Result<Vec<HeldToken>>;
    /// Ends a token that holds; whether there was one.
    async fn revoke_directory_token(
        &self,
        org: &OrgId,
        token: &TokenId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;

    /// A page of those who have a seat, in the order in which they joined, with the groups that the directory keeps; and
    /// how many there are.
    async fn list_users(
        &self,
        org: &OrgId,
        condition: &Condition,
        window: Window,
        now: Timestamp,
    ) -> Result<(Vec<User>, u64)>;
    /// Somebody who has a seat.
    async fn find_user(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Option<User>>;
    /// Whom an Organization knows by this address: who has a seat, else who has left and had the same `external_id` too.
    async fn find_known(&self, org: &OrgId, email: &str, external_id: Option<&str>) -> Result<Option<PersonId>>;
    /// Gives a seat, or changes or disables one. A new one counts against those that were bought; an invitation of the
    /// same address becomes it. The last owner stays. Browsers of whoever is disabled are out at once.
    async fn record_user(&self, seat: &Provision, now: Timestamp, record: Record) -> Result<Provisioned>;

    /// A page of the groups that the directory keeps, oldest first, and how many there are. Where members are asked for, the
    /// page ends before it holds more than so many, and holds at least one group.
    async fn list_groups(
        &self,
        org: &OrgId,
        condition: &Condition,
        window: Window,
        members: Option<u64>,
    ) -> Result<(Vec<Group>, u64)>;
    /// A group, with its members.
    async fn find_group(&self, org: &OrgId, id: &str) -> Result<Option<Group>>;
    /// Makes a group, or changes one that is still what it `was`. Its name is the directory's from then on: what sign-ins
    /// said of a group of this name goes.
    async fn record_group(&self, was: Option<&Group>, group: &Group, most: u64, record: Record) -> Result<Provisioned>;
    /// Deletes a group; whether there was one.
    async fn forget_group(&self, org: &OrgId, id: &str, record: Record) -> Result<bool>;

    /// Those of these groups that the directory keeps.
    async fn kept_groups(&self, org: &OrgId, names: &[String]) -> Result<Vec<String>>;
    /// How many members are in a group of this name because of how they signed in.
    async fn count_provided_in(&self, org: &OrgId, group: &str) -> Result<u64>;
    /// Who has a seat that the directory keeps, by the directory's id for them.
    async fn find_by_external_id(&self, org: &OrgId, external_id: &str) -> Result<Option<PersonId>>;
    /// Whether the directory keeps this person's seat.
    async fn keeps_seat(&self, org: &OrgId, person: &PersonId) -> Result<bool>;
}
