//! Plans and quotas: what may run. An absent limit is no limit; 0 is never "unlimited".

use serde::{Deserialize, Serialize};

const GIB: u64 = 1 << 30;

/// What one person may run at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The plan's name, where it is one.
    pub plan: Option<String>,
    /// Thousandths of a processor, for each session.
    pub cpu_millis: Option<u64>,
    /// For each session.
    pub memory_bytes: Option<u64>,
    /// For all sessions of the person together.
    pub storage_bytes: Option<u64>,
    pub concurrent_sessions: Option<u64>,
}

impl Quota {
    /// The quota of a published plan; without a plan 4 CPU, 8 GiB, 50 GiB, 3 sessions. `None` for an unknown plan.
    pub fn of_plan(plan: Option<&str>) -> Option<Self> {
        let (cpu, memory, storage, concurrent) = match plan {
            None => (4000, 8, 50, Some(3)),
            Some("sandbox-free") => (500, 1, 5, Some(1)),
            Some("sandbox-pro") => (2000, 4, 50, Some(3)),
            Some("sandbox-ent") => (8000, 16, 500, None),
            Some(_) => return None,
        };
        Some(Self {
            plan: plan.map(str::to_owned),
            cpu_millis: Some(cpu),
            memory_bytes: Some(memory * GIB),
            storage_bytes: Some(storage * GIB),
            concurrent_sessions: concurrent,
        })
    }
}

/// A person's quota beside what is used of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub quota: Quota,
    /// Sessions that are pending or running now.
    pub live_sessions: u64,
    /// All sessions that exist.
    pub sessions: u64,
    pub storage_bytes: u64,
    /// Memory of the running sessions now.
    pub memory_bytes: u64,
    /// Who can raise it: names or addresses of admins.
    pub raised_by: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_as_published_and_unlimited_is_absent() {
        assert_eq!(Quota::of_plan(None).and_then(|q| q.concurrent_sessions), Some(3));
        assert_eq!(
            Quota::of_plan(Some("sandbox-ent")).map(|q| q.concurrent_sessions),
            Some(None)
        );
        assert_eq!(
            Quota::of_plan(Some("sandbox-free")).and_then(|q| q.memory_bytes),
            Some(1 << 30)
        );
        assert_eq!(Quota::of_plan(Some("gold")), None);
    }
}
