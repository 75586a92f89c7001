//! What a provider says it is like, and its keys: asked for when they are needed, kept for a while.

use super::{
    http::Http,
    words::{Voice, causes},
};
use anyhow::Result;
use domain::Timestamp;
use engine::ports::Clock;
use openidconnect::{
    AdditionalProviderMetadata, EndSessionUrl, IssuerUrl, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
        CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// What discovery said is believed for so long, in seconds.
const FRESH_SECONDS: i64 = 3600;
/// A provider that did not answer is left alone for so long, in seconds.
const REST_SECONDS: i64 = 5;
/// Keys are fetched anew for unknown names at most so often…
const ROTATIONS_MAX: usize = 5;
/// …in so many seconds.
const ROTATION_SECONDS: i64 = 60;

/// What discovery says beyond what the library reads.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct More {
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    /// OpenID Connect Initiating User Registration 1.0, section 4.1; few say it.
    prompt_values_supported: Option<Vec<String>>,
}

impl More {
    /// What makes the provider ask somebody who they are: every one has to know `login` (OpenID Connect Core 1.0, sections
    /// 3.1.2.1 and 15.1), unless it says that it knows but `select_account`.
    pub(super) fn prompt_that_asks(&self) -> CoreAuthPrompt {
        let knows = |wanted: &str| {
            let known = self.prompt_values_supported.as_ref();
            known.is_some_and(|known| known.iter().any(|value| value == wanted))
        };
        if knows("select_account") && !knows("login") {
            CoreAuthPrompt::SelectAccount
        } else {
            CoreAuthPrompt::Login
        }
    }
}

impl AdditionalProviderMetadata for More {}

pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What is known of one provider.
pub(super) struct Discovery {
    pub(super) address: IssuerUrl,
    pub(super) voice: Voice,
    pub(super) http: Http,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) memory: Mutex<Memory>,
}

#[derive(Default)]
pub(super) struct Memory {
    known: Option<(Arc<Metadata>, Timestamp)>,
    /// Why it could not be asked, and when that was tried.
    trouble: Option<(String, Timestamp)>,
    asking: bool,
    rotations: Vec<Timestamp>,
}

impl Discovery {
    /// Why it cannot be asked, where nothing is known of it.
    pub(super) fn trouble(&self) -> Option<String> {
        let memory = self.memory();
        let trouble = memory.trouble.as_ref().filter(|_| memory.known.is_none());
        trouble.map(|_| format!("{} does not answer at the moment.", self.voice.label))
    }

    /// Asks in the background what the provider is like, where that is not known and was not tried just now.
    pub(super) fn ask_again(self: Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        {
            let mut memory = self.memory();
            if memory.known.is_some() || memory.asking || self.rests(&memory) {
                return;
            }
            memory.asking = true;
        }
        runtime.spawn(async move {
            // What went wrong is remembered, and told by the sign-in page.
            let _ = self.metadata().await;
            self.memory().asking = false;
        });
    }

    /// What discovery says, asked for anew where that was long ago. A provider that does not answer then is believed
    /// what it said before.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>> {
        let now = self.clock.now();
        let before = {
            let memory = self.memory();
            match &memory.known {
                Some((known, at)) if now.seconds_since(*at) < FRESH_SECONDS => return Ok(known.clone()),
                _ if self.rests(&memory) => match &memory.known {
                    Some((known, _)) => return Ok(known.clone()),
                    None => return Err(self.voice.unavailable()),
                },
                known => known.as_ref().map(|(known, _)| known.clone()),
            }
        };
        match (self.discover().await, before) {
            (Ok(found), _) => Ok(found),
            (Err(_), Some(before)) => Ok(before),
            (Err(error), None) => Err(error),
        }
    }

    async fn discover(&self) -> Result<Arc<Metadata>> {
        let http = self.http.caller();
        let found = Metadata::discover_async(self.address.clone(), &http).await;
        let now = self.clock.now();
        let found = found
            .map_err(|error| causes(&error))
            .and_then(|found| match self.is_safe(&found) {
                true => Ok(Arc::new(found)),
                false => Err("its addresses are not all https://".to_owned()),
            });
        let mut memory = self.memory();
        match found {
            Ok(found) => {
                memory.known = Some((found.clone(), now));
                memory.trouble = None;
                Ok(found)
            }
            Err(why) => {
                tracing::warn!(
                    provider = self.voice.id,
                    why,
                    "an identity provider does not say what it is like"
                );
                memory.trouble = Some((why, now));
                Err(self.voice.unavailable())
            }
        }
    }

    /// Whether the provider was found not to answer just now.
    fn rests(&self, memory: &Memory) -> bool {
        let trouble = memory.trouble.as_ref();
        trouble.is_some_and(|(_, at)| self.clock.now().seconds_since(*at) < REST_SECONDS)
    }

    /// Fetches the keys once more, unless that was done too often lately: whoever sends tokens with made-up keys must
    /// not make us ask for each.
    pub(super) async fn rotated(&self) -> Result<Option<Arc<Metadata>>> {
        let now = self.clock.now();
        {
            let mut memory = self.memory();
            memory.rotations.retain(|at| now.seconds_since(*at) < ROTATION_SECONDS);
            if memory.rotations.len() >= ROTATIONS_MAX {
                return Ok(None);
            }
            memory.rotations.push(now);
        }
        self.discover().await.map(Some)
    }

    /// A provider that is asked over TLS sends nobody anywhere else in the clear.
    fn is_safe(&self, metadata: &Metadata) -> bool {
        let is_tls = |address: &str| address.starts_with("https://");
        !is_tls(self.address.as_str())
            || [
                Some(metadata.authorization_endpoint().as_str()),
                metadata.token_endpoint().map(|place| place.as_str()),
                metadata.userinfo_endpoint().map(|place| place.as_str()),
                Some(metadata.jwks_uri().as_str()),
            ]
            .into_iter()
            .flatten()
            .all(is_tls)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
