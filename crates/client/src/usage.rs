//! What the caller's sessions used.

use crate::{At, out, table::Table, trouble::Trouble};
use clap::Args;
use serde_json::Value;
use std::{collections::BTreeMap, process::ExitCode};

/// What `sandbox usage` heeds.
#[derive(Debug, Args)]
pub struct Usage {
    #[command(flatten)]
    at: At,
    /// How far back, in days: 1 to 90.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(1..=90))]
    days: u8,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// What one session used.
#[derive(Default)]
struct Used {
    name: String,
    agent: String,
    cpu: u64,
    memory: u64,
    storage: u64,
}

impl Usage {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        let query = [("days", self.days.to_string())];
        let answer = self.at.api()?.find("/api/v1/usage", &query).await?;
        if self.json {
            out::say(&answer.text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut sessions: BTreeMap<String, Used> = BTreeMap::new();
        for share in answer.json["sessions"].as_array().into_iter().flatten() {
            let text = |field: &str| share[field].as_str().unwrap_or_default().to_owned();
            let used = sessions.entry(text("session")).or_default();
            (used.name, used.agent) = (text("name"), text("agent"));
            let quantity = share["quantity"].as_u64().unwrap_or_default();
            match share["dimension"].as_str() {
                Some("compute_cpu") => used.cpu += quantity,
                Some("compute_memory") => used.memory += quantity,
                Some("storage") => used.storage += quantity,
                _ => {}
            }
        }
        let mut rows: Vec<(String, Used)> = sessions.into_iter().collect();
        rows.sort_by_key(|(_, used)| core::cmp::Reverse((used.cpu, used.memory, used.storage)));
        let mut table = Table::new(&["SESSION", "AGENT", "PROCESSOR", "MEMORY", "STORAGE", "ID"]);
        for (id, used) in rows {
            let name = if used.name.is_empty() {
                "(deleted)".to_owned()
            } else {
                used.name
            };
            let (cpu, memory, storage) = (time(used.cpu), space(used.memory), space(used.storage));
            table.row([name, used.agent, cpu, memory, storage, id]);
        }
        // The sum is over all sessions, also those that are too many to be listed.
        let sum = |dimension: &str| -> u64 { sum(&answer.json["bars"], dimension) };
        let (cpu, memory, storage) = (sum("compute_cpu"), sum("compute_memory"), sum("storage"));
        table.row([
            "all".into(),
            String::new(),
            time(cpu),
            space(memory),
            space(storage),
            String::new(),
        ]);
        table.print()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn sum(bars: &Value, dimension: &str) -> u64 {
    let bars = bars.as_array().into_iter().flatten();
    bars.filter(|bar| bar["dimension"] == dimension)
        .filter_map(|bar| bar["quantity"].as_u64())
        .sum()
}

/// Microseconds of a processor.
fn time(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Bytes that were held for seconds, as GiB hours.
fn space(byte_seconds: u64) -> String {
    let hours = byte_seconds as f64 / f64::from(1 << 30) / 3600.0;
    format!("{hours:.2} GiB h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_for_people() {
        assert_eq!(time(59_999_999), "59 s");
        assert_eq!(time(61_000_000), "1 min 1 s");
        assert_eq!(time(3_720_000_000), "1 h 2 min");
        assert_eq!(space(3600 * (1 << 30)), "1.00 GiB h");
    }
}
