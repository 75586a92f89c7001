//! The health of the installation, for those who run it. What can be known at once: nobody outside is asked for it.

use crate::{Engine, Result};
use domain::{Caller, health::Fact, permit::Verb, session::Phase};

/// So many entries may wait for a receiver of the audit before it counts as behind: a batch or two.
const BEHIND: i64 = 1000;

impl Engine {
    /// The database, the hosts, the outbox, what takes the audit, and the identity providers; then what the runtime says of
    /// its machine, which is what [`Engine::installation`] says to everybody.
    pub async fn health(&self, caller: &Caller) -> Result<Vec<Fact>> {
        self.permit(caller, Verb::ManageFleet)?;
        let mut facts = vec![Fact::well("Database", self.0.store.describe().await?)];
        facts.push(self.hosts().await?);
        let (newest, oldest) = self.0.store.event_bounds().await?;
        let kept = if newest == 0 { 0 } else { newest - oldest + 1 };
        // Readers are woken in the process that writes and read the table itself: nothing is handed on, so nothing lags.
        let said = format!("{kept} events kept for pages that come back; the newest is {newest}");
        facts.push(Fact::well("Outbox", said));
        facts.extend(self.receivers().await?);
        for provider in self.0.providers.list() {
            let name = format!("Sign-in with {}", provider.label);
            facts.push(match provider.trouble {
                None => Fact::well(name, format!("{} answers", provider.issuer)),
                Some(trouble) => Fact::well(name, trouble).only_if(false),
            });
        }
        let machine = self.0.runtime.describe().await?;
        facts.extend(machine.into_iter().map(|(name, said)| {
            let missing = said.starts_with("missing");
            Fact::well(name, said).only_if(!missing)
        }));
        Ok(facts)
    }

    /// Whether what should run has a host that was found.
    async fn hosts(&self) -> Result<Fact> {
        let phases = self.0.store.count_phases().await?;
        let of = |wanted: Phase| {
            phases
                .iter()
                .filter(|(phase, _)| *phase == wanted)
                .map(|(_, count)| count)
                .sum()
        };
        let (ready, failed): (u64, u64) = (of(Phase::Ready), of(Phase::Failed));
        let found = self.running_sessions().len() as u64;
        let mut said = format!("{found} of {ready} running sessions have their host");
        if failed > 0 {
            said.push_str(&format!("; {failed} failed and keep their workspace"));
        }
        Ok(Fact::well("Hosts", said).only_if(found >= ready))
    }

    async fn receivers(&self) -> Result<Vec<Fact>> {
        let receivers = self.0.store.receivers().await?;
        if receivers.is_empty() {
            let said = "nobody outside takes it (--audit-forward)";
            return Ok(vec![Fact::well("Audit forwarding", said)]);
        }
        let fact = |(name, behind): (String, i64)| {
            let said = match behind {
                0 => format!("{name} has every entry"),
                1 => format!("{name} waits for 1 entry"),
                behind => format!("{name} waits for {behind} entries"),
            };
            Fact::well("Audit forwarding", said).only_if(behind < BEHIND)
        };
        Ok(receivers.into_iter().map(fact).collect())
    }
}
