//! The catalogue of agents: what is there, installed, and switched on.

use crate::{
    Engine, Error, Result,
    live::Pulse,
    ports::{Outgoing, Record},
};
use domain::{
    Caller, OrgId, Problem,
    agent::{Agent, Installation, Source, View},
    event::{Kind, Touched},
    permit::{Reach, Verb},
};
use serde_json::json;

impl Engine {
    /// Every agent of the catalogue.
    pub async fn agents(&self, caller: &Caller) -> Result<Vec<View>> {
        self.permit(caller, Verb::SeeAgents)?;
        let agents = self.0.options.catalogue.agents();
        let installations = self.0.runtime.installations(agents).await?;
        let off = self.0.store.switched_off(&caller.org).await?;
        let view = |(agent, installation): (&Agent, Installation)| {
            let is_off = |org: Option<&OrgId>| off.iter().any(|(o, slug)| o.as_ref() == org && *slug == agent.slug);
            View {
                agent: agent.clone(),
                installation,
                enabled_in_fleet: !is_off(None),
                enabled_in_org: !is_off(Some(&caller.org)),
            }
        };
        Ok(agents.iter().zip(installations).map(view).collect())
    }

    /// One agent.
    pub async fn agent(&self, caller: &Caller, slug: &str) -> Result<View> {
        let agents = self.agents(caller).await?;
        agents
            .into_iter()
            .find(|view| view.agent.slug == slug)
            .ok_or_else(|| unknown(slug))
    }

    /// Begins to install an agent for everybody; how it goes is told live and in the log.
    pub async fn install_agent(&self, caller: &Caller, slug: &str) -> Result<()> {
        let agent = self.installable(caller, slug)?;
        self.0.runtime.install(agent).await?;
        self.audit_agent(caller, slug, Kind::AgentInstalled).await
    }

    /// Removes an installed agent; sessions that run it go on until they end.
    pub async fn remove_agent(&self, caller: &Caller, slug: &str) -> Result<()> {
        let agent = self.installable(caller, slug)?;
        self.0.runtime.uninstall(agent).await?;
        self.audit_agent(caller, slug, Kind::AgentRemoved).await
    }

    /// The end of the last installation's log.
    pub async fn install_log(&self, caller: &Caller, slug: &str) -> Result<String> {
        self.permit(caller, Verb::SeeAgents)?;
        let agent = self.0.options.catalogue.find(slug).ok_or_else(|| unknown(slug))?;
        let log = self.0.runtime.install_log(agent).await?;
        log.ok_or_else(|| Error::NotFound(Problem::new("no-log", "This agent was not installed from here yet.")))
    }

    /// Switches an agent on or off for the caller's Organization, or for the whole installation.
    pub async fn switch_agent(&self, caller: &Caller, slug: &str, enabled: bool, fleet: bool) -> Result<()> {
        self.permit(
            caller,
            if fleet {
                Verb::SwitchFleetAgents
            } else {
                Verb::SwitchAgents
            },
        )?;
        self.0.options.catalogue.find(slug).ok_or_else(|| unknown(slug))?;
        let org = (!fleet).then_some(&caller.org);
        let off = self.0.store.switched_off(&caller.org).await?;
        let was = !off.iter().any(|(whose, off)| whose.as_ref() == org && off == slug);
        let changed = json!({ "fleet": fleet, "before": { "enabled": was }, "after": { "enabled": enabled } });
        let detail = json!({ "agent": slug, "enabled": enabled, "fleet": fleet });
        let record = Record {
            audit: vec![self.entry(caller, "agent.switched", slug, changed)],
            events: vec![self.agent_event(caller, Kind::AgentSwitched, detail)],
        };
        self.0.store.record_switch(org, slug, enabled, record).await?;
        self.announce();
        Ok(())
    }

    /// The agent, if a session can be opened with it now; else what is in the way, and who can help.
    pub(crate) async fn ready_agent(&self, caller: &Caller, slug: &str) -> Result<()> {
        let known = self.0.options.catalogue.find(slug).ok_or_else(|| {
            let known: Vec<_> = self
                .0
                .options
                .catalogue
                .agents()
                .iter()
                .map(|agent| agent.slug.as_str())
                .collect();
            let slug: String = slug.chars().take(60).collect();
            let detail = format!("There is no agent {slug:?}. Agents are {}.", known.join(", "));
            Error::Invalid(Problem::new("invalid-agent", detail).at("agent"))
        })?;
        let off = self.0.store.switched_off(&caller.org).await?;
        if off.iter().any(|(_, off)| off == slug) {
            self.note_refusal(caller, Verb::OpenSession, &caller.org, slug);
            let detail = format!(
                "{} is switched off here. Choose another agent, or ask an admin.",
                known.label
            );
            return Err(Error::Forbidden(Problem::new("agent-disabled", detail).at("agent")));
        }
        let mut installations = self.0.runtime.installations(core::slice::from_ref(known)).await?;
        match installations.pop() {
            Some(Installation::Installed { .. }) => Ok(()),
            Some(Installation::Unavailable { reason }) => {
                Err(Error::Conflict(Problem::new("agent-not-installed", reason).at("agent")))
            }
            Some(Installation::Installing { .. }) => {
                let detail = format!(
                    "{} is being installed. Wait for it, then open the session.",
                    known.label
                );
                Err(Error::Conflict(Problem::new("agent-not-installed", detail).at("agent")))
            }
            Some(Installation::NotInstalled | Installation::Failed { .. }) | None => {
                let detail = format!(
                    "{} is not installed. Install it on the Agents page, or ask an admin to.",
                    known.label
                );
                Err(Error::Conflict(Problem::new("agent-not-installed", detail).at("agent")))
            }
        }
    }

    /// Tells live readers that an agent's installation changed.
    pub(crate) fn touch_agent(&self, slug: &str) {
        let _ = self.0.pulse.send(Pulse::Touched {
            to: None,
            what: Touched::Agent(slug.to_owned()),
        });
    }

    fn installable(&self, caller: &Caller, slug: &str) -> Result<&Agent> {
        if self.permit(caller, Verb::InstallAgents)? < Reach::Fleet {
            return Err(Error::forbidden(
                "Agents are installed for everybody: ask a super-admin.",
            ));
        }
        let agent = self.0.options.catalogue.find(slug).ok_or_else(|| unknown(slug))?;
        match &agent.source {
            Source::Npm { .. } | Source::Pypi { .. } => Ok(agent),
            Source::BuiltIn => Err(Problem::new("built-in", format!("{} is always there.", agent.label)).into()),
            Source::ByHand { how } => Err(Error::Conflict(Problem::new("by-hand", how.clone()))),
        }
    }

    async fn audit_agent(&self, caller: &Caller, slug: &str, kind: Kind) -> Result<()> {
        let action = kind.as_str().trim_start_matches("sandbox.");
        self.0
            .store
            .record_audit(&self.entry(caller, action, slug, json!({ "agent": slug })))
            .await?;
        self.touch_agent(slug);
        Ok(())
    }

    fn agent_event(&self, caller: &Caller, kind: Kind, data: serde_json::Value) -> Outgoing {
        Outgoing {
            event: self.event(kind, &caller.org, data),
            owner: None,
            shared: true,
        }
    }
}

fn unknown(slug: &str) -> Error {
    let slug: String = slug.chars().take(60).collect();
    Error::NotFound(Problem::new(
        "agent-not-found",
        format!("There is no agent {slug:?} in the catalogue."),
    ))
}
