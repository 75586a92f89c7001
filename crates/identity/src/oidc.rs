//! Identity providers that speak OpenID Connect: discovery, the authorization code with PKCE, checked tokens, refreshing,
//! and signing out from either side.
//!
//! Every address comes from discovery. What goes to a browser and comes back is not trusted: state, nonce and verifier
//! stay here, encrypted. Start at [`Oidc`]; one provider is an [`issuer::Issuer`].

mod config;
mod discovery;
mod http;
mod issuer;
mod seal;
mod token;
mod words;

pub use config::{Options, Settings};

use crate::oidc::{http::Http, issuer::Issuer, seal::Seal};
use anyhow::Result;
use async_trait::async_trait;
use engine::ports::{Answer, Begun, Clock, Proven, Provider, Providers, Refreshed, SignedOut, Whom, no_such_provider};
use std::{path::Path, sync::Arc};

/// The providers of an installation.
pub struct Oidc {
    issuers: Vec<Issuer>,
}

impl Oidc {
    /// Reads what is configured; what is wrong is told in a sentence. No provider is asked yet: one that does not
    /// answer keeps nobody from starting.
    pub fn new(data_dir: &Path, options: &Options, clock: &Arc<dyn Clock>) -> Result<Self> {
        let settings = options.settings()?;
        if settings.is_empty() {
            return Ok(Self { issuers: Vec::new() });
        }
        let http = Http::new(options.timeout())?;
        let seal = Arc::new(Seal::open(data_dir)?);
        let issuer = |settings| Issuer::new(settings, http.clone(), seal.clone(), clock.clone());
        Ok(Self {
            issuers: settings.into_iter().map(issuer).collect::<Result<_>>()?,
        })
    }

    fn find(&self, provider: &str) -> Result<&Issuer> {
        let found = self.issuers.iter().find(|issuer| issuer.id() == provider);
        found.ok_or_else(|| no_such_provider().into())
    }
}

#[async_trait]
impl Providers for Oidc {
    fn list(&self) -> Vec<Provider> {
        self.issuers
            .iter()
            .map(|issuer| {
                issuer.ask_again();
                issuer.described()
            })
            .collect()
    }

    async fn begin(&self, provider: &str, state: &str, redirect: &str, whom: Whom) -> Result<Begun> {
        self.find(provider)?.begin(state, redirect, whom).await
    }

    async fn complete(&self, provider: &str, state: &str, sealed: &str, answer: &Answer) -> Result<Proven> {
        self.find(provider)?.complete(state, sealed, answer).await
    }

    async fn refresh(&self, provider: &str, subject: &str, kept: &str) -> Result<Refreshed> {
        self.find(provider)?.refresh(subject, kept).await
    }

    async fn sign_out(&self, provider: &str, subject: &str, kept: &str, back: &str) -> Result<Option<String>> {
        self.find(provider)?.sign_out(subject, kept, back).await
    }

    async fn signed_out(&self, provider: &str, token: &str) -> Result<SignedOut> {
        self.find(provider)?.signed_out(token).await
    }
}
