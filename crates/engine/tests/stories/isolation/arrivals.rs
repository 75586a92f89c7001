//! People who come from identity providers, and link another identity.

use super::{ORGS, World, pick};
use domain::Caller;
use engine::{Arrived, From, ports::Answer};
use serde_json::json;

/// One that speaks for the installation, and one that speaks for the last Organization alone.
pub(super) const PROVIDERS: [(&str, Option<&str>); 2] = [("all-ip", None), ("own-ip", Some(ORGS[2]))];

impl World {
    /// Somebody comes from a provider that names one Organization, or two.
    pub(super) async fn arrive(&mut self, (who, to, how): (u8, u8, u8)) {
        let (provider, _) = PROVIDERS[usize::from(how) % 2];
        let (one, other) = (ORGS[usize::from(who) % 3], ORGS[usize::from(to) % 3]);
        // A directory may say anybody's address; it has not said by it whom a provider knows so.
        let (subject, address) = (self.fresh("subject"), self.fresh("address"));
        let claims = json!({ "org_id": [one, other], "email": format!("{address}@id.example"),
            "name": self.fresh("called"), "groups": [format!("/{}", self.fresh("group"))] });
        self.script.says(&subject, claims);
        let engine = self.house.engine.clone();
        let begun = engine
            .begin_sign_in(provider, "/next", "https://here/back")
            .await
            .unwrap();
        let (_, state) = begun.url.split_once("?state=").unwrap();
        let browser = Some(begun.browser.as_str());
        let arrived = engine
            .finish_sign_in(provider, state, browser, &Answer::default(), None, &From::default())
            .await;
        self.mark().await;
        if let Ok(Arrived::SignedIn { signed_in, .. }) = arrived {
            self.look(&signed_in.caller).await;
            self.people.push(signed_in.caller.clone());
            self.cookies.push((signed_in.cookie, signed_in.caller));
        }
    }

    /// Somebody links another identity to who they are.
    pub(super) async fn link(&mut self, caller: &Caller, how: u8) {
        let (provider, _) = PROVIDERS[usize::from(how) % 2];
        let (subject, address) = (self.fresh("subject"), self.fresh("address"));
        let claims = json!({ "email": format!("{address}@id.example") });
        self.script.says(&subject, claims);
        let engine = self.house.engine.clone();
        let begun = engine.begin_link(caller, provider, "https://here/back").await;
        self.heard(caller, "begin_link", &begun.as_ref().map(|_| ()), &[]).await;
        let Ok(begun) = begun else { return };
        let (_, state) = begun.url.split_once("?state=").unwrap();
        let (browser, answer, from) = (Some(begun.browser.as_str()), Answer::default(), From::default());
        let arrived = engine
            .finish_sign_in(provider, state, browser, &answer, Some(caller), &from)
            .await;
        if let Ok(Arrived::Proposed(proposal)) = arrived {
            let answer = engine.confirm_link(caller, &proposal.secret).await;
            self.mark().await;
            self.heard(caller, "confirm_link", &answer, &[]).await;
            let ways = engine.ways(caller).await.unwrap();
            if let Some(way) = pick(&ways.ways, how) {
                let answer = engine.unlink(caller, &way.id).await;
                self.heard(caller, "unlink", &answer, &[]).await;
            }
        }
    }
}
