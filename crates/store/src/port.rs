//! The table of contents: which noun answers what the engine asks.

use crate::{Sql, agents, audit, db::values, devices, events, logins, people, sessions, tokens, usage};
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    audit::Entry,
    device::Device,
    event::Event,
    id::{LoginId, TokenId},
    login::Login,
    org::Org,
    page::{ListSessions, Page},
    session::{Phase, Session},
    token::Token,
    usage::{Attributed, Bar, Range, Share},
};
use engine::ports::{
    Counts, DeviceHashes, DeviceState, Hash, Member, NewLogin, Opened, Patch, Record, Redeemed, Scope, Store, Visible,
};

#[async_trait]
impl Store for Sql {
    async fn describe(&self) -> Result<String> {
        let (name, sql) = self.db.version();
        let row = self.db.row(sql, values![]).await?.context("a version without a row")?;
        Ok(format!("{name} {}", row.get::<String>("version")?))
    }

    // People and Organizations

    async fn found(&self, org: &Org, member: &Member, now: Timestamp, record: Record) -> Result<bool> {
        people::found(&self.db, org, member, now, &record).await
    }

    async fn find_member_by_email(&self, scope: &Scope, email: &str) -> Result<Option<Member>> {
        people::find_member_by_email(&self.db, scope, email).await
    }

    async fn record_member(&self, member: &Member, now: Timestamp, record: Record) -> Result<()> {
        people::record_member(&self.db, member, now, &record).await
    }

    async fn members_with(&self, scope: &Scope, roles: &[Role]) -> Result<Vec<Member>> {
        people::members_with(&self.db, scope, roles).await
    }

    async fn find_org(&self, org: &OrgId) -> Result<Option<Org>> {
        people::find_org(&self.db, org).await
    }

    async fn record_org(&self, org: &Org, record: Record) -> Result<()> {
        people::record_org(&self.db, org, &record).await
    }

    // Logins

    async fn record_sign_in_link(
        &self,
        hash: &Hash,
        member: &Member,
        expires_at: Timestamp,
        record: Record,
    ) -> Result<()> {
        logins::record_sign_in_link(&self.db, hash, member, expires_at, &record).await
    }

    async fn redeem_sign_in_link(&self, link: &Hash, login: &NewLogin, now: Timestamp) -> Result<Option<Member>> {
        logins::redeem_sign_in_link(&self.db, link, login, now).await
    }

    async fn find_login(&self, cookie: &Hash, now: Timestamp) -> Result<Option<(Login, Member)>> {
        logins::find_login(&self.db, cookie, now).await
    }

    async fn touch_login(&self, login: &LoginId, seen_at: Timestamp, expires_at: Timestamp) -> Result<()> {
        logins::touch_login(&self.db, login, seen_at, expires_at).await
    }

    async fn list_logins(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Vec<Login>> {
        logins::list_logins(&self.db, org, person, now).await
    }

    async fn end_login(&self, org: &OrgId, person: &PersonId, login: &LoginId, record: Record) -> Result<bool> {
        logins::end_login(&self.db, org, person, login, &record).await
    }

    // Tokens

    async fn record_token(
        &self,
        member: &Member,
        token: &Token,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<bool> {
        tokens::record_token(&self.db, member, token, hash, most, &record).await
    }

    async fn find_token(&self, secret: &Hash, now: Timestamp) -> Result<Option<(Token, Member)>> {
        tokens::find_token(&self.db, secret, now).await
    }

    async fn touch_token(&self, token: &TokenId, used_at: Timestamp) -> Result<()> {
        tokens::touch_token(&self.db, token, used_at).await
    }

    async fn list_tokens(&self, org: &OrgId, person: &PersonId) -> Result<Vec<Token>> {
        tokens::list_tokens(&self.db, org, person).await
    }

    async fn revoke_token(
        &self,
        org: &OrgId,
        person: &PersonId,
        token: &TokenId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        tokens::revoke_token(&self.db, org, person, token, now, &record).await
    }

    // Devices

    async fn record_device(&self, device: &Device, hashes: &DeviceHashes) -> Result<bool> {
        devices::record_device(&self.db, device, hashes).await
    }

    async fn find_device(&self, user_code: &Hash, now: Timestamp) -> Result<Option<Device>> {
        devices::find_device(&self.db, user_code, now).await
    }

    async fn answer_device(
        &self,
        user_code: &Hash,
        member: &Member,
        granted: Option<&[String]>,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        devices::answer_device(&self.db, user_code, member, granted, now, &record).await
    }

    async fn poll_device(&self, device_code: &Hash, now: Timestamp) -> Result<DeviceState> {
        devices::poll_device(&self.db, device_code, now).await
    }

    async fn redeem_device(
        &self,
        device_code: &Hash,
        member: &Member,
        token: &Token,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<Redeemed> {
        devices::redeem_device(&self.db, device_code, member, token, hash, most, &record).await
    }

    // Sessions

    async fn record_opened(
        &self,
        session: &Session,
        limit: Option<u64>,
        idempotency: Option<&str>,
        record: Record,
    ) -> Result<Opened> {
        sessions::record_opened(&self.db, session, limit, idempotency, &record).await
    }

    async fn record_resumed(
        &self,
        org: &OrgId,
        id: &SessionId,
        limit: Option<u64>,
        now: Timestamp,
        record: Record,
    ) -> Result<Opened> {
        sessions::record_resumed(&self.db, org, id, limit, now, &record).await
    }

    async fn record_session(
        &self,
        org: &OrgId,
        id: &SessionId,
        patch: &Patch,
        record: Record,
    ) -> Result<Option<Session>> {
        sessions::record_session(&self.db, org, id, patch, &record).await
    }

    async fn record_deleted(&self, org: &OrgId, id: &SessionId, record: Record) -> Result<bool> {
        sessions::record_deleted(&self.db, org, id, &record).await
    }

    async fn find_session(&self, scope: &Scope, id: &SessionId) -> Result<Option<Session>> {
        sessions::find_session(&self.db, scope, id).await
    }

    async fn list_sessions(&self, visible: &Visible, caller: &PersonId, ask: &ListSessions) -> Result<Page<Session>> {
        sessions::list_sessions(&self.db, visible, caller, ask).await
    }

    async fn sessions_in(&self, phases: &[Phase], after: Option<&SessionId>, limit: u32) -> Result<Vec<Session>> {
        sessions::sessions_in(&self.db, phases, after, limit).await
    }

    async fn count_sessions(&self, org: &OrgId, person: &PersonId) -> Result<Counts> {
        sessions::count_sessions(&self.db, org, person).await
    }

    async fn count_phases(&self) -> Result<Vec<(Phase, u64)>> {
        sessions::count_phases(&self.db).await
    }

    // Agents

    async fn switched_off(&self, org: &OrgId) -> Result<Vec<(Option<OrgId>, String)>> {
        agents::switched_off(&self.db, org).await
    }

    async fn record_switch(&self, org: Option<&OrgId>, agent: &str, enabled: bool, record: Record) -> Result<()> {
        agents::record_switch(&self.db, org, agent, enabled, &record).await
    }

    // Usage

    async fn record_usage(&self, facts: &[Attributed]) -> Result<()> {
        usage::record_usage(&self.db, facts).await
    }

    async fn last_usage(&self, org: &OrgId, session: &SessionId) -> Result<u64> {
        usage::last_usage(&self.db, org, session).await
    }

    async fn usage_bars(&self, org: &OrgId, person: Option<&PersonId>, range: &Range) -> Result<Vec<Bar>> {
        usage::usage_bars(&self.db, org, person, range).await
    }

    async fn usage_shares(
        &self,
        org: &OrgId,
        person: Option<&PersonId>,
        range: &Range,
        most: u32,
    ) -> Result<Vec<Share>> {
        usage::usage_shares(&self.db, org, person, range, most).await
    }

    // Events and audit

    async fn events_after(&self, visible: &Visible, after: i64, limit: u32) -> Result<Vec<(i64, Event)>> {
        events::events_after(&self.db, visible, after, limit).await
    }

    async fn event_bounds(&self) -> Result<(i64, i64)> {
        events::event_bounds(&self.db).await
    }

    async fn record_audit(&self, entry: &Entry) -> Result<()> {
        audit::record_audit(&self.db, entry).await
    }

    async fn list_audit(
        &self,
        scope: &Scope,
        target: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, Entry)>> {
        audit::list_audit(&self.db, scope, target, before, limit).await
    }

    async fn prune(&self, before: Timestamp) -> Result<()> {
        logins::prune(&self.db, before).await?;
        devices::prune(&self.db, before).await?;
        events::prune(&self.db, before).await
    }
}
