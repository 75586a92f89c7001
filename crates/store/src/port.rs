//! The table of contents: which noun answers what the engine asks.

use crate::{
    Sql, agents, audit, db::values, devices, events, invitations, letters, logins, members, orgs, passes, people,
    policies, quotas, secrets, sessions, tokens, usage,
};
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    audit::{Ask, Entry, Line, State as Chained, Trail, Verdict},
    device::Device,
    event::Event,
    id::{InvitationId, LoginId, RequestId, SecretId, TokenId},
    invitation::{Invitation, Letter},
    login::Login,
    member::{Leaving, ListMembers, Seat},
    org::{ListOrgs, Org, Overview, State},
    page::{ListSessions, Page},
    pass::{self, ListPasses, Pass},
    policy::{Policy, Rules, Version},
    quota::{self, Layer, Limited, Limits, ListLimits, Subject},
    secret::{Bindings, Holder, Secret},
    session::{Phase, Session, Sharing},
    token::Token,
    usage::{Attributed, Bar, Range, Share},
};
use engine::ports::{
    Acceptance, Accepted, Asked, Bounds, Counts, DeviceHashes, DeviceState, Devices, DueLetter, Hash, Invitations,
    Kept, LayersOf, Letters, Logins, Member, Members, NewLetter, NewLogin, Opened, Opening, Organizations, Patch,
    Policies, Quotas, Record, Redeemed, Scope, Sealed, SeatPatch, Seated, Secrets, Sessions, Store, Switches, Tokens,
    Trails, Usages, Visible,
};
use std::collections::BTreeSet;

#[async_trait]
impl Store for Sql {
    async fn describe(&self) -> Result<String> {
        let (name, sql) = self.db.version();
        let row = self.db.row(sql, values![]).await?.context("a version without a row")?;
        Ok(format!("{name} {}", row.get::<String>("version")?))
    }

    async fn prune(&self, before: Timestamp) -> Result<()> {
        logins::prune(&self.db, before).await?;
        invitations::prune(&self.db, before).await?;
        devices::prune(&self.db, before).await?;
        events::prune(&self.db, before).await
    }
}

#[async_trait]
impl Organizations for Sql {
    async fn found(&self, org: &Org, member: &Member, now: Timestamp, record: Record) -> Result<bool> {
        people::found(&self.db, org, member, now, &record).await
    }

    async fn find_org(&self, org: &OrgId) -> Result<Option<Org>> {
        orgs::find_org(&self.db, org).await
    }

    async fn record_org(&self, org: &Org, record: Record) -> Result<bool> {
        orgs::record_org(&self.db, org, &record).await
    }

    async fn change_org(&self, org: &Org, record: Record) -> Result<bool> {
        orgs::change_org(&self.db, org, &record).await
    }

    async fn record_org_state(&self, org: &OrgId, state: State, record: Record) -> Result<bool> {
        orgs::record_org_state(&self.db, org, state, &record).await
    }

    async fn list_orgs(&self, ask: &ListOrgs, now: Timestamp) -> Result<Page<Overview>> {
        orgs::list_orgs(&self.db, ask, now).await
    }

    async fn busiest_seats(&self, org: &OrgId, limit: u32) -> Result<Vec<Seat>> {
        members::busiest_seats(&self.db, org, limit).await
    }

    async fn org_overview(&self, org: &OrgId, now: Timestamp) -> Result<Option<Overview>> {
        orgs::org_overview(&self.db, org, now).await
    }

    async fn live_sessions_of(&self, org: &OrgId, owner: Option<&PersonId>, limit: u32) -> Result<Vec<Session>> {
        sessions::live_sessions_of(&self.db, org, owner, limit).await
    }

    async fn stray_sessions(&self, now: Timestamp, limit: u32) -> Result<Vec<Session>> {
        sessions::stray_sessions(&self.db, now, limit).await
    }
}

#[async_trait]
impl Members for Sql {
    async fn orgs_of_email(&self, email: &str, now: Timestamp) -> Result<Vec<OrgId>> {
        people::orgs_of_email(&self.db, email, now).await
    }

    async fn find_member_by_email(&self, scope: &Scope, email: &str, now: Timestamp) -> Result<Option<Member>> {
        people::find_member_by_email(&self.db, scope, email, now).await
    }

    async fn record_member(&self, member: &Member, now: Timestamp, record: Record) -> Result<()> {
        people::record_member(&self.db, member, now, &record).await
    }

    async fn members_with(&self, scope: &Scope, roles: &[Role], now: Timestamp) -> Result<Vec<Member>> {
        people::members_with(&self.db, scope, roles, now).await
    }

    async fn list_members(&self, org: &OrgId, ask: &ListMembers, now: Timestamp) -> Result<Page<Seat>> {
        members::list_members(&self.db, org, ask, now).await
    }

    async fn find_seat_by_email(&self, org: &OrgId, email: &str) -> Result<Option<Seat>> {
        members::find_seat_by_email(&self.db, org, email).await
    }

    async fn find_seat(&self, org: &OrgId, person: &PersonId) -> Result<Option<Seat>> {
        members::find_seat(&self.db, org, person).await
    }

    async fn change_seat(&self, was: &Seat, patch: &SeatPatch, now: Timestamp, record: Record) -> Result<Seated<Seat>> {
        members::change_seat(&self.db, was, patch, now, &record).await
    }

    async fn record_leaving(
        &self,
        was: &Seat,
        leaving: &Leaving,
        now: Timestamp,
        record: Record,
    ) -> Result<Seated<Vec<SessionId>>> {
        members::record_leaving(&self.db, was, leaving, now, &record).await
    }

    async fn seats_ended(
        &self,
        after: Timestamp,
        until: Timestamp,
        from: Option<&(OrgId, PersonId)>,
    ) -> Result<Vec<(OrgId, PersonId)>> {
        members::seats_ended(&self.db, after, until, from).await
    }

    async fn memberships(&self, person: &PersonId, now: Timestamp) -> Result<Vec<(Org, Role)>> {
        members::memberships(&self.db, person, now).await
    }

    async fn switch_login(
        &self,
        login: &LoginId,
        person: &PersonId,
        org: &OrgId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        logins::switch_login(&self.db, login, person, org, now, &record).await
    }
}

#[async_trait]
impl Invitations for Sql {
    async fn record_invitation(
        &self,
        invitation: &Invitation,
        hash: &Hash,
        letter: Option<&NewLetter>,
        most: u64,
        now: Timestamp,
        record: Record,
    ) -> Result<Asked> {
        invitations::record_invitation(&self.db, invitation, hash, letter, most, now, &record).await
    }

    async fn find_invitation(&self, link: &Hash, now: Timestamp) -> Result<Option<(Invitation, Org)>> {
        invitations::find_invitation(&self.db, link, now).await
    }

    async fn accept_invitation(
        &self,
        link: &Hash,
        acceptance: &Acceptance,
        now: Timestamp,
        record: Record,
    ) -> Result<Accepted> {
        invitations::accept_invitation(&self.db, link, acceptance, now, &record).await
    }

    async fn list_invitations(&self, org: &OrgId, now: Timestamp) -> Result<Vec<Invitation>> {
        invitations::list_invitations(&self.db, org, now).await
    }

    async fn withdraw_invitation(
        &self,
        org: &OrgId,
        id: &InvitationId,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        invitations::withdraw_invitation(&self.db, org, id, now, &record).await
    }
}

#[async_trait]
impl Quotas for Sql {
    async fn quota_layers(
        &self,
        org: &OrgId,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<(Option<String>, Vec<Layer>)> {
        quotas::quota_layers(&self.db, org, person, now).await
    }

    async fn quota_layers_of(&self, org: &OrgId, people: &[PersonId], now: Timestamp) -> Result<LayersOf> {
        quotas::quota_layers_of(&self.db, org, people, now).await
    }

    async fn list_limits(&self, org: &OrgId, ask: &ListLimits) -> Result<Page<Limited>> {
        quotas::list_limits(&self.db, org, ask).await
    }

    async fn find_limits(&self, org: &OrgId, subject: &Subject) -> Result<Option<Limits>> {
        quotas::find_limits(&self.db, org, subject).await
    }

    async fn find_ceiling(&self, org: &OrgId) -> Result<Limits> {
        quotas::find_ceiling(&self.db, org).await
    }

    async fn record_limits(
        &self,
        org: &OrgId,
        subject: &Subject,
        limits: &Limits,
        above: bool,
        record: Record,
    ) -> Result<()> {
        quotas::record_limits(&self.db, org, subject, limits, above, &record).await
    }

    async fn record_request(&self, request: &quota::Request, most: u64, record: Record) -> Result<bool> {
        quotas::record_request(&self.db, request, most, &record).await
    }

    async fn find_request(&self, org: &OrgId, id: &RequestId) -> Result<Option<quota::Request>> {
        quotas::find_request(&self.db, org, id).await
    }

    async fn list_requests(
        &self,
        org: &OrgId,
        person: Option<&PersonId>,
        state: Option<quota::State>,
        limit: u32,
    ) -> Result<Vec<quota::Request>> {
        quotas::list_requests(&self.db, org, person, state, limit).await
    }

    async fn answer_request(&self, request: &quota::Request, record: Record) -> Result<bool> {
        quotas::answer_request(&self.db, request, &record).await
    }
}

#[async_trait]
impl Policies for Sql {
    async fn find_policy(&self, org: Option<&OrgId>) -> Result<Version> {
        policies::find_policy(&self.db, org).await
    }

    async fn rules(&self, org: &OrgId) -> Result<Rules> {
        policies::rules(&self.db, org).await
    }

    async fn record_policy(
        &self,
        org: Option<&OrgId>,
        policy: &Policy,
        based_on: i64,
        now: Timestamp,
        by: &str,
        record: Record,
    ) -> Result<Option<Vec<SessionId>>> {
        policies::record_policy(&self.db, org, policy, based_on, now, by, &record).await
    }

    async fn openings(&self, scope: &Scope, since: Timestamp, limit: u32) -> Result<Vec<Opening>> {
        policies::openings(&self.db, scope, since, limit).await
    }

    async fn count_shared(&self, scope: &Scope, beyond: Sharing) -> Result<(u64, u64)> {
        policies::count_shared(&self.db, scope, beyond).await
    }

    async fn are_near(&self, org: &OrgId, one: &PersonId, other: &PersonId) -> Result<bool> {
        policies::are_near(&self.db, org, one, other).await
    }
}

#[async_trait]
impl Secrets for Sql {
    async fn record_secret(&self, secret: &Secret, sealed: &Sealed, most: u64, record: Record) -> Result<Kept> {
        secrets::record_secret(&self.db, secret, sealed, most, &record).await
    }

    async fn rotate_secret(&self, secret: &Secret, sealed: &Sealed, record: Record) -> Result<bool> {
        secrets::rotate_secret(&self.db, secret, sealed, &record).await
    }

    async fn bind_secret(
        &self,
        org: &OrgId,
        id: &SecretId,
        bindings: &Bindings,
        changed: (Timestamp, &str),
        record: Record,
    ) -> Result<bool> {
        secrets::bind_secret(&self.db, org, id, bindings, changed, &record).await
    }

    async fn delete_secret(&self, org: &OrgId, id: &SecretId, record: Record) -> Result<bool> {
        secrets::delete_secret(&self.db, org, id, &record).await
    }

    async fn find_secret(&self, org: &OrgId, id: &SecretId) -> Result<Option<Secret>> {
        secrets::find_secret(&self.db, org, id).await
    }

    async fn list_secrets(&self, org: &OrgId, person: Option<&PersonId>) -> Result<Vec<Secret>> {
        secrets::list_secrets(&self.db, org, person).await
    }

    async fn secrets_for(&self, org: &OrgId, person: &PersonId) -> Result<(BTreeSet<String>, Vec<(Secret, Sealed)>)> {
        secrets::secrets_for(&self.db, org, person).await
    }

    async fn record_held(
        &self,
        session: &Session,
        held: &[(SecretId, u64)],
        beside: bool,
        now: Timestamp,
        record: Record,
    ) -> Result<()> {
        secrets::record_held(&self.db, session, held, beside, now, &record).await
    }

    async fn secret_holders(&self, org: &OrgId, person: Option<&PersonId>) -> Result<Vec<Holder>> {
        secrets::secret_holders(&self.db, org, person).await
    }

    async fn holding_secrets(&self, org: &OrgId, owner: &PersonId) -> Result<BTreeSet<SessionId>> {
        secrets::holding_secrets(&self.db, org, owner).await
    }

    async fn sealed_secrets(
        &self,
        not_by: Option<&str>,
        after: Option<&SecretId>,
        limit: u32,
    ) -> Result<Vec<(Secret, Sealed)>> {
        secrets::sealed_secrets(&self.db, not_by, after, limit).await
    }

    async fn reseal(&self, resealed: &[(SecretId, Sealed, Sealed)], entry: Entry) -> Result<u64> {
        secrets::reseal(&self.db, resealed, entry).await
    }

    async fn sealing_keys(&self) -> Result<Vec<(String, u64)>> {
        secrets::sealing_keys(&self.db).await
    }
}

#[async_trait]
impl Logins for Sql {
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
}

#[async_trait]
impl Tokens for Sql {
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

    async fn list_passes(&self, org: &OrgId, ask: &ListPasses, now: Timestamp) -> Result<Page<Pass>> {
        passes::list_passes(&self.db, org, ask, now).await
    }

    async fn find_pass(&self, org: &OrgId, kind: pass::Kind, id: &str) -> Result<Option<Pass>> {
        passes::find_pass(&self.db, org, kind, id).await
    }
}

#[async_trait]
impl Devices for Sql {
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
}

#[async_trait]
impl Sessions for Sql {
    async fn record_opened(
        &self,
        session: &Session,
        bounds: Bounds,
        idempotency: Option<&str>,
        record: Record,
    ) -> Result<Opened> {
        sessions::record_opened(&self.db, session, bounds, idempotency, &record).await
    }

    async fn record_resumed(
        &self,
        org: &OrgId,
        id: &SessionId,
        bounds: Bounds,
        now: Timestamp,
        record: Record,
    ) -> Result<Opened> {
        sessions::record_resumed(&self.db, org, id, bounds, now, &record).await
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
}

#[async_trait]
impl Switches for Sql {
    async fn switched_off(&self, org: &OrgId) -> Result<Vec<(Option<OrgId>, String)>> {
        agents::switched_off(&self.db, org).await
    }

    async fn record_switch(&self, org: Option<&OrgId>, agent: &str, enabled: bool, record: Record) -> Result<()> {
        agents::record_switch(&self.db, org, agent, enabled, &record).await
    }
}

#[async_trait]
impl Usages for Sql {
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
}

#[async_trait]
impl Trails for Sql {
    async fn events_after(&self, visible: &Visible, after: i64, limit: u32) -> Result<Vec<(i64, Event)>> {
        events::events_after(&self.db, visible, after, limit).await
    }

    async fn event_bounds(&self) -> Result<(i64, i64)> {
        events::event_bounds(&self.db).await
    }

    async fn record_audit(&self, entry: &Entry) -> Result<()> {
        audit::record_audit(&self.db, entry).await
    }

    async fn list_audit(&self, scope: &Scope, ask: &Ask) -> Result<Trail> {
        audit::list_audit(&self.db, scope, ask).await
    }

    async fn find_audit(&self, scope: &Scope, position: i64) -> Result<Option<(Line, Chained)>> {
        audit::find_audit(&self.db, scope, position).await
    }

    async fn audited_orgs(&self, after: &str, limit: u32) -> Result<Vec<OrgId>> {
        audit::audited_orgs(&self.db, after, limit).await
    }

    async fn verify_audit(&self, org: &OrgId) -> Result<Verdict> {
        audit::verify_audit(&self.db, org).await
    }

    async fn audit_due(&self, before: Timestamp, limit: u32) -> Result<Vec<OrgId>> {
        audit::audit_due(&self.db, before, limit).await
    }

    async fn prune_audit(&self, org: &OrgId, before: Timestamp, entry: &Entry) -> Result<u64> {
        audit::prune_audit(&self.db, org, before, entry).await
    }

    async fn audit_after(&self, position: i64, limit: u32) -> Result<Vec<Line>> {
        audit::audit_after(&self.db, position, limit).await
    }

    async fn forwarded(&self, receiver: &str) -> Result<Option<i64>> {
        audit::forwarded(&self.db, receiver).await
    }

    async fn record_forwarded(&self, receiver: &str, position: i64) -> Result<()> {
        audit::record_forwarded(&self.db, receiver, position).await
    }

    async fn receivers(&self) -> Result<Vec<(String, i64)>> {
        audit::receivers(&self.db).await
    }
}

#[async_trait]
impl Letters for Sql {
    async fn take_letter(&self, now: Timestamp, lease: Timestamp) -> Result<Option<DueLetter>> {
        letters::take_letter(&self.db, now, lease).await
    }

    async fn settle_letter(&self, id: &InvitationId, letter: &Letter, again: Option<Timestamp>) -> Result<()> {
        letters::settle_letter(&self.db, id, letter, again).await
    }
}
