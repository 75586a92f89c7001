//! Personal access tokens.

use crate::{Engine, Error, Result, ports::Member};
use domain::{
    Caller, Problem,
    caller::Proof,
    id::TokenId,
    permit::Verb,
    token::{Mint, Minted, TOKENS_MAX, Token},
};
use serde_json::json;

impl Engine {
    /// Makes a token with capabilities out of those the caller holds; its secret is shown this once.
    pub async fn mint_token(&self, caller: &Caller, mint: Mint) -> Result<Minted> {
        self.permit(caller, Verb::ManageTokens)?;
        let mut mint = mint.checked(&caller.capabilities())?;
        // As with the published bound: more than is allowed is shortened, not refused.
        if let Some(most) = self.rules(&caller.org).await?.token_hours() {
            mint.ttl_hours = Some((mint.ttl_seconds() / 3600).min(most));
        }
        let now = self.0.clock.now();
        let secret = self.0.credentials.mint("sbp_");
        let token = Token {
            id: TokenId::new(self.0.credentials.new_id(now)),
            expires_at: now.plus_seconds(mint.ttl_seconds()),
            name: mint.name,
            capabilities: mint.capabilities,
            created_at: now,
            used_at: None,
            revoked_at: None,
        };
        let detail = json!({ "name": token.name, "capabilities": token.capabilities, "expires_at": token.expires_at });
        let record = self.audited(caller, "token.minted", token.id.as_str(), detail);
        if !self
            .0
            .store
            .record_token(&member(caller), &token, &secret.hash, TOKENS_MAX, record)
            .await?
        {
            let detail = format!("You hold {TOKENS_MAX} tokens, as many as one person may. Revoke one first.");
            return Err(Error::Conflict(Problem::new("too-many-tokens", detail)));
        }
        Ok(Minted {
            secret: secret.text,
            token,
        })
    }

    /// The caller's tokens, newest first.
    pub async fn tokens(&self, caller: &Caller) -> Result<Vec<Token>> {
        self.permit(caller, Verb::ManageTokens)?;
        Ok(self.0.store.list_tokens(&caller.org, &caller.person).await?)
    }

    /// After how many days the caller's tokens rest unless an identity provider that stands behind their seat proves them;
    /// `None`: no provider does, and none rest.
    pub async fn tokens_rest(&self, caller: &Caller) -> Result<Option<u32>> {
        self.permit(caller, Verb::ManageTokens)?;
        let behind = self.0.store.confirmed(&caller.org, &caller.person).await?;
        Ok(behind.map(|_| self.0.options.confirm_days))
    }

    /// Revokes one of the caller's tokens at once; one that is gone already is no error.
    pub async fn revoke_token(&self, caller: &Caller, id: &TokenId) -> Result<()> {
        self.permit(caller, Verb::ManageTokens)?;
        let tokens = self.0.store.list_tokens(&caller.org, &caller.person).await?;
        let name = tokens.into_iter().find(|token| token.id == *id).map(|token| token.name);
        let record = self.audited(caller, "token.revoked", id.as_str(), json!({ "name": name }));
        let now = self.0.clock.now();
        // Only where it was the caller's: ids of others may be known, and reach nothing.
        if self
            .0
            .store
            .revoke_token(&caller.org, &caller.person, id, now, record)
            .await?
        {
            self.end_attachments_of_token(id);
        }
        Ok(())
    }

    /// Who a token's secret stands for, while it holds.
    pub async fn caller_of_token(&self, secret: &str) -> Result<Option<Caller>> {
        let (now, hash) = (self.0.clock.now(), self.0.credentials.hash(secret));
        let Some((token, mut member)) = self.0.store.find_token(&hash, now).await? else {
            return Ok(None);
        };
        // To the minute is enough for "last used", and spares a write for every request.
        if token.used_at.is_none_or(|used| now.seconds_since(used) >= 60) {
            self.0.store.touch_token(&token.id, now).await?;
            self.prove_holder(&member.org, &member.person, now).await?;
            member = match self.0.store.find_token(&hash, now).await? {
                Some((_, member)) => member,
                None => return Ok(None),
            };
        }
        let proof = Proof::Token {
            id: token.id,
            capabilities: token.capabilities,
        };
        Ok(Some(caller(member, proof)))
    }
}

/// The member that a caller is.
pub(crate) fn member(caller: &Caller) -> Member {
    Member {
        person: caller.person.clone(),
        email: caller.email.clone(),
        name: caller.name.clone(),
        org: caller.org.clone(),
        role: caller.role,
    }
}

/// The caller that a member is, proven so.
pub(crate) fn caller(member: Member, proof: Proof) -> Caller {
    let Member {
        person,
        email,
        name,
        org,
        role,
    } = member;
    Caller {
        person,
        email,
        name,
        org,
        role,
        proof,
        request: None,
        address: None,
    }
}
