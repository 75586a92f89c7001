//! Policy: read by everybody it holds for, changed by those who govern, tried before it is saved.

use crate::{
    Engine, Error, Result,
    ports::{Opening, Scope},
};
use domain::{
    Caller, OrgId, Problem, Timestamp,
    caller::INSTALLATION,
    event::Kind,
    permit::{Reach, Verb},
    policy::{DryRun, Policy, Refused, Rules, Version},
    session::Sharing,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How far back a dry run looks: a week.
const LOOK_BACK_SECONDS: i64 = 7 * 24 * 3600;
/// How many openings a dry run looks at, and how many of the refused it names.
const LOOKED_AT: u32 = 1000;
const NAMED: usize = 50;

/// Both documents that hold in an Organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// The installation's.
    pub floor: Version,
    /// The Organization's own.
    pub own: Version,
}

impl Engine {
    /// What holds in an Organization.
    pub async fn policy(&self, caller: &Caller, org: &OrgId) -> Result<Policies> {
        self.govern(caller, Verb::SeePolicy, org)?;
        let floor = self.0.store.find_policy(None).await?;
        // Who saved it is a person of another Organization to all but those who can save it.
        let by = |by| {
            if caller.reach(Verb::ManageFleet) >= Reach::Fleet {
                by
            } else {
                INSTALLATION.to_owned()
            }
        };
        Ok(Policies {
            floor: Version {
                saved_by: floor.saved_by.map(by),
                ..floor
            },
            own: self.0.store.find_policy(Some(org)).await?,
        })
    }

    /// The installation's own document: the floor that no Organization loosens.
    pub async fn fleet_policy(&self, caller: &Caller) -> Result<Version> {
        self.permit(caller, Verb::ManageFleet)?;
        Ok(self.0.store.find_policy(None).await?)
    }

    /// What `policy` would have refused in the last week, had it held; `None` for the whole installation. Nothing is saved.
    pub async fn try_policy(&self, caller: &Caller, org: Option<&OrgId>, policy: Policy) -> Result<DryRun> {
        self.may_set(caller, org)?;
        let policy = policy.checked()?;
        let scope = org.map_or(Scope::Fleet, |org| Scope::Org(org.clone()));
        let since = self.0.clock.now().plus_seconds(-LOOK_BACK_SECONDS);
        let openings = self.0.store.openings(&scope, since, LOOKED_AT).await?;
        let most = policy.sharing.unwrap_or(Sharing::Drive);
        let (narrowed, private) = self.0.store.count_shared(&scope, most).await?;
        let rules = match org {
            Some(_) => Rules::of(Policy::default(), policy),
            None => Rules::of(policy, Policy::default()),
        };
        let shown = match org {
            Some(org) => {
                let (floor, now) = (
                    self.0.store.find_policy(None).await?.policy,
                    self.rules(org).await?.seeing(),
                );
                let then = Rules::of(floor, rules.own.clone()).seeing();
                if then > now { private } else { 0 }
            }
            None => 0,
        };
        let now = self.0.clock.now();
        let rests = |active_at: Timestamp| {
            let idle = rules.idle(None);
            idle.iter()
                .any(|(limit, _)| now.seconds_since(active_at) as u64 >= *limit)
        };
        let running = self.running_sessions().into_iter();
        let resting = running
            .filter(|(session, ..)| org.is_none_or(|org| session.org == *org))
            .filter(|(session, active_at, watched)| !watched && rests((*active_at).max(session.woken_at)))
            .count() as u64;
        let mut refused: Vec<_> = openings
            .iter()
            .filter_map(|opening| would_refuse(&rules, opening))
            .collect();
        let refused_in_all = refused.len() as u64;
        refused.truncate(NAMED);
        Ok(DryRun {
            looked_at: openings.len() as u64,
            refused,
            refused_in_all,
            narrowed,
            shown,
            resting,
        })
    }

    /// Saves a new version, based on the one that was read: a newer one is never overwritten unseen. Sessions that are
    /// shared farther than it allows are narrowed at once; what runs goes on until its time is over.
    pub async fn save_policy(
        &self,
        caller: &Caller,
        org: Option<&OrgId>,
        policy: Policy,
        based_on: i64,
    ) -> Result<Version> {
        self.may_set(caller, org)?;
        let policy = policy.checked()?;
        let before = self.0.store.find_policy(org).await?;
        if before.version == based_on && before.policy == policy {
            return Ok(before);
        }
        let whose = org.unwrap_or(&caller.org);
        let target = org.map_or("fleet", OrgId::as_str);
        let detail = json!({
            "version": based_on + 1, "of": target, "before": before.policy, "after": policy,
        });
        let record = self.org_record(caller, whose, Kind::PolicyChanged, None, target, detail);
        let now = self.0.clock.now();
        let by = org.map_or(&*caller.email, |org| caller.named_in(org));
        let narrowed = self
            .0
            .store
            .record_policy(org, &policy, based_on, now, by, record)
            .await?;
        let Some(narrowed) = narrowed else {
            let detail = "Somebody saved a newer version meanwhile. Look at it, then change that.";
            return Err(Error::Conflict(Problem::new("policy-changed", detail)));
        };
        self.announce();
        for id in &narrowed {
            if let Some(session) = self.find(id).await? {
                self.refresh_running(session.clone());
                self.recheck(&session);
                self.touch_session(&session);
            }
        }
        let shows = |policy: &Policy| (policy.seeing, policy.admins_watch);
        if shows(&before.policy) != shows(&policy) {
            self.end_sights(org);
        }
        Ok(self.0.store.find_policy(org).await?)
    }

    /// What holds for whoever is in an Organization.
    pub(crate) async fn rules(&self, org: &OrgId) -> Result<Rules> {
        Ok(self.0.store.rules(org).await?)
    }

    fn may_set(&self, caller: &Caller, org: Option<&OrgId>) -> Result<()> {
        match org {
            Some(org) => self.govern(caller, Verb::ManagePolicy, org),
            None => self.permit(caller, Verb::ManageFleet).map(|_| ()),
        }
    }
}

fn would_refuse(rules: &Rules, opening: &Opening) -> Option<Refused> {
    let text = |field: &str| opening.detail[field].as_str();
    let problem = rules.admit(text("agent").unwrap_or_default(), text("repo")).err()?;
    Some(Refused {
        at: opening.at,
        actor: opening.actor.clone(),
        name: text("name").unwrap_or_default().to_owned(),
        why: problem.detail,
    })
}
