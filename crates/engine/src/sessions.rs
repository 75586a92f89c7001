//! Opening, finding, changing and ending sessions.

use crate::{
    Engine, Error, Result,
    observe::moving,
    ports::{Bounds, Opened, Patch, Record, Scope, Visible, Wanted},
    rules::Rule,
    secrets::For,
};
use domain::{
    Caller, Problem, SessionId,
    audit::{Ask, Entry},
    event::Kind,
    org::State,
    page::{ListSessions, Page},
    permit::{Reach, Sight, Verb},
    policy::Seeing,
    quota::Quota,
    session::{Holdings, Open, Phase, Recorded, Session, Sharing, View, checked_name},
    wire::Size,
};
use serde_json::json;

/// The verbs that a page offers for a session.
const SESSION_VERBS: [Verb; 9] = [
    Verb::SeeSession,
    Verb::WatchTerminal,
    Verb::DriveTerminal,
    Verb::ReadRecording,
    Verb::RenameSession,
    Verb::ShareSession,
    Verb::StopSession,
    Verb::ResumeSession,
    Verb::DeleteSession,
];

impl Engine {
    /// Opens a session: recorded and counted at once, made by the runtime in the background. The same `idempotency`
    /// key (at most 200 bytes) of the same person gives the session it opened before.
    pub async fn open(&self, caller: &Caller, open: Open, idempotency: Option<&str>) -> Result<View> {
        self.permit(caller, Verb::OpenSession)?;
        if idempotency.is_some_and(|key| key.is_empty() || key.len() > 200) {
            return Err(Problem::new("invalid-idempotency-key", "An Idempotency-Key has 1 to 200 bytes.").into());
        }
        let open = open.checked()?;
        self.rules(&caller.org)
            .await?
            .admit(&open.agent, open.repo.as_deref())?;
        self.ready_agent(caller, &open.agent).await?;
        let effective = self.effective(&caller.org, &caller.person).await?;
        self.check_storage(caller, &effective).await?;
        let bounds = bounds(&effective.quota);
        let now = self.0.clock.now();
        // Ids differ in 25 random bits: a second try is rare, a third unheard of.
        for _ in 0..4 {
            let session = Session {
                name: open.display_name(),
                owner_name: caller.name.clone(),
                owner_email: caller.email.clone(),
                agent: open.agent.clone(),
                repo: open.repo.clone(),
                branch: open.branch.clone(),
                created_at: now,
                active_at: now,
                woken_at: now,
                ..Session::example(
                    SessionId::named(&open.display_name(), self.0.credentials.entropy()),
                    caller.org.clone(),
                    caller.person.clone(),
                )
            };
            let detail = json!({ "name": session.name, "agent": session.agent, "repo": session.repo });
            let record = self.session_record(caller, Kind::SessionOpened, &session, detail);
            match self
                .0
                .store
                .record_opened(&session, bounds, idempotency, record)
                .await?
            {
                Opened::Recorded(mut session) => {
                    self.announce();
                    session.recorded |= self.ensure(&session, false).await?;
                    return self.view(caller, session).await;
                }
                Opened::Again(session) => return self.view(caller, session).await,
                Opened::OverQuota { live } => return Err(self.over_live(caller, &effective, live).await?),
                Opened::OverAll { all } => return Err(self.over_all(caller, &effective, all).await?),
                Opened::Closed(state) => return Err(closed(state)),
                Opened::NoSeat => return Err(Error::Unauthenticated),
                Opened::Taken | Opened::Refused(_) => {}
            }
        }
        let detail = "No free name was found for the session. Choose another name.";
        Err(Error::Conflict(Problem::new("sandbox-already-exists", detail)))
    }

    /// A page of the sessions the caller may see.
    pub async fn list(&self, caller: &Caller, ask: &ListSessions) -> Result<Page<View>> {
        let visible = self.visible(caller, Verb::SeeSession).await?;
        let mut ask = ask.clone();
        ask.limit = domain::page::limit(ask.limit);
        ask.search = ask.search.trim().chars().take(200).collect();
        let page = self.0.store.list_sessions(&visible, &caller.person, &ask).await?;
        // What is listed of a colleague is shared, or shown by the policy: everybody in it is near enough.
        let rules = self.rules(&caller.org).await?;
        let sight = rules.sight(caller.role, true);
        Ok(page.map(|session| self.seen(caller, session, sight, rules.admins_watch())))
    }

    /// One session.
    pub async fn show(&self, caller: &Caller, id: &SessionId) -> Result<View> {
        let session = self.session(caller, id, Verb::SeeSession).await?;
        self.view(caller, session).await
    }

    /// Gives a session another display name; its id stays.
    pub async fn rename(&self, caller: &Caller, id: &SessionId, name: &str) -> Result<View> {
        let session = self.session(caller, id, Verb::RenameSession).await?;
        let name = checked_name(name)?;
        let detail = json!({ "before": { "name": session.name }, "after": { "name": name } });
        let changed = Session {
            name: name.clone(),
            ..session.clone()
        };
        let record = self.session_record(caller, Kind::SessionRenamed, &changed, detail);
        self.change(
            caller,
            &session,
            Patch {
                name: Some(name),
                ..Patch::default()
            },
            record,
        )
        .await
    }

    /// Lets the other members of the Organization watch or drive, or no longer. Attachments that lose their right end.
    pub async fn share(&self, caller: &Caller, id: &SessionId, sharing: Sharing) -> Result<View> {
        let session = self.session(caller, id, Verb::ShareSession).await?;
        self.rules(&session.org).await?.admit_sharing(sharing)?;
        let detail = json!({
            "before": { "sharing": session.sharing.as_str() },
            "after": { "sharing": sharing.as_str() },
        });
        let changed = Session {
            sharing,
            ..session.clone()
        };
        let mut record = self.session_record(caller, Kind::SessionShared, &changed, detail);
        // Those who could see it until now are told too, so that it leaves their lists.
        for outgoing in &mut record.events {
            outgoing.shared |= session.sharing > Sharing::Private;
        }
        let patch = Patch {
            sharing: Some(sharing),
            ..Patch::default()
        };
        let view = self.change(caller, &session, patch, record).await?;
        // A policy that was saved in between has not seen it shared: it is asked again, now that it would.
        let most = self.rules(&session.org).await?.sharing();
        if sharing <= most {
            return Ok(view);
        }
        let narrowed = Session {
            sharing: most,
            ..view.session
        };
        let detail = json!({ "before": { "sharing": sharing.as_str() }, "after": { "sharing": most.as_str() } });
        let record = self.session_record(caller, Kind::SessionShared, &narrowed, detail);
        let patch = Patch {
            sharing: Some(most),
            ..Patch::default()
        };
        self.change(caller, &narrowed, patch, record).await
    }

    /// Ends what runs and keeps workspace and last screen. A session that sleeps already stays so.
    pub async fn suspend(&self, caller: &Caller, id: &SessionId) -> Result<View> {
        let session = self.session(caller, id, Verb::StopSession).await?;
        match session.phase {
            Phase::Suspended => return self.view(caller, session).await,
            Phase::Failed => {
                let detail = "The session has failed; nothing runs that could be suspended. Retry or delete it.";
                return Err(Error::Conflict(Problem::new("session-failed", detail)));
            }
            Phase::Pending | Phase::Provisioning | Phase::Ready => {}
        }
        let moved = Session {
            phase: Phase::Suspended,
            reason: None,
            ..session.clone()
        };
        let record = self.session_record(caller, Kind::SessionMoved, &moved, moving(&session, &moved));
        match self.put_to_sleep(&session, None, false, record).await? {
            Some(asleep) => self.view(caller, asleep).await,
            None => Err(changed_meanwhile()),
        }
    }

    /// Suspends a session because a rule says so, not a person; `reason` is told to its owner. One that sleeps, or has
    /// failed, stays as it is.
    pub(crate) async fn suspend_by_rule(&self, session: &Session, Rule { name, reason, by_hand }: Rule) -> Result<()> {
        let moved = Session {
            by_hand,
            phase: Phase::Suspended,
            reason: Some(reason.clone()),
            ..session.clone()
        };
        let mut detail = moving(session, &moved);
        detail["rule"] = json!(name);
        let record = Record {
            audit: vec![self.system_entry(&session.org, "session.suspended-by-rule", session.id.as_str(), detail)],
            events: vec![self.session_event(Kind::SessionMoved, &moved)],
        };
        let asleep = self.put_to_sleep(session, Some(reason), by_hand, record).await;
        asleep.map(|_| ())
    }

    /// Ends what runs of a session; `None` where it does not run any more.
    async fn put_to_sleep(
        &self,
        session: &Session,
        reason: Option<String>,
        by_hand: bool,
        record: Record,
    ) -> Result<Option<Session>> {
        let patch = Patch {
            by_hand: Some(by_hand),
            phase: Some(Phase::Suspended),
            reason: Some(reason),
            only_in: vec![Phase::Pending, Phase::Provisioning, Phase::Ready],
            ..Patch::default()
        };
        // First remembered, then done: a server that dies in between finds a host of a sleeping session and ends it.
        let Some(asleep) = self
            .0
            .store
            .record_session(&session.org, &session.id, &patch, record)
            .await?
        else {
            return Ok(None);
        };
        self.announce();
        // Should its host not listen now, it is ended when it next speaks.
        self.refresh_running(asleep.clone());
        self.0.runtime.suspend(&session.id).await?;
        self.collect_usage(session).await;
        // Somebody woke it between the two: what they were promised was perhaps what has just been ended.
        let woken = self.find(&session.id).await?;
        if let Some(woken) = woken.filter(|now| !matches!(now.phase, Phase::Suspended | Phase::Failed)) {
            self.ensure(&woken, true).await?;
            return Ok(Some(woken));
        }
        self.forget_running(&session.id);
        self.touch_session(session);
        Ok(Some(asleep))
    }

    /// Wakes a session that sleeps, tries a failed one again, or starts an agent that has ended again, with the agent's
    /// own continue flag where it has one.
    pub async fn resume(&self, caller: &Caller, id: &SessionId) -> Result<View> {
        let mut session = self.session(caller, id, Verb::ResumeSession).await?;
        if session.is_live() && !self.notice_exit(&mut session).await? {
            return self.view(caller, session).await;
        }
        self.rules(&session.org)
            .await?
            .admit(&session.agent, session.repo.as_deref())?;
        self.ready_agent(caller, &session.agent).await?;
        let effective = self.effective(&session.org, &session.owner).await?;
        self.check_storage(caller, &effective).await?;
        let moved = Session {
            phase: Phase::Pending,
            reason: None,
            exit: None,
            ..session.clone()
        };
        let record = self.session_record(caller, Kind::SessionMoved, &moved, moving(&session, &moved));
        match self
            .0
            .store
            .record_resumed(&session.org, id, bounds(&effective.quota), self.0.clock.now(), record)
            .await?
        {
            Opened::Recorded(mut session) => {
                self.announce();
                session.recorded |= self.ensure(&session, true).await?;
                self.view(caller, session).await
            }
            Opened::OverQuota { live } => Err(self.over_live(caller, &effective, live).await?),
            Opened::OverAll { all } => Err(self.over_all(caller, &effective, all).await?),
            Opened::Closed(state) => Err(closed(state)),
            Opened::NoSeat => Err(Error::Unauthenticated),
            // Somebody else was quicker: this is what came of it.
            Opened::Again(session) | Opened::Refused(Some(session)) => self.view(caller, session).await,
            Opened::Taken | Opened::Refused(None) => Err(Error::not_found()),
        }
    }

    /// Ends what runs and starts it again, so that it is given what changed meanwhile: its secrets.
    pub async fn restart(&self, caller: &Caller, id: &SessionId) -> Result<View> {
        self.session(caller, id, Verb::ResumeSession).await?;
        self.suspend(caller, id).await?;
        self.resume(caller, id).await
    }

    /// Destroys a session with everything in it. Idempotent: what is gone already is no error.
    pub async fn delete(&self, caller: &Caller, id: &SessionId) -> Result<()> {
        let session = match self.session(caller, id, Verb::DeleteSession).await {
            Ok(session) => session,
            Err(Error::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        // The last usage first: with the workspace it would be gone.
        if session.phase == Phase::Ready {
            self.0.runtime.suspend(id).await?;
        }
        self.collect_usage(&session).await;
        self.0.runtime.drop_session(id).await?;
        let record = self.session_record(caller, Kind::SessionDeleted, &session, json!({ "name": session.name }));
        self.0.store.record_deleted(&session.org, id, record).await?;
        self.forget_running(id);
        self.end_attachments(id);
        self.announce();
        Ok(())
    }

    /// What [`Engine::delete`] would destroy.
    pub async fn holdings(&self, caller: &Caller, id: &SessionId) -> Result<Holdings> {
        self.session(caller, id, Verb::DeleteSession).await?;
        Ok(self.0.runtime.holdings(id).await?)
    }

    /// The newest 50 audit entries about a session; none for whom only the policy shows it.
    pub async fn activity(&self, caller: &Caller, id: &SessionId) -> Result<Vec<Entry>> {
        let session = self.session(caller, id, Verb::SeeSession).await?;
        if !caller.may(Verb::SeeSession, &session) {
            return Ok(Vec::new());
        }
        let ask = Ask {
            target: id.as_str().to_owned(),
            limit: 50,
            ..Ask::default()
        };
        let trail = self.trail(caller, &Scope::Org(session.org), ask).await?;
        Ok(trail.lines.into_iter().map(|line| line.entry).collect())
    }

    /// The session, if the caller may do `verb` to it: absent where they may not see it, refused where they only see it.
    pub(crate) async fn session(&self, caller: &Caller, id: &SessionId, verb: Verb) -> Result<Session> {
        let scope = match caller.reach(Verb::SeeSession) {
            Reach::Fleet => Scope::Fleet,
            Reach::Org | Reach::Own => Scope::Org(caller.org.clone()),
            Reach::Nothing => return Err(Error::forbidden("Your token may not see sessions.")),
        };
        let session = self
            .0
            .store
            .find_session(&scope, id)
            .await?
            .ok_or_else(Error::not_found)?;
        if caller.may(verb, &session) {
            return Ok(session);
        }
        // Only where the table does not suffice: most questions are about one's own.
        let sight = self.sight(caller, &session).await?;
        if caller.may_by(verb, &session, sight) {
            return Ok(session);
        }
        self.note_refusal(caller, verb, &session.org, id.as_str());
        if !caller.may_by(Verb::SeeSession, &session, sight) {
            return Err(Error::not_found());
        }
        Err(Error::forbidden(match verb {
            Verb::WatchTerminal | Verb::DriveTerminal => {
                "Its owner has not shared this session's terminals with you. Ask them to."
            }
            Verb::ReadRecording => {
                "A recording is read by the owner of the session, and by admins where the Organization's policy lets \
                 them look at screens."
            }
            _ => "Only the owner of this session may do that.",
        }))
    }

    /// Refuses a verb that the caller has not got at all.
    pub(crate) fn permit(&self, caller: &Caller, verb: Verb) -> Result<Reach> {
        match caller.reach(verb) {
            Reach::Nothing => {
                self.note_refusal(caller, verb, &caller.org, "");
                Err(Error::forbidden(
                    "Your role, or the token you use, does not allow that.",
                ))
            }
            reach => Ok(reach),
        }
    }

    /// What the policy shows the caller of a session, beside what its owner shares.
    pub(crate) async fn sight(&self, caller: &Caller, session: &Session) -> Result<Sight> {
        if session.org != caller.org || session.owner == caller.person {
            return Ok(Sight::default());
        }
        let rules = self.rules(&session.org).await?;
        let near = rules.seeing() == Seeing::Groups
            && self
                .0
                .store
                .are_near(&session.org, &caller.person, &session.owner)
                .await?;
        Ok(rules.sight(caller.role, near))
    }

    /// What of a list the caller may see.
    pub(crate) async fn visible(&self, caller: &Caller, verb: Verb) -> Result<Visible> {
        let mut peers = Seeing::Own;
        let (scope, only) = match self.permit(caller, verb)? {
            Reach::Fleet => (Scope::Fleet, None),
            Reach::Org => (Scope::Org(caller.org.clone()), None),
            Reach::Own | Reach::Nothing => {
                peers = self.rules(&caller.org).await?.seeing();
                (Scope::Org(caller.org.clone()), Some(caller.person.clone()))
            }
        };
        Ok(Visible { scope, only, peers })
    }

    /// The session as the caller sees it.
    pub(crate) async fn view(&self, caller: &Caller, session: Session) -> Result<View> {
        let sight = self.sight(caller, &session).await?;
        let admins = session.recorded && self.rules(&session.org).await?.admins_watch();
        Ok(self.seen(caller, session, sight, admins))
    }

    /// `admins`: those who govern its Organization may read its recording.
    fn seen(&self, caller: &Caller, session: Session, sight: Sight, admins: bool) -> View {
        let mut live = self.running(&session.id);
        if !caller.may_by(Verb::WatchTerminal, &session, sight) {
            // A title is written by what runs, as the screen is.
            for terminal in live.iter_mut().flat_map(|live| &mut live.terminals) {
                terminal.title.clear();
            }
        }
        View {
            status: session.status(),
            recording: session.recorded.then(|| Recorded {
                now: live
                    .iter()
                    .flat_map(|live| &live.terminals)
                    .any(|terminal| terminal.recorded),
                admins,
            }),
            live,
            may: SESSION_VERBS
                .into_iter()
                .filter(|verb| caller.may_by(*verb, &session, sight))
                .collect(),
            session,
        }
    }

    /// Asks the runtime to make a session run; what it refuses at once is the session's failure, not the caller's. Whether
    /// it is recorded.
    pub(crate) async fn ensure(&self, session: &Session, resume: bool) -> Result<bool> {
        let Some(agent) = self.0.options.catalogue.find(&session.agent) else {
            let reason = format!("The agent {} is no longer in the catalogue.", session.agent);
            return self.fail(session, reason).await.map(|()| false);
        };
        let quota = self.effective(&session.org, &session.owner).await?.quota;
        let secrets = match self
            .deliver(session, if resume { For::Again } else { For::First })
            .await
        {
            Ok(secrets) => secrets,
            Err(Error::Internal(error)) => return Err(Error::Internal(error)),
            Err(refused) => {
                let reason = refused.problem().detail;
                return self.fail(session, reason).await.map(|()| false);
            }
        };
        let record = self.begin_recording(session).await?;
        let wanted = Wanted {
            session: session.clone(),
            agent: agent.clone(),
            resume,
            cpu_millis: quota.cpu_millis,
            memory_bytes: quota.memory_bytes,
            storage_bytes: quota.storage_bytes,
            size: Size::default(),
            secrets,
            record,
        };
        match self.0.runtime.ensure(&wanted).await {
            Ok(()) => {}
            Err(error) => self.fail(session, format!("{error:#}")).await?,
        }
        Ok(record)
    }

    async fn change(&self, caller: &Caller, session: &Session, patch: Patch, record: Record) -> Result<View> {
        let changed = self
            .0
            .store
            .record_session(&session.org, &session.id, &patch, record)
            .await?;
        let Some(changed) = changed else {
            return Err(changed_meanwhile());
        };
        self.refresh_running(changed.clone());
        self.recheck(&changed);
        self.announce();
        self.view(caller, changed).await
    }
}

fn changed_meanwhile() -> Error {
    let detail = "The session changed meanwhile. Look at it again, then retry.";
    Error::Conflict(Problem::new("session-changed", detail))
}

/// How many sessions a quota lets a person have.
fn bounds(quota: &Quota) -> Bounds {
    Bounds {
        live: quota.concurrent_sessions,
        all: quota.sessions,
    }
}

/// The refusal to run anything in an Organization that is not open.
fn closed(state: State) -> Error {
    let detail = match state {
        State::Archived => "This Organization is archived: nothing runs in it any more.",
        State::Suspended | State::Active => {
            "This Organization is suspended: its sessions are kept and nothing new runs. Ask whoever runs this \
             installation."
        }
    };
    Error::Conflict(Problem::new("organization-closed", detail))
}
