//! What can be set, in one place: `sandbox --help` is the reference. Each room owns its own options; those of the doors
//! are here. Secrets never are arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// A console for coding agents that live in terminals: persistent sessions, on every device.
#[derive(Debug, Parser)]
#[command(name = "sandbox", version, about, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What the program is asked to be.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the console, the API and the terminals.
    Serve(Box<Serve>),
    /// Prints a new one-time sign-in link.
    SignInLink(Box<SignInLink>),
    /// Adds a member, or changes the role of one, and prints a sign-in link for them.
    Member(Box<Member>),
    /// Brings the database up to date and ends.
    Migrate(Box<Migrate>),
    /// Looks after the audit.
    Audit(Audit),
    /// Looks after the keys under which secrets are kept.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Prints the description of the REST API (OpenAPI 3.1).
    Openapi,
    /// What people do on their own machines.
    #[command(flatten)]
    Client(client::Command),
}

/// Everything that `sandbox serve` heeds.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub doors: Doors,
    #[command(flatten)]
    pub installation: Installation,
    #[command(flatten)]
    pub identity: identity::oidc::Options,
    #[command(flatten)]
    pub store: store::Options,
    #[command(flatten)]
    pub runtime: runtime::Options,
    #[command(flatten)]
    pub forward: Forward,
    #[command(flatten)]
    pub log: Log,
    /// Also print a fresh sign-in link when the installation is not new (always done on a terminal).
    #[arg(long, env = "SANDBOX_PRINT_LINK")]
    pub print_link: bool,
}

/// Everything that `sandbox sign-in-link` heeds.
#[derive(Debug, Args)]
pub struct SignInLink {
    /// Whom the link signs in; without it the first admin.
    #[arg(long)]
    pub email: Option<String>,
    /// The slug of their Organization, where the address has a seat in several. (--org is the installation's first.) A new
    /// member's is made where it does not exist; without it the first.
    #[arg(long = "in", value_name = "ORG")]
    pub organization: Option<String>,
    /// The address under which people reach the server; without it the one that it noted at its last start.
    #[arg(long, env = "SANDBOX_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub installation: Installation,
    #[command(flatten)]
    pub store: store::Options,
    #[command(flatten)]
    pub runtime: runtime::Options,
}

/// Everything that `sandbox member` heeds.
#[derive(Debug, Args)]
pub struct Member {
    /// The name that others see; without it the part of the address before the @.
    #[arg(long)]
    pub name: Option<String>,
    /// `developer`, `org-admin` or `super-admin`.
    #[arg(long, default_value = "developer", value_parser = role)]
    pub role: domain::Role,
    /// The issuer of an identity provider that knows them: whoever it proves under --subject is this member.
    #[arg(long, requires = "subject")]
    pub issuer: Option<String>,
    /// The provider's name for them (`sub`).
    #[arg(long, requires = "issuer")]
    pub subject: Option<String>,
    #[command(flatten)]
    pub link: SignInLink,
}

fn role(text: &str) -> Result<domain::Role, String> {
    domain::Role::from_name(text)
        .ok_or_else(|| "roles are viewer, developer, org-admin, owner and super-admin".to_owned())
}

/// Everything that `sandbox migrate` heeds.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub store: store::Options,
}

/// Everything that `sandbox audit` can do.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    pub task: AuditTask,
}

/// See [`Audit`].
#[derive(Debug, Subcommand)]
pub enum AuditTask {
    /// Walks along the chain of every Organization's entries and names the first that was changed, is missing or stands
    /// elsewhere; ends with 1 where there is one.
    Verify(Box<Verify>),
}

/// Everything that `sandbox audit verify` heeds.
#[derive(Debug, Args)]
pub struct Verify {
    /// Only the Organization with this slug.
    #[arg(long, value_name = "ORG")]
    pub organization: Option<String>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub store: store::Options,
}

/// What is done with secrets' keys; all of it while servers run.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Makes a new key that seals from now on, before those in the key file; the older ones still open what they sealed.
    /// Where keys come from the environment, it is printed.
    NewKey(Box<KeyPlace>),
    /// Seals every secret anew with the first key, a batch at a time. Asked again, it goes on where it was.
    Rekey(Box<Keyed>),
    /// Opens every secret and forgets it again; names those that cannot be read. Fails where there are any.
    Check(Box<Keyed>),
}

/// Where the keys are.
#[derive(Debug, Args)]
pub struct KeyPlace {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub keys: Keys,
}

/// Where the keys are, and what they keep.
#[derive(Debug, Args)]
pub struct Keyed {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub installation: Installation,
    #[command(flatten)]
    pub store: store::Options,
    #[command(flatten)]
    pub runtime: runtime::Options,
}

/// The keys under which secrets are kept. `SANDBOX_SECRETS_KEY` in the environment gives them as base64 of 32 bytes,
/// several separated by commas: the first seals, all open. (Never an argument: everybody on the machine reads those.)
#[derive(Clone, Debug, Args)]
pub struct Keys {
    /// The file with the keys under which secrets are kept, one a line, the first seals; only its owner may read it.
    /// Default: keys/secrets.key in the data folder, made at the first start. SANDBOX_SECRETS_KEY in the environment, as
    /// base64 of 32 bytes, goes before it.
    #[arg(long, env = "SANDBOX_SECRETS_KEY_FILE")]
    pub secrets_key_file: Option<PathBuf>,
}

/// The variable that gives keys themselves.
const KEY_VARIABLE: &str = "SANDBOX_SECRETS_KEY";

impl Keys {
    /// The keys themselves, where the environment gives them.
    pub fn given() -> Option<zeroize::Zeroizing<String>> {
        let given = std::env::var(KEY_VARIABLE).ok().map(zeroize::Zeroizing::new);
        given.filter(|keys| !keys.trim().is_empty())
    }

    /// The file, where they come from one, and whether it is made when it is not there.
    pub fn file(&self, data_dir: &std::path::Path) -> (PathBuf, bool) {
        match &self.secrets_key_file {
            Some(file) => (file.clone(), false),
            None => (data_dir.join("keys/secrets.key"), true),
        }
    }

    /// The keys.
    pub fn keyring(&self, data_dir: &std::path::Path) -> anyhow::Result<identity::Keyring> {
        if let Some(keys) = Self::given() {
            return identity::Keyring::given(&keys);
        }
        match self.file(data_dir) {
            (file, true) => identity::Keyring::made(&file),
            (file, false) => identity::Keyring::in_file(&file),
        }
    }
}

/// Where the server listens when nothing is said.
pub const LISTEN: &str = "127.0.0.1:7780";

/// Where everything is kept.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The folder for the database, workspaces and installed agents. Default: `sandbox` in the user's data folder.
    #[arg(long, env = "SANDBOX_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

impl Place {
    /// The folder, made if it is not there, as an absolute path: hosts outlive the server's working directory.
    pub fn made(&self) -> anyhow::Result<PathBuf> {
        use anyhow::Context as _;
        use std::os::unix::fs::DirBuilderExt as _;
        let home = || {
            std::env::var_os("HOME")
                .filter(|home| !home.is_empty())
                .map(PathBuf::from)
        };
        let xdg = || {
            std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let path = match &self.data_dir {
            Some(path) => path.clone(),
            None => xdg()
                .or_else(|| Some(home()?.join(".local/share")))
                .context("There is no HOME to keep data in. Say where with --data-dir.")?
                .join("sandbox"),
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("The data folder {} cannot be made.", path.display()))?;
        path.canonicalize()
            .with_context(|| format!("The data folder {} cannot be read.", path.display()))
    }
}

/// Where the server listens, and how much it lets in.
#[derive(Clone, Debug, Args)]
pub struct Doors {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "SANDBOX_LISTEN", default_value = LISTEN)]
    pub listen: SocketAddr,
    /// A proxy that ends TLS stands in front: cookies are `Secure`, and its X-Forwarded-For is believed.
    #[arg(long, env = "SANDBOX_BEHIND_TLS", conflicts_with = "insecure")]
    pub behind_tls: bool,
    /// Listen beyond this machine in plain HTTP: everybody on the way can read cookies and terminals.
    #[arg(long, env = "SANDBOX_INSECURE")]
    pub insecure: bool,
    /// The address under which people reach the server, such as https://sandbox.example.org. Without it a browser's
    /// Origin must match the Host it asks for.
    #[arg(long, env = "SANDBOX_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Connections at once.
    #[arg(long, env = "SANDBOX_CONNECTIONS", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// Terminal sockets at once for each person; live event streams as many again.
    #[arg(long, env = "SANDBOX_ATTACHMENTS_PER_PERSON", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub attachments_per_person: u32,
    /// Expensive requests (opening, installing, minting, signing in) a minute for each person or address.
    #[arg(long, env = "SANDBOX_EXPENSIVE_PER_MINUTE", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub expensive_per_minute: u32,
    /// Seconds until a request is given up.
    #[arg(long, env = "SANDBOX_REQUEST_TIMEOUT", default_value = "30", value_parser = seconds)]
    pub request_timeout: Duration,
    /// Seconds that requests under way are given at a stop.
    #[arg(long, env = "SANDBOX_STOP_GRACE", default_value = "10", value_parser = seconds)]
    pub stop_grace: Duration,
}

/// What this installation is.
#[derive(Clone, Debug, Args)]
pub struct Installation {
    /// The slug of the Organization that the first start makes.
    #[arg(long, env = "SANDBOX_ORG", default_value = "local")]
    pub org: String,
    /// The address of the super-admin whom the first start makes.
    #[arg(long, env = "SANDBOX_ADMIN_EMAIL", default_value = "admin@localhost")]
    pub admin_email: String,
    /// Whoever comes from an identity provider that names no Organization belongs to the one of --org.
    #[arg(long, env = "SANDBOX_SINGLE_TENANT")]
    pub single_tenant: bool,
    /// The plan that everybody is on: sandbox-free, sandbox-pro or sandbox-ent. Default: 4 CPU, 8 GiB, 50 GiB, 3 sessions.
    #[arg(long, env = "SANDBOX_PLAN")]
    pub plan: Option<String>,
    /// A TOML file whose agents replace, or are added to, those that ship.
    #[arg(long, env = "OPENOVA_SANDBOX_AGENTS_PATH")]
    pub agents_path: Option<PathBuf>,
    /// Days that the audit is kept; older entries are removed, the oldest first, and their removal is an entry. 0: for
    /// ever.
    #[arg(long, env = "SANDBOX_AUDIT_DAYS", default_value_t = 400, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub audit_days: u32,
    /// Days that tokens of somebody whose seat comes from an identity provider work without it having proven them: sign-ins
    /// and refreshes prove. After that they rest until the person signs in again.
    #[arg(long, env = "SANDBOX_CONFIRM_DAYS", default_value_t = engine::CONFIRM_DAYS, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=90))]
    pub confirm_days: u32,
    #[command(flatten)]
    pub keys: Keys,
}

impl Installation {
    /// What the engine decides by; a wrong file is told with its path.
    pub fn into_options(self) -> anyhow::Result<engine::Options> {
        use anyhow::Context as _;
        let Self {
            org,
            admin_email,
            single_tenant,
            plan,
            agents_path,
            audit_days,
            confirm_days,
            keys: _,
        } = self;
        let mut catalogue = domain::agent::Catalogue::shipped();
        if let Some(path) = agents_path {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("The catalogue {} cannot be read.", path.display()))?;
            let other = domain::agent::Catalogue::from_toml(&text)
                .with_context(|| format!("The catalogue {} is wrong.", path.display()))?;
            catalogue = catalogue.overlaid(other);
        }
        Ok(engine::Options {
            org,
            admin_email,
            single_tenant,
            plan,
            catalogue,
            audit_days: (audit_days > 0).then_some(audit_days),
            confirm_days,
            git_base: None,
        })
    }
}

/// What goes out by itself: letters to whom is invited, and the audit to whoever gets it.
#[derive(Clone, Debug, Default, Args)]
pub struct Forward {
    #[command(flatten)]
    pub mail: mail::Options,
    /// Hand every audit entry on, at least once and in order: https://… (JSON lines, signed), syslog+tcp://host:601 or
    /// syslog+udp://host:514 (RFC 5424). A receiver that is new begins with the oldest entry.
    #[arg(long, env = "SANDBOX_AUDIT_FORWARD", value_name = "URL")]
    pub audit_forward: Option<String>,
    /// The file with the key that signs what a webhook is sent (`x-sandbox-signature`), at least 16 bytes.
    #[arg(
        long,
        env = "SANDBOX_AUDIT_FORWARD_KEY",
        value_name = "FILE",
        requires = "audit_forward"
    )]
    pub audit_forward_key: Option<PathBuf>,
}

impl Forward {
    /// The key, without the line feed at its end; a file that others may read is refused.
    pub fn key(&self) -> anyhow::Result<Option<Vec<u8>>> {
        use anyhow::Context as _;
        use std::os::unix::fs::MetadataExt as _;
        let Some(path) = &self.audit_forward_key else {
            return Ok(None);
        };
        let wrong = || format!("The key {} cannot be read.", path.display());
        let mode = std::fs::metadata(path).with_context(wrong)?.mode();
        anyhow::ensure!(
            mode & 0o077 == 0,
            "Others may read the key {}. Take that away: chmod 600.",
            path.display()
        );
        let text = std::fs::read(path).with_context(wrong)?;
        let key = text.trim_ascii().to_vec();
        anyhow::ensure!(key.len() >= 16, "The key {} has fewer than 16 bytes.", path.display());
        Ok(Some(key))
    }
}

/// What is logged.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// What is logged, such as `info` or `server=debug,warn`.
    #[arg(long = "log", env = "SANDBOX_LOG", default_value = "info")]
    pub filter: String,
    /// How it is written.
    #[arg(long = "log-format", env = "SANDBOX_LOG_FORMAT", default_value = "human")]
    pub format: LogFormat,
}

/// See [`Log::format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object a line, for machines.
    Json,
}

/// Reads seconds, 1 to 3600.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("say seconds, 1 to 3600".to_owned()),
    }
}

/// Reads an origin: a scheme, a host and perhaps a port, and nothing behind it.
fn public_url(text: &str) -> Result<String, String> {
    let refuse = || "say an address without a path, such as https://sandbox.example.org".to_owned();
    let text = text.trim_end_matches('/');
    let uri: http::Uri = text.parse().map_err(|_| refuse())?;
    let whole = matches!(uri.scheme_str(), Some("http" | "https")) && uri.path() == "/" && uri.query().is_none();
    match uri.authority() {
        Some(authority) if whole && !authority.as_str().contains('@') => Ok(text.to_ascii_lowercase()),
        _ => Err(refuse()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_public_address_is_an_origin_and_nothing_else() {
        assert_eq!(
            public_url("https://Sandbox.example.org/"),
            Ok("https://sandbox.example.org".to_owned())
        );
        assert!(public_url("http://127.0.0.1:7780").is_ok());
        for wrong in [
            "",
            "sandbox",
            "ftp://x",
            "https://x/path",
            "https://u:p@x",
            "https://x?y",
        ] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn wrong_values_are_refused_with_a_sentence() {
        for wrong in [
            &["sandbox", "serve", "--listen", "here"][..],
            &["sandbox", "serve", "--request-timeout", "0"],
            &["sandbox", "serve", "--behind-tls", "--insecure"],
            &["sandbox", "serve", "--log-format", "xml"],
            &["sandbox", "serve", "--connections", "0"],
        ] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
