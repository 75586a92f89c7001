//! One provider: what discovery says of it, and the conversations with it.

use super::{
    config::Settings,
    discovery::{Discovery, Metadata},
    http::Http,
    seal::Seal,
    token::{Check, Once, Right, Wrong},
    words::{Voice, visible},
};
use anyhow::Result;
use engine::ports::{Answer, Begun, Clock, Proven, Provider, Refreshed, SignedOut, Whom};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
        CoreJsonWebKeySet, CoreTokenResponse,
    },
    http,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex};

/// A provider is asked again at least this often, in seconds.
const ASK_SECONDS_MAX: i64 = 3600;
/// For how long a token is taken to hold whose provider does not say, in seconds.
const HOLDS_SECONDS: i64 = 300;
/// The most claims that are kept, in bytes of JSON.
const CLAIMS_MAX: usize = 64 * 1024;

/// A client that can ask for tokens.
type TokenClient =
    CoreClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet>;

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
    voice: Voice,
    discovery: Arc<Discovery>,
    http: Http,
    seal: Arc<Seal>,
    clock: Arc<dyn Clock>,
}

impl Issuer {
    pub(super) fn new(settings: Settings, http: Http, seal: Arc<Seal>, clock: Arc<dyn Clock>) -> Result<Self> {
        let address = IssuerUrl::new(settings.issuer.clone())?;
        let voice = Voice {
            id: settings.id.clone(),
            label: settings.label.clone(),
        };
        let discovery = Discovery {
            address: address.clone(),
            voice: voice.clone(),
            http: http.clone(),
            clock: clock.clone(),
            memory: Mutex::default(),
        };
        Ok(Self {
            address,
            client: ClientId::new(settings.client_id.clone()),
            voice,
            discovery: Arc::new(discovery),
            settings,
            http,
            seal,
            clock,
        })
    }

    /// Asks in the background what the provider is like, where that is not known and was not tried just now.
    pub(super) fn ask_again(&self) {
        self.discovery.clone().ask_again();
    }

    pub(super) fn id(&self) -> &str {
        &self.settings.id
    }

    pub(super) fn described(&self) -> Provider {
        Provider {
            id: self.settings.id.clone(),
            label: self.settings.label.clone(),
            issuer: self.settings.issuer.clone(),
            org: self.settings.org.clone(),
            rules: self.settings.rules.clone(),
            trusts_email: self.settings.trust_email,
            trouble: self.discovery.trouble(),
        }
    }

    pub(super) async fn begin(&self, state: &str, redirect: &str, whom: Whom) -> Result<Begun> {
        let metadata = self.discovery.metadata().await?;
        let client = CoreClient::new(self.client.clone(), self.address.clone(), CoreJsonWebKeySet::default())
            .set_auth_uri(metadata.authorization_endpoint().clone())
            .set_redirect_uri(RedirectUrl::new(redirect.to_owned())?)
            .disable_openid_scope();
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = Nonce::new_random_len(32);
        let (once, token) = (nonce.clone(), CsrfToken::new(state.to_owned()));
        let mut asked = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || token, || once)
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        if whom == Whom::Asked {
            asked = asked.add_prompt(metadata.additional_metadata().prompt_that_asks());
        }
        let url = asked.url().0;
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
        let metadata = self.discovery.metadata().await?;
        match &answer.iss {
            Some(iss) if *iss != self.settings.issuer => {
                return Err(self.voice.distrust("the answer is of another provider"));
            }
            None if metadata
                .additional_metadata()
                .authorization_response_iss_parameter_supported =>
            {
                return Err(self.voice.distrust("the answer does not say which provider it is of"));
            }
            _ => {}
        }
        if let Some(error) = &answer.error {
            return Err(self.voice.declined(error));
        }
        let code = answer.code.clone().filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| self.voice.distrust("the answer holds no code"))?;
        let under_way: UnderWay = self.revealed(sealed, &self.purpose("flow", state))?;
        let http = self.http.caller();
        let client = self
            .token_client(&metadata)?
            .set_redirect_uri(RedirectUrl::new(under_way.redirect)?);
        let asked = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(under_way.verifier))
            .request_async(&http)
            .await;
        let tokens = asked.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => self
                .voice
                .distrust(&format!("the code was refused: {}", visible(said.error().as_ref()))),
            other => self.voice.no_answer(&other),
        })?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| self.voice.distrust("there is no ID token"))?;
        let right = self
            .check(id_token, tokens.access_token(), Once::Is(&under_way.nonce))
            .await?;
        self.proven(&metadata, &tokens, id_token.to_string(), right, under_way.nonce, None)
            .await
    }

    pub(super) async fn refresh(&self, subject: &str, kept: &str) -> Result<Refreshed> {
        let kept: Kept = self.revealed(kept, &self.purpose("kept", subject))?;
        let Some(refresh) = kept.refresh else {
            return Ok(Refreshed::Ended);
        };
        let metadata = self.discovery.metadata().await?;
        let http = self.http.caller();
        let token = RefreshToken::new(refresh.clone());
        let client = self.token_client(&metadata)?;
        let tokens = match client.exchange_refresh_token(&token).request_async(&http).await {
            Ok(tokens) => tokens,
            Err(RequestTokenError::ServerResponse(said)) => {
                tracing::info!(
                    provider = self.id(),
                    said = visible(said.error().as_ref()),
                    "a login was not refreshed"
                );
                return match said.error() {
                    CoreErrorResponseType::InvalidGrant | CoreErrorResponseType::UnauthorizedClient => {
                        Ok(Refreshed::Ended)
                    }
                    _ => Err(self.voice.unavailable()),
                };
            }
            Err(other) => return Err(self.voice.no_answer(&other)),
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
            return Err(self.voice.distrust("the refreshed token is of somebody else"));
        }
        let proven = self
            .proven(
                &metadata,
                &tokens,
                id_token.to_string(),
                right,
                kept.nonce,
                Some(refresh),
            )
            .await?;
        Ok(Refreshed::Proven(Box::new(proven)))
    }

    pub(super) async fn sign_out(&self, subject: &str, kept: &str, back: &str) -> Result<Option<String>> {
        let metadata = self.discovery.metadata().await?;
        let Some(place) = metadata.additional_metadata().end_session_endpoint.clone() else {
            return Ok(None);
        };
        let kept: Kept = self.revealed(kept, &self.purpose("kept", subject))?;
        let mut url = LogoutRequest::from(place)
            .set_client_id(self.client.clone())
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back.to_owned())?)
            .http_get_url();
        url.query_pairs_mut().append_pair("id_token_hint", &kept.id_token);
        Ok(Some(url.into()))
    }

    pub(super) async fn signed_out(&self, token: &str) -> Result<SignedOut> {
        let metadata = self.discovery.metadata().await?;
        let checked = self.checking(&metadata).signed_out(token);
        let checked = match checked {
            Err(Wrong::UnknownKey) => match self.discovery.rotated().await? {
                Some(metadata) => self.checking(&metadata).signed_out(token),
                None => Err(Wrong::UnknownKey),
            },
            checked => checked,
        };
        checked.map_err(|wrong| self.voice.distrust(&wrong.to_string()))
    }

    /// Checks a token; where its key is not known the provider is asked for its keys once more.
    async fn check(&self, token: &CoreIdToken, access: &AccessToken, once: Once<'_>) -> Result<Right> {
        let metadata = self.discovery.metadata().await?;
        let checked = self.checking(&metadata).id_token(token, access, once);
        let checked = match checked {
            Err(Wrong::UnknownKey) => match self.discovery.rotated().await? {
                Some(metadata) => self.checking(&metadata).id_token(token, access, once),
                None => Err(Wrong::UnknownKey),
            },
            checked => checked,
        };
        checked.map_err(|wrong| self.voice.distrust(&wrong.to_string()))
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
            return Err(self.voice.distrust("it says more than can be kept"));
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
        let answer = self
            .http
            .send(request)
            .await
            .map_err(|error| self.voice.no_answer(&error))?;
        if !answer.status().is_success() {
            return Err(self.voice.unavailable());
        }
        let claims: Map<String, Value> =
            serde_json::from_slice(answer.body()).map_err(|_| self.voice.distrust("its user info is no JSON"))?;
        match claims.get("sub").and_then(Value::as_str) == Some(subject) {
            true => Ok(claims),
            false => Err(self.voice.distrust("its user info is of somebody else")),
        }
    }
}

impl Issuer {
    fn token_client(&self, metadata: &Metadata) -> Result<TokenClient> {
        let place = metadata
            .token_endpoint()
            .cloned()
            .ok_or_else(|| self.voice.distrust("it has no place to ask for tokens"))?;
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

    /// What was sealed; what cannot be read (another key, another purpose) is as good as gone.
    fn revealed<T: DeserializeOwned>(&self, sealed: &str, purpose: &str) -> Result<T> {
        let text = self.seal.reveal(sealed, purpose);
        text.and_then(|text| Ok(serde_json::from_str(&text)?))
            .map_err(|error| self.voice.distrust(&format!("what was kept cannot be read: {error}")))
    }
}
