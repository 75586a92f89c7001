//! Reading the audit, keeping it bounded, and handing it on.

use crate::{Engine, Error, Result, ports::Scope};
use domain::{
    Caller, OrgId, Problem,
    audit::{Ask, Line, State, Trail},
    permit::{Reach, Verb},
};
use serde_json::json;

/// Organizations whose old entries are removed in one round.
const ROUND: u32 = 500;

impl Engine {
    /// A page of audit entries, newest first: of the caller's Organization; for super-admins also of another, or of all.
    pub async fn audit(&self, caller: &Caller, ask: Ask) -> Result<Trail> {
        let scope = self.audit_scope(caller, ask.org.as_ref(), ask.fleet)?;
        let limit = domain::page::limit(ask.limit);
        self.trail(
            caller,
            &scope,
            Ask {
                limit,
                ..ask.checked()?
            },
        )
        .await
    }

    /// One entry, and whether it and its place in the chain are as they were.
    pub async fn audit_entry(&self, caller: &Caller, position: i64) -> Result<(Line, State)> {
        let fleet = caller.reach(Verb::SeeAudit) >= Reach::Fleet;
        let scope = self.audit_scope(caller, None, fleet)?;
        let found = self.0.store.find_audit(&scope, position).await?;
        let found = found.map(|(line, state)| (if fleet { line } else { line.veiled() }, state));
        found.ok_or_else(|| {
            Error::NotFound(Problem::new(
                "audit-entry-not-found",
                "There is no such entry, or it is not yours to see.",
            ))
        })
    }

    /// The first part of an export, of at most [`domain::page::LIMIT_MAX`] entries; what follows is read with
    /// [`Engine::audit`] and the cursor. That it was taken is itself an entry.
    pub async fn export_audit(&self, caller: &Caller, ask: Ask, format: &str) -> Result<Trail> {
        let scope = self.audit_scope(caller, ask.org.as_ref(), ask.fleet)?;
        let ask = Ask {
            limit: domain::page::LIMIT_MAX,
            ..ask.checked()?
        };
        let trail = self.trail(caller, &scope, ask.clone()).await?;
        let filters = json!({
            "actor": ask.actor, "action": ask.action, "target": ask.target, "request": ask.request,
            "from": ask.from, "until": ask.until,
        });
        let (org, target) = match &scope {
            Scope::Org(org) => (org.clone(), org.as_str().to_owned()),
            Scope::Fleet => (caller.org.clone(), "fleet".to_owned()),
        };
        let detail = json!({ "format": format, "filters": filters });
        let entry = self.entry_of(caller, &org, "audit.exported", &target, detail);
        self.0.store.record_audit(&entry).await?;
        Ok(trail)
    }

    /// A page of entries as `caller` may read them: who acts from above is named to who is above, and found by their name
    /// by nobody else.
    pub(crate) async fn trail(&self, caller: &Caller, scope: &Scope, ask: Ask) -> Result<Trail> {
        let above = caller.reach(Verb::SeeAudit) >= Reach::Fleet;
        let mut trail = self.0.store.list_audit(scope, &Ask { above, ..ask }).await?;
        if !above {
            trail.lines = trail.lines.into_iter().map(Line::veiled).collect();
        }
        Ok(trail)
    }

    /// Whose entries are read.
    fn audit_scope(&self, caller: &Caller, org: Option<&OrgId>, fleet: bool) -> Result<Scope> {
        let reach = self.permit(caller, Verb::SeeAudit)?;
        let wanted = match (org, fleet) {
            (_, true) => Scope::Fleet,
            (Some(org), false) => Scope::Org(org.clone()),
            (None, false) => Scope::Org(caller.org.clone()),
        };
        if reach < Reach::Fleet && wanted != Scope::Org(caller.org.clone()) {
            return Err(Error::forbidden(
                "You see the audit of your own Organization; that of others is for super-admins.",
            ));
        }
        Ok(wanted)
    }

    /// Removes audit entries whose time is over; done every hour by itself.
    pub async fn keep_audit_bounded(&self) -> anyhow::Result<()> {
        let Some(days) = self.0.options.audit_days else {
            return Ok(());
        };
        let before = self.0.clock.now().plus_seconds(-i64::from(days) * 24 * 3600);
        for org in self.0.store.audit_due(before, ROUND).await? {
            let entry = self.system_entry(&org, "audit.pruned", org.as_str(), json!({}));
            while self.0.store.prune_audit(&org, before, &entry).await? > 0 {}
        }
        Ok(())
    }

    /// The entries that a receiver outside has not got, oldest first, at most `limit`: for whoever runs the machine. A
    /// receiver that is new begins with the oldest entry.
    pub async fn audit_to_forward(&self, receiver: &str, limit: u32) -> anyhow::Result<Vec<Line>> {
        let position = self.0.store.forwarded(receiver).await?.unwrap_or(0);
        self.0.store.audit_after(position, limit).await
    }

    /// A receiver outside has everything up to this position.
    pub async fn audit_forwarded(&self, receiver: &str, position: i64) -> anyhow::Result<()> {
        self.0.store.record_forwarded(receiver, position).await
    }
}
