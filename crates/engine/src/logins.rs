//! Signing in and out with a browser.

use crate::{
    Engine, Error, Result,
    identity::Standing,
    ports::{NewLogin, Record},
    tokens,
};
use domain::{
    Caller, OrgId, Problem, Timestamp,
    audit::Entry,
    caller::Proof,
    id::LoginId,
    login::{IDLE_SECONDS, LIFETIME_SECONDS, Login},
    permit::Verb,
};
use serde_json::{Value, json};

/// Where a sign-in comes from, as far as it can be known.
#[derive(Clone, Debug, Default)]
pub struct From {
    pub user_agent: String,
    pub address: String,
    /// The id of the request, for the audit.
    pub request: Option<String>,
}

impl From {
    fn place(&self) -> Option<String> {
        (!self.address.is_empty()).then(|| self.address.chars().take(64).collect())
    }

    /// The caller, coming from here.
    pub(crate) fn bring(&self, caller: Caller) -> Caller {
        Caller {
            address: self.place(),
            request: self.request.clone(),
            ..caller
        }
    }

    /// The entry, with where it comes from.
    pub(crate) fn mark(&self, entry: Entry) -> Entry {
        Entry {
            address: self.place(),
            request: self.request.clone(),
            ..entry
        }
    }
}

/// A browser that has just signed in.
pub struct SignedIn {
    /// The cookie's value: shown to the browser only.
    pub cookie: String,
    pub expires_at: Timestamp,
    pub caller: Caller,
}

impl Engine {
    /// Uses up a one-time sign-in link and gives a login for it.
    pub async fn sign_in(&self, link: &str, from: &From) -> Result<SignedIn> {
        let now = self.0.clock.now();
        let secret = self.0.credentials.mint("sbc_");
        let id = LoginId::new(self.0.credentials.new_id(now));
        let login = login(id.clone(), from, now);
        let expires_at = login.expires_at;
        let user_agent = login.user_agent.clone();
        let login = NewLogin {
            login,
            hash: secret.hash,
        };
        let link = self.0.credentials.hash(link);
        let Some(member) = self.0.store.redeem_sign_in_link(&link, &login, now).await? else {
            self.audit_refused_sign_in(from).await?;
            let detail =
                "This sign-in link was used already or has expired. Make a new one with `sandbox sign-in-link`.";
            return Err(Error::Invalid(Problem::new("invalid-sign-in-link", detail)));
        };
        let caller = from.bring(tokens::caller(member, Proof::login(id.clone())));
        let entry = self.entry(&caller, "signed-in", id.as_str(), json!({ "browser": user_agent }));
        self.0.store.record_audit(&entry).await?;
        Ok(SignedIn {
            cookie: secret.text,
            expires_at,
            caller,
        })
    }

    /// Somebody came with a link that opens nothing; whose it was is not known. Once a minute for each address.
    async fn audit_refused_sign_in(&self, from: &From) -> Result<()> {
        let org = OrgId::new(&self.0.options.org);
        let entry = from.mark(Entry {
            actor: "unknown".to_owned(),
            via: "link".to_owned(),
            ..self.system_entry(&org, "sign-in.refused", "", json!({ "reason": "invalid-sign-in-link" }))
        });
        if !self.is_noted_lately(&from.address, "", &entry) {
            self.0.store.record_audit(&entry).await?;
        }
        Ok(())
    }

    /// Who a cookie stands for, while its login holds; using it prolongs it.
    pub async fn caller_of_cookie(&self, cookie: &str) -> Result<Option<Caller>> {
        let now = self.0.clock.now();
        let cookie = self.0.credentials.hash(cookie);
        let mut found = self.0.store.find_login(&cookie, now).await?;
        if let Some((login, _)) = &found {
            found = match self.still_proven(&login.id).await? {
                Standing::Holds => found,
                Standing::Renewed => self.0.store.find_login(&cookie, now).await?,
                Standing::Ended => None,
            };
        }
        let Some((login, member)) = found else {
            return Ok(None);
        };
        if now.seconds_since(login.seen_at) >= 60 {
            let end = login.created_at.plus_seconds(LIFETIME_SECONDS);
            self.0
                .store
                .touch_login(&login.id, now, now.plus_seconds(IDLE_SECONDS).min(end))
                .await?;
        }
        let proof = Proof::Login {
            id: login.id,
            narrowed: login.narrowed,
        };
        Ok(Some(tokens::caller(member, proof)))
    }

    /// The browsers the caller is signed in with.
    pub async fn logins(&self, caller: &Caller) -> Result<Vec<Login>> {
        self.permit(caller, Verb::ManageLogins)?;
        let mut logins = self
            .0
            .store
            .list_logins(&caller.org, &caller.person, self.0.clock.now())
            .await?;
        for login in &mut logins {
            login.current = matches!(&caller.proof, Proof::Login { id, .. } if *id == login.id);
        }
        Ok(logins)
    }

    /// Signs one of the caller's browsers out; one that is out already is no error.
    pub async fn end_login(&self, caller: &Caller, id: &LoginId) -> Result<()> {
        self.permit(caller, Verb::ManageLogins)?;
        let record = self.audited(caller, "login.ended", id.as_str(), json!({}));
        // Only where it was the caller's: ids of others may be known, and reach nothing.
        if self.0.store.end_login(&caller.org, &caller.person, id, record).await? {
            self.end_attachments_of_login(id);
        }
        Ok(())
    }

    /// Signs the caller's own browser out.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        if let Proof::Login { id, .. } = &caller.proof {
            let record = self.audited(caller, "signed-out", id.as_str(), json!({}));
            self.0.store.end_login(&caller.org, &caller.person, id, record).await?;
            self.end_attachments_of_login(id);
        }
        Ok(())
    }

    /// A record of something the caller did that makes no event.
    pub(crate) fn audited(&self, caller: &Caller, action: &str, target: &str, detail: Value) -> Record {
        self.audited_in(caller, &caller.org, action, target, detail)
    }

    /// The same of something the caller did in `org`.
    pub(crate) fn audited_in(&self, caller: &Caller, org: &OrgId, action: &str, target: &str, detail: Value) -> Record {
        Record {
            audit: vec![self.entry_of(caller, org, action, target, detail)],
            events: Vec::new(),
        }
    }
}

/// A browser that signs in now.
pub(crate) fn login(id: LoginId, from: &From, now: Timestamp) -> Login {
    Login {
        id,
        user_agent: from.user_agent.chars().filter(|c| !c.is_control()).take(300).collect(),
        address: from.address.chars().take(64).collect(),
        created_at: now,
        seen_at: now,
        expires_at: now.plus_seconds(IDLE_SECONDS),
        current: true,
        narrowed: None,
    }
}
