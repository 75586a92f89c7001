//! Members: who has a seat, as what, until when; and how a seat ends.

use crate::{
    Engine, Error, Result,
    ports::{SeatPatch, Seated},
    rules::Rule,
};
use domain::{
    Caller, OrgId, PersonId, Problem, Role,
    event::Kind,
    id::TokenId,
    member::{self, Held, Leaving, ListMembers, Seat, Status},
    page::{self, Page},
    permit::Verb,
    token::Token,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// So many members stand on an Organization's overview.
const BUSIEST: u32 = 5;

/// What is to change of a seat; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatChange {
    #[serde(default)]
    pub role: Option<Role>,
    /// `active` or `disabled`.
    #[serde(default)]
    pub status: Option<Status>,
    /// Days from now until the seat ends by itself; 0: it does not.
    #[serde(default)]
    pub seat_days: Option<i64>,
    #[serde(default)]
    pub name: Option<String>,
}

impl Engine {
    /// A page of an Organization's seats.
    pub async fn members(&self, caller: &Caller, org: &OrgId, ask: &ListMembers) -> Result<Page<Seat>> {
        self.govern(caller, Verb::SeeMembers, org)?;
        let ask = ListMembers {
            limit: page::limit(ask.limit),
            ..ask.clone()
        };
        Ok(self.0.store.list_members(org, &ask, self.0.clock.now()).await?)
    }

    /// A page of an Organization's seats, each beside what its holder may have.
    pub async fn members_held(&self, caller: &Caller, org: &OrgId, ask: &ListMembers) -> Result<Page<Held>> {
        let Page { items, next, total } = self.members(caller, org, ask).await?;
        let items = self.beside_limits(org, items).await?;
        Ok(Page { items, next, total })
    }

    /// The few members who run most now, each beside what they may have.
    pub async fn busiest(&self, caller: &Caller, org: &OrgId) -> Result<Vec<Held>> {
        self.govern(caller, Verb::SeeMembers, org)?;
        let seats = self.0.store.busiest_seats(org, BUSIEST).await?;
        self.beside_limits(org, seats).await
    }

    async fn beside_limits(&self, org: &OrgId, seats: Vec<Seat>) -> Result<Vec<Held>> {
        let people: Vec<_> = seats.iter().map(|seat| seat.person.clone()).collect();
        let mut quotas = self.effective_of(org, &people).await?;
        let beside = |seat: Seat| {
            let quota = quotas.remove(&seat.person);
            Held {
                most_live: quota.as_ref().and_then(|quota| quota.concurrent_sessions),
                most_bytes: quota.as_ref().and_then(|quota| quota.storage_bytes),
                seat,
            }
        };
        Ok(seats.into_iter().map(beside).collect())
    }

    /// One seat.
    pub async fn seat(&self, caller: &Caller, org: &OrgId, person: &PersonId) -> Result<Seat> {
        self.govern(caller, Verb::SeeMembers, org)?;
        let seat = self.0.store.find_seat(org, person).await?;
        seat.ok_or_else(Error::no_member)
    }

    /// Changes a role, a status, a term or a name. Nobody changes whoever stands above them, or lifts anybody above
    /// themselves; the last owner stays one. What the seat allowed and does not any more ends at once.
    pub async fn change_seat(
        &self,
        caller: &Caller,
        org: &OrgId,
        person: &PersonId,
        change: SeatChange,
    ) -> Result<Seat> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let before = self.seat(caller, org, person).await?;
        self.may_touch(caller, &before, change.role)?;
        if change.status == Some(Status::Left) {
            let detail = "A seat is active or disabled. To end it, remove the member.";
            return Err(Problem::new("invalid-status", detail).at("status").into());
        }
        let now = self.0.clock.now();
        let patch = SeatPatch {
            role: change.role,
            status: change.status,
            ends_at: match change.seat_days {
                None => None,
                Some(0) => Some(None),
                days => Some(member::term(days, now)?),
            },
            name: change.name.as_deref().map(member::name).transpose()?,
        };
        if patch == SeatPatch::default() {
            return Ok(before);
        }
        let shown = |seat: &Seat| {
            json!({
                "role": seat.role.as_str(), "status": seat.status.as_str(), "ends_at": seat.ends_at, "name": seat.name,
            })
        };
        let after = Seat {
            role: patch.role.unwrap_or(before.role),
            status: patch.status.unwrap_or(before.status),
            ends_at: patch.ends_at.unwrap_or(before.ends_at),
            name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
            ..before.clone()
        };
        let detail = json!({ "email": before.email, "before": shown(&before), "after": shown(&after) });
        let record = self.org_record(caller, org, Kind::MemberChanged, Some(person), person.as_str(), detail);
        let seat = match self.0.store.change_seat(&before, &patch, now, record).await? {
            Seated::Done(seat) => seat,
            refused => return Err(not_seated(&refused)),
        };
        self.announce();
        if seat.role != before.role || !seat.holds(now) {
            // They come back with what they may do now, or not at all.
            self.end_attachments_of_member(org, person);
        }
        // Also where it was disabled already: a server that died in between has left sessions awake.
        if seat.status == Status::Disabled {
            self.sleep_sessions_of(org, person, Rule::disabled).await?;
        }
        self.note_rest_of(org, person).await?;
        Ok(seat)
    }

    /// Ends a seat. Browsers and tokens are out at once; sessions are kept asleep under the leaver's name, or go to
    /// another member.
    pub async fn remove_member(
        &self,
        caller: &Caller,
        org: &OrgId,
        person: &PersonId,
        leaving: &Leaving,
    ) -> Result<()> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let seat = self.seat(caller, org, person).await?;
        self.may_touch(caller, &seat, None)?;
        if let Leaving::HandOver { to } = leaving {
            let heir = self.0.store.find_seat(org, to).await?;
            if to == person || !heir.is_some_and(|heir| heir.holds(self.0.clock.now())) {
                let detail = "Choose another member whose seat is active to take the sessions over.";
                return Err(Problem::new("invalid-heir", detail).at("to").into());
            }
        }
        let detail = json!({
            "email": seat.email, "role": seat.role.as_str(), "sessions": seat.sessions, "leaving": leaving,
        });
        let record = self.org_record(caller, org, Kind::MemberLeft, Some(person), person.as_str(), detail);
        let now = self.0.clock.now();
        let holding = self.0.store.holding_secrets(org, person).await?;
        let handed_over = match self.0.store.record_leaving(&seat, leaving, now, record).await? {
            Seated::Done(handed_over) => handed_over,
            refused => return Err(not_seated(&refused)),
        };
        self.end_attachments_of_member(org, person);
        self.announce();
        for id in &handed_over {
            self.end_attachments(id);
            if let Some(session) = self.find(id).await? {
                self.refresh_running(session.clone());
                self.touch_session(&session);
                // What was given to the leaver is not the heir's: started again, it gets what is.
                if holding.contains(id) {
                    self.suspend_by_rule(&session, Rule::held_secrets()).await?;
                }
            }
        }
        self.sleep_sessions_of(org, person, Rule::left).await?;
        self.note_rest_of(org, person).await
    }

    /// A member's tokens, newest first.
    pub async fn member_tokens(&self, caller: &Caller, org: &OrgId, person: &PersonId) -> Result<Vec<Token>> {
        self.seat(caller, org, person).await?;
        Ok(self.0.store.list_tokens(org, person).await?)
    }

    /// Revokes a member's token at once; one that is gone already is no error.
    pub async fn revoke_member_token(
        &self,
        caller: &Caller,
        org: &OrgId,
        person: &PersonId,
        token: &TokenId,
    ) -> Result<()> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let seat = self.seat(caller, org, person).await?;
        self.may_touch(caller, &seat, None)?;
        let detail = json!({ "owner": seat.email });
        let record = self.audited_in(caller, org, "token.revoked", token.as_str(), detail);
        let now = self.0.clock.now();
        // Only where it was this member's: ids of others may be known, and reach nothing.
        if self.0.store.revoke_token(org, person, token, now, record).await? {
            self.end_attachments_of_token(token);
        }
        Ok(())
    }

    /// Puts what still runs of somebody whose seat does not hold to sleep.
    pub(crate) async fn sleep_sessions_of(&self, org: &OrgId, person: &PersonId, rule: fn() -> Rule) -> Result<()> {
        loop {
            let live = self.0.store.live_sessions_of(org, Some(person), 100).await?;
            if live.is_empty() {
                return Ok(());
            }
            for session in live {
                self.suspend_by_rule(&session, rule()).await?;
            }
        }
    }

    /// Refuses to touch the seat of somebody above the caller, or to make somebody more than the caller may.
    pub(crate) fn may_touch(&self, caller: &Caller, seat: &Seat, role: Option<Role>) -> Result<()> {
        if !caller.role.may_grant(seat.role) {
            return Err(Error::forbidden(
                "Their role is above yours: only an owner changes owners, and only a super-admin changes super-admins.",
            ));
        }
        if role.is_some_and(|role| !caller.role.may_grant(role)) {
            return Err(Error::forbidden("You cannot make anybody more than you are yourself."));
        }
        Ok(())
    }
}

/// Why a seat stays as it is.
pub(crate) fn not_seated<T>(refused: &Seated<T>) -> Error {
    match refused {
        Seated::LastOwner => {
            let detail = "An Organization keeps at least one owner whose seat is active and has no end. Make another owner first.";
            Error::Conflict(Problem::new("last-owner", detail))
        }
        Seated::Changed => {
            let detail = "The seat changed meanwhile. Look at it again, then retry.";
            Error::Conflict(Problem::new("member-changed", detail))
        }
        Seated::Full { seats } => Error::no_seat_left(*seats),
        Seated::Gone | Seated::Done(_) => Error::no_member(),
    }
}
