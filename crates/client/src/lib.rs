//! The command line on a person's own machine: signing in, sessions, agents, usage, and a terminal that is one more
//! device of a session.
//!
//! It is a client like any other: it speaks the published API with a personal access token, and to terminals the words of
//! `domain::wire`, with the very decisions that the page makes (`domain::link`). What this room deliberately does not
//! know: the engine, the store, the server's configuration. Start at [`Command`]; `attach.rs` is the terminal, `line.rs` the
//! way to the server.

mod agents;
mod api;
mod attach;
mod credentials;
mod line;
mod login;
mod out;
mod sessions;
mod table;
mod trouble;
mod usage;

use api::Api;
use clap::{Args, Subcommand};
use credentials::Credentials;
use std::process::ExitCode;
use trouble::Trouble;

/// What is printed below every `--help` of these commands.
const EXIT_CODES: &str = "\
Ends with 0 when done, 1 when refused or broken, 2 when misused, 3 when not signed in, 4 when there is no such thing or \
several could be meant, 5 when the server cannot be reached, and with 128 and the signal's number when ended by one.\n\n\
SANDBOX_SERVER names the server and SANDBOX_TOKEN the token (for programs: nothing is read or written then). NO_COLOR \
turns colours off.\n\n\
HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are heeded, and SSL_CERT_FILE and SSL_CERT_DIR name whom to trust in \
place of this machine's own authorities.";

/// What the command line does on a person's own machine.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Signs this machine in at a server: prints an address and a code, and waits until you have approved it there.
    #[command(after_help = EXIT_CODES)]
    Login(login::Login),
    /// Revokes this machine's token and forgets it.
    #[command(after_help = EXIT_CODES)]
    Logout(login::Logout),
    /// Lists, opens, attaches to and ends sessions.
    #[command(subcommand, visible_alias = "session", after_help = EXIT_CODES)]
    Sessions(sessions::Sessions),
    /// The same as `sandbox sessions attach`: makes this terminal one of a session's devices.
    #[command(after_help = EXIT_CODES)]
    Attach(attach::Attach),
    /// Lists the agents that can be opened.
    #[command(after_help = EXIT_CODES)]
    Agents(agents::Agents),
    /// Shows what your sessions used.
    #[command(after_help = EXIT_CODES)]
    Usage(usage::Usage),
}

/// Which server is meant.
#[derive(Clone, Debug, Default, Args)]
pub struct At {
    /// The server's address, such as https://sandbox.example.org. Without it the one that was signed in at last.
    #[arg(long, env = "SANDBOX_SERVER", value_parser = server)]
    server: Option<String>,
}

impl At {
    /// The API of the server that is meant, with the token that is known for it.
    fn api(&self) -> Result<Api, Trouble> {
        let token = std::env::var("SANDBOX_TOKEN")
            .ok()
            .filter(|token| !token.trim().is_empty());
        if let (Some(server), Some(token)) = (&self.server, &token) {
            return Api::new(server, Some(token.trim()));
        }
        let known = Credentials::load()?;
        let entry = known.of(self.server.as_deref());
        match (entry, token) {
            (Some(entry), None) => Api::new(&entry.server, Some(&entry.token)),
            (Some(entry), Some(token)) => Api::new(&entry.server, Some(token.trim())),
            (None, _) => Err(Trouble::signed_out(self.server.as_deref())),
        }
    }
}

/// Does what was asked, and says on standard error why not; what the process ends with.
pub async fn run(command: Command) -> ExitCode {
    // Two providers of cryptography make rustls panic; this is the one that everything here uses. Where one was chosen
    // before, it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match command {
        Command::Login(login) => login.run().await,
        Command::Logout(logout) => logout.run().await,
        Command::Sessions(sessions) => sessions.run().await,
        Command::Attach(attach) => attach.run().await,
        Command::Agents(agents) => agents.run().await,
        Command::Usage(usage) => usage.run().await,
    };
    match done {
        Ok(code) => code,
        Err(trouble) => {
            out::complain(&trouble.to_string());
            trouble.code()
        }
    }
}

/// Reads a server's address: a scheme, a host and perhaps a port. `http://` may be left out before a loopback address,
/// and stands for `https://` before any other.
fn server(text: &str) -> Result<String, String> {
    let text = text.trim();
    let whole = if text.contains("://") {
        text.to_owned()
    } else if is_loopback(text.rsplit_once(':').map_or(text, |(host, _)| host)) {
        format!("http://{text}")
    } else {
        format!("https://{text}")
    };
    let refused = || "say an address without a path, such as https://sandbox.example.org".to_owned();
    let url = reqwest::Url::parse(&whole).map_err(|_| refused())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain || url.host_str().is_none() {
        return Err(refused());
    }
    Ok(url.origin().ascii_serialization())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_origin_and_tls_is_what_is_meant() {
        for (text, meant) in [
            ("sandbox.example.org", "https://sandbox.example.org"),
            ("https://Sandbox.example.org:8443/", "https://sandbox.example.org:8443"),
            ("localhost:7780", "http://localhost:7780"),
            ("127.0.0.1:7780", "http://127.0.0.1:7780"),
            ("http://10.0.0.7:80", "http://10.0.0.7"),
        ] {
            assert_eq!(server(text).as_deref(), Ok(meant), "{text}");
        }
        for wrong in [
            "",
            "https://",
            "ftp://x",
            "https://x/path",
            "https://u:p@x",
            "https://x?y",
        ] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }
}
