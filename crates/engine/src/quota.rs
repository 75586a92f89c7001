//! What may run and what was used; who may have more, and who asks for it.

use crate::{
    Engine, Error, Result,
    ports::{Record, Scope},
};
use domain::{
    Caller, OrgId, PersonId, Problem, Role, Timestamp,
    event::Kind,
    id::RequestId,
    page::{self, Page},
    permit::{Reach, Verb},
    quota::{
        self, Answer, Ask, Dimension, Effective, Limit, Limited, Limits, ListLimits, Quota, Request, Source, Standing,
        State, Subject,
    },
    usage::{Range, Usage},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many wishes of one person may wait at once.
const WAITING_MAX: u64 = 10;
/// What the audit says where somebody gave something to themselves.
const ALONE: &str = "Nobody else could answer it.";

impl Engine {
    /// The caller's quota beside what is used of it.
    pub async fn standing(&self, caller: &Caller) -> Result<Standing> {
        self.permit(caller, Verb::SeeQuota)?;
        self.standing_of(&caller.org, &caller.person).await
    }

    /// A member's quota beside what is used of it, for those who govern their Organization.
    pub async fn member_standing(&self, caller: &Caller, org: &OrgId, person: &PersonId) -> Result<Standing> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        self.seat(caller, org, person).await?;
        self.standing_of(org, person).await
    }

    async fn standing_of(&self, org: &OrgId, person: &PersonId) -> Result<Standing> {
        let counts = self.0.store.count_sessions(org, person).await?;
        let Effective { quota, sources } = self.effective(org, person).await?;
        Ok(Standing {
            quota,
            sources,
            live_sessions: counts.live,
            sessions: counts.all,
            storage_bytes: counts.storage_bytes,
            memory_bytes: self.memory_of(org, person),
            raised_by: self.raised_by(&Scope::Org(org.clone())).await?,
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

    /// An Organization's ceiling, and what it has set for everybody below it.
    pub async fn limits(&self, caller: &Caller, org: &OrgId) -> Result<(Quota, Limits)> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        let everybody = self.0.store.find_limits(org, &Subject::Org).await?;
        Ok((self.ceiling(org).await?, everybody.unwrap_or_default()))
    }

    /// The most that those who govern an Organization may give.
    async fn ceiling(&self, org: &OrgId) -> Result<Quota> {
        let found = self.0.store.find_org(org).await?.ok_or_else(Error::no_org)?;
        let set = self.0.store.find_ceiling(org).await?;
        Ok(quota::ceiling(self.quota_of_plan(found.plan.as_deref()), set))
    }

    /// Refuses what is beyond an Organization's ceiling, unless the caller is above it.
    pub(crate) async fn check_ceiling(&self, caller: &Caller, org: &OrgId, limits: &Limits) -> Result<()> {
        if limits.is_empty() || caller.reach(Verb::ManageFleet) == Reach::Fleet {
            return Ok(());
        }
        quota::under(&self.ceiling(org).await?, limits).map_err(Error::OverQuota)
    }

    /// A page of what is set for groups, and for people alone.
    pub async fn limits_of_others(&self, caller: &Caller, org: &OrgId, ask: &ListLimits) -> Result<Page<Limited>> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        let ask = ListLimits {
            limit: page::limit(ask.limit),
            ..ask.clone()
        };
        Ok(self.0.store.list_limits(org, &ask).await?)
    }

    /// What is set for one group or person alone.
    pub async fn limits_of(&self, caller: &Caller, org: &OrgId, subject: &Subject) -> Result<Limits> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        Ok(self.0.store.find_limits(org, subject).await?.unwrap_or_default())
    }

    /// Sets the limits of an Organization, a group or a person, whole; none leaves them to the layer before. One below
    /// what is used now ends nothing: it refuses the next session. What whoever runs the installation sets for the whole
    /// Organization is its ceiling too; those who govern it give nothing beyond.
    pub async fn set_limits(&self, caller: &Caller, org: &OrgId, subject: &Subject, limits: &Limits) -> Result<()> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        limits.check()?;
        match subject {
            Subject::Person(person) => {
                self.seat(caller, org, person).await?;
            }
            Subject::Group(name) if name.is_empty() || name.chars().count() > 200 => {
                return Err(
                    Problem::new("invalid-group", "A group has a name of 1 to 200 characters.")
                        .at("subject")
                        .into(),
                );
            }
            Subject::Group(_) | Subject::Org => {}
        }
        let above = caller.reach(Verb::ManageFleet) == Reach::Fleet;
        let before = self.0.store.find_limits(org, subject).await?;
        // What was given before somebody lowered the ceiling may stay, or become less.
        let had = |dimension| before.as_ref().and_then(|before| before.0.get(dimension));
        let raised = limits
            .0
            .iter()
            .filter(|(dimension, limit)| had(dimension).is_none_or(|had| had < *limit));
        let raised = Limits(raised.map(|(dimension, limit)| (*dimension, *limit)).collect());
        self.check_ceiling(caller, org, &raised).await?;
        // One's own limit is raised as one's own request is answered: by somebody else, where there is somebody.
        let mut alone = false;
        if !above && !raised.is_empty() && *subject == Subject::Person(caller.person.clone()) {
            alone = self.may_answer(caller, org, &caller.person).await?;
        }
        let (kind, name) = subject.parts();
        let mut detail = json!({ "subject": kind, "name": name, "before": before, "after": limits });
        if alone {
            detail["own"] = json!(ALONE);
        }
        let person = match subject {
            Subject::Person(person) => Some(person),
            Subject::Org | Subject::Group(_) => None,
        };
        let record = self.org_record(caller, org, Kind::QuotaChanged, person, name, detail);
        self.0.store.record_limits(org, subject, limits, above, record).await?;
        self.announce();
        Ok(())
    }

    /// Asks those who govern for more.
    pub async fn ask_for_more(&self, caller: &Caller, ask: Ask) -> Result<Request> {
        self.permit(caller, Verb::AskQuota)?;
        let ask = ask.checked()?;
        let held = self
            .effective(&caller.org, &caller.person)
            .await?
            .quota
            .of(ask.dimension);
        if ask.wanted <= held {
            let detail = format!(
                "You have that already: your limit is {}.",
                quota::in_words(ask.dimension, held)
            );
            return Err(Problem::new("not-more", detail).at("wanted").into());
        }
        let now = self.0.clock.now();
        let request = Request {
            id: RequestId::new(self.0.credentials.new_id(now)),
            org: caller.org.clone(),
            person: caller.person.clone(),
            name: caller.name.clone(),
            email: caller.email.clone(),
            dimension: ask.dimension,
            wanted: ask.wanted,
            days: ask.days,
            why: ask.why,
            state: State::Waiting,
            asked_at: now,
            answered_at: None,
            answered_by: None,
            answer: None,
            ends_at: None,
        };
        let record = self.request_record(caller, Kind::QuotaAsked, &request, json!({ "held": held }));
        if !self.0.store.record_request(&request, WAITING_MAX, record).await? {
            let detail = format!("{WAITING_MAX} of your requests wait already. Withdraw one, or remind your admin.");
            return Err(Error::Conflict(Problem::new("too-many-requests-waiting", detail)));
        }
        self.announce();
        Ok(request)
    }

    /// The caller's own requests, newest first, at most 100.
    pub async fn my_requests(&self, caller: &Caller) -> Result<Vec<Request>> {
        self.permit(caller, Verb::SeeQuota)?;
        Ok(self
            .0
            .store
            .list_requests(&caller.org, Some(&caller.person), None, 100)
            .await?)
    }

    /// Takes one of the caller's own requests back; one that was answered stays as it is.
    pub async fn withdraw_request(&self, caller: &Caller, id: &RequestId) -> Result<Request> {
        self.permit(caller, Verb::AskQuota)?;
        let request = self.0.store.find_request(&caller.org, id).await?;
        let request = request
            .filter(|request| request.person == caller.person)
            .ok_or_else(no_request)?;
        let answered = Request {
            state: State::Withdrawn,
            answered_at: Some(self.0.clock.now()),
            ..request
        };
        self.record_answer(caller, answered, false).await
    }

    /// An Organization's requests in this state or any, newest first, at most 500.
    pub async fn requests(&self, caller: &Caller, org: &OrgId, state: Option<State>) -> Result<Vec<Request>> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        Ok(self.0.store.list_requests(org, None, state, 500).await?)
    }

    /// Grants or declines a request that waits.
    pub async fn answer_request(
        &self,
        caller: &Caller,
        org: &OrgId,
        id: &RequestId,
        answer: Answer,
    ) -> Result<Request> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        let request = self.0.store.find_request(org, id).await?.ok_or_else(no_request)?;
        if request.state != State::Waiting {
            return Err(answered_already());
        }
        let alone = self.may_answer(caller, org, &request.person).await?;
        let now = self.0.clock.now();
        let answered = Request {
            answered_at: Some(now),
            answered_by: Some(caller.named_in(org).to_owned()),
            ..request
        };
        let answered = match answer {
            Answer::AsAsked => {
                let (limit, days) = (answered.wanted, answered.days);
                self.grant(caller, answered, limit, days, now).await?
            }
            Answer::Grant { limit, days } => {
                let limit = limit.unwrap_or(answered.wanted);
                self.grant(caller, answered, limit, days, now).await?
            }
            Answer::Decline { word } => {
                let word: String = word.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
                if word.is_empty() || word.chars().count() > 500 {
                    return Err(Problem::new("invalid-word", "Say why not, in 1 to 500 characters.")
                        .at("word")
                        .into());
                }
                Request {
                    state: State::Declined,
                    answer: Some(word),
                    ..answered
                }
            }
        };
        self.record_answer(caller, answered, alone).await
    }

    /// A request as it is once it is granted so; nothing beyond the ceiling is.
    async fn grant(
        &self,
        caller: &Caller,
        request: Request,
        limit: Limit,
        days: Option<i64>,
        now: Timestamp,
    ) -> Result<Request> {
        quota::within(request.dimension, limit).map_err(|problem| problem.at("limit"))?;
        quota::check_days(days)?;
        let granted = Limits([(request.dimension, limit)].into());
        self.check_ceiling(caller, &request.org, &granted)
            .await
            .map_err(at_limit)?;
        Ok(Request {
            state: State::Granted,
            wanted: limit,
            days,
            ends_at: days.map(|days| now.plus_seconds(days * 24 * 3600)),
            ..request
        })
    }

    /// Refuses to give something to oneself, unless nobody else can; whether that is so.
    async fn may_answer(&self, caller: &Caller, org: &OrgId, person: &PersonId) -> Result<bool> {
        if *person != caller.person {
            return Ok(false);
        }
        let now = self.0.clock.now();
        let scope = Scope::Org(org.clone());
        let others = self.0.store.members_with(&scope, &Role::GOVERNING, now).await?;
        match others.into_iter().find(|other| other.person != caller.person) {
            None => Ok(true),
            Some(other) => Err(Error::forbidden(&format!(
                "Nobody raises their own limit or answers their own request. Ask {}.",
                other.email
            ))),
        }
    }

    async fn record_answer(&self, caller: &Caller, request: Request, alone: bool) -> Result<Request> {
        let mut detail = json!({ "state": request.state.as_str() });
        if alone {
            detail["own"] = json!(ALONE);
        }
        let record = self.request_record(caller, Kind::QuotaAnswered, &request, detail);
        if !self.0.store.answer_request(&request, record).await? {
            return Err(answered_already());
        }
        self.announce();
        Ok(request)
    }

    fn request_record(&self, caller: &Caller, kind: Kind, request: &Request, mut detail: Value) -> Record {
        detail["dimension"] = json!(request.dimension.as_str());
        detail["wanted"] = json!(request.wanted);
        detail["days"] = json!(request.days);
        detail["person"] = json!(request.email);
        self.org_record(
            caller,
            &request.org,
            kind,
            Some(&request.person),
            request.id.as_str(),
            detail,
        )
    }

    /// What a person may have, and where each limit comes from.
    pub(crate) async fn effective(&self, org: &OrgId, person: &PersonId) -> Result<Effective> {
        let (plan, layers) = self.0.store.quota_layers(org, person, self.0.clock.now()).await?;
        Ok(quota::effective(self.quota_of_plan(plan.as_deref()), layers))
    }

    /// What each of several people may have; none is asked for, none is answered.
    pub(crate) async fn effective_of(&self, org: &OrgId, people: &[PersonId]) -> Result<BTreeMap<PersonId, Quota>> {
        if people.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut found = self.0.store.quota_layers_of(org, people, self.0.clock.now()).await?;
        let plan = self.quota_of_plan(found.plan.as_deref());
        let of = |person: &PersonId| {
            let mut layers = found.shared.clone();
            layers.extend(found.own.remove(person).unwrap_or_default());
            (person.clone(), quota::effective(plan.clone(), layers).quota)
        };
        Ok(people.iter().map(of).collect())
    }

    /// The quota of an Organization's own plan, or of the installation's.
    fn quota_of_plan(&self, plan: Option<&str>) -> Quota {
        plan.and_then(|plan| Quota::of_plan(Some(plan)))
            .unwrap_or_else(|| self.0.quota.clone())
    }

    /// Refuses to run more for somebody whose files are over the limit.
    pub(crate) async fn check_storage(&self, caller: &Caller, effective: &Effective) -> Result<()> {
        let Some(limit) = effective.quota.storage_bytes else {
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
            "Your sessions hold {:.1} GiB of {:.1} GiB{}. Delete a session you no longer need, or ask {} for more.",
            gib(used),
            gib(limit),
            set_by(effective, Dimension::Storage),
            self.whom_to_ask(caller).await?,
        );
        Err(self.over(caller, Dimension::Storage, limit, used, detail))
    }

    /// A refusal over quota, which the audit tells too: once a minute of each limit, however often it is tried.
    fn over(&self, caller: &Caller, dimension: Dimension, limit: u64, used: u64, detail: String) -> Error {
        let name = dimension.as_str();
        let told = json!({ "dimension": name, "limit": limit, "used": used });
        self.note(&caller.person, name, self.entry(caller, "quota.refused", name, told));
        Error::OverQuota(Problem::new("over-quota", detail))
    }

    /// The refusal of one running session too many: which limit, how it is used, who can raise it.
    pub(crate) async fn over_live(&self, caller: &Caller, effective: &Effective, live: u64) -> Result<Error> {
        let limit = effective.quota.concurrent_sessions.unwrap_or(live);
        let detail = format!(
            "{live} of {limit} sessions are running{}. Suspend or delete one, or ask {} for more.",
            set_by(effective, Dimension::ConcurrentSessions),
            self.whom_to_ask(caller).await?
        );
        Ok(self.over(caller, Dimension::ConcurrentSessions, limit, live, detail))
    }

    /// The refusal of one session too many in all.
    pub(crate) async fn over_all(&self, caller: &Caller, effective: &Effective, all: u64) -> Result<Error> {
        let limit = effective.quota.sessions.unwrap_or(all);
        let detail = format!(
            "You keep {all} of {limit} sessions{}. Delete one, or ask {} for more.",
            set_by(effective, Dimension::Sessions),
            self.whom_to_ask(caller).await?
        );
        Ok(self.over(caller, Dimension::Sessions, limit, all, detail))
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
            .members_with(scope, &Role::GOVERNING, self.0.clock.now())
            .await?;
        Ok(admins.into_iter().take(3).map(|admin| admin.email).collect())
    }

    /// A record of something done to an Organization: its entry and its event belong to it, whoever acts. The event is for
    /// those who govern, and for `person`.
    pub(crate) fn org_record(
        &self,
        caller: &Caller,
        org: &OrgId,
        kind: Kind,
        person: Option<&PersonId>,
        target: &str,
        detail: Value,
    ) -> Record {
        let action = kind.as_str().trim_start_matches("sandbox.");
        Record {
            audit: vec![self.entry_of(caller, org, action, target, detail)],
            events: vec![self.org_event(kind, org, person, target)],
        }
    }
}

/// Where a limit comes from, in a refusal; nothing where it is the plan's.
fn set_by(effective: &Effective, dimension: Dimension) -> String {
    match effective.sources.get(&dimension) {
        None | Some(Source::Plan) => String::new(),
        Some(Source::Ceiling) => " (what this installation gives your Organization)".to_owned(),
        Some(Source::Org) => " (your Organization's limit)".to_owned(),
        Some(Source::Group { name }) => format!(" (the limit of the group {name})"),
        Some(Source::Person) => " (your own limit)".to_owned(),
        Some(Source::Grant { .. }) => " (the limit that was granted to you)".to_owned(),
    }
}

/// The refusal of a grant, beside the grant's own field.
fn at_limit(error: Error) -> Error {
    match error {
        Error::OverQuota(problem) => Error::OverQuota(problem.at("limit")),
        other => other,
    }
}

fn answered_already() -> Error {
    let detail = "This request was answered or withdrawn meanwhile. Look at it again.";
    Error::Conflict(Problem::new("request-answered", detail))
}

fn no_request() -> Error {
    Error::NotFound(Problem::new("no-such-request", "There is no such request."))
}
