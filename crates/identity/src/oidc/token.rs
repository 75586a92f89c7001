//! Checking what a provider has signed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::Timestamp;
use engine::ports::SignedOut;
use openidconnect::{
    AccessToken, AccessTokenHash, Audience, ClaimsVerificationError, ClientId, IssuerUrl, JsonWebKey as _,
    JsonWebKeyAlgorithm, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Algorithm},
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far a provider's clock may be off, in seconds.
const SKEW: i64 = 60;
/// How old a word about a sign-out may be, in seconds.
const SIGNED_OUT_AGE: i64 = 600;
/// The largest token that is looked at, in bytes.
const TOKEN_MAX: usize = 64 * 1024;
/// What a word about a sign-out is told by (Back-Channel Logout 1.0, 2.4).
const SIGNED_OUT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// What nobody needs to know who reads somebody's claims.
const INNER: [&str; 7] = ["nonce", "at_hash", "c_hash", "s_hash", "sid", "jti", "azp"];

/// With a public key only: whoever can check a token must not be able to make one.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    /// It may be right: the provider may have a new key.
    #[error("it is signed with a key that the provider does not show")]
    UnknownKey,
    #[error("{0}")]
    Wrong(String),
}

/// A token that is right.
#[derive(Debug)]
pub(super) struct Right {
    pub(super) subject: String,
    pub(super) sid: Option<String>,
    pub(super) claims: Map<String, Value>,
}

/// Whose tokens are taken, and when.
pub(super) struct Check<'a> {
    pub(super) issuer: &'a IssuerUrl,
    pub(super) client: &'a ClientId,
    /// Audiences that may stand beside the client.
    pub(super) audiences: &'a [String],
    pub(super) keys: &'a CoreJsonWebKeySet,
    pub(super) now: Timestamp,
}

/// What the nonce of a token has to be.
#[derive(Clone, Copy)]
pub(super) enum Once<'a> {
    /// That of the sign-in.
    Is(&'a str),
    /// That of the sign-in, or none: a refreshed token need not repeat it.
    IsOrAbsent(&'a str),
}

impl Check<'_> {
    /// Checks an ID token (OpenID Connect Core 1.0, 3.1.3.7) and the access token that came with it.
    pub(super) fn id_token(&self, token: &CoreIdToken, access: &AccessToken, once: Once<'_>) -> Result<Right, Wrong> {
        let text = token.to_string();
        let now = moment(self.now);
        let skew = chrono::TimeDelta::seconds(SKEW);
        let verifier =
            CoreIdTokenVerifier::new_public_client(self.client.clone(), self.issuer.clone(), self.keys.clone())
                .set_allowed_algs(ALGORITHMS)
                .set_other_audience_verifier_fn(|other: &Audience| self.audiences.iter().any(|one| *one == **other))
                .set_time_fn(move || now - skew)
                .set_issue_time_verifier_fn(move |at| match at <= now + skew {
                    true => Ok(()),
                    false => Err("issued in the future".to_owned()),
                });
        let nonce = |found: Option<&Nonce>| match (found, once) {
            (Some(found), Once::Is(expected) | Once::IsOrAbsent(expected)) if same(found.secret(), expected) => Ok(()),
            (None, Once::IsOrAbsent(_)) => Ok(()),
            _ => Err("it answers another sign-in".to_owned()),
        };
        let claims = token.claims(&verifier, nonce).map_err(told)?;
        if let Some(expected) = claims.access_token_hash() {
            let key = token.signing_key(&verifier).map_err(unsigned)?;
            let found = token.signing_alg().map_err(unsigned).and_then(|algorithm| {
                AccessTokenHash::from_token(access, algorithm, key).map_err(|error| Wrong::Wrong(error.to_string()))
            })?;
            if found != *expected {
                return Err(wrong("it belongs to another access token"));
            }
        }
        let (_, mut all) = parts(&text)?;
        self.authorized_party(&all)?;
        self.not_before(&all)?;
        let sid = all.get("sid").and_then(Value::as_str).map(str::to_owned);
        all.retain(|name, _| !INNER.contains(&name.as_str()));
        Ok(Right {
            subject: claims.subject().to_string(),
            sid,
            claims: all,
        })
    }

    /// Checks a word about a sign-out (OpenID Connect Back-Channel Logout 1.0, 2.6).
    pub(super) fn signed_out(&self, token: &str) -> Result<SignedOut, Wrong> {
        let (header, claims) = parts(token)?;
        let is_typed = header
            .typ
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case("logout+jwt") || kind.eq_ignore_ascii_case("jwt"));
        if !is_typed || header.crit.is_some() {
            return Err(wrong("it is no logout token"));
        }
        self.signature(token, &header)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let number = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
        if text("iss") != Some(self.issuer.as_str()) {
            return Err(wrong("it is of another issuer"));
        }
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !audience.contains(&self.client.as_str()) {
            return Err(wrong("it is for another client"));
        }
        let now = self.now.millis() / 1000;
        let issued = number("iat").ok_or_else(|| wrong("it does not say when it was issued"))?;
        if issued > now + SKEW || issued < now - SIGNED_OUT_AGE - SKEW {
            return Err(wrong("it was not issued just now"));
        }
        let end = number("exp").unwrap_or(issued + SIGNED_OUT_AGE);
        if end <= now - SKEW {
            return Err(wrong("it has expired"));
        }
        self.not_before(&claims)?;
        let is_told = claims
            .get("events")
            .and_then(|events| events.get(SIGNED_OUT))
            .is_some_and(Value::is_object);
        if !is_told || claims.contains_key("nonce") {
            return Err(wrong("it is no logout token"));
        }
        let (subject, sid) = (text("sub").map(str::to_owned), text("sid").map(str::to_owned));
        let jti = text("jti").filter(|jti| jti.len() <= 512);
        match jti {
            Some(jti) if subject.is_some() || sid.is_some() => Ok(SignedOut {
                issuer: self.issuer.to_string(),
                subject,
                sid,
                jti: jti.to_owned(),
                // Later it is refused for its age, whatever it says of its end.
                expires_at: Timestamp::from_millis((issued + SIGNED_OUT_AGE + 2 * SKEW) * 1000),
            }),
            _ => Err(wrong("it does not say who has signed out")),
        }
    }

    /// `azp`: where it is said it is us, and where there are other audiences it is said.
    fn authorized_party(&self, claims: &Map<String, Value>) -> Result<(), Wrong> {
        let several = claims
            .get("aud")
            .and_then(Value::as_array)
            .is_some_and(|all| all.len() > 1);
        match claims.get("azp") {
            Some(party) if party.as_str() == Some(self.client.as_str()) => Ok(()),
            None if !several => Ok(()),
            _ => Err(wrong("it was made for another client")),
        }
    }

    fn not_before(&self, claims: &Map<String, Value>) -> Result<(), Wrong> {
        let Some(begin) = claims.get("nbf") else { return Ok(()) };
        match begin.as_f64() {
            Some(begin) if begin as i64 <= self.now.millis() / 1000 + SKEW => Ok(()),
            _ => Err(wrong("it is not valid yet")),
        }
    }

    fn signature(&self, token: &str, header: &Header) -> Result<(), Wrong> {
        let algorithm: Algorithm = serde_json::from_value(Value::String(header.alg.clone()))
            .ok()
            .filter(|algorithm| ALGORITHMS.contains(algorithm))
            .ok_or_else(|| wrong("it is not signed in a way that is taken"))?;
        let (message, signature) = token.rsplit_once('.').ok_or_else(|| wrong("it is no token"))?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| wrong("it is no token"))?;
        let fits = |key: &&CoreJsonWebKey| {
            let by_name = header.kid.is_none() || key.key_id().map(|id| id.as_str()) == header.kid.as_deref();
            let by_use = match key.signing_alg() {
                JsonWebKeyAlgorithm::Algorithm(only) => *only == algorithm,
                JsonWebKeyAlgorithm::Unspecified => true,
                JsonWebKeyAlgorithm::Unsupported => false,
            };
            by_name && by_use
        };
        let mut keys = self.keys.keys().iter().filter(fits).peekable();
        if keys.peek().is_none() {
            return Err(Wrong::UnknownKey);
        }
        match keys.any(|key| key.verify_signature(&algorithm, message.as_bytes(), &signature).is_ok()) {
            true => Ok(()),
            false => Err(wrong("its signature is wrong")),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// Header and claims, unchecked.
fn parts(token: &str) -> Result<(Header, Map<String, Value>), Wrong> {
    if token.len() > TOKEN_MAX {
        return Err(wrong("it is too large"));
    }
    let read = || -> Option<(Header, Map<String, Value>)> {
        let mut parts = token.split('.');
        let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let read = (
            serde_json::from_slice(&decode(header)?).ok()?,
            serde_json::from_slice(&decode(claims)?).ok()?,
        );
        parts.next().is_none().then_some(read)
    };
    read().ok_or_else(|| wrong("it is no token"))
}

/// Compares without telling by the time where two texts differ.
fn same(one: &str, other: &str) -> bool {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(one) == Sha256::digest(other)
}

fn wrong(words: &str) -> Wrong {
    Wrong::Wrong(words.to_owned())
}

fn told(error: ClaimsVerificationError) -> Wrong {
    match error {
        ClaimsVerificationError::SignatureVerification(error) => unsigned(error),
        other => Wrong::Wrong(other.to_string()),
    }
}

fn unsigned(error: SignatureVerificationError) -> Wrong {
    match error {
        SignatureVerificationError::NoMatchingKey => Wrong::UnknownKey,
        other => Wrong::Wrong(format!("its signature does not hold: {other}")),
    }
}

fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.millis()).unwrap_or(DateTime::UNIX_EPOCH)
}
