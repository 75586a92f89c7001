//! Signing in a device that has no browser: it asks, a person who is signed in answers, it fetches its token.

use crate::{
    Engine, Error, From, Result,
    ports::{Approval, DeviceHashes, DeviceState, Hash, Record, Redeemed},
    tokens::{self, member},
};
use domain::{
    Caller, Problem,
    audit::Entry,
    caller::Proof,
    device::{Ask, CODE_SECONDS, Codes, Device, INTERVAL_SECONDS, Polled, TOKEN_TTL_HOURS, UserCode},
    id::{DeviceId, TokenId},
    permit::Verb,
    token::{Mint, Minted, TOKENS_MAX, Token},
};
use serde_json::json;

impl Engine {
    /// A device asks to be signed in. Anybody may ask: nothing comes of it before a person says yes.
    pub async fn ask_for_device(&self, ask: &Ask, from: &From) -> Result<Codes> {
        let (name, capabilities) = ask.checked()?;
        let now = self.0.clock.now();
        let entropy = u64::from(self.0.credentials.entropy()) << 32 | u64::from(self.0.credentials.entropy());
        let (secret, user_code) = (self.0.credentials.mint("sbd_"), UserCode::from_entropy(entropy));
        let device = Device {
            id: DeviceId::new(self.0.credentials.new_id(now)),
            name,
            address: from.address.chars().take(64).collect(),
            capabilities,
            created_at: now,
            expires_at: now.plus_seconds(CODE_SECONDS),
        };
        let hashes = DeviceHashes {
            device: secret.hash,
            user: self.hash_of(&user_code),
        };
        if !self.0.store.record_device(&device, &hashes).await? {
            let detail = "Too many devices wait to be signed in. Try again in some minutes.";
            return Err(Error::Unavailable(Problem::new("too-many-devices", detail)));
        }
        Ok(Codes {
            device_code: secret.text,
            user_code,
            expires_in: CODE_SECONDS,
            interval: INTERVAL_SECONDS,
        })
    }

    /// The device that shows this code, and what it would be allowed, for the person who is to answer.
    pub async fn device(&self, caller: &Caller, code: &str) -> Result<(Device, Vec<String>)> {
        self.permit(caller, Verb::ManageTokens)?;
        let (_, device) = self.waiting(code).await?;
        let granted = granted(caller, &device)?.capabilities;
        Ok((device, granted))
    }

    /// Lets a device act in the caller's name, as far as it asked and they may; it fetches its token by itself.
    pub async fn approve_device(&self, caller: &Caller, code: &str) -> Result<Device> {
        self.permit(caller, Verb::ManageTokens)?;
        let (hash, device) = self.waiting(code).await?;
        let mint = granted(caller, &device)?;
        let now = self.0.clock.now();
        let held = self.0.store.list_tokens(&caller.org, &caller.person).await?;
        let held = held
            .iter()
            .filter(|token| token.revoked_at.is_none() && token.expires_at > now);
        if held.count() as u64 >= TOKENS_MAX {
            return Err(too_many());
        }
        let detail = json!({ "name": device.name, "address": device.address, "capabilities": mint.capabilities });
        let record = self.audited(caller, "device.approved", device.id.as_str(), detail);
        self.answer(caller, &hash, Some(&mint.capabilities), record).await?;
        Ok(device)
    }

    /// Refuses a device.
    pub async fn deny_device(&self, caller: &Caller, code: &str) -> Result<Device> {
        self.permit(caller, Verb::ManageTokens)?;
        let (hash, device) = self.waiting(code).await?;
        let detail = json!({ "name": device.name, "address": device.address });
        let record = self.audited(caller, "device.denied", device.id.as_str(), detail);
        self.answer(caller, &hash, None, record).await?;
        Ok(device)
    }

    /// A device asks what became of it, and is given its token when it may have one: this once.
    pub async fn poll_device(&self, device_code: &str, from: &From) -> Result<Polled> {
        let now = self.0.clock.now();
        let code = self.0.credentials.hash(device_code);
        let approval = match self.0.store.poll_device(&code, now).await? {
            DeviceState::Unknown => return Ok(Polled::Unknown),
            DeviceState::Expired => return Ok(Polled::Expired),
            DeviceState::TooSoon { interval } => return Ok(Polled::SlowDown { interval }),
            DeviceState::Waiting => return Ok(Polled::Pending),
            DeviceState::Denied => return Ok(Polled::Denied),
            DeviceState::Approved(approval) => *approval,
        };
        let Approval {
            device,
            member,
            granted,
        } = approval;
        let secret = self.0.credentials.mint("sbp_");
        let token = Token {
            id: TokenId::new(self.0.credentials.new_id(now)),
            name: device.token_name(),
            capabilities: granted,
            created_at: now,
            expires_at: now.plus_seconds(TOKEN_TTL_HOURS * 3600),
            used_at: None,
            revoked_at: None,
        };
        let proof = Proof::Token {
            id: token.id.clone(),
            capabilities: token.capabilities.clone(),
        };
        let caller = from.bring(tokens::caller(member.clone(), proof));
        let detail = json!({
            "name": token.name,
            "capabilities": token.capabilities,
            "expires_at": token.expires_at,
            "device": device.id,
        });
        // No token was used, and no browser: the device did it, as it was allowed to.
        let entry = Entry {
            via: format!("device:{}", device.id),
            ..self.entry(&caller, "token.minted", token.id.as_str(), detail)
        };
        let record = Record {
            audit: vec![entry],
            events: Vec::new(),
        };
        let redeemed = self
            .0
            .store
            .redeem_device(&code, &member, &token, &secret.hash, TOKENS_MAX, record)
            .await?;
        match redeemed {
            Redeemed::Held => Ok(Polled::Approved(Minted {
                secret: secret.text,
                token,
            })),
            Redeemed::Gone => Ok(Polled::Unknown),
            Redeemed::TooMany => Err(too_many()),
        }
    }

    /// The device that waits under this code.
    async fn waiting(&self, code: &str) -> Result<(Hash, Device)> {
        let unknown = || {
            let detail = "No device waits under this code. It may be mistyped, answered already, or older than ten \
                          minutes: look at the device, or begin again there.";
            Error::NotFound(Problem::new("no-such-device", detail).at("code"))
        };
        let code = UserCode::read(code).ok_or_else(unknown)?;
        let hash = self.hash_of(&code);
        let device = self.0.store.find_device(&hash, self.0.clock.now()).await?;
        Ok((hash, device.ok_or_else(unknown)?))
    }

    async fn answer(&self, caller: &Caller, code: &Hash, granted: Option<&[String]>, record: Record) -> Result<()> {
        let now = self.0.clock.now();
        let answered = self
            .0
            .store
            .answer_device(code, &member(caller), granted, now, record)
            .await?;
        if answered {
            return Ok(());
        }
        let detail = "Somebody has answered this device meanwhile, or its time is over.";
        Err(Error::Conflict(Problem::new("device-answered", detail)))
    }

    /// Hashed apart from every other secret: a code is short, and its hash must be that of nothing else.
    fn hash_of(&self, code: &UserCode) -> Hash {
        self.0.credentials.hash(&format!("device {}", code.shown()))
    }
}

/// The token that a device would be given by the caller.
fn granted(caller: &Caller, device: &Device) -> Result<Mint> {
    let mint = Mint {
        name: device.token_name(),
        ttl_hours: Some(TOKEN_TTL_HOURS),
        capabilities: device.capabilities.clone(),
    };
    Ok(mint.checked(&caller.capabilities())?)
}

fn too_many() -> Error {
    let detail = format!("You hold {TOKENS_MAX} tokens, as many as one person may. Revoke one in the settings first.");
    Error::Conflict(Problem::new("too-many-tokens", detail))
}
