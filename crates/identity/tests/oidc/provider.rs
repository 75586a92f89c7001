//! A provider that does what it is told, right or wrong: on a free port, with keys of its own.

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    sha2::{Digest as _, Sha256},
    signature::{SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
};

/// The provider's own key, and one that it does not show.
static KEYS: LazyLock<[RsaPrivateKey; 2]> =
    LazyLock::new(|| [(); 2].map(|()| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key")));

pub(crate) const CLIENT: &str = "sandbox";
pub(crate) const SECRET: &str = "a client secret";
pub(crate) const SIGNED_OUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How a token is signed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sign {
    Honestly,
    /// With a key that the provider does not show, under the name of the one that it does.
    Forged,
    /// With the algorithm `none`.
    Not,
    /// With the provider's public key as a shared secret.
    WithThePublicKey,
    /// With the client's secret.
    WithTheSecret,
}

/// What the provider does.
pub(crate) struct Manner {
    pub(crate) sign: Sign,
    /// The name of the key in tokens, and of the one that is shown.
    pub(crate) kid: String,
    pub(crate) shown_kid: String,
    /// What tokens say beside, or instead of, what is right; `null` leaves out.
    pub(crate) claims: Value,
    /// Instead of what discovery says.
    pub(crate) discovery: Value,
    pub(crate) header: Value,
    /// Instead of what the token endpoint answers; a text is sent as it is.
    pub(crate) tokens: Value,
    /// The status of the token endpoint.
    pub(crate) status: u16,
    /// No answer to anything about tokens.
    pub(crate) hangs: bool,
    pub(crate) nonce: String,
    pub(crate) challenge: String,
    /// Seconds since 1970.
    pub(crate) now: i64,
    pub(crate) keys_asked: u32,
    /// Forms that the token endpoint was sent, and how the client proved itself.
    pub(crate) asked: Vec<(HashMap<String, String>, Option<String>)>,
}

/// A provider that runs until the test ends.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    manner: Arc<Mutex<Manner>>,
}

impl Provider {
    pub(crate) async fn start(now: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let manner = Manner {
            sign: Sign::Honestly,
            kid: "one".to_owned(),
            shown_kid: "one".to_owned(),
            claims: json!({}),
            discovery: json!({}),
            header: json!({}),
            tokens: Value::Null,
            status: 200,
            hangs: false,
            nonce: String::new(),
            challenge: String::new(),
            now,
            keys_asked: 0,
            asked: Vec::new(),
        };
        let provider = Self {
            issuer,
            manner: Arc::new(Mutex::new(manner)),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/elsewhere/keys", get(keys))
            .route("/elsewhere/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// How it behaves, to be changed.
    pub(crate) fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().expect("nobody panicked")
    }

    /// What a browser brings that was sent to this address: remembers nonce and challenge, and gives the state.
    pub(crate) fn visited(&self, address: &str) -> String {
        let address: url::Url = address.parse().expect("an address");
        let query: HashMap<String, String> = address.query_pairs().into_owned().collect();
        let mut manner = self.manner();
        manner.nonce = query["nonce"].clone();
        manner.challenge = query["code_challenge"].clone();
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["response_type"], "code");
        query["state"].clone()
    }

    /// A token with these claims beside what is right.
    pub(crate) fn signed(&self, claims: Value) -> String {
        signed(&self.manner(), claims)
    }

    /// A logout token with these claims beside, or instead of, what is right.
    pub(crate) fn logout_token(&self, other: &Value) -> String {
        let now = self.manner().now;
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "j1", "sub": "ada", "sid": "s1",
            "events": { SIGNED_OUT: {} },
        });
        merge(&mut claims, other);
        self.signed(claims)
    }
}

fn signed(manner: &Manner, claims: Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let algorithm = match manner.sign {
        Sign::Honestly | Sign::Forged => "RS256",
        Sign::Not => "none",
        Sign::WithThePublicKey | Sign::WithTheSecret => "HS256",
    };
    let mut header = json!({ "alg": algorithm, "kid": manner.kid, "typ": "JWT" });
    merge(&mut header, &manner.header);
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let rsa = |key: &RsaPrivateKey| SigningKey::<Sha256>::new(key.clone()).sign(message.as_bytes()).to_vec();
    let signature = match manner.sign {
        Sign::Honestly => rsa(&KEYS[0]),
        Sign::Forged => rsa(&KEYS[1]),
        Sign::Not => Vec::new(),
        Sign::WithThePublicKey => hs256(&KEYS[0].n().to_bytes_be(), message.as_bytes()),
        Sign::WithTheSecret => hs256(SECRET.as_bytes(), message.as_bytes()),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// HMAC with SHA-256 (RFC 2104).
fn hs256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    match key.len() > 64 {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

/// Puts `other` over `value`; `null` takes away.
fn merge(value: &mut Value, other: &Value) {
    let (Some(value), Some(other)) = (value.as_object_mut(), other.as_object()) else {
        return;
    };
    for (name, new) in other {
        match new {
            Value::Null => _ = value.remove(name),
            new => _ = value.insert(name.clone(), new.clone()),
        }
    }
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let issuer = &provider.issuer;
    // Nowhere near where anybody would guess.
    let mut said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/elsewhere/authorize"),
        "token_endpoint": format!("{issuer}/elsewhere/token"),
        "jwks_uri": format!("{issuer}/elsewhere/keys"),
        "end_session_endpoint": format!("{issuer}/elsewhere/end?with=query"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
    });
    merge(&mut said, &provider.manner().discovery);
    Json(said)
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let mut manner = provider.manner();
    manner.keys_asked += 1;
    let key = &KEYS[0];
    let number = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    Json(json!({ "keys": [{
        "kty": "RSA", "use": "sig", "kid": manner.shown_kid,
        "n": number(key.n().to_bytes_be()), "e": number(key.e().to_bytes_be()),
    }] }))
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if provider.manner().hangs {
        std::future::pending::<()>().await;
    }
    let mut manner = provider.manner();
    let proof = headers
        .get(header::AUTHORIZATION)
        .and_then(|proof| proof.to_str().ok())
        .map(str::to_owned);
    if let Some(verifier) = form.get("code_verifier") {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        assert_eq!(challenge, manner.challenge, "the verifier of this very sign-in");
    }
    let refreshes = form.contains_key("refresh_token");
    manner.asked.push((form, proof));
    let status = StatusCode::from_u16(manner.status).expect("a status");
    if let Some(text) = manner.tokens.as_str() {
        return (status, [(header::CONTENT_TYPE, "application/json")], text.to_owned()).into_response();
    }
    let mut claims = json!({
        "iss": provider.issuer, "aud": CLIENT, "sub": "ada", "sid": "s1", "nonce": manner.nonce,
        "iat": manner.now, "exp": manner.now + 300, "email": "ada@example.org", "email_verified": true,
        "name": "Ada", "org_id": "acme",
    });
    merge(&mut claims, &manner.claims);
    let mut said = json!({
        "access_token": "an access token", "token_type": "Bearer", "expires_in": 300,
        "refresh_token": if refreshes { "the second refresh token" } else { "the first refresh token" },
        "id_token": signed(&manner, claims),
    });
    merge(&mut said, &manner.tokens);
    (status, Json(said)).into_response()
}
