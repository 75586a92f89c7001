//! One provider: what discovery says of it, and the conversations with it.

use super::{
    config::Settings,
    http::{Failed, Http},
    seal::Seal,
    token::{Check, Once, Right, Wrong},
};
use anyhow::Result;
use domain::Timestamp;
use engine::ports::{Answer, Begun, Clock, Proven, Provider, Refreshed, Refusal, SignedOut};
use openidconnect::{
    AccessToken, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndSessionUrl, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadata, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, TokenResponse as _, http,
    core::{
        CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreErrorResponseType, CoreGrantType, CoreIdToken, CoreJsonWebKey, CoreJsonWebKeySet,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType, CoreTokenResponse,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// What discovery said is believed for so long, in seconds.
const FRESH_SECONDS: i64 = 3600;
/// A provider that did not answer is left alone for so long, in seconds.
const REST_SECONDS: i64 = 5;
/// Keys are fetched anew for unknown names at most so often…
const ROTATIONS_MAX: usize = 5;
/// …in so many seconds.
const ROTATION_SECONDS: i64 = 60;
/// A provider is asked again at least this often, in seconds.
const ASK_SECONDS_MAX: i64 = 3600;
/// For how long a token is taken to hold whose provider does not say, in seconds.
const HOLDS_SECONDS: i64 = 300;
/// The most claims that are kept, in bytes of JSON.
const CLAIMS_MAX: usize = 64 * 1024;

/// What discovery says beyond what the library reads.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct More {
    end_session_endpoint: Option<EndSessionUrl>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
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

/// A client that can ask for tokens.
type TokenClient =
    CoreClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet>;
type Sent = futures::future::BoxFuture<'static, Result<HttpResponse, Failed>>;

/// What a sign-in under way needs, on its way through the store.
#[derive(Serialize, Deserialize)]
struct UnderWay {
    verifier: String,
    nonce: String,
    redirect: String,
}

/// What is kept of the tokens of a login.
#[derive(Serialize, Deserialize)]
struct Kept {
    nonce: String,
    id_token: String,
    refresh: Option<String>,
}

/// A provider, and what is known of it.
pub(super) struct Issuer {
    settings: Settings,
    address: IssuerUrl,
    client: ClientId,
    http: Http,
    seal: Arc<Seal>,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    known: Option<(Arc<Metadata>, Timestamp)>,
    /// Why it could not be asked, and when that was tried.
    trouble: Option<(String, Timestamp)>,
    asking: bool,
    rotations: Vec<Timestamp>,
}

impl Issuer {
    pub(super) fn new(settings: Settings, http: Http, seal: Arc<Seal>, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            address: IssuerUrl::new(settings.issuer.clone())?,
            client: ClientId::new(settings.client_id.clone()),
            settings,
            http,
            seal,
            clock,
            memory: Mutex::default(),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.settings.id
    }

    pub(super) fn described(&self) -> Provider {
        let memory = self.memory();
        let trouble = memory.trouble.as_ref().filter(|_| memory.known.is_none());
        Provider {
            id: self.settings.id.clone(),
            label: self.settings.label.clone(),
            issuer: self.settings.issuer.clone(),
            org: self.settings.org.clone(),
            rules: self.settings.rules.clone(),
            trusts_email: self.settings.trust_email,
            trouble: trouble.map(|_| format!("{} does not answer at the moment.", self.settings.label)),
        }
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

    pub(super) async fn begin(&self, state: &str, redirect: &str) -> Result<Begun> {
        let metadata = self.metadata().await?;
        let client = CoreClient::new(self.client.clone(), self.address.clone(), CoreJsonWebKeySet::default())
            .set_auth_uri(metadata.authorization_endpoint().clone())
            .set_redirect_uri(RedirectUrl::new(redirect.to_owned())?)
            .disable_openid_scope();
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = Nonce::new_random_len(32);
        let (once, token) = (nonce.clone(), CsrfToken::new(state.to_owned()));
        let url = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || token,
                || once,
            )
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url()
            .0;
        let under_way = UnderWay {
            verifier: verifier.secret().clone(),
            nonce: nonce.secret().clone(),
            redirect: redirect.to_owned(),
        };
        let sealed = self
            .seal
            .seal(&serde_json::to_string(&under_way)?, &self.purpose("flow", state))?;
        Ok(Begun {
            url: url.into(),
            sealed,
        })
    }

    pub(super) async fn complete(&self, state: &str, sealed: &str, answer: &Answer) -> Result<Proven> {
        let metadata = self.metadata().await?;
        match &answer.iss {
            Some(iss) if *iss != self.settings.issuer => {
                return Err(self.distrust("the answer is of another provider"));
            }
            None if metadata.additional_metadata().authorization_response_iss_parameter_supported => {
                return Err(self.distrust("the answer does not say which provider it is of"));
            }
            _ => {}
        }
        if let Some(error) = &answer.error {
            return Err(self.declined(error));
        }
        let code = answer.code.clone().filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| self.distrust("the answer holds no code"))?;
        let under_way: UnderWay = serde_json::from_str(&self.seal.reveal(sealed, &self.purpose("flow", state))?)?;
        let http = self.client();
        let client = self
            .token_client(&metadata)?
            .set_redirect_uri(RedirectUrl::new(under_way.redirect)?);
        let asked = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(under_way.verifier))
            .request_async(&http)
            .await;
        let tokens = asked.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => {
                self.distrust(&format!("the code was refused: {}", visible(said.error().as_ref())))
            }
            other => self.no_answer(&other),
        })?;
        let id_token = tokens.id_token().ok_or_else(|| self.distrust("there is no ID token"))?;
        let right = self.check(id_token, tokens.access_token(), Once::Is(&under_way.nonce)).await?;
        self.proven(&metadata, &tokens, id_token.to_string(), right, under_way.nonce, None)
            .await
    }

    pub(super) async fn refresh(&self, subject: &str, kept: &str) -> Result<Refreshed> {
        let kept: Kept = serde_json::from_str(&self.seal.reveal(kept, &self.purpose("kept", subject))?)?;
        let Some(refresh) = kept.refresh else {
            return Ok(Refreshed::Ended);
        };
        let metadata = self.metadata().await?;
        let http = self.client();
        let token = RefreshToken::new(refresh.clone());
        let client = self.token_client(&metadata)?;
        let tokens = match client.exchange_refresh_token(&token).request_async(&http).await {
            Ok(tokens) => tokens,
            Err(RequestTokenError::ServerResponse(said)) => {
                tracing::info!(provider = self.id(), said = visible(said.error().as_ref()), "a login was not refreshed");
                return match said.error() {
                    CoreErrorResponseType::InvalidGrant | CoreErrorResponseType::UnauthorizedClient => {
                        Ok(Refreshed::Ended)
                    }
                    _ => Err(self.unavailable()),
                };
            }
            Err(other) => return Err(self.no_answer(&other)),
        };
        let Some(id_token) = tokens.id_token() else {
            // Still somebody, but nothing new is said of them: asked for, where that is wanted.
            let right = Right {
                subject: subject.to_owned(),
                sid: None,
                claims: Map::new(),
            };
            let proven = self
                .proven(&metadata, &tokens, kept.id_token, right, kept.nonce, Some(refresh))
                .await?;
            return Ok(Refreshed::Proven(Box::new(proven)));
        };
        let once = Once::IsOrAbsent(&kept.nonce);
        let right = self.check(id_token, tokens.access_token(), once).await?;
        if right.subject != subject {
            return Err(self.distrust("the refreshed token is of somebody else"));
        }
        let proven = self
            .proven(&metadata, &tokens, id_token.to_string(), right, kept.nonce, Some(refresh))
            .await?;
        Ok(Refreshed::Proven(Box::new(proven)))
    }

    pub(super) async fn sign_out(&self, subject: &str, kept: &str, back: &str) -> Result<Option<String>> {
        let metadata = self.metadata().await?;
        let Some(place) = metadata.additional_metadata().end_session_endpoint.clone() else {
            return Ok(None);
        };
        let kept: Kept = serde_json::from_str(&self.seal.reveal(kept, &self.purpose("kept", subject))?)?;
        let mut url = LogoutRequest::from(place)
            .set_client_id(self.client.clone())
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back.to_owned())?)
            .http_get_url();
        url.query_pairs_mut().append_pair("id_token_hint", &kept.id_token);
        Ok(Some(url.into()))
    }

    pub(super) async fn signed_out(&self, token: &str) -> Result<SignedOut> {
        let metadata = self.metadata().await?;
        let checked = self.checking(&metadata).signed_out(token);
        let checked = match checked {
            Err(Wrong::UnknownKey) => match self.rotated().await? {
                Some(metadata) => self.checking(&metadata).signed_out(token),
                None => Err(Wrong::UnknownKey),
            },
            checked => checked,
        };
        checked.map_err(|wrong| self.distrust(&wrong.to_string()))
    }

    /// Checks a token; where its key is not known the provider is asked for its keys once more.
    async fn check(&self, token: &CoreIdToken, access: &AccessToken, once: Once<'_>) -> Result<Right> {
        let metadata = self.metadata().await?;
        let checked = self.checking(&metadata).id_token(token, access, once);
        let checked = match checked {
            Err(Wrong::UnknownKey) => match self.rotated().await? {
                Some(metadata) => self.checking(&metadata).id_token(token, access, once),
                None => Err(Wrong::UnknownKey),
            },
            checked => checked,
        };
        checked.map_err(|wrong| self.distrust(&wrong.to_string()))
    }

    fn checking<'a>(&'a self, metadata: &'a Metadata) -> Check<'a> {
        Check {
            issuer: &self.address,
            client: &self.client,
            audiences: &self.settings.audiences,
            keys: metadata.jwks(),
            now: self.clock.now(),
        }
    }

    async fn proven(
        &self,
        metadata: &Metadata,
        tokens: &CoreTokenResponse,
        id_token: String,
        right: Right,
        nonce: String,
        refresh: Option<String>,
    ) -> Result<Proven> {
        let Right {
            subject,
            sid,
            mut claims,
        } = right;
        if self.settings.userinfo {
            let more = self.userinfo(metadata, tokens.access_token(), &subject).await?;
            for (name, value) in more {
                // What was signed counts.
                claims.entry(name).or_insert(value);
            }
        }
        let claims = match claims.is_empty() {
            true => Value::Null,
            false => Value::Object(claims),
        };
        if claims.to_string().len() > CLAIMS_MAX {
            return Err(self.distrust("it says more than can be kept"));
        }
        // A provider that rotates gives a new one each time, one that does not gives none.
        let refresh = tokens.refresh_token().map(|token| token.secret().clone()).or(refresh);
        let holds = tokens.expires_in().map_or(HOLDS_SECONDS, |holds| {
            i64::try_from(holds.as_secs()).unwrap_or(ASK_SECONDS_MAX)
        });
        let refresh_at = refresh
            .is_some()
            .then(|| self.clock.now().plus_seconds(holds.clamp(1, ASK_SECONDS_MAX)));
        let kept = Kept {
            nonce,
            id_token,
            refresh,
        };
        let kept = self
            .seal
            .seal(&serde_json::to_string(&kept)?, &self.purpose("kept", &subject))?;
        Ok(Proven {
            subject,
            sid,
            claims,
            kept,
            refresh_at,
        })
    }

    async fn userinfo(&self, metadata: &Metadata, token: &AccessToken, subject: &str) -> Result<Map<String, Value>> {
        let Some(place) = metadata.userinfo_endpoint() else {
            return Ok(Map::new());
        };
        let request = http::Request::get(place.as_str())
            .header(http::header::AUTHORIZATION, format!("Bearer {}", token.secret()))
            .body(Vec::new())?;
        let answer = self.http.send(request).await.map_err(|error| self.no_answer(&error))?;
        if !answer.status().is_success() {
            return Err(self.unavailable());
        }
        let claims: Map<String, Value> =
            serde_json::from_slice(answer.body()).map_err(|_| self.distrust("its user info is no JSON"))?;
        match claims.get("sub").and_then(Value::as_str) == Some(subject) {
            true => Ok(claims),
            false => Err(self.distrust("its user info is of somebody else")),
        }
    }
}

impl Issuer {
    /// What discovery says, asked for anew where that was long ago. A provider that does not answer then is believed
    /// what it said before.
    async fn metadata(&self) -> Result<Arc<Metadata>> {
        let now = self.clock.now();
        let before = {
            let memory = self.memory();
            match &memory.known {
                Some((known, at)) if now.seconds_since(*at) < FRESH_SECONDS => return Ok(known.clone()),
                _ if self.rests(&memory) => match &memory.known {
                    Some((known, _)) => return Ok(known.clone()),
                    None => return Err(self.unavailable()),
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
        let http = self.client();
        let found = Metadata::discover_async(self.address.clone(), &http).await;
        let now = self.clock.now();
        let found = found.map_err(|error| causes(&error)).and_then(|found| match self.is_safe(&found) {
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
                tracing::warn!(provider = self.id(), why, "an identity provider does not say what it is like");
                memory.trouble = Some((why, now));
                Err(self.unavailable())
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
    async fn rotated(&self) -> Result<Option<Arc<Metadata>>> {
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
        !is_tls(&self.settings.issuer)
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

    /// What the library asks with.
    fn client(&self) -> impl Fn(HttpRequest) -> Sent + use<> {
        let http = self.http.clone();
        move |request| {
            let http = http.clone();
            Box::pin(async move { http.send(request).await })
        }
    }

    fn token_client(&self, metadata: &Metadata) -> Result<TokenClient> {
        let place = metadata
            .token_endpoint()
            .cloned()
            .ok_or_else(|| self.distrust("it has no place to ask for tokens"))?;
        let mut client = CoreClient::new(self.client.clone(), self.address.clone(), CoreJsonWebKeySet::default());
        if let Some(secret) = self.settings.client_secret() {
            client = client.set_client_secret(ClientSecret::new(secret.to_owned()));
        }
        let takes = |method: CoreClientAuthMethod| {
            let methods = metadata.token_endpoint_auth_methods_supported();
            methods.is_some_and(|methods| methods.contains(&method))
        };
        // The standard's own way, unless the provider takes only the other.
        if takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic) {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Ok(client.set_token_uri(place))
    }

    /// Binds what is sealed to this provider, its purpose and its subject.
    fn purpose(&self, what: &str, whose: &str) -> String {
        format!("{what}\n{}\n{whose}", self.settings.issuer)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn distrust(&self, why: &str) -> anyhow::Error {
        tracing::warn!(provider = self.id(), why, "an answer of an identity provider was not taken");
        let label = &self.settings.label;
        Refusal::Invalid(format!("What came back from {label} cannot be trusted: {why}. Sign in again.")).into()
    }

    fn declined(&self, error: &str) -> anyhow::Error {
        let label = &self.settings.label;
        let sentence = match error {
            "access_denied" => format!("You were not let in at {label}, or turned back. Try again, or ask an admin."),
            "temporarily_unavailable" | "server_error" => {
                return self.unavailable();
            }
            other => format!("{label} did not sign you in: {}. Try again, or tell an admin.", visible(other)),
        };
        Refusal::Invalid(sentence).into()
    }

    fn unavailable(&self) -> anyhow::Error {
        let label = &self.settings.label;
        Refusal::Unavailable(format!("{label} does not answer at the moment. Try again in a minute.")).into()
    }

    fn no_answer(&self, error: &dyn std::error::Error) -> anyhow::Error {
        tracing::warn!(provider = self.id(), error = causes(error), "an identity provider did not answer");
        self.unavailable()
    }
}

/// An error with its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words.chars().take(1000).collect()
}

/// A word of a provider, as it may stand in a sentence and in a log.
fn visible(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(100).collect()
}
