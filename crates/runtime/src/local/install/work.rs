//! What every installation needs: folders, confined steps that tell how far they are, and a check that it works.

use super::super::step::{self, Ended, Step};
use super::super::{Here, environment, making, removal};
use super::{Journal, removed};
use crate::local::layout::make_private;
use domain::agent::Agent;
use domain::host::Confinement;
use host::disk::{self, Bounds};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One installation under way.
pub(super) struct Work<'a> {
    pub(super) here: &'a Here,
    pub(super) folder: PathBuf,
    pub(super) agent: &'a Agent,
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    pub(super) journal: &'a Journal,
    /// Tells what is being done, and how far it is where that is known.
    pub(super) progress: &'a (dyn Fn(String, Option<u8>) + Send + Sync),
}

/// A step that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// Its last lines, oldest first.
    pub(super) last: VecDeque<String>,
    /// The first line that speaks of an error and says something.
    pub(super) error: Option<String>,
    pub(super) sentence: String,
}

/// A step that takes longer has lost its way.
const TIME: Duration = Duration::from_secs(30 * 60);
const VERIFYING: Duration = Duration::from_secs(90);
const WORDS: usize = 60;
/// Less free disk than this, and nothing is begun: agents take a few hundred MiB.
const LEAST_FREE: u64 = 256 << 20;
const BOUNDS: Bounds = Bounds {
    entries: 1_000_000,
    time: Duration::from_secs(60),
    rest: Duration::ZERO,
};

impl Work<'_> {
    /// Makes the folders; one that was removed meanwhile is made anew.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        // An npm that outlived its server would go on writing.
        removal::end_marked(&self.folder)
            .await
            .map_err(|error| making::sentence(&error))?;
        let made = (|| {
            if removed(&self.folder).exists() {
                removal::remove(&self.folder)?;
            }
            for folder in [&self.folder, &self.home(), &self.tmp()] {
                make_private(folder)?;
            }
            anyhow::Ok(())
        })();
        made.map_err(|error| making::sentence(&error))?;
        match making::free(&self.here.layout) {
            Some(free) if free < LEAST_FREE => Err(making::sentence(
                &std::io::Error::from(std::io::ErrorKind::StorageFull).into(),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn tell(&self, step: impl Into<String>, percent: Option<u8>) {
        (self.progress)(step.into(), percent);
    }

    /// Runs a step with the network and the cache, logging what it says.
    pub(super) async fn step(
        &self,
        argv: &[&str],
        more: &[(&str, String)],
        path: &[PathBuf],
        read: &[PathBuf],
        cwd: &Path,
        mut line: impl FnMut(&str),
    ) -> Result<(), Failed> {
        let mut env = environment::with_network(&self.home(), path);
        env.insert("TMPDIR".to_owned(), self.tmp().to_string_lossy().into_owned());
        for (name, value) in std::env::vars() {
            let upper = name.to_uppercase();
            if upper.starts_with("NPM_CONFIG_") || upper.starts_with("PIP_") {
                env.insert(name, value);
            }
        }
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.run(argv, env, read, cwd, TIME, &mut line).await
    }

    /// Checks that the program starts, and asks for its version: with nothing around it, as in a session.
    pub(super) async fn verify(
        &self,
        binary: &Path,
        path: &[PathBuf],
        read: &[PathBuf],
    ) -> Result<Option<String>, String> {
        self.tell(format!("Checking that {} starts.", self.agent.label), None);
        if !environment::is_executable(binary) {
            return Err(format!(
                "The package {} has no program {}.",
                self.package, self.agent.binary
            ));
        }
        let name = binary.to_string_lossy().into_owned();
        let mut env: BTreeMap<String, String> = environment::with_network(&self.home(), path);
        env.extend(self.agent.env.clone());
        env.insert("TMPDIR".to_owned(), self.tmp().to_string_lossy().into_owned());
        let mut version = None;
        let mut take = |line: &str| {
            if version.is_none() {
                version = version_in(line);
            }
        };
        let (argv, cwd) = ([name.as_str(), "--version"], self.tmp());
        let checked = self.run(&argv, env, read, &cwd, VERIFYING, &mut take);
        checked.await.map_err(|failed| {
            let last = failed.last.back().cloned().unwrap_or(failed.sentence);
            format!("{} was installed but does not start: {last}", self.agent.label)
        })?;
        Ok(version)
    }

    /// Bytes on disk of what was installed.
    pub(super) async fn size(&self) -> u64 {
        let folder = self.folder.clone();
        let held = tokio::task::spawn_blocking(move || disk::measure(&folder, BOUNDS)).await;
        held.map(|held| held.bytes).unwrap_or_default()
    }

    async fn run(
        &self,
        argv: &[&str],
        mut env: BTreeMap<String, String>,
        read: &[PathBuf],
        cwd: &Path,
        time: Duration,
        line: &mut impl FnMut(&str),
    ) -> Result<(), Failed> {
        self.journal.write(&format!("$ {}", argv.join(" ")));
        env.insert(environment::MARK.to_owned(), self.folder.to_string_lossy().into_owned());
        let argv: Vec<String> = argv.iter().map(|&argument| argument.to_owned()).collect();
        let step = Step {
            argv: &argv,
            env,
            cwd,
            confinement: Confinement {
                write: vec![self.folder.clone(), self.here.layout.cache()],
                read: read.to_vec(),
                hidden: vec![self.here.layout.data().to_owned()],
                ..Confinement::default()
            },
            scratch: self
                .here
                .layout
                .agents()
                .join(&self.agent.slug)
                .join("confinement.json"),
            time,
        };
        let (mut last, mut error) = (VecDeque::new(), None);
        let ended = step::run(self.here, step, |said| {
            self.journal.write(said);
            if last.len() == WORDS {
                last.pop_front();
            }
            last.push_back(said.to_owned());
            if error.is_none() && said.len() > 24 && said.to_lowercase().contains("error") {
                error = Some(said.to_owned());
            }
            line(said);
        });
        let sentence = match ended.await {
            Ok(ended) if ended.is_success() => return Ok(()),
            Ok(Ended::OutOfTime) => "It took too long and was given up.".to_owned(),
            Ok(Ended::With(status)) => format!("It ended with {status}."),
            Err(error) => making::sentence(&error),
        };
        Err(Failed { last, error, sentence })
    }

    fn home(&self) -> PathBuf {
        self.here.layout.cache().join("home")
    }

    fn tmp(&self) -> PathBuf {
        self.here.layout.cache().join("tmp")
    }
}

impl Failed {
    /// Why, as a sentence: what is known by these words, else the last line that looks like an error.
    pub(super) fn explain(self, registry: &str, what: &str) -> String {
        let all = self.last.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let has = |words: &[&str]| words.iter().any(|words| all.contains(words));
        if has(&["ENOSPC", "No space left on device"]) {
            return "The disk of this machine is full: delete what is not needed, then install again.".to_owned();
        }
        if has(&["ETARGET", "E404", "No matching version", "No matching distribution"]) {
            return format!("{registry} has no {what}.");
        }
        if has(&[
            "ENOTFOUND",
            "ECONNREFUSED",
            "ETIMEDOUT",
            "EAI_AGAIN",
            "ECONNRESET",
            "ENETUNREACH",
            "Failed to establish a new connection",
            "Name or service not known",
            "Temporary failure in name resolution",
            "Connection refused",
        ]) {
            return format!("{registry} cannot be reached from this machine: check its network, then install again.");
        }
        match self.error.as_ref().or(self.last.back()) {
            Some(line) => format!("Installing {what} failed: {} ({})", line.trim(), self.sentence),
            None => format!("Installing {what} failed: {}", self.sentence),
        }
    }
}

/// The first thing in a line that looks like a version.
fn version_in(line: &str) -> Option<String> {
    line.split(|letter: char| letter.is_whitespace() || letter == '(' || letter == ')' || letter == ',')
        .map(|word| word.trim_start_matches('v'))
        .find(|word| {
            word.starts_with(|letter: char| letter.is_ascii_digit())
                && word.matches('.').count() >= 1
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || ".-+".contains(letter))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (line, version) in [
            ("2.1.330 (Claude Code)", Some("2.1.330")),
            ("aider 0.86.2", Some("0.86.2")),
            ("v1.18.33", Some("1.18.33")),
            ("warning: 3 things", None),
            ("", None),
        ] {
            assert_eq!(version_in(line).as_deref(), version, "{line}");
        }
    }

    #[test]
    fn a_failure_says_what_to_do() {
        let failed = |line: &str| Failed {
            last: VecDeque::from([line.to_owned()]),
            error: None,
            sentence: "It ended with 1.".to_owned(),
        };
        let explain = |line| failed(line).explain("The npm registry", "x 1.0");
        assert!(explain("npm error code ETARGET").contains("has no x 1.0"));
        assert!(explain("npm error code ENOTFOUND").contains("cannot be reached"));
        assert!(explain("npm error nospc ENOSPC: no space").contains("full"));
        assert!(explain("npm error weird").contains("npm error weird"));
    }
}
