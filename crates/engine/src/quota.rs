//! What may run and what was used.

use crate::{Engine, Error, Result, ports::Scope};
use domain::{
    Caller, Problem, Role,
    permit::Verb,
    quota::Standing,
    usage::{Range, Usage},
};

impl Engine {
    /// The caller's quota beside what is used of it.
    pub async fn standing(&self, caller: &Caller) -> Result<Standing> {
        self.permit(caller, Verb::SeeQuota)?;
        let counts = self.0.store.count_sessions(&caller.org, &caller.person).await?;
        Ok(Standing {
            quota: self.0.quota.clone(),
            live_sessions: counts.live,
            sessions: counts.all,
            storage_bytes: counts.storage_bytes,
            memory_bytes: self.memory_of(&caller.org, &caller.person),
            raised_by: self.raised_by(&Scope::Org(caller.org.clone())).await?,
        })
    }

    /// What the caller used in the last `days` days (1 to 90).
    pub async fn usage(&self, caller: &Caller, days: i64) -> Result<Usage> {
        self.permit(caller, Verb::SeeUsage)?;
        let range = Range::last_days(self.0.clock.now(), days);
        let (org, person) = (&caller.org, Some(&caller.person));
        Ok(Usage {
            bars: self.0.store.usage_bars(org, person, &range).await?,
            shares: self.0.store.usage_shares(org, person, &range, 20).await?,
            range,
        })
    }

    /// Refuses to run more for somebody whose files are over the limit.
    pub(crate) async fn check_storage(&self, caller: &Caller) -> Result<()> {
        let Some(limit) = self.0.quota.storage_bytes else {
            return Ok(());
        };
        let used = self
            .0
            .store
            .count_sessions(&caller.org, &caller.person)
            .await?
            .storage_bytes;
        if used < limit {
            return Ok(());
        }
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let detail = format!(
            "Your sessions hold {:.1} GiB of {:.0} GiB. Delete a session you no longer need, or ask {} for more.",
            gib(used),
            gib(limit),
            self.whom_to_ask(caller).await?,
        );
        Err(Error::OverQuota(Problem::new("over-quota", detail)))
    }

    /// The refusal of one session too many: which limit, how it is used, who can raise it.
    pub(crate) async fn over_sessions(&self, caller: &Caller, live: u64) -> Result<Error> {
        let limit = self.0.quota.concurrent_sessions.unwrap_or(live);
        let ask = self.whom_to_ask(caller).await?;
        let detail = format!("{live} of {limit} sessions are running. Suspend or delete one, or ask {ask} for more.");
        Ok(Error::OverQuota(Problem::new("over-quota", detail)))
    }

    async fn whom_to_ask(&self, caller: &Caller) -> Result<String> {
        let admins = self.raised_by(&Scope::Org(caller.org.clone())).await?;
        Ok(if admins.is_empty() {
            "an admin".to_owned()
        } else {
            admins.join(" or ")
        })
    }

    async fn raised_by(&self, scope: &Scope) -> Result<Vec<String>> {
        let admins = self
            .0
            .store
            .members_with(scope, &[Role::OrgAdmin, Role::SuperAdmin])
            .await?;
        Ok(admins.into_iter().take(3).map(|admin| admin.email).collect())
    }
}
