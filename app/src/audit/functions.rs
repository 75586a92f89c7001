//! What the audit's pages ask of the server: each is one call of the engine.

use super::want::Want;
use crate::fault::Fault;
use domain::audit::{Line, State, Trail};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

/// A page of the audit.
#[server(name = AskAudit, prefix = "/api/fn", endpoint = "audit/list", input = GetUrl)]
pub async fn audit_list(want: Want) -> Result<Trail, Fault> {
    crate::door::ask(async move |engine, caller| engine.audit(&caller, want.into_ask()?).await).await
}

/// One entry, and whether it is as it was written.
#[server(name = AskAuditEntry, prefix = "/api/fn", endpoint = "audit/show", input = GetUrl)]
pub async fn audit_entry(position: i64) -> Result<(Line, State), Fault> {
    crate::door::ask(async move |engine, caller| engine.audit_entry(&caller, position).await).await
}

#[cfg(feature = "ssr")]
impl Want {
    /// What the engine is asked for; a day that is none is refused.
    fn into_ask(self) -> Result<domain::audit::Ask, domain::Problem> {
        use domain::{OrgId, Problem, audit::moment};
        let day = |text: &str, field: &str, end: bool| match text {
            "" => Ok(None),
            text => moment(text, end)
                .map(Some)
                .ok_or_else(|| Problem::new("invalid-query", format!("{text:?} is not a day.")).at(field)),
        };
        let fleet = self.org == super::want::EVERY;
        Ok(domain::audit::Ask {
            from: day(&self.from, super::want::FROM, false)?,
            until: day(&self.until, super::want::UNTIL, true)?,
            actor: self.actor,
            action: self.action,
            target: self.target,
            request: self.request,
            org: (!fleet && !self.org.is_empty()).then(|| OrgId::new(self.org)),
            fleet,
            cursor: self.cursor,
            ..domain::audit::Ask::default()
        })
    }
}
