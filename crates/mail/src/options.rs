//! What can be set of the post.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::{os::unix::fs::MetadataExt as _, path::PathBuf};
use zeroize::Zeroizing;

/// How invitations are sent. Without a host nothing is: whoever invites sends the link. The password comes from a file, or
/// from SANDBOX_SMTP_PASSWORD in the environment, never from an argument: everybody on the machine reads those.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// The mail server that invitations are sent by. Without one, whoever invites sends the link.
    #[arg(long, env = "SANDBOX_SMTP_HOST", value_name = "HOST")]
    pub smtp_host: Option<String>,
    /// Its port. Default: 465 for tls, 587 for starttls, 25 for none.
    #[arg(long, env = "SANDBOX_SMTP_PORT", value_name = "PORT", requires = "smtp_host")]
    pub smtp_port: Option<u16>,
    /// How the connection is kept from others: never in the clear unless it is said.
    #[arg(long, env = "SANDBOX_SMTP_TLS", value_name = "MODE", default_value = "tls")]
    pub smtp_tls: Tls,
    /// A PEM file with an authority to trust besides the machine's own.
    #[arg(long, env = "SANDBOX_SMTP_CA", value_name = "FILE", requires = "smtp_host")]
    pub smtp_ca: Option<PathBuf>,
    /// The name to sign in with there.
    #[arg(long, env = "SANDBOX_SMTP_USER", value_name = "NAME", requires = "smtp_host")]
    pub smtp_user: Option<String>,
    /// The file with its password; only its owner may read it. SANDBOX_SMTP_PASSWORD goes before it.
    #[arg(
        long,
        env = "SANDBOX_SMTP_PASSWORD_FILE",
        value_name = "FILE",
        requires = "smtp_user"
    )]
    pub smtp_password_file: Option<PathBuf>,
    /// Whom letters come from, such as "Sandbox <sandbox@example.org>".
    #[arg(long, env = "SANDBOX_SMTP_FROM", value_name = "ADDRESS", requires = "smtp_host")]
    pub smtp_from: Option<String>,
}

/// How a connection to a mail server is kept from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    /// From the first byte.
    #[default]
    Tls,
    /// Begun in the clear, and refused where the server will not go on in TLS.
    Starttls,
    /// In the clear: for a server on this machine.
    None,
}

impl Options {
    /// The password, without the line feed at its end; a file that others may read is refused.
    pub(crate) fn password(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        if let Some(given) = std::env::var("SANDBOX_SMTP_PASSWORD")
            .ok()
            .filter(|given| !given.is_empty())
        {
            return Ok(Some(Zeroizing::new(given)));
        }
        let Some(path) = &self.smtp_password_file else {
            return Ok(None);
        };
        let wrong = || format!("The password {} cannot be read.", path.display());
        let mode = std::fs::metadata(path).with_context(wrong)?.mode();
        anyhow::ensure!(
            mode & 0o077 == 0,
            "Others may read the password {}. Take that away: chmod 600.",
            path.display()
        );
        let text = Zeroizing::new(std::fs::read_to_string(path).with_context(wrong)?);
        Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
    }
}
