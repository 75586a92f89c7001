//! Organizations: made, changed, closed and opened again; which of them a person is in.

use crate::{Engine, Error, Result, rules::Rule};
use domain::{
    Caller, OrgId, Problem, Role,
    caller::Proof,
    event::Kind,
    invitation::{Invite, Invited},
    member,
    org::{self, Change, Found, ListOrgs, Org, Overview, State},
    page::{self, Page},
    permit::{Reach, Verb},
    quota::Limits,
};
use serde_json::json;

/// Sessions put to sleep at a time when an Organization is closed.
const BATCH: u32 = 100;

impl Engine {
    /// Every Organization of the installation, with its figures.
    pub async fn orgs(&self, caller: &Caller, ask: &ListOrgs) -> Result<Page<Overview>> {
        self.permit(caller, Verb::ManageFleet)?;
        let ask = ListOrgs {
            limit: page::limit(ask.limit),
            ..ask.clone()
        };
        Ok(self.0.store.list_orgs(&ask, self.0.clock.now()).await?)
    }

    /// One Organization, with its figures.
    pub async fn org(&self, caller: &Caller, org: &OrgId) -> Result<Overview> {
        self.govern(caller, Verb::SeeOrg, org)?;
        let found = self.0.store.org_overview(org, self.0.clock.now()).await?;
        found.ok_or_else(Error::no_org)
    }

    /// Makes an Organization and invites its first owner.
    pub async fn found_org(&self, caller: &Caller, found: Found) -> Result<(Overview, Invited)> {
        self.permit(caller, Verb::ManageFleet)?;
        let now = self.0.clock.now();
        let owner = member::email(&found.owner).map_err(|problem| problem.at("owner"))?;
        org::check_seats(found.seats)?;
        org::check_plan(found.plan.as_deref())?;
        let org = Org {
            kind: found.kind,
            tier: found.tier,
            billing: found.billing,
            seats: found.seats,
            plan: found.plan,
            ..Org::new(org::slug(&found.slug)?, org::display_name(&found.display_name)?, now)
        };
        let detail = json!({ "after": org, "owner": owner });
        let record = self.org_record(caller, &org.id, Kind::OrgChanged, None, org.id.as_str(), detail);
        if !self.0.store.record_org(&org, record).await? {
            let detail = format!("The slug {} is taken. Choose another.", org.id);
            return Err(Error::Conflict(Problem::new("organization-exists", detail).at("slug")));
        }
        let invite = Invite {
            email: owner,
            role: Role::Owner,
            days: None,
            seat_days: None,
            limits: Limits::default(),
        };
        let invited = self.invite(caller, &org.id, invite).await?;
        Ok((self.org(caller, &org.id).await?, invited))
    }

    /// Changes an Organization: its name by those who govern it, the rest by those who run the installation. Fewer seats
    /// than are taken end nobody's: they refuse the next.
    pub async fn change_org(&self, caller: &Caller, org: &OrgId, change: &Change) -> Result<Overview> {
        self.govern(caller, Verb::ManageOrg, org)?;
        if change.is_of_the_fleet() {
            self.govern(caller, Verb::ManageFleet, org)?;
        }
        let before = self.0.store.find_org(org).await?.ok_or_else(Error::no_org)?;
        let after = change.applied(&before)?;
        if after != before {
            let detail = json!({ "before": before, "after": after });
            let record = self.org_record(caller, org, Kind::OrgChanged, None, org.as_str(), detail);
            self.0.store.change_org(&after, record).await?;
            self.announce();
        }
        self.org(caller, org).await
    }

    /// Closes an Organization for a time or for good, or opens it again. Closing puts its sessions to sleep; nothing is
    /// deleted.
    pub async fn set_org_state(&self, caller: &Caller, org: &OrgId, state: State) -> Result<Overview> {
        self.govern(caller, Verb::ManageFleet, org)?;
        if *org == caller.org && state != State::Active {
            let detail = "You are in this Organization yourself: closing it would lock you out.";
            return Err(Error::Conflict(Problem::new("own-organization", detail)));
        }
        let before = self.0.store.find_org(org).await?.ok_or_else(Error::no_org)?;
        if before.state != state {
            let detail = json!({ "before": { "state": before.state }, "after": { "state": state } });
            let record = self.org_record(caller, org, Kind::OrgChanged, None, org.as_str(), detail);
            self.0.store.record_org_state(org, state, record).await?;
            self.announce();
        }
        // Also where it was closed already: a server that died in between has left sessions awake.
        if state != State::Active {
            self.close_sessions(org).await?;
        }
        if state == State::Archived {
            self.end_attachments_of_org(org);
        }
        self.org(caller, org).await
    }

    async fn close_sessions(&self, org: &OrgId) -> Result<()> {
        loop {
            let live = self.0.store.live_sessions_of(org, None, BATCH).await?;
            if live.is_empty() {
                return Ok(());
            }
            for session in live {
                self.suspend_by_rule(&session, Rule::closed()).await?;
            }
        }
    }

    /// The Organizations that the caller can ask in the name of, by name, with their role there.
    pub async fn memberships(&self, caller: &Caller) -> Result<Vec<(Org, Role)>> {
        let mut all = self.0.store.memberships(&caller.person, self.0.clock.now()).await?;
        if let Some(bound) = self.bound_to(caller).await? {
            all.retain(|(org, _)| org.id == bound);
        }
        Ok(all)
    }

    /// Lets the caller's browser ask in the name of another Organization of theirs.
    pub async fn switch(&self, caller: &Caller, org: &OrgId) -> Result<()> {
        if *org == caller.org {
            return Ok(());
        }
        let Proof::Login { id: login, .. } = &caller.proof else {
            return Err(Error::forbidden(
                "A token belongs to one Organization. Make another there.",
            ));
        };
        if self.bound_to(caller).await?.is_some() {
            return Err(Error::forbidden(
                "Your identity provider speaks for this Organization alone. Sign in to the other one by itself.",
            ));
        }
        let now = self.0.clock.now();
        if self.0.store.find_held(login).await?.is_some() && self.is_unconfirmed(org, &caller.person, now).await? {
            return Err(Error::forbidden(
                "The identity provider that gives you this seat has not proven you for long. Sign in with it.",
            ));
        }
        // A sign-in there; where else the person is, is not for that Organization to read.
        let there = self.seated(caller, org).await?;
        let record = self.audited(&there, "switched-here", login.as_str(), json!({}));
        if !self
            .0
            .store
            .switch_login(login, &caller.person, org, now, record)
            .await?
        {
            return Err(Error::no_org());
        }
        // What was attached in the name of the other one comes back in the name of this.
        self.detach_login(login);
        Ok(())
    }

    /// The caller as they sit in `org`, with the address and the role by which it knows them; as they are where they never
    /// sat there.
    pub(crate) async fn seated(&self, caller: &Caller, org: &OrgId) -> Result<Caller> {
        let there = match self.0.store.find_seat(org, &caller.person).await? {
            Some(seat) if *org != caller.org => seat,
            _ => return Ok(caller.clone()),
        };
        Ok(Caller {
            email: there.email,
            name: there.name,
            org: there.org,
            role: there.role,
            ..caller.clone()
        })
    }

    /// Refuses a verb on a whole Organization: one that the caller has not got at all is refused, another's Organization
    /// looks absent.
    pub(crate) fn govern(&self, caller: &Caller, verb: Verb, org: &OrgId) -> Result<()> {
        match self.permit(caller, verb)? {
            Reach::Fleet => Ok(()),
            Reach::Org if *org == caller.org => Ok(()),
            _ => Err(Error::no_org()),
        }
    }
}
