//! `sandbox`: reads what is asked of it, and does that.

use anyhow::Context as _;
use clap::Parser as _;
use server::{
    config::{Cli, Command, Member, Migrate, Serve, SignInLink},
    serve,
};
use std::io::{IsTerminal as _, Write as _};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Cli { command } = Cli::parse();
    match command {
        Command::Serve(options) => run(*options).await,
        Command::SignInLink(options) => sign_in_link(*options, None).await,
        Command::Member(options) => {
            let Member {
                name,
                role,
                organization,
                issuer,
                subject,
                link,
            } = *options;
            let member = Becomes {
                name,
                role,
                organization,
                identity: issuer.zip(subject),
            };
            sign_in_link(link, Some(member)).await
        }
        Command::Migrate(options) => {
            let Migrate { place, store } = *options;
            let version = store::migrate(&store, &place.made()?).await?;
            say(&format!("The database is up to date: {version}."))
        }
        Command::Openapi => say(&server::openapi()),
    }
}

async fn run(options: Serve) -> anyhow::Result<()> {
    let Serve {
        place,
        doors,
        installation,
        identity,
        store,
        runtime,
        log,
        print_link,
    } = options;
    server::start_log(&log)?;
    // Asked for before anything starts, so that no early signal is missed.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let public_url = doors.public_url.clone();
    let data_dir = place.made()?;
    let running = server::start(&data_dir, doors, installation, &identity, store, runtime).await?;
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

/// What somebody becomes.
struct Becomes {
    name: Option<String>,
    role: domain::Role,
    organization: Option<String>,
    /// A provider's issuer, and its name for them.
    identity: Option<(String, String)>,
}

/// Prints a link for somebody who is a member, or becomes one first.
async fn sign_in_link(options: SignInLink, member: Option<Becomes>) -> anyhow::Result<()> {
    let SignInLink {
        email,
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
    )
    .await?;
    engine.found().await.map_err(in_words)?;
    if let Some(member) = member {
        let Becomes {
            name,
            role,
            organization,
            identity,
        } = member;
        let email = email.as_deref().context("Say who: --email somebody@example.org")?;
        let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
        let organization = organization.unwrap_or(first);
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
    }
    let link = engine.sign_in_link(email.as_deref()).await.map_err(in_words)?;
    let origin = public_url.or_else(|| serve::noted_origin(&data_dir));
    let origin = origin.unwrap_or_else(|| format!("http://{}", server::config::LISTEN));
    say(&format!("Sign in: {origin}/sign-in/{}", link.secret))?;
    store.close().await;
    Ok(())
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
