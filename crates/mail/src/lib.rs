//! Letters by SMTP.
//!
//! What this room deliberately does not know: what is in a letter, when it is tried again, and who may have one written.
//! lettre's types stop here.

mod message;
mod options;

pub use options::{Options, Tls};

use anyhow::Context as _;
use async_trait::async_trait;
use engine::ports::{Mail, Post, Unsent};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls as Wire, TlsParameters},
    },
};
use std::time::Duration;

/// How long a mail server may take over one step of the conversation; a letter's lease in the engine is longer than a
/// conversation of them.
const PATIENCE: Duration = Duration::from_secs(20);

/// One mail server, and whom letters come from.
pub struct Smtp {
    site: String,
    from: message::From,
    server: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    /// The mail server that is configured, if there is one; what is wrong with it is told before anything starts. Links
    /// begin with `site`.
    pub fn new(options: &Options, site: Option<&str>) -> anyhow::Result<Option<Self>> {
        let Some(host) = &options.smtp_host else {
            return Ok(None);
        };
        let site =
            site.context("Letters carry links: say under which address people reach the server, --public-url.")?;
        let from = options.smtp_from.as_deref();
        let from = from.context("Say whom letters come from: --smtp-from \"Sandbox <sandbox@example.org>\".")?;
        let from = from.parse().context("The address of --smtp-from cannot be read.")?;
        let mut tls = TlsParameters::builder(host.clone());
        if let Some(file) = &options.smtp_ca {
            let read =
                std::fs::read(file).with_context(|| format!("The certificate {} cannot be read.", file.display()));
            tls = tls.add_root_certificate(Certificate::from_pem(&read?).context("--smtp-ca holds no certificate.")?);
        }
        let tls = tls
            .build()
            .context("The certificates of this machine cannot be read.")?;
        let (wire, usual) = match options.smtp_tls {
            Tls::Tls => (Wire::Wrapper(tls), 465),
            Tls::Starttls => (Wire::Required(tls), 587),
            Tls::None => (Wire::None, 25),
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.clone())
            .port(options.smtp_port.unwrap_or(usual))
            .tls(wire)
            .timeout(Some(PATIENCE));
        if let Some(user) = &options.smtp_user {
            let password = options.password()?.context(
                "--smtp-user has no password: say where it is with --smtp-password-file, or in SANDBOX_SMTP_PASSWORD.",
            )?;
            anyhow::ensure!(
                options.smtp_tls != Tls::None,
                "A password is not sent in the clear: use --smtp-tls tls or starttls."
            );
            server = server.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Some(Self {
            site: site.to_owned(),
            from,
            server: server.build(),
        }))
    }
}

#[async_trait]
impl Post for Smtp {
    fn site(&self) -> Option<&str> {
        Some(&self.site)
    }

    async fn send(&self, mail: &Mail) -> Result<(), Unsent> {
        let never = |what: &str| Unsent::Never(what.to_owned());
        let to: Address = mail.to.parse().map_err(|_| never("No letter can be addressed so."))?;
        let written = message::written(&self.from, to, mail, time::OffsetDateTime::now_utc());
        let (envelope, letter) = written.map_err(|_| never("The letter could not be written."))?;
        match self.server.send_raw(&envelope, &letter).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => {
                Err(Unsent::Never(format!("The mail server refused it: {}.", said(&error))))
            }
            Err(error) if error.is_transient() => Err(Unsent::Later(format!(
                "The mail server will not take it yet: {}.",
                said(&error)
            ))),
            Err(error) if error.is_tls() => Err(Unsent::Later(
                "The mail server does not speak TLS as this installation asks for it.".to_owned(),
            )),
            Err(error) if error.is_timeout() => {
                Err(Unsent::Later("The mail server does not answer in time.".to_owned()))
            }
            Err(_) => Err(Unsent::Later("The mail server cannot be reached.".to_owned())),
        }
    }
}

/// What a server said, in one short line.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    let text = source.unwrap_or_else(|| error.to_string());
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    text.trim().trim_end_matches('.').to_owned()
}
