//! An Organization's directory: its tokens, the people whose seats it keeps, its groups.

mod condition;
mod groups;
mod tokens;
mod users;

use crate::{
    Sql,
    db::{Tx, values},
    filter::{numbered, places},
};
use anyhow::Result;
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, Timestamp,
    id::TokenId,
    scim::{Condition, Window, group::Group, user::User},
};
use engine::ports::{Directories, Hash, HeldToken, Provision, Provisioned, Record};
use std::collections::BTreeMap;

/// So many values are put into one statement.
const BATCH: usize = 500;

#[async_trait]
impl Directories for Sql {
    async fn record_directory_token(
        &self,
        org: &OrgId,
        token: &HeldToken,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<bool> {
        tokens::record(&self.db, org, token, hash, most, &record).await
    }

    async fn find_directory_token(&self, secret: &Hash, now: Timestamp) -> Result<Option<(HeldToken, OrgId)>> {
        tokens::find(&self.db, secret, now).await
    }

    async fn touch_directory_token(&self, token: &TokenId, used_at: Timestamp) -> Result<()> {
        let sql = "UPDATE directory_tokens SET used_at = $1 WHERE id = $2";
        self.db.execute(sql, values![used_at, token]).await?;
        Ok(())
    }

    async fn rest_directory_token(&self, token: &HeldToken, since: Option<Timestamp>, record: Record) -> Result<bool> {
        tokens::rest(&self.db, token, since, &record).await
    }

    async fn hand_directory_token(
        &self,
        org: &OrgId,
        was: &HeldToken,
        token: &HeldToken,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        tokens::hand(&self.db, org, was, token, now, &record).await
    }

    async fn roles_over(&self, org: &OrgId, people: &[PersonId], now: Timestamp) -> Result<BTreeMap<PersonId, Role>> {
        tokens::roles_over(&self.db, org, people, now).await
    }

    async fn list_directory_tokens(&self, org: &OrgId) -> Result<Vec<HeldToken>> {
        tokens::list(&self.db, org).await
    }

    async fn revoke_directory_token(
        &self,
        org: &OrgId,
        token: &TokenId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        tokens::revoke(&self.db, org, token, now, &record).await
    }

    async fn list_users(
        &self,
        org: &OrgId,
        condition: &Condition,
        window: Window,
        now: Timestamp,
    ) -> Result<(Vec<User>, u64)> {
        users::list(&self.db, org, condition, window, now).await
    }

    async fn find_user(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Option<User>> {
        users::find(&self.db, org, person, now).await
    }

    async fn find_known(&self, org: &OrgId, email: &str, external_id: Option<&str>) -> Result<Option<PersonId>> {
        users::find_known(&self.db, org, email, external_id).await
    }

    async fn record_user(&self, seat: &Provision, now: Timestamp, record: Record) -> Result<Provisioned> {
        users::record(&self.db, seat, now, &record).await
    }

    async fn list_groups(
        &self,
        org: &OrgId,
        condition: &Condition,
        window: Window,
        members: Option<u64>,
    ) -> Result<(Vec<Group>, u64)> {
        groups::list(&self.db, org, condition, window, members).await
    }

    async fn find_group(&self, org: &OrgId, id: &str) -> Result<Option<Group>> {
        groups::find(&self.db, org, id).await
    }

    async fn record_group(&self, was: Option<&Group>, group: &Group, most: u64, record: Record) -> Result<Provisioned> {
        groups::record(&self.db, was, group, most, &record).await
    }

    async fn forget_group(&self, org: &OrgId, id: &str, record: Record) -> Result<bool> {
        groups::forget(&self.db, org, id, &record).await
    }

    async fn kept_groups(&self, org: &OrgId, names: &[String]) -> Result<Vec<String>> {
        let mut kept = Vec::new();
        for names in names.chunks(BATCH) {
            let (sql, values) = among(org, names);
            for row in self.db.rows(sql, values).await? {
                kept.push(row.get("name")?);
            }
        }
        Ok(kept)
    }

    async fn count_provided_in(&self, org: &OrgId, group: &str) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS provided FROM member_groups WHERE org = $1 AND name = $2 AND by_directory = 0";
        let row = self.db.row(sql, values![org, group]).await?;
        row.map_or(Ok(0), |row| row.count("provided"))
    }

    async fn find_by_external_id(&self, org: &OrgId, external_id: &str) -> Result<Option<PersonId>> {
        let sql = "SELECT d.person FROM directory_users d JOIN members m ON m.org = d.org AND m.person = d.person \
                   WHERE d.org = $1 AND d.external_id = $2 AND d.version > 0 AND m.status <> 'left' LIMIT 1";
        let row = self.db.row(sql, values![org, external_id]).await?;
        row.map(|row| Ok(PersonId::new(row.get::<String>("person")?)))
            .transpose()
    }

    async fn keeps_seat(&self, org: &OrgId, person: &PersonId) -> Result<bool> {
        let sql = "SELECT person FROM directory_users WHERE org = $1 AND person = $2 AND version > 0";
        Ok(self.db.row(sql, values![org, person]).await?.is_some())
    }
}

/// What the directory says of a seat that it keeps.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// The role that it gives.
    pub(crate) role: Option<Role>,
}

/// Whether the directory keeps a seat. The Organization is locked.
pub(crate) async fn kept(tx: &mut Tx, org: &OrgId, person: &PersonId) -> Result<Option<Kept>> {
    let sql = "SELECT role FROM directory_users WHERE org = $1 AND person = $2 AND version > 0";
    let row = tx.row(sql, values![org, person]).await?;
    row.map(|row| {
        let role: Option<String> = row.get("role")?;
        let role = role.and_then(|role| Role::from_name(&role));
        Ok(Kept { role })
    })
    .transpose()
}

/// Those of these groups that the directory keeps. The Organization is locked.
pub(crate) async fn kept_among(tx: &mut Tx, org: &OrgId, names: &[String]) -> Result<Vec<String>> {
    let mut kept = Vec::new();
    for names in names.chunks(BATCH) {
        let (sql, values) = among(org, names);
        for row in tx.rows(sql, values).await? {
            kept.push(row.get("name")?);
        }
    }
    Ok(kept)
}

fn among(org: &OrgId, names: &[String]) -> (sqlx::SqlStr, Vec<crate::db::Value>) {
    let sql = format!(
        "SELECT name FROM directory_groups WHERE org = ? AND name IN ({}) ORDER BY name",
        places(names.len())
    );
    let mut values = values![org];
    values.extend(names.iter().map(crate::db::Value::from));
    (numbered(&sql), values)
}
