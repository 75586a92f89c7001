//! Which providers there are: a file for several, the environment for one.

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use domain::{OrgId, claims::Rules};
use serde::Deserialize;
use std::{collections::HashSet, fmt, path::PathBuf, time::Duration};
use url::{Host, Url};

/// The client's secret of the one provider of the environment. Never an argument: those can be read by everybody.
const SECRET: &str = "SANDBOX_OIDC_CLIENT_SECRET";
/// So many providers can be configured.
const PROVIDERS_MAX: usize = 200;

/// Identity providers, by OpenID Connect.
#[derive(Clone, Debug, Default, Args)]
// Rooms are flattened into one command line, where every group has a name of its own.
#[group(id = "oidc")]
pub struct Options {
    /// A TOML file of identity providers (docs/identity.md).
    #[arg(long, env = "SANDBOX_OIDC_CONFIG")]
    pub oidc_config: Option<PathBuf>,
    /// The issuer of one provider, where there is no file; its client's secret is taken from SANDBOX_OIDC_CLIENT_SECRET.
    #[arg(long, env = "SANDBOX_OIDC_ISSUER", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,
    /// The name under which the provider knows this installation.
    #[arg(long, env = "SANDBOX_OIDC_CLIENT_ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// A file with the client's secret; without any secret the client is a public one.
    #[arg(long, env = "SANDBOX_OIDC_CLIENT_SECRET_FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What the provider is asked for, separated by spaces.
    #[arg(long, env = "SANDBOX_OIDC_SCOPES", default_value = SCOPES)]
    pub oidc_scopes: String,
    /// What the button on the sign-in page says.
    #[arg(long, env = "SANDBOX_OIDC_LABEL", default_value = "Single sign-on")]
    pub oidc_label: String,
    /// The claim that names a person's Organization, instead of `org_id` and `org`.
    #[arg(long, env = "SANDBOX_OIDC_ORG_CLAIM")]
    pub oidc_org_claim: Option<String>,
    /// The claim that lists a person's groups, instead of `groups`.
    #[arg(long, env = "SANDBOX_OIDC_GROUPS_CLAIM")]
    pub oidc_groups_claim: Option<String>,
    /// The claim with a person's e-mail address, instead of `email`.
    #[arg(long, env = "SANDBOX_OIDC_EMAIL_CLAIM")]
    pub oidc_email_claim: Option<String>,
    /// Seconds that a provider is given for an answer, 1 to 60.
    #[arg(long, env = "SANDBOX_OIDC_TIMEOUT", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub oidc_timeout: u64,
}

/// What is asked for where nothing is said.
const SCOPES: &str = "openid profile email";

/// One provider, as it is configured.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name in addresses: a slug.
    pub id: String,
    /// What its button says.
    pub label: String,
    pub issuer: String,
    pub client_id: String,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    client_secret_file: Option<PathBuf>,
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The one Organization that it speaks for.
    #[serde(default)]
    pub org: Option<OrgId>,
    /// A verified e-mail address makes somebody the member who has that address already.
    #[serde(default)]
    pub trust_email: bool,
    /// Audiences that may stand beside this client in a token.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Also ask for the claims that are not in the token.
    #[serde(default)]
    pub userinfo: bool,
    /// Allow http:// beyond this machine: everybody on the way can sign in as anybody.
    #[serde(default)]
    pub plain_http: bool,
    /// What claims mean.
    #[serde(default, rename = "claims")]
    pub rules: Rules,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("client_secret", &"****")
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The client's secret; `None`: a public client.
    pub fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    provider: Vec<Settings>,
}

fn scopes() -> Vec<String> {
    SCOPES.split(' ').map(str::to_owned).collect()
}

impl Options {
    /// Every provider, checked.
    pub(super) fn settings(&self) -> Result<Vec<Settings>> {
        let mut all = Vec::new();
        if let Some(path) = &self.oidc_config {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("The file of providers {} cannot be read.", path.display()))?;
            let file: File =
                toml::from_str(&text).with_context(|| format!("The file of providers {} is wrong.", path.display()))?;
            all = file.provider;
        }
        if let (Some(issuer), Some(client_id)) = (&self.oidc_issuer, &self.oidc_client_id) {
            let mut rules = Rules::default();
            if let Some(claim) = &self.oidc_org_claim {
                rules.org = vec![claim.clone()];
            }
            if let Some(claim) = &self.oidc_groups_claim {
                for rule in rules.roles.iter_mut().filter(|rule| rule.claim == rules.groups) {
                    rule.claim.clone_from(claim);
                }
                rules.groups.clone_from(claim);
            }
            if let Some(claim) = &self.oidc_email_claim {
                rules.email.clone_from(claim);
            }
            all.push(Settings {
                id: "sso".to_owned(),
                label: self.oidc_label.clone(),
                issuer: issuer.clone(),
                client_id: client_id.clone(),
                client_secret: std::env::var(SECRET).ok().filter(|secret| !secret.is_empty()),
                client_secret_file: self.oidc_client_secret_file.clone(),
                scopes: self.oidc_scopes.split_whitespace().map(str::to_owned).collect(),
                org: None,
                trust_email: false,
                audiences: Vec::new(),
                userinfo: false,
                plain_http: false,
                rules,
            });
        }
        ensure!(
            all.len() <= PROVIDERS_MAX,
            "At most {PROVIDERS_MAX} providers can be configured."
        );
        let mut ids = HashSet::new();
        for settings in &mut all {
            settings.check()?;
            if !ids.insert(settings.id.clone()) {
                bail!("Two providers have the id {}. Give each its own.", settings.id);
            }
        }
        Ok(all)
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.oidc_timeout.clamp(1, 60))
    }
}

impl Settings {
    fn check(&mut self) -> Result<()> {
        let id = &self.id;
        let is_slug = |id: &str| {
            (1..=32).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        ensure!(
            is_slug(id),
            "The provider id {id:?} is wrong: 1 to 32 lower-case letters, digits or dashes."
        );
        ensure!(
            (1..=100).contains(&self.label.trim().chars().count()),
            "The provider {id} needs a label of 1 to 100 characters."
        );
        ensure!(!self.client_id.is_empty(), "The provider {id} needs a client_id.");
        let issuer: Url = self
            .issuer
            .parse()
            .with_context(|| format!("The issuer of the provider {id} is no address."))?;
        let is_near = match issuer.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let is_safe = issuer.scheme() == "https" || (issuer.scheme() == "http" && (is_near || self.plain_http));
        ensure!(
            is_safe && issuer.query().is_none() && issuer.fragment().is_none() && issuer.username().is_empty(),
            "The issuer of the provider {id} must be an https:// address without a query: {}",
            self.issuer
        );
        if let Some(org) = &self.org {
            domain::org::slug(org.as_str())
                .map_err(|problem| anyhow::anyhow!("The org of the provider {id} is wrong: {}", problem.detail))?;
        }
        if let Some(path) = &self.client_secret_file {
            ensure!(
                self.client_secret.is_none(),
                "The provider {id} has both a client secret and a file of one. Choose."
            );
            let secret = std::fs::read_to_string(path)
                .with_context(|| format!("The client secret {} cannot be read.", path.display()))?;
            self.client_secret = Some(secret.trim().to_owned()).filter(|secret| !secret.is_empty());
            ensure!(
                self.client_secret.is_some(),
                "The file {} holds no secret.",
                path.display()
            );
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            self.scopes.insert(0, "openid".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Role;
    use std::io::Write as _;

    fn read(text: &str) -> Result<Vec<Settings>> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        let options = Options {
            oidc_config: Some(file.path().to_owned()),
            ..Options::default()
        };
        options.settings()
    }

    const ACME: &str = "[[provider]]\nid = 'acme'\nlabel = 'Acme'\nissuer = 'https://id.acme.example/realms/main'\n\
                        client_id = 'sandbox'\nclient_secret = 'hush'\n";

    #[test]
    fn a_file_holds_several_providers_with_their_rules() {
        let text = format!(
            "{ACME}org = 'acme'\ntrust_email = true\n[provider.claims]\norg = ['tenant']\n\
             [[provider.claims.roles]]\nclaim = 'team'\nvalue = 'ops'\nrole = 'org-admin'\n\
             [[provider]]\nid = 'all'\nlabel = 'All'\nissuer = 'http://127.0.0.1:9'\nclient_id = 'x'\n"
        );
        let all = read(&text).expect("good");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].client_secret(), Some("hush"));
        assert_eq!(all[0].rules.org, ["tenant"]);
        assert_eq!(all[0].rules.roles[0].role, Role::OrgAdmin);
        assert_eq!(all[0].rules.groups, "groups", "what is not said stays as published");
        assert_eq!(all[1].scopes, ["openid", "profile", "email"]);
        assert!(!format!("{all:?}").contains("hush"));
    }

    #[test]
    fn what_is_wrong_is_told_in_a_sentence() {
        for (text, word) in [
            (ACME.replace("https", "http"), "https"),
            (ACME.replace("https://", ""), "address"),
            (ACME.replace("'acme'", "'Acme/../x'"), "id"),
            (ACME.replace("'sandbox'", "''"), "client_id"),
            (ACME.replace("client_id", "client"), "wrong"),
            (format!("{ACME}org = 'prod'\n"), "reserved"),
            (format!("{ACME}client_secret_file = '/nowhere'\n"), "Choose"),
            (format!("{ACME}{ACME}"), "own"),
            ("[[provider]".to_owned(), "wrong"),
        ] {
            let error = format!("{:#}", read(&text).expect_err(&text));
            assert!(error.contains(word), "{error} should say {word}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
