//! Why somebody may what they may: which claim gave which role, by which rule.

use crate::{Engine, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Caller, OrgId, Problem,
    caller::Proof,
    claims::{self, Explained},
    permit::{Reach, Verb},
};
use serde_json::Value;

/// The largest text that is explained, in bytes.
const TEXT_MAX: usize = 32 * 1024;
/// The longest value of a claim that is shown, in characters.
const SHOWN_MAX: usize = 300;
/// So many claims are shown.
const CLAIMS_MAX: usize = 100;

impl Engine {
    /// What the caller's provider says of them; `None`: they did not come from one.
    pub async fn my_claims(&self, caller: &Caller) -> Result<Option<Explained>> {
        // Asked of no permit: a login that may do nothing is told why.
        let Proof::Login { id, .. } = &caller.proof else {
            return Ok(None);
        };
        let Some(held) = self.0.store.find_held(id).await? else {
            return Ok(None);
        };
        let provider = self.provider(&held.provider)?;
        Ok(Some(Explained {
            mapped: self.mapped(&provider, &held.claims).await?,
            claims: shown(&held.claims),
            provider: provider.label,
            proven_at: Some(held.proven_at),
        }))
    }

    /// What a token or its claims would give, as they were pasted: read, never believed, kept nowhere. Organizations that
    /// the caller is not in look absent.
    pub async fn explain(&self, caller: &Caller, provider: &str, text: &str) -> Result<Explained> {
        let fleet =
            self.permit(caller, Verb::ManageLogins)? == Reach::Fleet || caller.reach(Verb::ManageFleet) == Reach::Fleet;
        let provider = self.provider(provider)?;
        let claims = read(text)?;
        let mapped = if fleet {
            self.mapped(&provider, &claims).await?
        } else {
            let own: Vec<OrgId> = self
                .memberships(caller)
                .await?
                .into_iter()
                .map(|(org, _)| org.id)
                .collect();
            let mut known = claims::named(&claims, &provider.rules);
            known.retain(|org| own.contains(org));
            self.map(&provider, &claims, &known)
        };
        Ok(Explained {
            provider: provider.label,
            proven_at: None,
            claims: shown(&claims),
            mapped,
        })
    }
}

/// The claims of a pasted text: JSON, or the middle of a token.
fn read(text: &str) -> Result<Value> {
    let refuse = |detail: &str| Problem::new("invalid-claims", detail).at("text");
    let text = text.trim();
    if text.len() > TEXT_MAX {
        return Err(refuse("At most 32 KiB can be explained.").into());
    }
    let middle = || {
        let part = text.split('.').nth(1).filter(|_| text.split('.').count() == 3)?;
        URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
    };
    let json = match text.starts_with('{') {
        true => Some(text.as_bytes().to_vec()),
        false => middle(),
    };
    let claims: Option<Value> = json.and_then(|json| serde_json::from_slice(&json).ok());
    claims
        .filter(Value::is_object)
        .ok_or_else(|| refuse("Paste a token (three parts with dots between) or its claims as a JSON object.").into())
}

fn shown(claims: &Value) -> Vec<(String, String)> {
    let all = claims.as_object().into_iter().flatten();
    all.filter(|(name, _)| !is_secret(name))
        .take(CLAIMS_MAX)
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let cut: String = value.chars().take(SHOWN_MAX).collect();
            let more = if cut.len() < value.len() { "…" } else { "" };
            (name.clone(), format!("{cut}{more}"))
        })
        .collect()
}

/// Whether a claim may hold what nobody should read on a page.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "nonce"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_or_its_claims_are_read_and_nothing_else_is() {
        let claims = json!({ "org_id": "acme" });
        assert_eq!(read(&claims.to_string()).expect("claims"), claims);
        let middle = URL_SAFE_NO_PAD.encode(claims.to_string());
        assert_eq!(read(&format!(" e30.{middle}.x \n")).expect("a token"), claims);
        for wrong in [
            "",
            "acme",
            "[]",
            "\"x\"",
            "a.b",
            "a.b.c",
            "e30.W10.x",
            "{",
            &"{".repeat(40_000),
        ] {
            assert!(read(wrong).is_err(), "{wrong:.20}");
        }
    }

    #[test]
    fn secrets_are_not_shown_and_long_values_are_cut() {
        let shown = shown(&json!({ "access_token": "x", "sub": "ada", "long": "y".repeat(1000), "list": [1] }));
        let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["list", "long", "sub"]);
        assert_eq!(shown[1].1.chars().count(), SHOWN_MAX + 1);
    }
}
