//! Sessions, and how they are meant by whoever types.

use crate::{
    At,
    api::Api,
    attach::{self, Attach},
    out,
    table::Table,
    trouble::{Kind, Trouble},
};
use clap::{Args, Subcommand};
use domain::Timestamp;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    process::ExitCode,
    time::{Duration, SystemTime},
};

/// What can be done with sessions. A session is meant by its id, or by the beginning of its name or id where that is clear.
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// Lists the sessions that you may see, the latest active first.
    #[command(visible_alias = "ls")]
    List(List),
    /// Opens a session.
    Open(Open),
    /// Makes this terminal one of the session's devices. Ctrl-] (or another key that you choose) leaves it running.
    Attach(Attach),
    /// Suspends a session: its programs end, its workspace and last screen stay.
    #[command(visible_alias = "suspend")]
    Stop(One),
    /// Resumes a session that was suspended, has failed, or whose agent has ended.
    Resume(One),
    /// Deletes a session and everything in it.
    #[command(visible_alias = "rm")]
    Delete(Delete),
}

/// What `sandbox sessions list` heeds.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    at: At,
    /// Words to find in name, repository, owner or id.
    #[arg(long, default_value = "", hide_default_value = true)]
    search: String,
    /// `pending`, `running`, `stopped`, `failed` or `unknown`.
    #[arg(long)]
    status: Option<String>,
    /// Only your own.
    #[arg(long)]
    mine: bool,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// What `sandbox sessions open` heeds.
#[derive(Debug, Args)]
pub struct Open {
    #[command(flatten)]
    at: At,
    /// The agent: see `sandbox agents`.
    #[arg(long)]
    agent: String,
    /// The name to show; without one it is called after its repository or agent.
    #[arg(long)]
    name: Option<String>,
    /// The repository to clone; without one the workspace is empty.
    #[arg(long)]
    repo: Option<String>,
    /// The branch to check out.
    #[arg(long)]
    branch: Option<String>,
    /// Attach to it as soon as it runs.
    #[arg(long, conflicts_with = "json")]
    attach: bool,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// What a command on one session heeds.
#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    at: At,
    /// The session: its id, or the beginning of its name.
    session: String,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

/// What `sandbox sessions delete` heeds.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    at: At,
    /// The session: its id, or the beginning of its name.
    session: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

const SESSIONS: &str = "/api/v1/sandbox/sessions";

impl Sessions {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        match self {
            Self::List(list) => list.run().await,
            Self::Open(open) => open.run().await,
            Self::Attach(attach) => attach.run().await,
            Self::Stop(one) => one.run("suspend", "Suspended").await,
            Self::Resume(one) => one.run("resume", "Resumed").await,
            Self::Delete(delete) => delete.run().await,
        }
    }
}

impl List {
    async fn run(self) -> Result<ExitCode, Trouble> {
        let mut query = vec![("search", self.search), ("limit", self.limit.to_string())];
        query.extend(self.status.map(|status| ("status", status)));
        if self.mine {
            query.push(("mine", "true".to_owned()));
        }
        let answer = self.at.api()?.find(SESSIONS, &query).await?;
        if self.json {
            out::say(&answer.text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let now = now();
        let mut table = Table::new(&["NAME", "STATUS", "AGENT", "REPOSITORY", "ACTIVE", "ID"]);
        let items: Vec<&Value> = answer.json["sandboxes"].as_array().into_iter().flatten().collect();
        for item in &items {
            let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
            let name = match item["mine"].as_bool() {
                Some(false) => format!(
                    "{} ({})",
                    text("name"),
                    item["owner"]["name"].as_str().unwrap_or_default()
                ),
                _ => text("name"),
            };
            table.row([
                name,
                text("status"),
                text("agent"),
                text("repo"),
                ago(&text("activeAt"), now),
                text("id"),
            ]);
        }
        table.print()?;
        let total = answer.json["total"].as_u64().unwrap_or_default();
        if total > items.len() as u64 {
            out::tell(&format!(
                "{} of {total} are shown. For more say --limit, or --search.",
                items.len()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Open {
    async fn run(self) -> Result<ExitCode, Trouble> {
        let api = self.at.api()?;
        if self.attach {
            attach::check_terminal()?;
        }
        let body = json!({ "agent": self.agent, "name": self.name, "repo": self.repo, "branch": self.branch });
        let answer = api.post(SESSIONS, Some(&body)).await?;
        let (id, name) = names(&answer.json);
        if self.json {
            out::say(&answer.text)?;
        } else if self.attach {
            out::tell(&format!("{name} is opened as {id}."));
            return Attach::to(id).enter(api).await;
        } else {
            out::say(&format!(
                "{name} is opened as {id}. To work in it: sandbox sessions attach {id}"
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    async fn run(self, verb: &str, done: &str) -> Result<ExitCode, Trouble> {
        let api = self.at.api()?;
        let (id, _) = names(&meant(&api, &self.session).await?);
        let answer = api.post(&format!("{SESSIONS}/{id}/{verb}"), None).await?;
        if self.json {
            out::say(&answer.text)?;
        } else {
            out::say(&format!("{done}: {}", names(&answer.json).1))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Delete {
    async fn run(self) -> Result<ExitCode, Trouble> {
        let api = self.at.api()?;
        let (id, name) = names(&meant(&api, &self.session).await?);
        if !self.yes {
            if !std::io::stdin().is_terminal() {
                return Err(Trouble::refused(
                    "Deleting asks first, and nobody is there to answer. Say --yes.",
                ));
            }
            let held = api.get(&format!("{SESSIONS}/{id}/holdings")).await?.json;
            let count = |field: &str| held[field].as_u64().unwrap_or_default();
            out::tell(&format!(
                "{name} ({id}) holds {} files, {} changes that are not committed and {} commits that are on no remote; \
                 {} programs run.",
                count("files"),
                count("uncommitted"),
                count("unpushed"),
                count("processes")
            ));
            let mut err = std::io::stderr();
            write!(err, "Type its name to delete it: ").and_then(|()| err.flush())?;
            let mut typed = String::new();
            std::io::stdin().lock().read_line(&mut typed)?;
            if typed.trim() != name {
                return Err(Trouble::refused("That is not its name: nothing was deleted."));
            }
        }
        api.delete(&format!("{SESSIONS}/{id}")).await?;
        out::say(&format!("Deleted: {name}"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The id and the name of a session, fit to be printed.
pub(crate) fn names(item: &Value) -> (String, String) {
    let text = |field: &str| out::clean(item[field].as_str().unwrap_or_default());
    (text("id"), text("name"))
}

/// The session that is meant: by its id, its name, or the beginning of either where only one begins so.
pub(crate) async fn meant(api: &Api, text: &str) -> Result<Value, Trouble> {
    let text = text.trim();
    if is_id(text) {
        match api.get(&format!("{SESSIONS}/{text}")).await {
            Ok(answer) => return Ok(answer.json),
            Err(refused) if refused.trouble.kind() == Kind::Unclear => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    let query = [("search", text.to_owned()), ("limit", "200".to_owned())];
    let page = api.find(SESSIONS, &query).await?.json;
    let items = page["sandboxes"].as_array().cloned().unwrap_or_default();
    choose(&items, text).cloned()
}

/// What every id looks like: what else is typed is never put into an address.
fn is_id(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn choose<'a>(items: &'a [Value], text: &str) -> Result<&'a Value, Trouble> {
    let wanted = text.to_lowercase();
    let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_lowercase();
    let begins = |item: &&Value| {
        let id = item["id"].as_str().unwrap_or_default();
        !wanted.is_empty() && (name(item).starts_with(&wanted) || id.starts_with(&wanted))
    };
    let found: Vec<&Value> = items.iter().filter(begins).collect();
    let exact: Vec<&Value> = found.iter().filter(|item| name(item) == wanted).copied().collect();
    match (exact.as_slice(), found.as_slice()) {
        ([one], _) | ([], [one]) => Ok(one),
        ([], []) => {
            let sentence = format!("No session is called {text:?}. See: sandbox sessions list");
            Err(Trouble::new(Kind::Unclear, sentence))
        }
        _ => {
            let several: Vec<String> = found
                .iter()
                .take(10)
                .map(|item| names(item))
                .map(|(id, name)| format!("  {id}  {name}"))
                .collect();
            let sentence = format!(
                "Several sessions could be meant. Say the id of one:\n{}",
                several.join("\n")
            );
            Err(Trouble::new(Kind::Unclear, sentence))
        }
    }
}

/// Waits until a session can be attached to, and tells what it is doing meanwhile.
pub(crate) async fn until_there(api: &Api, id: &str) -> Result<Value, Trouble> {
    let mut told = String::new();
    loop {
        let item = api.get(&format!("{SESSIONS}/{id}")).await?.json;
        let reason = out::clean(item["reason"].as_str().unwrap_or_default());
        match item["status"].as_str() {
            Some("failed") => {
                let sentence = format!("It has failed: {reason} To try again: sandbox sessions resume {id}");
                return Err(Trouble::refused(sentence));
            }
            Some("pending" | "unknown") => {
                if told != reason {
                    out::tell(&reason);
                    told = reason;
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            _ => return Ok(item),
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long ago something was.
fn ago(at: &str, now: Timestamp) -> String {
    let Some(at) = Timestamp::from_rfc3339(at) else {
        return String::new();
    };
    match now.seconds_since(at) {
        ..60 => "just now".to_owned(),
        seconds @ ..3600 => format!("{} min ago", seconds / 60),
        seconds @ ..86_400 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_meant_by_as_much_of_its_name_as_is_clear() {
        let item = |id: &str, name: &str| json!({ "id": id, "name": name });
        let items = [
            item("fix-aaaaa", "Fix"),
            item("fix-login-bbbbb", "Fix login"),
            item("docs-ccccc", "Write docs"),
        ];
        let id = |text: &str| choose(&items, text).map(|item| item["id"].as_str().unwrap_or_default().to_owned());
        assert_eq!(
            id("fix").ok().as_deref(),
            Some("fix-aaaaa"),
            "the whole name is clearer than a part"
        );
        assert_eq!(id("fix l").ok().as_deref(), Some("fix-login-bbbbb"));
        assert_eq!(id("WRITE").ok().as_deref(), Some("docs-ccccc"));
        assert_eq!(id("docs-").ok().as_deref(), Some("docs-ccccc"));
        let several = id("f").expect_err("unclear");
        assert!(several.to_string().contains("fix-login-bbbbb"), "{several}");
        assert_eq!(several.kind(), Kind::Unclear);
        assert_eq!(id("nothing").expect_err("none").kind(), Kind::Unclear);
        assert_eq!(id("").expect_err("none").kind(), Kind::Unclear);
    }

    #[test]
    fn only_what_looks_like_an_id_is_put_into_an_address() {
        assert!(is_id("fix-login-ab3de"));
        for other in ["", "..", "a/b", "a?b", "Fix login", "%2e%2e"] {
            assert!(!is_id(other), "{other}");
        }
    }
}
