//! The agents that can be opened.

use crate::{At, out, table::Table, trouble::Trouble};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// What `sandbox agents` heeds.
#[derive(Debug, Args)]
pub struct Agents {
    #[command(flatten)]
    at: At,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

impl Agents {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        let answer = self.at.api()?.get("/api/v1/agents").await?;
        if self.json {
            out::say(&answer.text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new(&["AGENT", "STATE", "VERSION", "WHAT IT IS"]);
        for agent in answer.json["agents"].as_array().into_iter().flatten() {
            let text = |field: &str| agent[field].as_str().unwrap_or_default().to_owned();
            table.row([text("slug"), state(agent), text("version"), text("summary")]);
        }
        table.print()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn state(agent: &Value) -> String {
    let installation = &agent["installation"];
    let state = installation["state"].as_str().unwrap_or_default();
    if agent["ready"] == true {
        return "ready".to_owned();
    }
    if agent["enabledInFleet"] == false || agent["enabledInOrg"] == false {
        return "switched off".to_owned();
    }
    match (state, installation["percent"].as_u64()) {
        ("installing", Some(percent)) => format!("installing, {percent} %"),
        ("not-installed", _) => "not installed".to_owned(),
        (state, _) => state.to_owned(),
    }
}
