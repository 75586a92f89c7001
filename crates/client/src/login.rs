//! Signing this machine in and out.

use crate::{
    At,
    api::Api,
    credentials::{Credentials, Entry},
    is_loopback, out,
    trouble::{Kind, Trouble},
};
use clap::Args;
use serde_json::{Value, json};
use std::{process::ExitCode, time::Duration};

/// What `sandbox login` heeds.
#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    at: At,
    /// What this machine is called where you approve it, and in your list of tokens. Without it its host name.
    #[arg(long)]
    name: Option<String>,
    /// The capabilities to ask for, separated by blanks, such as "sandbox.session.* sandbox.usage.see". Without it all that
    /// you may.
    #[arg(long, default_value = "", hide_default_value = true)]
    scope: String,
}

impl Login {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        let Self { at, name, scope } = self;
        let mut known = Credentials::load()?;
        let server = at.server.or_else(|| known.of(None).map(|entry| entry.server.clone()));
        let server = server.ok_or_else(|| Trouble::signed_out(None))?;
        if server.starts_with("http://")
            && !reqwest::Url::parse(&server).is_ok_and(|url| is_loopback(url.host_str().unwrap_or_default()))
        {
            out::tell("Note: everybody on the way can read what goes to this server: it is reached without TLS.");
        }
        let api = Api::new(&server, None)?;
        let name = name.unwrap_or_else(host_name);
        let codes = api
            .post("/auth/device", Some(&json!({ "name": name, "scope": scope })))
            .await?
            .json;
        let text = |field: &str| out::clean(codes[field].as_str().unwrap_or_default());
        out::say(&format!(
            "Open this address in a browser in which you are signed in:\n\n    {}\n",
            text("verification_uri_complete")
        ))?;
        out::say(&format!(
            "or {} and type the code {}.\n",
            text("verification_uri"),
            text("user_code")
        ))?;
        out::tell("Waiting until you have approved it there (Ctrl-C gives up) …");
        let token = wait(&api, &codes).await?;
        let field = |name: &str| token[name].as_str().unwrap_or_default().to_owned();
        let entry = Entry {
            server: server.clone(),
            token: field("access_token"),
            token_id: field("jti"),
            expires_at: field("expires_at"),
        };
        let me = Api::new(&server, Some(&entry.token))?.get("/api/v1/me").await?.json;
        let before = known.of(Some(&server)).cloned();
        known.keep(entry)?;
        if let Some(before) = before {
            // Nobody holds the token of an earlier sign-in any more. Where it is gone already, nothing is left to do.
            let _ = Api::new(&server, Some(&before.token))?
                .delete(&format!("/api/v1/tokens/{}", before.token_id))
                .await;
        }
        out::say(&format!(
            "Signed in at {server} as {} ({}), until {}.",
            out::clean(me["email"].as_str().unwrap_or_default()),
            out::clean(me["org"].as_str().unwrap_or_default()),
            field("expires_at").get(..10).unwrap_or_default(),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks for the token as often as the server allows, until somebody has answered.
async fn wait(api: &Api, codes: &Value) -> Result<Value, Trouble> {
    let ask = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": codes["device_code"],
    });
    let mut interval = codes["interval"].as_u64().unwrap_or(5).clamp(1, 60);
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        let refused = match api.post("/auth/device/token", Some(&ask)).await {
            Ok(token) => return Ok(token.json),
            Err(refused) => refused,
        };
        match refused.code.as_str() {
            "authorization_pending" => {}
            // RFC 8628, section 3.5: five seconds more, from now on.
            "slow_down" => interval += 5,
            "access_denied" => return Err(Trouble::refused("You said no to this machine: it is not signed in.")),
            "expired_token" => {
                return Err(Trouble::refused(
                    "The code has expired before it was approved. Run sandbox login again.",
                ));
            }
            // A server that restarts, or a train in a tunnel: the code still holds.
            _ if refused.passing => interval = (interval + 1).min(60),
            _ => return Err(refused.into()),
        }
    }
}

/// What `sandbox logout` heeds.
#[derive(Debug, Args)]
pub struct Logout {
    #[command(flatten)]
    at: At,
}

impl Logout {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        let mut known = Credentials::load()?;
        let Some(entry) = known.of(self.at.server.as_deref()).cloned() else {
            return Err(Trouble::signed_out(self.at.server.as_deref()));
        };
        let api = Api::new(&entry.server, Some(&entry.token))?;
        let revoked = api.delete(&format!("/api/v1/tokens/{}", entry.token_id)).await;
        // What cannot be revoked is kept: somebody who signs out wants it to be over, and not only here.
        match revoked {
            Ok(_) => {}
            // It has ended already.
            Err(refused) if refused.trouble.kind() == Kind::SignedOut => {}
            Err(refused) => return Err(refused.into()),
        }
        known.forget(&entry.server)?;
        out::say(&format!("Signed out at {}.", entry.server))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}
