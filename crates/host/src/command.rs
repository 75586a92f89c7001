//! The command line of `sandbox-host`.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Owns the terminals of one session; started by the server, and outlives it.
#[derive(Parser)]
#[command(name = "sandbox-host", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a session until it is told to stop.
    Run {
        /// The session's `HostSpec`, as JSON.
        #[arg(long)]
        spec: PathBuf,
        /// The agent's secrets come through standard input, as JSON: they are in no file.
        #[arg(long)]
        secrets_on_stdin: bool,
        #[command(flatten)]
        options: crate::Options,
    },
    /// Becomes a program that may touch and take only what it is given.
    Confine {
        /// The session's `Confinement`, as JSON.
        #[arg(long)]
        spec: PathBuf,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        argv: Vec<OsString>,
    },
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let result: Result<()> = match Args::parse().command {
        Command::Run {
            spec,
            secrets_on_stdin,
            options,
        } => crate::run(&spec, secrets_on_stdin, options),
        Command::Confine { spec, argv } => {
            let failed = crate::confine::exec(&spec, &argv);
            if let Err(error) = failed {
                eprintln!("{error:#}");
            }
            return ExitCode::from(crate::confine::NOT_STARTED as u8);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
