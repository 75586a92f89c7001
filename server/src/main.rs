//! `sandbox`: reads what is asked of it, and does that.

use anyhow::Context as _;
use clap::Parser as _;
use server::{
    config::{Audit, AuditTask, Cli, Command, Keyed, Keys, Member, Migrate, Secrets, Serve, SignInLink, Verify},
    serve,
};
use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Cli { command } = Cli::parse();
    match command {
        Command::Client(command) => return Ok(client::run(command).await),
        Command::Serve(options) => run(*options).await,
        Command::SignInLink(options) => sign_in_link(*options, None).await,
        Command::Member(options) => {
            let Member {
                name,
                role,
                issuer,
                subject,
                link,
            } = *options;
            let member = Becomes {
                name,
                role,
                identity: issuer.zip(subject),
            };
            sign_in_link(link, Some(member)).await
        }
        Command::Migrate(options) => {
            let Migrate { place, store } = *options;
            let version = store::migrate(&store, &place.made()?).await?;
            say(&format!("The database is up to date: {version}."))
        }
        Command::Audit(Audit {
            task: AuditTask::Verify(options),
        }) => verify_audit(*options).await,
        Command::Secrets(what) => secrets(what).await,
        Command::Openapi => say(&server::openapi()),
    }
    .map(|()| ExitCode::SUCCESS)
}

async fn run(options: Serve) -> anyhow::Result<()> {
    let Serve {
        place,
        doors,
        installation,
        identity,
        store,
        runtime,
        forward,
        log,
        print_link,
    } = options;
    server::start_log(&log)?;
    // Asked for before anything starts, so that no early signal is missed.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let public_url = doors.public_url.clone();
    let data_dir = place.made()?;
    let running = server::start(&data_dir, doors, installation, &identity, store, runtime, forward).await?;
    let here = format!("http://{}", running.address);
    let origin = public_url.unwrap_or_else(|| here.clone());
    serve::note_origin(&data_dir, &origin)?;
    say(&format!("Listening on {here}"))?;
    if running.is_new || print_link || std::io::stdout().is_terminal() {
        say(&format!("Sign in: {}", running.sign_in_link(None, &origin).await?))?;
        say("The link works once, for 15 minutes. For another: sandbox sign-in-link")?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping; sessions run on");
    running.stop().await;
    Ok(())
}

/// Walks along the audit of every Organization, or of one; what is wrong is the program's failure.
async fn verify_audit(options: Verify) -> anyhow::Result<()> {
    let Verify {
        organization,
        place,
        store,
    } = options;
    let store = store::open(&store, &place.made()?).await?;
    let wrong = server::verify_audit(&store, organization.as_deref(), say).await?;
    store.close().await;
    anyhow::ensure!(wrong == 0, "The audit is not as it was written.");
    Ok(())
}

/// What somebody becomes.
struct Becomes {
    name: Option<String>,
    role: domain::Role,
    /// A provider's issuer, and its name for them.
    identity: Option<(String, String)>,
}

/// Prints a link for somebody who is a member, or becomes one first.
async fn sign_in_link(options: SignInLink, member: Option<Becomes>) -> anyhow::Result<()> {
    let SignInLink {
        email,
        organization,
        public_url,
        place,
        installation,
        store,
        runtime,
    } = options;
    let data_dir = place.made()?;
    let first = installation.org.clone();
    let (engine, store) = serve::engine(
        &data_dir,
        installation,
        &identity::oidc::Options::default(),
        &store,
        &runtime,
        std::sync::Arc::new(engine::ports::NoPost),
    )
    .await?;
    engine.found().await.map_err(in_words)?;
    let mut org = organization;
    if let Some(member) = member {
        let Becomes { name, role, identity } = member;
        let email = email.as_deref().context("Say who: --email somebody@example.org")?;
        let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
        let organization = org.take().unwrap_or(first);
        let member = engine
            .add_member(&organization, email, &name, role)
            .await
            .map_err(in_words)?;
        if let Some((issuer, subject)) = identity {
            let linked = engine.link_identity(&member, &issuer, &subject).await;
            linked.map_err(in_words)?;
        }
        say(&format!(
            "{} is {} in {}.",
            member.email,
            member.role.as_str(),
            member.org
        ))?;
        org = Some(member.org.as_str().to_owned());
    }
    let link = engine
        .sign_in_link(email.as_deref(), org.as_deref())
        .await
        .map_err(in_words)?;
    let origin = public_url.or_else(|| serve::noted_origin(&data_dir));
    let origin = origin.unwrap_or_else(|| format!("http://{}", server::config::LISTEN));
    say(&format!("Sign in: {origin}/sign-in/{}", link.secret))?;
    store.close().await;
    Ok(())
}

/// Looks after the keys under which secrets are kept.
async fn secrets(what: Secrets) -> anyhow::Result<()> {
    let (keyed, rekey) = match what {
        Secrets::NewKey(options) => return new_key(&options.keys, &options.place.made()?),
        Secrets::Rekey(options) => (options, true),
        Secrets::Check(options) => (options, false),
    };
    let Keyed {
        place,
        installation,
        store,
        runtime,
    } = *keyed;
    let (engine, store) = serve::engine(
        &place.made()?,
        installation,
        &identity::oidc::Options::default(),
        &store,
        &runtime,
        std::sync::Arc::new(engine::ports::NoPost),
    )
    .await?;
    let unreadable = if rekey {
        let done = engine.rekey_secrets().await.map_err(in_words)?;
        say(&format!(
            "{} sealed anew; the key is {}.",
            counted(done.resealed),
            done.key
        ))?;
        for key in done.spare {
            say(&format!(
                "Nothing is sealed with the key {key} any more: it can be removed."
            ))?;
        }
        done.unreadable
    } else {
        let checked = engine.check_secrets().await.map_err(in_words)?;
        say(&format!(
            "{} can be read, {} cannot.",
            counted(checked.whole),
            checked.broken
        ))?;
        checked.unreadable
    };
    for sentence in &unreadable {
        say(sentence)?;
    }
    store.close().await;
    anyhow::ensure!(unreadable.is_empty(), "Not every secret can be read.");
    Ok(())
}

fn counted(secrets: u64) -> String {
    format!("{secrets} secret{}", if secrets == 1 { "" } else { "s" })
}

/// Makes a key: in the file that servers read, or on standard output where they are given theirs by the environment.
fn new_key(keys: &Keys, data_dir: &std::path::Path) -> anyhow::Result<()> {
    if Keys::given().is_some() {
        eprintln!(
            "Put this before the keys in SANDBOX_SECRETS_KEY, with a comma between, start the servers again, then run \
             `sandbox secrets rekey`."
        );
        return say(&identity::keyring::new_key());
    }
    let (file, is_ours) = keys.file(data_dir);
    if is_ours {
        identity::Keyring::made(&file)?;
    }
    let key = identity::Keyring::add_key(&file)?;
    say(&format!(
        "The key {key} is the first in {} now, and servers seal with it from now on. To seal what is there anew: sandbox \
         secrets rekey",
        file.display()
    ))
}

/// What the engine refuses, as whoever runs the machine reads it.
fn in_words(error: engine::Error) -> anyhow::Error {
    match error {
        engine::Error::Internal(error) => error,
        refused => anyhow::anyhow!("{}", refused.problem().detail),
    }
}

/// Writes a line for whoever started the program; a reader that has gone is no reason to fail.
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
