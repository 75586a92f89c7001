//! Every question there is.

use super::{ORGS, World};
use domain::{
    Caller, OrgId, audit,
    event::Live,
    member::ListMembers,
    org::ListOrgs,
    page::ListSessions,
    pass::{Kind, ListPasses},
    policy::Policy,
    quota::{Answer, ListLimits, Subject},
    scim::Window,
};
use engine::{AttachAsk, SeatChange, Shelf, ports::Scope};
use serde_json::json;

impl World {
    /// Asks every question there is, and knows every id.
    pub(super) async fn look(&self, caller: &Caller) {
        let engine = &self.house.engine;
        macro_rules! ask {
            ($verb:ident($($with:expr),*)) => {
                ask!($verb($($with),*), &[])
            };
            ($verb:ident($($with:expr),*), $said:expr) => {
                self.heard(caller, stringify!($verb), &engine.$verb(caller $(, $with)*).await, $said).await
            };
        }
        ask!(list(&ListSessions::default()));
        ask!(orgs(&ListOrgs::default()));
        ask!(memberships());
        ask!(standing());
        ask!(my_requests());
        ask!(usage(30));
        ask!(tokens());
        ask!(logins());
        ask!(agents());
        ask!(installation());
        ask!(secrets(&Shelf::Own));
        ask!(secrets_received());
        ask!(audit(audit::Ask::default()));
        ask!(export_audit(audit::Ask::default(), "csv"));
        ask!(ways());
        ask!(fleet_policy());
        ask!(health());
        for word in ["omega", "ruler", "example", "the installation"] {
            let asked = audit::Ask {
                actor: word.to_owned(),
                ..audit::Ask::default()
            };
            let said = &[word.to_owned()];
            ask!(audit(asked), said);
        }
        let newest = self.house.store.list_audit(&Scope::Fleet, &audit::Ask::default()).await;
        for line in newest.unwrap().lines.iter().take(12) {
            ask!(audit_entry(line.position));
        }
        let claims = json!({ "sub": "somebody", "org_id": ORGS, "email": "somebody@id.example" }).to_string();
        // Which Organizations a provider names is its word, whether there are such or not.
        let said: Vec<_> = ORGS.map(str::to_owned).into();
        ask!(my_claims(), &said);
        ask!(explain("all-ip", &claims), &said);
        for (directory, minter) in &self.directories {
            if minter.org == caller.org {
                let (engine, window) = (&self.house.engine, Window { start: 1, count: 100 });
                let answer = engine.directory_users(directory, None, window).await;
                self.heard(caller, "directory_users", &answer, &[]).await;
                let answer = engine.directory_groups(directory, None, window, true).await;
                self.heard(caller, "directory_groups", &answer, &[]).await;
                for other in &self.people {
                    let said = [other.person.to_string()];
                    let answer = engine.directory_user(directory, &other.person).await;
                    self.heard(caller, "directory_user", &answer, &said).await;
                }
            }
        }
        for id in &self.sessions {
            let said = &[id.to_string()];
            ask!(show(id), said);
            ask!(activity(id), said);
            ask!(holdings(id), said);
            ask!(terminals(id), said);
            let recording = engine.recording(caller, id, "").await;
            self.heard(caller, "recording", &recording.map(|found| found.bytes), said)
                .await;
            let attached = engine.attach(caller, id, AttachAsk::default()).await;
            self.heard(caller, "attach", &attached.map(|_| ()), said).await;
        }
        for org in ORGS.map(OrgId::new) {
            let said = &[org.to_string()];
            ask!(org(&org), said);
            ask!(members(&org, &ListMembers::default()), said);
            ask!(invitations(&org), said);
            ask!(limits(&org), said);
            ask!(requests(&org, None), said);
            ask!(limits_of_others(&org, &ListLimits::default()), said);
            ask!(passes(&org, &ListPasses::default()), said);
            ask!(directory_tokens(&org), said);
            ask!(policy(&org), said);
            ask!(try_policy(Some(&org), Policy::default()), said);
            ask!(secrets(&Shelf::Org(org.clone())), said);
            ask!(members_held(&org, &ListMembers::default()), said);
            ask!(busiest(&org), said);
            let of = Shelf::Org(org.clone());
            for id in &self.secrets {
                ask!(secret(&of, id), &[id.to_string(), org.to_string()]);
            }
            // What is not there, or not theirs, is said for each by itself, and changes nothing.
            let requests: Vec<_> = self.requests.iter().map(|(_, id)| id.clone()).take(4).collect();
            let mut said: Vec<_> = requests.iter().map(ToString::to_string).collect();
            said.push(org.to_string());
            let word = Answer::Decline { word: String::new() };
            ask!(answer_requests(&org, requests, &word), &said);
            let tokens: Vec<_> = self.tokens.iter().map(ToString::to_string).take(4).collect();
            let said: Vec<_> = tokens.iter().cloned().chain([org.to_string()]).collect();
            if caller.org != org {
                ask!(revoke_passes(&org, Kind::Token, tokens), &said);
            }
            ask!(limits_of(&org, &Subject::Org), &said);
        }
        for other in &self.people {
            for org in [&caller.org, &other.org] {
                let said = &[other.person.to_string(), org.to_string()];
                ask!(seat(org, &other.person), said);
                ask!(member_standing(org, &other.person), said);
                ask!(member_tokens(org, &other.person), said);
            }
        }
    }

    /// Follows the live stream from the very beginning until it tells what is done to the listener now.
    pub(super) async fn listen(&self, caller: &Caller) {
        let mut live = self.house.engine.live(caller, Some(0)).await.unwrap();
        let change = SeatChange {
            name: Some(format!("{}.", caller.name.trim_end_matches('.'))),
            ..SeatChange::default()
        };
        self.house
            .engine
            .change_seat(&self.root, &caller.org, &caller.person, change)
            .await
            .unwrap();
        // Twice, so that a name which ends with a dot already changes too.
        let change = SeatChange {
            name: Some(caller.name.clone()),
            ..SeatChange::default()
        };
        self.house
            .engine
            .change_seat(&self.root, &caller.org, &caller.person, change)
            .await
            .unwrap();
        let mut left = 2;
        let newest = self.house.store.event_bounds().await.unwrap().0;
        while let Some(told) = live.recv().await {
            self.heard(caller, "the live stream", &told, &[]).await;
            if let Live::Event { position, event } = &told {
                let mine = event.data["person"] == caller.person.as_str() && event.kind == "sandbox.member.changed";
                left -= i32::from(mine && *position > newest - 2);
                if left == 0 {
                    return;
                }
            }
        }
        panic!("the stream of {} of {} ended", caller.name, caller.org);
    }
}
