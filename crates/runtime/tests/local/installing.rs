//! Real packages from the real registries. Where those are out of reach the tests say `SKIPPED:`.

use super::stage::{Stage, wanted_agent};
use domain::agent::{Agent, Catalogue, Installation, Source};
use engine::ports::{Observation, Refusal, Runtime};
use std::time::{Duration, Instant};

/// A download may take long; a test that hangs must end.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

fn agent(slug: &str, binary: &str, source: Source) -> Agent {
    let mut agent = Catalogue::shipped().find("shell").expect("always there").clone();
    agent.slug = slug.to_owned();
    agent.label = slug.to_owned();
    agent.binary = binary.to_owned();
    agent.args = vec!["--version".to_owned()];
    agent.source = source;
    agent
}

/// Its program is put in place by a post-install step and a package for this machine, like an agent's.
fn esbuild() -> Agent {
    let (package, version) = ("esbuild".to_owned(), "0.25.0".to_owned());
    agent("esbuild", "esbuild", Source::Npm { package, version })
}

fn pyflakes() -> Agent {
    let (package, version) = ("pyflakes".to_owned(), "3.2.0".to_owned());
    agent("pyflakes", "pyflakes", Source::Pypi { package, version })
}

async fn state(stage: &Stage, agent: &Agent) -> Installation {
    let states = stage
        .local
        .installations(std::slice::from_ref(agent))
        .await
        .expect("looks");
    states.into_iter().next().expect("one each")
}

/// Installs and waits for the end; the steps that were told.
async fn install(stage: &mut Stage, agent: &Agent) -> (Installation, Vec<(String, Option<u8>)>) {
    if let Err(error) = stage.local.install(agent).await {
        let Some(Refusal::Unavailable(reason)) = error.downcast_ref() else {
            panic!("{error:#}")
        };
        return (Installation::Unavailable { reason: reason.clone() }, Vec::new());
    }
    let (began, mut steps) = (Instant::now(), Vec::new());
    loop {
        match state(stage, agent).await {
            Installation::Installing { step, percent } => {
                if steps.last() != Some(&(step.clone(), percent)) {
                    steps.push((step, percent));
                }
            }
            other => return (other, steps),
        }
        let left = PATIENCE.saturating_sub(began.elapsed());
        let told = tokio::time::timeout(left, stage.observations.recv())
            .await
            .expect("it ends in time");
        assert_eq!(
            told,
            Some(Observation::Agent {
                slug: agent.slug.clone()
            })
        );
    }
}

/// Whether the registry or the tools are out of reach, which is no failure of ours.
fn is_out_of_reach(installation: &Installation) -> bool {
    let why = match installation {
        Installation::Unavailable { reason } => reason,
        Installation::Failed { reason } if reason.contains("cannot be reached") => reason,
        _ => return false,
    };
    eprintln!("SKIPPED: {why}");
    true
}

#[tokio::test]
async fn a_package_is_installed_with_progress_runs_in_a_session_and_is_removed() {
    let (mut stage, agent) = (Stage::set(), esbuild());
    assert!(matches!(
        state(&stage, &agent).await,
        Installation::NotInstalled | Installation::Unavailable { .. }
    ));
    let reason = stage.open_in_vain(&wanted_agent("early-aaaaa", agent.clone())).await;
    assert!(reason.contains("not installed"), "{reason}");

    let (installed, steps) = install(&mut stage, &agent).await;
    if is_out_of_reach(&installed) {
        return;
    }
    let log = stage
        .local
        .install_log(&agent)
        .await
        .expect("reads")
        .unwrap_or_default();
    let Installation::Installed { version, bytes } = installed else {
        panic!("{installed:?}\n{log}")
    };
    assert_eq!(version.as_deref(), Some("0.25.0"));
    assert!(bytes > 1 << 20, "{bytes}");
    assert!(steps.iter().any(|(_, percent)| percent.is_some()), "{steps:?}");
    assert!(log.contains("npm install"), "{log}");

    let session = stage.open(&wanted_agent("runs-aaaaa", agent.clone())).await;
    stage.attach(&session, "agent").await.reads("0.25.0").await;

    stage.local.uninstall(&agent).await.expect("removes");
    assert_eq!(state(&stage, &agent).await, Installation::NotInstalled);
    stage.local.uninstall(&agent).await.expect("again");
}

#[tokio::test]
async fn a_python_package_gets_an_environment_of_its_own() {
    let (mut stage, agent) = (Stage::set(), pyflakes());
    let (installed, _) = install(&mut stage, &agent).await;
    if is_out_of_reach(&installed) {
        return;
    }
    let log = stage
        .local
        .install_log(&agent)
        .await
        .expect("reads")
        .unwrap_or_default();
    let Installation::Installed { version, .. } = installed else {
        panic!("{installed:?}\n{log}")
    };
    assert_eq!(version.as_deref(), Some("3.2.0"));
    let session = stage.open(&wanted_agent("python-aaaaa", agent)).await;
    stage.attach(&session, "agent").await.reads("3.2.0").await;
}

#[tokio::test]
async fn a_version_that_does_not_exist_fails_with_a_sentence_and_can_be_tried_again() {
    let mut stage = Stage::set();
    let mut agent = esbuild();
    agent.source = Source::Npm {
        package: "esbuild".to_owned(),
        version: "0.0.0-never".to_owned(),
    };
    for _ in 0..2 {
        let (installed, _) = install(&mut stage, &agent).await;
        if is_out_of_reach(&installed) {
            return;
        }
        let Installation::Failed { reason } = installed else {
            panic!("{installed:?}")
        };
        assert!(reason.contains("has no esbuild 0.0.0-never"), "{reason}");
    }
}

#[tokio::test]
async fn agents_of_the_catalogue_install_and_start() {
    // Hundreds of megabytes: only those that are asked for, as in SANDBOX_TEST_AGENTS="opencode aider".
    let asked = std::env::var("SANDBOX_TEST_AGENTS").unwrap_or_default();
    if asked.is_empty() {
        eprintln!(
            "Only what SANDBOX_TEST_AGENTS names is installed here; a journey in the browser installs one whole agent"
        );
    }
    for slug in asked.split_whitespace() {
        let mut stage = Stage::set();
        let catalogue = Catalogue::shipped();
        let agent = catalogue.find(slug).expect("in the catalogue");
        let began = Instant::now();
        let (installed, steps) = install(&mut stage, agent).await;
        let log = stage.local.install_log(agent).await.expect("reads").unwrap_or_default();
        assert!(
            matches!(installed, Installation::Installed { .. }),
            "{installed:?}\n{log}"
        );
        eprintln!(
            "{slug}: {installed:?} in {} s, {} steps",
            began.elapsed().as_secs(),
            steps.len()
        );
        let session = stage.open(&wanted_agent("real-aaaaa", agent.clone())).await;
        let mut person = stage.attach(&session, "agent").await;
        person.shows_something().await;
        eprintln!("{}", person.shown());
    }
}
