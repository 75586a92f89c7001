//! Packages of the Python Package Index, each in a virtual environment of its own.

use super::super::{environment, removal};
use super::work::Work;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Pythons to look for, those that most packages are happy with first.
const NAMES: [&str; 7] = [
    "python3.12",
    "python3.11",
    "python3.10",
    "python3",
    "python3.13",
    "python3.14",
    "python3.9",
];

/// The Pythons that are on the server's PATH.
pub(super) fn candidates() -> Vec<PathBuf> {
    NAMES.into_iter().filter_map(environment::find_program).collect()
}

/// Installs; where the interpreter was found, and its own folders.
pub(super) async fn install(work: &Work<'_>) -> Result<(Vec<PathBuf>, Vec<PathBuf>), String> {
    let mut refusal = format!("{} needs Python 3, which is not on this machine.", work.agent.label);
    let mut tried = Vec::new();
    for candidate in candidates() {
        // A version manager's stand-in says where the real one is, or that there is none.
        let Some(python) = Python::ask(&candidate).await else {
            continue;
        };
        if tried.contains(&python.program) {
            continue;
        }
        tried.push(python.program.clone());
        match install_with(work, &python).await {
            Ok(()) => return Ok((Vec::new(), vec![python.prefix])),
            Err(Refused::Python(needs)) => {
                let have = python.version;
                refusal = format!("{} needs Python {needs}; this machine has {have}.", work.agent.label);
            }
            Err(Refused::Venv) => {
                refusal = "This machine's Python cannot make virtual environments: install python3-venv, then install \
                           again."
                    .to_owned();
            }
            Err(Refused::Other(sentence)) => return Err(sentence),
        }
        removal::remove(&work.folder)
            .and_then(|()| crate::local::layout::make_private(&work.folder))
            .map_err(|error| error.to_string())?;
    }
    Err(refusal)
}

/// Why it did not work with one Python.
enum Refused {
    /// The package needs others.
    Python(String),
    /// It makes no virtual environments.
    Venv,
    Other(String),
}

async fn install_with(work: &Work<'_>, python: &Python) -> Result<(), Refused> {
    let read = [python.prefix.clone()];
    let folder = work.folder.to_string_lossy().into_owned();
    let program = python.program.to_string_lossy().into_owned();
    let pip = work.folder.join("bin/python");
    if !environment::is_executable(&work.folder.join("bin/pip")) {
        work.tell(
            format!("Making a virtual environment with Python {}.", python.version),
            None,
        );
        let made = work
            .step(
                &[&program, "-m", "venv", &folder],
                &[],
                &[],
                &read,
                &work.folder,
                |_| {},
            )
            .await;
        made.map_err(|_| Refused::Venv)?;
    }
    let what = format!("{} {}", work.package, work.version);
    let wanted = format!("{}=={}", work.package, work.version);
    let pip = pip.to_string_lossy().into_owned();
    let env = [
        (
            "PIP_CACHE_DIR",
            work.here.layout.cache().join("pip").to_string_lossy().into_owned(),
        ),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
        ("PIP_NO_INPUT", "1".to_owned()),
    ];
    let mut packages = 0;
    work.tell("Asking the Python Package Index.", None);
    let argv = [&pip, "-m", "pip", "install", "--progress-bar", "off", &wanted];
    let installed = work.step(&argv, &env, &[], &read, &work.folder, |line| {
        if line.starts_with("Collecting ") {
            packages += 1;
            work.tell(format!("Downloading: {packages} packages so far."), None);
        } else if line.starts_with("Installing collected packages") {
            work.tell(format!("Unpacking {packages} packages."), Some(90));
        }
    });
    installed.await.map_err(|failed| {
        let needs = failed.last.iter().find_map(|line| {
            let (_, needs) = line.split_once(&format!("{} Requires-Python ", work.version))?;
            Some(needs.split(';').next().unwrap_or(needs).trim().to_owned())
        });
        match needs {
            Some(needs) => Refused::Python(needs),
            None => Refused::Other(failed.explain("The Python Package Index", &what)),
        }
    })
}

/// One Python of this machine.
struct Python {
    program: PathBuf,
    prefix: PathBuf,
    version: String,
}

impl Python {
    async fn ask(program: &PathBuf) -> Option<Self> {
        let says = "import sys, os; print(os.path.realpath(sys.executable)); print(sys.base_prefix); \
                    print('%d.%d.%d' % sys.version_info[:3])";
        let asked = Command::new(program)
            .args(["-c", says])
            .current_dir("/")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(20), asked).await.ok()?.ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut lines = text.lines();
        Some(Self {
            program: lines.next()?.into(),
            prefix: lines.next()?.into(),
            version: lines.next()?.to_owned(),
        })
    }
}
